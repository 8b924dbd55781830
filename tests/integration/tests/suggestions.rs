//! What a person sees who maps a provider's customers: which account each company is likely to be, and what is left.

use std::collections::BTreeMap;

use integration::msp::{Customer, Fixture, Msp, On, Setup};
use integration::{Answer, PARTNER, on_every_psa};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::store::{Condition, Read, schema};
use simulators::autotask::{Autotask, ContractSpec};

on_every_psa!(sixty_companies_are_suggested_their_accounts_and_what_is_not_sure_is_left);

/// Sixty customers: as the vendor's portal spells them, and as the PSA does. Empty: the PSA has no account of it.
const CUSTOMERS: [(&str, &str); 60] = [
    ("Ahrens Tiefbau GmbH", "AHRENS TIEFBAU"),
    ("Bäckerei Köhler", "Baeckerei Koehler e.K."),
    ("Brüning & Söhne GmbH & Co. KG", "Bruening und Soehne"),
    ("café größenwahn", "Café Größenwahn UG (haftungsbeschränkt)"),
    ("Dr. Schäfer Zahnärzte", "Dr. Schaefer Zahnaerzte PartG mbB"),
    ("Elektro Jäger", "Elektro Jaeger GmbH"),
    ("FÄRBEREI LÜTZ", "Färberei Lütz AG"),
    ("Gärtnerei Blümel", "Gartnerei Blumel"),
    ("Hüttenwerk Süd", "Huettenwerk Sued GmbH"),
    ("Immobilien-Kontor Ostsee", "Immobilienkontor Ostsee GmbH"),
    ("Jörg Dähne Metallbau", "Metallbau Jörg Dähne"),
    ("Käthe Brandt Pflegedienst", "Pflegedienst Kaethe Brandt gGmbH"),
    ("Löwen-Apotheke", "Löwenapotheke OHG"),
    ("MÖBEL RÖSSLER", "Möbel Rößler GmbH & Co KG"),
    ("Nähr & Partner", "Naehr und Partner mbB"),
    ("Ölmühle Wittstock", "Oelmuehle Wittstock GmbH"),
    ("Praxis Dr. Grün", "Praxis Dr. Gruen"),
    ("Quäker-Stiftung", "Quaeker Stiftung"),
    ("Räder Vogt", "Raeder-Vogt GmbH"),
    ("Schlüsseldienst Maaß", "Schluesseldienst Maass"),
    ("Acorn Lettings Ltd", "Acorn Lettings Limited"),
    ("Bright & Hale LLP", "Bright and Hale"),
    ("Cobalt Robotics, Inc.", "cobalt robotics"),
    ("The Dunes Hotel", "Dunes Hotel Pty Ltd"),
    ("Eastwick Consluting", "Eastwick Consulting Ltd"),
    ("Fulham O'Neill Roofing", "Fulham ONeill Roofing LLC"),
    ("Grange Intl. Freight", "Grange International Freight"),
    ("Halden Bros", "Halden Brothers Inc"),
    ("ironbridge-tools.co.uk", "Ironbridge Tools Ltd"),
    ("J.R. Penrose P.C.", "JR Penrose PC"),
    ("Boulangerie Élysée SARL", "Boulangerie Elysee"),
    ("Crèche Les Étoiles", "Creche les Etoiles ASBL"),
    ("Dépôt Général S.A.", "Depot General SA"),
    ("Garage Hélène & Fils", "Garage Helene et Fils SAS"),
    ("Kuiper Schilders B.V.", "Kuiper Schilders"),
    ("De Groene Tuin VOF", "de groene tuin"),
    ("Sørlandet Rør AS", "Soerlandet Roer"),
    ("Åkesson Plåt AB", "Akesson Plat AB"),
    ("Ægir Fisk ApS", "Aegir Fisk"),
    ("Łukasz Meble Sp. z o.o.", "Lukasz Meble"),
    ("Officina Però S.r.l.", "Officina Pero Srl"),
    ("Peñalver e Hijos S.L.", "Penalver Hijos"),
    ("Žižka Servis s.r.o.", "Zizka Servis"),
    ("Store 7 Backwerk", "Backwerk Store 7"),
    ("Werk II Theater", "Werk 2 Theater e.V."),
    ("1st Aid Supplies", "First Aid Supplies Ltd"),
    ("Clinic Harbour North", "Clinic Harbour North Ltd"),
    ("Clinic Harbour South", "Clinic Harbour South Ltd"),
    ("Weidner Bau", "Weidner Bau GmbH"),
    ("Weidner Dach", "Weidner Dach GmbH"),
    // The right account is called too differently for anybody to be sure.
    ("Zenith", "Zenith Gebäudereinigung GmbH"),
    ("Blue Lagoon", "HRT Gastronomie GmbH"),
    // No account is theirs; some look like another's.
    ("Weidner Garten", ""),
    ("Clinic Harbour West", ""),
    ("Store 9 Backwerk", ""),
    ("Elektro Förster", ""),
    ("Dr. Grau Zahnärzte", ""),
    ("Halden Sisters", ""),
    ("Kuiper Loodgieters", ""),
    ("Xylo Akustik", ""),
];

