//! What the history tells of metered charges: each write that was sent, what it came to, and who had it made.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use integration::PARTNER;
use integration::msp::charges::itemised;
use integration::msp::{Customer, Effect, Fixture as _, Mishap, Msp, Office, Setup, by_operation};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use shared::history::{Asked, Bounds, History, Kind};
use shared::store::connections::Connections;
use shared::store::journal::{SENT, SentTogether};
use shared::store::lines::Tenancy;
use shared::store::{Condition, Key, Read, schema};
use shared::sync::Settings;

const KINDS: [&str; 3] = ["charge_made", "charge_changed", "charge_removed"];

/// What an entry says, in a line.
fn brief(entry: &Value) -> String {
    let text = |field: &str| entry[field].as_str().unwrap_or("-").to_owned();
    let side = |name: &str| if entry[name].is_null() { "-".to_owned() } else { entry[name].to_string() };
    format!(
        "{} by {} {} {}: {} > {}\n  {}",
        text("kind"),
        text("actor"),
        text("state"),
        text("code"),
        side("before"),
        side("after"),
        text("summary")
    )
}

fn is_of_charge(entry: &Value) -> bool {
    KINDS.contains(&entry["kind"].as_str().unwrap())
}

async fn all(msp: &Msp, query: &str) -> Vec<Value> {
    Office::of(msp).history(&msp.connection, query, 100).await.0
}

/// The writes of charges alone, the newest first.
async fn writes(msp: &Msp) -> Vec<Value> {
    all(msp, "").await.into_iter().filter(is_of_charge).collect()
}

async fn storage(msp: &Msp, amount: &str) {
    msp.meter(&[("acme", "storage", "2026-11-01", "2026-11-30", amount)]).await;
}

/// A sync that `who` asks for, a minute later.
async fn run(msp: &Msp, who: &str) -> String {
    msp.clock.advance(SignedDuration::from_mins(1));
    let path = format!("/v1/connections/{}/runs", msp.connection);
    let asked = Office::of(msp).does(who, Method::POST, &path, json!({"mode": "apply"})).await;
    msp.drain().await;
    asked["run_id"].as_str().unwrap().to_owned()
}

/// A charge is made, changed, taken away, made again, billed and corrected, and the correction changed and taken away.
async fn story() -> (Msp, Vec<String>) {
    let msp = itemised().await;
    let mut runs = Vec::new();
    for (amount, who) in [("10", "anna"), ("20", "ben"), ("0", "anna"), ("10", "ben")] {
        storage(&msp, amount).await;
        runs.push(run(&msp, who).await);
    }
    msp.psa.bill_charges(msp.contract("acme"), date(2027, 12, 31));
    for (amount, who) in [("9", "anna"), ("8", "ben"), ("10", "anna")] {
        storage(&msp, amount).await;
        runs.push(run(&msp, who).await);
    }
    (msp, runs)
}

