//! Which contract of an account a company's usage would be billed on, where that is beyond doubt.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use shared::domain::contract::Contract;
use shared::domain::ids::{AccountId, ContractId, ServiceId};
use shared::domain::line::LineKey;
use shared::psa::{Asked, Connector, PsaError, Window};

/// For each account with the services that are to be billed there: its one active recurring contract, or the one among
/// several that carries one of the services. `None` where it has none, or where nobody can say.
///
/// The contracts are read all together, and so are the lines, which are asked for only where an account has several.
///
/// # Errors
/// What the PSA said.
pub(crate) async fn contracts(
    psa: &dyn Connector,
    wanted: &[(AccountId, BTreeSet<ServiceId>)],
    today: Date,
) -> Result<Vec<Option<ContractId>>, PsaError> {
    let accounts: BTreeSet<AccountId> = wanted.iter().map(|(account, _)| account.clone()).collect();
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let mut of_account: BTreeMap<AccountId, Vec<Contract>> = BTreeMap::new();
    for contract in psa.contracts_of(&accounts, today).await? {
        if contract.active && contract.recurring.is_some() && contract.end >= today {
            of_account.entry(contract.account.clone()).or_default().push(contract);
        }
    }
    // One that has yet to begin counts only where none runs.
    for contracts in of_account.values_mut() {
        if contracts.iter().any(|contract| contract.start <= today) {
            contracts.retain(|contract| contract.start <= today);
        }
    }
    let of = |account: &AccountId| of_account.get(account).map(Vec::as_slice).unwrap_or_default();
    let lines = |account: &AccountId, services: &BTreeSet<ServiceId>| -> Vec<LineKey> {
        let line = |contract: &Contract, service: &ServiceId| LineKey {
            contract: contract.id.clone(),
            service: service.clone(),
        };
        of(account).iter().flat_map(|contract| services.iter().map(move |service| line(contract, service))).collect()
    };
    let in_doubt = wanted.iter().filter(|(account, _)| of(account).len() > 1);
    let asked: Asked =
        in_doubt.flat_map(|(account, services)| lines(account, services)).map(|line| (line, None)).collect();
    let asked = asked.in_passing();
    let window = Window { from: today, to: Some(today) };
    let observed = if asked.is_empty() { Default::default() } else { psa.observe(&asked, window).await? };
    let choose = |(account, services): &(AccountId, BTreeSet<ServiceId>)| match of(account) {
        [one] => Some(one.id.clone()),
        _ => {
            let carrying = lines(account, services).into_iter().filter(|line| observed.shows(line));
            let carrying: BTreeSet<ContractId> = carrying.map(|line| line.contract).collect();
            if carrying.len() == 1 { carrying.into_iter().next() } else { None }
        }
    };
    Ok(wanted.iter().map(choose).collect())
}
