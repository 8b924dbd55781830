//! What tickets are filled with, as a form made of the PSA's own.
//!
//! That form is read from the PSA when somebody wants to change the mapping. What is stored is shown without it, by ids.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value};
use shared::store::ticket_forms::ReadForm;

use super::alerts::{self, Alerts};
use super::needs;
use super::parts::{self, LAID};
use super::{here, in_api};
use crate::client::told::connection::Connection;
use crate::client::told::mapping::Tickets;
use crate::client::{Client, Trouble, path, with_query};
use crate::door::{Fields, Posted, Visitor};
use crate::pages::accounts::Accounts;
use crate::pages::connection;
use crate::view::done::Done;
use crate::view::field::{self, Ask, Form};
use crate::view::page::Page;
use crate::view::{counted, psa, rule, trouble, when};

const DONE: [(&str, &str); 3] = [
    ("saved", "Saved. Alerts that wait, were refused or were given up are tried again when you say so below."),
    ("removed", "The mapping is removed. Alerts wait from now on; tickets that were opened stay."),
    ("retried", "They are looked at again."),
];

const RESOLVED: [(&str, &str); 2] =
    [("note", "Add a note to the ticket"), ("complete", "Add a note and complete the ticket")];

const NUMBERS: [(&str, &str, &str); 3] = [
    ("due_hours", "Due after so many hours", "1 to 8760."),
    (
        "repeat_window_hours",
        "The same ticket for so many hours",
        "An alert that comes again within so many hours of its end belongs to the ticket that it had. 1 to 720.",
    ),
    ("tickets_per_hour", "Tickets an hour at most", "Beyond that alerts are gathered in one ticket. 1 to 1000."),
];

/// What is looked at.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    edit: String,
    /// Accounts with this in their names.
    #[serde(default)]
    find: String,
    /// This account gets the tickets of companies that are not mapped.
    #[serde(default)]
    account: String,
    #[serde(flatten)]
    alerts: alerts::Which,
}

struct Scene {
    connection: Connection,
    stored: Option<Tickets>,
    form: Option<Result<ReadForm, Trouble>>,
    accounts: Accounts,
    alerts: Alerts,
}

impl Scene {
    async fn read(api: &Client, id: &str, which: &Which) -> Result<Self, Trouble> {
        let (mapping, fields) = (in_api(id), path(&["v1", "connections", id, "catalog", "ticket-fields"]));
        let form = async {
            match which.edit.as_str() {
                "yes" => Some(api.get::<ReadForm>(&fields).await),
                _ => None,
            }
        };
        let (connection, stored, form, accounts, alerts) = tokio::join!(
            connection(api, id),
            api.find::<Tickets>(&mapping),
            form,
            Accounts::read(api, id, &which.find),
            Alerts::read(api, &which.alerts),
        );
        Ok(Self { connection: connection?, stored: stored?, form, accounts, alerts: alerts? })
    }

    fn fields(&self) -> Fields {
        let usual =
            Fields::default().with("due_hours", 24).with("repeat_window_hours", 24).with("tickets_per_hour", 60);
        let Some(stored) = &self.stored else {
            return match &self.form {
                Some(Ok(read)) => parts::usual(usual, &read.form),
                _ => usual,
            };
        };
        let fields = field::filled_from(usual, stored.version)
            .with("due_hours", stored.due_hours)
            .with("repeat_window_hours", stored.repeat_window_hours)
            .with("tickets_per_hour", stored.tickets_per_hour)
            .with("on_resolve", rule::word(stored.on_resolve))
            .with("catch_all_account_id", stored.catch_all_account_id.as_deref().unwrap_or_default());
        let fields =
            stored.defaults.iter().fold(fields, |fields, (field, value)| fields.with(&format!("d.{field}"), value));
        let [severities, kinds] = LAID;
        kinds.filled(severities.filled(fields, &stored.by_severity), &stored.by_kind)
    }

    fn shown(&self, visitor: &Visitor, form: &Form<'_>, fields: &Fields, done: &Markup) -> Markup {
        let connection = &self.connection;
        let mapping = match &self.form {
            Some(Ok(read)) if visitor.may_change() => self.form(visitor, form, fields, read),
            Some(Err(trouble)) => html! { (trouble::notice(trouble)) (self.summary(visitor)) },
            _ => self.summary(visitor),
        };
        Page::of(visitor, connection, "/tickets", "Tickets").with(&html! {
            (done)
            p { "Alerts of a vendor's products become tickets in " (psa::name(connection.psa)) ": one for each alert. Until it is said here \
                what tickets are filled with, alerts wait. Billing does not depend on it." }
            h2 { "What tickets are filled with" }
            div id="mapping" { (mapping) }
            (self.alerts.shown(visitor, connection))
        })
    }

