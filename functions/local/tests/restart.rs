//! The whole app on a data folder, opened, dropped and opened again.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use local::app::{App, AppOptions, Place};
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::clock::Clock;
use shared::events::Event;
use shared::psa::Psa;
use simulators::autotask::seed::{Provider, Seeded};
use simulators::autotask::{Autotask, SAMPLE_INTEGRATION_CODE, SAMPLE_SECRET, SAMPLE_USERNAME};
use tower::ServiceExt as _;

#[derive(Clone)]
struct Hand(Arc<Mutex<Timestamp>>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

struct Bench {
    psa: Autotask,
    seeded: Seeded,
    hand: Hand,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let hand = Hand(Arc::new(Mutex::new("2026-11-21T12:00:00Z".parse().unwrap())));
        let today = hand.now().to_zoned(TimeZone::UTC).date();
        let (world, seeded) = Provider { companies: 3, seed: 1, today }.build().unwrap();
        let time = hand.clone();
        let clock = simulators::Clock::from_fn(move || time.now());
        let psa = Autotask::setup(world).clock(clock).start().await.unwrap();
        Self { psa, seeded, hand, folder: tempfile::tempdir().unwrap() }
    }

    async fn open(&self) -> App {
        self.try_open(&self.folder.path().join("data")).await.unwrap()
    }

    async fn try_open(&self, folder: &Path) -> Result<App, local::app::AppError> {
        let options = AppOptions::at(Place::Folder(folder.to_owned()));
        let options = options.psa(Psa::Autotask, self.psa.base().parse().unwrap()).clock(Arc::new(self.hand.clone()));
        App::open(options).await
    }

    /// Connects, maps the first product and every company, and pushes one unit more than each contract has.
    async fn prepare(&self, app: &App) -> String {
        let credentials = json!({ "username": SAMPLE_USERNAME, "secret": SAMPLE_SECRET, "integration_code": SAMPLE_INTEGRATION_CODE });
        let body = json!({ "psa": "autotask", "name": "N", "time_zone": "UTC", "credentials": credentials });
        let connection = call(app, "POST", "/v1/connections", &body).await["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/connections/{connection}");
        let service = self.seeded.services[0].id.to_string();
        call(app, "PUT", &format!("{path}/products/edr"), &json!({ "service_id": service })).await;
        let mut records = Vec::new();
        for company in &self.seeded.companies {
            let body = json!({ "account_id": company.id.to_string(), "contract_id": company.contract_id.to_string() });
            call(app, "PUT", &format!("{path}/companies/{}", company.id), &body).await;
            let quantity = company.lines[0].units + 1;
            records.push(json!({ "company": company.id.to_string(), "company_name": company.name, "product": "edr", "quantity": quantity }));
        }
        let body = json!({ "as_of": self.hand.now().to_string(), "complete": true, "records": records });
        call(app, "PUT", "/v1/usage/snapshots/today", &body).await;
        connection
    }
}

fn token(app: &App) -> String {
    let scopes = [Scope::Read, Scope::Write, Scope::Usage];
    app.tokens().mint(Some(&"p".parse().unwrap()), &scopes, SignedDuration::from_hours(1)).unwrap()
}

async fn send(router: Router, method: &str, path: &str, token: &str, body: &Value) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
    let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).unwrap();
    let answer = router.oneshot(request).await.unwrap();
    let status = answer.status();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

async fn call(app: &App, method: &str, path: &str, body: &Value) -> Value {
    let (status, answer) = send(app.router(), method, path, &token(app), body).await;
    assert!(status.is_success(), "{method} {path}: {status} {answer}");
    answer
}

async fn get(app: &App, path: &str) -> Value {
    call(app, "GET", path, &Value::Null).await
}

#[tokio::test]
async fn a_queued_run_goes_on_after_a_restart_with_all_that_was_stored() {
    let bench = Bench::new().await;
    let app = bench.open().await;
    let connection = bench.prepare(&app).await;
    let path = format!("/v1/connections/{connection}");
    let run = call(&app, "POST", &format!("{path}/runs"), &json!({ "mode": "apply" })).await;
    let run = format!("/v1/runs/{}", run["run_id"].as_str().unwrap());
    assert_eq!(get(&app, &run).await["status"], "queued");
    let kept_token = token(&app);
    drop(app);

    let app = bench.open().await;
    assert_eq!(get(&app, &run).await["status"], "queued");
    assert_eq!(get(&app, &format!("{path}/companies")).await["items"].as_array().unwrap().len(), 3);
    assert_eq!(bench.psa.writes().len(), 0);
    let drained = app.drain().await.unwrap();
    // The planning, and a job for each account.
    assert_eq!((drained.done, drained.failed), (4, 0));
    let ended = get(&app, &run).await;
    assert_eq!((&ended["status"], &ended["writes"]), (&json!("succeeded"), &json!(3)));
    let today = bench.hand.now().to_zoned(TimeZone::UTC).date();
    for company in &bench.seeded.companies {
        let line = &company.lines[0];
        assert_eq!(bench.psa.units(company.contract_id, line.service_id, today), Some(line.units + 1));
    }
    assert!(app.bus().recent().iter().any(|event| matches!(event, Event::RunSucceeded(_))));
    // A token from before the restart still holds.
    assert_eq!(send(app.router(), "GET", &run, &kept_token, &Value::Null).await.0, StatusCode::OK);
}

