//! What can go wrong at the one write. Each change is sent once, and sent again only when the PSA shows that it was not made.

use std::time::Duration;

use integration::msp::{Arriving, Customer, Effect, Fixture, Mishap, Msp, On, Run};
use integration::on_every_psa;
use jiff::SignedDuration;
use serde_json::json;
use shared::sync::Settings;
use simulators::autotask::{Entity, Fault, When};

on_every_psa!(
    a_write_that_was_made_though_its_answer_was_lost_is_read_back_and_not_made_again,
    a_write_that_was_not_made_and_has_no_clear_answer_waits_and_is_then_made_once,
    a_write_that_the_psa_calls_made_and_does_not_show_is_never_sent_again,
    a_write_that_was_clearly_refused_fails_and_the_next_run_makes_it,
    a_write_that_takes_its_time_is_waited_for,
    a_write_that_arrives_late_is_found_and_not_made_again,
    nothing_more_is_sent_to_an_account_after_a_write_without_an_answer,
    a_write_that_finds_no_connection_was_not_sent_and_is_made_by_the_next_run,
    an_api_user_without_the_right_to_write_fails_the_line_with_a_repair_step,
);

async fn msp<P: Fixture>(on: On<P>) -> Msp<P> {
    // Hanging requests end with the client's patience, so it is short.
    on.of([Customer::named("acme").line("edr", 40)]).patience(Duration::from_millis(300)).start().await
}

/// The same with a connection that has made a change before.
async fn changed<P: Fixture>(on: On<P>) -> Msp<P> {
    let customers = [Customer::named("acme").line("edr", 40)];
    on.of_one_more(customers).patience(Duration::from_millis(300)).start_changed().await
}

fn settle() -> SignedDuration {
    Settings::default().settle
}

async fn struck<P: Fixture>(msp: &Msp<P>, mishap: Mishap) -> Run {
    msp.psa.strike(1, mishap);
    msp.push(&[("acme", "edr", 42)]).await;
    msp.run("apply").await
}

async fn a_write_that_was_made_though_its_answer_was_lost_is_read_back_and_not_made_again<P: Fixture>(on: On<P>) {
    for mishap in [
        Mishap::Reset(Effect::Made),
        Mishap::Hang(Effect::Made),
        Mishap::Failed(Effect::Made),
        Mishap::Gateway(502, Effect::Made),
        Mishap::Page(Effect::Made),
        Mishap::Empty(Effect::Made),
        Mishap::Half(Effect::Made),
    ] {
        let msp = changed(on).await;
        let run = struck(&msp, mishap).await;
        assert_eq!((run.result("acme", "edr").as_str(), run.status()), ("updated", "succeeded"), "{mishap:?}");
        assert_eq!(run.numbers("acme", "edr"), (40, 42, 42), "{mishap:?}");
        assert_eq!(msp.write_requests(), 1, "{mishap:?}");
        assert_eq!(run.writes(), 1, "{mishap:?}");
        assert_eq!(msp.states("acme", "edr").await, "applied", "{mishap:?}");
        msp.clock.advance(settle());
        assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged", "{mishap:?}");
        assert_eq!(msp.written("acme", "edr"), [42], "{mishap:?}");
        assert!(msp.psa.written().iter().all(|write| write.effective.to_string() == "2026-11-01"), "{mishap:?}");
        assert_eq!(msp.write_requests(), 1, "{mishap:?}");
    }
}

