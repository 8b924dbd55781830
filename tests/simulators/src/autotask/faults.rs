//! Faults on demand: what goes wrong, and at which request.
//!
//! Owns the list of planned faults and the counting that picks one. Carrying it out (cutting, hanging, answering) is the
//! handler's in `exchange`.
//! Counts start at 1 and at the start of the simulator or the last reset. A numbered fault happens once.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::entity::Entity;
use super::errors::Reply;

/// What goes wrong with one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The connection is reset before anything is applied.
    ResetBefore,
    /// The request is applied, then the connection is reset: a lost response.
    ResetAfter,
    /// No answer comes and nothing is applied, until the client gives up.
    HangBefore,
    /// The request is applied and no answer comes.
    HangAfter,
    /// Another answer comes instead.
    Answer(Answer),
}

/// An answer in place of the real one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header names and values.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Body text.
    #[serde(default)]
    pub body: String,
    /// Whether the request takes effect first.
    #[serde(default)]
    pub applied: bool,
}

impl Fault {
    /// An answer with a status and a body, nothing applied.
    #[must_use]
    pub fn answer(status: u16, body: impl Into<String>) -> Self {
        Self::Answer(Answer { status, headers: Vec::new(), body: body.into(), applied: false })
    }

    /// A redirect (301, 307, …), nothing applied.
    #[must_use]
    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::answer(status, "").header("location", location)
    }

    /// 429, with `Retry-After` in seconds if given, nothing applied.
    #[must_use]
    pub fn too_many_requests(retry_after_s: Option<u32>) -> Self {
        let fault = Self::answer(429, "");
        match retry_after_s {
            Some(seconds) => fault.header("retry-after", seconds.to_string()),
            None => fault,
        }
    }

    /// 500 with a vague text, nothing applied.
    #[must_use]
    pub fn error_before() -> Self {
        Self::answer(500, r#"{"errors":["An error occurred while processing your request."]}"#)
    }

    /// 500 with a vague text, although it was applied.
    #[must_use]
    pub fn error_after() -> Self {
        Self::error_before().after()
    }

    /// 200 with a body that is no JSON, although it was applied.
    #[must_use]
    pub fn unparsable_after() -> Self {
        Self::answer(200, "<html><body>Service temporarily").after()
    }

    /// 200 with a list of errors, nothing applied.
    #[must_use]
    pub fn errors_with_200() -> Self {
        Self::answer(200, r#"{"errors":["The request could not be completed."]}"#)
    }

    /// Adds a header to an answer.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Self::Answer(answer) = &mut self {
            answer.headers.push((name.into(), value.into()));
        }
        self
    }

    /// The same, but the request takes effect first.
    #[must_use]
    pub fn after(self) -> Self {
        match self {
            Self::ResetBefore | Self::ResetAfter => Self::ResetAfter,
            Self::HangBefore | Self::HangAfter => Self::HangAfter,
            Self::Answer(answer) => Self::Answer(Answer { applied: true, ..answer }),
        }
    }

    pub(crate) fn applies(&self) -> bool {
        match self {
            Self::ResetAfter | Self::HangAfter => true,
            Self::ResetBefore | Self::HangBefore => false,
            Self::Answer(answer) => answer.applied,
        }
    }
}

impl Answer {
    pub(crate) fn reply(&self) -> Reply {
        Reply { status: self.status, headers: self.headers.clone(), body: self.body.clone().into_bytes() }
    }
}

/// Which request a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The nth adjustment.
    Write(usize),
    /// Every adjustment.
    EveryWrite,
    /// The nth request of an entity, reads and writes alike.
    Request(Entity, usize),
    /// Every request of an entity.
    EveryRequest(Entity),
}

/// The planned faults and the counters they wait for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    planned: Vec<(When, Fault)>,
    writes: usize,
    requests: HashMap<Entity, usize>,
}

impl Faults {
    pub(crate) fn plan(&mut self, when: When, fault: Fault) {
        self.planned.push((when, fault));
    }

    pub(crate) fn planned(&self) -> &[(When, Fault)] {
        &self.planned
    }

    pub(crate) fn clear(&mut self) {
        self.planned.clear();
    }

    pub(crate) fn reset_counts(&mut self) {
        self.writes = 0;
        self.requests.clear();
    }

    /// Counts a request and takes the fault planned for it, the one planned first.
    pub(crate) fn strike(&mut self, entity: Entity, is_adjustment: bool) -> Option<Fault> {
        let requests = self.requests.entry(entity).or_default();
        *requests += 1;
        let requests = *requests;
        self.writes += usize::from(is_adjustment);
        let place = self.planned.iter().position(|(when, _)| match *when {
            When::Write(nth) => is_adjustment && nth == self.writes,
            When::EveryWrite => is_adjustment,
            When::Request(of, nth) => of == entity && nth == requests,
            When::EveryRequest(of) => of == entity,
        })?;
        match self.planned.get(place)? {
            (When::EveryWrite | When::EveryRequest(_), fault) => Some(fault.clone()),
            _ => Some(self.planned.remove(place).1),
        }
    }
}
