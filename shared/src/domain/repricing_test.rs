//! What becomes of a line's prices: written, right, or left alone for a reason.

use jiff::civil::date;

use super::*;
use crate::domain::policy::Guards;

fn money(text: &str) -> Money {
    Money::try_from(text.to_owned()).unwrap()
}

fn shown(cost: Option<&str>, price: &str) -> UnitPrices {
    UnitPrices { cost: cost.map(money), price: Some(money(price)), currency: None, cost_in: None }
}

fn wanted(cost: &str, price: Option<&str>) -> WantedPrices {
    WantedPrices { cost: Some(money(cost)), price: price.map(money), because: format!("unit cost {cost}") }
}

fn sent(cost: &str, taken: bool) -> Priced {
    Priced { cost: Some(Last { amount: money(cost), from: date(2026, 11, 1), taken }), price: None }
}

fn decide(wanted: &WantedPrices, shown: &UnitPrices, last: Option<Priced>, policy: &Policy) -> String {
    let last = last.unwrap_or_default();
    let prices = Prices { wanted: Ok(wanted), shown: std::slice::from_ref(shown), costs_visible: true, last };
    told(prices.decide(policy, None))
}

fn told(repriced: Repriced) -> String {
    match repriced {
        Repriced::Right => "right".to_owned(),
        Repriced::Change(repricing, None) => repricing.in_words(),
        Repriced::Change(repricing, Some(left)) => format!("{}, but {}", repricing.in_words(), left.reason.code),
        Repriced::Left(left) => left.reason.code,
    }
}

#[test]
fn only_what_differs_is_written() {
    let policy = Policy::default();
    let of = |wanted: &WantedPrices, shown: &UnitPrices| decide(wanted, shown, None, &policy);
    let both = wanted("4", Some("5"));
    assert_eq!(of(&both, &shown(Some("4.00"), "5.0000")), "right");
    assert_eq!(of(&both, &shown(Some("3"), "5")), "unit cost 3.00 to 4.00");
    assert_eq!(of(&both, &shown(Some("4"), "4.5")), "unit price 4.50 to 5.00");
    assert_eq!(of(&both, &shown(Some("3"), "4.5")), "unit cost 3.00 to 4.00, unit price 4.50 to 5.00");
    assert_eq!(of(&both, &shown(None, "5")), "unit cost 4.00");
    assert_eq!(of(&wanted("4", None), &shown(Some("4"), "99")), "right", "a price that is left alone is never wrong");
}

#[test]
fn a_user_who_sees_no_cost_writes_none_and_still_keeps_prices() {
    let blind = |price: &str| {
        let shown = shown(None, price);
        let both = wanted("4", Some("5"));
        let prices = Prices { wanted: Ok(&both), shown: &[shown], costs_visible: false, last: Priced::default() };
        told(prices.decide(&Policy::default(), None))
    };
    assert_eq!(blind("5"), "costs_hidden");
    assert_eq!(blind("4.50"), "unit price 4.50 to 5.00, but costs_hidden");
}

#[test]
fn prices_that_the_psa_did_not_take_are_not_sent_again_until_they_are_others() {
    let policy = Policy::default();
    let of = |wanted_cost: &str, last| decide(&wanted(wanted_cost, None), &shown(Some("3"), "5"), Some(last), &policy);
    assert_eq!(of("4", sent("4", false)), "prices_not_taken");
    assert_eq!(of("4.10", sent("4", false)), "unit cost 3.00 to 4.10");
    let both = decide(&wanted("4", Some("6")), &shown(Some("3"), "5"), Some(sent("4", false)), &policy);
    assert_eq!(both, "unit price 5.00 to 6.00", "the other one goes on");
}

#[test]
fn a_price_that_a_person_edited_is_held_and_one_that_we_set_is_kept_current() {
    let (hold, overwrite) = (Policy::default(), Policy { drift: Drift::Overwrite, ..Policy::default() });
    let of = |last, policy: &Policy| decide(&wanted("4", None), &shown(Some("3"), "5"), Some(last), policy);
    assert_eq!(of(sent("3", true), &hold), "unit cost 3.00 to 4.00");
    assert_eq!(of(sent("3.50", true), &hold), "price_drift");
    assert_eq!(of(sent("3.50", true), &overwrite), "unit cost 3.00 to 4.00");
    let edited_to_what_it_should_be = decide(&wanted("3", None), &shown(Some("3"), "5"), Some(sent("2", true)), &hold);
    assert_eq!(edited_to_what_it_should_be, "right");
}

