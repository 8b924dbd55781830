//! Creation that may be sent twice: `Idempotency-Key`.
//!
//! The same key and body get the same answer for a day, without the work being done again. Only success is remembered:
//! where nothing was made, the same request is free to try again. Without a key every request does its work.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::auth::Caller;
use super::json::{json_body, read};
use super::problem::{Fault, Problem};
use crate::clock::{Clock, fresh_id_at};
use crate::store::idempotency::{Answer, Claim, Idempotency};

/// The header.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The body of a request that makes something, and what is needed to know it again.
#[derive(Debug)]
pub struct Creation<T> {
    /// The body.
    pub body: T,
    key: Option<String>,
    asked: String,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Creation<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let key = key_in(request.headers())?;
        let mut asked = Sha256::new();
        // The address belongs to what was asked: one key on two of them is two requests.
        asked.update(format!(
            "{} {}\n{}\n",
            request.method(),
            request.uri().path(),
            key.as_deref().unwrap_or_default()
        ));
        let text = json_body(request).await?;
        asked.update(&text);
        Ok(Self { body: read(&text)?, key, asked: hex::encode(asked.finalize()) })
    }
}

fn key_in(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut sent = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = sent.next() else { return Ok(None) };
    let printable =
        |text: &&str| (1..=255).contains(&text.len()) && text.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
    match (value.to_str().ok().filter(printable), sent.next()) {
        (Some(key), None) => Ok(Some(key.to_owned())),
        _ => {
            let detail = "must be sent once, 1 to 255 printable characters without spaces";
            Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", format!("Idempotency-Key {detail}."))
                .faults(vec![Fault::new("header:Idempotency-Key", detail)]))
        }
    }
}

/// What was made.
#[derive(Debug)]
pub struct Made<T> {
    /// 201, or 202 where the work goes on.
    pub status: StatusCode,
    /// Where it is.
    pub location: Option<String>,
    /// The answer's body.
    pub body: T,
}

/// Does `work` once for a key. `work` gets the id that it shall give to what it makes (it begins with `prefix`) and must
/// find a thing of that id already there: a request may have died after making it.
///
/// # Errors
/// Those of `work`; 409 while another request works under the key; 422 where the key was used for something else.
pub async fn once<T, B, W>(
    remembered: &Idempotency,
    clock: &dyn Clock,
    caller: &Caller,
    request: Creation<B>,
    prefix: &str,
    work: impl FnOnce(String, B) -> W,
) -> Result<Response, Problem>
where
    T: Serialize,
    W: Future<Output = Result<Made<T>, Problem>>,
{
    let id = fresh_id_at(prefix, clock.now());
    let Some(key) = request.key else { return answer(work(id, request.body).await?).map(respond) };
    let id = match remembered.claim(&caller.partner, &key, &request.asked, &id, clock.now()).await? {
        Claim::Work { id } => id,
        Claim::Done(answer) => return Ok(respond(answer)),
        Claim::InProgress => {
            let detail = "A request with this Idempotency-Key is being worked on.";
            return Err(Problem::conflict("idempotency_key_in_progress", detail).fix("Send it again in a moment."));
        }
        Claim::Reused => {
            let detail = "This Idempotency-Key was used for another request.";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
                .fix("Send a new key with every new request."));
        }
    };
    let done = match work(id.clone(), request.body).await {
        Ok(made) => answer(made),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(answer) => {
            if let Err(error) = remembered.complete(&caller.partner, &key, &id, &answer).await {
                // It was made: say so. Sent again it is found by its id.
                tracing::warn!(%error, "an answer is not remembered under its idempotency key");
            }
            Ok(respond(answer))
        }
        Err(problem) => {
            // After a refusal nothing was made. After a fault on this side something may have been: the key keeps its id.
            let given_up = if problem.status().is_server_error() {
                remembered.suspend(&caller.partner, &key, &id).await
            } else {
                remembered.release(&caller.partner, &key, &id).await
            };
            if let Err(error) = given_up {
                tracing::warn!(%error, "the claim of an idempotency key is not given up and runs out by itself");
            }
            Err(problem)
        }
    }
}

fn answer<T: Serialize>(made: Made<T>) -> Result<Answer, Problem> {
    let body = serde_json::to_string(&made.body).map_err(Problem::internal)?;
    Ok(Answer { status: made.status.as_u16(), location: made.location, body })
}

fn respond(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], answer.body).into_response();
    if let Some(location) = answer.location.and_then(|text| text.parse().ok()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
