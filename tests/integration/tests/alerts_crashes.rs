//! An alert from its report to its end, struck at every point at which something leaves the process: killed there and failed
//! there. In each world it has one ticket, each note stands once, and nothing is open in the end.

use std::collections::BTreeSet;
use std::sync::Arc;

use integration::msp::alerts::alert;
use integration::msp::strikes::Passing;
use integration::msp::{Customer, Effect, Lane, Mishap, Msp, ServiceDesk, Setup, Strike, Strikes};
use integration::on_every_desk;
use jiff::SignedDuration;
use serde_json::json;
use shared::domain::alert::{Alert, AlertKey};
use shared::store::alerts::Alerts;

on_every_desk!(
    #[test]
    struck_at_any_point_an_alert_has_one_ticket_and_each_note_once,
    killed_at_any_point_after_a_ticket_whose_answer_was_lost_there_is_one,
    struck_at_any_point_an_unmapped_company_is_found_once,
    struck_at_any_point_alerts_beyond_the_hour_are_told_once,
);

async fn world<P: ServiceDesk>(strikes: &Arc<Strikes>, mapping: serde_json::Value) -> Msp<P> {
    let customers = [Customer::named("acme").line("edr", 40), Customer::named("zeta").line("edr", 1).unmapped()];
    let msp = Setup::with(customers).faults(strikes.clone()).start().await;
    msp.map_tickets(mapping).await;
    msp
}

fn on_its_own<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The rows of alerts, by their keys.
async fn row<P: ServiceDesk>(msp: &Msp<P>, key: &str) -> Alert {
    let alerts = Alerts::new(msp.parts.table.clone());
    let found = alerts.get(&integration::PARTNER.parse().unwrap(), &AlertKey::named(key).unwrap()).await;
    found.unwrap().unwrap_or_else(|| panic!("there is no alert {key}"))
}

/// Works off what waits, under strikes.
async fn under_strikes<P: ServiceDesk>(lane: &mut Lane<'_, P>, strikes: &Strikes) {
    strikes.arm(true);
    lane.work_off().await;
    strikes.arm(false);
}

/// A whole life: reported, repeated twice, over. What is wrong in the end.
async fn life<P: ServiceDesk>(strikes: &Arc<Strikes>, lost: bool) -> Vec<String> {
    let msp = world::<P>(strikes, json!({"on_resolve": "complete"})).await;
    if lost {
        msp.psa.strike_ticket(1, Mishap::Reset(Effect::Made));
    }
    let mut lane = Lane::struck(&msp, strikes);
    msp.alert(alert("acme/1", "acme")).await;
    under_strikes(&mut lane, strikes).await;
    for _ in 0..2 {
        msp.clock.advance(SignedDuration::from_mins(1));
        msp.alert(alert("acme/1", "acme")).await;
    }
    under_strikes(&mut lane, strikes).await;
    msp.resolve("acme/1").await;
    under_strikes(&mut lane, strikes).await;
    let mut wrong = Vec::new();
    let tickets = msp.psa.desk_tickets();
    if tickets.len() != 1 {
        wrong.push(format!("{} tickets", tickets.len()));
    }
    for ticket in &tickets {
        let notes: Vec<&str> = ticket.notes.iter().map(String::as_str).collect();
        let as_meant = |notes: &[&str]| matches!(notes, [first, second] if first.contains("Happened 2 times") && second.contains("Resolved at"));
        if !ticket.completed || !as_meant(&notes) {
            wrong.push(format!("{ticket:?}"));
        }
    }
    let alert = row(&msp, "acme/1").await;
    if alert.open.is_some() || alert.trouble.is_some() || msp.standing("acme/1").await != "resolved" {
        wrong.push(format!("{alert:?}"));
    }
    if !lane.given_up().is_empty() {
        wrong.push("given up".to_owned());
    }
    wrong
}

