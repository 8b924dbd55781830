//! What became of a write whose outcome was not seen: decided by what the PSA shows, and by nothing else.

use jiff::{SignedDuration, Timestamp};

use crate::domain::intent::{IntentState, Meaning};
use crate::domain::money::UnitPrices;
use crate::domain::units::Units;
use crate::ledger::Intent;
use crate::psa::ObservedLine;

/// What the PSA's units say of an open intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolution {
    /// It was never sent: it can be given up.
    NeverSent,
    /// The PSA shows the target.
    Applied,
    /// The PSA shows the target's units, and not all of its prices.
    AppliedUnpriced,
    /// The PSA took it for another change than it was meant as, and shows these units.
    Otherwise(Units),
    /// The PSA still shows the old units, long enough after it was sent.
    NotApplied,
    /// The PSA shows the old units, and the request may still be on its way.
    Wait,
    /// The PSA shows something else: a person has to look.
    Unexplained,
}

/// Code of an intent whose answer was lost.
pub(super) const ANSWER_LOST: &str = "write_unsettled";
/// Code of an intent that the PSA called made and did not show yet.
pub(super) const ACKNOWLEDGED: &str = "write_acknowledged";

/// Resolves an open intent against what the PSA showed of its line, which was read at `read_at` or later.
pub(super) fn resolve(
    intent: &Intent,
    (found, shown): (Option<&ObservedLine>, &[UnitPrices]),
    read_at: Timestamp,
    settle: SignedDuration,
) -> Resolution {
    let meaning = &intent.meaning;
    if intent.state == IntentState::Intended {
        return Resolution::NeverSent;
    }
    if let Some(units) = found.and_then(|found| taken_otherwise(meaning, found)) {
        return Resolution::Otherwise(units);
    }
    let sent = intent.sent_at.unwrap_or(intent.intended_at);
    let settled = read_at.as_second().saturating_sub(sent) >= settle.as_secs();
    // Only a write whose answer was lost may be called not applied. One that the PSA called made, or that it has once shown
    // otherwise, must not be made again because it does not show.
    let not_shown = || match (settled, matches!(intent.code.as_deref(), None | Some(ANSWER_LOST))) {
        (false, _) => Resolution::Wait,
        (true, true) => Resolution::NotApplied,
        (true, false) => Resolution::Unexplained,
    };
    match found.and_then(|found| found.timeline.at(meaning.effective)) {
        // What shows nothing yet may show it once the PSA is done.
        None if !settled => Resolution::Wait,
        Some(units) if units == meaning.target => match meaning.prices {
            Some(prices) if !prices.is_shown_by(shown) => match meaning.delta().get() {
                // A change of prices alone is proved by nothing but its prices.
                0 if prices.is_before(shown) => not_shown(),
                0 if !settled => Resolution::Wait,
                0 => Resolution::Unexplained,
                _ => Resolution::AppliedUnpriced,
            },
            _ => Resolution::Applied,
        },
        Some(units) if units == meaning.before => not_shown(),
        _ => Resolution::Unexplained,
    }
}

