//! Whatever goes wrong with a write, it was sent at most once, its error says what may have become of the money, and what is
//! told afterwards is what the PSA holds, or nothing.

use std::time::Duration;

use integration::msp::{Arriving, Effect, Mishap};
use jiff::SignedDuration;
use jiff::civil::{Date, date};
use shared::psa::WriteError;

use crate::bench::Bench;
use crate::changing::learn;
use crate::office::{Office, change, line, long_window, number, pair, stated};
use crate::settings::{Reading, everywhere, plainly};
use crate::world::{Contract, END, START, UNITS, World};

contract!(
    every_fault_of_a_write_is_told_honestly_under_every_setting,
    every_fault_of_a_write_is_told_honestly_on_every_day_and_to_every_count,
    an_answer_that_never_comes_is_told_honestly,
    a_write_that_takes_effect_late_is_told_or_the_units_are_not_known,
    a_service_that_a_contract_carries_twice_is_never_told_or_written_wrongly,
);

/// Longer than any write is on its way.
const SETTLED: SignedDuration = SignedDuration::from_mins(7);

/// What goes wrong.
#[derive(Debug, Clone)]
enum Trouble {
    Nothing,
    /// No connection is taken.
    Unreachable,
    Of(Mishap),
    /// It refuses, in a 200.
    RefusedIn200,
    /// It takes the log-in no more.
    LogInEnded,
}

/// Where in the life of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was ever written in it.
    First,
    /// What changes do there has been seen.
    Later,
}

/// One case.
#[derive(Debug, Clone)]
struct Case {
    stage: Stage,
    day: Date,
    target: i64,
    trouble: Trouble,
}

/// Faults that answer something, or break off.
fn troubles() -> Vec<Trouble> {
    use Effect::{Made, NotMade};
    let of = [
        Mishap::Reset(Made),
        Mishap::Reset(NotMade),
        Mishap::Failed(Made),
        Mishap::Failed(NotMade),
        Mishap::Gateway(502, Made),
        Mishap::Gateway(503, NotMade),
        Mishap::Gateway(408, Made),
        Mishap::Page(Made),
        Mishap::Page(NotMade),
        Mishap::Empty(Made),
        Mishap::Half(Made),
        Mishap::Half(NotMade),
        Mishap::CalledMade(Made),
        Mishap::CalledMade(NotMade),
        Mishap::Refused,
        Mishap::Forbidden,
        Mishap::Throttled(30),
        Mishap::Redirected(307),
        Mishap::Slow(5),
    ];
    let mut all = vec![Trouble::Nothing, Trouble::Unreachable, Trouble::RefusedIn200, Trouble::LogInEnded];
    all.extend(of.map(Trouble::Of));
    all
}

impl Case {
    /// Lets it happen to a line that nobody has touched, and holds everything that is said against what is so.
    async fn happen<P: Bench>(self, office: &Office<P>, partner: &str) {
        office.begin();
        let Self { day, target, .. } = self;
        let line = office.fresh_line();
        let asked = stated([(number(&line.contract), number(&line.service), UNITS)]);
        let psa = office.connector(partner);
        let told = psa.observe(&asked, long_window()).await.unwrap_or_else(|error| panic!("{self:?}: {error:?}"));
        let wanted = change(&told, &line, day, target);
        let may_go = !psa.may_go(std::slice::from_ref(&wanted)).is_empty();
        office.psa.forget();
        match &self.trouble {
            Trouble::Nothing => {}
            Trouble::Unreachable => office.psa.refuse(true).await,
            Trouble::Of(mishap) => office.psa.strike(1, *mishap),
            Trouble::RefusedIn200 => office.psa.strike_write(P::refusal_in_200()),
            Trouble::LogInEnded => office.psa.strike_write(P::log_in_ended()),
        }
        let result = psa.change_units(&wanted).await;
        office.psa.refuse(false).await;
        office.psa.heal();
        let (requests, held) = (office.psa.write_requests(), office.held(&line, day));
        let said = format!("{self:?}: {result:?}, {held:?} are held");
        assert!(requests <= 1, "{said}: {requests} requests");
        assert_eq!(office.psa.side_effects(), Vec::<String>::new(), "{said}");
        match &result {
            Ok(()) => assert_eq!(requests, 1, "{said}"),
            Err(WriteError::NotSent(_) | WriteError::Rejected(_)) => assert_eq!(held, Some(UNITS), "{said}"),
            Err(WriteError::Unknown(_)) => {}
        }
        if !may_go {
            assert!(matches!(result, Err(WriteError::NotSent(_))) && requests == 0, "{said}: it may not go");
        }
        self.assert_clear(office, &result, may_go, &said);
        // By the one that has sent it, at once and when it can't be on its way any more; then by another worker.
        let days = [START, day.yesterday().unwrap_or(day).max(START), day, date(2026, 12, 31), END];
        let read_back = psa.observe(&asked, long_window()).await.unwrap_or_else(|error| panic!("{said}: {error:?}"));
        office.assert_honest(&read_back, &line, &days, &said);
        if matches!(self.trouble, Trouble::Nothing | Trouble::Of(Mishap::Slow(_))) && result.is_ok() {
            assert!(read_back.lines.contains_key(&pair(&line)), "{said}: nothing was lost, and yet {read_back:?}");
        }
        office.clock.advance(SETTLED);
        for settled in [psa, office.connector(partner)] {
            let told = settled.observe(&asked, long_window()).await.unwrap_or_else(|error| panic!("{said}: {error:?}"));
            office.assert_honest(&told, &line, &days, &format!("{said}, settled"));
            if let Some(seen) = told.lines.get(&pair(&line))
                && held != Some(target)
                && held != Some(UNITS)
            {
                let otherwise = seen.otherwise.map(|otherwise| i64::from(otherwise.units.get()));
                assert_eq!(otherwise, held, "{said}: it was taken for another");
            }
        }
        assert_eq!(office.psa.write_requests(), requests, "{said}: nothing is sent again");
    }