/// Accounts that no company is.
const OTHERS: [&str; 5] =
    ["Services Group", "Gruen Holding", "Apotheke am Markt", "International Hotel Ltd", "Metallbau Vogt"];

fn id_of(number: usize) -> String {
    format!("c-{number:02}")
}

async fn push<P: Fixture>(msp: &Msp<P>, snapshot: &str, records: Value) {
    let body = json!({"as_of": msp.clock.time().to_string(), "complete": true, "records": records});
    msp.done(Method::PUT, &format!("/v1/usage/snapshots/{snapshot}"), Some(body)).await;
}

/// Every item of a list, page by page.
async fn all<P: Fixture>(msp: &Msp<P>, connection: &str, list: &str, limit: usize) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/connections/{connection}/{list}?limit={limit}{cursor}");
        let page = msp.done(Method::GET, &path, None).await;
        items.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

async fn sixty_companies_are_suggested_their_accounts_and_what_is_not_sure_is_left<P: Fixture>(on: On<P>) {
    let with_account = CUSTOMERS.iter().enumerate().filter(|(_, (_, account))| !account.is_empty());
    let customers = with_account
        .map(|(number, (_, account))| Customer::named(&id_of(number)).called(account).line("edr", 1).unmapped());
    let others = OTHERS.iter().map(|name| Customer::named(name).called(name).line("edr", 1).unmapped());
    let msp = on.of(customers.chain(others).collect::<Vec<_>>()).start().await;
    let record = |(number, (name, _)): (usize, &(&str, &str))| json!({"company": id_of(number), "company_name": name, "product": "edr", "quantity": 10 + number});
    push(&msp, "first", CUSTOMERS.iter().enumerate().map(record).collect()).await;

    let suggestions = all(&msp, &msp.connection, "suggestions", 25).await;
    assert_eq!(suggestions.len(), CUSTOMERS.len());
    assert_eq!(suggestions, all(&msp, &msp.connection, "suggestions", 100).await, "pages do not differ");
    let right = |number: usize| (!CUSTOMERS[number].1.is_empty()).then(|| msp.account(&id_of(number)).to_string());
    let mut taken = BTreeMap::new();
    for (number, found) in suggestions.iter().enumerate() {
        assert_eq!((&found["company"], &found["company_name"]), (&json!(id_of(number)), &json!(CUSTOMERS[number].0)));
        if found["sure"] == true {
            assert_eq!(found["account_id"].as_str().map(str::to_owned), right(number), "{found}");
            assert!(!found["evidence"].as_array().unwrap().is_empty(), "{found}");
            assert_eq!(found["contract_id"], msp.contract(&id_of(number)).to_string());
            taken.insert(number, found.clone());
        }
    }
    let to_find = CUSTOMERS.iter().filter(|(_, account)| !account.is_empty()).count();
    println!("{} of {to_find} accounts found for sure, none of them wrong", taken.len());
    assert!(
        taken.len() * 100 >= to_find * 95,
        "{:?}",
        suggestions.iter().filter(|s| s["sure"] != true).collect::<Vec<_>>()
    );

    for (number, found) in &taken {
        let body = json!({"account_id": found["account_id"], "contract_id": found["contract_id"]});
        let path = format!("/v1/connections/{}/companies/{}", msp.connection, id_of(*number));
        msp.done(Method::PUT, &path, Some(body)).await;
    }
    let left = all(&msp, &msp.connection, "unmapped", 7).await;
    let expected: Vec<Value> = CUSTOMERS
        .iter()
        .enumerate()
        .filter(|(number, _)| !taken.contains_key(number))
        .map(|(number, (name, _))| {
            let as_of = msp.clock.time().to_string();
            json!({
                "company": id_of(number), "company_name": name, "product": "edr", "quantity": 10 + number,
                "as_of": as_of, "why": "company_not_mapped",
            })
        })
        .collect();
    assert_eq!(left, expected);
    // A mapped company's account is nobody else's, and says so.
    let garten = suggestion(&msp, &id_of(52)).await;
    assert_eq!((&garten["company_name"], &garten["sure"]), (&json!("Weidner Garten"), &json!(false)));
}

