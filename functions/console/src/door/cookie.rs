//! The cookie that a session is found by.
//!
//! `__Host-`: sent back to this very host alone, over TLS alone (which browsers waive for a loopback address). `Lax`: links from
//! mails lead to a page, forms of other sites to nothing.

use axum::http::{HeaderMap, header};
use axum::response::AppendHeaders;
use jiff::SignedDuration;

const NAME: &str = "__Host-tallyline";

type SetCookie = AppendHeaders<[(header::HeaderName, String); 1]>;

/// Sets it.
pub(super) fn holding(secret: &str, lasts: SignedDuration) -> SetCookie {
    set(secret, lasts.as_secs())
}

/// Takes it away.
pub(super) fn removed() -> SetCookie {
    set("", 0)
}

fn set(value: &str, seconds: i64) -> SetCookie {
    let cookie = format!("{NAME}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    AppendHeaders([(header::SET_COOKIE, cookie)])
}

/// What it holds.
pub(super) fn held(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAME).map(|(_, value)| value).filter(|value| !value.is_empty())
}
