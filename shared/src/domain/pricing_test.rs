//! Markups against a table, and what keeps a line from being priced.

use super::*;

/// Currency, unit cost, markup in percent, the product of both in exact decimals, and that rounded half to even.
const WORKED: &[(&str, &str, &str, &str, &str)] = &[
    ("EUR", "4.00", "25", "5", "5.00"),
    ("EUR", "4.00", "0", "4", "4.00"),
    ("EUR", "4.00", "-100", "0", "0.00"),
    ("EUR", "4.00", "100", "8", "8.00"),
    ("EUR", "4.00", "10000", "404", "404.00"),
    ("EUR", "0", "25", "0", "0.00"),
    ("EUR", "0", "-50", "0", "0.00"),
    ("EUR", "0.01", "25", "0.0125", "0.01"),
    ("EUR", "0.01", "50", "0.015", "0.02"),
    ("EUR", "0.03", "50", "0.045", "0.04"),
    ("EUR", "0.05", "50", "0.075", "0.08"),
    ("EUR", "0.10", "25", "0.125", "0.12"),
    ("EUR", "0.10", "5", "0.105", "0.10"),
    ("EUR", "0.30", "5", "0.315", "0.32"),
    ("EUR", "1.10", "15", "1.265", "1.26"),
    ("EUR", "1.30", "15", "1.495", "1.50"),
    ("EUR", "1.50", "15", "1.725", "1.72"),
    ("EUR", "2.35", "10", "2.585", "2.58"),
    ("EUR", "2.45", "10", "2.695", "2.70"),
    ("EUR", "2.55", "10", "2.805", "2.80"),
    ("EUR", "12.50", "33.3333", "16.6666625", "16.67"),
    ("EUR", "9.99", "20", "11.988", "11.99"),
    ("EUR", "9.99", "17.5", "11.73825", "11.74"),
    ("EUR", "0.0375", "25", "0.046875", "0.05"),
    ("EUR", "0.0004", "25", "0.0005", "0.00"),
    ("EUR", "0.125", "0", "0.125", "0.12"),
    ("EUR", "0.135", "0", "0.135", "0.14"),
    ("EUR", "0.145", "0", "0.145", "0.14"),
    ("EUR", "1.005", "0", "1.005", "1.00"),
    ("EUR", "1.015", "0", "1.015", "1.02"),
    ("EUR", "999999.99", "25", "1249999.9875", "1249999.99"),
    ("EUR", "1000000000", "10000", "101000000000", "101000000000.00"),
    ("EUR", "10", "-12.5", "8.75", "8.75"),
    ("EUR", "10.01", "-50", "5.005", "5.00"),
    ("EUR", "10.03", "-50", "5.015", "5.02"),
    ("EUR", "0.000001", "10000", "0.000101", "0.00"),
    ("EUR", "3.333333", "20", "3.9999996", "4.00"),
    ("USD", "7.25", "18", "8.555", "8.56"),
    ("USD", "19.99", "0.0001", "19.99001999", "19.99"),
    ("USD", "100", "0.005", "100.005", "100.00"),
    ("USD", "100", "0.015", "100.015", "100.02"),
    ("JPY", "100", "25", "125", "125"),
    ("JPY", "101", "50", "151.5", "152"),
    ("JPY", "103", "50", "154.5", "154"),
    ("JPY", "100.5", "0", "100.5", "100"),
    ("JPY", "101.5", "0", "101.5", "102"),
    ("JPY", "99.5", "10", "109.45", "109"),
    ("JPY", "1", "-50", "0.5", "0"),
    ("JPY", "3", "-50", "1.5", "2"),
    ("JPY", "0.4", "25", "0.5", "0"),
    ("KRW", "1250", "12", "1400", "1400"),
    ("KWD", "1.250", "25", "1.5625", "1.562"),
    ("KWD", "0.001", "50", "0.0015", "0.002"),
    ("KWD", "0.003", "50", "0.0045", "0.004"),
    ("KWD", "1.2345", "0", "1.2345", "1.234"),
    ("KWD", "1.2355", "0", "1.2355", "1.236"),
    ("KWD", "0.0005", "100", "0.001", "0.001"),
    ("BHD", "2.375", "10", "2.6125", "2.612"),
    ("BHD", "2.125", "-3.2", "2.057", "2.057"),
    ("EUR", "-4.00", "25", "-5", "-5.00"),
    ("EUR", "-0.05", "50", "-0.075", "-0.08"),
    ("EUR", "-0.10", "5", "-0.105", "-0.10"),
    ("EUR", "-0.30", "5", "-0.315", "-0.32"),
    ("EUR", "-1.005", "0", "-1.005", "-1.00"),
    ("EUR", "-12.50", "-100", "0", "0.00"),
    ("JPY", "-101", "50", "-151.5", "-152"),
    ("JPY", "-103", "50", "-154.5", "-154"),
    ("KWD", "-0.003", "50", "-0.0045", "-0.004"),
];

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

