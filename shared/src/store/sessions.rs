//! Who is signed in to the web pages: a row a session, found by a digest of what the browser's cookie holds.
//!
//! Whoever reads the table can take no session over: the cookie's own value is nowhere in it. Rows go by themselves, and may
//! go late, so that their time is looked at as well.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Condition, Read, StoreError, Table, schema};
use crate::domain::ids::PartnerId;

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose pages are seen.
    pub partner: PartnerId,
    /// What may be done on them, as it stands in a token.
    pub scopes: String,
    /// Who it is, for the record.
    pub subject: String,
    /// When the session ends by itself.
    pub until: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    partner: PartnerId,
    scopes: String,
    subject: String,
    expires: i64,
}

/// A key that was used up.
#[derive(Debug, Serialize, Deserialize)]
struct Used {
    expires: i64,
}

/// The sessions in the table.
#[derive(Debug, Clone)]
pub struct Sessions(Table);

impl Sessions {
    /// Those in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self(table)
    }

    /// Begins a session under `secret`, which nobody can guess and no other session has.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn begin(&self, secret: &str, session: &Session) -> Result<(), StoreError> {
        let Session { partner, scopes, subject, until } = session.clone();
        let row = Row { partner, scopes, subject, expires: until.as_second() };
        self.0.put(&schema::session(&digest(secret)), &row, &Condition::absent()).await.map(drop)
    }

    /// The session under `secret`, where there is one and its time is not over.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn get(&self, secret: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let found: Option<Row> = self.0.get(&schema::session(&digest(secret)), Read::Consistent).await?;
        let Some(row) = found.filter(|row| row.expires > now.as_second()) else { return Ok(None) };
        let until = Timestamp::from_second(row.expires).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(Some(Session { partner: row.partner, scopes: row.scopes, subject: row.subject, until }))
    }

    /// Ends the session under `secret`.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn end(&self, secret: &str) -> Result<(), StoreError> {
        self.0.delete(&schema::session(&digest(secret)), &Condition::none()).await.map(drop)
    }

    /// Uses up a key that opens once, which is worthless from `until` on. `false`: it was used before.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn use_up(&self, key: &str, until: Timestamp) -> Result<bool, StoreError> {
        let row = Used { expires: until.as_second() };
        self.0.put(&schema::used_up(&digest(key)), &row, &Condition::absent()).await
    }
}

fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}
