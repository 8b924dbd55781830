//! Which of Pax8's numbers is which metric. Metrics name what they count: `quantity:{productId}`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::VENDOR;
use super::wire::Subscription;
use crate::domain::amount::Amount;
use crate::domain::ids::CompanyId;
use crate::domain::money::Currency;
use crate::domain::units::Units;
use crate::sources::{Filters, Metric, Pulled, Row, SourceError, commitments};

/// A wanted metric, and what it is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked<'w> {
    metric: &'w Metric,
    /// Pax8's id of a product, or the vendor's of a SKU.
    of: &'w str,
}

/// Those of `wanted` that are counted here.
pub(super) fn asked(wanted: &BTreeSet<Metric>) -> Vec<Asked<'_>> {
    let asked = |metric| {
        let of = Metric::as_str(metric).strip_prefix("quantity:")?;
        (!of.is_empty()).then_some(Asked { metric, of })
    };
    wanted.iter().filter_map(asked).collect()
}

/// What all subscriptions tell of each metric: a row for each company that has one to it, a zero where none of them counts.
/// Where a company's can't be counted, its metric is not whole.
///
/// # Errors
/// Nothing that is asked can be told.
pub(super) fn count(
    asked: &[Asked<'_>],
    all: &[Subscription],
    filters: &Filters,
    today: Date,
    pulled: &mut Pulled,
) -> Result<(), SourceError> {
    let mut by_company = BTreeMap::<&CompanyId, Vec<&Subscription>>::new();
    for subscription in all {
        by_company.entry(&subscription.company_id).or_default().push(subscription);
    }
    let mut whole: BTreeSet<Metric> = asked.iter().map(|asked| asked.metric.clone()).collect();
    for (company, all) in by_company {
        for asked in asked {
            let found: Vec<&Subscription> = all.iter().copied().filter(|found| found.is_of(asked.of)).collect();
            if found.is_empty() {
                continue;
            }
            match row(company, asked, &found, filters, today) {
                Ok(row) => pulled.rows.push(row),
                Err(error) => {
                    pulled.leave_out(company, error)?;
                    whole.remove(asked.metric);
                }
            }
        }
    }
    pulled.whole.extend(whole);
    Ok(())
}

/// Several subscriptions of one company to one thing, together.
fn row(
    company: &CompanyId,
    asked: &Asked<'_>,
    found: &[&Subscription],
    filters: &Filters,
    today: Date,
) -> Result<Row, SourceError> {
    let counted: Vec<&Subscription> = found.iter().copied().filter(|found| found.counts(filters, today)).collect();
    let mut quantity = Units::ZERO;
    for subscription in &counted {
        quantity = quantity.checked_add(units(subscription)?).ok_or_else(no_count)?;
    }
    let (mut terms, mut besides) = (Vec::new(), Vec::new());
    for subscription in found {
        if let Some(day) = subscription.owed_until(today) {
            let bound = if subscription.counts(filters, today) { &mut terms } else { &mut besides };
            bound.push((units(subscription)?, day));
        }
    }
    let (unit_cost, currency) = cost(&counted).unzip();
    let committed = commitments::floor(quantity, terms, besides, today);
    Ok(Row { unit_cost, currency, committed, ..Row::of(company.clone(), asked.metric.as_str(), quantity) })
}

/// What one costs, where it is the same for all of them: a mean would be nobody's cost, and would change with every seat.
fn cost(counted: &[&Subscription]) -> Option<(Amount, Currency)> {
    let (first, others) = counted.split_first()?;
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

    fn counted<const N: usize>(names: [&str; N], filters: &Filters, content: &[String]) -> Pulled {
        let (wanted, mut pulled) = (wanted(names), Pulled::default());
        count(&asked(&wanted), &page(&content.join(", ")), filters, TODAY, &mut pulled).unwrap();
        pulled
    }

    fn of(content: &[String]) -> Vec<Row> {
        counted(["quantity:p1", "quantity:p2"], &Filters::default(), content).rows
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
    fn trials_count_by_choice_bind_nobody_and_have_no_part_in_the_cost() {
        let trial = r#", "status": "Trial", "billingTerm": "Trial", "commitmentTerm": {"endDate": "2027-05-01"}"#;
        let content = [subscription("a", "5", ACTIVE), subscription("a", "7", trial)];
        for (trials, quantity, cost) in [(None, 5, "11.39".parse().ok()), (Some(true), 12, None)] {
            let filters = Filters { trials, ..Filters::default() };
            let rows = counted(["quantity:p1"], &filters, &content).rows;
            assert_eq!(told(&rows), [("a", "quantity:p1", quantity)]);
            assert_eq!((rows[0].unit_cost, rows[0].committed), (cost, None));
        }
    }

    #[test]
    fn a_quantity_that_can_be_none_is_its_companys_fault_where_it_is_asked_for() {
        for bad in ["-1", "2.5", "null", "100000000"] {
            let content = [subscription("a", bad, ACTIVE), subscription("b", "3", ACTIVE)];
            let pulled = counted(["quantity:p1", "quantity:p2"], &Filters::default(), &content);
            assert_eq!(told(&pulled.rows), [("b", "quantity:p1", 3)], "{bad}");
            let unread: Vec<_> =
                pulled.unread.iter().map(|(company, why)| (company.as_str(), why.code.as_str())).collect();
            assert_eq!(unread, [("a", "source_unexpected_answer")], "{bad}");
            assert_eq!(pulled.whole, wanted(["quantity:p2"]), "{bad}");
        }
    }

    #[test]
    fn what_others_count_is_asked_nowhere() {
        let wanted = wanted(["quantity:p1", "quantity:", "seats:p1", "quantity"]);
        assert!(asked(&wanted).iter().map(|asked| asked.of).eq(["p1"]));
    }
}
