//! Numbers of picklists, found by their labels: the numbers differ from tenant to tenant, or are not published.
//!
//! One request for each entity's description. Labels are compared by their words, without regard to case: "Material",
//! "Material Code" and "Material Cost Code" have all been seen for one and the same.

use super::client::{Client, Entity};
use super::wire::Fields;
use crate::psa::{Kind, PsaError};

/// A value that we look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    entity: Entity,
    field: &'static str,
    /// Its label without the words that say nothing.
    words: &'static [&'static str],
    /// Its label as people know it.
    label: &'static str,
    code: &'static str,
}

/// The use of billing codes that charges need.
pub(super) const MATERIAL: Wanted = Wanted {
    entity: Entity::BillingCodes,
    field: "useType",
    words: &["material"],
    label: "Material Cost Code",
    code: "psa_billing_code_kind_missing",
};

/// The use of billing codes that recurring services need.
pub(super) const RECURRING_SERVICE: Wanted =
    Wanted { words: &["recurring", "service"], label: "Recurring Contract Service Code", ..MATERIAL };

/// The type of companies that one buys from.
pub(super) const VENDOR: Wanted = Wanted {
    entity: Entity::Companies,
    field: "companyType",
    words: &["vendor"],
    label: "Vendor",
    code: "psa_vendor_type_missing",
};

/// The type of charges that we make.
pub(super) const OPERATIONAL: Wanted = Wanted {
    entity: Entity::ContractCharges,
    field: "chargeType",
    words: &["operational"],
    label: "Operational",
    code: "psa_charge_type_missing",
};

/// Words of a label that tell none of them from another.
const FILLING: &[&str] = &["code", "cost", "contract"];

/// Its numbers: usually one.
///
/// # Errors
/// As every read, and where the tenant has no such label.
pub(super) async fn numbers(client: &Client, wanted: Wanted) -> Result<Vec<i64>, PsaError> {
    let fields: Fields = client.get(wanted.entity, "/entityInformation/fields").await?;
    let picks = fields.picklist(wanted.field);
    let is_wanted = |label: &str| words(label) == wanted.words;
    let found: Vec<i64> = picks
        .iter()
        .filter(|pick| pick.label.text().is_some_and(|label| is_wanted(&label)))
        .filter_map(|pick| pick.value.whole())
        .collect();
    if found.is_empty() {
        let labels: Vec<String> = picks.iter().filter_map(|pick| pick.label.text()).collect();
        return Err(missing(wanted, &labels));
    }
    Ok(found)
}

fn missing(wanted: Wanted, labels: &[String]) -> PsaError {
    let Wanted { entity, field, label, code, .. } = wanted;
    let offered = if labels.is_empty() { "nothing".to_owned() } else { labels.join(", ") };
    PsaError::new(
        Kind::Validation,
        code,
        format!("{field} of Autotask's {} has no value called \"{label}\". It offers: {offered}.", entity.name()),
        "Give the value its usual English name in Autotask, or let the API user see it.",
    )
}

fn words(label: &str) -> Vec<String> {
    let words = label.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words
        .map(|word| word.strip_suffix('s').map_or(word.clone(), str::to_owned))
        .filter(|word| !word.is_empty() && !FILLING.contains(&word.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_known_in_each_form_that_has_been_seen() {
        for label in ["Material", "Material Code", "MATERIAL COST CODE", " material codes ", "Materials"] {
            assert_eq!(words(label), MATERIAL.words, "{label}");
        }
        for label in
            ["Recurring Contract Service", "Recurring Contract Service Code", "recurring service", "Recurring Services"]
        {
            assert_eq!(words(label), RECURRING_SERVICE.words, "{label}");
        }
        for label in ["Non-Material", "Expense Code", "Milestone Code", "Material Expense", "Recurring", "Code", ""] {
            assert!(words(label) != MATERIAL.words && words(label) != RECURRING_SERVICE.words, "{label}");
        }
        assert_eq!(words("vendor"), VENDOR.words);
        assert_eq!(words("Operational"), OPERATIONAL.words);
    }
}
