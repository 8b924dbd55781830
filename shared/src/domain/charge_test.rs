//! What charges come to, against an arithmetic of its own and against the examples that people read.

use std::cell::Cell;

use jiff::ToSpan as _;
use jiff::civil::date;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

fn october() -> Period {
    Period { start: date(2026, 10, 1), end: date(2026, 10, 31) }
}

fn record(meter: &str, worth: Worth, currency: &str) -> ChargeRecord {
    ChargeRecord {
        company: "acme".parse().unwrap(),
        company_name: "Acme".into(),
        product: "cloud".parse().unwrap(),
        meter: meter.parse().unwrap(),
        description: format!("The {meter}"),
        period: UsagePeriod::new(date(2026, 10, 1), date(2026, 10, 31)).unwrap(),
        worth,
        currency: currency.parse().unwrap(),
    }
}

fn amount(text: &str) -> Worth {
    Worth::Amount(text.parse().unwrap())
}

fn times(quantity: &str, unit_price: &str) -> Worth {
    Worth::QuantityTimes { quantity: quantity.parse().unwrap(), unit_price: unit_price.parse().unwrap() }
}

fn on(day: i8, record: ChargeRecord) -> ChargeRecord {
    let day = date(2026, 10, day);
    ChargeRecord { period: UsagePeriod::new(day, day).unwrap(), ..record }
}

fn markup(text: &str) -> Option<Markup> {
    Some(text.parse().unwrap())
}

