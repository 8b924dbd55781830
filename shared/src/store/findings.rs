//! Findings: the ones that stand, and the history of those that are over.
//!
//! One that stands has one row, found by its fingerprint. Closing it moves it into the history in one transaction, where it
//! is kept for as long as the table is. Every step names the version that it goes on from, so that a run and a person who
//! meet at a finding can't undo each other's word. What becomes of a finding is decided in `domain::finding`.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::connections::Connection;
use super::journal::Act;
use super::schema::{self, Key};
use super::{Condition, Page, Read, Rows, StoreError, Table, UnreadableRow};
use crate::domain::finding::{Finding, FindingState, Next, Word};
use crate::domain::ids::RunId;

/// Rows read at once where most may be left out.
const ROWS_AT_ONCE: i32 = 100;

/// A finding that somebody else moves at the same moment is looked at again so often.
const TRIES: u32 = 3;

/// So many of the newest closed findings are looked through for one of them.
const CLOSED_LOOKED_THROUGH: i32 = 100;

/// One page of findings.
#[derive(Debug, Default)]
pub struct FindingsPage {
    /// Those asked for.
    pub items: Vec<Finding>,
    /// Rows that this version can't read, in whatever state they are.
    pub unreadable: Vec<UnreadableRow>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// Reads and writes findings.
#[derive(Debug, Clone)]
pub struct Findings(Table);

impl Findings {
    /// Findings in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self(table)
    }

