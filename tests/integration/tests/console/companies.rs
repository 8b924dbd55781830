//! Companies: everybody is found, likely accounts are accepted, mappings are changed and removed.

use integration::PARTNER;
use integration::msp::{Customer, Msp, Setup};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use simulators::autotask::ContractSpec;

use crate::filling::{anna, filled, person, send};

async fn msp() -> Msp {
    let msp = Setup::of([
        Customer::named("acme").called("Acme Ltd").line("edr", 40),
        Customer::named("beta").called("Beta Werft").line("edr", 5),
        Customer::named("gamma").called("Gamma Bau").line("edr", 3).unmapped(),
        Customer::named("delta").called("Delta Optik").line("edr", 3).unmapped(),
    ])
    .start()
    .await;
    let record =
        |company: &str, name: &str| json!({"company": company, "company_name": name, "product": "edr", "quantity": 3});
    let all = [
        ("acme", "Acme <Ltd>"),
        ("beta", "Beta Werft"),
        ("gamma", "Gamma Bau"),
        ("delta", "Delta Optik"),
        ("odd", "Nobody Knows"),
    ];
    msp.push_records(all.map(|(company, name)| record(company, name)).into(), true).await;
    msp
}

fn at(msp: &Msp, end: &str) -> String {
    format!("/console/connections/{}{end}", msp.connection)
}

async fn mapping(msp: &Msp, company: &str) -> Value {
    msp.call(Method::GET, &format!("/v1/connections/{}/companies/{company}", msp.connection), None).await.json
}

#[tokio::test]
async fn everybody_is_listed_and_found_and_nobody_else_sees_them() {
    let msp = msp().await;
    msp.run("apply").await;
    let mut browser = anna(&msp).await;
    let page = browser.get(&at(&msp, "/companies")).await;
    assert_eq!(page.status, 200);
    for told in ["All (5)", "Mapped (2)", "Not mapped (3)", "Acme &lt;Ltd&gt;", "Nobody Knows", "3 companies are"] {
        assert!(page.text.contains(told), "{told}: {}", page.text);
    }
    assert!(!page.text.contains("1 held"), "the page does not wait for a run's results");
    let on_its_page = format!("href=\"{}\">On its page", at(&msp, "/companies/acme"));
    assert!(page.text.contains(&on_its_page), "without a script a link leads to it: {}", page.text);
    let with = browser.get(&at(&msp, "/companies?syncs=yes")).await;
    assert!(with.text.contains("1 held") && with.text.contains("/console/runs/run_"), "{}", with.text);
    let attention = browser.get(&at(&msp, "/companies?state=needs_attention")).await;
    assert!(attention.text.contains("Acme") && !attention.text.contains("Gamma Bau"), "{}", attention.text);
    let found = browser.get(&at(&msp, "/companies?search=WERFT&state=mapped")).await;
    assert!(found.text.contains("Beta Werft") && !found.text.contains("Acme"));
    assert!(browser.get(&at(&msp, "/companies?search=zzz")).await.text.contains("Nobody is called so"));

    let mut stranger = person(&msp, "suedwind", &[Scope::Read, Scope::Write]).await;
    for end in ["/companies", "/companies/acme", "/suggestions?now=yes", "/mappings.csv", "/companies/acme/remove"] {
        let seen = stranger.get(&at(&msp, end)).await;
        assert!(seen.status == 404 && !seen.text.contains("Acme"), "{end}: {} {}", seen.status, seen.text);
    }
}

