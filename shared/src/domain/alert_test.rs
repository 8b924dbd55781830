//! The life of an alert by its row alone: what is sent in, what is written, and what comes next.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::domain::reason::Reason;

const SETTLE: SignedDuration = SignedDuration::from_mins(6);
/// Where it does not matter when.
const NOTED_AT: Timestamp = Timestamp::UNIX_EPOCH;
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}Z").parse().unwrap()
}

fn key() -> AlertKey {
    AlertKey::sent("acme/edr/1").unwrap()
}

fn incident(company: &str) -> Incident {
    Incident {
        company: company.parse().unwrap(),
        kind: "malware".parse().unwrap(),
        severity: "high".parse().unwrap(),
        title: "Malware on PC-1".into(),
        details: "It was\nremoved.".into(),
    }
}

fn report(id: &str, when: Timestamp) -> Report {
    Report { id: id.into(), incident: incident("acme"), at: when }
}

fn reported(found: Option<&Alert>, id: &str, when: Timestamp) -> Option<Alert> {
    match Alert::reported(found, &key(), report(id, when), WINDOW, when) {
        Reported::Is(alert) => Some(*alert),
        Reported::Nothing => None,
        Reported::OfAnotherCompany => panic!("of another company"),
    }
}

fn new() -> Alert {
    reported(None, "r1", at("21T12:00:00")).unwrap()
}

fn place(alert: &Alert) -> Place {
    let of = (&"nordwind".parse().unwrap(), "autotask", &"12".parse().unwrap());
    Place::of(alert, of, "c1".parse().unwrap(), "1001".parse().unwrap())
}

fn sending(alert: &Alert, what: What, call: &str, now: Timestamp) -> Alert {
    alert.sending(what, place(alert), call, now)
}

fn ticket() -> Ticket {
    let (id, account) = ("77".parse().unwrap(), "1001".parse().unwrap());
    Ticket { id, number: "T1".into(), account, told: 0, end: End::Open }
}

/// With a ticket that tells all.
fn opened() -> Alert {
    let alert = new();
    sending(&alert, What::Ticket { count: 1 }, "a", at("21T12:00:01")).shown(ticket())
}

fn note(number: u32, count: u32, resolved_at: Option<Timestamp>) -> What {
    What::Note { number, count, resolved_at }
}

fn reason(code: &str) -> Reason {
    Reason { code: code.into(), explanation: "It is so.".into(), fix: "Do something.".into() }
}

#[test]
fn a_new_alert_is_queued_until_its_ticket_is_shown_and_then_rests() {
    let alert = new();
    assert_eq!((alert.status(), alert.next(at("21T12:00:00"))), (AlertStatus::Queued, Next::Open));
    let sent = sending(&alert, What::Ticket { count: 1 }, "a", at("21T12:00:01"));
    assert_eq!((sent.status(), sent.next(at("21T12:00:01"))), (AlertStatus::Queued, Next::LookBack));
    let shown = sent.shown(ticket());
    assert_eq!((shown.status(), shown.next(at("21T12:00:02"))), (AlertStatus::Open, Next::Rest));
    assert_eq!((shown.open.clone(), shown.noted.count), (None, 1));
    assert_eq!(shown.shown(Ticket { id: "78".parse().unwrap(), ..ticket() }), shown, "it has one ticket");
}

#[test]
fn a_request_is_called_not_made_only_when_it_can_be_on_its_way_no_more() {
    let sent = sending(&new(), What::Ticket { count: 1 }, "a", at("21T12:00:00"));
    let judged = |alert: &Alert, shown, when| judge(alert.open.as_ref().unwrap(), shown, at(when), SETTLE);
    let lost = sent.answered("a", Said::Lost);
    for alert in [&sent, &lost] {
        assert_eq!(judged(alert, false, "21T12:05:59"), Judged::TooEarly);
        assert_eq!(judged(alert, false, "21T12:06:00"), Judged::NotMade);
        assert_eq!(judged(alert, true, "21T12:00:00"), Judged::Made);
    }
    let made = sent.answered("a", Said::Made(None));
    assert_eq!(judged(&made, false, "21T12:05:59"), Judged::TooEarly);
    assert_eq!(judged(&made, false, "23T12:00:00"), Judged::NotShown, "what was called made is never made again");
    assert_eq!(judged(&made, true, "21T12:00:00"), Judged::Made);
}

#[test]
fn whoever_comes_late_with_an_answer_changes_nothing_of_the_next_try() {
    let first = sending(&new(), What::Ticket { count: 1 }, "a", at("21T12:00:00"));
    let second = sending(&first.not_found("a"), What::Ticket { count: 1 }, "b", at("21T12:07:00"));
    assert_eq!(second.answered("a", Said::Lost), second);
    assert_eq!(second.not_made("a"), second);
    assert_eq!(second.not_found("a"), second);
    assert_ne!(second.not_made("b"), second);
}

