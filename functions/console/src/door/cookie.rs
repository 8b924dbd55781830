//! The cookies: one by which a session is found, and one that a sign-in is followed by while it lasts.
//!
//! `__Host-`: sent back to this very host alone, over TLS alone (which browsers waive for a loopback address). `Lax`: links from
//! mails, and the issuer's answer to a sign-in, lead to a page; forms of other sites to nothing.

use axum::http::{HeaderMap, header};
use axum::response::AppendHeaders;
use jiff::SignedDuration;

/// Holds the session's secret.
pub(super) const SESSION: Cookie = Cookie("__Host-tallyline");
/// Holds what a sign-in is told by when it comes back.
pub(super) const SIGN_IN: Cookie = Cookie("__Host-tallyline-sign-in");

/// A cookie by its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cookie(&'static str);

type SetCookie = AppendHeaders<[(header::HeaderName, String); 1]>;

impl Cookie {
    /// Sets it.
    pub(super) fn holding(self, value: &str, lasts: SignedDuration) -> SetCookie {
        self.set(value, lasts.as_secs())
    }

    /// Takes it away.
    pub(super) fn removed(self) -> SetCookie {
        self.set("", 0)
    }

    fn set(self, value: &str, seconds: i64) -> SetCookie {
        let cookie = format!("{}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax", self.0);
        AppendHeaders([(header::SET_COOKIE, cookie)])
    }

    /// What it holds.
    pub(super) fn held(self, headers: &HeaderMap) -> Option<&str> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.0).map(|(_, value)| value).filter(|value| !value.is_empty())
    }
}
