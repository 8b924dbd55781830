//! A condition on the row that a write is about to replace.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::StoreError;

/// A DynamoDB condition or update expression with its values. Attribute names are written as `#name` and bound by
/// themselves: `#version = :version` means the attribute `version`.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    expression: String,
    values: HashMap<String, AttributeValue>,
}

impl Condition {
    /// An expression, values to follow.
    #[must_use]
    pub fn new(expression: impl Into<String>) -> Self {
        Self { expression: expression.into(), values: HashMap::new() }
    }

    /// The row must not be there yet.
    #[must_use]
    pub fn absent() -> Self {
        Self::new("attribute_not_exists(#pk)")
    }

    /// Whether the row is there or not.
    #[must_use]
    pub fn none() -> Self {
        Self::new("attribute_exists(#pk) OR attribute_not_exists(#pk)")
    }

    /// The row must be there.
    #[must_use]
    pub fn present() -> Self {
        Self::new("attribute_exists(#pk)")
    }

    /// Binds `:name`.
    ///
    /// # Errors
    /// The value can't be stored.
    pub fn bind(mut self, name: &str, value: impl Serialize) -> Result<Self, StoreError> {
        let value = serde_dynamo::to_attribute_value(value).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        self.values.insert(name.to_owned(), value);
        Ok(self)
    }

    /// The expression.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The bound values.
    #[must_use]
    pub fn values(&self) -> &HashMap<String, AttributeValue> {
        &self.values
    }

    /// Every `#name` of the expression.
    #[must_use]
    pub fn names(&self) -> HashMap<String, String> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        self.expression
            .split('#')
            .skip(1)
            .filter_map(|rest| rest.split(|c| !word(c)).next())
            .map(|name| (format!("#{name}"), name.to_owned()))
            .collect()
    }
}
