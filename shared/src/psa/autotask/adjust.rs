//! The one write: a signed change of a line's units, and what its answer says about money.
//!
//! Autotask takes deltas, has no idempotency key, answers `{"itemId": null}` on success, and an adjustment can be neither
//! read nor undone. So the question after each write is not "did it fail?" but "may it have been applied?", and
//! [`settle`] is the only place that answers it. When in doubt the answer is [`WriteError::Unknown`]: the caller then
//! reads the units, which costs a request; a wrong "rejected" would cost a customer money.

use serde_json::{Value, json};

use super::client::{Answer, Client, Entity};
use super::errors::{self, Mask, Said, Transport};
use super::wire;
use crate::domain::repricing::Repricing;
use crate::psa::{Kind, PsaError, UnitsChange, WriteError};

pub(super) async fn change_units(client: &Client, change: &UnitsChange) -> Result<(), WriteError> {
    let Ok(contract_service) = change.contract_service.as_str().parse::<i64>() else {
        return Err(WriteError::Rejected(PsaError::new(
            Kind::Validation,
            "contract_service_unknown",
            format!("\"{}\" is not a service on a contract of Autotask.", change.contract_service),
            "Nothing: the next run reads the contract again.",
        )));
    };
    let Ok(body) = body(contract_service, change) else {
        return Err(WriteError::NotSent(unwritable()));
    };
    settle(client.write(Entity::ContractServiceAdjustments, &body).await, client.mask())
}

fn body(contract_service: i64, change: &UnitsChange) -> Result<Value, serde_json::Error> {
    // Nothing else may be named. Where the contract and the service are sent instead of the service on the contract and
    // do not match one, Autotask adds the service to the contract without a word, and bills it. A price or a cost is
    // sent only where it is to be another one: what is not named is carried on. The time of day is ignored, but a zone would move the day.
    let mut body = json!({
        "contractServiceID": contract_service,
        "effectiveDate": format!("{}T00:00:00", change.effective),
        "unitChange": change.delta.get(),
    });
    if let Some(Repricing { cost, price }) = change.prices {
        for (field, step) in [("adjustedUnitCost", cost), ("adjustedUnitPrice", price)] {
            if let Some(step) = step {
                // As a JSON number, written as the decimal it is.
                body[field] = serde_json::from_str(&step.target.to_string())?;
            }
        }
    }
    Ok(body)
}

fn unwritable() -> PsaError {
    PsaError::new(
        Kind::Validation,
        "amount_unwritable",
        "An amount can't be written as a number.",
        "Check the unit cost and the markup of the product's mapping.",
    )
}

/// What one write came to.
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
fn settle(exchange: Result<Answer, Transport>, mask: &Mask) -> Result<(), WriteError> {
    let answer = match exchange {
        Ok(answer) => answer,
        Err(Transport::NotSent(error)) => return Err(WriteError::NotSent(error)),
        Err(Transport::Lost(error)) => return Err(WriteError::Unknown(error)),
    };
    let said = Said::of(&answer.body);
    let explain = || errors::of_answer(&answer, mask);
    match answer.status {
        200..=299 => match (item(&answer), said.errors.is_empty()) {
            (Some(_), true) => Ok(()),
            (Some(Item::Absent), false) => Err(WriteError::Rejected(explain())),
            (Some(Item::Present), false) => Err(WriteError::Unknown(explain())),
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

/// Whether a success names what it made.
enum Item {
    Present,
    Absent,
}

/// `None` where the body is no JSON object.
fn item(answer: &Answer) -> Option<Item> {
    let object: serde_json::Map<String, serde_json::Value> = wire::parse(&answer.body)?;
    Some(if object.get("itemId").is_none_or(serde_json::Value::is_null) { Item::Absent } else { Item::Present })
}

fn unclear() -> PsaError {
    PsaError::new(
        Kind::Protocol,
        "psa_write_answer_unreadable",
        "Autotask took the change but its answer can't be read.",
        "Nothing: the units are read again to see whether they changed.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::psa::credentials::AutotaskCredentials;

    const REFUSAL: &str = r#"{"errors":["Attempt to insert duplicate data into contract_service_period"]}"#;
    const VAGUE: &str = r#"{"errors":["An error occurred."]}"#;

    fn settled(exchange: Result<(u16, &str), Transport>) -> &'static str {
        let user = AutotaskCredentials {
            username: "u@example.com".to_owned(),
            secret: "s".into(),
            integration_code: "c".into(),
        };
        let exchange =
            exchange.map(|(status, body)| Answer { status, retry_after_s: None, body: body.as_bytes().to_vec() });
        match settle(exchange, &Mask::new(&user)) {
            Ok(()) => "applied",
            Err(WriteError::NotSent(_)) => "not sent",
            Err(WriteError::Rejected(_)) => "rejected",
            Err(WriteError::Unknown(_)) => "unknown",
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
