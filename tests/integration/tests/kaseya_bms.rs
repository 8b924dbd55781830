//! What is different with a PSA that shows no units: they are stated by people, learnt from the first change, remembered, and
//! asked for again where somebody else has changed a line.

use integration::msp::mishap::{Effect, Mishap};
use integration::msp::{Customer, Fixture as _, Msp, On};
use jiff::SignedDuration;
use jiff::civil::date;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::kaseya_bms::{KaseyaBms, Route, Setup};

type Bms = Msp<KaseyaBms>;

const BOTH: [fn() -> On<KaseyaBms>; 2] = [On::adding, On::replacing];

/// A contract with two lines, 40 and 10 units.
async fn two_lines(on: On<KaseyaBms>) -> Bms {
    on.of([Customer::named("acme").line("edr", 40).line("m365", 10)]).start().await
}

/// The same once a rise has shown what changes do there: 41 and 10 units.
async fn learnt(on: On<KaseyaBms>) -> Bms {
    let msp = two_lines(on).await;
    push(&msp, 41, 10).await;
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
    msp.psa.forget();
    msp
}

async fn push(msp: &Bms, edr: u32, m365: u32) {
    msp.push(&[("acme", "edr", edr), ("acme", "m365", m365)]).await;
}

fn units(msp: &Bms) -> (i64, i64) {
    (msp.units("acme", "edr"), msp.units("acme", "m365"))
}

/// What a line is about to be told with `opening_units`; none takes the number out.
async fn state(msp: &Bms, edr: Option<u32>) {
    let overrides =
        edr.map_or(json!({}), |units| json!({"edr": {"opening_units": units}, "m365": {"opening_units": 10}}));
    msp.map_company(&msp.connection, "acme", json!({ "overrides": overrides })).await;
}

async fn findings(msp: &Bms) -> Vec<Value> {
    let path = format!("/v1/connections/{}/findings", msp.connection);
    msp.done(Method::GET, &path, None).await["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_first_rise_is_sent_alone_and_the_rest_follows_in_the_same_job() {
    for on in BOTH {
        let msp = two_lines(on()).await;
        push(&msp, 42, 9).await;
        let run = msp.run("apply").await;
        assert_eq!((run.status(), units(&msp)), ("succeeded", (42, 9)));
        assert_eq!((run.numbers("acme", "edr"), run.numbers("acme", "m365")), ((40, 42, 42), (10, 9, 9)));
        assert_eq!(msp.written("acme", "edr"), on().first_change(40, 42));
        let effective = msp.psa.writes().iter().map(|write| write.effective_date).collect::<Vec<_>>();
        assert!(effective.iter().all(|day| *day == date(2026, 11, 1)), "{effective:?}");
        let sent = run.writes();
        let again = msp.run("apply").await;
        assert_eq!((again.writes(), msp.write_requests()), (0, usize::try_from(sent).unwrap()));
    }
}

#[tokio::test]
async fn a_fall_waits_until_a_rise_has_shown_what_changes_do() {
    let msp = two_lines(On::replacing()).await;
    push(&msp, 40, 9).await;
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "m365").as_str(), msp.write_requests()), ("skipped change_deferred", 0));
    push(&msp, 41, 9).await;
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "m365").as_str(), units(&msp)), ("updated", (41, 9)));
}

#[tokio::test]
async fn the_customers_own_price_is_carried_on() {
    let msp = two_lines(On::adding()).await;
    push(&msp, 42, 12).await;
    msp.run("apply").await;
    let lines = msp.psa.lines(msp.today());
    let prices = |service: i64| {
        let of_it = lines.iter().filter(|line| line.service_id == service);
        of_it.map(|line| (line.unit_cost, line.unit_price)).collect::<Vec<_>>()
    };
    for product in ["edr", "m365"] {
        let prices = prices(msp.service(product));
        assert!(prices.len() == 2 && prices[0] == prices[1] && !prices[0].1.is_zero(), "{prices:?}");
    }
}

#[tokio::test]
async fn a_line_that_nobody_has_stated_is_a_finding_that_names_what_was_billed_last() {
    let msp = two_lines(On::adding()).await;
    state(&msp, None).await;
    msp.psa.invoice(msp.contract("acme"), date(2026, 11, 1));
    push(&msp, 42, 12).await;
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr").as_str(), msp.write_requests()), ("held opening_units_needed", 0));
    let told = run.line("acme", "edr")["explanation"].as_str().unwrap().to_owned();
    assert!(told.contains("40 were billed last, on 2026-11-01"), "{told}");
    let codes: Vec<_> = findings(&msp).await.iter().map(|found| found["code"].clone()).collect();
    assert_eq!(codes, ["opening_units_needed", "opening_units_needed"]);
    state(&msp, Some(40)).await;
    assert_eq!(msp.run("apply").await.status(), "succeeded");
    assert_eq!((units(&msp), findings(&msp).await.len()), ((42, 12), 0));
}

