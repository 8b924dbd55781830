//! How a run comes into being: its id and its row.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::domain::ids::{CompanyId, ConnectionId, RunId};
use crate::store::connections::Connection;
use crate::store::runs::{Approved, ApprovedCharge, Mode, Reverses, Run, RunCharges, RunMoney, RunState, Trigger};

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Whether it writes.
    pub mode: Mode,
    /// What started it.
    pub trigger: Trigger,
    /// Who started it.
    pub actor: String,
    /// Only these companies' lines; empty for all.
    pub companies: Vec<CompanyId>,
    /// Changes that a person approved; empty for none.
    pub approved: Vec<Approved>,
    /// Charges that a person approved; empty for none.
    pub approved_charges: Vec<ApprovedCharge>,
    /// The run in which they were held or planned.
    pub approves: Option<RunId>,
    /// The run whose changes it takes back.
    pub reverses: Option<Reverses>,
}

impl NewRun {
    /// The run's row.
    #[must_use]
    pub fn queued(self, id: RunId, connection: &Connection, now: Timestamp) -> Run {
        Run {
            id,
            partner: connection.partner.clone(),
            connection: connection.id.clone(),
            mode: self.mode,
            trigger: self.trigger,
            actor: self.actor,
            companies: self.companies,
            approved: self.approved,
            approved_charges: self.approved_charges,
            approves: self.approves,
            reverses: self.reverses,
            state: RunState::Queued,
            created_at: now,
            planning_until: 0,
            planned: false,
            jobs_left: 0,
            jobs: 0,
            counts: Default::default(),
            psa_requests: 0,
            writes: 0,
            finished_at: None,
            money: RunMoney::default(),
            charges: RunCharges::default(),
            reason: None,
        }
    }
}

/// A fresh id for a run made at `now`; ids sort by time.
#[must_use]
pub fn new_run_id(now: Timestamp) -> Option<RunId> {
    let chance = uuid::Uuid::now_v7().simple().to_string();
    run_id(now, chance.get(16..)?)
}

/// The id of the run that `connection` is due for at `due`: the same however often the tick comes.
#[must_use]
pub fn scheduled_run_id(connection: &ConnectionId, due: Timestamp) -> Option<RunId> {
    let digest = hex::encode(Sha256::digest(format!("{connection}#{due}")));
    run_id(due, digest.get(..16)?)
}

fn run_id(at: Timestamp, rest: &str) -> Option<RunId> {
    format!("run_{:012x}{rest}", at.as_millisecond()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_sort_by_time_and_a_scheduled_one_is_the_same_twice() {
        let connection: ConnectionId = "conn_1".parse().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let first = scheduled_run_id(&connection, at("2026-11-21T01:00:00Z")).unwrap();
        assert_eq!(scheduled_run_id(&connection, at("2026-11-21T01:00:00Z")).unwrap(), first);
        assert_ne!(scheduled_run_id(&"conn_2".parse().unwrap(), at("2026-11-21T01:00:00Z")).unwrap(), first);
        assert!(new_run_id(at("2026-11-21T01:00:01Z")).unwrap() > first);
        assert!(new_run_id(at("2026-11-21T00:59:59Z")).unwrap() < first);
    }
}
