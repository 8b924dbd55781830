//! Pax8's answers, as its OpenAPI has them; what is not read here is left out. Unknown statuses are tolerated: the documented
//! examples have some that the list of them lacks.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Number;

use crate::domain::amount::Amount;
use crate::domain::ids::CompanyId;
use crate::domain::money::Currency;
use crate::sources::Filters;

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

/// What a list has rows of.
pub(super) trait Listed {
    /// The list, for people.
    const LIST: &'static str;
    const PATH: &'static str;
    /// The order in which it is asked for.
    const SORT: &'static str;

    /// Its id among all of its kind.
    fn id(&self) -> &str;
}

impl Listed for Company {
    const LIST: &'static str = "Pax8's list of companies";
    const PATH: &'static str = "/v1/companies";
    const SORT: &'static str = "name,asc";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}

impl Listed for Subscription {
    const LIST: &'static str = "Pax8's list of subscriptions";
    const PATH: &'static str = "/v1/subscriptions";
    /// By rising day of creation one that is made meanwhile comes last.
    const SORT: &'static str = "createdDate,asc";

    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Company {
    pub(super) id: CompanyId,
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
    id: String,
    pub(super) company_id: CompanyId,
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

    /// Whether it counts on `today`, a trial by the partner's choice. A status that nobody knows is no reason to lower a count.
    pub(super) fn counts(&self, filters: &Filters, today: Date) -> bool {
        self.runs(today) && (!self.is_trial() || filters.trials.unwrap_or_default())
    }

    fn is_trial(&self) -> bool {
        [&self.status, &self.billing_term].into_iter().flatten().any(|text| text.eq_ignore_ascii_case("trial"))
    }

    fn runs(&self, today: Date) -> bool {
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

    /// What one costs the partner in a month. The cost of a longer term is that of the term (unconfirmed): it is divided where
    /// that is exact, and left out where it is not.
    pub(super) fn monthly_cost(&self) -> Option<(Amount, Currency)> {
        let months = match self.billing_term.as_deref()?.to_ascii_lowercase().as_str() {
            "monthly" => 1,
            "annual" => 12,
            "2-year" => 24,
            "3-year" => 36,
            _ => return None,
        };
        let (cost, months) =
            (Decimal::from_str_exact(&self.partner_cost.as_ref()?.to_string()).ok()?, Decimal::from(months));
        let monthly = cost.checked_div(months)?;
        let is_exact = monthly.checked_mul(months)? == cost;
        let monthly: Amount = monthly.normalize().to_string().parse().ok().filter(|_| is_exact)?;
        Some((monthly, self.currency_code.as_deref()?.parse().ok()?))
    }

    /// The last day of its commitment, where it has one on `today` that binds: a trial's does not.
    pub(super) fn owed_until(&self, today: Date) -> Option<Date> {
        let end = day(self.commitment_term.as_ref()?.end_date.as_deref()?);
        end.filter(|_| self.runs(today) && !self.is_trial())
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

    const TODAY: Date = date(2026, 11, 23);

    #[test]
    fn a_page_of_companies_is_read_as_it_is_documented() {
        let page: Paged<Company> = serde_json::from_str(include_str!("samples/companies.json")).unwrap();
        assert_eq!((page.page.total_elements, page.page.next()), (65, Some(1)));
        let told: Vec<_> = page.content.iter().map(|found| (found.name.as_str(), found.is_deleted())).collect();
        assert_eq!(told, [("Hafenkontor Nord GmbH", false), ("Gut Sonnenberg", false), ("Alte Mühle KG", true)]);
    }

    #[test]
    fn a_page_of_subscriptions_is_read_as_it_is_documented() {
        let page: Paged<Subscription> = serde_json::from_str(include_str!("samples/subscriptions.json")).unwrap();
        assert_eq!((page.page.total_elements, page.page.next()), (3, None));
        let usual = Filters::default();
        let told: Vec<_> = page
            .content
            .iter()
            .map(|found| (found.quantity(), found.counts(&usual, TODAY), found.owed_until(TODAY)))
            .collect();
        assert_eq!(told, [(Some(5), true, None), (Some(12), true, Some(date(2027, 5, 31))), (Some(1), true, None)]);
        assert_eq!(page.content[1].monthly_cost(), cost("11.39"));
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
        let counts = |status: &str, start: &str| {
            subscription(&format!(r#", "status": "{status}", "billingStart": "{start}""#))
                .counts(&Filters::default(), TODAY)
        };
        for status in ["PendingManual", "PendingAutomated", "WaitingForDetails", "PendingActivation", "Pending"] {
            assert!(counts(status, "2026-11-23"), "{status}");
            assert!(!counts(status, "2026-11-24") && !counts(status, ""), "{status}");
        }
        for status in ["Active", "Activated", "PendingCancel", "OfTomorrow"] {
            assert!(counts(status, ""), "{status}");
        }
        assert!(!counts("Cancelled", "2020-01-01") && !counts("Converted", "2020-01-01"));
    }

    #[test]
    fn a_quantity_is_whole_or_none() {
        for (json, quantity) in [("5", Some(5)), ("5.0", Some(5)), ("-1", Some(-1)), ("2.5", None), ("null", None)] {
            assert_eq!(subscription(&format!(r#", "quantity": {json}"#)).quantity(), quantity, "{json}");
        }
    }

    #[test]
    fn a_trial_counts_where_the_partner_chose_so() {
        for trial in [r#", "status": "Trial""#, r#", "status": "Active", "billingTerm": "Trial""#] {
            for (trials, counts) in [(None, false), (Some(false), false), (Some(true), true)] {
                let filters = Filters { trials, ..Filters::default() };
                assert_eq!(subscription(trial).counts(&filters, TODAY), counts, "{trial} {trials:?}");
            }
        }
    }

    fn cost(amount: &str) -> Option<(Amount, Currency)> {
        Some((amount.parse().unwrap(), "USD".parse().unwrap()))
    }

    #[test]
    fn a_cost_is_exact_and_of_a_month() {
        let of = |term: &str, amount: &str| {
            let rest = format!(r#", "partnerCost": {amount}, "currencyCode": "USD", "billingTerm": "{term}""#);
            subscription(&rest).monthly_cost()
        };
        for (term, amount, monthly) in [
            ("Monthly", "11.39", "11.39"),
            ("Annual", "120", "10"),
            ("Annual", "100.05", "8.3375"),
            ("2-Year", "240.12", "10.005"),
            ("3-Year", "360", "10"),
            ("Monthly", "12.0", "12"),
        ] {
            assert_eq!(of(term, amount), cost(monthly), "{term} {amount}");
        }
        for (term, amount) in
            [("Annual", "100"), ("3-Year", "11.39"), ("One-Time", "12"), ("Trial", "0"), ("Monthly", "-1")]
        {
            assert_eq!(of(term, amount), None, "{term} {amount}");
        }
        assert_eq!(subscription(r#", "partnerCost": 11.39, "billingTerm": "Monthly""#).monthly_cost(), None);
    }

    #[test]
    fn days_come_in_several_forms() {
        for end in ["2027-01-09", "2027-01-09T08:30:00Z", "2027-01-09T11:33:12.314-0600"] {
            let found = subscription(&format!(r#", "commitmentTerm": {{"term": "1-Year", "endDate": "{end}"}}"#));
            assert_eq!(found.owed_until(TODAY), Some(date(2027, 1, 9)), "{end}");
        }
        assert_eq!(subscription(r#", "commitmentTerm": null"#).owed_until(TODAY), None);
    }
}
