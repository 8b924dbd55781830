//! Settings, mappings and records that change under charges that stand: nothing is charged twice, and no bill is changed after
//! the fact.

use integration::msp::charges::{CODE, Metered, itemised, metered};
use integration::msp::{Customer, Effect, Fixture as _, Mishap, Msp, Setup};
use jiff::SignedDuration;
use jiff::civil::date;
use reqwest::Method;
use serde_json::json;
use shared::sync::Settings;

/// A month's usage of acme.
fn month(from: &'static str, to: &'static str, amount: &'static str) -> Metered<'static> {
    ("acme", "storage", from, to, amount)
}

/// Prices of what stands, added up, in the order in which it was made.
fn total(msp: &Msp) -> String {
    msp.psa.charges().iter().map(|charge| charge.unit_price).sum::<rust_decimal::Decimal>().normalize().to_string()
}

#[tokio::test]
async fn another_billing_day_charges_nothing_again_however_far_the_months_go_on() {
    let msp = itemised().await;
    msp.remap_charges(|mapping| mapping.from = date(2026, 1, 1)).await;
    msp.policy(json!({"billing_day": 15})).await;
    let months = [
        month("2026-06-01", "2026-06-30", "6"),
        month("2026-07-01", "2026-07-31", "7"),
        month("2026-08-01", "2026-08-31", "8"),
        month("2026-11-01", "2026-11-30", "11"),
    ];
    msp.meter(&months).await;
    msp.run("apply").await;
    let first = (msp.stands().len(), total(&msp));
    assert_eq!(first, (4, "38.4".to_owned()), "{:?}", msp.stands());
    msp.policy(json!({"billing_day": 1})).await;
    for later in ["2026-11-22", "2026-12-02", "2027-01-02", "2027-02-02", "2027-03-02", "2027-04-02", "2027-05-02"] {
        msp.clock.set(&format!("{later}T12:00:00Z"));
        msp.psa.end_contract(msp.contract("acme"), date(2027, 12, 31)).unwrap();
        let run = msp.run("apply").await;
        assert_eq!(
            (msp.stands().len(), total(&msp), run.writes()),
            (4, "38.4".to_owned(), 0),
            "{later}: {:#?}",
            msp.charged(&run).await
        );
    }
}

#[tokio::test]
async fn a_new_markup_changes_no_period_that_is_over_and_no_bill() {
    let msp = itemised().await;
    msp.remap_charges(|mapping| mapping.from = date(2026, 1, 1)).await;
    msp.meter(&[
        month("2026-09-01", "2026-09-30", "10"),
        month("2026-10-01", "2026-10-31", "20"),
        month("2026-11-01", "2026-11-30", "30"),
    ])
    .await;
    msp.run("apply").await;
    msp.psa.bill_charges(msp.contract("acme"), date(2026, 9, 30));
    msp.map_charges(json!({"mode": "itemised", "markup_percent": "50", "from": "2026-01-01"})).await;
    msp.run("apply").await;
    assert_eq!(msp.stands(), ["Cloud storage: 10/12 billed", "Cloud storage: 20/24", "Cloud storage: 30/45"]);
    // Its records are corrected at the markup that it was made with.
    msp.meter(&[month("2026-09-01", "2026-09-30", "11"), month("2026-10-01", "2026-10-31", "25")]).await;
    msp.run("apply").await;
    assert_eq!(
        msp.stands(),
        ["Cloud storage: 10/12 billed", "Cloud storage: 25/30", "Cloud storage: 30/45", "Cloud storage: 1/1.2"]
    );
}

#[tokio::test]
async fn days_that_are_charged_twice_are_refused_until_one_is_taken_back() {
    let msp = itemised().await;
    msp.meter(&[month("2026-11-01", "2026-11-30", "10")]).await;
    msp.run("apply").await;
    msp.meter(&[month("2026-11-03", "2026-11-30", "9")]).await;
    let run = msp.run("apply").await;
    let [row] = &msp.charges_of(&run).await[..] else { panic!() };
    assert_eq!((row["code"].as_str(), msp.stands()), (Some("charge_unclear"), vec!["Cloud storage: 10/12".to_owned()]));
    let explained = row["explanation"].as_str().unwrap();
    assert!(
        explained.contains("2026-11-01 to 2026-11-30") && explained.contains("2026-11-03 to 2026-11-30"),
        "{explained}"
    );
    msp.meter(&[month("2026-11-01", "2026-11-30", "0")]).await;
    msp.run("apply").await;
    assert_eq!(msp.stands(), ["Cloud storage: 9/10.8"]);
}

#[tokio::test]
async fn what_stands_in_one_currency_is_never_brought_to_an_amount_in_another() {
    let msp = itemised().await;
    msp.meter(&[month("2026-11-01", "2026-11-30", "10")]).await;
    msp.run("apply").await;
    for amount in ["10", "12"] {
        let mut dollars = metered(month("2026-11-01", "2026-11-30", amount));
        dollars["currency"] = "USD".into();
        msp.push_records(vec![dollars], true).await;
        let run = msp.run("apply").await;
        assert_eq!(msp.charged(&run).await, ["storage: failed currency_mismatch 12.00>->-"]);
    }
    assert_eq!(msp.stands(), ["Cloud storage: 10/12"]);
}

#[tokio::test]
async fn of_two_connections_that_plan_at_once_the_older_one_charges() {
    let msp = Setup::of([Customer::named("acme").line("edr", 1), Customer::named("beta").line("edr", 1)]).start().await;
    msp.map_charges(json!({"mode": "itemised"})).await;
    let second = msp.connect("Europe/Berlin").await;
    // There acme is mapped to another contract.
    let elsewhere =
        json!({"account_id": msp.account("beta").to_string(), "contract_id": msp.contract("beta").to_string()});
    let charges = json!({"mode": "itemised", "billing_code": CODE, "from": "2026-11-01"});
    msp.done(Method::PUT, &format!("/v1/connections/{second}/companies/acme"), Some(elsewhere)).await;
    msp.done(Method::PUT, &format!("/v1/connections/{second}/charges/cloud"), Some(charges)).await;
    msp.meter(&[month("2026-11-01", "2026-11-30", "10")]).await;
    let mut runs = Vec::new();
    for connection in [second.as_str(), &msp.connection] {
        let path = format!("/v1/connections/{connection}/runs");
        let started = msp.done(Method::POST, &path, Some(json!({"mode": "apply"}))).await;
        runs.push(started["run_id"].as_str().unwrap().to_owned());
    }
    msp.plan().await;
    for job in msp.jobs() {
        msp.work(&job).await.unwrap();
    }
    assert_eq!(
        (msp.stands(), msp.psa.charges()[0].contract_id),
        (vec!["Cloud storage: 10/10".to_owned()], msp.contract("acme"))
    );
    let of_second = msp.see(&runs[0]).await;
    assert_eq!(msp.charged(&of_second).await, ["storage: failed charge_of_another_connection 0.00>->-"]);
}

#[tokio::test]
async fn a_contract_that_has_ended_takes_what_was_used_while_it_ran_and_nothing_after() {
    let msp = itemised().await;
    msp.map_charges(json!({"mode": "itemised", "markup_percent": "20", "when": "after_period"})).await;
    msp.psa.end_contract(msp.contract("acme"), date(2026, 11, 30)).unwrap();
    msp.meter(&[month("2026-11-01", "2026-11-30", "10"), month("2026-12-01", "2026-12-31", "4")]).await;
    msp.clock.set("2027-01-03T12:00:00Z");
    let run = msp.run("apply").await;
    let charged = msp.charged(&run).await;
    assert_eq!(charged, ["storage: failed contract_ended 0.00>4.80>-", "storage: updated 0.00>12.00>12.00"]);
}

#[tokio::test]
async fn a_large_fall_waits_for_a_person() {
    let msp = itemised().await;
    msp.meter(&[month("2026-11-01", "2026-11-30", "2000")]).await;
    msp.run("apply").await;
    msp.meter(&[month("2026-11-01", "2026-11-30", "0")]).await;
    let held = msp.run("apply").await;
    assert_eq!(msp.charged(&held).await, ["storage: held charge_guard 2400.00>0.00>-"]);
    assert_eq!(msp.stands(), ["Cloud storage: 2000/2400"]);
    let approved = msp.approve_charges(&held, None).await;
    assert_eq!(msp.charged(&approved).await, ["storage: updated 2400.00>0.00>0.00"]);
    assert_eq!(msp.stands(), [""; 0]);
}

#[tokio::test]
async fn a_run_of_a_company_of_which_only_charges_are_mapped_charges_it() {
    let msp = Setup::of([Customer::named("acme")]).start().await;
    msp.map_charges(json!({"mode": "itemised"})).await;
    msp.meter(&[month("2026-11-01", "2026-11-30", "10")]).await;
    let path = format!("/v1/connections/{}/runs", msp.connection);
    let started = msp.done(Method::POST, &path, Some(json!({"mode": "apply", "companies": ["acme"]}))).await;
    msp.drain().await;
    let run = msp.see(started["run_id"].as_str().unwrap()).await;
    assert_eq!((run.status(), msp.stands()), ("succeeded", vec!["Cloud storage: 10/10".to_owned()]), "{:#}", run.view);
}

#[tokio::test]
async fn an_open_write_is_settled_also_where_nothing_new_can_be_said_of_the_charge() {
    let setup = Setup::of([Customer::named("acme").line("edr", 1)]).patience(std::time::Duration::from_millis(300));
    let msp = setup.start().await;
    msp.map_charges(json!({"mode": "itemised"})).await;
    msp.psa.strike(1, Mishap::CalledMade(Effect::NotMade));
    msp.meter(&[month("2026-11-01", "2026-11-30", "10")]).await;
    let open = msp.run("apply").await;
    assert_eq!(msp.charged(&open).await, ["storage: unknown write_unsettled 0.00>10.00>-"]);
    msp.psa.clear_faults();
    // Now its days are charged twice, and the write comes in.
    msp.meter(&[month("2026-11-02", "2026-11-30", "9")]).await;
    let reference = msp.charges_of(&open).await[0]["reference"].as_str().unwrap().to_owned();
    msp.psa.late_charge(msp.contract("acme"), ("Cloud storage", &reference), date(2026, 11, 30), ("10", "10")).unwrap();
    msp.clock.advance(Settings::default().settle + SignedDuration::from_secs(1));
    let run = msp.run("apply").await;
    assert_eq!(
        msp.charged(&run).await,
        ["storage: failed charge_unclear 10.00>->-"],
        "settled, and told what is wrong"
    );
    msp.meter(&[month("2026-11-02", "2026-11-30", "0")]).await;
    assert_eq!(msp.charged(&msp.run("apply").await).await, ["storage: unchanged 10.00>10.00>-"]);
    assert_eq!(msp.stands(), ["Cloud storage: 10/10"]);
}
