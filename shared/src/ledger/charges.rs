//! Writes of charges: as those of units, each stored before it is sent and settled by what the PSA shows.
//!
//! A charge has one row of what is known of it, and at most one open intent. An intent goes forward only; what stands in the
//! PSA is stored in the transaction that settles it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::forward::NOT_LATE;
use super::intents::INTENTS_A_TRANSACTION;
use super::{IntendError, Lease, Ledger};
use crate::domain::charge::{ChargeBefore, ChargeHistory, ChargeLine, ChargeMeaning, Piece};
use crate::domain::ids::{ConnectionId, IntentKey, RunId};
use crate::domain::intent::IntentState;
use crate::psa::Psa;
use crate::store::lines::Tenancy;
use crate::store::{Condition, Key, Page, Read, StoreError, Write, schema};

/// A ledger row: one write of a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeIntent {
    /// Its key.
    pub key: IntentKey,
    /// What it is. Never changed.
    pub meaning: ChargeMeaning,
    /// A digest of what the request says. Never changed.
    pub payload: String,
    /// What it was decided on. Never changed; `None` in rows of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ChargeBefore>,
    /// The connection that writes.
    pub connection: ConnectionId,
    /// The run that decided it.
    pub run: RunId,
    /// How far it has come.
    pub state: IntentState,
    /// The fence of the lease that last moved it.
    pub fence: u64,
    /// That lease's name.
    pub leased: String,
    /// When it was decided.
    pub intended: Timestamp,
    /// When it was stored as sent, in seconds since 1970.
    #[serde(default)]
    pub sent_at: Option<i64>,
    /// When its outcome was known, likewise.
    #[serde(default)]
    pub settled_at: Option<i64>,
    /// Why it was rejected, or why its outcome is not known.
    #[serde(default)]
    pub code: Option<String>,
}

impl ChargeIntent {
    /// When it left, in seconds since 1970.
    #[must_use]
    pub fn left_at(&self) -> i64 {
        self.sent_at.unwrap_or_else(|| self.intended.as_second())
    }
}

/// A write that is about to be stored.
#[derive(Debug, Clone)]
pub struct PlannedCharge {
    /// What it is.
    pub meaning: ChargeMeaning,
    /// What is known of its charge, with its pieces as the PSA shows them now.
    pub history: ChargeHistory,
    /// What has to hold of other rows still: by it the charge came to be planned.
    pub holds: Vec<(Key, Condition)>,
}

/// What became of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// The PSA shows it: these are the charge's pieces from now on.
    Applied(Vec<Piece>),
    /// Nothing was changed, for the reason named by the code.
    Rejected(String),
    /// It never left this machine.
    NeverSent(String),
    /// Nobody knows yet; the charge stays closed to new writes.
    Unknown(String),
}

pub(super) fn row(psa: Psa, intent: &ChargeIntent) -> Key {
    schema::charge_intent(&intent.meaning, psa, &intent.key)
}

impl Ledger {
    /// Stores what is about to be written and marks the charges: in one transaction, or in several where it is too much for
    /// one. `None`: a charge has moved on meanwhile, has an open intent, something does not hold any more, or the lease is lost;
    /// that transaction stored nothing.
    ///
    /// # Errors
    /// As [`Ledger::intend`].
    pub async fn intend_charges(
        &self,
        of: &Tenancy,
        lease: &Lease,
        (connection, run): (&ConnectionId, &RunId),
        planned: &[PlannedCharge],
        now: Timestamp,
    ) -> Result<Option<Vec<ChargeIntent>>, IntendError> {
        let intent = |PlannedCharge { meaning, history, .. }: &PlannedCharge| ChargeIntent {
            key: meaning.key(),
            payload: meaning.payload(),
            meaning: meaning.clone(),
            before: Some(ChargeBefore::of(history, meaning.number)),
            connection: connection.clone(),
            run: run.clone(),
            state: IntentState::Intended,
            fence: lease.fence,
            leased: lease.name().to_owned(),
            intended: now,
            sent_at: None,
            settled_at: None,
            code: None,
        };
        let intents: Vec<ChargeIntent> = planned.iter().map(intent).collect();
        let mut together = Together::default();
        for (intent, planned) in intents.iter().zip(planned) {
            if !together.has_room_for(planned) {
                let full = std::mem::take(&mut together);
                if !self.store_together(of, lease, (connection, run), full, now).await? {
                    return self.refused_charges(of, &intents).await;
                }
            }
            together.add(intent, planned);
        }
        match self.store_together(of, lease, (connection, run), together, now).await? {
            true => Ok(Some(intents)),
            false => self.refused_charges(of, &intents).await,
        }
    }

