//! The breaker by itself: what opens it, for how long, what closes it, and what never gets through.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn why(code: &str) -> Reason {
    Reason { code: code.into(), explanation: format!("{code}."), fix: "Repair it.".into() }
}

fn refused() -> Heard {
    Heard::Refused(why("refused"))
}

fn unavailable() -> Heard {
    Heard::Unavailable(why("unavailable"))
}

/// Open since `at(0)` after one call that came to `heard`, which must open it at once.
fn opened(heard: &Heard) -> Breaker {
    let breaker = Breaker::default().after(heard, None, at(0));
    assert!(breaker.trip().is_some());
    breaker
}

/// The probe at the first instant at which one is let through, and what it came to.
fn probed(breaker: &Breaker, heard: &Heard) -> (Breaker, Timestamp) {
    let now = breaker.until().unwrap();
    let Pass::Probe(probe) = breaker.ask(Call::Read, now) else { panic!("no probe at {now} in {breaker:?}") };
    (breaker.probing(probe).after(heard, Some(probe), now), now)
}

/// Minutes for which it is open after each probe that came to `heard`.
fn waits(heard: &Heard, mut breaker: Breaker) -> Vec<i64> {
    let mut waits = vec![breaker.until().unwrap().duration_since(at(0)).as_mins()];
    for _ in 0..7 {
        let (next, now) = probed(&breaker, heard);
        waits.push(next.until().unwrap().duration_since(now).as_mins());
        breaker = next;
    }
    waits
}

#[test]
fn a_refused_log_in_opens_it_at_once_and_for_longer_each_time() {
    assert_eq!(waits(&refused(), opened(&refused())), [15, 30, 60, 120, 240, 360, 360, 360]);
}

#[test]
fn the_fifth_failure_in_a_row_opens_it_and_an_answer_between_forgets_the_others() {
    let mut breaker = Breaker::default();
    for heard in [unavailable(), unavailable(), unavailable(), unavailable(), Heard::Answered] {
        breaker = breaker.after(&heard, None, at(0));
        assert_eq!(breaker.ask(Call::Write, at(0)), Pass::Free);
    }
    for left in (0..5).rev() {
        breaker = breaker.after(&unavailable(), None, at(0));
        assert_eq!(breaker.trip().is_none(), left > 0, "{breaker:?}");
    }
    assert_eq!(waits(&unavailable(), breaker), [1, 2, 4, 8, 16, 30, 30, 30]);
}

#[test]
fn a_psa_without_room_is_left_alone_for_as_long_as_it_asks() {
    for (asked, seconds) in [(None, 60), (Some(0), 1), (Some(30), 30), (Some(900), 900), (Some(u32::MAX), 3_600)] {
        let breaker = opened(&Heard::NoRoom(why("rate"), asked));
        assert_eq!(breaker.until(), Some(at(seconds)), "{asked:?}");
    }
}

#[test]
fn another_cause_begins_anew_and_the_same_one_keeps_its_beginning() {
    let (second, now) = probed(&opened(&refused()), &refused());
    assert_eq!((second.trip().unwrap().since, second.trip().unwrap().probes), (at(0), 1));
    let (third, later) = probed(&second, &unavailable());
    assert_eq!(third.trip().unwrap().since, later);
    assert!(later > now);
    assert_eq!(third.until().unwrap().duration_since(later), UNAVAILABLE_FIRST);
}

#[test]
fn an_answered_probe_closes_it_and_one_that_never_left_gives_its_place_back() {
    let breaker = opened(&refused());
    assert_eq!(probed(&breaker, &Heard::Answered).0, Breaker::default());
    assert_eq!(probed(&breaker, &Heard::Nothing).0, breaker);
}

#[test]
fn a_prober_that_was_taken_for_dead_neither_closes_it_nor_opens_it() {
    let open = opened(&refused());
    let now = open.until().unwrap();
    let Pass::Probe(first) = open.ask(Call::Read, now) else { panic!() };
    let half = open.probing(first);
    assert_eq!(half.ask(Call::Read, first - SignedDuration::from_secs(1)), Pass::No);
    let Pass::Probe(second) = half.ask(Call::Read, first) else { panic!("the first prober is dead") };
    let half = half.probing(second);
    assert_eq!(half.after(&Heard::Answered, Some(first), second), half);
    assert_eq!(half.after(&refused(), Some(first), second), half);
    assert_eq!(half.after(&Heard::Answered, Some(second), second), Breaker::default());
}

