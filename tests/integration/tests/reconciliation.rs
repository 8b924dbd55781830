//! What a run finds besides what it writes: each planted fault is told once, with what is at stake, and kept with the run.
//!
//! The world of this file has one company for each fault. What a line ends as is tested elsewhere; here it is what a person
//! reads afterwards, in the reconciliation, in its file, among the findings and in the preflight of the mappings.

use std::collections::BTreeMap;

use integration::msp::{Customer, Fixture, Msp, On, Run, Setup};
use integration::{Answer, PARTNER, on_every_psa};
use jiff::SignedDuration;
use jiff::civil::date;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use simulators::autotask::{ApiUser, Entity, Fault, Period, When};

on_every_psa!(
    a_preview_and_the_sync_of_the_same_state_tell_the_same_plan_byte_for_byte,
    changes_are_told_in_money_by_the_price_on_the_contract,
);

/// Every entry of a run's reconciliation, two a page.
async fn entries<P: Fixture>(msp: &Msp<P>, run: &Run) -> Vec<Value> {
    let (mut entries, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/runs/{}/reconciliation?limit=2{cursor}", run.id);
        let page = msp.done(Method::GET, &path, None).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        entries.extend(items.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return entries,
        }
    }
}

fn text(value: &Value, field: &str) -> String {
    match &value[field] {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `company product code: counted/target/before/last, monthly price` of an entry.
fn brief(entry: &Value) -> String {
    let numbers = ["counted", "target", "before", "last_confirmed"].map(|field| text(entry, field)).join("/");
    let (company, product, code) = (text(entry, "company"), text(entry, "product"), text(entry, "code"));
    let drift = if entry["drift"] == true { " drift" } else { "" };
    format!("{company} {product} {code}: {numbers}{drift}, {}", text(&entry["money"], "monthly_price"))
}

/// The findings that are open.
async fn findings<P: Fixture>(msp: &Msp<P>) -> Vec<Value> {
    let path = format!("/v1/connections/{}/findings?limit=100", msp.connection);
    msp.done(Method::GET, &path, None).await["items"].as_array().unwrap().clone()
}

/// What was told to whoever listens, of one kind.
fn notices<P: Fixture>(msp: &Msp<P>, kind: &str) -> Vec<Value> {
    msp.parts.wire.told().iter().map(|event| json!(event)).filter(|event| event["detail-type"] == kind).collect()
}

async fn second_connection(msp: &Msp, company: &str) -> String {
    let second = msp.connect("Europe/Berlin").await;
    msp.map_product(&second, "edr", json!({"service_id": msp.service("edr").to_string()})).await;
    msp.map_company(&second, company, json!({})).await;
    second
}

/// One company a fault, and one that is well.
async fn seeded() -> Msp {
    let customers = [
        Customer::named("acme").line("edr", 40),
        Customer::named("drifts").line("edr", 20),
        Customer::named("ends").line("edr", 5).runs(date(2026, 1, 1), date(2026, 12, 10)),
        Customer::named("over").line("edr", 5).runs(date(2026, 1, 1), date(2026, 12, 31)),
        Customer::named("shared").line("edr", 9),
        Customer::named("silent").line("edr", 12),
        Customer::named("stale").line("m365", 30),
        Customer::named("loose").line("edr", 3).unmapped(),
    ];
    let mut msp = Setup::of(customers).psa(|psa| psa.user(ApiUser::full().cost_blind())).start().await;
    let all =
        [("acme", "edr", 40), ("drifts", "edr", 20), ("ends", "edr", 5), ("over", "edr", 5), ("shared", "edr", 9)];
    msp.push(&[("stale", "m365", 30)]).await;
    msp.push(&all).await;
    let second = second_connection(&msp, "shared").await;
    let first = std::mem::replace(&mut msp.connection, second);
    assert_eq!(msp.run("apply").await.result("shared", "edr"), "unchanged");
    msp.connection = first;
    msp.run("apply").await;
    msp.edit("drifts", "edr", date(2026, 11, 1), 26);
    msp.psa.end_contract(msp.contract("over"), date(2026, 11, 21)).unwrap();
    // Of m365 nothing more is heard.
    msp.clock.advance(SignedDuration::from_hours(80));
    msp.push(&[
        ("acme", "edr", 42),
        ("drifts", "edr", 20),
        ("ends", "edr", 5),
        ("over", "edr", 5),
        ("shared", "edr", 9),
        ("loose", "edr", 7),
        ("acme", "sat", 4),
    ])
    .await;
    msp.push_incomplete(&[("stale", "m365", 25)]).await;
    msp
}

#[tokio::test]
async fn each_planted_fault_is_found_with_what_is_at_stake() {
    let msp = seeded().await;
    let run = msp.run("apply").await;
    let entries = entries(&msp, &run).await;
    let (gaps, lines): (Vec<&Value>, Vec<&Value>) = entries.iter().partition(|entry| entry["kind"] == "gap");
    let mut told: Vec<String> = gaps.iter().map(|entry| brief(entry)).collect();
    told.sort();
    println!("{}", told.join("\n"));
    // Cost-blind, no mapping of a product, a stale source; a contract that ends; usage that is billed nowhere; units without
    // usage.
    assert_eq!(
        told,
        [
            "- - costs_hidden: -/-/-/-, -",
            "- m365 usage_stale: -/-/-/-, -",
            "- sat product_not_mapped: 4/4/-/-, -",
            "ends - contract_expiring: -/-/-/-, -",
            "loose edr company_not_mapped: 7/7/-/-, 35.00",
            "silent edr line_without_usage: -/-/12/-, -60.00",
        ]
    );
    let mut told: Vec<String> = lines.iter().map(|entry| brief(entry)).collect();
    told.sort();
    println!("{}", told.join("\n"));
    assert_eq!(
        told,
        [
            "acme edr : 42/42/40/40, 10.00",
            "drifts edr drift: 20/20/26/20 drift, -30.00",
            "ends edr : 5/5/5/5, -",
            "over edr contract_ended: -/-/-/5, -",
            "shared edr line_of_another_connection: -/-/9/9, -",
            "stale m365 : 30/30/30/30, -",
        ]
    );
    assert_eq!(run.view["money"]["planned"][0]["monthly_price"], "10.00");
    assert_eq!(run.view["money"]["held"][0]["monthly_price"], "-30.00");
    assert_eq!(run.view["money"]["held"][0]["currency"], "EUR");
    let findings = findings(&msp).await;
    let at_stake = |code: &str| {
        let finding = findings.iter().find(|finding| finding["code"] == code).unwrap();
        text(&finding["money"], "monthly_price")
    };
    assert_eq!(["company_not_mapped", "line_without_usage", "drift"].map(at_stake), ["35.00", "-60.00", "-30.00"]);
    let mut codes: Vec<String> = findings.iter().map(|finding| text(finding, "code")).collect();
    codes.sort();
    assert_eq!(
        codes,
        [
            "company_not_mapped",
            "contract_ended",
            "contract_expiring",
            "drift",
            "line_of_another_connection",
            "line_without_usage",
            "product_not_mapped",
            "usage_stale"
        ]
    );
}

#[tokio::test]
async fn the_reconciliation_comes_as_a_file_and_is_the_partners_own() {
    let msp = seeded().await;
    let run = msp.run("apply").await;
    let path = format!("/v1/runs/{}/reconciliation", run.id);
    let token = msp.parts.token(PARTNER, &[Scope::Read]);
    let request = msp.parts.request(Method::GET, &path).bearer_auth(token).header("accept", "text/csv");
    let sheet = Answer::to(request).await;
    let mut rows = csv::Reader::from_reader(sheet.text.as_bytes());
    let columns = rows.headers().unwrap().clone();
    let column = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    let entries = entries(&msp, &run).await;
    assert_eq!(rows.len(), entries.len());
    for (row, entry) in rows.iter().zip(&entries) {
        for field in ["kind", "code", "company", "counted", "before", "last_confirmed", "difference", "explanation"] {
            let told = Some(text(entry, field)).filter(|told| told != "-").unwrap_or_default();
            assert_eq!(&row[column(field)], told, "{field}");
        }
    }
    assert_eq!(msp.call_as("another", Method::GET, &path, None).await.status, 404);
}

#[tokio::test]
async fn a_company_that_another_connection_bills_is_not_called_unbilled() {
    let mut msp =
        Setup::of([Customer::named("acme").line("edr", 40), Customer::named("beta").line("edr", 9).unmapped()])
            .start()
            .await;
    msp.push(&[("acme", "edr", 40), ("beta", "edr", 9)]).await;
    let unbilled = async |msp: &Msp| {
        let run = msp.run("apply").await;
        let entries = entries(msp, &run).await;
        entries.iter().filter(|entry| entry["code"] == "company_not_mapped").count()
    };
    assert_eq!(unbilled(&msp).await, 1);
    let second = second_connection(&msp, "beta").await;
    assert_eq!(unbilled(&msp).await, 0);
    assert_eq!(findings(&msp).await.len(), 0);
    msp.connection = second;
    assert_eq!(unbilled(&msp).await, 0);
}

#[tokio::test]
async fn what_a_person_has_resolved_stays_resolved_until_something_new_is_counted() {
    let msp = Setup::of([Customer::named("acme").line("edr", 40)]).product("sat", json!({})).start().await;
    msp.push(&[("acme", "edr", 40), ("loose", "edr", 7)]).await;
    msp.run("apply").await;
    let found = findings(&msp).await.remove(0);
    let path = format!("/v1/findings/{}/resolve", text(&found, "id"));
    msp.done(Method::POST, &path, Some(json!({"note": "our own office"}))).await;
    msp.push(&[("acme", "edr", 40), ("loose", "edr", 8)]).await;
    msp.run("apply").await;
    assert_eq!(findings(&msp).await.len(), 0);
    msp.push(&[("acme", "edr", 40), ("loose", "edr", 8), ("loose", "sat", 1)]).await;
    msp.run("apply").await;
    let open = findings(&msp).await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert!(text(&open[0], "explanation").contains("8 of edr, 1 of sat"), "{open:?}");
}

#[tokio::test]
async fn falls_wait_while_the_source_is_silent_and_rises_do_not() {
    let msp = Setup::of([Customer::named("acme").line("edr", 40).line("m365", 10)]).start().await;
    msp.push(&[("acme", "edr", 42), ("acme", "m365", 8)]).await;
    msp.clock.advance(SignedDuration::from_hours(71));
    assert_eq!(msp.run("preview").await.result("acme", "m365"), "planned");
    msp.clock.advance(SignedDuration::from_hours(2));
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr"), run.result("acme", "m365")), ("updated".into(), "held usage_stale".into()));
    assert_eq!((msp.units("acme", "edr"), msp.units("acme", "m365")), (42, 10));
    let stale = |findings: &[Value]| findings.iter().filter(|found| found["code"] == "usage_stale").count();
    // One of each product, and one of the fall.
    assert_eq!(stale(&findings(&msp).await), 3);
    let told = notices(&msp, "UsageStale");
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0]["detail"]["products"].as_array().unwrap().len(), 2);
    assert_eq!(told[0]["detail"]["products"][0]["hours"], 73);
    msp.run("apply").await;
    assert_eq!(notices(&msp, "UsageStale").len(), 1, "told once");
    assert_eq!(msp.approve(&run, None).await.result("acme", "m365"), "updated");
    msp.push(&[("acme", "edr", 42), ("acme", "m365", 7)]).await;
    assert_eq!(msp.run("apply").await.result("acme", "m365"), "updated");
    assert_eq!(stale(&findings(&msp).await), 0);
}

