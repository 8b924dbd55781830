//! Which of Microsoft's numbers is which metric. Metrics name what they count: `licenses:CFQ7TTC0LFLX/0001`.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::VENDOR;
use super::wire::{Sku, Subscription};
use crate::domain::ids::CompanyId;
use crate::domain::units::Units;
use crate::sources::{Filters, Metric, Row, SourceError, commitments};

/// A number of Microsoft's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// Licences that were bought through the partner.
    Licenses,
    /// Licences of the tenant that are assigned, whoever sold them.
    Assigned,
    /// Licences of the tenant that can be assigned, whoever sold them.
    Total,
}

/// A wanted metric, and what it is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked<'w> {
    pub(super) metric: &'w Metric,
    counted: Counted,
    /// An offer, a product and SKU, or the part number of a SKU.
    of: &'w str,
}

/// Those of `wanted` that a customer's subscriptions tell, and those that the SKUs of its tenant do.
pub(super) fn split(wanted: &BTreeSet<Metric>) -> (Vec<Asked<'_>>, Vec<Asked<'_>>) {
    wanted.iter().filter_map(asked).partition(|asked| asked.counted == Counted::Licenses)
}

/// `None` where no such thing is counted here.
fn asked(metric: &Metric) -> Option<Asked<'_>> {
    let (counted, of) = metric.as_str().split_once(':')?;
    let counted = match counted {
        "licenses" => Counted::Licenses,
        "assigned" => Counted::Assigned,
        "total" => Counted::Total,
        _ => return None,
    };
    (!of.is_empty()).then_some(Asked { metric, counted, of })
}

/// What a customer's subscriptions tell of each metric. They are all of them: none of a thing is a zero.
pub(super) fn of_subscriptions(
    company: &CompanyId,
    asked: &[Asked<'_>],
    all: &[Subscription],
    filters: &Filters,
    today: Date,
) -> Result<Vec<Row>, SourceError> {
    // What does not say what it is may be of anything.
    if all.iter().any(|found| !found.says_what()) {
        return Err(SourceError::unreadable(VENDOR, "a subscription does not say what it is"));
    }
    let row = |asked: &Asked<'_>| -> Result<Row, SourceError> {
        let (mut quantity, mut terms, mut besides) = (Units::ZERO, Vec::new(), Vec::new());
        for found in all.iter().filter(|found| found.is_licensed() && found.is_of(asked.of)) {
            let (counts, owed_until) = (found.counts(filters), found.owed_until());
            if !counts && owed_until.is_none() {
                continue;
            }
            let units = units(found.quantity)?;
            if counts {
                quantity = quantity.checked_add(units).ok_or_else(no_count)?;
            }
            let bound = if counts { &mut terms } else { &mut besides };
            bound.extend(owed_until.map(|day| (units, day)));
        }
        let committed = commitments::floor(quantity, terms, besides, today);
        Ok(Row { committed, ..Row::of(company.clone(), asked.metric.as_str(), quantity) })
    };
    asked.iter().map(row).collect()
}

/// What the SKUs of a customer's tenant tell of each metric. They are all of them: none of a thing is a zero.
pub(super) fn of_skus(company: &CompanyId, asked: &[Asked<'_>], all: &[Sku]) -> Result<Vec<Row>, SourceError> {
    let row = |asked: &Asked<'_>| -> Result<Row, SourceError> {
        let mut quantity = Units::ZERO;
        for sku in all.iter().filter(|sku| sku.sku_part_number.eq_ignore_ascii_case(asked.of)) {
            let count = if asked.counted == Counted::Assigned { sku.consumed_units } else { sku.enabled() };
            quantity = quantity.checked_add(units(count)?).ok_or_else(no_count)?;
        }
        Ok(Row::of(company.clone(), asked.metric.as_str(), quantity))
    };
    asked.iter().map(row).collect()
}

/// A number that is not there is a fault, not zero: all of these are promised.
fn units(count: Option<i64>) -> Result<Units, SourceError> {
    count.and_then(|count| Units::try_from(count).ok()).ok_or_else(no_count)
}