#[tokio::test]
async fn jobs_that_were_left_go_on_after_a_restart_and_are_done_once() {
    let bench = Bench::new().await;
    let app = bench.open().await;
    let connection = bench.prepare(&app).await;
    let run = call(&app, "POST", &format!("/v1/connections/{connection}/runs"), &json!({ "mode": "apply" })).await;
    let run = format!("/v1/runs/{}", run["run_id"].as_str().unwrap());
    // The run is planned, and the process ends before the message that asked for it is removed.
    let planning = app.queue().heads().await.unwrap().remove(0);
    let local::queue::Message::Sync(reference) = &planning.message else { panic!("{planning:?}") };
    app.fan_out().plan(reference).await.unwrap();
    assert_eq!(get(&app, &run).await["jobs_left"], 3);
    drop(app);

    let app = bench.open().await;
    let drained = app.drain().await.unwrap();
    assert_eq!((drained.done, drained.failed), (4, 0));
    assert_eq!(get(&app, &run).await["status"], "succeeded");
    assert_eq!(bench.psa.writes().len(), 3);
}

#[tokio::test]
async fn a_tick_starts_a_due_connection_once() {
    let bench = Bench::new().await;
    let app = bench.open().await;
    let connection = bench.prepare(&app).await;
    assert_eq!(app.tick().await.unwrap().started, 0);
    *bench.hand.0.lock().unwrap() = "2026-11-22T12:00:00Z".parse().unwrap();
    assert_eq!(app.tick().await.unwrap().started, 1);
    assert_eq!(app.tick().await.unwrap().started, 0);
    app.drain().await.unwrap();
    let runs = get(&app, &format!("/v1/connections/{connection}/runs")).await;
    assert_eq!(runs["items"].as_array().unwrap().len(), 1);
    assert_eq!(runs["items"][0]["trigger"], "schedule");
    assert_eq!(runs["items"][0]["status"], "succeeded");
    assert_eq!(bench.psa.writes().len(), 3);
}

#[tokio::test]
async fn background_work_does_what_was_missed_and_ends_when_asked() {
    let bench = Bench::new().await;
    let app = bench.open().await;
    let connection = bench.prepare(&app).await;
    *bench.hand.0.lock().unwrap() = "2026-11-22T12:00:00Z".parse().unwrap();
    let background = app.run_background();
    let path = format!("/v1/connections/{connection}/runs");
    let mut ended = false;
    for _ in 0..500 {
        ended = get(&app, &path).await["items"][0]["status"] == "succeeded";
        if ended {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(ended, "{}", get(&app, &path).await);
    background.stop().await;
    assert_eq!(bench.psa.writes().len(), 3);
}

#[tokio::test]
async fn a_data_folder_is_had_by_one_app_at_a_time() {
    let bench = Bench::new().await;
    let app = bench.open().await;
    let Err(refused) = bench.try_open(app.data()).await else { panic!("two apps share a folder") };
    assert!(refused.to_string().contains("in use by another tallyline process"), "{refused}");
    drop(app);
    bench.open().await;
}

#[tokio::test]
async fn a_token_of_another_folder_is_refused() {
    let bench = Bench::new().await;
    let app = bench.open().await;
    let other = bench.try_open(&bench.folder.path().join("other")).await.unwrap();
    let (status, problem) = send(app.router(), "GET", "/v1/connections", &token(&other), &Value::Null).await;
    assert_eq!((status, problem["code"].as_str().unwrap()), (StatusCode::UNAUTHORIZED, "token_invalid"));
    let (status, _) = send(app.router(), "GET", "/v1/connections", &token(&app), &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn the_description_names_the_routes_of_every_function_and_asks_for_no_token() {
    let app = App::open(AppOptions::at(Place::Memory)).await.unwrap();
    let ask = async |path: &str| {
        let answer = app.router().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        let status = answer.status();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 22).await.unwrap();
        (status, serde_json::from_slice::<Value>(&bytes).unwrap())
    };
    let (status, described) = ask("/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    for path in [
        "/v1/connections",
        "/v1/connections/{id}/companies/{company}",
        "/v1/usage/snapshots/{snapshot_id}",
        "/v1/runs/{run}/lines",
    ] {
        assert!(described["paths"].get(path).is_some(), "{path}");
    }
    assert_eq!(described["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    assert_eq!(ask("/healthz").await.1, json!({ "status": "ok" }));
    assert_eq!(ask("/nowhere").await.1["code"], "no_such_route");
    assert_eq!(ask("/v1/connections").await.0, StatusCode::UNAUTHORIZED);
}
