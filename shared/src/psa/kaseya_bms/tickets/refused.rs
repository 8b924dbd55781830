//! What BMS's refusals of tickets and notes mean, and what is not sent because BMS would refuse it.
//!
//! The words of BMS are in no specification: where those that are looked for do not occur, the refusal is the general one.

use crate::psa::kaseya_bms::complaint::Complaint;
use crate::psa::kaseya_bms::errors;
use crate::psa::kaseya_bms::template::Template;
use crate::psa::{Kind, PsaError};

/// The fields of a ticket and a note that a refusal may name.
const FIELDS: [&str; 19] = [
    "Title",
    "Details",
    "AccountId",
    "LocationId",
    "StatusId",
    "PriorityId",
    "TypeId",
    "SourceId",
    "QueueId",
    "AssigneeId",
    "IssueTypeId",
    "SubIssueTypeId",
    "OpenDate",
    "DueDate",
    "ContactId",
    "ContractId",
    "WorkTypeId",
    "SLAId",
    "NoteDate",
];

/// A number that was not sent is zero to BMS, which .NET refuses as out of its range.
const REQUIRED: [&str; 2] = ["required", "must be between"];
const UNKNOWN: [&str; 5] = ["not exist", "not found", "not valid", "invalid", "inactive"];

const IN_MAPPING: &str = "in the ticket mapping";

/// A refusal of a new ticket.
pub(super) fn of_new(complaint: &Complaint) -> Option<PsaError> {
    of_rights(complaint).or_else(|| of_fields(complaint)).or_else(|| {
        (complaint.is_of_absence() && complaint.says_any(&["account"])).then(|| {
            PsaError::new(
                Kind::NotFound,
                "psa_account_unknown",
                "Kaseya BMS does not know the account of the ticket.",
                "Look whether the account is still in BMS; else map the company to another one.",
            )
        })
    })
}

/// A refusal of what was asked of a ticket that is there.
pub(super) fn of_one(complaint: &Complaint) -> Option<PsaError> {
    let gone = complaint.is_of_absence() && complaint.named(&FIELDS, &UNKNOWN).is_empty();
    of_rights(complaint).or_else(|| if gone { Some(ticket_unknown()) } else { of_fields(complaint) })
}

/// There is no such ticket.
pub(super) fn ticket_unknown() -> PsaError {
    PsaError::new(
        Kind::NotFound,
        "psa_ticket_unknown",
        "Kaseya BMS does not know the ticket.",
        "Look whether somebody has deleted it, or moved it to where the user can't see it.",
    )
}

/// Fields without which BMS takes no ticket.
pub(super) fn field_required(fields: &[&str]) -> PsaError {
    let error =
        |explanation: String, fix: &str| PsaError::new(Kind::Validation, "psa_ticket_field_required", explanation, fix);
    if fields.is_empty() {
        let explanation = "Kaseya BMS asks for a field of tickets that Tallyline does not know.".to_owned();
        return error(explanation, "In BMS, make no custom field of tickets a required one.");
    }
    let fields = fields.join(", ");
    error(format!("Kaseya BMS takes no ticket without {fields}."), &format!("Fill {fields} {IN_MAPPING}."))
}

/// A field of the mapping that is none, or has a value that can be none of its choices.
pub(super) fn field_unusable(field: &str, value: &str) -> PsaError {
    PsaError::new(
        Kind::Validation,
        "psa_ticket_choice_unknown",
        format!("\"{value}\" can't be chosen for {field} in Kaseya BMS."),
        &format!("Choose {field} again {IN_MAPPING}."),
    )
}

/// The account has no location, or shows none to the user.
pub(super) fn no_location() -> PsaError {
    PsaError::new(
        Kind::Validation,
        "psa_ticket_location_missing",
        "Kaseya BMS shows no location of the account, and takes no ticket without one.",
        "Add a location to the account in BMS.",
    )
}

/// None of the statuses is known to be the one of tickets that are done.
pub(super) fn no_end() -> PsaError {
    PsaError::new(
        Kind::Validation,
        "psa_ticket_end_unknown",
        "None of the ticket statuses of Kaseya BMS is called Completed or Closed.",
        "In BMS, name the status of tickets that are done \"Completed\", and make it active.",
    )
}

