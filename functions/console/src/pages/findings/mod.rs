//! Findings of a connection: what needs a person (`list`), and a person's word on one (`resolve`).

mod consequence;
mod list;
mod resolve;

use axum::Router;
use axum::routing::get;
use maud::{Markup, html};
use shared::domain::reason::Code;

use crate::Deps;
use crate::client::path;
use crate::client::told::finding::Finding;

pub(super) fn routes() -> Router<Deps> {
    Router::new()
        .route("/console/connections/{id}/findings", get(list::list))
        .route("/console/connections/{id}/findings/{finding}/resolve", get(resolve::page).post(resolve::resolve))
}

/// Where the page of a line lies.
pub(super) fn line_address(connection: &str, line: &str) -> String {
    path(&["console", "connections", connection, "lines", line])
}

/// Where a finding is resolved.
fn resolve_address(connection: &str, finding: &Finding) -> String {
    path(&["console", "connections", connection, "findings", &finding.id, "resolve"])
}

/// Whom a finding is about: the company and the product, with a link to the line.
fn subject(connection: &str, finding: &Finding) -> Markup {
    let company = finding.company_name.as_deref().or(finding.company.as_deref());
    html! {
        @if let Some(company) = company { (company) }
        @if let (Some(_), Some(id)) = (&finding.company_name, &finding.company) { " " code.small { (id) } }
        @if let Some(product) = &finding.product { @if company.is_some() { br; } (product) }
        @if company.is_none() && finding.product.is_none() { "The connection" }
        @match (&finding.line_id, &finding.contract_id) {
            (Some(line), _) => { br; a href=(line_address(connection, line)) { "Line " code { (line) } } },
            (None, Some(contract)) => { br; span.small { "Contract " code { (contract) } } },
            (None, None) => {},
        }
    }
}

/// The run that noticed it. What alerts find is of no run.
fn run(finding: &Finding) -> Markup {
    let of_alerts = Code::named(&finding.code).is_some_and(Code::is_of_alerts);
    html! { @if !of_alerts { a href=(path(&["console", "runs", &finding.run_id])) { "Its sync" } } }
}

/// Units as the PSA has them, and as they should be.
fn units(finding: &Finding) -> Markup {
    html! { @match (finding.before, finding.target) {
        (None, None) => "–",
        (before, target) => {
            @match before { Some(before) => (before), None => "?" } " → " @match target { Some(target) => (target), None => "?" }
        },
    } }
}
