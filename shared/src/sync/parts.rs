//! What the two halves of the engine are given: the capabilities that each uses, and no more.

use std::sync::Arc;

use super::Settings;
use crate::clock::Clock;
use crate::events::Publish;
use crate::ledger::Ledger;
use crate::psa::open::Opener;
use crate::queue::SendJobs;
use crate::store::connections::Connections;
use crate::store::lines::Lines;
use crate::store::mappings::Mappings;
use crate::store::runs::Runs;
use crate::store::usage::UsageReader;

/// What a planner works with.
#[allow(missing_docs, reason = "each field is named after its type")]
#[derive(Clone)]
pub struct PlannerParts {
    pub connections: Connections,
    pub mappings: Mappings,
    pub usage: UsageReader,
    pub lines: Lines,
    pub ledger: Ledger,
    pub runs: Runs,
    pub opener: Opener,
    pub jobs: Arc<dyn SendJobs>,
    pub events: Arc<dyn Publish>,
    pub clock: Arc<dyn Clock>,
    pub settings: Settings,
}

/// What a worker works with.
#[allow(missing_docs, reason = "each field is named after its type")]
#[derive(Clone)]
pub struct WorkerParts {
    pub connections: Connections,
    pub lines: Lines,
    pub ledger: Ledger,
    pub runs: Runs,
    pub opener: Opener,
    pub events: Arc<dyn Publish>,
    pub clock: Arc<dyn Clock>,
    pub settings: Settings,
}
