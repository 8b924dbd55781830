//! A PSA that is away for days, or turns the log-in away: what happened meanwhile is told afterwards, in its order, once; and
//! the PSA is left alone while it can't be reached.

use std::collections::BTreeMap;

use integration::msp::alerts::alert;
use integration::msp::{Customer, Effect, Lane, Mishap, Msp, ServiceDesk, Setup};
use integration::on_every_desk;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;

on_every_desk!(
    what_happens_while_the_psa_is_away_for_two_days_is_told_in_its_order_when_it_is_back,
    a_ticket_under_way_when_the_psa_goes_is_made_once,
    what_outlasts_its_deliveries_is_given_up_and_brought_back_by_a_person,
    a_log_in_that_is_turned_away_holds_alerts_back_until_it_is_let_in,
);

const COMPANIES: [&str; 3] = ["acme", "beta", "coda"];

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

async fn msp<P: ServiceDesk>() -> Msp<P> {
    let customer = |company| Customer::<P>::named(company).line("edr", 10);
    let msp = Setup::with(COMPANIES.map(customer)).start().await;
    msp.map_tickets(json!({"on_resolve": "complete"})).await;
    msp.psa.forget();
    msp
}

/// An alert whose key is its title.
async fn report<P: ServiceDesk>(msp: &Msp<P>, key: &str) {
    let mut body = alert(key, &key[..4]);
    body["title"] = json!(key);
    msp.alert(body).await;
}

fn titles<P: ServiceDesk>(msp: &Msp<P>) -> Vec<String> {
    msp.psa.desk_tickets().into_iter().map(|ticket| ticket.title).collect()
}

async fn what_happens_while_the_psa_is_away_for_two_days_is_told_in_its_order_when_it_is_back<P: ServiceDesk>() {
    let msp = msp::<P>().await;
    let mut lane = Lane::of(&msp);
    report(&msp, "acme/before").await;
    lane.work_off().await;
    let asked = msp.psa.requests();
    msp.psa.is_away(true);
    let left = msp.clock.time();
    // Every four hours something new at each company, something that happened before, and the end of what began the day before.
    let mut keys = vec!["acme/before".to_owned()];
    let mut reports: BTreeMap<String, usize> = [("acme/before".to_owned(), 1)].into();
    for turn in 0..12 {
        for company in COMPANIES {
            let key = format!("{company}/{turn:02}");
            report(&msp, &key).await;
            keys.push(key.clone());
            *reports.entry(key).or_default() += 1;
        }
        let again = format!("{}/{:02}", COMPANIES[turn % 3], turn / 2);
        for key in ["acme/before".to_owned(), again] {
            report(&msp, &key).await;
            *reports.entry(key).or_default() += 1;
        }
        if turn >= 6 {
            msp.resolve(&format!("coda/{:02}", turn - 6)).await;
        }
        let until = left + hours(4) * (i32::try_from(turn).unwrap() + 1);
        while msp.clock.time() < until {
            lane.work(1).await;
        }
    }
    let away = msp.clock.time().duration_since(left);
    let meanwhile = msp.psa.requests() - asked;
    println!("{}: {meanwhile} requests while it was away for {} hours", P::NAME, away.as_hours());
    assert!((hours(48)..hours(49)).contains(&away), "{away}");
    assert!(meanwhile <= 130, "{meanwhile} requests to a PSA that is away");
    assert_eq!((titles(&msp).len(), lane.given_up().len()), (1, 0));
    let first = msp.alert_now("acme/00").await;
    assert!(first["code"].as_str().is_some_and(|code| code.starts_with("psa_")), "it says why: {first}");
    assert_eq!(msp.standing("beta/00").await, "queued", "nobody has tried it yet");

    msp.psa.is_away(false);
    lane.work_off().await;
    assert_eq!(titles(&msp), keys, "each once, in the order in which they came");
    for ticket in msp.psa.desk_tickets() {
        let (key, count) = (&ticket.title, reports[&ticket.title]);
        let over = key.starts_with("coda/") && key[5..].parse::<usize>().unwrap() < 6;
        let standing = if over { "resolved" } else { "open" };
        assert_eq!((msp.standing(key).await.as_str(), ticket.completed), (standing, over), "{key}");
        if key == "acme/before" {
            assert!(ticket.notes.len() == 1 && ticket.notes[0].contains("Happened 12 times since"), "{ticket:?}");
        } else {
            // It was opened when all of it had happened.
            assert_eq!(ticket.text.contains(&format!("Happened: {count} times")), count > 1, "{ticket:?}");
            assert_eq!(ticket.notes.len(), usize::from(over), "{ticket:?}");
        }
        assert_eq!(msp.alert_now(key).await["count"], count);
    }
    assert_eq!((msp.alert_findings().await, lane.given_up().len(), lane.waiting()), (vec![], 0, 0));
}

