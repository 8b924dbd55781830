//! What the two halves of the engine are given: the capabilities that each uses, and no more.

use std::sync::Arc;

use super::Settings;
use crate::clock::Clock;
use crate::events::Publish;
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::psa::open::Opener;
use crate::queue::SendJobs;
use crate::store::Table;
use crate::store::budgets::Budgets;
use crate::store::charge_lines::ChargeLines;
use crate::store::connections::Connections;
use crate::store::findings::Findings;
use crate::store::lines::Lines;
use crate::store::mappings::Mappings;
use crate::store::runs::Runs;
use crate::store::usage::UsageReader;
use crate::telemetry::Metrics;

/// What a planner works with.
#[allow(missing_docs, reason = "each field is named after its type")]
#[derive(Clone)]
pub struct PlannerParts {
    pub connections: Connections,
    pub mappings: Mappings,
    pub usage: UsageReader,
    pub lines: Lines,
    pub charge_lines: ChargeLines,
    pub findings: Findings,
    pub ledger: Ledger,
    pub runs: Runs,
    pub budgets: Budgets,
    pub opener: Opener,
    pub jobs: Arc<dyn SendJobs>,
    pub events: Arc<dyn Publish>,
    pub clock: Arc<dyn Clock>,
    pub settings: Settings,
    pub metrics: Metrics,
    pub faults: Faults,
}

/// What a worker works with.
#[allow(missing_docs, reason = "each field is named after its type")]
#[derive(Clone)]
pub struct WorkerParts {
    pub connections: Connections,
    pub lines: Lines,
    pub charge_lines: ChargeLines,
    pub findings: Findings,
    pub ledger: Ledger,
    pub runs: Runs,
    pub budgets: Budgets,
    pub opener: Opener,
    pub events: Arc<dyn Publish>,
    pub clock: Arc<dyn Clock>,
    pub settings: Settings,
    pub metrics: Metrics,
    pub faults: Faults,
}

impl PlannerParts {
    /// A planner's parts over `table`.
    #[must_use]
    pub fn new(
        table: &Table,
        ledger: Ledger,
        opener: Opener,
        (jobs, events): (Arc<dyn SendJobs>, Arc<dyn Publish>),
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        Self {
            connections: Connections::new(table.clone()),
            mappings: Mappings::new(table.clone()),
            usage: UsageReader::new(table.clone()),
            lines: Lines::new(table.clone()),
            charge_lines: ChargeLines::new(table.clone()),
            findings: Findings::new(table.clone()),
            runs: Runs::new(table.clone()),
            budgets: Budgets::new(table.clone()),
            ledger,
            opener,
            jobs,
            events,
            clock,
            settings,
            metrics: Metrics::default(),
            faults: table.faults().clone(),
        }
    }
}

impl WorkerParts {
    /// A worker's parts over `table`.
    #[must_use]
    pub fn new(
        table: &Table,
        ledger: Ledger,
        opener: Opener,
        events: Arc<dyn Publish>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        Self {
            connections: Connections::new(table.clone()),
            lines: Lines::new(table.clone()),
            charge_lines: ChargeLines::new(table.clone()),
            findings: Findings::new(table.clone()),
            runs: Runs::new(table.clone()),
            budgets: Budgets::new(table.clone()),
            ledger,
            opener,
            events,
            clock,
            settings,
            metrics: Metrics::default(),
            faults: table.faults().clone(),
        }
    }
}
