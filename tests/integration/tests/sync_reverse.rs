//! Taking back what a run has changed: as a run of its own, once, and only where that change is still the last word.

use std::time::Duration;

use integration::msp::{Customer, Msp, Run, Setup};
use integration::{Answer, PARTNER};
use jiff::SignedDuration;
use jiff::civil::Date;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::sync::Settings;
use simulators::autotask::{Entity, Fault, When};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn on(msp: &Msp, company: &str, days: &[&str]) -> Vec<i64> {
    days.iter().map(|text| msp.units_on(company, "edr", day(text))).collect()
}

/// Two companies, and the run that set one from 40 to 42 and the other from 10 to 8.
async fn changed() -> (Msp, Run) {
    let customers = [Customer::named("acme").line("edr", 40).line("itdr", 7), Customer::named("beta").line("edr", 10)];
    let msp = Setup::of(customers).patience(Duration::from_millis(300)).start().await;
    let run = changed_in(&msp).await;
    (msp, run)
}

async fn changed_in(msp: &Msp) -> Run {
    count(msp, 42, 8).await;
    let run = msp.run("apply").await;
    let expected = json!({"acme/edr": "updated", "acme/itdr": "unchanged", "beta/edr": "updated"});
    assert_eq!(json!(run.results()), expected);
    msp.psa.reset_counts();
    run
}

async fn count(msp: &Msp, acme: u32, beta: u32) {
    msp.push(&[("acme", "edr", acme), ("acme", "itdr", 7), ("beta", "edr", beta)]).await;
}

async fn ask(msp: &Msp, run: &Run, body: Value) -> Answer {
    msp.call(Method::POST, &format!("/v1/runs/{}/reverse", run.id), Some(body)).await
}

/// Reverses a run, and answers what came of it.
async fn reverse(msp: &Msp, run: &Run, body: Value) -> Run {
    let asked = ask(msp, run, body).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    msp.drain().await;
    msp.see(asked.json["run_id"].as_str().unwrap()).await
}

#[tokio::test]
async fn what_a_run_changed_is_taken_back_from_the_day_after_it_with_one_opposite_write_each() {
    let (msp, run) = changed().await;
    let reversal = reverse(&msp, &run, json!({})).await;
    assert_eq!(reversal.status(), "succeeded");
    assert_eq!(json!(reversal.results()), json!({"acme/edr": "updated", "beta/edr": "updated"}));
    assert_eq!((reversal.numbers("acme", "edr"), reversal.numbers("beta", "edr")), ((42, 40, 40), (8, 10, 10)));
    let mut changes = msp.changes();
    changes.sort();
    assert_eq!(changes, [("2026-11-02".to_owned(), -2), ("2026-11-02".to_owned(), 2)]);
    assert_eq!((reversal.writes(), msp.write_requests()), (2, 2));
    let days = ["2026-10-31", "2026-11-01", "2026-11-02", "2026-12-31"];
    assert_eq!((on(&msp, "acme", &days), on(&msp, "beta", &days)), (vec![40, 42, 40, 40], vec![10, 8, 10, 10]));
    for company in ["acme", "beta"] {
        assert_eq!(msp.states(company, "edr").await, "applied applied");
        let intents = msp.intents(company, "edr").await;
        let runs: Vec<&str> = intents.iter().map(|intent| intent.run.as_str()).collect();
        assert_eq!(runs, [run.id.as_str(), reversal.id.as_str()]);
        assert_eq!(intents[1].meaning.reverses.as_ref(), Some(&intents[0].key));
    }
    assert_eq!(msp.states("acme", "itdr").await, "");
    assert_eq!(
        (reversal.view["reverses"].as_str(), reversal.view["mode"].as_str()),
        (Some(run.id.as_str()), Some("apply"))
    );
    assert_eq!(reversal.view["psa_requests"], msp.psa.request_count());
    // What was reported of the first run stays.
    assert_eq!(msp.see(&run.id).await.lines, run.lines);
}

