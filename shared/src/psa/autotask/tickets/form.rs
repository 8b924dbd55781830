//! The form of a new ticket: its fields, what may be chosen for each, and what they need beside each other.
//!
//! What a ticket category requires beyond this no call of Autotask's tells (unconfirmed): it shows when a ticket is refused.

use super::super::client::{Client, Entity};
use super::super::query::{self, Operator, Query};
use super::super::wire::{Fields, Loose, ResourceRow, RoleRow, Row as _};
use crate::psa::PsaError;
use crate::psa::error::PERMISSION_MISSING;
use crate::psa::tickets::{FieldRule, FieldValue, TicketField, TicketForm};

pub(super) const STATUS: &str = "status";
const QUEUE: &str = "queueID";
const RESOURCE: &str = "assignedResourceID";
const ROLE: &str = "assignedResourceRoleID";

/// The status of tickets that are done, in every tenant.
pub(super) const COMPLETE: i64 = 5;

/// The fields that a mapping may fill, with what Autotask's pages call them.
pub(super) const FIELDS: [(&str, &str); 10] = [
    (STATUS, "Status"),
    ("priority", "Priority"),
    (QUEUE, "Queue"),
    ("source", "Source"),
    ("ticketType", "Ticket type"),
    ("issueType", "Issue type"),
    ("subIssueType", "Sub-issue type"),
    ("ticketCategory", "Ticket category"),
    (RESOURCE, "Primary resource"),
    (ROLE, "Role of the primary resource"),
];

/// What people call a field.
pub(super) fn label(field: &str) -> Option<&'static str> {
    FIELDS.iter().find(|(id, _)| *id == field).map(|(_, label)| *label)
}

pub(super) async fn form(client: &Client) -> Result<TicketForm, PsaError> {
    let described: Fields = client.get(Entity::Tickets, "/entityInformation/fields").await?;
    let (resources, roles) = tokio::try_join!(unless_hidden(resources(client)), unless_hidden(roles(client)))?;
    let field = |(id, label): &(&str, &str)| TicketField {
        id: (*id).to_owned(),
        label: (*label).to_owned(),
        required: described.requires(id),
        values: match *id {
            RESOURCE => resources.clone(),
            ROLE => roles.clone(),
            _ => picks(&described, id),
        },
        depends_on: described.parent(id).and_then(|parent| called(&parent)),
    };
    let fields = FIELDS.iter().map(field).filter(|field| !field.values.is_empty()).collect();
    Ok(TicketForm { fields, rules: rules(!resources.is_empty() && !roles.is_empty()) })
}

/// A ticket stands in a queue or is somebody's, and nobody's without a role.
fn rules(may_be_assigned: bool) -> Vec<FieldRule> {
    let (queue, somebody) = (vec![QUEUE.to_owned()], vec![RESOURCE.to_owned(), ROLE.to_owned()]);
    if may_be_assigned {
        vec![FieldRule::AnyOf(vec![queue, somebody.clone()]), FieldRule::Together(somebody)]
    } else {
        vec![FieldRule::AnyOf(vec![queue])]
    }
}

/// A field as it is called here, however Autotask spells it.
fn called(field: &str) -> Option<String> {
    FIELDS.iter().find(|(id, _)| id.eq_ignore_ascii_case(field)).map(|(id, _)| (*id).to_owned())
}

/// The active values of a picklist. A new ticket that is done at once is nobody's wish.
fn picks(described: &Fields, id: &str) -> Vec<FieldValue> {
    let may_be_chosen = |value: &FieldValue| id != STATUS || value.id != COMPLETE.to_string();
    let active = described.picklist(id).iter().filter(|pick| pick.is_active.flag() != Some(false));
    let value = active.filter_map(|pick| {
        Some(FieldValue {
            id: pick.value.whole()?.to_string(),
            label: pick.label.text()?,
            is_default: pick.is_default_value.flag() == Some(true),
            parent: pick.parent_value.whole().map(|parent| parent.to_string()),
        })
    });
    value.filter(may_be_chosen).collect()
}

async fn resources(client: &Client) -> Result<Vec<FieldValue>, PsaError> {
    let rows = query::walk::<ResourceRow>(client, &active(Entity::Resources)).await?;
    let name = |row: &ResourceRow| {
        let names: Vec<String> = [&row.first_name, &row.last_name].into_iter().filter_map(Loose::text).collect();
        names.join(" ")
    };
    rows.iter().filter(|row| row.active.flag() == Some(true)).map(|row| value(row.id()?, name(row))).collect()
}

async fn roles(client: &Client) -> Result<Vec<FieldValue>, PsaError> {
    let rows = query::walk::<RoleRow>(client, &active(Entity::Roles)).await?;
    let active = rows.iter().filter(|row| row.active.flag() == Some(true));
    active.map(|row| value(row.id()?, row.name.text().unwrap_or_default())).collect()
}

fn active(entity: Entity) -> Query {
    Query::of(entity).and("isActive", Operator::Eq, true)
}

fn value(id: i64, label: String) -> Result<FieldValue, PsaError> {
    Ok(FieldValue { id: id.to_string(), label, is_default: false, parent: None })
}

/// Nothing, where the user may not see it: tickets can go to a queue then.
async fn unless_hidden(
    read: impl Future<Output = Result<Vec<FieldValue>, PsaError>>,
) -> Result<Vec<FieldValue>, PsaError> {
    match read.await {
        Err(error) if error.code == PERMISSION_MISSING => Ok(vec![]),
        read => read,
    }
}
