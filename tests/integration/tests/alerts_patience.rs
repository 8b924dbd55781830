//! How much the desk asks of a PSA, and for how long: notes are few, what stays unanswered is a person's, and what has to wait
//! or was lost on its way is looked at again when the tick finds it.

use integration::msp::alerts::alert;
use integration::msp::{Customer, Effect, Lane, Mishap, Msp, ServiceDesk, Setup};
use integration::on_every_desk;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

on_every_desk!(
    what_happens_all_the_time_is_told_in_few_notes_and_none_of_it_is_lost,
    an_alert_that_comes_and_goes_all_the_time_is_ended_once_an_hour,
    notes_of_many_alerts_wait_for_an_hour_that_has_room,
    a_ticket_that_a_technician_completed_is_opened_again_when_the_alert_goes_on,
    what_stays_unanswered_holds_nothing_back_and_is_a_persons,
    a_search_that_is_refused_holds_nothing_back,
    an_alert_whose_message_was_lost_is_found_by_the_tick,
    tickets_of_a_connection_that_is_off_are_a_finding,
);

async fn mapped<P: ServiceDesk>(more: Value) -> Msp<P> {
    let msp = Setup::with([Customer::named("acme").line("edr", 40)]).start().await;
    msp.map_tickets(more).await;
    msp
}

/// Ticks, and works off what that sent, in steps of a quarter of an hour.
async fn pass<P: ServiceDesk>(msp: &Msp<P>, lane: &mut Lane<'_, P>, time: SignedDuration) {
    let until = msp.clock.time() + time;
    while msp.clock.time() < until {
        msp.clock.advance(SignedDuration::from_mins(15));
        msp.parts.fan_out.tick().await.expect("a tick");
        lane.work_off().await;
    }
}

fn notes<P: ServiceDesk>(msp: &Msp<P>) -> Vec<String> {
    msp.psa.desk_tickets().into_iter().flat_map(|ticket| ticket.notes).collect()
}

async fn what_happens_all_the_time_is_told_in_few_notes_and_none_of_it_is_lost<P: ServiceDesk>() {
    let msp = mapped::<P>(json!({})).await;
    let mut lane = Lane::of(&msp);
    msp.alert(alert("acme/1", "acme")).await;
    lane.work_off().await;
    for _ in 0..90 {
        msp.clock.advance(SignedDuration::from_mins(1));
        msp.alert(alert("acme/1", "acme")).await;
        lane.work_off().await;
    }
    let during = notes(&msp).len();
    pass(&msp, &mut lane, SignedDuration::from_hours(2)).await;
    let notes = notes(&msp);
    println!("91 reports in 90 minutes: {during} notes by then, {} in the end", notes.len());
    assert_eq!((during, notes.len()), (4, 5), "three at once, one in the hour after them, and the last word");
    assert!(notes[4].contains("Happened 90 times since"), "{notes:?}");
    assert_eq!(msp.standing("acme/1").await, "open");
}

async fn an_alert_that_comes_and_goes_all_the_time_is_ended_once_an_hour<P: ServiceDesk>() {
    let msp = mapped::<P>(json!({"on_resolve": "complete"})).await;
    let mut lane = Lane::of(&msp);
    for _ in 0..60 {
        msp.alert(alert("acme/1", "acme")).await;
        lane.work_off().await;
        msp.clock.advance(SignedDuration::from_mins(1));
        msp.resolve("acme/1").await;
        lane.work_off().await;
    }
    pass(&msp, &mut lane, SignedDuration::from_hours(2)).await;
    let tickets = msp.psa.desk_tickets();
    println!("60 times there and over within an hour: {} notes", tickets[0].notes.len());
    assert_eq!(tickets.len(), 1);
    assert!(tickets[0].completed && tickets[0].notes.len() <= 8, "{tickets:?}");
    assert!(tickets[0].notes.last().unwrap().contains("Resolved at 2026-11-21 14:00 CET."), "{tickets:?}");
    assert_eq!(msp.standing("acme/1").await, "resolved");
}

async fn notes_of_many_alerts_wait_for_an_hour_that_has_room<P: ServiceDesk>() {
    let msp = mapped::<P>(json!({"tickets_per_hour": 2})).await;
    let mut lane = Lane::of(&msp);
    for hour in 0..6 {
        for number in 0..2 {
            msp.alert(alert(&format!("acme/{hour}/{number}"), "acme")).await;
        }
        lane.work_off().await;
        msp.clock.advance(SignedDuration::from_hours(1));
    }
    assert_eq!(msp.psa.desk_tickets().len(), 12);
    for hour in 0..6 {
        for number in 0..2 {
            msp.alert(alert(&format!("acme/{hour}/{number}"), "acme")).await;
        }
    }
    lane.work_off().await;
    assert_eq!(notes(&msp).len(), 10, "five for each ticket of an hour");
    msp.clock.advance(SignedDuration::from_mins(44));
    pass(&msp, &mut lane, SignedDuration::from_mins(15)).await;
    assert_eq!(notes(&msp).len(), 10);
    pass(&msp, &mut lane, SignedDuration::from_mins(15)).await;
    assert_eq!(notes(&msp).len(), 12);
    assert!(msp.psa.desk_tickets().iter().all(|ticket| ticket.notes.len() == 1));
}

