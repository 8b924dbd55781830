//! One company: the account and contract that bill it, and what is different for single products.
//!
//! The PSA is asked for accounts or contracts when somebody looks for them, and not to show what is mapped.

use std::collections::BTreeSet;

use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::api::Fault;
use shared::store::mappings::ProductMapping;

use super::choosing::Choosing;
use super::list::{last_sync, not_mapped};
use super::{address, in_api, overrides};
use crate::client::told::List;
use crate::client::told::connection::Connection;
use crate::client::told::mapping::{KnownCompanies, KnownCompany, MappedCompany};
use crate::client::{Client, Trouble, path, with_query};
use crate::door::{Fields, Posted, Visitor};
use crate::pages::connection;
use crate::view::done::Done;
use crate::view::field::{self, Ask, Form};
use crate::view::page::Page;
use crate::view::{badge, rule};

const DONE: [(&str, &str); 1] = [("saved", "Saved. It counts from the next sync on.")];

const ABSENT: [(&str, &str); 3] = [
    ("keep", "Keep billing the last count"),
    ("zero", "Bill nothing: it has none left"),
    ("hold", "Hold the line until somebody decides"),
];

/// What somebody is about to choose.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    /// Accounts with this in their names.
    #[serde(default)]
    pub(super) find: String,
    /// This account, and its contracts.
    #[serde(default)]
    pub(super) account: String,
    /// An override of this product.
    #[serde(default)]
    add: String,
}

/// A company as far as it is known, with what may be chosen for it.
struct Scene {
    connection: Connection,
    company: String,
    mapped: Option<MappedCompany>,
    known: Option<KnownCompany>,
    products: BTreeSet<String>,
    choosing: Choosing,
}

impl Scene {
    async fn read(api: &Client, id: &str, company: &str, which: &Which) -> Result<Self, Trouble> {
        let of = |end| path(&["v1", "connections", id, end]);
        let named = with_query(
            &of("known-companies"),
            &[("company", Some(company)), ("last_sync", Some("false")), ("limit", Some("1"))],
        );
        let products = with_query(&of("products"), &[("limit", Some("100"))]);
        let mapping = in_api(id, company);
        let (connection, mapped, known, products, choosing) = tokio::join!(
            connection(api, id),
            api.find::<MappedCompany>(&mapping),
            api.get::<KnownCompanies>(&named),
            api.get::<List<ProductMapping>>(&products),
            Choosing::read(api, id, which),
        );
        let known = known?.items.pop();
        let products = products?.items.into_iter().map(|mapping| mapping.product.to_string());
        let usage = known.iter().flat_map(|known| known.products.iter().cloned());
        Ok(Self {
            connection: connection?,
            company: company.to_owned(),
            mapped: mapped?,
            products: products.chain(usage).collect(),
            known,
            choosing,
        })
    }

    fn name(&self) -> &str {
        self.known.as_ref().and_then(|known| known.company_name.as_deref()).unwrap_or(&self.company)
    }

    /// What is stored, in the form's fields.
    fn fields(&self, which: &Which) -> Fields {
        let fields = Fields::default().with("when_absent", "keep");
        let Some(MappedCompany { mapping, .. }) = &self.mapped else {
            return fields.with("account_id", &which.account);
        };
        let fields = field::filled_from(fields, mapping.version);
        let moved = !which.account.is_empty() && which.account != mapping.account_id.as_str();
        let fields = fields.with("when_absent", rule::word(mapping.when_absent));
        let fields = match moved {
            // The contract belongs to the account that it had.
            true => fields.with("account_id", &which.account),
            false => fields.with("account_id", &mapping.account_id).with("contract_id", &mapping.contract_id),
        };
        overrides::filled(fields, mapping.overrides.iter())
    }
}

pub(super) async fn show(
    visitor: Visitor,
    Path((id, company)): Path<(String, String)>,
    Query(which): Query<Which>,
    Query(done): Query<Done>,
) -> Result<Markup, Trouble> {
    let scene = Scene::read(&visitor.api(), &id, &company, &which).await?;
    if scene.known.is_none() && scene.mapped.is_none() && !visitor.may_change() {
        return Err(Trouble::not_found("company"));
    }
    let mut fields = scene.fields(&which);
    if !which.add.is_empty() {
        fields = overrides::with(fields, &which.add);
    }
    let page = Page::of(&visitor, &scene.connection, "/companies", scene.name());
    let form = Form::new(&fields, None);
    Ok(page.with(&html! { (done.said(&DONE)) (shown(&visitor, &scene, &fields, &form)) }))
}

