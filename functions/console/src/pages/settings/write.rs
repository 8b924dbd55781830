//! A webhook is made or changed: its address, what it is told of, and of which connections.

use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde_json::{Value, json};
use shared::api::Fault;
use shared::events::EventKind;

use super::{address, done, of_api, rotate, webhook};
use crate::client::Trouble;
use crate::client::told::connection::Connection;
use crate::client::told::webhook::Webhook;
use crate::door::{Fields, Posted, Visitor};
use crate::pages::connections_of;
use crate::view::field::{self, Ask, Form};
use crate::view::only_looks;
use crate::view::page::{Page, Place};

/// The API's name of the place that the webhook's name stands at.
const NAME_POINTER: &str = "path:webhook";

const NAME: Ask<'static> = Ask {
    name: "name",
    label: "Name",
    hint: "What you call it, such as desk. It can't be changed later.",
    pointer: NAME_POINTER,
};
const URL: Ask<'static> = Ask {
    name: "url",
    label: "Address",
    hint: "https, at port 443, of a public host: no IP address. It is asked by POST.",
    pointer: "/url",
};
const ON: Ask<'static> = Ask {
    name: "enabled",
    label: "Send to it",
    hint: "Without it the webhook is silent. What happens meanwhile is not sent later.",
    pointer: "/enabled",
};

pub(super) async fn new(visitor: Visitor) -> Result<Markup, Trouble> {
    let connections = connections_of(&visitor.api()).await?;
    Ok(form(&visitor, None, &connections, &Fields::default().with("enabled", "on"), None))
}

