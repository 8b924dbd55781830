//! Who did what, when, and what it was before and after: a story with people in it, and the history that it leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use integration::PARTNER;
use integration::msp::sheet::{file, row};
use integration::msp::{Customer, Effect, Fixture, Mishap, Msp, Office, Setup, by_operation};
use jiff::SignedDuration;
use jiff::civil::Date;
use local::app::{App, AppOptions, Place};
use reqwest::Method;
use serde_json::{Value, json};
use shared::domain::line::LineKey;
use shared::faults::{Hook, Point, Side, Struck};
use shared::history::{Asked, Bounds, History, Kind};
use shared::secrets::{SecretName, WriteSecrets as _};
use shared::store::Read;
use shared::store::connections::Connections;
use simulators::autotask::{Autotask, ContractSpec};
use tower::ServiceExt as _;

fn credentials() -> Value {
    <Autotask as Fixture>::credentials()
}

fn customers() -> [Customer; 2] {
    [Customer::named("acme").line("edr", 40).line("m365", 10), Customer::named("beta").line("edr", 100)]
}

/// What an entry says, in a line.
fn brief(entry: &Value) -> String {
    let field = |name: &str| entry[name].as_str().map(|text| format!(" {name}={text}")).unwrap_or_default();
    let fields: String = ["company", "product", "line_id", "effective_date", "state"].map(field).concat();
    let side = |name: &str| if entry[name].is_null() { "-".to_owned() } else { entry[name].to_string() };
    let (kind, actor) = (entry["kind"].as_str().unwrap(), entry["actor"].as_str().unwrap());
    if kind == "run" {
        return format!("{kind} by {actor}: {}", entry["summary"].as_str().unwrap());
    }
    format!("{kind} by {actor}{fields}: {} > {}", side("before"), side("after"))
}

/// A day at Nordwind's: mapped, previewed, synced, approved, reversed, remapped, rotated, revoked; a minute between steps.
struct Story {
    msp: Msp,
    office: Office,
    /// Ids of the runs.
    runs: BTreeMap<&'static str, String>,
}

impl Story {
    async fn step(&self) {
        self.msp.drain().await;
        self.msp.clock.advance(SignedDuration::from_mins(1));
    }

    async fn run(&mut self, name: &'static str, who: &str, path: &str, body: Value) {
        let asked = self.office.does(who, Method::POST, path, body).await;
        self.runs.insert(name, asked["run_id"].as_str().unwrap().to_owned());
        self.step().await;
    }

    async fn told() -> Self {
        let msp = Setup::of(customers()).start().await;
        msp.clock.advance(SignedDuration::from_mins(1));
        let office = Office::of(&msp);
        let one = format!("/v1/connections/{}", msp.connection);
        let mut story = Self { msp, office, runs: BTreeMap::new() };
        let policy = json!({"name": "Nordwind GmbH", "policy": {"drift": "overwrite"}});
        story.office.does("anna", Method::PATCH, &one, policy).await;
        story.step().await;
        story.msp.push(&[("acme", "edr", 42), ("acme", "m365", 10), ("beta", "edr", 20)]).await;
        let runs = format!("{one}/runs");
        story.run("preview", "anna", &runs, json!({"mode": "preview"})).await;
        story.run("sync", "ben", &runs, json!({"mode": "apply"})).await;
        let approve = format!("/v1/runs/{}/approve", story.runs["sync"]);
        story.run("approval", "anna", &approve, json!({})).await;
        let reverse = format!("/v1/runs/{}/reverse", story.runs["approval"]);
        story.run("reversal", "ben", &reverse, json!({})).await;
        let mapping = json!({
            "account_id": story.msp.account("acme").to_string(),
            "contract_id": story.msp.contract("acme").to_string(),
            "overrides": {"edr": {"rule": {"minimum": 5}}},
            "when_absent": "zero",
        });
        story.office.does("ben", Method::PUT, &format!("{one}/companies/acme"), mapping).await;
        story.step().await;
        story
            .office
            .does("anna", Method::PUT, &format!("{one}/credentials"), json!({"credentials": credentials()}))
            .await;
        story.step().await;
        story.office.does("ben", Method::DELETE, &format!("{one}/companies/beta"), json!({})).await;
        story.step().await;
        story.office.does("anna", Method::DELETE, &one, json!({})).await;
        story.step().await;
        story
    }

    async fn all(&self, query: &str) -> Vec<Value> {
        self.office.history(&self.msp.connection, query, 100).await.0
    }
}

