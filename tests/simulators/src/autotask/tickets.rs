//! Tickets of the service desk: the rows, and the rules of writing one.
//!
//! Owns the table behind `Tickets`. All checks come before the first change; what a ticket lacks is said of all its fields at
//! once. The words for a missing field, a missing queue and a resource without a role are those of live tenants.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::bodies::{int, text};
use super::cell::{Cell, day_and_seconds};
use super::entity::Entity;
use super::errors::Refusal;
use super::fields::empty;
use super::filter::unexpected;
use super::schema::{Field, Kind, Row};
use super::switches::{Effect, Switches};
use super::ticket_lists::{COMPLETE, NEW, STANDARD, needed_by, offers};
use super::world::World;
use Kind::{DateTime, Integer, Long, String as Text};

const FIRST_TICKET: i64 = 128_001;
const TITLE_LENGTH: usize = 255;
const DESCRIPTION_LENGTH: usize = 8_000;
const EXTERNAL_ID_LENGTH: usize = 50;

/// A ticket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticket {
    pub(crate) id: i64,
    pub(crate) number: String,
    pub(crate) company_id: i64,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) external_id: String,
    pub(crate) due: String,
    pub(crate) created: String,
    pub(crate) status: i64,
    pub(crate) priority: i64,
    pub(crate) category: i64,
    pub(crate) queue: Option<i64>,
    pub(crate) source: Option<i64>,
    pub(crate) kind: Option<i64>,
    pub(crate) issue_type: Option<i64>,
    pub(crate) sub_issue_type: Option<i64>,
    pub(crate) resource: Option<i64>,
    pub(crate) role: Option<i64>,
}

/// A ticket, for tests to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TicketView {
    /// Its id.
    pub id: i64,
    /// What people call it.
    pub number: String,
    /// Whose it is.
    pub company_id: i64,
    /// Its title.
    pub title: String,
    /// Its text.
    pub description: String,
    /// Its `externalID`, where an integration keeps its own name of it.
    pub reference: String,
    /// When it is due.
    pub due: String,
    /// Its status.
    pub status: i64,
    /// Its priority.
    pub priority: i64,
    /// Its queue.
    pub queue: Option<i64>,
    /// Texts of its notes, oldest first.
    pub notes: Vec<String>,
}

impl World {
    /// Adds a ticket that was sent over the API. Answers its id.
    pub(super) fn create_ticket(&mut self, body: &Map<String, Value>, at: Timestamp) -> Result<i64, Refusal> {
        let category = int(body, "ticketCategory")?.unwrap_or(STANDARD);
        let always = ["companyID", "title", "status", "priority", "dueDateTime"];
        let lacking: Vec<&'static str> = always
            .iter()
            .chain(needed_by(category))
            .copied()
            .filter(|field| super::filter::key(body, field).is_none_or(Value::is_null))
            .collect();
        if !lacking.is_empty() {
            return Err(Refusal::Lacking(lacking));
        }
        let id = self.tickets.last_key_value().map_or(FIRST_TICKET, |(last, _)| last + 1);
        let fresh = Ticket {
            id,
            number: format!("T{}.{id}", at.strftime("%Y%m%d")),
            created: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            status: NEW,
            category,
            ..Ticket::default()
        };
        let ticket = self.filled(fresh, body)?;
        self.tickets.insert(id, ticket);
        Ok(id)
    }

    /// Changes a ticket by what a body names. Answers its id.
    pub(super) fn patch_ticket(&mut self, body: &Map<String, Value>, switches: &Switches) -> Result<i64, Refusal> {
        let id = int(body, "id")?.ok_or(Refusal::Required("id"))?;
        let known = self.tickets.get(&id).ok_or(Refusal::Reference { field: "id", entity: "Ticket" })?;
        let ticket = self.filled(known.clone(), body)?;
        // A workflow rule of the tenant's may undo it in the same moment.
        if switches.patch_ticket == Effect::Applied {
            self.tickets.insert(id, ticket);
        }
        Ok(id)
    }

