//! Which of Microsoft's numbers is which metric. Metrics name what they count: `licenses:CFQ7TTC0LFLX/0001`.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::wire::{Sku, Subscription};
use super::{VENDOR, commitments};
use crate::domain::ids::CompanyId;
use crate::domain::units::Units;
use crate::sources::{Metric, Row, SourceError};

/// A number of Microsoft's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// Licences that were bought through the partner.
    Licenses,
    /// Those of trials.
    Trials,
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
    let of_subscriptions = |asked: &Asked<'_>| matches!(asked.counted, Counted::Licenses | Counted::Trials);
    wanted.iter().filter_map(asked).partition(of_subscriptions)
}

/// `None` where no such thing is counted here.
fn asked(metric: &Metric) -> Option<Asked<'_>> {
    let (counted, of) = metric.as_str().split_once(':')?;
    let counted = match counted {
        "licenses" => Counted::Licenses,
        "trials" => Counted::Trials,
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
    today: Date,
) -> Result<Vec<Row>, SourceError> {
    let row = |asked: &Asked<'_>| -> Result<Row, SourceError> {
        let is_asked = |found: &&Subscription| {
            let is_trial = asked.counted == Counted::Trials;
            found.is_licensed() && found.runs() && found.is_trial == is_trial && found.is_of(asked.of)
        };
        let (mut quantity, mut bound) = (Units::ZERO, Vec::new());
        for found in all.iter().filter(is_asked) {
            let units = units(found.quantity)?;
            quantity = quantity.checked_add(units).ok_or_else(no_count)?;
            // A trial binds nobody.
            bound.extend(found.last_day().filter(|_| !found.is_trial).map(|day| (units, day)));
        }
        let committed = commitments::together(bound, today);
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

    fn subscriptions() -> Vec<Subscription> {
        let json = r#"{"totalCount": 6, "items": [
            {"id": "1", "offerId": "CFQ7TTC0LFLX:0001:CFQ7TTC0K9GJ", "offerName": "Microsoft 365 E3", "quantity": 25,
                "unitType": "Licenses", "effectiveStartDate": "2026-01-10T00:00:00Z", "commitmentEndDate": "2027-01-09T00:00:00Z",
                "status": "active", "autoRenewEnabled": true, "billingType": "license", "billingCycle": "monthly", "isTrial": false},
            {"id": "2", "offerId": "CFQ7TTC0LFLX:0001:CFQ7TTC0KLM1", "quantity": 5, "unitType": "Licenses",
                "commitmentEndDate": "2026-12-03T00:00:00Z", "status": "active", "isTrial": false},
            {"id": "3", "offerId": "CFQ7TTC0LFLX:0001:CFQ7TTC0KTRI", "quantity": 50, "unitType": "Licenses",
                "commitmentEndDate": "2026-12-01T00:00:00Z", "status": "active", "isTrial": true},
            {"id": "4", "offerId": "CFQ7TTC0LFLX:0001:CFQ7TTC0K9GJ", "quantity": 7, "unitType": "Licenses", "status": "deleted"},
            {"id": "5", "offerId": "DZH318Z0BPS6:0001:DZH318Z0BMJX", "quantity": 1, "unitType": "Usage-based", "status": "active"},
            {"id": "6", "entitlementId": "a356ac8c", "quantity": 1, "unitType": "none", "status": "active"}
        ], "attributes": {"objectType": "Collection"}}"#;
        serde_json::from_str::<Collection<Subscription>>(json).unwrap().items
    }

    #[test]
    fn subscriptions_to_one_thing_are_summed_and_bind_until_the_first_of_them_ends() {
        let wanted = wanted(["licenses:CFQ7TTC0LFLX/0001", "licenses:CFQ7TTC0LFLX:0001:CFQ7TTC0K9GJ"]);
        let (asked, _) = split(&wanted);
        let rows = of_subscriptions(&"acme".parse().unwrap(), &asked, &subscriptions(), TODAY).unwrap();
        assert_eq!(told(&rows), [("licenses:CFQ7TTC0LFLX/0001", 30), ("licenses:CFQ7TTC0LFLX:0001:CFQ7TTC0K9GJ", 25)]);
        let units = |count: i64| Units::try_from(count).unwrap();
        assert_eq!(rows[0].committed, Some((units(30), date(2026, 12, 3))));
        assert_eq!(rows[1].committed, Some((units(25), date(2027, 1, 9))));
    }

    #[test]
    fn trials_are_a_metric_of_their_own_and_bind_nobody() {
        let wanted = wanted(["trials:CFQ7TTC0LFLX/0001"]);
        let (asked, _) = split(&wanted);
        let rows = of_subscriptions(&"acme".parse().unwrap(), &asked, &subscriptions(), TODAY).unwrap();
        assert_eq!((told(&rows), rows[0].committed), (vec![("trials:CFQ7TTC0LFLX/0001", 50)], None));
    }

    #[test]
    fn of_all_that_a_customer_has_what_is_not_there_is_zero_and_usage_is_no_number_of_licences() {
        let wanted = wanted(["licenses:CFQ7TTC0LH18/0001", "licenses:DZH318Z0BPS6/0001"]);
        let (asked, _) = split(&wanted);
        let rows = of_subscriptions(&"acme".parse().unwrap(), &asked, &subscriptions(), TODAY).unwrap();
        assert_eq!(rows.iter().map(|row| (row.quantity, row.committed)).collect::<Vec<_>>(), [(Units::ZERO, None); 2]);
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
        let wanted = wanted(["agents", "assigned:A", "licenses:", "licenses:B", "quantity:C", "total:D", "trials:E"]);
        let (subscriptions, skus) = split(&wanted);
        assert!(subscriptions.iter().map(|asked| asked.of).eq(["B", "E"]), "{subscriptions:?}");
        assert!(skus.iter().map(|asked| asked.of).eq(["A", "D"]), "{skus:?}");
    }
}
