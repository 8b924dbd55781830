//! How a product's metered charges are mapped: stored, versioned, listed, refused, removed; its billing code as the PSA has it.

use integration::msp::sheet::{file, row};
use integration::msp::{Customer, Msp, Office, On, Setup};
use integration::{Answer, BEGINNING, Harness, PARTNER};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::domain::ids::{ConnectionId, PartnerId, ProductKey};
use shared::store::mappings::{ChargeMapping, MappingVersion, Mappings};
use shared::store::schema::{self, Key};
use shared::store::{Condition, Read};
use simulators::autotask::{Autotask, CodeSpec, Entity, Fault, ServiceSpec, When, World};
use simulators::kaseya_bms::KaseyaBms;

/// The code for material that every simulated tenant has.
const CODE: &str = "Metered usage";
const CLOUD: &str = "/charges/cloud";

fn itemised() -> Value {
    json!({"mode": "itemised", "billing_code": CODE})
}

/// `body` with other fields.
fn with(mut body: Value, fields: Value) -> Value {
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

/// A harness and the path of its one connection.
async fn connected() -> (Harness, String) {
    let h = Harness::start().await;
    let path = format!("/v1/connections/{}", h.connect().await);
    (h, path)
}

/// The same in front of a tenant that has these billing codes besides.
async fn with_codes(codes: Vec<CodeSpec>) -> (Harness, String) {
    let service = World::builder().service(ServiceSpec::named("Detection").id(501));
    let world = codes.into_iter().fold(service, |builder, code| builder.billing_code(code)).build().unwrap();
    let clock = simulators::Clock::from_fn(|| BEGINNING.parse().unwrap());
    let h = Harness::with(|_| Autotask::setup(world).clock(clock)).await;
    let path = format!("/v1/connections/{}", h.connect().await);
    (h, path)
}

fn ids(path: &str) -> (PartnerId, ConnectionId) {
    (PARTNER.parse().unwrap(), path.rsplit('/').next().unwrap().parse().unwrap())
}

async fn msp() -> Msp {
    Setup::of([Customer::named("acme").line("edr", 40)]).start().await
}

fn path_of(msp: &Msp, rest: &str) -> String {
    format!("/v1/connections/{}{rest}", msp.connection)
}

#[tokio::test]
async fn a_products_charges_are_mapped_read_changed_and_removed() {
    let (h, path) = connected().await;
    let cloud = format!("{path}{CLOUD}");
    let body = json!({
        "mode": "bundled", "name": " Cloud services ", "billing_code": " Metered usage ", "markup_percent": "15.50",
        "from": "2026-09-15", "when": "after_period",
    });
    let first = h.put(&cloud, body).await;
    assert_eq!(first.status, 201, "{}", first.text);
    insta::assert_json_snapshot!(first.json, @r#"
    {
      "billing_code": "Metered usage",
      "from": "2026-09-15",
      "markup_percent": "15.5",
      "mode": "bundled",
      "name": "Cloud services",
      "product": "cloud",
      "updated_at": "2026-11-21T12:00:00Z",
      "updated_by": "local",
      "version": 1,
      "when": "after_period"
    }
    "#);
    assert_eq!(h.get(&cloud).await.json, first.json);

    let plain = h.put(&cloud, itemised()).await;
    assert_eq!(plain.status, 200);
    insta::assert_json_snapshot!(plain.json, @r#"
    {
      "billing_code": "Metered usage",
      "from": "2026-09-15",
      "mode": "itemised",
      "product": "cloud",
      "updated_at": "2026-11-21T12:00:00Z",
      "updated_by": "local",
      "version": 2,
      "when": "as_reported"
    }
    "#);
    assert_eq!(h.get(&cloud).await.json, plain.json);

    assert_eq!(h.delete(&cloud).await.status, 204);
    assert_eq!(h.get(&cloud).await.status, 404);
    assert_eq!(h.delete(&cloud).await.problem()["code"], "not_found");
}

#[tokio::test]
async fn units_and_charges_of_a_product_are_mapped_apart() {
    let (h, path) = connected().await;
    let (units, charges) = (format!("{path}/products/cloud"), format!("{path}{CLOUD}"));
    let product = h.put(&units, json!({"service_id": "501"})).await.json;
    assert_eq!(h.get(&charges).await.status, 404);
    let charged = h.put(&charges, itemised()).await.json;
    assert_eq!(h.get(&units).await.json, product);
    // Two products may be bundled under one name.
    for other in ["cloud2", "cloud3"] {
        let bundled = json!({"mode": "bundled", "name": "Cloud", "billing_code": CODE});
        assert_eq!(h.put(&format!("{path}/charges/{other}"), bundled).await.status, 201);
    }

    let (partner, connection) = ids(&path);
    let all = Mappings::new(h.table.clone()).everything(&partner, &connection).await.unwrap();
    assert_eq!((all.products.len(), all.companies.len()), (1, 0));
    let charged_for: Vec<_> = all.charges.iter().map(|mapping| mapping.product.as_str()).collect();
    assert_eq!(charged_for, ["cloud", "cloud2", "cloud3"]);
    assert_eq!(serde_json::to_value(&all.charges[0]).unwrap(), charged);

    assert_eq!(h.delete(&units).await.status, 204);
    assert_eq!(h.get(&charges).await.json, charged);
}

#[tokio::test]
async fn the_same_charge_mapping_again_is_no_new_version() {
    let (h, path) = connected().await;
    let cloud = format!("{path}{CLOUD}");
    let body = with(itemised(), json!({"markup_percent": "15"}));
    let first = h.put(&cloud, body.clone()).await;
    h.clock.advance(jiff::SignedDuration::from_mins(5));
    for same in [body, with(itemised(), json!({"markup_percent": "15.0", "when": "as_reported", "from": "2026-11-01"}))]
    {
        let again = h.put(&cloud, same).await;
        assert_eq!((again.status, again.json), (200, first.json.clone()));
    }
}

#[tokio::test]
async fn every_version_of_a_charge_mapping_stays_readable_and_the_next_one_goes_on() {
    let (h, path) = connected().await;
    let cloud = format!("{path}{CLOUD}");
    h.put(&cloud, itemised()).await;
    h.put(&cloud, with(itemised(), json!({"when": "after_period"}))).await;
    h.delete(&cloud).await;
    let again = h.put(&cloud, itemised()).await;
    assert_eq!((again.status, &again.json["version"]), (201, &json!(4)));

    let (partner, connection) = ids(&path);
    let (mappings, product): (_, ProductKey) = (Mappings::new(h.table.clone()), "cloud".parse().unwrap());
    let mut history = Vec::new();
    for version in 1..=5 {
        let row: Option<MappingVersion<ChargeMapping>> =
            mappings.version(&partner, &connection, &product, version).await.unwrap();
        history.push(row.map(|row| (json!(row.mapping.when), row.mapping.version, row.removed)));
    }
    let row = |when: &str, version, removed| Some((json!(when), version, removed));
    let expected = [
        row("as_reported", 1, false),
        row("after_period", 2, false),
        row("after_period", 3, true),
        row("as_reported", 4, false),
        None,
    ];
    assert_eq!(history, expected);
}

#[tokio::test]
async fn charge_mappings_are_listed_by_product_page_by_page() {
    let (h, path) = connected().await;
    for name in ["e", "c", "a", "d", "b"] {
        assert_eq!(h.put(&format!("{path}/charges/{name}"), itemised()).await.status, 201);
    }
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = h.get(&format!("{path}/charges?limit=2{cursor}")).await.json;
        let items = page["items"].as_array().unwrap();
        pages.push(items.iter().map(|item| item["product"].as_str().unwrap()).collect::<String>());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(pages, ["ab", "cd", "e"]);
    let first = h.get(&format!("{path}/charges?limit=1")).await.json["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(h.get(&format!("{path}/products?cursor={first}")).await.problem()["code"], "invalid_query");
}

#[tokio::test]
async fn a_new_mapping_charges_from_the_billing_period_that_runs_in_the_partners_time_zone() {
    let (h, path) = connected().await;
    for (number, (zone, day, now, from)) in [
        ("Europe/Berlin", 1, "2026-11-21T12:00:00Z", "2026-11-01"),
        // Already December in Berlin, still November in New York.
        ("Europe/Berlin", 1, "2026-11-30T23:30:00Z", "2026-12-01"),
        ("America/New_York", 1, "2026-12-01T03:00:00Z", "2026-11-01"),
        ("Europe/Berlin", 15, "2026-12-14T22:30:00Z", "2026-11-15"),
        ("Europe/Berlin", 15, "2026-12-14T23:30:00Z", "2026-12-15"),
        // A month without a 31st begins its period on its last day.
        ("Europe/Berlin", 31, "2027-02-27T22:30:00Z", "2027-01-31"),
        ("Europe/Berlin", 31, "2027-02-27T23:30:00Z", "2027-02-28"),
        ("Europe/Berlin", 31, "2027-03-30T12:00:00Z", "2027-02-28"),
        ("Europe/Berlin", 31, "2027-03-31T12:00:00Z", "2027-03-31"),
    ]
    .into_iter()
    .enumerate()
    {
        h.clock.set(now);
        let change = json!({"time_zone": zone, "policy": {"billing_day": day}});
        let changed = h.patch(&path, change).await;
        assert_eq!((changed.status, &changed.json["policy"]["billing_day"]), (200, &json!(day)), "{}", changed.text);
        let made = h.put(&format!("{path}/charges/p{number}"), itemised()).await;
        assert_eq!(made.json["from"], from, "{zone} {day} {now}: {}", made.text);
    }
}

#[tokio::test]
async fn the_day_from_which_is_charged_stays_until_another_one_is_sent() {
    let (h, path) = connected().await;
    let cloud = format!("{path}{CLOUD}");
    assert_eq!(h.put(&cloud, itemised()).await.json["from"], "2026-11-01");
    h.clock.set("2027-01-20T12:00:00Z");
    h.patch(&path, json!({"policy": {"billing_day": 15}})).await;
    let later = h.put(&cloud, with(itemised(), json!({"when": "after_period"}))).await.json;
    assert_eq!((&later["from"], &later["version"]), (&json!("2026-11-01"), &json!(2)));
    let moved = h.put(&cloud, with(itemised(), json!({"from": "2026-12-24"}))).await.json;
    assert_eq!((&moved["from"], &moved["version"]), (&json!("2026-12-24"), &json!(3)));
    assert_eq!(h.put(&cloud, itemised()).await.json, moved);
    // One that is made again begins with the period that runs then.
    h.delete(&cloud).await;
    assert_eq!(h.put(&cloud, itemised()).await.json["from"], "2027-01-15");
}

#[tokio::test]
async fn the_billing_day_is_1_unless_it_is_said_and_from_1_to_31() {
    let (h, path) = connected().await;
    assert_eq!(h.get(&path).await.json["policy"]["billing_day"], 1);
    for day in [json!(0), json!(32), json!(-1), json!(1.5), json!("15"), json!(257)] {
        let problem = h.patch(&path, json!({"policy": {"billing_day": day}})).await.problem();
        let fault = &problem["errors"][0];
        assert_eq!((&problem["status"], &fault["pointer"]), (&json!(422), &json!("/policy/billing_day")), "{day}");
        assert!(fault["detail"].as_str().unwrap().contains("a whole number from 1 to 31"), "{day}: {fault}");
    }
    assert_eq!(h.get(&path).await.json["policy"]["billing_day"], 1);
}

#[tokio::test]
async fn what_is_no_charge_mapping_is_refused_with_its_pointer_before_the_psa_is_asked() {
    let (h, path) = connected().await;
    h.psa.reset_counts();
    let bundled = |name: &str| json!({"mode": "bundled", "name": name, "billing_code": CODE});
    for (product, body, pointer, detail) in [
        ("cloud", json!({"billing_code": CODE}), "/mode", "is required"),
        ("cloud", json!({"mode": "itemised"}), "/billing_code", "is required"),
        ("cloud", with(itemised(), json!({"mode": "single"})), "/mode", "itemised"),
        ("cloud", json!({"mode": "bundled", "billing_code": CODE}), "/name", "is needed where mode is bundled"),
        ("cloud", bundled("  "), "/name", "must be 1 to 100 characters on one line"),
        ("cloud", bundled("a\nb"), "/name", "must be 1 to 100 characters on one line"),
        ("cloud", bundled(&"ü".repeat(101)), "/name", "must be 1 to 100 characters on one line"),
        ("cloud", with(itemised(), json!({"name": "Cloud"})), "/name", "is only for a mode that is bundled"),
        (
            "cloud",
            with(itemised(), json!({"billing_code": " "})),
            "/billing_code",
            "must be 1 to 200 characters on one line",
        ),
        (
            "cloud",
            with(itemised(), json!({"billing_code": "x".repeat(201)})),
            "/billing_code",
            "must be 1 to 200 characters on one line",
        ),
        ("cloud", with(itemised(), json!({"markup_percent": 15})), "/markup_percent", "must be"),
        ("cloud", with(itemised(), json!({"markup_percent": "-101"})), "/markup_percent", "from -100 to 10000"),
        ("cloud", with(itemised(), json!({"from": "2026-11-31"})), "/from", "must be a date such as"),
        ("cloud", with(itemised(), json!({"from": "2026-11-01T00:00:00Z"})), "/from", "must be a date such as"),
        ("cloud", with(itemised(), json!({"when": "weekly"})), "/when", "as_reported"),
        ("cloud", with(itemised(), json!({"price": "1"})), "/price", "is not a field here"),
        ("a%23b", itemised(), "path:product", "must be"),
    ] {
        let problem = h.put(&format!("{path}/charges/{product}"), body.clone()).await.problem();
        let fault = &problem["errors"][0];
        assert_eq!((&problem["status"], fault["pointer"].as_str()), (&json!(422), Some(pointer)), "{body}");
        assert!(fault["detail"].as_str().unwrap().contains(detail), "{body}: {fault}");
    }
    let both = h.put(&format!("{path}{CLOUD}"), json!({"mode": "bundled", "billing_code": ""})).await.problem();
    assert_eq!(both["errors"].as_array().unwrap().len(), 2, "{both}");
    assert_eq!(h.psa.request_count(), 0);
    assert_eq!(h.get(&format!("{path}/charges")).await.json["items"], json!([]));
}

#[tokio::test]
async fn a_name_may_be_a_hundred_characters_long_whatever_they_are() {
    let (h, path) = connected().await;
    let name = "ü".repeat(100);
    let body = json!({"mode": "bundled", "name": name, "billing_code": CODE});
    let made = h.put(&format!("{path}{CLOUD}"), body).await;
    assert_eq!((made.status, &made.json["name"]), (201, &json!(name)));
}

#[tokio::test]
async fn a_billing_code_that_the_psa_can_not_use_is_refused_and_the_mapping_before_it_stays() {
    let codes = vec![
        CodeSpec::material("Old usage").inactive(),
        CodeSpec::material("Twice"),
        CodeSpec::material("Twice"),
        CodeSpec::material("Again").inactive(),
        CodeSpec::material("Again"),
        CodeSpec::recurring("Recurring"),
        CodeSpec::expense("Travel"),
    ];
    let (h, path) = with_codes(codes).await;
    let cloud = format!("{path}{CLOUD}");
    let before = h.put(&cloud, itemised()).await.json;
    for (name, code) in [
        ("Nothing", "psa_billing_code_not_found"),
        // Names are compared exactly, and only codes for material count.
        ("metered usage", "psa_billing_code_not_found"),
        ("Recurring", "psa_billing_code_not_found"),
        ("Travel", "psa_billing_code_not_found"),
        ("Old usage", "psa_billing_code_inactive"),
        ("Twice", "psa_billing_code_ambiguous"),
    ] {
        let problem = h.put(&cloud, with(itemised(), json!({"billing_code": name}))).await.problem();
        assert_eq!((&problem["status"], problem["code"].as_str()), (&json!(422), Some(code)), "{name}");
        assert_eq!(problem["errors"][0]["pointer"], "/billing_code", "{name}");
        assert!(problem["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{name}");
    }
    assert_eq!(h.get(&cloud).await.json, before);
    assert_eq!(h.put(&cloud, with(itemised(), json!({"billing_code": "Again"}))).await.status, 200);
    let inactive = h.put(&cloud, with(itemised(), json!({"billing_code": "Old usage"}))).await.problem();
    insta::assert_json_snapshot!(inactive, @r#"
    {
      "code": "psa_billing_code_inactive",
      "detail": "The billing code \"Old usage\" is not active in the PSA.",
      "errors": [
        {
          "detail": "must be the name of one active billing code for material",
          "pointer": "/billing_code"
        }
      ],
      "fix": "Make it active in the PSA, or name another one.",
      "request_id": "[request]",
      "status": 422,
      "title": "PSA billing code inactive",
      "type": "/problems/psa_billing_code_inactive"
    }
    "#);
}

#[tokio::test]
async fn a_psa_that_does_not_answer_refuses_charges_as_it_refuses_products() {
    let (h, path) = connected().await;
    let cloud = format!("{path}{CLOUD}");
    let before = h.put(&cloud, itemised()).await.json;
    h.psa.plan_fault(When::EveryRequest(Entity::Services), Fault::ResetBefore);
    h.psa.plan_fault(When::EveryRequest(Entity::BillingCodes), Fault::ResetBefore);
    let product = h.put(&format!("{path}/products/cloud"), json!({"service_id": "501"})).await;
    let charges = h.put(&cloud, with(itemised(), json!({"when": "after_period"}))).await;
    assert_eq!((charges.status, charges.problem()), (product.status, product.problem()));
    assert_eq!((charges.status, charges.header("retry-after")), (503, product.header("retry-after")));
    assert_eq!(h.get(&cloud).await.json, before, "what is stored is read without the PSA");
    assert_eq!(h.delete(&cloud).await.status, 204);
}

#[tokio::test]
async fn kaseya_bms_takes_no_charges() {
    let msp = On::<KaseyaBms>::adding().of([Customer::named("acme").line("edr", 40)]).start().await;
    let path = |rest: &str| format!("/v1/connections/{}{rest}", msp.connection);
    let refused = msp.call(Method::PUT, &path(CLOUD), Some(itemised())).await;
    insta::assert_json_snapshot!(refused.problem(), @r#"
    {
      "code": "psa_has_no_charges",
      "detail": "Tallyline can't put charges on contracts of Kaseya BMS.",
      "errors": [],
      "fix": "Bill what is metered there by hand, or count it as units of a service.",
      "request_id": "[request]",
      "status": 422,
      "title": "PSA has no charges",
      "type": "/problems/psa_has_no_charges"
    }
    "#);
    assert_eq!(msp.call(Method::GET, &path(CLOUD), None).await.status, 404);
    assert_eq!(msp.done(Method::GET, &path("/charges"), None).await["items"], json!([]));
    for (kind, code) in [("material", "psa_has_no_charges"), ("recurring_service", "psa_has_no_provisioning")] {
        let listed = msp.call(Method::GET, &path(&format!("/catalog/billing-codes?kind={kind}")), None).await;
        assert_eq!((listed.status, listed.problem()["code"].as_str()), (422, Some(code)));
    }
}

#[tokio::test]
async fn a_revoked_connection_takes_no_charge_mapping_and_shows_those_it_had() {
    let (h, path) = connected().await;
    let cloud = format!("{path}{CLOUD}");
    let mapped = h.put(&cloud, itemised()).await.json;
    assert_eq!(h.delete(&path).await.status, 204);
    for answer in [h.put(&cloud, itemised()).await, h.delete(&cloud).await] {
        assert_eq!((answer.status, answer.problem()["code"].as_str()), (409, Some("connection_revoked")));
    }
    assert_eq!(h.get(&cloud).await.json, mapped);
    assert_eq!(h.get(&format!("{path}/charges")).await.json["items"], json!([mapped]));
}

#[tokio::test]
async fn another_partners_charge_mappings_are_answered_like_none() {
    let (h, path) = connected().await;
    let cloud = format!("{path}{CLOUD}");
    let mapped = h.put(&cloud, itemised()).await.json;
    let token = h.token("another", &[Scope::Read, Scope::Write]);
    for (method, target) in [
        (Method::GET, cloud.clone()),
        (Method::PUT, cloud.clone()),
        (Method::DELETE, cloud.clone()),
        (Method::GET, format!("{path}/charges")),
        (Method::GET, format!("{path}/catalog/billing-codes?kind=material")),
    ] {
        let request = h.request(method.clone(), &target).bearer_auth(&token);
        let request = if method == Method::PUT { request.json(&itemised()) } else { request };
        let answer = Answer::to(request).await;
        assert_eq!((answer.status, &answer.problem()["code"]), (404, &json!("not_found")), "{method} {target}");
    }
    assert_eq!(h.get(&cloud).await.json, mapped);
}

#[tokio::test]
async fn mapping_charges_needs_the_write_scope() {
    let (h, path) = connected().await;
    let cloud = format!("{path}{CLOUD}");
    let ask = async |method: Method, scope| {
        let request = h.request(method.clone(), &cloud).bearer_auth(h.token(PARTNER, &[scope]));
        Answer::to(if method == Method::PUT { request.json(&itemised()) } else { request }).await.status
    };
    for scope in [Scope::Read, Scope::Usage] {
        assert_eq!((ask(Method::PUT, scope).await, ask(Method::DELETE, scope).await), (403, 403), "{scope:?}");
    }
    assert_eq!((ask(Method::PUT, Scope::Write).await, ask(Method::GET, Scope::Read).await), (201, 200));
    assert_eq!(ask(Method::GET, Scope::Usage).await, 403);
}

#[tokio::test]
async fn a_charge_mapping_of_a_newer_version_is_shown_as_it_stands_and_not_understood() {
    let msp = msp().await;
    let (partner, connection) = (PARTNER.parse().unwrap(), msp.connection.parse().unwrap());
    for product in ["cloud", "storage"] {
        msp.done(Method::PUT, &path_of(&msp, &format!("/charges/{product}")), Some(itemised())).await;
    }
    let key: Key = schema::charge_mapping(&partner, &connection, &"cloud".parse().unwrap());
    let mut stored: Value = msp.parts.table.get(&key, Read::Consistent).await.unwrap().unwrap();
    stored["mode"] = json!("by_region");
    stored["when"] = json!("weekly");
    assert!(msp.parts.table.put(&key, &stored, &Condition::present()).await.unwrap());

    let listed = msp.done(Method::GET, &path_of(&msp, "/charges"), None).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    let shown = |shown: &Value| (shown["mode"].clone(), shown["when"].clone());
    assert_eq!(shown(&listed["items"][0]), (json!("by_region"), json!("weekly")));
    assert_eq!(shown(&msp.done(Method::GET, &path_of(&msp, CLOUD), None).await), (json!("by_region"), json!("weekly")));

    let mappings = Mappings::new(msp.parts.table.clone());
    let understood = async || {
        let all = mappings.everything(&partner, &connection).await.unwrap().charges;
        all.iter().map(|mapping| mapping.newer.names()).collect::<Vec<_>>()
    };
    assert_eq!(understood().await, [vec!["mode".to_owned(), "when".to_owned()], vec![]]);
    // Saying it anew replaces it.
    msp.done(Method::PUT, &path_of(&msp, CLOUD), Some(itemised())).await;
    assert_eq!(understood().await, [Vec::<String>::new(), vec![]]);
}

#[tokio::test]
async fn a_charge_mapping_that_can_not_be_read_at_all_takes_no_list_down() {
    let msp = msp().await;
    let (partner, connection) = (PARTNER.parse().unwrap(), msp.connection.parse().unwrap());
    for product in ["cloud", "storage"] {
        msp.done(Method::PUT, &path_of(&msp, &format!("/charges/{product}")), Some(itemised())).await;
    }
    let key = schema::charge_mapping(&partner, &connection, &"cloud".parse().unwrap());
    let mut stored: Value = msp.parts.table.get(&key, Read::Consistent).await.unwrap().unwrap();
    stored["from"] = json!({"period": 3});
    assert!(msp.parts.table.put(&key, &stored, &Condition::present()).await.unwrap());
    let listed = msp.done(Method::GET, &path_of(&msp, "/charges"), None).await;
    assert_eq!(
        (&listed["items"][0]["product"], &listed["unreadable"][0]["row"]),
        (&json!("storage"), &json!("CHARGE#cloud"))
    );
}

#[tokio::test]
async fn the_history_tells_who_mapped_charges_and_what_changed() {
    let msp = msp().await;
    let office = Office::of(&msp);
    let path = path_of(&msp, CLOUD);
    let minute = || msp.clock.advance(jiff::SignedDuration::from_mins(1));
    for body in [itemised(), with(itemised(), json!({"markup_percent": "15"}))] {
        minute();
        office.does("anna", Method::PUT, &path, body).await;
    }
    minute();
    office.does("ben", Method::DELETE, &path, json!({})).await;

    let brief = |entries: Vec<Value>| -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        entries
            .iter()
            .map(|e| format!("{} by {}: {}", text(&e["kind"]), text(&e["actor"]), text(&e["summary"])))
            .collect()
    };
    let of_cloud = office.history(&msp.connection, "&product=cloud", 100).await.0;
    assert!(of_cloud.iter().all(|entry| entry["product"] == "cloud"));
    assert_eq!(of_cloud[1]["after"], json!({"markup_percent": "15"}));
    let told = brief(of_cloud);
    assert_eq!(
        told,
        [
            "charges_unmapped by ben: The mapping of charges of product cloud was removed.",
            "charges_remapped by anna: The mapping of charges of product cloud was changed: markup_percent.",
            "charges_mapped by anna: The charges of product cloud were mapped.",
        ]
    );
    assert_eq!(brief(office.history(&msp.connection, "", 3).await.0)[..3], told);
    assert_eq!(brief(office.history(&msp.connection, "&kind=charges_remapped", 100).await.0), told[1..2]);
    assert_eq!(office.history(&msp.connection, "&company=acme&product=cloud", 100).await.0.len(), 0);
    let of_products = brief(office.history(&msp.connection, "&kind=product_mapped", 100).await.0);
    assert_eq!(of_products.len(), 1, "{of_products:?}");
}

#[tokio::test]
async fn a_csv_file_holds_no_charges_and_leaves_them_as_they_are() {
    let msp = msp().await;
    let mapped = msp.done(Method::PUT, &path_of(&msp, "/charges/edr"), Some(itemised())).await;
    let sheet = msp.call(Method::GET, &path_of(&msp, "/mappings.csv"), None).await.text;
    assert!(!sheet.contains(CODE), "{sheet}");
    let service = msp.service("edr").to_string();
    let product = row(&[("type", "product"), ("product", "edr"), ("service_id", &service), ("minimum", "7")]);
    let imported = Answer::to(msp.importing("", file(&[product]))).await;
    assert_eq!((imported.status, &imported.json["changed"]), (200, &json!(1)), "{}", imported.text);
    assert_eq!(msp.done(Method::GET, &path_of(&msp, "/charges/edr"), None).await, mapped);
}

#[tokio::test]
async fn billing_codes_of_the_catalogue_are_listed_by_kind_in_pages_by_number() {
    let codes = vec![
        CodeSpec::material("Ten").id(10),
        CodeSpec::material("Nine").id(9),
        CodeSpec::material("Old").id(11).inactive(),
        CodeSpec::recurring("Recurring").id(12),
    ];
    let (h, path) = with_codes(codes).await;
    let codes = format!("{path}/catalog/billing-codes");
    let (mut found, mut sizes, mut cursor) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = h.get(&format!("{codes}?kind=material&limit=2{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let items = page.json["items"].as_array().unwrap();
        sizes.push(items.len());
        found.extend(items.iter().map(|item| {
            let text = |name: &str| item[name].as_str().unwrap().to_owned();
            format!("{} {} {}", text("id"), text("name"), item["active"])
        }));
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(sizes, [2, 2]);
    assert_eq!(found, ["9 Nine true", "10 Ten true", "11 Old false", "29683279 Metered usage true"]);
    let recurring = h.get(&format!("{codes}?kind=recurring_service")).await.json;
    assert!(recurring["items"].as_array().unwrap().iter().any(|item| item["id"] == "12"), "{recurring}");
    assert!(recurring["items"].as_array().unwrap().iter().all(|item| item["id"] != "10"), "{recurring}");
    for (query, parameter) in [("", "?kind"), ("?kind=labour", "?kind"), ("?kind=material&search=x", "?search")] {
        let problem = h.get(&format!("{codes}{query}")).await.problem();
        assert_eq!(problem["errors"][0]["pointer"], parameter, "{problem}");
    }
    let of_material = h.get(&format!("{codes}?kind=material&limit=2")).await.json["next_cursor"].clone();
    let mixed = h.get(&format!("{codes}?kind=recurring_service&cursor={}", of_material.as_str().unwrap())).await;
    assert_eq!(mixed.problem()["code"], "invalid_query");
}
