//! Our own name of a charge in a PSA: by it, and by nothing else, a charge that stands there is known to be ours.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ContractId, Meter, PartnerId, ProductKey, PsaTenantId};
use crate::domain::intent::digest;

const PREFIX: &str = "TL-";
const HEX_DIGITS: usize = 24;

/// Stands in the digest where a bundle has no meter. No id holds a `#`, so that no meter is called the same.
const NO_METER: &str = "#*";

/// `TL-` and 24 hexadecimal digits of a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(String);

/// Why a text is no reference of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be TL- and 24 hexadecimal digits")]
pub struct NotOurs;

/// Where a charge stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargePlace {
    /// The tenant.
    pub partner: PartnerId,
    /// The PSA's database.
    pub tenant: PsaTenantId,
    /// The contract that the charge is on.
    pub contract: ContractId,
}

/// What a charge is of, apart from what it comes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChargeKey {
    /// The product.
    pub product: ProductKey,
    /// What is charged for; `None`: a bundle of everything.
    pub meter: Option<Meter>,
    /// The first day of its billing period.
    pub period_start: Date,
}

impl ChargeKey {
    /// The name of this charge at `place`. A charge that was billed is never changed: what corrects it is another one, of
    /// a higher `revision`.
    #[must_use]
    pub fn reference(&self, place: &ChargePlace, revision: u32) -> Reference {
        let (start, revision) = (self.period_start.to_string(), revision.to_string());
        let digest = digest(&[
            place.partner.as_str(),
            place.tenant.as_str(),
            place.contract.as_str(),
            self.product.as_str(),
            self.meter.as_ref().map_or(NO_METER, Meter::as_str),
            &start,
            &revision,
        ]);
        Reference(format!("{PREFIX}{}", digest.get(..HEX_DIGITS).unwrap_or(&digest)))
    }
}

impl Reference {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Reference {
    type Err = NotOurs;
    fn from_str(text: &str) -> Result<Self, NotOurs> {
        let digits = text.strip_prefix(PREFIX).ok_or(NotOurs)?;
        let hex = digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if hex && digits.len() == HEX_DIGITS { Ok(Self(text.to_owned())) } else { Err(NotOurs) }
    }
}

impl TryFrom<String> for Reference {
    type Error = NotOurs;
    fn try_from(text: String) -> Result<Self, NotOurs> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.0
    }
}
