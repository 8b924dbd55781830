//! Filters, pages and counts.

use jiff::civil::date;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::autotask::seed::Provider;
use simulators::autotask::{
    Autotask, CompanySpec, ContractSpec, Entity, GetAfterPost, Kind, LineSpec, ServiceSpec, World, WorldBuilder,
};
use simulators::clock::Clock;

use crate::support::*;

fn services(count: usize) -> WorldBuilder {
    (0..count).fold(World::builder(), |world, n| world.service(ServiceSpec::named(format!("Service {n}"))))
}

/// Names of the companies a filter finds among Acme (sku-less), Müller and Øst.
async fn found(sim: &Autotask, filter: Value) -> Vec<String> {
    let rows = rows(sim, "Companies", filter).await;
    rows.iter()
        .map(|row| row["companyName"].as_str().unwrap().to_owned())
        .filter(|name| name != "Nordwind IT")
        .collect()
}

fn three_companies() -> WorldBuilder {
    World::builder()
        .company(CompanySpec::named("Acme Inc").id(11).number("A-1"))
        .company(CompanySpec::named("Müller GmbH").id(12).inactive())
        .company(CompanySpec::named("Øst ApS").id(13))
}

#[tokio::test]
async fn every_operator_does_what_it_says() {
    let sim = start(three_companies()).await;
    for (op, field, value, expected) in [
        ("eq", "id", json!(12), vec!["Müller GmbH"]),
        ("noteq", "id", json!(12), vec!["Acme Inc", "Øst ApS"]),
        ("gt", "id", json!(12), vec!["Øst ApS"]),
        ("gte", "id", json!(12), vec!["Müller GmbH", "Øst ApS"]),
        ("lt", "id", json!(12), vec!["Acme Inc"]),
        ("lte", "ID", json!(12), vec!["Acme Inc", "Müller GmbH"]),
        ("beginsWith", "companyName", json!("acme"), vec!["Acme Inc"]),
        ("endsWith", "companyName", json!("GMBH"), vec!["Müller GmbH"]),
        ("contains", "companyname", json!("S"), vec!["Øst ApS"]),
        ("eq", "companyName", json!("müller gmbh"), vec!["Müller GmbH"]),
        ("exist", "taxID", json!(""), vec![]),
        ("notExist", "taxID", json!(""), vec!["Acme Inc", "Müller GmbH", "Øst ApS"]),
        ("in", "id", json!([11, 13, 99]), vec!["Acme Inc", "Øst ApS"]),
        ("notIn", "id", json!([11, 13, 99]), vec!["Müller GmbH"]),
        ("in", "companyName", json!(["ØST APS"]), vec!["Øst ApS"]),
        ("eq", "isActive", json!(false), vec!["Müller GmbH"]),
        ("eq", "id", json!("twelve"), vec![]),
    ] {
        let filter = json!({"op": op, "field": field, "value": value});
        assert_eq!(found(&sim, filter.clone()).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn groups_nest_and_the_outer_list_means_and() {
    let sim = start(three_companies()).await;
    let is = |id: i64| json!({"op": "eq", "field": "id", "value": id});
    let active = json!({"op": "eq", "field": "isActive", "value": true});
    let or = json!({"op": "or", "items": [is(11), is(12)]});
    assert_eq!(found(&sim, or.clone()).await, ["Acme Inc", "Müller GmbH"]);
    assert_eq!(found(&sim, json!({"op": "and", "items": [or.clone(), active]})).await, ["Acme Inc"]);
    let (_, both) = post(&sim, "/Companies/query", json!({"Filter": [or, is(12)], "includefields": ["ID"]})).await;
    assert_eq!(both["items"], json!([{"id": 12}]));
}

#[tokio::test]
async fn an_unknown_operator_is_dropped_and_everything_comes_back() {
    let sim = start(three_companies()).await;
    for op in ["ne", "noteExist", "like"] {
        let filter = json!({"op": op, "field": "id", "value": 11});
        assert_eq!(found(&sim, filter).await.len(), 3, "{op}");
    }
}

#[tokio::test]
async fn bad_queries_are_500_with_the_known_texts() {
    let sim = start(three_companies()).await;
    let many: Vec<i64> = (0..501).collect();
    let half: Vec<i64> = (0..250).collect();
    let condition = |field: &str, value: Value| json!({"filter": [{"op": "in", "field": field, "value": value}]});
    for (body, text) in [
        (
            json!({"filter": [{"op": "eq", "field": "projectID", "value": 1}]}),
            "Unable to find projectID in the Company Entity.",
        ),
        (
            json!({"filter": [{"op": "gte", "field": "id", "value": 0}], "MaxRecords": 501}),
            "maxCountOfRecordsToReturn must be between 1 and 500",
        ),
        (
            json!({"filter": [{"op": "gte", "field": "id", "value": 0}], "MaxRecords": 0}),
            "maxCountOfRecordsToReturn must be between 1 and 500",
        ),
        (condition("id", json!(many)), "Invalid query syntax. Queries are limited to 500 or fewer 'OR' conditions."),
        (
            json!({"filter": [
                {"op": "in", "field": "id", "value": half},
                {"op": "or", "items": [{"op": "in", "field": "id", "value": half}, {"op": "eq", "field": "id", "value": 1}]},
            ]}),
            "Invalid query syntax. Queries are limited to 500 or fewer 'OR' conditions.",
        ),
        (
            json!({"filter": [{"op": "eq", "field": "companyType", "value": "material"}]}),
            "Conversion failed when converting varchar 'material' to data type int",
        ),
        (
            json!({"filter": [{"op": "eq", "field": "isActive", "value": "true"}]}),
            "Unexpected character encountered while parsing value: t",
        ),
        (
            json!({"filter": [{"op": "gte", "field": "id", "value": 0}], "IncludeFields": ["id", "nonsense"]}),
            "Unable to find nonsense in the Company Entity.",
        ),
    ] {
        assert_eq!(post(&sim, "/Companies/query", body).await, (500, errors(text)));
    }
    assert_eq!(post(&sim, "/Companies/query", condition("id", json!(many[..500]))).await.0, 200);
    assert_eq!(post(&sim, "/Companies/query", json!({})).await.0, 500, "a filter is mandatory");
}

#[tokio::test]
async fn pages_are_posted_with_the_same_body_and_join_without_gap() {
    let sim = start(services(7)).await;
    let body = json!({"filter": [{"op": "gte", "field": "id", "value": 0}], "MaxRecords": 3, "IncludeFields": ["id"]});
    let mut seen = Vec::new();
    let (_, mut page) = post(&sim, "/Services/query", body.clone()).await;
    assert_eq!(page["pageDetails"]["prevPageUrl"], Value::Null);
    let mut sizes = Vec::new();
    loop {
        seen.extend(page["items"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()));
        sizes.push(page["pageDetails"]["count"].as_i64().unwrap());
        assert_eq!(page["pageDetails"]["requestCount"], 3);
        let Some(next) = page["pageDetails"]["nextPageUrl"].as_str().map(str::to_owned) else {
            break;
        };
        page = post(&sim, &next, body.clone()).await.1;
    }
    assert_eq!(sizes, [3, 3, 1]);
    assert_eq!(seen, (501..508).collect::<Vec<_>>());
    let back = page["pageDetails"]["prevPageUrl"].as_str().unwrap().to_owned();
    let (_, middle) = post(&sim, &back, body.clone()).await;
    assert_eq!(middle["items"][0]["id"], 504);
    let first = middle["pageDetails"]["prevPageUrl"].as_str().unwrap().to_owned();
    assert_eq!(post(&sim, &first, body).await.1["items"][0]["id"], 501);
}

#[tokio::test]
async fn a_get_on_the_next_page_of_a_post_is_405_or_silently_empty() {
    let sim = start(services(3)).await;
    let body = json!({"filter": [{"op": "gte", "field": "id", "value": 0}], "MaxRecords": 2});
    let (_, page) = post(&sim, "/Services/query", body).await;
    let next = page["pageDetails"]["nextPageUrl"].as_str().unwrap().to_owned();
    let (status, refusal) = get(&sim, &next).await;
    assert_eq!((status, refusal["Message"].is_string()), (405, true));
    let empty = read(call(&sim, &sim.users()[0], Method::POST, &next).send().await.unwrap()).await;
    assert_eq!(empty.0, 500, "an empty continuation body is refused");
    sim.switch(|switches| switches.get_after_post_query = GetAfterPost::EmptyPage);
    let (status, page) = get(&sim, &next).await;
    assert_eq!((status, &page["items"], &page["pageDetails"]["nextPageUrl"]), (200, &json!([]), &Value::Null));
}

#[tokio::test]
async fn a_get_query_pages_by_get_and_a_long_url_is_not_found() {
    let sim = start(services(3)).await;
    let search = |query: Value| {
        let mut url = url::Url::parse(&format!("{}/Services/query", sim.api())).unwrap();
        url.query_pairs_mut().append_pair("search", &query.to_string());
        url.to_string()
    };
    let all = json!([{"op": "gte", "field": "id", "value": 0}]);
    let (status, page) = get(&sim, &search(json!({"filter": all, "MaxRecords": 2}))).await;
    assert_eq!((status, page["items"].as_array().unwrap().len()), (200, 2));
    let next = page["pageDetails"]["nextPageUrl"].as_str().unwrap().to_owned();
    let (_, page) = get(&sim, &next).await;
    assert_eq!(page["items"][0]["id"], 503);
    let ids: Vec<i64> = (0..400).collect();
    let long = search(json!({"filter": [{"op": "in", "field": "id", "value": ids}]}));
    assert_eq!(get(&sim, &long).await.0, 404);
}

#[tokio::test]
async fn a_count_is_of_all_rows_and_page_details_only_of_the_page() {
    let sim = start(services(7)).await;
    let body = json!({"filter": [{"op": "gt", "field": "id", "value": 501}], "MaxRecords": 2});
    assert_eq!(post(&sim, "/Services/query/count", body.clone()).await, (200, json!({"queryCount": 6})));
    assert_eq!(post(&sim, "/Services/query", body).await.1["pageDetails"]["count"], 2);
}

#[tokio::test]
async fn dates_filter_by_their_midnight() {
    let sim = start(tenant()).await;
    let current = json!({"op": "and", "items": [
        {"op": "eq", "field": "contractID", "value": CONTRACT},
        {"op": "lte", "field": "startDate", "value": "2026-11-20T23:59:59"},
        {"op": "gte", "field": "endDate", "value": "2026-11-20T00:00:00Z"},
    ]});
    let found = rows(&sim, "ContractServiceUnits", current).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["startDate"], "2026-11-01T00:00:00Z");
    let on_last_day = json!({"op": "gte", "field": "endDate", "value": "2026-12-31T00:00:01"});
    assert!(rows(&sim, "ContractServiceUnits", on_last_day).await.is_empty());
}

#[tokio::test]
async fn children_come_as_a_collection_and_have_no_query() {
    let sim = start(tenant()).await;
    let (_, services) = get(&sim, &format!("/Contracts/{CONTRACT}/Services")).await;
    assert_eq!(services["items"][0]["id"], LINE);
    let (_, one) = get(&sim, &format!("/Contracts/{CONTRACT}/Services/{LINE}")).await;
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
    let (_, units) = get(&sim, &format!("/Contracts/{CONTRACT}/ServiceUnits")).await;
    assert_eq!(units["items"].as_array().unwrap().len(), 12);
    assert_eq!(post(&sim, &format!("/Contracts/{CONTRACT}/Services/query"), json!({})).await.0, 404);
}

#[tokio::test]
async fn the_journal_names_each_request_and_its_body() {
    let sim = start(tenant()).await;
    rows(&sim, "Contracts", json!({"op": "eq", "field": "id", "value": CONTRACT})).await;
    get(&sim, &format!("/ContractServices/{LINE}")).await;
    let asked = sim.requests();
    assert_eq!(asked.len(), 2);
    assert_eq!((asked[0].entity, asked[0].kind, asked[0].number), (Some(Entity::Contracts), Kind::Query, 1));
    assert_eq!(asked[0].body["filter"][0]["value"], CONTRACT);
    assert_eq!((asked[1].path.as_str(), asked[1].status), ("/ContractServices/{id}", Some(200)));
    assert_eq!(sim.count(Entity::ContractServices, Kind::Get), 1);
    sim.reset_counts();
    assert_eq!(sim.request_count(), 0);
}

/// A thousand companies: what every test of the whole asks again and again.
#[tokio::test]
async fn a_large_tenant_is_walked_in_pages_and_by_lists_of_ids() {
    let provider = Provider { companies: 1_000, seed: 1, today: TODAY };
    let (world, seeded) = provider.build().unwrap();
    let sim = Autotask::setup(world).clock(Clock::on(TODAY)).start().await.unwrap();
    let mut found = 0;
    for part in seeded.companies.chunks(500) {
        let ids: Vec<i64> = part.iter().map(|company| company.contract_id).collect();
        let mut last = 0;
        loop {
            let filter = json!([{"op": "and", "items": [
                {"op": "in", "field": "contractID", "value": ids},
                {"op": "lte", "field": "startDate", "value": "2026-11-20T00:00:00"},
                {"op": "gte", "field": "endDate", "value": "2026-11-20T00:00:00"},
                {"op": "gt", "field": "id", "value": last},
            ]}]);
            let (status, page) = post(&sim, "/ContractServiceUnits/query", json!({ "filter": filter })).await;
            assert_eq!(status, 200, "{page}");
            let items = page["items"].as_array().unwrap();
            found += items.len();
            let Some(row) = items.last().filter(|_| items.len() == 500) else {
                break;
            };
            last = row["id"].as_i64().unwrap();
        }
    }
    assert_eq!(found, 3_000, "one row a line is in force today");
}

#[tokio::test]
async fn the_own_company_is_there_under_id_zero() {
    let sim = start(tenant().owner("Our MSP")).await;
    let (_, own) = get(&sim, "/Companies/0").await;
    assert_eq!(own["item"]["companyName"], "Our MSP");
}

#[tokio::test]
async fn decimals_are_numbers_units_are_integers_and_amounts_are_extended() {
    let world = World::builder()
        .company("Acme")
        .contract(ContractSpec::recurring("C").id(CONTRACT).runs(date(2026, 1, 1), date(2026, 1, 31)))
        .line(LineSpec::of("EDR").units(11).price("23.10").cost("0.1"));
    let sim = start(world).await;
    let row = &rows(&sim, "ContractServiceUnits", json!({"op": "gte", "field": "id", "value": 0})).await[0];
    assert_eq!((&row["units"], &row["price"], &row["cost"]), (&json!(11), &json!(254.1), &json!(1.1)));
    assert_eq!(row["approveAndPostDate"], Value::Null);
    assert_eq!(row["userDefinedFields"], json!([]));
}