    fn filled(&self, mut ticket: Ticket, body: &Map<String, Value>) -> Result<Ticket, Refusal> {
        for (field, length, place) in [
            ("title", TITLE_LENGTH, &mut ticket.title),
            ("description", DESCRIPTION_LENGTH, &mut ticket.description),
            ("externalID", EXTERNAL_ID_LENGTH, &mut ticket.external_id),
        ] {
            if let Some(text) = text(body, field)? {
                if text.chars().count() > length {
                    return Err(Refusal::TooLong { field, length });
                }
                *place = text;
            }
        }
        if let Some(due) = text(body, "dueDateTime")? {
            day_and_seconds(&due).ok_or_else(|| unexpected(&due.clone().into()))?;
            ticket.due = due;
        }
        ticket.company_id = int(body, "companyID")?.unwrap_or(ticket.company_id);
        if !self.companies.get(&ticket.company_id).is_some_and(|company| company.active) {
            return Err(Refusal::Reference { field: "companyID", entity: "Company" });
        }
        ticket.issue_type = picked(body, "issueType", ticket.issue_type, None)?;
        ticket.sub_issue_type = picked(body, "subIssueType", ticket.sub_issue_type, ticket.issue_type)?;
        ticket.queue = picked(body, "queueID", ticket.queue, None)?;
        ticket.source = picked(body, "source", ticket.source, None)?;
        ticket.kind = picked(body, "ticketType", ticket.kind, None)?;
        ticket.status = picked(body, "status", Some(ticket.status), None)?.unwrap_or(NEW);
        ticket.priority = picked(body, "priority", Some(ticket.priority), None)?.unwrap_or_default();
        ticket.category = picked(body, "ticketCategory", Some(ticket.category), None)?.unwrap_or(STANDARD);
        ticket.resource = int(body, "assignedResourceID")?.or(ticket.resource);
        ticket.role = int(body, "assignedResourceRoleID")?.or(ticket.role);
        if ticket.resource.is_some() != ticket.role.is_some() {
            return Err(Refusal::ResourceWithoutRole);
        }
        if ticket.resource.is_none() && ticket.queue.is_none() {
            return Err(Refusal::NoQueue);
        }
        let is_active = |id: &i64| self.resources.get(id).is_some_and(|resource| resource.active);
        if !ticket.resource.as_ref().is_none_or(is_active) {
            return Err(Refusal::Reference { field: "assignedResourceID", entity: "Resource" });
        }
        Ok(ticket)
    }

    pub(super) fn complete_tickets(&mut self) {
        self.tickets.values_mut().for_each(|ticket| ticket.status = COMPLETE);
    }

    /// Every ticket with its notes, in order of id.
    pub(super) fn ticket_views(&self) -> Vec<TicketView> {
        let notes = |id: i64| {
            let of_it = self.ticket_notes.values().filter(move |note| note.ticket_id == id);
            of_it.map(|note| format!("{}\n{}", note.title, note.description)).collect()
        };
        let view = |ticket: &Ticket| TicketView {
            id: ticket.id,
            number: ticket.number.clone(),
            company_id: ticket.company_id,
            title: ticket.title.clone(),
            description: ticket.description.clone(),
            reference: ticket.external_id.clone(),
            due: ticket.due.clone(),
            status: ticket.status,
            priority: ticket.priority,
            queue: ticket.queue,
            notes: notes(ticket.id),
        };
        self.tickets.values().map(view).collect()
    }
}

impl TicketView {
    /// Whether the work on it is done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.status == COMPLETE
    }
}

/// What a body chooses for a field, or what is chosen already.
fn picked(
    body: &Map<String, Value>,
    field: &'static str,
    present: Option<i64>,
    parent: Option<i64>,
) -> Result<Option<i64>, Refusal> {
    match int(body, field)? {
        Some(value) if !offers(Entity::Tickets, field, value, parent) => Err(Refusal::Picklist { value, field }),
        sent => Ok(sent.or(present)),
    }
}

impl Row for Ticket {
    const SINGULAR: &'static str = Entity::Tickets.singular();
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("id", Long, |t| Cell::Int(t.id)).required(),
        Field::<Self>::new("assignedResourceID", Integer, |t| Cell::maybe(t.resource)).refers_to("Resource").writable(),
        Field::<Self>::new("assignedResourceRoleID", Integer, |t| Cell::maybe(t.role)).refers_to("Role").writable(),
        empty("billingCodeID", Integer).refers_to("BillingCode").writable(),
        Field::<Self>::new("companyID", Integer, |t| Cell::Int(t.company_id))
            .refers_to("Company")
            .required()
            .writable(),
        empty("contactID", Integer).refers_to("Contact").writable(),
        Field::<Self>::new("createDate", DateTime, |t| Cell::Text(&t.created)),
        Field::<Self>::new("description", Text, |t| Cell::Text(&t.description)).length(8000).writable(),
        Field::<Self>::new("dueDateTime", DateTime, |t| Cell::Text(&t.due)).writable(),
        Field::<Self>::new("externalID", Text, |t| Cell::Text(&t.external_id)).length(50).writable(),
        Field::<Self>::new("issueType", Integer, |t| Cell::maybe(t.issue_type)).writable(),
        Field::<Self>::new("priority", Integer, |t| Cell::Int(t.priority)).required().writable(),
        Field::<Self>::new("queueID", Integer, |t| Cell::maybe(t.queue)).writable(),
        Field::<Self>::new("source", Integer, |t| Cell::maybe(t.source)).writable(),
        Field::<Self>::new("status", Integer, |t| Cell::Int(t.status)).required().writable(),
        Field::<Self>::new("subIssueType", Integer, |t| Cell::maybe(t.sub_issue_type)).writable(),
        Field::<Self>::new("ticketCategory", Integer, |t| Cell::Int(t.category)).writable(),
        Field::<Self>::new("ticketNumber", Text, |t| Cell::Text(&t.number)).length(50),
        Field::<Self>::new("ticketType", Integer, |t| Cell::maybe(t.kind)).writable(),
        Field::<Self>::new("title", Text, |t| Cell::Text(&t.title)).length(255).required().writable(),
    ];

    fn id(&self) -> i64 {
        self.id
    }
}
