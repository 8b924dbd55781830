//! Metered usage becomes charges in the PSA: made once, kept right while they are open, corrected once they are billed, and
//! explained where they are not written.

use integration::msp::charges::{itemised, metered};
use integration::msp::{Customer, Msp, Setup};
use integration::{Answer, PARTNER};
use jiff::SignedDuration;
use jiff::civil::date;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use simulators::autotask::{ApiUser, Entity};

async fn next_day(msp: &Msp) {
    msp.clock.advance(SignedDuration::from_hours(24));
}

/// Bills everything of acme that stands by now.
fn bill(msp: &Msp) -> usize {
    msp.psa.bill_charges(msp.contract("acme"), date(2027, 12, 31))
}

async fn findings(msp: &Msp) -> Vec<Value> {
    let page = msp.done(Method::GET, &format!("/v1/connections/{}/findings", msp.connection), None).await;
    page["items"].as_array().cloned().unwrap_or_default()
}

/// Codes of the findings that are open on charges.
async fn found(msp: &Msp) -> Vec<String> {
    let on_charges = |finding: &&Value| finding["charge_id"].is_string();
    let code = |finding: &Value| finding["code"].as_str().unwrap_or_default().to_owned();
    findings(msp).await.iter().filter(on_charges).map(code).collect()
}

#[tokio::test]
async fn a_meter_becomes_a_charge_that_follows_its_usage_and_is_written_once() {
    let msp = itemised().await;
    msp.meter(&[
        ("acme", "storage", "2026-11-01", "2026-11-30", "70.10"),
        ("acme", "egress", "2026-11-02", "2026-11-02", "0.35"),
    ])
    .await;
    let preview = msp.run("preview").await;
    assert_eq!(msp.charged(&preview).await, ["egress: planned 0.00>0.42>-", "storage: planned 0.00>84.12>-"]);
    assert_eq!(
        preview.view["charges"]["planned"],
        json!([{"currency": "EUR", "cost": "70.45", "price": "84.54", "charges": 2}])
    );
    assert_eq!((msp.charge_requests(), msp.stands().len()), (0, 0), "a preview writes nothing");

    let run = msp.run("apply").await;
    assert_eq!(
        msp.charged(&run).await,
        ["egress: updated 0.00>0.42>0.42", "storage: updated 0.00>84.12>84.12"],
        "{:#}",
        run.view
    );
    assert_eq!(msp.stands(), ["Cloud egress: 0.35/0.42", "Cloud storage: 70.1/84.12"]);
    let first = &msp.psa.charges()[0];
    assert_eq!((first.date, first.contract_id, first.quantity), (date(2026, 11, 30), msp.contract("acme"), 1.into()));
    assert!(first.reference.starts_with("TL-") && first.billable && first.billing_code_id.is_some());
    assert_eq!(
        (run.status(), run.writes(), run.view["charges"]["counts"]["updated"].as_u64()),
        ("succeeded", 2, Some(2))
    );
    println!("two charges made in {} requests", run.view["psa_requests"]);

    msp.psa.reset_counts();
    let again = msp.run("apply").await;
    assert_eq!(msp.charged(&again).await, ["egress: unchanged 0.42>0.42>-", "storage: unchanged 84.12>84.12>-"]);
    assert_eq!((msp.charge_requests(), again.writes()), (0, 0));
    println!("two charges found right in {} requests", again.view["psa_requests"]);

    next_day(&msp).await;
    msp.meter(&[
        ("acme", "storage", "2026-11-01", "2026-11-30", "75"),
        ("acme", "egress", "2026-11-03", "2026-11-03", "0.15"),
    ])
    .await;
    let run = msp.run("apply").await;
    assert_eq!(msp.charged(&run).await, ["egress: updated 0.42>0.60>0.60", "storage: updated 84.12>90.00>90.00"]);
    assert_eq!(msp.stands(), ["Cloud egress: 0.5/0.6", "Cloud storage: 75/90"]);

    // What is not named any more stands; what is named as nothing is taken away.
    next_day(&msp).await;
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "0")]).await;
    let run = msp.run("apply").await;
    assert_eq!(msp.charged(&run).await, ["egress: unchanged 0.60>0.60>-", "storage: updated 90.00>0.00>0.00"]);
    assert_eq!(msp.stands(), ["Cloud egress: 0.5/0.6"]);
    // And it may come again.
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "5")]).await;
    assert_eq!(msp.charged(&msp.run("apply").await).await[1], "storage: updated 0.00>6.00>6.00");
    assert_eq!(msp.stands(), ["Cloud egress: 0.5/0.6", "Cloud storage: 5/6"]);
}

