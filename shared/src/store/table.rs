//! The requests themselves: get, conditional put, update and delete, query by key, transactions.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::newer::unreadable;
use super::schema::{PK, SK};
use super::{Condition, Key, StoreError, UnreadableRow};
use crate::faults::Faults;

pub(super) type Item = HashMap<String, AttributeValue>;

/// A transaction that met another is tried so often, with a pause that doubles.
pub(super) const TRANSACTION_ATTEMPTS: u32 = 5;
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// How fresh a read has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// Sees every write that was answered before it: for reads that gate a write.
    Consistent,
    /// May lag by a moment, at half the price.
    Eventual,
}

/// Which rows of a partition to read.
#[derive(Debug, Clone, Default)]
pub struct Page<'a> {
    /// Only sort keys that begin so.
    pub prefix: &'a str,
    /// Only sort keys after this one.
    pub after: Option<&'a str>,
    /// At most so many rows; `None` reads as many as one answer holds (1 MB).
    pub limit: Option<i32>,
    /// Newest first.
    pub backwards: bool,
}

/// Rows of a partition, and where the next page begins.
#[derive(Debug)]
pub struct Rows<T> {
    /// Sort key and row.
    pub items: Vec<(String, T)>,
    /// The sort key to go on after; `None` at the end.
    pub next: Option<String>,
}

/// Where a page of due rows ended.
#[derive(Debug, Clone)]
pub struct DuePosition(Item);

/// The table, and the client that reaches it.
#[derive(Debug, Clone)]
pub struct Table {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) faults: Faults,
}

