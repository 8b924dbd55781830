//! A product's metered charges: whether and how they are put on contracts.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value};
use shared::store::mappings::ChargeMapping;

use super::{address, in_api};
use crate::client::told::connection::Connection;
use crate::client::told::mapping::BillingCode;
use crate::client::{Client, Trouble, path, with_query};
use crate::door::{Fields, Posted, Visitor};
use crate::pages::connection;
use crate::view::field::{self, Ask, Form};
use crate::view::page::Page;
use crate::view::{rule, trouble};

const MODES: [(&str, &str); 2] =
    [("itemised", "One charge for each meter"), ("bundled", "One charge for all meters together")];

const WHEN: [(&str, &str); 2] = [
    ("as_reported", "As soon as something is reported; the charge follows while the period runs"),
    ("after_period", "Once the billing period is over"),
];

const FIELDS: [&str; 6] = ["mode", "name", "billing_code", "markup_percent", "from", "when"];

/// Whether the PSA is asked for its billing codes.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    codes: String,
}

struct Scene {
    connection: Connection,
    product: String,
    mapped: Option<ChargeMapping>,
    codes: Option<Result<Vec<BillingCode>, Trouble>>,
}

impl Scene {
    async fn read(api: &Client, id: &str, product: &str, which: &Which) -> Result<Self, Trouble> {
        let mapping = in_api(id, "charges", product);
        let of_psa = path(&["v1", "connections", id, "catalog", "billing-codes"]);
        let codes = async {
            match which.codes.as_str() {
                "yes" => Some(api.all::<BillingCode>(&of_psa, &[("kind", Some("material"))]).await),
                _ => None,
            }
        };
        let (connection, mapped, codes) = tokio::join!(connection(api, id), api.find::<ChargeMapping>(&mapping), codes);
        Ok(Self { connection: connection?, product: product.to_owned(), mapped: mapped?, codes })
    }

    fn fields(&self) -> Fields {
        let Some(mapping) = &self.mapped else { return Fields::default() };
        let texts = [
            ("mode", Some(rule::word(mapping.mode))),
            ("name", mapping.name.clone()),
            ("billing_code", Some(mapping.billing_code.clone())),
            ("markup_percent", mapping.markup_percent.map(|markup| markup.to_string())),
            ("from", Some(mapping.from.to_string())),
            ("when", Some(rule::word(mapping.when))),
        ];
        let said = texts.into_iter().filter_map(|(field, text)| Some((field, text?)));
        said.fold(field::filled_from(Fields::default(), mapping.version), |fields, (field, text)| {
            fields.with(field, text)
        })
    }

    fn shown(&self, visitor: &Visitor, form: &Form<'_>) -> Markup {
        let here = address(&self.connection.id, "charges", &self.product);
        let title = format!("Charges of {}", self.product);
        let no_day = match self.mapped {
            Some(_) => "it stays as it is",
            None => "the first day of the running billing period",
        };
        let text =
            |name: &str, label: &str, hint: &str| form.text(Ask { name, label, hint, pointer: &format!("/{name}") });
        Page::of(visitor, &self.connection, "/products", &title).with(&html! {
            p { "Vendors that meter what is used (gigabytes, messages) report amounts of money. Mapped here, they are put on each \
                company's contract as charges of the billing period. "
                @match &self.mapped {
                    Some(mapping) => { "Mapped, version " (mapping.version) ", by " (mapping.updated_by) "." },
                    None => "Not mapped: nothing of it is charged.",
                }
            }
            @if visitor.may_change() {
                form.stacked method="post" action=(here) {
                    (field::ours(visitor))
                    @let asked = html! {
                        (form.choice(Ask { name: "mode", label: "Charges", hint: "", pointer: "/mode" }, &MODES))
                        (text("name", "Name of the one charge", "What stands on the invoice. Only where there is one charge for all meters."))
                        (self.billing_code(form, &here))
                        (text("markup_percent", "Markup in percent", "What is added to the vendor's amounts, such as 15. Empty: the connection's markup for charges, and where there is none the price is the cost."))
                        (text("from", "From this day on", &format!("Such as 2026-11-01. What was used before is not charged. Empty: {no_day}.")))
                        (form.choice(Ask { name: "when", label: "When", hint: "", pointer: "/when" }, &WHEN))
                    };
                    (form.of_version(&here))
                    (asked)
                    p.row { button type="submit" { "Save" } a.button.plain href={ "/console/connections/" (self.connection.id) "/products" } { "Cancel" } }
                }
                @if self.mapped.is_some() {
                    h2 { "Charge for it no longer" }
                    p { a.button.danger href={ (here) "/remove" } { "Remove …" } }
                }
            }
        })
    }

    fn billing_code(&self, form: &Form<'_>, here: &str) -> Markup {
        let ask = |hint| Ask { name: "billing_code", label: "Billing code", hint, pointer: "/billing_code" };
        let hint = "The name of an active billing code of the PSA for material, exactly.";
        match &self.codes {
            Some(Ok(codes)) => {
                let active = codes.iter().filter(|code| code.active);
                let active: Vec<(&str, &str)> = active.map(|code| (code.name.as_str(), code.name.as_str())).collect();
                form.offered(ask("The PSA's active billing codes for material."), &active)
            }
            Some(Err(trouble)) => html! { (trouble::notice(trouble)) (form.text(ask(hint))) },
            None => html! {
                (form.text(ask(hint)))
                p { a href=(with_query(here, &[("codes", Some("yes"))])) { "Choose among the PSA's billing codes" } }
            },
        }
    }
}

pub(super) async fn show(
    visitor: Visitor,
    Path((id, product)): Path<(String, String)>,
    Query(which): Query<Which>,
) -> Result<Markup, Trouble> {
    let scene = Scene::read(&visitor.api(), &id, &product, &which).await?;
    let fields = scene.fields();
    Ok(scene.shown(&visitor, &Form::new(&fields, None)))
}

pub(super) async fn save(Path((id, product)): Path<(String, String)>, posted: Posted) -> Result<Response, Trouble> {
    let Posted { visitor, fields } = posted;
    let api = visitor.api();
    let said = FIELDS.into_iter().filter_map(|field| Some((field.to_owned(), Value::from(fields.some(field)?))));
    let body: Map<String, Value> = said.collect();
    match api.put_over(&in_api(&id, "charges", &product), &body, field::version(&fields)).await {
        Ok(()) => Ok(Redirect::to(&format!("/console/connections/{id}/products?done=charges")).into_response()),
        Err(trouble) if trouble.can_be_mended() => {
            let scene = Scene::read(&api, &id, &product, &Which::default()).await?;
            Ok((trouble.status, scene.shown(&visitor, &Form::new(&fields, Some(&trouble)))).into_response())
        }
        Err(trouble) => Err(trouble),
    }
}