#[tokio::test]
async fn a_reversed_line_says_from_when_it_counts_and_which_days_stay_as_they_are() {
    let (msp, run) = changed().await;
    let reversal = reverse(&msp, &run, json!({})).await;
    let mut line = reversal.line("acme", "edr").clone();
    let explanation = line["explanation"].as_str().unwrap().replace(&run.id, "[run]");
    line["explanation"] = explanation.into();
    line["rule"] = line["rule"].as_str().unwrap().replace(&run.id, "[run]").into();
    insta::assert_json_snapshot!(line, @r#"
    {
      "account_id": "1001",
      "after": 40,
      "approvable": false,
      "before": 42,
      "code": "",
      "company": "acme",
      "company_name": "Acme",
      "contract_id": "29680001",
      "counted": null,
      "difference": -2,
      "effective_date": "2026-11-02",
      "explanation": "reversal of run [run], which set 42 instead of 40 from 2026-11-01; -2 from 2026-11-02 (day after the change; the days before it stay at 42; inside a period, so the PSA prorates)",
      "feeds": [],
      "fix": "",
      "last_confirmed": 42,
      "last_confirmed_from": "2026-11-01",
      "line_id": "29680001:501",
      "money": {
        "currency": "EUR",
        "monthly_cost": "-5.00",
        "monthly_price": "-10.00",
        "unit_cost": "2.50",
        "unit_price": "5.00"
      },
      "prices": null,
      "product": "edr",
      "prorated": true,
      "rule": "reversal of run [run], which set 42 instead of 40 from 2026-11-01",
      "service_id": "501",
      "status": "updated",
      "target": 40
    }
    "#);
}

#[tokio::test]
async fn the_next_run_holds_the_same_change_until_a_person_approves_it() {
    let (msp, run) = changed().await;
    reverse(&msp, &run, json!({})).await;
    msp.psa.reset_counts();
    for mode in ["apply", "preview", "apply"] {
        let next = msp.run(mode).await;
        let expected = json!({"acme/edr": "held reversed", "acme/itdr": "unchanged", "beta/edr": "held reversed"});
        assert_eq!((json!(next.results()), next.status()), (expected, "succeeded"));
    }
    assert_eq!(msp.write_requests(), 0);
    let held = msp.run("apply").await;
    let line = held.line("acme", "edr");
    assert_eq!(line["explanation"], "A person took 42 back; the line carries 40 and should carry 42.");
    let fix = line["fix"].as_str().unwrap();
    assert!(fix.contains("approve the line if the new count is right"), "{fix}");
    let approved = msp.approve(&held, Some(&[&msp.line_id("acme", "edr")])).await;
    assert_eq!(json!(approved.results()), json!({"acme/edr": "updated"}));
    assert_eq!(on(&msp, "acme", &["2026-11-02", "2026-11-03"]), [40, 42]);
    let next = msp.run("apply").await;
    let expected = json!({"acme/edr": "unchanged", "acme/itdr": "unchanged", "beta/edr": "held reversed"});
    assert_eq!(json!(next.results()), expected);
    assert_eq!((msp.write_requests(), msp.states("acme", "edr").await.as_str()), (1, "applied applied applied"));
    assert_eq!(msp.history("acme", "edr").await.reversed, None);
}

#[tokio::test]
async fn a_change_in_the_same_direction_is_held_too_and_one_in_the_other_ends_the_hold() {
    let (msp, run) = changed().await;
    reverse(&msp, &run, json!({})).await;
    count(&msp, 43, 7).await;
    let expected = json!({"acme/edr": "held reversed", "acme/itdr": "unchanged", "beta/edr": "held reversed"});
    assert_eq!(json!(msp.run("apply").await.results()), expected);
    count(&msp, 39, 11).await;
    let next = msp.run("apply").await;
    let expected = json!({"acme/edr": "updated", "acme/itdr": "unchanged", "beta/edr": "updated"});
    assert_eq!(json!(next.results()), expected);
    assert_eq!(next.numbers("acme", "edr"), (40, 39, 39));
    count(&msp, 42, 8).await;
    assert_eq!(json!(msp.run("apply").await.results()), expected);
}

#[tokio::test]
async fn a_newer_run_of_all_lines_does_not_take_a_reversals_place() {
    let (msp, run) = changed().await;
    let asked = ask(&msp, &run, json!({})).await;
    msp.plan().await;
    let jobs = msp.jobs();
    let newer = msp.run("apply").await;
    assert_eq!(newer.result("acme", "edr"), "unchanged");
    for job in jobs {
        msp.work(&job).await.unwrap();
    }
    let reversal = msp.see(asked.json["run_id"].as_str().unwrap()).await;
    assert_eq!(json!(reversal.results()), json!({"acme/edr": "updated", "beta/edr": "updated"}));
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "held reversed");
}

