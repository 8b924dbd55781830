//! The tokens of one user: gained once, shared, renewed before they end, and never at the price of the user's lock.
//!
//! Five failed log-ins lock a user for 30 minutes, API users included (Kaseya's help). So a log-in that was refused is
//! remembered and not sent again while this process lives, log-ins without a clear answer are three in any 30 minutes at
//! most, and whoever needs a token while another gains one waits for that one. The clock is injected.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use super::budget::Used;
use super::credentials::KaseyaBmsCredentials;
use super::errors;
use super::log_in::{self, NoTokens, Tokens, Way};
use super::totp;
use crate::http::{self, CheckedHost};
use crate::psa::PsaError;

/// How long a user stays locked.
const LOCK: SignedDuration = SignedDuration::from_mins(30);
/// Log-ins without a clear answer within that time. Each may have been a failure.
const MOST_UNCLEAR: usize = 3;
/// How long before its end a token is renewed; for short ones, at half of their life.
const AHEAD: SignedDuration = SignedDuration::from_mins(2);
/// How long a token is used whose end is not told, or lies in the past on arrival because the stamp is of another zone.
const UNTOLD: SignedDuration = SignedDuration::from_mins(10);

/// One user's log-in, for as long as the process lives.
pub(super) struct Session {
    credentials: KaseyaBmsCredentials,
    host: Result<CheckedHost, PsaError>,
    state: Mutex<State>,
    used: Used,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// How many tokens there have been.
    gained: u64,
    refused: Option<PsaError>,
    /// When log-ins were sent that have no clear answer (yet).
    unclear: Vec<Timestamp>,
    /// The last 30 seconds whose one-time code was sent.
    code_step: Option<u64>,
}

struct Held {
    token: Token,
    /// From then on it is renewed.
    renew_at: Timestamp,
    /// From then on it is not used.
    until: Timestamp,
    refresh: Option<SecretString>,
    refresh_until: Option<Timestamp>,
}

impl Held {
    /// BMS takes it no more. What it can be refreshed with stays.
    fn end(&mut self) {
        (self.renew_at, self.until) = (Timestamp::MIN, Timestamp::MIN);
    }
}

/// A token to call with. Its number says which of the session's it is.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) secret: SecretString,
    number: u64,
}

impl Session {
    /// Sends nothing. Credentials that can't be a BMS user's show in the first call.
    pub(super) fn new(http: &http::Client, credentials: KaseyaBmsCredentials) -> Self {
        let host = checked(http, &credentials);
        Self { credentials, host, state: Mutex::default(), used: Used::default() }
    }

    /// The requests of all who call with these credentials.
    pub(super) fn used(&self) -> Used {
        self.used.clone()
    }

    /// Where the API is.
    pub(super) fn host(&self) -> Result<&CheckedHost, PsaError> {
        self.host.as_ref().map_err(Clone::clone)
    }

    /// A token that is good by the clock.
    pub(super) async fn token(&self, way: Way<'_>) -> Result<Token, PsaError> {
        let mut state = self.state.lock().await;
        match &state.held {
            Some(held) if way.clock.now() < held.renew_at => Ok(held.token.clone()),
            _ => self.renew(&mut state, way).await,
        }
    }

    /// A token other than `turned_away`, which BMS takes no more.
    pub(super) async fn token_after(&self, turned_away: &Token, way: Way<'_>) -> Result<Token, PsaError> {
        let mut state = self.state.lock().await;
        if let Some(held) = &mut state.held {
            if held.token.number != turned_away.number {
                return Ok(held.token.clone());
            }
            held.end();
        }
        self.renew(&mut state, way).await
    }

    /// Forgets a token that BMS takes no more, without gaining another.
    pub(super) async fn drop_token(&self, turned_away: &Token) {
        let mut state = self.state.lock().await;
        if let Some(held) = state.held.as_mut().filter(|held| held.token.number == turned_away.number) {
            held.end();
        }
    }

    /// Forgets a refusal.
    pub(super) async fn forget_refusal(&self) {
        self.state.lock().await.refused = None;
    }

    /// Whether it holds nothing that a new session would not know. A session in use counts as holding something.
    pub(super) fn is_blank(&self, now: Timestamp) -> bool {
        self.state.try_lock().is_ok_and(|state| {
            state.refused.is_none()
                && !state.unclear.iter().any(|at| counts(*at, now))
                && state.held.as_ref().is_none_or(|held| held.until <= now)
        })
    }

    /// Refreshes where that can be done, else logs in. Where neither works for now, a token that is still good goes on.
    async fn renew(&self, state: &mut State, way: Way<'_>) -> Result<Token, PsaError> {
        let host = self.host()?;
        let now = way.clock.now();
        let renewed = match Self::refresh(state, host, way).await {
            Some(answer) => answer,
            None => self.log_in(state, host, way).await,
        };
        match (renewed, &state.held) {
            (Err(_), Some(held)) if now < held.until => Ok(held.token.clone()),
            (renewed, _) => renewed,
        }
    }