#[tokio::test]
async fn how_long_a_source_may_be_silent_is_the_partners_to_say() {
    let msp =
        Setup::of([Customer::named("acme").line("m365", 10)]).policy(json!({"stale_after_hours": 24})).start().await;
    msp.push(&[("acme", "m365", 8)]).await;
    msp.clock.advance(SignedDuration::from_hours(25));
    assert_eq!(msp.run("preview").await.result("acme", "m365"), "held usage_stale");
    assert_eq!(preflight(&msp).await, ["acme m365: warning usage_stale"]);
    msp.policy(json!({"stale_after_hours": 48})).await;
    assert_eq!(preflight(&msp).await, ["acme m365: "]);
    assert_eq!(msp.run("preview").await.result("acme", "m365"), "planned");
    let path = format!("/v1/connections/{}", msp.connection);
    let answer = msp.call(Method::PATCH, &path, Some(json!({"policy": {"stale_after_hours": 0}}))).await;
    assert_eq!(answer.status, 422);
}

/// A plan, as its lines tell it: everything but what became of it.
fn plan(run: &Run) -> String {
    let mut lines: Vec<Value> = run.lines.clone();
    for line in &mut lines {
        let line = line.as_object_mut().unwrap();
        line.remove("status");
        line.remove("after");
        line.remove("approvable");
    }
    lines.sort_by_key(|line| text(line, "line_id"));
    serde_json::to_string(&lines).unwrap()
}