#[tokio::test]
async fn a_run_that_is_reversed_twice_is_taken_back_once() {
    let (msp, run) = changed().await;
    reverse(&msp, &run, json!({})).await;
    msp.psa.reset_counts();
    let again = reverse(&msp, &run, json!({})).await;
    assert_eq!(json!(again.results()), json!({"acme/edr": "unchanged", "beta/edr": "unchanged"}));
    assert_eq!((again.status(), again.writes(), msp.write_requests()), ("succeeded", 0, 0));
    assert_eq!((msp.units("acme", "edr"), msp.states("acme", "edr").await.as_str()), (40, "applied applied"));
    // Asked for twice before the first was done.
    let (msp, run) = changed().await;
    for _ in 0..2 {
        assert_eq!(ask(&msp, &run, json!({})).await.status, 202);
    }
    msp.drain().await;
    assert_eq!((msp.write_requests(), msp.units("acme", "edr"), msp.units("beta", "edr")), (2, 40, 10));
}

#[tokio::test]
async fn a_reversal_is_reversed_by_the_same_rules() {
    let (msp, run) = changed().await;
    let reversal = reverse(&msp, &run, json!({})).await;
    let back = reverse(&msp, &reversal, json!({"lines": [msp.line_id("acme", "edr")]})).await;
    assert_eq!(json!(back.results()), json!({"acme/edr": "updated"}));
    assert_eq!(on(&msp, "acme", &["2026-11-01", "2026-11-02", "2026-11-03"]), [42, 40, 42]);
    let next = msp.run("apply").await;
    assert_eq!(
        (next.result("acme", "edr").as_str(), next.result("beta", "edr").as_str()),
        ("unchanged", "held reversed")
    );
    // The first change is not the last word any more, though the units are the same.
    let late = reverse(&msp, &run, json!({"lines": [msp.line_id("acme", "edr")]})).await;
    assert_eq!((late.result("acme", "edr").as_str(), late.writes()), ("skipped changed_since", 0));
}

#[tokio::test]
async fn a_line_that_a_later_run_changed_is_left_alone_and_says_so() {
    let (msp, run) = changed().await;
    count(&msp, 45, 8).await;
    msp.run("apply").await;
    msp.psa.reset_counts();
    let reversal = reverse(&msp, &run, json!({})).await;
    assert_eq!(json!(reversal.results()), json!({"acme/edr": "skipped changed_since", "beta/edr": "updated"}));
    let explanation =
        format!("Run {} set 42 from 2026-11-01; since then the line was set to 45 from 2026-11-02.", run.id);
    assert_eq!(reversal.line("acme", "edr")["explanation"], explanation);
    assert!(reversal.line("acme", "edr")["fix"].as_str().unwrap().contains("reverse the later run first"));
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (1, 45));
}

#[tokio::test]
async fn a_line_that_a_person_edited_since_is_not_written() {
    for units in [44, 40] {
        let (msp, run) = changed().await;
        msp.edit("acme", "edr", day("2026-11-10"), units);
        let reversal = reverse(&msp, &run, json!({})).await;
        assert_eq!(json!(reversal.results()), json!({"acme/edr": "skipped changed_since", "beta/edr": "updated"}));
        assert_eq!((msp.units("acme", "edr"), msp.write_requests()), (units, 1));
        assert_eq!(msp.states("acme", "edr").await, "applied");
    }
}

#[tokio::test]
async fn a_change_that_a_person_dated_ahead_is_not_shifted() {
    let (msp, run) = changed().await;
    msp.edit("acme", "edr", day("2026-12-01"), 60);
    let reversal = reverse(&msp, &run, json!({})).await;
    assert_eq!(reversal.result("acme", "edr"), "held later_change");
    assert_eq!(on(&msp, "acme", &["2026-11-21", "2026-12-01"]), [42, 60]);
}