async fn suggestion<P: Fixture>(msp: &Msp<P>, company: &str) -> Value {
    suggestion_on(msp, &msp.connection, company).await
}

async fn suggestion_on<P: Fixture>(msp: &Msp<P>, connection: &str, company: &str) -> Value {
    let all = all(msp, connection, "suggestions", 100).await;
    all.into_iter().find(|found| found["company"] == company).unwrap_or(Value::Null)
}

fn kinds(found: &Value) -> Vec<&str> {
    found["evidence"].as_array().unwrap().iter().map(|evidence| evidence["kind"].as_str().unwrap()).collect()
}

fn record(company: &str, name: &str, product: &str) -> Value {
    json!({"company": company, "company_name": name, "product": product, "quantity": 5})
}

#[tokio::test]
async fn exact_ids_come_before_names() {
    let customers = [
        Customer::named("a").called("Anker Werft").numbered("V-100").line("edr", 1).unmapped(),
        Customer::named("b").called("Boje Werft").line("edr", 1).unmapped(),
        Customer::named("c").called("Kutter Werft").numbered("V-300").line("edr", 1).unmapped(),
    ];
    let msp = Setup::of(customers).start().await;
    let mut stated = record("x1", "Kutter Werft", "edr");
    stated["account_id"] = msp.account("b").to_string().into();
    push(&msp, "s", json!([stated, record("v-100", "Anker", "edr"), record("V-300", "Something Else", "edr")])).await;

    let by_usage = suggestion(&msp, "x1").await;
    assert_eq!(by_usage["account_id"], msp.account("b").to_string());
    assert_eq!(
        (&by_usage["match"], &by_usage["score"], &by_usage["sure"]),
        (&json!("account_id"), &json!(1000), &json!(true))
    );
    assert_eq!(kinds(&by_usage)[0], "stated_by_usage");
    assert_eq!(by_usage["alternatives"][0]["match"], "name", "{by_usage}");

    let by_number = suggestion(&msp, "v-100").await;
    assert_eq!(by_number["account_id"], msp.account("a").to_string());
    assert_eq!((&by_number["match"], &by_number["sure"]), (&json!("account_number"), &json!(true)), "{by_number}");

    // An id may agree by chance: the names say otherwise.
    let by_chance = suggestion(&msp, "V-300").await;
    assert_eq!((&by_chance["match"], &by_chance["sure"]), (&json!("account_number"), &json!(false)), "{by_chance}");
    assert!(kinds(&by_chance).contains(&"names_differ"), "{by_chance}");
}

