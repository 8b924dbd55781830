//! Services that are added to the catalogue, and put on contracts.

use jiff::civil::date;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::autotask::{ApiUser, CodeSpec, CompanySpec, ContractSpec, Effect, ServiceSpec};

use crate::support::*;

const CODE: i64 = 29_683_278;
const VENDOR: i64 = 3_000;

fn service() -> Value {
    json!({"name": "MDR", "periodType": 2, "unitPrice": 3.5, "unitCost": 1.25, "billingCodeID": CODE,
        "vendorCompanyID": VENDOR, "description": "Managed"})
}

fn with(changes: Value) -> Value {
    let mut body = service();
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_service_is_added_and_changed_and_the_cost_of_a_blind_user_is_dropped() {
    let world = || tenant().company(CompanySpec::named("Vendor Inc.").id(VENDOR).vendor());
    let sim = start(world()).await;
    assert_eq!(post(&sim, "/Services", service()).await, (200, json!({"itemId": 501})));
    let row = get(&sim, "/Services/501").await.1["item"].clone();
    assert_eq!(
        json!([row["name"], row["vendorCompanyID"], row["unitCost"], row["isActive"], row["periodType"]]),
        json!(["MDR", VENDOR, 1.25, true, 2])
    );
    let patch = json!({"id": 501, "unitPrice": 4, "isActive": false, "periodType": 5});
    assert_eq!(send(&sim, Method::PATCH, "/Services", patch).await.0, 200);
    let changed = &sim.services()[1];
    assert_eq!((changed.unit_price, changed.active, changed.period.number()), (4.into(), false, 2));

    let blind = setup(world()).user(ApiUser::full().cost_blind()).start().await.unwrap();
    assert_eq!(post(&blind, "/Services", service()).await.0, 200);
    assert_eq!(blind.services()[1].unit_cost, 0.into());
}

#[tokio::test]
async fn a_service_needs_a_recurring_code_in_use_a_vendor_that_exists_and_a_name() {
    let world = tenant()
        .company(CompanySpec::named("Vendor Inc.").id(VENDOR).vendor())
        .billing_code(CodeSpec::recurring("Old").id(50).inactive())
        .billing_code(CodeSpec::material("Usage").id(51));
    let sim = start(world).await;
    for wrong in [
        json!({"name": null}),
        json!({"name": "x".repeat(151)}),
        json!({"description": "x".repeat(401)}),
        json!({"billingCodeID": 50}),
        json!({"billingCodeID": 51}),
        json!({"billingCodeID": null}),
        json!({"vendorCompanyID": 9}),
        json!({"periodType": 9}),
        json!({"unitPrice": null}),
    ] {
        assert_eq!(post(&sim, "/Services", with(wrong.clone())).await.0, 500, "{wrong}");
    }
    assert_eq!((sim.services().len(), sim.row_writes().len()), (1, 0));
    assert_eq!(send(&sim, Method::DELETE, "/Services/5", Value::Null).await.0, 405, "services stay");
}

#[tokio::test]
async fn what_a_service_begins_with_on_a_contract_is_a_switch() {
    let world =
        tenant().service(ServiceSpec::named("A").id(6)).service(ServiceSpec::named("B").id(7).price("9").cost("4"));
    let sim = start(world).await;
    let path = format!("/Contracts/{CONTRACT}/Services");
    let body = |service: i64| json!({"contractID": CONTRACT, "serviceID": service, "unitPrice": 2.5, "unitCost": 1});
    assert_eq!(post(&sim, &path, body(6)).await.0, 200);
    assert_eq!(sim.units(CONTRACT, 6, TODAY), Some(0));
    sim.switch(|switches| {
        switches.new_line_units = 1;
        switches.new_line_prices = Effect::Ignored;
    });
    assert_eq!(post(&sim, &path, body(7)).await.0, 200);
    assert_eq!(sim.units(CONTRACT, 7, date(2026, 1, 1)), Some(1), "from the contract's first day");
    let on = json!({"op": "gt", "field": "serviceID", "value": SERVICE});
    let prices: Vec<_> =
        rows(&sim, "ContractServices", on).await.iter().map(|row| json!([row["unitPrice"], row["unitCost"]])).collect();
    assert_eq!(prices, [json!([2.5, 1.0]), json!([9.0, 4.0])]);
}

#[tokio::test]
async fn a_service_goes_only_on_a_recurring_contract_and_only_while_it_is_active() {
    let world = tenant()
        .contract(ContractSpec::fixed_price("Move").id(43))
        .service(ServiceSpec::named("Gone").id(6).inactive())
        .service(ServiceSpec::named("New").id(7));
    let sim = start(world).await;
    assert_eq!(post(&sim, "/Contracts/43/Services", json!({"serviceID": 7})).await.0, 500);
    assert_eq!(post(&sim, "/Contracts/42/Services", json!({"serviceID": 6})).await.0, 500);
    assert_eq!(post(&sim, "/Contracts/42/Services", json!({"serviceID": 7})).await.0, 200);
}
