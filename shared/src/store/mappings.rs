//! Mappings: which product is which service, which company is which account and contract; one row each, per connection.
//!
//! Each change raises the mapping's version and is kept for ever as a row of its own beside the current one, so that the
//! version a plan names can be read back years later; a removal is a version too. What a mapping means for a line is
//! decided in `domain`; whether the PSA knows its ids is checked where it is sent in.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Condition, Key, Page, Read, StoreError, Table, schema};
use crate::domain::amount::Amount;
use crate::domain::ids::{AccountId, CompanyId, ConnectionId, ContractId, PartnerId, ProductKey, ServiceId};
use crate::domain::policy::WhenAbsent;
use crate::domain::rule::Rule;
use crate::domain::units::Units;

/// Which catalogue service a product is billed as, and how it is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductMapping {
    /// What is counted.
    #[schema(value_type = String)]
    pub product: ProductKey,
    /// The PSA's catalogue service.
    #[schema(value_type = String)]
    pub service_id: ServiceId,
    /// How counts become units.
    pub rule: Rule,
    /// How units are priced. Kept for later: this version writes units and leaves prices and costs alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Raised by one with each change, from 1. Given by the store.
    pub version: u32,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
}

/// How a product's units are priced on the line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Where the unit cost comes from.
    pub unit_cost: UnitCost,
    /// The unit cost where it is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "12.50")]
    pub fixed: Option<Amount>,
    /// What is added to the unit cost to make the unit price, in percent, as decimal text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "25")]
    pub markup_percent: Option<Amount>,
}

/// Where a unit cost comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnitCost {
    /// The usage snapshot's.
    FromUsage,
    /// The mapping's own.
    Fixed,
    /// None is written.
    None,
}

impl Price {
    /// What contradicts itself in the price, by field.
    #[must_use]
    pub fn contradictions(&self) -> Vec<(&'static str, &'static str)> {
        let mut found = Vec::new();
        if self.unit_cost == UnitCost::Fixed && self.fixed.is_none() {
            found.push(("fixed", "is needed where unit_cost is fixed"));
        }
        if self.unit_cost != UnitCost::Fixed && self.fixed.is_some() {
            found.push(("fixed", "is only for a unit_cost that is fixed"));
        }
        if self.unit_cost == UnitCost::None && self.markup_percent.is_some() {
            found.push(("markup_percent", "needs a unit_cost to add to"));
        }
        found
    }
}

/// Which account and contract bill a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CompanyMapping {
    /// The partner's customer.
    #[schema(value_type = String)]
    pub company: CompanyId,
    /// The same customer in the PSA.
    #[schema(value_type = String)]
    pub account_id: AccountId,
    /// Its recurring service contract.
    #[schema(value_type = String)]
    pub contract_id: ContractId,
    /// What is different for single products.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Override>)]
    pub overrides: BTreeMap<ProductKey, Override>,
    /// What its absence from a complete snapshot means.
    pub when_absent: WhenAbsent,
    /// Raised by one with each change, from 1. Given by the store.
    pub version: u32,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
}

/// What is different for one product of a company.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Another contract of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub contract_id: Option<ContractId>,
    /// Another service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub service_id: Option<ServiceId>,
    /// Another rule, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// The product is not billed for this company.
    #[serde(default, skip_serializing_if = "is_false")]
    pub excluded: bool,
    /// Units of a line that the PSA does not let us read. Kept for later: of Autotask they are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    pub opening_units: Option<Units>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What became of a mapping that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored<T> {
    /// There was none.
    Created(T),
    /// It replaced another.
    Changed(T),
    /// It was here already, as it is.
    Unchanged(T),
    /// Others changed it at the same time, more than once.
    Contended,
}

/// What both kinds of mapping have in common.
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
    /// The same content as another version.
    #[must_use]
    fn with_version(self, version: u32, at: Timestamp, by: &str) -> Self;
}