#[tokio::test]
async fn what_was_mapped_elsewhere_or_before_is_known() {
    let customers = [
        Customer::named("a").called("Anker Werft").line("edr", 1),
        Customer::named("b").called("Boje Werft").line("edr", 1),
    ];
    let msp = Setup::of(customers).start().await;
    push(&msp, "s", json!([record("a", "Renamed Since", "edr"), record("b", "Boje Werft GmbH", "edr")])).await;
    assert_eq!(all(&msp, &msp.connection, "suggestions", 100).await, Vec::<Value>::new());

    let second = msp.connect("Europe/Berlin").await;
    let elsewhere = suggestion_on(&msp, &second, "a").await;
    assert_eq!(elsewhere["account_id"], msp.account("a").to_string());
    assert_eq!((&elsewhere["match"], &elsewhere["sure"]), (&json!("account_id"), &json!(true)), "{elsewhere}");
    assert_eq!(kinds(&elsewhere)[0], "mapped_on_another_connection");
    assert_eq!(elsewhere["mapped_on"], msp.connection);
    assert_eq!(suggestion_on(&msp, &second, "b").await["sure"], true);

    // Billed in another PSA, it would be billed twice: whatever it is like here, nobody is to take it unseen.
    let first = schema::connection(&PARTNER.parse().unwrap(), &msp.connection.parse().unwrap());
    let stored: Value = msp.parts.table.get(&first, Read::Consistent).await.unwrap().unwrap();
    let in_tenant = async |tenant: &Value| {
        let moved = Condition::new("SET #endpoint.#tenant = :tenant").bind(":tenant", tenant).unwrap();
        assert!(msp.parts.table.amend(&first, &moved, &Condition::present()).await.unwrap());
    };
    in_tenant(&json!("another")).await;
    let billed_there = suggestion_on(&msp, &second, "b").await;
    assert_eq!((&billed_there["sure"], &billed_there["mapped_on"]), (&json!(false), &json!(msp.connection)));
    in_tenant(&stored["endpoint"]["tenant"]).await;

    for company in ["a", "b"] {
        msp.done(Method::DELETE, &format!("/v1/connections/{}/companies/{company}", msp.connection), None).await;
    }
    // What a person has removed may have been wrong: sure only where the name says the same.
    let renamed = suggestion(&msp, "a").await;
    assert_eq!(renamed["account_id"], msp.account("a").to_string());
    assert_eq!((kinds(&renamed)[0], &renamed["sure"]), ("mapped_before", &json!(false)), "{renamed}");
    let same = suggestion(&msp, "b").await;
    assert_eq!((kinds(&same)[0], &same["sure"]), ("mapped_before", &json!(true)), "{same}");
}

#[tokio::test]
async fn of_several_contracts_the_one_that_carries_the_service_is_suggested() {
    let backup = || ContractSpec::recurring("Backup");
    let customers = [
        Customer::named("one").line("edr", 1).unmapped(),
        Customer::named("carried").line("edr", 1).beside(backup().id(7_001), &[("m365", 1)]).unmapped(),
        Customer::named("both").line("edr", 1).beside(backup().id(7_002), &[("edr", 1)]).unmapped(),
        Customer::named("neither").beside(backup().id(7_003), &[]).unmapped(),
        Customer::named("none").contract(ContractSpec::inactive).unmapped(),
    ];
    let msp = Setup::of(customers).start().await;
    let names = ["one", "carried", "both", "neither", "none"];
    let records = names.map(|name| record(name, &integration::msp::name_of(name), "edr"));
    push(&msp, "s", records.to_vec().into()).await;
    msp.psa.reset_counts();
    let found = all(&msp, &msp.connection, "suggestions", 100).await;
    // What is left of the hour, accounts, contracts, lines: a request each, however many companies there are.
    assert_eq!(msp.psa.request_count(), 4);
    let contract = |name: &str| found.iter().find(|found| found["company"] == name).unwrap()["contract_id"].clone();
    assert_eq!(contract("one"), msp.contract("one").to_string());
    assert_eq!(contract("carried"), msp.contract("carried").to_string());
    assert_eq!([contract("both"), contract("neither"), contract("none")], [Value::Null, Value::Null, Value::Null]);
}

#[tokio::test]
async fn two_accounts_of_one_name_are_both_told_and_neither_is_sure() {
    let customers = [
        Customer::named("a").called("Anker Werft GmbH").line("edr", 1).unmapped(),
        Customer::named("b").called("ANKER-WERFT").line("edr", 1).unmapped(),
    ];
    let msp = Setup::of(customers).start().await;
    push(&msp, "s", json!([record("x", "Anker Werft", "edr")])).await;
    let found = suggestion(&msp, "x").await;
    assert_eq!((&found["sure"], &found["match"]), (&json!(false), &json!("name")));
    assert!(kinds(&found).contains(&"tie"), "{found}");
    let told =
        [&found["account_id"], &found["alternatives"][0]["account_id"]].map(|id| id.as_str().unwrap().to_owned());
    assert_eq!(told, [msp.account("a").to_string(), msp.account("b").to_string()]);
}

