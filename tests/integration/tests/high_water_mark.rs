//! The high-water mark over days and over the turn of a billing period, as an MSP lives it: snapshots are pushed, the schedule
//! runs, and the PSA carries the highest count of the contract's own period, which begins on the 15th here.

use integration::msp::{Customer, Fixture, Msp, On, Run};
use integration::on_every_psa;
use jiff::civil::{Date, date};
use reqwest::Method;
use serde_json::{Value, json};

on_every_psa!(
    the_units_follow_the_mark_of_the_contracts_own_period_and_begin_anew_in_the_next,
    a_late_snapshot_of_an_earlier_day_raises_the_mark_and_one_of_an_earlier_period_does_not,
    an_incomplete_snapshot_raises_the_mark_and_never_lowers_it,
    a_monthly_run_after_the_end_of_a_period_takes_the_mark_of_the_running_one,
);

/// One line of 38 units on a contract that bills from the 15th of each month, synced at two in the night of Berlin, which is
/// 01:00 in UTC.
async fn msp<P: Fixture>(on: On<P>) -> Msp<P> {
    let acme = Customer::named("acme").line("edr", 38).runs(date(2026, 1, 15), date(2027, 1, 14));
    let setup = on.of_one_more([acme]).product("edr", json!({"counting": "high_water_mark"}));
    setup.at("2026-11-15T10:00:00Z").start_changed().await
}

/// A snapshot of `units` as of an instant, whenever it is sent.
async fn sends<P: Fixture>(msp: &Msp<P>, as_of: &str, units: u32, complete: bool) {
    let record = json!({"company": "acme", "company_name": "Acme", "product": "edr", "quantity": units});
    let body = json!({"as_of": as_of, "complete": complete, "records": [record]});
    let id = as_of.replace(':', "-");
    msp.done(Method::PUT, &format!("/v1/usage/snapshots/{id}"), Some(body)).await;
}

/// What is counted at an instant, sent at once.
async fn counts<P: Fixture>(msp: &Msp<P>, at: &str, units: u32, complete: bool) {
    msp.clock.set(at);
    sends(msp, at, units, complete).await;
}

/// What was counted on the evening of a day, and the scheduled run of the night after it.
async fn day<P: Fixture>(msp: &Msp<P>, evening: Date, units: u32) -> Run {
    counts(msp, &format!("{evening}T20:00:00Z"), units, true).await;
    night(msp, evening.tomorrow().unwrap()).await
}

/// The scheduled run of a night.
async fn night<P: Fixture>(msp: &Msp<P>, morning: Date) -> Run {
    msp.clock.set(&format!("{morning}T01:00:00Z"));
    assert_eq!(msp.parts.fan_out.tick().await.unwrap().started, 1, "nothing was due on {morning}");
    msp.drain().await;
    let path = format!("/v1/connections/{}/runs?limit=1", msp.connection);
    let newest: Value = msp.done(Method::GET, &path, None).await;
    msp.see(newest["items"][0]["id"].as_str().unwrap()).await
}

/// What became of the line, what it carries on the day of the run, and what the result says first.
fn told<P: Fixture>(msp: &Msp<P>, run: &Run) -> (String, i64, String) {
    let explanation = run.line("acme", "edr")["explanation"].as_str().unwrap();
    let because = explanation.split(';').next().unwrap().to_owned();
    (run.result("acme", "edr"), msp.units("acme", "edr"), because)
}

fn mark(result: &str, units: i64, period: &str, set_on: &str) -> (String, i64, String) {
    let because = format!("highest count {units} of the period from {period}, set on {set_on}");
    (result.to_owned(), units, because)
}

async fn the_units_follow_the_mark_of_the_contracts_own_period_and_begin_anew_in_the_next<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let november = "2026-11-15";
    for (evening, counted, expected) in [
        (date(2026, 11, 15), 40, mark("updated", 40, november, "2026-11-15")),
        (date(2026, 11, 16), 47, mark("updated", 47, november, "2026-11-16")),
        (date(2026, 11, 17), 43, mark("unchanged", 47, november, "2026-11-16")),
        // The turn of a month is no turn of the contract's period.
        (date(2026, 11, 30), 44, mark("unchanged", 47, november, "2026-11-16")),
        (date(2026, 12, 3), 30, mark("unchanged", 47, november, "2026-11-16")),
    ] {
        let run = day(&msp, evening, counted).await;
        assert_eq!(told(&msp, &run), expected, "{evening}: {:#}", run.line("acme", "edr"));
    }
    // The next period has begun and nobody has counted in it yet.
    let run = day(&msp, date(2026, 12, 14), 39).await;
    assert_eq!((run.result("acme", "edr").as_str(), msp.units("acme", "edr")), ("skipped usage_not_in_period", 47));
    let run = day(&msp, date(2026, 12, 15), 39).await;
    assert_eq!(told(&msp, &run), mark("updated", 39, "2026-12-15", "2026-12-15"), "{:#}", run.line("acme", "edr"));
    assert_eq!(run.line("acme", "edr")["effective_date"], "2026-12-15");
    assert_eq!(msp.units_on("acme", "edr", date(2026, 12, 14)), 47, "the period that is over");
    let run = day(&msp, date(2026, 12, 16), 41).await;
    assert_eq!(told(&msp, &run), mark("updated", 41, "2026-12-15", "2026-12-16"), "{:#}", run.line("acme", "edr"));
    let run = day(&msp, date(2026, 12, 17), 37).await;
    assert_eq!(told(&msp, &run), mark("unchanged", 41, "2026-12-15", "2026-12-16"));
}

