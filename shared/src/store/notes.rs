//! The notes that connectors keep about their tenants: a row each, beside the lines of the tenant.
//!
//! Each write names the version that it replaces, so that no two writers undo each other. A writer whose own request was
//! repeated on the way finds its own text and counts as first.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::lines::Tenancy;
use super::{Condition, Key, Read, StoreError, Table};
use crate::psa::notebook::{Note, Notebook, NotebookError};

const NOTE: &str = "NOTE#";

/// More names than this are not read one by one, but with all that there are.
const ONE_BY_ONE: usize = 200;

/// The notes in the table.
#[derive(Debug, Clone)]
pub struct Notes(Table);

/// The notes about one tenant.
#[derive(Debug, Clone)]
struct OfTenant {
    table: Table,
    partition: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    name: String,
    text: String,
    version: u64,
}

impl Notes {
    /// The notes in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self(table)
    }

    /// Those about one tenant.
    #[must_use]
    pub fn of(&self, tenancy: &Tenancy) -> impl Notebook + use<> {
        OfTenant { table: self.0.clone(), partition: tenancy.partition() }
    }
}

impl OfTenant {
    fn key(&self, name: &str) -> Key {
        Key { pk: self.partition.clone(), sk: format!("{NOTE}{name}") }
    }

    async fn rows(&self, names: &BTreeSet<String>) -> Result<Vec<Row>, StoreError> {
        if names.len() <= ONE_BY_ONE {
            let keys: Vec<Key> = names.iter().map(|name| self.key(name)).collect();
            return self.table.get_each(&keys).await;
        }
        let all = self.table.all::<Row>(&self.partition, NOTE, Read::Consistent).await?;
        Ok(all.into_iter().map(|(_, row)| row).filter(|row| names.contains(&row.name)).collect())
    }
}

#[async_trait]
impl Notebook for OfTenant {
    async fn read(&self, names: &BTreeSet<String>) -> Result<BTreeMap<String, Note>, NotebookError> {
        let rows = self.rows(names).await.map_err(unavailable)?;
        Ok(rows.into_iter().map(|Row { name, text, version }| (name, Note { text, version })).collect())
    }

    async fn write(&self, name: &str, read: Option<&Note>, text: String) -> Result<Option<Note>, NotebookError> {
        let version = read.map_or(1, |read| read.version + 1);
        let row = Row { name: name.to_owned(), text, version };
        let first = async {
            // Its own text under the next version is what a repeated request finds.
            let own = "(#version = :version AND #text = :text)";
            let same = match read {
                None => Condition::new(format!("attribute_not_exists(#pk) OR {own}")),
                Some(read) => Condition::new(format!("#version = :read OR {own}")).bind(":read", read.version)?,
            };
            let same = same.bind(":version", version)?.bind(":text", &row.text)?;
            self.table.put(&self.key(name), &row, &same).await
        };
        let first = first.await.map_err(unavailable)?;
        Ok(first.then_some(Note { text: row.text, version }))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn unavailable(error: StoreError) -> NotebookError {
    NotebookError(error.to_string())
}