#[tokio::test]
async fn a_charge_that_is_made_changed_taken_away_and_corrected_is_told_of_each_time() {
    let (msp, mut runs) = story().await;
    let told = writes(&msp).await;
    insta::assert_snapshot!(told.iter().map(brief).collect::<Vec<_>>().join("\n"), @r#"
    charge_removed by anna applied -: {"cost":"8.00","price":"9.60"} > {"cost":"10.00","price":"12.00"}
      The removal of the charge "Cloud storage" (cost -2.00, price -2.40), beside cost 10.00, price 12.00 that stays, was made.
    charge_changed by ben applied -: {"cost":"9.00","price":"10.80"} > {"cost":"8.00","price":"9.60"}
      A change of the charge "Cloud storage" from cost -1.00, price -1.20 to cost -2.00, price -2.40, beside cost 10.00, price 12.00 that stays, was made.
    charge_made by anna applied -: {"cost":"10.00","price":"12.00"} > {"cost":"9.00","price":"10.80"}
      The charge "Cloud storage" (cost -1.00, price -1.20), beside cost 10.00, price 12.00 that stays, was made.
    charge_made by ben applied -: - > {"cost":"10.00","price":"12.00"}
      The charge "Cloud storage" (cost 10.00, price 12.00) was made.
    charge_removed by anna applied -: {"cost":"20.00","price":"24.00"} > -
      The removal of the charge "Cloud storage" (cost 20.00, price 24.00) was made.
    charge_changed by ben applied -: {"cost":"10.00","price":"12.00"} > {"cost":"20.00","price":"24.00"}
      A change of the charge "Cloud storage" from cost 10.00, price 12.00 to cost 20.00, price 24.00 was made.
    charge_made by anna applied -: - > {"cost":"10.00","price":"12.00"}
      The charge "Cloud storage" (cost 10.00, price 12.00) was made.
    "#);
    runs.reverse();
    assert_eq!(told.iter().map(|entry| entry["run_id"].as_str().unwrap()).collect::<Vec<_>>(), runs);
    let charge = format!("{}#cloud#2026-11-01#storage", msp.contract("acme"));
    for entry in &told {
        for (field, expected) in [
            ("charge_id", charge.as_str()),
            ("name", "Cloud storage"),
            ("company", "acme"),
            ("product", "cloud"),
            ("account_id", &msp.account("acme").to_string()),
            ("contract_id", &msp.contract("acme").to_string()),
            ("period_start", "2026-11-01"),
            ("period_end", "2026-11-30"),
            ("currency", "EUR"),
        ] {
            assert_eq!(entry[field], expected, "{field} of {entry:#}");
        }
        assert!(entry["line_id"].is_null());
    }
    // A charge that is made again and one that corrects it are others in the PSA, and what is changed is the same.
    let references: Vec<&str> = told.iter().rev().map(|entry| entry["reference"].as_str().unwrap()).collect();
    let [made, changed, removed, again, corrected, changed_again, removed_again] = references[..] else { panic!() };
    assert_eq!((made, corrected), (changed, changed_again));
    assert_eq!((made, corrected), (removed, removed_again));
    assert_eq!(BTreeSet::from([made, again, corrected]).len(), 3);
    assert_eq!(msp.psa.charges()[0].reference, again);

    // The run itself says what became of charges, and a line's history is not about them.
    let newest = all(&msp, "&kind=run").await;
    assert_eq!(newest[0]["after"]["charges"], json!({"updated": 1}));
    assert!(newest[0]["summary"].as_str().unwrap().contains("charges: 1 updated"), "{:#}", newest[0]);
    let line = all(&msp, &format!("&line={}", msp.line_id("acme", "edr"))).await;
    assert!(!line.iter().any(is_of_charge), "{line:#?}");
}

#[tokio::test]
async fn a_name_that_changes_and_an_edit_that_is_overwritten_are_told_as_they_stood_in_the_psa() {
    let msp = Setup::of([Customer::named("acme").line("edr", 40)]).start().await;
    msp.map_charges(json!({"mode": "bundled", "name": "Cloud"})).await;
    msp.policy(json!({"drift": "overwrite"})).await;
    storage(&msp, "10").await;
    run(&msp, "anna").await;
    msp.map_charges(json!({"mode": "bundled", "name": "Cloud services", "markup_percent": "10"})).await;
    run(&msp, "anna").await;
    msp.psa.edit_charge(msp.psa.charges()[0].id, "99").unwrap();
    run(&msp, "ben").await;
    insta::assert_snapshot!(writes(&msp).await.iter().map(brief).collect::<Vec<_>>().join("\n"), @r#"
    charge_changed by ben applied -: {"price":"99.00"} > {"price":"11.00"}
      A change of the charge "Cloud services" from cost 10.00, price 99.00 to cost 10.00, price 11.00 was made.
    charge_changed by anna applied -: {"name":"Cloud","price":"10.00"} > {"name":"Cloud services","price":"11.00"}
      A change of the charge "Cloud" to "Cloud services" and from cost 10.00, price 10.00 to cost 10.00, price 11.00 was made.
    charge_made by anna applied -: - > {"cost":"10.00","price":"10.00"}
      The charge "Cloud" (cost 10.00, price 10.00) was made.
    "#);
    let bundle = format!("{}#cloud#2026-11-01#", msp.contract("acme"));
    assert_eq!(writes(&msp).await[0]["charge_id"], bundle.as_str());
    let by_id = all(&msp, &format!("&charge={}", bundle.replace('#', "%23"))).await;
    assert_eq!(by_id.len(), 3, "a bundle is found by its id, too: {by_id:#?}");
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_unknown_at_once_and_once_as_what_it_came_to() {
    for (mishap, at_once, in_the_end) in [
        (Mishap::Reset(Effect::Made), vec!["applied -"], vec!["applied -"]),
        (Mishap::Reset(Effect::NotMade), vec!["unknown write_unsettled"], vec!["applied -", "rejected not_applied"]),
        (Mishap::CalledMade(Effect::NotMade), vec!["unknown write_acknowledged"], vec!["unknown write_unexplained"]),
        (Mishap::Throttled(30), vec!["rejected psa_rate_limited"], vec!["applied -", "rejected psa_rate_limited"]),
    ] {
        let setup = Setup::of([Customer::named("acme").line("edr", 40)]).patience(Duration::from_millis(300));
        let msp = setup.start().await;
        msp.map_charges(json!({"mode": "itemised", "markup_percent": "20"})).await;
        storage(&msp, "10").await;
        msp.psa.strike(1, mishap);
        run(&msp, "anna").await;
        let states = async || -> Vec<String> {
            let told = all(&msp, "&kind=charge_made").await;
            let state = |entry: &Value| {
                format!("{} {}", entry["state"].as_str().unwrap(), entry["code"].as_str().unwrap_or("-"))
            };
            told.iter().map(state).collect()
        };
        assert_eq!(states().await, at_once, "{mishap:?}");
        for _ in 0..2 {
            msp.clock.advance(Settings::default().settle);
            run(&msp, "ben").await;
        }
        assert_eq!(states().await, in_the_end, "{mishap:?}");
        // What is found by the charge's own rows is the same.
        let charge = format!("&kind=charge_made&charge={}%23cloud%232026-11-01%23storage", msp.contract("acme"));
        assert_eq!(all(&msp, &charge).await, all(&msp, "&kind=charge_made").await);
    }
}

#[tokio::test]
async fn what_a_person_approves_and_resolves_of_a_charge_is_told_with_its_id() {
    let setup = Setup::of([Customer::named("acme").line("edr", 40)]).patience(Duration::from_millis(300));
    let msp = setup.start().await;
    msp.map_charges(json!({"mode": "itemised", "markup_percent": "20"})).await;
    msp.policy(json!({"approval": "always"})).await;
    storage(&msp, "10").await;
    let held = run(&msp, "anna").await;
    let office = Office::of(&msp);
    msp.psa.strike(1, Mishap::CalledMade(Effect::NotMade));
    msp.clock.advance(SignedDuration::from_mins(1));
    office.does("ben", Method::POST, &format!("/v1/runs/{held}/approve"), json!({})).await;
    msp.drain().await;
    msp.clock.advance(Settings::default().settle);
    run(&msp, "anna").await;
    let page = msp.done(Method::GET, &format!("/v1/connections/{}/findings", msp.connection), None).await;
    let finding = page["items"].as_array().unwrap().iter().find(|it| it["code"] == "write_unexplained").unwrap();
    let resolve = format!("/v1/findings/{}/resolve", finding["id"].as_str().unwrap());
    office.does("carla", Method::POST, &resolve, json!({"note": "it is not there"})).await;

    let charge = format!("{}#cloud#2026-11-01#storage", msp.contract("acme"));
    let of_charge = all(&msp, &format!("&charge={}", charge.replace('#', "%23"))).await;
    insta::assert_snapshot!(of_charge.iter().map(brief).collect::<Vec<_>>().join("\n"), @r#"
    finding_resolved by carla - -: {"status":"open"} > {"note":"it is not there","status":"resolved"}
      The finding write_unexplained on charge 29680001#cloud#2026-11-01#storage was resolved.
    charge_made by ben given_up resolved_by_person: - > {"cost":"10.00","price":"12.00"}
      The charge "Cloud storage" (cost 10.00, price 12.00) was sent; nobody could tell what became of it, and it was given up.
    approval by ben - -: {"cost":"0.00","price":"0.00"} > {"cost":"10.00","price":"12.00"}
      The change of the charge "Cloud storage" from cost 0.00, price 0.00 to cost 10.00, price 12.00 was approved.
    "#);
    let resolved = &of_charge[0];
    assert!(of_charge.iter().all(|entry| entry["charge_id"] == charge.as_str()), "{of_charge:#?}");
    assert_eq!((&resolved["period_start"], &resolved["product"]), (&json!("2026-11-01"), &json!("cloud")));
    assert_eq!(resolved["after"]["note"], "it is not there");
    let approval = &of_charge[2];
    assert_eq!((&approval["of_run_id"], &approval["name"]), (&json!(held), &json!("Cloud storage")));
    for query in ["&company=acme", "&product=cloud", "&company=acme&product=cloud"] {
        let found: Vec<Value> = all(&msp, query).await.into_iter().filter(|it| !it["charge_id"].is_null()).collect();
        assert_eq!(found, of_charge, "{query}");
    }
    for query in ["&company=beta", "&product=edr", "&company=acme&product=edr"] {
        let found = all(&msp, query).await;
        assert!(found.iter().all(|entry| entry["charge_id"].is_null()), "{query} {found:#?}");
    }
}

/// Three customers, one of whom is charged together with another; units and charges change in the same runs.
async fn several() -> Msp {
    let setup = Setup::of([
        Customer::named("acme").line("edr", 40),
        Customer::named("beta").line("edr", 10),
        Customer::named("gamma").joined_to("beta"),
    ]);
    let msp = setup.start().await;
    msp.map_charges(json!({"mode": "itemised"})).await;
    for day in 1..=4 {
        msp.clock.advance(SignedDuration::from_hours(24));
        msp.push(&[("acme", "edr", 40 + day), ("beta", "edr", 10)]).await;
        let [one, other] = [day, 10 * day].map(|amount| amount.to_string());
        msp.meter(&[
            ("acme", "storage", "2026-11-01", "2026-11-30", &one),
            ("acme", "egress", "2026-11-01", "2026-11-30", &other),
            ("beta", "storage", "2026-11-01", "2026-11-30", &one),
            ("gamma", "storage", "2026-11-01", "2026-11-30", &other),
        ])
        .await;
        msp.run("apply").await;
    }
    msp
}

#[tokio::test]
async fn charges_are_found_by_company_product_charge_kind_and_time_and_pages_give_each_once() {
    let msp = several().await;
    let office = Office::of(&msp);
    let whole = all(&msp, "").await;
    assert_eq!((whole.iter().filter(|it| is_of_charge(it)).count(), writes(&msp).await.len()), (12, 12));
    let only =
        |keep: &dyn Fn(&Value) -> bool| -> Vec<Value> { whole.iter().filter(|entry| keep(entry)).cloned().collect() };
    let charge = |company: &str, meter: &str| format!("{}#cloud#2026-11-01#{meter}", msp.contract(company));
    let (storage, shared) = (charge("acme", "storage"), charge("beta", "storage"));
    let at = whole.iter().filter(|it| is_of_charge(it)).nth(5).unwrap()["at"].as_str().unwrap();
    let of_charges = |entry: &Value, contract: i64| entry["contract_id"] == contract.to_string().as_str();
    let cases: Vec<(String, Vec<Value>)> = vec![
        (String::new(), whole.clone()),
        ("&kind=charge_made".into(), only(&|it| it["kind"] == "charge_made")),
        ("&kind=charge_changed".into(), only(&|it| it["kind"] == "charge_changed")),
        ("&kind=units_changed".into(), only(&|it| it["kind"] == "units_changed")),
        ("&product=cloud".into(), only(&|it| it["product"] == "cloud")),
        (format!("&charge={}", storage.replace('#', "%23")), only(&|it| it["charge_id"] == storage.as_str())),
        ("&company=acme&product=cloud".into(), only(&|it| is_of_charge(it) && of_charges(it, msp.contract("acme")))),
        // Whoever shares a charge finds it.
        ("&company=gamma&product=cloud".into(), only(&|it| it["charge_id"] == shared.as_str())),
        (
            "&company=beta&kind=charge_changed".into(),
            only(&|it| it["charge_id"] == shared.as_str() && it["kind"] == "charge_changed"),
        ),
        (format!("&from={at}"), only(&|it| it["at"].as_str().unwrap() >= at)),
        (format!("&to={at}"), only(&|it| it["at"].as_str().unwrap() < at)),
        (
            format!("&kind=charge_changed&to={at}"),
            only(&|it| it["kind"] == "charge_changed" && it["at"].as_str().unwrap() < at),
        ),
    ];
    for (query, expected) in cases {
        assert!(!expected.is_empty(), "{query}");
        for limit in [100, 3, 1] {
            let (told, pages) = office.history(&msp.connection, &query, limit).await;
            assert_eq!(told.iter().map(brief).collect::<Vec<_>>(), expected.iter().map(brief).collect::<Vec<_>>());
            assert_eq!(told, expected, "{query} {limit}");
            assert!(pages <= expected.len().div_ceil(limit) + 1, "{query}: {pages} pages of {limit}");
        }
    }
    let both = format!("&charge={}&line={}", storage.replace('#', "%23"), msp.line_id("acme", "edr"));
    assert_eq!(all(&msp, &both).await, [Value::Null; 0]);
    for bad in ["17", "29680001%23cloud", "29680001%23cloud%23November%23storage"] {
        let path = format!("/v1/connections/{}/history?charge={bad}", msp.connection);
        let said = office.call(&format!("anna@{PARTNER}"), Method::GET, &path, None, "*/*").await;
        assert_eq!((said.status, said.json["code"].as_str()), (400, Some("invalid_query")), "{bad} {}", said.text);
    }
}

#[tokio::test]
async fn a_page_of_charges_costs_as_few_requests_as_one_of_lines_and_may_end_early() {
    let msp = several().await;
    let office = Office::of(&msp);
    let storage = format!("&charge={}%23cloud%232026-11-01%23storage", msp.contract("acme"));
    for (query, most) in [
        ("", 4),
        (storage.as_str(), 4),
        ("&company=acme", 6),
        ("&product=cloud", 6),
        ("&company=acme&product=cloud", 6),
        ("&kind=charge_made", 3),
    ] {
        let _ = msp.parts.requests.take();
        let path = format!("/v1/connections/{}/history?limit=50{query}", msp.connection);
        let said = office.call(&format!("anna@{PARTNER}"), Method::GET, &path, None, "*/*").await;
        let requests = msp.parts.requests.take();
        let entries = said.json["items"].as_array().unwrap().len();
        println!("{query}: {entries} entries for {} store requests {:?}", requests.len(), by_operation(&requests));
        assert!(requests.len() <= most, "{query}: {requests:#?}");
    }
    let table = &msp.parts.table;
    let (partner, id) = (PARTNER.parse().unwrap(), msp.connection.parse().unwrap());
    let connection = Connections::new(table.clone()).get(&partner, &id, Read::Consistent).await.unwrap().unwrap();
    let charge = format!("{}#cloud#2026-11-01#storage", msp.contract("acme"));
    let mut early = 0;
    for asked in [
        Asked::default(),
        Asked { kind: Some(Kind::ChargeChanged), ..Asked::default() },
        Asked { company: Some("beta".parse().unwrap()), ..Asked::default() },
        Asked { charge: Some(charge.parse().unwrap()), ..Asked::default() },
    ] {
        let whole = History::new(table.clone());
        let whole = whole.read(&connection, asked.clone()).await.unwrap().page(None, 100).await.unwrap().entries;
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
            assert_eq!(entries, whole, "{asked:?} within {requests} requests of {rows} rows, {limit} a page");
        }
    }
    assert!(early > 10, "{early} pages ended early");
}

#[tokio::test]
async fn a_row_that_names_lines_and_charges_gives_each_once_on_pages_of_any_size() {
    let msp = several().await;
    let table = &msp.parts.table;
    let (partner, id) = (PARTNER.parse().unwrap(), msp.connection.parse().unwrap());
    let journal = schema::journal(&partner, &id);
    let rows: Vec<(String, SentTogether)> = table.all(&journal, SENT, Read::Consistent).await.unwrap();
    let units = rows.iter().rev().find(|(_, row)| !row.intents.is_empty()).unwrap().1.clone();
    let of_charges: Vec<_> = rows.iter().rev().filter(|(_, row)| !row.charges.is_empty()).take(2).cloned().collect();
    let charges: Vec<_> = of_charges.into_iter().flat_map(|(_, row)| row.charges).collect();
    assert_eq!((units.intents.len(), charges.len()), (1, 3));
    let last = table.all::<SentTogether>(&journal, SENT, Read::Consistent).await.unwrap().pop().unwrap().0;
    let key = Key { pk: journal.clone(), sk: format!("{last}x") };
    let both = SentTogether { charges, ..units };
    let before = all(&msp, "").await;
    assert!(table.put(&key, &both, &Condition::absent()).await.unwrap());
    let whole = all(&msp, "").await;
    assert_eq!(whole.len(), before.len() + 4, "one of units and three of charges, once more");
    for limit in [1, 2, 3] {
        assert_eq!(Office::of(&msp).history(&msp.connection, "", limit).await.0, whole, "{limit}");
    }
}

#[tokio::test]
async fn a_write_that_an_earlier_version_stored_is_told_as_far_as_it_is_known() {
    let (msp, _) = story().await;
    let before = writes(&msp).await;
    let table = &msp.parts.table;
    let (partner, id) = (PARTNER.parse().unwrap(), msp.connection.parse().unwrap());
    let connection = Connections::new(table.clone()).get(&partner, &id, Read::Consistent).await.unwrap().unwrap();
    let Tenancy { partner, psa, tenant } = Tenancy::of(&connection);
    let charge = format!("{}#cloud#2026-11-01#storage", msp.contract("acme")).parse().unwrap();
    let ledger = schema::charge_ledger(&partner, psa, &tenant, &charge);
    for (sk, mut intent) in table.all::<Value>(&ledger, "INTENT#", Read::Consistent).await.unwrap() {
        let key = Key { pk: ledger.clone(), sk };
        let row = intent.as_object_mut().unwrap();
        assert!(row.remove("before").is_some());
        let meaning = row["meaning"].as_object_mut().unwrap();
        assert!(meaning.remove("company").is_some() && meaning.remove("currency").is_some());
        row.retain(|name, _| name != "pk" && name != "sk");
        assert!(table.put(&key, &intent, &Condition::new("attribute_exists(#pk)")).await.unwrap());
    }
    let told = writes(&msp).await;
    assert_eq!(told.len(), before.len());
    let sides = |entry: &Value| {
        let is = entry["after"].as_object().map(|after| after["price"].to_string()).unwrap_or_default();
        format!("{} {} {is}", entry["kind"].as_str().unwrap(), entry["before"])
    };
    // What other pieces came to is not known, nor what one was before; a first one stands alone.
    assert_eq!(
        told.iter().map(sides).collect::<Vec<_>>(),
        [
            "charge_removed null ",
            "charge_changed null ",
            "charge_made null ",
            "charge_made null ",
            "charge_removed null ",
            "charge_changed null \"24.00\"",
            "charge_made null \"12.00\"",
        ]
    );
    let summary = |entry: &Value| entry["summary"].as_str().unwrap().to_owned();
    assert_eq!(summary(&told[1]), "A change of the charge \"Cloud storage\" to cost -2.00, price -2.40 was made.");
    assert!(summary(&told[0]).starts_with("The removal of charge "), "{:#}", told[0]);
    // Whose it is, the mappings still say.
    assert_eq!(all(&msp, "&company=acme").await.into_iter().filter(is_of_charge).collect::<Vec<_>>(), told);
}

#[tokio::test]
async fn a_file_tells_of_charges_in_columns_of_their_own() {
    let (msp, _) = story().await;
    let path = format!("/v1/connections/{}/history", msp.connection);
    let said = Office::of(&msp).call(&format!("anna@{PARTNER}"), Method::GET, &path, None, "text/csv").await;
    let rows: Vec<BTreeMap<String, String>> =
        csv::Reader::from_reader(said.text.as_bytes()).deserialize().collect::<Result<_, _>>().unwrap();
    let entries = all(&msp, "").await;
    assert_eq!(rows.len(), entries.len());
    for (row, entry) in rows.iter().zip(&entries) {
        for field in [
            "kind",
            "company",
            "product",
            "charge_id",
            "name",
            "reference",
            "account_id",
            "contract_id",
            "period_start",
            "period_end",
            "currency",
            "state",
            "code",
            "run_id",
            "summary",
        ] {
            assert_eq!(row[field], entry[field].as_str().unwrap_or_default(), "{field}");
        }
        for side in ["before", "after"] {
            let said: Value = serde_json::from_str(&row[side]).unwrap_or_default();
            assert_eq!(said, entry[side], "{side}");
        }
        assert!(row["at"].parse::<Timestamp>().is_ok() && row["next_cursor"].is_empty());
    }
    assert_eq!(rows.iter().filter(|row| KINDS.contains(&row["kind"].as_str())).count(), 7);
}
