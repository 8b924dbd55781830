//! What is known of each charge of a PSA tenant: what stands there, what it is made of, and which write is open.
//!
//! As with lines, the rows are shared by every connection of a partner to one tenant, and only the ledger changes them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::lines::Tenancy;
use super::schema::{self, Key};
use super::{Page, Read, Rows, StoreError, Table};
use crate::domain::charge::{ChargeHistory, ChargeLine};

/// The row of a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeRow {
    /// Which.
    pub line: ChargeLine,
    /// What is known of it.
    #[serde(flatten)]
    pub history: ChargeHistory,
    /// The fence of the lease that last moved it.
    pub fence: u64,
    /// That lease's name.
    #[serde(default)]
    pub leased: Option<String>,
}

/// Reads what is known of charges.
#[derive(Debug, Clone)]
pub struct ChargeLines(Table);

impl Tenancy {
    /// The row of a charge.
    #[must_use]
    pub fn charge(&self, line: &ChargeLine) -> Key {
        schema::charge_line(&self.partner, self.psa, &self.tenant, line)
    }
}

impl ChargeLines {
    /// Those in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self(table)
    }

    /// Every charge of a billing period that begins on `from` or later.
    ///
    /// # Errors
    /// The store is unavailable, or a row can't be read: then nothing may be charged.
    pub async fn since(&self, of: &Tenancy, from: Date) -> Result<BTreeMap<ChargeLine, ChargeHistory>, StoreError> {
        let mut found = BTreeMap::new();
        // No charge is called so: the first that comes after it is of that day.
        let mut after = Some(format!("{}{from}", schema::CHARGE_LINES));
        while let Some(position) = after {
            let page = Page { prefix: schema::CHARGE_LINES, after: Some(&position), ..Page::default() };
            let rows: Rows<ChargeRow> = self.0.page(&of.partition(), &page, Read::Consistent).await?;
            found.extend(rows.items.into_iter().map(|(_, row)| (row.line, row.history)));
            after = rows.next;
        }
        Ok(found)
    }

    /// The charges named, as every write before this call left them.
    ///
    /// # Errors
    /// The store is unavailable, or a row can't be read.
    pub async fn named(
        &self,
        of: &Tenancy,
        lines: &[ChargeLine],
    ) -> Result<BTreeMap<ChargeLine, ChargeHistory>, StoreError> {
        let keys: Vec<Key> = lines.iter().map(|line| of.charge(line)).collect();
        let rows = self.0.get_each::<ChargeRow>(&keys).await?;
        Ok(rows.into_iter().map(|row| (row.line, row.history)).collect())
    }
}
