//! A change is sent once, and read back it is what it was meant as: from its day on, and not before.

use jiff::civil::{Date, date};
use shared::domain::line::LineKey;
use shared::psa::{Observation, UnitsChange, WriteError};

use crate::bench::Bench;
use crate::office::{Office, change, long_window, number, pair, stated};
use crate::settings::{Reading, everywhere};
use crate::world::{END, TODAY, UNITS, World};

contract!(
    a_rise_a_fall_and_a_change_ahead_are_each_sent_once_and_count_from_their_day,
    what_may_go_is_taken_and_then_everything_else_may,
    a_change_of_a_line_that_was_not_observed_writes_nothing_or_what_was_meant,
);

/// A day after `day` on which nothing else happens here.
fn next(day: Date) -> Date {
    day.tomorrow().expect("a day")
}

/// Brings a line to `target` from `day` on, as the engine does: a change that the PSA has taken for another is followed by
/// one that puts it right. Answers how many changes that took; none where the PSA refuses by its own rules.
pub async fn reach<P: Bench>(office: &Office<P>, line: &LineKey, day: Date, target: i64, partner: &str) -> usize {
    let asked = stated([(number(&line.contract), number(&line.service), UNITS)]);
    let psa = office.connector(partner);
    let mut told = psa.observe(&asked, long_window()).await.expect("an observation");
    for sent in 0..2 {
        let wanted = change(&told, line, day, target);
        let yesterday = day.yesterday().expect("a day");
        let before = office.held(line, yesterday);
        office.psa.forget();
        let result = psa.change_units(&wanted).await;
        let held = i64::from(wanted.before.get());
        if P::refuses(&office.setting.switches, held, target) {
            // Which words a refusal comes with is not always known.
            assert!(result.is_err(), "{result:?}");
            assert_eq!(office.held(line, day), Some(held), "a refusal changes nothing");
            return 0;
        }
        result.unwrap_or_else(|error| panic!("{wanted:?}: {error:?}"));
        assert_eq!(office.psa.write_requests(), 1, "{wanted:?} is sent once");
        assert_eq!(office.psa.side_effects(), Vec::<String>::new());
        told = psa.observe(&asked, long_window()).await.expect("a read-back");
        let seen = told.lines.get(&pair(line)).unwrap_or_else(|| panic!("{line} is shown after {wanted:?}: {told:?}"));
        office.assert_honest(&told, line, &[yesterday, day, next(day), END], "read back");
        assert_eq!(office.held(line, yesterday), before, "the day before is as it was");
        match seen.otherwise {
            None => {
                assert_eq!(seen.timeline.at(day).map(|units| i64::from(units.get())), Some(target), "{seen:?}");
                assert_eq!(office.held(line, day), Some(target));
                return sent + 1;
            }
            Some(otherwise) => {
                assert_eq!(Some(i64::from(otherwise.units.get())), office.held(line, day), "{otherwise:?}");
                assert_ne!(office.held(line, day), Some(target), "{otherwise:?}");
            }
        }
    }
    panic!("{line} is not brought to {target} in two changes: {told:?}");
}

/// Lets `partner` learn what changes do, where that has to be learnt.
pub async fn learn<P: Bench>(office: &Office<P>, partner: &str) {
    let line = office.fresh_line();
    assert!(reach(office, &line, date(2026, 11, 1), UNITS + 5, partner).await > 0, "a first rise is never refused");
}

async fn a_rise_a_fall_and_a_change_ahead_are_each_sent_once_and_count_from_their_day<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::cases(600), |office| async move {
        learn(&office, "sends").await;
        let mut tried = 0;
        let days = [
            (date(2026, 11, 1), date(2026, 11, 10), date(2026, 12, 5)),
            (TODAY, next(TODAY), date(2027, 1, 1)),
            // The last month of the contract, and its last day.
            (date(2027, 6, 1), date(2027, 6, 15), END),
        ];
        let targets = [[43, 42, 44], [80, 7, 8], [41, 0, 3], [1_000_000, 2, 9]];
        let (days, targets) = match (office.setting.plain, office.setting.matters) {
            (true, _) => (&days[..], &targets[..]),
            (_, true) => (&days[..], &targets[2..3]),
            _ => (&days[..1], &targets[..1]),
        };
        for (day, then, ahead) in days.iter().copied() {
            for targets in targets.iter().copied() {
                let line = office.fresh_line();
                for (day, target) in [day, then, ahead].into_iter().zip(targets) {
                    reach(&office, &line, day, target, "sends").await;
                    tried += 1;
                }
            }
        }
        tried
    })
    .await;
}

