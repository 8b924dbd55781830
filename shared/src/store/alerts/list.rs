//! Lists of alerts: all, those that stand in one way, those that are halted.

use super::{Alerts, Mark, Row};
use crate::domain::alert::{Alert, AlertKey, AlertStatus};
use crate::domain::ids::PartnerId;
use crate::store::{Key, Page, Read, Rows, StoreError, UnreadableRow, schema};

/// Rows read at once where most may be left out.
const ROWS_AT_ONCE: i32 = 100;
/// So often is read for one page, which has fewer alerts then, and says where to go on.
const MOST_READS: usize = 20;

/// Alerts that nothing brings on by itself.
#[derive(Debug, Default)]
pub struct Halted {
    /// Their keys, those that began first before others.
    pub keys: Vec<AlertKey>,
    /// Those of which this version can't read that they are halted.
    pub unreadable: Vec<UnreadableRow>,
    /// There are more.
    pub more: bool,
}

/// One page of alerts.
#[derive(Debug, Default)]
pub struct AlertsPage {
    /// Those asked for.
    pub items: Vec<Alert>,
    /// Rows that this version can't read.
    pub unreadable: Vec<UnreadableRow>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

impl Alerts {
    /// One page of a partner's alerts, in no order that means anything; or of those that stand in one way.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn page(
        &self,
        partner: &PartnerId,
        status: Option<AlertStatus>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<AlertsPage, StoreError> {
        match status {
            // They are few among many.
            Some(status @ (AlertStatus::Waiting | AlertStatus::Refused | AlertStatus::GivenUp)) => {
                self.page_of_halted(partner, status, after, limit).await
            }
            _ => self.page_of_all(partner, status, after, limit).await,
        }
    }

    async fn page_of_all(
        &self,
        partner: &PartnerId,
        status: Option<AlertStatus>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<AlertsPage, StoreError> {
        let partition = schema::alerts(partner);
        let mut after = after.map(str::to_owned);
        let mut found = AlertsPage::default();
        for _ in 0..MOST_READS {
            let page = Page { prefix: "ALERT#", after: after.as_deref(), limit: Some(ROWS_AT_ONCE), ..Page::default() };
            let rows: Rows<Result<Row, _>> = self.0.page_of_readable(&partition, &page, Read::Consistent).await?;
            for (sk, row) in rows.items {
                match row {
                    Ok(Row { alert, .. }) if status.is_some_and(|status| alert.status() != status) => {}
                    _ if found.items.len() == limit => return Ok(AlertsPage { next: after, ..found }),
                    Ok(Row { alert, .. }) => found.items.push(alert),
                    Err(row) => found.unreadable.push(row),
                }
                after = Some(sk);
            }
            if rows.next.is_none() {
                return Ok(found);
            }
        }
        Ok(AlertsPage { next: after, ..found })
    }

    async fn page_of_halted(
        &self,
        partner: &PartnerId,
        status: AlertStatus,
        after: Option<&str>,
        limit: usize,
    ) -> Result<AlertsPage, StoreError> {
        let (mut keys, mut after) = (Vec::new(), after.map(str::to_owned));
        let mut found = AlertsPage::default();
        'pages: loop {
            let rows = self.marks_after(partner, after.as_deref(), ROWS_AT_ONCE).await?;
            for (sk, mark) in rows.items {
                match mark {
                    Ok(mark) if mark.status != status => {}
                    _ if keys.len() == limit => {
                        found.next = after;
                        break 'pages;
                    }
                    Ok(mark) => keys.push(mark.key),
                    Err(mark) => found.unreadable.push(mark),
                }
                after = Some(sk);
            }
            if rows.next.is_none() {
                break;
            }
        }
        let rows: Vec<Key> = keys.iter().map(|key| schema::alert(partner, key)).collect();
        for row in self.0.get_each_readable::<Row>(&rows).await? {
            match row {
                Ok(row) => found.items.push(row.alert),
                Err(row) => found.unreadable.push(row),
            }
        }
        let place = |alert: &Alert| keys.iter().position(|key| *key == alert.key);
        found.items.sort_by_key(place);
        Ok(found)
    }

    /// The first `most` alerts that nothing brings on by itself.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn halted(&self, partner: &PartnerId, most: u16) -> Result<Halted, StoreError> {
        let (mut found, mut after) = (Halted::default(), None);
        loop {
            let rows = self.marks_after(partner, after.as_deref(), i32::from(most) + 1).await?;
            for (_, mark) in rows.items {
                match mark {
                    Ok(_) if found.keys.len() == usize::from(most) => return Ok(Halted { more: true, ..found }),
                    Ok(mark) => found.keys.push(mark.key),
                    Err(mark) => found.unreadable.push(mark),
                }
            }
            after = rows.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    async fn marks_after(
        &self,
        partner: &PartnerId,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Rows<Result<Mark, UnreadableRow>>, StoreError> {
        let page = Page { prefix: "HALTED#", after, limit: Some(limit), ..Page::default() };
        self.0.page_of_readable(&schema::halted_alerts(partner), &page, Read::Consistent).await
    }
}