    /// What must be clear: nobody may have to wait for a write that has plainly succeeded or failed.
    fn assert_clear<P: Bench>(&self, office: &Office<P>, result: &Result<(), WriteError>, may_go: bool, said: &str) {
        if !may_go {
            return;
        }
        let refused = P::refuses(&office.setting.switches, UNITS, self.target);
        match self.trouble {
            Trouble::Nothing | Trouble::Of(Mishap::Slow(_)) if !refused => assert!(result.is_ok(), "{said}"),
            Trouble::Nothing => assert!(matches!(result, Err(WriteError::Rejected(_))), "{said}"),
            Trouble::Unreachable => assert!(matches!(result, Err(WriteError::NotSent(_))), "{said}"),
            Trouble::Of(Mishap::Refused | Mishap::Forbidden | Mishap::Throttled(_))
            | Trouble::RefusedIn200
            | Trouble::LogInEnded => {
                assert!(matches!(result, Err(WriteError::Rejected(_))), "{said}");
            }
            Trouble::Of(Mishap::Redirected(_)) => assert!(result.is_err(), "{said}"),
            Trouble::Of(_) => {}
        }
    }
}

/// A name that no case before has written under.
fn partner(stage: Stage, case: usize) -> String {
    match stage {
        Stage::First => format!("first-{case}"),
        Stage::Later => "later".to_owned(),
    }
}

async fn all_happen<P: Bench>(office: &Office<P>, cases: Vec<Case>) -> usize {
    learn(office, "later").await;
    let count = cases.len();
    for (place, case) in cases.into_iter().enumerate() {
        let partner = partner(case.stage, place);
        case.happen(office, &partner).await;
    }
    count
}

fn every(stages: &[Stage], days: &[Date], targets: &[i64]) -> Vec<Case> {
    let mut cases = vec![];
    for trouble in troubles() {
        for stage in stages {
            for day in days {
                for target in targets {
                    cases.push(Case { stage: *stage, day: *day, target: *target, trouble: trouble.clone() });
                }
            }
        }
    }
    cases
}

async fn every_fault_of_a_write_is_told_honestly_under_every_setting<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::cases(1_200), |office| async move {
        let day = [date(2026, 11, 1)];
        let mut cases = every(&[Stage::Later], &day, &[43, 37]);
        if !P::SHOWS_UNITS {
            // The table of days and counts has all of them; here every third is enough to see what a switch does.
            cases.extend(every(&[Stage::First], &day, &[43]).into_iter().skip(office.setting.number % 3).step_by(3));
        }
        if !office.setting.matters {
            cases = cases.into_iter().enumerate().filter(|(place, _)| place % 9 == 0).map(|(_, case)| case).collect();
        }
        all_happen(&office, cases).await
    })
    .await;
}

async fn every_fault_of_a_write_is_told_honestly_on_every_day_and_to_every_count<P: Bench>(of: Reading) {
    plainly::<P, _>(of, World::cases(500), None, |office| async move {
        let stages = [Stage::First, Stage::Later];
        let mut cases = every(&stages, &[date(2026, 11, 10)], &[41, 80, 39, 0]);
        // The line's own first day, and one ahead.
        cases.extend(every(&stages, &[START, date(2027, 1, 1)], &[41, 0]));
        all_happen(&office, cases).await
    })
    .await;
}

