//! A program with a token, and a person with a browser.

use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use reqwest::{Method, header};
use serde_json::Value;

use crate::Failure;

/// Calls the API with a token.
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// Looks at pages.
pub struct Visitor {
    http: reqwest::Client,
    base: String,
    cookie: String,
}

/// What a page came as.
pub struct Answer {
    pub status: u16,
    pub took: Duration,
    /// As they went over the wire, headers left out.
    pub bytes: usize,
}

/// The environment's proxies must not get between us and loopback.
fn http() -> Result<reqwest::Client, Failure> {
    Ok(reqwest::Client::builder().no_proxy().redirect(Policy::none()).build()?)
}

impl Client {
    /// Of the service at `base`.
    pub fn new(base: String, token: String) -> Result<Self, Failure> {
        Ok(Self { http: http()?, base, token })
    }

    /// Sends what must be taken.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        Self::taken(&format!("{method} {path}"), request).await
    }

    /// Sends a file that must be taken.
    pub async fn upload(&self, path: &str, csv: String) -> Result<Value, Failure> {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&self.token);
        Self::taken(path, request.header(header::CONTENT_TYPE, "text/csv").body(csv)).await
    }

    async fn taken(what: &str, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("{what}: {status} {text}").into());
        }
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }
}

impl Visitor {
    /// Somebody who opens a link that signs in.
    pub async fn let_in(base: String, link: &str) -> Result<Self, Failure> {
        let http = http()?;
        let answer = http.post(format!("{base}{link}")).send().await?;
        let cookie = answer.headers().get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).ok_or("the link opened nothing")?.to_owned();
        Ok(Self { http, base, cookie })
    }

    /// Asks for a page as a browser does.
    pub async fn get(&self, path: &str) -> Result<Answer, Failure> {
        let began = Instant::now();
        let request = self.http.get(format!("{}{path}", self.base)).header(header::COOKIE, &self.cookie);
        let answer = request.header(header::ACCEPT_ENCODING, "gzip").send().await?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await?.len();
        Ok(Answer { status, took: began.elapsed(), bytes })
    }
}
