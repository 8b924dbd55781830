//! Removing a company's mapping, once it was said what that does.

use axum::extract::Path;
use axum::response::Redirect;
use maud::{Markup, html};

use super::{address, in_api};
use crate::client::Trouble;
use crate::client::told::mapping::MappedCompany;
use crate::door::{Posted, Visitor};
use crate::pages::connection;
use crate::view::page::Page;
use crate::view::{field, only_looks};

pub(super) async fn ask(visitor: Visitor, Path((id, company)): Path<(String, String)>) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let mapping = in_api(&id, &company);
    let (connection, mapped) = tokio::join!(connection(&api, &id), api.get::<MappedCompany>(&mapping));
    let (connection, MappedCompany { mapping, last_sync }) = (connection?, mapped?);
    let page = Page::of(&visitor, &connection, "/companies", "Remove the mapping of a company");
    let here = address(&id, &company);
    Ok(page.with(&html! {
        div.warning {
            p { "Company " code { (company) } " is mapped to account " code { (mapping.account_id) } " and contract " code { (mapping.contract_id) } "." }
            ul {
                li { "From the next sync on no line of it is written"
                    @if let Some(last) = &last_sync { " (its last sync had " (lines(last)) ")" } "." }
                li { "What was written stays in the PSA as it is: the customer goes on being invoiced for those units until somebody changes them there." }
                @if !mapping.overrides.is_empty() { li { "What is different for " (mapping.overrides.len()) " of its products is removed with it." } }
                li { "Its usage is kept, and it is listed as not mapped. The removed mapping stays in the history." }
            }
        }
        @if visitor.may_change() {
            form.row method="post" action={ (here) "/remove" } {
                (field::ours(&visitor))
                button.danger type="submit" { "Remove the mapping" }
                a.button.plain href=(here) { "Keep it" }
            }
        } @else {
            (only_looks())
            p { a href=(here) { "Back to the company" } }
        }
    }))
}

fn lines(last: &crate::client::told::mapping::LastSync) -> String {
    let counts = &last.lines;
    let all =
        [counts.updated, counts.unchanged, counts.planned, counts.held, counts.skipped, counts.failed, counts.unknown];
    crate::view::counted(all.iter().map(|count| u64::from(*count)).sum::<u64>(), "line", "lines")
}

pub(super) async fn go(Path((id, company)): Path<(String, String)>, posted: Posted) -> Result<Redirect, Trouble> {
    posted.visitor.api().delete(&in_api(&id, &company)).await?;
    Ok(Redirect::to(&format!("/console/connections/{id}/companies?done=removed")))
}
