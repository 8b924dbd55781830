//! How many tickets an hour has had, and the alerts that share one because it has had enough.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Alerts, EDIT_ATTEMPTS, next_row};
use crate::domain::alert::{Alert, AlertKey, DigestHour, Entry};
use crate::domain::ids::PartnerId;
use crate::store::{Condition, Page, Read, Rows, StoreError, schema};

/// How long the number of an hour is kept.
const COUNTED: SignedDuration = SignedDuration::from_hours(48);

/// What an hour has so many of and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Tickets.
    Tickets,
    /// Tickets of digests.
    Digests,
    /// Notes on tickets.
    Notes,
}

#[derive(Serialize, Deserialize)]
struct EntryRow {
    entry: Entry,
    expires: i64,
}

impl Alerts {
    /// Counts one more in an hour. `false`: it has had `most`. A request that is sent twice counts twice: an hour has fewer
    /// then, never more.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn count(
        &self,
        partner: &PartnerId,
        hour: DigestHour,
        what: Counted,
        most: u32,
    ) -> Result<bool, StoreError> {
        let expires = hour.begins().saturating_add(COUNTED).unwrap_or(hour.begins()).as_second();
        let (one_more, room) = match what {
            Counted::Tickets => ("ADD #opened :one", "attribute_not_exists(#opened) OR #opened < :most"),
            Counted::Digests => ("ADD #digests :one", "attribute_not_exists(#digests) OR #digests < :most"),
            Counted::Notes => ("ADD #noted :one", "attribute_not_exists(#noted) OR #noted < :most"),
        };
        let one_more =
            Condition::new(format!("{one_more} SET #expires = :expires")).bind(":one", 1)?.bind(":expires", expires)?;
        let room = Condition::new(room).bind(":most", most)?;
        self.0.amend(&schema::tickets_opened(partner, hour), &one_more, &room).await
    }

    /// Puts an alert into a digest, which begins as `fresh` where there is none yet, and gives the alert as it stands then.
    /// `None`: it has moved on.
    ///
    /// # Errors
    /// The store is unavailable, or others kept writing to the digest.
    pub async fn join(
        &self,
        partner: &PartnerId,
        alert: &Alert,
        fresh: Alert,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<Option<Alert>, StoreError> {
        let digest = &fresh.key;
        let joined = Alert { digest: Some(digest.clone()), ..alert.clone() };
        for _ in 0..EDIT_ATTEMPTS {
            let found = self.get(partner, digest).await?;
            let next = match &found {
                Some(found) => found.joined(entry.at),
                None => fresh.clone(),
            };
            let (joined, unmoved, row) = next_row(partner, Some(alert), joined.clone(), now)?;
            let mut writes = vec![self.0.write_put(&schema::alert(partner, &alert.key), &row, &unmoved)?];
            writes.extend(self.marks(partner, Some(alert), &joined, row.expires)?);
            let (next, unmoved, row) = next_row(partner, found.as_ref(), next, now)?;
            writes.push(self.0.write_put(&schema::alert(partner, digest), &row, &unmoved)?);
            let place = schema::digest_entry(partner, digest, next.count);
            let listed = EntryRow { entry: entry.clone(), expires: row.expires };
            writes.push(self.0.write_put(&place, &listed, &Condition::absent())?);
            if self.0.transact(writes).await? {
                return Ok(Some(joined));
            }
            if self.get(partner, &alert.key).await?.is_none_or(|now| now.version != alert.version) {
                return Ok(None);
            }
        }
        Err(StoreError::Unavailable("a digest of alerts is written by too many at once".to_owned()))
    }

    /// At most `most` of the alerts in a digest, in their order, after the first `after`.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn entries(
        &self,
        partner: &PartnerId,
        digest: &AlertKey,
        after: u32,
        most: u16,
    ) -> Result<Vec<Entry>, StoreError> {
        let after = schema::digest_entry(partner, digest, after).sk;
        let page = Page { prefix: "ENTRY#", after: Some(&after), limit: Some(i32::from(most)), ..Page::default() };
        let rows: Rows<EntryRow> =
            self.0.page(&schema::digest_entries(partner, digest), &page, Read::Consistent).await?;
        Ok(rows.items.into_iter().map(|(_, row)| row.entry).collect())
    }
}
