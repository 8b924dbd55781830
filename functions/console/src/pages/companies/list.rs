//! Everybody who is mapped or has usage.
//!
//! How each company's newest sync ended is read out of a whole run's results: the page comes without, and asks for it once it
//! is there; without JavaScript a link does.

use axum::extract::{Path, Query};
use maud::{Markup, html};
use serde::Deserialize;

use super::address;
use crate::client::told::connection::Connection;
use crate::client::told::mapping::{KnownCompanies, KnownCompany, LastSync};
use crate::client::{Trouble, path, with_query};
use crate::door::Visitor;
use crate::pages::connection;
use crate::view::done::Done;
use crate::view::page::Page;
use crate::view::{badge, counted, empty, table, when};

const DONE: [(&str, &str); 2] = [
    ("removed", "The mapping is removed. Lines of this company are no longer written; what was written stays."),
    ("imported", "The file is imported."),
];

/// The name in the address, and what it is called.
const STATES: [(&str, &str); 5] = [
    ("", "All"),
    ("mapped", "Mapped"),
    ("not_mapped", "Not mapped"),
    (ELSEWHERE, "On another connection"),
    ("needs_attention", "Needs attention"),
];

/// Those whom another connection maps. Nobody is, where there is no other.
const ELSEWHERE: &str = "mapped_elsewhere";

/// Which companies.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    search: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    cursor: String,
    #[serde(default)]
    syncs: String,
}

impl Which {
    /// Whether the newest syncs are read.
    fn shows_syncs(&self) -> bool {
        self.syncs == "yes" || self.state == "needs_attention"
    }

    fn address(&self, connection: &Connection, state: &str, cursor: Option<&str>, syncs: Option<&str>) -> String {
        let page = path(&["console", "connections", &connection.id, "companies"]);
        let pairs =
            [("search", Some(self.search.as_str())), ("state", Some(state)), ("cursor", cursor), ("syncs", syncs)];
        with_query(&page, &pairs)
    }
}

pub(super) async fn show(
    visitor: Visitor,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    Query(done): Query<Done>,
) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let state = STATES.iter().map(|(state, _)| *state).find(|state| *state == which.state);
    let query = [
        ("search", Some(which.search.as_str())),
        ("state", state),
        ("cursor", Some(which.cursor.as_str())),
        ("last_sync", (!which.shows_syncs()).then_some("false")),
    ];
    let companies = with_query(&path(&["v1", "connections", &id, "known-companies"]), &query);
    let (connection, known) = tokio::join!(connection(&api, &id), api.get::<KnownCompanies>(&companies));
    let (connection, known) = (connection?, known?);
    let page = Page::of(&visitor, &connection, "/companies", "Companies");
    let file = format!("/console/connections/{}/mappings", connection.id);
    if known.mapped + known.not_mapped + known.mapped_elsewhere == 0 && which.search.is_empty() {
        let why = "Nobody is known yet. Companies appear here once usage of theirs comes in, pushed or pulled from a vendor; \
                   then each is mapped to its account and contract in the PSA.";
        return Ok(page.with(&html! {
            (done.said(&DONE))
            (empty(why, Some(("/console/sources", "Set up a source of usage"))))
            @if visitor.may_change() { p { "Or " a href=(file) { "map companies by a file" } " ahead of their usage." } }
        }));
    }
    Ok(page.with(&html! {
        (done.said(&DONE))
        p { "A company is billed once it is mapped to its account and a contract in the PSA, and its products are mapped. "
            a href=(file) { "All mappings as a file" } }
        form.row role="search" method="get" action=(which.address(&connection, "", None, None).split('?').next().unwrap_or_default())
            hx-get=(which.address(&connection, "", None, None).split('?').next().unwrap_or_default())
            hx-trigger="input changed delay:300ms from:#search, submit"
            hx-select="#found" hx-target="#found" hx-swap="outerHTML" hx-push-url="true" {
            label for="search" { "Name or id" }
            span.inline { input type="search" id="search" name="search" value=(which.search) autocomplete="off"; }
            @if !which.state.is_empty() { input type="hidden" name="state" value=(which.state); }
            button.plain type="submit" { "Search" }
        }
        (found(&visitor, &connection, &which, &known))
    }))
}

