//! The engine: from usage and mappings to settled lines.
//!
//! `Planner` is the fan-out's half: it reads the PSA in bulk, decides every line, records at once what needs no write, and
//! hands accounts with a change to company jobs. `Worker` is the job's half: it leases the account, reads it again, decides
//! again, writes, reads back and settles. What a line should carry and whether it may be written is decided in `domain`;
//! what was written is kept by `ledger`.

mod assess;
mod besides;
mod budget;
mod charges;
mod contracts;
mod draft;
mod drafting;
mod earlier;
mod elsewhere;
mod findings;
mod gaps;
mod job;
mod lines;
mod parts;
mod planner;
mod preflight;
mod pricing;
mod provision;
mod record;
mod request;
mod resolve;
mod resolver;
mod reversal;
mod rounds;
mod row;
mod shift;
mod succession;
mod unfed;
mod unmapped;
mod worker;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::clock::Clock;
use crate::domain::ids::ConnectionId;
use crate::domain::line::LineHistory;
use crate::domain::reason::Reason;
use crate::faults::Struck;
use crate::ledger::IntendError;
use crate::psa::open::{OpenError, Opener};
use crate::psa::{Connector, Kind, PsaError};
use crate::secrets;
use crate::store::connections::{Connection, Connections, Status};
use crate::store::{Read, StoreError};
pub use charges::UnmappedCharges;
pub use elsewhere::MappedElsewhere;
pub use lines::companies_not_mapped;
pub use parts::{PlannerParts, WorkerParts};
pub use planner::Planner;
pub use preflight::{Check, Preflight, Preflights, Verdict};
pub use request::{NewRun, new_run_id, scheduled_run_id};
pub use resolver::{Resolved, Resolver};
pub use unmapped::{Charged, Unmapped, Why, recent_months, unmapped};
pub use worker::{Done, Worker};
pub(crate) use write::STORED_WITHIN;

/// The engine's delays and sizes.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long the PSA may still be working on a request whose answer we did not see. Autotask works on one for up to
    /// five minutes.
    pub settle: SignedDuration,
    /// How long one job goes on sending changes; the rest waits for the next run. Well below the lease's term.
    pub job_writes: SignedDuration,
    /// A job of a run that is older is not done: its counts may be out of date.
    pub job_age: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            settle: SignedDuration::from_mins(6),
            job_writes: SignedDuration::from_mins(4),
            job_age: SignedDuration::from_hours(6),
        }
    }
}

/// Why a sync could not go on. The caller may try the same run or job again.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secrets.
    #[error(transparent)]
    Secrets(#[from] secrets::SecretsError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] crate::queue::QueueError),
    /// A stored job that this version can't read.
    #[error("a job can't be read: {0}")]
    Job(String),
    /// The ledger contradicts what is to be written: somebody has to look into it.
    #[error(transparent)]
    Ledger(IntendError),
    /// A fault was injected.
    #[error(transparent)]
    Struck(#[from] Struck),
    /// Another worker has the account or the run, or took it over.
    #[error("another worker is at it")]
    Busy,
    /// The store took so long to take an intent down as sent that it was not sent.
    #[error("the store was too slow for a write to be sent")]
    Slow,
}

impl From<IntendError> for SyncError {
    fn from(error: IntendError) -> Self {
        match error {
            IntendError::Store(error) => Self::Store(error),
            error @ IntendError::Contradiction { .. } => Self::Ledger(error),
        }
    }
}

impl SyncError {
    /// What failed, in one word that alarms can tell apart.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Store(_) | Self::Slow => "Store",
            Self::Secrets(_) => "Secrets",
            Self::Queue(_) => "Queue",
            Self::Job(_) => "Job",
            Self::Busy => "Busy",
            Self::Ledger(_) => "Ledger",
            Self::Struck(_) => "Fault",
        }
    }
}

/// A connector for `connection`. The inner error is the partner's to repair: its credentials are gone or unreadable.
/// Nothing is asked in the name of settings that this version does not understand.
async fn open(opener: &Opener, connection: &Connection) -> Result<Result<Arc<dyn Connector>, PsaError>, SyncError> {
    if let Some(Reason { code, explanation, fix }) = connection.not_understood() {
        return Ok(Err(PsaError { kind: Kind::Validation, code, explanation, fix, said: None, retry_after_s: None }));
    }
    match opener.connector(connection).await {
        Ok(connector) => Ok(Ok(connector)),
        Err(OpenError::Store(error)) => Err(error.into()),
        Err(OpenError::Secrets(error)) => Err(error.into()),
        Err(error) => Ok(Err(PsaError {
            kind: Kind::Auth,
            code: "credentials_missing".into(),
            explanation: error.to_string(),
            fix: "Send the connection's credentials again.".into(),
            said: None,
            retry_after_s: None,
        })),
    }
}

/// The partner's calendar at one instant.
struct Today {
    zone: TimeZone,
    date: Date,
}

impl Today {
    fn of(connection: &Connection, clock: &dyn Clock) -> Self {
        // The zone was checked when it was stored. Should a later zone database lack it, UTC is at most a day off, and the
        // run says which day it took.
        let zone = TimeZone::get(&connection.time_zone).unwrap_or(TimeZone::UTC);
        let date = clock.now().to_zoned(zone.clone()).date();
        Self { zone, date }
    }
}

/// The other connections that write lines among `histories` and were not revoked: those lines are theirs.
async fn live_writers(
    connections: &Connections,
    connection: &Connection,
    histories: impl Iterator<Item = &LineHistory>,
) -> Result<BTreeSet<ConnectionId>, SyncError> {
    live_among(connections, connection, histories.filter_map(|history| history.writer.as_ref())).await
}

/// Those of `writers` that are other connections and were not revoked.
async fn live_among(
    connections: &Connections,
    connection: &Connection,
    writers: impl Iterator<Item = &ConnectionId>,
) -> Result<BTreeSet<ConnectionId>, SyncError> {
    let others: BTreeSet<&ConnectionId> = writers.filter(|writer| **writer != connection.id).collect();
    let mut live = BTreeSet::new();
    for other in others {
        let found = connections.get(&connection.partner, other, Read::Consistent).await?;
        live.extend(found.filter(|found| found.status != Status::Revoked).map(|found| found.id));
    }
    Ok(live)
}

/// What a PSA said, as people are told it.
pub(crate) fn reason_of(error: &PsaError) -> Reason {
    let explanation = match &error.said {
        Some(said) => format!("{} The PSA said: {said}", error.explanation),
        None => error.explanation.clone(),
    };
    Reason { code: error.code.clone(), explanation, fix: error.fix.clone() }
}
