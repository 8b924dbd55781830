//! Findings: opened once, resolved by a person, gone when the thing is gone; and what resolving one lets the next run do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use integration::PARTNER;
use integration::msp::{Customer, Msp, Run, Setup};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::domain::finding::{Finding, Next, Noticed, Subject, Word};
use shared::domain::reason::{Code, Reason};
use shared::faults::{Hook, Point, Side, Struck};
use shared::sync::Settings;
use simulators::autotask::{Fault, When};

fn settle() -> SignedDuration {
    Settings::default().settle
}

fn day(text: &str) -> jiff::civil::Date {
    text.parse().unwrap()
}

/// Two lines that were confirmed as they are.
async fn confirmed() -> Msp {
    let msp = Setup::of([Customer::named("acme").line("edr", 100).line("sat", 50)]).start().await;
    counts(&msp, 100, 50).await;
    assert_eq!(msp.run("apply").await.view["lines"]["unchanged"], 2);
    assert_eq!(found(&msp, "open").await.len(), 0);
    msp
}

async fn counts(msp: &Msp, edr: u32, sat: u32) {
    msp.push(&[("acme", "edr", edr), ("acme", "sat", sat)]).await;
}

async fn sync(msp: &Msp) -> Run {
    msp.clock.advance(SignedDuration::from_secs(1));
    msp.run("apply").await
}

async fn found(msp: &Msp, status: &str) -> Vec<Value> {
    let path = format!("/v1/connections/{}/findings?status={status}", msp.connection);
    msp.done(Method::GET, &path, None).await["items"].as_array().unwrap().clone()
}

/// The open findings, as `product code`.
async fn open(msp: &Msp) -> Vec<String> {
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap_or("?").to_owned();
    let brief = |finding: &Value| format!("{} {}", text(finding, "product"), text(finding, "code"));
    let mut all: Vec<String> = found(msp, "open").await.iter().map(brief).collect();
    all.sort();
    all
}

/// Those that are about a line or a contract, and not about usage.
fn of_lines(all: Vec<Value>) -> Vec<Value> {
    all.into_iter().filter(|finding| finding["contract_id"].is_string()).collect()
}

async fn only(msp: &Msp, status: &str) -> Value {
    let all = of_lines(found(msp, status).await);
    assert_eq!(all.len(), 1, "{all:#?}");
    all[0].clone()
}

async fn resolve(msp: &Msp, finding: &Value) -> integration::Answer {
    let path = format!("/v1/findings/{}/resolve", finding["id"].as_str().unwrap());
    msp.call(Method::POST, &path, Some(json!({"note": "looked at"}))).await
}

async fn resolved(msp: &Msp, finding: &Value) -> Value {
    let answer = resolve(msp, finding).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json
}

#[tokio::test]
async fn a_held_change_is_one_finding_however_often_it_is_held() {
    let msp = confirmed().await;
    counts(&msp, 60, 50).await;
    let run = sync(&msp).await;
    let first = only(&msp, "open").await;
    assert_eq!(
        (first["code"].as_str(), first["status"].as_str(), first["line_id"].as_str()),
        (Some("fall_guard"), Some("open"), Some(msp.line_id("acme", "edr").as_str()))
    );
    assert_eq!((first["before"].as_i64(), first["target"].as_i64()), (Some(100), Some(60)));
    assert_eq!((first["company_name"].as_str(), first["run_id"].as_str()), (Some("Acme"), Some(run.id.as_str())));
    for field in ["explanation", "fix"] {
        assert_eq!(first[field], run.line("acme", "edr")[field]);
    }
    for _ in 0..2 {
        sync(&msp).await;
        assert_eq!(only(&msp, "open").await, first, "noticed again, and nothing is new");
    }
    // Another count is the same finding with other numbers.
    counts(&msp, 59, 50).await;
    let run = sync(&msp).await;
    let next = only(&msp, "open").await;
    assert_eq!((&next["id"], &next["opened_at"]), (&first["id"], &first["opened_at"]));
    assert_eq!((next["target"].as_i64(), next["run_id"].as_str()), (Some(59), Some(run.id.as_str())));
    assert!(found(&msp, "closed").await.is_empty());
}

#[tokio::test]
async fn approving_a_held_change_makes_its_finding_gone() {
    let msp = confirmed().await;
    counts(&msp, 60, 50).await;
    let run = sync(&msp).await;
    assert_eq!(open(&msp).await, ["edr fall_guard"]);
    assert_eq!(msp.approve(&run, None).await.result("acme", "edr"), "updated");
    assert!(found(&msp, "open").await.is_empty());
    let closed = only(&msp, "closed").await;
    assert_eq!((closed["closed_because"].as_str(), closed["resolved_at"].is_null()), (Some("gone"), true));
    assert!(closed["closed_at"].is_string());
}

