//! Where a person decides: guards, drift, approval, preview and shadow mode.

use integration::msp::{Customer, Msp, Run, Setup};
use reqwest::Method;
use serde_json::{Value, json};

fn day(text: &str) -> jiff::civil::Date {
    text.parse().unwrap()
}

/// Three lines that were confirmed as they are.
async fn confirmed() -> Msp {
    let acme = Customer::named("acme").line("edr", 100).line("itdr", 10).line("sat", 50);
    let msp = Setup::of([acme]).start().await;
    msp.push(&[("acme", "edr", 100), ("acme", "itdr", 10), ("acme", "sat", 50)]).await;
    let run = msp.run("apply").await;
    assert_eq!(run.view["lines"]["unchanged"], 3);
    msp
}

/// A fall and a rise beyond the guards, and a change within them.
async fn guarded(msp: &Msp) -> Run {
    msp.push(&[("acme", "edr", 60), ("acme", "itdr", 40), ("acme", "sat", 51)]).await;
    let run = msp.run("apply").await;
    assert_eq!(
        json!(run.results()),
        json!({"acme/edr": "held fall_guard", "acme/itdr": "held rise_guard", "acme/sat": "updated"})
    );
    run
}

#[tokio::test]
async fn a_fall_and_a_rise_beyond_the_guards_are_held_and_nothing_else() {
    let msp = confirmed().await;
    let run = guarded(&msp).await;
    assert_eq!((run.status(), run.writes(), msp.changes().len()), ("succeeded", 1, 1));
    assert_eq!(run.line("acme", "edr")["explanation"], "From 100 to 60 is a fall of more than 30 % and 5 units.");
    assert_eq!((msp.units("acme", "edr"), msp.units("acme", "itdr")), (100, 10));
    // Held again, and nothing is made of it in the meantime.
    assert_eq!(msp.run("apply").await.view["lines"]["held"], 2);
    assert_eq!(msp.changes().len(), 1);
}

#[tokio::test]
async fn a_held_line_shows_all_that_a_planned_one_shows_and_how_to_let_it_go() {
    let msp = confirmed().await;
    msp.map_product(
        &msp.connection,
        "edr",
        json!({"service_id": msp.service("edr").to_string(), "rule": {"exclude": 2}}),
    )
    .await;
    msp.push(&[("acme", "edr", 62), ("acme", "itdr", 10), ("acme", "sat", 51)]).await;
    for mode in ["preview", "apply"] {
        let run = msp.run(mode).await;
        let line = run.line("acme", "edr");
        assert_eq!(run.result("acme", "edr"), "held fall_guard");
        assert_eq!(
            (&line["counted"], &line["before"], &line["target"], &line["difference"]),
            (&json!(62), &json!(100), &json!(60), &json!(-40))
        );
        assert_eq!((&line["effective_date"], &line["prorated"]), (&json!("2026-11-01"), &json!(false)));
        assert_eq!(line["rule"], "newest count 62 of 2026-11-21, excluding 2");
        assert_eq!(line["money"]["monthly_price"], "-200.00");
        assert_eq!((&line["approvable"], &line["after"]), (&json!(true), &Value::Null));
        assert!(line["fix"].as_str().unwrap().contains("approve the line"), "{line}");
    }
    // Of a posted period it is the day after; the rows in force alone would not tell.
    msp.psa.post_period(msp.contract("acme"), day("2026-11-21"));
    for mode in ["preview", "apply"] {
        assert_eq!(msp.run(mode).await.line("acme", "edr")["effective_date"], "2026-12-01", "{mode}");
    }
    // What was told is what is made.
    let run = msp.run("apply").await;
    let approved = msp.approve(&run, None).await;
    assert_eq!(approved.line("acme", "edr")["effective_date"], "2026-12-01");
    assert_eq!(msp.changes().last(), Some(&("2026-12-01".to_owned(), -40)));
}

