//! A client of Tallyline's HTTP API, as anybody could write it: a token, JSON, pages.

use std::fmt;

use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cli::Failure;

/// The most pages that a list is read through.
const PAGES: usize = 1_000;

/// Calls the service at one address with one token.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// What the service refused, and why.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub code: String,
    pub detail: String,
    #[serde(default)]
    pub fix: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code)?;
        self.fix.as_ref().map_or(Ok(()), |fix| write!(f, " {fix}"))
    }
}

/// One page of any list.
#[derive(Deserialize)]
struct Listing<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

impl Client {
    pub(super) fn new(base: String, token: String) -> Result<Self, Failure> {
        // The environment's proxies must not get between us and loopback.
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { http, base, token })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    /// Sends a JSON body. The inner error is the service's own.
    pub(super) async fn try_send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Result<T, Refusal>, Failure> {
        answer(self.request(method, path).json(body)).await
    }

    /// Sends a JSON body that must be taken.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<T, Failure> {
        taken(path, self.try_send(method, path, body).await?)
    }

    /// Sends a CSV file that must be taken.
    pub(super) async fn send_csv(&self, path: &str, csv: String) -> Result<Value, Failure> {
        let request = self.request(Method::POST, path).header("content-type", "text/csv").body(csv);
        taken(path, answer(request).await?)
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        taken(path, answer(self.request(Method::GET, path)).await?)
    }

    /// Every item of a list. `path` has no query of its own.
    pub(super) async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, Failure> {
        let mut all = Vec::new();
        let mut next = format!("{path}?limit=100");
        for _ in 0..PAGES {
            let page: Listing<T> = self.get(&next).await?;
            all.extend(page.items);
            match page.next_cursor {
                // A cursor is base64 for addresses: nothing in it has to be escaped.
                Some(cursor) => next = format!("{path}?limit=100&cursor={cursor}"),
                None => return Ok(all),
            }
        }
        Err(format!("{path} has more than {PAGES} pages").into())
    }
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<Result<T, Refusal>, Failure> {
    let response = request.send().await?;
    let fine = response.status().is_success();
    let body = response.bytes().await?;
    Ok(if fine { Ok(serde_json::from_slice(&body)?) } else { Err(serde_json::from_slice(&body)?) })
}

fn taken<T>(path: &str, answer: Result<T, Refusal>) -> Result<T, Failure> {
    answer.map_err(|refusal| format!("{path}: {refusal}").into())
}