#[test]
fn a_second_try_is_known_as_one_until_something_is_made() {
    let ticket_again = What::Ticket { count: 3 };
    assert!(!new().has_tried(&ticket_again), "before the first one nothing is searched");
    let tried = sending(&new(), What::Ticket { count: 1 }, "a", at("21T12:00:00"));
    for tried in [tried.not_made("a"), tried.not_found("a")] {
        assert!(tried.has_tried(&ticket_again));
    }
    let noting = sending(&opened(), note(1, 2, None), "b", at("21T13:00:00")).not_made("b");
    assert!(noting.has_tried(&note(1, 3, None)));
    assert!(!noting.has_tried(&note(2, 3, None)));
    assert!(!noting.noted(NOTED_AT).has_tried(&note(1, 3, None)));
}

#[test]
fn a_place_stays_as_soon_as_anything_may_have_been_made_there() {
    let sent = sending(&new(), What::Ticket { count: 1 }, "a", at("21T12:00:00"));
    assert_eq!(sent.not_made("a").place, None, "refused: the company may be mapped anew");
    let doubtful = sent.not_found("a");
    assert_eq!(doubtful.place, sent.place);
    let refused_then = sending(&doubtful, What::Ticket { count: 1 }, "b", at("21T12:10:00")).not_made("b");
    assert_eq!(refused_then.place, sent.place);
    let noting = sending(&opened(), note(1, 2, None), "b", at("21T13:00:00"));
    assert!(noting.not_made("b").place.is_some());
}

#[test]
fn the_same_episode_has_the_same_reference_and_another_one_another() {
    let alert = new();
    let second = Alert { episode: 2, ..alert.clone() };
    let other = Alert { key: AlertKey::sent("acme/edr/2").unwrap(), ..alert.clone() };
    let reference = |alert: &Alert| place(alert).reference.to_string();
    assert_eq!(reference(&alert), reference(&Alert { count: 9, version: 7, ..alert.clone() }));
    assert_eq!(reference(&alert).len(), 27);
    assert!(reference(&alert) != reference(&second) && reference(&alert) != reference(&other));
    let elsewhere = |partner: &str, psa: &str, tenant: &str| {
        let of = (&partner.parse().unwrap(), psa, &tenant.parse().unwrap());
        Place::of(&alert, of, "c1".parse().unwrap(), "1001".parse().unwrap()).reference.to_string()
    };
    let all =
        [elsewhere("q", "autotask", "12"), elsewhere("nordwind", "kaseya_bms", "12"), elsewhere("p", "autotask", "1")];
    assert!(all.iter().all(|other| *other != reference(&alert)));
    assert_eq!(place(&alert).note(3), format!("{}-3", reference(&alert)));
}

#[test]
fn repeats_are_counted_and_told_in_one_note() {
    let mut alert = opened();
    for repeat in 2..=6 {
        alert = reported(Some(&alert), &format!("r{repeat}"), at("21T13:00:00")).unwrap();
    }
    assert_eq!((alert.count, alert.next(at("21T13:00:00"))), (6, Next::Note));
    let noted = sending(&alert, note(1, 6, None), "b", at("21T13:00:01")).noted(NOTED_AT);
    assert_eq!((noted.next(at("21T13:00:02")), noted.noted.notes), (Next::Rest, 1));
    assert_eq!(reported(Some(&noted), "r6", at("21T14:00:00")), None, "one request that is sent twice counts once");
}

#[test]
fn what_happened_while_a_note_was_on_its_way_is_told_in_the_next_one() {
    let alert = reported(Some(&opened()), "r2", at("21T13:00:00")).unwrap();
    let sent = sending(&alert, note(1, 2, None), "b", at("21T13:00:01"));
    let meanwhile = reported(Some(&sent), "r3", at("21T13:00:02")).unwrap();
    let noted = meanwhile.noted(NOTED_AT);
    assert_eq!((noted.noted.count, noted.count, noted.next(at("21T13:00:03"))), (2, 3, Next::Note));
}

#[test]
fn the_end_of_an_alert_is_noted_and_then_its_ticket_ended_once() {
    let over = opened().resolved(None, at("21T15:00:00")).unwrap();
    let again = over.resolved(None, at("21T16:00:00")).unwrap();
    assert_eq!(
        (again.resolved_at, again.next(at("21T16:00:00"))),
        (over.resolved_at, Next::Note),
        "it was over already"
    );
    assert_eq!(over.resolved(Some(at("21T14:00:00")), at("21T16:00:00")), None, "it is over already");
    assert_eq!((over.status(), over.next(at("21T15:00:00"))), (AlertStatus::Resolved, Next::Note));
    let noted = sending(&over, note(1, 1, over.resolved_at), "b", at("21T15:00:01")).noted(NOTED_AT);
    assert_eq!(noted.next(at("21T15:00:02")), Next::End);
    for end in [End::Left, End::Completed, End::NotTaken] {
        assert_eq!(noted.ended(end).next(at("21T15:00:02")), Next::Rest, "{end:?}");
    }
}

