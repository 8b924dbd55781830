//! Log-ins, tokens and the lock-out.
//!
//! Owns who holds which token until when, and how often a user failed. Access tokens expire by the injected clock; a refresh
//! token is good once. A locked user is refused with the right password too, and an attempt while locked does not prolong it.
//! No password, code or token leaves this module but in the answer to a log-in.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::envelope::Refusal;
use super::limits::Limits;
use super::members::Members;
use super::switches::Switches;
use super::totp;
use super::users::{BmsUser, Right};

/// One attempt to log in that named a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoginAttempt {
    /// 1 for the first since the start or the last reset.
    pub number: usize,
    /// When it came.
    pub at: Timestamp,
    /// The user name that was sent, right or wrong, in small letters.
    pub user: String,
    /// Whether a token was given.
    pub succeeded: bool,
    /// Whether the user was locked at the time.
    pub locked: bool,
}

/// How a user stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Failed log-ins since the last good one or the last lock.
    pub failures_in_a_row: u32,
    /// Until when the user is locked, if ever.
    pub locked_until: Option<Timestamp>,
    /// The step of the last one-time code that was accepted.
    #[serde(skip)]
    last_step: Option<u64>,
}

/// A pair of tokens with their ends.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) access_until: Timestamp,
    pub(crate) refresh_until: Timestamp,
}

struct Session {
    user: String,
    pair: Pair,
    refreshed: bool,
}

/// Everything about who is logged in.
#[derive(Default)]
pub(crate) struct Logins {
    sessions: Vec<Session>,
    attempts: Vec<LoginAttempt>,
    standings: BTreeMap<String, Standing>,
    made: u64,
}

/// What a log-in is judged by.
pub(crate) struct Judge<'a> {
    pub(crate) users: &'a [BmsUser],
    pub(crate) company_name: &'a str,
    pub(crate) limits: &'a Limits,
    pub(crate) switches: &'a Switches,
    pub(crate) now: Timestamp,
}

impl Logins {
    /// `POST /v2/security/authenticate`.
    pub(crate) fn log_in(&mut self, form: &Members, judge: &Judge<'_>) -> Result<Pair, Refusal> {
        let sent = |name: &str| form.text(name).unwrap_or_default();
        if !sent("GrantType").eq_ignore_ascii_case("password") {
            return Err(Refusal::GrantType);
        }
        if sent("Tenant").trim().is_empty() {
            return Err(Refusal::EmptyTenant);
        }
        let name = sent("UserName").to_lowercase();
        let standing = self.standings.entry(name.clone()).or_default();
        let locked = standing.locked_until.is_some_and(|until| judge.now < until);
        let outcome = if locked { Err(Refusal::Locked) } else { accept(standing, &name, &sent, judge) };
        match &outcome {
            Ok(_) => standing.failures_in_a_row = 0,
            Err(Refusal::BadLogin | Refusal::MfaCode) => {
                standing.failures_in_a_row += 1;
                if standing.failures_in_a_row >= judge.limits.lock_after {
                    standing.failures_in_a_row = 0;
                    standing.locked_until = judge.now.checked_add(judge.limits.lock()).ok();
                }
            }
            Err(_) => {}
        }
        let number = self.attempts.len() + 1;
        let succeeded = outcome.is_ok();
        self.attempts.push(LoginAttempt { number, at: judge.now, user: name.clone(), succeeded, locked });
        outcome?;
        self.issue(name, judge)
    }

    /// `POST /v2/security/refreshtoken`. The access token may have expired.
    pub(crate) fn refresh(&mut self, form: &Members, judge: &Judge<'_>) -> Result<Pair, Refusal> {
        let access = form.text("AccessToken").ok_or_else(|| Refusal::invalid("AccessToken is required."))?;
        let refresh = form.text("RefreshToken").ok_or_else(|| Refusal::invalid("RefreshToken is required."))?;
        let session = self.sessions.iter_mut().find(|session| {
            let pair = &session.pair;
            pair.access == access && pair.refresh == refresh && judge.now < pair.refresh_until && !session.refreshed
        });
        let session = session.ok_or(Refusal::Security)?;
        session.refreshed = true;
        let user = session.user.clone();
        self.issue(user, judge)
    }

    /// The user of an access token that is still good.
    pub(crate) fn user_of(&self, access: &str, now: Timestamp) -> Option<&str> {
        let session =
            self.sessions.iter().find(|session| session.pair.access == access && now < session.pair.access_until)?;
        Some(&session.user)
    }

    /// Ends every access token at once. Refresh tokens stay good.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        for session in &mut self.sessions {
            session.pair.access_until = session.pair.access_until.min(now);
        }
    }

    pub(crate) fn attempts(&self) -> &[LoginAttempt] {
        &self.attempts
    }

    pub(crate) fn standing(&self, user: &str) -> Standing {
        self.standings.get(&user.to_lowercase()).cloned().unwrap_or_default()
    }

    pub(crate) fn standings(&self) -> &BTreeMap<String, Standing> {
        &self.standings
    }

    /// Forgets the list of attempts. Locks and tokens stay.
    pub(crate) fn reset(&mut self) {
        self.attempts.clear();
    }

    fn issue(&mut self, user: String, judge: &Judge<'_>) -> Result<Pair, Refusal> {
        self.made += 1;
        let until = |life| judge.now.checked_add(life).map_err(|_| Refusal::Security);
        let pair = Pair {
            access: format!("simulated-access-{}", self.made),
            refresh: format!("simulated-refresh-{}", self.made),
            access_until: until(judge.limits.token_life())?,
            refresh_until: until(judge.limits.refresh_life())?,
        };
        self.sessions.push(Session { user, pair: pair.clone(), refreshed: false });
        Ok(pair)
    }
}

/// Checks a log-in of a user who is not locked. A missing one-time code fails like a wrong one.
fn accept(
    standing: &mut Standing,
    name: &str,
    sent: &impl Fn(&str) -> String,
    judge: &Judge<'_>,
) -> Result<(), Refusal> {
    let user = judge.users.iter().find(|user| user.username().eq_ignore_ascii_case(name)).ok_or(Refusal::BadLogin)?;
    if sent("Password") != user.password() || !sent("Tenant").trim().eq_ignore_ascii_case(judge.company_name) {
        return Err(Refusal::BadLogin);
    }
    if let Some(secret) = user.totp_secret() {
        let step = totp::matching_step(secret, &sent("MFACode"), judge.now).ok_or(Refusal::MfaCode)?;
        if judge.switches.refuses_reused_codes && standing.last_step.is_some_and(|last| step <= last) {
            return Err(Refusal::MfaCode);
        }
        standing.last_step = Some(step);
    }
    if user.may(Right::ApiAccess) { Ok(()) } else { Err(Refusal::NotPermitted) }
}

impl std::fmt::Debug for Logins {
    /// Without the tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logins")
            .field("sessions", &self.sessions.len())
            .field("standings", &self.standings)
            .finish_non_exhaustive()
    }
}
