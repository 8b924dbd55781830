//! The answers that are none: a status, and a sentence in a body whose form the specification leaves open.

use serde_json::json;

use super::switches::Switches;
use crate::reply::Reply;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A parameter is not what it can be.
    Invalid(&'static str),
    Unauthenticated,
    NotPermitted,
    NotFound,
    /// The simulator offers nothing that changes an organization.
    MethodNotAllowed,
    TooMany,
}

impl Refusal {
    pub(crate) fn reply(self, switches: &Switches) -> Reply {
        let (status, what) = match self {
            Self::Invalid(what) => (400, what),
            Self::Unauthenticated => (401, "The credentials are missing or wrong."),
            Self::NotPermitted => (403, "The key lacks a permission."),
            Self::NotFound => (404, "There is no such resource."),
            Self::MethodNotAllowed => (405, "The method is not allowed."),
            Self::TooMany => (429, "The limit of requests is reached."),
        };
        let mut reply = Reply::json(status, &json!({ "error": what }));
        if let (Self::TooMany, Some(seconds)) = (self, switches.retry_after_s) {
            reply.headers.push(("retry-after".to_owned(), seconds.to_string()));
        }
        reply
    }
}