#[test]
fn an_alert_is_over_as_of_what_is_said_unless_it_has_happened_since() {
    let happened = reported(Some(&opened()), "r2", at("21T13:00:00")).unwrap();
    let over = |said, now| happened.resolved(said, at(now)).map(|over| over.resolved_at.unwrap());
    assert_eq!(over(None, "21T15:00:00"), Some(at("21T15:00:00")));
    assert_eq!(over(None, "21T12:59:00"), Some(at("21T13:00:00")), "the sender's clock is ahead of ours");
    assert_eq!(over(Some(at("21T14:00:00")), "21T15:00:00"), Some(at("21T14:00:00")));
    assert_eq!(over(Some(at("21T13:00:00")), "21T15:00:00"), Some(at("21T13:00:00")));
    assert_eq!(over(Some(at("21T12:59:59")), "21T15:00:00"), None, "it has happened again since");
    let late = happened.resolved(Some(at("21T14:00:00")), at("21T15:00:00")).unwrap();
    assert_eq!(reported(Some(&late), "r3", at("21T13:59:59")), None, "a late report of before its end");
    assert_eq!(reported(Some(&late), "r3", at("21T14:30:00")).unwrap().resolved_at, None);
}

#[test]
fn the_words_of_what_happened_last_are_the_alerts() {
    let severe = |found: &Alert, when: Timestamp| {
        let incident = Incident { severity: "critical".parse().unwrap(), ..incident("acme") };
        let severe = Report { incident, ..report("r2", when) };
        let Reported::Is(alert) = Alert::reported(Some(found), &key(), severe, WINDOW, when) else {
            panic!("a repeat")
        };
        alert.incident().unwrap().severity.to_string()
    };
    assert_eq!(severe(&new(), at("21T12:00:00")), "critical");
    assert_eq!(severe(&new(), at("21T11:59:59")), "high", "what comes late is not how it is now");
}

#[test]
fn an_alert_that_was_over_before_it_had_a_ticket_has_one_all_the_same() {
    let over = new().resolved(None, at("21T12:10:00")).unwrap();
    assert_eq!(over.next(at("21T12:10:00")), Next::Open);
    let shown = sending(&over, What::Ticket { count: 1 }, "a", at("21T12:11:00")).shown(ticket());
    assert_eq!(shown.next(at("21T12:11:00")), Next::Note);
}

fn completed() -> Alert {
    let over = opened().resolved(None, at("21T15:00:00")).unwrap();
    sending(&over, note(1, 1, over.resolved_at), "b", at("21T15:00:01")).noted(NOTED_AT).ended(End::Completed)
}

#[test]
fn a_repeat_within_the_window_opens_the_ticket_again_and_a_later_one_is_another_episode() {
    let again = reported(Some(&completed()), "r2", at("22T15:00:00")).unwrap();
    assert_eq!((again.episode, again.count, again.status()), (1, 2, AlertStatus::Open));
    assert_eq!(again.next(at("22T15:00:00")), Next::Reopen);
    assert_eq!(again.ended(End::Open).next(at("22T15:00:00")), Next::Note);
    let later = reported(Some(&completed()), "r2", at("22T15:00:01")).unwrap();
    assert_eq!((later.episode, later.count, later.status()), (2, 1, AlertStatus::Queued));
    assert_eq!((later.version, &later.ticket), (completed().version, &None));
}

#[test]
fn an_end_that_overtakes_what_it_ends_is_not_lost() {
    let over = opened().resolved(Some(at("21T12:05:00")), at("21T12:30:00")).unwrap();
    let later = over.resolved(Some(at("21T12:20:00")), at("21T12:30:00")).unwrap();
    assert_eq!(later.resolved_at, Some(at("21T12:05:00")));
    assert_eq!(reported(Some(&later), "late", at("21T12:10:00")), None, "it was over after that");
    let back = reported(Some(&later), "back", at("21T12:21:00")).unwrap();
    assert_eq!((back.resolved_at, back.count), (None, 2));
    assert_eq!(back.resolved(Some(at("21T12:20:30")), at("21T12:30:00")), None, "it has happened since");
    assert_eq!(reported(Some(&back), "late", at("21T12:10:00")), None);
}

#[test]
fn an_alert_in_a_digest_that_goes_on_for_long_has_a_ticket_of_its_own_at_last() {
    let digest =
        AlertKey::of_digest(&"c1".parse().unwrap(), &"1001".parse().unwrap(), DigestHour::of(at("21T12:00:00")));
    let told = Alert { digest: Some(digest.clone()), ticket: Some(ticket()), ..new() };
    let soon = reported(Some(&told), "r2", at("22T12:00:00")).unwrap();
    assert_eq!((soon.episode, soon.count, soon.next(at("22T12:00:00"))), (1, 2, Next::Rest));
    let later = reported(Some(&soon), "r3", at("22T12:00:01")).unwrap();
    assert_eq!((later.episode, later.count, later.digest.clone()), (2, 1, None));
    assert_eq!(later.next(at("22T12:00:01")), Next::Open);
    let untold = Alert { digest: Some(digest), ..new() };
    assert_eq!(reported(Some(&untold), "r2", at("25T12:00:00")).unwrap().episode, 1, "its digest has no ticket yet");
}

#[test]
fn a_digest_waits_for_an_hour_that_has_room_for_it() {
    let waits = new().without_room_before(at("21T13:00:00"));
    assert_eq!((waits.next(at("21T12:59:59")), waits.next(at("21T13:00:00"))), (Next::Rest, Next::Open));
}

#[test]
fn a_row_that_came_anew_has_another_reference() {
    let anew = reported(None, "r1", at("22T12:00:00")).unwrap();
    assert_ne!(place(&anew).reference, place(&new()).reference);
}

