//! A connection's own page: how it stands, what is set, and what can be done with it.

use axum::extract::{Path, Query};
use maud::{Markup, html};
use serde::de::IgnoredAny;
use shared::store::connections::Status;
use shared::store::runs::Mode;

use super::{address, policy_words, tested};
use crate::client::told::List;
use crate::client::told::connection::Connection;
use crate::client::told::run::Run;
use crate::client::{Client, Trouble, path, with_query};
use crate::door::{Fields, Visitor};
use crate::pages::connection;
use crate::view::done::Done;
use crate::view::page::Page;
use crate::view::{badge, field, psa, schedule, when};

/// Among so many runs the last sync is looked for.
const RUNS: &str = "10";

const DONE: [(&str, &str); 9] = [
    (
        "connected",
        "Connected: the PSA lets us in, and the user may do all that a sync needs. It is on. Nothing is mapped yet, so there is nothing to write: map products first.",
    ),
    (
        "connected-off",
        "Connected: the PSA lets us in, and the user may do all that a sync needs. It is switched off. Map products, then companies, and look at a preview before you switch it on.",
    ),
    (
        "connected-not-off",
        "Connected, but it could not be switched off: it is on. Nothing is mapped yet, so there is nothing to write.",
    ),
    ("credentials", "The new credentials work, and are in place."),
    ("settings", "Saved."),
    ("policy", "Saved. It counts from the next sync on."),
    ("on", "Switched on."),
    ("off", "Switched off: nothing is sent to the PSA."),
    ("revoked", "Revoked. Its credentials are deleted; what it has done stays readable."),
];

/// What has been mapped at all. How much, is counted only where that is worth reading all of it.
struct Begun {
    products: bool,
    companies: bool,
}

impl Begun {
    async fn read(api: &Client, id: &str) -> Result<Self, Trouble> {
        let any = async |kind: &str, more: &[(&str, Option<&str>)]| {
            let query = [&[("limit", Some("1"))], more].concat();
            let first = with_query(&path(&["v1", "connections", id, kind]), &query);
            api.get::<List<IgnoredAny>>(&first).await.map(|list| !list.items.is_empty())
        };
        // How companies fared in their last sync would take the reading of a whole run.
        let mapped = [("state", Some("mapped")), ("last_sync", Some("false"))];
        let (products, charges, companies) =
            tokio::join!(any("products", &[]), any("charges", &[]), any("known-companies", &mapped));
        Ok(Self { products: products? || charges?, companies: companies? })
    }
}

pub(super) async fn page(
    visitor: Visitor,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let runs = with_query(&path(&["v1", "connections", &id, "runs"]), &[("limit", Some(RUNS))]);
    let (connection, runs, begun) =
        tokio::join!(connection(&api, &id), api.get::<List<Run>>(&runs), Begun::read(&api, &id));
    let (connection, runs, begun) = (connection?, runs?, begun?);
    let last = runs.items.into_iter().find(|run| run.mode == Mode::Apply);
    Ok(Page::of(&visitor, &connection, "", "Overview").with(&html! {
        (done.said(&DONE))
        (warnings(&connection))
        (cards(&connection, last.as_ref(), begun))
        @if !connection.is_revoked() { (actions(&visitor, &connection)) }
        (set(&visitor, &connection))
        @if visitor.may_change() && !connection.is_revoked() {
            (tested::section(&visitor, &connection, None))
            (ends(&connection))
        }
    }))
}

fn warnings(connection: &Connection) -> Markup {
    let to = |end| address(&connection.id, end);
    html! {
        @match connection.status {
            Status::Active => {},
            Status::CredentialsRejected => div.trouble {
                p { strong { "The PSA refused the credentials, or a right was missing, when they were used last. Nothing is synced." } }
                p { "Test the connection below to see what is missing; repair the user in the PSA, or "
                    a href=(to("/credentials")) { "replace the credentials" } "." }
            },
            Status::Revoked => div.warning {
                p { "This connection is revoked " @if let Some(at) = connection.revoked_at { "since " (when::at(at, &connection.time_zone)) }
                    ": nothing can be synced with it. What it has done stays readable." }
            },
        }
        @if let Some(circuit) = &connection.circuit { div.warning { p { (circuit.explanation) } } }
        @if !connection.not_understood.is_empty() { div.warning {
            p { "A newer version of Tallyline has stored settings here that this one does not understand ("
                (connection.not_understood.join(", ")) "): nothing is synced. Deploy the newer version again, or save those settings anew, which replaces them." }
        } }
        @if connection.first_run_waits() && !connection.is_revoked() { div.warning {
            p { strong { "The first run waits for you." } " Nothing is written until a person has approved all of one run. "
                a href=(to("/preview")) { "Look at a preview" } }
        } }
        @if connection.policy.shadow && !connection.is_revoked() { div.warning { p { "Shadow mode: syncs show what they would change, and nothing is written." } } }
    }
}

