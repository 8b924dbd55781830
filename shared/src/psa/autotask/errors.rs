//! What an exchange with Autotask that went wrong means: transport failures, statuses, and its own words.
//!
//! Words come first, because nearly every failure has status 500; statuses speak where no word is known. What Autotask
//! said is shown to the partner only after the credentials are taken out of it. Whether money may have moved is not
//! judged here but in `settle`.

use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;

use super::client::Answer;
use super::dictionary;
use super::wire;
use crate::psa::credentials::AutotaskCredentials;
use crate::psa::{Kind, PsaError};

/// The longest text of Autotask's that is shown, in characters.
const LONGEST: usize = 1_000;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Transport {
    /// No connection came about, so no byte of the request left.
    NotSent(PsaError),
    /// The request may have arrived; its answer did not.
    Lost(PsaError),
}

impl Transport {
    /// The failure itself: for a read it makes no difference how far it came.
    pub(super) fn into_error(self) -> PsaError {
        match self {
            Self::NotSent(error) | Self::Lost(error) => error,
        }
    }
}

/// An answer that is not what Autotask's documentation promises: `what` says where and how.
pub(super) fn unreadable(what: &str, how: &str) -> PsaError {
    PsaError::new(
        Kind::Protocol,
        "psa_answer_unreadable",
        format!("Autotask's answer can't be used: {what} {how}."),
        "Nothing: the next run reads again. If it stays, tell the operator.",
    )
}

/// What Autotask said about a failure.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// The texts of `errors`; each is a sentence.
    pub(super) errors: Vec<String>,
    /// The text of `Message`, which its web framework sends where no Autotask code was reached.
    message: Option<String>,
}

impl Said {
    /// Reads a body, whatever else it holds; nothing is said where it is no JSON object.
    pub(super) fn of(body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Words {
            #[serde(alias = "Errors")]
            errors: Value,
            #[serde(alias = "Message")]
            message: Value,
        }
        let words: Words = wire::parse(body).unwrap_or_default();
        let errors = match words.errors {
            Value::Null => vec![],
            Value::Array(texts) => texts.iter().map(text).collect(),
            other => vec![text(&other)],
        };
        Self { errors, message: words.message.as_str().map(str::to_owned) }
    }

