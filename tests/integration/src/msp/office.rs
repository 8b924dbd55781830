//! People of the partner, each under a name of their own: the same routers, and whoever calls is believed.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Extensions, HeaderMap, Request, header};
use reqwest::Method;
use serde_json::Value;
use shared::api;
use shared::api::auth::{Claims, Scope, Unauthorized, Verify, bearer};
use tower::ServiceExt as _;

use super::{Fixture, Msp};

/// The service, for people with names.
pub struct Office(Router);

/// What the service answered somebody.
pub struct Said {
    /// HTTP status.
    pub status: u16,
    /// The body, as it came.
    pub text: String,
    /// The body, where it is JSON; null otherwise.
    pub json: Value,
}

/// Believes a token that says `who@partner`.
struct Believed;

impl Verify for Believed {
    fn verify(&self, headers: &HeaderMap, _: &Extensions) -> Result<Claims, Unauthorized> {
        let (who, partner) = bearer(headers)?.rsplit_once('@').ok_or(Unauthorized::Invalid)?;
        let scopes = [Scope::Read, Scope::Write, Scope::Usage].into();
        Ok(Claims { partner: Some(partner.to_owned()), scopes, subject: Some(who.to_owned()) })
    }
}

impl Office {
    /// That of an MSP.
    #[must_use]
    pub fn of<P: Fixture>(msp: &Msp<P>) -> Self {
        let router = msp.parts.routers.values().cloned().fold(Router::new(), Router::merge);
        Self(api::framed(router, Arc::new(Believed)))
    }

    /// `who` (`anna@nordwind`) sends a request, a text as a CSV file, and takes JSON or what `accept` names.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn call(&self, who: &str, method: Method, path: &str, body: Option<Value>, accept: &str) -> Said {
        let (kind, body) = match body {
            None => ("application/json", Body::empty()),
            Some(Value::String(file)) => ("text/csv", Body::from(file)),
            Some(body) => ("application/json", Body::from(body.to_string())),
        };
        let request = Request::builder()
            .method(method.as_str())
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {who}"))
            .header(header::ACCEPT, accept)
            .header(header::CONTENT_TYPE, kind)
            .body(body)
            .expect("a request");
        let answer = self.0.clone().oneshot(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Said { status, text, json }
    }

    /// `who` of Nordwind does something that must succeed.
    ///
    /// # Panics
    /// When it does not.
    pub async fn does(&self, who: &str, method: Method, path: &str, body: Value) -> Value {
        let said = self.call(&format!("{who}@{}", crate::PARTNER), method.clone(), path, Some(body), "*/*").await;
        assert!((200..300).contains(&said.status), "{method} {path}: {} {}", said.status, said.text);
        said.json
    }

    /// Every entry of a connection's history, `limit` at a time, with more of the query; and how many pages it took.
    ///
    /// # Panics
    /// When it is refused, or does not end.
    pub async fn history(&self, connection: &str, query: &str, limit: usize) -> (Vec<Value>, usize) {
        let (mut entries, mut cursor) = (Vec::new(), String::new());
        for pages in 1..1_000 {
            let path = format!("/v1/connections/{connection}/history?limit={limit}{query}{cursor}");
            let said = self.call(&format!("anna@{}", crate::PARTNER), Method::GET, &path, None, "*/*").await;
            assert_eq!(said.status, 200, "{path}: {}", said.text);
            let items = said.json["items"].as_array().expect("items");
            assert!(items.len() <= limit, "{} for {limit}", items.len());
            entries.extend(items.iter().cloned());
            match said.json["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return (entries, pages),
            }
        }
        panic!("the history does not end");
    }
}
