//! Which account each company that is not mapped is likely to be, why, and taking it.
//!
//! Looking costs requests to the PSA and is done when it is asked for: the page comes first, with a note that it looks.

use axum::extract::{Path, Query};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::list::not_mapped;
use super::{address, in_api};
use crate::client::told::connection::Connection;
use crate::client::told::mapping::{Evidence, Suggestion, Suggestions};
use crate::client::{Trouble, path, with_query};
use crate::door::{Fields, Posted, Visitor};
use crate::pages::connection;
use crate::view::done::Done;
use crate::view::page::Page;
use crate::view::{badge, counted, empty, field, table, trouble};

const DONE: [(&str, &str); 1] = [("mapped", "The company is mapped. It is billed from the next sync on.")];

/// Which of them, and whether to look at all.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    now: String,
    #[serde(default)]
    cursor: String,
}

/// Where they lie.
pub(super) fn here(connection: &str) -> String {
    path(&["console", "connections", connection, "suggestions"])
}

pub(super) async fn show(
    visitor: Visitor,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    Query(done): Query<Done>,
) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let connection = connection(&api, &id).await?;
    let page = Page::of(&visitor, &connection, "/companies", "Likely accounts");
    if which.now != "yes" {
        let now = with_query(&here(&id), &[("now", Some("yes"))]);
        return Ok(page.with(&html! {
            (back(&id))
            div id="found" hx-get=(now) hx-trigger="load" hx-select="#found" hx-swap="outerHTML" {
                p.busy role="status" { "The accounts of the PSA are read and compared with the companies that are not mapped …" }
                noscript { p { a.button href=(now) { "Look now" } } }
            }
        }));
    }
    let query = [("limit", Some("50")), ("cursor", Some(which.cursor.as_str()))];
    let found = api.get::<Suggestions>(&with_query(&path(&["v1", "connections", &id, "suggestions"]), &query)).await;
    Ok(page.with(&html! {
        (done.said(&DONE))
        (back(&id))
        div id="found" { @match &found {
            Err(trouble) => (trouble::notice(trouble)),
            Ok(found) => (listed(&visitor, &connection, found)),
        } }
    }))
}

fn back(id: &str) -> Markup {
    html! { p { a href={ "/console/connections/" (id) "/companies?state=not_mapped" } { "Back to the companies that are not mapped" } } }
}

fn listed(visitor: &Visitor, connection: &Connection, found: &Suggestions) -> Markup {
    if found.items.is_empty() {
        let companies = format!("/console/connections/{}/companies", connection.id);
        return empty("Everybody with usage of this month or the last is mapped.", Some((&companies, "Companies")));
    }
    let next = found.next_cursor.as_deref();
    let next = next.map(|cursor| with_query(&here(&connection.id), &[("now", Some("yes")), ("cursor", Some(cursor))]));
    html! {
        p { "Nothing is mapped until you accept it. An account is " strong { "sure" } " where nothing else is as likely and nobody \
            else has it; all others are for you to look at." }
        @if found.sure > 0 && visitor.may_change() {
            p.row {
                a.button href={ (here(&connection.id)) "/accept-sure" } { "Accept all " (counted(found.sure, "sure one", "sure ones")) }
                span.small { "You see them first. Those whose contract is not clear are left for you." }
            }
        }
        (table::table("Companies that are not mapped", &["Company", "Likely account", "Why", "Accept"],
            &html! { @for one in &found.items { (row(visitor, connection, one, None)) } }))
        (table::next(next.as_deref()))
    }
}