#[test]
fn a_markup_is_worked_out_in_exact_decimals_and_rounded_once() {
    for (code, cost, markup, exact, price) in WORKED {
        let markup: Markup = markup.parse().unwrap();
        let of = |digits| markup.on(decimal(cost), digits).unwrap();
        assert_eq!(of(28), decimal(exact), "{code} {cost} {markup}");
        assert_eq!(of(currency(code).digits()), decimal(price), "{code} {cost} {markup}");
    }
    println!("{} cases of cost, markup and rounding", WORKED.len());
}

#[test]
fn a_price_that_can_not_be_worked_out_exactly_is_none() {
    let markup: Markup = "17.1234".parse().unwrap();
    assert_eq!(markup.on(decimal("100000000.123456789012"), 28), Some(decimal("117123400.144596788821680808")));
    assert_eq!(markup.on(decimal("900000000000.123456789012"), 2), None);
    assert_eq!(markup.on(decimal("0.000"), 2), Some(decimal("0")));
}

/// The examples that people read are worked out by the same rule.
#[test]
fn the_examples_of_the_documentation_hold() {
    let text = include_str!("../../../docs/prices.md");
    let is_code = |cell: &str| cell.len() == 3 && cell.bytes().all(|byte| byte.is_ascii_uppercase());
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect()))
        .filter(|cells: &Vec<&str>| cells.len() == 5 && is_code(cells[0]))
        .collect();
    for row in &rows {
        let (markup, cost): (Markup, _) = (row[2].parse().unwrap(), decimal(row[1]));
        assert_eq!(markup.on(cost, 28).unwrap(), decimal(row[3]), "{row:?}");
        let price = markup.on(cost, currency(row[0]).digits()).unwrap();
        assert_eq!(price, decimal(row[4]), "{row:?}");
    }
    assert_eq!(rows.len(), 12);
}

#[test]
fn the_examples_of_proration_hold() {
    let text = include_str!("../../../docs/prices.md");
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect()))
        .filter(|cells: &Vec<&str>| cells.len() == 7 && cells[3].contains(" to "))
        .collect();
    for row in &rows {
        let day = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
        let (from, (start, end)) = (day(row[2]), row[3].split_once(" to ").unwrap());
        let (start, end) = (day(start), day(end));
        let days = |from: jiff::civil::Date| (end - from).get_days() + 1;
        let (left, whole) = (days(from).max(0), days(start));
        let told = if left == 0 { "none".to_owned() } else { format!("{left} of {whole}") };
        assert_eq!(told, row[4], "{row:?}");
        let exact = decimal(row[0]) * decimal(row[1]) * Decimal::from(left) / Decimal::from(whole);
        assert_eq!(exact.round_dp(6).normalize(), decimal(row[5]), "{row:?}");
        assert_eq!(exact.round_dp(2), decimal(row[6]), "{row:?}");
    }
    assert_eq!(rows.len(), 8);
}

fn pricing(markup: Option<&str>) -> Pricing {
    Pricing { fixed: None, markup: markup.map(|markup| markup.parse().unwrap()), digits: None, currency: None }
}

fn feed(company: &str, cost: Option<&str>, code: Option<&str>) -> FeedCost {
    FeedCost {
        company: company.parse().unwrap(),
        product: "edr".parse().unwrap(),
        cost: cost.map(decimal),
        currency: code.map(currency),
    }
}

fn told(wanted: Result<WantedPrices, Unpriced>) -> String {
    match wanted {
        Ok(wanted) => wanted.because,
        Err(Unpriced::RefusesLine(reason)) => format!("refused, {}: {}", reason.code, reason.explanation),
        Err(Unpriced::LeavesPrices(reason)) => format!("left, {}: {}", reason.code, reason.explanation),
    }
}

#[test]
fn prices_say_how_they_came_about() {
    let euro = currency("EUR");
    let of = |pricing: &Pricing, cost| pricing.wanted(&[feed("acme", Some(cost), None)], (Some(&euro), None));
    let marked = of(&pricing(Some("25")), "1.30").unwrap();
    assert_eq!((marked.cost.unwrap().to_string(), marked.price.unwrap().to_string()), ("1.30".into(), "1.62".into()));
    assert_eq!(marked.because, "unit cost 1.30 + 25 % is a unit price of 1.62 (half-even, 2 digits)");
    assert_eq!(
        told(of(&pricing(Some("-12.5")), "8")),
        "unit cost 8.00 - 12.5 % is a unit price of 7.00 (half-even, 2 digits)"
    );
    let alone = of(&pricing(None), "1.30").unwrap();
    assert_eq!((alone.price, alone.because.as_str()), (None, "unit cost 1.30"));
    let fine = Pricing { digits: Some(4), ..pricing(Some("25")) };
    assert_eq!(of(&fine, "0.0375").unwrap().price.unwrap().to_string(), "0.0469");
    let fixed = Pricing { fixed: Some(decimal("3")), ..pricing(Some("50")) };
    assert_eq!(of(&fixed, "1.30").unwrap().price.unwrap().to_string(), "4.50");
}

