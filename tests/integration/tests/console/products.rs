//! Products: what is not mapped is told, rules and prices are sent as they were filled in, removal says whom it affects.

use integration::msp::{Customer, Msp, Setup};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;

use crate::filling::{anna, filled, person, send};

async fn msp() -> Msp {
    let msp =
        Setup::of([Customer::named("acme").line("edr", 40), Customer::named("beta").line("edr", 5).line("sat", 2)])
            .start()
            .await;
    msp.push(&[("acme", "edr", 40), ("beta", "edr", 5), ("beta", "m365", 9), ("odd", "m365", 2), ("odd", "edr", 1)])
        .await;
    msp
}

fn at(msp: &Msp, end: &str) -> String {
    format!("/console/connections/{}{end}", msp.connection)
}

async fn stored(msp: &Msp, what: &str) -> Value {
    msp.call(Method::GET, &format!("/v1/connections/{}/{what}", msp.connection), None).await.json
}

#[tokio::test]
async fn a_product_with_usage_is_offered_and_mapped_by_a_form() {
    let msp = msp().await;
    let mut browser = anna(&msp).await;
    let page = browser.get(&at(&msp, "/products")).await;
    for told in ["1 product is", "Map m365", "the newest count", "left alone", "not charged"] {
        assert!(page.text.contains(told), "{told}: {}", page.text);
    }
    let here = at(&msp, "/products/m365");
    let service = stored(&msp, "products/edr").await["service_id"].as_str().unwrap().to_owned();
    let found = browser.get(&format!("{here}?find=edr")).await;
    assert!(found.text.contains(&format!("{here}?service={service}")), "{}", found.text);
    let form = browser.get(&format!("{here}?service={service}")).await;
    let typed = [
        ("rule.counting", "high_water_mark"),
        ("rule.minimum", "10"),
        ("rule.maximum", "5"),
        ("price.unit_cost", "fixed"),
        ("price.fixed", "3.20"),
        ("price.markup_percent", "25"),
    ];
    let refused = send(&mut browser, &form, &here, &typed).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("<p class=\"fault\">Maximum must not be below the minimum"), "{}", refused.text);
    assert_eq!(
        (filled(&refused, &here)["rule.maximum"].as_str(), filled(&refused, &here)["price.fixed"].as_str()),
        ("5", "3.20")
    );
    assert_eq!(stored(&msp, "products/m365").await["code"], "not_found");
    let saved = send(&mut browser, &refused, &here, &[("rule.maximum", "50")]).await;
    assert_eq!((saved.status, saved.location()), (303, at(&msp, "/products?done=saved").as_str()));
    let mapping = stored(&msp, "products/m365").await;
    assert_eq!(
        mapping["rule"],
        json!({"counting": "high_water_mark", "exclude": 0, "minimum": 10, "maximum": 50, "rounding": "up"})
    );
    assert_eq!(mapping["price"], json!({"unit_cost": "fixed", "fixed": "3.20", "markup_percent": "25"}));
    let page = browser.get(saved.location()).await;
    for told in
        ["the highest count of the billing period, at least 10, at most 50", "unit cost 3.20, unit price 25 % above it"]
    {
        assert!(page.text.contains(told), "{told}: {}", page.text);
    }
}

#[tokio::test]
async fn amounts_beside_a_price_that_is_left_alone_are_refused_and_not_dropped() {
    let msp = msp().await;
    let mut browser = anna(&msp).await;
    let here = at(&msp, "/products/edr");
    let before = stored(&msp, "products/edr").await;
    let form = browser.get(&here).await;
    for typed in [("price.fixed", "12.50"), ("price.markup_percent", "25")] {
        let refused = send(&mut browser, &form, &here, &[("price.unit_cost", ""), typed]).await;
        assert_eq!(refused.status, 422, "{typed:?}");
        assert!(refused.text.contains("<p class=\"fault\">Unit cost is required"), "{}", refused.text);
        assert_eq!(stored(&msp, "products/edr").await, before);
    }
}

