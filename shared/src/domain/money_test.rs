//! What changes come to, a month, by line and added up.

use super::*;

fn money(text: &str) -> Money {
    Money::try_from(text.to_owned()).unwrap()
}

fn prices(price: Option<&str>, cost: Option<&str>, currency: &str) -> UnitPrices {
    UnitPrices { price: price.map(money), cost: cost.map(money), currency: currency.parse().ok(), cost_in: None }
}

fn by(units: i64) -> Delta {
    let number = |number: i64| Units::try_from(number).unwrap();
    number((-units).max(0)).delta_to(number(units.max(0)))
}

fn change(prices: &UnitPrices, every: PeriodType, before: i64, target: i64) -> LineMoney {
    let units = |number: i64| Units::try_from(number).unwrap();
    LineMoney::of(prices, every, Some(units(before).delta_to(units(target))))
}

#[test]
fn a_change_comes_to_its_units_times_the_price_a_month() {
    let prices = prices(Some("12.5"), Some("8"), "eur");
    let rise = change(&prices, PeriodType::Monthly, 40, 42);
    assert_eq!((rise.monthly_price, rise.monthly_cost), (Some(money("25.00")), Some(money("16"))));
    let fall = change(&prices, PeriodType::Quarterly, 42, 40);
    assert_eq!(fall.monthly_price.unwrap().to_string(), "-8.33");
    let yearly = change(&prices, PeriodType::Yearly, 0, 1);
    assert_eq!(serde_json::to_value(&yearly).unwrap()["monthly_price"], "1.04");
    assert_eq!(serde_json::to_value(&yearly).unwrap()["currency"], "EUR");
}

#[test]
fn a_change_of_prices_is_worth_what_the_line_comes_to_after_it_less_what_it_came_to_before() {
    let step = |before: &str, target: &str| Some(Step { before: Some(money(before)), target: money(target) });
    let shown = prices(Some("12.50"), Some("8"), "EUR");
    let both = Repricing { cost: step("8", "9"), price: step("12.50", "11.25") };
    let units = |before: i64, target: i64| (before.try_into().unwrap(), target.try_into().unwrap());
    let alone = LineMoney::of_repriced(&shown, &both, PeriodType::Monthly, units(40, 40));
    assert_eq!((alone.monthly_price, alone.monthly_cost), (Some(money("-50")), Some(money("40"))));
    assert_eq!((alone.unit_price, alone.unit_cost), (Some(money("11.25")), Some(money("9"))));
    let cost_alone = Repricing { price: None, ..both };
    let with_units = LineMoney::of_repriced(&shown, &cost_alone, PeriodType::Yearly, units(10, 12));
    assert_eq!((with_units.monthly_price, with_units.monthly_cost), (Some(money("2.08")), Some(money("2.33"))));
    let unknown = Repricing { cost: Some(Step { before: None, target: money("9") }), price: None };
    let told = LineMoney::of_repriced(&shown, &unknown, PeriodType::Monthly, units(40, 40));
    assert_eq!((told.monthly_cost, told.unit_cost), (None, Some(money("9"))));
}

#[test]
fn half_a_cent_is_rounded_away_from_zero_and_less_is_not() {
    for (price, units, told) in [("0.125", 1, "0.13"), ("0.135", 1, "0.14"), ("0.126", 1, "0.13"), ("0.124", 1, "0.12")]
    {
        let prices = prices(Some(price), Some(price), "EUR");
        let (rise, fall) =
            (change(&prices, PeriodType::Monthly, 0, units), change(&prices, PeriodType::Monthly, units, 0));
        assert_eq!(rise.monthly_price.unwrap().to_string(), told, "{price}");
        assert_eq!(fall.monthly_cost.unwrap().to_string(), format!("-{told}"), "{price}");
    }
}

#[test]
fn a_total_is_of_one_currency_and_of_what_is_known_of_every_line() {
    let of = |price, cost, currency| change(&prices(price, cost, currency), PeriodType::Monthly, 0, 2);
    let (edr, m365) = (of(Some("1.50"), Some("1"), "EUR"), of(Some("2"), None, "EUR"));
    let both = total([edr.clone(), m365.clone()]).unwrap();
    assert_eq!((both.monthly_price, both.unit_price), (Some(money("7")), None));
    assert_eq!(both.monthly_cost, None, "a cost that is hidden is not nothing");
    assert_eq!(total([edr.clone(), edr.clone()]).unwrap().monthly_cost, Some(money("4")));
    assert_eq!(total([edr.clone(), of(Some("2"), None, "CHF")]), None);
    assert_eq!(total([m365.clone()]), Some(m365));
    assert_eq!(total([]), None);
}

