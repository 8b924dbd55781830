//! Notes on tickets, for the partner's own people alone.
//!
//! A note of BMS has no title: ours is the first line of its details, as our reference is the last.

use std::collections::BTreeSet;

use serde_json::json;

use super::text::{harmless, references, with_reference};
use super::write::{instant, number};
use super::{Desk, refused};
use crate::domain::ids::TicketId;
use crate::psa::kaseya_bms::client::{Ask, Client};
use crate::psa::kaseya_bms::pages::Listing;
use crate::psa::kaseya_bms::template::Template;
use crate::psa::{NewNote, PsaError, WriteError};

/// A request for each 100 notes of the ticket.
pub(super) async fn find(
    client: &Client,
    id: &TicketId,
    wanted: &BTreeSet<String>,
) -> Result<BTreeSet<String>, PsaError> {
    let mut found = BTreeSet::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let notes = Listing::about(Template::TicketNotes, number(id.as_str())?).walk(client).await?;
    for note in notes.into_values() {
        found.extend(references(&note.text("details").unwrap_or_default()));
    }
    found.retain(|reference| wanted.contains(reference));
    Ok(found)
}

pub(super) async fn add(desk: &Desk, client: &Client, id: &TicketId, note: &NewNote) -> Result<(), WriteError> {
    let ask = async {
        let number = number(id.as_str())?;
        let body = json!({
            "Details": format!("{}\n{}", harmless(&note.title), with_reference(&note.text, &note.reference)),
            "IsInternal": true,
            "NoteDate": instant(client.clock.now()),
            "TypeId": desk.note_type(client).await?,
        });
        Ok(Ask::about(Template::PostTicketNote, number).body(body).explained_by(refused::of_one))
    };
    client.write(&ask.await.map_err(WriteError::NotSent)?).await.map(drop)
}