#[test]
fn a_ticket_that_was_left_to_people_is_not_opened_again_by_us() {
    for end in [End::Left, End::NotTaken] {
        let again = reported(Some(&completed().ended(end)), "r2", at("22T15:00:00")).unwrap();
        assert_eq!(again.next(at("22T15:00:00")), Next::Note, "{end:?}");
        let over = again.noted(NOTED_AT).resolved(None, at("22T16:00:00")).unwrap();
        assert_eq!(over.ticket.unwrap().end, End::Open, "{end:?}: its second end is told as well");
    }
}

#[test]
fn what_happened_before_the_end_and_comes_late_changes_nothing() {
    assert_eq!(reported(Some(&completed()), "r2", at("21T14:59:59")), None);
    assert!(reported(Some(&completed()), "r2", at("21T15:00:00")).is_some());
}

#[test]
fn no_episode_begins_while_something_of_the_last_one_is_not_told() {
    let queued = new().resolved(None, at("21T12:10:00")).unwrap();
    let unknown = sending(&queued, What::Ticket { count: 1 }, "a", at("21T12:11:00")).answered("a", Said::Lost);
    let untold = opened().resolved(None, at("21T15:00:00")).unwrap();
    for standing in [queued, unknown, untold] {
        let again = reported(Some(&standing), "r2", at("29T12:00:00")).unwrap();
        assert_eq!((again.episode, again.count), (1, 2), "{standing:?}");
    }
    let refused = opened().resolved(None, at("21T15:00:00")).unwrap();
    let refused = refused.in_trouble(Standstill::Refused, reason("ticket_gone"), at("21T15:00:01"));
    assert_eq!(reported(Some(&refused), "r2", at("29T12:00:00")).unwrap().episode, 2, "its ticket is of no use");
}

#[test]
fn a_key_stands_for_one_company_in_an_episode() {
    let other = || Report { incident: incident("beta"), ..report("r2", at("21T13:00:00")) };
    let of = |found: &Alert, when: Timestamp| {
        Alert::reported(Some(found), &key(), Report { at: when, ..other() }, WINDOW, when)
    };
    assert_eq!(of(&opened(), at("21T13:00:00")), Reported::OfAnotherCompany);
    let Reported::Is(next) = of(&completed(), at("29T13:00:00")) else { panic!("another episode") };
    assert_eq!(next.incident().unwrap().company.as_str(), "beta");
}

#[test]
fn what_halts_an_alert_does_so_until_something_new_happens_or_somebody_asks() {
    for (kind, status) in [
        (Standstill::Waiting, AlertStatus::Waiting),
        (Standstill::Refused, AlertStatus::Refused),
        (Standstill::GivenUp, AlertStatus::GivenUp),
    ] {
        let halted = new().in_trouble(kind, reason("x"), at("21T12:00:00"));
        assert_eq!((halted.status(), halted.next(at("29T12:00:00"))), (status, Next::Rest));
        assert_eq!(halted.retried().unwrap().next(at("21T12:00:01")), Next::Open);
        let again = reported(Some(&halted), "r2", at("21T12:30:00")).unwrap();
        let soon = if kind == Standstill::Waiting { Next::Open } else { Next::Rest };
        assert_eq!(again.next(at("21T12:30:00")), soon, "{kind:?}: what was refused is not sent with each repeat");
        let later = if kind == Standstill::GivenUp { Next::Rest } else { Next::Open };
        assert_eq!(again.next(at("21T13:00:00")), later, "{kind:?}");
    }
    assert_eq!(opened().retried(), None);
}

#[test]
fn a_ticket_that_is_not_shown_is_looked_for_and_never_made_again() {
    let made = sending(&new(), What::Ticket { count: 1 }, "a", at("21T12:00:00")).answered("a", Said::Made(None));
    let not_shown = made.in_trouble(Standstill::NotShown, reason("ticket_not_shown"), at("21T12:10:00"));
    assert_eq!((not_shown.status(), not_shown.next(at("21T13:00:00"))), (AlertStatus::Unknown, Next::Rest));
    assert_eq!(not_shown.retried().unwrap().next(at("21T13:00:00")), Next::LookBack);
    let again = reported(Some(&not_shown), "r2", at("21T12:30:00")).unwrap();
    assert_eq!(again.next(at("21T12:30:00")), Next::LookBack);
    assert_eq!(again.shown(ticket()).trouble, None);
}

fn halted(alert: &Alert, kind: Standstill, when: &str) -> Alert {
    let finding = FindingName { connection: "c1".parse().unwrap(), fingerprint: "f".into(), about: "a".into() };
    Alert { finding: Some(finding), ..alert.in_trouble(kind, reason("x"), at(when)) }
}

fn forgotten(alert: &Alert, now: Timestamp) -> Alert {
    let Forgotten::Is(alert) = alert.forgotten(now, SETTLE) else { panic!("{:?}", alert.forgotten(now, SETTLE)) };
    *alert
}

