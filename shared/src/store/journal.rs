//! The journal: what happened on a connection, by time, for whoever asks later who did what.
//!
//! A row of it is written in the transaction of the thing itself, so neither is ever there without the other, and nothing
//! changes or removes one. What is kept elsewhere (versions of mappings, runs, the ledger's intents) is only named here;
//! what is kept nowhere else (a connection's settings before and after, a person's word on a finding) stands here.
//! How rows become entries that people read is left to `history`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::connections::ConnectionAct;
use super::runs::Run;
use super::{Condition, Key, StoreError, Table, Write, schema};
use crate::domain::charge::ChargeLine;
use crate::domain::difference::{Difference, Fields};
use crate::domain::finding::{Finding, FindingState, Subject};
use crate::domain::ids::{CompanyId, ConnectionId, IntentKey, PartnerId, ProductKey, RunId};
use crate::domain::line::LineKey;

/// Where sort keys of acts begin.
pub const ACTS: &str = "ACT#";

/// Where sort keys of intents that were stored together begin.
pub const SENT: &str = "SENT#";

/// Who does something, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// A token's subject, or `system`.
    pub actor: String,
    /// The instant.
    pub at: Timestamp,
}

impl By {
    /// Somebody.
    #[must_use]
    pub fn person(actor: &str, at: Timestamp) -> Self {
        Self { actor: actor.to_owned(), at }
    }

    /// The service itself, by what it met.
    #[must_use]
    pub fn system(at: Timestamp) -> Self {
        Self { actor: "system".to_owned(), at }
    }
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// To the connection itself.
    Connection(ConnectionChanged),
    /// To a mapping: see that version of it.
    Mapping {
        /// Sort key of the mapping.
        mapping: String,
        /// The version that it made.
        version: u32,
    },
    /// A run was asked for: see its header.
    Run {
        /// The run.
        run: RunId,
        /// Whether it is of all lines, and so about none of them in particular.
        whole: bool,
    },
    /// A person resolved a finding.
    Resolved(Box<ResolvedFinding>),
}

/// What was done to a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionChanged {
    /// What it was.
    pub act: ConnectionAct,
    /// Who did it.
    pub actor: String,
    /// The connection's version that it made.
    pub version: u64,
    /// The settings that it changed, as they were. Never anything of the credentials.
    pub before: Fields,
    /// The same as they are from then on.
    pub after: Fields,
}

/// A person's word on a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedFinding {
    /// The finding's id.
    pub finding: String,
    /// Its version from then on.
    pub version: u32,
    /// Who resolved it.
    pub actor: String,
    /// What that person said.
    #[serde(default)]
    pub note: Option<String>,
    /// Its code.
    pub code: String,
    /// What it was about.
    pub subject: Subject,
    /// The company of the line's first feed.
    #[serde(default)]
    pub company: Option<CompanyId>,
    /// The product of the line's first feed.
    #[serde(default)]
    pub product: Option<ProductKey>,
    /// The run that had noticed it.
    pub run: RunId,
}

/// Intents that one transaction stored, before any of them was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentTogether {
    /// The run that decided them.
    pub run: RunId,
    /// Where they stand in the ledger.
    pub intents: Vec<IntentName>,
    /// Where those of charges stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<ChargeIntentName>,
}

/// What names a write of a charge within its tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeIntentName {
    /// The charge.
    pub line: ChargeLine,
    /// The charge's revision.
    pub revision: u32,
    /// The intent's key.
    pub key: IntentKey,
}

/// What names a row of the ledger within its tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentName {
    /// The line.
    pub line: LineKey,
    /// The line's revision.
    pub revision: u32,
    /// The intent's key.
    pub key: IntentKey,
}

impl Act {
    /// That a connection was made or changed.
    #[must_use]
    pub fn of_connection(act: ConnectionAct, by: &By, version: u64, difference: Difference) -> Self {
        let Difference { before, after } = difference;
        let changed = ConnectionChanged { act, actor: by.actor.clone(), version, before, after };
        Self { at: by.at, what: What::Connection(changed) }
    }

    /// That `version` of the mapping at `key` was made.
    pub(super) fn of_mapping(key: &Key, version: u32, at: Timestamp) -> Self {
        Self { at, what: What::Mapping { mapping: key.sk.clone(), version } }
    }

    /// That a run was asked for.
    pub(super) fn of_run(run: &Run) -> Self {
        Self { at: run.created_at, what: What::Run { run: run.id.clone(), whole: run.is_of_all_lines() } }
    }

    /// That a finding was resolved, where that is the step from `found` to `next`.
    pub(super) fn of_resolved(found: Option<&Finding>, next: &Finding) -> Option<Self> {
        let newly = found.is_none_or(|found| found.state != FindingState::Resolved);
        let (at, actor) = (next.resolved_at?, next.resolved_by.clone()?);
        let resolved = || ResolvedFinding {
            finding: next.id.clone(),
            version: next.version,
            actor,
            note: next.note.clone(),
            code: next.noticed.reason.code.clone(),
            subject: next.noticed.subject.clone(),
            company: next.noticed.company.clone(),
            product: next.noticed.product.clone(),
            run: next.run.clone(),
        };
        (newly && next.state == FindingState::Resolved).then(|| Self { at, what: What::Resolved(Box::new(resolved())) })
    }

    /// Tells it from what else was done at the same instant. The digits say what mostly follows on what.
    fn name(&self) -> String {
        match &self.what {
            What::Connection(changed) => format!("1#{:010}", changed.version),
            What::Mapping { mapping, version } => format!("2#{mapping}#V#{version:06}"),
            What::Run { run, .. } => format!("3#{run}"),
            What::Resolved(resolved) => format!("4#{}#{:010}", resolved.finding, resolved.version),
        }
    }
}

impl Table {
    /// The row of `act`, for the transaction that does it.
    pub(super) fn write_act(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        act: &Act,
    ) -> Result<Write, StoreError> {
        let key = schema::act(partner, connection, act.at, &act.name());
        // Its name has a version or an id that the transaction itself makes: it can't be there before.
        self.write_put(&key, act, &Condition::absent())
    }
}