async fn a_preview_and_the_sync_of_the_same_state_tell_the_same_plan_byte_for_byte<P: Fixture>(on: On<P>) {
    for policy in [
        json!({}),
        json!({"effective_date": {"rises": "today", "falls": "next_period_start"}}),
        json!({"approval": "always"}),
    ] {
        let acme = Customer::named("acme").line("edr", 40).line("m365", 10).line("sat", 7);
        let beta = Customer::named("beta").line("edr", 100).line("m365", 5);
        let gamma = Customer::named("gamma").line("edr", 3).runs(date(2026, 1, 1), date(2026, 11, 30));
        let msp = on.of_one_more([acme, beta, gamma]).start_changed().await;
        msp.policy(policy.clone()).await;
        msp.push(&[
            ("acme", "edr", 42),
            ("acme", "m365", 8),
            ("acme", "sat", 7),
            ("beta", "edr", 20),
            ("beta", "m365", 6),
            ("gamma", "edr", 4),
            ("loose", "edr", 5),
        ])
        .await;
        let preview = msp.run("preview").await;
        assert_eq!(msp.write_requests(), 0, "a preview writes nothing");
        let applied = msp.run("apply").await;
        assert_eq!(plan(&preview), plan(&applied), "{policy}");
        for part in ["planned", "held"] {
            assert_eq!(preview.view["money"][part], applied.view["money"][part], "{policy}");
        }
        assert_eq!(applied.view["money"]["written"], applied.view["money"]["planned"], "{policy}");
        let gaps = async |run: &Run| {
            let all = entries(&msp, run).await;
            all.into_iter().filter(|entry| entry["kind"] == "gap").collect::<Vec<_>>()
        };
        assert_eq!(json!(gaps(&preview).await), json!(gaps(&applied).await), "{policy}");
        println!("{policy}: the same {} bytes; {} writes", plan(&preview).len(), applied.writes());
    }
}