#[tokio::test]
async fn a_charge_that_was_billed_stays_and_is_corrected_by_another() {
    let msp = itemised().await;
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "70")]).await;
    msp.run("apply").await;
    assert_eq!(bill(&msp), 1);
    let before = msp.run("apply").await;
    assert_eq!(msp.charged(&before).await, ["storage: unchanged 84.00>84.00>-"]);
    msp.psa.reset_counts();
    msp.run("apply").await;
    assert!(
        msp.psa.requests().iter().all(|asked| asked.entity != Some(Entity::ContractCharges)),
        "what is billed is not asked about"
    );

    msp.clock.set("2026-12-03T12:00:00Z");
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "60")]).await;
    let run = msp.run("apply").await;
    assert_eq!(msp.charged(&run).await, ["storage: updated 84.00>72.00>72.00"]);
    assert_eq!(msp.stands(), ["Cloud storage: 70/84 billed", "Cloud storage: -10/-12"]);
    assert_eq!(msp.psa.charges()[1].date, date(2026, 12, 3), "it belongs to the next invoice");
    let [first, second] = &msp.psa.charges()[..] else { panic!() };
    assert_ne!(first.reference, second.reference);

    // The correction is open: it is changed, and taken away where nothing is left of it.
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "65")]).await;
    assert_eq!(msp.charged(&msp.run("apply").await).await, ["storage: updated 72.00>78.00>78.00"]);
    assert_eq!(msp.stands(), ["Cloud storage: 70/84 billed", "Cloud storage: -5/-6"]);
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "70")]).await;
    assert_eq!(msp.charged(&msp.run("apply").await).await, ["storage: updated 78.00>84.00>84.00"]);
    assert_eq!(msp.stands(), ["Cloud storage: 70/84 billed"]);
    // And a billed correction is corrected in its turn.
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "80")]).await;
    msp.run("apply").await;
    bill(&msp);
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "75")]).await;
    msp.run("apply").await;
    assert_eq!(msp.stands(), ["Cloud storage: 70/84 billed", "Cloud storage: 10/12 billed", "Cloud storage: -5/-6"]);
    assert_eq!(msp.run("apply").await.writes(), 0);
}

#[tokio::test]
async fn a_bundle_is_one_charge_of_an_account_and_period_and_comes_to_what_its_items_would() {
    let msp = Setup::of([Customer::named("acme"), Customer::named("beta")]).start().await;
    msp.map_charges(json!({"mode": "bundled", "name": "Cloud services", "markup_percent": "20"})).await;
    let records = [
        ("acme", "storage", "2026-11-01", "2026-11-30", "0.125"),
        ("acme", "egress", "2026-11-01", "2026-11-30", "0.135"),
        ("beta", "storage", "2026-11-01", "2026-11-30", "9"),
    ];
    msp.meter(&records).await;
    msp.run("apply").await;
    assert_eq!(msp.stands(), ["Cloud services: 0.26/0.31", "Cloud services: 9/10.8"]);
    let bundle = msp.psa.charges()[0].clone();
    assert!(
        bundle.description.contains("Cloud egress") && bundle.description.contains("Cloud storage"),
        "{}",
        bundle.description
    );

    // Renamed while it is open, it is renamed there; once it is billed, it is said that it is not.
    msp.map_charges(json!({"mode": "bundled", "name": "Azure", "markup_percent": "20"})).await;
    let run = msp.run("apply").await;
    let renamed = &msp.charges_of(&run).await[0];
    assert_eq!((renamed["status"].as_str(), renamed["name"].as_str()), (Some("updated"), Some("Azure")), "{renamed:#}");
    assert!(
        renamed["explanation"].as_str().unwrap().contains("\"Cloud services\" is called \"Azure\" now"),
        "{renamed:#}"
    );
    assert_eq!(msp.stands(), ["Azure: 0.26/0.31", "Azure: 9/10.8"]);
    bill(&msp);
    msp.run("apply").await;
    msp.map_charges(json!({"mode": "bundled", "name": "Cloud", "markup_percent": "20"})).await;
    let run = msp.run("apply").await;
    assert_eq!(
        msp.charged(&run).await,
        ["*: unchanged charge_name_billed 0.31>0.31>-", "*: updated 10.80>10.80>10.80"]
    );
    assert_eq!(msp.stands(), ["Azure: 0.26/0.31 billed", "Cloud: 9/10.8"]);
}

