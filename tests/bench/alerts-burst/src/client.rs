//! A client of the HTTP API: a token, JSON, pages.

use std::sync::Arc;

use reqwest::Method;
use serde_json::Value;

use crate::Failure;

/// Calls the service at one address with one token. Clones share connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Arc<str>,
    token: Arc<str>,
}

impl Client {
    /// Of the service at `base`.
    pub fn new(base: String, token: String) -> Result<Self, Failure> {
        // The environment's proxies must not get between us and loopback.
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { http, base: base.into(), token: token.into() })
    }

    /// Sends what must be taken.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("{method} {path}: {status} {text}").into());
        }
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }

    /// Every item of a list.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.send(Method::GET, &format!("{path}?limit=100{cursor}"), None).await?;
            items.extend(page["items"].as_array_mut().map(std::mem::take).unwrap_or_default());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(items),
            }
        }
    }
}
