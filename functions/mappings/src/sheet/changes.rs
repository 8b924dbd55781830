//! What a file would change, row by row: for a person to read before it is imported.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use shared::domain::ids::{CompanyId, ProductKey};
use shared::store::mappings::{CompanyMapping, Everything, ProductMapping};
use utoipa::ToSchema;

use super::columns::{Column, Type};
use super::export::{Cells, an_override, company, product};
use super::rows::{CompanyRow, File};

/// So many are named.
const MOST: usize = 200;

/// What a file would change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MappingsChanges)]
pub(crate) struct Changes {
    /// How many rows change something.
    total: usize,
    /// Whether there are more of them than are named here.
    more: bool,
    /// The first 200, by row.
    rows: Vec<RowChange>,
}

/// What one row changes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MappingsRowChange)]
pub(crate) struct RowChange {
    /// As a spreadsheet numbers it: the header is row 1. An override that the file leaves out is told with its company's row.
    row: u64,
    /// `product`, `company` or `override`.
    r#type: &'static str,
    /// The company.
    #[schema(value_type = Option<String>)]
    company: Option<CompanyId>,
    /// The product.
    #[schema(value_type = Option<String>)]
    product: Option<ProductKey>,
    /// What becomes of it.
    what: What,
    /// The columns that are different.
    fields: Vec<FieldChange>,
}

/// What becomes of a mapping or an override.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MappingsChange)]
pub(crate) enum What {
    /// There was none.
    Created,
    /// It replaces what there was.
    Changed,
    /// The file gives the company without it.
    Removed,
}

/// A column that is different. Empty stands for nothing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MappingsFieldChange)]
pub(crate) struct FieldChange {
    /// Its name.
    field: &'static str,
    /// What is stored.
    from: String,
    /// What would be.
    to: String,
}

impl Changes {
    /// What `wanted`, which `file` asks for, changes of what is `stored`.
    pub(super) fn between(file: &File, stored: &Everything, wanted: &Everything) -> Self {
        let products: BTreeMap<&ProductKey, &ProductMapping> =
            stored.products.iter().map(|m| (&m.product, m)).collect();
        let companies: BTreeMap<&CompanyId, &CompanyMapping> =
            stored.companies.iter().map(|m| (&m.company, m)).collect();
        let mut rows = Vec::new();
        for after in &wanted.products {
            let Some(row) = file.products.get(&after.product).map(|row| row.row) else { continue };
            let before = products.get(&after.product).map(|before| product(before));
            let named = (None, Some(&after.product));
            rows.extend(RowChange::of(row, (Type::Product, named), (before, Some(product(after)))));
        }
        for after in &wanted.companies {
            let Some(row) = file.companies.get(&after.company) else { continue };
            rows.extend(of_company(row, companies.get(&after.company).copied(), after));
        }
        rows.sort_by_key(|change| change.row);
        let total = rows.len();
        rows.truncate(MOST);
        Self { total, more: total > MOST, rows }
    }
}

fn of_company(row: &CompanyRow, before: Option<&CompanyMapping>, after: &CompanyMapping) -> Vec<RowChange> {
    let named = (Some(&after.company), None);
    let own = RowChange::of(row.row, (Type::Company, named), (before.map(company), Some(company(after))));
    let cells = |mapping: &CompanyMapping, product: &ProductKey| {
        Some(an_override(mapping, product, mapping.overrides.get(product)?))
    };
    let of_both = before.into_iter().chain([after]).flat_map(|mapping| mapping.overrides.keys());
    let products: BTreeSet<&ProductKey> = of_both.collect();
    let overrides = products.into_iter().filter_map(|product| {
        let both = (before.and_then(|before| cells(before, product)), cells(after, product));
        RowChange::of(row.row_of(product), (Type::Override, (Some(&after.company), Some(product))), both)
    });
    own.into_iter().chain(overrides).collect()
}

impl RowChange {
    /// `None` where nothing is different.
    fn of(
        row: u64,
        (kind, (company, product)): (Type, (Option<&CompanyId>, Option<&ProductKey>)),
        (before, after): (Option<Cells>, Option<Cells>),
    ) -> Option<Self> {
        let what = match (&before, &after) {
            (None, Some(_)) => What::Created,
            (Some(_), None) => What::Removed,
            _ => What::Changed,
        };
        let text = |cells: &Option<Cells>, column| cells.as_ref().map_or("", |cells| cells.text(column)).to_owned();
        let names = [Column::Type, Column::Company, Column::Product];
        let fields: Vec<FieldChange> = Column::ALL
            .into_iter()
            .filter(|column| !names.contains(column))
            .map(|column| FieldChange { field: column.name(), from: text(&before, column), to: text(&after, column) })
            .filter(|change| change.from != change.to)
            .collect();
        let same = what == What::Changed && fields.is_empty();
        let (company, product) = (company.cloned(), product.cloned());
        (!same).then_some(Self { row, r#type: kind.name(), company, product, what, fields })
    }
}
