//! Our own name of a charge in a PSA: by it, and by nothing else, a charge that stands there is known to be ours.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ContractId, Meter, PartnerId, ProductKey, PsaTenantId};
use crate::domain::reference::Reference;

/// Stands in the digest where a bundle has no meter. No id holds a `#`, so that no meter is called the same.
const NO_METER: &str = "#*";

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
        Reference::of(&[
            place.partner.as_str(),
            place.tenant.as_str(),
            place.contract.as_str(),
            self.product.as_str(),
            self.meter.as_ref().map_or(NO_METER, Meter::as_str),
            &start,
            &revision,
        ])
    }
}
