//! How good suggestions are, measured on labelled names of invented customers.
//!
//! The rules were tuned on the first half of the names; the second was only measured. `--nocapture` prints the figures.

mod fixture;

use fixture::{Half, Measure, halves};

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
