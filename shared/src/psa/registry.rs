//! The one list of PSAs: how each is found and opened.

use std::sync::Arc;

use super::{Connector, Credentials, Endpoint, PsaError, autotask};

/// Opens connectors. Holds what they share: the HTTP client and, on one machine, where a PSA is simulated.
#[derive(Clone)]
pub struct Registry {
    autotask: autotask::Autotask,
}

impl Registry {
    /// Connectors that call the vendors themselves.
    #[must_use]
    pub fn new(autotask: autotask::Autotask) -> Self {
        Self { autotask }
    }

    /// Finds where the tenant behind `credentials` lives.
    ///
    /// # Errors
    /// The PSA does not know the user, or does not answer.
    pub async fn discover(&self, credentials: &Credentials) -> Result<Endpoint, PsaError> {
        match credentials {
            Credentials::Autotask(user) => self.autotask.discover(user).await,
        }
    }

    /// A connector for one run.
    #[must_use]
    pub fn open(&self, endpoint: &Endpoint, credentials: Credentials) -> Arc<dyn Connector> {
        match credentials {
            Credentials::Autotask(user) => Arc::new(self.autotask.open(endpoint, user)),
        }
    }
}
