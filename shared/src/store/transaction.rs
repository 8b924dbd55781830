//! Several writes, all or none.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use serde::Serialize;

use super::schema::{PK, SK};
use super::table::{FIRST_PAUSE, TRANSACTION_ATTEMPTS, encode, kind, merged, some, unavailable};
use super::{Condition, Key, StoreError, Table};

/// One write of a transaction.
#[derive(Debug, Clone)]
pub struct Write {
    item: TransactWriteItem,
    /// What kind of row it writes.
    kind: String,
}

impl Table {
    /// A put for [`Table::transact`].
    ///
    /// # Errors
    /// The row can't be stored.
    pub fn write_put<T: Serialize>(&self, key: &Key, row: &T, condition: &Condition) -> Result<Write, StoreError> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(encode(key, row)?))
            .condition_expression(condition.expression())
            .set_expression_attribute_names(some(condition.names()))
            .set_expression_attribute_values(some(condition.values().clone()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::None)
            .build()
            .map_err(|e| StoreError::Corrupt(e.to_string()))?;
        Ok(Write { item: TransactWriteItem::builder().put(put).build(), kind: kind(key).to_owned() })
    }

    /// An update for [`Table::transact`].
    ///
    /// # Errors
    /// The expression can't be built.
    pub fn write_update(&self, key: &Key, update: &Condition, condition: &Condition) -> Result<Write, StoreError> {
        let (names, values) = merged(update, condition);
        let update = Update::builder()
            .table_name(&self.name)
            .key(PK, AttributeValue::S(key.pk.clone()))
            .key(SK, AttributeValue::S(key.sk.clone()))
            .update_expression(update.expression())
            .condition_expression(condition.expression())
            .set_expression_attribute_names(some(names))
            .set_expression_attribute_values(some(values))
            .build()
            .map_err(|e| StoreError::Corrupt(e.to_string()))?;
        Ok(Write { item: TransactWriteItem::builder().update(update).build(), kind: kind(key).to_owned() })
    }

    /// A delete for [`Table::transact`].
    ///
    /// # Errors
    /// The expression can't be built.
    pub fn write_delete(&self, key: &Key, condition: &Condition) -> Result<Write, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.name)
            .key(PK, AttributeValue::S(key.pk.clone()))
            .key(SK, AttributeValue::S(key.sk.clone()))
            .condition_expression(condition.expression())
            .set_expression_attribute_names(some(condition.names()))
            .set_expression_attribute_values(some(condition.values().clone()))
            .build()
            .map_err(|e| StoreError::Corrupt(e.to_string()))?;
        Ok(Write { item: TransactWriteItem::builder().delete(delete).build(), kind: kind(key).to_owned() })
    }

    /// For [`Table::transact`]: writes nothing itself, and lets the others be written only where `condition` holds of a row.
    ///
    /// # Errors
    /// The expression can't be built.
    pub fn write_check(&self, key: &Key, condition: &Condition) -> Result<Write, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.name)
            .key(PK, AttributeValue::S(key.pk.clone()))
            .key(SK, AttributeValue::S(key.sk.clone()))
            .condition_expression(condition.expression())
            .set_expression_attribute_names(some(condition.names()))
            .set_expression_attribute_values(some(condition.values().clone()))
            .build()
            .map_err(|e| StoreError::Corrupt(e.to_string()))?;
        Ok(Write { item: TransactWriteItem::builder().condition_check(check).build(), kind: kind(key).to_owned() })
    }

    /// All writes or none, at most 100. `false`: a condition did not hold, nothing was written. A transaction that met
    /// another one at the same rows wrote nothing either, and is tried again a few times.
    ///
    /// # Errors
    /// The store is unavailable: whether the writes were made is not known.
    pub async fn transact(&self, writes: Vec<Write>) -> Result<bool, StoreError> {
        let kinds: BTreeSet<String> = writes.iter().map(|write| write.kind.clone()).collect();
        let effect = || format!("store.transact {}", kinds.iter().map(String::as_str).collect::<Vec<_>>().join("+"));
        let items: Vec<TransactWriteItem> = writes.into_iter().map(|write| write.item).collect();
        self.faults.before(effect)?;
        let made = self.send_transaction(items).await;
        self.faults.after(effect)?;
        made
    }

    async fn send_transaction(&self, items: Vec<TransactWriteItem>) -> Result<bool, StoreError> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let sent = self.client.transact_write_items().set_transact_items(Some(items.clone())).send().await;
            let Err(error) = sent else { return Ok(true) };
            match cancelled(&error) {
                None => return Err(unavailable(error)),
                Some(Cancelled::Condition) => return Ok(false),
                Some(Cancelled::Contention) if attempt == TRANSACTION_ATTEMPTS => return Err(unavailable(error)),
                Some(Cancelled::Contention) => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
            }
        }
        Err(StoreError::Unavailable("a transaction was not tried".into()))
    }
}

/// Why a transaction wrote nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cancelled {
    Condition,
    /// Another transaction was at the same rows, or the table was asked too much at once.
    Contention,
}

fn cancelled(error: &SdkError<TransactWriteItemsError>) -> Option<Cancelled> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return None;
    };
    let refused = |reason: &CancellationReason| reason.code() == Some("ConditionalCheckFailed");
    let condition = cancelled.cancellation_reasons().iter().any(refused);
    Some(if condition { Cancelled::Condition } else { Cancelled::Contention })
}
