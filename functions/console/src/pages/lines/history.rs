//! What happened to a line: who, when, what, before and after, and what became of it.

use maud::{Markup, html};
use serde_json::Value;
use shared::domain::difference::Fields;
use shared::history::{Kind, State};

use crate::client::told::List;
use crate::client::told::line::Happened;
use crate::client::with_query;
use crate::pages::runs;
use crate::view::badge::{Tone, badge};
use crate::view::{table, when};

pub(super) fn of(happened: &List<Happened>, zone: &str, here: &str) -> Markup {
    let next = happened.next_cursor.as_deref().map(|cursor| with_query(here, &[("cursor", Some(cursor))]));
    let head = ["When", "Who", "What", "Before", "After", "From", "Outcome"];
    html! {
        @if happened.items.is_empty() { p.empty { "Nothing yet, or nothing on this page of its history." } }
        @else { (table::table("What happened to the line", &head, &html! { @for one in &happened.items { (row(one, zone)) } })) }
        (table::next(next.as_deref()))
    }
}

fn row(one: &Happened, zone: &str) -> Markup {
    html! { tr {
        td { (when::at(one.at, zone)) }
        td { (one.actor) }
        td.why { (one.summary)
            @if let Some(run) = &one.run_id { " " a href=(runs::address(run)) { "Run" } }
        }
        td { (fields(one.before.as_ref())) }
        td { (fields(one.after.as_ref())) }
        td { @match one.effective_date { Some(day) => (day), None => "–" } }
        td { @match one.state { Some(state) => (outcome(state)), None => (other(one.kind)) } }
    } }
}

fn outcome(state: State) -> Markup {
    match state {
        State::Applied => badge("applied: the PSA shows it", Tone::Good),
        State::Unknown => badge("unknown: sent, not seen yet", Tone::Bad),
        State::GivenUp => badge("given up by a person", Tone::Wait),
        State::Rejected => badge("refused by the PSA", Tone::Bad),
    }
}

/// What has no outcome of its own: nothing was sent for it.
fn other(kind: Kind) -> Markup {
    match kind {
        Kind::Approval => badge("approved", Tone::Calm),
        Kind::FindingResolved => badge("resolved", Tone::Calm),
        _ => html! { "–" },
    }
}

fn fields(fields: Option<&Fields>) -> Markup {
    html! { @match fields {
        Some(fields) => @for (index, (name, value)) in fields.iter().enumerate() {
            @if index > 0 { br; } (name.replace('_', " ")) " " (text(value))
        },
        None => "–",
    } }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}
