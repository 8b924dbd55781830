//! Autotask's error texts, and what each of them means to a partner: one table, first match wins.
//!
//! Autotask answers nearly every failure with status 500 and `{"errors": ["…"]}`, so its words are all there is to go by.
//! **Each text here proves that nothing was changed**: a write that meets one is rejected, not unknown. A text that leaves
//! it open (a lock, a time-out inside Autotask) must stay out of this table; it is then shown as it came, and the write
//! is settled by reading.

use crate::psa::Kind;

/// One text and its meaning.
#[derive(Debug)]
pub(super) struct Known {
    /// Lower-case fragments, all of which a text of this kind contains.
    fragments: &'static [&'static str],
    /// What kind of failure.
    pub(super) kind: Kind,
    /// Stable name.
    pub(super) code: &'static str,
    /// What happened.
    pub(super) explanation: &'static str,
    /// What to do.
    pub(super) fix: &'static str,
}

/// The first entry that `text` matches, upper and lower case alike.
pub(super) fn look_up(text: &str) -> Option<&'static Known> {
    let text = text.to_lowercase();
    KNOWN.iter().find(|known| known.fragments.iter().all(|fragment| text.contains(fragment)))
}

const DEFECT: &str = "Tell the operator: the request itself has to be put right.";
const PERMISSION: &str = "In Autotask, give the API user a security level that may see and edit contracts and their services \
    (\"API User (system)\" may), then test the connection again.";