#[tokio::test]
async fn a_record_stays_where_it_was_charged_first() {
    let acme = Customer::named("acme").line("edr", 1);
    let msp = Setup::of([acme, Customer::named("beta").line("edr", 1)]).start().await;
    msp.map_charges(json!({"mode": "itemised"})).await;
    msp.meter(&[
        ("acme", "storage", "2026-11-01", "2026-11-10", "10"),
        ("acme", "egress", "2026-11-01", "2026-11-10", "1"),
    ])
    .await;
    msp.run("apply").await;
    assert_eq!(msp.stands(), ["Cloud egress: 1/1", "Cloud storage: 10/10"]);
    // Bundled from now on, on another billing day and on another contract: for what comes, not for what stands.
    msp.map_charges(json!({"mode": "bundled", "name": "Cloud"})).await;
    msp.policy(json!({"billing_day": 5})).await;
    msp.remap("acme", |mapping| mapping.contract_id = "29680002".parse().unwrap()).await;
    msp.remap("acme", |mapping| mapping.account_id = "1002".parse().unwrap()).await;
    msp.meter(&[
        ("acme", "storage", "2026-11-01", "2026-11-10", "12"),
        ("acme", "storage", "2026-11-11", "2026-11-20", "3"),
    ])
    .await;
    let run = msp.run("apply").await;
    assert_eq!(run.status(), "succeeded", "{:#?}", msp.charges_of(&run).await);
    assert_eq!(msp.stands(), ["Cloud egress: 1/1", "Cloud storage: 12/12", "Cloud: 3/3"]);
    let contracts: Vec<i64> = msp.psa.charges().iter().map(|charge| charge.contract_id).collect();
    assert_eq!(contracts, [29_680_001, 29_680_001, 29_680_002]);
    assert_eq!(msp.run("apply").await.writes(), 0);
}

#[tokio::test]
async fn a_charge_is_never_lowered_because_a_company_is_not_mapped_any_more() {
    let msp =
        Setup::of([Customer::named("acme").line("edr", 1), Customer::named("beta").joined_to("acme")]).start().await;
    msp.map_charges(json!({"mode": "itemised"})).await;
    msp.meter(&[
        ("acme", "storage", "2026-11-01", "2026-11-30", "10"),
        ("beta", "storage", "2026-11-01", "2026-11-30", "5"),
    ])
    .await;
    msp.run("apply").await;
    assert_eq!(msp.stands(), ["Cloud storage: 15/15"], "two companies of one contract share a charge");
    msp.done(Method::DELETE, &format!("/v1/connections/{}/companies/beta", msp.connection), None).await;
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "12")]).await;
    let run = msp.run("apply").await;
    assert_eq!(msp.charged(&run).await, ["storage: held charge_records_missing 15.00>->-"]);
    assert_eq!(
        (msp.stands(), found(&msp).await),
        (vec!["Cloud storage: 15/15".to_owned()], vec!["charge_records_missing".to_owned()])
    );
    msp.map_company(
        &msp.connection,
        "beta",
        json!({"account_id": msp.account("acme").to_string(), "contract_id": msp.contract("acme").to_string()}),
    )
    .await;
    msp.run("apply").await;
    assert_eq!((msp.stands(), found(&msp).await.len()), (vec!["Cloud storage: 17/17".to_owned()], 0));
}

