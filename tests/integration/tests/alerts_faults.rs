//! Everything that can go wrong with a request for an alert: in the end there is one ticket with each note once, and nothing
//! is lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use integration::msp::alerts::alert;
use integration::msp::{Customer, Effect, Lane, Mishap, Msp, ServiceDesk, Setup};
use integration::{BEGINNING, TestClock, on_every_desk};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::desk::{Desk, DeskError};
use shared::faults::{Hook, Point, Side, Struck};

on_every_desk!(
    whatever_goes_wrong_with_a_ticket_there_is_one,
    whatever_goes_wrong_with_a_note_it_stands_once,
    whatever_goes_wrong_with_the_end_of_a_ticket_it_is_completed,
    a_ticket_whose_answer_was_lost_is_found_at_once_and_not_made_again,
    a_ticket_that_was_not_made_is_made_again_when_it_can_be_on_its_way_no_more,
    a_ticket_that_is_called_made_and_not_shown_is_never_made_again,
    what_the_psa_refuses_is_explained_and_waits_for_a_person,
    what_the_user_may_not_do_holds_nothing_else_back,
    a_ticket_that_does_not_get_completed_is_found_and_left_to_people,
    a_ticket_that_does_not_get_opened_again_is_found_and_noted_all_the_same,
    two_workers_at_one_alert_make_one_ticket,
    a_worker_that_comes_late_sends_nothing,
);

/// Everything that ends well without a person.
const MISHAPS: [Mishap; 15] = [
    Mishap::Reset(Effect::Made),
    Mishap::Reset(Effect::NotMade),
    Mishap::Hang(Effect::Made),
    Mishap::Hang(Effect::NotMade),
    Mishap::Failed(Effect::Made),
    Mishap::Failed(Effect::NotMade),
    Mishap::Gateway(502, Effect::Made),
    Mishap::Gateway(503, Effect::NotMade),
    Mishap::Page(Effect::Made),
    Mishap::Page(Effect::NotMade),
    Mishap::Empty(Effect::Made),
    Mishap::Half(Effect::Made),
    Mishap::CalledMade(Effect::Made),
    Mishap::Throttled(60),
    Mishap::Slow(20),
];

/// Long enough for every answer that comes at all.
const PATIENCE: Duration = Duration::from_millis(400);

async fn world<P: ServiceDesk>(on_resolve: &str) -> Msp<P> {
    let msp = Setup::with([Customer::named("acme").line("edr", 40)]).patience(PATIENCE).start().await;
    msp.map_tickets(json!({ "on_resolve": on_resolve })).await;
    msp
}

async fn whatever_goes_wrong_with_a_ticket_there_is_one<P: ServiceDesk>() {
    for mishap in MISHAPS {
        let msp = world::<P>("note").await;
        msp.psa.strike_ticket(1, mishap);
        let mut lane = Lane::of(&msp);
        msp.alert(alert("acme/1", "acme")).await;
        lane.work_off().await;
        assert_eq!(msp.psa.desk_tickets().len(), 1, "{mishap:?}");
        assert_eq!((msp.standing("acme/1").await.as_str(), lane.given_up().len()), ("open", 0), "{mishap:?}");
    }
}

async fn whatever_goes_wrong_with_a_note_it_stands_once<P: ServiceDesk>() {
    for mishap in MISHAPS {
        let msp = world::<P>("note").await;
        let mut lane = Lane::of(&msp);
        msp.alert(alert("acme/1", "acme")).await;
        lane.work_off().await;
        msp.psa.strike_note(1, mishap);
        msp.alert(alert("acme/1", "acme")).await;
        lane.work_off().await;
        assert_eq!(msp.psa.desk_tickets()[0].notes.len(), 1, "{mishap:?}");
        assert_eq!((msp.standing("acme/1").await.as_str(), lane.given_up().len()), ("open", 0), "{mishap:?}");
    }
}

async fn whatever_goes_wrong_with_the_end_of_a_ticket_it_is_completed<P: ServiceDesk>() {
    for mishap in MISHAPS {
        let msp = world::<P>("complete").await;
        let mut lane = Lane::of(&msp);
        msp.alert(alert("acme/1", "acme")).await;
        lane.work_off().await;
        msp.psa.strike_change(1, mishap);
        msp.resolve("acme/1").await;
        lane.work_off().await;
        let ticket = msp.psa.desk_tickets().remove(0);
        assert!(ticket.completed && ticket.notes.len() == 1, "{mishap:?}: {ticket:?}");
        assert_eq!((msp.standing("acme/1").await.as_str(), lane.given_up().len()), ("resolved", 0), "{mishap:?}");
    }
}

fn since_the_beginning(clock: &TestClock) -> SignedDuration {
    clock.time().duration_since(BEGINNING.parse::<Timestamp>().unwrap())
}

