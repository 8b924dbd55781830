//! What the ledger tells of a line's past: which change a run made there. Results say what a run reported; only an intent
//! says what it wrote.

use jiff::Timestamp;

use super::{ChargeIntent, Intent, Lease, Ledger};
use crate::domain::charge::ChargeMeaning;
use crate::domain::ids::{ConnectionId, IntentKey, RunId};
use crate::domain::intent::{IntentState, Meaning};
use crate::domain::line::LineKey;
use crate::store::journal::{ChargeIntentName, IntentName, SentTogether};
use crate::store::lines::Tenancy;
use crate::store::{Condition, Page, Read, StoreError, Write, schema};

/// Rows read at once: a run that is looked up is seldom an old one.
const ROWS_AT_ONCE: i32 = 25;

impl Ledger {
    /// The intent with which `run` changed `line`: the newest that was applied, or else the newest of that run. Where it put
    /// right what the PSA had taken otherwise, or set prices after units, it tells of both as one change.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn intent_of(&self, of: &Tenancy, line: &LineKey, run: &RunId) -> Result<Option<Intent>, StoreError> {
        let partition = schema::ledger(&of.partner, of.psa, &of.tenant, line);
        let mut newest: Option<Intent> = None;
        let mut after: Option<String> = None;
        loop {
            let page = Page { prefix: "INTENT#", after: after.as_deref(), limit: Some(ROWS_AT_ONCE), backwards: true };
            let rows = self.table.page::<Intent>(&partition, &page, Read::Consistent).await?;
            let oldest = rows.items.last().map(|(_, intent)| intent.meaning.revision);
            for (_, intent) in rows.items.into_iter().filter(|(_, intent)| intent.run == *run) {
                newest = Some(match newest {
                    None => intent,
                    Some(known) if known.state != IntentState::Applied && intent.state == IntentState::Applied => {
                        intent
                    }
                    Some(known) => known.after_units(intent),
                });
            }
            // What was put right stands right below what put it right, on the next page perhaps.
            let applied = newest.as_ref().filter(|newest| newest.state == IntentState::Applied);
            let settled = applied.is_some_and(|applied| oldest.is_some_and(|oldest| oldest < applied.meaning.revision));
            match rows.next {
                Some(next) if !settled => after = Some(next),
                _ => return Ok(newest),
            }
        }
    }
}

impl Ledger {
    /// Rows that tell by time which intents were stored together: in the connection's journal and in its account's, once for
    /// a transaction and not for each line, so that they cost no request and hardly any room.
    pub(super) fn journal(
        &self,
        of: &Tenancy,
        lease: &Lease,
        (connection, run): (&ConnectionId, &RunId),
        intents: &[&Intent],
        now: Timestamp,
    ) -> Result<Vec<Write>, StoreError> {
        let Some(first) = intents.first() else { return Ok(Vec::new()) };
        let named = |intent: &&Intent| {
            let Meaning { line, revision, .. } = &intent.meaning;
            IntentName { line: line.clone(), revision: *revision, key: intent.key.clone() }
        };
        let intents = intents.iter().map(named).collect();
        let together = SentTogether { run: run.clone(), intents, charges: Vec::new() };
        self.journal_rows(of, lease, connection, (&first.key, &together), now)
    }

    /// As [`Ledger::journal`], of writes of charges.
    pub(super) fn journal_of_charges(
        &self,
        of: &Tenancy,
        lease: &Lease,
        (connection, run): (&ConnectionId, &RunId),
        intents: &[&ChargeIntent],
        now: Timestamp,
    ) -> Result<Vec<Write>, StoreError> {
        let Some(first) = intents.first() else { return Ok(Vec::new()) };
        let named = |intent: &&ChargeIntent| {
            let ChargeMeaning { line, revision, .. } = &intent.meaning;
            ChargeIntentName { line: line.clone(), revision: *revision, key: intent.key.clone() }
        };
        let charges = intents.iter().map(named).collect();
        let together = SentTogether { run: run.clone(), intents: Vec::new(), charges };
        self.journal_rows(of, lease, connection, (&first.key, &together), now)
    }

    fn journal_rows(
        &self,
        of: &Tenancy,
        lease: &Lease,
        connection: &ConnectionId,
        (first, together): (&IntentKey, &SentTogether),
        now: Timestamp,
    ) -> Result<Vec<Write>, StoreError> {
        let journals = [
            Some(schema::journal(&of.partner, connection)),
            lease.account().map(|account| schema::journal_of_account(&of.partner, connection, &account)),
        ];
        let row = |journal| {
            let key = schema::sent_together(journal, now, first);
            // It comes and goes with its intents, of which none was there before.
            self.table.write_put(&key, together, &Condition::absent())
        };
        journals.into_iter().flatten().map(row).collect()
    }

    /// How many changes of `line` `run` has made besides the one that its row tells of: those that the PSA took otherwise, and
    /// those of units that one of prices followed. Each was a write.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn made_besides(&self, of: &Tenancy, line: &LineKey, run: &RunId) -> Result<u32, StoreError> {
        let partition = schema::ledger(&of.partner, of.psa, &of.tenant, line);
        let page = Page { prefix: "INTENT#", limit: Some(ROWS_AT_ONCE), backwards: true, ..Page::default() };
        let rows = self.table.page::<Intent>(&partition, &page, Read::Consistent).await?;
        let of_run = rows.items.iter().map(|(_, intent)| intent).filter(|intent| intent.run == *run);
        let besides = of_run
            .enumerate()
            .filter(|(newer, intent)| intent.landed.is_some() || (*newer > 0 && intent.state == IntentState::Applied));
        Ok(u32::try_from(besides.count()).unwrap_or(u32::MAX))
    }
}

impl Intent {
    /// This intent as one change with the one `before` it, where it set prices after that had set units; or else as
    /// [`Self::put_right`].
    fn after_units(self, before: Self) -> Self {
        let of_prices = |intent: &Self| intent.meaning.delta().get() == 0;
        if self.state != IntentState::Applied || !of_prices(&self) || of_prices(&before) || !before.is_made() {
            return self.put_right(before);
        }
        let prices = self.meaning.prices;
        Self { meaning: Meaning { prices, ..before.meaning }, code: self.code, ..before }
    }

    /// This intent as one change with the one `before` it, where it put right what came of that.
    fn put_right(self, before: Self) -> Self {
        let came_of_it = before.landed.is_some_and(|landed| landed == self.meaning.before);
        if !came_of_it || self.state != IntentState::Applied || before.meaning.revision + 1 != self.meaning.revision {
            return self;
        }
        let Meaning { before, feeds_before, .. } = before.meaning;
        Self { meaning: Meaning { before, feeds_before, ..self.meaning }, ..self }
    }
}
