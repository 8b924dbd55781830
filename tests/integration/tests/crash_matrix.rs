//! A sync and an approval, struck at every point at which something leaves the process: killed there, and failed there.
//!
//! A first world records the points. Then other worlds are struck at them, each once in its sync and once in its approval,
//! and go on as the system would: messages that were not acknowledged come again, a new process takes over, the next days'
//! runs follow. In each world every line is right in the end, every intent is settled, and the PSA took each change once.
//! Every PSA goes through it, each in all of its unconfirmed readings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use integration::msp::strikes::Passing;
use integration::msp::{Customer, Deliveries, Effect, Fixture, Mishap, Msp, On, Strike, Strikes};
use integration::on_every_psa;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use shared::domain::intent::IntentState;
use shared::faults::Side;

/// Every line, with the units that it carries in the end: two changes, one that a person approves, and none.
const LINES: [(&str, &str, i64); 4] =
    [("acme", "edr", 42), ("acme", "m365", 8), ("beta", "edr", 20), ("beta", "m365", 5)];

/// Lines that change.
const CHANGES: usize = 3;

on_every_psa!(
    #[test]
    struck_at_any_point_every_line_is_right_and_every_change_is_made_once,
    killed_at_any_point_after_a_write_whose_answer_was_lost_the_change_is_made_once,
);

/// What a world's connection has done before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing.
    Nothing,
    /// It changed a line of another customer. What a change does there is known.
    AChange,
}

impl Before {
    /// The units that the writes of each line leave on it, write by write.
    fn taken<P: Fixture>(self, on: On<P>) -> [Vec<i64>; 4] {
        let first = if self == Self::Nothing { on.first_change(40, 42) } else { vec![42] };
        [first, vec![8], vec![20], vec![]]
    }

    /// How many writes that is.
    fn writes<P: Fixture>(self, on: On<P>) -> usize {
        self.taken(on).iter().map(Vec::len).sum()
    }
}

/// Worlds at once.
const AT_ONCE: usize = 2;

/// A due instant of the schedule on each day.
const DUE: [&str; 5] = [
    "2026-11-22T01:00:00Z",
    "2026-11-23T01:00:00Z",
    "2026-11-24T01:00:00Z",
    "2026-11-25T01:00:00Z",
    "2026-11-26T01:00:00Z",
];

async fn world<P: Fixture>(on: On<P>, before: Before, strikes: &Arc<Strikes>) -> Msp<P> {
    let acme = Customer::named("acme").line("edr", 40).line("m365", 10);
    let beta = Customer::named("beta").line("edr", 100).line("m365", 5);
    let msp = match before {
        Before::Nothing => on.of([acme, beta]).faults(strikes.clone()).start().await,
        Before::AChange => on.of_one_more([acme, beta]).faults(strikes.clone()).start_changed().await,
    };
    msp.push(&[("acme", "edr", 42), ("acme", "m365", 8), ("beta", "edr", 20), ("beta", "m365", 5)]).await;
    msp
}

/// The scheduled run of the first day and the approval of what it held, under strikes; then the days after, without, until
/// a run finds every line right. Answers how often a person had to look up a line that the PSA tells too little about.
async fn live<P: Fixture>(msp: &Msp<P>, strikes: &Arc<Strikes>) -> usize {
    let mut system = Deliveries::of(msp, strikes);
    let mut looked_up = 0;
    for (day, due) in DUE.iter().enumerate() {
        msp.clock.set(due);
        strikes.arm(day == 0);
        system.tick().await;
        strikes.arm(false);
        // What is open is looked at again within the hour.
        msp.clock.advance(SignedDuration::from_mins(75));
        system.tick().await;
        let newest = runs(msp).await.swap_remove(0);
        if newest["lines"]["unchanged"] == LINES.len() {
            break;
        }
        let run = msp.see(newest["id"].as_str().unwrap()).await;
        let is_held = |code: &str| run.lines.iter().any(|line| line["status"] == "held" && line["code"] == code);
        // A person takes a while.
        msp.clock.advance(SignedDuration::from_mins(5));
        if is_held("fall_guard") || is_held("rise_guard") {
            msp.done(Method::POST, &format!("/v1/runs/{}/approve", run.id), Some(json!({}))).await;
            strikes.arm(day == 0);
            system.work_off().await;
            strikes.arm(false);
            msp.clock.advance(SignedDuration::from_mins(75));
            system.tick().await;
        }
        for (company, product, _) in LINES {
            let unclear =
                ["held write_unclear", "unknown write_unexplained"].contains(&run.result(company, product).as_str());
            if !P::SHOWS_UNITS && unclear {
                msp.look_up(company, product).await;
                looked_up += 1;
            }
        }
    }
    assert_eq!(system.given_up(), [""; 0], "given up");
    looked_up
}

