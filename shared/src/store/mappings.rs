//! Mappings: which product is which service, which company is which account and contract, how a product's metered charges are
//! put on contracts, what tickets are filled with; one row each, per connection.
//!
//! Each change raises the mapping's version and is kept for ever as a row of its own beside the current one, so that the
//! version a plan names can be read back years later; a removal is a version too. What a mapping means for a line is
//! decided in `domain`; whether the PSA knows its ids is checked where it is sent in. Many at once, all or none, are an
//! `import`; every read and write here respects the one that is under way (`gate`).

mod apply;
mod change;
mod charges;
mod content;
mod found;
mod gate;
mod import;
mod tickets;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::newer::apart;
use super::runs::{LastSync, Runs};
use super::{Condition, Key, Newer, Page, Read, StoreError, Table, UnreadableRow, Write, schema};
use crate::domain::ids::{CompanyId, ConnectionId, PartnerId, ProductKey};
pub use change::{Expected, Removed, Stored};
pub use charges::{ChargeMapping, ChargeMode, ChargeWhen};
pub use content::{CompanyMapping, Decimals, Opening, Override, Price, ProductMapping, UnitCost, UnitPrice};
pub use gate::IMPORT_TERM;
pub use import::{Everything, Import, Weighed};
pub use tickets::{OfTickets, StoredTicketMapping};

/// What all kinds of mapping have in common.
pub trait Mapping: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync {
    /// What names it within its connection.
    type Id: Send + Sync + std::fmt::Display + std::str::FromStr;
    /// Where sort keys of its kind begin.
    const PREFIX: &'static str;
    /// The row of `id`.
    fn key(partner: &PartnerId, connection: &ConnectionId, id: &Self::Id) -> Key;
    /// Its own name.
    fn id(&self) -> &Self::Id;
    /// Its version.
    fn version(&self) -> u32;
    /// When and by whom it was changed.
    fn changed(&self) -> (Timestamp, &str);
    /// What of it this version does not understand.
    fn newer(&self) -> &Newer;
    /// The same content as another version.
    #[must_use]
    fn with_version(self, version: u32, at: Timestamp, by: &str) -> Self;
    /// The same content as what follows on `before`, which is stored: what it merely repeats stays as it was said first.
    #[must_use]
    fn following(self, _before: Option<&Self>) -> Self {
        self
    }
}

macro_rules! mapping {
    ($name:ident, $id:ident, $field:ident at $row:ident, $prefix:literal $($more:tt)*) => {
        impl Mapping for $name {
            type Id = $id;
            const PREFIX: &'static str = $prefix;

            fn key(partner: &PartnerId, connection: &ConnectionId, id: &$id) -> Key {
                schema::$row(partner, connection, id)
            }

            fn id(&self) -> &$id {
                &self.$field
            }

            fn version(&self) -> u32 {
                self.version
            }

            fn changed(&self) -> (Timestamp, &str) {
                (self.updated_at, &self.updated_by)
            }

            fn newer(&self) -> &Newer {
                &self.newer
            }

            fn with_version(self, version: u32, at: Timestamp, by: &str) -> Self {
                Self { version, updated_at: at, updated_by: by.to_owned(), ..self }
            }

            $($more)*
        }
    };
}

mapping!(ProductMapping, ProductKey, product at product, "PRODUCT#"
    /// A service that was found or made by its name stays on record while that name is said again without an id.
    fn following(mut self, before: Option<&Self>) -> Self {
        let before = before.filter(|before| self.provisions_as(before));
        self.service_id = self.service_id.or_else(|| before?.service_id.clone());
        self
    }
);
mapping!(ChargeMapping, ProductKey, product at charge_mapping, "CHARGE#");
mapping!(CompanyMapping, CompanyId, company at company, "COMPANY#"
    /// An opening that only repeats the one on record is no new statement: the ledger may have gone on from it since.
    fn following(mut self, before: Option<&Self>) -> Self {
        for (product, opening) in &mut self.openings {
            let earlier = before.and_then(|before| before.openings.get(product));
            if let Some(earlier) = earlier.filter(|earlier| opening.repeats(earlier)) {
                opening.stated_at = earlier.stated_at;
            }
        }
        self
    }
);

/// One version of a mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingVersion<T> {
    /// The mapping as it was from then on; for a removal, as it was last.
    pub mapping: T,
    /// Whether this version is its removal.
    pub removed: bool,
}

