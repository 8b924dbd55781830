//! The picklists of tickets and their notes, and what a ticket's category asks for.
//!
//! Statuses 1 and 5 are every tenant's; all other numbers are made up, so that a client must read them. What a category
//! asks for stands in no metadata: it shows when a ticket is refused.

use serde_json::{Value, json};

use super::entity::Entity;

/// The status of new tickets.
pub(super) const NEW: i64 = 1;
/// The status of tickets that are done.
pub(super) const COMPLETE: i64 = 5;
/// The category that a ticket gets which names none.
pub(super) const STANDARD: i64 = 3;
/// The category whose tickets need more.
pub(super) const SECURITY: i64 = 101;

/// One value of a picklist.
struct Pick {
    value: i64,
    label: &'static str,
    parent: Option<i64>,
    is_default: bool,
    active: bool,
}

const fn pick(value: i64, label: &'static str) -> Pick {
    Pick { value, label, parent: None, is_default: false, active: true }
}

const fn below(parent: i64, value: i64, label: &'static str) -> Pick {
    Pick { parent: Some(parent), ..pick(value, label) }
}

const fn gone(value: i64, label: &'static str) -> Pick {
    Pick { active: false, ..pick(value, label) }
}

const fn usual(value: i64, label: &'static str) -> Pick {
    Pick { is_default: true, ..pick(value, label) }
}

type Picks = &'static [Pick];

const TICKET_LISTS: &[(&str, Picks)] = &[
    ("status", &[usual(NEW, "New"), pick(COMPLETE, "Complete"), pick(8, "In Progress"), gone(9, "Waiting Parts")]),
    ("priority", &[pick(1, "High"), usual(2, "Medium"), pick(3, "Low"), pick(4, "Critical")]),
    ("queueID", &[pick(29_683_481, "Monitoring"), pick(29_683_482, "Level I Support"), gone(29_683_483, "Old queue")]),
    ("source", &[pick(2, "Phone"), pick(4, "Email"), pick(8, "Monitoring Alert")]),
    ("ticketType", &[usual(1, "Service Request"), pick(2, "Incident"), pick(5, "Alert")]),
    ("issueType", &[pick(10, "Security"), pick(11, "Backup"), gone(12, "Fax")]),
    ("subIssueType", &[below(10, 136, "Malware"), below(10, 137, "Identity"), below(11, 140, "Failed backup")]),
    ("ticketCategory", &[usual(STANDARD, "Standard"), pick(SECURITY, "Security incident"), gone(102, "Former")]),
];

const NOTE_LISTS: &[(&str, Picks)] = &[
    ("noteType", &[gone(1, "Task Summary"), pick(3, "Task Notes"), pick(19, "Client Portal Note")]),
    ("publish", &[pick(1, "All Autotask Users"), pick(2, "Internal Project Team")]),
];

/// Which fields a category's tickets need besides those of all tickets.
pub(super) fn needed_by(category: i64) -> &'static [&'static str] {
    if category == SECURITY { &["issueType", "subIssueType"] } else { &[] }
}

/// Whether a value of a ticket's or a note's field may be chosen, beside what is chosen in the field that it depends on.
pub(super) fn offers(entity: Entity, field: &str, value: i64, parent: Option<i64>) -> bool {
    let found = lists(entity).iter().find(|(name, _)| *name == field).map_or(&[] as &[Pick], |(_, picks)| picks);
    found.iter().any(|pick| pick.value == value && pick.active && (pick.parent.is_none() || pick.parent == parent))
}

/// Puts the lists into an entity's field metadata.
pub(super) fn relist(entity: Entity, fields: &mut Value) {
    for (name, picks) in lists(entity) {
        for field in fields.as_array_mut().into_iter().flatten().filter(|field| field["name"] == *name) {
            field["isPickList"] = true.into();
            field["picklistValues"] = values(name, picks);
            if *name == "subIssueType" {
                field["picklistParentValueField"] = "issueType".into();
            }
        }
    }
}

fn lists(entity: Entity) -> &'static [(&'static str, Picks)] {
    match entity {
        Entity::Tickets => TICKET_LISTS,
        Entity::TicketNotes => NOTE_LISTS,
        _ => &[],
    }
}

fn values(field: &str, picks: Picks) -> Value {
    let value = |(order, pick): (usize, &Pick)| {
        let is_system = field == "status" && [NEW, COMPLETE].contains(&pick.value);
        json!({
            "value": pick.value.to_string(), "label": pick.label, "isDefaultValue": pick.is_default,
            "sortOrder": order + 1, "parentValue": pick.parent.map_or(String::new(), |parent| parent.to_string()),
            "isActive": pick.active, "isSystem": is_system,
        })
    };
    picks.iter().enumerate().map(value).collect()
}
