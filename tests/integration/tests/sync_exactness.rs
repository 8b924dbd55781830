//! Counts become units: what is written, what is left alone, and what the results say of it.

use std::collections::BTreeMap;

use integration::msp::{Customer, Fixture, Msp, On, Setup};
use integration::{Answer, PARTNER, on_every_psa};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::store::runs::ResultPage;
use shared::store::schema::{self, Key};
use shared::store::{Condition, Read};

on_every_psa!(
    counts_become_units_and_a_second_run_writes_nothing,
    a_change_counts_from_the_start_of_the_billing_period_to_the_contracts_end,
    only_the_lines_of_the_companies_that_are_named_are_synced,
    companies_that_share_a_line_are_added_up,
    a_shared_line_is_skipped_while_one_of_its_companies_was_never_counted,
    companies_of_one_line_under_different_rules_fail_and_say_so,
    a_service_that_is_not_on_the_contract_fails_and_none_is_created,
    an_incomplete_snapshot_may_raise_a_line_and_never_lowers_it,
    a_line_that_only_an_incomplete_snapshot_speaks_for_is_held_and_not_lowered,
    an_absent_company_is_kept_zeroed_or_held_as_its_mapping_says,
    a_company_that_was_never_counted_is_not_touched_whatever_its_mapping_says,
    an_explicit_zero_in_a_complete_snapshot_is_a_count,
);

async fn msp<P: Fixture>(on: On<P>) -> Msp<P> {
    let acme = Customer::named("acme").line("edr", 40).line("m365", 10).line("itdr", 7);
    on.of([acme, Customer::named("beta").line("edr", 3)]).start().await
}

const COUNTS: [(&str, &str, u32); 4] =
    [("acme", "edr", 42), ("acme", "m365", 8), ("acme", "itdr", 7), ("beta", "edr", 3)];

async fn counts_become_units_and_a_second_run_writes_nothing<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    msp.push(&COUNTS).await;
    let run = msp.run("apply").await;
    assert_eq!(run.status(), "succeeded");
    assert_eq!(
        json!(run.results()),
        json!({"acme/edr": "updated", "acme/itdr": "unchanged", "acme/m365": "updated", "beta/edr": "unchanged"})
    );
    assert_eq!(run.numbers("acme", "edr"), (40, 42, 42));
    assert_eq!(run.numbers("acme", "m365"), (10, 8, 8));
    assert_eq!((msp.units("acme", "edr"), msp.units("acme", "m365"), msp.units("acme", "itdr")), (42, 8, 7));
    assert_eq!((run.writes(), msp.write_requests()), (on.first_writes() as u64 + 1, on.first_writes() + 1));
    assert_eq!((msp.written("acme", "edr"), msp.written("acme", "m365")), (on.first_change(40, 42), vec![8]));
    assert_eq!(run.view["psa_requests"], msp.psa.requests(), "the run's own count of requests");

    msp.psa.forget();
    let again = msp.run("apply").await;
    assert_eq!((again.status(), again.writes(), msp.write_requests()), ("succeeded", 0, 0));
    assert!(again.results().values().all(|result| result == "unchanged"), "{:?}", again.results());
    assert_eq!(again.view["psa_requests"], msp.psa.requests());
    assert_eq!(msp.states("acme", "edr").await, on.first_states());
    assert_eq!(msp.states("acme", "m365").await, "applied");
    assert_eq!(msp.states("acme", "itdr").await, "");
}

async fn a_change_counts_from_the_start_of_the_billing_period_to_the_contracts_end<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    msp.push(&COUNTS).await;
    let run = msp.run("apply").await;
    assert_eq!(run.line("acme", "edr")["effective_date"], "2026-11-01");
    let on = |day: &str| msp.units_on("acme", "edr", day.parse().unwrap());
    assert_eq!([on("2026-10-31"), on("2026-11-01"), on("2026-12-31")], [40, 42, 42]);
}

