//! What became of a write whose outcome was not seen: decided by what the PSA shows, and by nothing else.

use jiff::{SignedDuration, Timestamp};

use crate::domain::intent::IntentState;
use crate::domain::timeline::Timeline;
use crate::ledger::Intent;

/// What the PSA's units say of an open intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolution {
    /// It was never sent: it can be given up.
    NeverSent,
    /// The PSA shows the target.
    Applied,
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

/// Resolves an open intent against the line's `timeline`, which was read at `read_at` or later.
pub(super) fn resolve(intent: &Intent, timeline: &Timeline, read_at: Timestamp, settle: SignedDuration) -> Resolution {
    let meaning = &intent.meaning;
    if intent.state == IntentState::Intended {
        return Resolution::NeverSent;
    }
    match timeline.at(meaning.effective) {
        Some(units) if units == meaning.target => Resolution::Applied,
        Some(units) if units == meaning.before => {
            let sent = intent.sent_at.unwrap_or(intent.intended_at);
            let settled = read_at.as_second().saturating_sub(sent) >= settle.as_secs();
            // Only a write whose answer was lost may be called not applied. One that the PSA called made, or that it has
            // once shown otherwise, must not be made again because it does not show.
            let answer_lost = matches!(intent.code.as_deref(), None | Some(ANSWER_LOST));
            match (settled, answer_lost) {
                (false, _) => Resolution::Wait,
                (true, true) => Resolution::NotApplied,
                (true, false) => Resolution::Unexplained,
            }
        }
        _ => Resolution::Unexplained,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::intent::Meaning;
    use crate::domain::line::LineKey;
    use crate::domain::timeline::Row;

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
            sent_at: Some(1_000),
            settled_at: None,
            code: None,
        }
    }

    fn ask(state: IntentState, units: i64, seconds_later: i64) -> Resolution {
        let row =
            Row { start: date(2026, 11, 1), end: date(2026, 11, 30), units: units.try_into().unwrap(), posted: false };
        let now = Timestamp::from_second(1_000 + seconds_later).unwrap();
        resolve(&intent(state), &Timeline::new(vec![row]), now, SignedDuration::from_secs(360))
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
            let timeline = Timeline::new(vec![row.clone()]);
            let read_at = Timestamp::from_second(1_000 + later).unwrap();
            resolve(&intent, &timeline, read_at, SignedDuration::from_secs(360))
        };
        assert_eq!(ask(ACKNOWLEDGED, 359), Resolution::Wait);
        assert_eq!(ask(ACKNOWLEDGED, 360), Resolution::Unexplained);
        assert_eq!(ask("write_unexplained", 9_999), Resolution::Unexplained);
        assert_eq!(ask(ANSWER_LOST, 360), Resolution::NotApplied);
    }

    #[test]
    fn a_timeline_that_does_not_cover_the_day_explains_nothing() {
        let empty = Timeline::default();
        let now = Timestamp::from_second(99_999).unwrap();
        let settle = SignedDuration::from_secs(360);
        assert_eq!(resolve(&intent(IntentState::Sent), &empty, now, settle), Resolution::Unexplained);
    }
}
