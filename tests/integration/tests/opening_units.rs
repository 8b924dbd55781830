//! Opening units of a company's mapping: a statement about one line, made once and kept until it is made anew.

use integration::{Answer, Harness, PARTNER};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use shared::domain::ids::{CompanyId, ConnectionId, PartnerId};
use shared::store::mappings::{CompanyMapping, Expected, MappingVersion, Mappings, Stored};

/// The first customer of the simulated PSA, and its one active recurring contract.
const ACCOUNT: &str = "1001";
const CONTRACT: &str = "29680001";
/// Services of its catalogue.
const EDR: &str = "501";
const ITDR: &str = "502";

/// A harness, a connection on which `edr` is mapped, and the path of its company `acme`.
async fn mapped() -> (Harness, String, String) {
    let h = Harness::start().await;
    let path = format!("/v1/connections/{}", h.connect().await);
    product(&h, &path, "edr", EDR).await;
    let acme = format!("{path}/companies/acme");
    (h, path, acme)
}

async fn product(h: &Harness, path: &str, product: &str, service: &str) {
    let answer = h.put(&format!("{path}/products/{product}"), json!({"service_id": service})).await;
    assert!(answer.status < 300, "{}", answer.text);
}

fn body(overrides: Value) -> Value {
    json!({"account_id": ACCOUNT, "contract_id": CONTRACT, "overrides": overrides})
}

/// Puts the mapping with these overrides, an hour after whatever was before.
async fn put(h: &Harness, acme: &str, overrides: Value) -> Value {
    h.clock.advance(SignedDuration::from_hours(1));
    let answer = h.put(acme, body(overrides)).await;
    assert!(answer.status < 300, "{}", answer.text);
    assert_eq!(h.get(acme).await.json["openings"], answer.json["openings"]);
    answer.json
}