#[tokio::test]
async fn a_line_shows_every_field_of_the_contract() {
    let msp = msp(On::autotask()).await;
    msp.push(&COUNTS).await;
    let run = msp.run("apply").await;
    insta::assert_json_snapshot!(run.line("acme", "edr"), @r#"
    {
      "account_id": "1001",
      "after": 42,
      "approvable": false,
      "before": 40,
      "code": "",
      "company": "acme",
      "company_name": "Acme",
      "contract_id": "29680001",
      "counted": 42,
      "difference": 2,
      "effective_date": "2026-11-01",
      "explanation": "newest count 42 of 2026-11-21; +2 from 2026-11-01 (start of the billing period)",
      "feeds": [
        {
          "company": "acme",
          "product": "edr",
          "quantity": 42,
          "snapshot": "snap-001"
        }
      ],
      "fix": "",
      "last_confirmed": null,
      "last_confirmed_from": null,
      "line_id": "29680001:501",
      "money": {
        "currency": "EUR",
        "monthly_cost": "5.00",
        "monthly_price": "10.00",
        "unit_cost": "2.50",
        "unit_price": "5.00"
      },
      "prices": null,
      "product": "edr",
      "prorated": false,
      "rule": "newest count 42 of 2026-11-21",
      "service_id": "501",
      "status": "updated",
      "target": 42
    }
    "#);
    insta::assert_json_snapshot!(run.line("beta", "edr"), @r#"
    {
      "account_id": "1002",
      "after": 3,
      "approvable": false,
      "before": 3,
      "code": "",
      "company": "beta",
      "company_name": "Beta",
      "contract_id": "29680002",
      "counted": 3,
      "difference": 0,
      "effective_date": null,
      "explanation": "newest count 3 of 2026-11-21",
      "feeds": [
        {
          "company": "beta",
          "product": "edr",
          "quantity": 3,
          "snapshot": "snap-001"
        }
      ],
      "fix": "",
      "last_confirmed": null,
      "last_confirmed_from": null,
      "line_id": "29680002:501",
      "money": null,
      "prices": null,
      "product": "edr",
      "prorated": false,
      "rule": "newest count 3 of 2026-11-21",
      "service_id": "501",
      "status": "unchanged",
      "target": 3
    }
    "#);
}

#[tokio::test]
async fn a_run_tells_how_it_went() {
    let msp = msp(On::autotask()).await;
    msp.push(&COUNTS).await;
    let run = msp.run("apply").await;
    let mut view = run.view.clone();
    assert_eq!(view["id"], run.id);
    assert_eq!(view["connection_id"], msp.connection);
    for id in ["id", "connection_id"] {
        view[id] = "[id]".into();
    }
    let money = view["money"].as_object_mut().unwrap();
    assert_eq!(money.remove("written").as_ref(), money.get("planned"), "all of it was written");
    let charges = view.as_object_mut().unwrap().remove("charges").unwrap();
    assert_eq!((&charges["counts"]["updated"], &charges["planned"]), (&0.into(), &Value::Array(Vec::new())));
    insta::assert_json_snapshot!(view, @r#"
    {
      "actor": "local",
      "code": null,
      "connection_id": "[id]",
      "created_at": "2026-11-21T12:00:01Z",
      "explanation": null,
      "finished_at": "2026-11-21T12:00:01Z",
      "fix": null,
      "id": "[id]",
      "jobs": 1,
      "jobs_left": 0,
      "lines": {
        "failed": 0,
        "held": 0,
        "planned": 0,
        "skipped": 0,
        "unchanged": 2,
        "unknown": 0,
        "updated": 2
      },
      "mode": "apply",
      "money": {
        "held": [],
        "planned": [
          {
            "currency": "EUR",
            "falls": {
              "lines": 1,
              "monthly_cost": "-5.00",
              "monthly_price": "-10.00"
            },
            "lines": 2,
            "lines_without_cost": 0,
            "lines_without_price": 0,
            "monthly_cost": "0.00",
            "monthly_price": "0.00",
            "rises": {
              "lines": 1,
              "monthly_cost": "5.00",
              "monthly_price": "10.00"
            }
          }
        ]
      },
      "psa_requests": 9,
      "reverses": null,
      "status": "succeeded",
      "trigger": "manual",
      "writes": 2
    }
    "#);
    assert_eq!(msp.parts.wire.notices(), ["RunSucceeded"]);
}

async fn csv(msp: &Msp, run: &str) -> Answer {
    let token = msp.parts.token(PARTNER, &[Scope::Read]);
    let path = format!("/v1/runs/{run}/lines");
    Answer::to(msp.parts.request(Method::GET, &path).bearer_auth(token).header("accept", "text/csv")).await
}

/// A line with what is in its `money` beside its other fields, as a sheet has it.
fn with_money_flat(line: &Value) -> Value {
    let mut line = line.as_object().unwrap().clone();
    let money = line.remove("money").unwrap();
    for field in ["currency", "unit_price", "unit_cost", "monthly_price", "monthly_cost"] {
        line.insert(field.to_owned(), money[field].clone());
    }
    let prices = line.remove("prices").unwrap();
    for (which, when) in ["unit_cost", "unit_price"]
        .into_iter()
        .flat_map(|which| ["before", "target", "after"].map(|when| (which, when)))
    {
        line.insert(format!("{which}_{when}"), prices[which][when].clone());
    }
    Value::Object(line)
}

#[tokio::test]
async fn the_lines_as_csv_say_what_the_lines_as_json_say() {
    let msp = msp(On::autotask()).await;
    msp.push(&COUNTS).await;
    let run = msp.run("apply").await;
    let answer = csv(&msp, &run.id).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    let mut sheet = csv::Reader::from_reader(answer.text.as_bytes());
    let rows: Vec<BTreeMap<String, String>> = sheet.deserialize().map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), run.lines.len());
    for (row, line) in rows.iter().zip(&run.lines) {
        let line = &with_money_flat(line);
        for (name, cell) in row.iter().filter(|(name, _)| *name != "feeds") {
            let value = match &line[name] {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                number => number.to_string(),
            };
            assert_eq!(*cell, value, "{name}");
        }
        let fields: Vec<&String> = row.keys().collect();
        assert_eq!(json!(fields), json!(line.as_object().unwrap().keys().collect::<Vec<_>>()));
    }
}

#[tokio::test]
async fn lines_beyond_what_an_answer_holds_come_in_several_files() {
    let msp = msp(On::autotask()).await;
    msp.push(&COUNTS).await;
    let run = msp.run("apply").await;
    // Many more pages of lines, with explanations full of what is written twice in a sheet and twice again in an answer.
    let partition = schema::of_run(&PARTNER.parse().unwrap(), &run.id.parse().unwrap());
    let rows: Vec<(String, ResultPage)> = msp.parts.table.all(&partition, "LINES#", Read::Consistent).await.unwrap();
    let (sk, mut planted) = rows.into_iter().find(|(_, page)| !page.lines.is_empty()).unwrap();
    let mut line = planted.lines.swap_remove(0);
    line.explanation = "\"".repeat(3_000);
    planted.lines = vec![line; 30];
    for n in 0..40 {
        let key = Key { pk: partition.clone(), sk: format!("{sk}.{n:03}") };
        assert!(msp.parts.table.put(&key, &planted, &Condition::absent()).await.unwrap());
    }
    let token = msp.parts.token(PARTNER, &[Scope::Read]);
    let path = format!("/v1/runs/{}/lines", run.id);
    let (mut query, mut files, mut found) = (String::new(), 0, 0);
    loop {
        let request = msp.parts.request(Method::GET, &format!("{path}{query}")).bearer_auth(&token);
        let answer = Answer::to(request.header("accept", "text/csv")).await;
        assert_eq!(answer.status, 200);
        assert!(serde_json::to_string(&answer.text).unwrap().len() < 6_000_000);
        files += 1;
        let mut sheet = csv::Reader::from_reader(answer.text.as_bytes());
        let rows: Vec<BTreeMap<String, String>> = sheet.deserialize().map(|row| row.unwrap()).collect();
        found += rows.iter().filter(|row| row["line_id"] != "cut_short").count();
        let cut_short = rows.last().filter(|row| row["line_id"] == "cut_short");
        let link = answer.header("link").to_owned();
        assert_eq!(cut_short.is_some(), !link.is_empty());
        let Some(cut_short) = cut_short else { break };
        query = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
        assert!(cut_short["explanation"].ends_with(query.strip_prefix('?').unwrap()), "{}", cut_short["explanation"]);
    }
    assert_eq!((files, found), (3, run.lines.len() + 40 * 30));
}

async fn only_the_lines_of_the_companies_that_are_named_are_synced<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    msp.push(&[("acme", "edr", 42), ("beta", "edr", 4)]).await;
    let path = format!("/v1/connections/{}/runs", msp.connection);
    let started = msp.done(Method::POST, &path, Some(json!({"mode": "apply", "companies": ["beta"]}))).await;
    msp.drain().await;
    let run = msp.see(started["run_id"].as_str().unwrap()).await;
    assert_eq!(json!(run.results()), json!({"beta/edr": "updated"}));
    assert_eq!((msp.units("acme", "edr"), msp.units("beta", "edr")), (40, 4));
}

