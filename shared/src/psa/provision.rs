//! Services that are made for the partner: what they need (billing codes, a vendor), making one, putting it on a contract.
//!
//! Names are compared exactly, after blanks at their ends are taken away: a service that is billed is never put on a guess.
//! Making a service is no change of money, but making it twice is a nuisance that nobody can undo, so it is settled as every
//! write is: whoever does not know whether it was made looks for it by its name.

use async_trait::async_trait;

use super::{Kind, PsaError, Service, WriteError};
use crate::domain::ids::{BillingCodeId, ContractId, ContractServiceId, ServiceId, VendorId};
use crate::domain::money::Money;
use crate::domain::period::PeriodType;
use crate::domain::reason::{Code, Reason};

pub use crate::domain::provision::{
    LONGEST_DESCRIPTION as LONGEST_SERVICE_DESCRIPTION, LONGEST_NAME as LONGEST_SERVICE_NAME,
};

/// The code of everything about making services where a PSA takes none from us.
pub const HAS_NO_PROVISIONING: &str = "psa_has_no_provisioning";

/// What a billing code is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BillingCodeKind {
    /// Charges.
    Material,
    /// Recurring services.
    RecurringService,
}

/// How something that is billed is accounted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingCode {
    /// The PSA's id.
    pub id: BillingCodeId,
    /// Its name.
    pub name: String,
    /// May be used.
    pub active: bool,
}

impl BillingCode {
    /// The active one of `codes` that is called `name`, exactly.
    ///
    /// # Errors
    /// There is none, only one that is not active, or more than one.
    pub fn named<'a>(codes: &'a [Self], name: &str) -> Result<&'a Self, PsaError> {
        let called: Vec<&Self> = codes.iter().filter(|code| code.name.trim() == name.trim()).collect();
        let active: Vec<&Self> = called.iter().copied().filter(|code| code.active).collect();
        let error = |kind, code, explanation, fix| Err(PsaError::new(kind, code, explanation, fix));
        match (active.as_slice(), called.is_empty()) {
            ([only], _) => Ok(only),
            ([], true) => error(
                Kind::NotFound,
                "psa_billing_code_not_found",
                format!("The PSA has no billing code of this kind called \"{}\".", name.trim()),
                "Make it in the PSA, or name one that is there, in exactly its own spelling.",
            ),
            ([], false) => error(
                Kind::Validation,
                "psa_billing_code_inactive",
                format!("The billing code \"{}\" is not active in the PSA.", name.trim()),
                "Make it active in the PSA, or name another one.",
            ),
            _ => error(
                Kind::Validation,
                "psa_billing_code_ambiguous",
                format!("The PSA has {} active billing codes called \"{}\".", active.len(), name.trim()),
                "Give each of them a name of its own in the PSA.",
            ),
        }
    }
}

/// Whom the partner buys from, as the PSA knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vendor {
    /// The PSA's id.
    pub id: VendorId,
    /// Its name.
    pub name: String,
}

/// A service to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewService {
    /// 1 to [`LONGEST_SERVICE_NAME`] characters.
    pub name: String,
    /// Whom it is bought from.
    pub vendor: Option<VendorId>,
    /// A code for recurring services.
    pub billing_code: BillingCodeId,
    /// How often it is billed.
    pub period: PeriodType,
    /// What a unit costs the partner, where that is known.
    pub unit_cost: Option<Money>,
    /// What a unit is sold for.
    pub unit_price: Money,
    /// At most [`LONGEST_SERVICE_DESCRIPTION`] characters; may be empty.
    pub description: String,
}

/// What a catalogue has under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called<'a> {
    /// No service.
    None,
    /// One active service.
    One(&'a Service),
    /// None that may be put on contracts.
    Inactive,
    /// So many active ones, of which nobody can say which is meant.
    Several(usize),
}

impl<'a> Called<'a> {
    /// Of what was found under a name.
    #[must_use]
    pub fn of(found: &'a [Service]) -> Self {
        let active: Vec<&Service> = found.iter().filter(|service| service.active).collect();
        match active.as_slice() {
            [only] => Self::One(only),
            [] if found.is_empty() => Self::None,
            [] => Self::Inactive,
            several => Self::Several(several.len()),
        }
    }

    /// Why none is taken, and what to do about it.
    #[must_use]
    pub fn told(&self, name: &str) -> Reason {
        match self {
            Self::None => {
                let explanation = format!("The catalogue has no service called \"{name}\".");
                Reason::new(Code::ServiceNotInCatalogue, explanation)
            }
            Self::Several(count) => {
                let explanation = format!("The catalogue has {count} active services called \"{name}\".");
                Reason::new(Code::ServiceNameAmbiguous, explanation)
            }
            Self::Inactive | Self::One(_) => {
                let explanation = format!("The service \"{name}\" is not active in the catalogue.");
                Reason::new(Code::ServiceInactive, explanation)
            }
        }
    }
}

/// Making services. A PSA where we can't answers [`HAS_NO_PROVISIONING`], its writes as not sent.
#[async_trait]
pub trait Provisioning: Send + Sync {
    /// Every billing code of a kind, active or not.
    async fn billing_codes(&self, kind: BillingCodeKind) -> Result<Vec<BillingCode>, PsaError>;

    /// The active vendor that is called `name`, exactly.
    ///
    /// # Errors
    /// Besides those of every read: there is none (`psa_vendor_not_found`), or several (`psa_vendor_ambiguous`).
    async fn vendor(&self, name: &str) -> Result<Vendor, PsaError>;

    /// The services that are called `name`, exactly, active or not.
    async fn find_services(&self, name: &str) -> Result<Vec<Service>, PsaError>;

    /// Makes a service, once. Answers its id where the PSA says it; `None` is a success all the same.
    ///
    /// # Errors
    /// [`WriteError`] says whether it may have been made.
    async fn create_service(&self, service: &NewService) -> Result<Option<ServiceId>, WriteError>;

    /// Puts a service on a contract, once, at the prices of the catalogue where none are named. Answers the id of the
    /// service on the contract where the PSA says it. With how many units it begins, and whether the prices were taken,
    /// is to be read.
    ///
    /// # Errors
    /// [`WriteError`] says whether it may have been put there.
    async fn add_service(
        &self,
        contract: &ContractId,
        service: &ServiceId,
        cost: Option<Money>,
        price: Option<Money>,
    ) -> Result<Option<ContractServiceId>, WriteError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(id: &str, name: &str, active: bool) -> BillingCode {
        BillingCode { id: id.parse().unwrap(), name: name.to_owned(), active }
    }

    #[test]
    fn a_billing_code_is_found_by_exactly_its_name() {
        let codes = [
            code("1", "Usage ", true),
            code("2", "usage", true),
            code("3", "Old", false),
            code("4", "Twice", true),
            code("5", "Twice", true),
            code("6", "Again", false),
            code("7", "Again", true),
        ];
        let found = |name| BillingCode::named(&codes, name).map(|code| code.id.to_string()).map_err(|error| error.code);
        assert_eq!(found(" Usage"), Ok("1".to_owned()));
        assert_eq!(found("Again"), Ok("7".to_owned()));
        for (name, expected) in [
            ("USAGE", "psa_billing_code_not_found"),
            ("Old", "psa_billing_code_inactive"),
            ("Twice", "psa_billing_code_ambiguous"),
        ] {
            assert_eq!(found(name), Err(expected.to_owned()));
        }
    }
}