#[tokio::test]
async fn a_posted_period_stays_and_the_reversal_counts_from_the_next() {
    let (msp, run) = changed().await;
    msp.psa.post_period(msp.contract("acme"), day("2026-11-21"));
    msp.psa.post_through(msp.contract("beta"), day("2026-12-31"));
    let reversal = reverse(&msp, &run, json!({})).await;
    assert_eq!(json!(reversal.results()), json!({"acme/edr": "updated", "beta/edr": "held no_date_left"}));
    let line = reversal.line("acme", "edr");
    assert_eq!(line["effective_date"], "2026-12-01");
    let because = line["explanation"].as_str().unwrap();
    assert!(because.contains("moved past 2026-11-30, through which the contract is posted"), "{because}");
    assert!(because.ends_with("the days before it stay at 42)"), "{because}");
    assert_eq!(on(&msp, "acme", &["2026-11-30", "2026-12-01"]), [42, 40]);
    assert!(msp.psa.writes().iter().all(|write| !write.into_posted));
    assert_eq!((msp.write_requests(), msp.units("beta", "edr")), (1, 8));
    // November goes on with 42, and the next run makes nothing of December again.
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "held reversed");
}

#[tokio::test]
async fn a_change_of_an_earlier_period_is_taken_back_from_there() {
    let (msp, run) = changed().await;
    msp.clock.set("2026-12-10T12:00:00Z");
    let reversal = reverse(&msp, &run, json!({})).await;
    assert_eq!(json!(reversal.results()), json!({"acme/edr": "updated", "beta/edr": "updated"}));
    assert_eq!(on(&msp, "acme", &["2026-11-01", "2026-11-02", "2026-12-10"]), [42, 40, 40]);
    assert_eq!(msp.states("acme", "edr").await, "applied applied");
}

#[tokio::test]
async fn a_day_that_carries_an_adjustment_is_passed_over() {
    let (msp, run) = changed().await;
    msp.edit("acme", "edr", day("2026-11-02"), 41);
    msp.edit("acme", "edr", day("2026-11-02"), 42);
    let reversal = reverse(&msp, &run, json!({"lines": [msp.line_id("acme", "edr")]})).await;
    let because = reversal.line("acme", "edr")["explanation"].as_str().unwrap().to_owned();
    assert!(because.contains("moved past 2026-11-02, which carries an adjustment already"), "{because}");
    assert_eq!((on(&msp, "acme", &["2026-11-02", "2026-11-03"]), msp.write_requests()), (vec![42, 40], 1));
}

#[tokio::test]
async fn a_day_that_turns_out_to_be_taken_is_passed_over_the_next_time() {
    let (msp, run) = changed().await;
    msp.psa.post_period(msp.contract("acme"), day("2026-11-21"));
    // Two edits that cancel each other out use the period's first day up and show nothing of it.
    msp.edit("acme", "edr", day("2026-12-01"), 41);
    msp.edit("acme", "edr", day("2026-12-01"), 42);
    let lines = json!({"lines": [msp.line_id("acme", "edr")]});
    let refused = reverse(&msp, &run, lines.clone()).await;
    assert_eq!(refused.result("acme", "edr"), "failed effective_date_already_adjusted");
    let made = reverse(&msp, &run, lines).await;
    assert_eq!(made.result("acme", "edr"), "updated");
    assert_eq!(on(&msp, "acme", &["2026-12-01", "2026-12-02"]), [42, 40]);
    assert_eq!((msp.write_requests(), msp.states("acme", "edr").await.as_str()), (2, "applied rejected applied"));
}

#[tokio::test]
async fn guards_approval_and_drift_policy_do_not_hold_a_reversal() {
    let msp = Setup::of([Customer::named("acme").line("edr", 10)]).start().await;
    msp.push(&[("acme", "edr", 500)]).await;
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "edr"), "updated");
    msp.policy(json!({"approval": "always"})).await;
    let reversal = reverse(&msp, &run, json!({})).await;
    assert_eq!((reversal.result("acme", "edr").as_str(), msp.units("acme", "edr")), ("updated", 10));
}

#[tokio::test]
async fn the_change_of_a_company_that_was_unmapped_since_is_taken_back_all_the_same() {
    let (msp, run) = changed().await;
    let path = format!("/v1/connections/{}/companies/acme", msp.connection);
    msp.done(Method::DELETE, &path, None).await;
    let reversal = reverse(&msp, &run, json!({})).await;
    assert_eq!(json!(reversal.results()), json!({"acme/edr": "updated", "beta/edr": "updated"}));
    assert_eq!((msp.units("acme", "edr"), reversal.line("acme", "edr")["company_name"].as_str()), (40, Some("Acme")));
}

