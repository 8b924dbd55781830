//! The partner's alerts: how each stands, its ticket, and trying it again.

use axum::extract::Path;
use axum::http::Method;
use axum::response::Redirect;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;
use shared::domain::alert::AlertStatus;

use super::here;
use crate::client::told::List;
use crate::client::told::connection::Connection;
use crate::client::{Client, Trouble, with_query};
use crate::door::{Posted, Visitor};
use crate::view::badge::{Tone, badge};
use crate::view::{empty, field, mend, table, when};

/// The name in the address, and what it is called.
const STATES: [(&str, &str); 7] = [
    ("", "All"),
    ("waiting", "Waiting"),
    ("refused", "Refused"),
    ("given_up", "Given up"),
    ("unknown", "Unknown"),
    ("open", "Open"),
    ("resolved", "Resolved"),
];

/// Which alerts.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    status: String,
    #[serde(default)]
    cursor: String,
}

/// An alert.
#[derive(Debug, Deserialize)]
struct Alert {
    dedupe_key: String,
    status: AlertStatus,
    count: u32,
    company: Option<String>,
    kind: String,
    severity: Option<String>,
    title: String,
    last_at: Timestamp,
    ticket: Option<Ticket>,
    explanation: Option<String>,
    fix: Option<String>,
}

/// Its ticket.
#[derive(Debug, Deserialize)]
struct Ticket {
    number: String,
    digest: bool,
}

/// Some alerts.
pub(super) struct Alerts {
    status: &'static str,
    list: List<Alert>,
}

impl Alerts {
    pub(super) async fn read(api: &Client, which: &Which) -> Result<Self, Trouble> {
        let status =
            STATES.iter().map(|(status, _)| *status).find(|status| *status == which.status).unwrap_or_default();
        let query = [("limit", Some("50")), ("status", Some(status)), ("cursor", Some(which.cursor.as_str()))];
        Ok(Self { status, list: api.get(&with_query("/v1/alerts", &query)).await? })
    }

    pub(super) fn shown(&self, visitor: &Visitor, connection: &Connection) -> Markup {
        let here = here(&connection.id);
        let at =
            |status: &str, cursor: Option<&str>| with_query(&here, &[("status", Some(status)), ("cursor", cursor)]);
        let halted = self.list.items.iter().any(|alert| is_halted(alert.status));
        html! {
            h2 id="alerts" { "Alerts" }
            nav.tabs aria-label="Which alerts" { ul { @for (status, name) in STATES {
                li { a href={ (at(status, None)) "#alerts" } aria-current=[(status == self.status).then_some("page")] { (name) } }
            } } }
            @if halted && visitor.may_change() {
                form.row method="post" action={ (here) "/retry" } {
                    (field::ours(visitor))
                    button.plain type="submit" { "Try all again that wait, were refused or were given up" }
                }
            }
            @if self.list.items.is_empty() {
                (empty(if self.status.is_empty() { "No alert has come in yet. A vendor's product sends them to POST /v1/alerts." } else { "No alert stands so." }, None))
            } @else {
                (table::table("Alerts", &["Alert", "Company", "Last", "State", "Ticket", "What to do"],
                    &html! { @for alert in &self.list.items { (alert.row(visitor, connection)) } }))
                (table::next(self.list.next_cursor.as_deref().map(|cursor| at(self.status, Some(cursor))).as_deref()))
            }
        }
    }
}

impl Alert {
    fn row(&self, visitor: &Visitor, connection: &Connection) -> Markup {
        let (word, tone) = in_words(self.status);
        html! { tr {
            td { (if self.title.is_empty() { "Alerts gathered in one ticket" } else { self.title.as_str() }) br;
                span.small { (self.kind) @if let Some(severity) = &self.severity { " · " (severity) } @if self.count > 1 { " · " (self.count) " times" } } }
            td { (self.company.as_deref().unwrap_or("–")) }
            td { (when::at(self.last_at, &connection.time_zone)) }
            td { (badge(word, tone)) }
            td { @match &self.ticket {
                Some(ticket) => { (ticket.number) @if ticket.digest { br; span.small { "with others" } } },
                None => "–",
            } }
            td {
                @if let Some(explanation) = &self.explanation { (explanation) " " }
                @if let Some(fix) = &self.fix { (mend::words(fix)) }
                @if is_halted(self.status) && visitor.may_change() {
                    form method="post" action={ (here(&connection.id)) "/retry" } {
                        (field::ours(visitor))
                        input type="hidden" name="dedupe_key" value=(self.dedupe_key);
                        button.plain type="submit" aria-label={ "Try again: " (self.title) } { "Try again" }
                    }
                }
            }
        } }
    }
}

fn is_halted(status: AlertStatus) -> bool {
    matches!(status, AlertStatus::Waiting | AlertStatus::Refused | AlertStatus::GivenUp)
}

fn in_words(status: AlertStatus) -> (&'static str, Tone) {
    match status {
        AlertStatus::Queued => ("queued", Tone::Calm),
        AlertStatus::Open => ("open", Tone::Good),
        AlertStatus::Resolved => ("resolved", Tone::Calm),
        AlertStatus::Waiting => ("waiting", Tone::Wait),
        AlertStatus::Refused => ("refused", Tone::Bad),
        AlertStatus::Digested => ("gathered", Tone::Calm),
        AlertStatus::Unknown => ("unknown", Tone::Bad),
        AlertStatus::GivenUp => ("given up", Tone::Bad),
    }
}

/// One is tried again, or all that are halted.
pub(super) async fn retry(Path(id): Path<String>, posted: Posted) -> Result<Redirect, Trouble> {
    let body = match posted.fields.some("dedupe_key") {
        Some(key) => json!({"dedupe_key": key}),
        None => json!({}),
    };
    posted.visitor.api().tell(Method::POST, "/v1/alerts/retry", &body).await?;
    Ok(Redirect::to(&with_query(&here(&id), &[("done", Some("retried"))])))
}
