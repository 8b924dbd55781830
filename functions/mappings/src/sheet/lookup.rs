//! What a file names, looked up in the PSA in bulk: all contracts by their ids, and the catalogue by page.

use std::collections::HashMap;

use jiff::civil::Date;
use shared::domain::contract::Contract;
use shared::domain::ids::ContractId;
use shared::psa::{Connector, PsaError};

use super::columns::Column;
use super::faults::SheetFaults;
use super::rows::File;
use crate::{contracts, services};

/// Checks each contract as the mapping of its company would be, and that each service is an active one.
///
/// # Errors
/// What the PSA said.
pub(super) async fn look_up(psa: &dyn Connector, file: &File, today: Date) -> Result<SheetFaults, PsaError> {
    let mut faults = SheetFaults::default();
    let ids = file.contracts();
    let found = if ids.is_empty() { Vec::new() } else { psa.contracts_by_id(&ids).await? };
    let found: HashMap<&ContractId, &Contract> = found.iter().map(|contract| (&contract.id, contract)).collect();
    for company in file.companies.values() {
        for (row, id) in company.contracts() {
            let contract = found.get(id).copied();
            if let Some(reason) = contracts::unfit(contract, &company.account_id, today) {
                faults.cell(row, Column::ContractId, reason.explanation);
            }
        }
    }
    for row in services::missing(psa, file.services()).await?.into_values().flatten() {
        faults.cell(row, Column::ServiceId, services::UNKNOWN);
    }
    Ok(faults)
}
