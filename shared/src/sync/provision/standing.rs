//! How a thing stands: what the PSA shows of it against what the ledger has of making it. No I/O.
//!
//! Only this says that a thing may be made. What is on record as made is never made again; what was sent is looked for, and
//! called not made only when the PSA had time to finish and never said that it was.

use jiff::{SignedDuration, Timestamp};

use crate::ledger::Making;
use crate::sync::resolve::ANSWER_LOST;

/// What the PSA shows of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// It, with its id. `short`: not with the cost and price that it was to be made with.
    One { id: String, short: bool },
    /// It, and it may not be used.
    Inactive,
    /// So many.
    Several(usize),
}

/// What is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The PSA has it.
    There,
    /// It was made, and somebody has taken it away.
    Gone,
    /// The PSA has something, and nobody can say that it is the one.
    Unusable,
    /// It was sent and may still be on its way.
    Wait,
    /// The PSA said that it was made, and has never shown it.
    Unexplained,
    /// It is surely not there: it may be made.
    Absent,
}

/// How a thing stands by its newest try and what was `found` of it at `read_at` or later.
pub(super) fn standing(newest: Option<&Making>, found: &Found, read_at: Timestamp, settle: SignedDuration) -> Standing {
    let made = newest.is_some_and(Making::is_made);
    match found {
        Found::One { .. } => Standing::There,
        Found::Several(_) => Standing::Unusable,
        Found::Inactive | Found::Nothing if made => Standing::Gone,
        Found::Inactive => Standing::Unusable,
        Found::Nothing => match newest.filter(|newest| newest.is_open()) {
            None => Standing::Absent,
            Some(sent) => {
                let sent_at = sent.sent_at.unwrap_or_else(|| sent.intended_at.as_second());
                let settled = read_at.as_second().saturating_sub(sent_at) >= settle.as_secs();
                match (settled, matches!(sent.code.as_deref(), None | Some(ANSWER_LOST))) {
                    (false, _) => Standing::Wait,
                    (true, true) => Standing::Absent,
                    (true, false) => Standing::Unexplained,
                }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::intent::IntentState;
    use crate::ledger::Thing;
    use crate::sync::resolve::ACKNOWLEDGED;

    fn making(state: IntentState, code: Option<&str>) -> Making {
        Making {
            thing: Thing::Service("EDR".into()),
            told: String::new(),
            attempt: 1,
            connection: "c".parse().unwrap(),
            run: "r".parse().unwrap(),
            account: "a".parse().unwrap(),
            state,
            fence: 1,
            leased: "CATALOGUE".into(),
            intended_at: Timestamp::from_second(900).unwrap(),
            sent_at: (state != IntentState::Intended).then_some(1_000),
            settled_at: None,
            code: code.map(str::to_owned),
            id: None,
        }
    }

    fn ask(newest: Option<&Making>, found: &Found, seconds_later: i64) -> Standing {
        let read_at = Timestamp::from_second(1_000 + seconds_later).unwrap();
        standing(newest, found, read_at, SignedDuration::from_secs(360))
    }

    #[test]
    fn only_what_was_never_sent_or_surely_not_made_may_be_made() {
        use IntentState::{Applied, Intended, Rejected, Sent, Unknown};
        let nothing = |state, code| ask(Some(&making(state, code)), &Found::Nothing, 9_999);
        assert_eq!(ask(None, &Found::Nothing, 0), Standing::Absent);
        assert_eq!(nothing(Intended, None), Standing::Absent);
        assert_eq!(nothing(Rejected, Some("x")), Standing::Absent);
        assert_eq!(nothing(Applied, None), Standing::Gone);
        for state in [Sent, Unknown] {
            let lost = making(state, Some(ANSWER_LOST));
            assert_eq!(ask(Some(&lost), &Found::Nothing, 359), Standing::Wait);
            assert_eq!(ask(Some(&lost), &Found::Nothing, 360), Standing::Absent);
        }
        assert_eq!(nothing(Sent, None), Standing::Absent);
        let called_made = making(Unknown, Some(ACKNOWLEDGED));
        assert_eq!(ask(Some(&called_made), &Found::Nothing, 359), Standing::Wait);
        assert_eq!(ask(Some(&called_made), &Found::Nothing, 9_999), Standing::Unexplained);
    }

    #[test]
    fn what_the_psa_shows_is_used_or_explained_and_never_made_beside() {
        let one = Found::One { id: "501".into(), short: false };
        let made = making(IntentState::Applied, None);
        for newest in [None, Some(&made), Some(&making(IntentState::Unknown, None))] {
            assert_eq!(ask(newest, &one, 9_999), Standing::There);
            assert_eq!(ask(newest, &Found::Several(2), 9_999), Standing::Unusable);
        }
        assert_eq!(ask(None, &Found::Inactive, 0), Standing::Unusable);
        assert_eq!(ask(Some(&made), &Found::Inactive, 0), Standing::Gone);
    }
}
