//! What a mapping says: of a product, and of a company with what is different for single products.
//!
//! What a newer version may have put into rule, price, overrides and `when_absent` is set aside where this one does not
//! understand it (`newer`): such a mapping is listed as it stands, its lines are refused, and it is no part of a CSV file.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::amount::Amount;
use crate::domain::ids::{AccountId, CompanyId, ContractId, ProductKey, ServiceId};
use crate::domain::line::LineKey;
use crate::domain::money::Currency;
use crate::domain::policy::WhenAbsent;
use crate::domain::pricing::{Markup, Pricing};
use crate::domain::provision::Provision;
use crate::domain::rule::Rule;
use crate::domain::units::Units;
use crate::store::Newer;
use crate::store::newer::{StandIn, tolerant};

/// Which catalogue service a product is billed as, and how it is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct ProductMapping {
    /// What is counted.
    #[schema(value_type = String)]
    pub product: ProductKey,
    /// The PSA's catalogue service. Absent until the one that `provision` names is found or made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub service_id: Option<ServiceId>,
    /// How counts become units.
    pub rule: Rule,
    /// How units are priced. Without it unit costs and unit prices are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// How the service is made, where the catalogue lacks it and the policy has it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision: Option<Provision>,
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

tolerant!(ProductMapping, |path: &[&str]| match path {
    ["rule", _, ..] | ["price", ..] | ["provision", ..] => Some(StandIn::Nothing),
    _ => None,
});

impl ProductMapping {
    /// Its service; what stands for one that is not made yet, where it is to be found or made by its name.
    #[must_use]
    pub fn service(&self) -> Option<ServiceId> {
        self.service_id.clone().or_else(|| ServiceId::unmade(&self.product).filter(|_| self.provision.is_some()))
    }

    /// Whether it names the same service to be found or made as `other` does.
    pub(super) fn provisions_as(&self, other: &Self) -> bool {
        let name = |mapping: &Self| mapping.provision.as_ref().map(|provision| provision.name.clone());
        name(self).is_some() && name(self) == name(other)
    }
}

/// How a product's units are priced on the line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Where the unit cost comes from.
    pub unit_cost: UnitCost,
    /// The unit cost where it is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "12.50")]
    pub fixed: Option<Amount>,
    /// What is added to the unit cost to make the unit price, in percent, as decimal text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "25")]
    pub markup_percent: Option<Markup>,
    /// Whether the unit price is kept as well: `markup`, by `markup_percent` or else by the connection's policy, or `keep`, which
    /// leaves it alone.
    #[serde(default, skip_serializing_if = "UnitPrice::is_markup")]
    pub unit_price: UnitPrice,
    /// Digits after the point of the unit price, 0 to 4; those of the currency where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<Decimals>,
    /// The currency of `fixed`, ISO 4217; that of each contract where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "EUR")]
    pub currency: Option<Currency>,
}

/// What becomes of the unit price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnitPrice {
    /// It is the unit cost with the markup that applies; where none does, it is left alone.
    #[default]
    Markup,
    /// It is left alone.
    Keep,
}

impl UnitPrice {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_markup(&self) -> bool {
        *self == Self::Markup
    }
}

/// 0 to 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "u32", into = "u32")]
#[schema(value_type = u32, minimum = 0, maximum = 4)]
pub struct Decimals(u32);

impl TryFrom<u32> for Decimals {
    type Error = &'static str;
    fn try_from(digits: u32) -> Result<Self, Self::Error> {
        if digits <= 4 { Ok(Self(digits)) } else { Err("must be from 0 to 4") }
    }
}

impl From<Decimals> for u32 {
    fn from(decimals: Decimals) -> Self {
        decimals.0
    }
}

/// Where a unit cost comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnitCost {
    /// The usage snapshot's.
    FromUsage,
    /// The mapping's own.
    Fixed,
    /// None is written.
    None,
}