#[tokio::test]
async fn an_edit_in_the_psa_waits_for_a_person() {
    let msp = itemised().await;
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "10")]).await;
    msp.run("apply").await;
    let id = msp.psa.charges()[0].id;
    msp.psa.edit_charge(id, "99").unwrap();
    let run = msp.run("apply").await;
    assert_eq!(msp.charged(&run).await, ["storage: held charge_drift 99.00>12.00>-"]);
    assert_eq!((found(&msp).await, msp.charge_requests()), (vec!["charge_drift".to_owned()], 1));
    // Approved, it is set anew.
    let approved = msp.approve_charges(&run, None).await;
    assert_eq!(msp.charged(&approved).await, ["storage: updated 99.00>12.00>12.00"]);
    assert_eq!((msp.stands(), found(&msp).await.len()), (vec!["Cloud storage: 10/12".to_owned()], 0));

    // Taken away by hand: resolved, it is made again under another name of ours.
    msp.psa.remove_charge(id).unwrap();
    let run = msp.run("apply").await;
    assert_eq!(msp.charged(&run).await, ["storage: held charge_drift 0.00>12.00>-"]);
    let finding = findings(&msp).await[0]["id"].as_str().unwrap().to_owned();
    msp.done(Method::POST, &format!("/v1/findings/{finding}/resolve"), Some(json!({}))).await;
    assert_eq!(msp.charged(&msp.run("apply").await).await, ["storage: updated 0.00>12.00>12.00"]);
    assert_eq!(msp.stands(), ["Cloud storage: 10/12"]);
    // And by the policy it is overwritten.
    msp.policy(json!({"drift": "overwrite"})).await;
    let id = msp.psa.charges()[0].id;
    msp.psa.edit_charge(id, "1").unwrap();
    assert_eq!(msp.charged(&msp.run("apply").await).await, ["storage: updated 1.00>12.00>12.00"]);
}

#[tokio::test]
async fn charges_wait_for_approval_where_the_policy_says_so_and_are_made_as_they_were_approved() {
    let msp = itemised().await;
    msp.policy(json!({"approval": "always"})).await;
    msp.meter(&[
        ("acme", "storage", "2026-11-01", "2026-11-30", "10"),
        ("acme", "egress", "2026-11-01", "2026-11-30", "1"),
    ])
    .await;
    let held = msp.run("apply").await;
    assert_eq!(
        msp.charged(&held).await,
        ["egress: held approval_needed 0.00>1.20>-", "storage: held approval_needed 0.00>12.00>-"]
    );
    assert_eq!(
        held.view["charges"]["held"],
        json!([{"currency": "EUR", "cost": "11.00", "price": "13.20", "charges": 2}])
    );
    let storage = msp.charges_of(&held).await[1]["charge_id"].as_str().unwrap().to_owned();
    let approved = msp.approve_charges(&held, Some(&[&storage])).await;
    assert_eq!(msp.charged(&approved).await, ["storage: updated 0.00>12.00>12.00"]);
    assert_eq!(msp.stands(), ["Cloud storage: 10/12"]);
    // What was approved is this amount and no other.
    msp.meter(&[("acme", "egress", "2026-11-01", "2026-11-30", "500")]).await;
    let late = msp.approve_charges(&held, None).await;
    assert_eq!(
        msp.charged(&late).await,
        ["egress: held approval_needed 0.00>600.00>-", "storage: unchanged 12.00>12.00>-"]
    );
    assert_eq!(msp.stands().len(), 1);
    let answer =
        msp.call(Method::POST, &format!("/v1/runs/{}/approve", held.id), Some(json!({"charges": ["other"]}))).await;
    assert_eq!((answer.status, answer.json["errors"][0]["pointer"].as_str()), (422, Some("/charges/0")));
    // In shadow mode nothing is written.
    msp.policy(json!({"approval": "none", "shadow": true})).await;
    let shadow = msp.run("apply").await;
    assert_eq!(msp.charged(&shadow).await[0], "egress: planned shadow 0.00>600.00>-");
    assert_eq!(msp.charge_requests(), 1);
}

