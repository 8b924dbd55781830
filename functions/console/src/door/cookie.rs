//! The cookies: one by which a session is found, and one that a sign-in is followed by while it lasts.
//!
//! `__Host-`: sent back to this very host alone, over TLS alone. `Lax`: links from mails, and the issuer's answer to a sign-in,
//! lead to a page; forms of other sites to nothing.

use axum::http::{HeaderMap, header};
use axum::response::AppendHeaders;
use jiff::SignedDuration;
use url::{Host, Url};

use super::SignIn;

/// Holds the session's secret.
const SESSION: Cookie = Cookie { name: "__Host-tallyline", over_tls: true };
/// Holds it on the machine itself: not every browser keeps a cookie for TLS alone that came from a loopback address.
const NEAR: Cookie = Cookie { name: "tallyline", over_tls: false };
/// Holds what a sign-in is told by when it comes back.
pub(super) const SIGN_IN: Cookie = Cookie { name: "__Host-tallyline-sign-in", over_tls: true };

/// A cookie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cookie {
    name: &'static str,
    over_tls: bool,
}

/// The one that a browser which signs in shall hold.
pub(super) fn for_session(sign_in: &SignIn, headers: &HeaderMap) -> Cookie {
    match sign_in {
        SignIn::Link(..) if is_near(headers) => NEAR,
        SignIn::Link(..) | SignIn::Oidc(_) => SESSION,
    }
}

/// The session's secret, from whichever of the two holds it.
pub(super) fn session<'a>(sign_in: &SignIn, headers: &'a HeaderMap) -> Option<&'a str> {
    let near = || match sign_in {
        SignIn::Link(..) => NEAR.held(headers),
        SignIn::Oidc(_) => None,
    };
    SESSION.held(headers).or_else(near)
}

/// Takes away both.
pub(super) fn no_session() -> (SetCookie, SetCookie) {
    (SESSION.removed(), NEAR.removed())
}

/// Whether the page that a form was sent from came without TLS from this machine, as the browser says itself.
fn is_near(headers: &HeaderMap) -> bool {
    let origin =
        headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).and_then(|origin| Url::parse(origin).ok());
    origin.filter(|origin| origin.scheme() == "http").is_some_and(|origin| match origin.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    })
}

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
        let secure = if self.over_tls { " Secure;" } else { "" };
        let cookie = format!("{}={value}; Path=/; Max-Age={seconds};{secure} HttpOnly; SameSite=Lax", self.name);
        AppendHeaders([(header::SET_COOKIE, cookie)])
    }

    /// What it holds.
    pub(super) fn held(self, headers: &HeaderMap) -> Option<&str> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.name).map(|(_, value)| value).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_of_this_machine_without_tls_does_without_secure() {
        for (origin, near) in [
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost:8080", true),
            ("https://127.0.0.1:8080", false),
            ("http://192.168.1.2:8080", false),
            ("http://localhost.example", false),
            ("https://console.example", false),
            ("null", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ORIGIN, origin.parse().unwrap())]);
            assert_eq!(is_near(&headers), near, "{origin}");
        }
        assert!(!is_near(&HeaderMap::new()));
    }
}