#[test]
fn a_person_may_try_at_once_but_refused_credentials_only_once_a_minute() {
    let gone = (0..5).fold(Breaker::default(), |breaker, _| breaker.after(&unavailable(), None, at(0)));
    assert!(matches!(gone.ask(Call::InPerson, at(0)), Pass::Probe(_)));
    let turned_away = opened(&refused());
    assert_eq!(turned_away.ask(Call::InPerson, at(59)), Pass::TooSoon(at(60)));
    let Pass::Probe(probe) = turned_away.ask(Call::InPerson, at(60)) else { panic!() };
    let half = turned_away.probing(probe);
    assert_eq!(half.ask(Call::InPerson, at(61)), Pass::TooSoon(probe), "one is under way");
    let again = half.after(&refused(), Some(probe), at(61));
    assert_eq!(again.ask(Call::InPerson, at(120)), Pass::TooSoon(at(121)));
}

#[test]
fn a_refusal_soon_after_new_credentials_may_be_of_the_old_ones() {
    let proved = Breaker::verified(at(0));
    assert_eq!(proved.after(&refused(), None, at(100)).until(), Some(at(300)));
    assert_eq!(proved.after(&refused(), None, at(299)).until(), Some(at(299 + 60)));
    assert_eq!(proved.after(&refused(), None, at(300)).until(), Some(at(300 + 900)));
}

#[test]
fn new_credentials_are_remembered_while_it_is_open_so_that_no_late_refusal_doubles_its_wait() {
    let open = Breaker::verified(at(0)).after(&refused(), None, at(10));
    assert!(open.verified_lately(at(299)) && !open.verified_lately(at(300)));
    let Pass::Probe(probe) = open.ask(Call::InPerson, at(70)) else { panic!() };
    let half = open.probing(probe);
    assert!(half.verified_lately(at(71)));
    assert_eq!(half.after(&refused(), Some(probe), at(71)).until(), Some(at(300)));
    assert_eq!(half.after(&Heard::Answered, Some(probe), at(71)), Breaker::verified(at(0)));
    let away = Breaker::verified(at(0)).after(&Heard::NoRoom(why("rate"), None), None, at(10));
    assert_eq!(away.after(&refused(), None, at(20)).until(), Some(at(300)));
    assert!(!Breaker::default().verified_lately(at(0)));
}

#[test]
fn a_read_back_goes_out_beside_it_unless_the_log_in_was_turned_away_and_moves_nothing() {
    let gone = (0..5).fold(Breaker::default(), |breaker, _| breaker.after(&unavailable(), None, at(0)));
    for open in [gone, opened(&Heard::NoRoom(why("rate"), Some(30)))] {
        let until = open.until().unwrap();
        for breaker in [open.probing(at(500)), open] {
            assert_eq!(breaker.ask(Call::ReadBack, at(1)), Pass::Free);
            assert_eq!(breaker.ask(Call::ReadBack, until), Pass::Free, "it is no probe");
            assert_eq!(breaker.ask(Call::Write, at(1)), Pass::No);
            for heard in [Heard::Answered, unavailable(), Heard::NoRoom(why("rate"), Some(900)), Heard::Nothing] {
                assert_eq!(breaker.after(&heard, None, at(1)), breaker);
            }
        }
    }
    assert_eq!(opened(&refused()).ask(Call::ReadBack, at(1)), Pass::No);
}

#[test]
fn a_graver_cause_counts_whoever_met_it() {
    let gone = opened(&Heard::NoRoom(why("rate"), None));
    assert_eq!(gone.after(&refused(), None, at(5)).until(), Some(at(5 + 900)));
    assert_eq!(gone.after(&unavailable(), None, at(5)), gone);
}

#[test]
fn it_says_since_when_why_and_when_it_is_tried_again() {
    let explained = opened(&refused()).explanation();
    assert_eq!(
        explained,
        "The PSA has been left alone since 2026-11-18T11:06:40Z: refused. One request tries it again from \
         2026-11-18T11:21:40Z on."
    );
}

/// One step of a life: time passes, then someone asks, and perhaps an answer comes.
#[derive(Debug, Clone)]
enum Step {
    Wait(i64),
    Ask(Call),
    /// One of the calls under way ends so.
    End(Heard, Index),
    Verified,
}

