//! One sign-in between here and the issuer: what only this browser and we know of it, in a cookie that lasts as long as typing a
//! password may take.
//!
//! `state` ties the answer to this browser, `nonce` the token to this sign-in, and the verifier, whose digest alone goes out,
//! the code to us (RFC 6749 section 10.12, OpenID Connect Core section 3.1.2.1, RFC 7636).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::HeaderMap;
use axum::response::IntoResponseParts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};

use super::super::{Fields, cookie, csrf, next};
use crate::client::{Trouble, with_query};

/// How long signing in may take.
const LASTS: SignedDuration = SignedDuration::from_mins(15);

/// A sign-in that has begun.
pub(super) struct Attempt {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
}

impl Attempt {
    /// One that begins now, of somebody who wanted to see `wanted`.
    pub(super) fn begun(wanted: &str) -> Result<Self, Trouble> {
        let (state, nonce, verifier) = (csrf::fresh_secret()?, csrf::fresh_secret()?, csrf::fresh_secret()?);
        Ok(Self { state, nonce, verifier, next: next::page(wanted).to_owned() })
    }

    /// The one that this browser began, where the answer is to that one.
    pub(super) fn continued(headers: &HeaderMap, state: &str) -> Option<Self> {
        let fields = Fields::parse(cookie::SIGN_IN.held(headers)?.as_bytes());
        let [kept, nonce, verifier] = ["state", "nonce", "verifier"].map(|name| fields.some(name).map(str::to_owned));
        let (kept, nonce, verifier) = (kept?, nonce?, verifier?);
        verify_slices_are_equal(kept.as_bytes(), state.as_bytes()).ok()?;
        Some(Self { state: kept, nonce, verifier, next: next::page(fields.get("next")).to_owned() })
    }

    /// Has the browser keep it.
    pub(super) fn kept(&self) -> impl IntoResponseParts + use<> {
        let Self { state, nonce, verifier, next } = self;
        let fields = [("state", state), ("nonce", nonce), ("verifier", verifier), ("next", next)];
        let written = with_query("", &fields.map(|(name, value)| (name, Some(value.as_str()))));
        cookie::SIGN_IN.holding(written.trim_start_matches('?'), LASTS)
    }

    /// Comes back with the answer.
    pub(super) fn state(&self) -> &str {
        &self.state
    }

    /// Comes back in the ID token.
    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Proves that it was us who began it.
    pub(super) fn verifier(&self) -> &str {
        &self.verifier
    }

    /// The verifier's digest, which is what the issuer is told beforehand (`S256`).
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.verifier))
    }

    /// The page to go to.
    pub(super) fn next(&self) -> &str {
        &self.next
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;
    use axum::response::IntoResponse as _;

    use super::*;

    /// The request that a browser with `cookie` sends.
    fn with(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())])
    }

    #[test]
    fn an_answer_is_to_the_attempt_of_this_browser_or_to_none() {
        let begun = Attempt::begun("/console/usage?a=b&c=d").unwrap();
        let set = (begun.kept(), ()).into_response();
        let set = set.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        assert!(set.ends_with("; Path=/; Max-Age=900; Secure; HttpOnly; SameSite=Lax"), "{set}");
        let cookie = set.split(';').next().unwrap();
        let found = Attempt::continued(&with(cookie), begun.state()).unwrap();
        assert_eq!(
            (found.nonce(), found.verifier(), found.next()),
            (begun.nonce(), begun.verifier(), "/console/usage?a=b&c=d")
        );
        let other = Attempt::begun("").unwrap();
        for (cookie, state) in
            [(cookie, other.state()), (cookie, ""), ("a=b", begun.state()), ("__Host-tallyline-sign-in=state=", "")]
        {
            assert!(Attempt::continued(&with(cookie), state).is_none(), "{cookie} {state}");
        }
    }

    #[test]
    fn a_page_elsewhere_that_somebody_put_into_the_cookie_is_not_gone_to() {
        let cookie = "__Host-tallyline-sign-in=state=s&nonce=n&verifier=v&next=https%3A%2F%2Fevil.example";
        assert_eq!(Attempt::continued(&with(cookie), "s").unwrap().next(), "/console");
    }

    /// The example of RFC 7636, appendix B.
    #[test]
    fn a_challenge_is_the_verifiers_digest() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let attempt = Attempt { state: String::new(), nonce: String::new(), verifier, next: String::new() };
        assert_eq!(attempt.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