/// An id that is no number can't be one of BMS's.
pub(super) fn id_invalid(id: &str) -> PsaError {
    PsaError::new(
        Kind::Validation,
        "psa_id_invalid",
        format!("\"{id}\" is no id of Kaseya BMS."),
        "Choose it again from what BMS has.",
    )
}

fn of_rights(complaint: &Complaint) -> Option<PsaError> {
    let why = "for this user";
    complaint.says_any(&["permission", "access denied"]).then(|| errors::not_permitted(Template::Ticket, why))
}

fn of_fields(complaint: &Complaint) -> Option<PsaError> {
    if complaint.says_any(&["queue or an assignee", "queue or assignee"]) {
        return Some(PsaError::new(
            Kind::Validation,
            "psa_ticket_queue_missing",
            "Kaseya BMS takes no ticket without a queue or an assignee.",
            &format!("Fill QueueId or AssigneeId {IN_MAPPING}."),
        ));
    }
    if complaint.says_any(&REQUIRED) {
        return Some(field_required(&complaint.named(&FIELDS, &REQUIRED)));
    }
    if complaint.says_any(&["location does not belong", "location doesn't belong"]) {
        return Some(PsaError::new(
            Kind::Validation,
            "psa_ticket_location_foreign",
            "The location is not one of the ticket's account.",
            &format!("Leave LocationId empty {IN_MAPPING}: the account's main location is taken then."),
        ));
    }
    let unknown = complaint.named(&FIELDS, &UNKNOWN).join(", ");
    (!unknown.is_empty()).then(|| {
        PsaError::new(
            Kind::Validation,
            "psa_ticket_choice_unknown",
            format!("Kaseya BMS does not know, or not any more, what is chosen for {unknown}."),
            &format!("Choose {unknown} again {IN_MAPPING}."),
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::Answer;
    use crate::psa::kaseya_bms::envelope::{self, Read};

    fn complaint(status: u16, error: &Value) -> Complaint {
        let body = json!({"success": false, "error": error}).to_string().into_bytes();
        match envelope::read(&Answer { status, retry_after_s: None, body }, Template::PostTicket) {
            Read::Failure(complaint) => complaint,
            other => panic!("{other:?}"),
        }
    }

    fn of_new_ticket(status: u16, said: &[&str]) -> Option<(String, String)> {
        let error = of_new(&complaint(status, &json!({"message": "Failed.", "subErrors": said})))?;
        assert_eq!(error.said, None, "words of BMS are shown to nobody");
        Some((error.code, error.explanation))
    }

    #[test]
    fn a_refusal_has_the_code_of_what_is_wrong_within_200_as_well() {
        for status in [200, 400] {
            for (said, code) in [
                ("The PriorityId field is required.", Some("psa_ticket_field_required")),
                ("The field TypeId must be between 1 and 2147483647.", Some("psa_ticket_field_required")),
                ("A custom field is required.", Some("psa_ticket_field_required")),
                ("A queue or an assignee is required.", Some("psa_ticket_queue_missing")),
                ("The location does not belong to the account.", Some("psa_ticket_location_foreign")),
                ("StatusId 7 does not exist.", Some("psa_ticket_choice_unknown")),
                ("Account 7 was not found.", Some("psa_account_unknown")),
                ("You don't have permission to perform this action.", Some("psa_permission_missing")),
                ("The moon is in the wrong house.", None),
            ] {
                assert_eq!(of_new_ticket(status, &[said]).map(|told| told.0).as_deref(), code, "{status} {said}");
            }
        }
    }

    #[test]
    fn every_field_that_is_required_is_named_and_none_else() {
        let said = ["The TypeId field is required.", "The QueueId field is required.", "SourceId 9 does not exist."];
        let (_, explanation) = of_new_ticket(400, &said).unwrap();
        insta::assert_snapshot!(explanation, @"Kaseya BMS takes no ticket without TypeId, QueueId.");
    }

    #[test]
    fn a_ticket_that_is_gone_is_told_from_a_choice_that_is() {
        let of = |status, message: &str| of_one(&complaint(status, &json!({"message": message}))).map(|told| told.code);
        assert_eq!(of(404, "").as_deref(), Some("psa_ticket_unknown"));
        assert_eq!(of(200, "Ticket 5 was not found.").as_deref(), Some("psa_ticket_unknown"));
        assert_eq!(of(400, "StatusId 5 does not exist.").as_deref(), Some("psa_ticket_choice_unknown"));
        assert_eq!(of(400, "No."), None);
    }
}
