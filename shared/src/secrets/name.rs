//! What a secret is called: by partner and what it belongs to, in letters that every secret store takes.

use std::fmt;

use crate::domain::ids::{ConnectionId, PartnerId, WebhookId};
use crate::sources::Vendor;

/// The name of a secret: `partner/connection`, `partner/webhooks/webhook`, or `partner/sources/source`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecretName(String);

impl SecretName {
    /// The secret of one connection.
    #[must_use]
    pub fn of(partner: &PartnerId, connection: &ConnectionId) -> Self {
        Self(format!("{}/{}", plain(partner.as_str()), plain(connection.as_str())))
    }

    /// The secret that signs what one webhook is sent. No id holds a `/` in here, so that it is never a connection's.
    #[must_use]
    pub fn of_webhook(partner: &PartnerId, webhook: &WebhookId) -> Self {
        Self(format!("{}/webhooks/{}", plain(partner.as_str()), plain(webhook.as_str())))
    }

    /// The credentials of one usage source.
    #[must_use]
    pub fn of_source(partner: &PartnerId, vendor: Vendor) -> Self {
        Self(format!("{}/sources/{}", plain(partner.as_str()), vendor.as_str()))
    }

    /// The name: letters, digits and `/_.-+` (Secrets Manager takes `/_+=.@-`).
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Every other character as `+` and two hexadecimal digits, so that different ids never share a name.
fn plain(id: &str) -> String {
    let letter = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"_.-".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("+{byte:02x}")
        }
    };
    id.bytes().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_ids_never_share_a_secret() {
        let name =
            |partner: &str, connection: &str| SecretName::of(&partner.parse().unwrap(), &connection.parse().unwrap()).0;
        assert_eq!(name("acme", "conn_1"), "acme/conn_1");
        assert_eq!(name("a/b", "c"), "a+2fb/c");
        assert_ne!(name("a/b", "c"), name("a", "b/c"));
        assert_ne!(name("a+2f", "c"), name("a/", "c"));
        let of_webhook = SecretName::of_webhook(&"acme".parse().unwrap(), &"c".parse().unwrap()).0;
        assert_eq!(of_webhook, "acme/webhooks/c");
        assert_ne!(of_webhook, name("acme", "webhooks/c"));
        let of_source = SecretName::of_source(&"acme".parse().unwrap(), Vendor::Huntress).0;
        assert_eq!(of_source, "acme/sources/huntress");
    }
}