async fn a_late_snapshot_of_an_earlier_day_raises_the_mark_and_one_of_an_earlier_period_does_not<P: Fixture>(
    on: On<P>,
) {
    let msp = msp(on).await;
    day(&msp, date(2026, 11, 15), 40).await;
    let run = day(&msp, date(2026, 11, 19), 43).await;
    assert_eq!(told(&msp, &run), mark("updated", 43, "2026-11-15", "2026-11-19"));
    sends(&msp, "2026-11-17T20:00:00Z", 47, true).await;
    let run = night(&msp, date(2026, 11, 21)).await;
    assert_eq!(told(&msp, &run), mark("updated", 47, "2026-11-15", "2026-11-17"), "{:#}", run.line("acme", "edr"));
    assert_eq!(run.line("acme", "edr")["feeds"][0]["quantity"], 43, "the newest count is the newer one");
    sends(&msp, "2026-11-14T20:00:00Z", 60, true).await;
    let run = night(&msp, date(2026, 11, 22)).await;
    assert_eq!(told(&msp, &run), mark("unchanged", 47, "2026-11-15", "2026-11-17"));
}

async fn an_incomplete_snapshot_raises_the_mark_and_never_lowers_it<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    day(&msp, date(2026, 11, 15), 47).await;
    counts(&msp, "2026-11-16T20:00:00Z", 20, false).await;
    let run = night(&msp, date(2026, 11, 17)).await;
    assert_eq!(told(&msp, &run), mark("unchanged", 47, "2026-11-15", "2026-11-15"));
    counts(&msp, "2026-11-17T00:30:00Z", 50, false).await;
    let run = night(&msp, date(2026, 11, 18)).await;
    assert_eq!(told(&msp, &run), mark("updated", 50, "2026-11-15", "2026-11-17"), "{:#}", run.line("acme", "edr"));
    // In the next period a complete one is needed to go below.
    counts(&msp, "2026-12-15T20:00:00Z", 44, false).await;
    let run = night(&msp, date(2026, 12, 16)).await;
    assert_eq!((run.result("acme", "edr").as_str(), msp.units("acme", "edr")), ("held usage_incomplete", 50));
    let run = day(&msp, date(2026, 12, 16), 44).await;
    assert_eq!(told(&msp, &run), mark("updated", 44, "2026-12-15", "2026-12-15"), "{:#}", run.line("acme", "edr"));
}

async fn a_monthly_run_after_the_end_of_a_period_takes_the_mark_of_the_running_one<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    msp.patch(json!({"schedule": {"frequency": "monthly", "day": 20, "hour": 2}})).await;
    for (as_of, units) in [("2026-11-16T20:00:00Z", 47), ("2026-11-18T20:00:00Z", 43)] {
        counts(&msp, as_of, units, true).await;
    }
    let run = night(&msp, date(2026, 11, 20)).await;
    assert_eq!(told(&msp, &run), mark("updated", 47, "2026-11-15", "2026-11-16"), "{:#}", run.line("acme", "edr"));
    // The first of these is of a period that is over when the next run comes: what that was billed by stays.
    for (as_of, units) in [("2026-11-25T20:00:00Z", 52), ("2026-12-16T20:00:00Z", 42), ("2026-12-18T20:00:00Z", 41)] {
        counts(&msp, as_of, units, true).await;
    }
    let run = night(&msp, date(2026, 12, 20)).await;
    assert_eq!(told(&msp, &run), mark("updated", 42, "2026-12-15", "2026-12-16"), "{:#}", run.line("acme", "edr"));
    assert_eq!(msp.units_on("acme", "edr", date(2026, 12, 14)), 47);
}