static KNOWN: &[Known] = &[
    // The log-in and the user.
    Known {
        fragments: &["zone information could not be determined"],
        kind: Kind::Auth,
        code: "psa_user_unknown",
        explanation: "Autotask knows no API user of this name.",
        fix: "Copy the user name from the API user's page in Autotask (it looks like an e-mail address) and send the \
            credentials again.",
    },
    // The wording is known from a client library only.
    Known {
        fragments: &["integrationcode is invalid"],
        kind: Kind::Auth,
        code: "psa_integration_code_rejected",
        explanation: "Autotask does not accept the tracking identifier.",
        fix: "Copy the tracking identifier from the API user's page in Autotask and send the credentials again.",
    },
    Known {
        fragments: &["adequate permissions to query"],
        kind: Kind::Auth,
        code: "psa_permission_missing",
        explanation: "The API user may not read this.",
        fix: PERMISSION,
    },
    Known {
        fragments: &["adequate permissions to create"],
        kind: Kind::Auth,
        code: "psa_permission_missing",
        explanation: "The API user may not create this.",
        fix: PERMISSION,
    },
    Known {
        fragments: &["does not have the adequate permissions"],
        kind: Kind::Auth,
        code: "psa_permission_missing",
        explanation: "The API user may not do this.",
        fix: PERMISSION,
    },
    Known {
        fragments: &["no matching records found"],
        kind: Kind::NotFound,
        code: "psa_record_not_found",
        explanation: "What was named does not exist in Autotask, or is hidden from the API user.",
        fix: "Check that it still exists, and that the API user's security level lets it be seen.",
    },
    // Limits.
    Known {
        fragments: &["thread threshold", "exceeded"],
        kind: Kind::RateLimited,
        code: "psa_too_many_threads",
        explanation: "Too many requests with this tracking identifier were under way at once.",
        fix: "Nothing: the next run tries again. If it happens often, give Tallyline a tracking identifier of its own.",
    },
    // No wording for the hourly limit has been recorded; this is the likeliest.
    Known {
        fragments: &["request", "threshold", "exceeded"],
        kind: Kind::RateLimited,
        code: "psa_rate_limited",
        explanation: "The hour's requests of this Autotask database are used up, by all of its integrations together.",
        fix: "Nothing: the next run tries again. If it happens often, find out which integration sends so many requests.",
    },
    // Units of a contract's service.
    Known {
        fragments: &["effectivedate must be between the start date and end date"],
        kind: Kind::Validation,
        code: "effective_date_outside_contract",
        explanation: "The change would take effect before the contract begins or after it ends.",
        fix: "Check the contract's dates in Autotask; extend it, or map the company to the contract that follows it.",
    },
    Known {
        fragments: &["duplicate data", "contract_service_period"],
        kind: Kind::Validation,
        code: "effective_date_already_adjusted",
        explanation: "This service was changed already with effect from the same day, and Autotask takes one change a day.",
        fix: "Nothing, if the next run succeeds with a later day; otherwise change the units in Autotask by hand.",
    },
    Known {
        fragments: &["already approved and posted"],
        kind: Kind::Validation,
        code: "period_already_posted",
        explanation: "The change reaches into a billing period that is approved and posted.",
        fix: "Choose the effective date policy \"next_period_start\", or correct the posted period in Autotask by hand.",
    },
    Known {
        fragments: &["require a contractperiodtype"],
        kind: Kind::Validation,
        code: "contract_period_missing",
        explanation: "The recurring service contract has no billing period.",
        fix: "Set the contract's billing period in Autotask.",
    },
    // Fields and values.
    Known {
        fragments: &["picklist value", "does not exist for"],
        kind: Kind::Validation,
        code: "psa_picklist_value_unknown",
        explanation: "A value is not among those that Autotask offers for its field.",
        fix: "Choose one of the field's active values in Autotask and correct the mapping.",
    },
    Known {
        fragments: &["does not exist for the required field"],
        kind: Kind::Validation,
        code: "psa_field_required",
        explanation: "Autotask requires a field that was not sent.",
        fix: "Give the field a value in the mapping, or make it optional in Autotask.",
    },
    Known {
        fragments: &["billingcodeid", "does not exist or is invalid"],
        kind: Kind::Validation,
        code: "psa_billing_code_invalid",
        explanation: "The billing code does not exist in Autotask, is not active, or is meant for something else.",
        fix: "Choose an active billing code: one for material for charges, one for recurring services for services.",
    },
    Known {
        fragments: &["vendorcompanyid", "does not exist or is invalid"],
        kind: Kind::Validation,
        code: "psa_vendor_invalid",
        explanation: "The vendor does not exist in Autotask, or is not active.",
        fix: "Check in Autotask that the company exists, is active, and is of the type for vendors.",
    },
    Known {
        fragments: &["does not exist or is invalid"],
        kind: Kind::Validation,
        code: "psa_reference_invalid",
        explanation: "Something that was referred to does not exist in Autotask, or is inactive.",
        fix: "Check in Autotask that it exists and is active, and correct the mapping.",
    },
    Known {
        fragments: &["you must assign both"],
        kind: Kind::Validation,
        code: "psa_resource_needs_role",
        explanation: "A resource can only be assigned together with its role.",
        fix: "Set both the resource and the role in the mapping, or neither.",
    },
    Known {
        fragments: &["names must be unique"],
        kind: Kind::Validation,
        code: "psa_name_taken",
        explanation: "Autotask already has one of this name.",
        fix: "Use the existing one, or choose another name.",
    },
    Known {
        fragments: &["cannot be edited if status is"],
        kind: Kind::Validation,
        code: "psa_not_editable",
        explanation: "It can't be edited in the state that it is in.",
        fix: "Change its status in Autotask first.",
    },
    Known {
        // Nothing shorter: other texts that end so may stand for anything.
        fragments: &["queueid is required"],
        kind: Kind::Validation,
        code: "psa_field_required",
        explanation: "Autotask requires a field that was not sent.",
        fix: "Give the field a value in the mapping, or make it optional in Autotask.",
    },
    Known {
        // A row that was looked at and not taken, one text for all that it lacks (a public client of the live service).
        fragments: &["is required", "on record number ["],
        kind: Kind::Validation,
        code: "psa_field_required",
        explanation: "Autotask requires a field that was not sent.",
        fix: "Give the field a value in the mapping, or make it optional in Autotask.",
    },
    Known {
        fragments: &["assignedresourceid", "queueid", "cannot all be empty"],
        kind: Kind::Validation,
        code: "psa_ticket_queue_missing",
        explanation: "Autotask takes no ticket that stands in no queue and is assigned to nobody.",
        fix: "Fill queueID in the ticket mapping, or both assignedResourceID and assignedResourceRoleID.",
    },
    // Requests that are wrong in themselves.
    Known {
        fragments: &["unable to find", "entity"],
        kind: Kind::Protocol,
        code: "psa_field_unknown",
        explanation: "Autotask does not know a field that was asked for.",
        fix: DEFECT,
    },
    Known {
        fragments: &["must be between 1 and 500"],
        kind: Kind::Protocol,
        code: "psa_query_refused",
        explanation: "Autotask gives 1 to 500 rows a page, and another number was asked for.",
        fix: DEFECT,
    },
    Known {
        fragments: &["500 or fewer 'or' conditions"],
        kind: Kind::Protocol,
        code: "psa_query_refused",
        explanation: "A query named more than 500 values.",
        fix: DEFECT,
    },
    Known {
        fragments: &["conversion failed when converting"],
        kind: Kind::Protocol,
        code: "psa_query_refused",
        explanation: "A query compared a field with a value of another type.",
        fix: DEFECT,
    },
    Known {
        fragments: &["unexpected character encountered while parsing"],
        kind: Kind::Protocol,
        code: "psa_query_refused",
        explanation: "A value of the wrong type was sent.",
        fix: DEFECT,
    },
    Known {
        fragments: &["does not support http method"],
        kind: Kind::Protocol,
        code: "psa_method_refused",
        explanation: "Autotask does not take this kind of request at this address.",
        fix: DEFECT,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_on_record_has_its_code() {
        for (text, code) in [
            ("Zone information could not be determined", "psa_user_unknown"),
            ("IntegrationCode is invalid", "psa_integration_code_rejected"),
            (
                "The logged in Resource does not have the adequate permissions to query this entity type.",
                "psa_permission_missing",
            ),
            (
                "The logged in Resource does not have the adequate permissions to create this entity type.",
                "psa_permission_missing",
            ),
            (
                "No message. No matching records found. The logged in Resource may not have the required permissions to delete the data.",
                "psa_record_not_found",
            ),
            ("The Autotask API thread threshold of 3 threads has been exceeded.", "psa_too_many_threads"),
            (
                "ContractServiceAdjustment effectiveDate must be between the start date and end date of the Contract referenced by contractID.",
                "effective_date_outside_contract",
            ),
            ("Attempt to insert duplicate data into contract_service_period", "effective_date_already_adjusted"),
            (
                "Unable to make changes as it would result in the deletion/modification of an already approved and posted contract period",
                "period_already_posted",
            ),
            ("Contracts of type 7 (Recurring Services) require a ContractPeriodType.", "contract_period_missing"),
            ("Picklist value [3] does not exist for priority", "psa_picklist_value_unknown"),
            ("Value does not exist for the required field resourceID", "psa_field_required"),
            ("queueID is required", "psa_field_required"),
            ("dueDateTime is required.; on record number [0].", "psa_field_required"),
            (
                "AssignedResourceID, AssignedResourceRoleID, and QueueID cannot all be empty. Supply a QueueID or both a AssignedResourceID and AssignedResourceRoleID.",
                "psa_ticket_queue_missing",
            ),
            (
                "Reference value on field: contactID of type: Contact does not exist or is invalid.",
                "psa_reference_invalid",
            ),
            ("contactID: Value 12345 does not exist or is invalid", "psa_reference_invalid"),
            (
                "Reference value on field: billingCodeID of type: BillingCode does not exist or is invalid.",
                "psa_billing_code_invalid",
            ),
            (
                "Reference value on field: vendorCompanyID of type: Company does not exist or is invalid.",
                "psa_vendor_invalid",
            ),
            ("When assigning a Resource, you must assign both a Resource and a Role.", "psa_resource_needs_role"),
            ("A ContactGroup already exists with Name [Test]. ContactGroup names must be unique.", "psa_name_taken"),
            (
                "The startDateTime, endDateTime and isComplete cannot be edited if status is of type \"Canceled\".",
                "psa_not_editable",
            ),
            ("Unable to find projectID in the TimeEntry Entity.", "psa_field_unknown"),
            ("maxCountOfRecordsToReturn must be between 1 and 500", "psa_query_refused"),
            ("Invalid query syntax. Queries are limited to 500 or fewer 'OR' conditions.", "psa_query_refused"),
            ("Conversion failed when converting varchar 'material' to data type int", "psa_query_refused"),
            ("Unexpected character encountered while parsing value: t", "psa_query_refused"),
            ("The requested resource does not support http method 'GET'.", "psa_method_refused"),
        ] {
            for text in [text.to_owned(), text.to_uppercase()] {
                assert_eq!(look_up(&text).map(|known| known.code), Some(code), "{text}");
            }
        }
    }

    #[test]
    fn a_text_that_leaves_it_open_whether_something_changed_is_not_known() {
        for open in [
            "",
            "An error has occurred.",
            "Execution Timeout Expired. The timeout period elapsed prior to completion of the operation.",
            "Transaction (Process ID 61) was deadlocked on lock resources with another process. Rerun the transaction.",
            "Object reference not set to an instance of an object.",
        ] {
            assert!(look_up(open).is_none(), "{open}");
        }
    }

    #[test]
    fn every_entry_can_match_and_says_what_to_do() {
        for (index, known) in KNOWN.iter().enumerate() {
            let example = known.fragments.join(" … ");
            let first = KNOWN.iter().position(|other| std::ptr::eq(other, look_up(&example).unwrap())).unwrap();
            assert_eq!(first, index, "{example} is hidden behind an earlier entry");
            assert!(!known.explanation.is_empty() && !known.fix.is_empty(), "{example}");
        }
    }
}
