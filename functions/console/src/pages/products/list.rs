//! All products: those that are mapped, and those with usage that are not.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, Query};
use maud::{Markup, html};
use shared::store::mappings::{ChargeMapping, ChargeMode, ProductMapping};

use super::address;
use crate::client::told::mapping::{KnownCompanies, KnownProduct};
use crate::client::{Trouble, path, with_query};
use crate::door::Visitor;
use crate::pages::connection;
use crate::view::done::Done;
use crate::view::page::Page;
use crate::view::{badge, counted, empty, price, rule, table};

const DONE: [(&str, &str); 4] = [
    ("saved", "Saved. It counts from the next sync on; a preview shows what comes of it."),
    ("removed", "The mapping is removed. Its lines are no longer written; what was written stays."),
    ("charges", "Saved. Charges are made by the next sync."),
    ("charges-removed", "It is no longer charged for. What was charged stays."),
];

pub(super) async fn show(
    visitor: Visitor,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let of = |end| path(&["v1", "connections", &id, end]);
    let known = with_query(&of("known-companies"), &[("limit", Some("1")), ("last_sync", Some("false"))]);
    // All of them: whether a product is mapped can't be told by a part of the list.
    let (products, charges) = (of("products"), of("charges"));
    let (connection, products, charges, known) = tokio::join!(
        connection(&api, &id),
        api.all::<ProductMapping>(&products, &[]),
        api.all::<ChargeMapping>(&charges, &[]),
        api.get::<KnownCompanies>(&known),
    );
    let (connection, products, charges, known) = (connection?, products?, charges?, known?.products);
    let page = Page::of(&visitor, &connection, "/products", "Products");
    let charge_of: BTreeMap<&str, &ChargeMapping> =
        charges.iter().map(|charge| (charge.product.as_str(), charge)).collect();
    let mapped: BTreeSet<&str> = products.iter().map(|mapping| mapping.product.as_str()).collect();
    let used: BTreeMap<&str, &KnownProduct> = known.iter().map(|known| (known.product.as_str(), known)).collect();
    let loose: Vec<&KnownProduct> = known.iter().filter(|known| !mapped.contains(known.product.as_str())).collect();
    let listed = |product: &str| mapped.contains(product) || used.contains_key(product);
    let only_charged: Vec<&ChargeMapping> = charges.iter().filter(|charge| !listed(charge.product.as_str())).collect();
    Ok(page.with(&html! {
        (done.said(&DONE))
        p { "Each product that a vendor counts is billed as a service of the PSA's catalogue, on the contract of each company." }
        @if !loose.is_empty() { (unmapped(&visitor, &id, &loose, &charge_of)) }
        h2 { "Mapped" }
        @if products.is_empty() {
            (empty("No product is mapped yet: nothing is billed. Products appear above once usage of them comes in.", None))
        } @else {
            (table::table("Mapped products", &["Product", "Service", "Units", "Unit cost and price", "Charges", "#Companies"],
                &html! { @for mapping in &products {
                    (row(&id, mapping, charge_of.get(mapping.product.as_str()).copied(), used.get(mapping.product.as_str()).copied()))
                } }))
        }
        @if !only_charged.is_empty() {
            h2 { "Charges alone" }
            p { "No unit of these is mapped, and no usage of this month or the last came in." }
            (table::table("Products that are charged for and nothing else", &["Product", "Charges"], &html! { @for charge in only_charged { tr {
                td { (charge.product) }
                td { a href=(address(&id, "charges", charge.product.as_str())) { (charged(Some(charge))) } }
            } } }))
        }
        @if visitor.may_change() {
            form.row method="get" action={ "/console/connections/" (id) "/map-product" } {
                label for="product" { "Map a product ahead of its usage" }
                span.inline { input id="product" name="product" required maxlength="128" autocomplete="off"; }
                button.plain type="submit" { "Map" }
                span.small { "By the key that its usage will name, such as " code { "edr" } "." }
            }
        }
    }))
}

fn row(id: &str, mapping: &ProductMapping, charges: Option<&ChargeMapping>, used: Option<&KnownProduct>) -> Markup {
    let product = mapping.product.as_str();
    html! { tr {
        td { a href=(address(id, "products", product)) { (product) } }
        td { @match (&mapping.service_id, &mapping.provision) {
            (Some(service), _) => code { (service) },
            (None, Some(provision)) => { "“" (provision.name) "” " (badge::badge("to be made", badge::Tone::Wait)) },
            (None, None) => "–",
        } }
        td { (rule::in_words(&mapping.rule)) }
        td { (price::in_words(mapping.price.as_ref())) }
        td { a href=(address(id, "charges", product)) { (charged(charges)) } }
        td.number { (used.map_or(0, |used| used.mapped)) }
    } }
}

/// How its charges are put on contracts, in a few words.
fn charged(charges: Option<&ChargeMapping>) -> String {
    match charges {
        None => "not charged".to_owned(),
        Some(mapping) => {
            let mode = match mapping.mode {
                ChargeMode::Itemised => "one charge a meter".to_owned(),
                ChargeMode::Bundled => format!("one charge, “{}”", mapping.name.as_deref().unwrap_or_default()),
            };
            format!("{mode}, as {}", mapping.billing_code)
        }
    }
}

fn unmapped(visitor: &Visitor, id: &str, loose: &[&KnownProduct], charges: &BTreeMap<&str, &ChargeMapping>) -> Markup {
    let rows = html! { @for known in loose { tr {
        td { (known.product) }
        td.number { (known.companies) }
        td { (charged(charges.get(known.product.as_str()).copied())) }
        td { @if visitor.may_change() {
            a.button href=(address(id, "products", &known.product)) { "Map " (known.product) }
            " " a href=(address(id, "charges", &known.product)) { "Charges" }
        } }
    } } };
    html! {
        h2 { "With usage and not mapped" }
        p { (counted(loose.len() as u64, "product is", "products are")) " counted and billed by no unit." }
        (table::table("Products that are not mapped", &["Product", "#Companies with usage", "Charges", "What to do"], &rows))
    }
}
