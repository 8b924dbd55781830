//! Bulk updates of cost and price, and the jobs behind them.

use serde_json::{Value, json};
use simulators::KaseyaBms;
use simulators::kaseya_bms::{Change, ContractSpec, Limits, LineSpec};

use crate::support::*;

fn selected(lines: &[(i64, i64)]) -> Vec<Value> {
    let pair = |(contract, line): &(i64, i64)| json!({"ClientContractId": contract, "ClientContractServiceId": line});
    lines.iter().map(pair).collect()
}

async fn update(sim: &KaseyaBms, lines: &[(i64, i64)], values: Value) -> (u16, Value) {
    let path = format!("/v2/admin/finance/services/{SERVICE}/relatedservices/bulkupdate");
    post(sim, &path, json!({"SelectedClientContractServices": selected(lines), "Values": values})).await
}

async fn job(sim: &KaseyaBms) -> Value {
    result(sim, &format!("/v2/admin/finance/services/{SERVICE}/backgroundjob")).await["jobId"].clone()
}

async fn state(sim: &KaseyaBms, job: &Value) -> Value {
    result(sim, &format!("/v2/system/schedulerJobs/{job}/status")).await["name"].clone()
}

#[tokio::test]
async fn a_bulk_update_takes_effect_only_after_its_polls() {
    let sim = setup(tenant()).limits(Limits { job_polls: 2, ..Limits::default() }).start().await.unwrap();
    assert_eq!(job(&sim).await, Value::Null);
    let (status, body) = update(&sim, &[(CONTRACT, LINE)], json!({"UnitCost": 12.5})).await;
    assert_eq!((status, body["result"].is_string()), (200, true));
    let id = job(&sim).await;
    assert!(id.is_i64());
    assert_eq!(state(&sim, &id).await, "Processing");
    assert_eq!(related(&sim).await[0]["unitCost"], 11.05);
    assert_eq!(state(&sim, &id).await, "Processing");
    assert_eq!(related(&sim).await[0]["unitCost"], 12.5);
    assert_eq!((state(&sim, &id).await, job(&sim).await), (json!("Succeeded"), Value::Null));
    let row = &related(&sim).await[0];
    assert_eq!(
        (&row["unitPrice"], &row["effectiveDate"]),
        (&json!(23.1), &json!("2026-01-01T00:00:00")),
        "left as it was"
    );
    let writes = sim.writes();
    assert_eq!((writes.len(), writes[0].change, writes[0].line_id), (1, Change::BulkUpdated, LINE));
    assert_eq!((writes[0].units_sent, writes[0].body["Values"]["UnitCost"].clone()), (None, json!(12.5)));
    assert_eq!(sim.units(CONTRACT, SERVICE, TODAY), Some(10));
}

#[tokio::test]
async fn a_job_may_be_done_at_once_or_fail() {
    let sim = setup(tenant()).limits(Limits { job_polls: 0, ..Limits::default() }).start().await.unwrap();
    update(&sim, &[(CONTRACT, LINE)], json!({"UnitPrice": 30, "ServiceName": "EDR plus"})).await;
    assert_eq!(job(&sim).await, Value::Null);
    assert_eq!(related(&sim).await[0]["serviceName"], "EDR plus");
    sim.set_limits(Limits::default());
    sim.switch(|switches| switches.jobs_fail = true);
    update(&sim, &[(CONTRACT, LINE)], json!({"UnitPrice": 31})).await;
    let id = job(&sim).await;
    assert_eq!((state(&sim, &id).await, state(&sim, &id).await), (json!("Processing"), json!("Failed")));
    assert_eq!(related(&sim).await[0]["unitPrice"], 30.0);
    assert_eq!(get(&sim, "/v2/system/schedulerJobs/1/status").await.0, 404);
}

#[tokio::test]
async fn an_excluded_line_is_skipped_only_when_the_switch_says_so_and_a_foreign_one_always() {
    let world = tenant()
        .contract(ContractSpec::recurring("Other").id(43))
        .line(LineSpec::of(SERVICE).id(90).excluded_from_bulk_updates());
    let sim = setup(world).limits(Limits { job_polls: 0, ..Limits::default() }).start().await.unwrap();
    let costs = async || {
        let rows = related(&sim).await;
        each(&rows, "unitCost").into_iter().cloned().collect::<Vec<_>>()
    };
    update(&sim, &[(CONTRACT, LINE), (43, 90), (43, LINE), (43, 1)], json!({"UnitCost": 1})).await;
    assert_eq!(costs().await, [1.0, 11.05]);
    assert_eq!(sim.writes().len(), 1);
    sim.switch(|switches| switches.bulk_updates_skip_excluded = false);
    update(&sim, &[(43, 90)], json!({"UnitCost": 2})).await;
    assert_eq!(costs().await, [1.0, 2.0]);
    assert_eq!(update(&sim, &[], Value::Null).await.0, 400);
}