#[test]
fn what_the_psa_does_not_show_is_null_and_not_zero() {
    let blind = change(&prices(Some("12.50"), None, ""), PeriodType::Monthly, 1, 2);
    let shown = serde_json::to_value(&blind).unwrap();
    assert_eq!((&shown["unit_price"], &shown["unit_cost"]), (&"12.50".into(), &serde_json::Value::Null));
    assert_eq!((&shown["monthly_cost"], &shown["currency"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    let unknown = LineMoney::of(&prices(Some("1"), None, "EUR"), PeriodType::Monthly, None);
    assert_eq!(unknown.monthly_price, None);
}

#[test]
fn sums_keep_currencies_apart_and_count_what_they_lack() {
    let euro = |price| (by(3), change(&prices(price, None, "EUR"), PeriodType::Monthly, 0, 3));
    let dollar = (by(-5), change(&prices(Some("2"), Some("1"), "USD"), PeriodType::Monthly, 5, 0));
    let lines = [euro(Some("1.10")), euro(Some("2")), euro(None), dollar];
    let mut sums = sums(lines);
    for sum in &mut sums {
        (sum.rises, sum.falls) = Default::default();
    }
    let empty = r#"{"monthly_price":"0.00","monthly_cost":"0.00","lines":0}"#;
    let apart = format!(r#","rises":{empty},"falls":{empty}}}"#);
    let told: Vec<String> = sums.iter().map(|sum| serde_json::to_string(sum).unwrap()).collect();
    assert_eq!(
        told,
        [
            r#"{"currency":"EUR","monthly_price":"9.30","monthly_cost":"0.00","lines":3,"lines_without_price":1,"lines_without_cost":3"#,
            r#"{"currency":"USD","monthly_price":"-10.00","monthly_cost":"-5.00","lines":1,"lines_without_price":0,"lines_without_cost":0"#,
        ]
        .map(|sum| format!("{sum}{apart}"))
    );
}

#[test]
fn rises_and_falls_are_told_apart_and_together_however_they_were_added_up() {
    let prices = prices(Some("5"), Some("3"), "EUR");
    let of = |before, target| (by(target - before), change(&prices, PeriodType::Monthly, before, target));
    let changes = [of(10, 14), of(9, 2), of(0, 1)];
    let told = |sums: &[Sum]| {
        let [sum] = sums else { panic!("{sums:?}") };
        let side = |side: &Side| format!("{} of {}", side.monthly_price, side.lines);
        assert_eq!(sum.lines, 3);
        [sum.monthly_price.to_string(), side(&sum.rises), side(&sum.falls)]
    };
    let expected = ["-10.00", "25.00 of 2", "-35.00 of 1"].map(str::to_owned);
    assert_eq!(told(&sums(changes.clone())), expected);
    let one_by_one = changes.into_iter().flat_map(|change| sums([change]));
    assert_eq!(told(&together(one_by_one)), expected);
    // A change of prices alone rises or falls by what it comes to.
    let priced = |price: &str, cost: &str| {
        let amounts = LineMoney { monthly_price: Some(money(price)), monthly_cost: Some(money(cost)), ..of(1, 1).1 };
        let sum = &sums([(by(0), amounts)])[0];
        (sum.rises.lines, sum.falls.lines)
    };
    assert_eq!(
        [priced("5", "-1"), priced("-5", "1"), priced("0", "-1"), priced("0", "1")],
        [(1, 0), (0, 1), (0, 1), (1, 0)]
    );
    // A free unit still rises or falls.
    let free = LineMoney { monthly_price: None, ..of(3, 1).1 };
    assert_eq!(sums([(by(-2), free)])[0].falls.lines, 1);
}

#[test]
fn an_amount_keeps_the_digits_that_it_needs() {
    for (given, shown) in [("12.5", "12.50"), ("-0.125", "-0.125"), ("1000", "1000.00"), ("3.4000", "3.40")] {
        assert_eq!(money(given).to_string(), shown);
    }
    for bad in ["", "12,50", "1e3", "EUR 1"] {
        assert!(Money::try_from(bad.to_owned()).is_err(), "{bad}");
    }
    assert!("EURO".parse::<Currency>().is_err() && "E1R".parse::<Currency>().is_err());
}
