//! The other writes: costs and texts of a line, new lines, and a contract's end.

use jiff::civil::date;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::autotask::{ApiUser, Autotask, Effect, ServiceSpec};

use crate::support::*;

async fn patch(sim: &Autotask, body: Value) -> (u16, Value) {
    send(sim, Method::PATCH, &format!("/Contracts/{CONTRACT}/Services"), body).await
}

async fn line(sim: &Autotask) -> Value {
    get(sim, &format!("/ContractServices/{LINE}")).await.1["item"].clone()
}

#[tokio::test]
async fn a_patch_sets_cost_and_description_and_leaves_the_rest() {
    let sim = start(tenant()).await;
    let body = json!({"id": LINE, "unitCost": 7.25, "invoiceDescription": "EDR, November"});
    assert_eq!(patch(&sim, body).await, (200, json!({"itemId": LINE})));
    let line = line(&sim).await;
    assert_eq!((&line["unitCost"], &line["invoiceDescription"]), (&json!(7.25), &json!("EDR, November")));
    assert_eq!(line["unitPrice"], json!(23.1));
    let all = rows(&sim, "ContractServiceUnits", json!({"op": "eq", "field": "contractID", "value": CONTRACT})).await;
    assert_eq!((&all[9]["cost"], &all[10]["cost"]), (&json!(110.5), &json!(72.5)), "past periods keep their cost");
}

#[tokio::test]
async fn a_cost_that_cannot_be_written_is_ignored_in_silence() {
    let full = ApiUser::full();
    let blind = full.clone().named("blind", "s2").cost_blind();
    let sim = setup(tenant()).user(blind).user(full.clone()).start().await.unwrap();
    let body = json!({"id": LINE, "unitCost": 1, "invoiceDescription": "new"});
    assert_eq!(patch(&sim, body).await.0, 200);
    let adjusted = json!({"contractServiceID": LINE, "effectiveDate": "2026-12-01", "adjustedUnitCost": 1});
    assert_eq!(post(&sim, "/ContractServiceAdjustments", adjusted).await.0, 200);
    assert_eq!(sim.writes()[0].unit_cost, None);
    let seen = read(call(&sim, &full, Method::GET, &format!("/ContractServices/{LINE}")).send().await.unwrap()).await.1;
    assert_eq!((&seen["item"]["unitCost"], &seen["item"]["invoiceDescription"]), (&json!(11.05), &json!("new")));
}

#[tokio::test]
async fn whether_a_cost_can_be_patched_at_all_is_a_switch() {
    let sim = start(tenant()).await;
    sim.switch(|switches| switches.patch_unit_cost = Effect::Ignored);
    assert_eq!(patch(&sim, json!({"id": LINE, "unitCost": 1})).await.0, 200);
    assert_eq!(line(&sim).await["unitCost"], json!(11.05));
}

#[tokio::test]
async fn a_patch_needs_the_id_in_its_body_and_the_lines_own_contract() {
    let sim = start(tenant()).await;
    assert_eq!(patch(&sim, json!({"unitCost": 1})).await.0, 500);
    assert_eq!(patch(&sim, json!({"id": 999, "unitCost": 1})).await.0, 500);
    let path = format!("/Contracts/{CONTRACT}/Services/{LINE}");
    assert_eq!(send(&sim, Method::PATCH, &path, json!({"unitCost": 1})).await.0, 405);
}

#[tokio::test]
async fn a_new_line_starts_without_units_and_is_not_made_twice() {
    let sim = start(tenant().service(ServiceSpec::named("ITDR").id(6))).await;
    let path = format!("/Contracts/{CONTRACT}/Services");
    let (status, body) = post(&sim, &path, json!({"contractID": CONTRACT, "serviceID": 6})).await;
    assert_eq!((status, body["itemId"].is_i64()), (200, true));
    assert_eq!(sim.units(CONTRACT, 6, TODAY), Some(0));
    assert!(sim.auto_created().is_empty());
    assert_eq!(post(&sim, &path, json!({"serviceID": 6})).await.0, 500);
}

#[tokio::test]
async fn an_earlier_end_drops_periods_unless_posted_and_a_later_one_adds_some() {
    let sim = start(tenant()).await;
    sim.end_contract(CONTRACT, date(2026, 10, 15)).unwrap();
    let rows_now = timeline(&sim).await;
    assert_eq!(rows_now.last().unwrap(), &("2026-10-01".to_owned(), "2026-10-15".to_owned(), 10));
    assert_eq!(sim.units(CONTRACT, SERVICE, TODAY), None);
    sim.end_contract(CONTRACT, date(2027, 1, 31)).unwrap();
    let rows_now = timeline(&sim).await;
    assert_eq!(rows_now.len(), 13);
    assert_eq!(rows_now[9].1, "2026-10-31");
    assert_eq!(rows_now[12], ("2027-01-01".to_owned(), "2027-01-31".to_owned(), 10));
    sim.post_through(CONTRACT, date(2026, 11, 30));
    let refused = sim.end_contract(CONTRACT, date(2026, 11, 15)).unwrap_err();
    assert!(refused.to_string().contains("already approved and posted"));
}

#[tokio::test]
async fn a_contract_can_be_extended_and_inactivated_by_patch() {
    let sim = start(tenant()).await;
    let body = json!({"id": CONTRACT, "endDate": "2027-12-31T00:00:00", "status": 0});
    assert_eq!(send(&sim, Method::PATCH, "/Contracts", body).await.0, 200);
    let (_, contract) = get(&sim, &format!("/Contracts/{CONTRACT}")).await;
    assert_eq!(contract["item"]["endDate"], "2027-12-31T00:00:00Z");
    assert_eq!(contract["item"]["status"], 0);
    assert_eq!(timeline(&sim).await.len(), 24);
    let (status, body) = send(&sim, Method::PATCH, "/Contracts", json!({"id": CONTRACT, "status": 3})).await;
    assert_eq!((status, body), (500, errors("Picklist value [3] does not exist for status")));
}

#[tokio::test]
async fn what_is_not_simulated_says_so() {
    let sim = start(tenant()).await;
    let (status, body) = post(&sim, "/Companies", json!({"companyName": "New"})).await;
    assert_eq!((status, body["Message"].is_string()), (501, true));
}
