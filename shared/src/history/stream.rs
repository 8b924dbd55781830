//! What a history is made of, each read backwards in time: what was done to the connection, and the changes of its lines.
//!
//! Changes come from the connection's journal; of one company from the journal of its accounts, where a line is found also
//! after its contract was followed by another; and of one line from its own ledger rows.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::place::Place;
use super::sieve::Sieve;
use crate::domain::ids::{ConnectionId, RunId};
use crate::ledger::Intent;
use crate::store::connections::Connection;
use crate::store::journal::{ACTS, Act, IntentName, SENT, SentTogether};
use crate::store::lines::Tenancy;
use crate::store::{Page, Read, Rows, StoreError, Table, schema};

/// A row, and where what it tells begins.
#[derive(Debug)]
pub(super) struct Placed {
    pub place: Place,
    pub found: Found,
}

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    /// Something was done.
    Act(Act),
    /// A change was to be written, by the run.
    Named(RunId, IntentName),
    /// The same as the ledger has it.
    Intent(Box<Intent>),
}

/// Rows of one partition, the newest first.
#[derive(Debug)]
pub(super) struct Stream {
    source: Source,
    partition: String,
    /// What the page is to follow on.
    after_place: Option<Place>,
    /// The sort key to go on after.
    after: Option<String>,
    rows: VecDeque<Placed>,
    /// The place of the last row that was read, whether or not it passed.
    come_to: Option<Place>,
    ended: bool,
}

#[derive(Debug)]
enum Source {
    Acts,
    Sent,
    /// A line's ledger rows, those of this connection. They stand by revision: whose clock is behind must not seem older.
    Ledger(ConnectionId, i64),
}

impl Stream {
    /// Those that a page after `after` is to be made of.
    pub fn all(of: &Connection, sieve: &Sieve, after: Option<&Place>) -> Vec<Self> {
        let journal = schema::journal(&of.partner, &of.id);
        let mut all = Vec::new();
        if sieve.wants_acts() {
            all.push(Self::new(Source::Acts, journal.clone(), sieve, after));
        }
        if !sieve.wants_changes() {
            return all;
        }
        let sent = |partition| Self::new(Source::Sent, partition, sieve, after);
        let asked = &sieve.asked;
        match (&asked.line, &sieve.named) {
            (Some(line), _) => {
                let Tenancy { partner, psa, tenant } = Tenancy::of(of);
                let ledger = schema::ledger(&partner, psa, &tenant, line);
                let newest = after.filter(|after| after.is_change).map_or(i64::MAX, |after| after.second);
                all.push(Self::new(Source::Ledger(of.id.clone(), newest), ledger, sieve, after));
            }
            (None, Some(named)) if asked.company.is_some() => {
                let accounts = named.accounts.iter();
                all.extend(accounts.map(|account| sent(schema::journal_of_account(&of.partner, &of.id, account))));
            }
            _ => all.push(sent(journal)),
        }
        all
    }

    fn new(source: Source, partition: String, sieve: &Sieve, after: Option<&Place>) -> Self {
        let begin = source.begin(after, sieve.asked.to);
        Self {
            source,
            partition,
            after_place: after.cloned(),
            after: begin,
            rows: VecDeque::new(),
            come_to: None,
            ended: false,
        }
    }

    /// Whether it has to be read before more can be taken from it.
    pub fn is_dry(&self) -> bool {
        self.rows.is_empty() && !self.ended
    }

    /// Whether it has not come past the place that the page is to follow on.
    pub fn has_not_begun(&self) -> bool {
        let past = |place: &Place| self.after_place.as_ref().is_none_or(|after| place < after);
        !self.ended && !self.come_to.as_ref().is_some_and(past)
    }

    /// How far it has come, where it is dry.
    pub fn starving(&self) -> Option<&Place> {
        self.come_to.as_ref().filter(|_| self.is_dry())
    }

    /// Whether nothing is left of it.
    pub fn is_over(&self) -> bool {
        self.rows.is_empty() && self.ended
    }

    /// The place of its newest row.
    pub fn head(&self) -> Option<&Place> {
        self.rows.front().map(|row| &row.place)
    }

    /// Its newest row.
    pub fn pop(&mut self) -> Option<Placed> {
        self.rows.pop_front()
    }

