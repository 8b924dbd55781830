//! What the routes are given on AWS.

use shared::aws::{Cloud, CloudError};
use shared::store::connections::Connections;
use shared::store::webhooks::Webhooks;
use shared::webhooks::Sender;

use crate::Deps;

impl Deps {
    /// From what the function's role allows.
    ///
    /// # Errors
    /// A variable of the template's is not set, or an HTTP client can't be made.
    pub fn on(cloud: &Cloud) -> Result<Self, CloudError> {
        let (table, secrets) = (cloud.table(), cloud.secrets_now()?);
        Ok(Self {
            webhooks: Webhooks::new(table.clone()),
            connections: Connections::new(table),
            sender: Sender::new(cloud.outward()?, secrets.clone(), cloud.clock.clone()),
            kept: secrets.clone(),
            secrets,
            clock: cloud.clock.clone(),
        })
    }
}
