//! What the changes of a run come to in money, read once for all of them.
//!
//! Prices are told beside changes and decide none: where they can't be read, the run goes on without them. Only lines whose
//! units are to change, or wait to be changed, are asked about; a run that finds everything right asks nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::lines::MappedLine;
use super::{gaps, row};
use crate::domain::contract::Contract;
use crate::domain::ids::{AccountId, ContractId, ServiceId};
use crate::domain::line::{LineKey, LineResult};
use crate::domain::money::{self, LineMoney, Sum, UnitPrices};
use crate::domain::period::PeriodType;
use crate::domain::policy::Markups;
use crate::domain::reason::Code;
use crate::domain::units::Units;
use crate::psa::{Connector, Observation};
use crate::store::runs::{Gap, RunMoney};

/// Reads the prices of the draft's changes and tells them with its lines, and with what is billed without usage.
pub(super) async fn price(
    psa: &dyn Connector,
    draft: &mut Draft,
    contracts: &BTreeMap<ContractId, Contract>,
    observed: &Observation,
    listed: &Listed,
) {
    let rows = draft.rows.iter().chain(draft.looks.iter().map(|look| &look.row));
    let bills = |row: &LineResult| Some((row.key(), contracts.get(&row.contract_id)?.account.clone()));
    let without_usage = draft.gaps.iter().filter_map(billed_without_usage);
    let account = |line: &LineKey| Some((line.clone(), contracts.get(&line.contract)?.account.clone()));
    let lines: BTreeMap<LineKey, AccountId> = rows
        .filter(|row| changes(row))
        .filter_map(bills)
        .chain(without_usage.filter_map(|(line, _)| account(&line)))
        .filter(|(line, _)| !listed.contains_key(line))
        .collect();
    let mut prices = listed.clone();
    if !lines.is_empty() {
        match psa.prices(&lines, observed).await {
            Ok(found) => prices.extend(found),
            Err(error) => tracing::warn!(%error, "prices were not read: the run's changes are told without them"),
        }
    }
    for row in draft.rows.iter_mut().filter(|row| changes(row)) {
        row.money = of(row, &prices, contracts);
    }
    for gap in &mut draft.gaps {
        if let Some((line, units)) = billed_without_usage(gap) {
            let every = contracts.get(&line.contract).and_then(|contract| contract.recurring);
            let taken_off = units.delta_to(Units::ZERO);
            gap.money =
                prices.get(&line).zip(every).map(|(prices, every)| LineMoney::of(prices, every, Some(taken_off)));
        }
    }
    draft.notice(gaps::costs_hidden(&prices).filter(|_| draft.whole));
    for look in &mut draft.looks {
        look.line.label.prices = prices.get(&look.line.key).cloned();
        look.row.money = of(&look.row, &prices, contracts);
    }
}

/// A line that is billed and that nothing is counted for, with its units.
fn billed_without_usage(gap: &Gap) -> Option<(LineKey, Units)> {
    let of_it = gap.noticed.reason.code == Code::LineWithoutUsage.as_str();
    Some((gap.noticed.subject.line().filter(|_| of_it)?.clone(), gap.noticed.before?))
}

/// Whether the line's units are not what they should be.
fn changes(row: &LineResult) -> bool {
    row.prices.is_some() || row.difference().is_some_and(|difference| difference.get() != 0)
}

fn of(
    row: &LineResult,
    prices: &BTreeMap<LineKey, UnitPrices>,
    contracts: &BTreeMap<ContractId, Contract>,
) -> Option<LineMoney> {
    let every = contracts.get(&row.contract_id)?.recurring?;
    row::worth(row, prices.get(&row.key())?, every)
}

/// Prices that were read already, by line.
pub(super) type Listed = BTreeMap<LineKey, UnitPrices>;

/// What the lines whose prices are kept are sold and bought for, with the currency of each. Empty where no prices are kept, or
/// where they can't be read: whoever needs a currency then leaves the prices alone.
pub(super) async fn listed(
    psa: &dyn Connector,
    lines: &[MappedLine],
    contracts: &BTreeMap<ContractId, Contract>,
    observed: &Observation,
    markups: &Markups,
) -> Listed {
    let kept = lines.iter().filter(|line| line.pricing(markups).is_some() && observed.shows(&line.key));
    let account = |line: &MappedLine| Some((line.key.clone(), contracts.get(&line.key.contract)?.account.clone()));
    let kept: BTreeMap<LineKey, AccountId> = kept.filter_map(account).collect();
    if kept.is_empty() {
        return Listed::new();
    }
    psa.prices(&kept, observed).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "prices were not read: those that are kept are left alone");
        Listed::new()
    })
}

/// What the changes of a whole draft come to, before anything of it is handed on, with those that an earlier planner of the
/// run has `planned` and handed on. What jobs hold is known when they are done.
pub(super) fn worth(draft: &Draft, planned: Vec<Sum>) -> RunMoney {
    let decided = RunMoney::of(&draft.rows);
    let by_jobs = RunMoney::of(draft.looks.iter().map(|look| &look.row));
    let planned = planned.into_iter().chain(decided.planned).chain(by_jobs.planned);
    RunMoney { planned: money::together(planned), written: Vec::new(), held: decided.held }
}

/// What a service is sold and bought for where no contract names a price of its own, and for how long, where that is known.
pub(super) type ListPrice = (UnitPrices, Option<PeriodType>);

/// The list prices of services; empty where they can't be read.
pub(super) async fn list_prices(psa: &dyn Connector, services: BTreeSet<ServiceId>) -> BTreeMap<ServiceId, ListPrice> {
    if services.is_empty() {
        return BTreeMap::new();
    }
    match psa.services_in_passing(&services).await {
        Ok(found) => found.into_iter().map(|service| (service.id, (service.prices, service.billed))).collect(),
        Err(error) => {
            tracing::warn!(%error, "list prices were not read: unmapped usage is told without them");
            BTreeMap::new()
        }
    }
}
