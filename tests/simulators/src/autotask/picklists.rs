//! The picklists whose numbers nobody may rely on: what a billing code is used for, what a charge is, what a company is.
//!
//! Owns their numbers and labels under each setting of [`Picklists`], and how rows are numbered by them. A client finds a
//! number by its label, so the labels are as different from each other as tenants' are known or documented to be.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::entity::Entity;
use super::world::World;

/// Which numbers and labels the tenant has for `useType`, `chargeType` and `companyType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Picklists {
    /// As public clients list them: material 4, recurring service 5, operational 1, vendor 7.
    #[default]
    Seen,
    /// Other numbers, and the shorter labels of the help pages.
    Others,
}

/// What a billing code is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeUse {
    /// Labour.
    General,
    /// Expenses.
    Expense,
    /// The provider's own time.
    Internal,
    /// Charges and products.
    Material,
    /// Recurring services.
    Recurring,
    /// Milestones.
    Milestone,
}

type Picks = &'static [(&'static str, &'static str)];

impl Picklists {
    pub(super) const fn code_uses(self) -> Picks {
        match self {
            Self::Seen => &[
                ("1", "General Allocation Code"),
                ("2", "Expense Code"),
                ("3", "Internal Allocation Code"),
                ("4", "Material Cost Code"),
                ("5", "Recurring Contract Service Code"),
                ("6", "Milestone Code"),
            ],
            Self::Others => &[
                ("1", "Work Type"),
                ("2", "Material Code"),
                ("3", "Internal Time"),
                ("4", "Recurring Contract Service"),
                ("5", "Milestone"),
                ("6", "Expense"),
            ],
        }
    }

    pub(super) const fn charge_types(self) -> Picks {
        match self {
            Self::Seen => &[("1", "Operational"), ("2", "Capitalized")],
            Self::Others => &[("1", "Capitalized"), ("2", "Operational")],
        }
    }

    pub(super) const fn company_types(self) -> Picks {
        match self {
            Self::Seen => &[("1", "Customer"), ("2", "Lead"), ("3", "Prospect"), ("7", "Vendor")],
            Self::Others => &[("1", "Customer"), ("2", "Prospect"), ("4", "vendor"), ("7", "Lead")],
        }
    }

    /// The number of a use of billing codes.
    pub(super) const fn code_use(self, of: CodeUse) -> i64 {
        match (self, of) {
            (_, CodeUse::General) => 1,
            (_, CodeUse::Internal) => 3,
            (Self::Seen, CodeUse::Expense) | (Self::Others, CodeUse::Material) => 2,
            (Self::Seen, CodeUse::Material) | (Self::Others, CodeUse::Recurring) => 4,
            (Self::Seen, CodeUse::Recurring) | (Self::Others, CodeUse::Milestone) => 5,
            (Self::Seen, CodeUse::Milestone) | (Self::Others, CodeUse::Expense) => 6,
        }
    }

    const fn company_type(self, vendor: bool) -> i64 {
        match (self, vendor) {
            (_, false) => 1,
            (Self::Seen, true) => 7,
            (Self::Others, true) => 4,
        }
    }

    /// Puts this setting's list in the place of the default one in an entity's field metadata.
    pub(super) fn relist(self, entity: Entity, fields: &mut Value) {
        let (name, picks) = match entity {
            Entity::BillingCodes => ("useType", self.code_uses()),
            Entity::ContractCharges => ("chargeType", self.charge_types()),
            Entity::Companies => ("companyType", self.company_types()),
            _ => return,
        };
        for field in fields.as_array_mut().into_iter().flatten().filter(|field| field["name"] == name) {
            field["picklistValues"] = values(picks);
        }
    }
}

/// A picklist as field metadata shows it.
pub(super) fn values(picks: Picks) -> Value {
    picks
        .iter()
        .zip(1..)
        .map(|((value, label), order): (_, i64)| {
            json!({
                "value": value, "label": label, "isDefaultValue": false, "sortOrder": order,
                "parentValue": "", "isActive": true, "isSystem": true,
            })
        })
        .collect()
}

impl World {
    /// Numbers rows by the tenant's picklists. Cheap where they are numbered so already.
    pub(super) fn number(&mut self, picklists: Picklists) {
        if self.numbered == Some(picklists) {
            return;
        }
        for code in self.billing_codes.values_mut() {
            code.use_type = picklists.code_use(code.used_for);
        }
        for company in self.companies.values_mut() {
            company.kind = picklists.company_type(company.vendor);
        }
        self.numbered = Some(picklists);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_beside_the_label_of_its_use() {
        for (picklists, of, label) in [
            (Picklists::Seen, CodeUse::Material, "Material Cost Code"),
            (Picklists::Seen, CodeUse::Recurring, "Recurring Contract Service Code"),
            (Picklists::Seen, CodeUse::Expense, "Expense Code"),
            (Picklists::Others, CodeUse::Material, "Material Code"),
            (Picklists::Others, CodeUse::Recurring, "Recurring Contract Service"),
            (Picklists::Others, CodeUse::Milestone, "Milestone"),
        ] {
            let number = picklists.code_use(of).to_string();
            let found = picklists.code_uses().iter().find(|(value, _)| *value == number);
            assert_eq!(found.map(|(_, found)| *found), Some(label));
        }
        for picklists in [Picklists::Seen, Picklists::Others] {
            let number = picklists.company_type(true).to_string();
            let found = picklists.company_types().iter().find(|(value, _)| *value == number);
            assert!(found.is_some_and(|(_, label)| label.eq_ignore_ascii_case("vendor")));
        }
    }
}