fn no_count() -> SourceError {
    SourceError::unreadable(VENDOR, "a count is no number of seats")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::wire::{Collection, SubscribedSkus};
    use super::*;

    const TODAY: Date = date(2026, 11, 23);

    fn wanted<const N: usize>(names: [&str; N]) -> BTreeSet<Metric> {
        names.map(Metric::from).into()
    }

    fn told(rows: &[Row]) -> Vec<(&str, u32)> {
        rows.iter().map(|row| (row.metric.as_str(), row.quantity.get())).collect()
    }

    /// Those of one customer. Each has the columns: id, availability, licences, last day of its term, status, and more.
    fn subscriptions() -> Vec<Subscription> {
        let of_e3 = |id: u32, availability: &str, quantity: u32, end: &str, rest: &str| {
            format!(
                r#"{{"id": "{id}", "offerId": "CFQ7TTC0LFLX:0001:{availability}", "quantity": {quantity}, "unitType": "Licenses",
                    "commitmentEndDate": "{end}T00:00:00Z", {rest}}}"#
            )
        };
        let items = [
            of_e3(1, "CFQ7TTC0K9GJ", 25, "2027-01-09", r#""status": "active", "isTrial": false"#),
            of_e3(2, "CFQ7TTC0KLM1", 5, "2026-12-03", r#""status": "active", "isTrial": false"#),
            of_e3(3, "CFQ7TTC0KTRI", 50, "2026-12-01", r#""status": "active", "isTrial": true"#),
            of_e3(4, "CFQ7TTC0K9GJ", 7, "2026-12-01", r#""status": "deleted""#),
            of_e3(5, "CFQ7TTC0KSUS", 3, "2026-12-24", r#""status": "suspended""#),
            r#"{"id": "6", "offerId": "DZH318Z0BPS6:0001:DZH318Z0BMJX", "quantity": 1, "unitType": "Usage-based", "status": "active"}"#.into(),
            r#"{"id": "7", "entitlementId": "a356ac8c", "quantity": 1, "unitType": "none", "status": "active"}"#.into(),
        ];
        serde_json::from_str(&format!("[{}]", items.join(", "))).unwrap()
    }

    fn rows<const N: usize>(names: [&str; N], filters: &Filters) -> Vec<Row> {
        let wanted = wanted(names);
        let (asked, _) = split(&wanted);
        of_subscriptions(&"acme".parse().unwrap(), &asked, &subscriptions(), filters, TODAY).unwrap()
    }

    fn units(count: i64) -> Units {
        count.try_into().unwrap()
    }

    #[test]
    fn subscriptions_to_one_thing_are_summed_and_what_is_suspended_is_owed_though_it_does_not_count() {
        let rows = rows(["licenses:CFQ7TTC0LFLX/0001", "licenses:CFQ7TTC0LFLX:0001:CFQ7TTC0K9GJ"], &Filters::default());
        assert_eq!(told(&rows), [("licenses:CFQ7TTC0LFLX/0001", 30), ("licenses:CFQ7TTC0LFLX:0001:CFQ7TTC0K9GJ", 25)]);
        assert_eq!(rows[0].committed, Some((units(33), date(2026, 12, 3))));
        assert_eq!(rows[1].committed, Some((units(25), date(2027, 1, 9))));
    }

    #[test]
    fn a_customer_whose_only_subscription_is_suspended_has_none_and_owes_it() {
        let rows = rows(["licenses:CFQ7TTC0LFLX:0001:CFQ7TTC0KSUS"], &Filters::default());
        assert_eq!((rows[0].quantity, rows[0].committed), (Units::ZERO, Some((units(3), date(2026, 12, 24)))));
    }

    #[test]
    fn licences_of_which_nobody_says_what_they_are_keep_the_customer_from_being_read() {
        for nameless in
            [r#"{"id": "1", "quantity": 5, "unitType": "Licenses"}"#, r#"{"id": "1", "offerId": "A", "quantity": 5}"#]
        {
            let wanted = wanted(["licenses:A"]);
            let (asked, _) = split(&wanted);
            let all = [serde_json::from_str(nameless).unwrap()];
            let read = of_subscriptions(&"acme".parse().unwrap(), &asked, &all, &Filters::default(), TODAY);
            assert_eq!(read.unwrap_err().code, "source_unexpected_answer", "{nameless}");
        }
    }

    #[test]
    fn trials_and_what_is_suspended_count_by_choice_and_trials_bind_nobody() {
        let e3 = |filters| rows(["licenses:CFQ7TTC0LFLX/0001"], &filters).remove(0);
        let with_trials = e3(Filters { trials: Some(true), ..Filters::default() });
        // Three that are suspended are owed besides all that is counted.
        assert_eq!((with_trials.quantity, with_trials.committed), (units(80), Some((units(83), date(2026, 12, 3)))));
        let with_suspended = e3(Filters { suspended: Some(true), ..Filters::default() });
        assert_eq!(
            (with_suspended.quantity, with_suspended.committed),
            (units(33), Some((units(33), date(2026, 12, 3))))
        );
    }

    #[test]
    fn of_all_that_a_customer_has_what_is_not_there_is_zero_and_usage_is_no_number_of_licences() {
        let rows = rows(["licenses:CFQ7TTC0LH18/0001", "licenses:DZH318Z0BPS6/0001"], &Filters::default());
        assert_eq!(rows.iter().map(|row| (row.quantity, row.committed)).collect::<Vec<_>>(), [(Units::ZERO, None); 2]);
    }

    #[test]
    fn a_customers_subscriptions_are_read_as_they_are_documented() {
        let all: Collection<Subscription> =
            serde_json::from_str(include_str!("samples/customer_subscriptions.json")).unwrap();
        assert_eq!((all.total_count, all.continuation()), (Some(1), Ok(None)));
        let wanted = wanted(["licenses:CFQ7TTC0LH18/0001"]);
        let (asked, _) = split(&wanted);
        let rows = of_subscriptions(&"acme".parse().unwrap(), &asked, &all.items, &Filters::default(), TODAY).unwrap();
        assert_eq!((rows[0].quantity, rows[0].committed), (units(40), Some((units(40), date(2027, 3, 14)))));
    }

    #[test]
    fn a_tenants_licences_are_read_as_they_are_documented() {
        let all = skus(include_str!("samples/subscribed_skus.json"));
        let wanted = wanted(["assigned:O365_BUSINESS_PREMIUM", "total:O365_BUSINESS_PREMIUM"]);
        let (_, asked) = split(&wanted);
        let rows = of_skus(&"acme".parse().unwrap(), &asked, &all).unwrap();
        assert_eq!(told(&rows), [("assigned:O365_BUSINESS_PREMIUM", 31), ("total:O365_BUSINESS_PREMIUM", 40)]);
    }

    fn skus(json: &str) -> Vec<Sku> {
        serde_json::from_str::<SubscribedSkus>(json).unwrap().value
    }

    #[test]
    fn assigned_licences_and_those_that_can_be_assigned_are_two_numbers() {
        let found = skus(
            r#"{"@odata.context": "x", "value": [{"accountId": "t", "skuId": "05e9a617", "skuPartNumber": "SPE_E3",
                "capabilityStatus": "Enabled", "appliesTo": "User", "consumedUnits": 22,
                "prepaidUnits": {"enabled": 25, "suspended": 1, "warning": 2, "lockedOut": 0}}]}"#,
        );
        let wanted = wanted(["assigned:SPE_E3", "assigned:SPE_E5", "total:spe_e3"]);
        let (_, asked) = split(&wanted);
        let rows = of_skus(&"acme".parse().unwrap(), &asked, &found).unwrap();
        assert_eq!(told(&rows), [("assigned:SPE_E3", 22), ("assigned:SPE_E5", 0), ("total:spe_e3", 25)]);
    }

    #[test]
    fn a_number_that_is_missing_or_can_be_none_is_a_fault_and_not_zero() {
        let wanted = wanted(["assigned:SPE_E3", "total:SPE_E3"]);
        let (_, asked) = split(&wanted);
        for counts in ["", r#", "consumedUnits": -1, "prepaidUnits": {"enabled": 5}"#, r#", "consumedUnits": 5"#] {
            let found = skus(&format!(r#"{{"value": [{{"skuId": "1", "skuPartNumber": "SPE_E3"{counts}}}]}}"#));
            let error = of_skus(&"acme".parse().unwrap(), &asked, &found).unwrap_err();
            assert_eq!(error.code, "source_unexpected_answer", "{counts}");
        }
    }

    #[test]
    fn a_metric_is_asked_where_it_stands_and_those_of_others_nowhere() {
        let wanted = wanted(["agents", "assigned:A", "licenses:", "licenses:B", "quantity:C", "total:D", "licenses:E"]);
        let (subscriptions, skus) = split(&wanted);
        assert!(subscriptions.iter().map(|asked| asked.of).eq(["B", "E"]), "{subscriptions:?}");
        assert!(skus.iter().map(|asked| asked.of).eq(["A", "D"]), "{skus:?}");
    }
}
