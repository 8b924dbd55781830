//! Unit costs and unit prices end to end: pushed with usage or fixed by a mapping, marked up, written with the units or alone,
//! read back, and explained where they are not.

use integration::msp::{Customer, Effect as Happens, Fixture, Mishap, Msp, On, Run, Setup};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::autotask::{ApiUser, Effect, Switches};

/// 40 units of one product at 10.00, which cost 8.00.
fn acme() -> Setup {
    Setup::of([Customer::named("acme").line_with("edr", 40, |line| line.price("10.00").cost("8.00"))])
}

async fn price<P: Fixture>(msp: &Msp<P>, price: Value) {
    let service = msp.service("edr").to_string();
    msp.map_product(&msp.connection, "edr", json!({"service_id": service, "price": price})).await;
}

async fn kept_from_usage(setup: Setup) -> Msp {
    let msp = setup.start().await;
    price(&msp, json!({"unit_cost": "from_usage", "markup_percent": "25"})).await;
    msp
}

/// Each adjustment that took effect: units, unit cost, unit price.
fn adjusted(msp: &Msp) -> Vec<(i64, String, String)> {
    let amount =
        |amount: Option<rust_decimal::Decimal>| amount.map_or("-".into(), |amount| amount.normalize().to_string());
    let writes = msp.psa.writes();
    writes.iter().map(|write| (write.unit_change, amount(write.unit_cost), amount(write.unit_price))).collect()
}

fn told(line: &Value) -> String {
    let amount = |which: &str, when: &str| line["prices"][which][when].as_str().unwrap_or("-").to_owned();
    let of = |which: &str| ["before", "target", "after"].map(|when| amount(which, when)).join("/");
    format!("cost {}, price {}", of("unit_cost"), of("unit_price"))
}

async fn next_day(msp: &Msp) {
    msp.clock.advance(SignedDuration::from_hours(24));
}

#[tokio::test]
async fn a_cost_from_usage_and_its_markup_are_written_with_the_units_and_then_kept_current_alone() {
    let msp = kept_from_usage(acme()).await;
    msp.push_priced(&[("acme", "edr", 42, "8.40")]).await;
    let preview = msp.run("preview").await;
    assert_eq!(preview.result("acme", "edr"), "planned");
    assert_eq!(told(preview.line("acme", "edr")), "cost 8.00/8.40/-, price 10.00/10.50/-");
    let money = &preview.line("acme", "edr")["money"];
    assert_eq!((money["monthly_price"].as_str(), money["monthly_cost"].as_str()), (Some("41.00"), Some("32.80")));
    let run = msp.run("apply").await;
    let line = run.line("acme", "edr");
    assert_eq!((run.result("acme", "edr").as_str(), msp.units("acme", "edr")), ("updated", 42), "{line:#}");
    assert_eq!(told(line), "cost 8.00/8.40/8.40, price 10.00/10.50/10.50");
    assert_eq!(adjusted(&msp), [(2, "8.4".into(), "10.5".into())]);
    let again = msp.run("apply").await;
    assert_eq!((again.result("acme", "edr").as_str(), again.writes()), ("unchanged", 0));
    println!("an unchanged run with prices: {} requests", again.view["psa_requests"]);

    next_day(&msp).await;
    msp.push_priced(&[("acme", "edr", 42, "8.80")]).await;
    let run = msp.run("apply").await;
    let line = run.line("acme", "edr");
    assert_eq!((run.result("acme", "edr").as_str(), run.numbers("acme", "edr")), ("updated", (42, 42, 42)), "{line:#}");
    assert_eq!(told(line), "cost 8.40/8.80/8.80, price 10.50/11.00/11.00");
    assert_eq!(adjusted(&msp)[1], (0, "8.8".into(), "11".into()));
    let explanation = line["explanation"].as_str().unwrap();
    assert!(
        explanation.contains("unit cost 8.80 + 25 % is a unit price of 11.00 (half-even, 2 digits)"),
        "{explanation}"
    );
    assert_eq!(msp.run("apply").await.writes(), 0);
}