#[tokio::test]
async fn unmapped_products_are_told_and_excluded_ones_are_not() {
    let excluding = json!({"overrides": {"spam": {"excluded": true}}});
    let msp = Setup::of([Customer::named("acme").line("edr", 1).mapped_with(excluding)]).start().await;
    push(
        &msp,
        "s",
        json!([record("acme", "Acme", "edr"), record("acme", "Acme", "backup"), record("acme", "Acme", "spam")]),
    )
    .await;
    let left = all(&msp, &msp.connection, "unmapped", 100).await;
    let told: Vec<_> =
        left.iter().map(|item| (item["product"].as_str().unwrap(), item["why"].as_str().unwrap())).collect();
    assert_eq!(told, [("backup", "product_not_mapped")]);
    assert_eq!(all(&msp, &msp.connection, "suggestions", 100).await, Vec::<Value>::new());
}

#[tokio::test]
async fn others_see_nothing_and_a_cursor_opens_its_own_list() {
    let msp: Msp<Autotask> = Setup::of([Customer::named("acme").line("edr", 1).unmapped()]).start().await;
    push(&msp, "s", json!([record("acme", "Acme", "edr"), record("zeta", "Zeta", "edr")])).await;
    for list in ["suggestions", "unmapped"] {
        let path = format!("/v1/connections/{}/{list}", msp.connection);
        assert_eq!(msp.call_as("another", Method::GET, &path, None).await.problem()["code"], "not_found");
        let usage_only = msp.parts.token(integration::PARTNER, &[Scope::Usage]);
        assert_eq!(Answer::to(msp.parts.request(Method::GET, &path).bearer_auth(usage_only)).await.status, 403);
        let page = msp.done(Method::GET, &format!("{path}?limit=1"), None).await;
        let cursor = page["next_cursor"].as_str().unwrap();
        let other = if list == "unmapped" { "suggestions" } else { "unmapped" };
        let path = format!("/v1/connections/{}/{other}?cursor={cursor}", msp.connection);
        assert_eq!(msp.call(Method::GET, &path, None).await.problem()["code"], "invalid_query");
    }
}

/// The rows of a list as a file.
async fn file(msp: &Msp, list: &str) -> Vec<BTreeMap<String, String>> {
    let token = msp.parts.token(integration::PARTNER, &[Scope::Read]);
    let path = format!("/v1/connections/{}/{list}", msp.connection);
    let request = msp.parts.request(Method::GET, &path).bearer_auth(token).header("accept", "text/csv");
    let answer = Answer::to(request).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/csv; charset=utf-8"), "{}", answer.text);
    csv::Reader::from_reader(answer.text.as_bytes()).deserialize().map(|row| row.unwrap()).collect()
}

#[tokio::test]
async fn what_is_not_mapped_and_what_is_suggested_come_as_files_too() {
    let customer = |name: &str| Customer::named(name).line("edr", 40).unmapped();
    let msp = Setup::of([customer("acme"), customer("beta")]).start().await;
    assert!(file(&msp, "suggestions").await.is_empty());
    msp.push(&[("acme", "edr", 42), ("beta", "edr", 7)]).await;
    for list in ["unmapped", "suggestions"] {
        let path = format!("/v1/connections/{}/{list}", msp.connection);
        let items = msp.done(Method::GET, &path, None).await["items"].as_array().unwrap().clone();
        let rows = file(&msp, &format!("{list}?limit=1")).await;
        assert_eq!(rows.len(), 2, "a file has no pages");
        for (row, item) in rows.iter().zip(&items) {
            for (name, cell) in
                row.iter().filter(|(name, _)| !["products", "evidence", "alternatives"].contains(&name.as_str()))
            {
                let value = match &item[name] {
                    Value::String(text) => text.clone(),
                    Value::Null => String::new(),
                    other => other.to_string(),
                };
                assert_eq!(*cell, value, "{list} {name}");
            }
        }
        let first = msp.done(Method::GET, &format!("{path}?limit=1"), None).await;
        let rest = file(&msp, &format!("{list}?cursor={}", first["next_cursor"].as_str().unwrap())).await;
        assert_eq!((rest.len(), rest[0]["company"].as_str()), (1, "beta"));
    }
}
