//! Service desk tickets: making one, changing one by JSON patch, finding some.
//!
//! Owns the ticket's rules: what must be sent, which ids must exist, that a location belongs to its account and that a queue
//! or an assignee is needed. A patch is the present ticket with a few members laid over it, checked like a new one.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::envelope::Refusal;
use super::members::Members;
use super::picklists::{
    self, ASSIGNEES, COMPLETED, ISSUE_TYPES, PRIORITIES, QUEUES, SOURCES, STATUSES, SUB_ISSUE_TYPES, TICKET_TYPES,
};
use super::stamps::Stamps;
use super::switches::{Switches, TextFilter};
use super::world::World;
use crate::wire;

/// A ticket as the tenant holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are the API's own")]
pub struct Ticket {
    pub id: i64,
    pub number: String,
    pub title: String,
    pub details: String,
    pub account_id: i64,
    pub location_id: i64,
    pub status_id: i64,
    pub priority_id: i64,
    pub type_id: i64,
    pub source_id: i64,
    pub queue_id: Option<i64>,
    pub assignee_id: Option<i64>,
    pub issue_type_id: Option<i64>,
    pub sub_issue_type_id: Option<i64>,
    pub contract_id: Option<i64>,
    /// Date and time without a zone.
    pub open_date: String,
    /// Date and time without a zone.
    pub due_date: Option<String>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub completed_at: Option<Timestamp>,
    pub reopened_at: Option<Timestamp>,
}

impl World {
    /// `POST /v2/servicedesk/tickets`.
    pub(crate) fn open_ticket(&mut self, body: &Value, by: &str, at: Timestamp) -> Result<Ticket, Refusal> {
        let object = body.as_object().ok_or_else(|| Refusal::invalid("The body must be an object."))?;
        let id = self.tickets.last_key_value().map_or(100_001, |(last, _)| last + 1);
        let ticket = self.read_ticket(&Members::of_object(object), id, by, at)?;
        self.tickets.insert(id, ticket.clone());
        Ok(ticket)
    }

    /// `PATCH /v2/servicedesk/tickets/{ticketId}` with `[{"op": "replace", "path": "/StatusId", "value": 54}]`.
    pub(crate) fn patch_ticket(
        &mut self,
        id: i64,
        body: &Value,
        at: Timestamp,
        switches: &Switches,
    ) -> Result<Ticket, Refusal> {
        let present = self.ticket(id)?;
        let mut members = present.input();
        let operations = body.as_array().ok_or_else(|| Refusal::invalid("The body must be an array of operations."))?;
        for operation in operations {
            let operation = Members::of_object(operation.as_object().unwrap_or(&Map::new()));
            let path = operation.text("path").unwrap_or_default();
            let name = path.trim_start_matches('/');
            let known = members.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned();
            let name = known.ok_or_else(|| Refusal::invalid(format!("The path {path} does not exist.")))?;
            match operation.text("op").unwrap_or_default().as_str() {
                "replace" | "add" => members.insert(name, operation.value("value").cloned().unwrap_or_default()),
                "remove" => members.insert(name, Value::Null),
                other => return Err(Refusal::invalid(format!("The operation {other} is not supported."))),
            };
        }
        let fresh = self.read_ticket(&Members::of_object(&members), id, &present.created_by, at)?;
        let (was_done, is_done) = (present.is_done(), fresh.is_done());
        let completed_at = match (was_done, is_done) {
            (false, true) => Some(at),
            (true, false) if !switches.reopened_stay_dated => None,
            _ => present.completed_at,
        };
        let reopened_at = if was_done && !is_done { Some(at) } else { present.reopened_at };
        let (created_at, number) = (present.created_at, present.number.clone());
        let ticket = Ticket { created_at, number, completed_at, reopened_at, ..fresh };
        self.tickets.insert(id, ticket.clone());
        Ok(ticket)
    }

    pub(crate) fn complete_tickets(&mut self, at: Timestamp) {
        for ticket in self.tickets.values_mut() {
            (ticket.status_id, ticket.completed_at) = (COMPLETED, Some(at));
        }
    }

    /// The ticket itself.
    pub(crate) fn ticket(&self, id: i64) -> Result<&Ticket, Refusal> {
        let found = self.tickets.get(&id).filter(|_| !self.tickets_hidden);
        found.ok_or_else(|| Refusal::NoSuch("Ticket", id.to_string()))
    }

