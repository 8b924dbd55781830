//! Newtypes for every identifier, so that a contract can never be passed where a service is meant.
//!
//! All ids are strings on the wire. An id is 1 to 128 printable ASCII characters without `#`, which separates the parts
//! of store keys; vendors' external ids (companies, products) follow the same rule.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest id accepted, in characters.
pub const MAX_ID_LENGTH: usize = 128;

/// Why a text can't be an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_ID_LENGTH} printable ASCII characters without spaces at its ends and without '#'")]
pub struct InvalidId;

fn validate(text: &str) -> Result<(), InvalidId> {
    let printable = text.chars().all(|c| (' '..='~').contains(&c) && c != '#');
    let trimmed = text.trim() == text;
    if printable && trimmed && (1..=MAX_ID_LENGTH).contains(&text.len()) { Ok(()) } else { Err(InvalidId) }
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                validate(&text).map(|()| Self(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

id! {
    /// The tenant: an MSP. Comes from the token's claim and nowhere else.
    PartnerId;
    /// A partner's link to one PSA.
    ConnectionId;
    /// The partner's customer, as the vendor knows it.
    CompanyId;
    /// What is metered: `edr`, `m365`.
    ProductKey;
    /// What a vendor charges for within a product, by the vendor's own name of it: `storage-gb`.
    Meter;
    /// The same customer, as the PSA knows it.
    AccountId;
    /// A ticket of the PSA's service desk.
    TicketId;
    /// A recurring service contract of the PSA.
    ContractId;
    /// A service of the PSA's catalogue.
    ServiceId;
    /// The PSA's own id of a service on a contract (Autotask `contractServiceID`).
    ContractServiceId;
    /// A charge on a contract, as the PSA knows it (Autotask `ContractCharges.id`).
    ChargeId;
    /// How something is accounted for in the PSA (Autotask `billingCodeID`).
    BillingCodeId;
    /// Whom the partner buys from, as the PSA knows them (Autotask `vendorCompanyID`).
    VendorId;
    /// One database of a PSA: two connections with the same tenant reach the same contracts (Autotask `ci`).
    PsaTenantId;
    /// Usage counts as of one instant, named by whoever pushed them.
    SnapshotId;
    /// One sync of a connection. Later runs sort after earlier ones.
    RunId;
    /// A ledger row: what we are about to write.
    IntentKey;
    /// Something that a person must look at.
    FindingId;
    /// An address of a partner's that is told of events, named by the partner.
    WebhookId;
}

impl IntentKey {
    /// A key from a hexadecimal digest.
    pub(in crate::domain) fn from_digest(digest: &str) -> Self {
        Self(digest.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_would_break_a_store_key_is_refused() {
        for bad in ["", " a", "a ", "a#b", "ä", "a\nb", &"x".repeat(129)] {
            assert_eq!(bad.parse::<CompanyId>(), Err(InvalidId), "{bad:?}");
        }
        assert!(serde_json::from_str::<CompanyId>("\"a#b\"").is_err());
        for good in ["1", "acme", "Acme Inc. (42)", &"x".repeat(128)] {
            assert_eq!(good.parse::<CompanyId>().unwrap().as_str(), good);
        }
    }
}