    async fn store_together(
        &self,
        of: &Tenancy,
        lease: &Lease,
        by: (&ConnectionId, &RunId),
        together: Together<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut writes = Vec::new();
        for (intent, history) in &together.intents {
            writes.push(self.table.write_put(&row(of.psa, intent), intent, &Condition::absent())?);
            writes.push(self.open_charge(of, lease, intent, history)?);
        }
        for (key, condition) in together.holds {
            writes.push(self.table.write_check(key, condition)?);
        }
        let stored: Vec<&ChargeIntent> = together.intents.iter().map(|(intent, _)| *intent).collect();
        writes.extend(self.journal_of_charges(of, lease, by, &stored, now)?);
        self.table.transact(writes).await
    }

    async fn refused_charges(
        &self,
        of: &Tenancy,
        intents: &[ChargeIntent],
    ) -> Result<Option<Vec<ChargeIntent>>, IntendError> {
        match self.contradicted_charge(of, intents).await? {
            Some(intent) => Err(IntendError::Contradiction { line: intent.meaning.line.to_string(), key: intent.key }),
            None => Ok(None),
        }
    }

    /// Whether everything still holds by which `planned` charges came to be planned. Asked before they are stored, so that
    /// what has changed is told; stored they are only where it holds at that very moment.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn still_holds(&self, holds: &[(Key, Condition)]) -> Result<bool, StoreError> {
        for chunk in holds.chunks(MOST_WRITES) {
            let checks = chunk.iter().map(|(key, condition)| self.table.write_check(key, condition));
            if !self.table.transact(checks.collect::<Result<_, _>>()?).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn contradicted_charge(
        &self,
        of: &Tenancy,
        intents: &[ChargeIntent],
    ) -> Result<Option<ChargeIntent>, StoreError> {
        let keys: Vec<Key> = intents.iter().map(|intent| row(of.psa, intent)).collect();
        let stored: Vec<ChargeIntent> = self.table.get_each(&keys).await?;
        let other =
            |intent: &&ChargeIntent| intents.iter().any(|new| new.key == intent.key && new.payload != intent.payload);
        Ok(stored.iter().find(other).cloned())
    }

    fn open_charge(
        &self,
        of: &Tenancy,
        lease: &Lease,
        intent: &ChargeIntent,
        history: &ChargeHistory,
    ) -> Result<Write, StoreError> {
        let line = &intent.meaning.line;
        // What it is made of is stored with the write: from now on its records are charged here and nowhere else.
        let open = Condition::new(
            "SET #line = :line, #account = :account, #period_end = :period_end, #writer = :writer, #pieces = :pieces, \
             #next = :next, #records = :records, #open = :open, #fence = :fence, #leased = :leased, \
             #revision = :revision, #forgotten = :forgotten",
        )
        .bind(":line", line)?
        .bind(":account", &history.account)?
        .bind(":period_end", history.period_end)?
        .bind(":writer", &intent.connection)?
        .bind(":pieces", &history.pieces)?
        .bind(":next", history.next.max(intent.meaning.number))?
        .bind(":records", &intent.meaning.records)?
        .bind(":open", &intent.key)?
        .bind(":fence", lease.fence)?
        .bind(":leased", lease.name())?
        .bind(":revision", intent.meaning.revision)?
        .bind(":forgotten", history.forgotten)?;
        self.table.write_update(&of.charge(line), &open, &quiet(history)?)
    }

    /// Stores that the request is about to leave. `false`: another worker has the account; don't send.
    ///
    /// # Errors
    /// As [`Ledger::sent`].
    pub async fn charge_sent(
        &self,
        of: &Tenancy,
        lease: &Lease,
        intent: &ChargeIntent,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.mark_sent(&row(of.psa, intent), lease.fence, ("payload", &intent.payload), now).await
    }

    /// Stores outcomes, and moves the charges on where the outcome is known. `false`: another worker has the account; what
    /// could not be stored is settled by whoever holds it.
    ///
    /// # Errors
    /// The store is unavailable. The intents stay as they were and are settled by reading.
    pub async fn settle_charges(
        &self,
        of: &Tenancy,
        lease: &Lease,
        settled: &[(&ChargeIntent, ChargeOutcome)],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        for chunk in settled.chunks(INTENTS_A_TRANSACTION) {
            let mut writes = Vec::with_capacity(chunk.len() * 2);
            for (intent, outcome) in chunk {
                let (next, code) = match outcome {
                    ChargeOutcome::Applied(_) => (IntentState::Applied, None),
                    ChargeOutcome::Rejected(code) | ChargeOutcome::NeverSent(code) => {
                        (IntentState::Rejected, Some(code.as_str()))
                    }
                    ChargeOutcome::Unknown(code) => (IntentState::Unknown, Some(code.as_str())),
                };
                let never_sent = matches!(outcome, ChargeOutcome::NeverSent(_));
                writes.push(self.close_row(&row(of.psa, intent), lease, (next, code), never_sent, None, now)?);
                writes.extend(self.close_charge(of, lease, intent, outcome)?);
            }
            if !self.table.transact(writes).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn close_charge(
        &self,
        of: &Tenancy,
        lease: &Lease,
        intent: &ChargeIntent,
        outcome: &ChargeOutcome,
    ) -> Result<Option<Write>, StoreError> {
        let ChargeMeaning { line, revision, number, .. } = &intent.meaning;
        let mine = Condition::new(format!("#open = :open AND {NOT_LATE}"))
            .bind(":open", &intent.key)?
            .bind(":fence", lease.fence)?
            .bind(":leased", lease.name())?;
        let moved = "SET #revision = :moved, #fence = :fence, #leased = :leased";
        let update = match outcome {
            ChargeOutcome::Unknown(_) => return Ok(None),
            ChargeOutcome::Rejected(_) | ChargeOutcome::NeverSent(_) => Condition::new(format!("{moved} REMOVE #open")),
            ChargeOutcome::Applied(pieces) => {
                let next = number.saturating_add(1).max(pieces.iter().map(|piece| piece.number + 1).max().unwrap_or(0));
                let known =
                    "#pieces = :pieces, #next = :next, #markup = :markup, #currency = :currency, #forgotten = :no";
                Condition::new(format!("{moved}, {known} REMOVE #open"))
                    .bind(":pieces", pieces)?
                    .bind(":markup", intent.meaning.markup)?
                    .bind(":currency", &intent.meaning.currency)?
                    .bind(":next", next)?
                    .bind(":no", false)?
            }
        };
        let update = update.bind(":moved", revision.saturating_add(1))?;
        self.table.write_update(&of.charge(line), &update, &mine).map(Some)
    }

    /// Remembers that a charge was found as it should be, with its pieces as the PSA shows them. `false`: it has moved on.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn remember_charge(
        &self,
        of: &Tenancy,
        line: &ChargeLine,
        history: &ChargeHistory,
        pieces: &[Piece],
    ) -> Result<bool, StoreError> {
        let next = pieces.iter().map(|piece| piece.number.saturating_add(1)).max().unwrap_or(0).max(history.next);
        let update = Condition::new("SET #pieces = :pieces, #next = :next, #forgotten = :no")
            .bind(":pieces", pieces)?
            .bind(":next", next)?
            .bind(":no", false)?;
        let there = Condition::new("#writer = :was AND #revision = :revision AND attribute_not_exists(#open)")
            .bind(":was", &history.writer)?
            .bind(":revision", history.revision)?;
        self.table.amend(&of.charge(line), &update, &there).await
    }

    /// The open intent of a charge.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn open_charge_intent(
        &self,
        of: &Tenancy,
        line: &ChargeLine,
        history: &ChargeHistory,
    ) -> Result<Option<ChargeIntent>, StoreError> {
        let Some(key) = &history.open else { return Ok(None) };
        let sk = format!("INTENT#{:010}#{key}", history.revision);
        let pk = schema::charge_ledger(&of.partner, of.psa, &of.tenant, line);
        self.table.get(&Key { pk, sk }, Read::Consistent).await
    }

    /// The newest intent of a charge, whatever became of it.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn newest_of_charge(&self, of: &Tenancy, line: &ChargeLine) -> Result<Option<ChargeIntent>, StoreError> {
        let partition = schema::charge_ledger(&of.partner, of.psa, &of.tenant, line);
        let page = Page { prefix: "INTENT#", limit: Some(1), backwards: true, ..Page::default() };
        let newest = self.table.page(&partition, &page, Read::Consistent).await?;
        Ok(newest.items.into_iter().next().map(|(_, intent)| intent))
    }
}

