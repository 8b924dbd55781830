//! The PSAs by name, and the credentials of each: secret from the HTTP edge to the header, stored only as one secret a
//! connection. A new PSA is a line in `psas!`.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::kaseya_bms::KaseyaBmsCredentials;
use crate::api::{Fault, parse_fields};

macro_rules! psas {
    ($($(#[$doc:meta])* $name:ident $text:literal $credentials:ident)*) => {
        /// Which PSA a connection is for.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema
        )]
        #[serde(rename_all = "snake_case")]
        pub enum Psa {
            $($(#[$doc])* $name),*
        }

        impl Psa {
            /// Every PSA that Tallyline knows.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }

        /// What a partner gives to connect its PSA. It has no `Debug` that shows a secret and is no part of any answer.
        #[derive(Clone, Deserialize)]
        #[serde(tag = "psa", rename_all = "snake_case", deny_unknown_fields)]
        pub enum Credentials {
            $($(#[$doc])* $name($credentials)),*
        }

        impl Credentials {
            /// Which PSA they are for.
            #[must_use]
            pub fn psa(&self) -> Psa {
                match self { $(Self::$name(_) => Psa::$name),* }
            }

            /// Reads what a partner sent as the credentials of `psa`. `pointer` is where it stood.
            ///
            /// # Errors
            /// Every fault found. None of them repeats what was sent.
            pub fn parse(psa: Psa, pointer: &str, value: Value) -> Result<Self, Vec<Fault>> {
                match psa { $(Psa::$name => parse_fields(pointer, value).map(Self::$name)),* }
            }

            fn exposed(&self) -> Value {
                match self { $(Self::$name(user) => user.exposed()),* }
            }
        }
    };
}

psas! {
    /// Autotask PSA (Datto, Kaseya).
    Autotask "autotask" AutotaskCredentials
    /// Kaseya BMS, also sold as Vorex and as Pulseway PSA.
    KaseyaBms "kaseya_bms" KaseyaBmsCredentials
}

/// An Autotask API user (security level "API User") and the tracking identifier of the integration.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutotaskCredentials {
    /// The user's generated user name; it also tells the zone.
    pub username: String,
    /// The user's generated secret.
    pub secret: SecretString,
    /// The tracking identifier.
    pub integration_code: SecretString,
}

/// What a secret store is to keep of some PSA's credentials.
pub trait Exposed {
    /// Every field, secrets included: for the secret store and nothing else.
    fn exposed(&self) -> Value;
}

impl Exposed for AutotaskCredentials {
    fn exposed(&self) -> Value {
        let (secret, code) = (self.secret.expose_secret(), self.integration_code.expose_secret());
        json!({ "username": self.username, "secret": secret, "integration_code": code })
    }
}

impl Psa {
    /// The PSA of this name on the wire.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|psa| psa.as_str() == name).copied()
    }
}

impl Credentials {
    /// The text that a secret store keeps.
    #[must_use]
    pub fn to_secret(&self) -> SecretString {
        let mut stored = self.exposed();
        stored["psa"] = self.psa().as_str().into();
        stored.to_string().into()
    }

    /// Reads back what [`Credentials::to_secret`] made.
    ///
    /// # Errors
    /// The text is something else. The error names no part of it.
    pub fn from_secret(secret: &SecretString) -> Result<Self, InvalidSecret> {
        serde_json::from_str(secret.expose_secret()).map_err(|_| InvalidSecret)
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.psa().as_str())
    }
}

/// A stored secret that is not what we stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored credentials can't be read; send them again")]
pub struct InvalidSecret;
