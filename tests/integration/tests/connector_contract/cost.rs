//! A company's job takes no more of the tightest allowance than the connector says beforehand.

use jiff::civil::date;
use shared::domain::line::LineKey;
use shared::psa::{UnitsChange, Window};

use crate::bench::Bench;
use crate::office::{Office, change, line, number, pair, stated};
use crate::settings::{Reading, plainly};
use crate::world::{Contract, World};

contract!(
    a_job_takes_no_more_requests_than_its_cost_says,
    the_job_that_learns_takes_no_more_requests_than_its_cost_says,
    a_job_of_a_service_on_many_contracts_takes_no_more_requests_than_its_cost_says,
    a_job_of_long_contracts_takes_no_more_requests_than_its_cost_says,
);

/// Units of every line here.
const UNITS: i64 = 40;

/// One contract with 25 services, as many as a job has lines; two contracts with one service each; years of contract; and,
/// of the first service, so many lines of other customers.
fn world(others: i64) -> World {
    let services: Vec<i64> = (0..25).map(|number| 701 + number).collect();
    let lines = |services: &[i64]| services.iter().map(|service| (*service, UNITS)).collect::<Vec<_>>();
    let long = Contract { end: date(2029, 12, 31), ..Contract::of(5_004, "Long", &lines(&services)) };
    let world = services.iter().fold(World::default(), |world, id| world.service(*id, &format!("Service {id}")));
    let others = (0..others).map(|number| Contract::of(10_000 + number, &format!("Other {number}"), &[(701, 1)]));
    world
        .account(2_001, "Broad", vec![Contract::of(5_001, "Broad", &lines(&services))])
        .account(
            2_002,
            "Double",
            vec![Contract::of(5_002, "Head office", &[(701, UNITS)]), Contract::of(5_003, "Branch", &[(701, UNITS)])],
        )
        .account(2_003, "Long", vec![long])
        .account(2_004, "Others", others.collect())
}

/// Does a job as the engine does: it reads, sends what may go, reads that back and, where something was learnt, sends the
/// rest and reads that back.
async fn job<P: Bench>(office: &Office<P>, lines: &[LineKey], target: i64, day: jiff::civil::Date) {
    let asked = stated(lines.iter().map(|line| (number(&line.contract), number(&line.service), UNITS)));
    let window = Window { from: date(2026, 10, 31), to: None };
    // The run's planner has read the lines before, as every run does.
    office.connector("runs").observe(&asked, window).await.expect("a plan");
    office.psa.forget();
    let psa = office.connector("runs");
    let mut told = psa.observe(&asked, window).await.expect("an observation");
    // What is said before anything is sent is what is taken from the hour.
    let said = psa.job_cost(false).of(lines.len());
    for _ in 0..2 {
        let changes: Vec<UnitsChange> = lines
            .iter()
            .filter(|line| told.lines.contains_key(&pair(line)))
            .map(|line| change(&told, line, day, target))
            .filter(|of| of.delta.get() != 0)
            .collect();
        if changes.is_empty() {
            break;
        }
        let may_go = psa.may_go(&changes);
        for (_, of) in changes.iter().enumerate().filter(|(index, _)| may_go.contains(index)) {
            psa.change_units(of).await.expect("a change");
        }
        told = psa.observe(&asked, window).await.expect("a read-back");
    }
    for line in lines {
        assert_eq!(office.held(line, day), Some(target), "{line}");
    }
    let taken = office.psa.tightest();
    assert!(
        taken <= usize::try_from(said).expect("a number"),
        "a job of {} lines took {taken} requests, and {said} were said",
        lines.len()
    );
}

/// The first so many lines of a contract.
fn of_contract(contract: i64, count: i64) -> Vec<LineKey> {
    (0..count).map(|number| line(contract, 701 + number)).collect()
}

/// Lets the partner learn what changes do, on a line that no job is about.
async fn learn<P: Bench>(office: &Office<P>) {
    let psa = office.connector("runs");
    let asked = stated([(5_004, 725, UNITS)]);
    let window = Window { from: date(2026, 10, 31), to: None };
    for _ in 0..2 {
        let told = psa.observe(&asked, window).await.expect("an observation");
        let wanted = change(&told, &line(5_004, 725), date(2026, 11, 1), UNITS + 1);
        if wanted.delta.get() != 0 {
            psa.change_units(&wanted).await.expect("a change");
        }
    }
    psa.observe(&asked, window).await.expect("a read-back");
}

async fn a_job_takes_no_more_requests_than_its_cost_says<P: Bench>(of: Reading) {
    plainly::<P, _>(of, world(0), None, |office| async move {
        learn(&office).await;
        for (count, day, target) in [
            (1, date(2026, 11, 1), 41),
            (2, date(2026, 11, 2), 42),
            (5, date(2026, 11, 3), 43),
            (25, date(2026, 11, 4), 39),
        ] {
            job(&office, &of_contract(5_001, count), target, day).await;
        }
        job(&office, &[line(5_002, 701), line(5_003, 701)], 44, date(2026, 11, 1)).await;
        5
    })
    .await;
}

async fn the_job_that_learns_takes_no_more_requests_than_its_cost_says<P: Bench>(of: Reading) {
    plainly::<P, _>(of, world(0), None, |office| async move {
        job(&office, &of_contract(5_001, 25), 41, date(2026, 11, 1)).await;
        1
    })
    .await;
}

async fn a_job_of_a_service_on_many_contracts_takes_no_more_requests_than_its_cost_says<P: Bench>(of: Reading) {
    plainly::<P, _>(of, world(450), None, |office| async move {
        learn(&office).await;
        job(&office, &[line(5_001, 701)], 41, date(2026, 11, 1)).await;
        job(&office, &[line(5_002, 701), line(5_003, 701)], 41, date(2026, 11, 1)).await;
        2
    })
    .await;
}

async fn a_job_of_long_contracts_takes_no_more_requests_than_its_cost_says<P: Bench>(of: Reading) {
    plainly::<P, _>(of, world(0), None, |office| async move {
        learn(&office).await;
        job(&office, &of_contract(5_004, 24), 41, date(2026, 11, 1)).await;
        1
    })
    .await;
}