impl Table {
    /// The table `name` of `client`.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into(), faults: Faults::default() }
    }

    /// The same table, with `faults` at each of its writes.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// The fault points of whoever works with this table.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The row at `key`.
    ///
    /// # Errors
    /// The store is unavailable, or the row can't be read.
    pub async fn get<T: DeserializeOwned>(&self, key: &Key, read: Read) -> Result<Option<T>, StoreError> {
        let found = self
            .client
            .get_item()
            .table_name(&self.name)
            .key(PK, AttributeValue::S(key.pk.clone()))
            .key(SK, AttributeValue::S(key.sk.clone()))
            .consistent_read(read == Read::Consistent)
            .send()
            .await
            .map_err(unavailable)?;
        found.item.map(decode).transpose()
    }

    /// Writes a row where `condition` holds of the one that is there. `false`: it did not hold, nothing was written.
    ///
    /// # Errors
    /// The store is unavailable, or the row is too large.
    pub async fn put<T: Serialize>(&self, key: &Key, row: &T, condition: &Condition) -> Result<bool, StoreError> {
        let request = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(encode(key, row)?))
            .condition_expression(condition.expression())
            .set_expression_attribute_names(some(condition.names()))
            .set_expression_attribute_values(some(condition.values().clone()));
        let effect = || format!("store.put {}", kind(key));
        self.faults.before(effect)?;
        let sent = patiently(|| request.clone().send()).await;
        self.faults.after(effect)?;
        held(sent)
    }

    /// Applies an update expression where `condition` holds, and gives the row as it is then. `None`: it did not hold.
    ///
    /// # Errors
    /// The store is unavailable, or the row can't be read.
    pub async fn update<T: DeserializeOwned>(
        &self,
        key: &Key,
        update: &Condition,
        condition: &Condition,
    ) -> Result<Option<T>, StoreError> {
        let (names, values) = merged(update, condition);
        let request = self
            .client
            .update_item()
            .table_name(&self.name)
            .key(PK, AttributeValue::S(key.pk.clone()))
            .key(SK, AttributeValue::S(key.sk.clone()))
            .update_expression(update.expression())
            .condition_expression(condition.expression())
            .set_expression_attribute_names(some(names))
            .set_expression_attribute_values(some(values))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew);
        let effect = || format!("store.update {}", kind(key));
        self.faults.before(effect)?;
        let sent = patiently(|| request.clone().send()).await;
        self.faults.after(effect)?;
        match sent {
            Ok(done) => done.attributes.map(decode).transpose(),
            Err(error) if refused(&error) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// As [`Table::update`], without giving the row: for rows that are large and written often. `false`: the condition did
    /// not hold.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn amend(&self, key: &Key, update: &Condition, condition: &Condition) -> Result<bool, StoreError> {
        let (names, values) = merged(update, condition);
        let request = self
            .client
            .update_item()
            .table_name(&self.name)
            .key(PK, AttributeValue::S(key.pk.clone()))
            .key(SK, AttributeValue::S(key.sk.clone()))
            .update_expression(update.expression())
            .condition_expression(condition.expression())
            .set_expression_attribute_names(some(names))
            .set_expression_attribute_values(some(values));
        let effect = || format!("store.amend {}", kind(key));
        self.faults.before(effect)?;
        let sent = patiently(|| request.clone().send()).await;
        self.faults.after(effect)?;
        held(sent)
    }

    /// Removes a row where `condition` holds. `false`: it did not hold.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn delete(&self, key: &Key, condition: &Condition) -> Result<bool, StoreError> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key(PK, AttributeValue::S(key.pk.clone()))
            .key(SK, AttributeValue::S(key.sk.clone()))
            .condition_expression(condition.expression())
            .set_expression_attribute_names(some(condition.names()))
            .set_expression_attribute_values(some(condition.values().clone()));
        let effect = || format!("store.delete {}", kind(key));
        self.faults.before(effect)?;
        let sent = patiently(|| request.clone().send()).await;
        self.faults.after(effect)?;
        held(sent)
    }

    /// One page of a partition's rows, in the order of their sort keys.
    ///
    /// # Errors
    /// The store is unavailable, or a row can't be read.
    pub async fn page<T: DeserializeOwned>(
        &self,
        pk: &str,
        page: &Page<'_>,
        read: Read,
    ) -> Result<Rows<T>, StoreError> {
        let Rows { items, next } = self.page_of_readable(pk, page, read).await?;
        let sound = |(sk, row): (String, Result<T, UnreadableRow>)| Ok((sk, row.map_err(StoreError::Unreadable)?));
        Ok(Rows { items: items.into_iter().map(sound).collect::<Result<_, StoreError>>()?, next })
    }

    /// As [`Table::page`], with each row that can't be read in its place: for lists, which one row must not take down.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn page_of_readable<T: DeserializeOwned>(
        &self,
        pk: &str,
        page: &Page<'_>,
        read: Read,
    ) -> Result<Rows<Result<T, UnreadableRow>>, StoreError> {
        let start = page.after.map(|sk| {
            HashMap::from([
                (PK.to_owned(), AttributeValue::S(pk.to_owned())),
                (SK.to_owned(), AttributeValue::S(sk.to_owned())),
            ])
        });
        let mut bounds = HashMap::from([(":pk".to_owned(), AttributeValue::S(pk.to_owned()))]);
        // An empty text is no value for a key.
        if !page.prefix.is_empty() {
            bounds.insert(":prefix".to_owned(), AttributeValue::S(page.prefix.to_owned()));
        }
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression(if page.prefix.is_empty() {
                "pk = :pk"
            } else {
                "pk = :pk AND begins_with(sk, :prefix)"
            })
            .set_expression_attribute_values(Some(bounds))
            .set_exclusive_start_key(start)
            .set_limit(page.limit)
            .scan_index_forward(!page.backwards)
            .consistent_read(read == Read::Consistent)
            .send()
            .await
            .map_err(unavailable)?;
        let next = answer.last_evaluated_key.as_ref().and_then(|key| text(key, SK));
        let items = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(|item| (text(&item, SK).unwrap_or_default(), readable(item)))
            .collect();
        Ok(Rows { items, next })
    }

    /// All rows of a partition whose sort keys begin with `prefix`. For partitions whose size is bounded; lists that
    /// grow are paged.
    ///
    /// # Errors
    /// The store is unavailable, or a row can't be read.
    pub async fn all<T: DeserializeOwned>(
        &self,
        pk: &str,
        prefix: &str,
        read: Read,
    ) -> Result<Vec<(String, T)>, StoreError> {
        let rows = self.all_readable(pk, prefix, read).await?;
        rows.into_iter().map(|(sk, row)| Ok((sk, row.map_err(StoreError::Unreadable)?))).collect()
    }

    /// As [`Table::all`], with each row that can't be read in its place.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn all_readable<T: DeserializeOwned>(
        &self,
        pk: &str,
        prefix: &str,
        read: Read,
    ) -> Result<Vec<(String, Result<T, UnreadableRow>)>, StoreError> {
        let mut rows = Vec::new();
        let mut after = None;
        loop {
            let page = Page { prefix, after: after.as_deref(), ..Page::default() };
            let mut found = self.page_of_readable(pk, &page, read).await?;
            rows.append(&mut found.items);
            match found.next {
                Some(next) => after = Some(next),
                None => return Ok(rows),
            }
        }
    }

    /// Rows of [`super::schema::DUE_INDEX`] in `shard` that are due at `instant` or before, oldest first, at most `limit` at
    /// once; and where to go on. The index lags behind the table: whoever acts on a row claims it first. A row that can't be
    /// read is logged and left out: one partner's row must not stop the others.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn due<T: DeserializeOwned>(
        &self,
        shard: &str,
        instant: &str,
        limit: i32,
        after: Option<DuePosition>,
    ) -> Result<(Vec<T>, Option<DuePosition>), StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(super::schema::DUE_INDEX)
            .key_condition_expression("due_shard = :shard AND due_at <= :now")
            .expression_attribute_values(":shard", AttributeValue::S(shard.to_owned()))
            .expression_attribute_values(":now", AttributeValue::S(instant.to_owned()))
            .set_exclusive_start_key(after.map(|position| position.0))
            .limit(limit)
            .send()
            .await
            .map_err(unavailable)?;
        let read = |item: Item| {
            let place = (text(&item, PK), text(&item, SK));
            decode(item).inspect_err(|error| tracing::error!(%error, ?place, "a due row can't be read")).ok()
        };
        let rows = answer.items.unwrap_or_default().into_iter().filter_map(read).collect();
        Ok((rows, answer.last_evaluated_key.map(DuePosition)))
    }
}

