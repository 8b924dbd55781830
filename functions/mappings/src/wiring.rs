//! What the routes are given on AWS.

use shared::aws::{Cloud, CloudError};
use shared::store::alerts::Alerts;
use shared::store::connections::Connections;
use shared::store::lines::Lines;
use shared::store::mappings::Mappings;
use shared::store::ticket_forms::TicketForms;
use shared::store::usage::UsageReader;

use crate::Deps;

impl Deps {
    /// From what the function's role allows.
    ///
    /// # Errors
    /// A variable of the template's is not set, or an HTTP client can't be made.
    pub fn on(cloud: &Cloud) -> Result<Self, CloudError> {
        let table = cloud.table();
        Ok(Self {
            mappings: Mappings::new(table.clone()),
            usage: UsageReader::new(table.clone()),
            lines: Lines::new(table.clone()),
            alerts: Alerts::new(table.clone()),
            ticket_forms: TicketForms::new(table.clone()),
            connections: Connections::new(table),
            opener: cloud.opener()?,
            clock: cloud.clock.clone(),
        })
    }
}
