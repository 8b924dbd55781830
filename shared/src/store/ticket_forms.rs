//! The forms of a connection's tickets as they were last read from the PSA, kept for an hour.
//!
//! A form is a dozen requests to a PSA, and people look at it field by field while they fill in a mapping. What is decided by
//! one is decided by a fresh one.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Condition, Read, StoreError, Table, schema};
use crate::domain::ids::{AccountId, ConnectionId, PartnerId};
use crate::domain::ticketing::TicketForm;

/// So long a form is shown without being read anew.
const SHOWN: SignedDuration = SignedDuration::from_hours(1);

/// A form, and when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadForm {
    /// When the PSA showed it.
    #[schema(value_type = String, format = DateTime)]
    pub read_at: Timestamp,
    /// The form.
    #[serde(flatten)]
    pub form: TicketForm,
}

/// Of `account` where one is named, and otherwise of the connection.
#[derive(Debug, Clone)]
pub struct TicketForms(Table);

impl TicketForms {
    /// Those in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self(table)
    }

    /// The form as it was read within the last hour.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn get(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        account: Option<&AccountId>,
        now: Timestamp,
    ) -> Result<Option<ReadForm>, StoreError> {
        let key = schema::ticket_form(partner, connection, account);
        let row: Option<Row> = match self.0.get(&key, Read::Eventual).await {
            // One that another version has stored is read anew.
            Err(StoreError::Unreadable(_)) => None,
            row => row?,
        };
        let fresh = |row: &Row| row.read.read_at <= now && now.duration_since(row.read.read_at) < SHOWN;
        Ok(row.filter(fresh).map(|row| row.read))
    }

    /// Keeps a form that was read just now. One that is larger than a row is read anew each time.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn keep(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        account: Option<&AccountId>,
        read: &ReadForm,
    ) -> Result<(), StoreError> {
        let until = read.read_at.saturating_add(SHOWN).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        let row = Row { read: read.clone(), expires: until.as_second() };
        // Whoever reads it later has read it better, and either is right for its hour.
        match self.0.put(&schema::ticket_form(partner, connection, account), &row, &Condition::none()).await {
            Err(StoreError::TooLarge(why)) => {
                tracing::warn!(%connection, why, "a form of tickets is not kept");
                Ok(())
            }
            kept => kept.map(drop),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(flatten)]
    read: ReadForm,
    expires: i64,
}