#[tokio::test]
async fn a_line_that_a_person_has_changed_is_held_until_its_units_are_stated_anew() {
    for on in BOTH {
        let msp = learnt(on()).await;
        msp.clock.advance(SignedDuration::from_mins(10));
        msp.edit("acme", "edr", date(2026, 11, 10), 50);
        push(&msp, 43, 10).await;
        let run = msp.run("apply").await;
        assert_eq!((run.result("acme", "edr").as_str(), msp.write_requests()), ("held units_changed_elsewhere", 0));
        // The same mapping once more is no new statement.
        state(&msp, Some(40)).await;
        assert_eq!(msp.run("apply").await.result("acme", "edr"), "held units_changed_elsewhere");
        state(&msp, Some(50)).await;
        let run = msp.run("apply").await;
        assert_eq!(
            run.result("acme", "edr"),
            "held drift",
            "someone edited the contract: {:?}",
            run.line("acme", "edr")
        );
        let run = msp.approve(&run, None).await;
        assert_eq!((run.result("acme", "edr").as_str(), msp.units("acme", "edr")), ("updated", 43));
    }
}

#[tokio::test]
async fn a_fall_that_bms_refuses_fails_and_changes_nothing() {
    let refuses = |psa: Setup| {
        let switches = simulators::kaseya_bms::Switches { refuses_negative: true, ..Default::default() };
        psa.switches(switches)
    };
    let msp = On::adding().of([Customer::named("acme").line("edr", 40).line("m365", 10)]).psa(refuses).start().await;
    push(&msp, 42, 9).await;
    let run = msp.run("apply").await;
    assert_eq!((run.status(), run.result("acme", "m365").as_str()), ("partial", "failed psa_request_refused"));
    assert_eq!(units(&msp), (42, 10));
    // What was refused is not waited for: the line is known as it was.
    push(&msp, 42, 11).await;
    assert_eq!((msp.run("apply").await.result("acme", "m365").as_str(), units(&msp)), ("updated", (42, 11)));
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_what_the_rows_show() {
    for on in BOTH {
        for (mishap, taken) in [(Mishap::Reset(Effect::Made), true), (Mishap::Reset(Effect::NotMade), false)] {
            let msp = learnt(on()).await;
            msp.psa.strike(1, mishap);
            push(&msp, 43, 10).await;
            let run = msp.run("apply").await;
            let expected = if taken { "updated" } else { "unknown write_unsettled" };
            assert_eq!(run.result("acme", "edr"), expected);
            assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (1, if taken { 43 } else { 41 }));
            msp.clock.advance(SignedDuration::from_mins(7));
            msp.run("apply").await;
            assert_eq!(msp.units("acme", "edr"), 43);
            assert_eq!(msp.written("acme", "edr").len(), 1);
        }
    }
}

#[tokio::test]
async fn what_can_not_be_told_is_left_to_a_person_and_never_sent_again() {
    // The line began on the first of this month, so that a total that takes its place shows nowhere.
    let customers = [Customer::named("acme").line("edr", 40).runs(date(2026, 11, 1), date(2027, 10, 31))];
    let msp = On::replacing().of(customers).start().await;
    msp.psa.strike(1, Mishap::Reset(Effect::Made));
    msp.push(&[("acme", "edr", 42)]).await;
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "edr"), "unknown write_unsettled");
    msp.clock.advance(SignedDuration::from_mins(7));
    for _ in 0..2 {
        let run = msp.run("apply").await;
        assert_eq!((run.result("acme", "edr").as_str(), msp.write_requests()), ("unknown write_unexplained", 1));
        let told = run.line("acme", "edr")["fix"].as_str().unwrap().to_owned();
        assert!(told.contains("opening_units"), "{told}");
    }
    // A person looks: it was taken for the total.
    let finding = findings(&msp).await[0].clone();
    let overrides = json!({"overrides": {"edr": {"opening_units": 2}}});
    msp.map_company(&msp.connection, "acme", overrides).await;
    let path = format!("/v1/findings/{}/resolve", finding["id"].as_str().unwrap());
    msp.done(Method::POST, &path, Some(json!({"note": "BMS shows 2"}))).await;
    let run = msp.run("apply").await;
    let run = if run.result("acme", "edr").starts_with("held") { msp.approve(&run, None).await } else { run };
    assert_eq!((run.result("acme", "edr").as_str(), msp.units("acme", "edr")), ("updated", 42), "{:?}", run.lines);
}

