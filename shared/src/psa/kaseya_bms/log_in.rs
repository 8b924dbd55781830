//! One log-in or one refresh: the form that is sent, and what the answer means for the user's lock.
//!
//! `POST /v2/security/authenticate` and `/refreshtoken` take forms; BMS reads `application/x-www-form-urlencoded` as clients
//! of the live service send it. Nothing here is repeated; how often it may be tried is `session`'s.

use jiff::Timestamp;
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};

use super::budget::Budget;
use super::credentials::KaseyaBmsCredentials;
use super::envelope::{self, Read};
use super::errors;
use super::template::Template;
use crate::clock::Clock;
use crate::http::{self, Answer, CheckedHost, HttpError};
use crate::psa::{Kind, PsaError};

/// The longest token that is believed, in bytes.
const LONGEST_TOKEN: usize = 16 * 1024;

/// How a log-in goes out: over which client, by which clock, on whose account.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) http: &'a http::Client,
    pub(super) clock: &'a dyn Clock,
    pub(super) budget: &'a Budget,
}

/// What BMS gave.
pub(super) struct Tokens {
    pub(super) access: SecretString,
    pub(super) access_until: Option<Timestamp>,
    pub(super) refresh: Option<SecretString>,
    pub(super) refresh_until: Option<Timestamp>,
}

/// Why there are no tokens.
#[derive(Debug)]
pub(super) enum NoTokens {
    /// BMS turned it away. For a log-in that counts towards the lock.
    Refused,
    /// Nothing arrived at BMS.
    NotSent(PsaError),
    /// Nobody knows whether it counted.
    Unclear(PsaError),
}

/// Sends user name, password, company name and, where there is one, a one-time code.
pub(super) async fn log_in(
    way: Way<'_>,
    host: &CheckedHost,
    user: &KaseyaBmsCredentials,
    code: Option<&SecretString>,
) -> Result<Tokens, NoTokens> {
    let mut form = vec![
        ("GrantType", "password"),
        ("UserName", user.username.as_str()),
        ("Password", user.password.expose_secret()),
        ("Tenant", user.company_name.trim()),
    ];
    form.extend(code.map(|code| ("MFACode", code.expose_secret())));
    exchange(way, host, Template::Authenticate, &form).await
}

/// Exchanges a pair of tokens for a new one.
pub(super) async fn refresh(
    way: Way<'_>,
    host: &CheckedHost,
    access: &SecretString,
    refresh: &SecretString,
) -> Result<Tokens, NoTokens> {
    let form = [("AccessToken", access.expose_secret()), ("RefreshToken", refresh.expose_secret())];
    exchange(way, host, Template::RefreshToken, &form).await
}

async fn exchange(
    way: Way<'_>,
    host: &CheckedHost,
    template: Template,
    form: &[(&str, &str)],
) -> Result<Tokens, NoTokens> {
    way.budget.take(template, way.clock.now()).map_err(NoTokens::NotSent)?;
    // On a connection of its own: on a kept one nobody could tell whether a log-in that broke off has counted.
    let call = way.http.write(Method::POST, host, template.path().0).form(form);
    match call.send().await {
        Ok(answer) => judge(&answer, template),
        Err(error) => Err(unsent(error)),
    }
}

fn unsent(error: HttpError) -> NoTokens {
    let failure = errors::of_http(error);
    if error.surely_not_sent() { NoTokens::NotSent(failure) } else { NoTokens::Unclear(failure) }
}

/// Whatever is not clearly something else is a refusal: taking a refusal for a passing fault would lock the user.
fn judge(answer: &Answer, template: Template) -> Result<Tokens, NoTokens> {
    let failure = || errors::of_failure(answer.status, answer.retry_after_s, template, false);
    match envelope::read(answer, template) {
        Read::Success(success) => {
            let row = success.row(template).map_err(NoTokens::Unclear)?;
            let token = |name| row.text(name).filter(|token| is_token(token)).map(SecretString::from);
            let access = token("accesstoken");
            let access =
                access.ok_or_else(|| NoTokens::Unclear(errors::unreadable(template, "gave no usable token")))?;
            Ok(Tokens {
                access,
                access_until: row.instant("accesstokenexpireon"),
                refresh: token("refreshtoken"),
                refresh_until: row.instant("refreshtokenexpireon"),
            })
        }
        Read::Unreadable(error) => Err(NoTokens::Unclear(error)),
        Read::Unauthorised => Err(NoTokens::Refused),
        Read::Failure(_) => {
            let failure = failure();
            match failure.kind {
                Kind::Unavailable | Kind::RateLimited | Kind::Protocol => Err(NoTokens::Unclear(failure)),
                Kind::Auth | Kind::NotFound | Kind::Validation => Err(NoTokens::Refused),
            }
        }
    }
}

/// What can stand in a header.
fn is_token(text: &str) -> bool {
    text.len() <= LONGEST_TOKEN && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, retry_after_s: Option<u32>, body: &str) -> &'static str {
        let answer = Answer { status, retry_after_s, body: body.as_bytes().to_vec() };
        match judge(&answer, Template::Authenticate) {
            Ok(_) => "tokens",
            Err(NoTokens::Refused) => "refused",
            Err(NoTokens::NotSent(_)) => "not sent",
            Err(NoTokens::Unclear(_)) => "unclear",
        }
    }

    #[test]
    fn what_may_be_a_refusal_is_one() {
        let no = r#"{"success":false,"error":{"message":"?"},"result":null}"#;
        for (status, wait, body, expected) in [
            (200, None, r#"{"success":true,"result":{"accessToken":"a"}}"#, "tokens"),
            (200, None, no, "refused"),
            (400, None, no, "refused"),
            (400, None, "", "refused"),
            (401, None, no, "refused"),
            (403, None, no, "refused"),
            (403, Some(60), no, "unclear"),
            (418, None, "", "refused"),
            (404, None, no, "unclear"),
            (302, None, "", "unclear"),
            (429, None, no, "unclear"),
            (500, None, no, "unclear"),
            (200, None, "<html>", "unclear"),
            (200, None, r#"{"success":true,"result":{}}"#, "unclear"),
            (200, None, r#"{"success":true,"result":{"accessToken":"a\nb"}}"#, "unclear"),
            (200, None, r#"{"success":true,"result":"x"}"#, "unclear"),
        ] {
            assert_eq!(judged(status, wait, body), expected, "{status} {body}");
        }
    }
}
