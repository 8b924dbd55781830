//! What the changes of a run come to in money, read once for all of them.
//!
//! Prices are told beside changes and decide none: where they can't be read, the run goes on without them. Only lines whose
//! units are to change, or wait to be changed, are asked about; a run that finds everything right asks nothing.

use std::collections::BTreeMap;

use super::draft::Draft;
use crate::domain::contract::Contract;
use crate::domain::ids::{AccountId, ContractId};
use crate::domain::line::{LineKey, LineResult, LineStatus};
use crate::domain::money::{self, LineMoney, UnitPrices};
use crate::psa::{Connector, Observation};
use crate::store::runs::RunMoney;

/// Reads the prices of the draft's changes and tells them with its lines.
pub(super) async fn price(
    psa: &dyn Connector,
    draft: &mut Draft,
    contracts: &BTreeMap<ContractId, Contract>,
    observed: &Observation,
) {
    let rows = draft.rows.iter().chain(draft.looks.iter().map(|look| &look.row));
    let bills = |row: &LineResult| Some((row.key(), contracts.get(&row.contract_id)?.account.clone()));
    let lines: BTreeMap<LineKey, AccountId> = rows.filter(|row| changes(row)).filter_map(bills).collect();
    if lines.is_empty() {
        return;
    }
    let prices = match psa.prices(&lines, observed).await {
        Ok(prices) => prices,
        Err(error) => {
            tracing::warn!(%error, "prices were not read: the run's changes are told without them");
            return;
        }
    };
    for row in draft.rows.iter_mut().filter(|row| changes(row)) {
        row.money = of(row, &prices, contracts);
    }
    for look in &mut draft.looks {
        look.line.label.prices = prices.get(&look.line.key).cloned();
        look.row.money = of(&look.row, &prices, contracts);
    }
}

/// Whether the line's units are not what they should be.
fn changes(row: &LineResult) -> bool {
    row.difference().is_some_and(|difference| difference.get() != 0)
}

fn of(
    row: &LineResult,
    prices: &BTreeMap<LineKey, UnitPrices>,
    contracts: &BTreeMap<ContractId, Contract>,
) -> Option<LineMoney> {
    let every = contracts.get(&row.contract_id)?.recurring?;
    Some(LineMoney::of(prices.get(&row.key())?, every, row.difference()))
}

/// What the changes of a whole draft come to, before anything of it is handed on.
pub(super) fn worth(draft: &Draft) -> RunMoney {
    let rows = || draft.rows.iter().chain(draft.looks.iter().map(|look| &look.row));
    let in_status = |status| rows().filter(move |row| row.status == status && changes(row));
    let sums = |status| money::sums(in_status(status).map(|row| row.money.clone().unwrap_or_default()));
    RunMoney { planned: sums(LineStatus::Planned), held: sums(LineStatus::Held) }
}