#[test]
fn a_price_is_computed_from_the_whole_cost_and_the_cost_keeps_four_digits() {
    let wanted =
        pricing(Some("100")).wanted(&[feed("acme", Some("0.00125"), None)], (Some(&currency("EUR")), None)).unwrap();
    assert_eq!(wanted.cost.unwrap().to_string(), "0.0012");
    let fine = Pricing { digits: Some(4), ..pricing(Some("100")) };
    let wanted = fine.wanted(&[feed("acme", Some("0.00125"), None)], (Some(&currency("EUR")), None)).unwrap();
    assert_eq!(wanted.price.unwrap().to_string(), "0.0025");
}

#[test]
fn money_of_two_currencies_refuses_the_line() {
    let of = |pricing: &Pricing, code, contract: Option<&str>| {
        told(pricing.wanted(&[feed("acme", Some("4"), code)], (contract.map(currency).as_ref(), None)))
    };
    let marked = pricing(Some("25"));
    assert_eq!(
        of(&marked, Some("USD"), Some("EUR")),
        "refused, currency_mismatch: The usage of acme (edr) is in USD, the contract in EUR."
    );
    assert_eq!(of(&marked, Some("EUR"), Some("EUR")), of(&marked, None, Some("EUR")));
    assert_eq!(
        of(&marked, Some("USD"), None),
        "left, currency_unknown: The usage of acme (edr) is in USD; the PSA does not say which currency the contract is in."
    );
    let fixed = Pricing { fixed: Some(decimal("3")), currency: Some(currency("USD")), ..pricing(None) };
    assert_eq!(
        of(&fixed, Some("GBP"), Some("EUR")),
        "refused, currency_mismatch: The mapping's unit cost is in USD, the contract in EUR."
    );
    assert_eq!(of(&fixed, Some("GBP"), Some("USD")), "unit cost 3.00");
}

#[test]
fn a_price_is_not_rounded_by_a_currency_that_nobody_knows() {
    let feeds = [feed("acme", Some("4"), None)];
    let of = |pricing: &Pricing| told(pricing.wanted(&feeds, (None, None)));
    assert_eq!(
        of(&pricing(Some("25"))),
        "left, currency_unknown: The PSA does not say which currency the contract is in, so how its prices are rounded is not known."
    );
    let digits = Pricing { digits: Some(2), ..pricing(Some("25")) };
    assert_eq!(of(&digits), "unit cost 4.00 + 25 % is a unit price of 5.00 (half-even, 2 digits)");
    assert_eq!(of(&pricing(None)), "unit cost 4.00");
}

#[test]
fn a_cost_is_left_alone_where_the_psa_keeps_costs_in_another_currency() {
    let feeds = [feed("acme", Some("850.5"), Some("JPY"))];
    let (yen, euro) = (currency("JPY"), currency("EUR"));
    let wanted = pricing(Some("25")).wanted(&feeds, (Some(&yen), Some(&euro))).unwrap();
    assert_eq!((wanted.cost, wanted.price.unwrap().to_string()), (None, "1063.00".into()));
    assert!(
        wanted.because.ends_with("; the PSA keeps costs in EUR, so the unit cost is left alone"),
        "{}",
        wanted.because
    );
}

#[test]
fn a_cost_that_nobody_says_or_two_say_differently_is_none() {
    let of = |feeds: &[FeedCost]| told(pricing(None).wanted(feeds, (Some(&currency("EUR")), None)));
    let silent = feed("beta", None, None);
    assert_eq!(of(std::slice::from_ref(&silent)), "left, cost_missing: No usage of beta (edr) says what a unit costs.");
    let four = feed("acme", Some("4"), None);
    assert_eq!(of(&[four.clone(), silent]), "left, cost_missing: No usage of beta (edr) says what a unit costs.");
    let five = feed("beta", Some("5"), None);
    assert_eq!(
        of(&[four.clone(), five]),
        "left, costs_differ: A unit costs 4 by the usage of acme (edr), and 5 by that of beta (edr)."
    );
    assert_eq!(of(&[four, feed("beta", Some("4.00"), None)]), "unit cost 4.00");
    assert_eq!(of(&[]), "left, cost_missing: No usage says what a unit costs.");
}

#[test]
fn a_markup_is_a_percentage_and_nothing_else() {
    for good in ["0", "25", "12.5", "-100", "10000", "0.0001"] {
        assert_eq!(good.parse::<Markup>().unwrap().to_string(), good);
    }
    for bad in ["", "25%", "1e3", "--1", "-100.01", "10000.1", "0.00001", "+5", "1_0", "5,5"] {
        assert!(bad.parse::<Markup>().is_err(), "{bad}");
    }
}
