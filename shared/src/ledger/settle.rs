//! What became of intents: stored together with how their lines move on, or not at all.
//!
//! Every write here names the fence of the lease under which it is made, and goes forward only: an outcome that is known
//! is never changed again.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::forward::NOT_LATE;
use super::intents::{INTENTS_A_TRANSACTION, row};
use super::{Intent, Lease, Ledger};
use crate::domain::intent::{IntentState, Meaning};
use crate::domain::line::{Confirmed, LineHistory};
use crate::domain::reason::Code;
use crate::domain::units::Units;
use crate::store::lines::Tenancy;
use crate::store::{Condition, StoreError, Write};

/// So many of a line's newest adjustment dates are kept on its row.
const DATES_KEPT: usize = 40;

/// What became of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The PSA shows the target.
    Applied,
    /// The PSA shows the target's units, and not all of its prices.
    AppliedUnpriced,
    /// The PSA took it for another change than it was meant as: the line carries these units.
    AppliedAs(Units),
    /// Nothing was changed, for the reason named by the code.
    Rejected(String),
    /// It never left this machine. Holds only while it is not stored as sent: a late worker that has just sent it wins.
    NeverSent(String),
    /// Nothing was changed: the day carries an adjustment that the units don't show. It is kept as taken, so that the next
    /// change of the line is not sent for the same day and refused again.
    DayTaken(String),
    /// Nobody knows yet; the line stays closed to new writes.
    Unknown(String),
}

/// An intent, and what became of it.
pub type Settled<'a> = (&'a Intent, Outcome);

/// How far [`Ledger::settle_last`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettledLast {
    /// Everything is stored and the lease is given back.
    AndReleased,
    /// Everything is stored. The lease was lost to another worker meanwhile.
    Alone,
    /// Another worker has the account; what could not be stored is settled by whoever holds it.
    Not,
}