fn row(visitor: &Visitor, connection: &Connection, found: &Suggestion, refused: Option<&Trouble>) -> Markup {
    let page = address(&connection.id, &found.company);
    let of = |account: &str| with_query(&page, &[("account", Some(account))]);
    html! { tr {
        td { a href=(page) { (found.company_name.as_deref().unwrap_or(&found.company)) } br; code.small { (found.company) }
            br; span.small { (found.products.join(", ")) } }
        td { @match (&found.account_id, &found.account_name) {
            (Some(account), Some(name)) => {
                (name) " " (if found.sure { badge::badge("sure", badge::Tone::Good) } else { badge::badge("look at it", badge::Tone::Wait) })
                br; code.small { (account) }
                @if let Some(contract) = &found.contract_id { br; span.small { "contract " code { (contract) } } }
            },
            _ => "No account is like it.",
        } }
        td {
            (evidence(&found.evidence))
            @if !found.alternatives.is_empty() { details {
                summary { (counted(found.alternatives.len() as u64, "other account", "other accounts")) }
                ul { @for other in &found.alternatives { li {
                    a href=(of(&other.account_id)) { (other.account_name) } " " code.small { (other.account_id) }
                    (evidence(&other.evidence))
                } } }
            } }
        }
        td {
            @if let Some(trouble) = refused { (trouble::notice(trouble)) }
            @match (&found.account_id, &found.contract_id) {
                _ if !visitor.may_change() => {},
                _ if refused.is_some_and(Trouble::is_late) => a href=(page) { "Its mapping" },
                // It is billed there: whoever wants it here as well chooses on its own page.
                _ if found.mapped_on.is_some() && !found.sure => (not_mapped(found.mapped_on.as_deref())),
                (Some(account), Some(contract)) => (accepting(visitor, connection, found, (account, contract))),
                (Some(account), None) => a.button.plain href=(of(account)) { "Choose a contract" },
                (None, _) => a.button.plain href=(page) { "Choose an account" },
            }
        }
    } }
}

fn evidence(evidence: &[Evidence]) -> Markup {
    html! { ul.plain { @for one in evidence { li { (one.detail) } } } }
}

fn accepting(
    visitor: &Visitor,
    connection: &Connection,
    found: &Suggestion,
    (account, contract): (&str, &str),
) -> Markup {
    let to = format!("{}/accept", here(&connection.id));
    let name = found.company_name.as_deref().unwrap_or(&found.company);
    html! {
        form method="post" action=(to) hx-post=(to) hx-target="closest tr" hx-swap="outerHTML" {
            (field::ours(visitor))
            input type="hidden" name="company" value=(found.company);
            input type="hidden" name="name" value=(name);
            input type="hidden" name="account_id" value=(account);
            input type="hidden" name="account_name" value=[found.account_name.as_deref()];
            input type="hidden" name="contract_id" value=(contract);
            button type="submit" aria-label={ "Accept for " (name) } { "Accept" }
        }
    }
}

/// Maps one company. With htmx its row tells; without, the page does.
pub(super) async fn accept(Path(id): Path<String>, headers: HeaderMap, posted: Posted) -> Result<Response, Trouble> {
    let Posted { visitor, fields } = posted;
    let body = json!({"account_id": fields.get("account_id"), "contract_id": fields.get("contract_id")});
    // What somebody else has set up meanwhile is not replaced by an account and a contract alone.
    let mapped = visitor.api().put_over(&in_api(&id, fields.get("company")), &body, None).await;
    match mapped {
        Err(trouble) if headers.contains_key("hx-request") => {
            let connection = connection(&visitor.api(), &id).await?;
            Ok((trouble.status, row(&visitor, &connection, &said(&fields), Some(&trouble))).into_response())
        }
        Err(trouble) => Err(trouble),
        Ok(()) if headers.contains_key("hx-request") => Ok(taken(&id, &fields).into_response()),
        Ok(()) => {
            let to = with_query(&here(&id), &[("now", Some("yes")), ("done", Some("mapped"))]);
            Ok(Redirect::to(&to).into_response())
        }
    }
}

/// What was offered, as the form says it.
fn said(fields: &Fields) -> Suggestion {
    let text = |name: &str| fields.some(name).map(str::to_owned);
    Suggestion {
        company: fields.get("company").to_owned(),
        company_name: text("name"),
        products: Vec::new(),
        account_id: text("account_id"),
        account_name: text("account_name"),
        sure: false,
        mapped_on: None,
        evidence: Vec::new(),
        contract_id: text("contract_id"),
        alternatives: Vec::new(),
    }
}

fn taken(id: &str, fields: &Fields) -> Markup {
    let page = address(id, fields.get("company"));
    html! { tr {
        td { a href=(page) { (fields.get("name")) } br; code.small { (fields.get("company")) } }
        td { (fields.get("account_name")) br; code.small { (fields.get("account_id")) } }
        td { span role="status" { (badge::badge("mapped", badge::Tone::Good)) " It is billed from the next sync on." } }
        td { a href=(page) { "Change" } }
    } }
}