pub(super) async fn make(Posted { visitor, fields }: Posted) -> Result<Response, Trouble> {
    let api = visitor.api();
    let name = fields.get("name");
    let made = match taken(&visitor, name).await? {
        Some(trouble) => Err(trouble),
        None => api.send::<Webhook>(Method::PUT, &of_api(name, &[]), &typed(&fields)).await,
    };
    match made {
        Ok(made) => match &made.secret {
            Some(secret) => Ok(rotate::shown(&visitor, &made, "Your webhook is made", secret).into_response()),
            None => Ok(done(&made.id, "saved")),
        },
        Err(trouble) if trouble.can_be_mended() => {
            let connections = connections_of(&api).await?;
            Ok((trouble.status, form(&visitor, None, &connections, &fields, Some(&trouble))).into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

/// What is said where the name is no name, or another webhook has it: to put it would change that one.
async fn taken(visitor: &Visitor, name: &str) -> Result<Option<Trouble>, Trouble> {
    let detail = if name.is_empty() {
        "is required"
    } else if visitor.api().find::<Webhook>(&of_api(name, &[])).await.or_else(none_of_that_name)?.is_some() {
        "is taken: there is a webhook of that name. Its secret was shown when it was made; its page can replace it"
    } else {
        return Ok(None);
    };
    let trouble = Trouble::of_form("The webhook can't be made so.");
    let errors = vec![Fault::new(NAME_POINTER, detail)];
    Ok(Some(Trouble { status: StatusCode::UNPROCESSABLE_ENTITY, fix: None, errors, ..trouble }))
}

/// A name that can't be one is told at its field when the webhook is put.
fn none_of_that_name(trouble: Trouble) -> Result<Option<Webhook>, Trouble> {
    if trouble.status.is_client_error() { Ok(None) } else { Err(trouble) }
}

pub(super) async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let (webhook, connections) = tokio::join!(webhook(&api, &id), connections_of(&api));
    let (webhook, connections) = (webhook?, connections?);
    let events = webhook.events.iter().fold(Fields::default(), |fields, event| fields.and("events", event.as_str()));
    let fields = webhook.connections.iter().fold(events, |fields, id| fields.and("connections", id));
    let fields = fields.with("url", &webhook.url);
    // One that was switched off because it failed is put right here: it shall be on again.
    let on = webhook.enabled || webhook.switched_off.is_some();
    let fields = if on { fields.with("enabled", "on") } else { fields };
    Ok(form(&visitor, Some(&webhook), &connections, &fields, None))
}

pub(super) async fn change(Path(id): Path<String>, Posted { visitor, fields }: Posted) -> Result<Response, Trouble> {
    let api = visitor.api();
    let webhook = webhook(&api, &id).await?;
    match api.tell(Method::PUT, &of_api(&id, &[]), &typed(&fields)).await {
        Ok(()) => Ok(done(&id, "saved")),
        Err(trouble) if trouble.can_be_mended() => {
            let connections = connections_of(&api).await?;
            Ok((trouble.status, form(&visitor, Some(&webhook), &connections, &fields, Some(&trouble))).into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

fn typed(fields: &Fields) -> Value {
    let mut body = json!({
        "url": fields.get("url"),
        "events": fields.all("events"),
        "enabled": fields.is_on("enabled"),
    });
    let connections = fields.all("connections");
    if let (false, Some(body)) = (connections.is_empty(), body.as_object_mut()) {
        body.insert("connections".to_owned(), json!(connections));
    }
    body
}

fn form(
    visitor: &Visitor,
    changes: Option<&Webhook>,
    connections: &[Connection],
    fields: &Fields,
    trouble: Option<&Trouble>,
) -> Markup {
    let title = if changes.is_some() { "Change a webhook" } else { "Make a webhook" };
    let page = Page::new(visitor, Place::Settings, title);
    if !visitor.may_change() {
        return page.with(&only_looks());
    }
    let form = Form::new(fields, trouble);
    let to =
        changes.map_or_else(|| "/console/settings/webhooks".to_owned(), |webhook| address(&webhook.id, &["change"]));
    let back = changes.map_or_else(|| "/console/settings".to_owned(), |webhook| address(&webhook.id, &[]));
    page.with(&html! {
        (form.trouble())
        form.stacked method="post" action=(to) {
            (field::ours(visitor))
            @match changes { Some(webhook) => p { strong { (webhook.id) } }, None => (form.text(NAME)) }
            (form.text(URL))
            (events(fields, trouble))
            @if !connections.is_empty() { (of_connections(connections, fields, trouble)) }
            (form.tick(ON))
            div.row {
                button type="submit" { @if changes.is_some() { "Save" } @else { "Make it and show its secret" } }
                a.button.plain href=(back) { "Leave it" }
            }
        }
    })
}

fn events(fields: &Fields, trouble: Option<&Trouble>) -> Markup {
    let about = |kind| match kind {
        EventKind::RunSucceeded => "a run ended, and every line is as it should be or waits by rule",
        EventKind::RunPartial => "a run ended, and some lines failed, are unknown or were not reached",
        EventKind::RunFailed => "a run ended and nothing of it could be done",
        EventKind::CredentialsRejected => "the PSA refused the credentials of a connection",
        EventKind::FindingOpened => "something that a person must look at was found",
        EventKind::UsageStale => "no complete snapshot of a product has come for too long",
        EventKind::Digest => "once a day at 07:00, where something needs a person",
    };
    let each = EventKind::ALL.iter().map(|kind| (kind.as_str(), kind.as_str(), about(*kind)));
    boxes("Told of", "events", "", fields, trouble, &each.collect::<Vec<_>>())
}

fn of_connections(connections: &[Connection], fields: &Fields, trouble: Option<&Trouble>) -> Markup {
    let each = connections
        .iter()
        .filter(|connection| !connection.is_revoked() || fields.all("connections").contains(&connection.id));
    let each: Vec<_> = each.map(|connection| (connection.id.as_str(), connection.name.as_str(), "")).collect();
    let hint = "Tick none for all of them, those to come as well. UsageStale and Digest are of no connection, and are sent in any case.";
    boxes("Only of these connections", "connections", hint, fields, trouble, &each)
}

/// Boxes under one name: each with its value, what it is called, and what may be said of it.
fn boxes(
    legend: &str,
    name: &str,
    hint: &str,
    fields: &Fields,
    trouble: Option<&Trouble>,
    each: &[(&str, &str, &str)],
) -> Markup {
    let pointer = format!("/{name}");
    html! { fieldset {
        legend { (legend) }
        @if let Some(fault) = trouble.and_then(|trouble| trouble.at(&pointer)) { p.fault { (legend) " " (fault) } }
        @if !hint.is_empty() { p.hint { (hint) } }
        @for (value, label, about) in each { div.field.tick {
            input type="checkbox" id={ (name) "-" (value) } name=(name) value=(value)
                checked[fields.all(name).iter().any(|ticked| ticked == value)];
            label for={ (name) "-" (value) } { strong { (label) } @if !about.is_empty() { ": " (about) } }
        } }
    } }
}
