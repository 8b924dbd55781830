//! Products and companies are mapped, checked against the PSA, versioned, listed and removed.

use std::collections::BTreeSet;

use integration::{Answer, BEGINNING, Harness, PARTNER};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::domain::ids::{CompanyId, ConnectionId, PartnerId, ProductKey};
use shared::domain::policy::WhenAbsent;
use shared::store::mappings::{CompanyMapping, Expected, MappingVersion, Mappings, Override, ProductMapping};
use simulators::autotask::{Autotask, ServiceSpec, World};

/// The first customer of the simulated PSA, and its one active recurring contract.
const ACCOUNT: &str = "1001";
const CONTRACT: &str = "29680001";
/// Services of its catalogue.
const EDR: &str = "501";
const ITDR: &str = "502";

fn company(account: &str, contract: &str) -> Value {
    json!({"account_id": account, "contract_id": contract})
}

/// A company's mapping that was answered to a change, as it is read: with what the newest sync of it came to.
fn read(put: &Value) -> Value {
    let mut read = put.clone();
    read["last_sync"] = Value::Null;
    read
}

/// A harness and the path of its one connection.
async fn connected() -> (Harness, String) {
    let h = Harness::start().await;
    let path = format!("/v1/connections/{}", h.connect().await);
    (h, path)
}

