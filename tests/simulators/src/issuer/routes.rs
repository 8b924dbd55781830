//! What the issuer answers: where things are, who signs in, tokens for a code, keys, and who signs out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{RawQuery, State as With};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use url::{Url, form_urlencoded};

use super::state::State;

type Shared = Arc<Mutex<State>>;

pub(super) fn router(state: Shared) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", get(document))
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .route("/keys", get(keys))
        .route("/sign-out", get(sign_out))
        .with_state(state)
}

fn noted<'a>(shared: &'a Shared, uri: &Uri) -> MutexGuard<'a, State> {
    let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
    state.asked.push(uri.path().to_owned());
    state
}

async fn document(With(shared): With<Shared>, uri: Uri) -> Response {
    let state = noted(&shared, &uri);
    let at = |path: &str| format!("{}{path}", state.base);
    Json(json!({
        "issuer": state.base,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"),
        "end_session_endpoint": at("/sign-out"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
    }))
    .into_response()
}

async fn keys(With(shared): With<Shared>, uri: Uri) -> Response {
    Json(noted(&shared, &uri).keys()).into_response()
}

/// Whoever comes is signed in and sent back at once.
async fn authorize(With(shared): With<Shared>, uri: Uri, RawQuery(query): RawQuery) -> Response {
    let mut state = noted(&shared, &uri);
    let asked = fields(query.unwrap_or_default().as_bytes());
    let is = |name: &str| asked.get(name).map_or("", String::as_str);
    let callback = is("redirect_uri");
    // An address that nobody registered is not gone to, whatever else is wrong.
    if is("client_id") != state.client || !is_registered(&state, callback) {
        return (StatusCode::BAD_REQUEST, "no such client, or no such callback").into_response();
    }
    let Ok(mut back) = callback.parse::<Url>() else { return StatusCode::BAD_REQUEST.into_response() };
    back.query_pairs_mut().append_pair("state", is("state")).append_pair("iss", &state.base);
    let is_code_flow = is("response_type") == "code" && is("scope").split(' ').any(|scope| scope == "openid");
    let is_proven = is("code_challenge_method") == "S256" && is("code_challenge").len() == 43;
    if state.denies {
        back.query_pairs_mut().append_pair("error", "access_denied");
    } else if !is_code_flow || !is_proven || is("state").is_empty() || is("nonce").is_empty() {
        back.query_pairs_mut().append_pair("error", "invalid_request");
    } else {
        match state.code(is("nonce"), is("code_challenge"), callback) {
            Ok(code) => back.query_pairs_mut().append_pair("code", &code),
            Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        };
    }
    Redirect::to(back.as_str()).into_response()
}

async fn token(With(shared): With<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut state = noted(&shared, &uri);
    let asked = fields(&body);
    let is = |name: &str| asked.get(name).map_or("", String::as_str);
    let (client, secret) = match basic(&headers) {
        Some((client, secret)) => (client, Some(secret)),
        None => (is("client_id").to_owned(), asked.get("client_secret").cloned()),
    };
    if client != state.client || secret != state.secret {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_client"}))).into_response();
    }
    if is("grant_type") != "authorization_code" {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "unsupported_grant_type"}))).into_response();
    }
    match state.tokens(is("code"), is("code_verifier"), is("redirect_uri")) {
        Ok(Some(tokens)) => ([(header::CACHE_CONTROL, "no-store")], Json(tokens)).into_response(),
        Ok(None) => (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn sign_out(With(shared): With<Shared>, uri: Uri, RawQuery(query): RawQuery) -> Response {
    let state = noted(&shared, &uri);
    let asked = fields(query.unwrap_or_default().as_bytes());
    let back = asked.get("post_logout_redirect_uri").filter(|back| is_registered(&state, back));
    match back.filter(|_| asked.get("client_id") == Some(&state.client)) {
        Some(back) => Redirect::to(back).into_response(),
        None => "You are signed out.".into_response(),
    }
}

fn is_registered(state: &State, address: &str) -> bool {
    let known = ["/console/sign-in/callback", "/console/sign-in"].map(|path| format!("{}{path}", state.address));
    known.contains(&address.to_owned())
}

fn fields(encoded: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

/// The client and its secret in a header (RFC 6749, section 2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (client, secret) = pair.split_once(':')?;
    let decoded = |text: &str| {
        let pair = format!("x={text}");
        form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((decoded(client)?, decoded(secret)?))
}
