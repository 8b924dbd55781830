//! The control surface, as another process uses it.

use reqwest::Method;
use serde_json::{Value, json};
use simulators::KaseyaBms;
use simulators::kaseya_bms::LineSemantics;

use crate::support::*;

async fn control(sim: &KaseyaBms, method: Method, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/__sim/{path}", sim.base());
    read(http().request(method, url).json(&body).send().await.unwrap()).await
}

async fn look(sim: &KaseyaBms, path: &str) -> Value {
    let (status, body) = control(sim, Method::GET, path, Value::Null).await;
    assert_eq!(status, 200, "{body}");
    body
}

#[tokio::test]
async fn requests_writes_and_the_truth_can_be_looked_at() {
    let sim = start(tenant()).await;
    post_units(&sim, 2, "2026-11-10").await;
    let asked = look(&sim, "requests").await;
    assert_eq!((&asked[0]["route"], &asked[0]["body"]), (&json!("authenticate"), &Value::Null));
    assert_eq!((&asked[1]["route"], &asked[1]["status"]), (&json!("post_services"), &json!(200)));
    assert_eq!(asked[1]["body"], json!([item(2, "2026-11-10")]));
    let writes = look(&sim, "writes").await;
    assert_eq!((&writes[0]["units_sent"], &writes[0]["line_id"]), (&json!(2), &json!(60_001)));
    let units = format!("units?contract_id={CONTRACT}&service_id={SERVICE}");
    assert_eq!(look(&sim, &units).await, json!({"date": "2026-11-20", "units": 12}));
    assert_eq!(look(&sim, &format!("{units}&date=2026-11-01")).await["units"], 10);
    let counts = look(&sim, "counts").await;
    let template = "POST /v2/finance/contracts/recurringservices/{contractId}/services";
    assert_eq!(
        (&counts["requests"], &counts["writes"], &counts["by_route"][template]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(look(&sim, "lines").await[0]["account"], "Müller GmbH");
    log_in_as(&sim, "tallyline.api", "wrong").await;
    let logins = look(&sim, "logins").await;
    assert_eq!(
        (&logins["attempts"][1]["succeeded"], &logins["users"]["tallyline.api"]["failures_in_a_row"]),
        (&json!(false), &json!(1))
    );
    assert_eq!(look(&sim, "tickets").await, json!([]));
    control(&sim, Method::POST, "reset", json!({})).await;
    assert_eq!((look(&sim, "requests").await, look(&sim, "writes").await), (json!([]), json!([])));
}

#[tokio::test]
async fn a_person_edits_adds_deletes_bills_and_ends() {
    let sim = start(tenant()).await;
    let units = json!({"contract_id": CONTRACT, "service_id": SERVICE, "date": "2026-11-15", "units": 3});
    assert_eq!(control(&sim, Method::POST, "units", units.clone()).await.1["change"], "edited");
    assert_eq!(control(&sim, Method::POST, "lines", units).await.1["line_id"], 60_001);
    assert_eq!(sim.units(CONTRACT, SERVICE, TODAY), Some(6));
    let billed = control(&sim, Method::POST, "invoices", json!({"contract_id": CONTRACT, "date": "2026-11-20"})).await;
    assert_eq!(billed.1, json!({"items": 2}));
    assert_eq!(control(&sim, Method::DELETE, "lines/60001", Value::Null).await.1["units"], 3);
    assert_eq!(control(&sim, Method::DELETE, "lines/60001", Value::Null).await.0, 400);
    assert_eq!(look(&sim, "edits").await.as_array().unwrap().len(), 3);
    let end = format!("contracts/{CONTRACT}/end");
    assert_eq!(control(&sim, Method::POST, &end, json!({"date": "2026-11-19"})).await.0, 204);
    assert_eq!(sim.units(CONTRACT, SERVICE, TODAY), None);
    let active = format!("contracts/{CONTRACT}/active");
    assert_eq!(control(&sim, Method::POST, &active, json!({"active": false})).await.0, 204);
    assert_eq!(result(&sim, "/v2/finance/contracts/summary").await[0]["status"], "Inactive");
    assert_eq!(control(&sim, Method::POST, "contracts/9/end", json!({"date": "2026-11-19"})).await.0, 404);
}

#[tokio::test]
async fn faults_switches_and_limits_can_be_set_one_at_a_time() {
    let sim = start(tenant()).await;
    let fault = json!({"on": {"write": 1}, "fault": {"answer": {"status": 503}}});
    assert_eq!(control(&sim, Method::POST, "faults", fault).await.0, 204);
    let reset = json!({"on": {"request": ["related_services", 2]}, "fault": "reset_after"});
    assert_eq!(control(&sim, Method::POST, "faults", reset).await.0, 204);
    let delay = json!({"on": {"every_request": "service"}, "fault": {"delay": {"ms": 1}}});
    assert_eq!(control(&sim, Method::POST, "faults", delay).await.0, 204);
    assert_eq!(look(&sim, "faults").await.as_array().unwrap().len(), 3);
    assert_eq!(post_units(&sim, 1, "2026-11-10").await.0, 503);
    control(&sim, Method::DELETE, "faults", json!({})).await;
    assert_eq!(look(&sim, "faults").await, json!([]));

    let (status, now) = control(&sim, Method::PATCH, "switches", json!({"line_semantics": "replaces"})).await;
    assert_eq!((status, &now["line_semantics"], &now["casing"]), (200, &json!("replaces"), &json!("camel")));
    sim.switch(|switches| assert_eq!(switches.line_semantics, LineSemantics::Replaces));
    assert_eq!(control(&sim, Method::PATCH, "switches", json!({"no_such": 1})).await.0, 400);
    assert_eq!(look(&sim, "limits").await["requests_per_hour"], 1_500);
    assert_eq!(control(&sim, Method::PATCH, "limits", json!({"max_page_size": 5})).await.1["lock_after"], 5);
    let used = json!({"route": "service", "requests": 1_500});
    assert_eq!(control(&sim, Method::POST, "used", used).await.0, 204);
    assert_eq!(get(&sim, "/v2/admin/finance/services/5").await.0, 429);
    let token = token(&sim).await;
    assert_eq!(control(&sim, Method::POST, "expire_tokens", json!({})).await.0, 204);
    let old = call(&sim, &token, Method::GET, "/v2/security/userinfo").send().await.unwrap();
    assert_eq!(old.status(), 401);
    assert_eq!(control(&sim, Method::GET, "nothing", Value::Null).await.0, 404);
}