#[tokio::test]
async fn removing_a_product_says_how_many_companies_that_affects() {
    let msp = msp().await;
    let mut browser = anna(&msp).await;
    let remove = at(&msp, "/products/edr/remove");
    let asked = browser.get(&remove).await;
    assert!(
        asked.text.contains("2 mapped companies have") && asked.text.contains("stays in the PSA"),
        "{}",
        asked.text
    );
    assert_eq!(browser.post(&remove, &[]).await.status, 400);
    assert_eq!(stored(&msp, "products/edr").await["version"], 1);
    assert_eq!(send(&mut browser, &asked, &remove, &[]).await.status, 303);
    assert_eq!(stored(&msp, "products/edr").await["code"], "not_found");
    let mut stranger = person(&msp, "suedwind", &[Scope::Read, Scope::Write]).await;
    for end in ["/products", "/products/sat", "/products/sat/remove", "/charges/sat"] {
        assert_eq!(stranger.get(&at(&msp, end)).await.status, 404, "{end}");
    }
}

#[tokio::test]
async fn charges_are_mapped_and_taken_back_by_forms_of_their_own() {
    let msp = msp().await;
    let mut browser = anna(&msp).await;
    let here = at(&msp, "/charges/m365");
    let form = browser.get(&format!("{here}?codes=yes")).await;
    assert!(form.text.contains("Metered usage"), "{}", form.text);
    let refused = send(&mut browser, &form, &here, &[("mode", "bundled"), ("billing_code", "Metered usage")]).await;
    assert!(refused.status == 422 && refused.text.contains("is needed where mode is bundled"), "{}", refused.text);
    let saved = send(&mut browser, &refused, &here, &[("name", "Cloud"), ("from", "2026-11-05")]).await;
    assert_eq!(saved.location(), at(&msp, "/products?done=charges"));
    let mapping = stored(&msp, "charges/m365").await;
    assert_eq!((&mapping["name"], &mapping["from"]), (&json!("Cloud"), &json!("2026-11-05")));
    let asked = browser.get(&format!("{here}/remove")).await;
    assert_eq!(send(&mut browser, &asked, &format!("{here}/remove"), &[]).await.status, 303);
    assert_eq!(stored(&msp, "charges/m365").await["code"], "not_found");
}

#[tokio::test]
async fn a_billing_code_that_is_not_offered_any_more_stays_until_somebody_chooses_another() {
    let msp = msp().await;
    let mut browser = anna(&msp).await;
    let here = at(&msp, "/charges/cloud");
    let fresh = browser.get(&here).await;
    assert!(fresh.text.contains("Empty: the first day of the running billing period."), "{}", fresh.text);
    msp.map_charges(json!({"mode": "itemised"})).await;
    msp.remap_charges(|mapping| mapping.billing_code = "Retired".to_owned()).await;
    let form = browser.get(&format!("{here}?codes=yes")).await;
    assert!(form.text.contains("Retired, which is not among them"), "{}", form.text);
    assert!(form.text.contains("Empty: it stays as it is."), "{}", form.text);
    let refused = send(&mut browser, &form, &here, &[("markup_percent", "10")]).await;
    assert_eq!(refused.status, 422, "the PSA has it no more, which is said: {}", refused.text);
    assert_eq!(stored(&msp, "charges/cloud").await["billing_code"], "Retired");
    assert_eq!(send(&mut browser, &form, &here, &[("billing_code", "Metered usage")]).await.status, 303);
}

#[tokio::test]
async fn what_nobody_bills_is_told_however_many_products_are_mapped() {
    let msp = msp().await;
    let service = stored(&msp, "products/edr").await["service_id"].clone();
    for number in 0..100 {
        let path = format!("/v1/connections/{}/products/p{number:03}", msp.connection);
        msp.done(Method::PUT, &path, Some(json!({"service_id": service}))).await;
    }
    msp.map_charges(json!({"mode": "itemised"})).await;
    let page = anna(&msp).await.get(&at(&msp, "/products")).await;
    for told in ["1 product is", "Map m365", "products/p099", "products/sat"] {
        assert!(page.text.contains(told), "{told}: {}", page.text);
    }
    assert!(!page.text.contains("Map p0"), "what is mapped is not offered once more");
    // Its units are not mapped and no usage of it came in: it is charged for all the same.
    assert!(page.text.contains(&at(&msp, "/charges/cloud")), "{}", page.text);
}