async fn a_ticket_whose_answer_was_lost_is_found_at_once_and_not_made_again<P: ServiceDesk>() {
    let msp = world::<P>("note").await;
    msp.psa.strike_ticket(1, Mishap::Reset(Effect::Made));
    msp.alert(alert("acme/1", "acme")).await;
    Lane::of(&msp).work_off().await;
    assert_eq!((msp.psa.desk_tickets().len(), msp.psa.ticket_requests()), (1, 1));
    assert_eq!(since_the_beginning(&msp.clock), SignedDuration::ZERO, "nothing had to be waited for");
}

async fn a_ticket_that_was_not_made_is_made_again_when_it_can_be_on_its_way_no_more<P: ServiceDesk>() {
    let msp = world::<P>("note").await;
    msp.psa.strike_ticket(1, Mishap::Reset(Effect::NotMade));
    msp.alert(alert("acme/1", "acme")).await;
    let mut lane = Lane::of(&msp);
    lane.work_for(SignedDuration::from_mins(5)).await;
    assert_eq!((msp.psa.ticket_requests(), msp.standing("acme/1").await.as_str()), (1, "unknown"));
    lane.work_off().await;
    assert_eq!((msp.psa.desk_tickets().len(), msp.psa.ticket_requests()), (1, 2));
    assert!(since_the_beginning(&msp.clock) >= SignedDuration::from_mins(6));
}

async fn a_ticket_that_is_called_made_and_not_shown_is_never_made_again<P: ServiceDesk>() {
    let msp = world::<P>("note").await;
    msp.psa.strike_ticket(1, Mishap::CalledMade(Effect::NotMade));
    let mut lane = Lane::of(&msp);
    msp.alert(alert("acme/1", "acme")).await;
    msp.alert(alert("acme/2", "acme")).await;
    lane.work_off().await;
    assert_eq!(msp.standing("acme/1").await, "unknown ticket_not_shown");
    assert_eq!(msp.alert_findings().await, ["ticket_not_shown"]);
    assert_eq!(msp.standing("acme/2").await, "open", "what came after it goes on");
    for _ in 0..3 {
        msp.clock.advance(SignedDuration::from_hours(2));
        msp.alert(alert("acme/1", "acme")).await;
        msp.retry_alerts().await;
        lane.work_off().await;
    }
    assert_eq!((msp.psa.ticket_requests(), msp.standing("acme/1").await.as_str()), (2, "unknown ticket_not_shown"));
}

async fn what_the_psa_refuses_is_explained_and_waits_for_a_person<P: ServiceDesk>() {
    let msp = world::<P>("note").await;
    msp.psa.strike_ticket(1, Mishap::Refused);
    let mut lane = Lane::of(&msp);
    msp.alert(alert("acme/1", "acme")).await;
    msp.alert(alert("acme/2", "acme")).await;
    lane.work_off().await;
    let refused = msp.alert_now("acme/1").await;
    assert_eq!((&refused["status"], &refused["ticket"]), (&json!("refused"), &json!(null)), "{refused}");
    let said = refused["explanation"].as_str().unwrap();
    assert!(said.contains(P::REQUIRED), "{said}");
    assert!(refused["fix"].as_str().unwrap().ends_with("Then POST /v1/alerts/retry."), "{refused}");
    assert_eq!(msp.alert_findings().await, ["ticket_refused"]);
    let finding = msp.open_findings().await.remove(0);
    let told = finding["explanation"].as_str().unwrap();
    assert!(told.contains("acme/1") && told.contains(P::REQUIRED), "{finding}");
    assert_eq!(msp.standing("acme/2").await, "open", "what came after it goes on");
    msp.alert(alert("acme/1", "acme")).await;
    lane.work_off().await;
    assert_eq!(msp.psa.ticket_requests(), 2, "a repeat right after it is not sent");
    let one = msp.post("/v1/alerts/acme%2F1/retry").await;
    assert_eq!((one.status, &one.json["status"]), (202, &json!("queued")));
    lane.work_off().await;
    assert_eq!((msp.psa.desk_tickets().len(), msp.standing("acme/1").await.as_str()), (2, "open"));
    assert_eq!(msp.alert_findings().await, [""; 0]);
}

async fn what_the_user_may_not_do_holds_nothing_else_back<P: ServiceDesk>() {
    let msp = world::<P>("note").await;
    msp.psa.strike_ticket(1, Mishap::Forbidden);
    let mut lane = Lane::of(&msp);
    msp.alert(alert("acme/1", "acme")).await;
    msp.alert(alert("acme/2", "acme")).await;
    lane.work_off().await;
    assert_eq!(msp.standing("acme/1").await, "refused psa_permission_missing");
    assert_eq!((msp.standing("acme/2").await.as_str(), msp.alert_findings().await.len()), ("open", 1));
    msp.retry_alerts().await;
    lane.work_off().await;
    assert_eq!((msp.standing("acme/1").await.as_str(), msp.psa.desk_tickets().len()), ("open", 2));
}