#[tokio::test]
async fn a_change_that_feeds_were_taken_from_can_be_approved_as_its_finding_says() {
    let msp = Setup::of([Customer::named("acme").line("edr", 15), Customer::named("acme-labs").joined_to("acme")])
        .start()
        .await;
    msp.push(&[("acme", "edr", 10), ("acme-labs", "edr", 5)]).await;
    sync(&msp).await;
    msp.done(Method::DELETE, &format!("/v1/connections/{}/companies/acme-labs", msp.connection), None).await;
    let run = sync(&msp).await;
    assert_eq!(
        (run.result("acme", "edr").as_str(), open(&msp).await.as_slice()),
        ("held feeds_fewer", ["edr company_not_mapped".to_owned(), "edr feeds_fewer".to_owned()].as_slice())
    );
    assert_eq!(msp.approve(&run, None).await.result("acme", "edr"), "updated");
    assert_eq!((msp.units("acme", "edr"), open(&msp).await.len()), (10, 1));
}

#[tokio::test]
async fn a_resolved_held_change_stays_resolved_while_its_numbers_are_the_same_and_opens_again_with_others() {
    let msp = confirmed().await;
    counts(&msp, 60, 50).await;
    sync(&msp).await;
    let finding = resolved(&msp, &only(&msp, "open").await).await;
    assert_eq!(
        (
            finding["status"].as_str(),
            finding["note"].as_str(),
            finding["resolved_by"].as_str().is_some_and(|by| !by.is_empty())
        ),
        (Some("resolved"), Some("looked at"), true)
    );
    for _ in 0..2 {
        assert_eq!(sync(&msp).await.result("acme", "edr"), "held fall_guard", "it is left, not made");
        assert!(found(&msp, "open").await.is_empty());
        assert_eq!(only(&msp, "resolved").await, finding);
    }
    counts(&msp, 59, 50).await;
    sync(&msp).await;
    let again = only(&msp, "open").await;
    assert_eq!((&again["id"], again["target"].as_i64()), (&finding["id"], Some(59)));
    assert!(again["opened_at"] != finding["opened_at"] && again["resolved_at"].is_null());
    let closed = only(&msp, "closed").await;
    assert_eq!((closed["closed_because"].as_str(), closed["target"].as_i64()), (Some("resolved"), Some(60)));
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (0, 100));
}

#[tokio::test]
async fn resolving_twice_answers_the_same_and_changes_nothing() {
    let msp = confirmed().await;
    counts(&msp, 60, 50).await;
    sync(&msp).await;
    let finding = only(&msp, "open").await;
    let first = resolved(&msp, &finding).await;
    let history = msp.history("acme", "edr").await;
    msp.clock.advance(SignedDuration::from_secs(5));
    assert_eq!(resolved(&msp, &finding).await, first);
    assert_eq!(msp.history("acme", "edr").await, history);
    // Over meanwhile: the answer says so.
    counts(&msp, 100, 50).await;
    sync(&msp).await;
    let over = resolved(&msp, &finding).await;
    assert_eq!((over["status"].as_str(), &over["resolved_at"]), (Some("closed"), &first["resolved_at"]));
}

async fn unexplained() -> Msp {
    let msp = Setup::of([Customer::named("acme").line("edr", 40)]).patience(Duration::from_millis(300)).start().await;
    msp.psa.plan_fault(When::Write(1), Fault::ResetBefore);
    msp.push(&[("acme", "edr", 42)]).await;
    assert_eq!(sync(&msp).await.result("acme", "edr"), "unknown write_unsettled");
    msp.edit("acme", "edr", day("2026-11-01"), 44);
    assert_eq!(sync(&msp).await.result("acme", "edr"), "unknown write_unexplained");
    assert_eq!(open(&msp).await, ["edr write_unexplained"]);
    msp
}

