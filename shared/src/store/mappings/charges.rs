//! What the charge mapping of a product says: whether and how its metered charges are put on contracts.
//!
//! A product without one is not charged for. It stands beside the product's own mapping, which is of its units: either may be
//! there without the other. Which charges come of it is decided in `domain` and `sync`; whether the PSA knows the billing
//! code is checked where it is sent in, and again before a charge is written.
//!
//! A word of a newer version in `mode`, `when`, `name` or `markup_percent` is set aside (`newer`): such a mapping is listed as
//! it stands, and nothing may be charged by it.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::ids::ProductKey;
use crate::domain::pricing::Markup;
use crate::store::Newer;
use crate::store::newer::{StandIn, tolerant};

/// How a product's metered charges are put on contracts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct ChargeMapping {
    /// What is charged for.
    #[schema(value_type = String)]
    pub product: ProductKey,
    /// One charge a meter, or one for all of them.
    pub mode: ChargeMode,
    /// What a bundle is called: 1 to 100 characters. There where `mode` is `bundled`, and nowhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name of the PSA's billing code for material, exactly.
    pub billing_code: String,
    /// What is added to the cost to make the price, in percent as decimal text. Without it the connection's policy
    /// (`markup.products`) says it; where that does not either, the price is the cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "15")]
    pub markup_percent: Option<Markup>,
    /// What was used on days before this one is not charged.
    #[schema(value_type = String, format = Date)]
    pub from: Date,
    /// When a billing period is charged.
    #[serde(default)]
    pub when: ChargeWhen,
    /// Raised by one with each change, from 1. Given by the store.
    pub version: u32,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
    /// What of it this version does not understand.
    #[serde(skip)]
    #[schema(ignore)]
    pub newer: Newer,
}

tolerant!(ChargeMapping, |path: &[&str]| match path {
    // It has to have one; nothing is charged meanwhile.
    ["mode"] => Some(StandIn::Value("itemised".into())),
    ["when" | "name" | "markup_percent"] => Some(StandIn::Nothing),
    _ => None,
});

/// How many charges a billing period comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChargeMode {
    /// One for each meter.
    Itemised,
    /// One for all meters of the product.
    Bundled,
}

/// When a billing period is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChargeWhen {
    /// As soon as something of it is reported; while it runs, the charge follows.
    #[default]
    AsReported,
    /// Once it is over.
    AfterPeriod,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn stored() -> Value {
        json!({
            "product": "cloud", "mode": "itemised", "billing_code": "Usage", "from": "2026-11-01", "when": "as_reported",
            "version": 1, "updated_at": "2026-11-21T12:00:00Z", "updated_by": "ann",
        })
    }

    fn read(row: Value) -> Result<ChargeMapping, serde_json::Error> {
        serde_json::from_value(row)
    }

    #[test]
    fn a_stored_charge_mapping_comes_out_as_it_went_in() {
        let mut whole = stored();
        whole["mode"] = json!("bundled");
        whole["name"] = json!("Cloud services");
        whole["markup_percent"] = json!("12.5");
        whole["when"] = json!("after_period");
        for row in [stored(), whole] {
            let mapping = read(row.clone()).unwrap();
            assert!(mapping.newer.is_empty());
            assert_eq!(serde_json::to_value(mapping).unwrap(), row);
        }
    }

    #[test]
    fn words_of_a_newer_version_are_set_aside_kept_and_named() {
        let mut row = stored();
        row["mode"] = json!("by_region");
        row["when"] = json!({"day": 3});
        row["markup_percent"] = json!({"first": "10"});
        let mapping = read(row.clone()).unwrap();
        assert_eq!(mapping.newer.names(), ["markup_percent", "mode", "when"]);
        assert_eq!(serde_json::to_value(mapping).unwrap(), row);
    }

    #[test]
    fn a_row_without_its_day_or_code_is_no_charge_mapping() {
        for field in ["from", "billing_code", "mode"] {
            let mut row = stored();
            row.as_object_mut().unwrap().remove(field);
            assert!(read(row).is_err(), "{field}");
        }
    }
}