    /// `None`: there is nothing to refresh, or BMS does not take it.
    async fn refresh(state: &mut State, host: &CheckedHost, way: Way<'_>) -> Option<Result<Token, PsaError>> {
        let now = way.clock.now();
        let held = state.held.as_mut()?;
        // Good once, so that it is taken before it is sent.
        let refresh = held.refresh.take().filter(|_| held.refresh_until.is_none_or(|until| now < until))?;
        match log_in::refresh(way, host, &held.token.secret, &refresh).await {
            Ok(tokens) => Some(Ok(state.hold(tokens, way.clock.now()))),
            Err(NoTokens::Refused) => None,
            Err(NoTokens::NotSent(error)) => {
                held.refresh = Some(refresh);
                Some(Err(error))
            }
            Err(NoTokens::Unclear(error)) => Some(Err(error)),
        }
    }

    async fn log_in(&self, state: &mut State, host: &CheckedHost, way: Way<'_>) -> Result<Token, PsaError> {
        if let Some(refused) = &state.refused {
            return Err(refused.clone());
        }
        let now = way.clock.now();
        state.unclear.retain(|at| counts(*at, now));
        if let (MOST_UNCLEAR.., Some(oldest)) = (state.unclear.len(), state.unclear.first()) {
            let wait = LOCK - now.duration_since(*oldest);
            return Err(errors::log_in_paused(u32::try_from(wait.as_secs() + 1).unwrap_or(u32::MAX)));
        }
        let spent_before = state.code_step;
        let code = match &self.credentials.totp_secret {
            Some(secret) => Some(state.fresh_code(secret, now)?),
            None => None,
        };
        // Before it is sent: whoever gives up waiting must not make it uncounted.
        state.unclear.push(now);
        match log_in::log_in(way, host, &self.credentials, code.as_ref()).await {
            Ok(tokens) => {
                state.unclear.clear();
                Ok(state.hold(tokens, way.clock.now()))
            }
            Err(NoTokens::Refused) => {
                let refused = errors::log_in_refused();
                (state.refused, state.held) = (Some(refused.clone()), None);
                Err(refused)
            }
            Err(NoTokens::NotSent(error)) => {
                state.unclear.pop();
                state.code_step = spent_before;
                Err(error)
            }
            Err(NoTokens::Unclear(error)) => Err(error),
        }
    }
}

impl State {
    /// The one-time code of this moment, if it was not sent yet: BMS may take each but once.
    fn fresh_code(&mut self, secret: &SecretString, now: Timestamp) -> Result<SecretString, PsaError> {
        let unusable = || errors::malformed("The authenticator's secret is not one that an authenticator app takes.");
        let step = totp::step(now).ok_or_else(unusable)?;
        if self.code_step.is_some_and(|spent| step <= spent) {
            return Err(errors::code_spent(totp::seconds_left(now)));
        }
        let code = totp::code(secret, step).ok_or_else(unusable)?;
        self.code_step = Some(step);
        Ok(code)
    }

    fn hold(&mut self, tokens: Tokens, now: Timestamp) -> Token {
        self.gained += 1;
        let token = Token { secret: tokens.access, number: self.gained };
        let told = tokens.access_until.filter(|until| now < *until);
        let until = told.unwrap_or_else(|| now.saturating_add(UNTOLD).unwrap_or(now));
        let life = until.duration_since(now);
        let renew_at = now.saturating_add((life - AHEAD).max(life / 2)).unwrap_or(until);
        // A stamp of another zone says nothing about the refresh token either.
        let refresh_until = tokens.refresh_until.filter(|_| told.is_some());
        let held = Held { token: token.clone(), renew_at, until, refresh: tokens.refresh, refresh_until };
        self.held = Some(held);
        token
    }
}

fn counts(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < LOCK
}

/// The API's host, if the credentials can be those of a BMS user.
fn checked(http: &http::Client, user: &KaseyaBmsCredentials) -> Result<CheckedHost, PsaError> {
    let host = http.check(&user.hostname).and_then(|host| host.below("api")).map_err(errors::of_http)?;
    let blank = |text: &str| text.trim().is_empty();
    if blank(&user.username) || blank(user.password.expose_secret()) || blank(&user.company_name) {
        return Err(errors::malformed("The user name, the password or the company name is empty."));
    }
    if user.totp_secret.as_ref().is_some_and(|secret| totp::code(secret, 0).is_none()) {
        return Err(errors::malformed("The authenticator's secret is not one that an authenticator app takes."));
    }
    Ok(host)
}
