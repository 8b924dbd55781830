//! What comes back: read within the limit, shown to nobody.
//!
//! An answer keeps its status, the time to wait and the body; a failure keeps its kind. The words of the host, of the
//! HTTP library and of the JSON library, which quote one another, end here.

use std::error::Error;
use std::{fmt, io, iter};

use reqwest::header::RETRY_AFTER;
use reqwest::{Request, Response};
use serde::de::DeserializeOwned;

use super::error::HttpError;
use super::resolver::NonePermitted;

/// What came back. Its `Debug` shows no body: that is the vendor's words, and maybe a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status, of a redirect too.
    pub status: u16,
    /// Seconds that the host asks to wait, where it says so in seconds.
    pub retry_after_s: Option<u32>,
    /// The whole body. It must not be shown to anyone.
    pub body: Vec<u8>,
}

impl Answer {
    /// A status of 2xx. Whether the body holds an error nevertheless is another question.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    /// The body read as JSON; `None` where it is not what was asked for. Why not would quote the body, so it is dropped.
    /// A byte order mark, with which Microsoft's Partner Center begins its answers, is passed over.
    #[must_use]
    pub fn parse<T: DeserializeOwned>(&self) -> Option<T> {
        let body: &[u8] = &self.body;
        serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).ok()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// Sends a request, once, and reads its answer.
pub(super) async fn exchange(http: &reqwest::Client, request: Request, longest: usize) -> Result<Answer, HttpError> {
    let mut response = http.execute(request).await.map_err(|error| failure(&error))?;
    let body = body(&mut response, longest).await?;
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Ok(Answer { status: response.status().as_u16(), retry_after_s: retry_after, body })
}

/// Sends a request, once, and tells the status. The body is read within the limits and dropped.
pub(super) async fn exchange_status(
    http: &reqwest::Client,
    request: Request,
    longest: usize,
) -> Result<u16, HttpError> {
    let mut response = http.execute(request).await.map_err(|error| failure(&error))?;
    let status = response.status().as_u16();
    // The status has said it all; a body that is too long, hangs or breaks off changes nothing.
    let _ = body(&mut response, longest).await;
    Ok(status)
}

/// The body, if it ends within the limit. What is announced as longer is not read at all.
async fn body(response: &mut Response, longest: usize) -> Result<Vec<u8>, HttpError> {
    let fits = |length| length <= longest;
    if response.content_length().is_some_and(|length| !usize::try_from(length).is_ok_and(fits)) {
        return Err(HttpError::AnswerTooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if !fits(body.len() + chunk.len()) {
            return Err(HttpError::AnswerTooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Takes the failure's kind and none of its words.
fn failure(error: &reqwest::Error) -> HttpError {
    if error.is_builder() {
        HttpError::RequestMalformed
    } else if error.is_connect() {
        unconnected(error)
    } else if error.is_timeout() {
        HttpError::TimedOut
    } else {
        HttpError::ConnectionLost
    }
}

fn unconnected(error: &reqwest::Error) -> HttpError {
    let is_tls = |cause: &(dyn Error + 'static)| {
        // How tokio-rustls reports a handshake that failed, and one that was cut off.
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        matches!(kind, Some(io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof))
    };
    if causes(error).any(|cause| cause.is::<NonePermitted>()) {
        HttpError::AddressNotAllowed
    } else if causes(error).any(is_tls) {
        HttpError::TlsFailed
    } else {
        HttpError::Unreachable
    }
}

/// The error and what is behind it. An `io::Error` names as its source what is behind the error it wraps, so that one is
/// asked for by itself.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
    })
}