fn ids(path: &str) -> (PartnerId, ConnectionId) {
    (PARTNER.parse().unwrap(), path.rsplit('/').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_product_is_mapped_read_changed_and_removed() {
    let (h, path) = connected().await;
    let edr = format!("{path}/products/edr");
    let body = json!({
        "service_id": EDR,
        "rule": {"counting": "high_water_mark", "exclude": 2, "commitment": {"units": 10, "until": "2027-06-30"}},
        "price": {"unit_cost": "from_usage", "markup_percent": "25"}
    });
    let first = h.put(&edr, body.clone()).await;
    assert_eq!(first.status, 201);
    insta::assert_json_snapshot!(first.json, @r#"
    {
      "price": {
        "markup_percent": "25",
        "unit_cost": "from_usage"
      },
      "product": "edr",
      "rule": {
        "commitment": {
          "units": 10,
          "until": "2027-06-30"
        },
        "counting": "high_water_mark",
        "exclude": 2,
        "minimum": 0,
        "rounding": "up"
      },
      "service_id": "501",
      "updated_at": "2026-11-21T12:00:00Z",
      "updated_by": "local",
      "version": 1
    }
    "#);
    assert_eq!(h.get(&edr).await.json, first.json);

    let changed = h.put(&edr, json!({"service_id": EDR})).await;
    assert_eq!((changed.status, &changed.json["version"]), (200, &json!(2)));
    assert_eq!(changed.json["rule"]["counting"], "latest");

    assert_eq!(h.delete(&edr).await.status, 204);
    assert_eq!(h.get(&edr).await.status, 404);
    assert_eq!(h.delete(&edr).await.problem()["code"], "not_found");
}

#[tokio::test]
async fn the_same_mapping_again_is_no_new_version() {
    let (h, path) = connected().await;
    let edr = format!("{path}/products/edr");
    let first = h.put(&edr, json!({"service_id": EDR, "rule": {"minimum": 5}})).await;
    h.clock.advance(jiff::SignedDuration::from_mins(5));
    let again = h.put(&edr, json!({"service_id": EDR, "rule": {"minimum": 5}})).await;
    assert_eq!((again.status, again.json), (200, first.json));
}

#[tokio::test]
async fn every_version_stays_readable_after_removal_and_the_next_one_goes_on() {
    let (h, path) = connected().await;
    let edr = format!("{path}/products/edr");
    h.put(&edr, json!({"service_id": EDR})).await;
    h.put(&edr, json!({"service_id": ITDR})).await;
    h.delete(&edr).await;
    let again = h.put(&edr, json!({"service_id": EDR})).await;
    assert_eq!((again.status, &again.json["version"]), (201, &json!(4)));

    let (partner, connection) = ids(&path);
    let mappings = Mappings::new(h.table.clone());
    let product: ProductKey = "edr".parse().unwrap();
    let mut history = Vec::new();
    for version in 1..=5 {
        let row: Option<MappingVersion<ProductMapping>> =
            mappings.version(&partner, &connection, &product, version).await.unwrap();
        history.push(
            row.map(|row| (row.mapping.service_id.expect("a service").to_string(), row.mapping.version, row.removed)),
        );
    }
    let row = |service: &str, version, removed| Some((service.to_owned(), version, removed));
    assert_eq!(history, [row(EDR, 1, false), row(ITDR, 2, false), row(ITDR, 3, true), row(EDR, 4, false), None]);
    // A similar name has a history of its own.
    let other = h.put(&format!("{path}/products/edr2"), json!({"service_id": EDR})).await;
    assert_eq!(other.json["version"], 1);
}

#[tokio::test]
async fn changes_at_the_same_time_each_get_a_version_of_their_own_or_are_told() {
    let (h, path) = connected().await;
    let edr = format!("{path}/products/edr");
    let puts: Vec<_> = (0..6)
        .map(|minimum| {
            let request = h.signed(Method::PUT, &edr).json(&json!({"service_id": EDR, "rule": {"minimum": minimum}}));
            tokio::spawn(Answer::to(request))
        })
        .collect();
    let (mut versions, mut told) = (BTreeSet::new(), 0);
    for put in puts {
        let answer = put.await.unwrap();
        match answer.status {
            200 | 201 => assert!(versions.insert(answer.json["version"].as_u64().unwrap())),
            _ => {
                assert_eq!(answer.problem()["code"], "mapping_contended");
                told += 1;
            }
        }
    }
    assert_eq!(versions.len() + told, 6);
    assert_eq!(versions, (1..=versions.len() as u64).collect());
    assert_eq!(h.get(&edr).await.json["version"].as_u64().unwrap(), versions.len() as u64);
}

#[tokio::test]
async fn a_company_is_mapped_with_what_differs_for_single_products() {
    let (h, path) = connected().await;
    let acme = format!("{path}/companies/acme");
    let mut body = company(ACCOUNT, CONTRACT);
    body["overrides"] = json!({
        "edr": {"service_id": ITDR, "rule": {"minimum": 3}, "opening_units": 12},
        "sat": {"excluded": true}
    });
    body["when_absent"] = "zero".into();
    let first = h.put(&acme, body).await;
    assert_eq!(first.status, 201, "{}", first.text);
    insta::assert_json_snapshot!(first.json, @r#"
    {
      "account_id": "1001",
      "company": "acme",
      "contract_id": "29680001",
      "openings": {
        "edr": {
          "line": {
            "contract": "29680001",
            "service": "502"
          },
          "stated_at": "2026-11-21T12:00:00Z",
          "units": 12
        }
      },
      "overrides": {
        "edr": {
          "opening_units": 12,
          "rule": {
            "counting": "latest",
            "exclude": 0,
            "minimum": 3,
            "rounding": "up"
          },
          "service_id": "502"
        },
        "sat": {
          "excluded": true
        }
      },
      "updated_at": "2026-11-21T12:00:00Z",
      "updated_by": "local",
      "version": 1,
      "when_absent": "zero"
    }
    "#);
    assert_eq!(h.get(&acme).await.json, read(&first.json));

    let plain = h.put(&acme, company(ACCOUNT, CONTRACT)).await;
    assert_eq!((plain.status, &plain.json["version"], &plain.json["when_absent"]), (200, &json!(2), &json!("keep")));
    assert_eq!(h.delete(&acme).await.status, 204);
    assert_eq!(h.get(&acme).await.status, 404);
}

#[tokio::test]
async fn lists_page_in_the_order_of_names_and_end() {
    let (h, path) = connected().await;
    for name in ["e", "c", "a", "d", "b"] {
        assert_eq!(h.put(&format!("{path}/companies/{name}"), company(ACCOUNT, CONTRACT)).await.status, 201);
        assert_eq!(h.put(&format!("{path}/products/{name}"), json!({"service_id": EDR})).await.status, 201);
    }
    for (kind, field) in [("companies", "company"), ("products", "product")] {
        let (mut pages, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = h.get(&format!("{path}/{kind}?limit=2{cursor}")).await.json;
            let names: Vec<_> =
                page["items"].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect();
            pages.push(names.join(""));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(pages, ["ab", "cd", "e"], "{kind}");
    }
    let products = h.get(&format!("{path}/products?limit=1")).await.json["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(h.get(&format!("{path}/companies?cursor={products}")).await.problem()["code"], "invalid_query");
}

#[tokio::test]
async fn an_unknown_service_is_refused_and_the_mapping_before_it_stays() {
    let (h, path) = connected().await;
    let edr = format!("{path}/products/edr");
    let before = h.put(&edr, json!({"service_id": EDR})).await.json;
    let answer = h.put(&edr, json!({"service_id": "99999"})).await;
    insta::assert_json_snapshot!(answer.problem(), @r#"
    {
      "code": "service_not_found",
      "detail": "The PSA shows no active service of this id.",
      "errors": [
        {
          "detail": "must be an active service",
          "pointer": "/service_id"
        }
      ],
      "fix": "Choose a service of the PSA's catalogue, or let the API user see it.",
      "request_id": "[request]",
      "status": 422,
      "title": "Service not found",
      "type": "/problems/service_not_found"
    }
    "#);
    assert_eq!(h.put(&edr, json!({"service_id": "no number"})).await.problem()["code"], "service_not_found");
    assert_eq!(h.get(&edr).await.json, before);
}

#[tokio::test]
async fn a_service_is_found_on_any_page_of_the_catalogue() {
    let services = (1..=250).map(|id| ServiceSpec::named(format!("Service {id}")).id(id));
    let world = services.fold(World::builder(), |builder, service| builder.service(service)).build().unwrap();
    let clock = simulators::Clock::from_fn(|| BEGINNING.parse().unwrap());
    let h = Harness::with(|_| Autotask::setup(world).clock(clock)).await;
    let path = format!("/v1/connections/{}", h.connect().await);
    for (service, status) in [("1", 201), ("101", 201), ("250", 201), ("251", 422)] {
        let answer = h.put(&format!("{path}/products/p{service}"), json!({"service_id": service})).await;
        assert_eq!(answer.status, status, "{service}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_contract_that_cannot_be_billed_on_is_refused_with_its_reason() {
    let (h, path) = connected().await;
    let acme = format!("{path}/companies/acme");
    let before = read(&h.put(&acme, company(ACCOUNT, CONTRACT)).await.json);
    h.psa.set_contract_status(29_680_005, 0).unwrap();

    let refused = async |account: &str, contract: &str, code: &str| {
        let problem = h.put(&acme, company(account, contract)).await.problem();
        assert_eq!((&problem["status"], problem["code"].as_str()), (&json!(422), Some(code)), "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], "/contract_id");
        assert!(!problem["fix"].as_str().unwrap().is_empty());
        problem
    };
    insta::assert_json_snapshot!(refused(ACCOUNT, "12345", "contract_not_found").await, @r#"
    {
      "code": "contract_not_found",
      "detail": "The PSA shows no contract of this id.",
      "errors": [
        {
          "detail": "The PSA shows no contract of this id.",
          "pointer": "/contract_id"
        }
      ],
      "fix": "Choose an existing contract for this company, or let the API user see it.",
      "request_id": "[request]",
      "status": 422,
      "title": "Contract not found",
      "type": "/problems/contract_not_found"
    }
    "#);
    insta::assert_json_snapshot!(refused("1004", "29680014", "contract_not_recurring").await, @r#"
    {
      "code": "contract_not_recurring",
      "detail": "\"Office move\" is not a recurring service contract.",
      "errors": [
        {
          "detail": "\"Office move\" is not a recurring service contract.",
          "pointer": "/contract_id"
        }
      ],
      "fix": "Choose a recurring service contract; only those carry units.",
      "request_id": "[request]",
      "status": 422,
      "title": "Contract not recurring",
      "type": "/problems/contract_not_recurring"
    }
    "#);
    insta::assert_json_snapshot!(refused("1005", "29680019", "contract_ended").await, @r#"
    {
      "code": "contract_ended",
      "detail": "\"Managed Security (previous term)\" ended on 2026-02-23.",
      "errors": [
        {
          "detail": "\"Managed Security (previous term)\" ended on 2026-02-23.",
          "pointer": "/contract_id"
        }
      ],
      "fix": "Choose the contract that follows it, or move its end date in the PSA.",
      "request_id": "[request]",
      "status": 422,
      "title": "Contract ended",
      "type": "/problems/contract_ended"
    }
    "#);
    refused("1002", "29680005", "contract_inactive").await;
    refused("1003", CONTRACT, "contract_of_another_account").await;
    refused(ACCOUNT, "no number", "contract_not_found").await;
    assert_eq!(h.get(&acme).await.json, before);
}

#[tokio::test]
async fn a_contract_that_has_yet_to_begin_may_be_mapped() {
    let (h, path) = connected().await;
    h.clock.set("2024-01-01T00:00:00Z");
    let answer = h.put(&format!("{path}/companies/acme"), company(ACCOUNT, CONTRACT)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

#[tokio::test]
async fn contracts_and_services_of_overrides_are_looked_up_as_well() {
    let (h, path) = connected().await;
    let acme = format!("{path}/companies/acme");
    let mut body = company(ACCOUNT, CONTRACT);
    body["overrides"] = json!({"edr": {"contract_id": "29680005"}, "a/b": {"contract_id": "1"}});
    insta::assert_json_snapshot!(h.put(&acme, body).await.problem(), @r#"
    {
      "code": "contract_not_found",
      "detail": "The PSA shows no contract of this id.",
      "errors": [
        {
          "detail": "The PSA shows no contract of this id.",
          "pointer": "/overrides/a~1b/contract_id"
        },
        {
          "detail": "\"Managed Security\" belongs to another account.",
          "pointer": "/overrides/edr/contract_id"
        }
      ],
      "fix": "Choose an existing contract for this company, or let the API user see it.",
      "request_id": "[request]",
      "status": 422,
      "title": "Contract not found",
      "type": "/problems/contract_not_found"
    }
    "#);
    let mut body = company(ACCOUNT, CONTRACT);
    body["overrides"] = json!({"edr": {"service_id": "1"}, "itdr": {"service_id": ITDR}, "sat": {"service_id": "1"}});
    insta::assert_json_snapshot!(h.put(&acme, body).await.problem(), @r#"
    {
      "code": "service_not_found",
      "detail": "The PSA shows no active service of this id.",
      "errors": [
        {
          "detail": "must be an active service",
          "pointer": "/overrides/edr/service_id"
        },
        {
          "detail": "must be an active service",
          "pointer": "/overrides/sat/service_id"
        }
      ],
      "fix": "Choose a service of the PSA's catalogue, or let the API user see it.",
      "request_id": "[request]",
      "status": 422,
      "title": "Service not found",
      "type": "/problems/service_not_found"
    }
    "#);
    assert_eq!(h.get(&acme).await.status, 404);
}

#[tokio::test]
async fn what_contradicts_itself_is_refused_before_the_psa_is_asked() {
    let (h, path) = connected().await;
    h.psa.reset_counts();
    let rule = json!({"minimum": 10, "maximum": 5, "commitment": {"units": 20, "until": "2027-01-01"}});
    let body = json!({"service_id": EDR, "rule": rule, "price": {"unit_cost": "fixed", "markup_percent": "1"}});
    insta::assert_json_snapshot!(h.put(&format!("{path}/products/edr"), body).await.problem(), @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid in 3 places.",
      "errors": [
        {
          "detail": "must not be below the minimum",
          "pointer": "/rule/maximum"
        },
        {
          "detail": "must not be below the commitment",
          "pointer": "/rule/maximum"
        },
        {
          "detail": "is needed where unit_cost is fixed",
          "pointer": "/price/fixed"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    let mut body = company(ACCOUNT, CONTRACT);
    body["overrides"] = json!({"edr": {"rule": rule}});
    insta::assert_json_snapshot!(h.put(&format!("{path}/companies/acme"), body).await.problem(), @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid in 2 places.",
      "errors": [
        {
          "detail": "must not be below the minimum",
          "pointer": "/overrides/edr/rule/maximum"
        },
        {
          "detail": "must not be below the commitment",
          "pointer": "/overrides/edr/rule/maximum"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    assert_eq!(h.psa.request_count(), 0);
}

#[tokio::test]
async fn input_that_is_no_mapping_is_refused_with_its_pointer() {
    let (h, path) = connected().await;
    for (kind, body, pointer) in [
        ("products/edr", json!({}), "/service_id"),
        ("products/edr", json!({"service_id": 501}), "/service_id"),
        ("products/edr", json!({"service_id": "a#b"}), "/service_id"),
        ("products/edr", json!({"service_id": EDR, "units": 3}), "/units"),
        ("products/edr", json!({"service_id": EDR, "rule": {"minimum": -1}}), "/rule/minimum"),
        ("products/edr", json!({"service_id": EDR, "rule": {"minimum": 1.5}}), "/rule/minimum"),
        ("products/edr", json!({"service_id": EDR, "rule": {"counting": "guess"}}), "/rule/counting"),
        ("products/edr", json!({"service_id": EDR, "rule": {"commitment": {"units": 1}}}), "/rule/commitment/until"),
        ("products/edr", json!({"service_id": EDR, "price": {"unit_cost": "fixed", "fixed": 12.5}}), "/price/fixed"),
        ("products/edr", json!({"service_id": EDR, "price": {"unit_cost": "none", "fixed": "1"}}), "/price/fixed"),
        (
            "products/edr",
            json!({"service_id": EDR, "price": {"unit_cost": "none", "markup_percent": "1"}}),
            "/price/markup_percent",
        ),
        ("products/a%23b", json!({"service_id": EDR}), "path:product"),
        ("companies/acme", json!({"account_id": ACCOUNT}), "/contract_id"),
        (
            "companies/acme",
            json!({"account_id": ACCOUNT, "contract_id": CONTRACT, "when_absent": "guess"}),
            "/when_absent",
        ),
        (
            "companies/acme",
            json!({"account_id": ACCOUNT, "contract_id": CONTRACT, "overrides": {"edr": {"units": 1}}}),
            "/overrides/edr/units",
        ),
        (
            "companies/acme",
            json!({"account_id": ACCOUNT, "contract_id": CONTRACT, "overrides": {"edr": {"opening_units": -1}}}),
            "/overrides/edr/opening_units",
        ),
        ("companies/%20", json!({"account_id": ACCOUNT, "contract_id": CONTRACT}), "path:company"),
    ] {
        let problem = h.put(&format!("{path}/{kind}"), body.clone()).await.problem();
        assert_eq!(
            (&problem["status"], problem["errors"][0]["pointer"].as_str()),
            (&json!(422), Some(pointer)),
            "{kind} {body}"
        );
    }
    let many: serde_json::Map<_, _> = (0..101).map(|n| (format!("p{n}"), json!({"excluded": true}))).collect();
    let mut body = company(ACCOUNT, CONTRACT);
    body["overrides"] = many.into();
    assert_eq!(h.put(&format!("{path}/companies/acme"), body).await.problem()["errors"][0]["pointer"], "/overrides");
    assert_eq!(h.get(&format!("{path}/products")).await.json["items"], json!([]));
    assert_eq!(h.get(&format!("{path}/companies")).await.json["items"], json!([]));
}

#[tokio::test]
async fn a_revoked_connection_takes_no_mapping_and_shows_those_it_had() {
    let (h, path) = connected().await;
    let (edr, acme) = (format!("{path}/products/edr"), format!("{path}/companies/acme"));
    let product = h.put(&edr, json!({"service_id": EDR})).await.json;
    let mapped = read(&h.put(&acme, company(ACCOUNT, CONTRACT)).await.json);
    assert_eq!(h.delete(&path).await.status, 204);
    insta::assert_json_snapshot!(h.put(&edr, json!({"service_id": ITDR})).await.problem(), @r#"
    {
      "code": "connection_revoked",
      "detail": "The connection was revoked.",
      "errors": [],
      "fix": "Make a new connection.",
      "request_id": "[request]",
      "status": 409,
      "title": "Connection revoked",
      "type": "/problems/connection_revoked"
    }
    "#);
    assert_eq!(h.put(&acme, company(ACCOUNT, CONTRACT)).await.status, 409);
    assert_eq!(h.delete(&edr).await.status, 409);
    assert_eq!(h.get(&edr).await.json, product);
    assert_eq!(h.get(&format!("{path}/companies")).await.json["items"], json!([mapped]));
    assert_eq!(h.get(&format!("{path}/mappings")).await.json, json!({"products": 1, "charges": 0, "companies": 1}));
}

#[tokio::test]
async fn what_is_mapped_is_counted_by_kind() {
    let (h, path) = connected().await;
    let counts = async || h.get(&format!("{path}/mappings")).await.json;
    assert_eq!(counts().await, json!({"products": 0, "charges": 0, "companies": 0}));
    for (product, service) in [("edr", EDR), ("itdr", ITDR)] {
        assert_eq!(h.put(&format!("{path}/products/{product}"), json!({"service_id": service})).await.status, 201);
    }
    for name in ["acme", "bolt", "cord"] {
        assert_eq!(h.put(&format!("{path}/companies/{name}"), company(ACCOUNT, CONTRACT)).await.status, 201, "{name}");
    }
    assert_eq!(counts().await, json!({"products": 2, "charges": 0, "companies": 3}));
    assert_eq!(h.delete(&format!("{path}/companies/bolt")).await.status, 204);
    assert_eq!(counts().await["companies"], 2);
}

#[tokio::test]
async fn another_partners_mappings_are_answered_like_none() {
    let (h, path) = connected().await;
    let (edr, acme) = (format!("{path}/products/edr"), format!("{path}/companies/acme"));
    let product = h.put(&edr, json!({"service_id": EDR})).await.json;
    let mapped = read(&h.put(&acme, company(ACCOUNT, CONTRACT)).await.json);
    let token = h.token("another", &[Scope::Read, Scope::Write]);
    for (method, target) in [
        (Method::GET, edr.clone()),
        (Method::PUT, edr.clone()),
        (Method::DELETE, edr.clone()),
        (Method::GET, acme.clone()),
        (Method::PUT, acme.clone()),
        (Method::DELETE, acme.clone()),
        (Method::GET, format!("{path}/products")),
        (Method::GET, format!("{path}/companies")),
        (Method::GET, format!("{path}/mappings")),
    ] {
        let request = h.request(method.clone(), &target).bearer_auth(&token);
        let request = match (method == Method::PUT, target == edr) {
            (true, true) => request.json(&json!({"service_id": ITDR})),
            (true, false) => request.json(&company(ACCOUNT, CONTRACT)),
            _ => request,
        };
        assert_eq!(Answer::to(request).await.problem()["code"], "not_found", "{method} {target}");
    }
    assert_eq!((h.get(&edr).await.json, h.get(&acme).await.json), (product, mapped));
}

#[tokio::test]
async fn mapping_needs_the_write_scope() {
    let (h, path) = connected().await;
    let edr = format!("{path}/products/edr");
    for scope in [Scope::Read, Scope::Usage] {
        let request =
            h.request(Method::PUT, &edr).bearer_auth(h.token(PARTNER, &[scope])).json(&json!({"service_id": EDR}));
        assert_eq!(Answer::to(request).await.problem()["code"], "scope_missing");
        let request = h.request(Method::DELETE, &edr).bearer_auth(h.token(PARTNER, &[scope]));
        assert_eq!(Answer::to(request).await.problem()["code"], "scope_missing");
    }
    let request = h.request(Method::GET, &format!("{path}/products")).bearer_auth(h.token(PARTNER, &[Scope::Usage]));
    assert_eq!(Answer::to(request).await.status, 403);
}

#[tokio::test]
async fn the_sync_loads_all_mappings_across_pages_of_the_store() {
    let h = Harness::start().await;
    let (partner, connection): (PartnerId, ConnectionId) = (PARTNER.parse().unwrap(), "conn_1".parse().unwrap());
    let mappings = Mappings::new(h.table.clone());
    // Rows of some 25 KB, so that sixty of them are more than the megabyte that one query gives.
    let overrides = (0..100).map(|n| {
        let rule = Some(serde_json::from_value(json!({"minimum": n})).unwrap());
        (format!("product-{n:03}").parse().unwrap(), Override { rule, ..Override::default() })
    });
    let mapping = |n: u32| CompanyMapping {
        company: format!("c{n:03}").parse().unwrap(),
        account_id: ACCOUNT.parse().unwrap(),
        contract_id: CONTRACT.parse().unwrap(),
        overrides: overrides.clone().collect(),
        openings: Default::default(),
        when_absent: WhenAbsent::Hold,
        version: 0,
        updated_at: h.clock.time(),
        updated_by: "ann".to_owned(),
        newer: Default::default(),
    };
    for n in 0..60 {
        mappings.put(&partner, &connection, mapping(n), Expected::Anything).await.unwrap();
    }
    let all = mappings.everything(&partner, &connection).await.unwrap().companies;
    let names: Vec<_> = all.iter().map(|mapping| mapping.company.clone()).collect();
    assert_eq!(names, (0..60).map(|n| format!("c{n:03}").parse::<CompanyId>().unwrap()).collect::<Vec<_>>());
    assert_eq!(all[7], CompanyMapping { version: 1, ..mapping(7) });
    assert_eq!(mappings.all_products(&partner, &connection).await.unwrap(), []);
}