/// One page of mappings.
#[derive(Debug)]
pub struct Listed<T> {
    /// In the order of their names.
    pub items: Vec<T>,
    /// Those that this version can't read.
    pub unreadable: Vec<UnreadableRow>,
    /// The name to go on after, where others follow.
    pub next: Option<String>,
}

/// Mappings in the table.
#[derive(Debug, Clone)]
pub struct Mappings {
    table: Table,
}

impl Mappings {
    /// Of `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// One mapping.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn get<T: Mapping>(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        id: &T::Id,
    ) -> Result<Option<T>, StoreError> {
        self.place(partner, connection).settled().await?;
        self.table.get(&T::key(partner, connection, id), Read::Consistent).await
    }

    /// Stores `mapping` as the next version of its kind where what stands is as `expected`, unless it is what is stored. Its own
    /// `version` is not looked at.
    ///
    /// What is sent again over the version that it replaced is no conflict: it stands already.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn put<T: Mapping>(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        mapping: T,
        expected: Expected,
    ) -> Result<Stored<T>, StoreError> {
        let (at, by) = mapping.changed();
        let by = by.to_owned();
        let key = T::key(partner, connection, mapping.id());
        let place = self.place(partner, connection);
        // Another writer may come in between; then once more on top of what that one stored.
        for _ in 0..2 {
            if place.free(at).await?.is_none() {
                return Ok(Stored::ImportUnderWay);
            }
            let before: Option<T> = self.table.get(&key, Read::Consistent).await?;
            // Of one that was removed the last version is followed: it says the same again.
            let removed = match &before {
                Some(_) => None,
                None => newest_version::<T>(&self.table, partner, connection, &key).await?,
            };
            let last = before.as_ref().or(removed.as_ref().map(|removed| &removed.mapping));
            let mapping = mapping.clone().following(last);
            let same = before.as_ref().filter(|before| is_as_before(mapping.clone(), before));
            if let Some(before) = same.filter(|_| expected != Expected::Nothing) {
                return Ok(Stored::Unchanged(before.clone()));
            }
            // The write below is of this very version.
            if !expected.allows(before.as_ref().map(T::version)) {
                return Ok(Stored::NotAsExpected);
            }
            let version = match &before {
                Some(before) => before.version(),
                None => removed.map_or(0, |last| last.mapping.version()),
            };
            let next = mapping.with_version(version + 1, at, &by);
            let row = self.table.write_put(&key, &next, &unchanged_since(before.as_ref())?)?;
            let version = MappingVersion { mapping: next.clone(), removed: false };
            if self.change(&place, row, &version).await? {
                return Ok(if before.is_some() { Stored::Changed(next) } else { Stored::Created(next) });
            }
        }
        Ok(Stored::Contended)
    }

    /// Removes a mapping; what it was stays readable.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn remove<T: Mapping>(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        id: &T::Id,
        at: Timestamp,
        by: &str,
    ) -> Result<Removed, StoreError> {
        let key = T::key(partner, connection, id);
        let place = self.place(partner, connection);
        for _ in 0..2 {
            if place.free(at).await?.is_none() {
                return Ok(Removed::ImportUnderWay);
            }
            let Some(before) = self.table.get::<T>(&key, Read::Consistent).await? else { return Ok(Removed::NotThere) };
            let version = before.version() + 1;
            let last = MappingVersion { mapping: before.clone().with_version(version, at, by), removed: true };
            let row = self.table.write_delete(&key, &unchanged_since(Some(&before))?)?;
            if self.change(&place, row, &last).await? {
                return Ok(Removed::Gone);
            }
        }
        Ok(Removed::Contended)
    }

    /// Mappings by page. `after` is the name to go on after.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn list<T: Mapping>(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        after: Option<&T::Id>,
        limit: u16,
    ) -> Result<Listed<T>, StoreError> {
        self.place(partner, connection).settled().await?;
        let after = after.map(|id| T::key(partner, connection, id).sk);
        // One more than asked for tells whether there is another page.
        let page =
            Page { prefix: T::PREFIX, after: after.as_deref(), limit: Some(i32::from(limit) + 1), ..Page::default() };
        // Consistent, so that no page shows half of an import that was applied just now.
        let partition = schema::of_connection(partner, connection);
        let rows = self.table.page_of_readable::<T>(&partition, &page, Read::Consistent).await?;
        let mut found = rows.items;
        let more = found.len() > usize::from(limit) || rows.next.is_some();
        found.truncate(usize::from(limit));
        let next = found.last().filter(|_| more).and_then(|(sk, _)| sk.strip_prefix(T::PREFIX).map(str::to_owned));
        let (items, unreadable) = apart(found);
        Ok(Listed { items, unreadable, next })
    }

    /// Those of `companies` that have no mapping, each once and in their order. A committed import is applied first. It costs
    /// a request a hundred companies.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn unmapped_among(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        companies: &[CompanyId],
    ) -> Result<Vec<CompanyId>, StoreError> {
        self.place(partner, connection).settled().await?;
        let named: BTreeSet<&CompanyId> = companies.iter().collect();
        let keys: Vec<Key> = named.iter().map(|company| CompanyMapping::key(partner, connection, company)).collect();
        let mapped: Vec<CompanyMapping> = self.table.get_each(&keys).await?;
        let mut told: BTreeSet<&CompanyId> = mapped.iter().map(|mapping| &mapping.company).collect();
        Ok(companies.iter().filter(|company| told.insert(company)).cloned().collect())
    }

    /// Every product of a connection. A committed import is applied first.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn all_products(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
    ) -> Result<Vec<ProductMapping>, StoreError> {
        self.place(partner, connection).settled().await?;
        self.all(partner, connection).await
    }

    /// The companies of a connection whose mapping was removed and not made again, as they were mapped last: a query a
    /// megabyte of versions.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn removed_companies(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
    ) -> Result<Vec<CompanyMapping>, StoreError> {
        let history = schema::mapping_history(partner, connection);
        let rows: Vec<(String, MappingVersion<CompanyMapping>)> =
            self.table.all(&history, CompanyMapping::PREFIX, Read::Eventual).await?;
        // Versions of one company follow each other, so the last one stays.
        let newest: BTreeMap<CompanyId, MappingVersion<CompanyMapping>> =
            rows.into_iter().map(|(_, version)| (version.mapping.company.clone(), version)).collect();
        Ok(newest.into_values().filter(|version| version.removed).map(|version| version.mapping).collect())
    }

    /// What the newest sync of each of these companies came to; see [`Runs::last_syncs`].
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn last_syncs<'a>(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        companies: impl IntoIterator<Item = &'a CompanyId>,
    ) -> Result<BTreeMap<CompanyId, LastSync>, StoreError> {
        let companies = companies.into_iter().cloned().collect();
        Runs::new(self.table.clone()).last_syncs(partner, connection, &companies).await
    }

    /// A mapping as it was in `version`.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn version<T: Mapping>(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        id: &T::Id,
        version: u32,
    ) -> Result<Option<MappingVersion<T>>, StoreError> {
        let key = T::key(partner, connection, id);
        self.table.get(&schema::mapping_version(partner, connection, &key, version), Read::Consistent).await
    }

    /// Changes one mapping while no import is under way. `false`: others were first.
    async fn change<T: Mapping>(
        &self,
        place: &gate::Place,
        row: Write,
        version: &MappingVersion<T>,
    ) -> Result<bool, StoreError> {
        let mut writes = apply::next_version(place, row, version)?.to_vec();
        writes.push(place.check()?);
        self.table.transact(writes).await
    }

    async fn all<T: Mapping>(&self, partner: &PartnerId, connection: &ConnectionId) -> Result<Vec<T>, StoreError> {
        // These decide what is written where, so they see every change that was answered before.
        let rows = self.table.all(&schema::of_connection(partner, connection), T::PREFIX, Read::Consistent).await?;
        Ok(rows.into_iter().map(|(_, mapping)| mapping).collect())
    }
}

/// The newest version of the mapping whose own row is at `key`.
async fn newest_version<T: Mapping>(
    table: &Table,
    partner: &PartnerId,
    connection: &ConnectionId,
    key: &Key,
) -> Result<Option<MappingVersion<T>>, StoreError> {
    let prefix = format!("{}#V#", key.sk);
    let page = Page { prefix: &prefix, limit: Some(1), backwards: true, ..Page::default() };
    let rows = table.page(&schema::mapping_history(partner, connection), &page, Read::Consistent).await?;
    Ok(rows.items.into_iter().next().map(|(_, version)| version))
}

/// Whether it says what `before` does, which is stored.
fn is_as_before<T: Mapping>(mapping: T, before: &T) -> bool {
    let (then, who) = before.changed();
    mapping.with_version(before.version(), then, who) == *before
}

fn unchanged_since<T: Mapping>(before: Option<&T>) -> Result<Condition, StoreError> {
    match before {
        Some(before) => Condition::new("#version = :before").bind(":before", before.version()),
        None => Ok(Condition::absent()),
    }
}
