//! Charges on contracts: what is billed once, beside the units of services.
//!
//! A charge is found again by our own reference, which stands in a field of the PSA's that is free for it: a PSA gives no
//! other key, and a write whose answer was lost names no id. Which charge is made or changed is `sync`'s affair; what is
//! written here holds exactly one of what it names, so that its cost and its price are those of the whole charge.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{PsaError, WriteError};
use crate::domain::ids::{AccountId, BillingCodeId, ChargeId, ContractId};
use crate::domain::money::{Currency, Money};

/// How each reference of ours begins.
pub const REFERENCE_PREFIX: &str = "TL-";

/// The longest reference, name and description of a charge, in characters. (Autotask's fields.)
pub const LONGEST_REFERENCE: usize = 50;
/// See [`LONGEST_REFERENCE`].
pub const LONGEST_CHARGE_NAME: usize = 100;
/// See [`LONGEST_REFERENCE`].
pub const LONGEST_CHARGE_DESCRIPTION: usize = 2_000;

/// The code of everything about charges where a PSA takes none from us.
pub const HAS_NO_CHARGES: &str = "psa_has_no_charges";

/// A charge as the PSA holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PsaCharge {
    /// The PSA's id.
    pub id: ChargeId,
    /// The contract that it is on.
    pub contract: ContractId,
    /// Our own name of it.
    pub reference: String,
    /// What the invoice calls it.
    pub name: String,
    /// The day that decides when it is billed.
    pub date: Date,
    /// What one of it costs the partner; `None` where the PSA hides costs from the user.
    pub cost: Option<Money>,
    /// What the customer pays for one of it.
    pub price: Option<Money>,
    /// How many. Ours are one, unless a person has made it another number.
    pub quantity: Decimal,
    /// It has been billed, or the PSA does not say that it has not: it is never changed again.
    pub billed: bool,
    /// How it is accounted for.
    pub billing_code: Option<BillingCodeId>,
}

/// A charge as it is to stand in the PSA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCharge {
    /// The contract that it goes on.
    pub contract: ContractId,
    /// Our own name of it: 1 to [`LONGEST_REFERENCE`] characters, the first of them [`REFERENCE_PREFIX`].
    pub reference: String,
    /// What the invoice calls it: 1 to [`LONGEST_CHARGE_NAME`] characters.
    pub name: String,
    /// More for whoever reads the invoice; may be empty.
    pub description: String,
    /// The day that decides when it is billed.
    pub date: Date,
    /// What it costs the partner, in the contract's currency.
    pub cost: Money,
    /// What the customer pays for it, in the contract's currency.
    pub price: Money,
    /// How it is accounted for: a code for material.
    pub billing_code: BillingCodeId,
}

/// In which currencies an account's charges are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChargedIn {
    /// The customer's invoices: prices; `None` where the PSA does not say it.
    pub prices: Option<Currency>,
    /// Costs, where they are in another.
    pub costs: Option<Currency>,
}

/// Whether a PSA takes charges from us at all. It names none, so that it costs no request.
///
/// # Errors
/// [`HAS_NO_CHARGES`].
pub async fn taken_by<P: Charges + ?Sized>(psa: &P) -> Result<(), PsaError> {
    psa.charges(&BTreeSet::new(), &BTreeSet::new()).await.map(drop)
}

/// Reading and writing charges. A PSA that takes none answers [`HAS_NO_CHARGES`], its writes as not sent.
#[async_trait]
pub trait Charges: Send + Sync {
    /// The charges called by one of `references`, wherever they stand: one that a person has moved to another contract must
    /// not be made anew. Where no reference is named, every charge of ours on `contracts`. In as few requests as the API
    /// allows. A PSA that can't search by reference looks on `contracts` alone.
    async fn charges(
        &self,
        contracts: &BTreeSet<ContractId>,
        references: &BTreeSet<String>,
    ) -> Result<Vec<PsaCharge>, PsaError>;

    /// In which currencies the charges of accounts are. One that the PSA does not show is left out.
    async fn charged_in(&self, accounts: &BTreeSet<AccountId>) -> Result<BTreeMap<AccountId, ChargedIn>, PsaError>;

    /// Makes a charge, once. Answers its id where the PSA says it; `None` is a success all the same.
    ///
    /// # Errors
    /// [`WriteError`] says whether it may have been made.
    async fn create_charge(&self, charge: &NewCharge) -> Result<Option<ChargeId>, WriteError>;

    /// Brings a charge that is not billed to what `charge` says, once.
    ///
    /// # Errors
    /// [`WriteError`] says whether it may have been changed.
    async fn change_charge(&self, id: &ChargeId, charge: &NewCharge) -> Result<(), WriteError>;

    /// Deletes a charge that is not billed, once.
    ///
    /// # Errors
    /// [`WriteError`] says whether it may be gone; [`super::Kind::NotFound`] that it was gone before.
    async fn delete_charge(&self, contract: &ContractId, id: &ChargeId) -> Result<(), WriteError>;
}
