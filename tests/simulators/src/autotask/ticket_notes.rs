//! Notes on tickets: the rows, and the rules of adding one.

use serde_json::{Map, Value};

use super::bodies::{int, text};
use super::cell::Cell;
use super::entity::Entity;
use super::errors::Refusal;
use super::schema::{Field, Kind, Row};
use super::ticket_lists::offers;
use super::world::World;
use Kind::{Integer, Long, String as Text};

const FIRST_NOTE: i64 = 880_001;
const TITLE_LENGTH: usize = 250;
const TEXT_LENGTH: usize = 32_000;

/// A note on a ticket.
#[derive(Clone, Debug)]
pub(crate) struct TicketNote {
    pub(crate) id: i64,
    pub(crate) ticket_id: i64,
    pub(crate) kind: i64,
    pub(crate) publish: i64,
    pub(crate) title: String,
    pub(crate) description: String,
}

impl World {
    /// Adds a note that was sent over the API. Answers its id.
    pub(super) fn create_ticket_note(&mut self, ticket: i64, body: &Map<String, Value>) -> Result<i64, Refusal> {
        if int(body, "ticketID")?.is_some_and(|named| named != ticket) || !self.tickets.contains_key(&ticket) {
            return Err(Refusal::Reference { field: "ticketID", entity: "Ticket" });
        }
        let picked = |field: &'static str| {
            let value = int(body, field)?.ok_or(Refusal::Required(field))?;
            let offered = offers(Entity::TicketNotes, field, value, None);
            if offered { Ok(value) } else { Err(Refusal::Picklist { value, field }) }
        };
        let (kind, publish) = (picked("noteType")?, picked("publish")?);
        let description = text(body, "description")?.filter(|text| !text.is_empty());
        let description = description.ok_or(Refusal::Required("description"))?;
        let title = text(body, "title")?.unwrap_or_default();
        for (field, text, length) in [("title", &title, TITLE_LENGTH), ("description", &description, TEXT_LENGTH)] {
            if text.chars().count() > length {
                return Err(Refusal::TooLong { field, length });
            }
        }
        let id = self.ticket_notes.last_key_value().map_or(FIRST_NOTE, |(last, _)| last + 1);
        self.ticket_notes.insert(id, TicketNote { id, ticket_id: ticket, kind, publish, title, description });
        Ok(id)
    }
}

impl Row for TicketNote {
    const SINGULAR: &'static str = Entity::TicketNotes.singular();
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("id", Long, |n| Cell::Int(n.id)).required(),
        Field::<Self>::new("description", Text, |n| Cell::Text(&n.description)).length(32000).required().writable(),
        Field::<Self>::new("noteType", Integer, |n| Cell::Int(n.kind)).required().writable(),
        Field::<Self>::new("publish", Integer, |n| Cell::Int(n.publish)).required().writable(),
        Field::<Self>::new("ticketID", Integer, |n| Cell::Int(n.ticket_id)).refers_to("Ticket").required().writable(),
        Field::<Self>::new("title", Text, |n| Cell::Text(&n.title)).length(250).writable(),
    ];

    fn id(&self) -> i64 {
        self.id
    }
}
