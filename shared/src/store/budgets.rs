//! What is left of the requests that a connection's jobs may make: one row, from which each job takes before it begins.
//!
//! Planning sets it from the PSA's own count, where the PSA has one; what jobs took is counted here as well, and the
//! smaller remainder holds. So the jobs of several runs in one window never pass the budget together, and a PSA that
//! counts nothing for its callers is kept to by this count alone.
//!
//! The window is counted from its first planning and does not roll. A job that is delivered twice may take twice: its
//! requests are then counted too high, never too low.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::schema;
use super::{Condition, Key, Read, StoreError, Table};
use crate::domain::ids::{ConnectionId, PartnerId};

/// How often a change is tried anew where other writers were first.
const ATTEMPTS: usize = 8;

/// For so long after it took its requests a job may still be making them: the longest that a job lives.
const JOB_MAKES_THEM: SignedDuration = SignedDuration::from_mins(15);

/// What a planner found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Requests that may be made in a window, those of other integrations included.
    pub cap: u32,
    /// How many of them are left by the PSA's own count.
    pub left: u32,
    /// Length of the window.
    pub window: SignedDuration,
    /// Requests that planning itself made.
    pub made: u32,
}

/// The row. Instants in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    cap: u32,
    left: u32,
    /// By jobs and planners of this connection, in this window.
    taken: u32,
    until: i64,
    window_s: i64,
    /// The newest job's: its requests may not show in the PSA's count yet. Jobs of a connection come one at a time.
    last_cost: u32,
    last_at: i64,
}

/// The budgets in the table.
#[derive(Debug, Clone)]
pub struct Budgets(Table);

impl Budgets {
    /// The budgets in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self(table)
    }

    /// Sets what is left from what a planner `found`, and answers with it: that much its jobs may take.
    ///
    /// # Errors
    /// The store is unavailable, or others kept writing.
    pub async fn set(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        found: Found,
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let key = schema::budget(partner, connection);
        for _ in 0..ATTEMPTS {
            let row = self.0.get::<Row>(&key, Read::Consistent).await?;
            let next = Row::after(row.as_ref(), found, now.as_second());
            if self.replace(&key, row.as_ref(), &next).await? {
                return Ok(next.left);
            }
        }
        Err(contended())
    }

    /// Takes `cost` requests for a job. `false`: they are not left, and the job must not begin. Where nobody has set a
    /// budget there is none to keep; where its window is over a new one begins, in which others are taken to use as much
    /// as they were last seen to.
    ///
    /// # Errors
    /// The store is unavailable, or others kept writing.
    pub async fn take(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        cost: u32,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = schema::budget(partner, connection);
        let now = now.as_second();
        let take =
            Condition::new("SET #left = #left - :cost, #taken = #taken + :cost, #last_cost = :cost, #last_at = :now")
                .bind(":cost", cost)?
                .bind(":now", now)?;
        let enough = Condition::new("#left >= :cost AND #until > :now");
        for _ in 0..ATTEMPTS {
            if self.0.amend(&key, &take, &enough).await? {
                return Ok(true);
            }
            let Some(row) = self.0.get::<Row>(&key, Read::Consistent).await? else { return Ok(true) };
            if row.until > now {
                if row.left < cost {
                    return Ok(false);
                }
                continue;
            }
            let Some(next) = row.begun_anew(cost, now) else { return Ok(false) };
            if self.replace(&key, Some(&row), &next).await? {
                return Ok(true);
            }
        }
        Err(contended())
    }

    async fn replace(&self, key: &Key, read: Option<&Row>, next: &Row) -> Result<bool, StoreError> {
        let same = match read {
            None => Condition::absent(),
            Some(row) => Condition::new("#left = :left AND #taken = :taken AND #until = :until")
                .bind(":left", row.left)?
                .bind(":taken", row.taken)?
                .bind(":until", row.until)?,
        };
        self.0.put(key, next, &same).await
    }
}