/// What kind of row a key names: the head of its sort key.
pub(super) fn kind(key: &Key) -> &str {
    key.sk.split('#').next().unwrap_or_default()
}

/// Sends a write of one row, and again where a transaction was at the row: it wrote nothing then.
async fn patiently<T, E, F>(mut send: impl FnMut() -> F) -> Result<T, SdkError<E>>
where
    E: ProvideErrorMetadata,
    F: Future<Output = Result<T, SdkError<E>>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRANSACTION_ATTEMPTS {
        match send().await {
            Err(error) if code(&error) == Some("TransactionConflictException") => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            answer => return answer,
        }
    }
    send().await
}

pub(super) fn encode<T: Serialize>(key: &Key, row: &T) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(row).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    item.insert(PK.to_owned(), AttributeValue::S(key.pk.clone()));
    item.insert(SK.to_owned(), AttributeValue::S(key.sk.clone()));
    Ok(item)
}

pub(super) fn decode<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    readable(item).map_err(StoreError::Unreadable)
}

/// The row, or what can't be read of it.
pub(super) fn readable<T: DeserializeOwned>(item: Item) -> Result<T, UnreadableRow> {
    let named = text(&item, SK).unwrap_or_default();
    let attributes: serde_dynamo::Item = item.into();
    let row = serde_dynamo::AttributeValue::M(attributes.into());
    serde_path_to_error::deserialize(serde_dynamo::Deserializer::from_attribute_value(row))
        .map_err(|error| unreadable(&named, &error))
}

pub(super) fn text(item: &Item, name: &str) -> Option<String> {
    item.get(name).and_then(|value| value.as_s().ok()).cloned()
}

pub(super) fn some<T>(map: HashMap<String, T>) -> Option<HashMap<String, T>> {
    (!map.is_empty()).then_some(map)
}

pub(super) fn merged(update: &Condition, condition: &Condition) -> (HashMap<String, String>, Item) {
    let mut names = update.names();
    names.extend(condition.names());
    let mut values = update.values().clone();
    values.extend(condition.values().clone());
    (names, values)
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

fn refused<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    code(error) == Some("ConditionalCheckFailedException")
}

fn held<T, E: ProvideErrorMetadata>(sent: Result<T, SdkError<E>>) -> Result<bool, StoreError> {
    match sent {
        Ok(_) => Ok(true),
        Err(error) if refused(&error) => Ok(false),
        Err(error) => Err(unavailable(error)),
    }
}

pub(super) fn unavailable<E: ProvideErrorMetadata>(error: SdkError<E>) -> StoreError {
    let message = match error.as_service_error() {
        Some(service) => {
            format!("{} {}", service.code().unwrap_or("unknown"), service.message().unwrap_or_default())
        }
        None => error.to_string(),
    };
    if message.contains("size has exceeded") || message.contains("Item size") {
        return StoreError::TooLarge(message);
    }
    StoreError::Unavailable(message)
}
