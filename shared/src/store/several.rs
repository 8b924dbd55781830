//! Several rows by their keys in one request.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use serde::de::DeserializeOwned;

use super::schema::{PK, SK};
use super::table::{Item, decode, readable, text, unavailable};
use super::{Key, StoreError, Table, UnreadableRow};

/// DynamoDB reads at most so many rows by key in one request.
const KEYS_A_BATCH: usize = 100;

/// Rows of several kinds, each waiting to be read as what it is.
#[derive(Debug)]
pub struct Found(BTreeMap<Key, Item>);

impl Found {
    /// The keys that were found and not taken.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.keys()
    }

    /// The row at `key`, if it was asked for and is there. A second time there is none.
    ///
    /// # Errors
    /// The row can't be read.
    pub fn take<T: DeserializeOwned>(&mut self, key: &Key) -> Result<Option<T>, StoreError> {
        self.0.remove(key).map(decode).transpose()
    }
}

impl Table {
    /// The rows at `keys` that exist, in no order, as every write before this call left them.
    ///
    /// # Errors
    /// The store is unavailable, or a row can't be read.
    pub async fn get_each<T: DeserializeOwned>(&self, keys: &[Key]) -> Result<Vec<T>, StoreError> {
        self.items(keys).await?.into_iter().map(decode).collect()
    }

    /// As [`Table::get_each`], with each row that can't be read among them.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn get_each_readable<T: DeserializeOwned>(
        &self,
        keys: &[Key],
    ) -> Result<Vec<Result<T, UnreadableRow>>, StoreError> {
        Ok(self.items(keys).await?.into_iter().map(readable).collect())
    }

    /// As [`Table::get_each`], for rows of several kinds. They are read at about one time, not at one instant.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn get_several(&self, keys: &[Key]) -> Result<Found, StoreError> {
        let named = |item: Item| Some((Key { pk: text(&item, PK)?, sk: text(&item, SK)? }, item));
        Ok(Found(self.items(keys).await?.into_iter().filter_map(named).collect()))
    }

    async fn items(&self, keys: &[Key]) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(KEYS_A_BATCH) {
            let mut wanted = KeysAndAttributes::builder().consistent_read(true);
            for key in chunk {
                wanted = wanted.keys(HashMap::from([
                    (PK.to_owned(), AttributeValue::S(key.pk.clone())),
                    (SK.to_owned(), AttributeValue::S(key.sk.clone())),
                ]));
            }
            let mut pending = Some(wanted.build().map_err(|e| StoreError::Corrupt(e.to_string()))?);
            // The store answers with what it could not read in one go; each answer reads at least one row.
            for _ in 0..=chunk.len() {
                let Some(wanted) = pending.take() else { break };
                let answer =
                    self.client.batch_get_item().request_items(&self.name, wanted).send().await.map_err(unavailable)?;
                items.extend(answer.responses.unwrap_or_default().into_values().flatten());
                pending = answer.unprocessed_keys.and_then(|mut rest| rest.remove(&self.name));
            }
            if pending.is_some() {
                return Err(StoreError::Unavailable("rows were left unread".into()));
            }
        }
        Ok(items)
    }
}