#[tokio::test]
async fn what_the_psa_or_the_mapping_lacks_is_explained_and_nothing_is_written() {
    // A currency that is not the customer's.
    let yen = Customer::named("yen").line("edr", 1).invoiced_in("JPY", "0.006");
    let msp = Setup::of([Customer::named("acme").line("edr", 1), yen]).start().await;
    msp.map_charges(json!({"mode": "itemised"})).await;
    msp.meter(&[
        ("acme", "storage", "2026-11-01", "2026-11-04", "10"),
        ("yen", "storage", "2026-11-01", "2026-11-30", "10"),
    ])
    .await;
    let run = msp.run("apply").await;
    assert_eq!(
        msp.charged(&run).await,
        ["storage: failed currency_mismatch 0.00>10.00>-", "storage: updated 0.00>10.00>10.00"]
    );
    let explained = msp.charges_of(&run).await[0]["explanation"].as_str().unwrap().to_owned();
    assert!(explained.contains("JPY") && explained.contains("EUR"), "{explained}");
    assert_eq!((run.status(), found(&msp).await), ("partial", vec!["currency_mismatch".to_owned()]));

    // Two currencies of one meter are not added up.
    let mut dollars = metered(("acme", "storage", "2026-11-05", "2026-11-05", "1"));
    dollars["currency"] = "USD".into();
    msp.push_records(vec![dollars], true).await;
    assert_eq!(msp.charged(&msp.run("apply").await).await[0], "storage: failed currency_mismatch 10.00>->-");

    // A billing code that was renamed in the PSA since.
    let msp = itemised().await;
    msp.remap_charges(|mapping| mapping.billing_code = "Cloud".to_owned()).await;
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "10")]).await;
    let run = msp.run("apply").await;
    assert_eq!(msp.charged(&run).await, ["storage: failed psa_billing_code_not_found 0.00>12.00>-"]);
    assert_eq!((msp.charge_requests(), found(&msp).await), (0, vec!["psa_billing_code_not_found".to_owned()]));
}

#[tokio::test]
async fn a_user_who_sees_no_costs_is_told_that_none_was_taken() {
    let setup = Setup::of([Customer::named("acme").line("edr", 1)]).psa(|psa| psa.user(ApiUser::full().cost_blind()));
    let msp = setup.start().await;
    msp.map_charges(json!({"mode": "itemised", "markup_percent": "20"})).await;
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "10")]).await;
    let run = msp.run("apply").await;
    assert_eq!(
        msp.charged(&run).await,
        ["storage: failed charge_not_taken 0.00>12.00>12.00"],
        "{:#?}",
        msp.charges_of(&run).await
    );
    assert_eq!((run.status(), found(&msp).await), ("partial", vec!["charge_not_taken".to_owned()]));
    assert_eq!(msp.psa.charges()[0].unit_price, 12.into(), "the price is taken all the same");
    // It is not sent again and again.
    for _ in 0..2 {
        next_day(&msp).await;
        let run = msp.run("apply").await;
        assert_eq!(
            (msp.charged(&run).await, run.writes()),
            (vec!["storage: failed charge_not_taken 12.00>12.00>-".to_owned()], 0)
        );
    }
    // Billed so, it is not corrected for a cost that nobody saw.
    bill(&msp);
    for _ in 0..2 {
        let run = msp.run("apply").await;
        assert_eq!((msp.charged(&run).await, run.writes()), (vec!["storage: unchanged 12.00>12.00>-".to_owned()], 0));
    }
}

#[tokio::test]
async fn usage_of_before_the_start_and_of_a_period_that_runs_waits_where_the_mapping_says_so() {
    let msp = itemised().await;
    msp.map_charges(json!({"mode": "itemised", "when": "after_period", "from": "2026-11-01"})).await;
    msp.meter(&[
        ("acme", "storage", "2026-11-01", "2026-11-30", "10"),
        ("acme", "storage", "2026-10-01", "2026-10-31", "9"),
    ])
    .await;
    let run = msp.run("apply").await;
    assert_eq!(
        msp.charged(&run).await,
        ["storage: skipped charge_before_start 0.00>->-", "storage: skipped charge_waits 0.00>->-"]
    );
    assert_eq!((run.status(), msp.stands().len(), found(&msp).await.len()), ("succeeded", 0, 0));
    msp.clock.set("2026-12-01T12:00:00Z");
    msp.run("apply").await;
    assert_eq!(msp.stands(), ["Cloud storage: 10/10"]);
    assert_eq!(msp.psa.charges()[0].date, date(2026, 11, 30));
}

