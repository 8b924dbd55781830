//! What a partner gives to let its marketplace be read at Pax8.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::psa::credentials::Exposed;

/// An application of a Pax8 partner.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pax8Credentials {
    /// The application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
}

impl Exposed for Pax8Credentials {
    fn exposed(&self) -> Value {
        json!({ "client_id": self.client_id, "client_secret": self.client_secret.expose_secret() })
    }
}

impl fmt::Debug for Pax8Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pax8Credentials")
    }
}
