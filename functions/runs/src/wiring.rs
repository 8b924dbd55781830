//! What the routes are given on AWS.

use shared::aws::{Cloud, CloudError};
use shared::history::History;
use shared::store::connections::Connections;
use shared::store::findings::Findings;
use shared::store::idempotency::Idempotency;
use shared::store::mappings::Mappings;
use shared::store::runs::Runs;
use shared::sync::{Resolver, Settings};

use crate::Deps;

impl Deps {
    /// From what the function's role allows.
    ///
    /// # Errors
    /// A variable of the template's is not set, or an HTTP client can't be made.
    pub fn on(cloud: &Cloud) -> Result<Self, CloudError> {
        let table = cloud.table();
        Ok(Self {
            connections: Connections::new(table.clone()),
            mappings: Mappings::new(table.clone()),
            runs: Runs::new(table.clone()),
            findings: Findings::new(table.clone()),
            resolver: Resolver::new(&table, cloud.ledger(), cloud.clock.clone(), Settings::default().settle),
            history: History::new(table.clone()),
            remembered: Idempotency::new(table),
            events: cloud.events()?,
            clock: cloud.clock.clone(),
        })
    }
}
