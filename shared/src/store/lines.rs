//! What is known of each line of a PSA tenant: who writes it, what was last confirmed, and which write is open.
//!
//! The rows are shared by every connection of a partner to one tenant, so that a second writer of a line is seen. Only the
//! ledger changes them (see `ledger`); a run reads them all at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::connections::Connection;
use super::schema::{self, Key};
use super::{Read, StoreError, Table};
use crate::domain::ids::{PartnerId, PsaTenantId};
use crate::domain::line::{LineHistory, LineKey};
use crate::psa::Psa;

/// Whose lines: one PSA tenant of one partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenancy {
    /// The partner.
    pub partner: PartnerId,
    /// The PSA.
    pub psa: Psa,
    /// Its database.
    pub tenant: PsaTenantId,
}

impl Tenancy {
    /// That of a connection.
    #[must_use]
    pub fn of(connection: &Connection) -> Self {
        let Connection { partner, psa, endpoint, .. } = connection;
        Self { partner: partner.clone(), psa: *psa, tenant: endpoint.tenant.clone() }
    }

    /// The partition of its lines.
    #[must_use]
    pub fn partition(&self) -> String {
        schema::of_tenant(&self.partner, self.psa, &self.tenant)
    }

    /// The row of a line.
    #[must_use]
    pub fn line(&self, line: &LineKey) -> Key {
        Key { pk: self.partition(), sk: format!("{LINE}{}#{}", line.contract, line.service) }
    }
}

const LINE: &str = "LINE#";

/// A line's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRow {
    /// The line.
    pub line: LineKey,
    /// What is known of it.
    #[serde(flatten)]
    pub history: LineHistory,
    /// The fence of the lease under which it was last written.
    pub fence: u64,
}

/// Reads lines.
#[derive(Debug, Clone)]
pub struct Lines(Table);

impl Lines {
    /// Lines in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self(table)
    }

    /// Every line that any connection to the tenant has looked at. Lags by a moment: a job reads its own lines again.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn all(&self, of: &Tenancy) -> Result<BTreeMap<LineKey, LineHistory>, StoreError> {
        let rows = self.0.all::<LineRow>(&of.partition(), LINE, Read::Eventual).await?;
        Ok(rows.into_iter().map(|(_, row)| (row.line, row.history)).collect())
    }

    /// The lines named, as every write before this call left them.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn named(&self, of: &Tenancy, lines: &[LineKey]) -> Result<BTreeMap<LineKey, LineHistory>, StoreError> {
        let keys: Vec<Key> = lines.iter().map(|line| of.line(line)).collect();
        let rows = self.0.get_each::<LineRow>(&keys).await?;
        Ok(rows.into_iter().map(|row| (row.line, row.history)).collect())
    }
}
