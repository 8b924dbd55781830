//! Overrides of products that nobody has mapped: slips, whichever way they are sent in.

use std::collections::BTreeMap;

use shared::domain::ids::ProductKey;
use shared::store::mappings::{CompanyMapping, Override};

/// The products of `overrides` that are not mapped, unless the override names a service itself, says that the product is not
/// billed for the company, or is on record.
pub(crate) fn strangers<'a>(
    overrides: &'a BTreeMap<ProductKey, Override>,
    before: Option<&CompanyMapping>,
    is_mapped: impl Fn(&ProductKey) -> bool,
) -> Vec<&'a ProductKey> {
    let on_record = |product: &ProductKey| before.is_some_and(|before| before.overrides.contains_key(product));
    let is_known = |(product, different): &(&ProductKey, &Override)| {
        different.service_id.is_some() || different.excluded || is_mapped(product) || on_record(product)
    };
    overrides.iter().filter(|found| !is_known(found)).map(|(product, _)| product).collect()
}
