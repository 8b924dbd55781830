//! A subscription as Partner Center shows it.

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What was bought, and how many of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// A UUID.
    pub id: String,
    /// `product:sku:availability` in new commerce, a UUID in the legacy one.
    pub offer_id: String,
    /// What it is called.
    pub offer_name: String,
    /// How many.
    pub quantity: u32,
    /// `Licenses`, `Usage-based` and so on: of the others `quantity` is no number of seats.
    pub unit_type: String,
    /// `active`, `suspended`, `deleted` and so on.
    pub status: String,
    /// `P1M`, `P1Y` or `P3Y`; none where nothing was agreed on.
    #[serde(default)]
    pub term: Option<String>,
    /// The end of that: its last day in new commerce, the day after it in the legacy one.
    #[serde(default)]
    pub commitment_end: Option<Date>,
    /// Whether it is on trial.
    #[serde(default)]
    pub is_trial: bool,
}

impl Subscription {
    /// So many licences, in use and bound by nothing.
    #[must_use]
    pub fn new(id: impl Into<String>, offer_id: &str, offer_name: &str, quantity: u32) -> Self {
        Self {
            id: id.into(),
            offer_id: offer_id.to_owned(),
            offer_name: offer_name.to_owned(),
            quantity,
            unit_type: "Licenses".to_owned(),
            status: "active".to_owned(),
            term: None,
            commitment_end: None,
            is_trial: false,
        }
    }

    /// Bound for `term`, until `end`.
    #[must_use]
    pub fn bound(self, term: &str, end: Date) -> Self {
        Self { term: Some(term.to_owned()), commitment_end: Some(end), ..self }
    }

    /// As the list of a customer's subscriptions shows it. Where there is no term, its end is far away.
    pub(crate) fn listed(&self) -> Value {
        let end = self.commitment_end.unwrap_or(date(9999, 12, 31));
        json!({
            "id": self.id,
            "offerId": self.offer_id,
            "offerName": self.offer_name,
            "friendlyName": self.offer_name,
            "quantity": self.quantity,
            "unitType": self.unit_type,
            "creationDate": "2026-01-10T00:00:00Z",
            "effectiveStartDate": "2026-01-10T00:00:00Z",
            "commitmentEndDate": format!("{end}T00:00:00Z"),
            "status": self.status,
            "autoRenewEnabled": !self.is_trial,
            "billingType": if self.unit_type == "Licenses" { "license" } else { "usage" },
            "billingCycle": "monthly",
            "termDuration": self.term,
            "isTrial": self.is_trial,
            "isMicrosoftProduct": true,
            "publisherName": "Microsoft",
            "attributes": { "objectType": "Subscription" },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_has_its_end_and_none_has_one_far_away() {
        let bought = Subscription::new("s", "CFQ7TTC0LFLX:0001:CFQ7TTC0K9GJ", "Microsoft 365 E3", 25);
        assert_eq!(bought.listed()["commitmentEndDate"], "9999-12-31T00:00:00Z");
        let bound = bought.bound("P1Y", date(2027, 1, 9)).listed();
        assert_eq!(
            (&bound["commitmentEndDate"], &bound["termDuration"]),
            (&json!("2027-01-09T00:00:00Z"), &json!("P1Y"))
        );
    }
}
