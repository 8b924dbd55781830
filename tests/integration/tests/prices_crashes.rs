//! A sync that sets units and prices, struck at every point at which something leaves the process, as `crash_matrix` does for
//! units: killed there and failed there, also after a write whose answer was lost. In each world units and prices are right in
//! the end, every intent is settled, and the PSA took each change once.

use std::collections::BTreeSet;
use std::sync::Arc;

use integration::msp::strikes::Passing;
use integration::msp::{Customer, Deliveries, Effect, Fixture, Mishap, Msp, On, Strike, Strikes};
use integration::on_every_psa;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;

on_every_psa!(
    #[test]
    struck_at_any_point_units_and_prices_are_right_and_every_change_is_made_once,
    killed_at_any_point_after_a_change_of_prices_whose_answer_was_lost_it_is_made_once,
);

/// Units and prices, prices alone, and neither.
const LINES: [(&str, &str, u32); 3] = [("acme", "edr", 42), ("acme", "m365", 10), ("beta", "edr", 5)];

/// A due instant of the schedule on each day.
const DUE: [&str; 5] = [
    "2026-11-22T01:00:00Z",
    "2026-11-23T01:00:00Z",
    "2026-11-24T01:00:00Z",
    "2026-11-25T01:00:00Z",
    "2026-11-26T01:00:00Z",
];

/// Changes that a world takes: units and prices travel together where the PSA has a request for both.
fn changes<P: Fixture>() -> usize {
    if P::SHOWS_UNITS { 2 } else { 3 }
}

async fn world<P: Fixture>(on: On<P>, strikes: &Arc<Strikes>) -> Msp<P> {
    let acme = Customer::named("acme").line("edr", 40).line("m365", 10);
    let beta = Customer::named("beta").line("edr", 5);
    let msp = on.of_one_more([acme, beta]).faults(strikes.clone()).start_changed().await;
    msp.policy(json!({"currency": "EUR", "guards": {"price_percent": 1_000_000}})).await;
    for product in ["edr", "m365"] {
        let service = msp.service(product).to_string();
        let price = json!({"unit_cost": "from_usage", "markup_percent": "25"});
        msp.map_product(&msp.connection, product, json!({"service_id": service, "price": price})).await;
    }
    let unpriced = json!({"overrides": {"edr": {"price": {"unit_cost": "none"}}}});
    msp.map_company(&msp.connection, "beta", unpriced).await;
    let counts = LINES.map(|(company, product, units)| (company, product, units, "8.40"));
    msp.push_priced(&counts).await;
    msp
}

/// The scheduled run of the first day under strikes, then the days after without, until a run finds every line right.
async fn live<P: Fixture>(msp: &Msp<P>, strikes: &Arc<Strikes>) {
    let mut system = Deliveries::of(msp, strikes);
    for (day, due) in DUE.iter().enumerate() {
        msp.clock.set(due);
        strikes.arm(day == 0);
        system.tick().await;
        strikes.arm(false);
        // What is open is looked at again within the hour.
        msp.clock.advance(SignedDuration::from_mins(75));
        system.tick().await;
        if unchanged(msp).await == LINES.len() as u64 {
            break;
        }
    }
    assert_eq!(system.given_up(), [""; 0], "given up");
}

/// Lines that the newest run found right.
async fn unchanged<P: Fixture>(msp: &Msp<P>) -> u64 {
    let path = format!("/v1/connections/{}/runs?limit=1", msp.connection);
    msp.done(Method::GET, &path, None).await["items"][0]["lines"]["unchanged"].as_u64().unwrap_or_default()
}

