//! Bearer tokens of OAuth 2: gained by client credentials or by a refresh token, kept until shortly before their end.
//!
//! Whoever needs a token while another gains one waits for that one. A token that the vendor takes no more before its end is
//! replaced once: a second refusal is about the rights and not about the token. A refresh token that comes with an answer is
//! not read: nothing here could store it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{Api, SourceError};
use crate::clock::Clock;
use crate::http::Call;
use crate::psa::Kind;

/// How long before its end a token is replaced; for short ones, at half of their life.
const AHEAD: SignedDuration = SignedDuration::from_mins(2);
/// The life of a token whose end is not told.
const UNTOLD: SignedDuration = SignedDuration::from_mins(10);

/// A registered application, and the user it acts for where it does not act for itself.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    pub(super) refresh_token: Option<SecretString>,
}

impl Grant {
    /// What a request for a token says (RFC 6749, sections 4.4.2 and 6), and `own`, which is the vendor's addition.
    pub(super) fn fields<'a>(&'a self, own: (&'a str, &'a str)) -> Vec<(&'a str, &'a str)> {
        let mut fields =
            vec![("client_id", self.client_id.as_str()), ("client_secret", self.client_secret.expose_secret())];
        match &self.refresh_token {
            Some(token) => fields.extend([("grant_type", "refresh_token"), ("refresh_token", token.expose_secret())]),
            None => fields.push(("grant_type", "client_credentials")),
        }
        fields.push(own);
        fields
    }
}

/// The right to read, as long as it is needed.
pub(super) struct Bearer {
    /// Where tokens are given out.
    issuer: Api,
    path: &'static str,
    /// Adds to a call what asks for a token.
    ask: Box<dyn Fn(Call) -> Call + Send + Sync>,
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    token: Option<Token>,
    /// From then on it is replaced.
    until: Timestamp,
    /// How many tokens there have been.
    gained: u64,
}

/// A token to call with. Its number says which one it is.
#[derive(Clone)]
struct Token {
    secret: SecretString,
    number: u64,
}

/// The answer to a request for a token; what else it says is not needed.
#[derive(Deserialize)]
struct Gained {
    access_token: SecretString,
    /// Seconds: a number, of some issuers a text.
    #[serde(default)]
    expires_in: Option<Value>,
}

impl Bearer {
    /// Asks `issuer` for tokens by POST at `path`, with what `ask` adds. Sends nothing yet.
    pub(super) fn new(
        issuer: Api,
        path: &'static str,
        clock: Arc<dyn Clock>,
        ask: impl Fn(Call) -> Call + Send + Sync + 'static,
    ) -> Self {
        Self { issuer, path, ask: Box::new(ask), clock, held: Mutex::default() }
    }

    /// Reads `path` of `api` with a token.
    ///
    /// # Errors
    /// There is no token, or as [`Api::get`].
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        api: &Api,
        path: &'static str,
        with: impl Fn(Call) -> Call + Send + Sync,
    ) -> Result<T, SourceError> {
        let token = self.token(None).await?;
        match api.get(path, |call| with(call.bearer(&token.secret))).await {
            Err(error) if turned_away(&error) => {}
            read => return read,
        }
        let token = self.token(Some(token.number)).await?;
        api.get(path, |call| with(call.bearer(&token.secret))).await
    }

    /// The token that is held, unless it is at its end or the one with the number `turned_away`; a new one then.
    async fn token(&self, turned_away: Option<u64>) -> Result<Token, SourceError> {
        let mut held = self.held.lock().await;
        if let Some(token) = held.good(turned_away, self.clock.now()) {
            return Ok(token);
        }
        let gained: Result<Gained, _> = self.issuer.read(Method::POST, self.path, |call| (self.ask)(call)).await;
        let gained = gained.map_err(|error| refused(self.issuer.vendor(), error))?;
        Ok(held.hold(gained, self.clock.now()))
    }
}

impl Held {
    fn good(&self, turned_away: Option<u64>, now: Timestamp) -> Option<Token> {
        let token = self.token.as_ref().filter(|token| turned_away != Some(token.number));
        token.filter(|_| now < self.until).cloned()
    }