#[tokio::test]
async fn a_write_that_may_be_on_its_way_is_not_given_up() {
    let msp = unexplained().await;
    let finding = only(&msp, "open").await;
    let before = msp.history("acme", "edr").await;
    let problem = resolve(&msp, &finding).await;
    assert_eq!(problem.status, 409, "{}", problem.text);
    assert_eq!(problem.json["code"], "write_may_be_on_its_way");
    let sent = jiff::Timestamp::from_second(msp.intents("acme", "edr").await[0].sent_at.unwrap()).unwrap();
    let until = sent.checked_add(settle()).unwrap();
    assert!(problem.json["detail"].as_str().unwrap().contains(&until.to_string()), "{}", problem.text);
    assert_eq!((msp.history("acme", "edr").await, msp.states("acme", "edr").await.as_str()), (before, "unknown"));
    assert_eq!(only(&msp, "open").await, finding);
    msp.clock.set(&until.checked_sub(SignedDuration::from_secs(1)).unwrap().to_string());
    assert_eq!(resolve(&msp, &finding).await.status, 409);
    msp.clock.set(&until.to_string());
    assert_eq!(resolve(&msp, &finding).await.status, 200);
}

#[tokio::test]
async fn after_an_unexplained_write_is_resolved_the_next_run_goes_on_from_what_the_psa_shows_and_writes_once() {
    let msp = unexplained().await;
    msp.clock.advance(settle());
    assert_eq!((msp.write_requests(), sync(&msp).await.writes()), (1, 0));
    let finding = only(&msp, "open").await;
    assert_eq!(resolved(&msp, &finding).await["status"], "resolved");
    let history = msp.history("acme", "edr").await;
    assert_eq!((history.open, history.confirmed, history.revision), (None, None, 1));
    let intents = msp.intents("acme", "edr").await;
    assert_eq!(intents[0].code.as_deref(), Some("resolved_by_person"));
    assert!(intents[0].settled_at.is_some());
    assert_eq!((msp.states("acme", "edr").await.as_str(), msp.write_requests()), ("rejected", 1));
    let run = sync(&msp).await;
    assert_eq!((run.result("acme", "edr").as_str(), run.numbers("acme", "edr")), ("updated", (44, 42, 42)));
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (2, 42));
    assert_eq!(msp.states("acme", "edr").await, "rejected applied");
    assert!(found(&msp, "open").await.is_empty() && found(&msp, "resolved").await.is_empty());
    assert_eq!(sync(&msp).await.result("acme", "edr"), "unchanged");
    assert_eq!(msp.write_requests(), 2);
}

#[tokio::test]
async fn a_line_whose_write_was_given_up_is_left_alone_where_the_psa_shows_the_target() {
    let msp = unexplained().await;
    msp.clock.advance(settle());
    resolved(&msp, &only(&msp, "open").await).await;
    msp.edit("acme", "edr", day("2026-11-01"), 42);
    assert_eq!(sync(&msp).await.result("acme", "edr"), "unchanged");
    assert_eq!((msp.write_requests(), msp.states("acme", "edr").await.as_str()), (1, "rejected"));
}

