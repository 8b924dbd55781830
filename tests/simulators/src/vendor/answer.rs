//! What a vendor says to a request: an answer, or a refusal.

use serde_json::Value;

use crate::reply::Reply;

/// What is answered to a request that is not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub(crate) reply: Reply,
    /// Whether it is a page of customers: planned changes wait for those.
    pub(crate) is_page: bool,
}

impl Answer {
    /// A page of the list of customers.
    #[must_use]
    pub fn page(body: &Value) -> Self {
        Self { reply: Reply::ok(body), is_page: true }
    }

    /// Anything else.
    #[must_use]
    pub fn told(body: &Value) -> Self {
        Self { reply: Reply::ok(body), is_page: false }
    }

    /// The same with other bytes before its body: some vendors begin their JSON with a byte order mark.
    #[must_use]
    pub fn behind(mut self, bytes: &[u8]) -> Self {
        self.reply.body.splice(0..0, bytes.iter().copied());
        self
    }
}

/// Why a request is refused: a status and a sentence. What they look like on the wire is each vendor's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The sentence.
    pub what: String,
}

impl Refusal {
    /// With any status.
    #[must_use]
    pub fn new(status: u16, what: impl Into<String>) -> Self {
        Self { status, what: what.into() }
    }

    /// 400: a parameter is not what it can be.
    #[must_use]
    pub fn invalid(what: impl Into<String>) -> Self {
        Self::new(400, what)
    }

    /// 401.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(401, "The credentials are missing or wrong.")
    }

    /// 403: who was let in lacks a right.
    #[must_use]
    pub fn not_permitted() -> Self {
        Self::new(403, "A permission is missing.")
    }

    /// 404.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, "There is no such resource.")
    }

    /// 405. No simulator offers what changes a customer.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(405, "The method is not allowed.")
    }

    /// 429.
    #[must_use]
    pub fn too_many() -> Self {
        Self::new(429, "The limit of requests is reached.")
    }
}
