//! The form of a new ticket: its fields, what may be chosen for each, and what they need beside each other.
//!
//! Which fields are required is the specification's word (`TicketInputDto`), but for the location, which the connector
//! chooses where the mapping names none; that a queue or an assignee is needed is told by a public client.

use std::sync::Arc;

use super::Desk;
use super::lookups::Choice;
use crate::domain::ids::AccountId;
use crate::psa::PsaError;
use crate::psa::kaseya_bms::client::Client;
use crate::psa::tickets::{FieldRule, FieldValue, TicketField, TicketForm};

pub(super) const STATUS: &str = "StatusId";
pub(super) const LOCATION: &str = "LocationId";
const QUEUE: &str = "QueueId";
const ASSIGNEE: &str = "AssigneeId";
const ISSUE_TYPE: &str = "IssueTypeId";
const SUB_ISSUE_TYPE: &str = "SubIssueTypeId";

/// The fields that a mapping may fill.
pub(super) const FIELDS: [&str; 9] =
    [STATUS, "PriorityId", "TypeId", "SourceId", QUEUE, ASSIGNEE, ISSUE_TYPE, SUB_ISSUE_TYPE, LOCATION];

/// The names of the status of tickets that are done, as their letters, the likeliest first. The look-up of statuses has
/// numbers that may say it too (`TypeId`, `SlaEventId`), but nobody has published what they mean.
const ENDS: [&str; 3] = ["completed", "complete", "closed"];

pub(super) async fn form(
    desk: &Desk,
    client: &Arc<Client>,
    account: Option<&AccountId>,
) -> Result<TicketForm, PsaError> {
    // A new ticket that is done at once is nobody's wish.
    let open = desk.statuses(client).await?.iter().filter(|status| !is_end(&status.name));
    let lists = desk.lists(client).await?;
    let sub_types = lists.sub_types.iter().map(|(of, choice)| (Some(*of), choice));
    let places = match account {
        Some(account) => desk.locations(client, account).await?,
        None => vec![],
    };
    let places = places.into_iter().map(|place| value(place.id, place.name, place.is_main, None)).collect();
    let mut fields = vec![
        field(STATUS, "Status", true, values(open)),
        field("PriorityId", "Priority", true, values(&lists.priorities)),
        field("TypeId", "Type", true, values(&lists.types)),
        field("SourceId", "Source", true, values(&lists.sources)),
        field(QUEUE, "Queue", false, values(&lists.queues)),
    ];
    let mut any_of = vec![vec![QUEUE.to_owned()]];
    if !lists.assignees.is_empty() {
        any_of.push(vec![ASSIGNEE.to_owned()]);
    }
    let more = [
        field(ASSIGNEE, "Assignee", false, values(&lists.assignees)),
        field(ISSUE_TYPE, "Issue type", false, values(&lists.issue_types)),
        TicketField {
            depends_on: Some(ISSUE_TYPE.to_owned()),
            ..field(SUB_ISSUE_TYPE, "Sub-issue type", false, with_parents(sub_types))
        },
        field(LOCATION, "Location", false, places),
    ];
    fields.extend(more.into_iter().filter(|field| !field.values.is_empty()));
    Ok(TicketForm { fields, rules: vec![FieldRule::AnyOf(any_of)] })
}

/// Whether a status of this name is that of tickets that are done.
pub(super) fn is_end(name: &str) -> bool {
    ENDS.contains(&letters(name).as_str())
}

/// The status of tickets that are done.
pub(super) fn end(statuses: &[Choice]) -> Option<&Choice> {
    ENDS.iter().find_map(|end| statuses.iter().find(|status| letters(&status.name) == *end))
}

fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn field(id: &str, label: &str, required: bool, values: Vec<FieldValue>) -> TicketField {
    TicketField { id: id.to_owned(), label: label.to_owned(), required, values, depends_on: None }
}

fn values<'a>(choices: impl IntoIterator<Item = &'a Choice>) -> Vec<FieldValue> {
    with_parents(choices.into_iter().map(|choice| (None, choice)))
}

fn with_parents<'a>(choices: impl IntoIterator<Item = (Option<i64>, &'a Choice)>) -> Vec<FieldValue> {
    let listed = choices.into_iter();
    listed.map(|(parent, choice)| value(choice.id, choice.name.clone(), choice.is_default, parent)).collect()
}

fn value(id: i64, label: String, is_default: bool, parent: Option<i64>) -> FieldValue {
    FieldValue { id: id.to_string(), label, is_default, parent: parent.map(|parent| parent.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_tickets_that_are_done_is_known_by_its_name_the_likeliest_first() {
        let end_of = |names: &[&str]| {
            let statuses: Vec<_> = names
                .iter()
                .zip(1..)
                .map(|(name, id)| Choice { id, name: (*name).to_owned(), is_default: false })
                .collect();
            end(&statuses).map(|status| status.name.clone())
        };
        assert_eq!(end_of(&["New", "Closed", "COMPLETED"]).as_deref(), Some("COMPLETED"));
        assert_eq!(end_of(&["New", "closed ", "Resolved"]).as_deref(), Some("closed "));
        assert_eq!(end_of(&["New", "Not completed", "Resolved", "Closed - won"]), None);
    }
}
