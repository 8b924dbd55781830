//! Making a ticket, and changing its status: one request each, never repeated.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::charges::{fits, number};
use super::super::client::{Client, Entity};
use super::super::settle::settle;
use super::super::wire::{self, Row as _, TicketRow};
use super::form::{COMPLETE, STATUS, label};
use super::refused;
use crate::domain::ids::TicketId;
use crate::psa::tickets::{BEFORE_REFERENCE, LONGEST_TICKET_TEXT, LONGEST_TICKET_TITLE};
use crate::psa::{NewTicket, PsaError, WriteError};

/// Where both tickets and their changes go.
const TICKETS: &str = "Tickets";

pub(super) async fn open(client: &Client, ticket: &NewTicket) -> Result<Option<TicketId>, WriteError> {
    let body = body(ticket).map_err(WriteError::NotSent)?;
    let made = settle(client.create(Entity::Tickets, TICKETS, &body).await, client.mask());
    Ok(made.map_err(refused::explained)?.and_then(|id| wire::id(TicketRow::NAME, id).ok()))
}

pub(super) async fn complete(client: &Client, id: &TicketId) -> Result<(), WriteError> {
    set_status(client, id, Ok(COMPLETE)).await
}

pub(super) async fn reopen(
    client: &Client,
    id: &TicketId,
    fields: &BTreeMap<String, String>,
) -> Result<(), WriteError> {
    let status = fields.get(STATUS).ok_or_else(|| refused::fields_required(&[STATUS]));
    set_status(client, id, status.and_then(|status| choice(STATUS, status))).await
}

async fn set_status(client: &Client, id: &TicketId, status: Result<i64, PsaError>) -> Result<(), WriteError> {
    let asked = || Ok(json!({"id": number(id.as_str())?, STATUS: status?}));
    let body = asked().map_err(WriteError::NotSent)?;
    let changed = settle(client.change(Entity::Tickets, TICKETS, &body).await, client.mask());
    changed.map(drop).map_err(refused::explained)
}

fn body(ticket: &NewTicket) -> Result<Value, PsaError> {
    let NewTicket { account, reference, title, text, opened: _, due, fields } = ticket;
    let mut body = Map::new();
    for (field, value) in fields {
        body.insert(field.clone(), choice(field, value)?.into());
    }
    let description = signed(text, reference);
    fits("title of a ticket", title, 1, LONGEST_TICKET_TITLE)?;
    fits("description of a ticket", &description, 1, LONGEST_TICKET_TEXT)?;
    body.insert("companyID".to_owned(), number(account.as_str())?.into());
    body.insert("title".to_owned(), title.as_str().into());
    body.insert("description".to_owned(), description.into());
    body.insert("externalID".to_owned(), reference.as_str().into());
    // Required of every ticket whose category does not set it.
    body.insert("dueDateTime".to_owned(), instant(*due).into());
    Ok(Value::Object(body))
}

/// A text with our reference as its last line.
pub(super) fn signed(text: &str, reference: &str) -> String {
    format!("{text}\n\n{BEFORE_REFERENCE} {reference}")
}

/// What is chosen for a field of the mapping.
fn choice(field: &str, value: &str) -> Result<i64, PsaError> {
    let known = label(field).and_then(|_| value.parse().ok());
    known.ok_or_else(|| refused::field_unusable(field, value))
}

/// Autotask keeps all times in UTC.
fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