#[tokio::test]
async fn a_markup_comes_from_the_company_or_the_product_or_else_from_the_policy() {
    let msp = acme().start().await;
    msp.policy(json!({"markup": {"services": "10"}})).await;
    price(&msp, json!({"unit_cost": "from_usage"})).await;
    msp.push_priced(&[("acme", "edr", 40, "8.00")]).await;
    assert_eq!(told(msp.run("preview").await.line("acme", "edr")), "cost -/-/-, price 10.00/8.80/-");
    price(&msp, json!({"unit_cost": "from_usage", "markup_percent": "50"})).await;
    assert_eq!(told(msp.run("preview").await.line("acme", "edr")), "cost -/-/-, price 10.00/12.00/-");
    price(&msp, json!({"unit_cost": "from_usage", "unit_price": "keep"})).await;
    assert_eq!(msp.run("preview").await.result("acme", "edr"), "unchanged");
    let special = json!({"overrides": {"edr": {"price": {"unit_cost": "fixed", "fixed": "9", "currency": "EUR"}}}});
    msp.map_company(&msp.connection, "acme", special).await;
    assert_eq!(told(msp.run("preview").await.line("acme", "edr")), "cost 8.00/9.00/-, price 10.00/9.90/-");
}

#[tokio::test]
async fn a_user_who_sees_no_costs_is_told_so_and_units_and_prices_are_written_all_the_same() {
    let msp = kept_from_usage(acme().psa(|psa| psa.user(ApiUser::full().cost_blind()))).await;
    msp.push_priced(&[("acme", "edr", 42, "8.40")]).await;
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr").as_str(), msp.units("acme", "edr")), ("updated costs_hidden", 42));
    assert_eq!(adjusted(&msp), [(2, "-".into(), "10.5".into())], "a cost that would be ignored is not sent");
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr").as_str(), run.writes()), ("held costs_hidden", 0));
    let findings = msp.done(Method::GET, &format!("/v1/connections/{}/findings", msp.connection), None).await;
    assert_eq!(findings["items"][0]["code"], "costs_hidden", "{findings:#}");
}

#[tokio::test]
async fn a_cost_that_the_psa_ignores_in_silence_is_a_failure_and_is_sent_once() {
    let ignores = Switches { adjusted_unit_cost: Effect::Ignored, ..Switches::default() };
    let msp = acme().psa(move |psa| psa.switches(ignores.clone())).start().await;
    price(&msp, json!({"unit_cost": "from_usage"})).await;
    msp.push_priced(&[("acme", "edr", 42, "8.40")]).await;
    let run = msp.run("apply").await;
    let line = run.line("acme", "edr");
    assert_eq!((run.result("acme", "edr").as_str(), run.status()), ("failed prices_not_taken", "partial"), "{line:#}");
    assert_eq!((run.numbers("acme", "edr"), told(line)), ((40, 42, 42), "cost 8.00/8.40/8.00, price -/-/-".into()));
    for _ in 0..3 {
        next_day(&msp).await;
        msp.push_priced(&[("acme", "edr", 42, "8.40")]).await;
        let run = msp.run("apply").await;
        assert_eq!((run.result("acme", "edr").as_str(), run.writes()), ("failed prices_not_taken", 0));
    }
    msp.push_priced(&[("acme", "edr", 43, "8.40")]).await;
    let run = msp.run("apply").await;
    assert_eq!((msp.units("acme", "edr"), run.writes()), (43, 1), "units go on");
    assert_eq!(adjusted(&msp).last().unwrap(), &(1, "-".into(), "-".into()));
}

#[tokio::test]
async fn money_in_another_currency_than_the_contracts_refuses_the_line() {
    let setup = Setup::of([
        Customer::named("acme").line_with("edr", 40, |line| line.price("10.00").cost("8.00")),
        Customer::named("yen").line_with("edr", 40, |line| line.price("1000").cost("800")).invoiced_in("JPY", "0.006"),
    ]);
    let msp = kept_from_usage(setup).await;
    let record = |company: &str, cost: &str, currency: &str| json!({"company": company, "company_name": company, "product": "edr", "quantity": 42, "unit_cost": cost, "currency": currency});
    msp.push_records(vec![record("acme", "8.40", "USD"), record("yen", "8.40", "EUR")], true).await;
    let run = msp.run("apply").await;
    for company in ["acme", "yen"] {
        assert_eq!(run.result(company, "edr"), "failed currency_mismatch");
    }
    assert_eq!((run.writes(), msp.units("acme", "edr")), (0, 40));
    let explanation = run.line("acme", "edr")["explanation"].as_str().unwrap().to_owned();
    assert!(explanation.contains("is in USD, the contract in EUR"), "{explanation}");
    next_day(&msp).await;
    msp.push_records(vec![record("acme", "8.40", "EUR"), record("yen", "850.5", "JPY")], true).await;
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "edr"), "updated");
    let yen = run.line("yen", "edr");
    assert_eq!(told(yen), "cost -/-/-, price 1000.00/1063.00/1063.00", "{yen:#}");
}

