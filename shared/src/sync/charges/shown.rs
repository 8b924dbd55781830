//! What the PSA shows of charges, found by our references.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::charge::{ChargeLine, ChargePlace, Reference, Shown};
use crate::domain::reason::{Code, Reason};
use crate::psa::PsaCharge;
use crate::store::lines::Tenancy;

pub(super) fn place(of: &Tenancy, line: &ChargeLine) -> ChargePlace {
    ChargePlace { partner: of.partner.clone(), tenant: of.tenant.clone(), contract: line.contract.clone() }
}

/// What the PSA shows of one charge, by the numbers of its references.
pub(super) fn shown_by_number(references: &[(u32, Reference)], shown: &[PsaCharge]) -> BTreeMap<u32, Shown> {
    let of = |(number, reference): &(u32, Reference)| {
        let found = shown.iter().find(|charge| charge.reference == reference.as_str())?;
        let PsaCharge { id, contract, name, date, cost, price, quantity, billed, .. } = found.clone();
        Some((*number, Shown { id, contract, name, date, cost, price, quantity, billed }))
    };
    references.iter().filter_map(of).collect()
}

/// References that the PSA shows more than once.
pub(super) fn duplicates(shown: &[PsaCharge]) -> BTreeSet<&str> {
    let mut seen = BTreeSet::new();
    shown.iter().map(|charge| charge.reference.as_str()).filter(|reference| !seen.insert(*reference)).collect()
}

pub(super) fn stands_twice(reference: &Reference) -> Reason {
    let explanation = format!("The PSA shows two charges under the reference {reference}.");
    Reason::new(Code::ChargeTwice, explanation)
}
