//! A person has looked into the PSA and says what is not there: no key ends for good, and no ticket is made a second time that
//! could still show.

use integration::msp::alerts::alert;
use integration::msp::{Customer, Effect, Lane, Mishap, Msp, ServiceDesk, Setup};
use integration::on_every_desk;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

on_every_desk!(
    a_ticket_that_was_never_made_is_made_once_somebody_has_looked,
    a_ticket_that_shows_late_is_found_and_not_made_again,
    the_ticket_of_a_connection_that_was_revoked_is_opened_on_another_one,
    nothing_is_forgotten_while_it_may_be_on_its_way,
    the_ticket_of_a_digest_that_was_never_made_is_made_once_somebody_has_looked,
    a_digest_whose_ticket_takes_no_more_notes_tells_all_of_it_in_another,
);

async fn world<P: ServiceDesk>(more: Value) -> Msp<P> {
    let msp = Setup::with([Customer::named("acme").line("edr", 40)]).start().await;
    msp.map_tickets(more).await;
    msp
}

async fn a_ticket_that_was_never_made_is_made_once_somebody_has_looked<P: ServiceDesk>() {
    let msp = world::<P>(json!({})).await;
    msp.psa.strike_ticket(1, Mishap::CalledMade(Effect::NotMade));
    let mut lane = Lane::of(&msp);
    msp.alert(alert("acme/1", "acme")).await;
    lane.work_off().await;
    assert_eq!(msp.standing("acme/1").await, "unknown ticket_not_shown");
    let fix = msp.alert_now("acme/1").await["fix"].as_str().unwrap().to_owned();
    assert!(fix.ends_with("if it is not there, send the alert's dedupe_key with forget."), "{fix}");
    let queued = msp.forget("acme/1").await;
    assert_eq!((queued.status, &queued.json["status"]), (202, &json!("queued")), "{}", queued.text);
    lane.work_off().await;
    assert_eq!((msp.psa.desk_tickets().len(), msp.psa.ticket_requests()), (1, 2));
    assert_eq!((msp.standing("acme/1").await.as_str(), msp.alert_findings().await.len()), ("open", 0));
    assert_eq!(msp.forget("acme/1").await.problem()["code"], "alert_not_halted");
    assert_eq!(msp.psa.desk_tickets().len(), 1);
}

async fn a_ticket_that_shows_late_is_found_and_not_made_again<P: ServiceDesk>() {
    let msp = world::<P>(json!({})).await;
    msp.psa.hide_tickets(true);
    let mut lane = Lane::of(&msp);
    msp.alert(alert("acme/1", "acme")).await;
    lane.work_off().await;
    assert_eq!(msp.standing("acme/1").await, "unknown ticket_not_shown");
    let path = "/v1/alerts/acme%2F1/retry";
    assert_eq!(msp.call(Method::POST, path, Some(json!({"forget": true}))).await.status, 202);
    msp.psa.hide_tickets(false);
    lane.work_off().await;
    assert_eq!((msp.psa.desk_tickets().len(), msp.psa.ticket_requests()), (1, 1));
    let ticket = msp.alert_now("acme/1").await["ticket"].clone();
    assert_eq!(ticket["number"], json!(msp.psa.desk_tickets()[0].number));
    assert_eq!((msp.standing("acme/1").await.as_str(), msp.alert_findings().await.len()), ("open", 0));
}

/// Another connection to the same PSA, on which tickets and the company are mapped.
async fn connect_anew<P: ServiceDesk>(msp: &Msp<P>) -> String {
    let other = msp.connect("Europe/Berlin").await;
    let mapping = json!({ "defaults": P::filled() });
    msp.done(Method::PUT, &format!("/v1/connections/{other}/ticket-mapping"), Some(mapping)).await;
    msp.map_company(&other, "acme", Value::Null).await;
    other
}

async fn the_ticket_of_a_connection_that_was_revoked_is_opened_on_another_one<P: ServiceDesk>() {
    let msp = world::<P>(json!({})).await;
    let mut lane = Lane::of(&msp);
    msp.alert(alert("acme/1", "acme")).await;
    lane.work_off().await;
    msp.done(Method::DELETE, &format!("/v1/connections/{}", msp.connection), None).await;
    let other = connect_anew(&msp).await;
    msp.alert(alert("acme/1", "acme")).await;
    lane.work_off().await;
    assert_eq!(msp.standing("acme/1").await, "waiting alert_connection_off");
    let queued = msp.forget("acme/1").await.json;
    assert_eq!((&queued["episode"], &queued["count"], &queued["ticket"]), (&json!(2), &json!(2), &json!(null)));
    lane.work_off().await;
    let tickets = msp.psa.desk_tickets();
    assert_eq!((tickets.len(), msp.standing("acme/1").await.as_str()), (2, "open"));
    let ticket = msp.alert_now("acme/1").await["ticket"].clone();
    assert_eq!((&ticket["connection_id"], &ticket["number"]), (&json!(other), &json!(tickets[1].number)));
    assert!(tickets[1].text.contains("Happened: 2 times"), "{}", tickets[1].text);
    assert_eq!(tickets[0].notes, [""; 0]);
    msp.resolve("acme/1").await;
    lane.work_off().await;
    assert_eq!(msp.psa.desk_tickets().iter().map(|ticket| ticket.notes.len()).collect::<Vec<_>>(), [0, 1]);
}

