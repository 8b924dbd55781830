//! What the API answers instead of what was asked for, and what a page makes of it.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use shared::api::Fault;
use shared::store::StoreError;

/// A problem, as the API tells it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Trouble {
    /// HTTP status.
    #[serde(skip)]
    pub(crate) status: StatusCode,
    /// Stable name.
    pub(crate) code: String,
    /// What happened this time.
    pub(crate) detail: String,
    /// What to do about it.
    #[serde(default)]
    pub(crate) fix: Option<String>,
    /// What is wrong with the input, by its place.
    #[serde(default)]
    pub(crate) errors: Vec<Fault>,
    /// Names the request in the logs.
    #[serde(default)]
    pub(crate) request_id: Box<str>,
}

impl Trouble {
    pub(super) fn answered(status: StatusCode, body: &[u8]) -> Self {
        match serde_json::from_slice::<Self>(body) {
            Ok(trouble) => Self { status, ..trouble },
            Err(error) => Self::ours(error),
        }
    }

    fn new(status: StatusCode, code: &str, detail: &str) -> Self {
        let (code, detail) = (code.to_owned(), detail.to_owned());
        Self { status, code, detail, fix: None, errors: Vec::new(), request_id: Box::default() }
    }

    /// Our fault. `cause` is for the log alone.
    pub(crate) fn ours(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "a page could not be made");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong on our side.")
    }

    /// There is no such thing.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", &format!("There is no such {what}."))
    }

    /// The form can't be taken as it came.
    pub(crate) fn of_form(detail: &str) -> Self {
        let trouble = Self::new(StatusCode::BAD_REQUEST, "form_refused", detail);
        Self { fix: Some("Load the page anew and send it again.".to_owned()), ..trouble }
    }

    /// Whether whoever filled a form in can mend it there.
    pub(crate) fn can_be_mended(&self) -> bool {
        self.status.is_client_error() && self.status != StatusCode::NOT_FOUND
            || self.status == StatusCode::BAD_GATEWAY
            || self.status == StatusCode::SERVICE_UNAVAILABLE
    }

    /// Whether what was filled in is not over what stands any more.
    pub(crate) fn is_late(&self) -> bool {
        self.status == StatusCode::PRECONDITION_FAILED
    }

    /// What is wrong at `pointer` of the input.
    pub(crate) fn at(&self, pointer: &str) -> Option<&str> {
        self.errors.iter().find(|fault| fault.pointer == pointer).map(|fault| fault.detail.as_str())
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::ours(error)
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        (self.status, crate::view::trouble::page(&self)).into_response()
    }
}
