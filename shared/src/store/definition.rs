//! The table itself, as a request that creates it: made from the names in `schema`, for the embedded engine.
//!
//! On AWS the deployment template creates the table; a test compares the two.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata as _};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TimeToLiveSpecification,
};

use super::StoreError;
use super::schema::{DUE_INDEX, DUE_PK, DUE_SK, EXPIRES, PK, SK};

/// Attributes that keys are made of; all are text.
pub const KEY_ATTRIBUTES: [&str; 4] = [PK, SK, DUE_PK, DUE_SK];

/// Creates the table `name` with its index where it is missing, and turns expiry of rows on.
///
/// # Errors
/// The engine refuses, or does not answer.
pub async fn create_if_missing(client: &Client, name: &str) -> Result<(), StoreError> {
    let created = create(client, name).map_err(|e| StoreError::Corrupt(e.to_string()))?.send().await;
    match created {
        Ok(_) => {}
        Err(error) if error.code() == Some("ResourceInUseException") => return Ok(()),
        Err(error) => return Err(StoreError::Unavailable(format!("the table was not created: {error:?}"))),
    }
    let expiry = TimeToLiveSpecification::builder()
        .attribute_name(EXPIRES)
        .enabled(true)
        .build()
        .map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let turned_on = client.update_time_to_live().table_name(name).time_to_live_specification(expiry).send().await;
    turned_on.map(drop).map_err(|e| StoreError::Unavailable(format!("expiry was not turned on: {e:?}")))
}

fn create(
    client: &Client,
    name: &str,
) -> Result<aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder, BuildError> {
    let index = GlobalSecondaryIndex::builder()
        .index_name(DUE_INDEX)
        .set_key_schema(Some(key(DUE_PK, DUE_SK)?))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()?;
    let attributes = KEY_ATTRIBUTES
        .iter()
        .map(|name| AttributeDefinition::builder().attribute_name(*name).attribute_type(ScalarAttributeType::S).build())
        .collect::<Result<_, _>>()?;
    Ok(client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key(PK, SK)?))
        .set_attribute_definitions(Some(attributes))
        .global_secondary_indexes(index))
}

fn key(partition: &str, sort: &str) -> Result<Vec<KeySchemaElement>, BuildError> {
    let element = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    Ok(vec![element(partition, KeyType::Hash)?, element(sort, KeyType::Range)?])
}