#[tokio::test]
async fn a_contract_that_can_not_be_written_any_more_is_left_alone() {
    let (msp, run) = changed().await;
    msp.psa.end_contract(msp.contract("acme"), day("2026-11-10")).unwrap();
    msp.psa.set_contract_status(msp.contract("beta"), 0).unwrap();
    let reversal = reverse(&msp, &run, json!({})).await;
    let expected = json!({"acme/edr": "failed contract_ended", "beta/edr": "failed contract_inactive"});
    assert_eq!((json!(reversal.results()), reversal.status(), msp.write_requests()), (expected, "partial", 0));
}

#[tokio::test]
async fn a_reversal_whose_answer_was_lost_is_read_back_and_not_made_again() {
    let (msp, run) = changed().await;
    msp.psa.plan_fault(When::EveryWrite, Fault::ResetAfter);
    let reversal = reverse(&msp, &run, json!({"lines": [msp.line_id("acme", "edr")]})).await;
    assert_eq!((reversal.result("acme", "edr").as_str(), reversal.numbers("acme", "edr")), ("updated", (42, 40, 40)));
    assert_eq!((msp.write_requests(), msp.states("acme", "edr").await.as_str()), (1, "applied applied"));
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "held reversed");
}

#[tokio::test]
async fn a_reversal_that_nobody_saw_made_is_settled_by_the_next_run_and_held_as_reversed() {
    let (msp, run) = changed().await;
    msp.psa.plan_fault(When::EveryWrite, Fault::HangAfter);
    let asked = ask(&msp, &run, json!({"lines": [msp.line_id("acme", "edr")]})).await;
    msp.plan().await;
    // The job reads once before its write; nothing answers it after that.
    let job = msp.jobs().pop_front().unwrap();
    let working = msp.work(&job);
    let cut = async {
        while msp.changes().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        msp.psa.plan_fault(When::EveryRequest(Entity::ContractServiceUnits), Fault::error_before());
    };
    tokio::join!(async { working.await.unwrap() }, cut);
    let reversal = msp.see(asked.json["run_id"].as_str().unwrap()).await;
    assert_eq!(reversal.result("acme", "edr"), "unknown write_unsettled");
    assert_eq!(msp.states("acme", "edr").await, "applied unknown");
    msp.psa.clear_faults();
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "held reversed");
    assert_eq!((msp.write_requests(), msp.states("acme", "edr").await.as_str()), (1, "applied applied"));
    // Now it can be taken back in its turn.
    let back = reverse(&msp, &reversal, json!({})).await;
    assert_eq!((back.result("acme", "edr").as_str(), msp.units("acme", "edr")), ("updated", 42));
}

#[tokio::test]
async fn a_reversal_that_was_not_made_waits_like_any_other_write_and_can_be_asked_for_again() {
    let (msp, run) = changed().await;
    let lines = json!({"lines": [msp.line_id("acme", "edr")]});
    msp.psa.plan_fault(When::EveryWrite, Fault::ResetBefore);
    let reversal = reverse(&msp, &run, lines.clone()).await;
    assert_eq!(reversal.result("acme", "edr"), "unknown write_unsettled");
    msp.psa.clear_faults();
    // It may still be on its way.
    let waits = reverse(&msp, &run, lines.clone()).await;
    assert_eq!((waits.result("acme", "edr").as_str(), msp.write_requests()), ("unknown write_unsettled", 1));
    // What a run has sent can't be taken back before it is known.
    let early = reverse(&msp, &reversal, json!({})).await;
    assert_eq!(early.result("acme", "edr"), "unknown write_unsettled");
    msp.clock.advance(Settings::default().settle);
    let made = reverse(&msp, &run, lines).await;
    assert_eq!((made.result("acme", "edr").as_str(), msp.units("acme", "edr")), ("updated", 40));
    assert_eq!((msp.write_requests(), msp.states("acme", "edr").await.as_str()), (2, "applied rejected applied"));
    let nothing = reverse(&msp, &reversal, json!({})).await;
    assert_eq!(nothing.result("acme", "edr"), "skipped nothing_to_reverse");
    assert_eq!(msp.write_requests(), 2);
}

