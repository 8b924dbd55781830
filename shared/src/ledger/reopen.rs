//! What a person's word on a finding does to its line: the next run may decide it anew.
//!
//! A line whose write nobody can settle is freed by giving the write up: it is stored as rejected with a code of its own,
//! never as applied, and what was last confirmed is forgotten, so that the next run goes on from what the PSA shows. No
//! write is given up while it may still be on its way. Every other line moves on by a revision, which lets the same change
//! be made again on purpose.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::charges;
use super::intents::row;
use super::{Intent, Lease, Ledger};
use crate::domain::charge::ChargeLine;
use crate::domain::ids::AccountId;
use crate::domain::intent::IntentState;
use crate::domain::line::LineKey;
use crate::store::charge_lines::ChargeRow;
use crate::store::lines::{LineRow, Tenancy};
use crate::store::{Condition, Read, StoreError};

/// Code of an intent that a person gave up.
pub const RESOLVED_BY_PERSON: &str = "resolved_by_person";

/// What a person has looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookedAt {
    /// A write whose outcome nobody knows.
    OpenWrite,
    /// Units that somebody else set.
    Drift,
    /// Its prices.
    Prices,
    /// Anything else of the line.
    Other,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reopened {
    /// The line moved on, or there was nothing to move.
    Done,
    /// A worker has the account, or the line moved on at this very moment.
    Busy,
    /// The open write may be on its way until then.
    TooEarly(Timestamp),
}

#[derive(Deserialize)]
struct Row {
    #[serde(flatten)]
    line: LineRow,
    /// The lease under which the line was last opened; see [`Lease::name`].
    #[serde(default)]
    leased: Option<String>,
}

impl Ledger {
    /// Lets the next run decide `line` anew, after a person has looked at it at `now`. `account` is leased for a moment,
    /// or the one under which the line was last written. `settle`: how long a write may be on its way.
    ///
    /// A line that is closed by an open write is left alone when the person looked at something else.
    ///
    /// # Errors
    /// The store is unavailable. It may be done again; a line may then move on twice, which harms nothing.
    pub async fn reopen(
        &self,
        of: &Tenancy,
        (line, account): (&LineKey, Option<&AccountId>),
        looked_at: LookedAt,
        settle: SignedDuration,
        now: Timestamp,
    ) -> Result<Reopened, StoreError> {
        let key = of.line(line);
        let Some(found) = self.table.get::<Row>(&key, Read::Consistent).await? else { return Ok(Reopened::Done) };
        let leased = found.leased.as_deref().and_then(Lease::account_in);
        // A line that no worker has leased was never written: nothing of it can be on its way.
        let Some(account) = leased.as_ref().or(account) else { return Ok(Reopened::Done) };
        let Some(lease) = self.lease(of, account, now).await? else {
            return Ok(self.too_early(of, &found.line, looked_at, settle, now).await?.unwrap_or(Reopened::Busy));
        };
        let reopened = match self.table.get::<Row>(&key, Read::Consistent).await {
            Ok(Some(found)) => self.reopen_leased(of, &lease, &found.line, looked_at, settle, now).await,
            Ok(None) => Ok(Reopened::Done),
            Err(error) => Err(error),
        };
        if let Err(error) = self.release(&lease).await {
            tracing::warn!(%error, %account, "a lease was not given back and ends with its term");
        }
        reopened
    }

    /// A person hears when to come again, also while a worker has the account.
    async fn too_early(
        &self,
        of: &Tenancy,
        found: &LineRow,
        looked_at: LookedAt,
        settle: SignedDuration,
        now: Timestamp,
    ) -> Result<Option<Reopened>, StoreError> {
        if looked_at != LookedAt::OpenWrite {
            return Ok(None);
        }
        let intent = self.open_intent(of, &found.line, &found.history).await?;
        Ok(intent.and_then(|intent| on_its_way_until(&intent, settle, now)).map(Reopened::TooEarly))
    }

    async fn reopen_leased(
        &self,
        of: &Tenancy,
        lease: &Lease,
        found: &LineRow,
        looked_at: LookedAt,
        settle: SignedDuration,
        now: Timestamp,
    ) -> Result<Reopened, StoreError> {
        let writes = match (&found.history.open, looked_at) {
            (Some(_), LookedAt::OpenWrite) => {
                let intent = self.open_intent(of, &found.line, &found.history).await?;
                let intent = intent.ok_or_else(|| StoreError::Corrupt(format!("{} lacks its intent", found.line)))?;
                if let Some(until) = on_its_way_until(&intent, settle, now) {
                    return Ok(Reopened::TooEarly(until));
                }
                vec![self.give_up(of, lease, &intent, now)?, self.move_on(of, lease, found, &["#open", "#confirmed"])?]
            }
            // What the person looked at is not what keeps the line closed, and the open intent hangs on the revision.
            (Some(_), _) => return Ok(Reopened::Done),
            (None, LookedAt::Drift) => vec![self.move_on(of, lease, found, &["#confirmed"])?],
            (None, LookedAt::Prices) => vec![self.move_on(of, lease, found, &["#priced"])?],
            (None, _) => vec![self.move_on(of, lease, found, &[])?],
        };
        Ok(if self.table.transact(writes).await? { Reopened::Done } else { Reopened::Busy })
    }