#[tokio::test]
async fn nothing_is_resolved_while_a_worker_has_the_account() {
    let msp = unexplained().await;
    msp.clock.advance(settle());
    let finding = only(&msp, "open").await;
    let (ledger, of) = (&msp.parts.worker_parts.ledger, msp.tenancy());
    let account = msp.account("acme").to_string().parse().unwrap();
    let lease = ledger.lease(&of, &account, msp.clock.time()).await.unwrap().unwrap();
    let busy = resolve(&msp, &finding).await;
    assert_eq!((busy.status, busy.json["code"].as_str()), (409, Some("line_busy")));
    assert_eq!((msp.states("acme", "edr").await.as_str(), open(&msp).await.len()), ("unknown", 1));
    ledger.release(&lease).await.unwrap();
    resolved(&msp, &finding).await;
    // The lease that resolving took is free again.
    assert!(ledger.lease(&of, &account, msp.clock.time()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_late_worker_can_not_settle_what_a_person_gave_up() {
    let msp = unexplained().await;
    msp.clock.advance(settle());
    let (ledger, of, now) = (&msp.parts.worker_parts.ledger, msp.tenancy(), msp.clock.time());
    let account = msp.account("acme").to_string().parse().unwrap();
    let late = ledger.lease(&of, &account, now).await.unwrap().unwrap();
    let (intent, history) = (msp.intents("acme", "edr").await.remove(0), msp.history("acme", "edr").await);
    ledger.release(&late).await.unwrap();
    resolved(&msp, &only(&msp, "open").await).await;
    for outcome in [shared::ledger::Outcome::Applied, shared::ledger::Outcome::Rejected("late".into())] {
        assert!(!ledger.settle(&of, &late, &[((&intent, outcome), &history)], now).await.unwrap());
    }
    assert_eq!(msp.states("acme", "edr").await, "rejected");
}

#[tokio::test]
async fn a_finding_that_says_something_else_by_now_is_not_resolved_unseen() {
    let msp = unexplained().await;
    let finding = only(&msp, "open").await;
    msp.clock.advance(settle());
    let path = format!("/v1/findings/{}/resolve", finding["id"].as_str().unwrap());
    let other = json!({"seen_at": "2026-11-01T00:00:00Z"});
    let refused = msp.call(Method::POST, &path, Some(other)).await;
    assert_eq!((refused.status, &refused.json["code"]), (409, &json!("finding_changed")));
    assert_eq!(msp.states("acme", "edr").await, "unknown");
    let seen = json!({"seen_at": finding["seen_at"]});
    assert_eq!(msp.call(Method::POST, &path, Some(seen)).await.status, 200);
}

#[tokio::test]
async fn a_drift_that_is_resolved_is_taken_as_the_starting_point() {
    let msp = confirmed().await;
    msp.edit("acme", "sat", day("2026-11-10"), 53);
    assert_eq!(sync(&msp).await.result("acme", "sat"), "held drift");
    let finding = only(&msp, "open").await;
    resolved(&msp, &finding).await;
    let history = msp.history("acme", "sat").await;
    assert_eq!((history.confirmed, history.revision), (None, 1));
    let run = sync(&msp).await;
    assert_eq!((run.result("acme", "sat").as_str(), run.numbers("acme", "sat")), ("updated", (53, 50, 50)));
    assert_eq!((msp.write_requests(), open(&msp).await.len()), (1, 0));
    assert_eq!(sync(&msp).await.result("acme", "sat"), "unchanged");
}

#[tokio::test]
async fn a_line_whose_drift_is_resolved_is_still_judged_on_the_day_of_a_change_of_ours_that_is_to_come() {
    let msp = confirmed().await;
    msp.psa.post_period(msp.contract("acme"), day("2026-11-21"));
    counts(&msp, 100, 52).await;
    assert_eq!(sync(&msp).await.line("acme", "sat")["effective_date"], "2026-12-01");
    msp.edit("acme", "sat", day("2026-12-01"), 57);
    counts(&msp, 100, 60).await;
    assert_eq!(sync(&msp).await.result("acme", "sat"), "held drift");
    resolved(&msp, &only(&msp, "open").await).await;
    let run = sync(&msp).await;
    assert_eq!(run.result("acme", "sat"), "updated");
    assert_eq!(run.line("acme", "sat")["effective_date"], "2026-12-02");
    assert_eq!(msp.units_on("acme", "sat", day("2026-12-02")), 60);
}

#[tokio::test]
async fn another_reason_takes_the_place_of_the_one_before() {
    let msp = confirmed().await;
    counts(&msp, 100, 20).await;
    sync(&msp).await;
    assert_eq!(open(&msp).await, ["sat fall_guard"]);
    msp.edit("acme", "sat", day("2026-11-10"), 53);
    sync(&msp).await;
    assert_eq!(open(&msp).await, ["sat drift"]);
    assert_eq!(only(&msp, "closed").await["code"], "fall_guard");
}

#[tokio::test]
async fn a_line_that_failed_is_found_until_it_is_repaired() {
    let msp = confirmed().await;
    msp.psa.plan_fault(
        When::EveryWrite,
        Fault::answer(500, r#"{"errors":["The logged in Resource does not have the adequate permissions to create this entity type."]}"#),
    );
    counts(&msp, 101, 50).await;
    assert_eq!(sync(&msp).await.result("acme", "edr"), "failed psa_permission_missing");
    assert_eq!(open(&msp).await, ["edr psa_permission_missing"]);
    // Said to be repaired, and is not.
    resolved(&msp, &only(&msp, "open").await).await;
    sync(&msp).await;
    assert_eq!(open(&msp).await, ["edr psa_permission_missing"]);
    msp.psa.clear_faults();
    assert_eq!(sync(&msp).await.result("acme", "edr"), "updated");
    assert!(found(&msp, "open").await.is_empty() && found(&msp, "resolved").await.is_empty());
    assert_eq!(found(&msp, "closed").await.len(), 2);
}

#[tokio::test]
async fn a_preview_opens_nothing_and_closes_nothing() {
    let msp = confirmed().await;
    counts(&msp, 60, 50).await;
    assert_eq!(msp.run("preview").await.result("acme", "edr"), "held fall_guard");
    assert!(found(&msp, "open").await.is_empty());
    sync(&msp).await;
    counts(&msp, 100, 50).await;
    assert_eq!(msp.run("preview").await.result("acme", "edr"), "unchanged");
    assert_eq!(open(&msp).await, ["edr fall_guard"]);
    sync(&msp).await;
    assert!(found(&msp, "open").await.is_empty());
}

#[tokio::test]
async fn a_run_in_shadow_mode_finds_what_another_would() {
    let msp = confirmed().await;
    msp.policy(json!({"shadow": true})).await;
    counts(&msp, 60, 51).await;
    sync(&msp).await;
    assert_eq!(open(&msp).await, ["edr fall_guard"]);
}

#[tokio::test]
async fn a_run_that_could_not_look_changes_no_finding() {
    let msp = confirmed().await;
    counts(&msp, 60, 50).await;
    sync(&msp).await;
    let finding = only(&msp, "open").await;
    msp.psa.plan_fault(When::EveryRequest(simulators::autotask::Entity::Contracts), Fault::answer(503, ""));
    assert_eq!(sync(&msp).await.status(), "failed");
    assert_eq!(only(&msp, "open").await, finding);
}

#[tokio::test]
async fn a_job_that_is_done_twice_says_the_same_twice() {
    let msp = unexplained().await;
    msp.clock.advance(settle());
    msp.ask("apply").await;
    msp.plan().await;
    let job = msp.jobs().pop_front().unwrap();
    msp.work(&job).await.unwrap();
    let first = (found(&msp, "open").await, found(&msp, "closed").await);
    msp.work(&job).await.unwrap();
    assert_eq!((found(&msp, "open").await, found(&msp, "closed").await), first);
}

#[tokio::test]
async fn a_line_that_nothing_is_mapped_to_any_more_takes_its_findings_along() {
    let msp = confirmed().await;
    counts(&msp, 60, 20).await;
    sync(&msp).await;
    assert_eq!(open(&msp).await, ["edr fall_guard", "sat fall_guard"]);
    msp.done(Method::DELETE, &format!("/v1/connections/{}/products/sat", msp.connection), None).await;
    sync(&msp).await;
    assert_eq!(open(&msp).await, ["? line_without_feed", "edr fall_guard", "sat product_not_mapped"]);
    // Nor does anything stay when nothing at all is mapped, but that the units are still there.
    msp.done(Method::DELETE, &format!("/v1/connections/{}/companies/acme", msp.connection), None).await;
    sync(&msp).await;
    assert_eq!(open(&msp).await, ["? company_not_mapped", "? line_without_feed", "? line_without_feed"]);
}

#[tokio::test]
async fn a_run_of_some_companies_leaves_the_findings_of_the_others() {
    let msp =
        Setup::of([Customer::named("acme").line("edr", 100), Customer::named("beta").line("edr", 100)]).start().await;
    msp.push(&[("acme", "edr", 10), ("beta", "edr", 10)]).await;
    sync(&msp).await;
    assert_eq!(open(&msp).await.len(), 2);
    msp.push(&[("acme", "edr", 100), ("beta", "edr", 100)]).await;
    let path = format!("/v1/connections/{}/runs", msp.connection);
    msp.done(Method::POST, &path, Some(json!({"mode": "apply", "companies": ["acme"]}))).await;
    msp.drain().await;
    assert_eq!(only(&msp, "open").await["company"], "beta");
}

#[tokio::test]
async fn an_open_write_of_a_line_that_nothing_reaches_any_more_stays_visible_until_a_person_resolves_it() {
    for resource in ["companies/acme", "products/edr"] {
        let msp = unexplained().await;
        let finding = only(&msp, "open").await;
        msp.done(Method::DELETE, &format!("/v1/connections/{}/{resource}", msp.connection), None).await;
        for _ in 0..2 {
            sync(&msp).await;
            let still = only(&msp, "open").await;
            assert_eq!((&still["id"], &still["company"]), (&finding["id"], &finding["company"]), "{resource}");
            assert!(still["explanation"].as_str().unwrap().contains("mapping is gone"), "{still}");
        }
        assert_eq!(resolve(&msp, &finding).await.json["code"], "write_may_be_on_its_way", "{resource}");
        msp.clock.advance(settle());
        resolved(&msp, &finding).await;
        sync(&msp).await;
        assert!(
            of_lines(found(&msp, "open").await).is_empty() && found(&msp, "resolved").await.is_empty(),
            "{resource}"
        );
        assert_eq!((msp.states("acme", "edr").await.as_str(), msp.write_requests()), ("rejected", 1), "{resource}");
    }
}

#[tokio::test]
async fn an_open_write_that_no_finding_told_of_is_found_when_its_mapping_is_gone() {
    let msp = Setup::of([Customer::named("acme").line("edr", 40)]).patience(Duration::from_millis(300)).start().await;
    msp.psa.plan_fault(When::Write(1), Fault::ResetBefore);
    msp.push(&[("acme", "edr", 42)]).await;
    msp.ask("apply").await;
    msp.plan().await;
    let job = msp.jobs().pop_front().unwrap();
    let (ledger, of, now) = (&msp.parts.worker_parts.ledger, msp.tenancy(), msp.clock.time());
    msp.work(&job).await.unwrap();
    // The worker sent, and could not store what it has to say.
    let finding = only(&msp, "open").await;
    let findings = &msp.parts.worker_parts.findings;
    let connection = connection(&msp).await;
    let fingerprint = finding["id"].as_str().unwrap().rsplit_once('.').unwrap().1;
    let stored = findings.get(&connection, fingerprint).await.unwrap().unwrap();
    let next = Next::Closes(Box::new(stored.clone()));
    assert!(findings.step(&connection, Some(&stored), &next).await.unwrap());
    msp.done(Method::DELETE, &format!("/v1/connections/{}/companies/acme", msp.connection), None).await;
    sync(&msp).await;
    let told = only(&msp, "open").await;
    assert_eq!(
        (told["code"].as_str(), told["before"].as_i64(), told["target"].as_i64()),
        (Some("write_unsettled"), Some(40), Some(42))
    );
    // It names no account, and is resolved under the lease of the account that was written.
    assert!(told["account_id"].is_null());
    msp.clock.advance(settle());
    let account = msp.account("acme").to_string().parse().unwrap();
    let lease = ledger.lease(&of, &account, now).await.unwrap().unwrap();
    assert_eq!(resolve(&msp, &told).await.json["code"], "line_busy");
    ledger.release(&lease).await.unwrap();
    resolved(&msp, &told).await;
    assert_eq!(msp.states("acme", "edr").await, "rejected");
}

async fn connection(msp: &Msp) -> shared::store::connections::Connection {
    let (partner, id) = (PARTNER.parse().unwrap(), msp.connection.parse().unwrap());
    let read = shared::store::Read::Consistent;
    msp.parts.worker_parts.connections.get(&partner, &id, read).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_open_write_on_a_contract_that_can_not_be_written_is_not_forgotten() {
    let msp = unexplained().await;
    msp.clock.set("2027-01-05T10:00:00Z");
    assert_eq!(sync(&msp).await.result("acme", "edr"), "failed contract_ended");
    assert_eq!(open(&msp).await, ["edr contract_ended", "edr usage_stale", "edr write_unexplained"]);
    // Who looks at the one has not looked at the other: the write stays open.
    let (ended, write): (Vec<Value>, Vec<Value>) =
        of_lines(found(&msp, "open").await).into_iter().partition(|finding| finding["code"] == "contract_ended");
    let before = msp.history("acme", "edr").await;
    resolved(&msp, &ended[0]).await;
    assert_eq!((msp.history("acme", "edr").await, msp.states("acme", "edr").await.as_str()), (before, "unknown"));
    resolved(&msp, &write[0]).await;
    assert_eq!(msp.states("acme", "edr").await, "rejected");
}

/// A finding of a contract, as a run would have opened it.
async fn contract_found(msp: &Msp) -> Finding {
    let reason = Reason::new(Code::ContractEnded, "It ends.".into());
    let noticed = Noticed {
        subject: Subject::Contract(msp.contract("acme").to_string().parse().unwrap()),
        reason,
        about: Some("2026-12-31".into()),
        account: None,
        company: None,
        company_name: String::new(),
        product: None,
        before: None,
        target: None,
        effective_date: None,
        money: None,
    };
    let (connection, run) = (connection(msp).await, "run_0".parse().unwrap());
    let next = Next::after(None, &Word::Noticed(Box::new(noticed)), &connection.id, &run, msp.clock.time());
    assert!(msp.parts.worker_parts.findings.step(&connection, None, &next).await.unwrap());
    let Next::Is(finding) = next else { panic!("{next:?}") };
    *finding
}

#[tokio::test]
async fn a_contract_that_a_run_of_all_lines_notices_no_more_is_found_no_more() {
    let msp = confirmed().await;
    contract_found(&msp).await;
    let listed = only(&msp, "open").await;
    assert_eq!(
        (listed["contract_id"].as_str(), listed["line_id"].is_null(), listed["service_id"].is_null()),
        (Some(msp.contract("acme").to_string().as_str()), true, true)
    );
    assert_eq!(resolved(&msp, &listed).await["status"], "resolved");
    let path = format!("/v1/connections/{}/runs", msp.connection);
    msp.done(Method::POST, &path, Some(json!({"mode": "apply", "companies": ["acme"]}))).await;
    msp.drain().await;
    assert_eq!(found(&msp, "resolved").await.len(), 1, "a run of some lines does not look at every contract");
    sync(&msp).await;
    assert_eq!(only(&msp, "closed").await["closed_because"], "resolved");
}

#[tokio::test]
async fn who_comes_late_to_a_finding_changes_nothing() {
    let msp = confirmed().await;
    let (findings, of) = (&msp.parts.worker_parts.findings, connection(&msp).await);
    let seen = contract_found(&msp).await;
    let resolved = seen.resolved("ann", None, msp.clock.time());
    assert!(findings.step(&of, Some(&seen), &Next::Is(Box::new(resolved.clone()))).await.unwrap());
    let fingerprint = seen.noticed.fingerprint();
    for late in [Next::Is(Box::new(seen.resolved("bob", None, msp.clock.time()))), Next::Closes(Box::new(seen.clone()))]
    {
        assert!(!findings.step(&of, Some(&seen), &late).await.unwrap(), "{late:?}");
        assert!(!findings.step(&of, None, &late).await.unwrap(), "{late:?}");
    }
    assert_eq!(findings.get(&of, &fingerprint).await.unwrap().as_ref(), Some(&resolved));
    assert!(found(&msp, "closed").await.is_empty());
}

/// Notes every effect on findings.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Hook for Notes {
    fn pass(&self, point: &Point) -> Result<(), Struck> {
        if point.side == Side::Before && (point.effect.contains("FINDING") || point.effect.contains("CLOSED")) {
            self.0.lock().unwrap().push(point.effect.clone());
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_finding_that_is_noticed_unchanged_costs_no_write() {
    let notes = Arc::new(Notes::default());
    let msp = Setup::of([Customer::named("acme").line("edr", 100).line("sat", 50)]).faults(notes.clone()).start().await;
    counts(&msp, 10, 51).await;
    let take = || std::mem::take(&mut *notes.0.lock().unwrap());
    sync(&msp).await;
    assert_eq!(take(), ["store.put FINDING"]);
    sync(&msp).await;
    assert_eq!(take(), [""; 0]);
    counts(&msp, 100, 50).await;
    sync(&msp).await;
    assert_eq!(take(), ["store.transact CLOSED+FINDING"]);
}

#[tokio::test]
async fn one_finding_is_read_while_it_stands_and_when_it_was_over_lately() {
    let msp = confirmed().await;
    counts(&msp, 60, 50).await;
    let run = sync(&msp).await;
    let finding = only(&msp, "open").await;
    let path = format!("/v1/findings/{}", finding["id"].as_str().unwrap());
    assert_eq!(msp.done(Method::GET, &path, None).await, finding);
    msp.approve(&run, None).await;
    let over = msp.done(Method::GET, &path, None).await;
    assert_eq!(over["status"], "closed");
    assert_eq!(over, only(&msp, "closed").await);
}

#[tokio::test]
async fn another_partners_findings_are_not_there() {
    let msp = confirmed().await;
    counts(&msp, 60, 50).await;
    sync(&msp).await;
    let finding = only(&msp, "open").await;
    let id = finding["id"].as_str().unwrap();
    let list = format!("/v1/connections/{}/findings", msp.connection);
    let path = format!("/v1/findings/{id}/resolve");
    let other = msp.call_as("suedwind", Method::GET, &list, None).await;
    assert_eq!((other.status, other.json["code"].as_str()), (404, Some("not_found")));
    let theirs = msp.call_as("suedwind", Method::POST, &path, Some(json!({}))).await;
    assert_eq!(theirs.status, 404);
    let one = msp.call_as("suedwind", Method::GET, &format!("/v1/findings/{id}"), None).await;
    assert_eq!((one.status, one.problem()), (404, theirs.problem()));
    for unknown in
        [format!("{}.0000000000000000", msp.connection), "conn_0.0000000000000000".into(), "x".into(), "a.b.c".into()]
    {
        let answer = msp.call(Method::POST, &format!("/v1/findings/{unknown}/resolve"), Some(json!({}))).await;
        assert_eq!((answer.status, answer.problem()), (404, theirs.problem()), "{unknown}");
        let answer = msp.call(Method::GET, &format!("/v1/findings/{unknown}"), None).await;
        assert_eq!((answer.status, answer.problem()), (404, theirs.problem()), "{unknown}");
    }
    assert_eq!(only(&msp, "open").await, finding);
}

#[tokio::test]
async fn each_route_asks_for_its_own_scope() {
    let msp = confirmed().await;
    let list = format!("/v1/connections/{}/findings", msp.connection);
    let resolve = format!("/v1/findings/{}.0/resolve", msp.connection);
    for (method, path, scopes) in
        [(Method::GET, &list, vec![Scope::Usage]), (Method::POST, &resolve, vec![Scope::Read, Scope::Usage])]
    {
        let token = msp.parts.token(PARTNER, &scopes);
        let request = msp.parts.request(method.clone(), path).bearer_auth(token).json(&json!({}));
        assert_eq!(integration::Answer::to(request).await.status, 403, "{method}");
        let request = msp.parts.request(method.clone(), path).json(&json!({}));
        assert_eq!(integration::Answer::to(request).await.status, 401, "{method}");
    }
}

#[tokio::test]
async fn what_is_sent_wrongly_is_refused_and_says_why() {
    let msp = confirmed().await;
    counts(&msp, 60, 50).await;
    sync(&msp).await;
    let finding = only(&msp, "open").await;
    let path = format!("/v1/findings/{}/resolve", finding["id"].as_str().unwrap());
    let refused = async |body: Value| msp.call(Method::POST, &path, Some(body)).await.problem();
    insta::assert_json_snapshot!(refused(json!({"note": "n".repeat(501)})).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /note: must be 1 to 500 characters, or be left out.",
      "errors": [
        {
          "detail": "must be 1 to 500 characters, or be left out",
          "pointer": "/note"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    insta::assert_json_snapshot!(refused(json!({"notes": "x"})).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /notes: is not a field here.",
      "errors": [
        {
          "detail": "is not a field here",
          "pointer": "/notes"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    for (body, pointer) in
        [(json!({"note": null}), "/note"), (json!({"note": " "}), "/note"), (json!({"note": 1}), "/note")]
    {
        let problem = refused(body.clone()).await;
        assert_eq!(
            (problem["code"].as_str(), problem["errors"][0]["pointer"].as_str()),
            (Some("invalid_request"), Some(pointer)),
            "{body}"
        );
    }
    let list = format!("/v1/connections/{}/findings", msp.connection);
    let problem = async |query: &str| msp.call(Method::GET, &format!("{list}?{query}"), None).await.problem();
    insta::assert_json_snapshot!(problem("status=fine").await, @r#"
    {
      "code": "invalid_query",
      "detail": "The query is not valid: status is \"fine\", and must be one of `open`, `resolved`, `closed`.",
      "errors": [
        {
          "detail": "must be one of `open`, `resolved`, `closed`",
          "pointer": "?status"
        }
      ],
      "request_id": "[request]",
      "status": 400,
      "title": "Invalid query",
      "type": "/problems/invalid_query"
    }
    "#);
    for query in ["limit=0", "limit=101", "state=open", "cursor=abc"] {
        assert_eq!(problem(query).await["code"], "invalid_query", "{query}");
    }
    assert_eq!(only(&msp, "open").await, finding);
    let longest = msp.done(Method::POST, &path, Some(json!({"note": "ä".repeat(500)}))).await;
    assert_eq!(longest["status"], "resolved");
}

#[tokio::test]
async fn findings_page_without_loss_whatever_their_status() {
    let names: Vec<String> = (0..7).map(|number| format!("p{number}")).collect();
    let customer = names.iter().fold(Customer::named("acme"), |customer, product| customer.line(product, 100));
    let msp = Setup::of([customer]).start().await;
    let all = |count: u32| names.iter().map(|name| ("acme", name.as_str(), count)).collect::<Vec<_>>();
    msp.push(&all(10)).await;
    sync(&msp).await;
    let listed = async |status: &str, limit: usize| {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/connections/{}/findings?status={status}&limit={limit}{cursor}", msp.connection);
            let page = msp.done(Method::GET, &path, None).await;
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            ids.extend(items.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return ids,
            }
        }
    };
    for finding in found(&msp, "open").await.iter().step_by(2) {
        resolved(&msp, finding).await;
    }
    for limit in [1, 2, 3, 7] {
        let (open, seen) = (listed("open", limit).await, listed("resolved", limit).await);
        assert_eq!((open.len(), seen.len()), (3, 4), "{limit}");
        let distinct: std::collections::BTreeSet<_> = open.into_iter().chain(seen).collect();
        assert_eq!(distinct.len(), 7, "{limit}");
    }
    msp.push(&all(100)).await;
    sync(&msp).await;
    for limit in [2, 7] {
        let distinct: std::collections::BTreeSet<_> = listed("closed", limit).await.into_iter().collect();
        assert_eq!(distinct.len(), 7, "{limit}");
    }
}