#[tokio::test]
async fn every_step_is_told_with_who_took_it_and_what_it_was_before_and_after() {
    let story = Story::told().await;
    let entries = story.all("").await;
    // The first entries are those of the making: five mappings and a connection.
    let told: Vec<String> = entries.iter().map(brief).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    connection_revoked by anna: {"status":"active"} > {"status":"revoked"}
    company_unmapped by ben company=beta: {"account_id":"1002","contract_id":"29680002","overrides":{},"when_absent":"keep"} > -
    credentials_replaced by anna: - > -
    company_changed by ben company=acme: {"overrides":{},"when_absent":"keep"} > {"overrides":{"edr":{"rule":{"counting":"latest","exclude":0,"minimum":5,"rounding":"up"}}},"when_absent":"zero"}
    units_changed by ben company=beta product=edr line_id=29680002:501 effective_date=2026-11-02 state=applied: {"units":20} > {"units":100}
    run by ben: A sync by hand ended as succeeded: 1 updated.
    reversal by ben: - > -
    units_changed by anna company=beta product=edr line_id=29680002:501 effective_date=2026-11-01 state=applied: {"units":100} > {"units":20}
    run by anna: A sync by hand ended as succeeded: 1 updated.
    approval by anna company=beta product=edr line_id=29680002:501: {"units":100} > {"units":20}
    units_changed by ben company=acme product=edr line_id=29680001:501 effective_date=2026-11-01 state=applied: {"units":40} > {"units":42}
    run by ben: A sync by hand ended as succeeded: 1 held, 1 unchanged, 1 updated.
    run by anna: A preview by hand ended as succeeded: 1 held, 1 planned, 1 unchanged.
    connection_changed by anna: {"name":"Nordwind","policy":{"drift":"hold"}} > {"name":"Nordwind GmbH","policy":{"drift":"overwrite"}}
    product_mapped by local product=m365: - > {"rule":{"counting":"latest","exclude":0,"minimum":0,"rounding":"up"},"service_id":"502"}
    product_mapped by local product=edr: - > {"rule":{"counting":"latest","exclude":0,"minimum":0,"rounding":"up"},"service_id":"501"}
    company_mapped by local company=beta: - > {"account_id":"1002","contract_id":"29680002","overrides":{},"when_absent":"keep"}
    company_mapped by local company=acme: - > {"account_id":"1001","contract_id":"29680001","overrides":{},"when_absent":"keep"}
    connection_created by local: - > {"enabled":true,"invoice":null,"name":"Nordwind","policy":{"approval":"none","billing_day":1,"budget_percent":80,"currency":null,"drift":"hold","effective_date":{"falls":"period_start","rises":"period_start"},"guards":{"charge_amount":500,"charge_percent":50,"fall_percent":30,"fall_units":5,"price_percent":50,"rise_percent":200,"rise_units":20},"markup":{"products":null,"services":null},"provision_services":false,"shadow":false,"stale_after_hours":72},"psa":"autotask","schedule":{"frequency":"daily","hour":2},"status":"active","tenant":"123456","time_zone":"Europe/Berlin"}
    "#);
    assert!(entries.is_sorted_by(|one, other| one["at"].as_str() >= other["at"].as_str()));

    let of = |kind: &str| entries.iter().find(|entry| entry["kind"] == kind).unwrap();
    let (approval, reversal) = (of("approval"), of("reversal"));
    assert_eq!(
        (&approval["of_run_id"], &approval["run_id"]),
        (&json!(story.runs["sync"]), &json!(story.runs["approval"]))
    );
    assert_eq!(
        (&reversal["of_run_id"], &reversal["run_id"]),
        (&json!(story.runs["approval"]), &json!(story.runs["reversal"]))
    );
    let changes: Vec<&Value> =
        entries.iter().filter(|entry| entry["kind"] == "units_changed").map(|e| &e["run_id"]).collect();
    assert_eq!(json!(changes), json!([story.runs["reversal"], story.runs["approval"], story.runs["sync"]]));
    for entry in &entries {
        let summary = entry["summary"].as_str().unwrap();
        assert!(summary.ends_with('.') && summary.len() > 10, "{summary}");
    }
}

/// The same entries, told from each other.
fn distinct(entries: &[Value]) -> BTreeSet<String> {
    entries.iter().map(Value::to_string).collect()
}

#[tokio::test]
async fn pages_give_each_entry_once_and_the_same_ones_whatever_the_limit() {
    let story = Story::told().await;
    let line = format!("&line={}", story.msp.line_id("acme", "edr"));
    for query in [
        "",
        "&company=acme",
        "&product=edr",
        &line,
        "&kind=approval",
        "&kind=units_changed",
        "&from=2026-11-21T12:02:00Z",
    ] {
        let whole = story.all(query).await;
        assert_eq!(distinct(&whole).len(), whole.len(), "{query}");
        assert!(!whole.is_empty(), "{query}");
        for limit in [1, 3] {
            let (entries, pages) = story.office.history(&story.msp.connection, query, limit).await;
            assert_eq!(entries, whole, "{query} {limit}");
            assert!(pages <= whole.len().div_ceil(limit) + 1, "{pages} pages of {limit} for {}", whole.len());
        }
    }
    // In between, something new does not shift what is still to come.
    let first = format!("/v1/connections/{}/history?limit=3", story.msp.connection);
    let page = story.office.call("anna@nordwind", Method::GET, &first, None, "*/*").await.json;
    let whole = story.all("").await;
    story.msp.connect("Europe/Berlin").await;
    let next = format!("{first}&cursor={}", page["next_cursor"].as_str().unwrap());
    let page = story.office.call("anna@nordwind", Method::GET, &next, None, "*/*").await.json;
    assert_eq!(page["items"].as_array().unwrap(), &whole[3..6]);
}