    fn hold(&mut self, gained: Gained, now: Timestamp) -> Token {
        let life = gained.life();
        self.gained += 1;
        self.until = now.saturating_add((life - AHEAD).max(life / 2)).unwrap_or(now);
        let token = Token { secret: gained.access_token, number: self.gained };
        self.token = Some(token.clone());
        token
    }
}

impl Gained {
    fn life(&self) -> SignedDuration {
        let told = self.expires_in.as_ref();
        let seconds = told.and_then(|told| told.as_i64().or_else(|| told.as_str()?.trim().parse().ok()));
        seconds.filter(|seconds| *seconds > 0).map_or(UNTOLD, SignedDuration::from_secs)
    }
}

/// Whether the vendor does not take the token (401); one that lacks a right (403) is taken.
fn turned_away(error: &SourceError) -> bool {
    error.code == "source_credentials_rejected"
}

/// Issuers answer 400 to credentials that they do not take (RFC 6749, section 5.2), and some 404 to an unknown tenant.
fn refused(vendor: &str, error: SourceError) -> SourceError {
    if !matches!(error.kind, Kind::Protocol | Kind::NotFound) {
        return error;
    }
    SourceError::new(
        Kind::Auth,
        "source_token_refused",
        format!("{vendor} gives out no token for these credentials."),
        "Check whether a secret, a refresh token or a consent has run out, then send them with PUT /v1/sources/{source}.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn gained(json: &str) -> Gained {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_token_is_kept_until_shortly_before_its_end() {
        for (json, last, gone) in [
            (r#"{"access_token": "a", "token_type": "Bearer", "expires_in": 3600}"#, 3479, 3480),
            (r#"{"access_token": "a", "expires_in": "3600"}"#, 3479, 3480),
            (r#"{"access_token": "a", "expires_in": 60}"#, 29, 30),
            (r#"{"access_token": "a"}"#, 479, 480),
            (r#"{"access_token": "a", "expires_in": -5}"#, 479, 480),
        ] {
            let mut held = Held::default();
            held.hold(gained(json), at(0));
            assert!(held.good(None, at(last)).is_some(), "{json}");
            assert!(held.good(None, at(gone)).is_none(), "{json}");
        }
    }

    #[test]
    fn a_token_that_was_turned_away_is_not_used_again_and_its_successor_is() {
        let mut held = Held::default();
        assert!(held.good(None, at(0)).is_none());
        let first = held.hold(gained(r#"{"access_token": "a", "expires_in": 3600}"#), at(0));
        assert!(held.good(Some(first.number), at(1)).is_none());
        let second = held.hold(gained(r#"{"access_token": "b", "expires_in": 3600}"#), at(1));
        let found = held.good(Some(first.number), at(2)).unwrap();
        assert_eq!((found.number, found.secret.expose_secret()), (second.number, "b"));
    }

    #[test]
    fn an_application_speaks_for_itself_or_for_the_user_whose_refresh_token_it_has() {
        let mut grant = Grant {
            client_id: "app".into(),
            client_secret: SecretString::from("secret".to_owned()),
            refresh_token: None,
        };
        let own = ("scope", "all");
        let itself = [("client_id", "app"), ("client_secret", "secret"), ("grant_type", "client_credentials"), own];
        assert_eq!(grant.fields(own), itself);
        grant.refresh_token = Some(SecretString::from("kept".to_owned()));
        assert_eq!(grant.fields(own)[2..], [("grant_type", "refresh_token"), ("refresh_token", "kept"), own]);
    }

    #[test]
    fn an_issuer_that_answers_400_refuses_and_one_that_is_down_does_not() {
        let refusal = |status| refused("The vendor", SourceError::of_status("The vendor", status, None));
        assert_eq!((refusal(400).kind, refusal(400).code.as_str()), (Kind::Auth, "source_token_refused"));
        assert_eq!(refusal(503).code, "source_unavailable");
        assert_eq!(refusal(401).code, "source_credentials_rejected");
    }

    #[test]
    fn only_a_401_is_about_the_token() {
        let about = [401, 403, 429, 500].map(|status| turned_away(&SourceError::of_status("The vendor", status, None)));
        assert_eq!(about, [true, false, false, false]);
    }
}

/// Over real HTTP: a vendor that notes what it is asked, and takes some of the tokens it gives out.
#[cfg(test)]
mod over_http {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::sync::Mutex as Lock;
    use std::time::Duration;

    use url::Url;

    use super::*;
    use crate::clock::SystemClock;
    use crate::pause::RealPause;
    use crate::sources::{Limit, Pace};

    /// What a stub was asked, in order.
    type Asked = Arc<Lock<Vec<String>>>;

    /// Gives out the tokens `t1`, `t2` and so on, and takes those of `taken`.
    fn vendor(taken: &'static [&'static str]) -> (Url, Asked) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Asked::default();
        let seen = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), taken, &seen);
            }
        });
        (base, asked)
    }

    /// One request a connection, one after the other.
    fn answer(mut stream: TcpStream, taken: &[&str], seen: &Asked) {
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut head, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            let Ok(1..) = reader.read_line(&mut line) else { return };
            let line = line.trim().to_owned();
            if line.is_empty() {
                break;
            }
            if let Some(told) = line.to_lowercase().strip_prefix("content-length:") {
                length = told.trim().parse().unwrap();
            }
            head.push(line);
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        let mut seen = seen.lock().unwrap();
        let tokens = seen.iter().filter(|asked| *asked == "token").count() + 1;
        let bearer = head.iter().find_map(|line| line.split_once("Bearer ")).map(|(_, token)| token.to_owned());
        let (asked, status, body) = match bearer {
            None => ("token".to_owned(), 200, format!(r#"{{"access_token": "t{tokens}", "expires_in": 3600}}"#)),
            Some(token) => {
                let status = if taken.contains(&token.as_str()) { 200 } else { 401 };
                (token, status, "7".to_owned())
            }
        };
        seen.push(asked);
        let length = body.len();
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).unwrap();
    }

    fn opened(base: &Url) -> (Api, Bearer) {
        let http =
            crate::sources::api::client(crate::http::AllowList::new(["vendor.com"]).unwrap(), Some(base)).unwrap();
        let host = http.check("vendor.com").unwrap();
        let limit = Limit { requests: 100, within: SignedDuration::from_mins(1) };
        let api = Api::new("The vendor", http, host, Pace::new(limit, Arc::new(SystemClock), Arc::new(RealPause)));
        (api.clone(), Bearer::new(api, "/token", Arc::new(SystemClock), |call| call.form(&[("client_id", "app")])))
    }

    #[tokio::test]
    async fn callers_at_once_share_one_token_and_later_ones_use_it_again() {
        let (base, asked) = vendor(&["t1"]);
        let (api, bearer) = opened(&base);
        let read = || bearer.get::<u32>(&api, "/count", |call| call);
        assert_eq!(tokio::join!(read(), read(), read()), (Ok(7), Ok(7), Ok(7)));
        assert_eq!(read().await, Ok(7));
        assert_eq!(*asked.lock().unwrap(), ["token", "t1", "t1", "t1", "t1"]);
    }

    #[tokio::test]
    async fn a_token_that_is_taken_no_more_is_replaced_once() {
        let (base, asked) = vendor(&["t2"]);
        let (api, bearer) = opened(&base);
        assert_eq!(bearer.get::<u32>(&api, "/count", |call| call).await, Ok(7));
        assert_eq!(*asked.lock().unwrap(), ["token", "t1", "token", "t2"]);
        let (base, asked) = vendor(&[]);
        let (api, bearer) = opened(&base);
        let refused = bearer.get::<u32>(&api, "/count", |call| call).await.unwrap_err();
        assert_eq!(refused.code, "source_credentials_rejected");
        assert_eq!(*asked.lock().unwrap(), ["token", "t1", "token", "t2"]);
    }
}
