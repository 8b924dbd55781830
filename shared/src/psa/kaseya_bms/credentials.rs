//! What a partner gives to connect BMS, and the one-way name that a process keeps its log-ins under.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::psa::credentials::Exposed;

/// A BMS user. Best is one of type API Employee, which needs no one-time codes.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KaseyaBmsCredentials {
    /// Where people log in, such as `bms.kaseya.com` or `bmsemea.kaseya.com`.
    pub hostname: String,
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: SecretString,
    /// The company name of the tenant, as "My Settings" shows it. It may hold spaces.
    pub company_name: String,
    /// The shared secret of the user's authenticator app in base32; none for an API Employee.
    #[serde(default)]
    pub totp_secret: Option<SecretString>,
}

impl Exposed for KaseyaBmsCredentials {
    fn exposed(&self) -> Value {
        json!({
            "hostname": self.hostname,
            "username": self.username,
            "password": self.password.expose_secret(),
            "company_name": self.company_name,
            "totp_secret": self.totp_secret.as_ref().map(|secret| secret.expose_secret()),
        })
    }
}

/// Tells credentials apart without holding them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl KaseyaBmsCredentials {
    /// The same for the same credentials, and for no others.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let totp = self.totp_secret.as_ref().map(|secret| secret.expose_secret());
        let mut digest = Sha256::new();
        for part in [
            Some(self.hostname.trim()),
            Some(&self.username),
            Some(self.password.expose_secret()),
            Some(&self.company_name),
            totp,
        ] {
            // Lengths keep parts apart, so that no two sets of credentials read alike.
            digest.update(part.map_or(u64::MAX, |part| u64::try_from(part.len()).unwrap_or(u64::MAX)).to_be_bytes());
            digest.update(part.unwrap_or_default());
        }
        Fingerprint(digest.finalize().into())
    }
}

impl fmt::Debug for KaseyaBmsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KaseyaBmsCredentials(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> KaseyaBmsCredentials {
        KaseyaBmsCredentials {
            hostname: "bms.kaseya.com".into(),
            username: "ab".into(),
            password: "c".into(),
            company_name: "Nordwind".into(),
            totp_secret: None,
        }
    }

    #[test]
    fn credentials_that_differ_anywhere_are_told_apart() {
        let same = credentials().fingerprint();
        assert_eq!(same, credentials().fingerprint());
        for other in [
            KaseyaBmsCredentials { hostname: "bmsemea.kaseya.com".into(), ..credentials() },
            KaseyaBmsCredentials { username: "a".into(), password: "bc".into(), ..credentials() },
            KaseyaBmsCredentials { company_name: "Nordwind IT".into(), ..credentials() },
            KaseyaBmsCredentials { totp_secret: Some("".into()), ..credentials() },
        ] {
            assert_ne!(same, other.fingerprint());
        }
    }
}
