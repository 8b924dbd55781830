//! Opening units: what a person says that lines carry where the PSA does not show it, as statements about lines.
//!
//! Here is which line each override means by them. Whether a statement is a new one is decided where it is stored, in view
//! of what is stored then; what it means for a sync is decided there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::api::{Fault, Faults, Problem};
use shared::domain::ids::{ConnectionId, ContractId, PartnerId, ProductKey, ServiceId};
use shared::domain::line::LineKey;
use shared::store::mappings::{Opening, Override};

use crate::Deps;
use crate::companies::at;

/// The opening units of `overrides` as statements of `now`, each of the line that its product is billed on: under the
/// override's own contract and service, or else under `contract` and the product's service.
///
/// `before` is on record: the same number sent along with another contract or service was not meant for it.
///
/// # Errors
/// 422 with a fault for each product that no service is known of, or whose number is of another line; the store is unavailable.
pub(crate) async fn stated(
    deps: &Deps,
    (partner, connection): (&PartnerId, &ConnectionId),
    contract: &ContractId,
    overrides: &BTreeMap<ProductKey, Override>,
    (before, now): (&BTreeMap<ProductKey, Opening>, Timestamp),
) -> Result<BTreeMap<ProductKey, Opening>, Problem> {
    let stating = overrides.values().filter(|different| different.opening_units.is_some());
    let products: BTreeMap<ProductKey, ServiceId> = match stating.clone().all(|named| named.service_id.is_some()) {
        true => BTreeMap::new(),
        false => {
            let mapped = deps.mappings.all_products(partner, connection).await?;
            mapped.into_iter().filter_map(|mapping| Some((mapping.product, mapping.service_id?))).collect()
        }
    };
    let mut faults = Faults::none();
    let (stated, unclear) = of_lines(&products, contract, overrides, (before, now));
    for (product, detail) in unclear {
        faults.add(Fault::new(format!("{}/opening_units", at(product)), detail));
    }
    faults.refuse()?;
    Ok(stated)
}

/// As [`stated`], where the `products` that may be named are known; and what is wrong about those that state nothing.
pub(crate) fn of_lines<'a>(
    products: &BTreeMap<ProductKey, ServiceId>,
    contract: &ContractId,
    overrides: &'a BTreeMap<ProductKey, Override>,
    (before, now): (&BTreeMap<ProductKey, Opening>, Timestamp),
) -> (BTreeMap<ProductKey, Opening>, Vec<(&'a ProductKey, &'static str)>) {
    let (mut stated, mut unclear) = (BTreeMap::new(), Vec::new());
    for (product, different) in overrides {
        let Some(units) = different.opening_units else { continue };
        let Some(service) = different.service_id.as_ref().or_else(|| products.get(product)) else {
            unclear.push((product, UNMAPPED));
            continue;
        };
        let contract = different.contract_id.as_ref().unwrap_or(contract).clone();
        let line = LineKey { contract, service: service.clone() };
        if before.get(product).is_some_and(|before| before.units == units && before.line != line) {
            unclear.push((product, OF_ANOTHER_LINE));
            continue;
        }
        stated.insert(product.clone(), Opening { units, line, stated_at: now });
    }
    (stated, unclear)
}

const OF_ANOTHER_LINE: &str = "is on record as the units of another line: look up what the new line carries, leave this out \
                               once, then state it";
const UNMAPPED: &str = "are units of a line: map the product first, or name its service here";