async fn a_ticket_under_way_when_the_psa_goes_is_made_once<P: ServiceDesk>() {
    let msp = msp::<P>().await;
    let mut lane = Lane::of(&msp);
    msp.psa.strike_ticket(1, Mishap::Reset(Effect::NotMade));
    report(&msp, "acme/1").await;
    report(&msp, "beta/1").await;
    lane.work(1).await;
    assert_eq!(msp.standing("acme/1").await, "unknown");
    msp.psa.is_away(true);
    lane.work_for(hours(20)).await;
    assert_eq!(msp.psa.ticket_requests(), 1);
    assert!(msp.standing("acme/1").await.starts_with("unknown psa_"), "{}", msp.standing("acme/1").await);
    assert_eq!(msp.standing("beta/1").await, "queued", "what came later waits");
    msp.psa.is_away(false);
    lane.work_off().await;
    assert_eq!(titles(&msp), ["acme/1", "beta/1"]);
}

async fn what_outlasts_its_deliveries_is_given_up_and_brought_back_by_a_person<P: ServiceDesk>() {
    let msp = msp::<P>().await;
    let mut lane = Lane::of(&msp);
    msp.psa.is_away(true);
    for key in ["acme/1", "beta/1", "coda/1"] {
        report(&msp, key).await;
    }
    let left = msp.clock.time();
    lane.work_for(hours(56)).await;
    let away = msp.clock.time().duration_since(left).as_hours();
    println!("{}: {} requests while it was away for {away} hours", P::NAME, msp.psa.requests());
    assert_eq!(lane.given_up(), ["acme/1"]);
    assert_eq!(msp.standing("acme/1").await, "given_up alert_given_up");
    assert_eq!(msp.alert_findings().await, ["alert_given_up"]);
    let finding = msp.open_findings().await.remove(0);
    assert!(finding["explanation"].as_str().is_some_and(|text| text.contains("acme/1")), "{finding}");

    msp.psa.is_away(false);
    lane.work_off().await;
    assert_eq!(titles(&msp), ["beta/1", "coda/1"], "the next ones have their turn");
    assert_eq!(msp.alert_findings().await, ["alert_given_up"], "which is not forgotten by that");
    assert_eq!(msp.retry_alerts().await, 1);
    lane.work_off().await;
    assert_eq!(titles(&msp), ["beta/1", "coda/1", "acme/1"]);
    assert_eq!((msp.standing("acme/1").await.as_str(), msp.alert_findings().await), ("open", vec![]));
}

async fn a_log_in_that_is_turned_away_holds_alerts_back_until_it_is_let_in<P: ServiceDesk>() {
    let msp = msp::<P>().await;
    let mut lane = Lane::of(&msp);
    report(&msp, "acme/1").await;
    lane.work_off().await;
    let asked = msp.psa.requests();
    msp.psa.turns_log_in_away(true);
    report(&msp, "acme/2").await;
    report(&msp, "acme/1").await;
    lane.work_for(hours(10)).await;
    let meanwhile = msp.psa.requests() - asked;
    println!("{}: {meanwhile} requests while the log-in was turned away for ten hours", P::NAME);
    assert!(meanwhile <= 12, "{meanwhile} requests to a PSA that turns the log-in away");
    let waits = msp.alert_now("acme/2").await;
    assert_eq!(waits["ticket"], json!(null));
    assert!(!waits["code"].is_null(), "it says why: {waits}");

    msp.psa.turns_log_in_away(false);
    // A person looks whether it works: a process of ours does not try what BMS has turned away again by itself.
    let works = msp.done(Method::POST, &format!("/v1/connections/{}/test", msp.connection), None).await;
    assert_eq!(works["ok"], true, "{works}");
    lane.work_off().await;
    assert_eq!(titles(&msp), ["acme/1", "acme/2"]);
    assert_eq!(msp.psa.desk_tickets()[0].notes.len(), 1);
    assert_eq!((msp.standing("acme/2").await.as_str(), lane.given_up().len()), ("open", 0));
}