fn heard() -> impl Strategy<Value = Heard> {
    prop_oneof![
        3 => Just(Heard::Answered),
        2 => Just(refused()),
        4 => Just(unavailable()),
        2 => proptest::option::of(0..5_000u32).prop_map(|wait| Heard::NoRoom(why("rate"), wait)),
        1 => Just(Heard::Nothing),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..1_500i64).prop_map(Step::Wait),
        1 => (0..40_000i64).prop_map(Step::Wait),
        6 => prop_oneof![
            4 => Just(Call::Read),
            1 => Just(Call::InPerson),
            3 => Just(Call::Write),
            1 => Just(Call::ReadBack),
        ]
        .prop_map(Step::Ask),
        7 => (heard(), any::<Index>()).prop_map(|(heard, which)| Step::End(heard, which)),
        1 => Just(Step::Verified),
    ]
}

proptest! {
    /// Whatever happens: no write goes out unless it is closed, probes go out one at a time, a refused log-in opens it at
    /// once, and refused credentials are tried at most once a minute.
    #[test]
    fn its_promises_hold_through_every_life(steps in proptest::collection::vec(step(), 1..120)) {
        let mut breaker = Breaker::default();
        let mut now = at(0);
        let mut under_way: Vec<Option<Timestamp>> = vec![];
        let mut last_refused_probe: Option<Timestamp> = None;
        for step in steps {
            match step {
                Step::Wait(seconds) => now += SignedDuration::from_secs(seconds),
                Step::Verified => breaker = Breaker::verified(now),
                Step::Ask(call) => match breaker.ask(call, now) {
                    Pass::Free => {
                        let cause = breaker.trip().map(|trip| trip.cause);
                        prop_assert!(cause.is_none() || call == Call::ReadBack && cause != Some(Cause::Refused));
                        under_way.push(None);
                    }
                    Pass::Probe(probe) => {
                        prop_assert_ne!(call, Call::Write);
                        let waited_for = matches!(&breaker, Breaker::HalfOpen { until, .. } if *until > now);
                        prop_assert!(!waited_for, "another probe is under way");
                        if breaker.trip().is_some_and(|trip| trip.cause == Cause::Refused) {
                            let since = last_refused_probe.map(|last| now.duration_since(last));
                            prop_assert!(since.is_none_or(|since| since >= IN_PERSON));
                        }
                        breaker = breaker.probing(probe);
                        under_way.push(Some(probe));
                    }
                    Pass::No | Pass::TooSoon(_) => prop_assert!(breaker.trip().is_some()),
                },
                Step::End(..) if under_way.is_empty() => {}
                Step::End(heard, which) => {
                    let probe = under_way.remove(which.index(under_way.len()));
                    let before = breaker.clone();
                    breaker = breaker.after(&heard, probe, now);
                    let mine = matches!(&before, Breaker::HalfOpen { until, .. } if probe == Some(*until));
                    if matches!(heard, Heard::Refused(_)) {
                        prop_assert!(breaker.trip().is_some_and(|trip| trip.cause == Cause::Refused));
                        if mine || before.trip().is_none() {
                            last_refused_probe = Some(now);
                        }
                    }
                    if before.trip().is_some() && breaker.trip().is_none() {
                        prop_assert!(mine && heard == Heard::Answered, "only an answered probe closes it");
                    }
                    if let Some(until) = breaker.until() {
                        prop_assert!(breaker == before || until <= now + REFUSED_LONGEST);
                    }
                    prop_assert_eq!(breaker.ask(Call::Write, now) == Pass::Free, breaker.trip().is_none());
                }
            }
        }
    }
}

#[test]
fn it_is_half_open_from_the_instant_a_read_may_go_out_and_while_that_read_is_under_way() {
    let breaker = opened(&refused());
    let until = breaker.until().unwrap();
    let second = SignedDuration::from_secs(1);
    assert_eq!([until - second, until, until + second].map(|now| breaker.is_half_open(now)), [false, true, true]);
    let Pass::Probe(probe) = breaker.ask(Call::Read, until) else { panic!("no probe") };
    assert!(breaker.probing(probe).is_half_open(until));
    assert!(!Breaker::default().is_half_open(until));
}
