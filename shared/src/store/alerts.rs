//! Alerts: a row each, and beside it a mark while nothing brings it on by itself.
//!
//! A row stands in the index of what is due while it is to be looked at again by itself (`due`).
//!
//! A change is made on the row as it was read and stored only where that is still the one that stands, so that a worker and
//! a request, or two workers, never undo each other. What becomes of an alert is decided in `domain::alert`. What an hour's
//! number of tickets is kept by, and the alerts that share a ticket, are in `hours`.

mod due;
mod hours;
mod list;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::schema::{self, Key};
use super::{Condition, Read, StoreError, Table, Write};
use crate::clock::fresh_id;
use crate::domain::alert::{Alert, AlertKey, AlertStatus, Trouble};
use crate::domain::ids::PartnerId;
pub use due::DueAlert;
pub use hours::Counted;
pub use list::{AlertsPage, Halted};

/// How long an alert is kept after its last change.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);

/// How often a change is tried anew where other writers were first.
const EDIT_ATTEMPTS: usize = 8;

/// The alerts in the table.
#[derive(Debug, Clone)]
pub struct Alerts(Table);

#[derive(Serialize, Deserialize)]
struct Row {
    alert: Alert,
    /// Names the request that stored it: a client that repeats it, because the answer was lost, finds its own.
    saved_by: String,
    expires: i64,
    #[serde(flatten)]
    due: Option<DueAlert>,
}

/// That an alert is halted.
#[derive(Serialize, Deserialize)]
struct Mark {
    key: AlertKey,
    status: AlertStatus,
    expires: i64,
}

impl Alerts {
    /// Of `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self(table)
    }

    /// An alert.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn get(&self, partner: &PartnerId, key: &AlertKey) -> Result<Option<Alert>, StoreError> {
        let row: Option<Row> = self.0.get(&schema::alert(partner, key), Read::Consistent).await?;
        Ok(row.map(|row| row.alert))
    }

    /// Stores `after` in the place of `before`, and gives it as it stands then. `None`: another writer was first.
    ///
    /// # Errors
    /// The store is unavailable; it may be stored all the same.
    pub async fn replace(
        &self,
        partner: &PartnerId,
        before: Option<&Alert>,
        after: Alert,
        now: Timestamp,
    ) -> Result<Option<Alert>, StoreError> {
        let (after, condition, row) = next_row(partner, before, after, now)?;
        let key = schema::alert(partner, &after.key);
        let marks = self.marks(partner, before, &after, row.expires)?;
        let stored = if marks.is_empty() {
            self.0.put(&key, &row, &condition).await?
        } else {
            let own = self.0.write_put(&key, &row, &condition)?;
            self.0.transact(std::iter::once(own).chain(marks).collect()).await?
        };
        Ok(stored.then_some(after))
    }

    /// Changes an alert, anew where another writer was first, and gives it as it stands then. `change` may run several times;
    /// what it leaves as it is is not written.
    ///
    /// # Errors
    /// What `change` refuses; the store is unavailable, or others kept writing.
    pub async fn edit<E: From<StoreError>>(
        &self,
        partner: &PartnerId,
        key: &AlertKey,
        now: Timestamp,
        mut change: impl FnMut(Option<&Alert>) -> Result<Option<Alert>, E>,
    ) -> Result<Option<Alert>, E> {
        for _ in 0..EDIT_ATTEMPTS {
            let found = self.get(partner, key).await?;
            let Some(changed) = change(found.as_ref())?.filter(|changed| Some(changed) != found.as_ref()) else {
                return Ok(found);
            };
            if let Some(stored) = self.replace(partner, found.as_ref(), changed, now).await? {
                return Ok(Some(stored));
            }
        }
        Err(StoreError::Unavailable("an alert is written by too many at once".to_owned()).into())
    }

    /// What has to be written besides for an alert that is halted from now on, or goes on.
    fn marks(
        &self,
        partner: &PartnerId,
        before: Option<&Alert>,
        after: &Alert,
        expires: i64,
    ) -> Result<Vec<Write>, StoreError> {
        let (old, new) = (before.and_then(|before| mark(partner, before)), mark(partner, after));
        let mut writes = Vec::new();
        if let Some((key, _)) = old.as_ref().filter(|(old, _)| new.as_ref().is_none_or(|(new, _)| new != old)) {
            writes.push(self.0.write_delete(key, &Condition::none())?);
        }
        // It follows from the row, which carries the condition.
        if let Some((key, status)) = new.filter(|new| Some(new) != old.as_ref()) {
            let mark = Mark { key: after.key.clone(), status, expires };
            writes.push(self.0.write_put(&key, &mark, &Condition::none())?);
        }
        Ok(writes)
    }
}

/// The mark of an alert, if it is halted.
fn mark(partner: &PartnerId, alert: &Alert) -> Option<(Key, AlertStatus)> {
    alert.trouble.as_ref().filter(|trouble| Trouble::halts(trouble))?;
    Some((schema::halted_alert(partner, alert.began_at.as_second(), &alert.key), alert.status()))
}

/// The alert with its next version, what must hold of the row in whose place it comes, and the row.
fn next_row(
    partner: &PartnerId,
    before: Option<&Alert>,
    after: Alert,
    now: Timestamp,
) -> Result<(Alert, Condition, Row), StoreError> {
    let saved_by = fresh_id("by");
    let condition = match before {
        None => Condition::new("attribute_not_exists(#pk) OR #saved_by = :by"),
        Some(before) => Condition::new("#alert.#version = :read OR #saved_by = :by").bind(":read", before.version)?,
    };
    let condition = condition.bind(":by", &saved_by)?;
    let after = Alert { version: before.map_or(0, |before| before.version) + 1, ..after };
    let expires = now.saturating_add(KEPT).unwrap_or(now).as_second();
    let due = after.looked_at_again(now).map(|at| DueAlert::of(partner, &after, at));
    let row = Row { alert: after.clone(), saved_by, expires, due };
    Ok((after, condition, row))
}
