//! The refusals of Autotask REST: their statuses, shapes and exact texts.
//!
//! Rules, permissions and bad queries come as 500 with `{"errors":[…]}`; the web framework's own refusals as
//! `{"Message":…}`. Texts are those recorded from live tenants or printed in the documentation; the few that nobody recorded
//! are marked "assumed" and a client must not match on them.

use serde_json::json;

use super::switches::{Excess, Switches};
pub(crate) use crate::reply::Reply;

/// Why a request is refused. `Display` is the text on the wire.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    // Who is asking.
    #[error("Zone information could not be determined")]
    UnknownZoneUser,
    #[error("")]
    WrongSecret,
    /// Assumed text.
    #[error("The user name is not known.")]
    UnknownUser,
    #[error("")]
    InactiveUser,
    #[error("IntegrationCode is invalid")]
    WrongIntegrationCode,
    #[error("The logged in Resource does not have the adequate permissions to {0} this entity type.")]
    NotPermitted(&'static str),

    // How often.
    /// Assumed text.
    #[error("The Autotask API request threshold of {0} requests has been exceeded.")]
    OverThreshold(u32),
    #[error("The Autotask API thread threshold of {0} threads has been exceeded.")]
    OverThreads(u32),

    // What for.
    #[error("No HTTP resource was found that matches the request URI '{0}'.")]
    NoSuchResource(String),
    #[error("The requested resource does not support http method '{0}'.")]
    MethodNotAllowed(String),
    #[error("This simulator does not offer {0}.")]
    NotSimulated(&'static str),

    // Queries.
    #[error("Unable to find {field} in the {entity} Entity.")]
    UnknownField { field: String, entity: &'static str },
    #[error("maxCountOfRecordsToReturn must be between 1 and 500")]
    MaxRecords,
    #[error("Invalid query syntax. Queries are limited to 500 or fewer 'OR' conditions.")]
    TooManyConditions,
    /// Assumed text.
    #[error("Invalid query syntax. A filter is required.")]
    NoFilter,
    #[error("Conversion failed when converting varchar '{value}' to data type {kind}")]
    Conversion { value: String, kind: &'static str },

    // Bodies.
    #[error("Unexpected character encountered while parsing value: {0}")]
    UnexpectedCharacter(String),
    #[error("Value does not exist for the required field {0}")]
    Required(&'static str),
    #[error("Reference value on field: {field} of type: {entity} does not exist or is invalid.")]
    Reference { field: &'static str, entity: &'static str },

    /// Assumed text.
    #[error("The value of {field} is longer than {length} characters.")]
    TooLong { field: &'static str, length: usize },
    #[error(
        "No message. No matching records found. The logged in Resource may not have the required permissions to delete the data."
    )]
    NothingToDelete,

    /// Everything that a row lacks, in one text.
    #[error("{}on record number [0].", .0.iter().map(|field| format!("{field} is required.; ")).collect::<String>())]
    Lacking(Vec<&'static str>),
    #[error(
        "AssignedResourceID, AssignedResourceRoleID, and QueueID cannot all be empty. Supply a QueueID or both a AssignedResourceID and AssignedResourceRoleID."
    )]
    NoQueue,
    #[error("When assigning a Resource, you must assign both a assignedResourceID and assignedResourceRoleID.")]
    ResourceWithoutRole,
    #[error("Picklist value [{value}] does not exist for {field}")]
    Picklist { value: i64, field: &'static str },

    // Contract rules.
    #[error(
        "ContractServiceAdjustment effectiveDate must be between the start date and end date of the Contract referenced by contractID."
    )]
    OutsideContract,
    #[error("Attempt to insert duplicate data into contract_service_period")]
    DuplicatePeriod,
    #[error(
        "Unable to make changes as it would result in the deletion/modification of an already approved and posted contract period"
    )]
    Posted,
    /// Assumed text.
    #[error("The number of units cannot be less than zero.")]
    NegativeUnits,
    /// Assumed text.
    #[error("The number of units must be greater than zero.")]
    ZeroUnits,
    /// Assumed text.
    #[error("The Contract referenced by contractID must be of type Recurring Service.")]
    NotRecurring,
    /// Assumed text.
    #[error("The Contract referenced by contractID is not active.")]
    InactiveContract,
    /// Assumed text.
    #[error("The ContractCharge has been billed and cannot be changed or deleted.")]
    Billed,
    /// Assumed text.
    #[error("The amounts of a ContractCharge cannot be less than zero.")]
    NegativeCharge,
    /// Assumed text.
    #[error("The datePurchased must be between the start date and end date of the Contract.")]
    ChargeOutsideContract,
    /// Assumed text.
    #[error("The Service referenced by serviceID already exists on the Contract.")]
    RepeatedService,
}

impl Refusal {
    /// The answer on the wire.
    pub(crate) fn reply(&self, switches: &Switches) -> Reply {
        let text = self.to_string();
        match self {
            Self::WrongSecret => Reply::empty(401),
            Self::InactiveUser if switches.inactive_user_status == 401 => Reply::empty(401),
            Self::InactiveUser => errors(switches.inactive_user_status, &["The user is not active."]),
            Self::NotPermitted(_) => errors(switches.permission_status, &[&text]),
            Self::OverThreshold(_) => excess(switches.over_threshold, &text),
            Self::OverThreads(_) => excess(switches.over_threads, &text),
            Self::NoSuchResource(_) => Reply::json(404, &json!({ "Message": text })),
            Self::MethodNotAllowed(_) => Reply::json(405, &json!({ "Message": text })),
            Self::NotSimulated(_) => Reply::json(501, &json!({ "Message": text })),
            _ => errors(500, &[&text]),
        }
    }
}

/// The shape of a refused rule, permission or query.
fn errors(status: u16, texts: &[&str]) -> Reply {
    Reply::json(status, &json!({ "errors": texts }))
}

fn excess(kind: Excess, text: &str) -> Reply {
    match kind {
        Excess::ServerError => errors(500, &[text]),
        Excess::TooManyRequests { retry_after_s } => {
            let mut reply = errors(429, &[text]);
            if let Some(seconds) = retry_after_s {
                reply.headers.push(("retry-after".into(), seconds.to_string()));
            }
            reply
        }
    }
}