/// The units that a change led to, where the PSA was seen to take it for another than it was meant as.
pub(super) fn taken_otherwise(meaning: &Meaning, found: &ObservedLine) -> Option<Units> {
    let Meaning { effective, before, target, .. } = *meaning;
    let taken = found.otherwise?;
    ((taken.effective, taken.before, taken.target) == (effective, before, target)).then_some(taken.units)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::line::LineKey;
    use crate::domain::money::Money;
    use crate::domain::repricing::{Repricing, Step};
    use crate::domain::timeline::{Row, Timeline};
    use crate::psa::TakenOtherwise;

    fn intent(state: IntentState) -> Intent {
        let meaning = Meaning {
            partner: "p".parse().unwrap(),
            tenant: "t".parse().unwrap(),
            line: LineKey { contract: "1".parse().unwrap(), service: "2".parse().unwrap() },
            contract_service: "3".parse().unwrap(),
            effective: date(2026, 11, 1),
            before: 40.try_into().unwrap(),
            target: 42.try_into().unwrap(),
            revision: 0,
            feeds: 1,
            feeds_before: None,
            reverses: None,
            prices: None,
            company: None,
            product: None,
        };
        Intent {
            key: meaning.key(),
            payload: meaning.payload(),
            meaning,
            connection: "c".parse().unwrap(),
            run: "r".parse().unwrap(),
            state,
            fence: 1,
            leased: None,
            intended_at: 1_000,
            intended: None,
            sent_at: Some(1_000),
            settled_at: None,
            code: None,
            landed: None,
        }
    }

    fn found(rows: Vec<Row>) -> ObservedLine {
        let timeline = Timeline::new(rows);
        ObservedLine { contract_service: "3".parse().unwrap(), timeline, otherwise: None }
    }

    fn ask(state: IntentState, units: i64, seconds_later: i64) -> Resolution {
        let row =
            Row { start: date(2026, 11, 1), end: date(2026, 11, 30), units: units.try_into().unwrap(), posted: false };
        let now = Timestamp::from_second(1_000 + seconds_later).unwrap();
        resolve(&intent(state), (Some(&found(vec![row])), &[]), now, SignedDuration::from_secs(360))
    }

    #[test]
    fn only_what_the_psa_shows_settles_a_write() {
        for state in [IntentState::Sent, IntentState::Unknown] {
            assert_eq!(ask(state, 42, 0), Resolution::Applied);
            assert_eq!(ask(state, 40, 359), Resolution::Wait);
            assert_eq!(ask(state, 40, 360), Resolution::NotApplied);
            assert_eq!(ask(state, 41, 9_999), Resolution::Unexplained);
        }
        assert_eq!(ask(IntentState::Intended, 40, 0), Resolution::NeverSent);
    }

    #[test]
    fn a_write_that_the_psa_called_made_is_never_called_not_applied() {
        let row =
            Row { start: date(2026, 11, 1), end: date(2026, 11, 30), units: 40.try_into().unwrap(), posted: false };
        let ask = |code: &str, later: i64| {
            let intent = Intent { code: Some(code.into()), ..intent(IntentState::Unknown) };
            let found = found(vec![row.clone()]);
            let read_at = Timestamp::from_second(1_000 + later).unwrap();
            resolve(&intent, (Some(&found), &[]), read_at, SignedDuration::from_secs(360))
        };
        assert_eq!(ask(ACKNOWLEDGED, 359), Resolution::Wait);
        assert_eq!(ask(ACKNOWLEDGED, 360), Resolution::Unexplained);
        assert_eq!(ask("write_unexplained", 9_999), Resolution::Unexplained);
        assert_eq!(ask(ANSWER_LOST, 360), Resolution::NotApplied);
    }

    #[test]
    fn a_change_of_prices_alone_is_settled_by_prices_alone() {
        let money = |text: &str| Money::try_from(text.to_owned()).unwrap();
        let shown = |cost: &str| UnitPrices { cost: Some(money(cost)), ..UnitPrices::default() };
        let step = Step { before: Some(money("3")), target: money("4") };
        let prices = Some(Repricing { cost: Some(step), price: None });
        let ask = |units: (i64, i64), cost: Option<&str>, later: i64| {
            let (before, target) = (units.0.try_into().unwrap(), units.1.try_into().unwrap());
            let intent = intent(IntentState::Unknown);
            let intent = Intent { meaning: Meaning { prices, before, target, ..intent.meaning }, ..intent };
            let row = Row { start: date(2026, 11, 1), end: date(2026, 11, 30), units: target, posted: false };
            let now = Timestamp::from_second(1_000 + later).unwrap();
            let shown: Vec<UnitPrices> = cost.map(shown).into_iter().collect();
            resolve(&intent, (Some(&found(vec![row])), &shown), now, SignedDuration::from_secs(360))
        };
        assert_eq!(ask((42, 42), Some("4"), 0), Resolution::Applied);
        assert_eq!(ask((42, 42), Some("3"), 0), Resolution::Wait);
        assert_eq!(ask((42, 42), Some("3"), 360), Resolution::NotApplied);
        assert_eq!(ask((42, 42), Some("5"), 359), Resolution::Wait);
        assert_eq!(ask((42, 42), Some("5"), 360), Resolution::Unexplained);
        assert_eq!(ask((42, 42), None, 360), Resolution::Unexplained, "what could not be read is not unchanged");
        assert_eq!(ask((40, 42), Some("4"), 0), Resolution::Applied);
        assert_eq!(ask((40, 42), Some("3"), 0), Resolution::AppliedUnpriced);
    }

    #[test]
    fn a_timeline_that_does_not_cover_the_day_explains_nothing() {
        let empty = found(vec![]);
        let now = Timestamp::from_second(99_999).unwrap();
        let settle = SignedDuration::from_secs(360);
        assert_eq!(resolve(&intent(IntentState::Sent), (Some(&empty), &[]), now, settle), Resolution::Unexplained);
        assert_eq!(resolve(&intent(IntentState::Sent), (None, &[]), now, settle), Resolution::Unexplained);
    }

    #[test]
    fn a_change_that_the_psa_took_for_another_is_settled_as_what_it_came_to() {
        let row =
            Row { start: date(2026, 11, 1), end: date(2026, 11, 30), units: 2.try_into().unwrap(), posted: false };
        let (before, target, units) = (40.try_into().unwrap(), 42.try_into().unwrap(), 2.try_into().unwrap());
        let taken = TakenOtherwise { effective: date(2026, 11, 1), before, target, units };
        let ask = |taken| {
            let found = ObservedLine { otherwise: Some(taken), ..found(vec![row.clone()]) };
            let now = Timestamp::from_second(1_001).unwrap();
            resolve(&intent(IntentState::Sent), (Some(&found), &[]), now, SignedDuration::from_secs(360))
        };
        assert_eq!(ask(taken), Resolution::Otherwise(units));
        assert_eq!(ask(TakenOtherwise { target: before, ..taken }), Resolution::Unexplained);
    }
}