fn cards(connection: &Connection, last: Option<&Run>, begun: Begun) -> Markup {
    let zone = &connection.time_zone;
    let to = |end| address(&connection.id, end);
    html! { div.cards {
        div.card {
            h2 { "Status" }
            p { (badge::connection(connection.status, connection.enabled)) " " (psa::name(connection.psa)) }
            p.small { "Tenant " code { (connection.tenant) } " · connection " code { (connection.id) } }
        }
        div.card {
            h2 { "Next sync" }
            @if let Some(run) = &connection.current_run { p { a href={ "/console/runs/" (run) } { "One is going on now" } } }
            p { (when::maybe(connection.next_due_at, zone, "None is scheduled.")) }
            p.small { (schedule::words(connection.schedule)) ", " (zone) }
        }
        div.card {
            h2 { "Last sync" }
            @match last {
                Some(run) => {
                    p { a href={ "/console/runs/" (run.id) } { (when::at(run.created_at, zone)) } " " (badge::run(run.status)) }
                    p { (badge::counts(&run.lines)) }
                },
                None => p { "None yet." },
            }
        }
        div.card {
            h2 { "Mapped" }
            @match begun {
                Begun { products: false, .. } => p { "No product yet. " a href=(to("/products")) { "Map products first" } },
                Begun { companies: false, .. } => p { "No company yet. " a href=(to("/companies")) { "Map companies next" } },
                Begun { .. } => p { a href=(to("/products")) { "Products" } " and " a href=(to("/companies")) { "companies" } " are mapped." },
            }
        }
    } }
}

fn actions(visitor: &Visitor, connection: &Connection) -> Markup {
    let to = |end| address(&connection.id, end);
    let can_sync = connection.enabled && connection.status == Status::Active;
    html! {
        p { (policy_words::writes(connection)) }
        div.row {
            a.button href=(to("/preview")) { "Preview" }
            @if visitor.may_change() {
                @if can_sync { form method="post" action=(to("/runs")) {
                    (field::ours(visitor))
                    (field::once(&Fields::default()))
                    button.plain type="submit" { "Sync now" }
                } }
                a.button.plain href=(to("/switch")) { @if connection.enabled { "Switch off" } @else { "Switch on" } }
            }
            a.button.plain href=(to("/preflight")) { "Check before you sync" }
        }
        @if !can_sync { p.small { "Syncs need the connection to be on, and its credentials to work." } }
    }
}

fn set(visitor: &Visitor, connection: &Connection) -> Markup {
    let change = visitor.may_change() && !connection.is_revoked();
    let invoices = connection.invoice.map_or_else(|| "not stated".to_owned(), schedule::invoices);
    html! {
        h2 { "Name and schedule" }
        dl.facts {
            dt { "Name" } dd { (connection.name) }
            dt { "Time zone" } dd { (connection.time_zone) }
            dt { "Synced" } dd { (schedule::words(connection.schedule)) }
            dt { "Your invoices are made" } dd { (invoices) }
        }
        @if change { p { a.button.plain href=(address(&connection.id, "/settings")) { "Change name and schedule" } } }
        h2 { "How changes are made" }
        dl.facts { @for (part, said) in policy_words::parts(connection) { dt { (part) } dd { (said) } } }
        @if change { p { a.button.plain href=(address(&connection.id, "/policy")) { "Change how changes are made" } } }
    }
}

fn ends(connection: &Connection) -> Markup {
    html! {
        h2 { "Credentials" }
        p { "They are kept sealed, and shown to nobody." }
        div.row {
            a.button.plain href=(address(&connection.id, "/credentials")) { "Replace the credentials" }
            a.button.danger href=(address(&connection.id, "/revoke")) { "Revoke the connection" }
        }
    }
}