    /// The tickets that a filter picks, oldest first.
    pub(crate) fn find_tickets(&self, filter: &Members, how: TextFilter) -> Result<Vec<&Ticket>, Refusal> {
        let accounts = filter.ids("AccountIds")?;
        let open_only = filter.flag("ExcludeCompleted")?.unwrap_or(false);
        let contains = |value: &str, name: &str| filter.text(name).is_none_or(|text| how.hits(value, &text));
        let named = |value: Option<&str>, name: &str| {
            filter.text(name).is_none_or(|names| {
                names.split(',').any(|wanted| value.is_some_and(|value| value.eq_ignore_ascii_case(wanted.trim())))
            })
        };
        let picked = self.tickets.values().filter(|ticket| {
            !self.tickets_hidden
                && contains(&ticket.title, "Title")
                && contains(&ticket.details, "Details")
                && contains(&ticket.number, "TicketNumber")
                && contains(self.account_name(ticket.account_id), "Account")
                && named(picklists::name(&STATUSES, Some(ticket.status_id)), "StatusNames")
                && named(picklists::name(&QUEUES, ticket.queue_id), "QueueNames")
                && named(picklists::name(&PRIORITIES, Some(ticket.priority_id)), "PriorityNames")
                && accounts.as_ref().is_none_or(|accounts| accounts.contains(&ticket.account_id))
                && !(open_only && ticket.is_done())
        });
        Ok(picked.collect())
    }

    /// A ticket as the API shows it.
    pub(crate) fn show_ticket(&self, ticket: &Ticket, switches: &Switches) -> Value {
        let stamps = Stamps::of(switches);
        let mut shown = ticket.input();
        let location = self.locations.get(&ticket.location_id).map(|location| location.name.as_str());
        let contract = ticket.contract_id.and_then(|id| self.contracts.get(&id)).map(|contract| contract.name.as_str());
        let code = self.accounts.get(&ticket.account_id).map(|account| account.code.as_str());
        let more = json!({
            "Id": ticket.id,
            "Details": switches.ticket_text.shown(&ticket.details),
            "TicketNumber": ticket.number,
            "AccountCode": code,
            "AccountName": self.account_name(ticket.account_id),
            "LocationName": location,
            "StatusName": picklists::name(&STATUSES, Some(ticket.status_id)),
            "PriorityName": picklists::name(&PRIORITIES, Some(ticket.priority_id)),
            "TypeName": picklists::name(&TICKET_TYPES, Some(ticket.type_id)),
            "SourceName": picklists::name(&SOURCES, Some(ticket.source_id)),
            "QueueName": picklists::name(&QUEUES, ticket.queue_id),
            "IssueTypeName": picklists::name(&ISSUE_TYPES, ticket.issue_type_id),
            "SubIssueTypeName": sub_issue_type(ticket.sub_issue_type_id).map(|(.., name)| name),
            "AssigneeName": picklists::name(&ASSIGNEES, ticket.assignee_id),
            "ContractName": contract,
            "CreatedOn": stamps.instant(ticket.created_at),
            "ModifiedOn": stamps.instant(ticket.modified_at),
            "CompletedDate": ticket.completed_at.map(|at| stamps.instant(at)),
            "ReOpenedDate": ticket.reopened_at.map(|at| stamps.instant(at)),
            "CreatedByName": ticket.created_by,
            "IsScheduled": 0,
            "IsReadOnly": false,
        });
        if let Value::Object(more) = more {
            shown.extend(more);
        }
        Value::Object(shown)
    }

    /// A ticket as lists show it.
    pub(crate) fn list_ticket(&self, ticket: &Ticket, switches: &Switches) -> Value {
        let mut shown = self.show_ticket(ticket, switches);
        if !switches.lists_show_details {
            shown["Details"] = Value::Null;
        }
        shown
    }

    fn account_name(&self, id: i64) -> &str {
        self.accounts.get(&id).map(|account| account.name.as_str()).unwrap_or_default()
    }