async fn an_answer_that_never_comes_is_told_honestly<P: Bench>(of: Reading) {
    plainly::<P, _>(of, World::cases(20), Some(Duration::from_millis(250)), |office| async move {
        let mut cases = vec![];
        for effect in [Effect::Made, Effect::NotMade] {
            for (stage, target) in [(Stage::First, 43), (Stage::Later, 43), (Stage::Later, 37)] {
                let trouble = Trouble::Of(Mishap::Hang(effect));
                cases.push(Case { stage, day: date(2026, 11, 1), target, trouble });
            }
        }
        all_happen(&office, cases).await
    })
    .await;
}

async fn a_write_that_takes_effect_late_is_told_or_the_units_are_not_known<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::cases(150), |office| async move {
        if !office.setting.matters {
            return 0;
        }
        let (day, minutes) = (date(2026, 11, 1), [0, 5, 8]);
        for late in minutes {
            office.begin();
            let line = office.fresh_line();
            let (contract, service) = (number(&line.contract), number(&line.service));
            let asked = stated([(contract, service, UNITS)]);
            let partner = format!("late-{late}");
            let psa = office.connector(&partner);
            let told = psa.observe(&asked, long_window()).await.expect("an observation");
            let wanted = change(&told, &line, day, 43);
            office.psa.forget();
            office.psa.strike(1, Mishap::Reset(Effect::NotMade));
            let lost = psa.change_units(&wanted).await;
            assert!(matches!(lost, Err(WriteError::Unknown(_))), "{lost:?}");
            let days = [START, date(2026, 10, 31), day, END];
            let told = psa.observe(&asked, long_window()).await.expect("a read-back");
            office.assert_honest(&told, &line, &days, "before it takes effect");
            office.clock.advance(SignedDuration::from_mins(late));
            let told = office.connector(&partner).observe(&asked, long_window()).await.expect("an observation");
            office.assert_honest(&told, &line, &days, "still before");
            office.psa.arrives(contract, service, Arriving { effective: day, before: UNITS, target: 43 });
            for later in [0, 7] {
                office.clock.advance(SignedDuration::from_mins(later));
                let told = office.connector(&partner).observe(&asked, long_window()).await.expect("an observation");
                office.assert_honest(&told, &line, &days, &format!("{late} minutes late, {later} after that"));
            }
            assert_eq!(office.psa.write_requests(), 1);
        }
        minutes.len()
    })
    .await;
}

async fn a_service_that_a_contract_carries_twice_is_never_told_or_written_wrongly<P: Bench>(of: Reading) {
    let twice = |number: i64| Contract::of(5_001 + number, &format!("Twice {number}"), &[(701, UNITS), (701, 2)]);
    let world = World::cases(150).service(701, "Twice").account(3_001, "Twice", (0..20).map(twice).collect());
    plainly::<P, _>(of, world, None, |office| async move {
        learn(&office, "twice").await;
        let mut tried = 0;
        for partner in ["twice", "twice-first"] {
            for target in [45, 40] {
                let line = line(5_001 + i64::try_from(tried).expect("a number"), 701);
                let asked = stated([(number(&line.contract), 701, UNITS + 2)]);
                let (psa, day) = (office.connector(partner), date(2026, 11, 10));
                let told = psa.observe(&asked, long_window()).await.expect("an observation");
                assert!(told.shows(&line), "{told:?}");
                let days = [START, date(2026, 11, 9), day, END];
                office.assert_honest(&told, &line, &days, "twice");
                if told.lines.contains_key(&pair(&line)) {
                    let wanted = change(&told, &line, day, target);
                    let may_go = !psa.may_go(std::slice::from_ref(&wanted)).is_empty();
                    office.psa.forget();
                    let result = if may_go { psa.change_units(&wanted).await } else { Ok(()) };
                    let requests = office.psa.write_requests();
                    assert!(requests == usize::from(may_go), "{wanted:?}: {requests} requests");
                    if let Err(WriteError::NotSent(_) | WriteError::Rejected(_)) = result {
                        assert_eq!(office.held(&line, day), Some(UNITS + 2), "{result:?}");
                    }
                    let told = psa.observe(&asked, long_window()).await.expect("a read-back");
                    office.assert_honest(&told, &line, &days, "twice, and written");
                }
                tried += 1;
            }
        }
        tried
    })
    .await;
}