#[tokio::test]
async fn a_job_of_a_reversal_that_is_taken_up_again_writes_once() {
    let (msp, run) = changed().await;
    msp.psa.plan_fault(When::EveryWrite, Fault::HangAfter);
    let asked = ask(&msp, &run, json!({"lines": [msp.line_id("acme", "edr")]})).await;
    msp.plan().await;
    let job = msp.jobs().pop_front().unwrap();
    let (worker, dies) = (msp.parts.worker.clone(), job.clone());
    let working = tokio::spawn(async move { worker.work(&dies).await });
    while msp.changes().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    working.abort();
    assert!(working.await.unwrap_err().is_cancelled());
    assert_eq!(msp.states("acme", "edr").await, "applied sent");
    msp.clock.advance(SignedDuration::from_mins(17));
    msp.parts.another_worker(false).work(&job).await.unwrap();
    let reversal = msp.see(asked.json["run_id"].as_str().unwrap()).await;
    assert_eq!((reversal.result("acme", "edr").as_str(), reversal.numbers("acme", "edr")), ("updated", (42, 40, 40)));
    assert_eq!((msp.write_requests(), msp.states("acme", "edr").await.as_str()), (1, "applied applied"));
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "held reversed");
}

#[tokio::test]
async fn a_reversal_takes_nothing_over_from_a_run_of_all_lines() {
    let (msp, run) = changed().await;
    count(&msp, 42, 9).await;
    let whole = msp.ask("apply").await;
    msp.plan().await;
    let job = msp.jobs().pop_front().unwrap();
    msp.clock.advance(SignedDuration::from_secs(1));
    reverse(&msp, &run, json!({"lines": [msp.line_id("acme", "edr")]})).await;
    msp.work(&job).await.unwrap();
    let whole = msp.see(&whole).await;
    assert_eq!((whole.result("beta", "edr").as_str(), msp.units("beta", "edr")), ("updated", 9));
}

#[tokio::test]
async fn a_reversal_keeps_to_the_hours_requests() {
    let (msp, run) = changed().await;
    msp.psa.use_threshold(8_000);
    let none_left = reverse(&msp, &run, json!({})).await;
    assert_eq!((none_left.status(), none_left.view["code"].as_str()), ("failed", Some("budget_exhausted")));
    msp.clock.advance(SignedDuration::from_mins(61));
    // The run's own reads and one account's job of three requests fit, and no second job.
    msp.psa.use_threshold(8_000 - 7);
    let some = reverse(&msp, &run, json!({})).await;
    assert_eq!((some.status(), some.writes()), ("partial", 1));
    // What rises comes first.
    assert_eq!(json!(some.results()), json!({"acme/edr": "skipped budget_exhausted", "beta/edr": "updated"}));
}

#[tokio::test]
async fn only_the_lines_that_are_named_are_reversed() {
    let (msp, run) = changed().await;
    let reversal = reverse(&msp, &run, json!({"lines": [msp.line_id("beta", "edr")]})).await;
    assert_eq!(json!(reversal.results()), json!({"beta/edr": "updated"}));
    assert_eq!((msp.units("acme", "edr"), msp.units("beta", "edr"), msp.write_requests()), (42, 10, 1));
}

