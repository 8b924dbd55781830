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
use axum::response::IntoResponse as _;
use axum::routing::any;
use shared::api::observed;
use shared::clock::Clock;
use shared::store::sessions::Sessions;

use client::Trouble;

pub use client::{Api, Functions};
pub use door::{Links, Oidc, OidcSettings, OpenedLink, SignIn};

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
    // A route and not a fallback, so that the routes of others can stand beside these.
    let pages = pages.route("/console/{*nothing}", any(async || Trouble::not_found("page")));
    frame::around(observed(pages, |cause| Trouble::ours(cause).into_response()))
}
