//! What a service is made with that a partner's catalogue lacks: said in the mapping of its product, word by word.
//!
//! Names are the PSA's own, exactly as it spells them; whether there are such a vendor and such a billing code is the PSA's
//! to say. While the service is not made, its lines are known by a name in the place of its id, which no PSA gives to any.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::amount::Amount;
use super::ids::{ProductKey, ServiceId};
use super::money::Money;
use super::period::PeriodType;

/// The longest name of a service, in characters. (Autotask's field.)
pub const LONGEST_NAME: usize = 150;
/// The longest description of one.
pub const LONGEST_DESCRIPTION: usize = 400;
/// The longest name of a vendor or of a billing code.
const LONGEST_OTHER: usize = 200;

/// How a service that is not in the catalogue is to be made. Amounts are in the currency of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Provision {
    /// What it is called, 1 to 150 characters. A service of exactly this name is used in its place where there is one.
    pub name: String,
    /// Whom it is bought from: exactly the name of an active vendor in the PSA. Without it the service has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Exactly the name of an active billing code for recurring services.
    pub billing_code: String,
    /// How often it is billed: `monthly`, `quarterly`, `semi_annual` or `yearly`.
    #[schema(value_type = String, example = "monthly")]
    pub period: PeriodType,
    /// What a unit costs the partner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "3.00")]
    pub unit_cost: Option<Amount>,
    /// What a unit is sold for.
    #[schema(value_type = String, example = "5.00")]
    pub unit_price: Amount,
    /// More about it, at most 400 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Provision {
    /// What can't stand in it, by field.
    #[must_use]
    pub fn contradictions(&self) -> Vec<(&'static str, &'static str)> {
        let of = |text: &str, longest: usize| {
            let sound = text.trim() == text && !text.chars().any(char::is_control);
            sound && (1..=longest).contains(&text.chars().count())
        };
        let mut found = Vec::new();
        if !of(&self.name, LONGEST_NAME) {
            found.push(("name", "must be 1 to 150 characters without blanks at its ends"));
        }
        if self.vendor.as_ref().is_some_and(|vendor| !of(vendor, LONGEST_OTHER)) {
            found.push(("vendor", "must be 1 to 200 characters without blanks at its ends"));
        }
        if !of(&self.billing_code, LONGEST_OTHER) {
            found.push(("billing_code", "must be 1 to 200 characters without blanks at its ends"));
        }
        if self.description.as_ref().is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
            found.push(("description", "must be at most 400 characters"));
        }
        found
    }

    /// What a unit costs, where that is said.
    #[must_use]
    pub fn cost(&self) -> Option<Money> {
        self.unit_cost.map(|cost| Money::new(cost.get()))
    }

    /// What a unit is sold for.
    #[must_use]
    pub fn price(&self) -> Money {
        Money::new(self.unit_price.get())
    }

    /// What is made, with everything that it is made with.
    #[must_use]
    pub fn in_words(&self) -> String {
        let vendor = self.vendor.as_ref().map_or("no vendor".to_owned(), |vendor| format!("vendor \"{vendor}\""));
        let cost = self.cost().map_or("no unit cost".to_owned(), |cost| format!("unit cost {cost}"));
        let period = match self.period {
            PeriodType::Monthly => "monthly",
            PeriodType::Quarterly => "quarterly",
            PeriodType::SemiAnnual => "every six months",
            PeriodType::Yearly => "yearly",
        };
        let described = self.description.as_ref().filter(|text| !text.is_empty());
        let described = described.map_or(String::new(), |text| format!(", description \"{text}\""));
        let Self { name, billing_code, .. } = self;
        let price = self.price();
        format!(
            "service \"{name}\" ({vendor}, billing code \"{billing_code}\", billed {period}, {cost}, unit price \
             {price}{described})"
        )
    }
}

const UNMADE: &str = "new.";

impl ServiceId {
    /// What stands for the service of `product` until it is made. `None`: the product's key is too long for it.
    #[must_use]
    pub fn unmade(product: &ProductKey) -> Option<Self> {
        format!("{UNMADE}{product}").parse().ok()
    }

    /// Whether it stands for a service that is not made.
    #[must_use]
    pub fn is_unmade(&self) -> bool {
        self.as_str().starts_with(UNMADE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provision() -> Provision {
        let said = serde_json::json!({
            "name": "Endpoint protection", "vendor": "Hunter", "billing_code": "Recurring", "period": "monthly",
            "unit_cost": "3", "unit_price": "5",
        });
        serde_json::from_value(said).unwrap()
    }

    #[test]
    fn what_is_made_is_told_with_everything_that_it_is_made_with() {
        let told = "service \"Endpoint protection\" (vendor \"Hunter\", billing code \"Recurring\", billed monthly, \
                    unit cost 3.00, unit price 5.00)";
        assert_eq!(provision().in_words(), told);
        // Whatever differs shows: what was approved is compared by these words.
        let other = |change: fn(&mut Provision)| {
            let mut other = provision();
            change(&mut other);
            other.in_words()
        };
        let changes: [fn(&mut Provision); 7] = [
            |p| p.name.push('s'),
            |p| p.vendor = None,
            |p| p.billing_code.push('s'),
            |p| p.period = PeriodType::Yearly,
            |p| p.unit_cost = None,
            |p| p.unit_price = "5.01".parse().unwrap(),
            |p| p.description = Some("EDR".into()),
        ];
        for (index, change) in changes.into_iter().enumerate() {
            assert_ne!(other(change), told, "change {index}");
        }
    }

    #[test]
    fn names_that_no_psa_can_hold_are_told_by_field() {
        assert_eq!(provision().contradictions(), []);
        let faulty = Provision {
            name: " x".into(),
            vendor: Some(String::new()),
            billing_code: "a\nb".into(),
            description: Some("x".repeat(401)),
            ..provision()
        };
        let fields: Vec<_> = faulty.contradictions().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["name", "vendor", "billing_code", "description"]);
        assert_eq!(Provision { name: "x".repeat(151), ..provision() }.contradictions().len(), 1);
    }

    #[test]
    fn an_unmade_service_is_told_from_every_id() {
        assert!(ServiceId::unmade(&"edr".parse().unwrap()).unwrap().is_unmade());
        assert!(!"501".parse::<ServiceId>().unwrap().is_unmade());
        assert_eq!(ServiceId::unmade(&"x".repeat(128).parse().unwrap()), None);
    }
}