#[tokio::test]
async fn a_company_a_product_a_line_a_kind_and_a_time_each_leave_what_is_about_them() {
    let story = Story::told().await;
    let all = story.all("").await;
    let (acme, beta) = (story.msp.line_id("acme", "edr"), story.msp.line_id("beta", "edr"));
    let only =
        |keep: &dyn Fn(&Value) -> bool| -> Vec<Value> { all.iter().filter(|entry| keep(entry)).cloned().collect() };
    let is_mapping = |entry: &Value, kind: &str| entry["kind"].as_str().unwrap().starts_with(kind);
    // What names a line only is found by what the mappings name.
    assert_eq!(story.all("&company=acme").await, only(&|e| e["company"] == "acme" || e["line_id"] == acme.as_str()));
    assert_eq!(story.all("&company=beta").await, only(&|e| e["company"] == "beta" || e["line_id"] == beta.as_str()));
    assert_eq!(story.all("&company=nobody").await, [Value::Null; 0]);
    let edr = |e: &Value| {
        e["product"] == "edr" || !e["line_id"].is_null() || (e["company"] == "acme" && e["kind"] == "company_changed")
    };
    assert_eq!(story.all("&product=edr").await, only(&edr));
    assert_eq!(story.all("&product=m365").await, only(&|e| e["product"] == "m365"));
    let of_both = only(&|e| edr(e) && (e["company"] == "beta" || e["line_id"] == beta.as_str()));
    assert_eq!(story.all("&company=beta&product=edr").await, of_both);
    assert_eq!(of_both.len(), 3, "an approval, its change, and that taken back: {of_both:#?}");
    assert_eq!(story.all(&format!("&line={beta}")).await, of_both);
    assert_eq!(story.all(&format!("&line={acme}")).await, only(&|e| e["line_id"] == acme.as_str()));
    assert_eq!(story.all(&format!("&line={acme}&company=beta")).await, [Value::Null; 0]);
    let kinds: BTreeSet<&str> = all.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    for kind in kinds {
        assert_eq!(
            story.all(&format!("&kind={kind}")).await,
            only(&|e| is_mapping(e, kind) && e["kind"] == kind),
            "{kind}"
        );
    }
    // `from` is part of the time, `to` is not.
    let instants: BTreeSet<&str> = all.iter().map(|entry| entry["at"].as_str().unwrap()).collect();
    for from in instants.iter().step_by(4) {
        for to in instants.iter().skip(1).step_by(3) {
            let within = only(&|e| (*from..*to).contains(&e["at"].as_str().unwrap()));
            assert_eq!(story.all(&format!("&from={from}&to={to}")).await, within, "{from} to {to}");
        }
    }
    let refused = |query: &str| {
        let path = format!("/v1/connections/{}/history?{query}", story.msp.connection);
        let office = &story.office;
        async move { office.call("anna@nordwind", Method::GET, &path, None, "*/*").await }
    };
    let cursor = refused("limit=1").await.json["next_cursor"].as_str().unwrap().to_owned();
    for bad in
        ["line=17", "kind=gossip", "from=yesterday", "limit=0", "cursor=x", &format!("cursor={cursor}&company=acme")]
    {
        let said = refused(bad).await;
        assert_eq!((said.status, said.json["code"].as_str()), (400, Some("invalid_query")), "{bad} {}", said.text);
    }
}

#[tokio::test]
async fn nobody_elses_history_is_seen_and_none_is_changed() {
    let story = Story::told().await;
    let path = format!("/v1/connections/{}/history", story.msp.connection);
    for (who, path) in [("eve@southwind", path.as_str()), ("anna@nordwind", "/v1/connections/conn_1/history")] {
        let said = story.office.call(who, Method::GET, path, None, "*/*").await;
        assert_eq!((said.status, said.json["code"].as_str()), (404, Some("not_found")), "{}", said.text);
    }
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let said = story.office.call("anna@nordwind", method, &path, Some(json!({})), "*/*").await;
        assert_eq!(said.status, 405, "{}", said.text);
    }
}

#[tokio::test]
async fn no_secret_is_in_any_answer_or_row() {
    let story = Story::told().await;
    let path = format!("/v1/connections/{}/history?limit=100", story.msp.connection);
    let mut texts = vec![json!(story.msp.parts.rows().await).to_string()];
    for accept in ["application/json", "text/csv"] {
        let said = story.office.call("anna@nordwind", Method::GET, &path, None, accept).await;
        assert!(said.text.contains("credentials_replaced"), "{}", said.text);
        texts.push(said.text);
    }
    for (name, secret) in credentials().as_object().unwrap() {
        for text in &texts {
            assert!(!text.contains(secret.as_str().unwrap()), "{name} is in {text}");
        }
    }
}

