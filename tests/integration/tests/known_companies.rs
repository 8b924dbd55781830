//! The list of everybody whom a connection knows: mapped or not, found by name, and cheap where there are many.

use std::time::Instant;

use integration::PARTNER;
use integration::msp::{Customer, Msp, Setup};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use shared::domain::line::LineResult;
use shared::store::mappings::CompanyMapping;
use shared::store::runs::{ResultPage, Runs};
use shared::store::{Condition, Read, schema};

async fn msp() -> Msp {
    let msp = Setup::of([
        Customer::named("acme").line("edr", 40),
        Customer::named("beta").line("edr", 5).line("sat", 2),
        Customer::named("idle").line("edr", 1),
        Customer::named("zeta").line("edr", 3).unmapped(),
    ])
    .start()
    .await;
    let record = |company: &str, name: &str, product: &str, quantity: u32| json!({"company": company, "company_name": name, "product": product, "quantity": quantity});
    let records = vec![
        record("acme", "Überseehandel Nord", "edr", 1),
        record("beta", "Beta & Söhne", "edr", 5),
        record("beta", "Beta & Söhne", "sat", 2),
        record("zeta", "Alpha #1 Reisen", "edr", 3),
    ];
    msp.push_records(records, true).await;
    msp
}

async fn listed(msp: &Msp, query: &str) -> Value {
    msp.done(Method::GET, &format!("/v1/connections/{}/known-companies{query}", msp.connection), None).await
}

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["company"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn everybody_is_listed_by_name_with_what_is_known() {
    let msp = msp().await;
    let run = msp.run("apply").await;
    let all = listed(&msp, "").await;
    assert_eq!(ids(&all), ["zeta", "beta", "idle", "acme"]);
    assert_eq!((&all["mapped"], &all["not_mapped"], &all["next_cursor"]), (&json!(3), &json!(1), &Value::Null));
    let beta = &all["items"][1];
    let (account, contract) = (msp.account("beta").to_string(), msp.contract("beta").to_string());
    assert_eq!((&beta["account_id"], &beta["contract_id"]), (&json!(account), &json!(contract)));
    assert_eq!((&beta["company_name"], &beta["products"]), (&json!("Beta & Söhne"), &json!(["edr", "sat"])));
    assert_eq!((&beta["last_sync"]["status"], &beta["last_sync"]["run_id"]), (&json!("unchanged"), &json!(run.id)));
    let edr = json!({"product": "edr", "companies": 3, "mapped": 2});
    assert_eq!(all["products"], json!([edr, {"product": "sat", "companies": 1, "mapped": 1}]));
    let zeta = &all["items"][0];
    assert_eq!((&zeta["account_id"], &zeta["last_sync"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_search_and_a_state_narrow_it_down_page_by_page() {
    let msp = msp().await;
    msp.run("apply").await;
    for (query, found) in [
        ("?search=söhne", vec!["beta"]),
        ("?search=%C3%9CBERSEE", vec!["acme"]),
        ("?search=ZETA", vec!["zeta"]),
        ("?search=nobody", vec![]),
        ("?state=mapped", vec!["beta", "idle", "acme"]),
        ("?state=not_mapped", vec!["zeta"]),
        // The fall from 40 to 1 is held.
        ("?state=needs_attention", vec!["acme"]),
        ("?state=mapped&search=et", vec!["beta"]),
    ] {
        assert_eq!(ids(&listed(&msp, query).await), found, "{query}");
    }
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = listed(&msp, &format!("?limit=1{cursor}")).await;
        pages.extend(ids(&page).into_iter().map(str::to_owned));
        assert_eq!(page["mapped"], 3);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(pages, ["zeta", "beta", "idle", "acme"]);
    let path = format!("/v1/connections/{}/known-companies", msp.connection);
    let other = msp.call_as("suedwind", Method::GET, &path, None).await;
    assert_eq!(other.status, 404);
    let refused = msp.call(Method::GET, &format!("{path}?state=odd"), None).await;
    assert_eq!(refused.problem()["code"], "invalid_query");
}

#[tokio::test]
async fn one_company_is_asked_for_by_its_whole_id() {
    let msp = msp().await;
    for (query, found) in [
        ("?company=zeta", vec!["zeta"]),
        ("?company=zet", vec![]),
        ("?company=ZETA", vec![]),
        ("?company=zeta&state=mapped", vec![]),
        ("?company=idle&state=mapped", vec!["idle"]),
    ] {
        assert_eq!(ids(&listed(&msp, query).await), found, "{query}");
    }
}

#[tokio::test]
async fn a_snapshot_touches_no_row_of_the_roll_but_those_of_whom_it_names() {
    let msp = msp().await;
    let record = json!({"company": "new", "company_name": "New", "product": "edr", "quantity": 1});
    // The second time it is no news.
    for touched in [vec!["GetItem ROLL", "PutItem ROLL"], vec!["GetItem ROLL"]] {
        let _ = msp.parts.requests.take();
        msp.push_records(vec![record.clone()], true).await;
        let asked = msp.parts.requests.take();
        let of_roll: Vec<&String> = asked.iter().filter(|request| request.contains("ROLL")).collect();
        assert_eq!(of_roll, touched);
    }
}

/// How many rows a roll has.
const ROWS: u8 = 64;

/// A row of the roll as it is stored, with these companies.
fn row(companies: &str) -> Value {
    json!({"version": 1, "companies": companies, "expires": 1_900_000_000})
}

#[tokio::test]
async fn a_roll_that_can_not_be_written_keeps_no_snapshot_out() {
    let msp = Setup::of([Customer::named("acme").line("edr", 40)]).start().await;
    let partner = PARTNER.parse().unwrap();
    // Nearly as much as a row holds, and what is no list of companies at all.
    let full = row(&json!({"full": {"n": "x".repeat(409_400), "t": 1_795_000_000}}).to_string());
    for (broken, round) in [(full, 1), (row("{"), 2)] {
        for number in 0..ROWS {
            assert!(
                msp.parts.table.put(&schema::row_of_roll(&partner, number), &broken, &Condition::none()).await.unwrap()
            );
        }
        let company = |number: u32| format!("{number:0100}");
        let record = |number: u32| json!({"company": company(number), "company_name": "Somebody", "product": "edr", "quantity": 1});
        let as_of = msp.clock.time().to_string();
        let whole = json!({"as_of": as_of, "complete": true, "records": (0..200).map(record).collect::<Vec<_>>()});
        let taken = msp.done(Method::PUT, &format!("/v1/usage/snapshots/whole-{round}"), Some(whole)).await;
        assert_eq!(taken["state"], "applied");
        let newest = msp.done(Method::GET, "/v1/usage/products", None).await;
        assert_eq!(newest["items"][0]["snapshot_id"], format!("whole-{round}"));

        msp.clock.advance(SignedDuration::from_secs(1));
        let as_of = msp.clock.time().to_string();
        let part = json!({"as_of": as_of, "records": (200..400).map(record).collect::<Vec<_>>()});
        msp.done(Method::PUT, &format!("/v1/usage/snapshots/parts-{round}/parts/1"), Some(part)).await;
        let seal = json!({"parts": 1, "complete": true});
        let sealed = msp.done(Method::POST, &format!("/v1/usage/snapshots/parts-{round}/seal"), Some(seal)).await;
        assert_eq!(sealed["state"], "applied");
        msp.clock.advance(SignedDuration::from_secs(1));
        for number in 0..ROWS {
            let kept: Option<Value> =
                msp.parts.table.get(&schema::row_of_roll(&partner, number), Read::Consistent).await.unwrap();
            assert!(kept.is_some_and(|kept| kept["companies"] == broken["companies"]), "row {number} was written");
        }
    }
}

/// What each company has.
const PRODUCTS: [&str; 3] = ["edr", "itdr", "sat"];

/// `KNOWN_COMPANIES=2000` tries the size that the service is made for, and prints how long each list takes.
#[tokio::test]
async fn many_companies_cost_few_requests() {
    let many: usize = std::env::var("KNOWN_COMPANIES").ok().and_then(|text| text.parse().ok()).unwrap_or(150);
    let msp = msp().await;
    let run = msp.run("apply").await;
    fill(&msp, &run.id, many).await;
    for (query, most) in [
        ("?last_sync=false", 4),
        ("?last_sync=false&search=handel%2019", 4),
        ("?last_sync=false&state=not_mapped", 4),
        // These read a run's results, a megabyte a request.
        ("", 7 + many / 300),
        ("?state=needs_attention", 7 + many / 300),
    ] {
        let _ = msp.parts.requests.take();
        let began = Instant::now();
        let list = listed(&msp, query).await;
        let (took, requests) = (began.elapsed(), msp.parts.requests.take());
        println!(
            "{many} companies, {query:?}: {} listed, {took:?}, {} store requests",
            ids(&list).len(),
            requests.len()
        );
        assert!(requests.len() <= most, "{query}: {requests:?}");
    }
}

/// Puts companies into the store as syncs leave them; one of ten is not mapped.
async fn fill(msp: &Msp, run: &str, many: usize) {
    let (partner, connection) = (PARTNER.parse().unwrap(), msp.connection.parse().unwrap());
    let company = |number: usize| format!("many-{number:05}");
    for some in (0..many).collect::<Vec<_>>().chunks(1_500) {
        let feeds = some.iter().flat_map(|number| PRODUCTS.map(|product| (number, product)));
        let record = |(number, product): (&usize, &str)| json!({"company": company(*number), "company_name": format!("Handel {number} GmbH"), "product": product, "quantity": 40});
        msp.push_records(feeds.map(record).collect(), false).await;
    }
    let runs = Runs::new(msp.parts.table.clone());
    let run = runs.get(&partner, &run.parse().unwrap()).await.unwrap().unwrap();
    let like = msp.done(Method::GET, &format!("/v1/runs/{}/lines", run.id), None).await["items"][0].clone();
    let mut lines: Vec<LineResult> = Vec::new();
    for number in (0..many).filter(|number| !number.is_multiple_of(10)) {
        let company = company(number);
        let mapping: CompanyMapping = serde_json::from_value(json!({
            "company": company, "account_id": (90_000 + number).to_string(), "contract_id": (190_000 + number).to_string(),
            "when_absent": "keep", "version": 1, "updated_at": "2026-11-01T00:00:00Z", "updated_by": "me",
        }))
        .unwrap();
        let key = schema::company(&partner, &connection, &mapping.company);
        assert!(msp.parts.table.put(&key, &mapping, &Condition::absent()).await.unwrap());
        for product in PRODUCTS {
            let mut line = like.clone();
            line["company"] = json!(company);
            line["line_id"] = json!(format!("{}:{product}", 190_000 + number));
            line["feeds"] =
                json!([{"company": company, "product": product, "quantity": 40, "snapshot": "nightly-2026-11-21"}]);
            lines.push(serde_json::from_value(line).unwrap());
        }
    }
    for (number, lines) in lines.chunks(100).enumerate() {
        runs.put_decided(&run, 100 + number, &ResultPage::of_lines(lines.to_vec())).await.unwrap();
    }
}

#[tokio::test]
async fn whom_another_connection_maps_is_not_told_as_billed_nowhere() {
    let msp = msp().await;
    let second = msp.connect("Europe/Berlin").await;
    let on_second = async |query: &str| {
        msp.done(Method::GET, &format!("/v1/connections/{second}/known-companies{query}"), None).await
    };
    let all = on_second("").await;
    let counts = [&all["mapped"], &all["not_mapped"], &all["mapped_elsewhere"]];
    assert_eq!(counts, [&json!(0), &json!(1), &json!(2)], "{all}");
    assert_eq!(ids(&on_second("?state=not_mapped").await), ["zeta"]);
    let elsewhere = on_second("?state=mapped_elsewhere").await;
    assert_eq!(ids(&elsewhere), ["beta", "acme"]);
    assert_eq!(elsewhere["items"][0]["mapped_on"], msp.connection);
    // Who is mapped here is asked of nobody else.
    let first = listed(&msp, "").await;
    assert_eq!((&first["mapped_elsewhere"], &first["items"][1]["mapped_on"]), (&json!(0), &Value::Null));

    // A connection that was revoked bills nobody.
    msp.done(Method::DELETE, &format!("/v1/connections/{}", msp.connection), None).await;
    let left = on_second("").await;
    assert_eq!((&left["not_mapped"], &left["mapped_elsewhere"]), (&json!(3), &json!(0)), "{left}");
}
