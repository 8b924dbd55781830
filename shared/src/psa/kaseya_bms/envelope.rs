//! The envelope around every answer, and whether it says success.
//!
//! `{success, error, result, totalRecords?}`, spelt in either case. A call has failed where the status is 400 or more or
//! `success` is not true: BMS is known to refuse within a 200 too. What a failure says is `complaint`'s.

use serde_json::Value;

use super::complaint::Complaint;
use super::errors;
use super::fields::{Row, lower_cased};
use super::template::Template;
use crate::http::Answer;
use crate::psa::PsaError;

/// The number of the error that an expired token meets ("Security Error"), as clients of the live service report it.
const SECURITY_ERROR: i64 = 978_001;

/// What a successful call answers, names in lower case.
#[derive(Debug, Default)]
pub(super) struct Success {
    /// What was asked for.
    pub(super) result: Value,
    /// How many rows there are on all pages, where it is told.
    pub(super) total: Option<usize>,
}

/// What an answer is.
#[derive(Debug)]
pub(super) enum Read {
    /// The call succeeded.
    Success(Success),
    /// The token is not good, or good no more.
    Unauthorised,
    /// An envelope that does not say success, or an HTTP failure with whatever body.
    Failure(Complaint),
    /// Neither: a 2xx that can't be read.
    Unreadable(PsaError),
}

/// Reads an answer.
pub(super) fn read(answer: &Answer, template: Template) -> Read {
    let mut body = answer.parse::<Value>().map(lower_cased).and_then(Row::of);
    let mut error = body.as_mut().and_then(|body| Row::of(body.take("error")));
    let code = error.as_ref().and_then(|error| error.whole("code"));
    if answer.status == 401 || code == Some(SECURITY_ERROR) {
        return Read::Unauthorised;
    }
    if !answer.succeeded() {
        return Read::Failure(Complaint::of(answer, body, error.take()));
    }
    let Some(mut body) = body else {
        return Read::Unreadable(errors::unreadable(template, "is not the JSON that is documented"));
    };
    match body.flag("success") {
        Some(true) => {
            let total = body.whole("totalrecords").and_then(|total| usize::try_from(total).ok());
            Read::Success(Success { result: body.take("result"), total })
        }
        None if template.may_be_bare() && !body.has("success") && body.has("id") => {
            Read::Success(Success { result: body.into_value(), total: None })
        }
        _ => Read::Failure(Complaint::of(answer, Some(body), error)),
    }
}

impl Success {
    /// The result as one object.
    pub(super) fn row(self, template: Template) -> Result<Row, PsaError> {
        Row::of(self.result).ok_or_else(|| errors::unreadable(template, "is not an object"))
    }

    /// The result as rows. No result at all is no rows.
    pub(super) fn rows(self, template: Template) -> Result<Vec<Row>, PsaError> {
        let rows = match self.result {
            Value::Null => Some(vec![]),
            Value::Array(items) => items.into_iter().map(Row::of).collect(),
            _ => None,
        };
        rows.ok_or_else(|| errors::unreadable(template, "is not a list of objects"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after_s: None, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn success_is_true_and_below_400_and_nothing_else() {
        let seen = |status, body: &str| match read(&answer(status, body), Template::UserInfo) {
            Read::Success(_) => "success",
            Read::Unauthorised => "unauthorised",
            Read::Failure(_) => "failure",
            Read::Unreadable(_) => "unreadable",
        };
        for (status, body, expected) in [
            (200, r#"{"success":true,"result":[]}"#, "success"),
            (200, r#"{"Success":true,"Result":[],"TotalRecords":0}"#, "success"),
            (200, r#"{"success":false,"result":null}"#, "failure"),
            (200, r#"{"success":null}"#, "failure"),
            (200, r#"{"result":[]}"#, "failure"),
            (200, r#"{"id":1}"#, "failure"),
            (400, r#"{"success":true,"result":[]}"#, "failure"),
            (302, "", "failure"),
            (500, "<html>", "failure"),
            (401, "", "unauthorised"),
            (200, r#"{"success":false,"error":{"Code":978001}}"#, "unauthorised"),
            (200, "<html>", "unreadable"),
            (200, "[]", "unreadable"),
            (204, "", "unreadable"),
        ] {
            assert_eq!(seen(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn only_one_account_may_come_bare() {
        let bare = answer(200, r#"{"Id":7,"AccountName":"Müller"}"#);
        let Read::Success(success) = read(&bare, Template::AccountSummary) else { panic!() };
        assert_eq!(success.row(Template::AccountSummary).unwrap().text("accountname").unwrap(), "Müller");
        assert!(matches!(read(&bare, Template::AccountsSummary), Read::Failure(_)));
    }
}