    /// Only from the very state that was judged: a late worker that has just sent it wins.
    fn give_up(
        &self,
        of: &Tenancy,
        lease: &Lease,
        intent: &Intent,
        now: Timestamp,
    ) -> Result<crate::store::Write, StoreError> {
        let update = Condition::new("SET #state = :next, #code = :code, #fence = :fence, #settled_at = :settled")
            .bind(":next", IntentState::Rejected)?
            .bind(":code", RESOLVED_BY_PERSON)?
            .bind(":fence", lease.fence.max(intent.fence))?
            .bind(":settled", now.as_second())?;
        let unmoved = Condition::new("#state = :state AND #fence = :seen")
            .bind(":state", intent.state)?
            .bind(":seen", intent.fence)?;
        self.table.write_update(&row(of, intent), &update, &unmoved)
    }

    fn move_on(
        &self,
        of: &Tenancy,
        lease: &Lease,
        found: &LineRow,
        gone: &[&str],
    ) -> Result<crate::store::Write, StoreError> {
        let history = &found.history;
        let remove = if gone.is_empty() { String::new() } else { format!(" REMOVE {}", gone.join(", ")) };
        let known = history.confirmed.or(history.forgotten);
        let update = Condition::new(format!("SET #revision = :next, #fence = :fence, #forgotten = :forgotten{remove}"))
            .bind(":next", history.revision.saturating_add(1))?
            .bind(":fence", lease.fence.max(found.fence))?
            .bind(":forgotten", known.filter(|_| gone.contains(&"#confirmed")).or(history.forgotten))?;
        let unmoved = match &history.open {
            Some(open) => Condition::new("#revision = :was AND #open = :open").bind(":open", open)?,
            None => Condition::new("#revision = :was AND attribute_not_exists(#open)"),
        };
        self.table.write_update(&of.line(&found.line), &update, &unmoved.bind(":was", history.revision)?)
    }
}

impl Ledger {
    /// Lets the next run decide a charge anew from what the PSA shows, after a person has looked at it. A write whose outcome
    /// nobody knows is given up: it is kept as rejected, never as applied, and not while it may still be on its way.
    ///
    /// # Errors
    /// The store is unavailable. It may be done again.
    pub async fn reopen_charge(
        &self,
        of: &Tenancy,
        line: &ChargeLine,
        settle: SignedDuration,
        now: Timestamp,
    ) -> Result<Reopened, StoreError> {
        let key = of.charge(line);
        let Some(found) = self.table.get::<ChargeRow>(&key, Read::Consistent).await? else {
            return Ok(Reopened::Done);
        };
        let Some(lease) = self.lease(of, &found.history.account, now).await? else {
            return Ok(Reopened::Busy);
        };
        let reopened = match self.table.get::<ChargeRow>(&key, Read::Consistent).await {
            Ok(Some(found)) => self.reopen_leased_charge(of, &lease, &found, settle, now).await,
            Ok(None) => Ok(Reopened::Done),
            Err(error) => Err(error),
        };
        if let Err(error) = self.release(&lease).await {
            tracing::warn!(%error, charge = %line, "a lease was not given back and ends with its term");
        }
        reopened
    }

    async fn reopen_leased_charge(
        &self,
        of: &Tenancy,
        lease: &Lease,
        found: &ChargeRow,
        settle: SignedDuration,
        now: Timestamp,
    ) -> Result<Reopened, StoreError> {
        let history = &found.history;
        let mut writes = Vec::new();
        if let Some(intent) = self.open_charge_intent(of, &found.line, history).await? {
            let sent = Timestamp::from_second(intent.left_at()).map_err(|e| StoreError::Corrupt(e.to_string()))?;
            let until = sent.saturating_add(settle).unwrap_or(now);
            if intent.state != IntentState::Intended && now < until {
                return Ok(Reopened::TooEarly(until));
            }
            // Only from the very state that was judged: a late worker that has just sent it wins.
            let update = Condition::new("SET #state = :next, #code = :code, #fence = :fence, #settled_at = :settled")
                .bind(":next", IntentState::Rejected)?
                .bind(":code", RESOLVED_BY_PERSON)?
                .bind(":fence", lease.fence.max(intent.fence))?
                .bind(":settled", now.as_second())?;
            let unmoved = Condition::new("#state = :state AND #fence = :seen")
                .bind(":state", intent.state)?
                .bind(":seen", intent.fence)?;
            writes.push(self.table.write_update(&charges::row(of.psa, &intent), &update, &unmoved)?);
        }
        let update = Condition::new("SET #revision = :moved, #fence = :fence, #forgotten = :yes REMOVE #open")
            .bind(":moved", history.revision.saturating_add(1))?
            .bind(":fence", lease.fence.max(found.fence))?
            .bind(":yes", true)?;
        let unmoved = match &history.open {
            Some(open) => Condition::new("#revision = :was AND #open = :open").bind(":open", open)?,
            None => Condition::new("#revision = :was AND attribute_not_exists(#open)"),
        };
        writes.push(self.table.write_update(
            &of.charge(&found.line),
            &update,
            &unmoved.bind(":was", history.revision)?,
        )?);
        Ok(if self.table.transact(writes).await? { Reopened::Done } else { Reopened::Busy })
    }
}

/// Until when the PSA may still be at work on an intent, where that is not over. One that never left can't be on its way.
fn on_its_way_until(intent: &Intent, settle: SignedDuration, now: Timestamp) -> Option<Timestamp> {
    if intent.state == IntentState::Intended {
        return None;
    }
    let sent = Timestamp::from_second(intent.sent_at.unwrap_or(intent.intended_at)).ok()?;
    let until = sent.saturating_add(settle).ok()?;
    (now < until).then_some(until)
}