impl Row {
    fn after(row: Option<&Self>, found: Found, now: i64) -> Self {
        let window_s = found.window.as_secs();
        let fresh = Self {
            cap: found.cap,
            left: 0,
            taken: 0,
            until: now.saturating_add(window_s),
            window_s,
            last_cost: 0,
            last_at: 0,
        };
        let running = row.filter(|row| row.until > now).cloned().unwrap_or(fresh);
        let taken = running.taken.saturating_add(found.made);
        // A job may have taken its requests and not yet made them.
        let last = row.filter(|row| now.saturating_sub(row.last_at) < JOB_MAKES_THEM.as_secs());
        let by_psa = found.left.saturating_sub(last.map_or(0, |row| row.last_cost));
        let left = by_psa.min(found.cap.saturating_sub(taken));
        let (last_cost, last_at) = row.map_or((0, 0), |row| (row.last_cost, row.last_at));
        Self { cap: found.cap, left, taken, window_s, last_cost, last_at, ..running }
    }

    /// A new window that begins with a job of `cost` requests. `None`: not even the whole of our share is enough.
    fn begun_anew(&self, cost: u32, now: i64) -> Option<Self> {
        let left = self.cap.saturating_sub(self.used_by_others()).checked_sub(cost)?;
        let until = now.saturating_add(self.window_s);
        Some(Self { left, taken: cost, until, last_cost: cost, last_at: now, ..self.clone() })
    }

    /// What other integrations used of the cap when a planner last saw the PSA's count: neither left nor taken by us.
    fn used_by_others(&self) -> u32 {
        self.cap.saturating_sub(self.left).saturating_sub(self.taken)
    }
}

fn contended() -> StoreError {
    StoreError::Unavailable("a budget is written by too many at once".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn found(cap: u32, left: u32, made: u32) -> Found {
        Found { cap, left, window: HOUR, made }
    }

    fn taken(row: &Row, cost: u32, now: i64) -> Row {
        Row { left: row.left - cost, taken: row.taken + cost, last_cost: cost, last_at: now, ..row.clone() }
    }

    #[test]
    fn the_smaller_of_the_psas_count_and_ours_holds() {
        let first = Row::after(None, found(100, 60, 3), 0);
        assert_eq!((first.left, first.taken, first.until), (60, 3, 3_600), "others have used the rest");
        let job = taken(&first, 20, 100);
        // The PSA shows no use at all: a PSA that counts nothing for its callers.
        let second = Row::after(Some(&job), found(100, 100, 3), 2_000);
        assert_eq!((second.left, second.taken, second.until), (74, 26, 3_600));
        assert_eq!(Row::after(Some(&job), found(100, 100, 3), 3_600).left, 97, "another window");
    }

    #[test]
    fn what_the_newest_job_took_is_held_back_while_it_may_not_show_in_the_psas_count() {
        let job = taken(&Row::after(None, found(100, 60, 0), 0), 20, 100);
        assert_eq!(Row::after(Some(&job), found(100, 60, 0), 200).left, 40);
        assert_eq!(Row::after(Some(&job), found(100, 60, 0), 100 + 15 * 60).left, 60);
    }

    #[test]
    fn another_share_counts_at_once() {
        let small = taken(&Row::after(None, found(10, 10, 0), 0), 10, 0);
        assert_eq!(Row::after(Some(&small), found(10, 0, 0), 1_000).left, 0);
        assert_eq!(Row::after(Some(&small), found(90, 80, 0), 1_000).left, 80);
    }

    #[test]
    fn a_window_that_is_over_begins_anew_with_the_job_that_finds_it() {
        let row = taken(&Row::after(None, found(100, 100, 0), 0), 60, 10);
        let next = row.begun_anew(27, 4_000).unwrap();
        assert_eq!((next.left, next.taken, next.until), (73, 27, 7_600));
        assert_eq!(row.begun_anew(101, 4_000), None);
    }

    #[test]
    fn a_window_that_begins_without_a_planner_leaves_others_what_they_were_last_seen_to_use() {
        let row = taken(&Row::after(None, found(100, 60, 3), 0), 20, 10);
        let next = row.begun_anew(27, 4_000).unwrap();
        // 100 less 60 are 40 used, 3 of them by the planner itself; the 20 of the job are not theirs either.
        assert_eq!((next.left, next.taken), (36, 27));
        let third = taken(&next, 30, 5_000).begun_anew(1, 8_000).unwrap();
        assert_eq!((third.left, third.taken), (62, 1), "nor does the window after it forget them");
        assert_eq!(row.begun_anew(64, 4_000), None);
        let never_theirs = taken(&Row::after(None, found(100, 100, 90), 0), 10, 10);
        assert_eq!(never_theirs.begun_anew(27, 4_000).unwrap().left, 73, "the floor is 0");
    }
}