    fn summary(&self, visitor: &Visitor) -> Markup {
        let edit = with_query(&here(&self.connection.id), &[("edit", Some("yes"))]);
        let name = if self.stored.is_some() { "Change …" } else { "Set it up …" };
        html! {
            @match &self.stored {
                None => p { "Nothing yet: alerts wait." },
                Some(stored) => dl.facts {
                    dt { "Every ticket" } dd { (listed(&stored.defaults)) }
                    @for (severity, values) in &stored.by_severity { dt { "Severity " (severity) } dd { (listed(values)) } }
                    @for (kind, values) in &stored.by_kind { dt { "Kind " (kind) } dd { (listed(values)) } }
                    dt { "Due" } dd { "after " (counted(stored.due_hours, "hour", "hours")) }
                    dt { "Companies that are not mapped" } dd { @match &stored.catch_all_account_id {
                        Some(account) => { "account " code { (account) } },
                        None => "their alerts wait",
                    } }
                },
            }
            @if visitor.may_change() {
                p.row {
                    a.button href=(edit) hx-get=(edit) hx-select="#mapping" hx-target="#mapping" hx-swap="outerHTML" hx-indicator="#reading" { (name) }
                    span.waiting id="reading" role="status" { "The PSA's own form of a ticket is read …" }
                    @if self.stored.is_some() { a.button.danger href={ (here(&self.connection.id)) "/remove" } { "Remove …" } }
                }
            }
        }
    }

    fn form(&self, visitor: &Visitor, form: &Form<'_>, fields: &Fields, read: &ReadForm) -> Markup {
        let here = here(&self.connection.id);
        html! {
            p.small { "The PSA's form as it was read on " (when::at(read.read_at, &self.connection.time_zone)) "." }
            form method="post" action=(here) {
                (field::ours(visitor))
                @let asked = html! {
                    fieldset { legend { "Every ticket" } (parts::defaults(form, fields, &read.form)) (needs::in_words(&read.form)) }
                    @for laid in LAID { (laid.shown(form, fields, &read.form)) }
                    h3 { "All tickets" }
                    div.laid {
                        @for (name, label, hint) in NUMBERS { (form.number(Ask { name, label, hint, pointer: &format!("/{name}") })) }
                        (form.choice(Ask { name: "on_resolve", label: "When an alert is over", hint: "", pointer: "/on_resolve" }, &RESOLVED))
                        (form.text(Ask { name: "catch_all_account_id", label: "Account for companies that are not mapped",
                            hint: "The id of an active account of the PSA, such as your own. Empty: their alerts wait.", pointer: "/catch_all_account_id" }))
                    }
                };
                (form.of_version(&with_query(&here, &[("edit", Some("yes"))])))
                (asked)
                p.row { button type="submit" { "Save" } a.button.plain href=(here) { "Cancel" } }
            }
            details open[self.accounts.was_asked()] {
                summary { "Look for the account for companies that are not mapped" }
                p.hint { "Choosing one loads the page anew: save first what you have changed above." }
                (self.accounts.shown(&here, &[("edit", "yes")]))
            }
        }
    }
}

fn listed(values: &std::collections::BTreeMap<String, String>) -> Markup {
    html! {
        @for (number, (field, value)) in values.iter().enumerate() { @if number > 0 { ", " } (field) " " code { (value) } }
        @if values.is_empty() { "nothing" }
    }
}

pub(super) async fn show(
    visitor: Visitor,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    Query(done): Query<Done>,
) -> Result<Markup, Trouble> {
    let scene = Scene::read(&visitor.api(), &id, &which).await?;
    let mut fields = scene.fields();
    if !which.account.is_empty() {
        fields = fields.with("catch_all_account_id", &which.account);
    }
    Ok(scene.shown(&visitor, &Form::new(&fields, None), &fields, &done.said(&DONE)))
}

pub(super) async fn save(Path(id): Path<String>, posted: Posted) -> Result<Response, Trouble> {
    let Posted { visitor, fields } = posted;
    let api = visitor.api();
    match api.put_over(&in_api(&id), &sent(&fields), field::version(&fields)).await {
        Ok(()) => Ok(Redirect::to(&with_query(&here(&id), &[("done", Some("saved"))])).into_response()),
        Err(trouble) if trouble.can_be_mended() => {
            let which = Which { edit: "yes".to_owned(), ..Which::default() };
            let scene = Scene::read(&api, &id, &which).await?;
            let page = scene.shown(&visitor, &Form::new(&fields, Some(&trouble)), &fields, &html! {});
            Ok((trouble.status, page).into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

fn sent(fields: &Fields) -> Value {
    let mut body = Map::new();
    body.insert("defaults".to_owned(), parts::values(fields, "d."));
    body.extend(LAID.into_iter().map(|laid| laid.sent(fields)));
    for (name, ..) in NUMBERS {
        if let Some(text) = fields.some(name) {
            body.insert(name.to_owned(), rule::number_in(text));
        }
    }
    for name in ["on_resolve", "catch_all_account_id"] {
        if let Some(text) = fields.some(name) {
            body.insert(name.to_owned(), text.into());
        }
    }
    body.into()
}