async fn companies_that_share_a_line_are_added_up<P: Fixture>(on: On<P>) {
    let msp =
        on.of([Customer::named("acme").line("edr", 10), Customer::named("acme-uk").joined_to("acme")]).start().await;
    msp.push(&[("acme", "edr", 8), ("acme-uk", "edr", 5)]).await;
    let run = msp.run("apply").await;
    assert_eq!(run.lines.len(), 1);
    assert_eq!(run.numbers("acme", "edr"), (10, 13, 13));
    let feeds = json!([{"company": "acme", "product": "edr", "quantity": 8}, {"company": "acme-uk", "product": "edr", "quantity": 5}]);
    let shown: Vec<Value> = run.line("acme", "edr")["feeds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|feed| json!({"company": feed["company"], "product": feed["product"], "quantity": feed["quantity"]}))
        .collect();
    assert_eq!(json!(shown), feeds);
    assert_eq!(msp.write_requests(), on.first_writes());
}

async fn a_shared_line_is_skipped_while_one_of_its_companies_was_never_counted<P: Fixture>(on: On<P>) {
    let msp =
        on.of([Customer::named("acme").line("edr", 10), Customer::named("acme-uk").joined_to("acme")]).start().await;
    msp.push(&[("acme", "edr", 8)]).await;
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "edr"), "skipped usage_missing");
    assert!(
        run.line("acme", "edr")["explanation"].as_str().unwrap().contains("acme-uk"),
        "{}",
        run.line("acme", "edr")
    );
    assert_eq!((msp.units("acme", "edr"), msp.write_requests()), (10, 0));
}

