//! A person resolves a finding: the line may be decided anew, and the finding is marked as looked at.
//!
//! The line goes first. Where the finding can't be marked after that, the person asks again, and a line that moves on twice
//! harms nothing; the other way round a finding could be called resolved whose line stays as it was.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{SyncError, live_among, live_writers};
use crate::clock::Clock;
use crate::domain::charge::ChargeLine;
use crate::domain::finding::{Finding, FindingState, Next};
use crate::domain::line::LineKey;
use crate::domain::reason::Code;
use crate::ledger::{Ledger, LookedAt, Reopened};
use crate::store::Table;
use crate::store::charge_lines::ChargeLines;
use crate::store::connections::{Connection, Connections};
use crate::store::findings::Findings;
use crate::store::lines::{Lines, Tenancy};

/// A run may move the finding at the same moment; then it is looked at again so often.
const TRIES: u32 = 3;

/// Resolves findings.
#[derive(Clone)]
pub struct Resolver {
    findings: Findings,
    connections: Connections,
    lines: Lines,
    charge_lines: ChargeLines,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    settle: SignedDuration,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// It is resolved, by this call or by the same one before; or it is over by itself.
    Is(Box<Finding>),
    /// It was resolved before, by somebody else or with other words. Nothing was changed, and what is said now is not kept.
    Before(Box<Finding>),
    /// There is none.
    NotFound,
    /// A worker has the line's account. Nothing was changed; it may be asked again in a moment.
    Busy,
    /// It says something else by now than what the person has seen. Nothing was changed.
    Changed,
    /// The line's open write may be on its way until then, and can't be given up before. Nothing was changed.
    TooEarly(Timestamp),
}

impl Resolver {
    /// A resolver over `table`. `settle`: how long a write may be on its way, as the engine has it.
    #[must_use]
    pub fn new(table: &Table, ledger: Ledger, clock: Arc<dyn Clock>, settle: SignedDuration) -> Self {
        Self {
            findings: Findings::new(table.clone()),
            connections: Connections::new(table.clone()),
            lines: Lines::new(table.clone()),
            charge_lines: ChargeLines::new(table.clone()),
            ledger,
            clock,
            settle,
        }
    }

    /// Resolves the finding with this fingerprint, in the name of `by`. `seen_at`: as of when the person has seen it, where
    /// that is known. Doing it again changes nothing.
    ///
    /// # Errors
    /// The store is unavailable; it may be asked again.
    pub async fn resolve(
        &self,
        connection: &Connection,
        fingerprint: &str,
        (by, note): (&str, Option<&str>),
        seen_at: Option<Timestamp>,
    ) -> Result<Resolved, SyncError> {
        let mut looked_at = None;
        for _ in 0..TRIES {
            let Some(found) = self.findings.get(connection, fingerprint).await? else {
                let closed = self.findings.closed_lately(connection, fingerprint).await?;
                return Ok(closed.map_or(Resolved::NotFound, |closed| said_before(closed, by, note)));
            };
            if found.state != FindingState::Open {
                return Ok(said_before(found, by, note));
            }
            // Another write, other numbers: that is not what the person has looked at.
            let seen = looked_at.get_or_insert_with(|| found.noticed.clone());
            if *seen != found.noticed || seen_at.is_some_and(|at| at != found.seen_at) {
                return Ok(Resolved::Changed);
            }
            match self.reopen_line(connection, &found).await? {
                Reopened::Done => {}
                Reopened::Busy => return Ok(Resolved::Busy),
                Reopened::TooEarly(until) => return Ok(Resolved::TooEarly(until)),
            }
            let resolved = Box::new(found.resolved(by, note, self.clock.now()));
            if self.findings.step(connection, Some(&found), &Next::Is(resolved.clone())).await? {
                return Ok(Resolved::Is(resolved));
            }
        }
        Ok(Resolved::Busy)
    }

    /// Nothing is done to a contract, nor to a line that another connection writes: that line is not this one's to free.
    async fn reopen_line(&self, connection: &Connection, finding: &Finding) -> Result<Reopened, SyncError> {
        if let Some(charge) = finding.noticed.subject.charge() {
            return self.reopen_charge(connection, charge, Code::named(&finding.noticed.reason.code)).await;
        }
        let Some(line) = finding.noticed.subject.line() else { return Ok(Reopened::Done) };
        let of = Tenancy::of(connection);
        let histories = self.lines.named(&of, std::slice::from_ref::<LineKey>(line)).await?;
        if !live_writers(&self.connections, connection, histories.values()).await?.is_empty() {
            return Ok(Reopened::Done);
        }
        let looked_at = match Code::named(&finding.noticed.reason.code) {
            Some(Code::WriteUnsettled | Code::WriteUnexplained) => LookedAt::OpenWrite,
            Some(Code::Drift) => LookedAt::Drift,
            Some(Code::PricesNotTaken | Code::PriceDrift) => LookedAt::Prices,
            _ => LookedAt::Other,
        };
        let account = finding.noticed.account.as_ref();
        Ok(self.ledger.reopen(&of, (line, account), looked_at, self.settle, self.clock.now()).await?)
    }
}

impl Resolver {
    /// As of a line: a charge that another connection writes is not this one's to free. What only waits for an approval, or
    /// for something to be put right, stays as it is.
    async fn reopen_charge(
        &self,
        connection: &Connection,
        charge: &ChargeLine,
        code: Option<Code>,
    ) -> Result<Reopened, SyncError> {
        let of_what_stands = matches!(
            code,
            Some(
                Code::WriteUnsettled
                    | Code::WriteUnexplained
                    | Code::ChargeDrift
                    | Code::ChargeNotTaken
                    | Code::ChargeTwice
            )
        );
        if !of_what_stands {
            return Ok(Reopened::Done);
        }
        let of = Tenancy::of(connection);
        let known = self.charge_lines.named(&of, std::slice::from_ref(charge)).await?;
        let writers = known.values().map(|history| &history.writer);
        if !live_among(&self.connections, connection, writers).await?.is_empty() {
            return Ok(Reopened::Done);
        }
        Ok(self.ledger.reopen_charge(&of, charge, self.settle, self.clock.now()).await?)
    }
}

/// What is said to a finding that is not open any more. Who says again what was said gets the same answer: an answer may have
/// been lost. Anybody else must not believe that their word was taken down.
fn said_before(found: Finding, by: &str, note: Option<&str>) -> Resolved {
    let same = found.resolved_by.as_deref() == Some(by) && (note.is_none() || found.note.as_deref() == note);
    // One that was over by itself was nobody's to resolve, and there is a word to lose only where one was said.
    let nobodys = found.resolved_by.is_none() && note.is_none();
    if same || nobodys { Resolved::Is(Box::new(found)) } else { Resolved::Before(Box::new(found)) }
}
