//! What a history is made of, each read backwards in time: what was done to the connection, and the changes of its lines and charges.
//!
//! Changes come from the connection's journal; of one company from the journal of its accounts, where a line is found also
//! after its contract was followed by another; and of one line or charge from its own ledger rows.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::place::Place;
use super::sieve::Sieve;
use crate::domain::ids::{ConnectionId, RunId};
use crate::ledger::{ChargeIntent, Intent};
use crate::store::connections::Connection;
use crate::store::journal::{ACTS, Act, ChargeIntentName, IntentName, SENT, SentTogether};
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
    /// A write of a charge was to be made, by the run.
    NamedCharge(RunId, ChargeIntentName),
    /// The same as the ledger has it.
    Charge(Box<ChargeIntent>),
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
    Ledger(ConnectionId, i128),
    /// A charge's, likewise.
    Charged(ConnectionId, i128),
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
        let Tenancy { partner, psa, tenant } = Tenancy::of(of);
        let newest = || after.filter(|after| after.is_change).map_or(i128::MAX, |after| after.at);
        match (&asked.line, &asked.charge, &sieve.named) {
            (Some(line), _, _) => {
                let ledger = schema::ledger(&partner, psa, &tenant, line);
                all.push(Self::new(Source::Ledger(of.id.clone(), newest()), ledger, sieve, after));
            }
            (None, Some(charge), _) => {
                let ledger = schema::charge_ledger(&partner, psa, &tenant, charge);
                all.push(Self::new(Source::Charged(of.id.clone(), newest()), ledger, sieve, after));
            }
            (None, None, Some(named)) if asked.company.is_some() => {
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
                let Rows { items, next } = table.page::<Intent>(&self.partition, &page("INTENT#"), read).await?;
                let rows = items.into_iter().map(|(key, intent)| (key, Found::Intent(Box::new(intent))));
                self.ledgered(rows.collect(), next, sieve);
            }
            Source::Charged(..) => {
                let Rows { items, next } = table.page::<ChargeIntent>(&self.partition, &page("INTENT#"), read).await?;
                let rows = items.into_iter().map(|(key, intent)| (key, Found::Charge(Box::new(intent))));
                self.ledgered(rows.collect(), next, sieve);
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
            let Some(at) = schema::instant_of_row(&key) else { continue };
            let place = Place { at, is_change: false, key, index: 0 };
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
        for (key, SentTogether { run, intents, charges }) in rows.items {
            let Some(at) = schema::instant_of_row(&key) else { continue };
            if is_before(at, sieve.asked.from) {
                self.ended = true;
                return;
            }
            let lines = intents.into_iter().map(|name| Found::Named(run.clone(), name));
            let charges = charges.into_iter().map(|name| Found::NamedCharge(run.clone(), name));
            for (found, index) in lines.chain(charges).zip(0..) {
                let place = Place { at, is_change: true, key: key.clone(), index };
                if self.is_new(&place) && found.may_pass(sieve) {
                    self.rows.push_back(Placed { place, found });
                }
            }
            self.come_to = Some(Place { at, is_change: true, key, index: u32::MAX });
        }
    }

    fn ledgered(&mut self, rows: Vec<(String, Found)>, next: Option<String>, sieve: &Sieve) {
        self.goes_on(next);
        for (key, found) in rows {
            let (at, by) = match &found {
                Found::Intent(intent) => (instant_of(intent), &intent.connection),
                Found::Charge(intent) => (intent.intended.as_nanosecond(), &intent.connection),
                Found::Act(_) | Found::Named(..) | Found::NamedCharge(..) => return,
            };
            let (Source::Ledger(connection, oldest) | Source::Charged(connection, oldest)) = &mut self.source else {
                return;
            };
            *oldest = at.min(*oldest);
            let place = Place { at: *oldest, is_change: true, key, index: 0 };
            let ours = by == connection;
            if is_before(place.at, sieve.asked.from) {
                self.ended = true;
                return;
            }
            self.come_to = Some(place.clone());
            if ours && self.is_new(&place) && found.may_pass(sieve) {
                self.rows.push_back(Placed { place, found });
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

impl Found {
    /// Whether it may come to an entry that passes, by what is changed.
    fn may_pass(&self, sieve: &Sieve) -> bool {
        match self {
            Self::Act(act) => sieve.may_pass(act),
            Self::Named(_, name) => sieve.may_pass_of(&name.line),
            Self::Intent(intent) => sieve.may_pass_of(&intent.meaning.line),
            Self::NamedCharge(_, name) => sieve.may_pass_of_charge(&name.line),
            Self::Charge(intent) => sieve.may_pass_of_charge(&intent.meaning.line),
        }
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
            // What comes before the place within its millisecond or second is read again, and left out.
            (Self::Acts, Some(after)) => Some(format!("{ACTS}{:015}", after.at.div_euclid(1_000_000) + 1)),
            (Self::Sent, Some(after)) => Some(format!("{SENT}{:012}", after.at.div_euclid(1_000_000_000) + 1)),
            (Self::Acts, None) => to_ms.map(|ms| format!("{ACTS}{ms:015}")),
            (Self::Sent, None) => to_s.map(|second| format!("{SENT}{second:012}")),
            (Self::Ledger(..) | Self::Charged(..), Some(after)) if after.is_change => Some(after.key.clone()),
            // They stand by revision: where to begin by time is not known.
            (Self::Ledger(..) | Self::Charged(..), _) => None,
        }
    }
}

/// When it was decided, in nanoseconds since 1970; one that is known to the second counts as of its end, as in the journal.
fn instant_of(intent: &Intent) -> i128 {
    match intent.intended {
        Some(at) => at.as_nanosecond(),
        None => i128::from(intent.intended_at) * 1_000_000_000 + 999_999_999,
    }
}

fn is_before(at: i128, from: Option<Timestamp>) -> bool {
    from.is_some_and(|from| at < from.as_nanosecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Asked;
    use crate::store::journal::What;

    fn sieve() -> Sieve {
        Sieve { asked: Asked::default(), named: None }
    }

    fn stream(source: Source, after: Option<&Place>) -> Stream {
        Stream::new(source, String::new(), &sieve(), after)
    }

    /// The rows of a partition as the store gives them backwards.
    fn backwards<T>(mut items: Vec<(String, T)>) -> Rows<T> {
        items.sort_by(|(one, _), (other, _)| other.cmp(one));
        Rows { items, next: None }
    }

    fn places(mut stream: Stream) -> Vec<Place> {
        std::iter::from_fn(|| stream.pop()).map(|row| row.place).collect()
    }

    #[test]
    fn rows_of_an_earlier_version_are_found_among_newer_ones_each_once_and_in_order() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let [earlier, later] = ["2026-11-21T12:00:00.25Z", "2026-11-21T12:00:00.75Z"].map(at);
        let (partner, connection) = ("p".parse().unwrap(), "c".parse().unwrap());
        let run = || What::Run { run: "run_1".parse().unwrap(), whole: true };
        let act = |at| (schema::act(&partner, &connection, at, "3#run_1").sk, Act { at, what: run() });
        let old_act = (format!("ACT#{:015}#3#run_0", earlier.as_millisecond()), Act { at: earlier, what: run() });
        let name = IntentName {
            line: crate::domain::line::LineKey { contract: "1".parse().unwrap(), service: "2".parse().unwrap() },
            revision: 0,
            key: "k".parse().unwrap(),
        };
        let together =
            || SentTogether { run: "run_1".parse().unwrap(), intents: vec![name.clone()], charges: Vec::new() };
        let sent = |at| (schema::sent_together(String::new(), at, &name.key).sk, together());
        let old_sent = (format!("SENT#{:012}#{}", earlier.as_second(), name.key), together());

        let rows = |after: Option<&Place>| {
            let mut acts = stream(Source::Acts, after);
            acts.acts(backwards(vec![act(earlier), old_act.clone(), act(later)]), &sieve());
            let mut changes = stream(Source::Sent, after);
            changes.sent(backwards(vec![sent(earlier), old_sent.clone(), sent(later)]), &sieve());
            [places(acts), places(changes)]
        };
        let whole = rows(None);
        for places in &whole {
            assert_eq!(places.len(), 3);
            assert!(places.is_sorted_by(|one, other| one > other), "{places:#?}");
        }
        // Wherever a page ends, the next one goes on with what is older and with nothing else.
        for after in whole.iter().flatten() {
            for (part, whole) in rows(Some(&after.clone().end_of_row())).iter().zip(&whole) {
                let older: Vec<Place> = whole.iter().filter(|place| *place < after).cloned().collect();
                assert_eq!(*part, older, "{after:?}");
            }
        }
        // What a person did after a change comes before it, though in the same second.
        let [acts, changes] = &whole;
        assert!(acts[0].at == later.as_nanosecond() && acts[0] > changes[2], "{whole:#?}");
    }
}