/// Cells of the rows of a documented table that has this header.
fn table(header: &str) -> Vec<Vec<&'static str>> {
    let text = include_str!("../../../docs/charges.md");
    let mut lines = text.lines().skip_while(|line| !line.starts_with(header));
    assert!(lines.next().is_some() && lines.next().is_some_and(|rule| rule.starts_with("|---")), "{header}");
    lines
        .map_while(|line| Some(line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").map(str::trim).collect()))
        .collect()
}

#[test]
fn the_amounts_of_the_documentation_hold() {
    let rows = table("| currency | amount, or quantity");
    for row in &rows {
        let worth = row[1].split_once(" × ").map_or_else(|| amount(row[1]), |(quantity, price)| times(quantity, price));
        let markup = (row[4] != "none").then(|| row[4].parse().unwrap());
        let made = items(&[record("m", worth, row[0])], markup).unwrap();
        assert_eq!(made[0].exact, decimal(row[2]), "{row:?}");
        assert_eq!(made[0].cost.get(), decimal(row[3]), "{row:?}");
        assert_eq!(made[0].price.get(), decimal(row[5]), "{row:?}");
    }
    assert_eq!(rows.len(), 14);
}

#[test]
fn the_sums_of_the_documentation_hold() {
    let rows = table("| currency | records");
    for row in &rows {
        let records: Vec<_> =
            (1..).zip(row[1].split(" + ")).map(|(day, text)| on(day, record("m", amount(text), row[0]))).collect();
        let made = items(&records, None).unwrap();
        assert_eq!(made.len(), 1);
        assert_eq!((made[0].exact, made[0].cost.get()), (decimal(row[2]), decimal(row[3])), "{row:?}");
    }
    assert_eq!(rows.len(), 3);
}

#[test]
fn the_bundle_of_the_documentation_holds() {
    let mut rows = table("| charge | exact");
    let bundle = rows.pop().unwrap();
    let records: Vec<_> = rows.iter().map(|row| record(row[0], amount(row[1]), "EUR")).collect();
    let made = items(&records, markup("25")).unwrap();
    let charges = itemised(&made, october());
    for row in &rows {
        let charge = charges.iter().find(|charge| charge.name == format!("The {}", row[0])).unwrap();
        assert_eq!((charge.cost.get(), charge.price.get()), (decimal(row[2]), decimal(row[3])), "{row:?}");
    }
    let whole = bundled(&made, &"cloud".parse().unwrap(), "Cloud", october()).unwrap().unwrap();
    assert_eq!((whole.cost.get(), whole.price.get()), (decimal(bundle[2]), decimal(bundle[3])));
    assert_eq!(made.iter().map(|item| item.exact).sum::<Decimal>(), decimal(bundle[1]));
    assert_eq!(rows.len(), 4);
}

#[test]
fn the_billing_periods_of_the_documentation_hold() {
    let rows = table("| billing day");
    for row in &rows {
        let day = BillingDay::try_from(row[0].parse::<i8>().unwrap()).unwrap();
        let period = day.period_of(row[1].parse().unwrap()).unwrap();
        assert_eq!(format!("{} to {}", period.start, period.end), row[2], "{row:?}");
        let made = items(&[record("m", amount("1"), "EUR")], None).unwrap();
        assert_eq!(itemised(&made, period)[0].date.to_string(), row[3], "{row:?}");
    }
    assert_eq!(rows.len(), 8);
}

#[test]
fn billing_periods_leave_no_gap_never_overlap_and_never_drift() {
    let mut days = 0;
    for billing in 1..=31 {
        let billing = BillingDay::try_from(billing).unwrap();
        let mut day = date(2023, 12, 1);
        let mut period = billing.period_of(day).unwrap();
        while day < date(2029, 3, 1) {
            let of_day = billing.period_of(day).unwrap();
            assert!(of_day.contains(day), "{billing:?} {day}");
            if of_day != period {
                assert_eq!((of_day.start, of_day.start), (day, period.end.tomorrow().unwrap()), "{billing:?} {day}");
                let last = of_day.start.days_in_month();
                assert_eq!(of_day.start.day(), billing.get().min(last), "{billing:?} {day}");
                assert_eq!(of_day.start.first_of_month(), period.start.first_of_month() + 1.month());
            }
            (period, days) = (of_day, days + 1);
            day = day.tomorrow().unwrap();
        }
    }
    println!("{days} days of 31 billing days, each in one period");
    for bad in [0, 32, -1] {
        assert!(BillingDay::try_from(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn a_date_lies_in_its_period_and_the_next_day_in_it_or_the_next(billing in 1..=31i8, ahead in 0..40_000i32) {
        let billing = BillingDay::try_from(billing).unwrap();
        let day = date(1990, 1, 1).checked_add(ahead.days()).unwrap();
        let period = billing.period_of(day).unwrap();
        prop_assert!(period.contains(day));
        let after = billing.period_of(period.end.tomorrow().unwrap()).unwrap();
        prop_assert_eq!(after.start, period.end.tomorrow().unwrap());
        prop_assert_eq!(billing.period_of(period.start), Some(period));
        prop_assert_eq!(billing.period_of(period.end), Some(period));
    }
}

/// A record in whole numbers: its worth in millionths, or quantity and unit price in millionths each.
#[derive(Debug, Clone, Copy)]
enum Raw {
    Amount(i64),
    Times(i64, i64),
}

impl Raw {
    fn worth(self) -> Worth {
        let text = |millionths: i64| Decimal::new(millionths, 6).to_string();
        match self {
            Self::Amount(total) => amount(&text(total)),
            Self::Times(quantity, price) => times(&text(quantity), &text(price)),
        }
    }

    /// In units of 10^-12.
    fn exact(self) -> i128 {
        match self {
            Self::Amount(total) => i128::from(total) * 1_000_000,
            Self::Times(quantity, price) => i128::from(quantity) * i128::from(price),
        }
    }
}

fn raw() -> impl Strategy<Value = Raw> {
    let wide = prop_oneof![
        3 => -2_000_000i64..2_000_000,
        2 => (-20_000i64..20_000).prop_map(|thousandths| thousandths * 1_000),
        1 => (-9_999_999_999i64..9_999_999_999).prop_map(|cents| cents * 10_000),
        1 => Just(0i64),
    ];
    let quantity = prop_oneof![3 => 0i64..50_000_000, 1 => 0i64..10_000_000_000_000, 1 => Just(0i64)];
    let price = prop_oneof![4 => -500_000i64..500_000, 1 => -90_000_000i64..90_000_000, 1 => Just(0i64)];
    prop_oneof![wide.prop_map(Raw::Amount), (quantity, price).prop_map(|(q, p)| Raw::Times(q, p))]
}

/// `value` in units of 10^-`scale`, rounded half to even to `digits`, in whole numbers alone.
fn half_even(value: i128, scale: u32, digits: u32) -> i128 {
    let unit = 10i128.pow(scale - digits);
    let (whole, rest) = (value.div_euclid(unit), value.rem_euclid(unit));
    match (rest * 2).cmp(&unit) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Greater => whole + 1,
        std::cmp::Ordering::Equal => whole + whole.rem_euclid(2),
    }
}

fn smallest_coins(money: Money, digits: u32) -> i128 {
    let coins = money.get() * Decimal::from(10i64.pow(digits));
    assert!(coins.fract().is_zero(), "{money} has more than {digits} digits");
    coins.trunc().mantissa()
}

/// Records of one account: the meter, the day, the record; and for each of two products the markup in ten-thousandths.
type Case = (Vec<(u8, i8, bool, Raw)>, [Option<i64>; 2], usize);

fn case() -> impl Strategy<Value = Case> {
    let marked = || proptest::option::weighted(0.8, prop_oneof![-1_000_000i64..5_000_000, Just(100_000_000)]);
    let records = proptest::collection::vec((0..4u8, 1..=31i8, any::<bool>(), raw()), 0..14);
    (records, [marked(), marked()], 0..3usize)
}

/// Over random records: credits, nothing, currencies of 0, 2 and 3 digits, markups. The bundle is the sum of the itemised
/// charges to the smallest coin, cost and price apart; and each of these is what whole numbers make of it.
#[test]
fn a_bundle_is_the_sum_of_the_itemised_charges() {
    let (cases, charges, credits, zeros) = (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config { cases: 4_000, failure_persistence: None, ..Config::default() });
    let checked = runner.run(&case(), |(records, markups, currency)| {
        let code = ["JPY", "EUR", "KWD"][currency];
        let digits = code.parse::<Currency>().unwrap().digits();
        let mut made = Vec::new();
        for (product, ten_thousandths) in ["cloud", "backup"].into_iter().zip(markups) {
            let of_product = |second: bool| second == (product == "backup");
            let mine: Vec<_> = records.iter().filter(|(_, _, second, _)| of_product(*second)).collect();
            let sent: Vec<_> = mine
                .iter()
                .map(|(meter, day, _, raw)| ChargeRecord {
                    product: product.parse().unwrap(),
                    ..on(*day, record(&format!("m{meter}"), raw.worth(), code))
                })
                .collect();
            let markup = ten_thousandths.map(|text| Decimal::new(text, 4).to_string().parse().unwrap());
            let of_product = items(&sent, markup).unwrap();
            let reversed: Vec<_> = sent.iter().rev().cloned().collect();
            prop_assert_eq!(&items(&reversed, markup).unwrap(), &of_product);
            for item in &of_product {
                let exact: i128 = mine
                    .iter()
                    .filter(|(meter, ..)| format!("m{meter}") == item.meter.as_str())
                    .map(|(.., raw)| raw.exact())
                    .sum();
                prop_assert_eq!(smallest_coins(item.cost, digits), half_even(exact, 12, digits));
                // A hundred per cent is 1,000,000 ten-thousandths of one.
                let marked = exact * i128::from(1_000_000 + ten_thousandths.unwrap_or(0));
                prop_assert_eq!(smallest_coins(item.price, digits), half_even(marked, 18, digits));
            }
            made.extend(of_product);
        }
        let itemised = itemised(&made, october());
        let bundle = bundled(&made, &"cloud".parse().unwrap(), "Cloud", october()).unwrap();
        prop_assert_eq!(bundle.is_none(), itemised.is_empty());
        if let Some(bundle) = bundle {
            let sum =
                |amount: fn(&Charge) -> Money| itemised.iter().map(|charge| amount(charge).get()).sum::<Decimal>();
            prop_assert_eq!(bundle.cost.get(), sum(|charge| charge.cost));
            prop_assert_eq!(bundle.price.get(), sum(|charge| charge.price));
            let mut of: Vec<_> = itemised.iter().flat_map(|charge| charge.of.clone()).collect();
            of.sort();
            let mut of_bundle = bundle.of;
            of_bundle.sort();
            prop_assert_eq!(&of, &of_bundle);
            prop_assert_eq!(of.len(), records.len());
        }
        cases.set(cases.get() + 1);
        charges.set(charges.get() + itemised.len());
        credits.set(credits.get() + itemised.iter().filter(|charge| charge.cost.get().is_sign_negative()).count());
        zeros.set(zeros.get() + itemised.iter().filter(|charge| charge.is_zero()).count());
        Ok(())
    });
    checked.unwrap();
    println!(
        "{} bundles of {} charges: {} credits, {} of nothing",
        cases.get(),
        charges.get(),
        credits.get(),
        zeros.get()
    );
    assert!(credits.get() > 1_000 && zeros.get() > 100);
}

#[test]
fn charges_say_what_they_are_of_and_no_cost() {
    let records = [
        on(2, record("gb", times("1.50", "2"), "EUR")),
        on(1, record("gb", times("0.25", "2"), "EUR")),
        record("support", amount("49"), "EUR"),
    ];
    let made = items(&records, markup("10")).unwrap();
    let charges = itemised(&made, october());
    let told =
        |charge: &Charge| format!("{} | {} | {} | {}", charge.name, charge.description, charge.date, charge.price);
    assert_eq!(
        charges.iter().map(told).collect::<Vec<_>>(),
        [
            "The gb | gb: 1.75, 2026-10-01 to 2026-10-31 | 2026-10-31 | 3.85",
            "The support | support: 2026-10-01 to 2026-10-31 | 2026-10-31 | 53.90",
        ]
    );
    let bundle = bundled(&made, &"cloud".parse().unwrap(), "Cloud", october()).unwrap().unwrap();
    assert_eq!(told(&bundle), "Cloud | The gb, The support. 2026-10-01 to 2026-10-31 | 2026-10-31 | 57.75");
    assert_eq!((bundle.key.meter, bundle.of.len()), (None, 3));
    assert_eq!(bundled(&[], &"cloud".parse().unwrap(), "Cloud", october()), Ok(None));
}

#[test]
fn a_bundle_describes_as_many_items_as_there_is_room_for() {
    let records: Vec<_> = (0..400).map(|n| record(&format!("meter-{n:03}"), amount("1"), "EUR")).collect();
    let made = items(&records, None).unwrap();
    let bundle = bundled(&made, &"cloud".parse().unwrap(), "Cloud", october()).unwrap().unwrap();
    assert!(bundle.description.chars().count() < 1_100, "{}", bundle.description.len());
    assert!(bundle.description.ends_with(" and 334 more. 2026-10-01 to 2026-10-31"), "{}", bundle.description);
    assert_eq!(bundle.cost.get(), Decimal::from(400));
}

#[test]
fn amounts_of_several_currencies_are_named_and_not_added_up() {
    let (euro, dollar) = (record("gb", amount("1"), "EUR"), record("support", amount("1"), "USD"));
    let made = items(&[euro.clone(), dollar], None).unwrap();
    assert_eq!(itemised(&made, october()).len(), 2);
    let refused = bundled(&made, &"cloud".parse().unwrap(), "Cloud", october()).unwrap_err();
    assert_eq!(refused.to_string(), "The charges of Cloud are in EUR and USD: they are not added up.");
    let refused = items(&[euro, on(7, record("gb", amount("1"), "JPY"))], None).unwrap_err();
    assert_eq!(refused.to_string(), "The charges of cloud (gb) are in EUR and JPY: they are not added up.");
}

#[test]
fn a_charge_is_of_nothing_where_cost_and_price_are() {
    let charge = |worth, percent| itemised(&items(&[record("m", worth, "EUR")], markup(percent)).unwrap(), october());
    assert!(charge(amount("0.004"), "0")[0].is_zero());
    assert!(charge(times("0", "5"), "25")[0].is_zero());
    assert!(!charge(amount("0.004"), "100")[0].is_zero());
    assert!(!charge(amount("1"), "-100")[0].is_zero());
    let nothing = &charge(amount("-0.004"), "0")[0];
    assert_eq!((nothing.is_zero(), nothing.cost.to_string()), (true, "0.00".into()));
}

#[test]
fn what_is_not_believed_or_can_not_be_worked_out_exactly_is_refused() {
    assert_eq!(times("1000000", "1000000").exact(), Some(decimal("1000000000000")));
    assert_eq!(times("1000000", "1000000.000001").exact(), None);
    assert_eq!(times("1000000000000000", "-1000000000").exact(), None);
    assert_eq!(times("999999.999999", "999999.999999").exact(), Some(decimal("999999999998.000000000001")));
    let (large, back) = (amount("1000000000000"), on(3, record("m", amount("-1000000000000"), "EUR")));
    let twice = [on(1, record("m", large, "EUR")), on(2, record("m", large, "EUR"))];
    assert_eq!(
        items(&twice, None).unwrap_err().to_string(),
        "The charges of cloud (m) come to more than is believed, or to more digits than can be worked out exactly."
    );
    let made = items(&[&twice[..], &[back]].concat(), markup("10000"));
    assert_eq!(made.unwrap()[0].price.get(), decimal("101000000000000"));
    let fine = record("m", times("999999.999999", "999999.999999"), "EUR");
    assert!(items(std::slice::from_ref(&fine), markup("17.5")).is_ok());
    assert!(matches!(items(&[fine], markup("17.1234")), Err(Unchargeable::TooLarge { .. })));
}

#[test]
fn a_record_is_read_as_it_was_told() {
    for (worth, told) in [
        (amount("-3.10"), r#""amount":"-3.10""#),
        (times("1234.567", "0.0125"), r#""quantity":"1234.567","unit_price":"0.0125""#),
    ] {
        let record = record("m", worth, "EUR");
        let text = serde_json::to_string(&record).unwrap();
        assert!(text.contains(told) && text.contains(r#""period":{"from":"2026-10-01","to":"2026-10-31"}"#), "{text}");
        assert_eq!(serde_json::from_str::<ChargeRecord>(&text).unwrap(), record);
    }
    for bad in [r#"{}"#, r#"{"amount":"1","quantity":"1","unit_price":"1"}"#, r#"{"quantity":"1"}"#, r#"{"amount":1}"#]
    {
        assert!(serde_json::from_str::<Worth>(bad).is_err(), "{bad}");
    }
}

#[test]
fn decimals_are_plain_and_bounded() {
    for good in ["0", "12.50", "-3.1", "0.000001", "1000000000000", "-1000000000000"] {
        assert_eq!(good.parse::<Total>().unwrap().to_string(), good);
    }
    assert_eq!("-0.00".parse::<Total>().unwrap().to_string(), "0.00");
    for bad in ["", "-", ".", "+1", "--1", "1e3", "1_0", "1,5", " 1", "0.0000001", "1000000000000.01", "NaN"] {
        assert!(bad.parse::<Total>().is_err(), "{bad}");
    }
    for bad in ["-1", "-0.000001", "1000000000000001"] {
        assert!(bad.parse::<Quantity>().is_err(), "{bad}");
    }
    assert!("1000000000000000".parse::<Quantity>().is_ok() && "-1000000000".parse::<UnitPrice>().is_ok());
    assert!("1000000000.1".parse::<UnitPrice>().is_err());
}

#[test]
fn a_period_of_a_record_goes_forward_and_is_no_longer_than_a_year() {
    let of = |to| UsagePeriod::new(date(2026, 10, 1), to);
    assert!(of(date(2026, 10, 1)).is_ok() && of(date(2027, 10, 1)).is_ok());
    assert_eq!(of(date(2026, 9, 30)), Err(InvalidUsagePeriod::Backwards));
    assert_eq!(of(date(2027, 10, 3)), Err(InvalidUsagePeriod::TooLong));
}

#[test]
fn records_are_cut_by_the_day_they_begin() {
    let from =
        |from, to| ChargeRecord { period: UsagePeriod::new(from, to).unwrap(), ..record("m", amount("1"), "EUR") };
    let records = vec![
        from(date(2026, 10, 20), date(2026, 11, 19)),
        from(date(2026, 10, 14), date(2026, 10, 20)),
        from(date(2026, 11, 14), date(2026, 11, 14)),
    ];
    let cut = BillingDay::try_from(15).unwrap().cut(records);
    let told: Vec<_> = cut.iter().map(|(period, records)| (period.start.to_string(), records.len())).collect();
    assert_eq!(told, [("2026-09-15".into(), 1), ("2026-10-15".into(), 2)]);
}

#[test]
fn a_reference_is_the_same_for_the_same_charge_and_another_for_any_other() {
    let place =
        ChargePlace { partner: "p".parse().unwrap(), tenant: "t".parse().unwrap(), contract: "7".parse().unwrap() };
    let key = |meter: Option<&str>| ChargeKey {
        product: "cloud".parse().unwrap(),
        meter: meter.map(|meter| meter.parse().unwrap()),
        period_start: date(2026, 10, 1),
    };
    let base = key(Some("gb"));
    let reference = base.reference(&place, 0);
    assert_eq!(reference.as_str(), "TL-a83d0835edfa1c757326bbc2");
    assert_eq!(reference.as_str().parse::<Reference>().unwrap(), reference);
    let at = |place: ChargePlace| base.reference(&place, 0);
    let others = [
        base.reference(&place, 1),
        key(None).reference(&place, 0),
        key(Some("*")).reference(&place, 0),
        key(Some("gb2")).reference(&place, 0),
        ChargeKey { product: "backup".parse().unwrap(), ..base.clone() }.reference(&place, 0),
        ChargeKey { period_start: date(2026, 11, 1), ..base.clone() }.reference(&place, 0),
        at(ChargePlace { partner: "q".parse().unwrap(), ..place.clone() }),
        at(ChargePlace { tenant: "u".parse().unwrap(), ..place.clone() }),
        at(ChargePlace { contract: "8".parse().unwrap(), ..place.clone() }),
    ];
    let all: BTreeSet<_> = others.iter().chain([&reference]).collect();
    assert_eq!(all.len(), others.len() + 1);
    for bad in ["", "TL-", "TL-123", "tl-0123456789abcdef01234567", "TL-0123456789ABCDEF01234567", "PO 4711"] {
        assert_eq!(bad.parse::<Reference>(), Err(NotOurs), "{bad}");
    }
}