#[test]
fn where_two_places_differ_what_we_set_last_is_believed() {
    let places = [shown(Some("2"), "5"), shown(Some("3"), "5")];
    let of = |target: &str, last: Priced| {
        let cost = wanted(target, None);
        told(Prices { wanted: Ok(&cost), shown: &places, costs_visible: true, last }.decide(&Policy::default(), None))
    };
    assert_eq!(of("3", Priced::default()), "right");
    assert_eq!(of("2.50", sent("3", true)), "unit cost 3.00 to 2.50");
    assert_eq!(of("2.50", sent("2.90", true)), "price_drift");
    assert_eq!(of("2.50", Priced::default()), "unit cost 2.00 to 2.50");
}

#[test]
fn a_jump_waits_for_a_person_unless_there_was_nothing_before() {
    let policy = Policy::default();
    let of = |cost: &str, before: Option<&str>| decide(&wanted(cost, None), &shown(before, "5"), None, &policy);
    assert_eq!(of("6", Some("4")), "unit cost 4.00 to 6.00", "fifty percent is no jump");
    assert_eq!(of("6.01", Some("4")), "price_guard");
    assert_eq!(of("2", Some("4")), "unit cost 4.00 to 2.00");
    assert_eq!(of("1.99", Some("4")), "price_guard");
    assert_eq!(of("400", Some("0")), "unit cost 0.00 to 400.00");
    assert_eq!(of("400", None), "unit cost 400.00");
    let wide = Policy { guards: Guards { price_percent: 1000, ..Guards::default() }, ..Policy::default() };
    assert_eq!(decide(&wanted("40", None), &shown(Some("4"), "5"), None, &wide), "unit cost 4.00 to 40.00");
    let (both, seen) = (wanted("4", Some("40")), shown(Some("4"), "5"));
    assert_eq!(decide(&both, &seen, None, &policy), "price_guard");
}

#[test]
fn what_a_person_approved_goes_past_guard_and_drift_and_nothing_else_does() {
    let (cost, seen, edited) = (wanted("40", None), shown(Some("4"), "5"), sent("3", true));
    let prices = Prices { wanted: Ok(&cost), shown: std::slice::from_ref(&seen), costs_visible: true, last: edited };
    let approve = |target: &str| {
        let step = Step { before: Some(money("4")), target: money(target) };
        told(prices.decide(&Policy::default(), Some(&Repricing { cost: Some(step), price: None })))
    };
    assert_eq!(approve("40"), "unit cost 4.00 to 40.00");
    assert_eq!(approve("39"), "price_drift");
}

#[test]
fn a_repricing_is_judged_by_what_the_psa_shows() {
    let step = |before: Option<&str>, target: &str| Some(Step { before: before.map(money), target: money(target) });
    let both = Repricing { cost: step(None, "4"), price: step(Some("5"), "6") };
    assert!(both.is_shown_by(&[shown(Some("4.0000"), "6")]));
    assert!(
        !both.is_shown_by(&[shown(None, "6")]) && !both.is_shown_by(&[shown(Some("4"), "5")]) && !both.is_shown_by(&[])
    );
    assert!(both.is_shown_by(&[shown(None, "6"), shown(Some("4"), "5")]), "each in a place of its own");
    assert!(both.is_before(&[shown(None, "5")]) && !both.is_before(&[shown(Some("4"), "5")]) && !both.is_before(&[]));
    let cost = Repricing { price: None, ..both };
    assert!(cost.is_shown_by(&[shown(Some("4"), "99")]));
    let after = both.remembered(sent("3", true), date(2026, 11, 2), false);
    let told = |last: Option<Last>| last.map(|last| (last.amount.to_string(), last.taken));
    assert_eq!((told(after.cost), told(after.price)), (Some(("4.00".into(), false)), Some(("6.00".into(), false))));
    let alone = Repricing { cost: None, ..both }.remembered(sent("3", true), date(2026, 11, 2), true);
    assert_eq!(told(alone.cost), Some(("3.00".into(), true)), "what was not sent stays as it was");
}

#[test]
fn what_nobody_can_say_leaves_the_prices_alone() {
    let reason = Reason::new(Code::CostMissing, "No usage says what a unit costs.".into());
    let seen = shown(Some("4"), "5");
    let unknown = Prices {
        wanted: Err(&reason),
        shown: std::slice::from_ref(&seen),
        costs_visible: true,
        last: Priced::default(),
    };
    assert_eq!(unknown.decide(&Policy::default(), None), Repriced::Left(reason.into()));
    let cost = wanted("4", None);
    let unread = Prices { wanted: Ok(&cost), shown: &[], costs_visible: true, last: Priced::default() };
    assert_eq!(told(unread.decide(&Policy::default(), None)), "prices_not_shown");
}
