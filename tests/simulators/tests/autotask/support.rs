//! A small tenant and a bare client, so that each test names only what matters to it.

use std::time::Duration;

use jiff::civil::{Date, date};
use reqwest::{Client, Method, RequestBuilder, Response, redirect};
use serde_json::{Value, json};
use simulators::autotask::{
    ApiUser, Autotask, CompanySpec, ContractSpec, LineSpec, ServiceSpec, Setup, World, WorldBuilder,
};
use simulators::clock::Clock;

pub const TODAY: Date = date(2026, 11, 20);
pub const CONTRACT: i64 = 42;
pub const LINE: i64 = 77;
pub const SERVICE: i64 = 5;

/// One customer, one contract through 2026, one line of ten units at 23.10.
pub fn tenant() -> WorldBuilder {
    World::builder()
        .service(ServiceSpec::named("EDR").id(SERVICE).price("23.10").cost("11.05"))
        .company(CompanySpec::named("Müller GmbH").id(1_001))
        .contract(ContractSpec::recurring("Security").id(CONTRACT))
        .line(LineSpec::of(SERVICE).id(LINE).units(10))
}

pub fn setup(world: WorldBuilder) -> Setup {
    Autotask::setup(world.build().unwrap()).clock(Clock::on(TODAY))
}

pub async fn start(world: WorldBuilder) -> Autotask {
    setup(world).start().await.unwrap()
}

/// A client that follows no redirects and keeps connections as a real one does.
pub fn http() -> Client {
    Client::builder().redirect(redirect::Policy::none()).timeout(Duration::from_secs(10)).build().unwrap()
}

pub fn call(sim: &Autotask, user: &ApiUser, method: Method, path: &str) -> RequestBuilder {
    let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", sim.api()) };
    http()
        .request(method, url)
        .header("ApiIntegrationCode", user.integration_code())
        .header("UserName", user.username())
        .header("Secret", user.secret())
}

pub async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

pub async fn get(sim: &Autotask, path: &str) -> (u16, Value) {
    read(call(sim, &sim.users()[0], Method::GET, path).send().await.unwrap()).await
}

pub async fn post(sim: &Autotask, path: &str, body: Value) -> (u16, Value) {
    send(sim, Method::POST, path, body).await
}

pub async fn send(sim: &Autotask, method: Method, path: &str, body: Value) -> (u16, Value) {
    read(call(sim, &sim.users()[0], method, path).json(&body).send().await.unwrap()).await
}

/// The rows of a query that must succeed.
pub async fn rows(sim: &Autotask, entity: &str, filter: Value) -> Vec<Value> {
    let (status, body) = post(sim, &format!("/{entity}/query"), json!({ "filter": [filter] })).await;
    assert_eq!(status, 200, "{body}");
    body["items"].as_array().unwrap().clone()
}

/// Every row of the tenant's lines: (start, end, units).
pub async fn timeline(sim: &Autotask) -> Vec<(String, String, i64)> {
    let mut rows =
        rows(sim, "ContractServiceUnits", json!({"op": "eq", "field": "contractID", "value": CONTRACT})).await;
    rows.sort_by_key(|row| row["startDate"].as_str().unwrap().to_owned());
    let day = |row: &Value, field: &str| row[field].as_str().unwrap()[..10].to_owned();
    rows.iter().map(|row| (day(row, "startDate"), day(row, "endDate"), row["units"].as_i64().unwrap())).collect()
}

pub fn errors(text: &str) -> Value {
    json!({ "errors": [text] })
}
