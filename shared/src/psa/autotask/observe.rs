//! What Autotask holds for the lines of many contracts, from `ContractServiceUnits` alone.
//!
//! Each of its rows names the contract, the service, the service on the contract, a span of days and the units in force,
//! so no other entity is read for units and no request is made for a single line. The services on a contract (`ContractServices`)
//! carry no quantity at all. A line without a row in the window is absent from the observation.

use std::collections::{BTreeMap, BTreeSet};

use super::client::{Client, Entity};
use super::query::{self, Operator, Query};
use super::wire::{Row as _, UnitsRow};
use jiff::civil::Date;

use crate::domain::ids::{ContractId, ContractServiceId, ServiceId};
use crate::domain::line::LineKey;
use crate::domain::money::UnitPrices;
use crate::domain::reason::{Code, Reason};
use crate::domain::timeline::{Row, Timeline};
use crate::psa::{Observation, ObservedLine, PsaError, Window};

pub(super) async fn observe(
    client: &Client,
    contracts: &BTreeSet<ContractId>,
    window: Window,
) -> Result<Observation, PsaError> {
    let sets = query::id_sets(contracts.iter().map(ContractId::as_str));
    // Two walks at a time: as many requests as one entity may have under way.
    let (even, odd) = tokio::try_join!(
        read(client, sets.iter().step_by(2), window),
        read(client, sets.iter().skip(1).step_by(2), window),
    )?;
    let mut grouping = Grouping::default();
    for row in even.iter().chain(&odd) {
        grouping.add(row)?;
    }
    Ok(grouping.finish())
}

async fn read(
    client: &Client,
    sets: impl Iterator<Item = &Vec<i64>> + Send,
    window: Window,
) -> Result<Vec<UnitsRow>, PsaError> {
    let mut all = vec![];
    for set in sets {
        let rows: Vec<UnitsRow> = query::walk(client, &within(window, set)).await?;
        for row in &rows {
            // A filter that was ignored would show every contract of the partner.
            if row.contract.whole().is_none_or(|contract| set.binary_search(&contract).is_err()) {
                return Err(row.fault("is of a contract that was not asked for"));
            }
        }
        all.extend(rows);
    }
    Ok(all)
}

fn within(window: Window, contracts: &[i64]) -> Query {
    let query = Query::of(Entity::ContractServiceUnits).and("contractID", Operator::In, contracts.to_vec()).and(
        "endDate",
        Operator::Gte,
        format!("{}T00:00:00", window.from),
    );
    match window.to {
        Some(to) => query.and("startDate", Operator::Lte, format!("{to}T23:59:59")),
        None => query,
    }
}

/// Rows by line, as they come.
#[derive(Default)]
struct Grouping {
    lines: BTreeMap<(ContractId, ServiceId), (ContractServiceId, Vec<Row>)>,
    /// The first day of each line's newest row that has units, and what it comes to by unit.
    newest: BTreeMap<(ContractId, ServiceId), (Date, UnitPrices)>,
    ambiguous: BTreeSet<(ContractId, ServiceId)>,
    unreadable: BTreeMap<(ContractId, ServiceId), Reason>,
}

impl Grouping {
    fn add(&mut self, row: &UnitsRow) -> Result<(), PsaError> {
        let line = (row.contract()?, row.service()?);
        let units = match row.row() {
            Ok(units) => units,
            Err(error) => {
                // One odd row must not stop the partner's other lines.
                tracing::warn!(row = %row.id, contract = %line.0, %error, "a units row can't be read");
                let why = format!("Autotask shows a row of units that makes no sense: {}", error.explanation);
                self.unreadable.insert(line, Reason::new(Code::LineUnreadable, why));
                return Ok(());
            }
        };
        let Some(contract_service) = row.contract_service()? else {
            // Without the service on the contract there is nothing that a write could name.
            tracing::warn!(row = %row.id, contract = %line.0, "a units row names no service on its contract");
            self.ambiguous.insert(line);
            return Ok(());
        };
        if let Some(prices) = row.unit_prices()
            && self.newest.get(&line).is_none_or(|(day, _)| *day < units.start)
        {
            self.newest.insert(line.clone(), (units.start, prices));
        }
        let (first, rows) = self.lines.entry(line.clone()).or_insert_with(|| (contract_service.clone(), vec![]));
        if *first == contract_service {
            rows.push(units);
        } else {
            self.ambiguous.insert(line);
        }
        Ok(())
    }

    fn finish(self) -> Observation {
        let Self { lines, newest, ambiguous, unreadable } = self;
        let prices = newest.into_iter().filter(|(line, _)| lines.contains_key(line));
        let prices_of_rows =
            prices.map(|((contract, service), (_, prices))| (LineKey { contract, service }, prices)).collect();
        let lines = lines
            .into_iter()
            .filter(|(line, _)| !ambiguous.contains(line) && !unreadable.contains_key(line))
            .map(|(line, (contract_service, rows))| {
                (line, ObservedLine { contract_service, timeline: Timeline::new(rows), otherwise: None })
            })
            .collect();
        Observation { lines, ambiguous, unreadable, prices_of_rows, ..Observation::default() }
    }
}