/// The connection's runs as the API lists them, the newest first.
async fn runs<P: Fixture>(msp: &Msp<P>) -> Vec<Value> {
    let path = format!("/v1/connections/{}/runs?limit=100", msp.connection);
    msp.done(Method::GET, &path, None).await["items"].as_array().unwrap().clone()
}

/// What is wrong with a world in the end.
async fn faults_of<P: Fixture>(on: On<P>, before: Before, msp: &Msp<P>, looked_up: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut applied: BTreeMap<(i64, i64, String), usize> = BTreeMap::new();
    for ((company, product, units), taken) in LINES.into_iter().zip(before.taken(on)) {
        if msp.units(company, product) != units {
            wrong.push(format!("{company}/{product} carries {}", msp.units(company, product)));
        }
        if msp.written(company, product) != taken {
            wrong.push(format!("the PSA took {:?} for {company}/{product}", msp.written(company, product)));
        }
        for intent in msp.intents(company, product).await {
            if !intent.state.is_settled() {
                wrong.push(format!("{company}/{product} has an intent that is {:?}", intent.state));
            }
            if intent.state == IntentState::Applied {
                let day = intent.meaning.effective.to_string();
                *applied.entry((msp.contract(company), msp.service(product), day)).or_default() += 1;
            }
        }
    }
    let mut written: BTreeMap<(i64, i64, String), usize> = BTreeMap::new();
    for write in msp.psa.written() {
        *written.entry((write.contract, write.service, write.effective.to_string())).or_default() += 1;
    }
    // What a person has stated of a line, the ledger did not see become of its intent.
    if looked_up == 0 && written != applied {
        wrong.push(format!("written {written:?}, applied by the ledger {applied:?}"));
    }
    let mut runs = runs(msp).await;
    if before == Before::AChange {
        runs.pop();
    }
    let open = |run: &&Value| ["queued", "running"].iter().any(|status| run["status"] == *status);
    wrong.extend(runs.iter().filter(open).map(|run| format!("a run has not ended: {run}")));
    let sum = |number: fn(&Value) -> &Value| runs.iter().filter_map(|run| number(run).as_u64()).sum::<u64>();
    let (updated, counted) = (sum(|run| &run["lines"]["updated"]), sum(|run| &run["writes"]));
    if looked_up == 0 && (updated, counted) != (CHANGES as u64, before.writes(on) as u64) {
        wrong.push(format!("the runs tell of {updated} lines updated and {counted} writes"));
    }
    if runs[0]["lines"]["unchanged"] != LINES.len() {
        wrong.push(format!("the last run says {}", runs[0]["lines"]));
    }
    wrong
}

fn on_its_own<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The points at which a world is struck, and how.
type Struck = (Vec<Passing>, Strike);

/// What came of many worlds.
#[derive(Default)]
struct Came {
    /// What is wrong in which of them.
    wrong: Vec<String>,
    /// Writes that the PSAs took.
    writes: usize,
    /// Lines that a person had to look up.
    looked_up: usize,
}

/// Lets a world live for each of `strikes`, some at once.
fn matrix<P: Fixture>(on: On<P>, before: Before, strikes: &[Struck], prepare: impl Fn(&Msp<P>) + Sync) -> Came {
    let (next, came) = (AtomicUsize::new(0), Mutex::new(Came::default()));
    let one = |(passings, strike): &Struck| {
        let hook = Strikes::at(passings, *strike);
        let places: Vec<String> = passings.iter().map(ToString::to_string).collect();
        let name = format!("{strike:?} at {}", places.join(" and at "));
        let _name = Named(&name);
        on_its_own(async {
            let msp = world(on, before, &hook).await;
            prepare(&msp);
            let looked_up = live(&msp, &hook).await;
            let mut faults = faults_of(on, before, &msp, looked_up).await;
            faults.extend(hook.missed().iter().map(|missed| format!("{missed} was not passed")));
            let mut came = came.lock().unwrap();
            came.writes += msp.psa.written().len();
            came.looked_up += looked_up;
            came.wrong.extend(faults.into_iter().map(|fault| format!("{name}: {fault}")));
        });
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(strike) = strikes.get(next.fetch_add(1, Ordering::SeqCst)) {
                    one(strike);
                }
            });
        }
    });
    came.into_inner().unwrap()
}