fn shown(visitor: &Visitor, scene: &Scene, fields: &Fields, form: &Form<'_>) -> Markup {
    let Scene { connection, company, mapped, known, choosing, .. } = scene;
    let here = address(&connection.id, company);
    let usage: Vec<&str> = known.iter().flat_map(|known| known.products.iter().map(String::as_str)).collect();
    html! {
        dl.facts {
            dt { "Company" } dd { code { (company) } }
            dt { "Usage of" } dd { (if usage.is_empty() { "nothing this month or the last".to_owned() } else { usage.join(", ") }) }
            dt { "Mapping" } dd { @match mapped {
                Some(MappedCompany { mapping, .. }) => { (badge::badge("mapped", badge::Tone::Good))
                    " version " (mapping.version) ", by " (mapping.updated_by) },
                None => @match known.as_ref().and_then(|known| known.mapped_on.as_deref()) {
                    None => { (not_mapped(None)) " and not billed" },
                    elsewhere => { (not_mapped(elsewhere)) ", and billed there. Mapped here as well, it is billed twice." },
                },
            } }
            dt { "Last sync" } dd { @match mapped.as_ref().and_then(|mapped| mapped.last_sync.as_ref()) {
                Some(last) => (last_sync(last, &connection.time_zone)),
                None => "none of it yet",
            } }
        }
        p.row {
            a href=(with_query("/console/usage", &[("company", Some(company))])) { "Its usage" }
            @if let Some(last) = mapped.as_ref().and_then(|mapped| mapped.last_sync.as_ref()) {
                a href={ "/console/runs/" (last.run_id) } { "Lines of its last sync" }
            }
        }
        @if visitor.may_change() {
            h2 { @if mapped.is_some() { "Choose another account" } @else { "Choose the account" } }
            (choosing.accounts.shown(&here, &[]))
            form.stacked method="post" action=(here) id="mapping" {
                (field::ours(visitor))
                h2 { "Mapping" }
                @let asked = html! {
                    (form.text(Ask { name: "account_id", label: "Account", hint: "The id of the same customer in the PSA. Choose it above, or type it.", pointer: "/account_id" }))
                    (choosing.contract(form, &here, fields.get("account_id")))
                    (form.choice(Ask { name: "when_absent", label: "When a complete count does not name it",
                        hint: "A vendor's count that should have everybody may lack a company: it left, or something went wrong there. An explicit zero is a count like any other.",
                        pointer: "/when_absent" }, &ABSENT))
                    (overrides::shown(form, fields))
                };
                (form.of_version(&here))
                (asked)
                p.row { button type="submit" { "Save" } }
            }
            (overrides::adding(&here, fields, &scene.products))
            @if mapped.is_some() {
                h2 { "Remove the mapping" }
                p { a.button.danger href={ (here) "/remove" } { "Remove …" } }
            }
        } @else if let Some(MappedCompany { mapping, .. }) = mapped {
            h2 { "Mapping" }
            dl.facts {
                dt { "Account" } dd { code { (mapping.account_id) } }
                dt { "Contract" } dd { code { (mapping.contract_id) } }
                dt { "When a complete count does not name it" }
                dd { (ABSENT.iter().find(|(word, _)| *word == rule::word(mapping.when_absent)).map_or("–", |(_, words)| *words)) }
            }
            (overrides::told(mapping.overrides.iter()))
        }
    }
}

pub(super) async fn save(Path((id, company)): Path<(String, String)>, posted: Posted) -> Result<Response, Trouble> {
    let Posted { visitor, fields } = posted;
    let api = visitor.api();
    match api.put_over(&in_api(&id, &company), &sent(&fields), field::version(&fields)).await {
        Ok(()) => Ok(Redirect::to(&with_query(&address(&id, &company), &[("done", Some("saved"))])).into_response()),
        Err(trouble) if trouble.can_be_mended() => {
            // The PSA is not asked a second time: what was typed may stand as it is.
            let scene = Scene::read(&api, &id, &company, &Which::default()).await?;
            let page = Page::of(&visitor, &scene.connection, "/companies", scene.name());
            let trouble = to_choose(trouble, &fields);
            let form = Form::new(&fields, Some(&trouble));
            Ok((trouble.status, page.with(&shown(&visitor, &scene, &fields, &form))).into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

/// What was left empty is to be chosen: the API can't tell that from an id that is none.
fn to_choose(mut trouble: Trouble, fields: &Fields) -> Trouble {
    let each = [
        ("account_id", "/account_id", "is missing. Choose an account."),
        ("contract_id", "/contract_id", "is missing. Choose a contract."),
    ];
    for (name, pointer, words) in each {
        if trouble.code == "invalid_request" && fields.some(name).is_none() {
            trouble.errors.retain(|fault| fault.pointer != pointer);
            trouble.errors.push(Fault::new(pointer, words));
        }
    }
    trouble
}

fn sent(fields: &Fields) -> Value {
    json!({
        "account_id": fields.get("account_id"),
        "contract_id": fields.get("contract_id"),
        "when_absent": fields.some("when_absent").unwrap_or("keep"),
        "overrides": overrides::sent(fields),
    })
}