#[tokio::test]
async fn a_file_holds_all_of_it_and_nothing_in_it_is_run() {
    let story = Story::told().await;
    let one = story
        .office
        .does(
            "=HYPERLINK(1)",
            Method::POST,
            "/v1/connections",
            json!({"psa": "autotask", "name": "=cmd", "time_zone": "Europe/Berlin", "credentials": credentials()}),
        )
        .await;
    let file = async |connection: &str| {
        let path = format!("/v1/connections/{connection}/history");
        let said = story.office.call("anna@nordwind", Method::GET, &path, None, "text/csv").await;
        assert_eq!(said.status, 200);
        said.text
    };
    let rows = |text: &str| -> Vec<BTreeMap<String, String>> {
        csv::Reader::from_reader(text.as_bytes()).deserialize().collect::<Result<_, _>>().unwrap()
    };
    let made = rows(&file(one["id"].as_str().unwrap()).await);
    assert_eq!((made.len(), made[0]["actor"].as_str()), (1, "'=HYPERLINK(1)"));
    assert!(made[0]["after"].starts_with("{\"enabled\":true"), "{made:?}");
    let whole = rows(&file(&story.msp.connection).await);
    let entries = story.all("").await;
    assert_eq!(whole.len(), entries.len());
    for (row, entry) in whole.iter().zip(&entries) {
        for field in [
            "at",
            "actor",
            "kind",
            "company",
            "product",
            "line_id",
            "run_id",
            "of_run_id",
            "effective_date",
            "state",
            "summary",
        ] {
            assert_eq!(row[field], entry[field].as_str().unwrap_or_default(), "{field}");
        }
        for side in ["before", "after"] {
            let said: Value = serde_json::from_str(&row[side]).unwrap_or_default();
            assert_eq!(said, entry[side], "{side}");
        }
    }
}

/// The description of every function's routes.
async fn documented() -> Value {
    let app = App::open(AppOptions::at(Place::Memory)).await.unwrap();
    let request = axum::http::Request::get("/openapi.json").body(axum::body::Body::empty()).unwrap();
    let answer = app.router().oneshot(request).await.unwrap();
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice::<Value>(&body).unwrap()["paths"].clone()
}

/// How people change a connection, by route, with a body that does change it, and the kind of entry that is to come of it.
fn ways(msp: &Msp) -> Vec<(&'static str, &'static str, Vec<Value>, Option<&'static str>)> {
    let policy = |policy: Value| json!({ "policy": policy });
    let changes = vec![
        json!({"name": "Another"}),
        json!({"time_zone": "Europe/Vienna"}),
        json!({"schedule": {"frequency": "weekly", "weekday": "monday", "hour": 3}}),
        json!({"invoice": {"frequency": "monthly", "day": 1, "hour": 8}}),
        json!({"enabled": false}),
        json!({"enabled": true}),
        policy(json!({"effective_date": {"rises": "today"}})),
        policy(json!({"guards": {"fall_units": 9}})),
        policy(json!({"drift": "overwrite"})),
        policy(json!({"approval": "always"})),
        policy(json!({"shadow": true})),
        policy(json!({"budget_percent": 70})),
        policy(json!({"stale_after_hours": 48})),
        policy(json!({"provision_services": true})),
        policy(json!({"billing_day": 15})),
    ];
    let company = json!({"account_id": msp.account("acme").to_string(), "contract_id": msp.contract("acme").to_string(), "when_absent": "hold"});
    let (account, contract) = (msp.account("acme").to_string(), msp.contract("acme").to_string());
    let imported = row(&[
        ("type", "company"),
        ("company", "acme"),
        ("account_id", &account),
        ("contract_id", &contract),
        ("when_absent", "zero"),
    ]);
    vec![
        ("PATCH", "/v1/connections/{id}", changes, Some("connection_changed")),
        (
            "PUT",
            "/v1/connections/{id}/credentials",
            vec![json!({"credentials": credentials()})],
            Some("credentials_replaced"),
        ),
        // It finds out, and changes nothing that was so before.
        ("POST", "/v1/connections/{id}/test", vec![json!({})], None),
        (
            "PUT",
            "/v1/connections/{id}/products/{product}",
            vec![json!({"service_id": "501", "rule": {"minimum": 3}})],
            Some("product_changed"),
        ),
        ("DELETE", "/v1/connections/{id}/products/{product}", vec![json!({})], Some("product_unmapped")),
        (
            "PUT",
            "/v1/connections/{id}/charges/{product}",
            vec![json!({"mode": "itemised", "billing_code": "Metered usage"})],
            Some("charges_mapped"),
        ),
        ("DELETE", "/v1/connections/{id}/charges/{product}", vec![json!({})], Some("charges_unmapped")),
        (
            "PUT",
            "/v1/connections/{id}/ticket-mapping",
            vec![json!({"defaults": {"status": "1", "priority": "2", "queueID": "29683481"}})],
            Some("tickets_mapped"),
        ),
        ("DELETE", "/v1/connections/{id}/ticket-mapping", vec![json!({})], Some("tickets_unmapped")),
        ("PUT", "/v1/connections/{id}/companies/{company}", vec![company], Some("company_changed")),
        ("POST", "/v1/connections/{id}/mappings.csv", vec![file(&[imported]).into()], Some("company_changed")),
        ("DELETE", "/v1/connections/{id}/companies/{company}", vec![json!({})], Some("company_unmapped")),
        ("POST", "/v1/connections/{id}/runs", vec![json!({"mode": "preview"})], Some("run")),
        ("DELETE", "/v1/connections/{id}", vec![json!({})], Some("connection_revoked")),
    ]
}

