//! From which day a change counts, and what happens when a contract's life goes on meanwhile.

use integration::msp::{Customer, Msp, Setup};
use jiff::civil::Date;
use serde_json::{Value, json};
use simulators::autotask::{ContractSpec, DateForm, Period, PostedPeriod, SplitEnd, SplitPrice, Switches};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

async fn msp(policy: Value) -> Msp {
    Setup::of([Customer::named("acme").line("edr", 40)]).policy(policy).start().await
}

async fn sync(msp: &Msp, count: u32) -> (String, String, String) {
    msp.push(&[("acme", "edr", count)]).await;
    let run = msp.run("apply").await;
    let line = run.line("acme", "edr");
    let date = line["effective_date"].as_str().unwrap_or_default().to_owned();
    (run.result("acme", "edr"), date, line["explanation"].as_str().unwrap_or_default().to_owned())
}

fn on(msp: &Msp, days: &[&str]) -> Vec<i64> {
    days.iter().map(|text| msp.units_on("acme", "edr", day(text))).collect()
}

#[tokio::test]
async fn a_second_change_in_one_period_moves_to_the_next_free_day() {
    let msp = msp(json!({})).await;
    let (result, date, because) = sync(&msp, 42).await;
    assert_eq!((result.as_str(), date.as_str()), ("updated", "2026-11-01"));
    assert!(because.ends_with("+2 from 2026-11-01 (start of the billing period)"), "{because}");
    let (result, date, because) = sync(&msp, 45).await;
    assert_eq!((result.as_str(), date.as_str()), ("updated", "2026-11-02"));
    assert!(
        because.contains(
            "moved past 2026-11-01, which carries an adjustment already; inside a period, so the PSA prorates"
        ),
        "{because}"
    );
    let (result, date, _) = sync(&msp, 44).await;
    assert_eq!((result.as_str(), date.as_str()), ("updated", "2026-11-03"));
    assert_eq!(on(&msp, &["2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03", "2026-12-31"]), [40, 42, 45, 44, 44]);
    assert_eq!(msp.write_requests(), 3, "no request was refused");
}

#[tokio::test]
async fn in_the_next_period_changes_begin_at_its_start_again() {
    let msp = msp(json!({})).await;
    sync(&msp, 42).await;
    msp.clock.set("2026-12-05T12:00:00Z");
    assert_eq!(sync(&msp, 43).await.1, "2026-12-01");
    assert_eq!(on(&msp, &["2026-11-30", "2026-12-01"]), [42, 43]);
}

#[tokio::test]
async fn from_today_means_the_partners_day() {
    let msp = msp(json!({"effective_date": {"rises": "today", "falls": "today"}})).await;
    let (result, date, because) = sync(&msp, 42).await;
    assert_eq!((result.as_str(), date.as_str()), ("updated", "2026-11-21"));
    assert!(because.contains("day of the run; inside a period, so the PSA prorates"), "{because}");
    assert_eq!(on(&msp, &["2026-11-20", "2026-11-21", "2026-12-31"]), [40, 42, 42]);
    // Once more on that day: the day is taken.
    assert_eq!(sync(&msp, 43).await.1, "2026-11-22");
    // What was decided for tomorrow is not decided again today.
    assert_eq!(sync(&msp, 43).await.0, "unchanged");
    msp.clock.set("2026-11-21T23:30:00Z");
    assert_eq!(sync(&msp, 41).await.1, "2026-11-23", "it is the 22nd in Berlin, and the 22nd is taken");
    assert_eq!(on(&msp, &["2026-11-21", "2026-11-22", "2026-11-23"]), [42, 43, 41]);
}

#[tokio::test]
async fn from_the_next_period_leaves_the_running_one_alone() {
    let msp = msp(json!({"effective_date": {"rises": "next_period_start", "falls": "next_period_start"}})).await;
    assert_eq!(sync(&msp, 42).await.1, "2026-12-01");
    assert_eq!(on(&msp, &["2026-11-21", "2026-11-30", "2026-12-01"]), [40, 40, 42]);
    assert_eq!(sync(&msp, 42).await.0, "unchanged");
    let (result, date, _) = sync(&msp, 43).await;
    assert_eq!((result.as_str(), date.as_str()), ("updated", "2026-12-02"));
    assert_eq!(on(&msp, &["2026-11-30", "2026-12-01", "2026-12-02"]), [40, 42, 43]);
    msp.clock.set("2026-12-05T12:00:00Z");
    assert_eq!(sync(&msp, 43).await.0, "unchanged");
    assert_eq!(msp.write_requests(), 2);
}

#[tokio::test]
async fn rises_and_falls_may_count_from_different_days() {
    let msp = msp(json!({"effective_date": {"rises": "period_start", "falls": "next_period_start"}})).await;
    assert_eq!(sync(&msp, 42).await.1, "2026-11-01");
    assert_eq!(sync(&msp, 39).await.1, "2026-12-01");
    assert_eq!(on(&msp, &["2026-11-21", "2026-11-30", "2026-12-01"]), [42, 42, 39]);
    assert_eq!(sync(&msp, 39).await.0, "unchanged");
    assert_eq!(msp.write_requests(), 2);
}