#[tokio::test]
async fn a_run_is_reversed_as_one_change_though_it_took_two_writes() {
    for on in BOTH {
        let msp = two_lines(on()).await;
        push(&msp, 42, 10).await;
        let run = msp.run("apply").await;
        let started = msp.done(Method::POST, &format!("/v1/runs/{}/reverse", run.id), Some(json!({}))).await;
        msp.drain().await;
        let reversal = msp.see(started["run_id"].as_str().unwrap()).await;
        assert_eq!(reversal.numbers("acme", "edr"), (42, 40, 40), "{:?}", reversal.lines);
        assert_eq!(msp.units("acme", "edr"), 40);
    }
}

#[tokio::test]
async fn an_unchanged_sync_of_many_companies_reads_each_service_once() {
    let names: Vec<String> = (0..300).map(|number| format!("c{number:03}")).collect();
    let customers = names.iter().map(|name| Customer::named(name).line("edr", 4).line("itdr", 2).line("m365", 3));
    let msp = On::adding().of(customers).start().await;
    let counts = names.iter().flat_map(|name| {
        [("edr", 4), ("itdr", 2), ("m365", 3)].map(|(product, count)| (name.as_str(), product, count))
    });
    msp.push(&counts.collect::<Vec<_>>()).await;
    for round in ["first", "second"] {
        msp.psa.forget();
        let run = msp.run("apply").await;
        assert!(run.results().values().all(|result| result == "unchanged"), "{:?}", run.results());
        let of_lines = msp.psa.count(Route::RelatedServices);
        println!(
            "{round} unchanged sync of 300 companies x 3 lines: {} requests, {of_lines} of lines",
            msp.psa.request_count()
        );
        assert_eq!((of_lines, msp.write_requests()), (9, 0));
    }
}

#[tokio::test]
async fn a_refused_log_in_is_not_tried_by_runs_and_once_by_a_person_who_has_repaired_it() {
    let msp = learnt(On::adding()).await;
    let user = simulators::kaseya_bms::SAMPLE_API_USERNAME;
    msp.psa.change_password(user, "another");
    // Long enough that its tokens have ended, and what would renew them.
    msp.clock.advance(SignedDuration::from_hours(8 * 24));
    let attempts = msp.psa.login_attempts().len();
    for _ in 0..3 {
        push(&msp, 43, 10).await;
        msp.run("apply").await;
        msp.clock.advance(SignedDuration::from_hours(5));
    }
    assert_eq!(msp.psa.login_attempts().len(), attempts + 1);
    let test = format!("/v1/connections/{}/test", msp.connection);
    assert_eq!(msp.done(Method::POST, &test, None).await["ok"], false);
    assert_eq!(msp.psa.login_attempts().len(), attempts + 2);
    msp.psa.change_password(user, simulators::kaseya_bms::SAMPLE_PASSWORD);
    msp.clock.advance(SignedDuration::from_mins(2));
    assert_eq!(msp.done(Method::POST, &test, None).await["ok"], true);
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
    assert_eq!(msp.psa.login_attempts().len(), attempts + 3);
}

#[tokio::test]
async fn the_answer_to_the_first_change_is_not_taken_for_the_answer_to_the_second() {
    let msp = On::replacing().of([Customer::named("acme").line("edr", 40)]).start().await;
    msp.psa.strike(2, Mishap::Reset(Effect::NotMade));
    msp.push(&[("acme", "edr", 42)]).await;
    let run = msp.run("apply").await;
    // The difference took the place of the units, and the total was lost: that is not known, and nobody says it is done.
    assert_eq!((run.result("acme", "edr").as_str(), msp.units("acme", "edr")), ("unknown write_unsettled", 2));
    msp.clock.advance(SignedDuration::from_mins(75));
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "edr"), "unknown write_unexplained");
    assert_eq!(msp.write_requests(), 2);
}