#[tokio::test]
async fn a_statement_is_put_on_record_with_its_line_and_its_time_and_is_shown() {
    let (h, path, acme) = mapped().await;
    let stated = put(&h, &acme, json!({"edr": {"opening_units": 12}})).await;
    insta::assert_json_snapshot!(stated["openings"], @r#"
    {
      "edr": {
        "line": {
          "contract": "29680001",
          "service": "501"
        },
        "stated_at": "2026-11-21T13:00:00Z",
        "units": 12
      }
    }
    "#);
    let listed = h.get(&format!("{path}/companies")).await.json;
    assert_eq!(listed["items"][0]["openings"], stated["openings"]);
    // Zero is a statement like any other.
    let zero = put(&h, &acme, json!({"edr": {"opening_units": 0}})).await;
    assert_eq!(zero["openings"]["edr"]["units"], 0);
}

#[tokio::test]
async fn a_change_of_something_else_does_not_state_the_number_again() {
    let (h, path, acme) = mapped().await;
    let first = put(&h, &acme, json!({"edr": {"opening_units": 12}})).await;
    let same = put(&h, &acme, json!({"edr": {"opening_units": 12}})).await;
    assert_eq!(same, first, "the same mapping again is no new version");

    product(&h, &path, "itdr", ITDR).await;
    let more =
        put(&h, &acme, json!({"edr": {"opening_units": 12, "rule": {"minimum": 3}}, "itdr": {"opening_units": 5}}));
    let more = more.await;
    assert_eq!(more["version"], 2);
    assert_eq!(more["openings"]["edr"], first["openings"]["edr"], "an unrelated change stated the units again");
    assert_eq!(more["openings"]["itdr"]["stated_at"], "2026-11-21T15:00:00Z");
    // The product's rule is not the line either.
    h.put(&format!("{path}/products/edr"), json!({"service_id": EDR, "rule": {"minimum": 1}})).await;
    assert_eq!(
        put(&h, &acme, json!({"edr": {"opening_units": 12}})).await["openings"]["edr"],
        first["openings"]["edr"]
    );
}

#[tokio::test]
async fn another_number_or_another_line_is_a_new_statement() {
    let (h, path, acme) = mapped().await;
    put(&h, &acme, json!({"edr": {"opening_units": 12}})).await;
    let number = put(&h, &acme, json!({"edr": {"opening_units": 13}})).await;
    assert_eq!(
        (&number["openings"]["edr"]["units"], &number["openings"]["edr"]["stated_at"]),
        (&json!(13), &json!("2026-11-21T14:00:00Z"))
    );
    let service = put(&h, &acme, json!({"edr": {"opening_units": 14, "service_id": ITDR}})).await;
    assert_eq!(
        service["openings"]["edr"],
        json!({"units": 14, "line": {"contract": CONTRACT, "service": ITDR}, "stated_at": "2026-11-21T15:00:00Z"})
    );
    // Back to the product's own service: that is another line than the one last spoken of.
    let back = put(&h, &acme, json!({"edr": {"opening_units": 13}})).await;
    assert_eq!(back["openings"]["edr"]["stated_at"], "2026-11-21T16:00:00Z");
    // The product moves to another service: what was said was said of the line before.
    product(&h, &path, "edr", ITDR).await;
    assert_eq!(h.get(&acme).await.json["openings"], back["openings"]);
}

#[tokio::test]
async fn a_number_is_not_carried_over_to_another_line() {
    let (h, path, acme) = mapped().await;
    let first = put(&h, &acme, json!({"edr": {"opening_units": 13}})).await;
    product(&h, &path, "edr", ITDR).await;
    let carried = h.put(&acme, body(json!({"edr": {"opening_units": 13}}))).await;
    assert_eq!((carried.status, &carried.json["errors"][0]["pointer"]), (422, &json!("/overrides/edr/opening_units")));
    assert_eq!(h.get(&acme).await.json["openings"], first["openings"]);
    // Said of the new line on purpose, it counts.
    put(&h, &acme, json!({})).await;
    let stated = put(&h, &acme, json!({"edr": {"opening_units": 13}})).await;
    assert_eq!(stated["openings"]["edr"]["line"]["service"], ITDR);
}

#[tokio::test]
async fn a_statement_that_is_taken_out_and_sent_again_is_made_anew() {
    let (h, _, acme) = mapped().await;
    put(&h, &acme, json!({"edr": {"opening_units": 12}})).await;
    let without = put(&h, &acme, json!({"edr": {"rule": {"minimum": 3}}})).await;
    assert_eq!(without["openings"], Value::Null);
    let again = put(&h, &acme, json!({"edr": {"opening_units": 12}})).await;
    assert_eq!(again["openings"]["edr"]["stated_at"], "2026-11-21T15:00:00Z");
    // A mapping that was removed and comes back says what it said before.
    assert_eq!(h.delete(&acme).await.status, 204);
    let anew = put(&h, &acme, json!({"edr": {"opening_units": 12}})).await;
    assert_eq!(anew["openings"]["edr"]["stated_at"], "2026-11-21T15:00:00Z");
}

#[tokio::test]
async fn units_of_a_product_without_a_service_are_refused_before_the_psa_is_asked() {
    let (h, path, acme) = mapped().await;
    h.psa.reset_counts();
    let overrides = json!({"edr": {"opening_units": 1}, "a/b": {"opening_units": 1}, "sat": {"opening_units": 0}});
    let refused = h.put(&acme, body(overrides.clone())).await;
    insta::assert_json_snapshot!(refused.problem(), @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid in 2 places.",
      "errors": [
        {
          "detail": "are units of a line: map the product first, or name its service here",
          "pointer": "/overrides/a~1b/opening_units"
        },
        {
          "detail": "are units of a line: map the product first, or name its service here",
          "pointer": "/overrides/sat/opening_units"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    assert_eq!((h.psa.request_count(), h.get(&acme).await.status), (0, 404));
    // Each of the two ways out.
    product(&h, &path, "a%2Fb", ITDR).await;
    let mut named = overrides;
    named["sat"]["service_id"] = ITDR.into();
    let stated = put(&h, &acme, named).await;
    assert_eq!(stated["openings"]["a/b"]["line"]["service"], ITDR);
    assert_eq!(stated["openings"]["sat"]["line"]["service"], ITDR);
}

#[tokio::test]
async fn nobody_sends_a_statement_with_a_time_of_their_own() {
    let (h, _, acme) = mapped().await;
    let mut sent = body(json!({"edr": {"opening_units": 12}}));
    sent["openings"] = json!({"edr": {"units": 12, "line": {"contract": CONTRACT, "service": EDR}, "stated_at": "2020-01-01T00:00:00Z"}});
    let problem = h.put(&acme, sent).await.problem();
    assert_eq!((&problem["status"], problem["errors"][0]["pointer"].as_str()), (&json!(422), Some("/openings")));
    assert_eq!(h.get(&acme).await.status, 404);
}

#[tokio::test]
async fn statements_at_the_same_time_are_one_and_each_version_says_when_it_was_made() {
    let (h, path, acme) = mapped().await;
    put(&h, &acme, json!({"edr": {"opening_units": 12}})).await;
    h.clock.advance(SignedDuration::from_hours(1));
    let puts: Vec<_> = (1..=4)
        .map(|minimum| {
            let overrides = json!({"edr": {"opening_units": 12, "rule": {"minimum": minimum}}});
            tokio::spawn(Answer::to(h.signed(Method::PUT, &acme).json(&body(overrides))))
        })
        .collect();
    for put in puts {
        put.await.unwrap();
    }
    let (partner, connection): (PartnerId, ConnectionId) =
        (PARTNER.parse().unwrap(), path.rsplit('/').next().unwrap().parse().unwrap());
    let company: CompanyId = "acme".parse().unwrap();
    let mappings = Mappings::new(h.table.clone());
    let newest = h.get(&acme).await.json["version"].as_u64().unwrap();
    assert!(newest > 1, "none of them came through");
    for version in 1..=u32::try_from(newest).unwrap() {
        let row: Option<MappingVersion<CompanyMapping>> =
            mappings.version(&partner, &connection, &company, version).await.unwrap();
        let openings = row.unwrap().mapping.openings;
        let times: Vec<_> = openings.values().map(|opening| opening.stated_at.to_string()).collect();
        assert_eq!(times, ["2026-11-21T13:00:00Z"], "version {version}");
    }
}

#[tokio::test]
async fn a_statement_that_another_writer_stored_in_between_is_the_one_that_is_repeated() {
    let (h, path, acme) = mapped().await;
    let before = put(&h, &acme, json!({})).await;
    assert_eq!(before["openings"], Value::Null);
    // Two writers who both read the mapping before there was a statement; the slower one comes to the store later.
    let (partner, connection): (PartnerId, ConnectionId) =
        (PARTNER.parse().unwrap(), path.rsplit('/').next().unwrap().parse().unwrap());
    let mappings = Mappings::new(h.table.clone());
    let stated = put(&h, &acme, json!({"edr": {"opening_units": 12}})).await;
    let mut late: CompanyMapping =
        mappings.get(&partner, &connection, &"acme".parse().unwrap()).await.unwrap().unwrap();
    let first = late.openings.values().next().unwrap().stated_at;
    for opening in late.openings.values_mut() {
        opening.stated_at = first + SignedDuration::from_hours(1);
    }
    let same = mappings.put(&partner, &connection, late.clone(), Expected::Anything).await.unwrap();
    assert!(matches!(same, Stored::Unchanged(_)), "{same:?}");
    late.overrides.values_mut().for_each(|different| different.excluded = true);
    let changed = mappings.put(&partner, &connection, late, Expected::Anything).await.unwrap();
    let Stored::Changed(changed) = changed else { panic!("{changed:?}") };
    assert_eq!(json!(changed.openings), stated["openings"]);
}
