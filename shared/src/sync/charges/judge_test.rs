//! What an unseen write of a charge came to, by what the PSA shows.

use jiff::civil::date;

use super::*;
use crate::domain::charge::{Amounts, ChargeKey, ChargeLine, ChargeMeaning, Records, Terms};
use crate::domain::money::Money;
use crate::sync::resolve::ACKNOWLEDGED;

const SETTLE: SignedDuration = SignedDuration::from_secs(360);

fn money(text: &str) -> Money {
    Money::try_from(text.to_owned()).unwrap()
}

fn terms(price: &str) -> Terms {
    let amounts = Amounts { cost: money("8"), price: money(price) };
    Terms { name: "Cloud".into(), description: String::new(), date: date(2026, 11, 30), amounts }
}

fn shown(price: &str, billed: bool) -> Shown {
    Shown {
        id: "5".parse().unwrap(),
        contract: "29".parse().unwrap(),
        name: "Cloud".into(),
        date: date(2026, 11, 30),
        cost: Some(money("8")),
        price: Some(money(price)),
        quantity: 1.into(),
        billed,
    }
}

fn intent(act: Act, code: Option<&str>) -> ChargeIntent {
    let key = ChargeKey { product: "azure".parse().unwrap(), meter: None, period_start: date(2026, 11, 1) };
    let meaning = ChargeMeaning {
        partner: "p".parse().unwrap(),
        tenant: "t".parse().unwrap(),
        line: ChargeLine { contract: "29".parse().unwrap(), key },
        revision: 0,
        number: 0,
        act,
        billing_code: "3".parse().unwrap(),
        records: Records::default(),
        markup: None,
        company: None,
        currency: None,
    };
    ChargeIntent {
        key: meaning.key(),
        payload: meaning.payload(),
        meaning,
        before: None,
        connection: "c".parse().unwrap(),
        run: "r".parse().unwrap(),
        state: IntentState::Sent,
        fence: 1,
        leased: "LEASE#1".into(),
        intended: Timestamp::from_second(1_000).unwrap(),
        sent_at: Some(1_000),
        settled_at: None,
        code: code.map(str::to_owned),
    }
}

/// What is made of `act` when the PSA shows `shows`, so many seconds after it was sent.
fn ask(act: Act, code: Option<&str>, shows: Option<Shown>, later: i64) -> Judgement {
    let before: Vec<Piece> = match act {
        Act::Create(_) => Vec::new(),
        _ => vec![Piece { number: 0, asked: terms("10"), shown: shown("10", false) }],
    };
    let shows = shows.map(|shown| (0, shown)).into_iter().collect();
    judge(&intent(act, code), &before, &shows, Timestamp::from_second(1_000 + later).unwrap(), SETTLE)
}

fn create() -> Act {
    Act::Create(terms("10"))
}

fn change() -> Act {
    Act::Change { id: "5".parse().unwrap(), to: terms("12") }
}

fn delete() -> Act {
    Act::Delete { id: "5".parse().unwrap() }
}

fn applied(asked: &str, shows: &str) -> Judgement {
    Judgement::Applied(vec![Piece { number: 0, asked: terms(asked), shown: shown(shows, false) }])
}

#[test]
fn a_charge_that_shows_is_made_and_one_that_does_not_waits_until_it_can_not_come_any_more() {
    assert_eq!(ask(create(), None, Some(shown("10", false)), 0), applied("10", "10"));
    assert_eq!(ask(create(), None, Some(shown("99", false)), 0), applied("10", "99"), "ours, whatever became of it");
    assert_eq!(ask(create(), None, None, 359), Judgement::Wait);
    assert_eq!(ask(create(), Some(ANSWER_LOST), None, 360), Judgement::NotApplied);
    assert_eq!(ask(create(), Some(ACKNOWLEDGED), None, 360), Judgement::Unexplained);
}

#[test]
fn a_change_is_made_when_the_charge_says_so() {
    assert_eq!(ask(change(), None, Some(shown("12", false)), 0), applied("12", "12"));
    assert_eq!(ask(change(), None, Some(shown("10", false)), 359), Judgement::Wait);
    assert_eq!(ask(change(), None, Some(shown("10", false)), 360), Judgement::NotApplied);
    assert_eq!(ask(change(), Some(ACKNOWLEDGED), Some(shown("10", false)), 360), Judgement::Unexplained);
    assert_eq!(
        ask(change(), Some(ACKNOWLEDGED), Some(shown("10", true)), 0),
        Judgement::NotApplied,
        "billed before it"
    );
    assert_eq!(ask(change(), None, None, 359), Judgement::Wait);
    assert_eq!(ask(change(), None, None, 360), Judgement::NotApplied, "somebody took it away");
    let blind = Shown { cost: None, ..shown("12", false) };
    let piece = Piece { number: 0, asked: terms("12"), shown: blind.clone() };
    assert_eq!(ask(change(), None, Some(blind), 0), Judgement::Applied(vec![piece]));
}

#[test]
fn a_removal_is_made_when_the_charge_is_gone() {
    assert_eq!(ask(delete(), None, None, 0), Judgement::Applied(Vec::new()));
    assert_eq!(ask(delete(), None, Some(shown("10", false)), 359), Judgement::Wait);
    assert_eq!(ask(delete(), None, Some(shown("10", false)), 360), Judgement::NotApplied);
    assert_eq!(ask(delete(), None, Some(shown("10", true)), 0), Judgement::NotApplied);
}

#[test]
fn what_was_never_sent_can_be_given_up_whatever_shows() {
    let intent = ChargeIntent { state: IntentState::Intended, ..intent(create(), None) };
    let shows = [(0, shown("10", false))].into();
    let now = Timestamp::from_second(9_999).unwrap();
    assert_eq!(judge(&intent, &[], &shows, now, SETTLE), Judgement::NeverSent);
}
