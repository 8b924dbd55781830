//! Calls to a vendor's host: paced, read as JSON, and explained where they fail. Nothing is logged but paths and statuses.

use reqwest::Method;
use serde::de::DeserializeOwned;
use url::Url;

use super::{Pace, SourceError};
use crate::http::{AllowList, Answer, Call, CheckedHost, Client, HttpError, Settings};

/// The most of an answer that is read, in bytes: vendors' pages of 500 customers hold a megabyte or two.
const LONGEST_ANSWER: usize = 8 * 1024 * 1024;

/// One vendor's API, for one set of credentials.
#[derive(Clone)]
pub struct Api {
    /// For people.
    vendor: &'static str,
    http: Client,
    host: CheckedHost,
    pace: Pace,
}

/// A client for the hosts of `allowed`, or for a simulator at `base`.
///
/// # Errors
/// A client can't be made on this machine.
pub(super) fn client(allowed: AllowList, base: Option<&Url>) -> Result<Client, HttpError> {
    let settings = Settings { longest_answer: LONGEST_ANSWER, ..Settings::default() };
    match base {
        Some(base) => Client::at(base, allowed, settings),
        None => Client::new(allowed, settings),
    }
}

impl Api {
    /// Calls `host` of `vendor` at the speed of `pace`.
    #[must_use]
    pub fn new(vendor: &'static str, http: Client, host: CheckedHost, pace: Pace) -> Self {
        Self { vendor, http, host, pace }
    }

    /// What the vendor is called, for people.
    #[must_use]
    pub fn vendor(&self) -> &'static str {
        self.vendor
    }

    /// Reads `path`, to which `with` adds what belongs to it: credentials, ids, a query.
    ///
    /// # Errors
    /// There is no answer that can be read. What may pass was tried again.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &'static str,
        with: impl Fn(Call) -> Call + Send + Sync,
    ) -> Result<T, SourceError> {
        self.read(Method::GET, path, with).await
    }

    /// As [`Api::get`], by another method: for searches and log-ins, which change nothing.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn read<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &'static str,
        with: impl Fn(Call) -> Call + Send + Sync,
    ) -> Result<T, SourceError> {
        let mut tries = self.pace.tries();
        let answer = loop {
            tries.turn().await;
            let call = with(self.http.read(method.clone(), &self.host, path));
            match call.send().await.map_err(|error| self.unanswered(error)).and_then(|answer| self.succeeded(answer)) {
                Ok(answer) => break answer,
                Err(error) => tries.after(error).await?,
            }
        };
        answer.parse().ok_or_else(|| SourceError::unreadable(self.vendor, "it is not what the documentation promises"))
    }

    fn succeeded(&self, answer: Answer) -> Result<Answer, SourceError> {
        if answer.succeeded() {
            return Ok(answer);
        }
        Err(SourceError::of_status(self.vendor, answer.status, answer.retry_after_s))
    }

    fn unanswered(&self, error: HttpError) -> SourceError {
        match error {
            HttpError::Unreachable | HttpError::TimedOut | HttpError::ConnectionLost => {
                SourceError::unreachable(self.vendor)
            }
            HttpError::AnswerTooLarge => SourceError::unreadable(self.vendor, "it is longer than is read"),
            other => other.into(),
        }
    }
}