async fn changes_are_told_in_money_by_the_price_on_the_contract<P: Fixture>(on: On<P>) {
    let msp = on.of_one_more([Customer::named("acme").line("edr", 40).line("m365", 100)]).start_changed().await;
    msp.push(&[("acme", "edr", 42), ("acme", "m365", 20)]).await;
    let preview = msp.run("preview").await;
    let rise = preview.line("acme", "edr");
    let (price, cost) = (&rise["money"]["unit_price"], &rise["money"]["unit_cost"]);
    let twice = |amount: &Value| format!("{:.2}", 2.0 * amount.as_str().unwrap().parse::<f64>().unwrap());
    assert_eq!(rise["difference"], 2);
    assert_eq!(rise["money"]["monthly_price"], twice(price));
    assert_eq!(rise["money"]["monthly_cost"], twice(cost));
    let (planned, held) = (&preview.view["money"]["planned"][0], &preview.view["money"]["held"][0]);
    assert_eq!((&planned["monthly_price"], planned["lines"].as_u64()), (&rise["money"]["monthly_price"], Some(1)));
    assert_eq!(held["monthly_price"], preview.line("acme", "m365")["money"]["monthly_price"]);
    let applied = msp.run("apply").await;
    assert_eq!(applied.line("acme", "edr")["money"], rise["money"]);
    let reversed = msp.done(Method::POST, &format!("/v1/runs/{}/reverse", applied.id), Some(json!({}))).await;
    msp.drain().await;
    let back = msp.see(reversed["run_id"].as_str().unwrap()).await;
    let taken_back = back.line("acme", "edr")["money"]["monthly_price"].as_str().unwrap().to_owned();
    assert_eq!(taken_back, format!("-{}", rise["money"]["monthly_price"].as_str().unwrap()));
}

#[tokio::test]
async fn a_run_that_finds_everything_right_asks_for_no_prices() {
    let msp = Setup::of([Customer::named("acme").line("edr", 40)]).start().await;
    msp.push(&[("acme", "edr", 40)]).await;
    msp.psa.reset_counts();
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged");
    let unchanged = msp.psa.request_count();
    msp.push(&[("acme", "edr", 41)]).await;
    msp.psa.reset_counts();
    msp.run("preview").await;
    // Prices and currencies; the second look at the line's whole timeline.
    println!("PSA requests: unchanged {unchanged}, preview of a change {}", msp.psa.request_count());
    assert_eq!((unchanged, msp.psa.request_count()), (3, 6));
}

