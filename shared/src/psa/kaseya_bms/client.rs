//! Calls to BMS: the token, the budget, the turn, and one renewed token where the first is turned away.
//!
//! A read that meets a 401 is made once more with a new token, and never a second time. A write is never made twice: its
//! token is thrown away, and the refusal is handed to whoever sent it. What a result means is left to the calls.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Semaphore;

use super::budget::Budget;
use super::complaint::{Complaint, Explain};
use super::envelope::{self, Read, Success};
use super::errors;
use super::log_in::Way;
use super::session::{Session, Token};
use super::template::Template;
use crate::clock::Clock;
use crate::http::{self, Answer, CheckedHost, HttpError};
use crate::psa::{PsaError, WriteError};

/// Requests of one connector that are under way at once. BMS names no number, so it is a small one.
const AT_ONCE: usize = 3;

/// One user's way to one tenant, for one run.
pub(super) struct Client {
    http: http::Client,
    pub(super) clock: Arc<dyn Clock>,
    session: Arc<Session>,
    pub(super) budget: Budget,
    turns: Semaphore,
}

/// What to ask for.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) template: Template,
    id: Option<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    explain: Explain,
}

impl Ask {
    /// A template without a placeholder.
    pub(super) fn of(template: Template) -> Self {
        Self { template, id: None, query: vec![], body: None, explain: |_| None }
    }

    /// A template and what stands in its placeholder.
    pub(super) fn about(template: Template, id: impl ToString) -> Self {
        Self { id: Some(id.to_string()), ..Self::of(template) }
    }

    /// Adds a pair to the query.
    pub(super) fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// Lets `explain` tell more of a refusal than its status does.
    pub(super) fn explained_by(mut self, explain: Explain) -> Self {
        self.explain = explain;
        self
    }

    /// Sends JSON.
    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// Why a request has no answer.
enum Unanswered {
    /// It was not made: there is no budget for it.
    NotMade(PsaError),
    Http(HttpError),
}

impl From<Unanswered> for PsaError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::NotMade(error) => error,
            Unanswered::Http(error) => errors::of_http(error),
        }
    }
}

impl Client {
    pub(super) fn new(http: http::Client, clock: Arc<dyn Clock>, session: Arc<Session>) -> Self {
        let budget = Budget::of(session.used());
        Self { http, clock, session, budget, turns: Semaphore::new(AT_ONCE) }
    }

    /// Lets the next call log in though a log-in was refused: a person says that the user was unlocked, or given its rights.
    /// Each further refusal brings the user nearer to being locked, so the session counts them.
    pub(super) async fn forget_refusal(&self) {
        self.session.forget_refusal().await;
    }

    /// Where the API is.
    pub(super) fn host(&self) -> Result<&CheckedHost, PsaError> {
        self.session.host()
    }

    /// Reads.
    pub(super) async fn read(&self, ask: &Ask) -> Result<Success, PsaError> {
        let token = self.session.token(self.way()).await?;
        let mut answer = self.send(ask, &token, http::Client::read).await?;
        if matches!(envelope::read(&answer, ask.template), Read::Unauthorised) {
            let token = self.session.token_after(&token, self.way()).await?;
            answer = self.send(ask, &token, http::Client::read).await?;
        }
        match envelope::read(&answer, ask.template) {
            Read::Success(success) => {
                self.budget.worked(ask.template, self.clock.now());
                Ok(success)
            }
            Read::Unauthorised => Err(self.failure(401, &answer, ask, None)),
            Read::Failure(complaint) => Err(self.failure(answer.status, &answer, ask, Some(&complaint))),
            Read::Unreadable(error) => Err(error),
        }
    }

    /// Writes, once.
    pub(super) async fn write(&self, ask: &Ask) -> Result<Success, WriteError> {
        let token = self.session.token(self.way()).await.map_err(WriteError::NotSent)?;
        let answer = match self.send(ask, &token, http::Client::write).await {
            Ok(answer) => answer,
            Err(Unanswered::NotMade(error)) => return Err(WriteError::NotSent(error)),
            Err(Unanswered::Http(error)) if error.surely_not_sent() => {
                return Err(WriteError::NotSent(errors::of_http(error)));
            }
            Err(Unanswered::Http(error)) => return Err(WriteError::Unknown(errors::of_http(error))),
        };
        match envelope::read(&answer, ask.template) {
            Read::Success(success) => {
                self.budget.worked(ask.template, self.clock.now());
                Ok(success)
            }
            // Whatever stands before BMS may have answered after it was made.
            Read::Unauthorised if answer.status >= 500 => {
                Err(WriteError::Unknown(self.failure(answer.status, &answer, ask, None)))
            }
            Read::Unauthorised => {
                self.session.drop_token(&token).await;
                Err(WriteError::Rejected(errors::token_ended()))
            }
            Read::Failure(complaint) => {
                let failure = self.failure(answer.status, &answer, ask, Some(&complaint));
                // Below 500 BMS itself has read it and said no; a 408 or a redirect may come from something before it.
                // Within a 200 it has to say so: what is no envelope may be the answer to a write that was made.
                let refused = match answer.status {
                    200..=299 => complaint.says_no,
                    status => matches!(status, 400..=407 | 409..=499),
                };
                Err(if refused { WriteError::Rejected(failure) } else { WriteError::Unknown(failure) })
            }
            Read::Unreadable(error) => Err(WriteError::Unknown(error)),
        }
    }

    async fn send(
        &self,
        ask: &Ask,
        token: &Token,
        how: fn(&http::Client, reqwest::Method, &CheckedHost, &'static str) -> http::Call,
    ) -> Result<Answer, Unanswered> {
        let host = self.host().map_err(Unanswered::NotMade)?;
        // An error would mean a closed semaphore, and this one is never closed.
        let _turn = self.turns.acquire().await;
        self.budget.take(ask.template, self.clock.now()).map_err(Unanswered::NotMade)?;
        let (path, rest) = ask.template.path();
        let mut call = how(&self.http, ask.template.method(), host, path);
        for segment in ask.id.iter().map(String::as_str).chain(rest.iter().copied()) {
            call = call.segment(segment);
        }
        for (name, value) in &ask.query {
            call = call.query(name, value);
        }
        if let Some(body) = &ask.body {
            call = call.json(body);
        }
        call.bearer(&token.secret).send().await.map_err(Unanswered::Http)
    }

    fn failure(&self, status: u16, answer: &Answer, ask: &Ask, complaint: Option<&Complaint>) -> PsaError {
        let explained = complaint.filter(|complaint| complaint.is_of_content()).and_then(ask.explain);
        explained.unwrap_or_else(|| {
            let worked_lately = self.budget.worked_lately(ask.template, self.clock.now());
            errors::of_failure(status, answer.retry_after_s, ask.template, worked_lately)
        })
    }

    fn way(&self) -> Way<'_> {
        Way { http: &self.http, clock: &*self.clock, budget: &self.budget }
    }
}