    /// Reads on, `limit` rows: one request to the store.
    pub async fn fill(&mut self, table: &Table, sieve: &Sieve, limit: i32) -> Result<(), StoreError> {
        let after = self.after.clone();
        let page = |prefix| Page { prefix, after: after.as_deref(), limit: Some(limit), backwards: true };
        // Who has just done something sees it.
        let read = Read::Consistent;
        match &self.source {
            Source::Acts => {
                let rows = table.page::<Act>(&self.partition, &page(ACTS), read).await?;
                self.acts(rows, sieve);
            }
            Source::Sent => {
                let rows = table.page::<SentTogether>(&self.partition, &page(SENT), read).await?;
                self.sent(rows, sieve);
            }
            Source::Ledger(..) => {
                let rows = table.page::<Intent>(&self.partition, &page("INTENT#"), read).await?;
                self.intents(rows, sieve);
            }
        }
        Ok(())
    }

    fn acts(&mut self, rows: Rows<Act>, sieve: &Sieve) {
        self.goes_on(rows.next);
        for (key, act) in rows.items {
            if sieve.asked.from.is_some_and(|from| act.at < from) {
                self.ended = true;
                return;
            }
            let second = act.at.as_millisecond().div_euclid(1_000);
            let place = Place { second, is_change: false, key, index: 0 };
            // A row of several entries may have been given in part.
            let given = self.after_place.as_ref().is_some_and(|after| place.clone().end_of_row() >= *after);
            self.come_to = Some(place.clone().end_of_row());
            if !given && sieve.may_pass(&act) {
                self.rows.push_back(Placed { place, found: Found::Act(act) });
            }
        }
    }

    fn sent(&mut self, rows: Rows<SentTogether>, sieve: &Sieve) {
        self.goes_on(rows.next);
        for (key, SentTogether { run, intents }) in rows.items {
            // `SENT#`, the second, `#`, a key.
            let second = key.strip_prefix(SENT).and_then(|rest| rest.split('#').next()).and_then(|s| s.parse().ok());
            let Some(second) = second else { continue };
            if is_before(second, sieve.asked.from) {
                self.ended = true;
                return;
            }
            for (name, index) in intents.into_iter().zip(0..) {
                let place = Place { second, is_change: true, key: key.clone(), index };
                if self.is_new(&place) && sieve.may_pass_of(&name.line) {
                    self.rows.push_back(Placed { place, found: Found::Named(run.clone(), name) });
                }
            }
            self.come_to = Some(Place { second, is_change: true, key, index: u32::MAX });
        }
    }

    fn intents(&mut self, rows: Rows<Intent>, sieve: &Sieve) {
        self.goes_on(rows.next);
        for (key, intent) in rows.items {
            let Source::Ledger(connection, oldest) = &mut self.source else { return };
            *oldest = intent.intended_at.min(*oldest);
            let place = Place { second: *oldest, is_change: true, key, index: 0 };
            let ours = intent.connection == *connection;
            if is_before(place.second, sieve.asked.from) {
                self.ended = true;
                return;
            }
            self.come_to = Some(place.clone());
            if ours && self.is_new(&place) && sieve.may_pass_of(&intent.meaning.line) {
                self.rows.push_back(Placed { place, found: Found::Intent(Box::new(intent)) });
            }
        }
    }

    fn goes_on(&mut self, next: Option<String>) {
        self.ended = next.is_none();
        self.after = next;
    }

    fn is_new(&self, place: &Place) -> bool {
        self.after_place.as_ref().is_none_or(|after| place < after)
    }
}

impl Source {
    /// The sort key after which a page begins that is to follow on `after` and to end before `to`.
    fn begin(&self, after: Option<&Place>, to: Option<Timestamp>) -> Option<String> {
        let to_ms = to.map(|to| to.as_nanosecond().div_euclid(1_000_000) + 1);
        let to_s = to.map(|to| to.as_nanosecond().div_euclid(1_000_000_000) + 1);
        match (self, after) {
            (Self::Acts, Some(after)) if !after.is_change => Some(after.begin_after()),
            (Self::Sent, Some(after)) if after.is_change => Some(after.begin_after()),
            (Self::Acts, Some(after)) => Some(format!("{ACTS}{:015}", (after.second + 1) * 1_000)),
            (Self::Sent, Some(after)) => Some(format!("{SENT}{:012}", after.second)),
            (Self::Acts, None) => to_ms.map(|ms| format!("{ACTS}{ms:015}")),
            (Self::Sent, None) => to_s.map(|second| format!("{SENT}{second:012}")),
            (Self::Ledger(..), Some(after)) if after.is_change => Some(after.key.clone()),
            // They stand by revision: where to begin by time is not known.
            (Self::Ledger(..), _) => None,
        }
    }
}

fn is_before(second: i64, from: Option<Timestamp>) -> bool {
    from.is_some_and(|from| Timestamp::from_second(second).is_ok_and(|at| at < from))
}