impl Ledger {
    /// Stores outcomes, and moves the lines on where the outcome is known: in one transaction for up to 49 lines.
    /// `false`: another worker has the account; what could not be stored is settled by whoever holds it.
    ///
    /// # Errors
    /// The store is unavailable. The intents stay as they were and are settled by reading.
    pub async fn settle(
        &self,
        of: &Tenancy,
        lease: &Lease,
        settled: &[(Settled<'_>, &LineHistory)],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        for chunk in settled.chunks(INTENTS_A_TRANSACTION) {
            if !self.table.transact(self.closing(of, lease, chunk, now)?).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// As [`Ledger::settle`], for the last that is done under `lease`: it is given back in the last transaction, if it was
    /// not taken over.
    ///
    /// # Errors
    /// As [`Ledger::settle`]; the lease is then still to be given back.
    pub async fn settle_last(
        &self,
        of: &Tenancy,
        lease: &Lease,
        settled: &[(Settled<'_>, &LineHistory)],
        now: Timestamp,
    ) -> Result<SettledLast, StoreError> {
        let last = settled.len().saturating_sub(1) / INTENTS_A_TRANSACTION * INTENTS_A_TRANSACTION;
        let (before, last) = settled.split_at(last);
        if !self.settle(of, lease, before, now).await? {
            return Ok(SettledLast::Not);
        }
        let mut writes = self.closing(of, lease, last, now)?;
        writes.push(self.giving_back(lease)?);
        if self.table.transact(writes).await? {
            return Ok(SettledLast::AndReleased);
        }
        // Where only the lease is lost, what became of the intents may still be stored.
        Ok(if self.settle(of, lease, last, now).await? { SettledLast::Alone } else { SettledLast::Not })
    }

    fn closing(
        &self,
        of: &Tenancy,
        lease: &Lease,
        settled: &[(Settled<'_>, &LineHistory)],
        now: Timestamp,
    ) -> Result<Vec<Write>, StoreError> {
        let mut writes = Vec::with_capacity(settled.len() * 2 + 1);
        for ((intent, outcome), history) in settled {
            writes.push(self.close_intent(of, lease, intent, outcome, now)?);
            writes.extend(self.close_line(of, lease, intent, outcome, history)?);
        }
        Ok(writes)
    }

    fn close_intent(
        &self,
        of: &Tenancy,
        lease: &Lease,
        intent: &Intent,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let prices_not_taken = Code::PricesNotTaken.as_str().to_owned();
        let (next, code) = match outcome {
            Outcome::Applied | Outcome::AppliedAs(_) => (IntentState::Applied, None),
            Outcome::AppliedUnpriced => (IntentState::Applied, Some(&prices_not_taken)),
            Outcome::Rejected(code) | Outcome::NeverSent(code) | Outcome::DayTaken(code) => {
                (IntentState::Rejected, Some(code))
            }
            Outcome::Unknown(code) => (IntentState::Unknown, Some(code)),
        };
        let landed = match outcome {
            Outcome::AppliedAs(units) => Some(*units),
            _ => None,
        };
        let never_sent = matches!(outcome, Outcome::NeverSent(_));
        self.close_row(&row(of, intent), lease, (next, code.map(String::as_str)), never_sent, landed, now)
    }

    fn close_line(
        &self,
        of: &Tenancy,
        lease: &Lease,
        intent: &Intent,
        outcome: &Outcome,
        history: &LineHistory,
    ) -> Result<Option<Write>, StoreError> {
        let meaning = &intent.meaning;
        let mine = Condition::new(format!("#open = :open AND {NOT_LATE}"))
            .bind(":open", &intent.key)?
            .bind(":fence", lease.fence)?
            .bind(":leased", lease.name())?;
        let next = meaning.revision + 1;
        let update = match outcome {
            Outcome::Unknown(_) => return Ok(None),
            Outcome::Rejected(_) | Outcome::NeverSent(_) => {
                Condition::new("SET #revision = :next, #fence = :fence, #leased = :leased REMOVE #open")
                    .bind(":next", next)?
            }
            Outcome::DayTaken(_) => Condition::new(
                "SET #revision = :next, #fence = :fence, #leased = :leased, #adjusted_on = :dates REMOVE #open",
            )
            .bind(":next", next)?
            .bind(":dates", dates_with(history, meaning.effective))?,
            Outcome::Applied => line_with(made(meaning)?, meaning, meaning.target, history, true)?,
            Outcome::AppliedUnpriced => line_with(made(meaning)?, meaning, meaning.target, history, false)?,
            Outcome::AppliedAs(units) => line_with(moved_on(), meaning, *units, history, false)?,
        };
        self.table.write_update(&of.line(&meaning.line), &update, &mine).map(Some)
    }
}

/// How a line moves on with a change that was made: what a reversal took back is remembered until the next change.
fn made(meaning: &Meaning) -> Result<Condition, StoreError> {
    match meaning.reverses {
        // A change of prices alone says nothing of what a person took back.
        None if meaning.delta().get() == 0 => Ok(Condition::new(format!("{MOVED_ON} REMOVE #open"))),
        None => Ok(moved_on()),
        Some(_) => Condition::new(format!("{MOVED_ON}, #reversed = :reversed REMOVE #open, #forgotten"))
            .bind(":reversed", meaning.before),
    }
}

const MOVED_ON: &str = "SET #revision = :next, #fence = :fence, #leased = :leased, #confirmed = :confirmed, #adjusted_on = :dates, #priced = :priced";

fn moved_on() -> Condition {
    Condition::new(format!("{MOVED_ON} REMOVE #open, #forgotten, #reversed"))
}

/// Binds what is known of a line from now on.
fn line_with(
    update: Condition,
    meaning: &Meaning,
    units: Units,
    history: &LineHistory,
    prices_taken: bool,
) -> Result<Condition, StoreError> {
    let confirmed = Confirmed { units, from: meaning.effective, feeds: meaning.feeds };
    // A change of prices alone says nothing new of the units: the change that set them stays the last word on them.
    let known = history.confirmed.filter(|known| meaning.delta().get() == 0 && known.units == units);
    let prices = meaning.prices.map(|prices| prices.remembered(history.priced, meaning.effective, prices_taken));
    update
        .bind(":next", meaning.revision + 1)?
        .bind(":confirmed", known.unwrap_or(confirmed))?
        .bind(":priced", prices.unwrap_or(history.priced))?
        .bind(":dates", dates_with(history, meaning.effective))
}

/// The line's adjustment dates and one more, the newest of them.
fn dates_with(history: &LineHistory, date: Date) -> BTreeSet<Date> {
    let mut dates = history.adjusted_on.clone();
    dates.insert(date);
    while dates.len() > DATES_KEPT {
        dates.pop_first();
    }
    dates
}