async fn observe<P: Bench>(office: &Office<P>, lines: &[LineKey], partner: &str) -> Observation {
    let asked = stated(lines.iter().map(|line| (number(&line.contract), number(&line.service), UNITS)));
    office.connector(partner).observe(&asked, long_window()).await.expect("an observation")
}

async fn what_may_go_is_taken_and_then_everything_else_may<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::cases(200), |office| async move {
        let day = date(2026, 11, 10);
        let lines: Vec<LineKey> = (0..4).map(|_| office.fresh_line()).collect();
        let targets = [37, 44, 50, 39];
        let asked = stated(lines.iter().map(|line| (number(&line.contract), number(&line.service), UNITS)));
        let psa = office.connector("learns");
        let told = psa.observe(&asked, long_window()).await.expect("an observation");
        let changes: Vec<UnitsChange> =
            lines.iter().zip(targets).map(|(line, target)| change(&told, line, day, target)).collect();
        let falls: Vec<UnitsChange> = changes.iter().filter(|of| of.delta.get() < 0).cloned().collect();
        let may_go = psa.may_go(&changes);
        assert!(!may_go.is_empty() && may_go.iter().all(|index| *index < changes.len()), "{may_go:?}");
        assert!(psa.may_go(&[]).is_empty());
        for index in psa.may_go(&falls) {
            assert!(index < falls.len());
        }
        for (index, of) in changes.iter().enumerate().filter(|(index, _)| may_go.contains(index)) {
            let result = psa.change_units(of).await;
            let refused = P::refuses(&office.setting.switches, UNITS, targets[index]);
            assert_eq!(result.is_ok(), !refused, "{result:?}");
        }
        let told = psa.observe(&asked, long_window()).await.expect("a read-back");
        // Whatever is not where it should be goes now, all at once.
        let again: Vec<UnitsChange> = lines
            .iter()
            .zip(targets)
            .map(|(line, target)| change(&told, line, day, target))
            .filter(|of| of.delta.get() != 0)
            .collect();
        assert_eq!(psa.may_go(&again).len(), again.len(), "{again:?}");
        for of in &again {
            let result = psa.change_units(of).await;
            let refused = P::refuses(&office.setting.switches, of.before.get().into(), of.target.get().into());
            assert_eq!(result.is_ok(), !refused, "{of:?}: {result:?}");
        }
        let told = observe(&office, &lines, "learns").await;
        for (line, target) in lines.iter().zip(targets) {
            office.assert_honest(&told, line, &[date(2026, 11, 9), day, END], "in the end");
            if !P::refuses(&office.setting.switches, UNITS, target) {
                assert_eq!(office.held(line, day), Some(target), "{line}");
            }
        }
        lines.len()
    })
    .await;
}

async fn a_change_of_a_line_that_was_not_observed_writes_nothing_or_what_was_meant<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::cases(100), |office| async move {
        learn(&office, "blind").await;
        let (line, day) = (office.fresh_line(), date(2026, 11, 10));
        let told = observe(&office, std::slice::from_ref(&line), "blind").await;
        let wanted = change(&told, &line, day, 46);
        office.psa.forget();
        // Another worker, that has read nothing itself.
        let result = office.connector("blind").change_units(&wanted).await;
        let held = if result.is_ok() { 46 } else { 40 };
        assert!(!matches!(result, Err(WriteError::Unknown(_))), "{result:?}");
        assert_eq!((office.held(&line, day), office.psa.write_requests()), (Some(held), usize::from(result.is_ok())));
        1
    })
    .await;
}
