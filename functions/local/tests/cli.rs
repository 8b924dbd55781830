//! The built program, as it is called from a shell.

mod served;

use std::time::Duration;

use local::app::{App, AppOptions, Place};
use serde_json::json;
use served::{Served, run, stderr, token};
use simulators::autotask::seed::{Provider, Seeded};
use simulators::autotask::{Autotask, SAMPLE_INTEGRATION_CODE, SAMPLE_SECRET, SAMPLE_USERNAME};

#[test]
fn wrong_arguments_end_with_2_and_failures_with_1_and_a_way_out() {
    for arguments in [
        &["serve", "--psa-base", "halo=http://127.0.0.1:1"][..],
        &["token", "--partner", "p"],
        &["demo", "--companies", "1"],
        &["demo", "--psa", "halo"],
        &["nonsense"],
        &[],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    let nowhere = run(&["token", "--data", "/nowhere/at/all", "--partner", "p", "--scope", "read"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(stderr(&nowhere).contains("is no data folder; name the one"), "{}", stderr(&nowhere));
    assert_eq!(stderr(&nowhere).lines().count(), 1);
    let many = run(&["demo", "--exit", "--psa", "kaseya_bms", "--companies", "900"]);
    assert_eq!((many.status.code(), many.stdout.len()), (Some(1), 0));
    assert!(stderr(&many).contains("choose --companies 200 or fewer"), "{}", stderr(&many));
    for help in [&["--help"][..], &["serve", "--help"], &["demo", "--help"], &["token", "--help"]] {
        assert!(run(help).status.success(), "{help:?}");
    }
}

#[tokio::test]
async fn a_second_process_is_kept_out_of_the_data_folder_and_told_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    let app = App::open(AppOptions::at(Place::Folder(folder.path().join("data")))).await.unwrap();
    let output = run(&["serve", "--data", app.data().to_str().unwrap(), "--port", "0"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("in use by another tallyline process") && said.contains(&std::process::id().to_string()),
        "{said}"
    );
}

async fn simulated(companies: usize) -> (Autotask, Seeded) {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let (world, seeded) = Provider { companies, seed: 1, today }.build().unwrap();
    (Autotask::start(world).await.unwrap(), seeded)
}

/// Connects, maps and pushes one unit more than each contract has. Answers with the path of the connection.
async fn prepare(served: &Served, token: &str, seeded: &Seeded) -> String {
    let credentials =
        json!({ "username": SAMPLE_USERNAME, "secret": SAMPLE_SECRET, "integration_code": SAMPLE_INTEGRATION_CODE });
    let body = json!({ "psa": "autotask", "name": "N", "time_zone": "UTC", "credentials": credentials });
    let connection = served.call(token, "POST", "/v1/connections", &body).await;
    let path = format!("/v1/connections/{}", connection["id"].as_str().unwrap());
    let service = seeded.services[0].id.to_string();
    served.call(token, "PUT", &format!("{path}/products/edr"), &json!({ "service_id": service })).await;
    let mut records = Vec::new();
    for company in &seeded.companies {
        let body = json!({ "account_id": company.id.to_string(), "contract_id": company.contract_id.to_string() });
        served.call(token, "PUT", &format!("{path}/companies/{}", company.id), &body).await;
        let quantity = company.lines[0].units + 1;
        records.push(json!({ "company": company.id.to_string(), "company_name": company.name, "product": "edr", "quantity": quantity }));
    }
    let body = json!({ "as_of": jiff::Timestamp::now().to_string(), "complete": true, "records": records });
    served.call(token, "PUT", "/v1/usage/snapshots/today", &body).await;
    path
}

async fn start(served: &Served, token: &str, connection: &str) -> String {
    let run = served.call(token, "POST", &format!("{connection}/runs"), &json!({ "mode": "apply" })).await;
    format!("/v1/runs/{}", run["run_id"].as_str().unwrap())
}

#[tokio::test]
async fn a_run_that_was_cut_off_by_a_crash_goes_on_and_writes_each_line_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (psa, seeded) = simulated(12).await;
    let served = Served::start(&data, &psa, &[]);
    let token = token(&data);
    let connection = prepare(&served, &token, &seeded).await;
    psa.set_delay(Duration::from_millis(25));
    let run = start(&served, &token, &connection).await;
    for _ in 0..1_000 {
        if psa.writes().len() >= 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    served.kill();
    assert!((4..12).contains(&psa.writes().len()), "{} writes before the crash", psa.writes().len());
    psa.set_delay(Duration::ZERO);

    // A write that was under way when the process died is not on its way any more in the simulator.
    let served = Served::start(&data, &psa, &["--settle-seconds", "0"]);
    let ended = served.ended(&token, &run).await;
    assert_eq!(ended["lines"]["updated"], 12, "{ended}");
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    for company in &seeded.companies {
        let line = &company.lines[0];
        assert_eq!(psa.units(company.contract_id, line.service_id, today), Some(line.units + 1), "{}", company.name);
    }
    assert_eq!(psa.writes().len(), 12);
    let again = start(&served, &token, &connection).await;
    assert_eq!(served.ended(&token, &again).await["writes"], 0);
    assert_eq!(served.terminate(), Some(0));
}