#[test]
fn what_was_sent_is_forgotten_and_searched_once_more_before_a_ticket_is_opened() {
    let made = sending(&new(), What::Ticket { count: 1 }, "a", at("21T12:00:00")).answered("a", Said::Made(None));
    let not_shown = halted(&Alert { doubted: true, ..made }, Standstill::NotShown, "21T12:10:00");
    let anew = forgotten(&not_shown, at("21T13:00:00"));
    assert_eq!((anew.status(), anew.next(at("21T13:00:00"))), (AlertStatus::Queued, Next::Open));
    assert_eq!((&anew.open, &anew.place, anew.doubted), (&None, &None, false), "it may go elsewhere");
    assert!(anew.has_tried(&What::Ticket { count: 2 }), "the PSA is searched first");
    assert_eq!(place(&anew).reference, place(&not_shown).reference, "by the same name");
    assert_eq!(anew.finding, not_shown.finding, "what people were told of it ends when it rests");
    assert_eq!(anew.shown(ticket()).noted.count, 1);
    assert_eq!(anew.answered("a", Said::Lost), anew, "an answer that comes late changes nothing");
}

#[test]
fn a_ticket_that_is_out_of_reach_is_forgotten_and_another_one_tells_it_all() {
    let again = reported(Some(&opened()), "r2", at("21T13:00:00")).unwrap();
    let tried = sending(&again, note(1, 2, None), "b", at("21T13:00:01")).not_made("b");
    let anew = forgotten(&halted(&tried, Standstill::Waiting, "21T13:00:02"), at("21T13:00:03"));
    assert_eq!((anew.episode, anew.count, anew.first_at), (2, 2, at("21T12:00:00")));
    assert_eq!((&anew.ticket, &anew.place, &anew.tried), (&None, &None, &None));
    assert_eq!((anew.noted.notes, anew.next(at("21T13:00:03"))), (0, Next::Open));
    assert_ne!(place(&anew).reference, place(&again).reference, "the first one has its name already");
    assert!(anew.finding.is_some() && anew.trouble.is_none());
    let shown = sending(&anew, What::Ticket { count: 2 }, "c", at("21T13:00:04")).shown(ticket());
    assert_eq!((shown.next(at("21T13:00:05")), shown.ticket.unwrap().told), (Next::Rest, 2));
}

#[test]
fn nothing_is_forgotten_of_an_alert_that_goes_on_or_while_a_request_may_be_on_its_way() {
    let now = at("21T13:00:00");
    let delayed = new().in_trouble(Standstill::Delayed, reason("x"), now);
    let elsewhere = Alert { digest: Some(key()), ..halted(&opened(), Standstill::Waiting, "21T13:00:00") };
    for alert in [new(), opened(), completed(), delayed, elsewhere] {
        assert_eq!(alert.forgotten(now, SETTLE), Forgotten::NotHalted, "{alert:?}");
    }
    let sent = sending(&new(), What::Ticket { count: 1 }, "a", now);
    let off = halted(&sent, Standstill::Waiting, "21T13:00:01");
    assert_eq!(off.forgotten(at("21T13:05:59"), SETTLE), Forgotten::TooEarly(at("21T13:06:00")));
    assert!(matches!(off.forgotten(at("21T13:06:00"), SETTLE), Forgotten::Is(_)));
}

#[test]
fn a_digest_that_is_forgotten_stays_on_its_account_and_tells_its_alerts_anew() {
    let key = AlertKey::of_digest(&"c1".parse().unwrap(), &"1".parse().unwrap(), DigestHour::of(at("21T12:00:00")));
    let digest = Alert::digest(key, at("21T12:10:00"), at("21T12:10:01"));
    let sent = sending(&digest, What::Ticket { count: 1 }, "a", at("21T12:12:00"));
    let sought = forgotten(&halted(&sent, Standstill::NotShown, "21T12:20:00"), at("21T12:20:00"));
    assert_eq!((&sought.place, sought.episode), (&sent.place, 1));
    let told = sent.shown(ticket()).bundled(|bundle| Bundle { told: 1, ..bundle });
    let anew = forgotten(&halted(&told, Standstill::Refused, "21T12:20:00"), at("21T12:20:00"));
    let (before, after) = (told.place.unwrap(), anew.place.clone().unwrap());
    assert_eq!((after.account, after.connection), (before.account, before.connection));
    assert_ne!(after.reference, before.reference);
    assert_eq!((anew.next(at("21T12:20:00")), anew.matter), (Next::Open, Matter::Digest(Bundle::default())));
}

#[test]
fn what_people_were_told_of_an_episode_is_handed_on_to_the_next_one() {
    let over = opened().resolved(None, at("21T15:00:00")).unwrap();
    let refused = halted(&over, Standstill::Refused, "21T15:00:01");
    let next = reported(Some(&refused), "r2", at("29T12:00:00")).unwrap();
    assert_eq!((next.episode, &next.finding), (2, &refused.finding));
}

#[test]
fn what_only_delays_an_alert_leaves_it_queued() {
    let delayed = new().in_trouble(Standstill::Delayed, reason("psa_unavailable"), at("21T12:00:00"));
    assert_eq!((delayed.status(), delayed.next(at("21T12:00:00"))), (AlertStatus::Queued, Next::Open));
    let over = completed().in_trouble(Standstill::EndNotTaken, reason("ticket_not_completed"), at("21T16:00:00"));
    assert_eq!((over.status(), over.next(at("21T16:00:00"))), (AlertStatus::Resolved, Next::Rest));
}

