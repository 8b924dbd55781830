//! Two people at the same mapping: neither wipes out what the other has set up, and nobody loses what they typed.

use integration::msp::{Customer, Fixture, Msp, On, Setup};
use reqwest::Method;
use serde_json::{Value, json};
use simulators::kaseya_bms::KaseyaBms;

use crate::browser::Browser;
use crate::filling::{anna, filled, send};

fn at<P: Fixture>(msp: &Msp<P>, end: &str) -> String {
    format!("/console/connections/{}{end}", msp.connection)
}

async fn api<P: Fixture>(msp: &Msp<P>, method: Method, end: &str, body: Option<Value>) -> Value {
    msp.call(method, &format!("/v1/connections/{}{end}", msp.connection), body).await.json
}

/// Sends the form at `page` with `typed` after somebody else has put `theirs`: it is told, kept, and refused until it is loaded anew.
async fn is_late<P: Fixture>(
    msp: &Msp<P>,
    browser: &mut Browser,
    (page, here, end): (&str, &str, &str),
    theirs: Value,
    typed: &[(&str, &str)],
) {
    let form = browser.get(page).await;
    let stands = api(msp, Method::PUT, end, Some(theirs)).await["version"].clone();
    assert!(stands.is_number(), "{end}: {stands}");
    let mut late = send(browser, &form, here, typed).await;
    for _ in 0..2 {
        assert_eq!(late.status, 412, "{end}: {}", late.text);
        assert!(late.text.contains("meanwhile") && late.text.contains("Load what stands now"), "{}", late.text);
        for (name, value) in typed {
            assert_eq!(filled(&late, here)[*name], *value, "what was typed is kept");
        }
        assert_eq!(api(msp, Method::GET, end, None).await["version"], stands, "{end}");
        // Sending it once more is no way around looking at what stands.
        late = send(browser, &late, here, &[]).await;
    }
    let anew = late.text.split("href=\"").find(|link| link.contains("Load what stands now")).unwrap();
    let anew = browser.get(anew.split('"').next().unwrap()).await;
    assert_eq!(send(browser, &anew, here, typed).await.status, 303);
    assert_ne!(api(msp, Method::GET, end, None).await["version"], stands, "{end}");
}

#[tokio::test]
async fn accepting_an_account_replaces_no_mapping_that_was_set_up_meanwhile() {
    let msp = Setup::of([Customer::named("gamma").called("Gamma Bau").line("edr", 3).unmapped()]).start().await;
    let usage = json!({"company": "gamma", "company_name": "Gamma Bau", "product": "edr", "quantity": 3});
    msp.push_records(vec![usage], true).await;
    let mut browser = anna(&msp).await;
    let page = browser.get(&at(&msp, "/suggestions?now=yes")).await;
    let own = json!({
        "account_id": msp.account("gamma").to_string(), "contract_id": msp.contract("gamma").to_string(),
        "overrides": {"edr": {"excluded": true}}, "when_absent": "zero",
    });
    let stands = api(&msp, Method::PUT, "/companies/gamma", Some(own)).await;
    let accept = at(&msp, "/suggestions/accept");
    let late = send(&mut browser, &page, &accept, &[]).await;
    assert_eq!(late.status, 412);
    assert!(late.text.contains("It was mapped meanwhile"), "{}", late.text);

    let fields = filled(&page, &accept);
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    let kind = "application/x-www-form-urlencoded";
    let row = browser
        .send(Method::POST, &accept, |request| {
            request.header("hx-request", "true").header("content-type", kind).body(body)
        })
        .await;
    assert_eq!(row.status, 412);
    assert!(row.text.contains("Its mapping") && !row.text.contains("Accept for"), "{}", row.text);
    let mut now = api(&msp, Method::GET, "/companies/gamma", None).await;
    now.as_object_mut().unwrap().remove("last_sync");
    assert_eq!(now, stands, "overrides and all");
}

#[tokio::test]
async fn the_forms_of_a_company_a_product_and_its_charges_tell_who_comes_late() {
    let msp = Setup::of([Customer::named("acme").line("edr", 40), Customer::named("gamma").line("edr", 3).unmapped()])
        .start()
        .await;
    let mut browser = anna(&msp).await;
    let company = |name: &str, changes: Value| {
        let mut body =
            json!({"account_id": msp.account(name).to_string(), "contract_id": msp.contract(name).to_string()});
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    let here = at(&msp, "/companies/acme");
    let theirs = company("acme", json!({"overrides": {"edr": {"excluded": true}}}));
    is_late(&msp, &mut browser, (&here, &here, "/companies/acme"), theirs, &[("when_absent", "hold")]).await;
    let kept = api(&msp, Method::GET, "/companies/acme", None).await;
    assert_eq!((&kept["overrides"]["edr"]["excluded"], &kept["when_absent"]), (&json!(true), &json!("hold")));

    let here = at(&msp, "/companies/gamma");
    let page = format!("{here}?account={}", msp.account("gamma"));
    let theirs = company("gamma", json!({"when_absent": "zero"}));
    is_late(&msp, &mut browser, (&page, &here, "/companies/gamma"), theirs, &[("when_absent", "hold")]).await;

    let service = api(&msp, Method::GET, "/products/edr", None).await["service_id"].clone();
    let product = json!({"service_id": service, "rule": {"minimum": 7}});
    let here = at(&msp, "/products/edr");
    is_late(&msp, &mut browser, (&here, &here, "/products/edr"), product.clone(), &[("rule.exclude", "1")]).await;
    let here = at(&msp, "/products/new");
    let typed = [("service_id", service.as_str().unwrap()), ("rule.exclude", "1")];
    is_late(&msp, &mut browser, (&here, &here, "/products/new"), product, &typed).await;

    let charges = |markup: &str| json!({"mode": "itemised", "billing_code": "Metered usage", "markup_percent": markup});
    let here = at(&msp, "/charges/edr");
    // Once where nothing stood, and once over what stands.
    for (theirs, typed) in [("10", "11"), ("20", "21")] {
        let typed = [("billing_code", "Metered usage"), ("markup_percent", typed)];
        is_late(&msp, &mut browser, (&here, &here, "/charges/edr"), charges(theirs), &typed).await;
    }
}

#[tokio::test]
async fn so_does_the_form_of_tickets() {
    let msp = On::<KaseyaBms>::adding().of([Customer::named("acme").line("edr", 40)]).start().await;
    let mut browser = anna(&msp).await;
    let here = at(&msp, "/tickets");
    let page = format!("{here}?edit=yes");
    let defaults = json!({"StatusId": "51", "PriorityId": "63", "TypeId": "92", "SourceId": "5", "QueueId": "73"});
    let fields =
        [("d.StatusId", "51"), ("d.PriorityId", "63"), ("d.TypeId", "92"), ("d.SourceId", "5"), ("d.QueueId", "73")];
    for (theirs, typed) in [(4, "5"), (6, "7")] {
        let theirs = json!({"defaults": defaults, "due_hours": theirs});
        let typed = [&fields[..], &[("due_hours", typed)]].concat();
        is_late(&msp, &mut browser, (&page, &here, "/ticket-mapping"), theirs, &typed).await;
    }
}
