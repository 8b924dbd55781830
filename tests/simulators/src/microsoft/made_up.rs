//! What made-up customers have.

use jiff::ToSpan as _;
use jiff::tz::TimeZone;

use super::customer::{Customer, Licenses, Sku};
use super::subscription::Subscription;
use crate::guid::guid;
use crate::vendor::Lot;

/// Kinds of things that have ids.
const CUSTOMER: u8 = 0xc0;
const SUBSCRIPTION: u8 = 0xc1;
const SKU: u8 = 0xc2;

/// Microsoft 365 E3 by the year, by the month, and on trial: one product and SKU in three availabilities.
const BY_YEAR: &str = "CFQ7TTC0LFLX:0001:CFQ7TTC0K9GJ";
const BY_MONTH: &str = "CFQ7TTC0LFLX:0001:CFQ7TTC0KLM1";
const ON_TRIAL: &str = "CFQ7TTC0LFLX:0001:CFQ7TTC0KTRI";
const PREMIUM: &str = "CFQ7TTC0LCHC:0002:CFQ7TTC0J3QD";
/// Office 365 E1 in legacy commerce.
const LEGACY: &str = "91fd106f-4b2c-4938-95ac-f54f74e9a239";
const AZURE: &str = "DZH318Z0BPS6:0001:DZH318Z0BMJX";

pub(crate) fn customer(lot: &Lot) -> Customer {
    let licenses = if lot.number % 50 == 49 { Licenses::default() } else { licenses(lot) };
    let consents = lot.number % 25 != 24;
    Customer { consents, licenses, ..Customer::new(guid(CUSTOMER, lot.number), lot.name.as_str()) }
}

/// E3 for everybody, bound for a year, and one thing more for most.
fn licenses(lot: &Lot) -> Licenses {
    let today = lot.now.to_zoned(TimeZone::UTC).date();
    let in_days = |place, limit| today.saturating_add(i64::from(1 + lot.below(place, limit)).days());
    let bought = |place: i64, offer: &str, name: &str| {
        Subscription::new(guid(SUBSCRIPTION, lot.number * 10 + place), offer, name, 1 + lot.below(place, 60))
    };
    let e3 = bought(0, BY_YEAR, "Microsoft 365 E3").bound("P1Y", in_days(1, 360));
    let month = bought(2, BY_MONTH, "Microsoft 365 E3").bound("P1M", in_days(3, 27));
    let premium = bought(4, PREMIUM, "Microsoft 365 Business Premium").bound("P1Y", in_days(6, 360));
    let enabled = if lot.number % 10 == 1 { e3.quantity + month.quantity } else { e3.quantity };
    let more = match lot.number % 10 {
        1 => Some(month),
        2 => Some(Subscription { is_trial: true, offer_id: ON_TRIAL.to_owned(), quantity: 25, ..month }),
        3 => Some(Subscription { status: "suspended".to_owned(), ..premium }),
        5 => Some(bought(5, LEGACY, "Office 365 E1").bound("P1Y", in_days(6, 360))),
        6 => Some(Subscription { status: "suspended".to_owned(), ..bought(5, LEGACY, "Office 365 E1") }),
        7 => Some(Subscription { unit_type: "Usage-based".to_owned(), quantity: 1, ..bought(7, AZURE, "Azure plan") }),
        8 => Some(Subscription { status: "deleted".to_owned(), ..month }),
        _ => None,
    };
    let consumed = enabled - lot.below(8, enabled);
    let skus = vec![Sku { sku_id: guid(SKU, 1), part_number: "SPE_E3".to_owned(), consumed, enabled }];
    Licenses { subscriptions: [Some(e3), more].into_iter().flatten().collect(), skus }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::microsoft::Api;
    use crate::vendor::{MANY, Seed};

    #[test]
    fn there_are_subscriptions_of_each_kind_and_customers_without_any() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let made: Vec<Customer> = Seed { companies: MANY, seed: 7, now }.build::<Api>();
        assert!(made.iter().any(|customer| !customer.consents));
        assert!(made.iter().any(|customer| customer.licenses == Licenses::default()));
        let bought: Vec<_> = made.iter().flat_map(|customer| &customer.licenses.subscriptions).collect();
        assert!(bought.iter().any(|bought| bought.is_trial && bought.status == "active"));
        assert!(bought.iter().any(|bought| bought.unit_type == "Usage-based"));
        for offer in [PREMIUM, LEGACY] {
            assert!(bought.iter().any(|bought| bought.offer_id == offer && bought.status == "suspended"), "{offer}");
        }
        for term in ["P1M", "P1Y"] {
            assert!(bought.iter().any(|bought| bought.term.as_deref() == Some(term)), "{term}");
        }
        let mut skus = made.iter().flat_map(|customer| &customer.licenses.skus);
        assert!(skus.any(|sku| sku.consumed < sku.enabled));
    }
}