/// `alert` with a repeat that is noted at `when`.
fn repeated_and_noted(alert: &Alert, when: Timestamp) -> Alert {
    let alert = reported(Some(alert), &when.to_string(), when).unwrap();
    assert_eq!(alert.next(when), Next::Note);
    sending(&alert, note(alert.noted.notes + 1, alert.count, None), "n", when).noted(when)
}

#[test]
fn what_happens_all_the_time_is_noted_at_once_at_first_and_then_once_in_a_while() {
    let mut alert = opened();
    for minute in 1..=NOTES_AT_ONCE {
        alert = repeated_and_noted(&alert, at(&format!("21T13:{minute:02}:00")));
    }
    let last = at("21T13:03:00");
    let due = last + BETWEEN_NOTES;
    for second in 0..59 {
        let now = at(&format!("21T13:04:{second:02}"));
        alert = reported(Some(&alert), &now.to_string(), now).unwrap();
        assert_eq!((alert.next(now), alert.looked_at_again(now)), (Next::Rest, Some(due)));
    }
    assert_eq!((alert.next(due), alert.noted.notes), (Next::Note, NOTES_AT_ONCE), "all of it in one note");
}

#[test]
fn the_first_end_of_an_alert_is_noted_at_once_and_one_that_comes_and_goes_is_limited_as_repeats_are() {
    let mut alert = opened();
    for minute in 1..=NOTES_AT_ONCE {
        alert = repeated_and_noted(&alert, at(&format!("21T13:{minute:02}:00")));
    }
    let over = alert.resolved(None, at("21T13:10:00")).unwrap();
    assert_eq!(over.next(at("21T13:10:00")), Next::Note);
    let told = sending(&over, note(4, 4, over.resolved_at), "n", at("21T13:10:00")).noted(at("21T13:10:00"));
    let back = repeated_and_noted(&told, at("21T13:11:00"));
    let again = back.resolved(None, at("21T13:12:00")).unwrap();
    let due = at("21T14:11:00");
    assert_eq!((again.next(at("21T13:12:00")), again.next(due)), (Next::Rest, Next::Note));
    assert_eq!(again.looked_at_again(at("21T13:12:00")), Some(due));
}

#[test]
fn a_note_waits_for_an_hour_that_has_room_for_it() {
    let now = at("21T13:00:00");
    let alert = reported(Some(&opened()), "r2", now).unwrap().without_room_before(at("21T14:00:00"));
    assert_eq!((alert.next(now), alert.looked_at_again(now)), (Next::Rest, Some(at("21T14:00:00"))));
    let told = repeated_and_noted(&alert, at("21T14:00:00"));
    assert_eq!((told.noted.no_room_before, told.noted.notes, told.noted.count), (None, 1, 3));
}

#[test]
fn what_has_something_to_be_done_is_looked_at_again_and_what_rests_is_not() {
    let now = at("21T12:00:00");
    let later = Some(now + SignedDuration::from_hours(6));
    assert_eq!(new().looked_at_again(now), later, "its message may be lost");
    assert_eq!(sending(&new(), What::Ticket { count: 1 }, "a", now).looked_at_again(now), later);
    assert_eq!(opened().looked_at_again(now), None);
    let waiting = new().in_trouble(Standstill::Waiting, reason("tickets_not_mapped"), now);
    assert_eq!(waiting.looked_at_again(now), None, "a person is asked");
    let refused = opened().in_trouble(Standstill::Refused, reason("ticket_refused"), now);
    let repeated = reported(Some(&refused), "r2", at("21T12:01:00")).unwrap();
    let due = now + LOOKS_AGAIN_AFTER;
    assert_eq!(
        (repeated.next(at("21T12:01:00")), repeated.looked_at_again(at("21T12:01:00"))),
        (Next::Rest, Some(due))
    );
}

#[test]
fn a_ticket_that_people_have_completed_is_opened_again_only_while_its_alert_goes_on() {
    let repeated = reported(Some(&opened()), "r2", at("21T13:00:00")).unwrap();
    assert_eq!(repeated.completed_by_people().next(at("21T13:00:00")), Next::Reopen);
    let over = repeated.resolved(None, at("21T13:00:01")).unwrap();
    assert_eq!(over.completed_by_people(), over);
    let in_vain = repeated.in_trouble(Standstill::EndNotTaken, reason("ticket_not_reopened"), at("21T13:00:01"));
    assert_eq!(in_vain.completed_by_people(), in_vain, "a workflow completes it again and again");
}

#[test]
fn requests_in_vain_are_counted_until_something_is_made_or_a_person_asks() {
    let tried = |alert: &Alert| sending(alert, What::Ticket { count: 1 }, "a", at("21T12:00:00")).not_found("a");
    let twice = tried(&tried(&new()));
    assert_eq!(twice.in_vain, 2);
    assert_eq!(sending(&twice, What::Ticket { count: 1 }, "b", at("21T12:20:00")).shown(ticket()).in_vain, 0);
    let halted = twice.in_trouble(Standstill::Refused, reason("ticket_unanswered"), at("21T12:20:00"));
    assert_eq!(halted.retried().unwrap().in_vain, 0);
}

