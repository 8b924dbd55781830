//! Making a ticket, and changing its status: one request each, never repeated.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::form::{FIELDS, LOCATION, STATUS, end};
use super::lookups::Location;
use super::text::{harmless, with_reference};
use super::{Desk, refused};
use crate::domain::ids::TicketId;
use crate::psa::kaseya_bms::client::{Ask, Client};
use crate::psa::kaseya_bms::template::Template;
use crate::psa::{NewTicket, PsaError, WriteError};

pub(super) async fn open(desk: &Desk, client: &Client, ticket: &NewTicket) -> Result<Option<TicketId>, WriteError> {
    let body = body(desk, client, ticket).await.map_err(WriteError::NotSent)?;
    let made = client.write(&Ask::of(Template::PostTicket).body(body).explained_by(refused::of_new)).await?;
    Ok(made.row(Template::PostTicket).and_then(|row| row.reference("id", Template::PostTicket)).ok())
}

/// The status of tickets that are done, found by its name.
pub(super) async fn complete(desk: &Desk, client: &Client, id: &TicketId) -> Result<(), WriteError> {
    let number = number(id.as_str()).map_err(WriteError::NotSent)?;
    let statuses = desk.statuses(client).await.map_err(WriteError::NotSent)?;
    let end = end(statuses).ok_or_else(|| WriteError::NotSent(refused::no_end()))?;
    set_status(client, number, end.id).await
}

pub(super) async fn reopen(
    client: &Client,
    id: &TicketId,
    fields: &BTreeMap<String, String>,
) -> Result<(), WriteError> {
    let asked = || {
        let status = fields.get(STATUS).ok_or_else(|| refused::field_required(&[STATUS]))?;
        Ok((number(id.as_str())?, choice(STATUS, status)?))
    };
    let (number, status) = asked().map_err(WriteError::NotSent)?;
    set_status(client, number, status).await
}

/// A JSON patch. The path is spelt as public clients of the live service do.
async fn set_status(client: &Client, ticket: i64, status: i64) -> Result<(), WriteError> {
    let patch = json!([{ "op": "replace", "path": format!("/{STATUS}"), "value": status }]);
    let ask = Ask::about(Template::PatchTicket, ticket).body(patch).explained_by(refused::of_one);
    client.write(&ask).await.map(drop)
}

async fn body(desk: &Desk, client: &Client, ticket: &NewTicket) -> Result<Value, PsaError> {
    let mut body = Map::new();
    for (field, value) in &ticket.fields {
        let known = FIELDS.iter().find(|known| *known == field).ok_or_else(|| refused::field_unusable(field, value))?;
        body.insert((*known).to_owned(), choice(known, value)?.into());
    }
    body.insert("AccountId".to_owned(), number(ticket.account.as_str())?.into());
    body.insert("Title".to_owned(), harmless(&ticket.title).into());
    body.insert("Details".to_owned(), with_reference(&ticket.text, &ticket.reference).into());
    body.insert("OpenDate".to_owned(), instant(ticket.opened).into());
    body.insert("DueDate".to_owned(), instant(ticket.due).into());
    if !body.contains_key(LOCATION) {
        let locations = desk.locations(client, &ticket.account).await?;
        let location = usual(&locations).ok_or_else(refused::no_location)?;
        body.insert(LOCATION.to_owned(), location.id.into());
    }
    Ok(Value::Object(body))
}

/// The main location of an account; where none is marked, its only or first one.
fn usual(locations: &[Location]) -> Option<&Location> {
    locations.iter().find(|location| location.is_main).or(locations.first())
}

/// A choice's id. The specification has 32 bits.
fn choice(field: &str, value: &str) -> Result<i64, PsaError> {
    let id = value.parse::<i32>().ok().filter(|id| *id >= 0);
    id.map(i64::from).ok_or_else(|| refused::field_unusable(field, value))
}

pub(super) fn number(id: &str) -> Result<i64, PsaError> {
    id.parse().map_err(|_| refused::id_invalid(id))
}

/// An instant in UTC to the second, as BMS's own are.
pub(super) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_stands_at_the_main_location_or_at_the_first() {
        let place = |id, is_main| Location { id, name: String::new(), is_main };
        let at = |places: &[Location]| usual(places).map(|location| location.id);
        assert_eq!(at(&[place(1, false), place(2, true), place(3, true)]), Some(2));
        assert_eq!(at(&[place(4, false), place(5, false)]), Some(4));
        assert_eq!(at(&[]), None);
    }

    #[test]
    fn what_can_be_no_choice_of_bms_is_not_sent() {
        assert_eq!(choice("SourceId", "0"), Ok(0));
        for value in ["", "-1", "2147483648", "High", "1.0", " 1"] {
            assert_eq!(choice("SourceId", value).unwrap_err().code, "psa_ticket_choice_unknown", "{value}");
        }
    }

    #[test]
    fn instants_are_sent_in_utc_to_the_second() {
        assert_eq!(instant("2026-11-20T13:00:00.987654+01:00".parse().unwrap()), "2026-11-20T12:00:00Z");
    }
}
