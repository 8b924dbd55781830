//! What a partner gives to let its customers be read at Microsoft.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::psa::credentials::Exposed;

/// An application that is registered in the partner's tenant.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MicrosoftCredentials {
    /// The partner's tenant.
    pub tenant_id: String,
    /// The application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// Of the user that the application acts for, as in the Secure Application Model; without it, it acts for itself.
    #[serde(default)]
    pub refresh_token: Option<SecretString>,
}

impl Exposed for MicrosoftCredentials {
    fn exposed(&self) -> Value {
        json!({
            "tenant_id": self.tenant_id,
            "client_id": self.client_id,
            "client_secret": self.client_secret.expose_secret(),
            "refresh_token": self.refresh_token.as_ref().map(|token| token.expose_secret()),
        })
    }
}

impl fmt::Debug for MicrosoftCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MicrosoftCredentials")
    }
}