#[tokio::test]
async fn prices_are_told_in_the_customers_own_currency() {
    let msp = Setup::of([
        Customer::named("acme").line("edr", 40),
        Customer::named("swiss").line("edr", 10).invoiced_in("CHF", "1.05"),
    ])
    .start()
    .await;
    msp.push(&[("acme", "edr", 42), ("swiss", "edr", 12)]).await;
    let preview = msp.run("preview").await;
    let money = |company: &str| preview.line(company, "edr")["money"].clone();
    assert_eq!((text(&money("acme"), "currency"), text(&money("swiss"), "currency")), ("EUR".into(), "CHF".into()));
    let sums: BTreeMap<String, String> = preview.view["money"]["planned"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sum| (text(sum, "currency"), text(sum, "monthly_price")))
        .collect();
    assert_eq!(sums, BTreeMap::from([("CHF".into(), "10.00".into()), ("EUR".into(), "10.00".into())]));
}

#[tokio::test]
async fn each_line_is_told_by_its_own_price_and_cost_and_by_the_period_of_its_contract() {
    let acme = Customer::named("acme").line_with("edr", 10, |line| line.price("3.00").cost("1.25")).line_with(
        "m365",
        10,
        |line| line.price("7.00").cost("0.01"),
    );
    let yearly = Customer::named("yearly").contract(|contract| contract.bills(Period::Yearly)).line("edr", 0);
    let msp = Setup::of([acme, yearly]).start().await;
    msp.push(&[("acme", "edr", 12), ("acme", "m365", 13), ("yearly", "edr", 12)]).await;
    let preview = msp.run("preview").await;
    let money = |company: &str, product: &str| {
        let money = preview.line(company, product)["money"].clone();
        ["unit_price", "unit_cost", "monthly_price", "monthly_cost"].map(|field| text(&money, field)).join(" ")
    };
    assert_eq!(money("acme", "edr"), "3.00 1.25 6.00 2.50");
    assert_eq!(money("acme", "m365"), "7.00 0.01 21.00 0.03");
    assert_eq!(money("yearly", "edr"), "5.00 2.50 5.00 2.50", "a twelfth of a year's");
    let planned = &preview.view["money"]["planned"][0];
    assert_eq!((text(planned, "monthly_price"), text(planned, "monthly_cost")), ("32.00".into(), "5.03".into()));
    // What a sync is about to change is summed up before its jobs are done, and what it has written when they are.
    let synced = msp.run("apply").await;
    assert_eq!(synced.view["money"]["planned"], preview.view["money"]["planned"]);
    assert_eq!(synced.view["money"]["written"], preview.view["money"]["planned"]);
}

#[tokio::test]
async fn the_currency_of_most_is_the_usual_one_and_preflight_names_who_is_invoiced_in_another() {
    let swiss = Customer::named("swiss").line("edr", 10).invoiced_in("CHF", "1.05");
    let msp = Setup::of([swiss, Customer::named("acme").line("edr", 40), Customer::named("beta").line("edr", 9)]);
    let msp = msp.start().await;
    msp.push(&[("acme", "edr", 40), ("beta", "edr", 9), ("swiss", "edr", 10)]).await;
    assert_eq!(preflight(&msp).await, ["acme edr: ", "beta edr: ", "swiss edr: warning currency_differs"]);
}

#[tokio::test]
async fn while_the_source_of_a_product_is_silent_nobody_is_told_to_have_no_usage() {
    let msp =
        Setup::of([Customer::named("acme").line("edr", 40), Customer::named("quiet").line("edr", 9)]).start().await;
    msp.push(&[("acme", "edr", 40)]).await;
    let told = async |run: &Run| {
        let codes = entries(&msp, run).await.into_iter().filter(|entry| entry["kind"] == "gap");
        codes.map(|entry| text(&entry, "code")).collect::<Vec<_>>()
    };
    assert_eq!(told(&msp.run("preview").await).await, ["line_without_usage"]);
    msp.clock.advance(SignedDuration::from_hours(73));
    assert_eq!(told(&msp.run("preview").await).await, ["usage_stale"]);
}

