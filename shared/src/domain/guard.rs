//! Guards: a change that is too large to be made without a person.
//!
//! They measure against what the PSA holds now. The first write on a line adopts what it finds, so there only falls are
//! guarded: a new customer's line rises from nothing. Zero is a count like any other.

use rust_decimal::Decimal;

use super::policy::Guards;
use super::reason::{Code, Reason};
use super::repricing::{Repricing, Step};
use super::units::Units;

/// Whether a change from `before` to `target` has to wait for approval.
#[must_use]
pub fn held_back(before: Units, target: Units, first_write: bool, guards: &Guards) -> Option<Reason> {
    let (from, to) = (u64::from(before.get()), u64::from(target.get()));
    let passes = |difference: u64, percent: u32, units: u32| {
        difference > u64::from(units) && difference * 100 > from * u64::from(percent)
    };
    let words = |direction: &str, percent: u32, units: u32| {
        format!("From {before} to {target} is a {direction} of more than {percent} % and {units} units.")
    };
    if to < from && passes(from - to, guards.fall_percent, guards.fall_units) {
        return Some(Reason::new(Code::FallGuard, words("fall", guards.fall_percent, guards.fall_units)));
    }
    if to > from && !first_write && passes(to - from, guards.rise_percent, guards.rise_units) {
        return Some(Reason::new(Code::RiseGuard, words("rise", guards.rise_percent, guards.rise_units)));
    }
    None
}

/// Whether a change of prices has to wait for approval. What costs nothing yet, or is not shown, has nothing to be measured by.
#[must_use]
pub fn price_held_back(repricing: &Repricing, guards: &Guards) -> Option<Reason> {
    let percent = Decimal::from(guards.price_percent);
    let jumps = |step: &Step| {
        let (from, to) = (step.before?.get(), step.target.get());
        let passed = (to - from).abs().checked_mul(Decimal::ONE_HUNDRED).zip(from.abs().checked_mul(percent));
        // What no decimal can hold is a jump by any measure.
        Some(!from.is_zero() && passed.is_none_or(|(difference, most)| difference > most))
    };
    let steps = [repricing.cost, repricing.price];
    let jump = steps.iter().flatten().any(|step| jumps(step).unwrap_or(false));
    jump.then(|| {
        let explanation = format!("{} is a jump of more than {percent} %.", repricing.in_words());
        Reason::new(Code::PriceGuard, explanation)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(before: i64, target: i64, first_write: bool) -> Option<String> {
        held_back(before.try_into().unwrap(), target.try_into().unwrap(), first_write, &Guards::default())
            .map(|r| r.code)
    }

    #[test]
    fn a_guard_needs_both_the_percentage_and_the_units_to_be_passed() {
        let fall = Some("fall_guard".to_owned());
        let rise = Some("rise_guard".to_owned());
        for (before, target, expected) in [
            (100, 70, &None),
            (100, 69, &fall),
            (6, 1, &None),
            (6, 0, &fall),
            (1000, 994, &None),
            (5, 0, &None),
            (10, 30, &None),
            (10, 31, &rise),
            (0, 20, &None),
            (0, 21, &rise),
            (100, 300, &None),
            (100, 301, &rise),
            (7, 7, &None),
        ] {
            assert_eq!(&held(before, target, false), expected, "{before} -> {target}");
        }
    }

    #[test]
    fn the_first_write_guards_falls_alone() {
        assert_eq!(held(0, 500, true), None);
        assert_eq!(held(100, 10, true).as_deref(), Some("fall_guard"));
    }
}