impl Price {
    /// What contradicts itself in the price, by field.
    #[must_use]
    pub fn contradictions(&self) -> Vec<(&'static str, &'static str)> {
        let mut found = Vec::new();
        if self.unit_cost == UnitCost::Fixed && self.fixed.is_none() {
            found.push(("fixed", "is needed where unit_cost is fixed"));
        }
        if self.unit_cost != UnitCost::Fixed && self.fixed.is_some() {
            found.push(("fixed", "is only for a unit_cost that is fixed"));
        }
        if self.unit_cost == UnitCost::None && self.markup_percent.is_some() {
            found.push(("markup_percent", "needs a unit_cost to add to"));
        }
        if self.unit_price == UnitPrice::Keep && self.markup_percent.is_some() {
            found.push(("markup_percent", "is not for a unit_price that is kept"));
        }
        if self.unit_price == UnitPrice::Keep && self.decimals.is_some() {
            found.push(("decimals", "is not for a unit_price that is kept"));
        }
        if self.unit_cost != UnitCost::Fixed && self.currency.is_some() {
            found.push(("currency", "is only for a unit_cost that is fixed"));
        }
        found
    }

    /// How a line is priced by it, with the connection's markup where it names none. `None`: prices are left alone.
    #[must_use]
    pub fn pricing(&self, default: Option<Markup>) -> Option<Pricing> {
        let fixed = match self.unit_cost {
            UnitCost::None => return None,
            UnitCost::Fixed => Some(self.fixed?.get()),
            UnitCost::FromUsage => None,
        };
        let markup = match self.unit_price {
            UnitPrice::Markup => self.markup_percent.or(default),
            UnitPrice::Keep => None,
        };
        Some(Pricing { fixed, markup, digits: self.decimals.map(u32::from), currency: self.currency.clone() })
    }
}

/// Which account and contract bill a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct CompanyMapping {
    /// The partner's customer.
    #[schema(value_type = String)]
    pub company: CompanyId,
    /// The same customer in the PSA.
    #[schema(value_type = String)]
    pub account_id: AccountId,
    /// Its recurring service contract.
    #[schema(value_type = String)]
    pub contract_id: ContractId,
    /// What is different for single products.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Override>)]
    pub overrides: BTreeMap<ProductKey, Override>,
    /// The opening units on record, by product. Made by the server from `opening_units` of the overrides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = std::collections::HashMap<String, Opening>, read_only)]
    pub openings: BTreeMap<ProductKey, Opening>,
    /// What its absence from a complete snapshot means.
    pub when_absent: WhenAbsent,
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

tolerant!(CompanyMapping, |path: &[&str]| match path {
    ["overrides", _, ..] => Some(StandIn::Nothing),
    ["when_absent"] => Some(StandIn::Value("hold".into())),
    _ => None,
});

/// What is different for one product of a company.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Another contract of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub contract_id: Option<ContractId>,
    /// Another service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub service_id: Option<ServiceId>,
    /// Another rule, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// Another price, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// The product is not billed for this company.
    #[serde(default, skip_serializing_if = "is_false")]
    pub excluded: bool,
    /// Units that the line carries, where the PSA does not show them (Kaseya BMS); of Autotask they are read. A statement
    /// of the moment in which it is sent first: it is put on record in the mapping's `openings`, and the same number sent
    /// again for the same line is the same statement. Take it out and send it again to state the same number anew. A
    /// product that is not mapped and names no service here has no line to state units of: map the product first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    pub opening_units: Option<Units>,
}

/// A person's word on what a line carries, where the PSA does not show it. Made once, and not again by a change of the
/// mapping that has nothing to do with it: units that were written since are not forgotten for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Opening {
    /// What the line carried at that moment.
    #[schema(value_type = u32)]
    pub units: Units,
    /// The line, as the mappings named it at that moment.
    #[schema(value_type = Object, example = json!({"contract": "29680014", "service": "17"}))]
    pub line: LineKey,
    /// When it was stated.
    #[schema(value_type = String, format = DateTime)]
    pub stated_at: Timestamp,
}

impl Opening {
    /// Whether it says the same of the same line, at whatever time.
    pub(super) fn repeats(&self, earlier: &Self) -> bool {
        self.units == earlier.units && self.line == earlier.line
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
