//! A file beside what is stored: the mappings that it asks for, and what can't be said of them.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use shared::domain::ids::{CompanyId, ProductKey, ServiceId};
use shared::store::Newer;
use shared::store::mappings::{CompanyMapping, Everything, ProductMapping};

use super::columns::Column;
use super::faults::SheetFaults;
use super::rows::{File, ProductRow};
use crate::{openings, overrides};

const NO_PRODUCT: &str = "is mapped neither in this file nor on the connection, and the row names no service for it";

/// The mappings that `file` asks for, with nothing said of their versions.
///
/// A company that is on record as it stands in the file keeps its openings too: nothing new is stated of it.
pub(super) fn wanted(
    file: &File,
    stored: &Everything,
    (now, by): (Timestamp, &str),
    faults: &mut SheetFaults,
) -> Everything {
    let services = services(file, stored);
    let before: HashMap<&CompanyId, &CompanyMapping> =
        stored.companies.iter().map(|mapping| (&mapping.company, mapping)).collect();
    let on_record: HashMap<&ProductKey, &ProductMapping> =
        stored.products.iter().map(|mapping| (&mapping.product, mapping)).collect();
    let product = |(product, row): (&ProductKey, &ProductRow), faults: &mut SheetFaults| {
        // A file says nothing of how services are made: what is on record of that stays.
        let provision = on_record.get(product).and_then(|mapping| mapping.provision.clone());
        if row.service_id.is_none() && provision.is_none() {
            faults.cell(row.row, Column::ServiceId, "is required");
        }
        ProductMapping {
            product: product.clone(),
            service_id: row.service_id.clone(),
            rule: row.rule.clone(),
            price: row.price.clone(),
            provision,
            version: 0,
            updated_at: now,
            updated_by: by.to_owned(),
            newer: Newer::default(),
        }
    };
    let products = file.products.iter().map(|entry| product(entry, faults)).collect();
    let is_mapped = |product: &ProductKey| file.products.contains_key(product) || on_record.contains_key(product);
    let companies = file.companies.iter().map(|(company, row)| {
        let before = before.get(company).copied();
        for product in overrides::strangers(&row.overrides, before, is_mapped) {
            faults.cell(row.row_of(product), Column::Product, NO_PRODUCT);
        }
        let mut mapping = CompanyMapping {
            company: company.clone(),
            account_id: row.account_id.clone(),
            contract_id: row.contract_id.clone(),
            overrides: row.overrides.clone(),
            openings: BTreeMap::new(),
            when_absent: row.when_absent,
            version: 0,
            updated_at: now,
            updated_by: by.to_owned(),
            newer: Newer::default(),
        };
        mapping.openings = match before.filter(|before| says_the_same(&mapping, before)) {
            Some(before) => before.openings.clone(),
            None => {
                let nothing = BTreeMap::new();
                let known = (before.map_or(&nothing, |before| &before.openings), now);
                let (stated, unclear) = openings::of_lines(&services, &row.contract_id, &row.overrides, known);
                for (product, detail) in unclear {
                    faults.cell(row.row_of(product), Column::OpeningUnits, detail);
                }
                stated
            }
        };
        mapping
    });
    let companies = companies.collect();
    Everything { products, companies, charges: Vec::new() }
}

/// The service of each product, when the file is imported.
fn services(file: &File, stored: &Everything) -> BTreeMap<ProductKey, ServiceId> {
    let stored = stored.products.iter().map(|mapping| (&mapping.product, mapping.service_id.as_ref()));
    let new = file.products.iter().map(|(product, row)| (product, row.service_id.as_ref()));
    let named = stored.chain(new).filter_map(|(product, service)| Some((product.clone(), service?.clone())));
    named.collect()
}

fn says_the_same(mapping: &CompanyMapping, before: &CompanyMapping) -> bool {
    let CompanyMapping { account_id, contract_id, overrides, when_absent, .. } = mapping;
    let told = (&before.account_id, &before.contract_id, &before.overrides, &before.when_absent);
    (account_id, contract_id, overrides, when_absent) == told
}
