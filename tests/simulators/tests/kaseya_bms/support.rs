//! A small tenant and a bare client, so that each test names only what matters to it.

use std::time::Duration;

use jiff::civil::{Date, date};
use reqwest::{Client, Method, RequestBuilder, Response, redirect};
use serde_json::{Value, json};
use simulators::clock::Clock;
use simulators::kaseya_bms::{
    AccountSpec, ContractSpec, KaseyaBms, LineSpec, SAMPLE_API_USERNAME, SAMPLE_COMPANY_NAME, SAMPLE_PASSWORD,
    ServiceSpec, Setup, World, WorldBuilder,
};

pub const TODAY: Date = date(2026, 11, 20);
pub const ACCOUNT: i64 = 2_001;
pub const CONTRACT: i64 = 42;
pub const LINE: i64 = 77;
pub const SERVICE: i64 = 5;

/// One customer, one contract through 2026, one line of ten units at 23.10.
pub fn tenant() -> WorldBuilder {
    World::builder()
        .service(ServiceSpec::named("EDR").id(SERVICE).price("23.10").cost("11.05"))
        .account(AccountSpec::named("Müller GmbH").id(ACCOUNT).code("M-1"))
        .contract(ContractSpec::recurring("Security").id(CONTRACT))
        .line(LineSpec::of(SERVICE).id(LINE).units(10))
}

pub fn setup(world: WorldBuilder) -> Setup {
    KaseyaBms::setup(world.build().unwrap()).clock(Clock::on(TODAY))
}

pub async fn start(world: WorldBuilder) -> KaseyaBms {
    setup(world).start().await.unwrap()
}

/// A client that follows no redirects and keeps connections as a real one does.
pub fn http() -> Client {
    Client::builder().redirect(redirect::Policy::none()).timeout(Duration::from_secs(10)).build().unwrap()
}

/// A form as browsers encode it.
pub fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

pub async fn send_form(sim: &KaseyaBms, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let request = http().post(format!("{}{path}", sim.base()));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(encoded(fields));
    read(request.send().await.unwrap()).await
}

pub async fn log_in_as(sim: &KaseyaBms, username: &str, password: &str) -> (u16, Value) {
    let fields =
        [("GrantType", "password"), ("UserName", username), ("Password", password), ("Tenant", SAMPLE_COMPANY_NAME)];
    send_form(sim, "/v2/security/authenticate", &fields).await
}

/// The access token of a fresh log-in of the API Employee.
pub async fn token(sim: &KaseyaBms) -> String {
    let (status, body) = log_in_as(sim, SAMPLE_API_USERNAME, SAMPLE_PASSWORD).await;
    assert_eq!(status, 200, "{body}");
    let result = body.get("result").or_else(|| body.get("Result")).unwrap();
    result.get("accessToken").or_else(|| result.get("AccessToken")).unwrap().as_str().unwrap().to_owned()
}

pub fn call(sim: &KaseyaBms, token: &str, method: Method, path: &str) -> RequestBuilder {
    http().request(method, format!("{}{path}", sim.base())).bearer_auth(token)
}

pub async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

pub async fn get(sim: &KaseyaBms, path: &str) -> (u16, Value) {
    let token = token(sim).await;
    read(call(sim, &token, Method::GET, path).send().await.unwrap()).await
}

pub async fn send(sim: &KaseyaBms, method: Method, path: &str, body: Value) -> (u16, Value) {
    let token = token(sim).await;
    read(call(sim, &token, method, path).json(&body).send().await.unwrap()).await
}

pub async fn post(sim: &KaseyaBms, path: &str, body: Value) -> (u16, Value) {
    send(sim, Method::POST, path, body).await
}

/// The result of a GET that must succeed.
pub async fn result(sim: &KaseyaBms, path: &str) -> Value {
    let (status, body) = get(sim, path).await;
    assert_eq!((status, &body["success"]), (200, &json!(true)), "{body}");
    body["result"].clone()
}

/// The values of one member of a list.
pub fn each<'a>(list: &'a Value, member: &str) -> Vec<&'a Value> {
    list.as_array().unwrap().iter().map(|row| &row[member]).collect()
}

pub fn services_path() -> String {
    format!("/v2/finance/contracts/recurringservices/{CONTRACT}/services")
}

/// One item to post: units of the one service from a day on.
pub fn item(units: i64, day: &str) -> Value {
    json!({
        "ServiceId": SERVICE, "Units": units, "UnitCost": 11.05, "UnitPrice": 23.10, "EffectiveDate": format!("{day}T00:00:00"),
    })
}

pub async fn post_units(sim: &KaseyaBms, units: i64, day: &str) -> (u16, Value) {
    post(sim, &services_path(), json!([item(units, day)])).await
}

/// The lines of the one service, as the API shows them.
pub async fn related(sim: &KaseyaBms) -> Value {
    let path = format!("/v2/admin/finance/services/{SERVICE}/relatedservices/search");
    let (status, body) = post(sim, &path, json!({"PageSize": 100, "PageNumber": 1})).await;
    assert_eq!(status, 200, "{body}");
    body["result"].clone()
}
