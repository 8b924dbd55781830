//! How good suggestions are, measured on labelled names of invented customers.
//!
//! The rules were tuned on the first half of the names; the second was only measured. `--nocapture` prints the figures.

mod fixture;

use std::collections::BTreeMap;
use std::time::Instant;

use fixture::{Half, Measure, halves};
use shared::domain::matching::{AccountToMatch, CompanyToMatch, Match, suggest};

const THRESHOLDS: [u32; 10] = [420, 500, 600, 650, 700, 750, 780, 820, 880, 950];

fn percent(per_mille: u32) -> String {
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}

fn row(name: &str, measure: Measure) -> String {
    let Measure { suggested, right, to_find } = measure;
    let (precision, recall) = (percent(measure.precision()), percent(measure.recall()));
    format!("{name:>10} | {suggested:>9} | {right:>5} of {to_find:>3} | {precision:>9} | {recall:>7}")
}

fn report(title: &str, half: &Half) -> Measure {
    let (sure, table) = half.measure(&THRESHOLDS);
    println!("\n{title}: {} pairs, {} of them without a right account", half.pairs(), half.without_account());
    println!("{:>10} | {:>9} | {:>12} | {:>9} | {:>7}", "from score", "suggested", "right", "precision", "recall");
    for (threshold, measure) in table {
        println!("{}", row(&threshold.to_string(), measure));
    }
    println!("{}", row("sure", sure));
    sure
}

#[test]
fn what_is_called_sure_is_right_and_most_accounts_are_found() {
    let both = halves();
    let tuned = report("the half that rules are tuned on", &both[0]);
    if std::env::var_os("TALLYLINE_MISSES").is_some() {
        println!("{}", both[0].misses());
    }
    let held_out = report("the half that is held out", &both[1]);
    let whole = Half::whole(both);
    assert!(whole.pairs() >= 300 && whole.without_account() >= 100);
    for sure in [tuned, held_out, report("all names", &whole)] {
        assert!(sure.precision() >= 950 && sure.recall() >= 800, "{}", row("sure", sure));
    }
}

/// Words that make a name in the large test: the first two tell it, the last is everybody's.
fn name(number: usize) -> String {
    const SYLLABLES: [&str; 20] = [
        "ba", "ke", "lo", "mi", "ru", "sta", "ven", "dor", "hal", "gri", "ton", "wel", "fa", "nor", "pek", "zim",
        "jul", "ost", "cra", "bly",
    ];
    const TRADES: [&str; 12] = [
        "Logistik",
        "Dental",
        "Services",
        "Group",
        "Elektro",
        "Consulting",
        "Bau",
        "Hotel",
        "Clinic",
        "IT",
        "Transport",
        "Foods",
    ];
    let syllable = |digit: u32| SYLLABLES[number / 20_usize.pow(digit) % 20];
    format!("{}{}{} {}", syllable(0), syllable(1), syllable(2), TRADES[number % 12])
}

#[test]
fn three_thousand_companies_find_their_accounts_among_five_thousand() {
    let account = |number: usize| AccountToMatch {
        id: format!("{number}").parse().unwrap(),
        name: format!("{} GmbH", name(number)),
        number: None,
    };
    let company = |number: usize| CompanyToMatch {
        company: format!("c{number:05}").parse().unwrap(),
        name: Some(name(number).to_uppercase()),
        known: Vec::new(),
    };
    let accounts: Vec<_> = (0..5_000).map(account).collect();
    let companies: Vec<_> = (1_000..4_000).map(company).collect();
    let began = Instant::now();
    let found = suggest(&companies, &accounts, &BTreeMap::new());
    println!("3,000 companies among 5,000 accounts in {} ms", began.elapsed().as_millis());
    for (number, found) in (1_000..4_000).zip(&found) {
        let best = found.best.as_ref().unwrap();
        assert_eq!((best.account_id.as_str(), best.r#match), (number.to_string().as_str(), Match::Name), "{found:?}");
        assert!(found.sure, "{found:?}");
    }
    // Whatever the order in which they come.
    let reversed: Vec<_> = companies.iter().rev().cloned().collect();
    let mut again = suggest(&reversed, &accounts, &BTreeMap::new());
    again.reverse();
    assert_eq!(found, again);
}