#[tokio::test]
async fn each_way_in_which_people_change_a_connection_leaves_its_entry_and_there_is_no_other_way() {
    let msp = Setup::of(customers()).start().await;
    let office = Office::of(&msp);
    let ways = ways(&msp);

    // Every route that writes is among them, so that a new one is not forgotten here.
    let paths = documented().await;
    let mut documented: BTreeSet<(String, String)> = BTreeSet::new();
    for (path, item) in paths.as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/v1/connections/{id}")) {
        let methods = item.as_object().unwrap().keys().filter(|method| *method != "get");
        documented.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
    }
    let known = ways.iter().map(|(method, path, ..)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(documented, known, "a route that changes a connection needs its line in `ways`");

    let mut entries = office.history(&msp.connection, "", 100).await.0;
    assert_eq!(entries.last().unwrap()["kind"], "connection_created");
    for (method, path, bodies, kind) in ways {
        let path = path.replace("{id}", &msp.connection).replace("{product}", "edr").replace("{company}", "acme");
        for body in bodies {
            msp.clock.advance(SignedDuration::from_mins(6));
            office.does("carla", method.parse().unwrap(), &path, body.clone()).await;
            let now = office.history(&msp.connection, "", 100).await.0;
            let new = &now[..now.len() - entries.len()];
            let told: Vec<(&str, &str)> =
                new.iter().map(|entry| (entry["kind"].as_str().unwrap(), entry["actor"].as_str().unwrap())).collect();
            let expected: Vec<(&str, &str)> = kind.into_iter().map(|kind| (kind, "carla")).collect();
            assert_eq!(told, expected, "{method} {path} {body}");
            // What was sent is what is told of.
            if kind == Some("connection_changed") {
                let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
                assert_eq!(fields(&new[0]["after"]), fields(&body));
                assert_eq!(fields(&new[0]["before"]), fields(&body));
            }
            // The same again is no change.
            if method == "PATCH" {
                office.does("carla", Method::PATCH, &path, body).await;
                assert_eq!(office.history(&msp.connection, "", 100).await.0, now);
            }
            entries = now;
        }
    }
}

/// Fails one kind of store write: on one side of it, or not at all.
#[derive(Default)]
struct Fails(AtomicU8);

impl Fails {
    fn on(&self, side: Option<Side>) {
        let number = match side {
            None => 0,
            Some(Side::Before) => 1,
            Some(Side::After) => 2,
        };
        self.0.store(number, Ordering::SeqCst);
    }
}

impl Hook for Fails {
    fn pass(&self, point: &Point) -> Result<(), Struck> {
        let side = if point.side == Side::Before { 1 } else { 2 };
        let write = point.effect.starts_with("store.") && point.effect.contains("CONN");
        if write && self.0.load(Ordering::SeqCst) == side { Err(Struck) } else { Ok(()) }
    }
}

#[tokio::test]
async fn a_change_and_its_entry_are_both_there_or_neither_wherever_it_fails() {
    let fails = Arc::new(Fails::default());
    let msp = Setup::of(customers()).faults(fails.clone()).start().await;
    let (office, one) = (Office::of(&msp), format!("/v1/connections/{}", msp.connection));
    let before = office.history(&msp.connection, "", 100).await.0.len();
    for (side, entries) in [(Side::Before, before), (Side::After, before + 1)] {
        msp.clock.advance(SignedDuration::from_secs(1));
        fails.on(Some(side));
        let name = format!("{side:?}");
        let said = office.call("anna@nordwind", Method::PATCH, &one, Some(json!({ "name": name })), "*/*").await;
        fails.on(None);
        assert_eq!(said.status, 503, "{}", said.text);
        let is = msp.done(Method::GET, &one, None).await;
        let told = office.history(&msp.connection, "", 100).await.0;
        assert_eq!((is["name"] == name.as_str(), told.len()), (side == Side::After, entries));
        assert!(side == Side::Before || told[0]["after"]["name"] == name.as_str());
    }
}

