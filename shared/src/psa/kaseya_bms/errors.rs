//! What an exchange with BMS that went wrong means, in fixed sentences.
//!
//! BMS publishes no list of its errors, and a host that a partner names may answer anything, so its words are shown to
//! nobody: the status and the shape of the answer decide, and which of our own words occur in it (`complaint`). Whether a write may have moved money is judged where it is sent.

use super::template::Template;
use crate::domain::reason::{Code, Reason};
use crate::http::HttpError;
use crate::psa::error::PERMISSION_MISSING;
use crate::psa::{Kind, PsaError};

/// The code of a refusal because what was asked for is not there.
const ADDRESS_UNKNOWN: &str = "psa_address_unknown";
/// The code of a refusal of what was asked for.
const REQUEST_REFUSED: &str = "psa_request_refused";

const WAIT: &str = "Nothing: the next run tries again. If it stays, look at Kaseya's status page.";
const CHECK_HOST: &str = "Check the host name: it is the one at which you log in to BMS, as in bms.kaseya.com.";
const TELL: &str = "Nothing: the next run reads again. If it stays, tell the operator.";

/// An answer that is not what the specification promises.
pub(super) fn unreadable(template: Template, how: &str) -> PsaError {
    let explanation = format!("The answer of Kaseya BMS can't be used: {} {how}.", template.name());
    PsaError::new(Kind::Protocol, "psa_answer_unreadable", explanation, TELL)
}

/// No whole answer came.
pub(super) fn of_http(error: HttpError) -> PsaError {
    let kind = match error {
        HttpError::Host(_) | HttpError::AddressNotAllowed => Kind::Validation,
        HttpError::Unreachable
        | HttpError::TlsFailed
        | HttpError::TimedOut
        | HttpError::ConnectionLost
        | HttpError::ClientFailed => Kind::Unavailable,
        HttpError::AnswerTooLarge | HttpError::RequestMalformed => Kind::Protocol,
    };
    PsaError::new(kind, error.code(), error.explanation(), error.fix())
}

/// An answer that is a failure: HTTP 400 or more, or `success` not true. `worked_lately`: the same call has succeeded
/// within the hour, so that a 403 can't be of the user's rights.
pub(super) fn of_failure(status: u16, retry_after_s: Option<u32>, template: Template, worked_lately: bool) -> PsaError {
    let error = match status {
        300..=399 => PsaError::new(
            Kind::Protocol,
            "psa_redirected",
            "The host sent us to another address, which is never followed with a partner's credentials.",
            CHECK_HOST,
        ),
        401 => not_permitted(template, "although it accepted the log-in a moment ago"),
        403 if worked_lately || retry_after_s.is_some() => rate_limited(),
        403 => not_permitted(template, "for this user, or its hourly limit is used up by other integrations"),
        404 | 405 => PsaError::new(
            Kind::Protocol,
            ADDRESS_UNKNOWN,
            format!("The host does not know the address of {}, or what was asked for does not exist.", template.name()),
            CHECK_HOST,
        ),
        408 => PsaError::new(Kind::Unavailable, "psa_timed_out", "Kaseya BMS did not answer in time.", WAIT),
        429 => rate_limited(),
        500.. => PsaError::new(Kind::Unavailable, "psa_unavailable", "Kaseya BMS could not answer.", WAIT),
        _ => PsaError::new(
            Kind::Validation,
            REQUEST_REFUSED,
            format!("Kaseya BMS refused a request for {}.", template.name()),
            if template.is_of_tickets() {
                "Look at the account and its tickets in BMS, and at the ticket mapping. If they are as they should be, tell \
                 the operator."
            } else {
                "Look at the account, contract and service in BMS. If they are as they should be, tell the operator."
            },
        ),
    };
    PsaError { retry_after_s, ..error }
}

/// The user's role lacks a right.
pub(super) fn not_permitted(template: Template, why: &str) -> PsaError {
    PsaError::new(
        Kind::Auth,
        PERMISSION_MISSING,
        format!("Kaseya BMS does not give out {} {why}.", template.name()),
        if template.is_of_tickets() {
            "In BMS, give the user's role \"Has API Access\" and the rights to view CRM and to view and modify Service Desk."
        } else {
            "In BMS, give the user's role \"Has API Access\" and the rights to view CRM and Admin and to view and modify \
             Finance, then test the connection again."
        },
    )
}

fn rate_limited() -> PsaError {
    PsaError::new(
        Kind::RateLimited,
        "psa_rate_limited",
        "The hourly number of requests that Kaseya BMS allows is used up.",
        "Nothing: the next run goes on. If it stays, see which other integrations use BMS.",
    )
}

