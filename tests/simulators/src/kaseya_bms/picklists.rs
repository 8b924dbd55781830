//! The choices a ticket's fields have, and the endpoints that list them.
//!
//! Owns the lists. The ids of sources are the ones known from the first API; every other id and name is made up, so a client
//! must look them up. Names of the general tables are not known in public: any that contains
//! `note`, `source` or `type` finds its list.

use serde_json::{Value, json};

/// The status that ends a ticket.
pub(crate) const COMPLETED: i64 = 54;

/// Ticket statuses.
pub(crate) const STATUSES: [(i64, &str); 5] =
    [(51, "New"), (52, "In Progress"), (53, "Waiting on Customer"), (COMPLETED, "Completed"), (55, "Assigned")];
/// Ticket priorities; the third is the default.
pub(crate) const PRIORITIES: [(i64, &str); 4] = [(61, "Critical"), (62, "High"), (63, "Medium"), (64, "Low")];
/// Ticket queues.
pub(crate) const QUEUES: [(i64, &str); 3] = [(71, "Help Desk"), (72, "Billing"), (73, "Monitoring")];
/// Issue types.
pub(crate) const ISSUE_TYPES: [(i64, &str); 3] = [(81, "Software"), (82, "Billing"), (83, "Security")];
/// What issue types are divided into: id, issue type, name.
pub(crate) const SUB_ISSUE_TYPES: [(i64, i64, &str); 3] =
    [(811, 81, "Update"), (831, 83, "Malware"), (832, 83, "Phishing")];
/// Who tickets may be given to.
pub(crate) const ASSIGNEES: [(i64, &str); 2] = [(41, "Ada Berg"), (42, "Tomas Lind")];
/// Types of a ticket's notes.
pub(crate) const NOTE_TYPES: [(i64, &str); 2] = [(95, "General"), (96, "Escalation")];
/// Ticket types.
pub(crate) const TICKET_TYPES: [(i64, &str); 3] = [(91, "Service Request"), (92, "Incident"), (93, "Problem")];
/// Where tickets come from.
pub(crate) const SOURCES: [(i64, &str); 10] = [
    (0, "Portal"),
    (1, "Phone"),
    (2, "In Person"),
    (3, "On Site"),
    (4, "Email"),
    (5, "Monitoring System"),
    (6, "Voice Mail"),
    (7, "Verbal"),
    (8, "Other"),
    (9, "Recurring"),
];

/// The name of a choice.
pub(crate) fn name(list: &[(i64, &'static str)], id: Option<i64>) -> Option<&'static str> {
    list.iter().find(|(known, _)| Some(*known) == id).map(|(_, name)| *name)
}

pub(crate) fn statuses() -> Value {
    let row = |(order, (id, name)): (usize, &(i64, &str))| {
        json!({
            "Id": id, "Name": name, "FontColor": "#000000", "Color": "#FFFFFF", "StatusOrder": order,
            "TypeId": 1, "IsSystemStatus": 1, "SlaEventId": null, "IsActive": true,
        })
    };
    STATUSES.iter().enumerate().map(row).collect()
}

pub(crate) fn priorities() -> Value {
    let row = |(id, name): &(i64, &str)| json!({ "Id": id, "Name": name, "Color": "#FFFFFF", "IsDefault": *id == 63 });
    PRIORITIES.iter().map(row).collect()
}

/// `{Id, Name, IsActive}`, as queues and issue types have them.
pub(crate) fn plain(list: &[(i64, &str)]) -> Value {
    list.iter().map(|(id, name)| json!({ "Id": id, "Name": name, "IsActive": true })).collect()
}

/// `{Id, Name}` of the sub-types of an issue type.
pub(crate) fn sub_issue_types(issue_type: i64) -> Value {
    let of_it = SUB_ISSUE_TYPES.iter().filter(|(_, of, _)| *of == issue_type);
    of_it.map(|(id, _, name)| json!({ "Id": id, "Name": name })).collect()
}

/// A row of the people whom tickets may be given to.
pub(crate) fn assignee((id, name): &(i64, &str)) -> Value {
    json!({
        "Id": id, "Name": name, "Url": null, "EmailAddress": null, "JobTitle": null, "PictureName": null,
        "PictureURL": null,
    })
}

/// A general table by name. An unknown one is empty.
pub(crate) fn table(name: &str) -> Value {
    let name = name.to_lowercase();
    let list: &[(i64, &str)] = if name.contains("note") {
        &NOTE_TYPES
    } else if name.contains("source") {
        &SOURCES
    } else if name.contains("type") {
        &TICKET_TYPES
    } else {
        &[]
    };
    let row = |(id, name): &(i64, &str)| json!({ "Id": id, "Name": name, "IsDefault": false, "IsActive": true });
    list.iter().map(row).collect()
}