#[tokio::test]
async fn what_the_engine_keeps_for_itself_is_no_history_and_one_write_as_before() {
    let msp = Setup::of(customers()).start().await;
    msp.push(&[("acme", "edr", 40), ("acme", "m365", 10), ("beta", "edr", 100)]).await;
    let _ = msp.parts.requests.take();
    msp.run("apply").await;
    let requests = msp.parts.requests.take();
    let writes: Vec<_> =
        requests.iter().filter(|request| request.contains("CONN") && !request.contains("Get")).collect();
    assert_eq!(writes, ["PutItem CONN"], "the newest run is noted");
    let told = Office::of(&msp).history(&msp.connection, "&from=2026-11-21T12:00:01Z", 100).await.0;
    assert_eq!(told.iter().map(|entry| entry["kind"].as_str().unwrap()).collect::<Vec<_>>(), ["run"]);
}

#[tokio::test]
async fn credentials_that_the_psa_turns_away_and_takes_again_are_told_of_as_the_systems_word() {
    let msp = Setup::of(customers()).start().await;
    let office = Office::of(&msp);
    let test = format!("/v1/connections/{}/test", msp.connection);
    for secret in ["an-older-secret", simulators::autotask::SAMPLE_SECRET] {
        let name = SecretName::of(&PARTNER.parse().unwrap(), &msp.connection.parse().unwrap());
        let mut stored = credentials();
        (stored["secret"], stored["psa"]) = (secret.into(), "autotask".into());
        msp.parts.secrets.put(&name, &stored.to_string().into()).await.unwrap();
        msp.clock.advance(SignedDuration::from_mins(10));
        // The first is noticed by a sync, the second by a person's test.
        if secret == "an-older-secret" {
            msp.push(&[("acme", "edr", 40)]).await;
            msp.run("apply").await;
        } else {
            office.does("anna", Method::POST, &test, json!({})).await;
        }
    }
    let told: Vec<String> =
        office.history(&msp.connection, "&from=2026-11-21T12:01:00Z", 100).await.0.iter().map(brief).collect();
    let told: Vec<&String> = told.iter().filter(|told| !told.starts_with("run")).collect();
    assert_eq!(
        told,
        [
            r#"credentials_accepted by system: {"status":"credentials_rejected"} > {"status":"active"}"#,
            r#"credentials_rejected by system: {"status":"active"} > {"status":"credentials_rejected"}"#,
        ]
    );
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_told_of_at_once_as_unknown_and_once_as_what_it_came_to() {
    for (effect, expected) in [(Effect::Made, json!(["applied"])), (Effect::NotMade, json!(["applied"]))] {
        let msp =
            Setup::of([Customer::named("acme").line("edr", 40)]).patience(Duration::from_millis(300)).start().await;
        let office = Office::of(&msp);
        msp.push(&[("acme", "edr", 42)]).await;
        msp.ask("apply").await;
        msp.plan().await;
        Fixture::strike(&msp.psa, 1, Mishap::Reset(effect));
        msp.drain().await;
        let states = async || {
            let changes = office.history(&msp.connection, "&kind=units_changed", 100).await.0;
            json!(changes.iter().map(|change| change["state"].clone()).collect::<Vec<_>>())
        };
        let line = format!("&line={}", msp.line_id("acme", "edr"));
        let at_once = if msp.units("acme", "edr") == 42 { json!(["applied"]) } else { json!(["unknown"]) };
        assert_eq!(states().await, at_once);
        msp.clock.advance(SignedDuration::from_hours(1));
        msp.push(&[("acme", "edr", 42)]).await;
        msp.run("apply").await;
        assert_eq!(states().await, expected, "{effect:?}: one that was not made is no change");
        let by_line = office.history(&msp.connection, &format!("{line}&kind=units_changed"), 100).await.0;
        assert_eq!(by_line, office.history(&msp.connection, "&kind=units_changed", 100).await.0);
    }
}

#[tokio::test]
async fn a_finding_that_somebody_resolved_is_told_of_with_the_note() {
    let msp = Setup::of(customers()).start().await;
    let office = Office::of(&msp);
    msp.push(&[("beta", "edr", 20)]).await;
    msp.run("apply").await;
    let path = format!("/v1/connections/{}/findings", msp.connection);
    let findings = msp.done(Method::GET, &path, None).await["items"].as_array().unwrap().clone();
    let finding = findings.into_iter().find(|finding| finding["code"] == "fall_guard").unwrap();
    let resolve = format!("/v1/findings/{}/resolve", finding["id"].as_str().unwrap());
    let said = json!({"note": "they told us"});
    let first = office.does("ben", Method::POST, &resolve, said.clone()).await;
    // The answer may have been lost: the same again is answered the same, and so is a word less.
    assert_eq!(office.does("ben", Method::POST, &resolve, said.clone()).await, first);
    assert_eq!(office.does("ben", Method::POST, &resolve, json!({})).await, first);
    // Another word, or somebody else's, is not taken down; nobody is to believe that it was.
    for (who, body, lost) in [
        ("anna@nordwind", said, " Your note was not kept."),
        ("anna@nordwind", json!({}), ""),
        ("ben@nordwind", json!({"note": "they told us twice"}), " Your note was not kept."),
    ] {
        let refused = office.call(who, Method::POST, &resolve, Some(body), "*/*").await;
        assert_eq!(
            (refused.status, refused.json["code"].as_str()),
            (409, Some("finding_resolved")),
            "{}",
            refused.text
        );
        let at = first["resolved_at"].as_str().unwrap();
        let detail = format!("ben resolved it at {at} and said \"they told us\".{lost}");
        assert_eq!(refused.json["detail"].as_str(), Some(detail.as_str()));
    }
    let told = office.history(&msp.connection, "&kind=finding_resolved", 100).await.0;
    let expected = format!(
        r#"finding_resolved by ben company=beta product=edr line_id={}: {{"status":"open"}} > {{"note":"they told us","status":"resolved"}}"#,
        msp.line_id("beta", "edr")
    );
    assert_eq!(told.iter().map(brief).collect::<Vec<_>>(), [expected]);
    for query in ["&company=beta", "&product=edr", &format!("&line={}", msp.line_id("beta", "edr"))] {
        assert_eq!(office.history(&msp.connection, &format!("{query}&kind=finding_resolved"), 100).await.0, told);
    }
    assert_eq!(office.history(&msp.connection, "&company=acme&kind=finding_resolved", 100).await.0, [Value::Null; 0]);
}

#[tokio::test]
async fn a_companys_history_goes_on_over_a_renewed_contract_and_a_shared_line_belongs_to_all_who_feed_it() {
    const NEXT: i64 = 29_690_001;
    let day = |text: &str| -> Date { text.parse().unwrap() };
    let next = ContractSpec::recurring("Renewed").id(NEXT).runs(day("2026-11-11"), day("2027-11-10"));
    let acme = Customer::named("acme").line("edr", 40).runs(day("2025-11-11"), day("2026-11-10"));
    let acme = acme.contract(|old| old.renewed(NEXT)).beside(next, &[("edr", 40)]);
    let (beta, gamma) = (Customer::named("beta").line("edr", 30), Customer::named("gamma").joined_to("beta"));
    let msp = Setup::of([acme, beta, gamma]).at("2026-11-05T12:00:00Z").start().await;
    msp.push(&[("acme", "edr", 41), ("beta", "edr", 20), ("gamma", "edr", 11)]).await;
    msp.run("apply").await;
    msp.clock.set("2026-11-21T12:00:00Z");
    msp.push(&[("acme", "edr", 43), ("beta", "edr", 20), ("gamma", "edr", 11)]).await;
    msp.run("apply").await;
    let office = Office::of(&msp);
    let lines = async |query: &str| {
        let told = office.history(&msp.connection, &format!("{query}&kind=units_changed"), 100).await.0;
        told.iter().map(|change| change["line_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (old, new) = (msp.line_id("acme", "edr"), format!("{NEXT}:{}", msp.service("edr")));
    assert_eq!(lines("&company=acme").await, [new.clone(), old.clone()]);
    let shared = msp.line_id("beta", "edr");
    assert_eq!(lines("&company=beta").await, std::slice::from_ref(&shared));
    assert_eq!(lines("&company=gamma").await, [shared]);
    assert_eq!(lines("&product=edr").await.len(), 3);
    assert_eq!(lines(&format!("&line={new}")).await, std::slice::from_ref(&new));

    // What was approved of a company is found under its name, also on a contract that no mapping names.
    msp.push(&[("acme", "edr", 5), ("beta", "edr", 20), ("gamma", "edr", 11)]).await;
    let held = msp.run("apply").await;
    msp.approve(&held, None).await;
    for query in ["&company=acme", "&product=edr", "&company=acme&product=edr"] {
        let told = office.history(&msp.connection, &format!("{query}&kind=approval"), 100).await.0;
        let said = told.iter().map(brief).collect::<Vec<_>>();
        let expected =
            format!(r#"approval by local company=acme product=edr line_id={new}: {{"units":43}} > {{"units":5}}"#);
        assert_eq!(said, [expected], "{query}");
    }
    assert_eq!(office.history(&msp.connection, "&company=beta&kind=approval", 100).await.0, [Value::Null; 0]);
}

#[tokio::test]
async fn within_one_second_what_came_later_stands_first() {
    let msp = Setup::of(customers()).at("2026-11-21T12:00:00.2Z").start().await;
    let office = Office::of(&msp);
    let one = format!("/v1/connections/{}", msp.connection);
    let wait = || msp.clock.advance(SignedDuration::from_nanos(150_000_001));
    wait();
    msp.push(&[("acme", "edr", 42)]).await;
    msp.run("apply").await;
    wait();
    office.does("anna", Method::PATCH, &one, json!({"name": "Later"})).await;
    wait();
    msp.push(&[("acme", "edr", 43)]).await;
    msp.run("apply").await;
    wait();
    office.does("ben", Method::PATCH, &one, json!({"name": "Last"})).await;
    let expected = ["connection_changed", "units_changed", "run", "connection_changed", "units_changed", "run"];
    for limit in [100, 2, 1] {
        let told = office.history(&msp.connection, "", limit).await.0;
        let kinds: Vec<&str> = told.iter().map(|entry| entry["kind"].as_str().unwrap()).take(6).collect();
        assert_eq!(kinds, expected, "{limit}");
        let at = |entry: &Value| entry["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert!(told.is_sorted_by(|one, other| at(one) >= at(other)), "{told:#?}");
        for (newest, oldest) in [(0, 2), (3, 5)] {
            assert_eq!(at(&told[newest]).as_second(), at(&told[oldest]).as_second(), "{told:#?}");
        }
    }
    let line = format!("&line={}", msp.line_id("acme", "edr"));
    let changes = office.history(&msp.connection, &line, 1).await.0;
    assert_eq!(changes.iter().map(|entry| entry["after"]["units"].as_i64()).collect::<Vec<_>>(), [Some(43), Some(42)]);
}

#[tokio::test]
async fn a_page_costs_a_handful_of_store_requests_whatever_is_asked_for() {
    let names: Vec<String> = (0..12).map(|number| format!("c{number:02}")).collect();
    let msp = Setup::of(names.iter().map(|name| Customer::named(name).line("edr", 5).line("m365", 5))).start().await;
    for units in [6, 7] {
        msp.clock.advance(SignedDuration::from_hours(24));
        let counts: Vec<_> =
            names.iter().flat_map(|name| [(name.as_str(), "edr", units), (name.as_str(), "m365", units)]).collect();
        msp.push(&counts).await;
        msp.run("apply").await;
    }
    let office = Office::of(&msp);
    let line = format!("&line={}", msp.line_id("c07", "edr"));
    let cases = [
        ("", 50, 4),
        ("", 100, 5),
        (&line, 50, 4),
        ("&company=c07", 50, 6),
        ("&product=edr", 50, 6),
        ("&company=c07&product=edr", 50, 6),
        ("&kind=run", 50, 3),
        ("&kind=connection_changed", 50, 2),
        ("&kind=units_changed", 50, 3),
    ];
    for (query, limit, most) in cases {
        let _ = msp.parts.requests.take();
        let path = format!("/v1/connections/{}/history?limit={limit}{query}", msp.connection);
        let said = office.call("anna@nordwind", Method::GET, &path, None, "*/*").await;
        let requests = msp.parts.requests.take();
        let entries = said.json["items"].as_array().unwrap().len();
        println!(
            "{limit} {query}: {entries} entries for {} store requests {:?}",
            requests.len(),
            by_operation(&requests)
        );
        assert!(requests.len() <= most, "{query}: {requests:#?}");
    }
    let (all, pages) = office.history(&msp.connection, "", 100).await;
    let changes = all.iter().filter(|entry| entry["kind"] == "units_changed").count();
    assert_eq!((changes, all.len(), pages), (48, 48 + 2 + 2 + 12 + 1, 1));
    assert_eq!(office.history(&msp.connection, "&company=c07", 100).await.0.len(), 5);
}

#[tokio::test]
async fn a_page_that_has_cost_enough_ends_early_and_the_next_goes_on_where_it_ended() {
    let story = Story::told().await;
    let table = &story.msp.parts.table;
    let (partner, id) = (PARTNER.parse().unwrap(), story.msp.connection.parse().unwrap());
    let connection = Connections::new(table.clone()).get(&partner, &id, Read::Consistent).await.unwrap().unwrap();
    let line = LineKey {
        contract: story.msp.contract("beta").to_string().parse().unwrap(),
        service: story.msp.service("edr").to_string().parse().unwrap(),
    };
    let cases = [
        Asked::default(),
        Asked { company: Some("beta".parse().unwrap()), ..Asked::default() },
        Asked { product: Some("m365".parse().unwrap()), ..Asked::default() },
        Asked { line: Some(line), ..Asked::default() },
        Asked { kind: Some(Kind::CredentialsReplaced), ..Asked::default() },
        Asked { kind: Some(Kind::UnitsChanged), ..Asked::default() },
    ];
    let mut early = 0;
    for asked in cases {
        let whole = History::new(table.clone());
        let whole = whole.read(&connection, asked.clone()).await.unwrap().page(None, 100).await.unwrap();
        assert!(whole.next.is_none() && !whole.entries.is_empty());
        for (requests, rows, limit) in [(1, 1, 2), (2, 1, 100), (2, 3, 100), (3, 2, 1)] {
            let history = History::new(table.clone()).within(Bounds { requests, rows });
            let reading = history.read(&connection, asked.clone()).await.unwrap();
            let (mut entries, mut place) = (Vec::new(), None);
            for _ in 0..100 {
                let page = reading.page(place.as_ref(), limit).await.unwrap();
                early += usize::from(page.entries.len() < limit && page.next.is_some());
                entries.extend(page.entries);
                place = page.next;
                if place.is_none() {
                    break;
                }
            }
            assert_eq!(entries, whole.entries, "{asked:?} within {requests} requests of {rows} rows, {limit} a page");
        }
    }
    assert!(early > 20, "{early} pages ended early");
}