/// A request that was not sent, because the hour's allowance is used up by our own count.
pub(super) fn budget_used_up(template: Template, allowed: u32, retry_after_s: Option<u32>) -> PsaError {
    let explanation =
        format!("Tallyline has asked for {} {allowed} times within an hour, as often as BMS allows.", template.name());
    let fix = "Nothing: the next run goes on.";
    PsaError { retry_after_s, ..PsaError::new(Kind::RateLimited, "psa_budget_used_up", explanation, fix) }
}

/// BMS turned the log-in away.
pub(super) fn log_in_refused() -> PsaError {
    PsaError::new(
        Kind::Auth,
        "psa_credentials_rejected",
        "Kaseya BMS refuses the log-in.",
        "Check user name, password, company name and, for a user with one-time codes, the authenticator's secret. The user \
         must be active and not locked (five failures lock it for 30 minutes), its password not older than BMS allows, and \
         its role must have API access. Then send the credentials again.",
    )
}

/// The credentials can't be those of a BMS user; nothing was sent.
pub(super) fn malformed(explanation: &str) -> PsaError {
    PsaError::new(
        Kind::Auth,
        "psa_credentials_malformed",
        explanation,
        "Copy each of them again, without line breaks, and send the credentials again.",
    )
}

/// So many log-ins in a row had no clear answer that more could lock the user.
pub(super) fn log_in_paused(wait_s: u32) -> PsaError {
    let error = PsaError::new(
        Kind::Unavailable,
        "psa_log_in_paused",
        "Several log-ins to Kaseya BMS in a row were refused, or had no clear answer. More of them could lock the user.",
        &format!("Wait {} minutes; check the credentials meanwhile.", wait_s.div_ceil(60)),
    );
    PsaError { retry_after_s: Some(wait_s), ..error }
}

/// The one-time code of this moment was sent already, and a code may be good once.
pub(super) fn code_spent(wait_s: u32) -> PsaError {
    let error = PsaError::new(
        Kind::Unavailable,
        "psa_one_time_code_used",
        "The one-time code of this moment was used already; the next one comes within 30 seconds.",
        &format!("Nothing: the next run tries again. Whoever waits for the answer asks again in {wait_s} seconds."),
    );
    PsaError { retry_after_s: Some(wait_s), ..error }
}

/// A write met a token that was good no more. It is not sent again with another one.
pub(super) fn token_ended() -> PsaError {
    PsaError::new(
        Kind::Unavailable,
        "psa_token_ended",
        "Kaseya BMS ended the log-in before its time, so the change was not taken.",
        "Nothing: the next run logs in anew.",
    )
}

/// A list was asked for from a place that it never named.
pub(super) fn bad_cursor() -> PsaError {
    PsaError::new(
        Kind::Validation,
        "cursor_invalid",
        "The cursor is not one that this list gave.",
        "Begin again without a cursor.",
    )
}

/// Lines were asked for without a contract.
pub(super) fn no_contract() -> PsaError {
    PsaError::new(
        Kind::Validation,
        "contract_id_missing",
        "Lines are listed for one contract, and none was named.",
        "Name the contract.",
    )
}

/// What is remembered of the tenant can't be had.
pub(super) fn notes_unavailable() -> PsaError {
    let explanation = "What Tallyline remembers of this BMS tenant can't be read at the moment.";
    PsaError::new(Kind::Unavailable, "psa_notes_unavailable", explanation, "Nothing: the next run reads again.")
}

/// What is about to be sent could not be noted, so it is not sent.
pub(super) fn not_noted() -> PsaError {
    let explanation = "The change could not be noted before it was to be sent: the store was not available.";
    PsaError::new(Kind::Unavailable, "psa_change_not_noted", explanation, "Nothing: the next run sends it.")
}

/// Another worker has noted something of the line: what was decided may not hold any more.
pub(super) fn overtaken() -> PsaError {
    let explanation = "Something was noted of the line after it was read, so the change was not sent.";
    PsaError::new(Kind::Validation, "psa_line_noted_since", explanation, "Nothing: the next run reads the line again.")
}

/// What is remembered of the tenant was written by a later version, or is damaged.
pub(super) fn notes_unreadable() -> PsaError {
    PsaError::new(
        Kind::Protocol,
        "psa_notes_unreadable",
        "What Tallyline remembers of how this BMS tenant takes changes can't be read.",
        "Tell the operator: it was written by another version of Tallyline, or damaged.",
    )
}

