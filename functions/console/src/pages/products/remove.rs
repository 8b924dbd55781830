//! Removing a product's mapping or that of its charges, once it was said whom that affects.

use axum::extract::Path;
use axum::response::Redirect;
use maud::{Markup, html};
use shared::store::mappings::{ChargeMapping, ProductMapping};

use super::{address, in_api};
use crate::client::told::connection::Connection;
use crate::client::told::mapping::KnownCompanies;
use crate::client::{Trouble, path, with_query};
use crate::door::{Posted, Visitor};
use crate::pages::connection;
use crate::view::page::Page;
use crate::view::{counted, field};

pub(super) async fn ask(visitor: Visitor, Path((id, product)): Path<(String, String)>) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let known = path(&["v1", "connections", &id, "known-companies"]);
    let known = with_query(&known, &[("limit", Some("1")), ("last_sync", Some("false"))]);
    let mapping = in_api(&id, "products", &product);
    let (connection, mapping, known) =
        tokio::join!(connection(&api, &id), api.get::<ProductMapping>(&mapping), api.get::<KnownCompanies>(&known),);
    let (connection, mapping, known) = (connection?, mapping?, known?);
    let billed = known.products.iter().find(|known| known.product == product).map_or(0, |known| known.mapped);
    let service = mapping.service_id.as_ref().map_or("a service that is to be made", |service| service.as_str());
    Ok(page(
        &visitor,
        &connection,
        ("products", &product),
        &html! {
            p { "Product " code { (product) } " is billed as service " code { (service) } "." }
            ul {
                li { strong { (counted(billed, "mapped company has", "mapped companies have")) } " usage of it. From the next sync on none of their lines of it is written." }
                li { "What was written stays in the PSA as it is: customers go on being invoiced for those units until somebody changes them there." }
                li { "Where a company has its own service for it, that stays in the company's mapping." }
                li { "Its charges are mapped apart and stay mapped." }
            }
        },
    ))
}

pub(super) async fn go(Path((id, product)): Path<(String, String)>, posted: Posted) -> Result<Redirect, Trouble> {
    posted.visitor.api().delete(&in_api(&id, "products", &product)).await?;
    Ok(Redirect::to(&format!("/console/connections/{id}/products?done=removed")))
}

pub(super) async fn ask_charges(
    visitor: Visitor,
    Path((id, product)): Path<(String, String)>,
) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let mapping = in_api(&id, "charges", &product);
    let (connection, mapping) = tokio::join!(connection(&api, &id), api.get::<ChargeMapping>(&mapping));
    let (connection, mapping) = (connection?, mapping?);
    Ok(page(
        &visitor,
        &connection,
        ("charges", &product),
        &html! {
            p { "Metered charges of " code { (product) } " are put on contracts as “" (mapping.billing_code) "” since " (mapping.from) "." }
            ul {
                li { "From the next sync on nothing more of it is charged, of the running billing period either." }
                li { "What was charged stays in the PSA as it is." }
            }
        },
    ))
}

pub(super) async fn go_charges(
    Path((id, product)): Path<(String, String)>,
    posted: Posted,
) -> Result<Redirect, Trouble> {
    posted.visitor.api().delete(&in_api(&id, "charges", &product)).await?;
    Ok(Redirect::to(&format!("/console/connections/{id}/products?done=charges-removed")))
}

fn page(visitor: &Visitor, connection: &Connection, (what, product): (&str, &str), said: &Markup) -> Markup {
    let here = address(&connection.id, what, product);
    let title = if what == "charges" { "Charge for a product no longer" } else { "Remove the mapping of a product" };
    Page::of(visitor, connection, "/products", title).with(&html! {
        div.warning { (said) }
        form.row method="post" action={ (here) "/remove" } {
            (field::ours(visitor))
            button.danger type="submit" { "Remove the mapping" }
            a.button.plain href=(here) { "Keep it" }
        }
    })
}
