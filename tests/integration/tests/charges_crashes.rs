//! A sync that writes charges, struck at every point at which something leaves the process, as `crash_matrix` does for units:
//! killed there and failed there, also after a write whose answer was lost. In each world what stands in the PSA is right in
//! the end, every intent is settled, and the PSA took each write once.

use std::collections::BTreeSet;
use std::sync::Arc;

use integration::msp::strikes::Passing;
use integration::msp::{Customer, Deliveries, Effect, Fixture as _, Mishap, Msp, Setup, Strike, Strikes};
use jiff::SignedDuration;
use jiff::civil::date;
use reqwest::Method;
use serde_json::json;
use shared::domain::intent::IntentState;
use shared::ledger::ChargeIntent;
use shared::store::Read;
use shared::store::charge_lines::ChargeRow;

/// One to be made, one to be changed, one to be taken away, one that is billed and corrected, and one that is right.
const METERS: [(&str, &str, &str, &str); 5] = [
    ("acme", "made", "0", "10"),
    ("acme", "changed", "5", "7"),
    ("acme", "removed", "3", "0"),
    ("beta", "corrected", "8", "9"),
    ("beta", "right", "4", "4"),
];

/// What stands in the end, in the order of names and amounts.
const STANDS: [&str; 5] = [
    "Cloud changed: 7/7",
    "Cloud corrected: 1/1",
    "Cloud corrected: 8/8 billed",
    "Cloud made: 10/10",
    "Cloud right: 4/4 billed",
];

/// Writes that it takes.
const WRITES: usize = 4;

/// A due instant of the schedule on each day.
const DUE: [&str; 5] = [
    "2026-11-22T01:00:00Z",
    "2026-11-23T01:00:00Z",
    "2026-11-24T01:00:00Z",
    "2026-11-25T01:00:00Z",
    "2026-11-26T01:00:00Z",
];

async fn world(strikes: &Arc<Strikes>) -> Msp {
    let setup = Setup::of([Customer::named("acme").line("edr", 1), Customer::named("beta").line("edr", 1)]);
    let msp = setup.faults(strikes.clone()).start().await;
    msp.map_charges(json!({"mode": "itemised"})).await;
    meter(&msp, false).await;
    msp.run("apply").await;
    msp.psa.bill_charges(msp.contract("beta"), date(2026, 12, 31));
    meter(&msp, true).await;
    msp.psa.reset_counts();
    msp
}

/// Pushes the amount of each meter before, or after.
async fn meter(msp: &Msp, after: bool) {
    let record = |(company, meter, first, then): (&'static str, &'static str, &'static str, &'static str)| {
        (company, meter, "2026-11-01", "2026-11-30", if after { then } else { first })
    };
    msp.meter(&METERS.map(record)).await;
}

/// The scheduled run of the first day under strikes, then the days after without, until a run finds every charge right.
async fn live(msp: &Msp, strikes: &Arc<Strikes>) {
    let mut system = Deliveries::of(msp, strikes);
    for (day, due) in DUE.iter().enumerate() {
        msp.clock.set(due);
        strikes.arm(day == 0);
        system.tick().await;
        strikes.arm(false);
        // What is open is looked at again within the hour.
        msp.clock.advance(SignedDuration::from_mins(75));
        system.tick().await;
        if unchanged(msp).await == METERS.len() as u64 {
            break;
        }
    }
    assert_eq!(system.given_up(), [""; 0], "given up");
}

/// Charges that the newest run found right.
async fn unchanged(msp: &Msp) -> u64 {
    let path = format!("/v1/connections/{}/runs?limit=1", msp.connection);
    msp.done(Method::GET, &path, None).await["items"][0]["charges"]["counts"]["unchanged"].as_u64().unwrap_or_default()
}

/// Every write of a charge that the ledger knows since the world began, by charge.
async fn intents(msp: &Msp) -> Vec<ChargeIntent> {
    let tenancy = msp.tenancy();
    let rows = msp.parts.table.all::<ChargeRow>(&tenancy.partition(), "CHARGE#", Read::Consistent).await.unwrap();
    let mut intents = Vec::new();
    for (_, row) in rows {
        let partition = format!("{}#CHARGED#{}", tenancy.partition(), row.line);
        let found = msp.parts.table.all::<ChargeIntent>(&partition, "INTENT#", Read::Consistent).await.unwrap();
        intents.extend(found.into_iter().map(|(_, intent)| intent));
    }
    intents
}

/// Around a write, what is read of it, and what is stored of it.
fn telling(point: &Passing) -> bool {
    ["psa.", "INTENT", "CHARGE"].iter().any(|word| point.point.effect.contains(word))
}