#[tokio::test]
async fn nothing_can_be_approved_of_a_run_that_goes_on() {
    let msp = confirmed().await;
    msp.push(&[("acme", "edr", 62), ("acme", "itdr", 12), ("acme", "sat", 50)]).await;
    let id = msp.ask("apply").await;
    msp.plan().await;
    let approvable = |run: &Run| ["edr", "itdr"].map(|product| run.line("acme", product)["approvable"].clone());
    assert_eq!(approvable(&msp.see(&id).await), [json!(false), json!(false)]);
    msp.drain().await;
    assert_eq!(approvable(&msp.see(&id).await), [json!(true), json!(false)]);
}

#[tokio::test]
async fn a_company_that_is_absent_is_held_with_what_it_carries_and_no_approval_lowers_it() {
    let msp = confirmed().await;
    msp.map_company(&msp.connection, "acme", json!({"when_absent": "hold"})).await;
    msp.push(&[("other", "edr", 1), ("acme", "itdr", 10), ("acme", "sat", 50)]).await;
    let run = msp.run("apply").await;
    let line = run.line("acme", "edr");
    assert_eq!(run.result("acme", "edr"), "held company_absent");
    assert_eq!((&line["before"], &line["target"], &line["approvable"]), (&json!(100), &Value::Null, &json!(false)));
    let explanation = line["explanation"].as_str().unwrap();
    assert!(explanation.contains("its last count was 100 on 2026-11-21"), "{explanation}");
    assert!(explanation.ends_with("so there is no target to approve."), "{explanation}");
    assert!(line["fix"].as_str().unwrap().starts_with("Say how many there are"), "{line}");
    let path = format!("/v1/runs/{}/approve", run.id);
    let refused = msp.call(Method::POST, &path, Some(json!({"lines": [line["line_id"]]}))).await;
    assert_eq!(refused.status, 422, "{}", refused.json);
    // Taken as zero it is a fall like any other, and says what it is.
    msp.map_company(&msp.connection, "acme", json!({"when_absent": "zero"})).await;
    let run = msp.run("apply").await;
    let line = run.line("acme", "edr");
    assert_eq!((run.result("acme", "edr").as_str(), &line["target"]), ("held fall_guard", &json!(0)));
    let day = "is absent from the complete snapshot of edr of 2026-11-21 and its mapping takes that as zero";
    assert!(line["rule"].as_str().unwrap().contains(day), "{line}");
}

#[tokio::test]
async fn approving_a_run_makes_exactly_what_was_held() {
    let msp = confirmed().await;
    let run = guarded(&msp).await;
    msp.psa.reset_counts();
    let approved = msp.approve(&run, None).await;
    assert_eq!(json!(approved.results()), json!({"acme/edr": "updated", "acme/itdr": "updated"}));
    assert_eq!((msp.units("acme", "edr"), msp.units("acme", "itdr")), (60, 40));
    assert_eq!(msp.changes(), [("2026-11-01".to_owned(), -40), ("2026-11-01".to_owned(), 30)]);
    assert!(msp.run("apply").await.results().values().all(|result| result == "unchanged"));
    // Approving once more finds it done.
    assert_eq!(msp.approve(&run, None).await.view["lines"]["unchanged"], 2);
    assert_eq!(msp.write_requests(), 2);
}

#[tokio::test]
async fn approving_one_line_leaves_the_others_held() {
    let msp = confirmed().await;
    let run = guarded(&msp).await;
    let line = msp.line_id("acme", "itdr");
    let approved = msp.approve(&run, Some(&[&line])).await;
    assert_eq!(json!(approved.results()), json!({"acme/itdr": "updated"}));
    assert_eq!((msp.units("acme", "edr"), msp.units("acme", "itdr")), (100, 40));
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "held fall_guard");
}

