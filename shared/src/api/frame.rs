//! The frame around every router: the request's id, a limit on bodies, problems for unknown routes and panics, and one
//! log line a request.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::Instrument as _;

use super::auth::{Verify, authenticated};
use super::problem::Problem;
use crate::clock::fresh_id;

/// Largest body taken, in bytes. Lambda's own limit on an event is 6 MB.
pub const BODY_LIMIT_BYTES: usize = 5 * 1024 * 1024;

/// Where every address is told.
const ROUTES: &str = "Every address begins with /v1. GET /openapi.json describes them all where the service runs on one machine; \
     the README shows the usual ones.";

/// Header that names a request, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request that is handled: a request extension. A `main.rs` may set it beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// `text` if it can be an id: 1 to 128 letters, digits and `-_.:=+/`. What else a caller sends is not repeated in logs.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:=+/".contains(c);
        ((1..=128).contains(&text.len()) && text.chars().all(allowed)).then(|| Self(text.to_owned()))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(request: &Request) -> Self {
        let sent = || request.headers().get(REQUEST_ID)?.to_str().ok().and_then(Self::parse);
        request.extensions().get::<Self>().cloned().or_else(sent).unwrap_or_else(|| Self(fresh_id("req")))
    }
}

/// A router as it is served: its routes behind authentication, in the frame. Routes that need no token are merged into
/// `router` as well; they just ask for no caller.
pub fn framed(router: Router, verify: Arc<dyn Verify>) -> Router {
    authenticated(router, verify)
        .fallback(|| async {
            Problem::new(StatusCode::NOT_FOUND, "no_such_route", "There is nothing at this address.").fix(ROUTES)
        })
        .method_not_allowed_fallback(|| async {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This address does not take this method.",
            )
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(axum::middleware::from_fn(|request, next| frame(request, next, problem_of)))
}

/// `router` with an id and a log line for each request; what a handler that stopped is answered with is made by `stopped`, of
/// why it did.
pub fn observed(router: Router, stopped: fn(String) -> Response) -> Router {
    router.layer(axum::middleware::from_fn(move |request, next| frame(request, next, stopped)))
}

fn problem_of(cause: String) -> Response {
    Problem::internal(cause).into_response()
}

async fn frame(mut request: Request, next: Next, answer_stopped: fn(String) -> Response) -> Response {
    let id = RequestId::of(&request);
    request.extensions_mut().insert(id.clone());
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str);
    let span = tracing::info_span!("request", request_id = id.as_str(), method = %request.method(), route);

    // A task of its own: a panic becomes an answer, and a caller who hangs up does not stop a handler halfway.
    let handled = tokio::spawn(next.run(request).instrument(span.clone())).await;
    let _entered = span.enter();
    let response = match handled {
        Ok(response) => response,
        Err(stopped) => answer_stopped(format!("the handler stopped: {stopped}")),
    };
    finished(response, &id)
}

fn finished(mut response: Response, id: &RequestId) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let (code, status) = (problem.code(), problem.status().as_u16());
        match problem.cause() {
            Some(cause) if problem.status().is_server_error() => tracing::error!(status, code, cause, "failed"),
            Some(cause) => tracing::info!(status, code, cause, "refused"),
            None => tracing::info!(status, code, "refused"),
        }
        let allow = response.headers_mut().remove(axum::http::header::ALLOW);
        response = problem.of_request(id.as_str()).into_response();
        if let Some(allow) = allow {
            response.headers_mut().insert(axum::http::header::ALLOW, allow);
        }
    } else {
        tracing::info!(status = response.status().as_u16(), "answered");
    }
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::http::{Extensions, HeaderMap};
    use axum::routing::get;

    use super::*;
    use crate::api::auth::{Claims, Unauthorized};

    struct Nobody;

    impl Verify for Nobody {
        fn verify(&self, _: &HeaderMap, _: &Extensions) -> Result<Claims, Unauthorized> {
            Err(Unauthorized::Missing)
        }
    }

    async fn ask(path: &str, id: Option<&str>) -> (u16, String, serde_json::Value) {
        let router = Router::new()
            .route(
                "/panics",
                get(|| async {
                    if true {
                        panic!("hunter2")
                    }
                }),
            )
            .route("/fails", get(|| async { Problem::internal("hunter2") }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, framed(router, Arc::new(Nobody))).await.unwrap() });
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.get(format!("http://{address}{path}"));
        if let Some(id) = id {
            request = request.header(REQUEST_ID, id);
        }
        let response = request.send().await.unwrap();
        let named = response.headers()[REQUEST_ID].to_str().unwrap().to_owned();
        (response.status().as_u16(), named, response.json().await.unwrap())
    }

    #[tokio::test]
    async fn a_panic_and_a_fault_are_answered_without_their_cause() {
        for path in ["/panics", "/fails"] {
            let (status, id, problem) = ask(path, None).await;
            assert_eq!(
                (status, &problem["code"], &problem["detail"]),
                (500, &"internal_error".into(), &"Internal error.".into())
            );
            assert_eq!(problem["request_id"], id.as_str());
            assert!(!problem.to_string().contains("hunter2"), "{problem}");
        }
    }

    #[tokio::test]
    async fn an_address_where_nothing_is_tells_where_all_of_them_are_described() {
        let (_, _, problem) = ask("/v1/conections", None).await;
        assert_eq!(problem["code"], "no_such_route");
        assert!(problem["fix"].as_str().unwrap().contains("/openapi.json"), "{problem}");
    }

    #[tokio::test]
    async fn a_request_keeps_the_id_that_it_came_with_if_it_can_be_one() {
        assert_eq!(ask("/nothing", Some("Root=1-67891233-abcdef")).await.1, "Root=1-67891233-abcdef");
        for bad in ["", "a b", "<script>", &"x".repeat(129)] {
            let (status, id, problem) = ask("/nothing", Some(bad)).await;
            assert_eq!((status, problem["request_id"].as_str()), (404, Some(id.as_str())));
            assert!(id.starts_with("req_"), "{id}");
        }
    }
}