fn found(visitor: &Visitor, connection: &Connection, which: &Which, known: &KnownCompanies) -> Markup {
    let waits = !which.shows_syncs() && known.items.iter().any(|company| company.account_id.is_some());
    let cursor = Some(which.cursor.as_str());
    let with_syncs = which.address(connection, &which.state, cursor, Some("yes"));
    let number = |state: &str| match state {
        "" => Some(known.mapped + known.not_mapped + known.mapped_elsewhere),
        "mapped" => Some(known.mapped),
        "not_mapped" => Some(known.not_mapped),
        ELSEWHERE => Some(known.mapped_elsewhere),
        _ => None,
    };
    html! {
        div id="found" hx-get=[waits.then_some(with_syncs.as_str())] hx-trigger=[waits.then_some("load")]
            hx-select=[waits.then_some("#found")] hx-swap=[waits.then_some("outerHTML")] {
            @let is_shown = |state: &str| state != ELSEWHERE || known.mapped_elsewhere > 0 || which.state == ELSEWHERE;
            nav.tabs aria-label="Which companies" { ul { @for (state, name) in STATES.into_iter().filter(|(state, _)| is_shown(state)) {
                li { a href=(which.address(connection, state, None, None)) aria-current=[(state == which.state).then_some("page")] {
                    (name) @if let Some(number) = number(state) { " (" (number) ")" }
                } }
            } } }
            @if known.not_mapped > 0 && which.state != "needs_attention" && visitor.may_change() {
                div.warning {
                    p { strong { (counted(known.not_mapped, "company is", "companies are")) " not mapped" }
                        " and not billed. Their accounts can be looked for by name and number; that takes some requests to the PSA." }
                    p { a.button href={ "/console/connections/" (connection.id) "/suggestions" } { "Find likely accounts" } }
                }
            }
            @if known.items.is_empty() {
                p role="status" { (nobody(which)) }
            } @else {
                (table::table("Companies", &["Company", "Usage of", "Account and contract", "Last sync"],
                    &html! { @for company in &known.items { (row(connection, which, company)) } }))
                @if waits { noscript { p { a href=(with_syncs) { "Show how the last sync of each ended" } } } }
                @let next = known.next_cursor.as_deref().map(|cursor| which.address(connection, &which.state, Some(cursor), None));
                (table::next(next.as_deref()))
            }
        }
    }
}

fn nobody(which: &Which) -> &'static str {
    match (which.search.is_empty(), which.state.as_str()) {
        (false, _) => "Nobody is called so, here at least. Search for a part of the name or of the id.",
        (true, "mapped") => "Nobody is mapped yet.",
        // A company is known by the counts that came in since this version took them in.
        (true, "not_mapped") => {
            "Nobody is known here who is not mapped. Whoever has usage is, once the next count of it comes in."
        }
        (true, ELSEWHERE) => "No other connection maps anybody who has usage.",
        (true, "needs_attention") => "No company's last sync has anything held, failed or unknown.",
        (true, _) => "Nobody is on this page any more.",
    }
}

fn row(connection: &Connection, which: &Which, company: &KnownCompany) -> Markup {
    let name = company.company_name.as_deref().unwrap_or(&company.company);
    html! { tr {
        td { a href=(address(&connection.id, &company.company)) { (name) }
            @if company.company_name.is_some() { br; code.small { (company.company) } } }
        td { @if company.products.is_empty() { "nothing lately" } @else {
            @for (number, product) in company.products.iter().enumerate() { @if number > 0 { ", " } (product) } } }
        td { @match (&company.account_id, &company.contract_id) {
            (Some(account), Some(contract)) => { "Account " code { (account) } br; "Contract " code { (contract) } },
            _ => (not_mapped(company.mapped_on.as_deref())),
        } }
        td { @match (&company.last_sync, company.account_id.is_some()) {
            (Some(last), _) => (last_sync(last, &connection.time_zone)),
            (None, true) if !which.shows_syncs() => a.small href=(address(&connection.id, &company.company)) { "On its page" },
            (None, true) => "not yet",
            (None, false) => "–",
        } }
    } }
}

/// What is said of a company that is not mapped here; `mapped_on`: the other connection that maps it.
pub(super) fn not_mapped(mapped_on: Option<&str>) -> Markup {
    html! { @match mapped_on {
        Some(other) => { "mapped on " a href={ "/console/connections/" (other) "/companies" } { "another connection" } },
        None => (badge::badge("not mapped", badge::Tone::Wait)),
    } }
}

/// How a company's newest sync ended, with a way to the run.
pub(super) fn last_sync(last: &LastSync, zone: &str) -> Markup {
    html! {
        a href={ "/console/runs/" (last.run_id) } { (when::at(last.at, zone)) } br;
        (badge::counts(&last.lines))
    }
}
