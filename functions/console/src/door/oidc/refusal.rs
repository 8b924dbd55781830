//! Why somebody was not let in: in words for whoever stands there, and one line for whoever runs the service. Nothing of a token
//! or of the issuer's words is in either.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

use super::super::next;
use super::SIGNED_OUT;
use crate::view::page;

/// Why somebody was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// They did not want to, or the issuer does not let them.
    Denied,
    /// The answer is to no sign-in that was begun in this browser, or it came too late.
    Lost,
    /// The issuer does not answer, or not as issuers do.
    Unavailable,
    /// A token is not what it should be: why, for the log.
    Untrusted(&'static str),
    /// The account is of no partner.
    NoPartner,
    /// The account is the vendor's own.
    Vendor,
    /// The account may see nothing.
    NoScope,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Lost => StatusCode::BAD_REQUEST,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Denied | Self::Untrusted(_) | Self::NoPartner | Self::Vendor | Self::NoScope => StatusCode::FORBIDDEN,
        }
    }

    /// What happened, and what to do about it.
    fn words(self) -> [&'static str; 2] {
        match self {
            Self::Denied => [
                "The sign-in was called off, or your account may not use this service.",
                "If you did not mean to, sign in again. If your account is turned away, ask whoever manages your accounts.",
            ],
            Self::Lost => {
                ["This sign-in took too long, or another one was begun in this browser since.", "Sign in again."]
            }
            Self::Unavailable => [
                "The service where you sign in did not answer as it should.",
                "Try again in a minute. If it stays like this, tell whoever runs this service.",
            ],
            Self::Untrusted(_) => [
                "What came back from the service where you sign in can't be trusted, so nobody was signed in.",
                "Sign in again. If it stays like this, tell whoever runs this service.",
            ],
            Self::NoPartner => [
                "Your account belongs to no partner, and these pages are always those of one.",
                "Ask whoever manages your accounts to give yours the claim partner_id, or sign in with another one.",
            ],
            Self::Vendor => [
                "This is an account of the vendor, which speaks for no single partner.",
                "Sign in with an account of the partner whose pages you want to see.",
            ],
            Self::NoScope => [
                "Your account may see nothing here.",
                "Ask whoever manages your accounts for the scope tallyline/read, or tallyline/write to make changes.",
            ],
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Lost => "no such sign-in",
            Self::Unavailable => "the issuer",
            Self::Untrusted(why) => why,
            Self::NoPartner => "no partner",
            Self::Vendor => "the vendor's account",
            Self::NoScope => "no scope",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        tracing::warn!(reason = self.reason(), "nobody was signed in");
        let [happened, fix] = self.words();
        let said = html! {
            div.trouble role="alert" { p { strong { (happened) } } p { (fix) } }
            p { a.button href=(next::DOOR) { "Sign in again" } }
            p { a href=(SIGNED_OUT) { "Sign out where you signed in, to use another account" } }
        };
        (self.status(), page::bare("You are not signed in", said)).into_response()
    }
}
