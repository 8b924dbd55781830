//! A flood of alerts at many companies while a sync goes on: each alert is told once, in its order, and the sync does what it
//! does on any other day. `tests/bench/alerts-burst` does the same with the clock of the machine and many more of them.

use std::collections::BTreeMap;

use integration::msp::alerts::flood::{Flood, Sent};
use integration::msp::alerts::told::Told;
use integration::msp::{Customer, Lane, Msp, ServiceDesk, Setup};
use integration::on_every_desk;
use reqwest::Method;
use serde_json::{Value, json};

on_every_desk!(
    a_flood_beyond_the_hours_tickets_is_told_whole_and_in_order,
    a_flood_that_the_hour_has_room_for_has_a_ticket_a_key,
    a_flood_at_many_companies_goes_to_the_catch_all_account_where_there_is_one,
    a_sync_amid_a_flood_asks_and_writes_what_it_would_without_one,
);

/// What one test sends in; what differs by the mapping alone shows with fewer.
const ALERTS: usize = 300;
const FEWER: usize = 240;

fn companies() -> Vec<String> {
    (1..=12).map(|number| format!("c{number:02}")).collect()
}

async fn msp<P: ServiceDesk>(mapping: Value) -> Msp<P> {
    let customer = |company: String| Customer::<P>::named(&company).line("edr", 10).line("sat", 10);
    let msp = Setup::with(companies().into_iter().map(customer)).start().await;
    msp.map_tickets(mapping).await;
    msp
}

async fn send<P: ServiceDesk>(msp: &Msp<P>, sent: &Sent) {
    match sent {
        Sent::Report(body) => drop(msp.alert(body.clone()).await),
        Sent::End(key) => drop(msp.resolve(key).await),
    }
}

/// Every alert as the API lists it.
async fn alerts<P: ServiceDesk>(msp: &Msp<P>) -> BTreeMap<String, Value> {
    let (mut alerts, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let page = msp.done(Method::GET, &format!("/v1/alerts?limit=100{cursor}"), None).await;
        for alert in page["items"].as_array().expect("items") {
            alerts.insert(alert["dedupe_key"].as_str().expect("a key").to_owned(), alert.clone());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return alerts,
        }
    }
}

async fn told<P: ServiceDesk>(msp: &Msp<P>, flood: &Flood, account: impl Fn(&str) -> i64) -> Told {
    let accounts = companies().into_iter().map(|company| (company.clone(), account(&company))).collect();
    let told = Told::of(flood, &msp.psa.desk_tickets(), &alerts(msp).await, &accounts);
    assert!(told.wrong.is_empty(), "{:#?}", told.wrong);
    assert_eq!(told.behind, 0, "all of it is told");
    told
}

/// Sends a flood in while the desk works on it: so many messages after so many requests.
async fn poured<P: ServiceDesk>(msp: &Msp<P>, alerts: usize) -> Flood {
    let flood = Flood::of(&companies(), alerts);
    let mut lane = Lane::of(msp);
    for some in flood.in_turns().chunks(50) {
        for sent in some {
            send(msp, sent).await;
        }
        lane.work(20).await;
    }
    lane.work_off().await;
    assert_eq!(lane.given_up(), [""; 0]);
    flood
}

async fn a_flood_beyond_the_hours_tickets_is_told_whole_and_in_order<P: ServiceDesk>() {
    let msp = msp::<P>(json!({"tickets_per_hour": 40})).await;
    let flood = poured(&msp, ALERTS).await;
    let told = told(&msp, &flood, |company| msp.account(company)).await;
    assert_eq!((told.own, told.digests), (40, 12));
    assert_eq!(told.own + told.listed, flood.keys.len());
    let digests = msp.psa.desk_tickets().into_iter().filter(|ticket| ticket.title.starts_with("Alerts in one"));
    let most = digests.map(|digest| digest.notes.len()).max();
    assert!(most <= Some(4), "{most:?} notes on a digest of about {} alerts", told.listed / 12);
}

async fn a_flood_that_the_hour_has_room_for_has_a_ticket_a_key<P: ServiceDesk>() {
    let msp = msp::<P>(json!({"tickets_per_hour": 1000})).await;
    let flood = poured(&msp, FEWER).await;
    let told = told(&msp, &flood, |company| msp.account(company)).await;
    assert_eq!((told.own, told.digests, told.listed), (flood.keys.len(), 0, 0));
    assert_eq!(msp.psa.ticket_requests(), flood.keys.len());
}

async fn a_flood_at_many_companies_goes_to_the_catch_all_account_where_there_is_one<P: ServiceDesk>() {
    let msp = msp::<P>(json!({"tickets_per_hour": 1})).await;
    let catch_all = msp.account("c01");
    msp.map_tickets(json!({"tickets_per_hour": 1, "catch_all_account_id": catch_all.to_string()})).await;
    let flood = poured(&msp, FEWER).await;
    // The one that has a ticket of its own is of the first company.
    let told = told(&msp, &flood, |_| catch_all).await;
    assert_eq!((told.own, told.digests), (1, 1));
}

/// Pushes one unit more of a product of every company, syncs with `meanwhile` between the jobs, and answers the requests that
/// the run counts and the units that it wrote.
async fn synced<P: ServiceDesk>(msp: &Msp<P>, units: u32, mut lane: Option<&mut Lane<'_, P>>) -> (u64, Vec<i64>) {
    let companies = companies();
    let records: Vec<_> =
        companies.iter().flat_map(|company| [(company.as_str(), "edr", 10 + units), (company, "sat", 10)]).collect();
    msp.push(&records).await;
    msp.psa.forget();
    let id = msp.ask("apply").await;
    loop {
        msp.plan().await;
        let jobs = msp.jobs();
        if jobs.is_empty() && msp.parts.wire.asked_for() == 0 {
            break;
        }
        for job in jobs {
            if let Some(lane) = &mut lane {
                lane.work(10).await;
            }
            msp.work(&job).await.expect("the job is done");
        }
    }
    let run = msp.see(&id).await;
    assert_eq!((run.status(), run.writes()), ("succeeded", 12));
    let written = msp.psa.written().into_iter().map(|write| write.units).collect();
    (run.view["psa_requests"].as_u64().expect("a number"), written)
}

async fn a_sync_amid_a_flood_asks_and_writes_what_it_would_without_one<P: ServiceDesk>() {
    let quiet = msp::<P>(json!({"tickets_per_hour": 40})).await;
    let alone = synced(&quiet, 2, None).await;
    let msp = msp::<P>(json!({"tickets_per_hour": 40})).await;
    let flood = Flood::of(&companies(), FEWER);
    for sent in flood.in_turns() {
        send(&msp, &sent).await;
    }
    let mut lane = Lane::of(&msp);
    assert_eq!(synced(&msp, 2, Some(&mut lane)).await, alone);
    assert!(lane.waiting() > 0, "the flood goes on when the sync is over");
    lane.work_off().await;
    told(&msp, &flood, |company| msp.account(company)).await;
}
