//! An approved service that is made and put on a contract, struck at every point at which something leaves the process: killed
//! there and failed there. In each world it is made once and put on the contract once, every try is settled, and the line is
//! right in the end.

use std::collections::BTreeSet;
use std::sync::Arc;

use integration::msp::strikes::Passing;
use integration::msp::{Customer, Deliveries, Effect, Fixture as _, Mishap, Msp, Setup, Strike, Strikes};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use shared::ledger::Making;
use shared::store::Read;
use simulators::autotask::{Entity, Kind};

const NAME: &str = "Managed SIEM";

async fn world(strikes: &Arc<Strikes>) -> Msp {
    let customers = [Customer::named("acme").line("edr", 40)];
    let policy = json!({"provision_services": true});
    let msp = Setup::of(customers).policy(policy).faults(strikes.clone()).start().await;
    let provision = json!({
        "name": NAME, "billing_code": "Managed security services", "period": "monthly", "unit_cost": "3", "unit_price": "5",
    });
    msp.map_product(&msp.connection, "siem", json!({ "provision": provision })).await;
    msp.push(&[("acme", "edr", 42), ("acme", "siem", 12)]).await;
    msp
}

/// Approves what is held under strikes, then goes on without until the line is right.
async fn live(msp: &Msp, strikes: &Arc<Strikes>, mishap: Option<(usize, Mishap)>) {
    let held = msp.run("apply").await;
    assert_eq!(held.result("acme", "siem"), "held service_to_be_made");
    msp.psa.reset_counts();
    if let Some((write, mishap)) = mishap {
        msp.psa.strike(write, mishap);
    }
    let mut system = Deliveries::of(msp, strikes);
    msp.done(Method::POST, &format!("/v1/runs/{}/approve", held.id), Some(json!({}))).await;
    strikes.arm(true);
    system.work_off().await;
    strikes.arm(false);
    assert_eq!(system.given_up(), [""; 0], "given up");
    for _ in 0..6 {
        // Longer than any lease of a process that died.
        msp.clock.advance(SignedDuration::from_mins(20));
        let run = msp.run("apply").await;
        match run.result("acme", "siem").as_str() {
            "unchanged" => return,
            result if result.starts_with("held") => drop(msp.approve(&run, None).await),
            _ => {}
        }
    }
}

/// What is wrong with a world in the end.
async fn faults_of(msp: &Msp) -> Vec<String> {
    let mut wrong = Vec::new();
    let services = msp.psa.services();
    let made: Vec<i64> = services.iter().filter(|service| service.name == NAME).map(|service| service.id).collect();
    let units = made.first().and_then(|service| msp.psa.units(msp.contract("acme"), *service, msp.today()));
    if (made.len(), units) != (1, Some(12)) {
        wrong.push(format!("{} services, {units:?} units", made.len()));
    }
    let writes = msp.psa.row_writes();
    for entity in [Entity::Services, Entity::ContractServices] {
        let taken = writes.iter().filter(|write| write.entity == entity && write.kind == Kind::Create).count();
        if taken != 1 {
            wrong.push(format!("{taken} of {entity:?} were made"));
        }
    }
    let partition = format!("{}#MADE", msp.tenancy().partition());
    for (_, making) in msp.parts.table.all::<Making>(&partition, "", Read::Consistent).await.expect("the ledger") {
        if !making.state.is_settled() {
            wrong.push(format!("{:?} is {:?}", making.thing, making.state));
        }
    }
    let run = msp.run("apply").await;
    if run.result("acme", "siem") != "unchanged" {
        wrong.push(format!("in the end {:#}", run.line("acme", "siem")));
    }
    wrong
}

fn on_its_own<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The points that an approved making passes, from its job on.
fn points(mishap: Option<(usize, Mishap)>) -> Vec<Passing> {
    let strikes = Strikes::none();
    on_its_own(async {
        let msp = world(&strikes).await;
        live(&msp, &strikes, mishap).await;
        assert_eq!(faults_of(&msp).await, [""; 0]);
    });
    let passed = strikes.passed();
    let names: BTreeSet<String> = passed.iter().map(|passing| passing.point.to_string()).collect();
    for needed in
        ["psa.make", "psa.look_back", "store.put SERVICE", "store.update SERVICE", "store.put ON", "store.update ON"]
    {
        assert!(names.contains(&format!("{needed} after")), "{needed} is not among {names:?}");
    }
    // How a run is planned and told is struck elsewhere; here, what is around it is struck once.
    let making = ["psa.", "SERVICE", " ON "];
    let around = ["CATALOGUE", "LEASE", "CONN", "LINES", "acknowledge"];
    let of_making: Vec<&str> = making.iter().chain(around.iter().filter(|_| mishap.is_none())).copied().collect();
    passed.into_iter().filter(|point| of_making.iter().any(|kind| point.point.to_string().contains(kind))).collect()
}

fn matrix(strike: Strike, mishap: Option<(usize, Mishap)>) {
    let mut wrong = Vec::new();
    let points = points(mishap);
    assert!(points.len() > 12, "{points:?}");
    for passing in points {
        let hook = Strikes::at(std::slice::from_ref(&passing), strike);
        let faults = on_its_own(async {
            let msp = world(&hook).await;
            live(&msp, &hook, mishap).await;
            let mut faults = faults_of(&msp).await;
            faults.extend(hook.missed().iter().map(|missed| format!("{missed} was not passed")));
            faults
        });
        wrong.extend(faults.into_iter().map(|fault| format!("{strike:?} at {passing}: {fault}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn killed_at_any_point_everything_is_made_once() {
    matrix(Strike::Kill, None);
}

#[test]
fn where_any_side_effect_fails_everything_is_made_once() {
    matrix(Strike::Fail, None);
}

#[test]
fn killed_at_any_point_after_a_service_whose_answer_was_lost_everything_is_made_once() {
    matrix(Strike::Kill, Some((1, Mishap::Reset(Effect::Made))));
}