#[test]
fn an_alert_in_a_digest_waits_for_its_ticket_and_is_then_only_counted() {
    let hour = DigestHour::of(at("21T12:00:00"));
    let digest = AlertKey::of_digest(&"c1".parse().unwrap(), &"1001".parse().unwrap(), hour);
    let joined = Alert { digest: Some(digest), ..new() };
    assert_eq!((joined.status(), joined.next(at("21T12:00:00"))), (AlertStatus::Queued, Next::AskForDigest));
    let told = Alert { ticket: Some(ticket()), ..joined };
    assert_eq!((told.status(), told.next(at("21T12:00:00"))), (AlertStatus::Digested, Next::Rest));
    let again = reported(Some(&told), "r2", at("21T13:00:00")).unwrap();
    assert_eq!((again.count, again.next(at("21T13:00:00"))), (2, Next::Rest));
    let over = again.resolved(None, at("21T14:00:00")).unwrap();
    assert_eq!((over.status(), over.next(at("21T14:00:00"))), (AlertStatus::Digested, Next::Rest));
    assert_eq!(reported(Some(&over), "r3", at("24T13:00:00")).unwrap().episode, 2);
}

#[test]
fn a_digest_tells_its_alerts_of_its_ticket_before_it_notes_more_of_them() {
    let key = AlertKey::of_digest(&"c1".parse().unwrap(), &"1".parse().unwrap(), DigestHour::of(at("21T12:00:00")));
    let digest =
        Alert::digest(key, at("21T12:10:00"), at("21T12:10:01")).joined(at("21T12:09:00")).joined(at("21T12:11:00"));
    assert_eq!((digest.count, digest.first_at, digest.next(at("21T12:12:00"))), (3, at("21T12:09:00"), Next::Open));
    let shown = sending(&digest, What::Ticket { count: 2 }, "a", at("21T12:12:00")).shown(ticket());
    assert_eq!(shown.next(at("21T12:12:00")), Next::TellAlerts);
    let told = shown.bundled(|bundle| Bundle { told: 2, ..bundle });
    assert_eq!(told.next(at("21T12:12:00")), Next::Note);
    let noted = sending(&told, note(1, 3, None), "b", at("21T12:12:00")).noted(NOTED_AT);
    assert_eq!(noted.next(at("21T12:12:00")), Next::TellAlerts);
    assert_eq!(noted.bundled(|bundle| Bundle { told: 3, ..bundle }).next(at("21T12:12:00")), Next::Rest);
}

fn candidate(connection: &str, account: Option<&str>, catch_all: Option<&str>) -> Candidate {
    let id = |text: Option<&str>| text.map(|text| text.parse().unwrap());
    Candidate { connection: connection.parse().unwrap(), account: id(account), catch_all: id(catch_all) }
}

#[test]
fn a_connection_that_maps_the_company_goes_before_one_that_catches_everything() {
    let chosen = |candidates: &[Candidate]| choose(candidates);
    let at = |connection: &str, account: &str| Choice::At(connection.parse().unwrap(), account.parse().unwrap());
    let (catches, maps) = (candidate("c1", None, Some("0")), candidate("c2", Some("7"), Some("1")));
    assert_eq!(chosen(&[catches.clone(), maps.clone()]), at("c2", "7"));
    assert_eq!(chosen(&[candidate("c0", Some("5"), None), maps]), at("c0", "5"));
    assert_eq!(chosen(&[candidate("c0", None, None), catches]), at("c1", "0"));
    assert_eq!(chosen(&[candidate("c0", None, None)]), Choice::CompanyNotMapped);
    assert_eq!(chosen(&[]), Choice::TicketsNotMapped);
}

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

const ROOM: (usize, usize) = (250, 7_900);

