//! Whether the contracts that a company's mapping names can be billed on, by the PSA's own word.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use jiff::civil::Date;
use shared::api::{Fault, Problem};
use shared::domain::contract::Contract;
use shared::domain::ids::{AccountId, ContractId};
use shared::domain::reason::{Code, Reason};
use shared::psa::Connector;

/// Checks contracts, named with the pointers that they stand at: of `account`, recurring, active and not ended on
/// `today`. One that has yet to begin may be mapped ahead of time.
///
/// # Errors
/// 422 with the code of the first contract that is unfit and the pointers of all; or what the PSA said.
pub(crate) async fn writable(
    psa: &dyn Connector,
    account: &AccountId,
    named: &BTreeMap<ContractId, Vec<String>>,
    today: Date,
) -> Result<(), Problem> {
    let ids: BTreeSet<_> = named.keys().cloned().collect();
    let found = psa.contracts_by_id(&ids).await?;
    let mut first = None;
    let mut faults = Vec::new();
    for (id, pointers) in named {
        let contract = found.iter().find(|contract| contract.id == *id);
        let Some(reason) = unfit(contract, account, today) else { continue };
        faults.extend(pointers.iter().map(|pointer| Fault::new(pointer, reason.explanation.clone())));
        first.get_or_insert(reason);
    }
    match first {
        None => Ok(()),
        Some(reason) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &reason.code, reason.explanation)
            .fix(reason.fix)
            .faults(faults)),
    }
}

/// Why a contract that the PSA shows, or does not, can't be billed on for `account`.
pub(crate) fn unfit(contract: Option<&Contract>, account: &AccountId, today: Date) -> Option<Reason> {
    let Some(contract) = contract else {
        return Some(Reason::new(Code::ContractNotFound, "The PSA shows no contract of this id.".to_owned()));
    };
    if contract.account != *account {
        let explanation = format!("\"{}\" belongs to another account.", contract.name);
        return Some(Reason::new(Code::ContractOfAnotherAccount, explanation));
    }
    contract.writable_on(today).err().filter(|reason| reason.code != Code::ContractNotStarted.as_str())
}