async fn nothing_is_forgotten_while_it_may_be_on_its_way<P: ServiceDesk>() {
    let msp = world::<P>(json!({})).await;
    msp.psa.strike_ticket(1, Mishap::Reset(Effect::NotMade));
    let mut lane = Lane::of(&msp);
    msp.alert(alert("acme/1", "acme")).await;
    lane.work_for(SignedDuration::from_secs(5)).await;
    msp.patch(json!({"enabled": false})).await;
    lane.work_off().await;
    assert_eq!(msp.standing("acme/1").await, "waiting alert_connection_off");
    let early = msp.forget("acme/1").await;
    assert_eq!(early.problem()["code"], "write_may_be_on_its_way");
    let wait: i64 = early.header("retry-after").parse().unwrap();
    assert!((1..=360).contains(&wait), "{wait}");
    msp.clock.advance(SignedDuration::from_secs(wait));
    assert_eq!(msp.forget("acme/1").await.status, 202);
    msp.patch(json!({"enabled": true})).await;
    lane.work_off().await;
    assert_eq!((msp.psa.desk_tickets().len(), msp.standing("acme/1").await.as_str()), (1, "open"));
}

/// Three alerts, of which the last two share a ticket; and what that is called.
async fn flooded<P: ServiceDesk>(msp: &Msp<P>, lane: &mut Lane<'_, P>) -> String {
    for key in ["acme/1", "acme/2", "acme/3"] {
        msp.alert(alert(key, "acme")).await;
    }
    lane.work_off().await;
    let listed = msp.done(Method::GET, "/v1/alerts", None).await;
    let digest = listed["items"].as_array().unwrap().iter().find(|item| item["kind"] == "digest").unwrap();
    digest["dedupe_key"].as_str().unwrap().to_owned()
}

async fn the_ticket_of_a_digest_that_was_never_made_is_made_once_somebody_has_looked<P: ServiceDesk>() {
    let msp = world::<P>(json!({"tickets_per_hour": 1})).await;
    msp.psa.strike_ticket(2, Mishap::CalledMade(Effect::NotMade));
    let mut lane = Lane::of(&msp);
    let digest = flooded(&msp, &mut lane).await;
    assert_eq!(msp.standing(&digest).await, "unknown ticket_not_shown");
    assert_eq!(msp.forget(&digest).await.status, 202);
    lane.work_off().await;
    assert_eq!(msp.psa.desk_tickets().len(), 2);
    for key in ["acme/2", "acme/3"] {
        assert_eq!(msp.standing(key).await, "digested");
    }
    assert_eq!((msp.standing(&digest).await.as_str(), msp.alert_findings().await.len()), ("open", 0));
}

async fn a_digest_whose_ticket_takes_no_more_notes_tells_all_of_it_in_another<P: ServiceDesk>() {
    let msp = world::<P>(json!({"tickets_per_hour": 1})).await;
    let mut lane = Lane::of(&msp);
    let digest = flooded(&msp, &mut lane).await;
    msp.psa.strike_note(1, Mishap::Refused);
    msp.alert(alert("acme/4", "acme")).await;
    lane.work_off().await;
    assert!(msp.standing(&digest).await.starts_with("refused "), "{}", msp.standing(&digest).await);
    assert_eq!(msp.forget(&digest).await.status, 202);
    lane.work_off().await;
    let tickets = msp.psa.desk_tickets();
    assert_eq!((tickets.len(), msp.standing(&digest).await.as_str()), (3, "open"));
    assert_eq!(tickets[2].text.matches("[high]").count(), 3, "{}", tickets[2].text);
    for key in ["acme/2", "acme/3", "acme/4"] {
        let told = msp.alert_now(key).await;
        assert_eq!((&told["status"], &told["ticket"]["number"]), (&json!("digested"), &json!(tickets[2].number)));
    }
}