async fn companies_of_one_line_under_different_rules_fail_and_say_so<P: Fixture>(on: On<P>) {
    let different = Customer::named("acme-uk")
        .joined_to("acme")
        .mapped_with(json!({"overrides": {"edr": {"rule": {"minimum": 5}}}}));
    let msp = on.of([Customer::named("acme").line("edr", 10), different]).start().await;
    msp.push(&[("acme", "edr", 8), ("acme-uk", "edr", 5)]).await;
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr").as_str(), run.status()), ("failed rules_differ", "partial"));
    assert_eq!(msp.write_requests(), 0);
}

async fn a_service_that_is_not_on_the_contract_fails_and_none_is_created<P: Fixture>(on: On<P>) {
    let msp = on.of([Customer::named("acme").line("edr", 40), Customer::named("beta").line("m365", 5)]).start().await;
    msp.push(&[("acme", "edr", 41), ("acme", "m365", 9), ("beta", "m365", 6)]).await;
    let run = msp.run("apply").await;
    assert_eq!(
        json!(run.results()),
        json!({"acme/edr": "updated", "acme/m365": "failed service_not_on_contract", "beta/m365": "updated"})
    );
    assert_eq!(run.status(), "partial");
    let line = run.line("acme", "m365");
    assert_eq!(line["explanation"], format!("\"Managed Security\" does not carry service {}.", msp.service("m365")));
    assert_eq!(
        line["fix"],
        "Add the service to the contract in the PSA, or map the product to a service that is on it. Or set \
         provision_services in the policy: it is then added once you have approved it."
    );
    assert_eq!((msp.written("acme", "edr"), msp.written("beta", "m365")), (on.first_change(40, 41), vec![6]));
    assert_eq!(msp.psa.units(msp.contract("acme"), msp.service("m365"), msp.today()), None, "it was created");
}

#[tokio::test]
async fn a_service_that_is_twice_on_the_contract_fails_and_none_is_written() {
    let msp = Setup::of([Customer::named("acme").line("edr", 40).line("edr", 2)]).start().await;
    msp.push(&[("acme", "edr", 43)]).await;
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "edr"), "failed service_twice_on_contract");
    assert_eq!(msp.write_requests(), 0);
}

