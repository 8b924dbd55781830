//! What can go wrong at the one write. Each change is sent once, and sent again only when the PSA shows that it was not made.

use std::time::Duration;

use integration::msp::{Customer, Msp, Run, Setup};
use jiff::SignedDuration;
use serde_json::json;
use shared::sync::Settings;
use simulators::autotask::{Entity, Fault, When};

async fn msp() -> Msp {
    // Hanging requests end with the client's patience, so it is short.
    Setup::of([Customer::named("acme").line("edr", 40)]).patience(Duration::from_millis(300)).start().await
}

fn settle() -> SignedDuration {
    Settings::default().settle
}

async fn struck(msp: &Msp, fault: Fault) -> Run {
    msp.psa.plan_fault(When::Write(1), fault);
    msp.push(&[("acme", "edr", 42)]).await;
    msp.run("apply").await
}

#[tokio::test]
async fn a_write_that_was_made_though_its_answer_was_lost_is_read_back_and_not_made_again() {
    for (name, fault) in [
        ("reset", Fault::ResetAfter),
        ("hang", Fault::HangAfter),
        ("500", Fault::error_after()),
        ("502", Fault::answer(502, "<html>bad gateway</html>").after()),
        ("unparsable", Fault::unparsable_after()),
        ("empty", Fault::answer(200, "").after()),
        ("half", Fault::answer(200, r#"{"itemId":nu"#).after()),
    ] {
        let msp = msp().await;
        let run = struck(&msp, fault).await;
        assert_eq!(msp.write_requests(), 1, "{name}");
        assert_eq!((run.result("acme", "edr").as_str(), run.status()), ("updated", "succeeded"), "{name}");
        assert_eq!(run.numbers("acme", "edr"), (40, 42, 42), "{name}");
        assert_eq!((run.writes(), msp.states("acme", "edr").await.as_str()), (1, "applied"), "{name}");
        msp.clock.advance(settle());
        assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged", "{name}");
        assert_eq!(msp.changes(), [("2026-11-01".to_owned(), 2)], "{name}");
        assert_eq!(msp.write_requests(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_write_that_was_not_made_and_has_no_clear_answer_waits_and_is_then_made_once() {
    for (name, fault) in [
        ("reset", Fault::ResetBefore),
        ("hang", Fault::HangBefore),
        ("500", Fault::error_before()),
        ("503", Fault::answer(503, "")),
        ("unparsable", Fault::answer(200, "<html>maintenance</html>")),
    ] {
        let msp = msp().await;
        let run = struck(&msp, fault).await;
        assert_eq!(msp.write_requests(), 1, "{name}");
        assert_eq!(
            (run.result("acme", "edr").as_str(), run.status()),
            ("unknown write_unsettled", "partial"),
            "{name}"
        );
        assert_eq!(msp.states("acme", "edr").await, "unknown", "{name}");

        // It may still be on its way: nothing is sent, however often somebody asks.
        for _ in 0..2 {
            let waiting = msp.run("apply").await;
            assert_eq!(waiting.result("acme", "edr"), "unknown write_unsettled", "{name}");
            assert_eq!(waiting.numbers("acme", "edr"), (40, 42, 40), "{name}");
            assert_eq!(msp.write_requests(), 1, "{name}");
        }
        msp.clock.advance(settle());
        let after = msp.run("apply").await;
        assert_eq!((after.result("acme", "edr").as_str(), after.status()), ("updated", "succeeded"), "{name}");
        assert_eq!(msp.write_requests(), 2, "{name}");
        assert_eq!(msp.changes(), [("2026-11-01".to_owned(), 2)], "{name}");
        assert_eq!(msp.states("acme", "edr").await, "rejected applied", "{name}");
        assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged", "{name}");
        assert_eq!(msp.units("acme", "edr"), 42, "{name}");
    }
}

#[tokio::test]
async fn a_write_that_the_psa_calls_made_and_does_not_show_is_never_sent_again() {
    let msp = msp().await;
    let run = struck(&msp, Fault::answer(200, r#"{"itemId":null}"#)).await;
    assert_eq!((run.result("acme", "edr").as_str(), run.status()), ("unknown write_unsettled", "partial"));
    for _ in 0..3 {
        msp.clock.advance(settle());
        assert_eq!(msp.run("apply").await.result("acme", "edr"), "unknown write_unexplained");
    }
    assert_eq!((msp.write_requests(), msp.states("acme", "edr").await.as_str()), (1, "unknown"));
}

#[tokio::test]
async fn a_write_that_was_clearly_refused_fails_and_the_next_run_makes_it() {
    for (name, fault, code) in [
        ("200 with errors", Fault::errors_with_200(), "psa_error_unrecognised"),
        ("429", Fault::too_many_requests(Some(30)), "psa_rate_limited"),
        ("301", Fault::redirect(301, "http://127.0.0.1:9/elsewhere"), "psa_redirected"),
        ("307", Fault::redirect(307, "http://127.0.0.1:9/elsewhere"), "psa_redirected"),
    ] {
        let msp = msp().await;
        let run = struck(&msp, fault).await;
        assert_eq!(msp.write_requests(), 1, "{name}");
        assert_eq!((run.line("acme", "edr")["status"].as_str(), run.status()), (Some("failed"), "partial"), "{name}");
        assert_eq!(run.line("acme", "edr")["code"], code, "{name}");
        assert_eq!(run.numbers("acme", "edr"), (40, 42, -1), "{name}");
        assert_eq!(msp.states("acme", "edr").await, "rejected", "{name}");
        assert_eq!(msp.units("acme", "edr"), 40, "{name}");
        // As long as the 429 asks to wait.
        msp.clock.advance(SignedDuration::from_secs(30));
        let again = msp.run("apply").await;
        assert_eq!(again.result("acme", "edr"), "updated", "{name}");
        assert_eq!(msp.changes(), [("2026-11-01".to_owned(), 2)], "{name}");
        assert_eq!(msp.write_requests(), 2, "{name}");
    }
}

#[tokio::test]
async fn a_write_that_arrives_late_is_found_and_not_made_again() {
    let msp = msp().await;
    let run = struck(&msp, Fault::HangBefore).await;
    assert_eq!(run.result("acme", "edr"), "unknown write_unsettled");
    // Autotask was still at work on it when we stopped waiting.
    msp.clock.advance(SignedDuration::from_mins(4));
    msp.edit("acme", "edr", "2026-11-01".parse().unwrap(), 42);
    let after = msp.run("apply").await;
    assert_eq!(after.result("acme", "edr"), "unchanged");
    assert_eq!(msp.states("acme", "edr").await, "applied");
    msp.clock.advance(settle());
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged");
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (1, 42));
}

#[tokio::test]
async fn a_line_that_shows_neither_number_after_a_lost_answer_is_left_to_a_person() {
    let msp = msp().await;
    struck(&msp, Fault::ResetBefore).await;
    msp.edit("acme", "edr", "2026-11-01".parse().unwrap(), 44);
    msp.clock.advance(settle());
    for _ in 0..2 {
        let run = msp.run("apply").await;
        assert_eq!((run.result("acme", "edr").as_str(), run.status()), ("unknown write_unexplained", "partial"));
        assert_eq!(
            run.line("acme", "edr")["explanation"],
            "A change from 40 to 42 from 2026-11-01 was sent; the PSA shows 44, which is neither."
        );
    }
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (1, 44));
}

#[tokio::test]
async fn a_write_that_can_not_be_read_back_stays_unknown_until_it_can() {
    let msp = msp().await;
    // 1: the fan-out's look, 2: the job's look, 3: its read-back.
    msp.psa.plan_fault(When::Request(Entity::ContractServiceUnits, 3), Fault::error_before());
    msp.push(&[("acme", "edr", 42)]).await;
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "edr"), "unknown write_unsettled");
    assert_eq!(msp.states("acme", "edr").await, "unknown");
    let after = msp.run("apply").await;
    assert_eq!(after.result("acme", "edr"), "unchanged");
    assert_eq!((msp.states("acme", "edr").await.as_str(), msp.write_requests()), ("applied", 1));
}

#[tokio::test]
async fn nothing_more_is_sent_to_an_account_after_a_write_without_an_answer() {
    let customer = Customer::named("acme").line("a", 1).line("b", 1).line("c", 1);
    let msp = Setup::of([customer]).patience(Duration::from_millis(300)).start().await;
    msp.psa.plan_fault(When::Write(1), Fault::HangBefore);
    msp.push(&[("acme", "a", 2), ("acme", "b", 2), ("acme", "c", 2)]).await;
    let run = msp.run("apply").await;
    assert_eq!(
        json!(run.results()),
        json!({"acme/a": "unknown write_unsettled", "acme/b": "skipped stopped", "acme/c": "skipped stopped"})
    );
    assert_eq!((msp.write_requests(), run.writes()), (1, 1));
    let next = msp.run("apply").await;
    assert_eq!(
        json!(next.results()),
        json!({"acme/a": "unknown write_unsettled", "acme/b": "updated", "acme/c": "updated"})
    );
    msp.clock.advance(settle());
    assert_eq!(msp.run("apply").await.result("acme", "a"), "updated");
    assert_eq!(msp.changes().len(), 3);
}

#[tokio::test]
async fn a_read_that_fails_before_the_write_fails_the_accounts_lines_and_sends_nothing() {
    let msp = msp().await;
    msp.psa.plan_fault(When::Request(Entity::ContractServiceUnits, 2), Fault::ResetBefore);
    msp.push(&[("acme", "edr", 42)]).await;
    let run = msp.run("apply").await;
    assert_eq!((run.line("acme", "edr")["status"].as_str(), run.status()), (Some("failed"), "partial"));
    assert_eq!((msp.write_requests(), msp.states("acme", "edr").await.as_str()), (0, ""));
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
}

#[tokio::test]
async fn a_psa_that_is_down_fails_the_run_and_says_so() {
    for (entity, fault) in [
        (Entity::ThresholdInformation, Fault::ResetBefore),
        (Entity::Contracts, Fault::answer(503, "")),
        (Entity::ContractServiceUnits, Fault::HangBefore),
    ] {
        let msp = msp().await;
        msp.psa.plan_fault(When::EveryRequest(entity), fault);
        msp.push(&[("acme", "edr", 42)]).await;
        let run = msp.run("apply").await;
        assert_eq!((run.status(), run.lines.len(), msp.write_requests()), ("failed", 0, 0), "{entity}");
        for field in ["code", "explanation", "fix"] {
            assert!(run.view[field].as_str().is_some_and(|text| !text.is_empty()), "{entity} {field}: {}", run.view);
        }
        assert_eq!(msp.parts.wire.notices(), ["RunFailed"], "{entity}");
        msp.psa.clear_faults();
        assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated", "{entity}");
    }
}

#[tokio::test]
async fn an_api_user_without_the_right_to_write_fails_the_line_with_a_repair_step() {
    let msp = msp().await;
    msp.psa.plan_fault(
        When::EveryWrite,
        Fault::answer(500, r#"{"errors":["The logged in Resource does not have the adequate permissions to create this entity type."]}"#),
    );
    msp.push(&[("acme", "edr", 42)]).await;
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "edr"), "failed psa_permission_missing");
    assert!(run.line("acme", "edr")["fix"].as_str().unwrap().contains("security level"));
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (1, 40));
}
