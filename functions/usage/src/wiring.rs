//! What the routes are given on AWS.

use shared::aws::{Cloud, CloudError};

use crate::Deps;

impl Deps {
    /// From what the function's role allows.
    ///
    /// # Errors
    /// A variable of the template's is not set, or an HTTP client can't be made.
    pub fn on(cloud: &Cloud) -> Result<Self, CloudError> {
        let (registry, secrets, pulls) = (cloud.sources()?, cloud.secrets_now()?, cloud.pulls()?);
        Ok(Self::new(&cloud.table(), registry, secrets, pulls, cloud.clock.clone()))
    }
}
