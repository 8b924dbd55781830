//! What one write came to: the only place that says whether it may have been applied.
//!
//! Autotask has no idempotency key and answers a success with an id or with null, so the question after each write is not "did
//! it fail?" but "may it have been applied?". When in doubt the answer is [`WriteError::Unknown`]: the caller then reads, which
//! costs a request; a wrong "rejected" would cost a customer money.

use serde_json::{Map, Value};

use super::client::Answer;
use super::errors::{self, Mask, Said, Transport};
use super::wire;
use crate::psa::{Kind, PsaError, WriteError};

/// The id of what was written, where the answer names it.
///
/// | exchange | meaning |
/// |---|---|
/// | no connection | not sent |
/// | no answer, or half of one | unknown |
/// | 2xx, an object without errors | applied, `itemId` null or not |
/// | 2xx with errors and no item | rejected |
/// | 2xx, anything else | unknown |
/// | 3xx, and a 4xx that is given before the request is carried out | rejected |
/// | 5xx, 408 and every other status | rejected if each of Autotask's texts is a refusal that we know, else unknown |
pub(super) fn settle(exchange: Result<Answer, Transport>, mask: &Mask) -> Result<Option<i64>, WriteError> {
    let answer = match exchange {
        Ok(answer) => answer,
        Err(Transport::NotSent(error)) => return Err(WriteError::NotSent(error)),
        Err(Transport::Lost(error)) => return Err(WriteError::Unknown(error)),
    };
    let said = Said::of(&answer.body);
    let explain = || errors::of_answer(&answer, mask);
    match answer.status {
        200..=299 => match (item(&answer), said.errors.is_empty()) {
            (Some(item), true) => Ok(item.as_i64()),
            (Some(Value::Null), false) => Err(WriteError::Rejected(explain())),
            (Some(_), false) => Err(WriteError::Unknown(explain())),
            (None, _) => Err(WriteError::Unknown(unclear())),
        },
        300..=399 | 400 | 401 | 403 | 404 | 405 | 406 | 411 | 413 | 414 | 415 | 422 | 429 => {
            Err(WriteError::Rejected(explain()))
        }
        // Well-formed requests can also fail with a vague text under lock contention, and nobody has recorded whether
        // the change is kept then: a text that we do not know settles nothing.
        _ if said.is_known_refusal() => Err(WriteError::Rejected(explain())),
        _ => Err(WriteError::Unknown(explain())),
    }
}

/// What a success names as written, null where it names nothing. `None` where the body is no JSON object.
fn item(answer: &Answer) -> Option<Value> {
    let mut object: Map<String, Value> = wire::parse(&answer.body)?;
    Some(object.remove("itemId").unwrap_or_default())
}

fn unclear() -> PsaError {
    PsaError::new(
        Kind::Protocol,
        "psa_write_answer_unreadable",
        "Autotask took the change but its answer can't be read.",
        "Nothing: it is read again to see whether it changed.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::psa::credentials::AutotaskCredentials;

    const REFUSAL: &str = r#"{"errors":["Attempt to insert duplicate data into contract_service_period"]}"#;
    const NO_SUCH_ROW: &str = r#"{"errors":["No message. No matching records found. The logged in Resource may not have the required permissions to delete the data."]}"#;
    const VAGUE: &str = r#"{"errors":["An error occurred."]}"#;

    fn settled(exchange: Result<(u16, &str), Transport>) -> &'static str {
        match came_to(exchange) {
            Ok(_) => "applied",
            Err(WriteError::NotSent(_)) => "not sent",
            Err(WriteError::Rejected(_)) => "rejected",
            Err(WriteError::Unknown(_)) => "unknown",
        }
    }

    fn came_to(exchange: Result<(u16, &str), Transport>) -> Result<Option<i64>, WriteError> {
        let user = AutotaskCredentials {
            username: "u@example.com".to_owned(),
            secret: "s".into(),
            integration_code: "c".into(),
        };
        let exchange =
            exchange.map(|(status, body)| Answer { status, retry_after_s: None, body: body.as_bytes().to_vec() });
        settle(exchange, &Mask::new(&user))
    }

    #[test]
    fn a_success_names_what_it_made_or_does_not() {
        for (body, id) in
            [(r#"{"itemId":12}"#, Some(12)), (r#"{"itemId":null}"#, None), (r#"{"itemId":"12"}"#, None), ("{}", None)]
        {
            assert_eq!(came_to(Ok((200, body))), Ok(id), "{body}");
        }
    }

    #[test]
    fn every_answer_says_what_became_of_the_money() {
        let cases: &[(u16, &str, &str)] = &[
            (200, r#"{"itemId":null}"#, "applied"),
            (200, r#"{"itemId":12}"#, "applied"),
            (200, "{}", "applied"),
            (201, r#"{"itemId":12}"#, "applied"),
            (200, r#"{"itemId":null,"errors":[]}"#, "applied"),
            (200, r#"{"itemId":null,"errors":null}"#, "applied"),
            (200, REFUSAL, "rejected"),
            (200, VAGUE, "rejected"),
            (200, r#"{"errors":["x"],"itemId":12}"#, "unknown"),
            (200, "", "unknown"),
            (204, "", "unknown"),
            (200, "<html>maintenance</html>", "unknown"),
            (200, r#"{"itemId":nu"#, "unknown"),
            (200, "null", "unknown"),
            (200, "[]", "unknown"),
            (302, "", "rejected"),
            (307, "", "rejected"),
            (400, r#"{"Message":"The request is invalid."}"#, "rejected"),
            (401, "", "rejected"),
            (403, "", "rejected"),
            (404, "", "rejected"),
            (405, r#"{"Message":"The requested resource does not support http method 'POST'."}"#, "rejected"),
            (408, "", "unknown"),
            (409, "", "unknown"),
            (409, REFUSAL, "rejected"),
            (500, NO_SUCH_ROW, "rejected"),
            (429, "", "rejected"),
            (499, "", "unknown"),
            (500, REFUSAL, "rejected"),
            (500, VAGUE, "unknown"),
            (500, r#"{"errors":["queueID is required","An error occurred."]}"#, "unknown"),
            (500, r#"{"errors":[]}"#, "unknown"),
            (500, r#"{"errors":[""]}"#, "unknown"),
            (500, r#"{"Message":"An error has occurred."}"#, "unknown"),
            (500, "", "unknown"),
            (500, "<html></html>", "unknown"),
            (502, "", "unknown"),
            (503, "", "unknown"),
            (503, r#"{"errors":["The Autotask API thread threshold of 3 threads has been exceeded."]}"#, "rejected"),
            (504, VAGUE, "unknown"),
            (599, "", "unknown"),
        ];
        for (status, body, expected) in cases {
            assert_eq!(settled(Ok((*status, body))), *expected, "{status} {body}");
        }
        let failure = errors::unreadable("it", "broke");
        assert_eq!(settled(Err(Transport::NotSent(failure.clone()))), "not sent");
        assert_eq!(settled(Err(Transport::Lost(failure))), "unknown");
    }
}
