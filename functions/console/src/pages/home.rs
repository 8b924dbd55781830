//! Home: what needs a person today, and how each connection stands.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, html};
use shared::store::runs::Mode;

use super::connections_of;
use crate::Deps;
use crate::client::told::List;
use crate::client::told::connection::Connection;
use crate::client::told::finding::Finding;
use crate::client::told::run::Run;
use crate::client::{Client, Trouble, path, with_query};
use crate::door::Visitor;
use crate::view::page::{Page, Place};
use crate::view::{badge, empty, mend, money, stake, table, when};

/// Findings of a connection that are shown here; the rest stands on its own page.
const FINDINGS_SHOWN: usize = 8;

pub(super) fn routes() -> Router<Deps> {
    Router::new().route("/console", get(home))
}

/// A connection with what a person wants to know of it first.
struct Standing {
    connection: Connection,
    last: Option<Run>,
    findings: Vec<Finding>,
    more: bool,
}

async fn home(visitor: Visitor, State(_): State<Deps>) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let mut standings = Vec::new();
    for connection in connections_of(&api).await?.into_iter().filter(|connection| !connection.is_revoked()) {
        standings.push(Standing::read(&api, connection).await?);
    }
    let page = Page::new(&visitor, Place::Home, "What needs you today");
    if standings.is_empty() {
        let why = "No PSA is connected yet. Connect Autotask or Kaseya BMS: nothing is written until you have mapped \
                   products and companies and looked at a preview.";
        return Ok(page.with(&empty(why, Some(("/console/connections/new", "Connect a PSA")))));
    }
    Ok(page.with(&html! { @for standing in &standings { (standing.shown()) } }))
}

impl Standing {
    async fn read(api: &Client, connection: Connection) -> Result<Self, Trouble> {
        let of = |end| path(&["v1", "connections", &connection.id, end]);
        let runs = with_query(&of("runs"), &[("limit", Some("50"))]);
        let findings = with_query(&of("findings"), &[("limit", Some("100"))]);
        let (runs, findings) = tokio::join!(api.get::<List<Run>>(&runs), api.get::<List<Finding>>(&findings));
        let (runs, findings) = (runs?, findings?);
        let last = runs
            .items
            .into_iter()
            .find(|run| run.mode == Mode::Apply && run.approves.is_none() && run.reverses.is_none());
        Ok(Self { connection, last, more: findings.next_cursor.is_some(), findings: findings.items })
    }

    fn shown(&self) -> Markup {
        let Self { connection, last, findings, more } = self;
        let zone = &connection.time_zone;
        html! {
            section aria-labelledby=(connection.id) {
                h2 id=(connection.id) { a href={ "/console/connections/" (connection.id) } { (connection.name) } " "
                    (badge::connection(connection.status, connection.enabled)) }
                div.cards {
                    div.card { h3 { "Waits for you" } p.figure { (findings.len()) @if *more { "+" } }
                        p { @if findings.len() == 1 { "open finding" } @else { "open findings" } } }
                    div.card { h3 { "At stake, a month" } p.figure { (stake::of(findings)) }
                        p.small { "What " @if *more { "the first of " } "the findings come to where prices are known." } }
                    div.card { h3 { "Last sync" }
                        @match last {
                            Some(run) => {
                                p { a href={ "/console/runs/" (run.id) } { (when::at(run.created_at, zone)) } " " (badge::run(run.status)) }
                                p { (badge::counts(&run.lines)) }
                            },
                            None => p { "None yet." },
                        }
                    }
                    div.card { h3 { "Next sync" } p { (when::maybe(connection.next_due_at, zone, "None: it is switched off.")) }
                        p.small { (zone) } }
                }
                @if !findings.is_empty() {
                    (table::table(&format!("Findings of {}", connection.name), &["Company", "Product", "What", "What to do", "#A month"],
                        &html! { @for finding in findings.iter().take(FINDINGS_SHOWN) { (row(&connection.id, finding)) } }))
                    @if *more || findings.len() > FINDINGS_SHOWN {
                        p { a href={ "/console/connections/" (connection.id) "/findings" } { "All findings of " (connection.name) } }
                    }
                }
            }
        }
    }
}

fn row(connection: &str, finding: &Finding) -> Markup {
    html! { tr {
        td { (finding.company_name.as_deref().or(finding.company.as_deref()).unwrap_or("–")) }
        td { (finding.product.as_deref().unwrap_or("–")) }
        td { (finding.explanation) }
        td { (mend::words(&finding.fix)) @if let Some((place, label)) = mend::finding(connection, finding) { " " a href=(place) { (label) } } }
        td.number { (money::monthly(finding.money.as_ref())) }
    } }
}
