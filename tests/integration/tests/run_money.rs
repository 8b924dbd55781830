//! What a run's changes come to in money: rises and falls apart, what was written beside what was held, and sums that stand
//! whatever became of the planner.

use integration::msp::{Customer, Msp, Run, Setup};
use serde_json::{Value, json};
use shared::domain::ids::{PartnerId, RunId};
use shared::domain::line::LineStatus;
use shared::queue::CompanyJob;
use shared::store::runs::ResultPage;

/// Two lines that rise, one that falls, and one whose fall is held. A unit is sold for 5.00 EUR a month.
async fn msp() -> Msp {
    let acme = Customer::named("acme").line("edr", 40).line("itdr", 20);
    let msp = Setup::of([acme, Customer::named("beta").line("edr", 10), Customer::named("gamma").line("edr", 30)]);
    let msp = msp.start().await;
    msp.push(&[("acme", "edr", 42), ("acme", "itdr", 17), ("beta", "edr", 13), ("gamma", "edr", 10)]).await;
    msp
}

fn brief(sums: &Value) -> Vec<String> {
    let side = |side: &Value| format!("{} of {}", side["monthly_price"].as_str().unwrap(), side["lines"]);
    let one = |sum: &Value| {
        let net = format!("{} {}", sum["monthly_price"].as_str().unwrap(), sum["currency"].as_str().unwrap());
        format!("{net}: {}, {}", side(&sum["rises"]), side(&sum["falls"]))
    };
    sums.as_array().unwrap().iter().map(one).collect()
}

/// What was planned, written and held, in this order.
fn money(run: &Run) -> [Vec<String>; 3] {
    ["planned", "written", "held"].map(|part| brief(&run.view["money"][part]))
}

const CHANGES: &str = "10.00 EUR: 25.00 of 2, -15.00 of 1";
const HELD: &str = "-100.00 EUR: 0.00 of 0, -100.00 of 1";

#[tokio::test]
async fn rises_and_falls_are_told_apart_and_what_was_written_beside_what_was_held() {
    let msp = msp().await;
    let [none, changes, held] = [vec![], vec![CHANGES.to_owned()], vec![HELD.to_owned()]];
    assert_eq!(money(&msp.run("preview").await), [changes.clone(), none.clone(), held.clone()]);
    let run = msp.run("apply").await;
    assert_eq!(money(&run), [changes.clone(), changes, held.clone()]);
    // What waits goes on waiting; what was written is not to be written again.
    assert_eq!(money(&msp.run("apply").await), [none.clone(), none.clone(), held]);
    let approved = msp.approve(&run, None).await;
    assert_eq!(money(&approved), [vec![HELD.to_owned()], vec![HELD.to_owned()], none]);
}

#[tokio::test]
async fn what_failed_at_the_psa_was_planned_and_not_written() {
    let msp = msp().await;
    let run = msp.ask("apply").await;
    msp.plan().await;
    for job in msp.jobs() {
        msp.parts.worker.give_up(&job).await.unwrap();
    }
    let run = msp.see(&run).await;
    assert_eq!(run.view["lines"]["failed"], 3);
    assert_eq!(money(&run), [vec![CHANGES.to_owned()], vec![], vec![HELD.to_owned()]]);
}

/// A run whose planner died when it had handed on its jobs, one of which is done already.
async fn died(msp: &Msp) -> (String, PartnerId, RunId) {
    let id = msp.ask("apply").await;
    let queued = msp.parts.wire.take_runs().pop_front().unwrap();
    msp.parts.wire.breaks(true);
    msp.parts.fan_out.planner.plan(&queued.partner, &queued.run).await.unwrap_err();
    msp.parts.wire.breaks(false);
    let runs = &msp.parts.worker_parts.runs;
    let run = runs.get(&queued.partner, &queued.run).await.unwrap().unwrap();
    let pages = runs.jobs_to_do(&run).await.unwrap();
    assert_eq!((pages.len(), run.planned), (2, false));
    let page = pages.into_iter().find(|page| page.starts_with(&msp.account("acme").to_string())).unwrap();
    let (partner, connection) = (run.partner.clone(), run.connection.clone());
    msp.work(&CompanyJob { partner, connection, run: run.id.clone(), page }).await.unwrap();
    assert_eq!((msp.units("acme", "edr"), msp.units("beta", "edr")), (42, 10));
    (id, run.partner, run.id)
}

#[tokio::test]
async fn the_sums_of_a_run_do_not_shrink_when_its_planner_died_and_another_follows() {
    let msp = msp().await;
    let (id, partner, run) = died(&msp).await;
    msp.parts.fan_out.planner.plan(&partner, &run).await.unwrap();
    msp.drain().await;
    let run = msp.see(&id).await;
    let changes = vec![CHANGES.to_owned()];
    assert_eq!(money(&run), [changes.clone(), changes, vec![HELD.to_owned()]]);
    assert_eq!(
        run.view["lines"],
        json!({"updated": 3, "held": 1, "unchanged": 0, "planned": 0, "skipped": 0, "failed": 0, "unknown": 0})
    );
    assert_eq!((run.status(), run.writes()), ("succeeded", 3));
}

#[tokio::test]
async fn a_run_that_no_planner_brought_to_its_end_tells_what_was_handed_on_and_done() {
    let msp = msp().await;
    let (id, partner, run) = died(&msp).await;
    let runs = &msp.parts.worker_parts.runs;
    // A second planner died as well, between its pages and the dropping of the first one's.
    let begun = runs.get(&partner, &run).await.unwrap().unwrap();
    let decided = runs.lines(&partner, &run, None, 100).await.unwrap().items;
    let held =
        decided.into_iter().flat_map(|(_, page)| page.lines).find(|line| line.status == LineStatus::Held).unwrap();
    runs.put_decided(&begun, 7, &ResultPage::of_lines(vec![held.clone()])).await.unwrap();
    msp.parts.fan_out.planner.give_up(&partner, &run).await.unwrap();
    runs.drop_decided(&begun, 1).await.unwrap();
    let run = runs.get(&partner, &run).await.unwrap().unwrap();
    for page in runs.jobs_to_do(&run).await.unwrap() {
        let (partner, connection) = (run.partner.clone(), run.connection.clone());
        msp.work(&CompanyJob { partner, connection, run: run.id.clone(), page }).await.unwrap();
    }
    let run = msp.see(&id).await;
    let changes = vec![CHANGES.to_owned()];
    assert_eq!(money(&run), [changes.clone(), changes, vec![HELD.to_owned()]]);
    assert_eq!((run.status(), run.view["lines"]["held"].as_i64(), run.writes()), ("partial", Some(1), 3));
}
