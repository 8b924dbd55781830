//! Zone discovery, credentials, rights and metadata.

use jiff::civil::date;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::autotask::{ApiUser, CompanySpec, ContractSpec, Entity, LineSpec, Right};

use crate::support::*;

const REFUSED: &str = "The logged in Resource does not have the adequate permissions to";

#[tokio::test]
async fn zone_information_needs_no_credentials_and_names_this_simulator_with_a_trailing_slash() {
    let sim = start(tenant().ci(987)).await;
    for path in ["atservicesrest/v1.0/zoneInformation", "ATServicesRest/V1.0/ZoneInformation"] {
        let url = format!("{}/{path}?user={}", sim.base(), sim.users()[0].username());
        let (status, body) = read(http().get(url).send().await.unwrap()).await;
        assert_eq!(status, 200);
        assert_eq!(body["url"], format!("{}/ATServicesRest/", sim.base()));
        assert_eq!(body["ci"], 987);
    }
    let url = format!("{}/atservicesrest/versioninformation", sim.base());
    let (_, body) = read(http().get(url).send().await.unwrap()).await;
    assert_eq!(body, json!({"apiVersions": ["V1.0", "V2.0"]}));
}

#[tokio::test]
async fn the_zone_of_an_unknown_or_blank_user_is_a_500_and_version_two_is_not_there() {
    let sim = start(tenant()).await;
    for (path, expected) in [
        ("v1.0/zoneInformation?user=nobody", 500),
        ("v1.0/zoneInformation?user=", 500),
        ("v1.0/zoneInformation", 500),
        ("v2.0/zoneInformation?user=x", 404),
    ] {
        let url = format!("{}/atservicesrest/{path}", sim.base());
        let (status, body) = read(http().get(url).send().await.unwrap()).await;
        assert_eq!(status, expected, "{path}");
        if status == 500 {
            assert_eq!(body, errors("Zone information could not be determined"));
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_is_401_and_a_wrong_user_or_code_is_500() {
    let good = ApiUser::full();
    let sim = setup(tenant()).user(good.clone()).user(good.clone().named("off", "s").inactive()).start().await.unwrap();
    let code = good.integration_code();
    for (user, expected) in [
        (ApiUser::new(good.username(), "wrong", code), 401),
        (ApiUser::new("nobody", good.secret(), code), 500),
        (ApiUser::new(good.username(), good.secret(), "wrong"), 500),
        (ApiUser::new("off", "s", code), 401),
        (good.clone(), 200),
    ] {
        let response = call(&sim, &user, Method::GET, "/Companies/1001").send().await.unwrap();
        assert_eq!(response.status(), expected, "{}", user.username());
        if expected == 401 {
            assert_eq!(response.text().await.unwrap(), "");
        }
    }
    sim.switch(|switches| switches.inactive_user_status = 500);
    let off = ApiUser::new("off", "s", code);
    assert_eq!(call(&sim, &off, Method::GET, "/Companies/1001").send().await.unwrap().status(), 500);
}

#[tokio::test]
async fn a_missing_right_is_a_500_with_the_known_text_or_a_403() {
    let user = ApiUser::full()
        .without(Entity::Contracts, Right::Query)
        .without(Entity::ContractServiceAdjustments, Right::Create);
    let sim = setup(tenant()).user(user).start().await.unwrap();
    let query = json!({"filter": [{"op": "gte", "field": "id", "value": 0}]});
    let (status, body) = post(&sim, "/Contracts/query", query.clone()).await;
    assert_eq!((status, body), (500, errors(&format!("{REFUSED} query this entity type."))));
    let adjustment = json!({"contractServiceID": LINE, "unitChange": 1, "effectiveDate": "2026-11-20T00:00:00"});
    let (status, body) = post(&sim, "/ContractServiceAdjustments", adjustment).await;
    assert_eq!((status, body), (500, errors(&format!("{REFUSED} create this entity type."))));
    assert!(sim.writes().is_empty());
    sim.switch(|switches| switches.permission_status = 403);
    assert_eq!(post(&sim, "/Contracts/query", query).await.0, 403);

    let (_, info) = get(&sim, "/Contracts/entityInformation").await;
    assert_eq!((&info["info"]["canQuery"], &info["info"]["userAccessForQuery"]), (&json!(false), &json!(0)));
    let (_, info) = get(&sim, "/ContractServiceAdjustments/entityInformation").await;
    assert_eq!((&info["info"]["canCreate"], &info["info"]["userAccessForCreate"]), (&json!(false), &json!(0)));
}

#[tokio::test]
async fn rows_vanish_silently_for_a_restricted_user() {
    let world = tenant()
        .company(CompanySpec::named("Hidden Ltd").id(1_002))
        .contract(ContractSpec::recurring("Secret").id(43))
        .line(LineSpec::of(SERVICE).units(3).posted_through(date(2026, 2, 28)));
    let user = ApiUser::full().blind_to_companies([1_002]).blind_to(Entity::Services);
    let sim = setup(world).user(user).start().await.unwrap();
    let all = json!({"op": "gte", "field": "id", "value": 1});
    for (entity, expected) in [
        ("Companies", 1),
        ("Contracts", 1),
        ("ContractServices", 1),
        ("ContractServiceUnits", 12),
        ("BillingItems", 0),
        ("Services", 0),
    ] {
        assert_eq!(rows(&sim, entity, all.clone()).await.len(), expected, "{entity}");
    }
    assert_eq!(get(&sim, "/Contracts/43").await, (200, json!({"item": null})));
    let (_, info) = get(&sim, "/Contracts/entityInformation").await;
    assert_eq!(info["info"]["userAccessForQuery"], 2);
}

#[tokio::test]
async fn costs_read_as_null_for_a_user_who_cannot_see_them() {
    let sim = setup(tenant()).user(ApiUser::full().cost_blind()).start().await.unwrap();
    let (_, line) = get(&sim, &format!("/ContractServices/{LINE}")).await;
    assert_eq!(line["item"]["unitCost"], Value::Null);
    assert_eq!(line["item"]["unitPrice"], json!(23.1));
    let with_cost = json!({"op": "gt", "field": "unitCost", "value": 0});
    assert!(rows(&sim, "ContractServices", with_cost).await.is_empty(), "a filter must not betray them");
}

#[tokio::test]
async fn metadata_lists_fields_and_picklist_values_as_strings() {
    let sim = start(tenant()).await;
    let (_, body) = get(&sim, "/Contracts/entityInformation/fields").await;
    let fields = body["fields"].as_array().unwrap();
    let field = |name: &str| fields.iter().find(|field| field["name"] == name).unwrap();
    let values = field("contractType")["picklistValues"].as_array().unwrap();
    assert!(values.iter().any(|value| value["value"] == "7" && value["label"] == "Recurring Service"));
    assert_eq!(field("status")["isPickList"], true);
    assert_eq!(field("companyID")["referenceEntityType"], "Company");
    assert_eq!(field("contractName")["picklistValues"], Value::Null);
    let (_, body) = get(&sim, "/Services/entityInformation/fields").await;
    let period = body["fields"].as_array().unwrap().iter().find(|field| field["name"] == "periodType").unwrap();
    assert_eq!(period["picklistValues"].as_array().unwrap().len(), 4);
    assert_eq!(get(&sim, "/ThresholdInformation/entityInformation").await.0, 404);
}

#[tokio::test]
async fn wrong_verbs_and_paths_answer_in_the_frameworks_shape() {
    let sim = start(tenant()).await;
    let (status, body) = get(&sim, "/ContractServiceAdjustments").await;
    assert_eq!(status, 405);
    assert_eq!(body, json!({"Message": "The requested resource does not support http method 'GET'."}));
    let delete = format!("/Contracts/{CONTRACT}/Services/{LINE}");
    let (status, body) = send(&sim, Method::DELETE, &delete, json!({})).await;
    assert_eq!((status, body["Message"].is_string()), (405, true));
    let (status, body) = get(&sim, "/Widgets/1").await;
    assert_eq!((status, body["Message"].is_string()), (404, true));
    assert_eq!(get(&sim, "/Contracts/999999").await, (200, json!({"item": null})));
}

#[tokio::test]
async fn no_credential_is_kept_or_shown() {
    let sim = start(tenant()).await;
    get(&sim, "/Companies/1001").await;
    let (secret, code) = (sim.users()[0].secret().to_owned(), sim.users()[0].integration_code().to_owned());
    let seen = format!("{sim:?} {:?}", sim.requests());
    assert!(!seen.contains(&secret) && !seen.contains(&code));
    assert!(seen.contains(sim.users()[0].username()));
}