#[tokio::test]
async fn a_jump_of_a_price_waits_for_a_person_and_the_units_do_not() {
    let msp = kept_from_usage(acme()).await;
    msp.push_priced(&[("acme", "edr", 42, "84.00")]).await;
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr").as_str(), msp.units("acme", "edr")), ("updated price_guard", 42));
    assert_eq!(adjusted(&msp), [(2, "-".into(), "-".into())]);
    let findings = msp.done(Method::GET, &format!("/v1/connections/{}/findings", msp.connection), None).await;
    assert_eq!(findings["items"][0]["code"], "price_guard", "{findings:#}");
    let held = msp.run("apply").await;
    assert_eq!((held.result("acme", "edr").as_str(), held.writes()), ("held price_guard", 0));
    assert_eq!(told(held.line("acme", "edr")), "cost 8.00/84.00/-, price 10.00/105.00/-");
    let approved = msp.approve(&held, None).await;
    assert_eq!(approved.result("acme", "edr"), "updated", "{:#}", approved.line("acme", "edr"));
    assert_eq!(adjusted(&msp)[1], (0, "84".into(), "105".into()));
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged");
}

#[tokio::test]
async fn prices_are_set_on_every_psa_in_the_run_that_sets_the_units() {
    for on in [On::adding(), On::replacing()] {
        let msp = on.of([Customer::named("acme").line("edr", 40)]).start().await;
        msp.policy(json!({"currency": "EUR", "guards": {"price_percent": 100_000}})).await;
        price(&msp, json!({"unit_cost": "from_usage", "markup_percent": "25"})).await;
        msp.push_priced(&[("acme", "edr", 42, "8.40")]).await;
        let run = msp.run("apply").await;
        let line = run.line("acme", "edr");
        assert_eq!((run.result("acme", "edr").as_str(), msp.units("acme", "edr")), ("updated", 42), "{line:#}");
        assert_eq!(run.numbers("acme", "edr"), (40, 42, 42), "{line:#}");
        let targets = (&line["prices"]["unit_cost"]["after"], &line["prices"]["unit_price"]["after"]);
        assert_eq!(targets, (&json!("8.40"), &json!("10.50")), "{line:#}");
        let again = msp.run("apply").await;
        assert_eq!(
            (again.result("acme", "edr").as_str(), again.writes()),
            ("unchanged", 0),
            "{:#}",
            again.line("acme", "edr")
        );
    }
}

#[tokio::test]
async fn a_change_of_prices_whose_answer_is_lost_is_settled_by_the_prices_and_never_sent_twice() {
    for (made, ends_as, sent) in [(Happens::Made, "updated", 1), (Happens::NotMade, "updated", 2)] {
        let msp = kept_from_usage(acme()).await;
        msp.push_priced(&[("acme", "edr", 40, "8.40")]).await;
        msp.psa.strike(1, Mishap::Reset(made));
        let run = msp.run("apply").await;
        let at_once = if made == Happens::Made { "updated" } else { "unknown write_unsettled" };
        assert_eq!(run.result("acme", "edr"), at_once, "{:#}", run.line("acme", "edr"));
        let early = msp.run("apply").await;
        assert_eq!(early.writes(), 0, "nothing is sent while the first may be on its way");
        msp.clock.advance(SignedDuration::from_mins(7));
        let later = msp.run("apply").await;
        let result = if made == Happens::Made { "unchanged" } else { ends_as };
        assert_eq!(later.result("acme", "edr"), result, "{:#}", later.line("acme", "edr"));
        assert_eq!((msp.write_requests(), adjusted(&msp)), (sent, vec![(0, "8.4".into(), "10.5".into())]));
        assert_eq!(msp.run("apply").await.writes(), 0);
    }
}