#[tokio::test]
async fn a_posted_period_is_not_touched() {
    for posted_period in [PostedPeriod::Accept, PostedPeriod::Reject] {
        let msp = msp(json!({})).await;
        msp.psa.switch(|switches| switches.posted_period = posted_period);
        msp.psa.post_period(msp.contract("acme"), day("2026-11-21"));
        let (result, date, because) = sync(&msp, 42).await;
        assert_eq!((result.as_str(), date.as_str()), ("updated", "2026-12-01"));
        assert!(because.contains("moved past 2026-11-30, through which the contract is posted"), "{because}");
        assert_eq!(on(&msp, &["2026-11-30", "2026-12-01"]), [40, 42]);
        assert!(msp.psa.writes().iter().all(|write| !write.into_posted));
        assert_eq!(sync(&msp, 42).await.0, "unchanged");
        assert_eq!(sync(&msp, 43).await.1, "2026-12-02");
    }
}

#[tokio::test]
async fn a_contract_that_is_posted_to_its_end_is_held() {
    let msp = msp(json!({})).await;
    msp.psa.post_through(msp.contract("acme"), day("2026-12-31"));
    assert_eq!(sync(&msp, 42).await.0, "held no_date_left");
    assert_eq!((msp.write_requests(), on(&msp, &["2026-12-31"])), (0, vec![40]));
}

#[tokio::test]
async fn a_day_that_turns_out_to_be_taken_is_not_tried_again() {
    let msp = msp(json!({})).await;
    // Two edits that cancel each other out use the day up and show nothing of it.
    msp.edit("acme", "edr", day("2026-11-01"), 41);
    msp.edit("acme", "edr", day("2026-11-01"), 40);
    let (result, date, _) = sync(&msp, 42).await;
    assert_eq!((result.as_str(), date.as_str()), ("failed effective_date_already_adjusted", "2026-11-01"));
    let (result, date, _) = sync(&msp, 42).await;
    assert_eq!((result.as_str(), date.as_str()), ("updated", "2026-11-02"));
    assert_eq!((on(&msp, &["2026-11-01", "2026-11-02"]), msp.write_requests()), (vec![40, 42], 2));
}

#[tokio::test]
async fn periods_follow_the_contracts_own_start_and_length() {
    let customer =
        |name: &str, change: fn(ContractSpec) -> ContractSpec| Customer::named(name).line("edr", 40).contract(change);
    let msp = Setup::of([
        customer("fifteenth", |c| c.runs(day("2026-01-15"), day("2027-01-14"))),
        customer("last", |c| c.runs(day("2026-01-31"), day("2027-01-30"))),
        customer("quarterly", |c| c.bills(Period::Quarterly)),
        customer("yearly", |c| c.runs(day("2026-03-10"), day("2028-03-09")).bills(Period::Yearly)),
        customer("young", |c| c.runs(day("2026-11-18"), day("2027-11-17"))),
    ])
    .start()
    .await;
    let names = ["fifteenth", "last", "quarterly", "yearly", "young"];
    msp.push(&names.map(|name| (name, "edr", 41))).await;
    let run = msp.run("apply").await;
    let dates = names.map(|name| run.line(name, "edr")["effective_date"].as_str().unwrap_or_default().to_owned());
    assert_eq!(dates, ["2026-11-15", "2026-10-31", "2026-10-01", "2026-03-10", "2026-11-18"], "{:?}", run.results());
    assert!(names.iter().all(|name| msp.units(name, "edr") == 41));
}

/// Turns one switch of the simulated PSA.
type Turn = fn(&mut Switches);