#[tokio::test]
async fn an_approval_is_of_two_numbers_and_of_no_others() {
    // The count moved on.
    let msp = confirmed().await;
    let run = guarded(&msp).await;
    msp.push(&[("acme", "edr", 59), ("acme", "itdr", 40), ("acme", "sat", 51)]).await;
    let approved = msp.approve(&run, None).await;
    assert_eq!(json!(approved.results()), json!({"acme/edr": "held fall_guard", "acme/itdr": "updated"}));
    assert_eq!(msp.units("acme", "edr"), 100);
    // The PSA moved on.
    let msp = confirmed().await;
    let run = guarded(&msp).await;
    msp.edit("acme", "edr", day("2026-11-10"), 98);
    let approved = msp.approve(&run, None).await;
    assert_eq!(json!(approved.results()), json!({"acme/edr": "held drift", "acme/itdr": "updated"}));
    assert_eq!(msp.units("acme", "edr"), 98);
}

#[tokio::test]
async fn the_first_write_on_a_line_takes_a_rise_of_any_size_and_guards_a_fall() {
    let msp = Setup::of([Customer::named("acme").line("edr", 0).line("itdr", 100)]).start().await;
    msp.push(&[("acme", "edr", 500), ("acme", "itdr", 10)]).await;
    let run = msp.run("apply").await;
    assert_eq!(json!(run.results()), json!({"acme/edr": "updated", "acme/itdr": "held fall_guard"}));
}

#[tokio::test]
async fn guards_are_settable() {
    let msp = confirmed().await;
    msp.policy(json!({"guards": {"fall_percent": 50, "rise_units": 30}})).await;
    msp.push(&[("acme", "edr", 60), ("acme", "itdr", 40), ("acme", "sat", 51)]).await;
    assert_eq!(msp.run("apply").await.view["lines"]["updated"], 3);
}

#[tokio::test]
async fn what_a_person_edited_is_held_or_overwritten_as_the_policy_says() {
    let msp = confirmed().await;
    msp.edit("acme", "sat", day("2026-11-10"), 53);
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "sat"), "held drift");
    assert_eq!(run.line("acme", "sat")["explanation"], "The PSA shows 53 on 2026-11-21; we last confirmed 50.");
    assert_eq!(msp.units("acme", "sat"), 53);
    msp.push(&[("acme", "edr", 100), ("acme", "itdr", 10), ("acme", "sat", 55)]).await;
    assert_eq!(msp.run("apply").await.result("acme", "sat"), "held drift");
    msp.policy(json!({"drift": "overwrite"})).await;
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "sat").as_str(), run.numbers("acme", "sat")), ("updated", (53, 55, 55)));
    assert_eq!(msp.units("acme", "sat"), 55);
    // The edit's own days stay as the person made them.
    assert_eq!(
        (msp.units_on("acme", "sat", day("2026-11-09")), msp.units_on("acme", "sat", day("2026-11-10"))),
        (50, 53)
    );
}

#[tokio::test]
async fn drift_that_a_person_approves_is_written() {
    let msp = confirmed().await;
    msp.edit("acme", "sat", day("2026-11-10"), 53);
    let run = msp.run("apply").await;
    let approved = msp.approve(&run, None).await;
    assert_eq!(json!(approved.results()), json!({"acme/sat": "updated"}));
    assert_eq!(msp.units("acme", "sat"), 50);
    assert!(msp.run("apply").await.results().values().all(|result| result == "unchanged"));
}

#[tokio::test]
async fn a_persons_edit_to_the_very_target_is_adopted() {
    let msp = confirmed().await;
    msp.push(&[("acme", "edr", 100), ("acme", "itdr", 10), ("acme", "sat", 55)]).await;
    msp.edit("acme", "sat", day("2026-11-10"), 55);
    assert_eq!(msp.run("apply").await.result("acme", "sat"), "unchanged");
    assert_eq!(msp.history("acme", "sat").await.confirmed.unwrap().units.get(), 55);
    msp.push(&[("acme", "edr", 100), ("acme", "itdr", 10), ("acme", "sat", 56)]).await;
    assert_eq!(msp.run("apply").await.result("acme", "sat"), "updated");
    assert_eq!((msp.units("acme", "sat"), msp.write_requests()), (56, 1));
}