#[test]
fn a_ticket_says_whose_it_is_before_what_the_vendor_says() {
    let story = Story::of_ticket(&new(), &[], &berlin(), ROOM);
    assert_eq!((story.title.as_str(), story.count), ("Malware on PC-1", 1));
    insta::assert_snapshot!(story.text, @"
    Company: acme
    Kind: malware
    Severity: high
    First at: 2026-11-21 13:00 CET

    It was
    removed.
    ");
    let again = reported(Some(&new()), "r2", at("21T13:00:00")).unwrap();
    let text = Story::of_ticket(&again, &[], &berlin(), ROOM).text;
    assert!(text.contains("\nHappened: 2 times, last at 2026-11-21 14:00 CET\n"), "{text}");
}

#[test]
fn notes_say_how_often_it_has_happened_since_and_when_it_was_over() {
    let story = |alert: &Alert| {
        let Story { title, text, .. } = Story::of_note(alert, &[], &berlin(), ROOM);
        format!("{title}: {text}")
    };
    let once = reported(Some(&opened()), "r2", at("21T13:00:00")).unwrap();
    let twice = reported(Some(&once), "r3", at("21T14:00:00")).unwrap();
    let over = opened().resolved(None, at("21T15:00:00")).unwrap();
    let all = [&once, &twice, &over, &twice.resolved(None, at("21T15:00:00")).unwrap()].map(story);
    insta::assert_snapshot!(all.join("\n---\n"), @"
    Happened again: Happened once since this ticket was opened, last at 2026-11-21 14:00 CET.
    ---
    Happened again: Happened 2 times since this ticket was opened, last at 2026-11-21 15:00 CET.
    ---
    Resolved: Resolved at 2026-11-21 16:00 CET.
    ---
    Resolved: Happened 2 times since this ticket was opened, last at 2026-11-21 15:00 CET.
    Resolved at 2026-11-21 16:00 CET.
    ");
}

fn entries(number: usize) -> Vec<Entry> {
    let entry = |number| Entry {
        key: AlertKey::sent(&format!("k{number}")).unwrap(),
        at: at("21T12:00:00"),
        company: "acme".parse().unwrap(),
        severity: "high".into(),
        title: format!("Alert {number}"),
    };
    (0..number).map(entry).collect()
}

#[test]
fn a_digest_lists_as_many_alerts_as_there_is_room_for_and_at_least_one() {
    let list = listed(&entries(3), &berlin(), 1_000);
    insta::assert_snapshot!(list.text, @"
    2026-11-21 13:00 CET acme [high] Alert 0
    2026-11-21 13:00 CET acme [high] Alert 1
    2026-11-21 13:00 CET acme [high] Alert 2
    ");
    assert_eq!(list.count, 3);
    assert_eq!(listed(&entries(3), &berlin(), 90).count, 2);
    assert_eq!(listed(&entries(3), &berlin(), 10).count, 1);
    let long = Entry { title: "x".repeat(500), ..entries(1).remove(0) };
    assert!(listed(&[long], &berlin(), 1_000).text.ends_with('…'));
}

#[test]
fn the_ticket_and_the_notes_of_a_digest_list_each_alert_once() {
    let key = AlertKey::of_digest(&"c1".parse().unwrap(), &"1".parse().unwrap(), DigestHour::of(at("21T12:00:00")));
    let mut digest = Alert { count: 300, ..Alert::digest(key, at("21T12:10:00"), at("21T12:10:00")) };
    let (all, mut told) = (entries(300), Vec::new());
    let first = Story::of_ticket(&digest, &all, &berlin(), ROOM);
    digest = sending(&digest, What::Ticket { count: first.count }, "a", at("21T12:12:00")).shown(ticket());
    told.push(first.text);
    while digest.noted.count < digest.count {
        let rest = &all[usize::try_from(digest.noted.count).unwrap()..];
        let next = Story::of_note(&digest, rest, &berlin(), ROOM);
        let what = note(digest.noted.notes + 1, next.count, None);
        digest = sending(&digest, what, "b", at("21T12:12:00")).noted(NOTED_AT);
        told.push(next.text);
    }
    assert!(told.len() > 1 && told.iter().all(|text| text.chars().count() <= ROOM.1));
    let told = told.join("\n");
    let listed: Vec<&str> = told.lines().filter_map(|line| line.split("[high] ").nth(1)).collect();
    assert_eq!(listed, (0..300).map(|number| format!("Alert {number}")).collect::<Vec<_>>());
}

proptest! {
    /// Whatever is sent in and whatever the PSA answers, in any order: there is one ticket an episode, nothing is counted down,
    /// and a row that rests without trouble tells everything.
    #[test]
    fn whatever_happens_an_alert_that_rests_well_is_told(steps in proptest::collection::vec(0_u8..10, 1..40)) {
        let mut now = at("21T12:00:00");
        let mut alert = new();
        for (number, step) in steps.into_iter().enumerate() {
            now += SignedDuration::from_mins(7);
            let before = alert.clone();
            let call = format!("c{number}");
            alert = match (step, alert.next(now)) {
                (0, _) => reported(Some(&alert), &format!("s{number}"), now).unwrap_or(alert),
                (1, _) => alert.resolved(None, now).unwrap_or(alert),
                (2, _) => alert.in_trouble(Standstill::Refused, reason("x"), now),
                (3, _) => alert.retried().unwrap_or(alert),
                (9, _) => match alert.forgotten(now, SETTLE) {
                    Forgotten::Is(forgotten) => *forgotten,
                    Forgotten::NotHalted | Forgotten::TooEarly(_) => alert,
                },
                (_, Next::Open) => sending(&alert, What::Ticket { count: alert.count }, &call, now),
                (_, Next::Note) => sending(&alert, note(alert.noted.notes + 1, alert.count, alert.resolved_at), &call, now),
                (_, Next::Reopen) => alert.ended(End::Open),
                (_, Next::End) => alert.ended(End::Completed),
                (step, Next::LookBack) => {
                    let write = alert.open.clone().unwrap();
                    match (step % 3, &write.what) {
                        (0, _) => alert.not_made(&write.call),
                        (1, _) => alert.not_found(&write.call),
                        (_, What::Ticket { .. }) => alert.shown(ticket()),
                        _ => alert.noted(NOTED_AT),
                    }
                }
                (_, Next::Rest | Next::AskForDigest | Next::TellAlerts) => alert,
            };
            if alert.episode == before.episode {
                prop_assert!(before.ticket.is_none() || alert.ticket.is_some());
                prop_assert!(alert.count >= before.count && alert.noted.count <= alert.count);
            }
            if alert.next(now) == Next::Rest && alert.trouble.is_none() {
                prop_assert!(alert.is_told() && alert.ticket.is_some() && alert.open.is_none());
            }
        }
    }
}