/// Says which world it was when one panics.
struct Named<'a>(&'a str);

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the world of: {}", self.0);
        }
    }
}

/// The points of a world that is struck nowhere.
fn recorded<P: Fixture>(on: On<P>, before: Before, prepare: impl Fn(&Msp<P>)) -> Vec<Passing> {
    let strikes = Strikes::none();
    on_its_own(async {
        let msp = world(on, before, &strikes).await;
        prepare(&msp);
        assert_eq!(live(&msp, &strikes).await, 0);
        assert_eq!(faults_of(on, before, &msp, 0).await, [""; 0]);
    });
    strikes.passed()
}

/// Effects that have to be among the recorded ones, on both sides.
const NEEDED: [&str; 14] = [
    "psa.write",
    "psa.read_back",
    "queue.send",
    "queue.acknowledge",
    "events.publish",
    "store.transact INTENT+LINE+SENT",
    "store.transact INTENT+LEASE+LINE",
    "store.update INTENT",
    "store.update LEASE",
    "store.update LINE",
    "store.update RUN",
    "store.put LINES",
    "store.transact LINES+RUN",
    "store.transact ACT+RUN",
];

fn struck_at_any_point_every_line_is_right_and_every_change_is_made_once<P: Fixture>(on: On<P>) {
    let points = recorded(on, Before::Nothing, |_| ());
    let names: BTreeSet<String> = points.iter().map(|passing| passing.point.to_string()).collect();
    for needed in NEEDED {
        for side in ["before", "after"] {
            assert!(names.contains(&format!("{needed} {side}")), "{needed} {side} is not among {names:?}");
        }
    }
    // The approval begins when the sync has come to rest, so one world serves a point of each.
    let (sync, approval): (Vec<_>, Vec<_>) = points.iter().cloned().partition(|passing| passing.phase == 1);
    assert!(approval.iter().any(|passing| passing.point.effect == "psa.write"), "the approval wrote nothing");
    let worlds = sync.len().max(approval.len());
    let places = |world: usize| sync.get(world).into_iter().chain(approval.get(world)).cloned().collect::<Vec<_>>();
    let both = [Strike::Kill, Strike::Fail];
    // What is the engine's own is struck in every way with the PSA that shows most; another one is struck at each point in one
    // way or the other.
    let ways = |world: usize| if P::SHOWS_UNITS { &both[..] } else { &both[world % 2..=world % 2] };
    let strikes: Vec<Struck> =
        (0..worlds).flat_map(|world| ways(world).iter().map(move |strike| (places(world), *strike))).collect();
    let times = if P::SHOWS_UNITS { 2 } else { 1 };
    assert_eq!(strikes.iter().map(|(places, _)| places.len()).sum::<usize>(), times * points.len());
    let Came { wrong, writes: taken, looked_up } = matrix(on, Before::Nothing, &strikes, |_| ());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(taken, strikes.len() * Before::Nothing.writes(on));
    // The correction of a change that was taken otherwise bears the date that the line shows already.
    assert!(looked_up == 0 || on.first_writes() > 1, "a person had to look up {looked_up} lines");
    println!(
        "crash matrix: {} points ({} distinct), killed or failed at each, in {} worlds: every line right, \
         {taken} writes, {looked_up} lines looked up by a person",
        points.len(),
        names.len(),
        strikes.len(),
    );
}

fn killed_at_any_point_after_a_write_whose_answer_was_lost_the_change_is_made_once<P: Fixture>(on: On<P>) {
    let lose = |msp: &Msp<P>| msp.psa.strike(1, Mishap::Reset(Effect::Made));
    let points = recorded(on, Before::AChange, lose);
    let after = |effect: &'static str| {
        move |passing: &Passing| passing.point.effect == effect && passing.point.side == Side::After
    };
    let lost = points.iter().position(after("psa.write")).unwrap();
    // Once its job is acknowledged nothing of the loss is left.
    let last = lost + points[lost..].iter().position(after("queue.acknowledge")).unwrap();
    let strikes: Vec<Struck> = points[lost..=last].iter().map(|point| (vec![point.clone()], Strike::Kill)).collect();
    let Came { wrong, writes, looked_up } = matrix(on, Before::AChange, &strikes, lose);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(looked_up, 0, "lines that a person had to look up");
    assert_eq!(writes, strikes.len() * Before::AChange.writes(on));
    println!("lost answer: killed at each of {} later points: every line right, {writes} writes", strikes.len());
}