/// The store was so slow that the change is left to the next run.
pub(super) fn noted_too_late() -> PsaError {
    let explanation = "The store took too long to note the change, so it was not sent.";
    PsaError::new(Kind::Unavailable, "psa_change_not_noted", explanation, "Nothing: the next run sends it.")
}

/// A line is changed that was not read, or whose units are not known.
pub(super) fn not_observed() -> PsaError {
    let explanation = "The line is not on the contract any more, or its units are not known.";
    PsaError::new(Kind::Validation, "psa_line_not_read", explanation, "Nothing: the next run reads the line again.")
}

/// A row of the line is set in BMS to be left out of bulk updates, which are the only way to change prices.
pub(super) fn excluded_from_bulk() -> PsaError {
    let explanation = "The line is excluded from bulk updates in BMS, and prices can't be changed otherwise.";
    PsaError::new(
        Kind::Validation,
        "psa_line_excluded",
        explanation,
        "Allow bulk updates of the line in BMS, or set unit_cost to none.",
    )
}

/// Another line is to show first what changes do.
pub(super) fn not_learnt_yet() -> PsaError {
    let Reason { code, explanation, fix } = Reason::new(
        Code::ChangeDeferred,
        "What a change does in this tenant of BMS is being learnt from a rise of another line first.".to_owned(),
    );
    PsaError::new(Kind::Validation, &code, explanation, &fix)
}

/// More units than the specification takes.
pub(super) fn too_many_units() -> PsaError {
    let explanation = "Kaseya BMS takes no more than 2,147,483,647 units at once.";
    PsaError::new(Kind::Validation, "psa_units_too_many", explanation, "Check the count with the vendor.")
}

/// The cost or the price of a line can't be carried on.
pub(super) fn price_not_shown() -> PsaError {
    PsaError::new(
        Kind::Validation,
        "psa_price_not_shown",
        "Kaseya BMS does not show what the line costs or is sold at, and a change without both might set them to nothing.",
        "Set the unit cost and the unit price of the service on this contract in BMS.",
    )
}

/// Why nothing is known of a service's lines, where BMS refuses to show those of this one. Every other error is of the whole.
pub(super) fn of_one_service(error: &PsaError) -> Option<Reason> {
    [ADDRESS_UNKNOWN, REQUEST_REFUSED].contains(&error.code.as_str()).then(|| Reason {
        code: "psa_service_not_shown".to_owned(),
        explanation: "Kaseya BMS does not show the contracts of this service.".to_owned(),
        fix: "Look whether the service is still in the catalogue of BMS; else map the product to another one."
            .to_owned(),
    })
}

/// A read was given up within this process.
pub(super) fn interrupted() -> PsaError {
    PsaError::new(Kind::Unavailable, "psa_read_interrupted", "Reading from Kaseya BMS was interrupted.", WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, worked: bool, wait: Option<u32>) -> (Kind, String) {
        let error = of_failure(status, wait, Template::ServicesSearch, worked);
        assert_eq!((error.retry_after_s, error.said), (wait, None));
        (error.kind, error.code)
    }

    #[test]
    fn each_status_has_its_code() {
        for (status, kind, code) in [
            (200, Kind::Validation, "psa_request_refused"),
            (302, Kind::Protocol, "psa_redirected"),
            (400, Kind::Validation, "psa_request_refused"),
            (401, Kind::Auth, "psa_permission_missing"),
            (404, Kind::Protocol, "psa_address_unknown"),
            (408, Kind::Unavailable, "psa_timed_out"),
            (429, Kind::RateLimited, "psa_rate_limited"),
            (500, Kind::Unavailable, "psa_unavailable"),
            (503, Kind::Unavailable, "psa_unavailable"),
        ] {
            assert_eq!(failure(status, false, None), (kind, code.to_owned()), "{status}");
        }
    }

    #[test]
    fn a_403_is_a_missing_right_unless_the_right_was_there_or_a_wait_is_named() {
        let (missing, limited) = ("psa_permission_missing", "psa_rate_limited");
        for (worked, wait, code) in [(false, None, missing), (true, None, limited), (false, Some(60), limited)] {
            assert_eq!(failure(403, worked, wait).1, code, "{worked} {wait:?}");
        }
    }

    #[test]
    fn a_second_401_is_no_refused_log_in() {
        assert!(!of_failure(401, None, Template::UserInfo, true).refuses_log_in());
        assert!(log_in_refused().refuses_log_in());
    }
}
