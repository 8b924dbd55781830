//! Pax8's answers, as its OpenAPI has them; what is not read here is left out. Unknown statuses are tolerated: the documented
//! examples have some that the list of them lacks.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Number;

use crate::domain::amount::Amount;
use crate::domain::money::Currency;

/// A page of anything.
#[derive(Debug, Deserialize)]
pub(super) struct Paged<T> {
    pub(super) content: Vec<T>,
    pub(super) page: Page,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub(super) total_elements: u64,
    total_pages: u64,
    /// From zero.
    pub(super) number: u64,
}

impl Page {
    /// The number of the page after it; `None` on the last.
    pub(super) fn next(&self) -> Option<u64> {
        self.number.checked_add(1).filter(|next| *next < self.total_pages)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Company {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    status: Option<String>,
}

impl Company {
    /// Whether it was deleted; an inactive one only lacks a contact.
    pub(super) fn is_deleted(&self) -> bool {
        self.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("deleted"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) company_id: String,
    #[serde(default)]
    product_id: Option<String>,
    #[serde(default)]
    vendor_sku_id: Option<String>,
    /// By the OpenAPI any number; in the examples whole ones.
    #[serde(default)]
    quantity: Option<Number>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    billing_term: Option<String>,
    #[serde(default)]
    billing_start: Option<String>,
    #[serde(default)]
    partner_cost: Option<Number>,
    #[serde(default)]
    currency_code: Option<String>,
    #[serde(default)]
    commitment_term: Option<CommitmentTerm>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommitmentTerm {
    #[serde(default)]
    end_date: Option<String>,
}

impl Subscription {
    /// Whether `name` names what was bought, by Pax8's id of it or the vendor's.
    pub(super) fn is_of(&self, name: &str) -> bool {
        [&self.product_id, &self.vendor_sku_id].into_iter().flatten().any(|id| id.eq_ignore_ascii_case(name))
    }

    pub(super) fn is_trial(&self) -> bool {
        [&self.status, &self.billing_term].into_iter().flatten().any(|text| text.eq_ignore_ascii_case("trial"))
    }

    /// Whether it is paid for on `today`. A status that nobody knows is no reason to lower a count.
    pub(super) fn runs(&self, today: Date) -> bool {
        match self.status.as_deref().unwrap_or_default().to_ascii_lowercase().as_str() {
            // What a trial was converted to is a subscription of its own (unconfirmed).
            "cancelled" | "converted" => false,
            "pendingcancel" => true,
            // A change that waits to be carried out may look like a beginning that does: once billed, it counts.
            status if status.starts_with("pending") || status == "waitingfordetails" => {
                self.billing_start.as_deref().and_then(day).is_some_and(|start| start <= today)
            }
            _ => true,
        }
    }

    /// Whole units; `None` where it is no whole number. `5.0` is one.
    pub(super) fn quantity(&self) -> Option<i64> {
        let text = self.quantity.as_ref()?.to_string();
        text.strip_suffix(".0").unwrap_or(&text).parse().ok()
    }

    /// What one costs the partner in a month. The cost of a longer term is that of the term, and no PSA's line is billed by it.
    pub(super) fn monthly_cost(&self) -> Option<(Amount, Currency)> {
        self.billing_term.as_deref().filter(|term| term.eq_ignore_ascii_case("monthly"))?;
        let cost: Amount = self.partner_cost.as_ref()?.to_string().parse().ok()?;
        Some((cost, self.currency_code.as_deref()?.parse().ok()?))
    }

    /// The last day of its commitment.
    pub(super) fn committed_until(&self) -> Option<Date> {
        day(self.commitment_term.as_ref()?.end_date.as_deref()?)
    }
}

/// Dates come alone, with a time, and with an offset that has no colon: the first ten characters count.
fn day(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn subscription(more: &str) -> Subscription {
        let json =
            format!(r#"{{"id": "s", "companyId": "c", "productId": "1810AEA9", "vendorSkuId": "CFQ7:0001"{more}}}"#);
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_page_knows_its_successor_and_the_last_one_has_none() {
        let page = |number: u64, pages: u64| Page { total_elements: 65, total_pages: pages, number };
        assert_eq!(
            [page(0, 7), page(5, 7), page(6, 7), page(0, 0)].map(|page| page.next()),
            [Some(1), Some(6), None, None]
        );
    }

    #[test]
    fn a_subscription_is_known_by_the_id_of_pax8_or_of_the_vendor() {
        let found = subscription("");
        assert!(found.is_of("1810aea9") && found.is_of("CFQ7:0001"));
        assert!(!found.is_of("CFQ7") && !found.is_of(""));
    }

    #[test]
    fn what_waits_counts_from_its_first_bill_and_what_nobody_knows_at_once() {
        let runs = |status: &str, start: &str| {
            subscription(&format!(r#", "status": "{status}", "billingStart": "{start}""#)).runs(date(2026, 11, 23))
        };
        for status in ["PendingManual", "PendingAutomated", "WaitingForDetails", "PendingActivation", "Pending"] {
            assert!(runs(status, "2026-11-23"), "{status}");
            assert!(!runs(status, "2026-11-24") && !runs(status, ""), "{status}");
        }
        for status in ["Active", "Activated", "PendingCancel", "Trial", "OfTomorrow"] {
            assert!(runs(status, ""), "{status}");
        }
        assert!(!runs("Cancelled", "2020-01-01") && !runs("Converted", "2020-01-01"));
    }

    #[test]
    fn a_quantity_is_whole_or_none() {
        for (json, quantity) in [("5", Some(5)), ("5.0", Some(5)), ("-1", Some(-1)), ("2.5", None), ("null", None)] {
            assert_eq!(subscription(&format!(r#", "quantity": {json}"#)).quantity(), quantity, "{json}");
        }
    }

    #[test]
    fn a_cost_is_exact_and_of_a_month() {
        let of = |term: &str| format!(r#", "partnerCost": 11.39, "currencyCode": "USD", "billingTerm": "{term}""#);
        let cost: Option<(Amount, Currency)> = Some(("11.39".parse().unwrap(), "USD".parse().unwrap()));
        assert_eq!(subscription(&of("Monthly")).monthly_cost(), cost);
        assert_eq!(subscription(&of("Annual")).monthly_cost(), None);
        assert_eq!(subscription(r#", "partnerCost": 11.39, "billingTerm": "Monthly""#).monthly_cost(), None);
    }

    #[test]
    fn days_come_in_several_forms() {
        for end in ["2027-01-09", "2027-01-09T08:30:00Z", "2027-01-09T11:33:12.314-0600"] {
            let found = subscription(&format!(r#", "commitmentTerm": {{"term": "1-Year", "endDate": "{end}"}}"#));
            assert_eq!(found.committed_until(), Some(date(2027, 1, 9)), "{end}");
        }
        assert_eq!(subscription(r#", "commitmentTerm": null"#).committed_until(), None);
    }
}
