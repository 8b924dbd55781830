//! What the routes are given on AWS.

use shared::aws::{Cloud, CloudError};
use shared::store::alerts::Alerts;
use shared::store::idempotency::Idempotency;
use shared::store::mappings::Mappings;
use shared::sync::Settings;

use crate::Deps;

impl Deps {
    /// From what the function's role allows.
    ///
    /// # Errors
    /// A variable of the template's is not set, or an HTTP client can't be made.
    pub fn on(cloud: &Cloud) -> Result<Self, CloudError> {
        let table = cloud.table();
        Ok(Self {
            alerts: Alerts::new(table.clone()),
            mappings: Mappings::new(table.clone()),
            remembered: Idempotency::new(table),
            queue: cloud.alerts()?,
            clock: cloud.clock.clone(),
            settle: Settings::default().settle,
        })
    }
}