    fn read_ticket(&self, sent: &Members, id: i64, by: &str, at: Timestamp) -> Result<Ticket, Refusal> {
        let texts = ["Title", "Details", "OpenDate"];
        let ids = ["AccountId", "LocationId", "StatusId", "PriorityId", "TypeId", "SourceId"];
        let missing = texts.iter().chain(&ids).filter(|name| sent.value(name).is_none());
        let missing: Vec<_> = missing.map(|name| format!("The {name} field is required.")).collect();
        if !missing.is_empty() {
            return Err(Refusal::Invalid(missing));
        }
        let number = |name: &str| sent.int(name).map(Option::unwrap_or_default);
        let text = |name: &str| sent.text(name).unwrap_or_default();
        let listed = |list: &[(i64, &'static str)], name: &'static str| match sent.int(name)? {
            Some(id) if picklists::name(list, Some(id)).is_none() => {
                Err(Refusal::invalid(format!("{name} {id} does not exist.")))
            }
            found => Ok(found),
        };
        let status_id = listed(&STATUSES, "StatusId")?.unwrap_or_default();
        let ticket = Ticket {
            id,
            number: format!("T-{id}"),
            title: text("Title"),
            details: text("Details"),
            account_id: number("AccountId")?,
            location_id: number("LocationId")?,
            status_id,
            priority_id: listed(&PRIORITIES, "PriorityId")?.unwrap_or_default(),
            type_id: listed(&TICKET_TYPES, "TypeId")?.unwrap_or_default(),
            source_id: listed(&SOURCES, "SourceId")?.unwrap_or_default(),
            queue_id: listed(&QUEUES, "QueueId")?,
            assignee_id: listed(&ASSIGNEES, "AssigneeId")?,
            issue_type_id: listed(&ISSUE_TYPES, "IssueTypeId")?,
            sub_issue_type_id: sent.int("SubIssueTypeId")?,
            contract_id: sent.int("ContractId")?,
            open_date: moment(sent, "OpenDate")?.unwrap_or_default(),
            due_date: moment(sent, "DueDate")?,
            created_by: by.to_owned(),
            created_at: at,
            modified_at: at,
            completed_at: (status_id == COMPLETED).then_some(at),
            reopened_at: None,
        };
        if !self.accounts.contains_key(&ticket.account_id) {
            return Err(Refusal::NoSuch("Account", ticket.account_id.to_string()));
        }
        let location = self.locations.get(&ticket.location_id);
        if location.is_none_or(|location| location.account_id != ticket.account_id) {
            return Err(Refusal::Rule("The location does not belong to the account."));
        }
        if ticket.sub_issue_type_id.is_some() {
            let found = sub_issue_type(ticket.sub_issue_type_id);
            if found.is_none_or(|(_, issue_type, _)| Some(*issue_type) != ticket.issue_type_id) {
                return Err(Refusal::invalid("SubIssueTypeId does not exist for the issue type."));
            }
        }
        if ticket.queue_id.is_none() && ticket.assignee_id.is_none() {
            return Err(Refusal::Rule("A queue or an assignee is required."));
        }
        Ok(ticket)
    }
}

impl Ticket {
    fn is_done(&self) -> bool {
        self.status_id == COMPLETED
    }

    /// Its members that can be sent.
    fn input(&self) -> Map<String, Value> {
        let members = json!({
            "Title": self.title,
            "Details": self.details,
            "AccountId": self.account_id,
            "LocationId": self.location_id,
            "StatusId": self.status_id,
            "PriorityId": self.priority_id,
            "TypeId": self.type_id,
            "SourceId": self.source_id,
            "QueueId": self.queue_id,
            "AssigneeId": self.assignee_id,
            "IssueTypeId": self.issue_type_id,
            "SubIssueTypeId": self.sub_issue_type_id,
            "ContractId": self.contract_id,
            "OpenDate": self.open_date,
            "DueDate": self.due_date,
        });
        if let Value::Object(members) = members { members } else { Map::new() }
    }
}

fn sub_issue_type(id: Option<i64>) -> Option<&'static (i64, i64, &'static str)> {
    SUB_ISSUE_TYPES.iter().find(|(known, ..)| Some(*known) == id)
}

/// A date and time as the API stores it: a zone is dropped.
pub(crate) fn moment(sent: &Members, name: &str) -> Result<Option<String>, Refusal> {
    let Some(text) = sent.text(name) else {
        return Ok(None);
    };
    let (day, seconds) =
        wire::day_and_seconds(&text).ok_or_else(|| Refusal::invalid(format!("{name} must be a date.")))?;
    Ok(Some(format!("{day}T{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)))
}