/// What is wrong with a world in the end. `first`: writes that were made before it was struck.
async fn faults_of(msp: &Msp, first: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut stands = msp.stands();
    stands.sort();
    if stands != STANDS {
        wrong.push(format!("{stands:?} stands"));
    }
    let intents = intents(msp).await;
    for open in intents.iter().filter(|intent| !intent.state.is_settled()) {
        wrong.push(format!("{} has an intent that is {:?}", open.meaning.line, open.state));
    }
    let applied = intents.iter().filter(|intent| intent.state == IntentState::Applied).count() - first;
    let made = msp.psa.row_writes().len();
    if (made, applied) != (WRITES, WRITES) {
        wrong.push(format!("the PSA took {made} writes, {applied} by the ledger"));
    }
    let again = msp.run("apply").await;
    if again.view["charges"]["counts"]["unchanged"].as_u64() != Some(METERS.len() as u64) {
        wrong.push(format!("in the end: {:?}", msp.charged(&again).await));
    }
    wrong
}

fn on_its_own<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A world struck as `strikes` say, prepared before; what is wrong with it in the end.
fn lived(strikes: &Arc<Strikes>, prepare: impl Fn(&Msp)) -> Vec<String> {
    on_its_own(async {
        let msp = world(strikes).await;
        let first = intents(&msp).await.len();
        prepare(&msp);
        live(&msp, strikes).await;
        faults_of(&msp, first).await
    })
}

/// The points of a world that is struck nowhere.
fn recorded(prepare: impl Fn(&Msp)) -> Vec<Passing> {
    let strikes = Strikes::none();
    assert_eq!(lived(&strikes, prepare), [""; 0]);
    strikes.passed()
}

/// Lets a world live for each of `strikes`; what is wrong in which of them.
fn matrix(strikes: &[(Passing, Strike)], prepare: impl Fn(&Msp)) -> Vec<String> {
    let one = |(passing, strike): &(Passing, Strike)| {
        let hook = Strikes::at(std::slice::from_ref(passing), *strike);
        let mut faults = lived(&hook, &prepare);
        faults.extend(hook.missed().iter().map(|missed| format!("{missed} was not passed")));
        faults.into_iter().map(|fault| format!("{strike:?} at {passing}: {fault}")).collect::<Vec<_>>()
    };
    strikes.iter().flat_map(one).collect()
}

#[test]
fn struck_at_any_point_every_charge_is_right_and_every_write_is_made_once() {
    let points = recorded(|_| ());
    let names: BTreeSet<String> = points.iter().map(|passing| passing.point.to_string()).collect();
    for needed in
        ["psa.charge", "psa.read_back", "store.transact CHARGE+COMPANY+CONN+INTENT+SENT", "store.update INTENT"]
    {
        assert!(names.contains(&format!("{needed} after")), "{needed} is not among {names:?}");
    }
    // Each point is struck in one way or the other, those around a write and its settlement in both.
    let both = [Strike::Kill, Strike::Fail];
    let ways = |index: usize, point: &Passing| if telling(point) { &both[..] } else { &both[index % 2..=index % 2] };
    let strikes: Vec<(Passing, Strike)> = points
        .iter()
        .enumerate()
        .flat_map(|(index, point)| ways(index, point).iter().map(move |strike| (point.clone(), *strike)))
        .collect();
    let wrong = matrix(&strikes, |_| ());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!(
        "charges: {} points ({} distinct) in {} worlds, every charge right",
        points.len(),
        names.len(),
        strikes.len()
    );
}

#[test]
fn killed_at_any_point_after_a_write_whose_answer_was_lost_it_is_made_once() {
    // One that is changed in the middle of a job, and the last one of a run.
    for lost_write in [1, WRITES] {
        let lose = |msp: &Msp| msp.psa.strike(lost_write, Mishap::Reset(Effect::Made));
        let points = recorded(lose);
        let writes: Vec<usize> =
            points.iter().enumerate().filter(|(_, it)| it.point.effect == "psa.charge").map(|(at, _)| at).collect();
        let lost = writes[2 * lost_write - 2];
        let last = points.iter().rposition(|passing| passing.point.effect == "queue.acknowledge").unwrap();
        let after = points[lost..=last].iter().filter(|point| telling(point));
        let strikes: Vec<_> = after.map(|point| (point.clone(), Strike::Kill)).collect();
        let wrong = matrix(&strikes, lose);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        println!(
            "charges, lost answer {lost_write}: killed at each of {} later points, every charge right",
            strikes.len()
        );
    }
}
