//! What Autotask's refusals of tickets and notes mean, and what is not sent because Autotask would refuse it.

use super::form::label;
use crate::psa::{Kind, PsaError, WriteError};

/// How one text ends that names all that a row lacks: `queueID is required.; dueDateTime is required.; on record number [0].`
const LACKING: &str = "is required";

/// A refusal in the words of tickets.
pub(super) fn explained(error: WriteError) -> WriteError {
    let explained = |error: PsaError| {
        let lacking = match error.code.as_str() {
            "psa_field_required" => error.said.as_deref().map(lacking).unwrap_or_default(),
            _ => vec![],
        };
        if lacking.is_empty() {
            return error;
        }
        let PsaError { said, retry_after_s, .. } = error;
        PsaError { said, retry_after_s, ..fields_required(&lacking.iter().map(String::as_str).collect::<Vec<_>>()) }
    };
    match error {
        WriteError::NotSent(error) => WriteError::NotSent(explained(error)),
        WriteError::Rejected(error) => WriteError::Rejected(explained(error)),
        WriteError::Unknown(error) => WriteError::Unknown(error),
    }
}

/// The fields that a refusal asks for.
fn lacking(said: &str) -> Vec<String> {
    let named = |part: &str| {
        let field = part.trim().trim_end_matches('.').strip_suffix(LACKING)?.trim();
        (!field.is_empty() && field.chars().all(char::is_alphanumeric)).then(|| field.to_owned())
    };
    said.split([';', '|']).filter_map(named).collect()
}

/// Fields without which Autotask takes no ticket: of all of them, or of the category that is chosen.
pub(super) fn fields_required(fields: &[&str]) -> PsaError {
    let named = |field: &&str| label(field).map_or_else(|| (*field).to_owned(), |label| format!("{field} ({label})"));
    let names: Vec<String> = fields.iter().map(named).collect();
    let (known, unknown): (Vec<&str>, Vec<&str>) = fields.iter().partition(|field| label(field).is_some());
    let mut fix = vec![];
    if !known.is_empty() {
        fix.push(format!("Fill {} in the ticket mapping.", known.join(", ")));
    }
    if !unknown.is_empty() {
        fix.push(format!(
            "In Autotask, give {} a default in the ticket category, or choose another category in the ticket mapping.",
            unknown.join(", ")
        ));
    }
    let explanation = format!("Autotask takes no ticket of this category without {}.", names.join(", "));
    PsaError::new(Kind::Validation, "psa_ticket_field_required", explanation, &fix.join(" "))
}

/// A field of the mapping that is none, or has a value that can be none of its choices.
pub(super) fn field_unusable(field: &str, value: &str) -> PsaError {
    PsaError::new(
        Kind::Validation,
        "psa_ticket_choice_unknown",
        format!("\"{value}\" can't be chosen for {field} in Autotask."),
        &format!("Choose {field} again in the ticket mapping."),
    )
}

/// The tenant has no kind of notes that could be ours.
pub(super) fn no_note_kind() -> PsaError {
    PsaError::new(
        Kind::Validation,
        "psa_note_type_missing",
        "Autotask offers no active type of ticket notes to the API user.",
        "In Autotask, activate a note type for tickets.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_a_ticket_lacks_is_named_with_its_label_and_where_it_is_filled() {
        let said = "issueType is required.; contactID is required.; on record number [0].";
        let known =
            PsaError { said: Some(said.to_owned()), ..PsaError::new(Kind::Validation, "psa_field_required", "", "") };
        let WriteError::Rejected(error) = explained(WriteError::Rejected(known)) else { panic!("rejected") };
        assert_eq!(error.code, "psa_ticket_field_required");
        assert_eq!(
            error.explanation,
            "Autotask takes no ticket of this category without issueType (Issue type), contactID."
        );
        assert_eq!(
            error.fix,
            "Fill issueType in the ticket mapping. In Autotask, give contactID a default in the ticket category, or choose another category in the ticket mapping."
        );
        assert_eq!(error.said.as_deref(), Some(said));
    }

    #[test]
    fn what_is_not_known_for_sure_is_left_as_it_was_said() {
        let other = PsaError::new(Kind::Validation, "psa_reference_invalid", "x", "y");
        assert_eq!(explained(WriteError::Rejected(other.clone())), WriteError::Rejected(other.clone()));
        assert_eq!(explained(WriteError::Unknown(other.clone())), WriteError::Unknown(other));
        assert_eq!(lacking("Something is required of you"), Vec::<String>::new());
    }
}
