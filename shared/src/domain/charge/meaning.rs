//! What one write of a charge is, apart from whatever becomes of it. As with units, its key comes from meaning, never from
//! time or chance.

use serde::{Deserialize, Serialize};

use super::decide::Act;
use super::reference::ChargePlace;
use super::standing::{ChargeLine, Records, Terms};
use crate::domain::ids::{BillingCodeId, CompanyId, IntentKey, PartnerId, PsaTenantId};
use crate::domain::intent::digest;
use crate::domain::money::Currency;
use crate::domain::pricing::Markup;
use crate::domain::reference::Reference;

/// One write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeMeaning {
    /// The tenant.
    pub partner: PartnerId,
    /// The PSA's database.
    pub tenant: PsaTenantId,
    /// The charge.
    pub line: ChargeLine,
    /// The charge's revision when it was decided.
    pub revision: u32,
    /// Which piece.
    pub number: u32,
    /// What is done with it.
    pub act: Act,
    /// How it is accounted for.
    pub billing_code: BillingCodeId,
    /// What the charge is made of from then on.
    pub records: Records,
    /// The markup in its price. For reading back: no part of the key, whose amounts say it.
    #[serde(default)]
    pub markup: Option<Markup>,
    /// The company of its first record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<CompanyId>,
    /// The currency of its amounts, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
}

impl ChargeMeaning {
    /// The piece's name in the PSA.
    #[must_use]
    pub fn reference(&self) -> Reference {
        let place = ChargePlace {
            partner: self.partner.clone(),
            tenant: self.tenant.clone(),
            contract: self.line.contract.clone(),
        };
        self.line.key.reference(&place, self.number)
    }

    /// What the piece says after it; `None` where it is taken away.
    #[must_use]
    pub fn terms(&self) -> Option<&Terms> {
        match &self.act {
            Act::Create(terms) | Act::Change { to: terms, .. } => Some(terms),
            Act::Delete { .. } => None,
        }
    }

    /// The key of the intent: the same for the same write of the same charge at the same revision.
    #[must_use]
    pub fn key(&self) -> IntentKey {
        let (line, revision, said) = (self.line.to_string(), self.revision.to_string(), self.said());
        let parts = [self.partner.as_str(), self.tenant.as_str(), &line, &revision, &said];
        IntentKey::from_digest(&digest(&parts))
    }

    /// A digest of what the request says: the same key with another payload is a fault, and is refused.
    #[must_use]
    pub fn payload(&self) -> String {
        digest(&[self.reference().as_str(), self.billing_code.as_str(), &self.said()])
    }

    fn said(&self) -> String {
        let (what, id) = match &self.act {
            Act::Create(_) => ("create", ""),
            Act::Change { id, .. } => ("change", id.as_str()),
            Act::Delete { id } => ("delete", id.as_str()),
        };
        let terms = self.terms().map(|Terms { name, date, amounts, .. }| {
            digest(&[name, &date.to_string(), &amounts.cost.to_string(), &amounts.price.to_string()])
        });
        digest(&[what, id, &self.number.to_string(), terms.as_deref().unwrap_or_default()])
    }
}