#[tokio::test]
async fn a_change_that_a_person_dated_ahead_is_not_shifted() {
    let msp = confirmed().await;
    msp.edit("acme", "sat", day("2026-12-01"), 80);
    msp.push(&[("acme", "edr", 100), ("acme", "itdr", 10), ("acme", "sat", 55)]).await;
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "sat"), "held later_change");
    assert_eq!((msp.units("acme", "sat"), msp.units_on("acme", "sat", day("2026-12-01"))), (50, 80));
}

fn decision(line: &Value) -> Value {
    json!([line["line_id"], line["before"], line["target"], line["effective_date"], line["explanation"], line["feeds"]])
}

#[tokio::test]
async fn a_preview_writes_nothing_and_shows_what_apply_then_does() {
    let acme = Customer::named("acme").line("edr", 100).line("itdr", 10).line("sat", 50);
    let msp = Setup::of([acme, Customer::named("beta").line("edr", 3)]).start().await;
    msp.edit("acme", "sat", day("2026-11-10"), 49);
    msp.push(&[("acme", "edr", 99), ("acme", "itdr", 10), ("acme", "sat", 51), ("beta", "edr", 4)]).await;
    msp.psa.reset_counts();
    let preview = msp.run("preview").await;
    assert_eq!(
        json!(preview.results()),
        json!({"acme/edr": "planned", "acme/itdr": "unchanged", "acme/sat": "planned", "beta/edr": "planned"})
    );
    assert_eq!((preview.status(), preview.writes(), msp.write_requests()), ("succeeded", 0, 0));
    assert_eq!(preview.view["psa_requests"], msp.psa.request_count());
    for product in ["edr", "itdr", "sat"] {
        assert_eq!(msp.history("acme", product).await, Default::default(), "{product}: a preview leaves no trace");
        assert_eq!(msp.states("acme", product).await, "");
    }
    let applied = msp.run("apply").await;
    assert_eq!(applied.view["lines"]["updated"], 3);
    let sorted = |run: &Run| {
        let mut decisions: Vec<String> = run.lines.iter().map(|line| decision(line).to_string()).collect();
        decisions.sort();
        decisions
    };
    assert_eq!(sorted(&preview), sorted(&applied));
    assert!(preview.lines.iter().all(|line| line["status"] == "unchanged" || line["after"].is_null()));
}

#[tokio::test]
async fn an_approved_preview_is_applied() {
    let msp = confirmed().await;
    msp.push(&[("acme", "edr", 60), ("acme", "itdr", 10), ("acme", "sat", 51)]).await;
    let preview = msp.run("preview").await;
    assert_eq!(
        json!(preview.results()),
        json!({"acme/edr": "held fall_guard", "acme/itdr": "unchanged", "acme/sat": "planned"})
    );
    let approved = msp.approve(&preview, None).await;
    assert_eq!(json!(approved.results()), json!({"acme/edr": "updated", "acme/sat": "updated"}));
    assert_eq!((msp.units("acme", "edr"), msp.units("acme", "sat")), (60, 51));
}

#[tokio::test]
async fn a_preview_runs_while_the_connection_is_off_and_apply_does_not() {
    let msp = confirmed().await;
    msp.patch(json!({"enabled": false})).await;
    msp.push(&[("acme", "edr", 101), ("acme", "itdr", 10), ("acme", "sat", 50)]).await;
    let preview = msp.run("preview").await;
    assert_eq!(preview.result("acme", "edr"), "planned");
    let path = format!("/v1/connections/{}/runs", msp.connection);
    let refused = msp.call(Method::POST, &path, Some(json!({"mode": "apply"}))).await;
    assert_eq!((refused.status, refused.json["code"].as_str()), (409, Some("connection_off")));
    let refused = msp.call(Method::POST, &format!("/v1/runs/{}/approve", preview.id), Some(json!({}))).await;
    assert_eq!((refused.status, refused.json["code"].as_str()), (409, Some("connection_off")));
    assert_eq!(msp.write_requests(), 0);
}

