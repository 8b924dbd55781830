//! The API as a client in the same process has it: the same routers, the same checks, the same answers, without a network.
//!
//! `functions` puts the routers together, `trouble` is what is answered instead of what was asked for, `told` what is
//! answered, as far as pages look at it.

mod functions;
pub(crate) mod told;
mod trouble;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Extensions, HeaderMap, Method, Request, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::api::auth::{Claims, Unauthorized, Verify};
use shared::api::{RequestId, framed, names};
use tower::ServiceExt as _;

pub use functions::Functions;
pub(crate) use trouble::Trouble;

/// The largest answer that is taken, in bytes: the API's own files are smaller.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The API.
#[derive(Clone)]
pub struct Api(Router);

impl Api {
    /// Over `functions`.
    #[must_use]
    pub fn new(functions: Functions) -> Self {
        let (routes, _) = functions.routes().split_for_parts();
        Self(names::read(framed(routes, Arc::new(Inside))))
    }

    /// The API as somebody with `claims` has it, for the sake of the page that is asked for by `request`.
    pub(crate) fn of(&self, claims: Claims, request: Option<RequestId>) -> Client {
        Client { api: self.clone(), claims, request }
    }
}

/// Takes the claims that [`Client`] puts into a request. Nothing from outside reaches that router.
struct Inside;

impl Verify for Inside {
    fn verify(&self, _: &HeaderMap, extensions: &Extensions) -> Result<Claims, Unauthorized> {
        extensions.get::<Claims>().cloned().ok_or(Unauthorized::Missing)
    }
}

/// The API in the hands of somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Client {
    api: Api,
    claims: Claims,
    request: Option<RequestId>,
}

impl Client {
    /// What stands at `path`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Trouble> {
        parsed(&self.ask(Method::GET, path, HeaderMap::new(), Body::empty()).await?)
    }

    /// All of the list at `path`, from its first page to its last.
    pub(crate) async fn all<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, Option<&str>)],
    ) -> Result<Vec<T>, Trouble> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = [query, &[("limit", Some("100")), ("cursor", cursor.as_deref())]].concat();
            let list: told::List<T> = self.get(&with_query(path, &page)).await?;
            all.extend(list.items);
            cursor = list.next_cursor;
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// What stands at `path`; nothing where there is none.
    pub(crate) async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Trouble> {
        match self.get(path).await {
            Ok(found) => Ok(Some(found)),
            Err(trouble) if trouble.status == StatusCode::NOT_FOUND => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// The file that stands at `path`, as CSV.
    pub(crate) async fn csv(&self, path: &str) -> Result<Bytes, Trouble> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, header::HeaderValue::from_static("text/csv"));
        self.ask(Method::GET, path, headers, Body::empty()).await
    }

    /// Has something made. Under the same `once` it is made once, however often a form is sent.
    pub(crate) async fn make<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        once: &str,
    ) -> Result<T, Trouble> {
        let mut headers = json();
        let once = once.parse().map_err(|_| Trouble::of_form("This form can't be sent."))?;
        headers.insert("idempotency-key", once);
        parsed(&self.ask(Method::POST, path, headers, encoded(body)?).await?)
    }

    /// Sends `body` with `method`, and takes what is answered.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Trouble> {
        parsed(&self.ask(method, path, json(), encoded(body)?).await?)
    }

    /// As [`Client::send`], where nobody looks at the answer.
    pub(crate) async fn tell(&self, method: Method, path: &str, body: &impl Serialize) -> Result<(), Trouble> {
        self.ask(method, path, json(), encoded(body)?).await.map(drop)
    }

    /// Puts `body` at `path` over the version that stands there as far as the form knew; where it knew of none, only where
    /// there is none.
    pub(crate) async fn put_over(
        &self,
        path: &str,
        body: &impl Serialize,
        version: Option<&str>,
    ) -> Result<(), Trouble> {
        let mut headers = json();
        let (name, value) = match version {
            Some(version) => (header::IF_MATCH, format!("\"{version}\"")),
            None => (header::IF_NONE_MATCH, "*".to_owned()),
        };
        headers.insert(name, value.parse().map_err(|_| Trouble::of_form("This form can't be sent."))?);
        self.ask(Method::PUT, path, headers, encoded(body)?).await.map(drop)
    }

    /// Removes what stands at `path`.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), Trouble> {
        self.ask(Method::DELETE, path, HeaderMap::new(), Body::empty()).await.map(drop)
    }

    /// Sends a file as CSV.
    pub(crate) async fn upload<T: DeserializeOwned>(&self, path: &str, file: Bytes) -> Result<T, Trouble> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/csv"));
        parsed(&self.ask(Method::POST, path, headers, Body::from(file)).await?)
    }

    async fn ask(&self, method: Method, path: &str, headers: HeaderMap, body: Body) -> Result<Bytes, Trouble> {
        let mut request = Request::builder().method(method).uri(path).body(body).map_err(Trouble::ours)?;
        *request.headers_mut() = headers;
        request.extensions_mut().insert(self.claims.clone());
        if let Some(id) = &self.request {
            request.extensions_mut().insert(id.clone());
        }
        let answer = match self.api.0.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), MOST_BYTES).await.map_err(Trouble::ours)?;
        if status.is_success() { Ok(bytes) } else { Err(Trouble::answered(status, &bytes)) }
    }
}

fn json() -> HeaderMap {
    let kind = header::HeaderValue::from_static("application/json");
    HeaderMap::from_iter([(header::CONTENT_TYPE, kind)])
}

fn encoded(body: &impl Serialize) -> Result<Body, Trouble> {
    serde_json::to_vec(body).map(Body::from).map_err(Trouble::ours)
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(bytes).map_err(Trouble::ours)
}

/// The path of `segments`, each of which may hold anything.
pub(crate) fn path(segments: &[&str]) -> String {
    segments.iter().flat_map(|segment| ["/".to_owned(), names::segment(segment)]).collect()
}

/// `path` with a query of those `pairs` that have a value.
pub(crate) fn with_query(path: &str, pairs: &[(&str, Option<&str>)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_leaves_its_place_in_a_path() {
        assert_eq!(path(&["v1", "runs", "run_1"]), "/v1/runs/run_1");
        let segments = path(&["v1", "companies", "a/../b?c"]);
        assert_eq!(segments.rsplit_once('/'), Some(("/v1/companies", "~YS8uLi9iP2M")));
        assert_eq!(with_query("/v1/x", &[("a", Some("b&c")), ("d", None), ("e", Some(""))]), "/v1/x?a=b%26c");
    }
}
