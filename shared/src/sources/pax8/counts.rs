//! Which of Pax8's numbers is which metric. Metrics name what they count: `quantity:{productId}`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::VENDOR;
use super::wire::Subscription;
use crate::domain::amount::Amount;
use crate::domain::ids::CompanyId;
use crate::domain::money::Currency;
use crate::domain::units::Units;
use crate::sources::microsoft::commitments;
use crate::sources::{Metric, Row, SourceError};

/// A wanted metric, and what it is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked<'w> {
    pub(super) metric: &'w Metric,
    /// Whether trials are counted; if not, they are left out.
    trials: bool,
    /// Pax8's id of a product, or the vendor's of a SKU.
    of: &'w str,
}

/// Those of `wanted` that are counted here.
pub(super) fn asked(wanted: &BTreeSet<Metric>) -> Vec<Asked<'_>> {
    wanted.iter().filter_map(asked_by).collect()
}

fn asked_by(metric: &Metric) -> Option<Asked<'_>> {
    let (counted, of) = metric.as_str().split_once(':')?;
    let trials = match counted {
        "quantity" => false,
        "trials" => true,
        _ => return None,
    };
    (!of.is_empty()).then_some(Asked { metric, trials, of })
}

/// What all subscriptions tell of each metric: a row for each company that has one to it, a zero where none of them runs.
pub(super) fn rows(asked: &[Asked<'_>], all: &[Subscription], today: Date) -> Result<Vec<Row>, SourceError> {
    let mut by_company = BTreeMap::<&str, Vec<&Subscription>>::new();
    for subscription in all {
        by_company.entry(&subscription.company_id).or_default().push(subscription);
    }
    let mut rows = Vec::new();
    for (company, all) in by_company {
        for asked in asked {
            let of = |found: &&Subscription| found.is_trial() == asked.trials && found.is_of(asked.of);
            let found: Vec<&Subscription> = all.iter().copied().filter(of).collect();
            if !found.is_empty() {
                rows.push(row(company, asked, &found, today)?);
            }
        }
    }
    Ok(rows)
}

/// Several subscriptions of one company to one thing, together.
fn row(company: &str, asked: &Asked<'_>, found: &[&Subscription], today: Date) -> Result<Row, SourceError> {
    let company: Result<CompanyId, _> = company.parse();
    let company = company.map_err(|_| SourceError::unreadable(VENDOR, "a company has no usable id"))?;
    let running: Vec<&Subscription> = found.iter().copied().filter(|found| found.runs(today)).collect();
    let (mut quantity, mut bound) = (Units::ZERO, Vec::new());
    for subscription in &running {
        let units = units(subscription)?;
        quantity = quantity.checked_add(units).ok_or_else(no_count)?;
        // A trial binds nobody.
        bound.extend(subscription.committed_until().filter(|_| !asked.trials).map(|day| (units, day)));
    }
    let (unit_cost, currency) = cost(&running).unzip();
    let committed = commitments::together(bound, today);
    Ok(Row { unit_cost, currency, committed, ..Row::of(company, asked.metric.as_str(), quantity) })
}

/// What one costs, where it is the same for all of them: a mean would be nobody's cost.
fn cost(running: &[&Subscription]) -> Option<(Amount, Currency)> {
    let (first, others) = running.split_first()?;
    let cost = first.monthly_cost()?;
    others.iter().all(|other| other.monthly_cost().as_ref() == Some(&cost)).then_some(cost)
}

fn units(subscription: &Subscription) -> Result<Units, SourceError> {
    subscription.quantity().and_then(|count| Units::try_from(count).ok()).ok_or_else(no_count)
}

fn no_count() -> SourceError {
    SourceError::unreadable(VENDOR, "a quantity is no number of seats")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::wire::Paged;
    use super::*;

    const TODAY: Date = date(2026, 11, 23);

    fn wanted<const N: usize>(names: [&str; N]) -> BTreeSet<Metric> {
        names.map(Metric::from).into()
    }

    fn page(content: &str) -> Vec<Subscription> {
        let page = r#""page": {"size": 200, "totalElements": 5, "totalPages": 1, "number": 0}"#;
        serde_json::from_str::<Paged<Subscription>>(&format!(r#"{{"content": [{content}], {page}}}"#)).unwrap().content
    }

    fn subscription(company: &str, quantity: &str, more: &str) -> String {
        format!(
            r#"{{"id": "{company}{quantity}{}", "companyId": "{company}", "productId": "p1", "quantity": {quantity}, "price": 15,
                "startDate": "2021-01-01T08:30:00Z", "productName": "Microsoft 365 E3", "currencyCode": "USD"{more}}}"#,
            more.len()
        )
    }

    const ACTIVE: &str = r#", "status": "Active", "billingTerm": "Monthly", "partnerCost": 11.39"#;

    fn told(rows: &[Row]) -> Vec<(&str, &str, u32)> {
        rows.iter().map(|row| (row.company.as_str(), row.metric.as_str(), row.quantity.get())).collect()
    }

    fn of(content: &[String]) -> Vec<Row> {
        rows(&asked(&wanted(["quantity:p1", "quantity:p2"])), &page(&content.join(", ")), TODAY).unwrap()
    }

    #[test]
    fn subscriptions_of_one_company_to_one_product_are_summed_and_other_companies_are_not_mixed_in() {
        let rows =
            of(&[subscription("a", "5", ACTIVE), subscription("b", "1", ACTIVE), subscription("a", "7", ACTIVE)]);
        assert_eq!(told(&rows), [("a", "quantity:p1", 12), ("b", "quantity:p1", 1)]);
        assert_eq!((rows[0].unit_cost, rows[0].currency.clone()), ("11.39".parse().ok(), "USD".parse().ok()));
    }

    #[test]
    fn costs_that_differ_are_no_cost() {
        let dearer = r#", "status": "Active", "billingTerm": "Monthly", "partnerCost": 12"#;
        let untold = r#", "status": "Active", "billingTerm": "Monthly""#;
        for other in [dearer, untold] {
            let rows = of(&[subscription("a", "5", ACTIVE), subscription("a", "7", other)]);
            assert_eq!((told(&rows), rows[0].unit_cost), (vec![("a", "quantity:p1", 12)], None));
        }
    }

    #[test]
    fn what_was_cancelled_is_a_zero_and_what_was_never_bought_is_not_told() {
        let cancelled =
            r#", "status": "Cancelled", "partnerCost": 12, "commitmentTerm": {"endDate": "2027-05-01T00:00:00Z"}"#;
        let rows = of(&[subscription("a", "5", cancelled)]);
        assert_eq!((told(&rows), rows[0].committed, rows[0].unit_cost), (vec![("a", "quantity:p1", 0)], None, None));
    }

    #[test]
    fn commitments_bind_together_until_the_first_of_them_ends() {
        let until =
            |day: &str| format!(r#"{ACTIVE}, "commitmentTerm": {{"term": "1-Year", "endDate": "{day}T00:00:00Z"}}"#);
        let (first, second) = (until("2027-05-01"), until("2027-02-01"));
        let rows =
            of(&[subscription("a", "5", &first), subscription("a", "7", &second), subscription("a", "9", ACTIVE)]);
        assert_eq!(rows[0].committed, Some((Units::try_from(12_i64).unwrap(), date(2027, 2, 1))));
        assert_eq!(rows[0].quantity.get(), 21);
    }

    #[test]
    fn trials_are_a_metric_of_their_own() {
        let trial = r#", "status": "Trial", "billingTerm": "Trial", "commitmentTerm": {"endDate": "2027-05-01"}"#;
        let content = page(&[subscription("a", "5", ACTIVE), subscription("a", "7", trial)].join(", "));
        let found = rows(&asked(&wanted(["quantity:p1", "trials:p1"])), &content, TODAY).unwrap();
        assert_eq!(told(&found), [("a", "quantity:p1", 5), ("a", "trials:p1", 7)]);
        assert_eq!(found[1].committed, None);
    }

    #[test]
    fn a_quantity_that_can_be_none_is_a_fault_where_it_is_asked_for() {
        for bad in ["-1", "2.5", "null", "100000000"] {
            let content = page(&subscription("a", bad, ACTIVE));
            let error = rows(&asked(&wanted(["quantity:p1"])), &content, TODAY).unwrap_err();
            assert_eq!(error.code, "source_unexpected_answer", "{bad}");
            assert_eq!(rows(&asked(&wanted(["quantity:p2", "seats:p1"])), &content, TODAY), Ok(vec![]));
        }
    }
}