/// A transaction holds at most 100 writes.
const MOST_WRITES: usize = 100;
/// Rows of the journal that come with each.
const JOURNAL_ROWS: usize = 2;

/// What one transaction stores.
#[derive(Default)]
struct Together<'a> {
    intents: Vec<(&'a ChargeIntent, &'a ChargeHistory)>,
    holds: BTreeMap<&'a Key, &'a Condition>,
}

impl<'a> Together<'a> {
    fn has_room_for(&self, planned: &PlannedCharge) -> bool {
        let new = planned.holds.iter().filter(|(key, _)| !self.holds.contains_key(key)).count();
        self.intents.is_empty() || self.intents.len() * 2 + 2 + self.holds.len() + new + JOURNAL_ROWS <= MOST_WRITES
    }

    fn add(&mut self, intent: &'a ChargeIntent, planned: &'a PlannedCharge) {
        self.intents.push((intent, &planned.history));
        self.holds.extend(planned.holds.iter().map(|(key, condition)| (key, condition)));
    }
}

/// The row is as `history` says, or not there yet.
fn quiet(history: &ChargeHistory) -> Result<Condition, StoreError> {
    Condition::new(
        "attribute_not_exists(#pk) OR (#writer = :was AND #revision = :revision AND \
         (#fence <= :fence OR attribute_not_exists(#leased) OR #leased <> :leased) AND attribute_not_exists(#open))",
    )
    .bind(":was", &history.writer)
}