#[tokio::test]
async fn a_likely_account_is_accepted_in_place_and_without_scripts() {
    let msp = msp().await;
    let mut browser = anna(&msp).await;
    let before = msp.psa.requests().len();
    let waiting = browser.get(&at(&msp, "/suggestions")).await;
    assert!(waiting.text.contains("Look now") && msp.psa.requests().len() == before, "nothing is asked of the PSA yet");
    let page = browser.get(&at(&msp, "/suggestions?now=yes")).await;
    for told in ["Accept all 2 sure ones", "Both are called", "No account is like it."] {
        assert!(page.text.contains(told), "{told}: {}", page.text);
    }
    let accept = at(&msp, "/suggestions/accept");
    let offered = filled(&page, &accept);
    let fields: Vec<(&str, &str)> = offered.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let forged: Vec<(&str, &str)> = fields.iter().filter(|(name, _)| *name != "csrf").copied().collect();
    assert_eq!(browser.post(&accept, &forged).await.status, 400);
    assert_eq!(mapping(&msp, "delta").await["code"], "not_found");
    let seen = browser.post(&accept, &fields).await;
    assert_eq!((seen.status, seen.location()), (303, at(&msp, "/suggestions?now=yes&done=mapped").as_str()));
    assert_eq!(mapping(&msp, "delta").await["account_id"], msp.account("delta").to_string());

    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields.iter().map(|(name, value)| match *name {
            "company" => ("company", "gamma"),
            // Of another account: the PSA's word stands in the row.
            "account_id" => ("account_id", "424242"),
            _ => (*name, *value),
        }))
        .finish();
    let refused = browser
        .send(Method::POST, &accept, |request| {
            request.header("hx-request", "true").header("content-type", "application/x-www-form-urlencoded").body(body)
        })
        .await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text.starts_with("<tr>") && refused.text.contains("belongs to another account"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn all_sure_ones_are_accepted_at_once_and_the_others_are_told() {
    let msp = msp().await;
    let mut browser = anna(&msp).await;
    let accept = at(&msp, "/suggestions/accept-sure");
    let offered = browser.get(&at(&msp, "/suggestions?now=yes")).await;
    assert!(offered.text.contains(&format!("href=\"{accept}\"")), "{}", offered.text);
    let page = browser.get(&accept).await;
    for told in ["2 companies", "Gamma Bau", "Delta Optik", &msp.contract("delta").to_string()] {
        assert!(page.text.contains(told), "{told}: {}", page.text);
    }
    assert!(!page.text.contains("Nobody Knows"), "{}", page.text);
    assert_eq!(browser.post(&accept, &[]).await.status, 400);
    assert_eq!(mapping(&msp, "gamma").await["code"], "not_found");
    let seen = send(&mut browser, &page, &accept, &[]).await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    assert!(seen.text.contains("2 companies were"), "{}", seen.text);
    for company in ["gamma", "delta"] {
        assert_eq!(mapping(&msp, company).await["contract_id"], msp.contract(company).to_string());
    }
    assert_eq!(mapping(&msp, "odd").await["code"], "not_found");
    assert_eq!(mapping(&msp, "acme").await["version"], 1, "nobody else is touched");
}

#[tokio::test]
async fn nothing_is_accepted_that_was_not_shown() {
    let msp = msp().await;
    let mut browser = anna(&msp).await;
    let accept = at(&msp, "/suggestions/accept-sure");
    let page = browser.get(&accept).await;
    // Somebody maps one of them by hand, to something of their own.
    let own = json!({"account_id": msp.account("delta").to_string(), "contract_id": msp.contract("delta").to_string(),
        "when_absent": "hold"});
    let hers = format!("/v1/connections/{}/companies/delta", msp.connection);
    msp.done(Method::PUT, &hers, Some(own)).await;
    let again = send(&mut browser, &page, &accept, &[]).await;
    assert_eq!(again.status, 409);
    for told in ["Nothing was mapped", "You saw 2; now it would be 1.", "Map 1 company"] {
        assert!(again.text.contains(told), "{told}: {}", again.text);
    }
    assert_eq!(mapping(&msp, "gamma").await["code"], "not_found");
    let seen = send(&mut browser, &again, &accept, &[]).await;
    assert!(seen.status == 200 && seen.text.contains("1 company was"), "{}", seen.text);
    assert_eq!(mapping(&msp, "delta").await["when_absent"], "hold");
}

#[tokio::test]
async fn a_sure_account_with_two_contracts_is_left_for_a_person() {
    let other = ContractSpec::recurring("Other services").id(7_001);
    let two = Customer::named("gamma").called("Gamma Bau").line("edr", 3).beside(other, &[("edr", 1)]).unmapped();
    let msp = Setup::of([two, Customer::named("delta").called("Delta Optik").line("edr", 3).unmapped()]).start().await;
    msp.push_records(
        vec![
            json!({"company": "gamma", "company_name": "Gamma Bau", "product": "edr", "quantity": 3}),
            json!({"company": "delta", "company_name": "Delta Optik", "product": "edr", "quantity": 3}),
        ],
        true,
    )
    .await;
    let mut browser = anna(&msp).await;
    let page = browser.get(&at(&msp, "/suggestions?now=yes")).await;
    assert!(page.text.contains("Choose a contract"), "{}", page.text);
    let accept = at(&msp, "/suggestions/accept-sure");
    let page = browser.get(&accept).await;
    let seen = send(&mut browser, &page, &accept, &[]).await;
    assert!(seen.text.contains("1 company was") && seen.text.contains("1 left because"), "{}", seen.text);
    let choose = format!("{}?account={}", at(&msp, "/companies/gamma"), msp.account("gamma"));
    assert!(seen.text.contains(&choose));
    let contracts = browser.get(&choose).await.text;
    assert!(contracts.contains("Choose one …") && contracts.contains("Other services"), "{contracts}");
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_and_says_what_is_wrong_where_it_is() {
    let msp = msp().await;
    let mut browser = anna(&msp).await;
    let here = at(&msp, "/companies/gamma");
    let chosen = browser.get(&format!("{here}?account={}", msp.account("gamma"))).await;
    assert!(
        chosen.text.contains(&msp.contract("gamma").to_string()),
        "the account's contracts are offered: {}",
        chosen.text
    );
    let typed = [("account_id", msp.account("gamma").to_string()), ("contract_id", msp.contract("acme").to_string())];
    let typed: Vec<(&str, &str)> = typed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let refused = send(&mut browser, &chosen, &here, &[&typed[..], &[("when_absent", "hold")]].concat()).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("<p class=\"fault\">Contract &quot;"), "{}", refused.text);
    let again = filled(&refused, &here);
    assert_eq!((&again["contract_id"], &again["when_absent"]), (&msp.contract("acme").to_string(), &"hold".to_owned()));
    assert_eq!(mapping(&msp, "gamma").await["code"], "not_found");
    let none = send(&mut browser, &refused, &here, &[("contract_id", "")]).await;
    assert_eq!(none.status, 422);
    assert_eq!(none.text.matches("Choose a contract.").count(), 1, "{}", none.text);
    assert!(!none.text.contains("printable ASCII") && !none.text.contains("/contract_id"), "{}", none.text);
    let contract = msp.contract("gamma").to_string();
    let saved = send(&mut browser, &refused, &here, &[("contract_id", &contract)]).await;
    assert_eq!((saved.status, saved.location()), (303, format!("{here}?done=saved").as_str()));
    assert_eq!(mapping(&msp, "gamma").await["when_absent"], "hold");
}

#[tokio::test]
async fn what_is_different_for_products_survives_a_form_that_says_nothing_of_it() {
    let msp = msp().await;
    let own = json!({"overrides": {
        "edr": {"rule": {"counting": "average", "exclude": 2, "minimum": 1, "rounding": "down"},
                "price": {"unit_cost": "fixed", "fixed": "2.50", "markup_percent": "10"}, "opening_units": 7},
        "sat": {"excluded": true},
    }});
    msp.map_company(&msp.connection, "acme", own).await;
    let before = mapping(&msp, "acme").await;
    let mut browser = anna(&msp).await;
    let here = at(&msp, "/companies/acme");
    let page = browser.get(&here).await;
    assert_eq!(send(&mut browser, &page, &here, &[]).await.status, 303);
    assert_eq!(mapping(&msp, "acme").await, before, "it is as it was, version and all");
    let more = browser.get(&format!("{here}?add=edr")).await;
    assert_eq!(send(&mut browser, &more, &here, &[("o0.minimum", "4"), ("o1.drop", "on")]).await.status, 303);
    let after = mapping(&msp, "acme").await;
    assert_eq!((&after["overrides"]["edr"]["rule"]["minimum"], &after["overrides"]["sat"]), (&json!(4), &Value::Null));
    let wrong = send(&mut browser, &more, &here, &[("o0.minimum", "many")]).await;
    assert!(wrong.status == 422 || wrong.status == 400, "{}", wrong.status);
    assert!(wrong.text.contains("value=\"many\""), "{}", wrong.text);
}

#[tokio::test]
async fn another_price_that_was_not_chosen_is_asked_for_and_never_the_products() {
    let msp = msp().await;
    let mut browser = anna(&msp).await;
    let here = at(&msp, "/companies/acme");
    let form = browser.get(&format!("{here}?add=edr")).await;
    assert!(!form.text.contains("Leave unit cost and unit price alone"), "{}", form.text);
    let refused = send(&mut browser, &form, &here, &[("o0.own_price", "on")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("<p class=\"fault\">Unit cost is required"), "{}", refused.text);
    assert_eq!(mapping(&msp, "acme").await["overrides"], json!({}));
    assert_eq!(send(&mut browser, &refused, &here, &[("o0.unit_cost", "none")]).await.status, 303);
    assert_eq!(mapping(&msp, "acme").await["overrides"]["edr"]["price"], json!({"unit_cost": "none"}));
}

#[tokio::test]
async fn a_mapping_is_removed_once_it_was_said_what_that_does() {
    let msp = msp().await;
    let mut browser = anna(&msp).await;
    let remove = at(&msp, "/companies/acme/remove");
    let asked = browser.get(&remove).await;
    assert!(asked.text.contains("stays in the PSA as it is") && mapping(&msp, "acme").await["version"] == 1);
    assert_eq!(browser.post(&remove, &[("csrf", "forged")]).await.status, 400);
    let gone = send(&mut browser, &asked, &remove, &[]).await;
    assert_eq!((gone.status, gone.location()), (303, at(&msp, "/companies?done=removed").as_str()));
    assert_eq!(mapping(&msp, "acme").await["code"], "not_found");

    let mut reader = person(&msp, integration::PARTNER, &[Scope::Read]).await;
    let page = reader.get(&at(&msp, "/companies/beta")).await;
    assert!(page.status == 200 && !page.text.contains("Save") && !page.text.contains("Remove …"), "{}", page.text);
    let own = json!({"when_absent": "zero", "overrides": {"edr": {"excluded": true}}});
    msp.map_company(&msp.connection, "beta", own).await;
    let told = reader.get(&at(&msp, "/companies/beta")).await.text;
    let ids = [msp.account("beta").to_string(), msp.contract("beta").to_string()];
    for said in [ids[0].as_str(), &ids[1], "Bill nothing: it has none left", "not billed for this company"] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let remove = reader.get(&at(&msp, "/companies/beta/remove")).await;
    assert!(remove.status == 200 && !remove.text.contains("<button class=\"danger\""), "{}", remove.text);
    let csrf = page.after("name=\"csrf\" value=\"").to_owned();
    assert_eq!(reader.post(&at(&msp, "/companies/beta/remove"), &[("csrf", &csrf)]).await.status, 403);
}

#[tokio::test]
async fn a_company_whose_id_stands_in_many_others_is_shown_as_what_it_is() {
    let msp = Setup::of([Customer::named("acme").line("edr", 40)]).start().await;
    let record = |company: String, name: &str| json!({"company": company, "company_name": name, "product": "edr", "quantity": 3});
    let others = (0..120).map(|number| record(format!("huntress:1{number}"), "Another"));
    msp.push_records(others.chain([record("huntress:1".into(), "Zuletzt GmbH")]).collect(), true).await;
    let page = at(&msp, "/companies/huntress:1");
    for scopes in [&[Scope::Read, Scope::Write][..], &[Scope::Read]] {
        let seen = person(&msp, PARTNER, scopes).await.get(&page).await;
        assert_eq!(seen.status, 200, "{}", seen.text);
        assert!(seen.text.contains("Zuletzt GmbH") && seen.text.contains("<dd>edr</dd>"), "{}", seen.text);
    }
}
