//! What made-up companies have bought.

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::company::{Company, Status};
use super::subscription::{Commitment, Product, Subscription};
use crate::guid::guid;
use crate::vendor::Lot;

/// Kinds of things that have ids.
const COMPANY: u8 = 0xb0;
const SUBSCRIPTION: u8 = 0xb1;
const PRODUCT: u8 = 0xb2;

/// What can be bought: the number of its id, its name, the vendor's id of it, and what one costs and is sold for in cents.
struct Offer(i64, &'static str, &'static str, i64, i64);

const OFFICE: Offer = Offer(1, "Microsoft 365 Business Standard", "CFQ7TTC0LDPB:0001", 1_139, 1_539);
const MAIL: Offer = Offer(2, "Proofpoint Essentials - Professional", "PROOF-PRO", 310, 525);

pub(crate) fn company(lot: &Lot) -> Company {
    let status = if lot.number % 40 == 17 { Status::Inactive } else { Status::Active };
    let external_id = (lot.number % 3 == 0).then(|| format!("A{}", 1_001 + lot.number));
    let subscriptions = if lot.number % 50 == 49 { Vec::new() } else { subscriptions(lot) };
    Company { status, external_id, subscriptions, ..Company::new(guid(COMPANY, lot.number), lot.name.as_str()) }
}

/// Seats that are bound for a year, and for some more of other kinds.
fn subscriptions(lot: &Lot) -> Vec<Subscription> {
    let today = lot.now.to_zoned(TimeZone::UTC).date();
    let start = today.saturating_sub(i64::from(1 + lot.below(0, 300)).days());
    let bought =
        |place: i64, offer: &Offer| offer.bought(guid(SUBSCRIPTION, lot.number * 10 + place), 1 + lot.below(place, 60));
    let bound = Commitment { term: "1-Year".to_owned(), end: last_day(start) };
    let mut all = vec![Subscription { start, commitment: Some(bound), ..bought(1, &OFFICE) }];
    let month = Subscription { start, ..bought(2, &OFFICE) };
    match lot.number % 10 {
        // Seats by the month beside those by the year.
        1 => all.push(month),
        // A cost that is for the whole of a longer term.
        3 => all.push(Subscription { billing_term: "Annual".to_owned(), ..bought(3, &MAIL) }),
        4 => all.push(Subscription { status: "Trial".to_owned(), billing_term: "Trial".to_owned(), ..month }),
        5 => all.push(Subscription { status: "PendingCancel".to_owned(), end: Some(last_day(start)), ..month }),
        6 => all.push(Subscription { status: "Cancelled".to_owned(), end: Some(today), ..month }),
        7 => all.push(Subscription { partner_cost: None, ..bought(3, &MAIL) }),
        8 => all.push(bought(3, &MAIL)),
        _ => {}
    }
    all
}

impl Offer {
    fn bought(&self, id: String, quantity: u32) -> Subscription {
        let Self(number, name, sku, cost, price) = *self;
        let product = Product { id: guid(PRODUCT, number), name: name.to_owned(), vendor_sku_id: Some(sku.to_owned()) };
        let (price, partner_cost) = (Decimal::new(price, 2), Some(Decimal::new(cost, 2)));
        Subscription { price, partner_cost, ..Subscription::new(id, product, quantity) }
    }
}

fn last_day(start: Date) -> Date {
    start.saturating_add(1.year()).saturating_sub(1.day())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::pax8::Api;
    use crate::vendor::{MANY, Seed};

    #[test]
    fn there_are_subscriptions_of_each_kind_and_companies_without_any() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let made: Vec<Company> = Seed { companies: MANY, seed: 7, now }.build::<Api>();
        assert!(made.iter().any(|company| company.subscriptions.is_empty()));
        assert!(made.iter().any(|company| company.status == Status::Inactive));
        let bought: Vec<&Subscription> = made.iter().flat_map(|company| &company.subscriptions).collect();
        for status in ["Active", "Trial", "PendingCancel", "Cancelled"] {
            assert!(bought.iter().any(|bought| bought.status == status), "{status}");
        }
        for term in ["Monthly", "Annual", "Trial"] {
            assert!(bought.iter().any(|bought| bought.billing_term == term), "{term}");
        }
        assert!(bought.iter().any(|bought| bought.partner_cost.is_none()));
        let today = now.to_zoned(TimeZone::UTC).date();
        let mut terms = bought.iter().filter_map(|bought| bought.commitment.as_ref());
        assert!(terms.all(|term| term.end > today && term.end < today.saturating_add(1.year())));
    }
}
