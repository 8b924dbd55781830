//! HTTP: the pages that partners see. Made on the server; a browser needs no more than HTML, and has htmx where that spares a
//! click.
//!
//! The pages are a client of the API (`client`), in the same process: what they show and do, any caller can, and who may do
//! what is decided there and nowhere here. `door` lets people in and keeps forms of strangers out, `pages` has a file a page,
//! `view` what pages are put together from.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod assets;
mod client;
mod door;
mod frame;
mod pages;
mod view;
mod wiring;

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::{any, get};
use shared::api::observed;
use shared::clock::Clock;
use shared::store::sessions::Sessions;

use client::Trouble;

pub use client::{Api, Functions};
pub use door::{AnotherLink, Links, Oidc, OidcSettings, OpenedLink, SignIn};

/// Below which path every page lies.
pub const ROOT: &str = "/console";

/// What the pages need.
#[derive(Clone)]
pub struct Deps {
    /// What they show and do.
    pub api: Api,
    /// Who is signed in.
    pub sessions: Sessions,
    /// How people sign in.
    pub sign_in: SignIn,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// Every page, below [`ROOT`]; and `/`, which leads there.
pub fn router(deps: Deps) -> Router {
    let pages = pages::routes().merge(door::routes()).with_state(deps).merge(assets::routes());
    let pages = pages.route("/console/", get(async || Redirect::permanent(ROOT)));
    // A route and not a fallback, so that the routes of others can stand beside these.
    let pages = pages.route("/console/{*nothing}", any(async || Trouble::not_found("page")));
    served(pages)
}

/// `pages` with what every answer has. A page that panics is answered by one in words, and logged.
fn served(pages: Router) -> Router {
    frame::around(observed(pages, |cause| Trouble::ours(cause).into_response()))
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_page_that_panics_is_answered_in_words_and_without_its_cause() {
        let pages = Router::new().route(
            "/console/panics",
            any(async || {
                if true {
                    panic!("hunter2")
                }
            }),
        );
        let request = Request::get("/console/panics").body(Body::empty()).unwrap();
        let answer = served(pages).oneshot(request).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (500, &"text/html; charset=utf-8".parse().unwrap())
        );
        assert!(
            answer.headers().contains_key("content-security-policy") && answer.headers().contains_key("x-request-id")
        );
        let page = String::from_utf8(to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap();
        assert!(page.contains("Something went wrong on our side.") && !page.contains("hunter2"), "{page}");
    }
}