async fn an_incomplete_snapshot_may_raise_a_line_and_never_lowers_it<P: Fixture>(on: On<P>) {
    let msp = on.of([Customer::named("acme").line("edr", 40).line("m365", 10)]).start().await;
    msp.push(&[("acme", "edr", 40), ("acme", "m365", 10)]).await;
    msp.run("apply").await;
    msp.push_incomplete(&[("acme", "edr", 38), ("acme", "m365", 12)]).await;
    let run = msp.run("apply").await;
    assert_eq!(json!(run.results()), json!({"acme/edr": "unchanged", "acme/m365": "updated"}));
    assert_eq!((msp.units("acme", "edr"), msp.units("acme", "m365")), (40, 12));
    // The next complete snapshot takes both back.
    msp.push(&[("acme", "edr", 38), ("acme", "m365", 9)]).await;
    let run = msp.run("apply").await;
    assert_eq!(json!(run.results()), json!({"acme/edr": "updated", "acme/m365": "updated"}));
    assert_eq!((msp.units("acme", "edr"), msp.units("acme", "m365")), (38, 9));
}

async fn a_line_that_only_an_incomplete_snapshot_speaks_for_is_held_and_not_lowered<P: Fixture>(on: On<P>) {
    let msp = on.of_one_more([Customer::named("acme").line("edr", 40)]).start_changed().await;
    msp.push_incomplete(&[("acme", "edr", 38)]).await;
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr").as_str(), run.status()), ("held usage_incomplete", "succeeded"));
    assert_eq!((msp.units("acme", "edr"), msp.write_requests()), (40, 0));
    msp.push(&[("acme", "edr", 38)]).await;
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
    assert_eq!(msp.units("acme", "edr"), 38);
}

async fn an_absent_company_is_kept_zeroed_or_held_as_its_mapping_says<P: Fixture>(on: On<P>) {
    let customer =
        |name: &str, absent: &str| Customer::named(name).line("edr", 5).mapped_with(json!({"when_absent": absent}));
    let customers =
        [customer("kept", "keep"), customer("zeroed", "zero"), customer("held", "hold"), customer("present", "zero")];
    let msp = on.of_one_more(customers).start_changed().await;
    msp.push(&[("kept", "edr", 5), ("zeroed", "edr", 5), ("held", "edr", 5), ("present", "edr", 5)]).await;
    msp.run("apply").await;
    msp.push(&[("present", "edr", 6)]).await;
    let run = msp.run("apply").await;
    assert_eq!(
        json!(run.results()),
        json!({"held/edr": "held company_absent", "kept/edr": "unchanged", "present/edr": "updated", "zeroed/edr": "updated"})
    );
    let units = ["kept", "zeroed", "held", "present"].map(|company| msp.units(company, "edr"));
    assert_eq!(units, [5, 0, 5, 6]);
    // Missing from an incomplete snapshot is no absence.
    msp.push(&[("kept", "edr", 5), ("zeroed", "edr", 4), ("held", "edr", 5), ("present", "edr", 6)]).await;
    msp.push_incomplete(&[("present", "edr", 6)]).await;
    let run = msp.run("apply").await;
    assert_eq!(
        json!(run.results()),
        json!({"held/edr": "unchanged", "kept/edr": "unchanged", "present/edr": "unchanged", "zeroed/edr": "updated"})
    );
}

async fn a_company_that_was_never_counted_is_not_touched_whatever_its_mapping_says<P: Fixture>(on: On<P>) {
    let customer =
        |name: &str, absent: &str| Customer::named(name).line("edr", 5).mapped_with(json!({"when_absent": absent}));
    let msp = on
        .of([
            customer("kept", "keep"),
            customer("zeroed", "zero"),
            customer("held", "hold"),
            customer("present", "keep"),
        ])
        .start()
        .await;
    msp.push(&[("present", "edr", 5)]).await;
    let run = msp.run("apply").await;
    assert_eq!(json!(run.results()), json!({"present/edr": "unchanged"}));
    assert_eq!(msp.write_requests(), 0);
}

async fn an_explicit_zero_in_a_complete_snapshot_is_a_count<P: Fixture>(on: On<P>) {
    let msp = on.of_one_more([Customer::named("acme").line("edr", 4)]).start_changed().await;
    msp.push(&[("acme", "edr", 0)]).await;
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
    assert_eq!(msp.units("acme", "edr"), 0);
}
