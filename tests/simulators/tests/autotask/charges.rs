//! Charges on contracts: what it takes to write one, and what becomes of it.

use jiff::civil::date;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::autotask::{ApiUser, Autotask, CodeSpec, Entity, Fault, Kind, Naming, Picklists, Right, Verdict, When};

use crate::support::*;

const MATERIAL: i64 = 31;
const PATH: &str = "/Contracts/42/Charges";

async fn with_code() -> Autotask {
    start(tenant().billing_code(CodeSpec::material("Usage").id(MATERIAL))).await
}

fn charge() -> Value {
    json!({"contractID": CONTRACT, "chargeType": 1, "datePurchased": "2026-11-01T00:00:00", "name": "Cloud, November",
        "unitQuantity": 1, "unitCost": 10.5, "unitPrice": 12.75, "billingCodeID": MATERIAL,
        "internalPurchaseOrderNumber": "TL-abc", "isBilled": true})
}

fn with(changes: Value) -> Value {
    let mut body = charge();
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_charge_is_made_found_by_its_reference_changed_and_deleted() {
    let sim = with_code().await;
    assert_eq!(post(&sim, PATH, charge()).await, (200, json!({"itemId": 40_001})));
    let wanted = json!({"op": "in", "field": "internalPurchaseOrderNumber", "value": ["TL-abc", "TL-def"]});
    let found = rows(&sim, "ContractCharges", wanted).await;
    assert_eq!(found.len(), 1);
    let row = &found[0];
    assert_eq!(
        json!([row["id"], row["contractID"], row["isBilled"], row["isBillableToCompany"], row["datePurchased"]]),
        json!([40_001, CONTRACT, false, true, "2026-11-01T00:00:00Z"])
    );
    assert_eq!(json!([row["extendedCost"], row["billableAmount"]]), json!([10.5, 12.75]));

    let change = json!({"id": 40_001, "unitPrice": 13, "unitQuantity": 2, "isBilled": true, "status": 7});
    assert_eq!(send(&sim, Method::PATCH, PATH, change).await, (200, json!({"itemId": 40_001})));
    let now = &sim.charges()[0];
    assert_eq!((now.unit_price, now.quantity, now.billed), (13.into(), 2.into(), false), "what is read only stays");
    assert_eq!(now.name, "Cloud, November");

    let path = format!("{PATH}/40001");
    assert_eq!(send(&sim, Method::DELETE, &path, Value::Null).await, (200, json!({"itemId": 40_001})));
    let gone = send(&sim, Method::DELETE, &path, Value::Null).await;
    assert_eq!(gone.0, 500);
    assert!(gone.1["errors"][0].as_str().unwrap().contains("No matching records found"));
    let kinds: Vec<_> = sim.row_writes().iter().map(|write| (write.entity, write.kind, write.id)).collect();
    let of = |kind| (Entity::ContractCharges, kind, 40_001);
    assert_eq!(kinds, [of(Kind::Create), of(Kind::Update), of(Kind::Delete)]);
    assert!(sim.writes().is_empty() && sim.charges().is_empty());
}

#[tokio::test]
async fn what_is_required_is_named_and_what_is_too_long_or_unknown_is_refused() {
    let sim = with_code().await;
    for field in ["contractID", "chargeType", "datePurchased", "name", "unitQuantity"] {
        let (status, body) = post(&sim, PATH, with(json!({field: null}))).await;
        assert_eq!((status, body), (500, errors(&format!("Value does not exist for the required field {field}"))));
    }
    for wrong in [
        json!({"contractID": 43}),
        json!({"chargeType": 3}),
        json!({"name": "x".repeat(101)}),
        json!({"internalPurchaseOrderNumber": "x".repeat(51)}),
        json!({"billingCodeID": 2}),
        json!({"billingCodeID": 99}),
        json!({"unitPrice": "twelve"}),
    ] {
        assert_eq!(post(&sim, PATH, with(wrong.clone())).await.0, 500, "{wrong}");
    }
    assert_eq!(post(&sim, "/Contracts/43/Charges", with(json!({"contractID": 43}))).await.0, 500);
    assert_eq!(post(&sim, "/ContractCharges", charge()).await.0, 404, "children are written under their contract");
    assert!(sim.charges().is_empty() && sim.row_writes().is_empty());
}

#[tokio::test]
async fn a_billed_charge_is_neither_changed_nor_deleted() {
    let sim = with_code().await;
    post(&sim, PATH, charge()).await;
    assert_eq!(sim.bill_charges(CONTRACT, date(2026, 10, 31)), 0, "it is dated later");
    assert_eq!((sim.bill_charges(CONTRACT, date(2026, 11, 1)), sim.bill_charges(CONTRACT, TODAY)), (1, 0));
    assert_eq!(get(&sim, "/ContractCharges/40001").await.1["item"]["isBilled"], true);
    assert_eq!(send(&sim, Method::PATCH, PATH, json!({"id": 40_001, "unitPrice": 1})).await.0, 500);
    assert_eq!(send(&sim, Method::DELETE, &format!("{PATH}/40001"), Value::Null).await.0, 500);
    assert!(sim.edit_charge(40_001, "1").is_err() && sim.remove_charge(40_001).is_err());
    assert_eq!(sim.charges()[0].unit_price, "12.75".parse().unwrap());
}

#[tokio::test]
async fn costs_are_hidden_and_dropped_in_silence_and_rights_are_needed() {
    let full = ApiUser::full();
    let blind = full.clone().named("blind", "s2").cost_blind();
    let sim = setup(tenant().billing_code(CodeSpec::material("Usage").id(MATERIAL)));
    let bound = full.clone().named("bound", "s3").without(Entity::ContractCharges, Right::Delete);
    let sim = sim.user(blind).user(bound.clone()).user(full.clone()).start().await.unwrap();
    assert_eq!(post(&sim, PATH, charge()).await.0, 200);
    let row = get(&sim, "/ContractCharges/40001").await.1["item"].clone();
    assert_eq!(json!([row["unitCost"], row["extendedCost"], row["unitPrice"]]), json!([null, null, 12.75]));
    assert_eq!(sim.charges()[0].unit_cost, 0.into());
    let delete = call(&sim, &bound, Method::DELETE, &format!("{PATH}/40001")).send().await.unwrap();
    let (status, body) = read(delete).await;
    assert_eq!((status, body["errors"][0].as_str().unwrap().contains("permissions to delete")), (500, true));
}

#[tokio::test]
async fn each_unconfirmed_behaviour_of_charges_is_a_switch() {
    let sim = with_code().await;
    let (credit, late) = (json!({"unitPrice": -1}), json!({"datePurchased": "2027-01-01"}));
    assert_eq!(post(&sim, PATH, with(credit.clone())).await.0, 200);
    assert_eq!(post(&sim, PATH, with(late.clone())).await.0, 200);
    sim.switch(|switches| {
        switches.negative_charge = Verdict::Reject;
        switches.charge_outside_contract = Verdict::Reject;
        switches.written_ids = Naming::Null;
    });
    assert_eq!(post(&sim, PATH, with(credit)).await.0, 500);
    assert_eq!(post(&sim, PATH, with(late)).await.0, 500);
    assert_eq!(post(&sim, PATH, charge()).await, (200, json!({"itemId": null})));
    assert_eq!(sim.charges().len(), 3);
}

#[tokio::test]
async fn numbers_of_picklists_differ_and_their_labels_tell() {
    let sim = with_code().await;
    let label_of = async |entity: &str, field: &str, number: i64| {
        let number = number.to_string();
        let (_, body) = get(&sim, &format!("/{entity}/entityInformation/fields")).await;
        let fields = body["fields"].as_array().unwrap();
        let field = fields.iter().find(|found| found["name"] == field).unwrap();
        let picks = field["picklistValues"].as_array().unwrap();
        let pick = picks.iter().find(|pick| pick["value"] == number).unwrap();
        pick["label"].as_str().unwrap().to_owned()
    };
    for (picklists, material, operational) in
        [(Picklists::Seen, "Material Cost Code", 1), (Picklists::Others, "Material Code", 2)]
    {
        sim.switch(|switches| switches.picklists = picklists);
        let code = get(&sim, &format!("/BillingCodes/{MATERIAL}")).await.1["item"]["useType"].as_i64().unwrap();
        assert_eq!(label_of("BillingCodes", "useType", code).await, material);
        assert_eq!(label_of("ContractCharges", "chargeType", operational).await, "Operational");
    }
}

#[tokio::test]
async fn faults_of_writes_strike_charges_and_services_as_they_do_adjustments() {
    let sim = with_code().await;
    sim.plan_fault(When::Write(1), Fault::ResetAfter);
    sim.plan_fault(When::Write(2), Fault::error_before());
    sim.plan_fault(When::Write(3), Fault::ResetBefore);
    sim.plan_fault(When::Write(4), Fault::error_after());
    let user = &sim.users()[0];
    assert!(call(&sim, user, Method::POST, PATH).json(&charge()).send().await.is_err());
    assert_eq!(post(&sim, PATH, charge()).await.0, 500);
    assert!(call(&sim, user, Method::DELETE, &format!("{PATH}/40001")).send().await.is_err());
    let service = json!({"name": "MDR", "periodType": 2, "unitPrice": 3, "billingCodeID": 29_683_278});
    assert_eq!(post(&sim, "/Services", service).await.0, 500);
    assert_eq!((sim.charges().len(), sim.services().len(), sim.row_writes().len()), (1, 2, 2));
}

#[tokio::test]
async fn charges_are_seen_and_billed_over_the_control_surface() {
    let sim = with_code().await;
    post(&sim, PATH, charge()).await;
    let control = async |method: Method, path: &str, body: Value| {
        let url = format!("{}/__sim/{path}", sim.base());
        read(http().request(method, url).json(&body).send().await.unwrap()).await
    };
    assert_eq!(control(Method::GET, "charges", Value::Null).await.1[0]["reference"], "TL-abc");
    assert_eq!(control(Method::GET, "services", Value::Null).await.1[0]["name"], "EDR");
    assert_eq!(control(Method::GET, "row_writes", Value::Null).await.1[0]["kind"], "create");
    assert_eq!(control(Method::POST, "charges/40001/edit", json!({"unit_price": "1.25"})).await.0, 204);
    assert_eq!(sim.charges()[0].unit_price, "1.25".parse().unwrap());
    let bill = json!({"contract_id": CONTRACT, "through": "2026-11-30"});
    assert_eq!(control(Method::POST, "charges/bill", bill).await.1, json!({"charges": 1}));
    assert_eq!(control(Method::POST, "charges/40001/remove", Value::Null).await.0, 400);
    assert_eq!(control(Method::POST, "charges/40001/other", Value::Null).await.0, 404);
}
