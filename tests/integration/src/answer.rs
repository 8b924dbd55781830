//! An answer, read whole.

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// What the service answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, as it came.
    pub text: String,
    /// Body, where it is JSON; null otherwise.
    pub json: Value,
}

impl Answer {
    /// Sends `request` and reads the answer.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status, headers, text, json }
    }

    /// A header, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The problem in it, without what differs from request to request.
    ///
    /// # Panics
    /// When it is no problem, or lacks one of the members that every problem has.
    #[must_use]
    pub fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let mut problem = self.json.clone();
        for member in ["type", "title", "status", "detail", "code", "errors", "request_id"] {
            assert!(problem.get(member).is_some(), "{member} is missing: {problem}");
        }
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert!(!self.header("x-request-id").is_empty());
        problem["request_id"] = "[request]".into();
        problem
    }
}
