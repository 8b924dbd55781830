//! What each notice says, field by field as it stands on the bus and in a webhook's `data`.
//!
//! Names are those of the HTTP API, but for `partner`, `connection` and `run`: a sync request has always called them so, and
//! messages that wait in queues still do. Fields may be added; none is taken away or means something else.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::finding::Finding;
use crate::domain::ids::{ConnectionId, PartnerId, ProductKey, RunId};
use crate::domain::reason::Reason;
use crate::domain::units::Units;
use crate::store::connections::Connection;
use crate::store::runs::{Counts, Mode, Run, RunState, Trigger};

/// `RunSucceeded`, `RunPartial`, `RunFailed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEnded {
    /// The tenant.
    pub partner: PartnerId,
    /// The connection.
    pub connection: ConnectionId,
    /// The run.
    pub run: RunId,
    /// Whether it wrote.
    pub mode: Mode,
    /// What started it.
    pub trigger: Trigger,
    /// Lines by status.
    pub lines: Counts,
    /// Metered charges by status; left out where there are none.
    #[serde(default, skip_serializing_if = "Counts::are_none")]
    pub charges: Counts,
    /// Changes sent to the PSA.
    pub writes: u32,
    /// When it ended.
    pub finished_at: Timestamp,
    /// What failed it or cut it short.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl RunEnded {
    /// Of a run that has ended at `finished_at`.
    #[must_use]
    pub fn of(run: &Run, finished_at: Timestamp) -> Self {
        Self {
            partner: run.partner.clone(),
            connection: run.connection.clone(),
            run: run.id.clone(),
            mode: run.mode,
            trigger: run.trigger,
            lines: run.counts,
            charges: run.charges.counts,
            writes: run.writes,
            finished_at,
            reason: run.reason.clone(),
        }
    }
}

/// `CredentialsRejected`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialsRefused {
    /// The tenant.
    pub partner: PartnerId,
    /// The connection.
    pub connection: ConnectionId,
    /// The run that was refused.
    pub run: RunId,
    /// `code`, `explanation`, `fix`.
    #[serde(flatten)]
    pub reason: Reason,
}

/// `FindingOpened`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedFinding {
    /// The tenant.
    pub partner: PartnerId,
    /// The connection.
    pub connection: ConnectionId,
    /// The finding, as the API names it. A thing that comes back has the same id again.
    pub finding_id: String,
    /// `code`, `explanation`, `fix`.
    #[serde(flatten)]
    pub reason: Reason,
    /// The line, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<String>,
    /// The contract, where it is about one or about a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_id: Option<String>,
    /// The company of the line's first feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// The product of the line's first feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Units found in the PSA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Units>,
    /// Units that the line should carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Units>,
    /// When it was noticed.
    pub opened_at: Timestamp,
    /// The run that noticed it.
    pub run: RunId,
}

impl OpenedFinding {
    /// Of a finding that is open from now on.
    #[must_use]
    pub fn of(connection: &Connection, finding: &Finding) -> Self {
        let noticed = &finding.noticed;
        Self {
            partner: connection.partner.clone(),
            connection: connection.id.clone(),
            finding_id: finding.id.clone(),
            reason: noticed.reason.clone(),
            line_id: noticed.subject.line().map(ToString::to_string),
            contract_id: noticed.subject.contract().map(ToString::to_string),
            company: noticed.company.as_ref().map(ToString::to_string),
            company_name: Some(noticed.company_name.clone()).filter(|name| !name.is_empty()),
            product: noticed.product.as_ref().map(ToString::to_string),
            before: noticed.before,
            target: noticed.target,
            opened_at: finding.opened_at,
            run: finding.run.clone(),
        }
    }
}

/// `UsageStale`: products of which no complete snapshot has come for too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageStale {
    /// The tenant.
    pub partner: PartnerId,
    /// The products, each by itself.
    pub products: Vec<StaleProduct>,
}

/// A product whose usage is stale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleProduct {
    /// Which.
    pub product: ProductKey,
    /// `as_of` of its newest complete snapshot.
    pub newest_as_of: Timestamp,
    /// Since when that is too old.
    pub stale_since: Timestamp,
    /// Whole hours from `newest_as_of` to when this was said.
    pub hours: u32,
}

impl StaleProduct {
    /// A product whose newest complete snapshot is of `newest_as_of`, where that is older than `patience` at `now`.
    #[must_use]
    pub fn at(product: ProductKey, newest_as_of: Timestamp, patience: SignedDuration, now: Timestamp) -> Option<Self> {
        let stale_since = newest_as_of.saturating_add(patience).ok().filter(|since| *since <= now)?;
        let hours = u32::try_from(now.duration_since(newest_as_of).as_hours()).ok()?;
        Some(Self { product, newest_as_of, stale_since, hours })
    }
}

/// `Digest`: what needs a person, at seven in the morning of the partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The tenant.
    pub partner: PartnerId,
    /// The day, in the time zone of the partner's first connection.
    pub day: Date,
    /// Every connection that is not revoked.
    pub connections: Vec<DigestOfConnection>,
    /// Products that are mapped and whose usage is stale.
    pub stale_usage: Vec<StaleProduct>,
}

/// One connection in a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestOfConnection {
    /// Which.
    pub connection: ConnectionId,
    /// What the partner calls it.
    pub name: String,
    /// Open findings by code, by the code's name.
    pub open_findings: Vec<CodeCount>,
    /// Those of the open findings that are held changes which a person may approve.
    pub waiting_for_approval: u32,
    /// The PSA refuses the credentials.
    pub credentials_rejected: bool,
    /// The newest run that has ended and was no preview.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
}

/// How many findings have a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeCount {
    /// The code.
    pub code: String,
    /// How many.
    pub count: u32,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// The run.
    pub run: RunId,
    /// How it ended.
    pub status: RunState,
    /// When.
    pub finished_at: Timestamp,
}

impl Digest {
    /// Whether there is anything that a person must see to.
    #[must_use]
    pub fn needs_a_person(&self) -> bool {
        !self.stale_usage.is_empty() || self.connections.iter().any(DigestOfConnection::needs_a_person)
    }
}

impl DigestOfConnection {
    fn needs_a_person(&self) -> bool {
        let failed = self.last_run.as_ref().is_some_and(|run| run.status == RunState::Failed);
        !self.open_findings.is_empty() || self.waiting_for_approval > 0 || self.credentials_rejected || failed
    }
}