async fn a_ticket_that_does_not_get_completed_is_found_and_left_to_people<P: ServiceDesk>() {
    for mishap in [Mishap::CalledMade(Effect::NotMade), Mishap::Refused, Mishap::Forbidden] {
        let msp = world::<P>("complete").await;
        let mut lane = Lane::of(&msp);
        msp.alert(alert("acme/1", "acme")).await;
        lane.work_off().await;
        msp.psa.strike_change(1, mishap);
        msp.resolve("acme/1").await;
        lane.work_off().await;
        assert_eq!(msp.standing("acme/1").await, "resolved ticket_not_completed", "{mishap:?}");
        assert_eq!(msp.alert_findings().await, ["ticket_not_completed"], "{mishap:?}");
        msp.clock.advance(SignedDuration::from_hours(12));
        msp.resolve("acme/1").await;
        msp.parts.fan_out.tick().await.expect("a tick");
        lane.work_off().await;
        let ticket = msp.psa.desk_tickets().remove(0);
        assert!(!ticket.completed && ticket.notes.len() == 1, "it is not tried again: {ticket:?}");
    }
}

async fn a_ticket_that_does_not_get_opened_again_is_found_and_noted_all_the_same<P: ServiceDesk>() {
    for mishap in [Mishap::CalledMade(Effect::NotMade), Mishap::Refused] {
        let msp = world::<P>("complete").await;
        let mut lane = Lane::of(&msp);
        msp.alert(alert("acme/1", "acme")).await;
        msp.resolve("acme/1").await;
        lane.work_off().await;
        msp.psa.strike_change(2, mishap);
        msp.alert(alert("acme/1", "acme")).await;
        lane.work_off().await;
        assert_eq!(msp.standing("acme/1").await, "open ticket_not_reopened", "{mishap:?}");
        assert_eq!(msp.alert_findings().await, ["ticket_not_reopened"], "{mishap:?}");
        let ticket = msp.psa.desk_tickets().remove(0);
        assert!(ticket.completed && ticket.notes.len() == 2, "{mishap:?}: {ticket:?}");
        msp.resolve("acme/1").await;
        lane.work_off().await;
        assert_eq!((msp.standing("acme/1").await.as_str(), msp.alert_findings().await.len()), ("resolved", 0));
    }
}

async fn two_workers_at_one_alert_make_one_ticket<P: ServiceDesk>() {
    let msp = world::<P>("complete").await;
    for round in 0..8 {
        let key = format!("acme/{round}");
        msp.alert(alert(&key, "acme")).await;
        let message = msp.parts.wire.take_alerts().pop_front().unwrap();
        let desks = [(); 2].map(|()| Desk::new(msp.parts.desk_parts.clone()));
        let (_, _) = tokio::join!(desks[0].look_at(&message), desks[1].look_at(&message));
        msp.resolve(&key).await;
        let message = msp.parts.wire.take_alerts().pop_front().unwrap();
        let (_, _) = tokio::join!(desks[0].look_at(&message), desks[1].look_at(&message));
        msp.post(&format!("/v1/alerts/acme%2F{round}/retry")).await;
        Lane::of(&msp).work_off().await;
        let tickets = msp.psa.desk_tickets();
        assert_eq!(tickets.len(), round + 1);
        assert!(tickets[round].completed && tickets[round].notes.len() == 1, "{:?}", tickets[round]);
    }
    assert_eq!(msp.psa.ticket_requests(), 8);
}

/// Lets time pass while the store writes an alert down as sent.
#[derive(Default)]
struct SlowStore {
    clock: OnceLock<TestClock>,
    armed: AtomicBool,
}

impl Hook for SlowStore {
    fn pass(&self, point: &Point) -> Result<(), Struck> {
        if point.effect == "store.put ALERT" && point.side == Side::After && self.armed.swap(false, Ordering::SeqCst) {
            self.clock.get().unwrap().advance(SignedDuration::from_secs(21));
        }
        Ok(())
    }
}

async fn a_worker_that_comes_late_sends_nothing<P: ServiceDesk>() {
    let slow = Arc::new(SlowStore::default());
    let msp: Msp<P> = Setup::with([Customer::named("acme").line("edr", 40)]).faults(slow.clone()).start().await;
    msp.map_tickets(json!({})).await;
    slow.clock.set(msp.clock.clone()).unwrap();
    msp.alert(alert("acme/1", "acme")).await;
    let message = msp.parts.wire.take_alerts().pop_front().unwrap();
    slow.armed.store(true, Ordering::SeqCst);
    let late = Desk::new(msp.parts.desk_parts.clone()).look_at(&message).await;
    assert!(matches!(late, Err(DeskError::Slow)), "{late:?}");
    assert_eq!(msp.psa.ticket_requests(), 0);
    msp.post("/v1/alerts/acme%2F1/retry").await;
    Lane::of(&msp).work_off().await;
    assert_eq!((msp.psa.desk_tickets().len(), msp.standing("acme/1").await.as_str()), (1, "open"));
    assert!(since_the_beginning(&msp.clock) >= SignedDuration::from_mins(6), "it might have been on its way");
}