#[tokio::test]
async fn shadow_mode_shows_every_change_and_never_writes_one() {
    let msp = confirmed().await;
    msp.policy(json!({"shadow": true})).await;
    msp.push(&[("acme", "edr", 60), ("acme", "itdr", 11), ("acme", "sat", 51)]).await;
    let run = msp.run("apply").await;
    assert_eq!(
        json!(run.results()),
        json!({"acme/edr": "held fall_guard", "acme/itdr": "planned shadow", "acme/sat": "planned shadow"})
    );
    assert_eq!((run.writes(), msp.write_requests()), (0, 0));
    // Nothing comes of an approval there, so none is taken: not even the first run's.
    let approve = format!("/v1/runs/{}/approve", run.id);
    for lines in [json!({}), json!({"lines": [msp.line_id("acme", "sat")]})] {
        let refused = msp.call(Method::POST, &approve, Some(lines)).await.problem();
        assert_eq!((refused["status"].as_u64(), refused["code"].as_str()), (Some(409), Some("shadow")));
        assert_eq!(refused["fix"], "End shadow mode in the connection's policy.");
    }
    assert_eq!((msp.parts.wire.asked_for(), msp.write_requests()), (0, 0));
    let connection = msp.done(Method::GET, &format!("/v1/connections/{}", msp.connection), None).await;
    assert_eq!(connection["first_run_approved_at"], Value::Null);
    assert_eq!(msp.states("acme", "sat").await, "");
    msp.policy(json!({"shadow": false})).await;
    assert_eq!(msp.run("apply").await.view["lines"]["updated"], 2);
}

#[tokio::test]
async fn under_approval_always_every_change_waits() {
    let msp = confirmed().await;
    msp.policy(json!({"approval": "always"})).await;
    for count in [51, 52] {
        msp.push(&[("acme", "edr", 100), ("acme", "itdr", 10), ("acme", "sat", count)]).await;
        let run = msp.run("apply").await;
        assert_eq!(
            json!(run.results()),
            json!({"acme/edr": "unchanged", "acme/itdr": "unchanged", "acme/sat": "held approval_needed"})
        );
        assert_eq!(msp.units("acme", "sat"), i64::from(count) - 1);
        assert_eq!(json!(msp.approve(&run, None).await.results()), json!({"acme/sat": "updated"}));
        assert_eq!(msp.units("acme", "sat"), i64::from(count));
    }
}

#[tokio::test]
async fn under_approval_of_the_first_run_changes_wait_until_one_was_made() {
    let msp =
        Setup::of([Customer::named("acme").line("edr", 10)]).policy(json!({"approval": "first_run"})).start().await;
    msp.push(&[("acme", "edr", 11)]).await;
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "edr"), "held approval_needed");
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "held approval_needed");
    assert_eq!(msp.write_requests(), 0);
    let connection = format!("/v1/connections/{}", msp.connection);
    let policy = async || {
        let preflight = msp.done(Method::GET, &format!("{connection}/preflight"), None).await;
        preflight["items"].as_array().unwrap().iter().find(|item| item["check"] == "policy").unwrap().clone()
    };
    let approved_at = async || msp.done(Method::GET, &connection, None).await["first_run_approved_at"].clone();
    assert_eq!((policy().await["code"].as_str(), approved_at().await), (Some("first_run_not_approved"), Value::Null));
    assert_eq!(msp.approve(&run, None).await.result("acme", "edr"), "updated");
    assert_eq!(approved_at().await, msp.clock.time().to_string());
    let passed = policy().await;
    let told = passed["explanation"].as_str().unwrap();
    assert!(passed["status"] == "ok" && told.starts_with("The first run was approved on 2026-11-21 1"), "{passed}");
    // What is approved later on is not the first run.
    let first = approved_at().await;
    msp.clock.advance(jiff::SignedDuration::from_hours(1));
    msp.approve(&run, None).await;
    assert_eq!(approved_at().await, first);
    msp.push(&[("acme", "edr", 12)]).await;
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
    assert_eq!(msp.units("acme", "edr"), 12);
}
