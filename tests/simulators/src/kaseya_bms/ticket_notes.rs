//! Notes on tickets: making one, and those of a ticket.
//!
//! Owns the note's rules. Of a note's status and of who is told by mail nothing is kept.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::envelope::Refusal;
use super::members::Members;
use super::picklists::{self, NOTE_TYPES};
use super::stamps::Stamps;
use super::switches::Switches;
use super::tickets::moment;
use super::world::World;

/// A note as the tenant holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are the API's own")]
pub struct TicketNote {
    pub id: i64,
    pub ticket_id: i64,
    pub details: String,
    pub is_internal: bool,
    pub type_id: i64,
    /// Date and time without a zone.
    pub note_date: String,
    pub created_by: String,
    pub created_at: Timestamp,
}

impl World {
    /// `POST /v2/servicedesk/tickets/{ticketId}/notes`.
    pub(crate) fn add_note(
        &mut self,
        ticket_id: i64,
        body: &Value,
        by: &str,
        at: Timestamp,
    ) -> Result<TicketNote, Refusal> {
        self.ticket(ticket_id)?;
        let object = body.as_object().ok_or_else(|| Refusal::invalid("The body must be an object."))?;
        let sent = Members::of_object(object);
        let missing =
            ["Details", "IsInternal", "NoteDate", "TypeId"].into_iter().filter(|name| sent.value(name).is_none());
        let missing: Vec<_> = missing.map(|name| format!("The {name} field is required.")).collect();
        if !missing.is_empty() {
            return Err(Refusal::Invalid(missing));
        }
        let type_id = sent.int("TypeId")?.unwrap_or_default();
        if picklists::name(&NOTE_TYPES, Some(type_id)).is_none() {
            return Err(Refusal::invalid(format!("TypeId {type_id} does not exist.")));
        }
        let note = TicketNote {
            id: self.notes.last_key_value().map_or(300_001, |(last, _)| last + 1),
            ticket_id,
            details: sent.text("Details").unwrap_or_default(),
            is_internal: sent.flag("IsInternal")?.unwrap_or_default(),
            type_id,
            note_date: moment(&sent, "NoteDate")?.unwrap_or_default(),
            created_by: by.to_owned(),
            created_at: at,
        };
        self.notes.insert(note.id, note.clone());
        Ok(note)
    }

    /// The notes of a ticket, oldest first.
    pub(crate) fn notes_of(&self, ticket_id: i64) -> Result<impl Iterator<Item = &TicketNote>, Refusal> {
        self.ticket(ticket_id)?;
        Ok(self.notes.values().filter(move |note| note.ticket_id == ticket_id))
    }
}

impl TicketNote {
    /// A note as the API shows it.
    pub(crate) fn shown(&self, switches: &Switches) -> Value {
        let created = Stamps::of(switches).instant(self.created_at);
        json!({
            "Id": self.id,
            "CreatedOn": created,
            "ModifiedOn": created,
            "Details": switches.ticket_text.shown(&self.details),
            "IsInternal": self.is_internal,
            "TypeId": self.type_id,
            "TypeName": picklists::name(&NOTE_TYPES, Some(self.type_id)),
            "CreatedByName": self.created_by,
            "Attachments": [],
        })
    }
}