/// A first write that was not made and of which nobody knows.
async fn waits_and_is_made_once<P: Fixture>(on: On<P>, mishap: Mishap) {
    let msp = msp(on).await;
    let run = struck(&msp, mishap).await;
    assert_eq!(
        (run.result("acme", "edr").as_str(), run.status()),
        ("unknown write_unsettled", "partial"),
        "{mishap:?}"
    );
    assert_eq!(msp.states("acme", "edr").await, "unknown", "{mishap:?}");

    // It may still be on its way: nothing is sent, however often somebody asks.
    for _ in 0..2 {
        let waiting = msp.run("apply").await;
        assert_eq!(waiting.result("acme", "edr"), "unknown write_unsettled", "{mishap:?}");
        assert_eq!(waiting.numbers("acme", "edr"), (40, 42, 40), "{mishap:?}");
        assert_eq!(msp.write_requests(), 1, "{mishap:?}");
    }
    msp.clock.advance(settle());
    let after = msp.run("apply").await;
    assert_eq!((after.result("acme", "edr").as_str(), after.status()), ("updated", "succeeded"), "{mishap:?}");
    assert_eq!(msp.write_requests(), 1 + on.first_writes(), "{mishap:?}");
    assert_eq!(msp.written("acme", "edr"), on.first_change(40, 42), "{mishap:?}");
    assert_eq!(msp.states("acme", "edr").await, format!("rejected {}", on.first_states()), "{mishap:?}");
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged", "{mishap:?}");
    assert_eq!(msp.units("acme", "edr"), 42, "{mishap:?}");
}

async fn a_write_that_was_not_made_and_has_no_clear_answer_waits_and_is_then_made_once<P: Fixture>(on: On<P>) {
    for mishap in [
        Mishap::Reset(Effect::NotMade),
        Mishap::Hang(Effect::NotMade),
        Mishap::Failed(Effect::NotMade),
        Mishap::Gateway(503, Effect::NotMade),
        Mishap::Page(Effect::NotMade),
        Mishap::Empty(Effect::NotMade),
        Mishap::Half(Effect::NotMade),
    ] {
        waits_and_is_made_once(on, mishap).await;
    }
}

async fn a_write_that_the_psa_calls_made_and_does_not_show_is_never_sent_again<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let run = struck(&msp, Mishap::CalledMade(Effect::NotMade)).await;
    assert_eq!((run.result("acme", "edr").as_str(), run.status()), ("unknown write_unsettled", "partial"));
    for _ in 0..3 {
        msp.clock.advance(settle());
        assert_eq!(msp.run("apply").await.result("acme", "edr"), "unknown write_unexplained");
    }
    assert_eq!((msp.write_requests(), msp.states("acme", "edr").await.as_str()), (1, "unknown"));
    assert_eq!(msp.units("acme", "edr"), 40);
}

/// A first write that was refused.
async fn fails_and_is_made_by_the_next_run<P: Fixture>(on: On<P>, mishap: Mishap, code: &str) {
    let msp = msp(on).await;
    let run = struck(&msp, mishap).await;
    assert_eq!(msp.write_requests(), 1, "{mishap:?}");
    assert_eq!((run.line("acme", "edr")["status"].as_str(), run.status()), (Some("failed"), "partial"), "{mishap:?}");
    assert_eq!(run.line("acme", "edr")["code"], code, "{mishap:?}");
    assert_eq!(run.numbers("acme", "edr"), (40, 42, -1), "{mishap:?}");
    assert_eq!(msp.states("acme", "edr").await, "rejected", "{mishap:?}");
    assert_eq!(msp.units("acme", "edr"), 40, "{mishap:?}");
    // As long as the 429 asks to wait.
    msp.clock.advance(SignedDuration::from_secs(30));
    let again = msp.run("apply").await;
    assert_eq!(again.result("acme", "edr"), "updated", "{mishap:?}");
    assert_eq!(msp.written("acme", "edr"), on.first_change(40, 42), "{mishap:?}");
    assert_eq!(msp.write_requests(), 1 + on.first_writes(), "{mishap:?}");
}

async fn a_write_that_was_clearly_refused_fails_and_the_next_run_makes_it<P: Fixture>(on: On<P>) {
    fails_and_is_made_by_the_next_run(on, Mishap::Refused, P::REFUSED).await;
    fails_and_is_made_by_the_next_run(on, Mishap::Throttled(30), "psa_rate_limited").await;
}

#[tokio::test]
async fn a_write_that_autotask_redirects_was_not_made() {
    for status in [301, 307] {
        fails_and_is_made_by_the_next_run(On::autotask(), Mishap::Redirected(status), "psa_redirected").await;
    }
}

async fn a_write_that_takes_its_time_is_waited_for<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let run = struck(&msp, Mishap::Slow(20)).await;
    assert_eq!((run.result("acme", "edr").as_str(), run.status()), ("updated", "succeeded"));
    assert_eq!(msp.written("acme", "edr"), on.first_change(40, 42));
}

