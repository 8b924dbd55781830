//! The form of a PSA's tickets, as it is read from the PSA.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A field that a partner's mapping may fill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TicketField {
    /// The PSA's own name of it: `queueID`, `StatusId`.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// No ticket is taken without it.
    pub required: bool,
    /// What may be chosen; inactive ones are left out.
    pub values: Vec<FieldValue>,
    /// The field on whose value it depends which of `values` may be chosen.
    pub depends_on: Option<String>,
}

/// What may be chosen for a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldValue {
    /// The PSA's id of it.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// The PSA marks it as the usual one.
    pub is_default: bool,
    /// Only where the field that this one depends on has this value.
    pub parent: Option<String>,
}

/// What fields need beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldRule {
    /// All of one group at least.
    AnyOf(Vec<Vec<String>>),
    /// All of them or none.
    Together(Vec<String>),
    /// Where `field` has `value`, these too.
    Needs {
        /// The field.
        field: String,
        /// The PSA's id of what is chosen there.
        value: String,
        /// What is needed then.
        needs: Vec<String>,
    },
}

/// What a tenant asks of a new ticket, but for account, title, text and due time, which Tallyline always sends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct TicketForm {
    /// The fields that a mapping may fill.
    pub fields: Vec<TicketField>,
    /// What they need beside each other.
    pub rules: Vec<FieldRule>,
}

impl TicketForm {
    /// The field called `id`.
    #[must_use]
    pub fn field(&self, id: &str) -> Option<&TicketField> {
        self.fields.iter().find(|field| field.id == id)
    }
}
