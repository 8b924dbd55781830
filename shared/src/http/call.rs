//! One call: what is sent. What comes back is `answer`'s.
//!
//! A call is begun with a checked host, so credentials are only ever added to a request whose address is settled. What
//! the caller hands over goes in as data: an id can't change the path, a credential can't add a header. A fault met on
//! the way shows when the call is sent.

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use url::{Url, form_urlencoded};

use super::answer::{Answer, exchange, exchange_status};
use super::error::HttpError;

/// A request in the making.
#[must_use = "nothing is sent before `send`"]
pub struct Call {
    http: reqwest::Client,
    request: Result<Request, HttpError>,
    path: &'static str,
    longest_answer: usize,
}

impl Call {
    pub(super) fn new(
        http: reqwest::Client,
        method: Method,
        address: Result<Url, HttpError>,
        path: &'static str,
        longest_answer: usize,
    ) -> Self {
        let request = address.map(|address| {
            let mut request = Request::new(method, address);
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
            request
        });
        Self { http, request, path, longest_answer }
    }

    /// Adds one segment to the path: an id. It stays one segment, whatever it holds.
    pub fn segment(self, segment: &str) -> Self {
        self.and(|request| {
            // Those would name another path.
            if matches!(segment, "" | "." | "..") {
                return None;
            }
            request.url_mut().path_segments_mut().ok()?.push(segment);
            Some(())
        })
    }

    /// Adds one pair to the query.
    pub fn query(self, name: &str, value: &str) -> Self {
        self.and(|request| {
            request.url_mut().query_pairs_mut().append_pair(name, value);
            Some(())
        })
    }

    /// Sends a token as `Authorization: Bearer`.
    pub fn bearer(self, token: &SecretString) -> Self {
        self.secret(AUTHORIZATION, &format!("Bearer {}", token.expose_secret()))
    }

    /// Sends a credential as the header `name`.
    pub fn credential(self, name: HeaderName, value: &SecretString) -> Self {
        self.secret(name, value.expose_secret())
    }

    /// Sends `value` as the header `name`.
    pub fn header(self, name: HeaderName, value: &str) -> Self {
        self.and(|request| {
            request.headers_mut().insert(name, HeaderValue::from_str(value).ok()?);
            Some(())
        })
    }

    /// Sends JSON that is written down already, byte for byte.
    pub fn written_json(self, body: Vec<u8>) -> Self {
        self.body("application/json", body)
    }

    /// Sends JSON.
    pub fn json(self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.body("application/json", body),
            Err(_) => self.and(|_| None),
        }
    }

    /// Sends a form (`application/x-www-form-urlencoded`).
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", body.into_bytes())
    }

    /// Sends it, once, and reads the answer.
    ///
    /// # Errors
    /// There is no whole answer. An answer of any status is none of these: what it means is the connector's to say.
    pub async fn send(self) -> Result<Answer, HttpError> {
        let answer = match self.request {
            Ok(request) => exchange(&self.http, request, self.longest_answer).await,
            Err(error) => Err(error),
        };
        match &answer {
            Ok(answer) => tracing::debug!(path = self.path, status = answer.status, "a named host answered"),
            Err(error) => tracing::debug!(path = self.path, code = error.code(), "a named host did not answer"),
        }
        answer
    }

    /// Sends it, once, and tells the status of the answer. The body says nothing to us: of it no more than the limit is
    /// read, so that the host is not cut off in the middle of a short one, and whatever becomes of that reading is dropped.
    ///
    /// # Errors
    /// No status came.
    pub async fn send_for_status(self) -> Result<u16, HttpError> {
        let status = match self.request {
            Ok(request) => exchange_status(&self.http, request, self.longest_answer).await,
            Err(error) => Err(error),
        };
        match &status {
            Ok(status) => tracing::debug!(path = self.path, status, "a named host answered"),
            Err(error) => tracing::debug!(path = self.path, code = error.code(), "a named host did not answer"),
        }
        status
    }

    fn secret(self, name: HeaderName, text: &str) -> Self {
        self.and(|request| {
            let mut value = HeaderValue::from_str(text).ok()?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
            Some(())
        })
    }

    fn body(self, kind: &'static str, body: Vec<u8>) -> Self {
        self.and(|request| {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            *request.body_mut() = Some(body.into());
            Some(())
        })
    }

    /// Adds something to a request that is sound so far.
    fn and(mut self, add: impl FnOnce(&mut Request) -> Option<()>) -> Self {
        if let Ok(request) = &mut self.request
            && add(request).is_none()
        {
            self.request = Err(HttpError::RequestMalformed);
        }
        self
    }
}
