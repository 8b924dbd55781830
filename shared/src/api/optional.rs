//! Input: a JSON body that may be left out, as `Option<Json<…>>`.

use axum::extract::{OptionalFromRequest, Request};
use serde::de::DeserializeOwned;

use super::json::{Json, bytes, is_json, not_sent_as_json, read};
use super::problem::Problem;

/// Nothing at all is no body, whatever it says of its kind: clients name one for every POST.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Option<Self>, Problem> {
        let says_json = is_json(request.headers());
        let body = bytes(request.into_body()).await?;
        match (body.is_empty(), says_json) {
            (true, _) => Ok(None),
            (false, true) => read(&body).map(|value| Some(Self(value))),
            (false, false) => Err(not_sent_as_json()),
        }
    }
}