#[tokio::test]
async fn every_way_in_which_the_psa_may_keep_its_rows_leads_to_the_same_units() {
    let variants: [(&str, Turn); 7] = [
        ("as usual", |_| {}),
        ("dates with a fraction", |s| s.date_form = DateForm::MidnightUtcFraction),
        ("dates in the afternoon", |s| s.date_form = DateForm::AfternoonUtc),
        ("dates without a zone", |s| s.date_form = DateForm::NoZone),
        ("parts that share a day", |s| s.split_end = SplitEnd::SameDay),
        ("prices by days", |s| s.split_price = SplitPrice::ByDays),
        ("edits that leave their day free", |s| s.edits_use_their_date = false),
    ];
    for (name, turn) in variants {
        let msp = msp(json!({"drift": "overwrite"})).await;
        msp.psa.switch(turn);
        for count in [42, 45, 44, 44] {
            sync(&msp, count).await;
        }
        assert_eq!(
            on(&msp, &["2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03", "2026-12-31"]),
            [40, 42, 45, 44, 44],
            "{name}"
        );
        msp.edit("acme", "edr", day("2026-11-10"), 50);
        assert_eq!(sync(&msp, 44).await.0, "updated", "{name}");
        msp.clock.set("2026-12-02T12:00:00Z");
        assert_eq!(sync(&msp, 46).await.0, "updated", "{name}");
        assert_eq!(on(&msp, &["2026-11-09", "2026-11-10", "2026-11-30", "2026-12-02"]), [44, 50, 44, 46], "{name}");
        assert_eq!(msp.changes().len(), msp.write_requests(), "{name}: a request was refused");
        assert!(msp.psa.auto_created().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn contracts_that_can_not_be_written_any_more_fail_and_the_others_are_written() {
    let customer = |name: &str| Customer::named(name).line("edr", 40);
    let msp = Setup::of([
        customer("fine"),
        customer("ended"),
        customer("inactive"),
        customer("gone"),
        customer("foreign"),
        customer("fixed"),
        Customer::named("project").unmapped().contract(|_| ContractSpec::fixed_price("Office move")),
        customer("early"),
        Customer::named("next").unmapped().contract(|c| c.runs(day("2026-12-01"), day("2027-11-30"))),
    ])
    .start()
    .await;
    msp.psa.end_contract(msp.contract("ended"), day("2026-11-10")).unwrap();
    msp.psa.set_contract_status(msp.contract("inactive"), 0).unwrap();
    let id = |number: i64| number.to_string().parse().unwrap();
    msp.remap("gone", |mapping| mapping.contract_id = id(4_711)).await;
    msp.remap("foreign", |mapping| mapping.contract_id = id(msp.contract("next"))).await;
    msp.remap("fixed", |mapping| {
        mapping.contract_id = id(msp.contract("project"));
        mapping.account_id = msp.account("project").to_string().parse().unwrap();
    })
    .await;
    msp.remap("early", |mapping| {
        mapping.contract_id = id(msp.contract("next"));
        mapping.account_id = msp.account("next").to_string().parse().unwrap();
    })
    .await;
    let names = ["fine", "ended", "inactive", "gone", "foreign", "fixed", "early"];
    msp.push(&names.map(|name| (name, "edr", 41))).await;
    let run = msp.run("apply").await;
    // "foreign" and "early" name one contract under two accounts: neither of them may have it.
    assert_eq!(
        json!(run.results()),
        json!({
            "early/edr": "failed contract_of_another_account",
            "ended/edr": "failed contract_ended",
            "fine/edr": "updated",
            "fixed/edr": "failed contract_not_recurring",
            "gone/edr": "failed contract_not_found",
            "inactive/edr": "failed contract_inactive",
        })
    );
    assert_eq!(run.status(), "partial");
    for line in run.lines.iter().filter(|line| line["status"] == "failed") {
        assert!(
            !line["fix"].as_str().unwrap().is_empty() && !line["explanation"].as_str().unwrap().is_empty(),
            "{line}"
        );
    }
    assert_eq!(run.line("ended", "edr")["explanation"], "\"Managed Security\" ended on 2026-11-10.");
    assert_eq!(msp.changes().len(), 1);
}

#[tokio::test]
async fn a_contract_that_has_not_begun_is_skipped_until_it_has() {
    let msp =
        Setup::of([Customer::named("acme").line("edr", 40).runs(day("2026-11-20"), day("2027-11-19"))]).start().await;
    msp.clock.set("2026-11-19T12:00:00Z");
    assert_eq!(sync(&msp, 41).await.0, "skipped contract_not_started");
    msp.clock.set("2026-11-20T12:00:00Z");
    assert_eq!(sync(&msp, 41).await.1, "2026-11-20");
}

#[tokio::test]
async fn a_contract_that_ends_while_its_job_waits_fails_and_is_not_written() {
    let msp = msp(json!({})).await;
    msp.push(&[("acme", "edr", 41)]).await;
    let id = msp.ask("apply").await;
    msp.plan().await;
    let job = msp.jobs().pop_front().unwrap();
    msp.psa.end_contract(msp.contract("acme"), day("2026-11-10")).unwrap();
    msp.work(&job).await.unwrap();
    let run = msp.see(&id).await;
    assert_eq!(
        (run.line("acme", "edr")["status"].as_str(), msp.write_requests()),
        (Some("failed"), 0),
        "{:?}",
        run.results()
    );
}

#[tokio::test]
async fn a_change_for_a_period_that_the_contract_does_not_reach_is_skipped_and_says_so() {
    let msp = Setup::of([Customer::named("acme").line("edr", 40).runs(day("2026-01-01"), day("2026-11-30"))])
        .policy(json!({"effective_date": {"rises": "next_period_start", "falls": "next_period_start"}}))
        .start()
        .await;
    assert_eq!((sync(&msp, 42).await.0.as_str(), msp.write_requests()), ("skipped no_period_ahead", 0));
}