    /// Whether every text is one that proves that nothing was changed, and there is at least one.
    ///
    /// One unknown text beside a known one is enough to doubt: the unknown one may be of a later stage.
    pub(super) fn is_known_refusal(&self) -> bool {
        !self.errors.is_empty() && self.errors.iter().all(|text| dictionary::look_up(text).is_some())
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.errors.iter().chain(&self.message).map(String::as_str)
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An answer that is a failure, explained: by its words where they are known, else by its status.
pub(super) fn of_answer(answer: &Answer, mask: &Mask) -> PsaError {
    let said = Said::of(&answer.body);
    let mut error = match said.texts().find_map(dictionary::look_up) {
        Some(known) => PsaError::new(known.kind, known.code, known.explanation, known.fix),
        None => of_status(answer, &said),
    };
    error.retry_after_s = answer.retry_after_s.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
    error.said = mask.shown(&said.texts().collect::<Vec<_>>().join(" | "));
    error
}

fn of_status(answer: &Answer, said: &Said) -> PsaError {
    match answer.status {
        300..=399 => PsaError::new(
            Kind::Protocol,
            "psa_redirected",
            "Autotask sent us to another address, which is never followed with a partner's secret.",
            "Connect the PSA again, so that its zone is looked up anew.",
        ),
        401 => PsaError::new(
            Kind::Auth,
            "psa_credentials_rejected",
            "Autotask refuses the API user's name and secret.",
            "Check in Autotask that the API user is active and not locked and that its secret has not expired; make a new \
             secret if in doubt, and send the credentials again.",
        ),
        403 => PsaError::new(
            Kind::Auth,
            "psa_permission_missing",
            "The API user may not do this.",
            "In Autotask, give the API user a security level that may see and edit contracts and their services, then test \
             the connection again.",
        ),
        404 => PsaError::new(
            Kind::Protocol,
            "psa_address_unknown",
            "Autotask does not serve this address. The tenant may have moved to another zone.",
            "Connect the PSA again, so that its zone is looked up anew.",
        ),
        405 => PsaError::new(
            Kind::Protocol,
            "psa_method_refused",
            "Autotask does not take this kind of request at this address.",
            "Tell the operator: the request itself has to be put right.",
        ),
        408 => PsaError::new(Kind::Unavailable, "psa_timed_out", "Autotask gave up waiting for the request.", LATER),
        429 => PsaError::new(
            Kind::RateLimited,
            "psa_rate_limited",
            match answer.retry_after_s {
                Some(seconds) => format!("Autotask takes no more requests for now and asks to wait {seconds} seconds."),
                None => "Autotask takes no more requests for now.".to_owned(),
            },
            "Nothing: the next run tries again. If it happens often, find out which integration sends so many requests.",
        ),
        status if said.errors.is_empty() && (500..=599).contains(&status) => PsaError::new(
            Kind::Unavailable,
            "psa_unavailable",
            format!("Autotask is not working at the moment (status {status})."),
            LATER,
        ),
        status => PsaError::new(
            Kind::Validation,
            "psa_error_unrecognised",
            format!("Autotask answered with an error that Tallyline does not know (status {status})."),
            "Read Autotask's own words. If they name nothing that can be put right there, tell the operator.",
        ),
    }
}

const LATER: &str = "Nothing: the next run tries again. If it stays, look at Autotask's status page.";

/// The credentials of a connection, to be taken out of whatever is shown.
pub(super) struct Mask(Vec<String>);

impl Mask {
    /// Masks `user`'s name, secret and tracking identifier.
    pub(super) fn new(user: &AutotaskCredentials) -> Self {
        let mut hidden = [user.username.as_str(), user.secret.expose_secret(), user.integration_code.expose_secret()]
            .map(|text| text.trim().to_lowercase())
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>();
        // The longest first: a name that is part of the secret must not break it up and leave its rest.
        hidden.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self(hidden)
    }

    /// `text` fit to be shown: one line, without credentials in upper or lower case, cut at [`LONGEST`]; `None` where
    /// nothing is left.
    fn shown(&self, text: &str) -> Option<String> {
        let text: String = text.chars().map(|c| if is_invisible(c) { ' ' } else { c }).collect();
        let text = self.0.iter().fold(text, |text, hidden| replace(&text, hidden));
        let text: String = text.trim().chars().take(LONGEST).collect();
        (!text.is_empty()).then_some(text)
    }
}

/// Control characters, and marks that turn the reading direction: both can make a text look like another.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// `text` with each occurrence of `hidden` (lower case) masked, whatever its case in `text`.
fn replace(text: &str, hidden: &str) -> String {
    let mut left = text;
    let mut masked = String::with_capacity(text.len());
    while let Some(first) = left.chars().next() {
        match strip_prefix_ignoring_case(left, hidden) {
            Some(rest) => {
                masked.push_str("***");
                left = rest;
            }
            None => {
                masked.push(first);
                left = &left[first.len_utf8()..];
            }
        }
    }
    masked
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let mut expected = prefix.chars();
    let mut rest = text.chars();
    loop {
        let Some(wanted) = expected.next() else { return Some(rest.as_str()) };
        let mut found = rest.next()?.to_lowercase();
        if found.next() != Some(wanted) || found.any(|more| expected.next() != Some(more)) {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask() -> Mask {
        Mask::new(&AutotaskCredentials {
            username: "Bob".to_owned(),
            secret: "bob#S3cret".into(),
            integration_code: "TRACK-1".into(),
        })
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after_s: None, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn what_autotask_said_is_shown_on_one_line_without_credentials() {
        let said = |text: &str| mask().shown(text);
        assert_eq!(
            said("User BOB with BOB#s3CRET\r\nand track-1 fails.").unwrap(),
            "User *** with ***  and *** fails."
        );
        assert_eq!(said("\u{202e}x\u{0}y").unwrap(), "x y");
        assert_eq!(said(" \n "), None);
        assert_eq!(said(&"ä".repeat(1_500)).unwrap().chars().count(), 1_000);
        // A secret that the cut would halve is masked before it is cut.
        assert!(!said(&format!("{}bob#S3cret", "x".repeat(996))).unwrap().contains("bob"));
    }

    #[test]
    fn a_known_text_explains_itself_whatever_the_status() {
        for status in [200, 401, 403, 429, 500, 503] {
            let body = r#"{"errors":["The Autotask API thread threshold of 3 threads has been exceeded."]}"#;
            assert_eq!(of_answer(&answer(status, body), &mask()).code, "psa_too_many_threads");
        }
    }

    #[test]
    fn an_unknown_text_is_shown_whole() {
        let error = of_answer(&answer(500, r#"{"errors":["Something new.","And more."]}"#), &mask());
        assert_eq!((error.kind, error.code.as_str()), (Kind::Validation, "psa_error_unrecognised"));
        assert_eq!(error.said.as_deref(), Some("Something new. | And more."));
    }

    #[test]
    fn each_status_has_its_code_where_no_word_is_known() {
        for (status, kind, code) in [
            (302, Kind::Protocol, "psa_redirected"),
            (401, Kind::Auth, "psa_credentials_rejected"),
            (403, Kind::Auth, "psa_permission_missing"),
            (404, Kind::Protocol, "psa_address_unknown"),
            (405, Kind::Protocol, "psa_method_refused"),
            (408, Kind::Unavailable, "psa_timed_out"),
            (429, Kind::RateLimited, "psa_rate_limited"),
            (500, Kind::Unavailable, "psa_unavailable"),
            (502, Kind::Unavailable, "psa_unavailable"),
            (418, Kind::Validation, "psa_error_unrecognised"),
        ] {
            for body in ["", "<html>no</html>", r#"{"errors":[]}"#, r#"{"Message":"An error has occurred."}"#] {
                let error = of_answer(&answer(status, body), &mask());
                assert_eq!((error.kind, error.code.as_str()), (kind, code), "{status} {body}");
            }
        }
    }

    #[test]
    fn a_wait_that_is_asked_for_is_told() {
        let answer = Answer { status: 429, retry_after_s: Some(120), body: vec![] };
        assert!(of_answer(&answer, &mask()).explanation.contains("120 seconds"));
    }

    #[test]
    fn raw_line_breaks_inside_a_text_do_not_hide_it() {
        let said = Said::of(b"{\"errors\":[\"queueID\r\nis required\"]}");
        assert_eq!(said.errors, ["queueID  is required"]);
    }

    #[test]
    fn one_unknown_text_makes_a_refusal_doubtful() {
        let known = "queueID is required";
        let said = |texts: &[&str]| Said { errors: texts.iter().map(|&t| t.to_owned()).collect(), message: None };
        assert!(said(&[known]).is_known_refusal() && said(&[known, known]).is_known_refusal());
        assert!(!said(&[known, "Something new."]).is_known_refusal() && !said(&[]).is_known_refusal());
    }
}