/// What is wrong with a world in the end.
async fn faults_of<P: Fixture>(msp: &Msp<P>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut applied = 0;
    for (company, product, units) in LINES {
        if msp.units(company, product) != i64::from(units) {
            wrong.push(format!("{company}/{product} carries {}", msp.units(company, product)));
        }
        for intent in msp.intents(company, product).await {
            if !intent.state.is_settled() {
                wrong.push(format!("{company}/{product} has an intent that is {:?}", intent.state));
            }
            applied += usize::from(intent.is_made() && intent.code.is_none());
        }
    }
    let made = msp.psa.made();
    if (made, applied) != (changes::<P>(), changes::<P>()) {
        wrong.push(format!("the PSA took {made} changes, {applied} by the ledger"));
    }
    let again = msp.run("apply").await;
    for (company, product, _) in LINES {
        if again.result(company, product) != "unchanged" {
            wrong.push(format!(
                "{company}/{product} is {} in the end: {:#}",
                again.result(company, product),
                again.line(company, product)
            ));
        }
    }
    wrong
}

fn on_its_own<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The points of a world that is struck nowhere.
fn recorded<P: Fixture>(on: On<P>, prepare: impl Fn(&Msp<P>)) -> Vec<Passing> {
    let strikes = Strikes::none();
    on_its_own(async {
        let msp = world(on, &strikes).await;
        prepare(&msp);
        live(&msp, &strikes).await;
        assert_eq!(faults_of(&msp).await, [""; 0]);
    });
    strikes.passed()
}

/// Lets a world live for each of `strikes`; what is wrong in which of them.
fn matrix<P: Fixture>(on: On<P>, strikes: &[(Passing, Strike)], prepare: impl Fn(&Msp<P>)) -> Vec<String> {
    let one = |(passing, strike): &(Passing, Strike)| {
        let hook = Strikes::at(std::slice::from_ref(passing), *strike);
        on_its_own(async {
            let msp = world(on, &hook).await;
            prepare(&msp);
            live(&msp, &hook).await;
            let mut faults = faults_of(&msp).await;
            faults.extend(hook.missed().iter().map(|missed| format!("{missed} was not passed")));
            faults.into_iter().map(|fault| format!("{strike:?} at {passing}: {fault}")).collect::<Vec<_>>()
        })
    };
    strikes.iter().flat_map(one).collect()
}

fn struck_at_any_point_units_and_prices_are_right_and_every_change_is_made_once<P: Fixture>(on: On<P>) {
    let points = recorded(on, |_| ());
    let names: BTreeSet<String> = points.iter().map(|passing| passing.point.to_string()).collect();
    for needed in ["psa.write", "psa.read_back", "store.transact INTENT+LINE+SENT", "store.update INTENT"] {
        assert!(names.contains(&format!("{needed} after")), "{needed} is not among {names:?}");
    }
    // Each point is struck in one way or the other, those around a write and its settlement in both.
    let both = [Strike::Kill, Strike::Fail];
    let telling = |point: &Passing| {
        let effect = point.point.effect.to_string();
        effect.contains("psa.") || effect.contains("INTENT")
    };
    let ways = |index: usize, point: &Passing| if telling(point) { &both[..] } else { &both[index % 2..=index % 2] };
    let strikes: Vec<(Passing, Strike)> = points
        .iter()
        .enumerate()
        .flat_map(|(index, point)| ways(index, point).iter().map(move |strike| (point.clone(), *strike)))
        .collect();
    let wrong = matrix(on, &strikes, |_| ());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!(
        "prices: {} points ({} distinct) in {} worlds, every line right",
        points.len(),
        names.len(),
        strikes.len()
    );
}

fn killed_at_any_point_after_a_change_of_prices_whose_answer_was_lost_it_is_made_once<P: Fixture>(on: On<P>) {
    let last_write = changes::<P>();
    let lose = |msp: &Msp<P>| msp.psa.strike(last_write, Mishap::Reset(Effect::Made));
    let points = recorded(on, lose);
    let write = |passing: &&Passing| passing.point.effect == "psa.write";
    let lost = points.iter().rposition(|passing| write(&passing)).unwrap();
    let last = lost + points[lost..].iter().position(|p| p.point.effect == "queue.acknowledge").unwrap();
    let strikes: Vec<_> = points[lost..=last].iter().map(|point| (point.clone(), Strike::Kill)).collect();
    let wrong = matrix(on, &strikes, lose);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("prices, lost answer: killed at each of {} later points, every line right", strikes.len());
}