#[tokio::test]
async fn billing_periods_are_cut_from_the_billing_day() {
    let msp = itemised().await;
    msp.policy(json!({"billing_day": 15})).await;
    msp.meter(&[
        ("acme", "storage", "2026-11-14", "2026-11-14", "1"),
        ("acme", "storage", "2026-11-15", "2026-11-15", "2"),
    ])
    .await;
    let run = msp.run("apply").await;
    let periods: Vec<String> = msp
        .charges_of(&run)
        .await
        .iter()
        .map(|row| format!("{}..{}", row["period_start"], row["period_end"]).replace('"', ""))
        .collect();
    assert_eq!(periods, ["2026-10-15..2026-11-14", "2026-11-15..2026-12-14"]);
    let dates: Vec<String> = msp.psa.charges().iter().map(|charge| charge.date.to_string()).collect();
    assert_eq!(dates, ["2026-11-14", "2026-12-14"]);
}

#[tokio::test]
async fn a_run_of_some_companies_and_another_partners_connection_leave_other_charges_alone() {
    let msp = Setup::of([Customer::named("acme").line("edr", 1), Customer::named("beta").line("edr", 1)]).start().await;
    msp.map_charges(json!({"mode": "itemised"})).await;
    msp.meter(&[
        ("acme", "storage", "2026-11-01", "2026-11-30", "10"),
        ("beta", "storage", "2026-11-01", "2026-11-30", "5"),
    ])
    .await;
    let path = format!("/v1/connections/{}/runs", msp.connection);
    let started = msp.done(Method::POST, &path, Some(json!({"mode": "apply", "companies": ["beta"]}))).await;
    msp.drain().await;
    let id = started["run_id"].as_str().unwrap();
    assert_eq!(msp.charged(&msp.see(id).await).await, ["storage: updated 0.00>5.00>5.00"]);
    assert_eq!(msp.stands(), ["Cloud storage: 5/5"]);
    let other = msp.call_as("fremd", Method::GET, &format!("/v1/runs/{id}/charges"), None).await;
    assert_eq!(other.status, 404);

    // A second connection of the same partner to the same tenant leaves what the first one writes alone.
    let second = msp.connect("Europe/Berlin").await;
    for (kind, id, body) in [
        (
            "companies",
            "beta",
            json!({"account_id": msp.account("beta").to_string(), "contract_id": msp.contract("beta").to_string()}),
        ),
        (
            "charges",
            "cloud",
            json!({"mode": "itemised", "billing_code": "Metered usage", "from": "2026-11-01", "markup_percent": "50"}),
        ),
    ] {
        msp.done(Method::PUT, &format!("/v1/connections/{second}/{kind}/{id}"), Some(body)).await;
    }
    let started =
        msp.done(Method::POST, &format!("/v1/connections/{second}/runs"), Some(json!({"mode": "apply"}))).await;
    msp.drain().await;
    let run = msp.see(started["run_id"].as_str().unwrap()).await;
    assert_eq!(msp.charged(&run).await, ["storage: failed charge_of_another_connection 5.00>->-"]);
    // Once the first is revoked, the second goes on with what stands.
    msp.done(Method::DELETE, &format!("/v1/connections/{}", msp.connection), None).await;
    let started =
        msp.done(Method::POST, &format!("/v1/connections/{second}/runs"), Some(json!({"mode": "apply"}))).await;
    msp.drain().await;
    let run = msp.see(started["run_id"].as_str().unwrap()).await;
    assert_eq!(msp.charged(&run).await, ["storage: updated 5.00>7.50>7.50"]);
    assert_eq!(msp.stands(), ["Cloud storage: 5/7.5"]);
}