#[tokio::test]
async fn a_run_of_some_companies_says_nothing_of_the_others_and_closes_nothing() {
    let msp = seeded().await;
    msp.run("apply").await;
    let before = findings(&msp).await;
    msp.push(&[("acme", "edr", 43), ("loose", "edr", 8), ("looser", "edr", 8)]).await;
    let path = format!("/v1/connections/{}/runs", msp.connection);
    let started = msp.done(Method::POST, &path, Some(json!({"mode": "apply", "companies": ["acme"]}))).await;
    msp.drain().await;
    let run = msp.see(started["run_id"].as_str().unwrap()).await;
    let told: Vec<String> = entries(&msp, &run).await.iter().map(brief).collect();
    assert_eq!(told, ["acme edr : 43/43/42/42, 5.00"]);
    assert_eq!(json!(findings(&msp).await), json!(before));
}

#[tokio::test]
async fn what_can_not_be_priced_is_synced_all_the_same() {
    let msp = Setup::of([Customer::named("acme").line("edr", 40)]).start().await;
    msp.psa.plan_fault(When::EveryRequest(Entity::ContractServices), Fault::answer(500, "{}"));
    msp.push(&[("acme", "edr", 42)]).await;
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr"), &run.line("acme", "edr")["money"]), ("updated".into(), &Value::Null));
    assert_eq!(run.view["money"]["planned"][0]["lines_without_price"], 1);
}

/// `company product: failed or warning checks with their codes`.
async fn preflight<P: Fixture>(msp: &Msp<P>) -> Vec<String> {
    let (mut told, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/connections/{}/preflight/mappings?limit=3{cursor}", msp.connection);
        let page = msp.done(Method::GET, &path, None).await;
        for item in page["items"].as_array().unwrap() {
            let checks = item["checks"].as_array().unwrap().iter().filter(|check| check["status"] != "ok");
            let checks: Vec<String> =
                checks.map(|check| format!("{} {}", text(check, "status"), text(check, "code"))).collect();
            told.push(format!("{} {}: {}", text(item, "company"), text(item, "product"), checks.join(", ")));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return told,
        }
    }
}

#[tokio::test]
async fn preflight_tells_of_each_mapping_what_stands_in_its_way() {
    let msp = seeded().await;
    let told = preflight(&msp).await;
    println!("{}", told.join("\n"));
    let told: Vec<&str> =
        told.iter().map(String::as_str).filter(|line| !line.contains("service_not_on_contract")).collect();
    assert_eq!(
        told,
        [
            "acme edr: warning costs_hidden",
            "drifts edr: warning costs_hidden",
            "ends edr: warning contract_expiring, warning costs_hidden",
            "over edr: failed contract_ended, warning costs_hidden",
            "over m365: failed contract_ended, warning usage_stale",
            "shared edr: failed line_of_another_connection, warning costs_hidden",
            "silent edr: warning usage_missing, warning costs_hidden",
            "stale m365: warning usage_stale, warning costs_hidden",
        ]
    );
    // Who writes a line is known among the partner's own connections and of nobody else, and that is said.
    let path = format!("/v1/connections/{}/preflight/mappings", msp.connection);
    let all = msp.done(Method::GET, &path, None).await;
    for item in all["items"].as_array().unwrap() {
        let writer = item["checks"].as_array().unwrap().iter().find(|check| check["check"] == "writer").unwrap();
        let (is_theirs, told) = (text(item, "line_id") == msp.line_id("shared", "edr"), text(writer, "explanation"));
        assert_eq!(writer["status"] == "ok", !is_theirs, "{item}");
        assert_eq!(told.contains("None of your other connections"), !is_theirs, "{told}");
        assert_eq!(told.contains("another partner or another tool"), !is_theirs, "{told}");
    }
    assert_eq!(msp.write_requests(), 0);
}

#[tokio::test]
async fn a_service_that_a_contract_carries_twice_has_no_price_that_could_be_told() {
    let acme = Customer::named("acme").line("edr", 10).line_with("edr", 3, |line| line.price("4.00"));
    let msp = Setup::of([acme]).start().await;
    msp.push(&[("acme", "edr", 12)]).await;
    let path = format!("/v1/connections/{}/preflight/mappings", msp.connection);
    let all = msp.done(Method::GET, &path, None).await;
    let check = |name: &str| {
        let checks = all["items"][0]["checks"].as_array().unwrap();
        checks.iter().find(|check| check["check"] == name).unwrap().clone()
    };
    assert_eq!(text(&check("service"), "code"), "service_twice_on_contract");
    assert_eq!(text(&check("prices"), "explanation"), "The PSA tells no price of this line.");
}
