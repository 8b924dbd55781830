//! How counts over days become units, for partners at both ends of the world's clock.

use integration::msp::{Customer, Msp, Run, Setup};
use jiff::civil::Date;
use serde_json::{Value, json};

/// Thirteen hours ahead of UTC.
const APIA: &str = "Pacific/Apia";
/// Eleven hours behind it.
const PAGO_PAGO: &str = "Pacific/Pago_Pago";

async fn msp(zone: &str, rule: Value, units: i64, at: &str) -> Msp {
    Setup::of([Customer::named("acme").line("edr", units)]).product("edr", rule).zone(zone).at(at).start().await
}

async fn count(msp: &Msp, at: &str, count: u32) {
    msp.clock.set(at);
    msp.push(&[("acme", "edr", count)]).await;
}

async fn preview(msp: &Msp) -> (i64, String) {
    let run: Run = msp.run("preview").await;
    let line = run.line("acme", "edr");
    let because = line["explanation"].as_str().unwrap_or_default();
    let because = because.split(';').next().unwrap_or_default().to_owned();
    (
        line["target"].as_i64().unwrap_or(-1),
        if line["code"] == "" { because } else { line["code"].as_str().unwrap_or_default().to_owned() },
    )
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

#[tokio::test]
async fn the_high_water_mark_is_the_highest_of_the_billing_period() {
    let msp = msp(APIA, json!({"counting": "high_water_mark"}), 40, "2026-11-02T00:00:00Z").await;
    for (at, quantity) in [("2026-11-02T01:00:00Z", 42), ("2026-11-09T01:00:00Z", 47), ("2026-11-20T01:00:00Z", 44)] {
        count(&msp, at, quantity).await;
    }
    assert_eq!(preview(&msp).await, (47, "highest count 47 of the period from 2026-11-01, set on 2026-11-09".into()));
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
    // Within the period the mark never falls.
    count(&msp, "2026-11-29T01:00:00Z", 41).await;
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged");
}

#[tokio::test]
async fn a_period_begins_at_the_partners_midnight() {
    for (zone, midnight, before, after) in [
        (APIA, "2026-11-30T11:00:00Z", "2026-11-30T10:30:00Z", "2026-11-30T11:30:00Z"),
        (PAGO_PAGO, "2026-12-01T11:00:00Z", "2026-12-01T10:30:00Z", "2026-12-01T11:30:00Z"),
    ] {
        let msp = msp(zone, json!({"counting": "high_water_mark"}), 40, "2026-11-20T12:00:00Z").await;
        count(&msp, before, 50).await;
        let run = msp.run("apply").await;
        assert_eq!(run.numbers("acme", "edr"), (40, 50, 50), "{zone} before {midnight}");
        assert_eq!(run.line("acme", "edr")["effective_date"], "2026-11-01", "{zone}");
        count(&msp, after, 45).await;
        assert_eq!(
            preview(&msp).await,
            (45, "highest count 45 of the period from 2026-12-01, set on 2026-12-01".into()),
            "{zone}"
        );
        let run = msp.run("apply").await;
        assert_eq!(
            (run.result("acme", "edr").as_str(), run.line("acme", "edr")["effective_date"].as_str()),
            ("updated", Some("2026-12-01")),
            "{zone}"
        );
        assert_eq!(msp.units_on("acme", "edr", day("2026-11-30")), 50, "{zone}");
        assert_eq!(msp.units_on("acme", "edr", day("2026-12-01")), 45, "{zone}");
    }
}

#[tokio::test]
async fn a_period_without_a_count_yet_is_skipped_and_nothing_is_lowered() {
    let msp = msp(APIA, json!({"counting": "high_water_mark"}), 40, "2026-11-20T12:00:00Z").await;
    count(&msp, "2026-11-30T10:30:00Z", 50).await;
    msp.clock.set("2026-11-30T11:30:00Z");
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr").as_str(), msp.write_requests()), ("skipped usage_not_in_period", 0));
}

#[tokio::test]
async fn the_close_of_a_month_is_the_count_of_the_partners_last_day() {
    for (zone, last, first) in [
        (APIA, "2026-10-31T10:30:00Z", "2026-10-31T11:30:00Z"),
        (PAGO_PAGO, "2026-11-01T10:30:00Z", "2026-11-01T11:30:00Z"),
    ] {
        let msp = msp(zone, json!({"counting": "period_close"}), 40, "2026-10-20T12:00:00Z").await;
        count(&msp, "2026-10-28T12:00:00Z", 43).await;
        count(&msp, last, 41).await;
        count(&msp, first, 60).await;
        assert_eq!(preview(&msp).await, (41, "count 41 at the close of 2026-10-31".into()), "{zone}");
        msp.clock.set("2026-11-20T12:00:00Z");
        assert_eq!(preview(&msp).await.0, 41, "{zone}");
        assert_eq!(msp.run("apply").await.line("acme", "edr")["effective_date"], "2026-11-01", "{zone}");
        // A month later the close is the next one, carried from the last count.
        msp.clock.set("2026-12-02T12:00:00Z");
        assert_eq!(
            preview(&msp).await,
            (60, "count 60 at the close of 2026-11-30 (carried from 2026-11-01)".into()),
            "{zone}"
        );
    }
}

#[tokio::test]
async fn an_average_is_over_the_partners_days_each_carried_on() {
    for (zone, tenth, eleventh, twentieth) in [
        (APIA, "2026-11-10T10:30:00Z", "2026-11-10T11:30:00Z", "2026-11-20T10:30:00Z"),
        (PAGO_PAGO, "2026-11-11T10:30:00Z", "2026-11-11T11:30:00Z", "2026-11-21T10:30:00Z"),
    ] {
        let msp = msp(zone, json!({"counting": "average"}), 10, "2026-10-20T12:00:00Z").await;
        count(&msp, "2026-10-25T12:00:00Z", 10).await;
        count(&msp, tenth, 10).await;
        count(&msp, eleventh, 20).await;
        msp.clock.set(twentieth);
        // Ten days of 10, of which nine are carried from October, and ten of 20.
        assert_eq!(preview(&msp).await, (15, "mean 15 over 20 days of the period from 2026-11-01".into()), "{zone}");
    }
}

#[tokio::test]
async fn an_average_is_rounded_as_the_rule_says_and_never_billed_in_parts() {
    for (rounding, units) in [("up", 11), ("nearest", 10), ("down", 10)] {
        let msp = msp("UTC", json!({"counting": "average", "rounding": rounding}), 10, "2026-11-01T01:00:00Z").await;
        count(&msp, "2026-11-01T02:00:00Z", 10).await;
        count(&msp, "2026-11-03T02:00:00Z", 11).await;
        assert_eq!(
            preview(&msp).await,
            (
                units,
                format!(
                    "mean 10.3333 over 3 days of the period from 2026-11-01, 10.3333 rounded {}",
                    match rounding {
                        "nearest" => "to the nearest",
                        other => other,
                    }
                )
            )
        );
    }
}

#[tokio::test]
async fn exclusions_minimum_commitment_and_maximum_shape_the_target() {
    let rule = json!({"exclude": 2, "minimum": 5, "maximum": 50, "commitment": {"units": 10, "until": "2026-11-30"}});
    let msp = msp("UTC", rule, 10, "2026-11-20T12:00:00Z").await;
    for (quantity, target) in [(42, 40), (6, 10), (60, 50)] {
        count(&msp, &msp.clock.time().to_string(), quantity).await;
        assert_eq!(preview(&msp).await.0, target);
    }
    msp.clock.set("2026-12-01T12:00:00Z");
    count(&msp, "2026-12-01T12:00:00Z", 6).await;
    assert_eq!(preview(&msp).await.0, 5);
}

#[tokio::test]
async fn the_latest_count_is_used_however_old_it_is() {
    let msp = msp("UTC", json!({}), 40, "2026-09-01T12:00:00Z").await;
    count(&msp, "2026-09-02T12:00:00Z", 44).await;
    msp.clock.set("2026-11-20T12:00:00Z");
    assert_eq!(preview(&msp).await, (44, "newest count 44 of 2026-09-02".into()));
}