#[tokio::test]
async fn the_charges_of_a_run_are_listed_by_status_and_as_a_file() {
    let msp = itemised().await;
    msp.meter(&[
        ("acme", "storage", "2026-11-01", "2026-11-30", "10"),
        ("acme", "egress", "2026-11-01", "2026-11-30", "1"),
    ])
    .await;
    let run = msp.run("preview").await;
    let path = format!("/v1/runs/{}/charges", run.id);
    let page = msp.done(Method::GET, &format!("{path}?limit=1"), None).await;
    let next = page["next_cursor"].as_str().unwrap();
    assert_eq!(
        (page["items"][0]["meter"].as_str(), page["items"][0]["approvable"].as_bool()),
        (Some("egress"), Some(true))
    );
    let page = msp.done(Method::GET, &format!("{path}?limit=1&cursor={next}"), None).await;
    assert_eq!((page["items"][0]["meter"].as_str(), page["next_cursor"].as_str()), (Some("storage"), None));
    assert_eq!(msp.done(Method::GET, &format!("{path}?status=held"), None).await["items"], json!([]));
    let file = msp.parts.request(Method::GET, &path).bearer_auth(msp.parts.token(PARTNER, &[Scope::Read]));
    let file = Answer::to(file.header("accept", "text/csv")).await.text;
    let columns = file.lines().next().unwrap_or_default().split(',').count();
    assert_eq!((columns, file.lines().count()), (24, 3), "{file}");
}

#[tokio::test]
async fn a_job_that_was_planned_by_mappings_that_have_changed_writes_nothing() {
    let msp = itemised().await;
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "10")]).await;
    let run = msp.ask("apply").await;
    msp.plan().await;
    let jobs = msp.jobs();
    msp.remap_charges(|mapping| mapping.billing_code = "Other".to_owned()).await;
    for job in jobs {
        msp.work(&job).await.unwrap();
    }
    assert_eq!(msp.charged(&msp.see(&run).await).await, ["storage: skipped job_too_old 0.00>12.00>-"]);
    for body in [json!({"policy": {"billing_day": 5}}), json!({"policy": {"billing_day": 1}})] {
        let msp = itemised().await;
        msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "10")]).await;
        let run = msp.ask("apply").await;
        msp.plan().await;
        let jobs = msp.jobs();
        msp.patch(body.clone()).await;
        for job in jobs {
            msp.work(&job).await.unwrap();
        }
        let moved = body["policy"]["billing_day"] == 5;
        assert_eq!(msp.stands().is_empty(), moved, "{body}");
        let expected =
            if moved { "storage: skipped job_too_old 0.00>12.00>-" } else { "storage: updated 0.00>12.00>12.00" };
        assert_eq!(msp.charged(&msp.see(&run).await).await, [expected]);
    }
    // A company that is mapped elsewhere while its job waits is charged there by the next run, and only there.
    let msp = Setup::of([Customer::named("acme").line("edr", 1), Customer::named("beta").line("edr", 1)]).start().await;
    msp.policy(json!({"approval": "always"})).await;
    msp.map_charges(json!({"mode": "itemised"})).await;
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", "10")]).await;
    let held = msp.run("apply").await;
    msp.done(Method::POST, &format!("/v1/runs/{}/approve", held.id), Some(json!({}))).await;
    msp.plan().await;
    let jobs = msp.jobs();
    msp.policy(json!({"approval": "none"})).await;
    msp.remap("acme", |mapping| {
        mapping.contract_id = "29680002".parse().unwrap();
        mapping.account_id = "1002".parse().unwrap();
    })
    .await;
    let later = msp.ask("apply").await;
    msp.plan().await;
    for job in jobs.into_iter().chain(msp.jobs()) {
        msp.work(&job).await.unwrap();
    }
    assert_eq!(msp.charged(&msp.see(&later).await).await, ["storage: updated 0.00>10.00>10.00"]);
    assert_eq!((msp.stands(), msp.psa.charges()[0].contract_id), (vec!["Cloud storage: 10/10".to_owned()], 29_680_002));
}