    /// Every finding of the connection that stands, open or resolved.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn standing(&self, of: &Connection) -> Result<Vec<Finding>, StoreError> {
        let rows = self.0.all_readable(&partition(of), STANDING, Read::Consistent).await?;
        Ok(rows.into_iter().filter_map(|(_, finding)| readable(of, finding)).collect())
    }

    /// Those of the findings named that stand.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn named(
        &self,
        of: &Connection,
        fingerprints: impl Iterator<Item = &str>,
    ) -> Result<Vec<Finding>, StoreError> {
        // The store refuses a batch that names one key twice.
        let keys: BTreeSet<Key> = fingerprints.map(|fingerprint| row(of, fingerprint)).collect();
        let rows = self.0.get_each_readable(&keys.into_iter().collect::<Vec<_>>()).await?;
        Ok(rows.into_iter().filter_map(|finding| readable(of, finding)).collect())
    }

    /// A finding that stands.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn get(&self, of: &Connection, fingerprint: &str) -> Result<Option<Finding>, StoreError> {
        self.0.get(&row(of, fingerprint), Read::Consistent).await
    }

    /// The finding as it was closed, if that was lately.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn closed_lately(&self, of: &Connection, fingerprint: &str) -> Result<Option<Finding>, StoreError> {
        let page = Page { prefix: CLOSED, after: None, limit: Some(CLOSED_LOOKED_THROUGH), backwards: true };
        let rows: Rows<Result<Finding, _>> = self.0.page_of_readable(&partition(of), &page, Read::Consistent).await?;
        let mut found = rows.items.into_iter().filter_map(|(_, finding)| readable(of, finding));
        Ok(found.find(|finding| finding.noticed.fingerprint() == fingerprint))
    }

    /// One page of the findings in `state`, and where the next begins. Closed ones come newest first, the others in no order
    /// that means anything.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn page(
        &self,
        of: &Connection,
        state: FindingState,
        after: Option<&str>,
        limit: usize,
    ) -> Result<FindingsPage, StoreError> {
        let closed = state == FindingState::Closed;
        let prefix = if closed { CLOSED } else { STANDING };
        let mut after = after.map(str::to_owned);
        let mut found = FindingsPage::default();
        loop {
            let page = Page { prefix, after: after.as_deref(), limit: Some(ROWS_AT_ONCE), backwards: closed };
            let rows: Rows<Result<Finding, _>> =
                self.0.page_of_readable(&partition(of), &page, Read::Consistent).await?;
            for (sk, row) in rows.items {
                match row {
                    Ok(finding) if finding.state != state => {}
                    _ if found.items.len() == limit => return Ok(FindingsPage { next: after, ..found }),
                    Ok(finding) => found.items.push(finding),
                    Err(row) => found.unreadable.push(row),
                }
                after = Some(sk);
            }
            if rows.next.is_none() {
                return Ok(found);
            }
        }
    }

    /// Takes a finding from where it stands (`found`; `None` for one that does not) to what comes next. `false`: it has
    /// moved on meanwhile, and nothing was written.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn step(&self, of: &Connection, found: Option<&Finding>, next: &Next) -> Result<bool, StoreError> {
        let unmoved = match found {
            None => Condition::absent(),
            Some(found) => Condition::new("#version = :version AND #opened_at = :opened_at")
                .bind(":version", found.version)?
                .bind(":opened_at", found.opened_at)?,
        };
        match next {
            Next::Stays => Ok(true),
            Next::Is(finding) => match Act::of_resolved(found, finding) {
                None => self.0.put(&row_of(of, finding), &**finding, &unmoved).await,
                Some(act) => {
                    let resolved = self.0.write_put(&row_of(of, finding), &**finding, &unmoved)?;
                    self.0.transact(vec![resolved, self.0.write_act(&of.partner, &of.id, &act)?]).await
                }
            },
            Next::Closes(closed) => {
                let gone = self.0.write_delete(&row_of(of, closed), &unmoved)?;
                self.0.transact(vec![gone, self.historic(of, closed)?]).await
            }
            Next::BeginsAnew { closed, opened } => {
                let opened = self.0.write_put(&row_of(of, opened), &**opened, &unmoved)?;
                self.0.transact(vec![opened, self.historic(of, closed)?]).await
            }
        }
    }

    /// Says `word` of the finding called `fingerprint`, which stood as `found`, on behalf of `run`; the finding, if that opened
    /// it. One that a person or another run moves all the time is left to whoever speaks of it next.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn say(
        &self,
        of: &Connection,
        (fingerprint, word): (&str, &Word),
        mut found: Option<Finding>,
        (run, at): (&RunId, Timestamp),
    ) -> Result<Option<Finding>, StoreError> {
        for _ in 0..TRIES {
            let next = Next::after(found.as_ref(), word, &of.id, run, at);
            if self.step(of, found.as_ref(), &next).await? {
                return Ok(match next {
                    Next::Is(finding) if found.is_none() => Some(*finding),
                    Next::BeginsAnew { opened, .. } => Some(*opened),
                    Next::Is(_) | Next::Stays | Next::Closes(_) => None,
                });
            }
            found = match self.get(of, fingerprint).await {
                // A newer version has stored it in words of its own: it knows best what becomes of it.
                Err(StoreError::Unreadable(row)) => {
                    tracing::error!(connection = %of.id, %row, "a finding can't be read");
                    return Ok(None);
                }
                found => found?,
            };
        }
        tracing::warn!(fingerprint, connection = %of.id, "a finding keeps moving and is left to the next word on it");
        Ok(None)
    }

    /// A finding that closes twice in one millisecond is one row of the history: its own row was there to be closed.
    fn historic(&self, of: &Connection, closed: &Finding) -> Result<super::Write, StoreError> {
        let at = closed.closed_at.unwrap_or(closed.seen_at);
        let key = schema::closed_finding(&of.partner, &of.id, at.as_millisecond(), &closed.noticed.fingerprint());
        let same = Condition::new("attribute_not_exists(#pk) OR #id = :id").bind(":id", &closed.id)?;
        self.0.write_put(&key, closed, &same)
    }
}

/// A finding that a newer version has stored in words of its own is left as it is: it decides nothing, and nothing that is
/// noticed may close it.
fn readable(of: &Connection, row: Result<Finding, UnreadableRow>) -> Option<Finding> {
    row.inspect_err(|row| tracing::error!(connection = %of.id, %row, "a finding can't be read")).ok()
}

/// Sort keys of findings that stand begin so.
const STANDING: &str = "FINDING#";

/// Sort keys of closed findings begin so.
const CLOSED: &str = "CLOSED#";

fn partition(of: &Connection) -> String {
    schema::of_connection(&of.partner, &of.id)
}

fn row(of: &Connection, fingerprint: &str) -> Key {
    schema::finding(&of.partner, &of.id, fingerprint)
}

fn row_of(of: &Connection, finding: &Finding) -> Key {
    row(of, &finding.noticed.fingerprint())
}
