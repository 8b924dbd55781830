//! One product: the service that it is billed as, how it is counted and how it is priced.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value};
use shared::store::mappings::ProductMapping;

use super::service::Services;
use super::{address, in_api, provision};
use crate::client::told::connection::Connection;
use crate::client::{Client, Trouble};
use crate::door::{Fields, Posted, Visitor};
use crate::pages::connection;
use crate::view::field::{self, Ask, Form};
use crate::view::page::Page;
use crate::view::{price, rule};

/// What somebody is about to choose.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    /// Services with this in their names.
    #[serde(default)]
    find: String,
    /// This service.
    #[serde(default)]
    service: String,
}

/// A product as it is typed.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    product: String,
}

/// Leads to a product's page.
pub(super) async fn named(_: Visitor, Path(id): Path<String>, Query(named): Query<Named>) -> Redirect {
    Redirect::to(&address(&id, "products", named.product.trim()))
}

struct Scene {
    connection: Connection,
    product: String,
    mapped: Option<ProductMapping>,
    services: Services,
}

impl Scene {
    async fn read(api: &Client, id: &str, product: &str, which: &Which) -> Result<Self, Trouble> {
        let mapping = in_api(id, "products", product);
        let (connection, mapped, services) = tokio::join!(
            connection(api, id),
            api.find::<ProductMapping>(&mapping),
            Services::read(api, id, &which.find),
        );
        Ok(Self { connection: connection?, product: product.to_owned(), mapped: mapped?, services })
    }

    fn fields(&self, which: &Which) -> Fields {
        let fields = Fields::default();
        let mut fields = match &self.mapped {
            None => rule::filled(fields, "rule.", &Default::default()),
            Some(mapping) => {
                let fields = field::filled_from(fields, mapping.version);
                let fields = rule::filled(fields, "rule.", &mapping.rule);
                let fields = price::filled(fields, "price.", mapping.price.as_ref());
                let fields = provision::filled(fields, mapping.provision.as_ref());
                mapping.service_id.iter().fold(fields, |fields, service| fields.with("service_id", service))
            }
        };
        if !which.service.is_empty() {
            fields = fields.with("service_id", &which.service);
        }
        fields
    }

    fn shown(&self, visitor: &Visitor, form: &Form<'_>, fields: &Fields) -> Markup {
        let here = address(&self.connection.id, "products", &self.product);
        let makes = self.connection.policy.provision_services || fields.is_on("make");
        let page = Page::of(visitor, &self.connection, "/products", &self.product);
        if !visitor.may_change() {
            return page.with(&html! { @match &self.mapped {
                None => p { "It is not mapped." },
                Some(mapping) => dl.facts {
                    dt { "Service" } dd { (mapping.service_id.as_ref().map_or("to be made", |service| service.as_str())) }
                    dt { "Units" } dd { (rule::in_words(&mapping.rule)) }
                    dt { "Price" } dd { (price::in_words(mapping.price.as_ref())) }
                },
            } });
        }
        page.with(&html! {
            @match &self.mapped {
                Some(mapping) => p { "Mapped, version " (mapping.version) ", by " (mapping.updated_by) ". "
                    a href=(address(&self.connection.id, "charges", &self.product)) { "Its metered charges" } },
                None => p { "Not mapped yet: no unit of it is billed. "
                    a href=(address(&self.connection.id, "charges", &self.product)) { "Its metered charges" } " are mapped apart." },
            }
            (self.services.shown(&here))
            form.stacked method="post" action=(here) {
                (field::ours(visitor))
                h2 { "Mapping" }
                @let asked = html! {
                    (form.text(Ask { name: "service_id", label: "Service", hint: "The id of an active service of the PSA's catalogue. Choose it above, or type it.", pointer: "/service_id" }))
                    fieldset { legend { "How counts become units" } (rule::fields(form, "rule.", "/rule")) }
                    fieldset { legend { "Unit cost and unit price" } (price::fields(form, "price.", "/price", price::LEFT_ALONE)) }
                    @if makes { (provision::shown(form, fields)) }
                };
                (form.of_version(&here))
                (asked)
                p.row { button type="submit" { "Save" } a.button.plain href={ "/console/connections/" (self.connection.id) "/products" } { "Cancel" } }
            }
            @if self.mapped.is_some() {
                h2 { "Remove the mapping" }
                p { a.button.danger href={ (here) "/remove" } { "Remove …" } }
            }
        })
    }
}

pub(super) async fn show(
    visitor: Visitor,
    Path((id, product)): Path<(String, String)>,
    Query(which): Query<Which>,
) -> Result<Markup, Trouble> {
    let scene = Scene::read(&visitor.api(), &id, &product, &which).await?;
    let fields = scene.fields(&which);
    Ok(scene.shown(&visitor, &Form::new(&fields, None), &fields))
}

pub(super) async fn save(Path((id, product)): Path<(String, String)>, posted: Posted) -> Result<Response, Trouble> {
    let Posted { visitor, fields } = posted;
    let api = visitor.api();
    match api.put_over(&in_api(&id, "products", &product), &sent(&fields), field::version(&fields)).await {
        Ok(()) => Ok(Redirect::to(&format!("/console/connections/{id}/products?done=saved")).into_response()),
        Err(trouble) if trouble.can_be_mended() => {
            let scene = Scene::read(&api, &id, &product, &Which::default()).await?;
            let page = scene.shown(&visitor, &Form::new(&fields, Some(&trouble)), &fields);
            Ok((trouble.status, page).into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

fn sent(fields: &Fields) -> Value {
    let mut body = Map::new();
    body.insert("rule".to_owned(), rule::sent(fields, "rule."));
    if let Some(service) = fields.some("service_id") {
        body.insert("service_id".to_owned(), service.into());
    }
    if let Some(price) = price::sent(fields, "price.") {
        body.insert("price".to_owned(), price);
    }
    if let Some(provision) = provision::sent(fields) {
        body.insert("provision".to_owned(), provision);
    }
    body.into()
}
