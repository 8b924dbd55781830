//! The ledger's words: an intent is one change that we are about to write, and its state says what became of it.
//!
//! An intent's key comes from meaning, never from time or chance: the same change decided twice is one intent. States only
//! go forward.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ids::{CompanyId, ContractServiceId, IntentKey, PartnerId, ProductKey, PsaTenantId};
use super::line::LineKey;
use super::repricing::Repricing;
use super::units::{Delta, Units};

/// What became of an intent. It goes from intended to sent, and from there to an end or to unknown and an end; one that was
/// never sent may be rejected at once. The ledger's conditions hold it to that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentState {
    /// Decided and stored. Nothing has left this machine.
    Intended,
    /// Stored before the socket is touched: from now on money may have moved.
    Sent,
    /// The PSA shows the target.
    Applied,
    /// The PSA refused it, or it surely never left: nothing was changed. Or nobody could tell, and a person gave it up.
    Rejected,
    /// Nobody knows yet. Only reading the PSA can settle it.
    Unknown,
}

impl IntentState {
    /// Whether nothing more can become of it.
    #[must_use]
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Applied | Self::Rejected)
    }
}

/// What one change is, apart from whatever becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meaning {
    /// The tenant.
    pub partner: PartnerId,
    /// The PSA's database.
    pub tenant: PsaTenantId,
    /// The line.
    pub line: LineKey,
    /// The service on the contract, as observed: what the request will name.
    pub contract_service: ContractServiceId,
    /// The day from which it counts.
    pub effective: Date,
    /// Units observed on that day.
    pub before: Units,
    /// Units that should be in force from then on.
    pub target: Units,
    /// The line's revision when it was decided.
    pub revision: u32,
    /// How many feeds the target is the sum of.
    #[serde(default)]
    pub feeds: u32,
    /// How many feeds the line was the sum of before, where that is known: a reversal goes back to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feeds_before: Option<u32>,
    /// The intent whose change this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<IntentKey>,
    /// What is changed of its prices with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Repricing>,
    /// The company of the line's first feed, as results name it. For reading back: no part of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<CompanyId>,
    /// The product of the line's first feed, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductKey>,
}

impl Meaning {
    /// The key of the intent: the same for the same change of the same line at the same revision.
    #[must_use]
    pub fn key(&self) -> IntentKey {
        let (effective, before, target, revision) =
            (self.effective.to_string(), self.before.to_string(), self.target.to_string(), self.revision.to_string());
        let mut parts = vec![
            self.partner.as_str(),
            self.tenant.as_str(),
            self.line.contract.as_str(),
            self.line.service.as_str(),
            &effective,
            &before,
            &target,
            &revision,
        ];
        // No part of any other intent's key, so that keys stay what they were.
        parts.extend(self.reverses.as_ref().map(IntentKey::as_str));
        let prices = self.prices.map(|prices| prices.in_words());
        parts.extend(prices.as_deref());
        let digest = digest(&parts);
        IntentKey::from_digest(&digest)
    }

    /// A digest of what the request will say: the same key with another payload is a fault, and is refused.
    #[must_use]
    pub fn payload(&self) -> String {
        let (effective, delta) = (self.effective.to_string(), self.delta().get().to_string());
        let prices = self.prices.map(|prices| prices.in_words());
        let mut parts = vec![self.contract_service.as_str(), &effective, &delta];
        parts.extend(prices.as_deref());
        digest(&parts)
    }

    /// The difference to send.
    #[must_use]
    pub fn delta(&self) -> Delta {
        self.before.delta_to(self.target)
    }
}

/// Each part is preceded by its length, so that no two lists of parts run together into one text.
pub(in crate::domain) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn meaning() -> Meaning {
        Meaning {
            partner: "p".parse().unwrap(),
            tenant: "t".parse().unwrap(),
            line: LineKey { contract: "1".parse().unwrap(), service: "2".parse().unwrap() },
            contract_service: "3".parse().unwrap(),
            effective: date(2026, 11, 1),
            before: 40.try_into().unwrap(),
            target: 42.try_into().unwrap(),
            revision: 0,
            feeds: 1,
            feeds_before: None,
            reverses: None,
            prices: None,
            company: None,
            product: None,
        }
    }

    #[test]
    fn the_same_change_has_the_same_key_and_any_other_has_another() {
        let base = meaning();
        assert_eq!(base.key(), meaning().key());
        let others = [
            Meaning { partner: "q".parse().unwrap(), ..meaning() },
            Meaning { tenant: "u".parse().unwrap(), ..meaning() },
            Meaning { line: LineKey { contract: "12".parse().unwrap(), service: "2".parse().unwrap() }, ..meaning() },
            Meaning { effective: date(2026, 11, 2), ..meaning() },
            Meaning { before: 41.try_into().unwrap(), ..meaning() },
            Meaning { target: 43.try_into().unwrap(), ..meaning() },
            Meaning { revision: 1, ..meaning() },
            Meaning { reverses: Some(meaning().key()), ..meaning() },
        ];
        for other in others {
            assert_ne!(base.key(), other.key(), "{other:?}");
        }
        let named =
            Meaning { company: Some("acme".parse().unwrap()), product: Some("edr".parse().unwrap()), ..meaning() };
        assert_eq!((base.key(), base.payload()), (named.key(), named.payload()));
        let elsewhere = Meaning { contract_service: "4".parse().unwrap(), ..meaning() };
        assert_eq!(base.key(), elsewhere.key());
        assert_ne!(base.payload(), elsewhere.payload());
    }

    #[test]
    fn the_key_of_an_ordinary_change_is_what_it_always_was() {
        let key = "fea6e3cc3877fed32fe79f00f1a1e7a6ec975d4e875203dc31f7cb62ff043f13";
        assert_eq!(meaning().key().as_str(), key);
        let stored = serde_json::to_string(&meaning()).unwrap();
        assert!(!stored.contains("reverses"), "{stored}");
        assert_eq!(serde_json::from_str::<Meaning>(&stored).unwrap(), meaning());
    }

    #[test]
    fn an_intent_is_settled_when_the_psa_has_it_or_refused_it() {
        use IntentState::{Applied, Intended, Rejected, Sent, Unknown};
        let settled = [Intended, Sent, Applied, Rejected, Unknown].map(IntentState::is_settled);
        assert_eq!(settled, [false, false, true, true, false]);
    }
}
