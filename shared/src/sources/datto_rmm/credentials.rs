//! What a partner gives to let Datto RMM be read.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::psa::credentials::Exposed;

/// An API key of a Datto RMM user.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DattoRmmCredentials {
    /// The host of the account's platform: `concord-api.centrastage.net`.
    pub host: String,
    /// The "API Key".
    pub api_key: SecretString,
    /// The "API Secret Key".
    pub api_secret: SecretString,
}

impl Exposed for DattoRmmCredentials {
    fn exposed(&self) -> Value {
        let (key, secret) = (self.api_key.expose_secret(), self.api_secret.expose_secret());
        json!({ "host": self.host, "api_key": key, "api_secret": secret })
    }
}

impl fmt::Debug for DattoRmmCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DattoRmmCredentials")
    }
}