async fn a_ticket_that_a_technician_completed_is_opened_again_when_the_alert_goes_on<P: ServiceDesk>() {
    let msp = mapped::<P>(json!({})).await;
    let mut lane = Lane::of(&msp);
    msp.alert(alert("acme/1", "acme")).await;
    lane.work_off().await;
    msp.psa.technician_completes();
    msp.alert(alert("acme/1", "acme")).await;
    lane.work_off().await;
    let ticket = msp.psa.desk_tickets().remove(0);
    assert!(!ticket.completed && ticket.notes.len() == 1, "{ticket:?}");
    msp.psa.technician_completes();
    msp.resolve("acme/1").await;
    lane.work_off().await;
    let ticket = msp.psa.desk_tickets().remove(0);
    assert!(ticket.completed && ticket.notes.len() == 2, "what is over stays completed: {ticket:?}");
    assert_eq!(msp.alert_findings().await, [""; 0]);
}

async fn what_stays_unanswered_holds_nothing_back_and_is_a_persons<P: ServiceDesk>() {
    let msp = mapped::<P>(json!({})).await;
    for nth in 1..=3 {
        msp.psa.strike_ticket(nth, Mishap::Failed(Effect::NotMade));
    }
    let mut lane = Lane::of(&msp);
    for key in ["acme/1", "acme/2"] {
        msp.alert(alert(key, "acme")).await;
    }
    let began = msp.clock.time();
    lane.work_off().await;
    println!("three requests in vain: {} until the next alert had its ticket", msp.clock.time() - began);
    assert_eq!((msp.psa.ticket_requests(), msp.psa.desk_tickets().len()), (4, 1));
    assert_eq!(msp.standing("acme/1").await, "refused ticket_unanswered");
    assert_eq!(msp.standing("acme/2").await, "open");
    assert_eq!(msp.alert_findings().await, ["ticket_unanswered"]);
    assert_eq!(msp.retry_alerts().await, 1);
    lane.work_off().await;
    assert_eq!((msp.psa.desk_tickets().len(), msp.standing("acme/1").await.as_str()), (2, "open"));
    assert_eq!(msp.alert_findings().await, [""; 0]);
}

async fn a_search_that_is_refused_holds_nothing_back<P: ServiceDesk>() {
    let msp = mapped::<P>(json!({})).await;
    msp.psa.strike_ticket(1, Mishap::Reset(Effect::Made));
    msp.psa.strike_search(Mishap::Forbidden);
    let mut lane = Lane::of(&msp);
    for key in ["acme/1", "acme/2"] {
        msp.alert(alert(key, "acme")).await;
    }
    lane.work_off().await;
    assert_eq!(msp.standing("acme/2").await, "open");
    let halted = msp.alert_now("acme/1").await;
    assert_eq!(halted["status"], "refused", "{halted}");
    assert_eq!(msp.alert_findings().await, ["ticket_refused"]);
    assert_eq!(msp.retry_alerts().await, 1);
    lane.work_off().await;
    assert_eq!((msp.psa.ticket_requests(), msp.psa.desk_tickets().len()), (2, 2), "it was found, not made again");
    assert_eq!((msp.standing("acme/1").await.as_str(), msp.alert_findings().await.len()), ("open", 0));
}

async fn an_alert_whose_message_was_lost_is_found_by_the_tick<P: ServiceDesk>() {
    let msp = mapped::<P>(json!({})).await;
    msp.alert(alert("acme/1", "acme")).await;
    assert_eq!(msp.parts.wire.take_alerts().len(), 1, "the message that is lost");
    let mut lane = Lane::of(&msp);
    pass(&msp, &mut lane, SignedDuration::from_hours(5)).await;
    assert_eq!(msp.standing("acme/1").await, "queued");
    pass(&msp, &mut lane, SignedDuration::from_hours(1)).await;
    assert_eq!((msp.psa.desk_tickets().len(), msp.standing("acme/1").await.as_str()), (1, "open"));
    let worked = lane.worked().len();
    pass(&msp, &mut lane, SignedDuration::from_hours(24)).await;
    assert_eq!(lane.worked().len(), worked, "what rests is not looked at any more");
}

async fn tickets_of_a_connection_that_is_off_are_a_finding<P: ServiceDesk>() {
    let msp = mapped::<P>(json!({})).await;
    let mut lane = Lane::of(&msp);
    msp.alert(alert("acme/1", "acme")).await;
    lane.work_off().await;
    let path = format!("/v1/connections/{}", msp.connection);
    msp.done(Method::PATCH, &path, Some(json!({"enabled": false}))).await;
    msp.resolve("acme/1").await;
    lane.work_off().await;
    assert_eq!(msp.standing("acme/1").await, "waiting alert_connection_off");
    assert_eq!(msp.alert_findings().await, ["alert_connection_off"]);
    msp.done(Method::PATCH, &path, Some(json!({"enabled": true}))).await;
    assert_eq!(msp.retry_alerts().await, 1);
    lane.work_off().await;
    assert_eq!((msp.standing("acme/1").await.as_str(), msp.alert_findings().await.len()), ("resolved", 0));
}