#[tokio::test]
async fn what_a_person_does_after_a_lost_change_is_not_taken_for_it() {
    // The row itself is put right, which looks as if units were replaced; later a row is added by hand.
    for by_hand in [
        |msp: &Bms| msp.edit("acme", "m365", date(2026, 11, 1), 12),
        |msp: &Bms| {
            msp.clock.advance(SignedDuration::from_hours(3));
            msp.psa.add_line(msp.contract("acme"), msp.service("m365"), date(2026, 11, 1), 5).unwrap();
        },
    ] {
        let msp = learnt(On::adding()).await;
        msp.psa.strike(1, Mishap::Reset(Effect::NotMade));
        push(&msp, 41, 12).await;
        assert_eq!(msp.run("apply").await.result("acme", "m365"), "unknown write_unsettled");
        by_hand(&msp);
        msp.clock.advance(SignedDuration::from_mins(75));
        let held = msp.units("acme", "m365");
        for _ in 0..2 {
            let run = msp.run("apply").await;
            assert_eq!(run.result("acme", "m365"), "unknown write_unexplained", "{:?}", run.line("acme", "m365"));
            assert_eq!(run.result("acme", "edr"), "unchanged");
        }
        assert_eq!((msp.units("acme", "m365"), msp.write_requests()), (held, 1));
    }
}

#[tokio::test]
async fn what_is_stated_while_a_change_is_on_its_way_does_not_have_it_made_twice() {
    let msp = learnt(On::adding()).await;
    msp.psa.strike(1, Mishap::Reset(Effect::NotMade));
    push(&msp, 41, 12).await;
    msp.run("apply").await;
    msp.clock.advance(SignedDuration::from_secs(60));
    let overrides = |units: Option<u32>| units.map_or(json!({}), |units| json!({"m365": {"opening_units": units}}));
    for stated in [None, Some(10)] {
        msp.map_company(&msp.connection, "acme", json!({ "overrides": overrides(stated) })).await;
    }
    // It arrives late.
    msp.psa.add_line(msp.contract("acme"), msp.service("m365"), date(2026, 11, 1), 2).unwrap();
    msp.clock.advance(SignedDuration::from_mins(7));
    let run = msp.run("apply").await;
    assert_eq!((msp.units("acme", "m365"), msp.write_requests()), (12, 1), "{:?}", run.line("acme", "m365"));
    let fix = run.line("acme", "m365")["fix"].as_str().unwrap();
    assert!(fix.contains("Look it up after"), "{fix}");
}

#[tokio::test]
async fn companies_that_share_a_line_and_state_different_units_of_it_are_told() {
    let line = Customer::named("acme").line("edr", 15);
    let msp = On::adding().of([line, Customer::named("beta").joined_to("acme")]).start().await;
    msp.map_company(&msp.connection, "beta", json!({"overrides": {"edr": {"opening_units": 5}}})).await;
    msp.push(&[("acme", "edr", 10), ("beta", "edr", 6)]).await;
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr").as_str(), msp.units("acme", "edr")), ("failed opening_units_differ", 15));
    msp.map_company(&msp.connection, "beta", json!({"overrides": {"edr": {"opening_units": 15}}})).await;
    assert_eq!((msp.run("apply").await.result("acme", "edr").as_str(), msp.units("acme", "edr")), ("updated", 16));
}

#[tokio::test]
async fn a_row_that_is_dated_ahead_stops_nothing_before_its_day_and_lends_no_price() {
    let msp = learnt(On::adding()).await;
    let service = msp.service("m365");
    msp.psa.add_line(msp.contract("acme"), service, date(2027, 1, 1), 4).unwrap();
    push(&msp, 41, 12).await;
    assert_eq!(msp.run("apply").await.result("acme", "m365"), "held units_changed_elsewhere");
    msp.clock.advance(SignedDuration::from_mins(10));
    for stated in [json!({}), json!({"m365": {"opening_units": 10}})] {
        msp.map_company(&msp.connection, "acme", json!({ "overrides": stated })).await;
    }
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "m365").as_str(), msp.units("acme", "m365")), ("updated", 12), "{:?}", run.lines);
}

#[tokio::test]
async fn a_preview_of_another_connection_says_nothing_about_a_line() {
    let msp = learnt(On::adding()).await;
    let other = msp.connect("Europe/Berlin").await;
    msp.clock.advance(SignedDuration::from_mins(10));
    msp.map_product(&other, "edr", json!({"service_id": msp.service("edr").to_string(), "rule": {}})).await;
    msp.map_company(&other, "acme", json!({"overrides": {"edr": {"opening_units": 5}}})).await;
    for mode in ["preview", "apply"] {
        let path = format!("/v1/connections/{other}/runs");
        msp.done(Method::POST, &path, Some(json!({ "mode": mode }))).await;
        msp.drain().await;
    }
    push(&msp, 43, 10).await;
    let run = msp.run("apply").await;
    assert_eq!((run.numbers("acme", "edr"), msp.units("acme", "edr")), ((41, 43, 43), 43));
}