#[tokio::test]
async fn a_reversal_that_is_asked_for_wrongly_is_refused_and_says_why() {
    let (msp, run) = changed().await;
    let lines = json!({"lines": [msp.line_id("acme", "edr"), msp.line_id("acme", "itdr"), "1:2"]});
    insta::assert_json_snapshot!(ask(&msp, &run, lines).await.problem(), @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid in 2 places.",
      "errors": [
        {
          "detail": "is no line that this run changed",
          "pointer": "/lines/1"
        },
        {
          "detail": "is no line that this run changed",
          "pointer": "/lines/2"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    insta::assert_json_snapshot!(ask(&msp, &run, json!({"line": []})).await.problem(), @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /line: is not a field here.",
      "errors": [
        {
          "detail": "is not a field here",
          "pointer": "/line"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    insta::assert_json_snapshot!(ask(&msp, &run, json!({"lines": []})).await.problem(), @r#"
    {
      "code": "nothing_to_reverse",
      "detail": "This run changed no line, or none is named.",
      "errors": [],
      "fix": "Name lines that the run updated, or leave them out for all of them.",
      "request_id": "[request]",
      "status": 409,
      "title": "Nothing to reverse",
      "type": "/problems/nothing_to_reverse"
    }
    "#);
    let code = async |run: &Run, body: Value| {
        let answer = ask(&msp, run, body).await;
        (answer.status, answer.json["code"].as_str().unwrap_or_default().to_owned())
    };
    let many: Vec<String> = (0..2_001).map(|number| format!("1:{number}")).collect();
    assert_eq!(code(&run, json!({"lines": many})).await, (422, "invalid_request".to_owned()));
    let preview = msp.run("preview").await;
    assert_eq!(code(&preview, json!({})).await, (409, "nothing_to_reverse".to_owned()));
    let unchanged = msp.run("apply").await;
    assert_eq!(code(&unchanged, json!({})).await, (409, "nothing_to_reverse".to_owned()));
    let waiting = msp.see(&msp.ask("apply").await).await;
    assert_eq!(code(&waiting, json!({})).await, (409, "run_not_ended".to_owned()));
    msp.drain().await;
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (0, 42));
}

#[tokio::test]
async fn nothing_is_reversed_on_a_connection_that_is_off_in_shadow_mode_or_revoked() {
    let (msp, run) = changed().await;
    let code = async || {
        let answer = ask(&msp, &run, json!({})).await;
        (answer.status, answer.json["code"].as_str().unwrap_or_default().to_owned())
    };
    msp.patch(json!({"enabled": false})).await;
    assert_eq!(code().await, (409, "connection_off".to_owned()));
    msp.patch(json!({"enabled": true, "policy": {"shadow": true}})).await;
    assert_eq!(code().await, (409, "shadow".to_owned()));
    // Switched to shadow mode between the request and the job.
    msp.policy(json!({"shadow": false})).await;
    assert_eq!(ask(&msp, &run, json!({})).await.status, 202);
    msp.policy(json!({"shadow": true})).await;
    msp.drain().await;
    msp.done(Method::DELETE, &format!("/v1/connections/{}", msp.connection), None).await;
    assert_eq!(code().await, (409, "connection_revoked".to_owned()));
    assert_eq!((msp.write_requests(), msp.parts.wire.asked_for()), (0, 0));
}

#[tokio::test]
async fn another_partners_run_is_not_there_and_reading_does_not_suffice() {
    let (msp, run) = changed().await;
    let path = format!("/v1/runs/{}/reverse", run.id);
    let other = msp.call_as("suedwind", Method::POST, &path, Some(json!({}))).await;
    let nobody = msp.call(Method::POST, "/v1/runs/run_0/reverse", Some(json!({}))).await;
    assert_eq!((other.status, other.problem()), (404, nobody.problem()));
    let token = msp.parts.token(PARTNER, &[Scope::Read, Scope::Usage]);
    let reader = Answer::to(msp.parts.request(Method::POST, &path).bearer_auth(token).json(&json!({}))).await;
    assert_eq!(reader.status, 403);
    assert_eq!(Answer::to(msp.parts.request(Method::POST, &path).json(&json!({}))).await.status, 401);
    assert_eq!(msp.parts.wire.asked_for(), 0);
}

#[tokio::test]
async fn the_same_key_asks_for_one_reversal() {
    let (msp, run) = changed().await;
    let token = msp.parts.token(PARTNER, &[Scope::Write]);
    let ask = async |key: &str, body: Value| {
        let path = format!("/v1/runs/{}/reverse", run.id);
        let request = msp.parts.request(Method::POST, &path).bearer_auth(&token).header("idempotency-key", key);
        Answer::to(request.json(&body)).await
    };
    let (one, again) = (ask("k-1", json!({})).await, ask("k-1", json!({})).await);
    assert_eq!((one.status, again.status, &one.text), (202, 202, &again.text));
    assert_eq!(one.header("location"), format!("/v1/runs/{}", one.json["run_id"].as_str().unwrap()));
    assert_eq!(msp.parts.wire.asked_for(), 1);
    let other = ask("k-1", json!({"lines": [msp.line_id("acme", "edr")]})).await;
    assert!([409, 422].contains(&other.status), "{}", other.text);
    msp.drain().await;
    assert_eq!(msp.write_requests(), 2);
}
