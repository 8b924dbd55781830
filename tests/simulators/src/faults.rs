//! Faults on demand: what goes wrong, and at which request.
//!
//! Owns the list of planned faults and the counting that picks one, for every simulator alike. Carrying it out (cutting,
//! hanging, answering) is each simulator's `exchange`; what a request is counted under is its own kind of key.
//! Counts start at 1 and at the start of the simulator or the last reset. A numbered fault happens once.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::reply::Reply;

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
    /// The request is applied and its own answer comes, but only after so long.
    Delay {
        /// Milliseconds of real time.
        ms: u64,
    },
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

    /// 200 with well-formed JSON of so many bytes, nothing applied: more than a careful client reads.
    #[must_use]
    pub fn oversized(bytes: usize) -> Self {
        let (head, tail) = (r#"{"success":true,"result":""#, r#""}"#);
        let filling = "x".repeat(bytes.saturating_sub(head.len() + tail.len()));
        Self::answer(200, format!("{head}{filling}{tail}")).header("content-type", "application/json")
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
            Self::Delay { ms } => Self::Delay { ms },
            Self::Answer(answer) => Self::Answer(Answer { applied: true, ..answer }),
        }
    }

    pub(crate) fn applies(&self) -> bool {
        match self {
            Self::ResetAfter | Self::HangAfter | Self::Delay { .. } => true,
            Self::ResetBefore | Self::HangBefore => false,
            Self::Answer(answer) => answer.applied,
        }
    }

    /// How much later the request is seen to.
    pub(crate) fn wait(&self) -> Duration {
        match self {
            Self::Delay { ms } => Duration::from_millis(*ms),
            _ => Duration::ZERO,
        }
    }
}

impl Answer {
    pub(crate) fn reply(&self) -> Reply {
        Reply { status: self.status, headers: self.headers.clone(), body: self.body.clone().into_bytes() }
    }
}

/// Which request a fault strikes. `K` is what a simulator counts requests by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When<K> {
    /// The nth write. What counts as one is each simulator's affair.
    Write(usize),
    /// Every write.
    EveryWrite,
    /// The nth request of a key, reads and writes alike.
    Request(K, usize),
    /// Every request of a key.
    EveryRequest(K),
}

/// A fault and the request it waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Planned<K> {
    pub(crate) on: When<K>,
    pub(crate) fault: Fault,
}

/// The planned faults and the counters they wait for.
#[derive(Clone, Debug)]
pub(crate) struct Faults<K> {
    planned: Vec<Planned<K>>,
    writes: usize,
    requests: HashMap<K, usize>,
}

impl<K> Default for Faults<K> {
    fn default() -> Self {
        Self { planned: Vec::new(), writes: 0, requests: HashMap::new() }
    }
}

impl<K: Copy + Eq + Hash> Faults<K> {
    pub(crate) fn plan(&mut self, on: When<K>, fault: Fault) {
        self.planned.push(Planned { on, fault });
    }

    pub(crate) fn planned(&self) -> &[Planned<K>] {
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
    pub(crate) fn strike(&mut self, key: K, writes: bool) -> Option<Fault> {
        let requests = self.requests.entry(key).or_default();
        *requests += 1;
        let requests = *requests;
        self.writes += usize::from(writes);
        let place = self.planned.iter().position(|planned| match planned.on {
            When::Write(nth) => writes && nth == self.writes,
            When::EveryWrite => writes,
            When::Request(of, nth) => of == key && nth == requests,
            When::EveryRequest(of) => of == key,
        })?;
        let planned = self.planned.get(place)?;
        match planned.on {
            When::EveryWrite | When::EveryRequest(_) => Some(planned.fault.clone()),
            _ => Some(self.planned.remove(place).fault),
        }
    }
}
