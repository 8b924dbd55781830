//! A file beside what is stored: the mappings that it asks for, and what can't be said of them.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use shared::domain::ids::{CompanyId, ProductKey, ServiceId};
use shared::store::Newer;
use shared::store::mappings::{CompanyMapping, Everything, ProductMapping};

use super::columns::Column;
use super::faults::SheetFaults;
use super::rows::File;
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
    let products = file.products.iter().map(|(product, row)| ProductMapping {
        product: product.clone(),
        service_id: row.service_id.clone(),
        rule: row.rule.clone(),
        price: row.price.clone(),
        version: 0,
        updated_at: now,
        updated_by: by.to_owned(),
        newer: Newer::default(),
    });
    let companies = file.companies.iter().map(|(company, row)| {
        let before = before.get(company).copied();
        for product in overrides::strangers(&row.overrides, before, |product| services.contains_key(product)) {
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
    Everything { products: products.collect(), companies: companies.collect(), charges: Vec::new() }
}

/// The service of each product, when the file is imported.
fn services(file: &File, stored: &Everything) -> BTreeMap<ProductKey, ServiceId> {
    let stored = stored.products.iter().map(|mapping| (mapping.product.clone(), mapping.service_id.clone()));
    let new = file.products.iter().map(|(product, row)| (product.clone(), row.service_id.clone()));
    stored.chain(new).collect()
}

fn says_the_same(mapping: &CompanyMapping, before: &CompanyMapping) -> bool {
    let CompanyMapping { account_id, contract_id, overrides, when_absent, .. } = mapping;
    let told = (&before.account_id, &before.contract_id, &before.overrides, &before.when_absent);
    (account_id, contract_id, overrides, when_absent) == told
}
