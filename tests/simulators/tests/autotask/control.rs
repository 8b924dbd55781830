//! The control surface, as another process uses it.

use jiff::civil::date;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::autotask::{Autotask, Verdict};

use crate::support::*;

async fn control(sim: &Autotask, method: Method, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/__sim/{path}", sim.base());
    read(http().request(method, url).json(&body).send().await.unwrap()).await
}

async fn look(sim: &Autotask, path: &str) -> Value {
    let (status, body) = control(sim, Method::GET, path, Value::Null).await;
    assert_eq!(status, 200, "{body}");
    body
}

fn adjustment() -> Value {
    json!({"contractServiceID": LINE, "unitChange": 2, "effectiveDate": "2026-11-10"})
}

#[tokio::test]
async fn requests_writes_and_units_can_be_read() {
    let sim = start(tenant()).await;
    post(&sim, "/ContractServiceAdjustments", adjustment()).await;
    let asked = look(&sim, "requests").await;
    assert_eq!(asked[0]["path"], "/ContractServiceAdjustments");
    assert_eq!(asked[0]["body"], adjustment());
    let writes = look(&sim, "writes").await;
    assert_eq!((&writes[0]["unit_change"], &writes[0]["effective_date"]), (&json!(2), &json!("2026-11-10")));
    let units = look(&sim, &format!("units?contract_id={CONTRACT}&service_id={SERVICE}")).await;
    assert_eq!(units, json!({"date": "2026-11-20", "units": 12}));
    let before = look(&sim, &format!("units?contract_id={CONTRACT}&service_id={SERVICE}&date=2026-11-01")).await;
    assert_eq!(before["units"], 10);
    let counts = look(&sim, "counts").await;
    assert_eq!(
        (&counts["requests"], &counts["writes"], &counts["by_entity"]["ContractServiceAdjustments"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(look(&sim, "lines").await[0]["company"], "Müller GmbH");
    assert_eq!(look(&sim, "auto_created").await, json!([]));
    assert_eq!(look(&sim, "in_flight?entity=ContractServiceAdjustments").await["max"], 1);
    control(&sim, Method::POST, "reset", json!({})).await;
    assert_eq!(look(&sim, "requests").await, json!([]));
}

#[tokio::test]
async fn a_person_edits_units_posts_periods_and_ends_a_contract() {
    let sim = start(tenant()).await;
    let edit = json!({"contract_id": CONTRACT, "service_id": SERVICE, "date": "2026-11-15", "units": 3});
    assert_eq!(control(&sim, Method::POST, "units", edit).await.1["unit_change"], -7);
    assert_eq!(sim.units(CONTRACT, SERVICE, TODAY), Some(3));
    assert_eq!(look(&sim, "edits").await[0]["by"], "a person");
    let posting = json!({"contract_id": CONTRACT, "through": "2026-02-28"});
    assert_eq!(control(&sim, Method::POST, "post", posting).await.1, json!({"rows": 2}));
    let path = format!("contracts/{CONTRACT}/end");
    assert_eq!(control(&sim, Method::POST, &path, json!({"date": "2026-11-30"})).await.0, 204);
    assert_eq!(sim.units(CONTRACT, SERVICE, date(2026, 12, 1)), None);
    let (status, body) = control(&sim, Method::POST, &path, json!({"date": "2026-02-01"})).await;
    assert_eq!((status, body["error"].is_string()), (400, true));
}

#[tokio::test]
async fn faults_and_switches_can_be_set_one_at_a_time() {
    let sim = start(tenant()).await;
    let fault = json!({"on": {"write": 1}, "fault": {"answer": {"status": 503}}});
    assert_eq!(control(&sim, Method::POST, "faults", fault).await.0, 204);
    let reset = json!({"on": {"request": ["Contracts", 2]}, "fault": "reset_after"});
    assert_eq!(control(&sim, Method::POST, "faults", reset).await.0, 204);
    assert_eq!(look(&sim, "faults").await.as_array().unwrap().len(), 2);
    assert_eq!(post(&sim, "/ContractServiceAdjustments", adjustment()).await.0, 503);
    control(&sim, Method::DELETE, "faults", json!({})).await;
    assert_eq!(look(&sim, "faults").await, json!([]));

    let (status, now) = control(&sim, Method::PATCH, "switches", json!({"zero_units": "reject"})).await;
    assert_eq!((status, &now["zero_units"], &now["split_end"]), (200, &json!("reject"), &json!("day_before")));
    sim.switch(|switches| assert_eq!(switches.zero_units, Verdict::Reject));
    assert_eq!(control(&sim, Method::PATCH, "switches", json!({"no_such": 1})).await.0, 400);
    assert_eq!(control(&sim, Method::PATCH, "limits", json!({"threads": 0})).await.0, 200);
    assert_eq!(get(&sim, "/Contracts/42").await.0, 429);
    assert_eq!(control(&sim, Method::GET, "nothing", Value::Null).await.0, 404);
}