#[tokio::test]
async fn an_edit_of_a_price_by_a_person_is_held_as_drift_until_it_is_approved() {
    let msp = kept_from_usage(acme()).await;
    msp.push_priced(&[("acme", "edr", 40, "8.00")]).await;
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged");
    next_day(&msp).await;
    msp.psa.edit_price(msp.contract("acme"), msp.service("edr"), "9.50").unwrap();
    msp.push_priced(&[("acme", "edr", 40, "8.00")]).await;
    let run = msp.run("apply").await;
    assert_eq!(
        (run.result("acme", "edr").as_str(), run.writes()),
        ("held price_drift", 0),
        "{:#}",
        run.line("acme", "edr")
    );
    let approved = msp.approve(&run, None).await;
    assert_eq!(told(approved.line("acme", "edr")), "cost -/-/-, price 9.50/10.00/10.00");
}

#[tokio::test]
async fn a_reversal_takes_units_back_and_leaves_prices() {
    let msp = kept_from_usage(acme()).await;
    msp.push_priced(&[("acme", "edr", 42, "8.00")]).await;
    let rise = msp.run("apply").await;
    next_day(&msp).await;
    msp.push_priced(&[("acme", "edr", 42, "8.40")]).await;
    let prices = msp.run("apply").await;
    assert_eq!(prices.result("acme", "edr"), "updated");
    let reverse = |run: &Run| format!("/v1/runs/{}/reverse", run.id);
    let started = msp.done(Method::POST, &reverse(&prices), Some(json!({}))).await;
    msp.drain().await;
    let nothing = msp.see(started["run_id"].as_str().unwrap()).await;
    assert_eq!((nothing.result("acme", "edr").as_str(), nothing.writes()), ("skipped nothing_to_reverse", 0));
    let started = msp.done(Method::POST, &reverse(&rise), Some(json!({}))).await;
    msp.drain().await;
    let back = msp.see(started["run_id"].as_str().unwrap()).await;
    assert_eq!(back.result("acme", "edr"), "updated", "{:#}", back.line("acme", "edr"));
    next_day(&msp).await;
    assert_eq!(msp.units("acme", "edr"), 40);
    msp.push_priced(&[("acme", "edr", 42, "8.60")]).await;
    let after = msp.run("apply").await;
    assert_eq!(
        (after.result("acme", "edr").as_str(), msp.units("acme", "edr")),
        ("held reversed", 40),
        "units stay taken back"
    );
}

#[tokio::test]
async fn the_history_tells_costs_and_prices_with_units_and_alone_and_what_was_approved() {
    let msp = kept_from_usage(acme()).await;
    msp.push_priced(&[("acme", "edr", 42, "8.40")]).await;
    msp.run("apply").await;
    msp.policy(json!({"approval": "always"})).await;
    next_day(&msp).await;
    msp.push_priced(&[("acme", "edr", 42, "8.80")]).await;
    let held = msp.run("apply").await;
    msp.approve(&held, None).await;
    let told = async |kind: &str| {
        let path = format!("/v1/connections/{}/history?kind={kind}", msp.connection);
        msp.done(Method::GET, &path, None).await["items"].as_array().unwrap().clone()
    };
    let [alone, with_units] = &told("units_changed").await[..] else { panic!() };
    assert_eq!(
        (&with_units["before"], &with_units["after"]),
        (
            &json!({"units": 40, "unit_cost": "8.00", "unit_price": "10.00"}),
            &json!({"units": 42, "unit_cost": "8.40", "unit_price": "10.50"})
        )
    );
    assert!(with_units["summary"].as_str().unwrap().starts_with("From 40 to 42 units with "), "{with_units:#}");
    assert_eq!(alone["after"], json!({"units": 42, "unit_cost": "8.80", "unit_price": "11.00"}));
    assert!(alone["summary"].as_str().unwrap().starts_with("A change of "), "{alone:#}");
    let approval = &told("approval").await[0];
    assert_eq!((&approval["before"], &approval["after"]), (&alone["before"], &alone["after"]));
    assert!(approval["summary"].as_str().unwrap().starts_with("The change of "), "{approval:#}");
}