async fn a_write_that_arrives_late_is_found_and_not_made_again<P: Fixture>(on: On<P>) {
    let msp = changed(on).await;
    let run = struck(&msp, Mishap::Hang(Effect::NotMade)).await;
    assert_eq!(run.result("acme", "edr"), "unknown write_unsettled");
    // The PSA was still at work on it when we stopped waiting.
    msp.clock.advance(SignedDuration::from_mins(4));
    let change = Arriving { effective: "2026-11-01".parse().unwrap(), before: 40, target: 42 };
    msp.arrives("acme", "edr", change);
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged");
    assert_eq!(msp.states("acme", "edr").await, "applied");
    msp.clock.advance(settle());
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged");
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (1, 42));
}

async fn nothing_more_is_sent_to_an_account_after_a_write_without_an_answer<P: Fixture>(on: On<P>) {
    let acme = Customer::named("acme").line("a", 1).line("b", 1).line("c", 1);
    let beta = Customer::named("beta").line("a", 1);
    let msp = on.of([acme, beta]).patience(Duration::from_millis(300)).start().await;
    // A first write, from which a connection may have to learn how the PSA takes them, is behind us.
    msp.push(&[("acme", "a", 1), ("acme", "b", 1), ("acme", "c", 1), ("beta", "a", 3)]).await;
    assert_eq!(msp.run("apply").await.result("beta", "a"), "updated");
    msp.psa.forget();

    msp.psa.strike(1, Mishap::Hang(Effect::NotMade));
    msp.push(&[("acme", "a", 2), ("acme", "b", 2), ("acme", "c", 2), ("beta", "a", 3)]).await;
    let run = msp.run("apply").await;
    assert_eq!(
        json!(run.results()),
        json!({"acme/a": "unknown write_unsettled", "acme/b": "skipped stopped", "acme/c": "skipped stopped", "beta/a": "unchanged"})
    );
    assert_eq!((msp.write_requests(), run.writes()), (1, 1));
    let next = msp.run("apply").await;
    assert_eq!(
        json!(next.results()),
        json!({"acme/a": "unknown write_unsettled", "acme/b": "updated", "acme/c": "updated", "beta/a": "unchanged"})
    );
    msp.clock.advance(settle());
    assert_eq!(msp.run("apply").await.result("acme", "a"), "updated");
    assert_eq!(["a", "b", "c"].map(|product| msp.written("acme", product)), [[2], [2], [2]]);
}

async fn a_write_that_finds_no_connection_was_not_sent_and_is_made_by_the_next_run<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    msp.push(&[("acme", "edr", 42)]).await;
    let run = msp.ask("apply").await;
    msp.plan().await;
    // Reads go on over the connection that planning opened; each write opens one of its own.
    msp.psa.refuse(true).await;
    msp.drain().await;
    msp.psa.refuse(false).await;
    let run = msp.see(&run).await;
    assert_eq!((run.line("acme", "edr")["status"].as_str(), run.status()), (Some("failed"), "partial"));
    assert_eq!((msp.write_requests(), msp.states("acme", "edr").await.as_str()), (0, "rejected"));
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
    assert_eq!(msp.written("acme", "edr"), on.first_change(40, 42));
}

async fn an_api_user_without_the_right_to_write_fails_the_line_with_a_repair_step<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let run = struck(&msp, Mishap::Forbidden).await;
    assert_eq!(run.result("acme", "edr"), "failed psa_permission_missing");
    assert!(
        run.line("acme", "edr")["fix"]
            .as_str()
            .is_some_and(|fix| fix.contains("rights") || fix.contains("security level"))
    );
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (1, 40));
}

// What only Autotask can be made to do.

#[tokio::test]
async fn a_line_that_shows_neither_number_after_a_lost_answer_is_left_to_a_person() {
    let msp = msp(On::autotask()).await;
    struck(&msp, Mishap::Reset(Effect::NotMade)).await;
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
    let msp = msp(On::autotask()).await;
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
async fn a_read_that_fails_before_the_write_fails_the_accounts_lines_and_sends_nothing() {
    let msp = msp(On::autotask()).await;
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
        let msp = msp(On::autotask()).await;
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