macro_rules! mapping {
    ($name:ident, $id:ident, $field:ident, $prefix:literal) => {
        impl Mapping for $name {
            type Id = $id;
            const PREFIX: &'static str = $prefix;

            fn key(partner: &PartnerId, connection: &ConnectionId, id: &$id) -> Key {
                schema::$field(partner, connection, id)
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

            fn with_version(self, version: u32, at: Timestamp, by: &str) -> Self {
                Self { version, updated_at: at, updated_by: by.to_owned(), ..self }
            }
        }
    };
}

mapping!(ProductMapping, ProductKey, product, "PRODUCT#");
mapping!(CompanyMapping, CompanyId, company, "COMPANY#");

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
    /// Whether others come after the last of them.
    pub more: bool,
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
        self.table.get(&T::key(partner, connection, id), Read::Consistent).await
    }

    /// Stores `mapping` as the next version of its kind, unless it is what is stored. Its own `version` is not looked at.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn put<T: Mapping>(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        mapping: T,
    ) -> Result<Stored<T>, StoreError> {
        let (at, by) = mapping.changed();
        let by = by.to_owned();
        let key = T::key(partner, connection, mapping.id());
        // Another writer may come in between; then once more on top of what that one stored.
        for _ in 0..2 {
            let before: Option<T> = self.table.get(&key, Read::Consistent).await?;
            if let Some(before) = &before {
                let (then, who) = before.changed();
                if mapping.clone().with_version(before.version(), then, who) == *before {
                    return Ok(Stored::Unchanged(before.clone()));
                }
            }
            let version = match &before {
                Some(before) => before.version(),
                None => {
                    self.newest_version::<T>(partner, connection, &key).await?.map_or(0, |last| last.mapping.version())
                }
            };
            let next = mapping.clone().with_version(version + 1, at, &by);
            let history = schema::mapping_version(partner, connection, &key, version + 1);
            let written = self
                .table
                .transact(vec![
                    self.table.write_put(&key, &next, &unchanged_since(before.as_ref())?)?,
                    self.table.write_put(
                        &history,
                        &MappingVersion { mapping: next.clone(), removed: false },
                        &Condition::absent(),
                    )?,
                ])
                .await?;
            if written {
                return Ok(if before.is_some() { Stored::Changed(next) } else { Stored::Created(next) });
            }
        }
        Ok(Stored::Contended)
    }

    /// Removes a mapping; what it was stays readable. `None`: there is none. `Some(false)`: others keep changing it.
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
    ) -> Result<Option<bool>, StoreError> {
        let key = T::key(partner, connection, id);
        for _ in 0..2 {
            let Some(before) = self.table.get::<T>(&key, Read::Consistent).await? else { return Ok(None) };
            let version = before.version() + 1;
            let last = MappingVersion { mapping: before.clone().with_version(version, at, by), removed: true };
            let history = schema::mapping_version(partner, connection, &key, version);
            let written = self
                .table
                .transact(vec![
                    self.table.write_delete(&key, &unchanged_since(Some(&before))?)?,
                    self.table.write_put(&history, &last, &Condition::absent())?,
                ])
                .await?;
            if written {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
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
        let after = after.map(|id| T::key(partner, connection, id).sk);
        // One more than asked for tells whether there is another page.
        let page =
            Page { prefix: T::PREFIX, after: after.as_deref(), limit: Some(i32::from(limit) + 1), ..Page::default() };
        let rows = self.table.page(&schema::of_connection(partner, connection), &page, Read::Eventual).await?;
        let mut items: Vec<T> = rows.items.into_iter().map(|(_, mapping)| mapping).collect();
        let more = items.len() > usize::from(limit) || rows.next.is_some();
        items.truncate(usize::from(limit));
        Ok(Listed { items, more })
    }

    /// Every product of a connection, for the sync.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn all_products(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
    ) -> Result<Vec<ProductMapping>, StoreError> {
        self.all(partner, connection).await
    }

    /// Every company of a connection, for the sync: a query a megabyte, some thousand companies each.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn all_companies(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
    ) -> Result<Vec<CompanyMapping>, StoreError> {
        self.all(partner, connection).await
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

    async fn all<T: Mapping>(&self, partner: &PartnerId, connection: &ConnectionId) -> Result<Vec<T>, StoreError> {
        // These decide what is written where, so they see every change that was answered before.
        let rows = self.table.all(&schema::of_connection(partner, connection), T::PREFIX, Read::Consistent).await?;
        Ok(rows.into_iter().map(|(_, mapping)| mapping).collect())
    }

    async fn newest_version<T: Mapping>(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        key: &Key,
    ) -> Result<Option<MappingVersion<T>>, StoreError> {
        let prefix = format!("{}#V#", key.sk);
        let page = Page { prefix: &prefix, limit: Some(1), backwards: true, ..Page::default() };
        let rows = self.table.page(&schema::mapping_history(partner, connection), &page, Read::Consistent).await?;
        Ok(rows.items.into_iter().next().map(|(_, version)| version))
    }
}

fn unchanged_since<T: Mapping>(before: Option<&T>) -> Result<Condition, StoreError> {
    match before {
        Some(before) => Condition::new("#version = :before").bind(":before", before.version()),
        None => Ok(Condition::absent()),
    }
}