/// Lets a world live for every point that one passes which is struck nowhere; one world is struck in each of its phases.
fn matrix<F: Future<Output = Vec<String>>>(needed: &[&str], ways: &[Strike], live: impl Fn(Arc<Strikes>) -> F) {
    let recorded = Strikes::none();
    assert_eq!(on_its_own(live(recorded.clone())), [""; 0]);
    let points = recorded.passed();
    let names: BTreeSet<String> = points.iter().map(|passing| passing.point.to_string()).collect();
    for needed in needed {
        for side in ["before", "after"] {
            assert!(names.contains(&format!("{needed} {side}")), "{needed} {side} is not among {names:?}");
        }
    }
    let phases = points.iter().map(|passing| passing.phase).max().unwrap_or_default();
    let of_phase =
        |phase: usize| points.iter().filter(move |passing| passing.phase == phase).cloned().collect::<Vec<_>>();
    let phases: Vec<Vec<Passing>> = (1..=phases).map(of_phase).collect();
    let worlds = phases.iter().map(Vec::len).max().unwrap_or_default();
    let mut wrong = Vec::new();
    for world in 0..worlds {
        let chosen: Vec<Passing> = phases.iter().filter_map(|phase| phase.get(world)).cloned().collect();
        for way in ways {
            let hook = Strikes::at(&chosen, *way);
            let places: Vec<String> = chosen.iter().map(ToString::to_string).collect();
            let mut faults = on_its_own(live(hook.clone()));
            faults.extend(hook.missed().iter().map(|missed| format!("{missed} was not passed")));
            wrong.extend(faults.into_iter().map(|fault| format!("{way:?} at {}: {fault}", places.join(" and at "))));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} points ({} distinct), struck in {} ways: all is well", points.len(), names.len(), ways.len());
}

fn struck_at_any_point_an_alert_has_one_ticket_and_each_note_once<P: ServiceDesk>() {
    let needed = [
        "store.put ALERT",
        "store.amend OPENED",
        "psa.ticket",
        "psa.look_back",
        "psa.note",
        "psa.end",
        "queue.acknowledge",
    ];
    matrix(&needed, &[Strike::Kill, Strike::Fail], |strikes| async move { life::<P>(&strikes, false).await });
}

fn killed_at_any_point_after_a_ticket_whose_answer_was_lost_there_is_one<P: ServiceDesk>() {
    matrix(&["psa.ticket", "psa.look_back"], &[Strike::Kill], |strikes| async move { life::<P>(&strikes, true).await });
}

fn struck_at_any_point_an_unmapped_company_is_found_once<P: ServiceDesk>() {
    let live = |strikes: Arc<Strikes>| async move {
        let msp = world::<P>(&strikes, json!({})).await;
        let mut lane = Lane::struck(&msp, &strikes);
        msp.alert(alert("zeta/1", "zeta")).await;
        under_strikes(&mut lane, &strikes).await;
        let mut wrong = Vec::new();
        if (msp.standing("zeta/1").await, msp.alert_findings().await)
            != ("waiting alert_company_not_mapped".to_owned(), vec!["alert_company_not_mapped".to_owned()])
        {
            wrong.push(format!("{} and {:?}", msp.standing("zeta/1").await, msp.alert_findings().await));
        }
        msp.map_company(&msp.connection, "zeta", serde_json::Value::Null).await;
        msp.retry_alerts().await;
        under_strikes(&mut lane, &strikes).await;
        if (msp.standing("zeta/1").await.as_str(), msp.alert_findings().await.len()) != ("open", 0) {
            wrong.push(format!("{} and {:?}", msp.standing("zeta/1").await, msp.alert_findings().await));
        }
        if msp.retry_alerts().await != 0 || msp.psa.desk_tickets().len() != 1 {
            wrong.push(format!("{:?}", msp.psa.desk_tickets()));
        }
        wrong
    };
    matrix(&["store.put FINDING", "store.transact ALERT+HALTED"], &[Strike::Kill, Strike::Fail], live);
}

fn struck_at_any_point_alerts_beyond_the_hour_are_told_once<P: ServiceDesk>() {
    let live = |strikes: Arc<Strikes>| async move {
        let msp = world::<P>(&strikes, json!({"tickets_per_hour": 1})).await;
        let mut lane = Lane::struck(&msp, &strikes);
        for number in 1..=3 {
            msp.alert(alert(&format!("acme/{number}"), "acme")).await;
        }
        under_strikes(&mut lane, &strikes).await;
        msp.alert(alert("acme/4", "acme")).await;
        under_strikes(&mut lane, &strikes).await;
        let mut wrong = Vec::new();
        // A slot that was counted twice makes a digest of what might have had a ticket; a lost hour makes a second digest.
        let told: Vec<String> =
            msp.psa.desk_tickets().into_iter().flat_map(|ticket| [vec![ticket.text], ticket.notes].concat()).collect();
        let own = |number: usize| format!("acme/{number}");
        for number in 1..=4 {
            let standing = msp.standing(&own(number)).await;
            if !["open", "digested"].contains(&standing.as_str()) {
                wrong.push(format!("acme/{number} is {standing}"));
            }
        }
        let lines: usize = told.iter().map(|text| text.matches("[high]").count()).sum();
        let own_tickets = told.iter().filter(|text| text.contains("Severity: high")).count();
        if lines + own_tickets != 4 {
            wrong.push(format!("told {lines} in digests and {own_tickets} in tickets: {told:#?}"));
        }
        if !lane.given_up().is_empty() {
            wrong.push("given up".to_owned());
        }
        wrong
    };
    matrix(&["store.transact ALERT+ENTRY", "alerts.send"], &[Strike::Kill], live);
}
