//! What the routes are given on AWS.

use shared::aws::{Cloud, CloudError};
use shared::store::connections::Connections;
use shared::store::idempotency::Idempotency;
use shared::store::runs::Runs;
use shared::store::ticket_forms::TicketForms;

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
            runs: Runs::new(table.clone()),
            ticket_forms: TicketForms::new(table.clone()),
            remembered: Idempotency::new(table),
            opener: cloud.opener()?,
            psas: cloud.psas()?,
            secrets: cloud.secrets()?,
            clock: cloud.clock.clone(),
        })
    }
}
