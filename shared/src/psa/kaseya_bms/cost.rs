//! Setting what a unit costs and is sold for on lines of a service: one bulk update, its background job awaited, the lines read
//! again.
//!
//! What is not named stays as it is, texts and effective date with it. What counts is what the lines show afterwards,
//! not what the job says: that the job which BMS names is the one of this update is an inference, and so are its states.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Number, Value, json};

use super::client::{Ask, Client};
use super::service_lines::{self, ServiceLine};
use super::template::Template;
use crate::domain::ids::{ContractId, ContractServiceId, ServiceId};
use crate::domain::money::Money;
use crate::domain::repricing::Repricing;
use crate::pause::Pause;
use crate::psa::{Kind, PsaError, UnitsChange, WriteError};

/// How often a job is looked at. With the pauses between, about a minute.
const MOST_POLLS: u32 = 20;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// A unit cost or a unit price, or both, to set on some lines of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostChange {
    /// The catalogue service.
    pub service: ServiceId,
    /// The lines, each with its contract.
    pub lines: BTreeSet<(ContractId, ContractServiceId)>,
    /// What a unit costs the partner, in the tenant's currency.
    pub unit_cost: Option<Money>,
    /// What the customer pays for one.
    pub unit_price: Option<Money>,
}

impl CostChange {
    /// The change of prices of one line, which consists of these rows.
    pub(super) fn of(change: &UnitsChange, rows: BTreeSet<ContractServiceId>, prices: Repricing) -> Self {
        Self {
            service: change.service.clone(),
            lines: rows.into_iter().map(|row| (change.contract.clone(), row)).collect(),
            unit_cost: prices.cost.map(|step| step.target),
            unit_price: prices.price.map(|step| step.target),
        }
    }
}

/// How a background job ended, as far as it was watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    /// BMS names no job of the service: it is done, or there never was one.
    None,
    /// It says that it succeeded.
    Succeeded,
    /// It says that it failed.
    Failed,
    /// It was still under way when we stopped to look, or it could not be looked at.
    Unknown,
}

/// What the lines show after an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostOutcome {
    /// Lines that show the cost.
    pub set: BTreeSet<ContractServiceId>,
    /// Lines that show another.
    pub unset: BTreeSet<ContractServiceId>,
    /// Those of them that are excluded from bulk updates, which explains it.
    pub excluded: BTreeSet<ContractServiceId>,
    /// What became of the job.
    pub job: JobEnd,
}

/// Sends the update once and awaits its job. What became of it is for whoever reads the line back.
pub(super) async fn change(client: &Client, pause: &dyn Pause, change: &CostChange) -> Result<(), WriteError> {
    client.write(&ask(change).map_err(WriteError::NotSent)?).await?;
    awaited(client, pause, &change.service).await;
    Ok(())
}

/// Sends the update once and says what the lines show.
///
/// # Errors
/// `NotSent` and `Rejected` as they are; `Unknown` where the lines could not be read afterwards. An update whose answer was
/// lost is judged by its lines like any other.
pub(super) async fn set_unit_cost(
    client: &Client,
    pause: &dyn Pause,
    change: &CostChange,
) -> Result<CostOutcome, WriteError> {
    let ask = ask(change).map_err(WriteError::NotSent)?;
    match client.write(&ask).await {
        Ok(_) | Err(WriteError::Unknown(_)) => {}
        Err(error) => return Err(error),
    }
    let job = awaited(client, pause, &change.service).await;
    let lines = service_lines::lines_of_service(client, &change.service).await.map_err(WriteError::Unknown)?;
    Ok(outcome(change, &lines, job))
}

fn ask(change: &CostChange) -> Result<Ask, PsaError> {
    let unusable =
        || PsaError::new(Kind::Validation, "psa_id_invalid", "An id is none of Kaseya BMS.", "Map it again.");
    let number = |id: &str| id.parse::<i64>().map_err(|_| unusable());
    let lines = change.lines.iter().map(|(contract, line)| {
        Ok(json!({ "ClientContractId": number(contract.as_str())?, "ClientContractServiceId": number(line.as_str())? }))
    });
    let lines: Vec<Value> = lines.collect::<Result<_, PsaError>>()?;
    let mut values = Map::new();
    for (name, amount) in [("UnitCost", change.unit_cost), ("UnitPrice", change.unit_price)] {
        if let Some(amount) = amount {
            // As a JSON number, written as the decimal it is.
            let amount: Number = serde_json::from_str(&amount.to_string()).map_err(|_| unusable())?;
            values.insert(name.to_owned(), amount.into());
        }
    }
    Ok(Ask::about(Template::BulkUpdate, number(change.service.as_str())?)
        .body(json!({ "SelectedClientContractServices": lines, "Values": values })))
}

/// Watches the jobs of a service until one ends or the polls are used up. A poll that fails ends it too: the lines decide.
async fn awaited(client: &Client, pause: &dyn Pause, service: &ServiceId) -> JobEnd {
    let job = match client.read(&Ask::about(Template::BackgroundJob, service)).await {
        Ok(success) => success.row(Template::BackgroundJob).ok().and_then(|row| row.text("jobid")),
        Err(_) => return JobEnd::Unknown,
    };
    let Some(job) = job else { return JobEnd::None };
    let mut length = FIRST_PAUSE;
    for _ in 0..MOST_POLLS {
        let status = client.read(&Ask::about(Template::JobStatus, &job)).await;
        let Ok(status) = status.and_then(|success| success.row(Template::JobStatus)) else { return JobEnd::Unknown };
        match status.text("name").unwrap_or_default().to_lowercase().as_str() {
            "succeeded" | "completed" => return JobEnd::Succeeded,
            "failed" | "deleted" | "cancelled" | "canceled" => return JobEnd::Failed,
            _ => {}
        }
        pause.pause(length).await;
        length = LONGEST_PAUSE.min(length * 2);
    }
    JobEnd::Unknown
}

fn outcome(change: &CostChange, lines: &[ServiceLine], job: JobEnd) -> CostOutcome {
    let (cost, price) = (change.unit_cost.map(Money::get), change.unit_price.map(Money::get));
    let is_set = |line: &ServiceLine| {
        (cost.is_none() || line.unit_cost == cost) && (price.is_none() || line.unit_price == price)
    };
    let of_line = |id: &ContractServiceId| lines.iter().find(|line| line.line == *id);
    let asked = || change.lines.iter().map(|(_, line)| line);
    let shows = |id: &&ContractServiceId| of_line(id).is_some_and(is_set);
    let excluded = |id: &&ContractServiceId| of_line(id).is_some_and(|line| line.excluded);
    CostOutcome {
        set: asked().filter(shows).cloned().collect(),
        unset: asked().filter(|id| !shows(id)).cloned().collect(),
        excluded: asked().filter(|id| !shows(id) && excluded(id)).cloned().collect(),
        job,
    }
}
