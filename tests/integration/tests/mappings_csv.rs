//! All mappings as one CSV file: it comes back as it went out, is checked row by row, and counts as a whole or not at all.

use std::collections::BTreeMap;
use std::time::Instant;

use integration::Answer;
use integration::msp::sheet::{HEADER, counts, faults, file, row};
use integration::msp::{Customer, Fixture, Msp, On, Setup, by_operation};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::autotask::{Entity, When};
use simulators::faults::Fault as SimulatedFault;
use simulators::kaseya_bms::KaseyaBms;

/// Accounts and contracts of the first two customers, and the services of `edr` and `itdr`.
const ACME: (&str, &str) = ("1001", "29680001");
const BETA: (&str, &str) = ("1002", "29680002");
const EDR: &str = "501";
const ITDR: &str = "502";

/// Two customers in the PSA, mapped to nothing; the products are mapped.
async fn msp() -> Msp {
    let customer = |name: &str| Customer::named(name).line("edr", 40).line("itdr", 10).unmapped();
    Setup::of([customer("acme"), customer("beta")]).start().await
}

fn product(name: &str, service: &str) -> String {
    row(&[("type", "product"), ("product", name), ("service_id", service)])
}

fn company(name: &str, (account, contract): (&str, &str)) -> String {
    row(&[("type", "company"), ("company", name), ("account_id", account), ("contract_id", contract)])
}

fn an_override(company: &str, product: &str, more: &[(&str, &str)]) -> String {
    row(&[&[("type", "override"), ("company", company), ("product", product)], more].concat())
}

/// What is stored, by keys.
async fn rows<P: Fixture>(msp: &Msp<P>) -> BTreeMap<String, Value> {
    let kept = |key: &String| key.contains("COMPANY#") || key.contains("PRODUCT#") || key.contains("IMPORT");
    msp.parts.rows().await.into_iter().filter(|(key, _)| kept(key)).collect()
}

#[tokio::test]
async fn a_file_comes_back_as_it_went_out() {
    let msp = msp().await;
    let path = format!("/v1/connections/{}", msp.connection);
    let rule = json!({"counting": "high_water_mark", "exclude": 2, "minimum": 5, "maximum": 90, "rounding": "down",
        "commitment": {"units": 10, "until": "2027-06-30"}});
    let price = json!({"unit_cost": "fixed", "fixed": "12.50", "markup_percent": "25"});
    let put = async |what: &str, body: Value| msp.done(Method::PUT, &format!("{path}/{what}"), Some(body)).await;
    put("products/edr", json!({"service_id": EDR, "rule": rule, "price": price})).await;
    put("products/=cmd%7Cx,1;2", json!({"service_id": ITDR, "price": {"unit_cost": "from_usage"}})).await;
    put("companies/'quoted'", json!({"account_id": ACME.0, "contract_id": ACME.1, "when_absent": "zero"})).await;
    let overrides = json!({
        "edr": {"rule": {}, "opening_units": 12},
        "itdr": {"excluded": true},
        "alone": {"service_id": ITDR, "contract_id": BETA.1},
        "nothing": {},
    });
    let beta = json!({"account_id": BETA.0, "contract_id": BETA.1, "overrides": overrides});
    put("products/nothing", json!({"service_id": EDR})).await;
    put("companies/-beta%20%22B%22", beta).await;
    msp.done(Method::DELETE, &format!("{path}/products/nothing"), None).await;

    let out = msp.export().await;
    insta::assert_snapshot!(out, @r#"
    type,company,product,account_id,contract_id,service_id,when_absent,excluded,opening_units,counting,exclude,minimum,commitment_units,commitment_until,maximum,rounding,unit_cost,fixed,markup_percent,unit_price,decimals,currency
    product,,"'=cmd|x,1;2",,,502,,,,latest,0,0,,,,up,from_usage,,,markup,,
    product,,edr,,,501,,,,high_water_mark,2,5,10,2027-06-30,90,down,fixed,12.50,25,markup,,
    product,,itdr,,,502,,,,latest,0,0,,,,up,,,,,,
    company,''quoted',,1001,29680001,,zero,,,,,,,,,,,,,,,
    company,"'-beta ""B""",,1002,29680002,,keep,,,,,,,,,,,,,,,
    override,"'-beta ""B""",alone,,29680002,502,,,,,,,,,,,,,,,,
    override,"'-beta ""B""",edr,,,,,,12,latest,0,0,,,,up,,,,,,
    override,"'-beta ""B""",itdr,,,,,true,,,,,,,,,,,,,,
    override,"'-beta ""B""",nothing,,,,,,,,,,,,,,,,,,,
    "#);
    let before = rows(&msp).await;
    msp.clock.advance(SignedDuration::from_hours(1));
    let answer = msp.import(out.clone()).await;
    assert_eq!(answer.json, json!({"created": 0, "changed": 0, "unchanged": 5, "rows": 9, "dry_run": false}));
    assert_eq!(rows(&msp).await, before, "an unchanged file wrote something");

    // The same rows on a connection that has nothing, as a spreadsheet in Europe writes them.
    let other = msp.connect("Europe/Berlin").await;
    let mut back = msp;
    back.connection = other;
    let european = format!("\u{feff}{}", reordered(&out).replace('\n', "\r\n"));
    // Nobody has mapped this product, and no service is named.
    let refused = faults(&back.import(european.clone()).await);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].1.contains("is mapped neither"), "{refused:?}");
    let european = european.lines().filter(|line| !line.contains("nothing")).map(|line| format!("{line}\r\n"));
    let answer = back.import(european.collect::<String>()).await;
    assert_eq!(counts(&answer), [5, 0, 0]);
    let without: String =
        out.lines().filter(|line| !line.contains("nothing")).map(|line| format!("{line}\n")).collect();
    assert_eq!(back.export().await, without);
}

/// What a dry run says of each row.
fn told(changes: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let row = |row: &Value| {
        let fields = row["fields"].as_array().unwrap().iter();
        let fields =
            fields.map(|field| format!("{} {}>{}", text(&field["field"]), text(&field["from"]), text(&field["to"])));
        let [kind, company, product, what] = ["type", "company", "product", "what"].map(|name| text(&row[name]));
        format!("{} {kind} {company}/{product} {what}: {}", row["row"], fields.collect::<Vec<_>>().join(", "))
    };
    changes["rows"].as_array().unwrap().iter().map(row).collect()
}

/// The columns backwards, semicolons between them, an empty row, and one of separators.
fn reordered(text: &str) -> String {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut writer =
        csv::WriterBuilder::new().delimiter(b';').quote_style(csv::QuoteStyle::Necessary).from_writer(vec![]);
    for record in reader.records() {
        writer.write_record(record.unwrap().iter().collect::<Vec<_>>().into_iter().rev()).unwrap();
    }
    let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    format!("{text}\n{}\n", ";".repeat(HEADER.split(',').count() - 1))
}

#[tokio::test]
async fn an_import_makes_and_changes_and_removes_nothing_but_overrides_that_a_company_no_longer_has() {
    let msp = msp().await;
    let first = [
        company("acme", ACME),
        company("beta", BETA),
        an_override("acme", "edr", &[("minimum", "5")]),
        an_override("acme", "itdr", &[("excluded", "TRUE")]),
    ];
    let dry = Answer::to(msp.importing("?dry_run=true", file(&first))).await;
    let changes = dry.json["changes"].clone();
    assert_eq!((&changes["total"], &changes["more"]), (&json!(4), &json!(false)));
    assert_eq!([&dry.json["created"], &dry.json["rows"], &dry.json["dry_run"]], [&json!(2), &json!(4), &json!(true)]);
    let taken = msp.import(file(&first)).await;
    assert_eq!(taken.json, json!({"created": 2, "changed": 0, "unchanged": 0, "rows": 4, "dry_run": false}));

    let second = [
        an_override("acme", "edr", &[("minimum", "6")]),
        company("acme", ACME),
        company("new", BETA),
        product("edr", EDR),
    ];
    let dry = Answer::to(msp.importing("?dry_run=true", file(&second))).await;
    assert_eq!(
        told(&dry.json["changes"]),
        [
            "2 override acme/edr changed: minimum 5>6",
            "3 override acme/itdr removed: excluded true>",
            "4 company new/- created: account_id >1002, contract_id >29680002, when_absent >keep",
        ]
    );
    assert_eq!(msp.imported(file(&second)).await, [1, 1, 1]);
    let path = format!("/v1/connections/{}/companies", msp.connection);
    let acme = msp.done(Method::GET, &format!("{path}/acme"), None).await;
    assert_eq!((&acme["version"], &acme["overrides"]["edr"]["rule"]["minimum"]), (&json!(2), &json!(6)));
    assert_eq!(acme["overrides"]["itdr"], Value::Null);
    assert_eq!(acme["updated_by"], "local");
    let beta = msp.done(Method::GET, &format!("{path}/beta"), None).await;
    assert_eq!(beta["version"], 1, "what the file does not name stays as it is");
    // Removed and imported again: the versions go on.
    msp.done(Method::DELETE, &format!("{path}/beta"), None).await;
    assert_eq!(msp.imported(file(&[company("beta", BETA)])).await, [1, 0, 0]);
    assert_eq!(msp.done(Method::GET, &format!("{path}/beta"), None).await["version"], 3);
    let changed = json!({"account_id": BETA.0, "contract_id": BETA.1, "when_absent": "hold"});
    assert_eq!(msp.done(Method::PUT, &format!("{path}/beta"), Some(changed)).await["version"], 4);
}

#[tokio::test]
async fn every_fault_is_told_with_its_row_and_column_and_nothing_is_changed() {
    let msp = msp().await;
    let of = |kind: &str, cells: &[(&str, &str)]| row(&[&[("type", kind)], cells].concat());
    let acme = |more: &[(&str, &str)]| {
        of("company", &[&[("company", "acme"), ("account_id", ACME.0), ("contract_id", ACME.1)], more].concat())
    };
    let edr = |more: &[(&str, &str)]| of("product", &[&[("product", "edr"), ("service_id", EDR)], more].concat());
    let rows = [
        of("produkt", &[]),
        of("product", &[("company", "acme"), ("account_id", "1")]),
        edr(&[("counting", "newest"), ("exclude", "-1"), ("minimum", "1.5"), ("rounding", "off")]),
        edr(&[("minimum", "9"), ("maximum", "8"), ("commitment_units", "10")]),
        edr(&[("commitment_units", "10"), ("commitment_until", "30.06.2027")]),
        edr(&[("fixed", "1"), ("markup_percent", "x")]),
        edr(&[("unit_cost", "none"), ("markup_percent", "5")]),
        of("product", &[("product", "gone"), ("service_id", "999")]),
        acme(&[("when_absent", "forget"), ("minimum", "1")]),
        acme(&[]),
        of("company", &[("company", "beta"), ("account_id", BETA.0), ("contract_id", ACME.1)]),
        of("company", &[("company", "none"), ("account_id", ACME.0), ("contract_id", "7")]),
        of("company", &[("company", "a#b")]),
        an_override("acme", "edr", &[("excluded", "perhaps"), ("opening_units", "many")]),
        an_override("beta", "edr", &[("contract_id", ACME.1)]),
        an_override("beta", "itdr", &[("when_absent", "keep")]),
        an_override("beta", "sat", &[("service_id", "998")]),
        an_override("beta", "unheard", &[("opening_units", "4")]),
        an_override("absent", "edr", &[("excluded", "true")]),
        product("edr", EDR),
        product("edr", EDR),
        acme(&[]),
        an_override("beta", "edr", &[("minimum", "1")]),
    ];
    let before = rows_of(&msp).await;
    let text = format!("{}a,row,too,short\n", file(&rows));
    let found = faults(&msp.import(text.clone()).await);
    let told: String = found.iter().map(|(pointer, detail)| format!("{pointer} | {detail}\n")).collect();
    insta::assert_snapshot!(told, @r#"
    /rows/2/type | row 2, column type: must be product, company or override
    /rows/3/company | row 3, column company: must be empty in a row of type product
    /rows/3/product | row 3, column product: is required
    /rows/3/account_id | row 3, column account_id: must be empty in a row of type product
    /rows/3/service_id | row 3, column service_id: is required
    /rows/4/counting | row 4, column counting: must be latest, high_water_mark, period_close or average
    /rows/4/exclude | row 4, column exclude: must be a whole number from 0 to 10000000
    /rows/4/minimum | row 4, column minimum: must be a whole number from 0 to 10000000
    /rows/4/rounding | row 4, column rounding: must be up, nearest or down
    /rows/5/product | row 5, column product: is in row 4 already
    /rows/5/commitment_until | row 5, column commitment_until: is required: a commitment has units and a last day
    /rows/5/maximum | row 5, column maximum: must not be below the minimum
    /rows/6/product | row 6, column product: is in row 4 already
    /rows/6/commitment_until | row 6, column commitment_until: must be a day such as 2027-06-30
    /rows/7/product | row 7, column product: is in row 4 already
    /rows/7/unit_cost | row 7, column unit_cost: is required where a price is given
    /rows/7/markup_percent | row 7, column markup_percent: must be a percentage as decimal text such as "25" or "-12.5": from -100 to 10000, at most 4 digits after the point
    /rows/8/product | row 8, column product: is in row 4 already
    /rows/8/markup_percent | row 8, column markup_percent: needs a unit_cost to add to
    /rows/9/service_id | row 9, column service_id: must be an active service
    /rows/10/when_absent | row 10, column when_absent: must be keep, zero or hold
    /rows/10/minimum | row 10, column minimum: must be empty in a row of type company
    /rows/11/company | row 11, column company: is in row 10 already
    /rows/12/contract_id | row 12, column contract_id: "Managed Security" belongs to another account.
    /rows/13/contract_id | row 13, column contract_id: The PSA shows no contract of this id.
    /rows/14/company | row 14, column company: must be 1 to 128 printable ASCII characters without spaces at its ends and without '#'
    /rows/14/account_id | row 14, column account_id: is required
    /rows/14/contract_id | row 14, column contract_id: is required
    /rows/15/excluded | row 15, column excluded: must be true, false or empty
    /rows/15/opening_units | row 15, column opening_units: must be a whole number from 0 to 10000000
    /rows/16/contract_id | row 16, column contract_id: "Managed Security" belongs to another account.
    /rows/17/when_absent | row 17, column when_absent: must be empty in a row of type override
    /rows/18/service_id | row 18, column service_id: must be an active service
    /rows/19/product | row 19, column product: is mapped neither in this file nor on the connection, and the row names no service for it
    /rows/19/opening_units | row 19, column opening_units: are units of a line: map the product first, or name its service here
    /rows/20/company | row 20, column company: has no row of type company in this file: include it, a company is given with all of its overrides
    /rows/21/product | row 21, column product: is in row 4 already
    /rows/22/product | row 22, column product: is in row 4 already
    /rows/23/company | row 23, column company: is in row 10 already
    /rows/24/product | row 24, column product: is in row 16 already
    /rows/25 | row 25: has 4 cells where the header has 22
    "#);
    assert_eq!(faults(&Answer::to(msp.importing("?dry_run=true", text)).await), found);
    assert_eq!(rows_of(&msp).await, before);
}

async fn rows_of(msp: &Msp) -> BTreeMap<String, Value> {
    rows(msp).await
}

#[tokio::test]
async fn the_first_hundred_faults_are_named_and_all_are_counted() {
    let msp = msp().await;
    let rows: Vec<String> = (0..250).map(|n| company(&format!("c{n}"), (ACME.0, "7"))).collect();
    let answer = msp.import(file(&rows)).await;
    assert_eq!(faults(&answer).len(), 100);
    assert_eq!(answer.json["detail"], "The file is not valid in 250 places; the first 100 are named.");
    assert_eq!(answer.json["errors"][99]["pointer"], "/rows/101/contract_id");
    let many: Vec<String> = (0..101).map(|n| an_override("acme", &format!("p{n}"), &[("service_id", EDR)])).collect();
    let found = faults(&msp.import(file(&[&[company("acme", ACME)][..], &many].concat())).await);
    let told = "row 103, column company: a company may have at most 100 overrides";
    assert_eq!(found, [("/rows/103/company".to_owned(), told.to_owned())]);
}

#[tokio::test]
async fn what_is_no_such_file_is_told_so() {
    let msp = msp().await;
    let header = HEADER.replace("minimum", "minimun").replace(",fixed", ",type");
    let must = format!(
        "row 1: the header must name these columns, in any order, with commas or semicolons between them: {HEADER}"
    );
    let told = async |text: String| {
        let found = faults(&msp.import(text).await);
        assert_eq!(found.len(), 1, "one thing is wrong, the header: {found:?}");
        found[0].1.strip_prefix(must.as_str()).unwrap_or(&found[0].1).to_owned()
    };
    assert_eq!(
        told(format!("{header}\n")).await,
        "; it lacks: minimum, fixed; it has twice: type; it has besides: minimun"
    );
    let row = company("acme", ACME);
    let tabs = told(format!("{HEADER}\n{row}\n").replace(',', "\t")).await;
    assert!(tabs.ends_with("; one column alone was found, so another separator was used"), "{tabs}");
    assert!(told(String::new()).await.contains("it lacks: type, company"));
    let latin: Vec<u8> = [file(&[company("acme", ACME)]).into_bytes(), vec![b'a', 0xfc, b'\n']].concat();
    assert_eq!(faults(&msp.import(latin).await)[0].1, "row 3: is not UTF-8");

    let problem = msp.import(" ".repeat(5 * 1024 * 1024 + 1)).await.problem();
    assert_eq!((&problem["code"], &problem["detail"]), (&json!("body_too_large"), &json!("A body may have 5 MB.")));
    assert!(problem["fix"].as_str().unwrap().starts_with("Send several files"), "{problem}");
    let rows: Vec<String> = (0..10_001).map(|n| company(&format!("c{n}"), ACME)).collect();
    assert_eq!(msp.import(file(&rows)).await.problem()["code"], "too_many_rows");
    let path = format!("/v1/connections/{}/mappings.csv", msp.connection);
    assert_eq!(msp.call(Method::POST, &path, Some(json!({}))).await.problem()["code"], "not_csv");
    let unknown = Answer::to(msp.importing("?dryrun=true", file(&[]))).await;
    assert_eq!(unknown.status, 400, "{}", unknown.text);
    assert_eq!(msp.imported(file(&[])).await, [0, 0, 0]);
}

#[tokio::test]
async fn another_partner_finds_no_such_connection() {
    let msp = msp().await;
    let path = format!("/v1/connections/{}/mappings.csv", msp.connection);
    assert_eq!(msp.call_as("other", Method::GET, &path, None).await.status, 404);
    let token = msp.parts.token("other", &[shared::api::auth::Scope::Write]);
    let request = msp.parts.request(Method::POST, &path).bearer_auth(token).header("content-type", "text/csv");
    assert_eq!(Answer::to(request.body(file(&[company("acme", ACME)]))).await.status, 404);
    let reader = msp.parts.token(integration::PARTNER, &[shared::api::auth::Scope::Read]);
    let request = msp.parts.request(Method::POST, &path).bearer_auth(reader).header("content-type", "text/csv");
    assert_eq!(Answer::to(request.body(file(&[]))).await.status, 403);
}

#[tokio::test]
async fn a_psa_that_does_not_answer_refuses_the_import_and_faults_are_told_all_the_same() {
    let msp = msp().await;
    msp.psa.plan_fault(When::EveryRequest(Entity::Contracts), SimulatedFault::ResetBefore);
    let answer = msp.import(file(&[company("acme", ACME)])).await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    let found = faults(&msp.import(file(&[company("acme", ACME), company("acme", ACME)])).await);
    assert_eq!(found[0].1, "row 3, column company: is in row 2 already");
    assert_eq!(msp.export().await, file(&[stored("edr", EDR), stored("itdr", ITDR)]));
}

/// A product's row as it is written.
fn stored(product: &str, service: &str) -> String {
    let rule = [("counting", "latest"), ("exclude", "0"), ("minimum", "0"), ("rounding", "up")];
    row(&[&[("type", "product"), ("product", product), ("service_id", service)], &rule[..]].concat())
}

#[tokio::test]
async fn opening_units_are_statements_as_with_a_single_mapping() {
    let acme = Customer::named("acme").line("edr", 40).line("itdr", 10);
    let msp: Msp<KaseyaBms> = On::adding().of([acme]).start().await;
    let path = format!("/v1/connections/{}/companies/acme", msp.connection);
    let openings = async || msp.done(Method::GET, &path, None).await["openings"].clone();
    let first = openings().await;
    let out = msp.export().await;
    msp.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(msp.imported(out.clone()).await, [0, 0, 3]);

    // A new number is stated now; the one beside it is the same statement as before.
    assert_eq!(msp.imported(out.replace(",40,", ",41,")).await, [0, 1, 2]);
    let second = openings().await;
    assert_eq!((&second["edr"]["units"], &second["edr"]["stated_at"]), (&json!(41), &json!("2026-11-21T13:00:00Z")));
    assert_eq!(second["itdr"], first["itdr"]);

    // The product moves to another service. What was said was said of the line before, and stays so where nothing is sent anew.
    let out = msp.export().await;
    let moved = out.replace("product,,edr,,,501", "product,,edr,,,502");
    assert_ne!(out, moved);
    assert_eq!(msp.imported(moved.clone()).await, [0, 1, 2]);
    assert_eq!(openings().await, second);
    assert_eq!(msp.imported(moved.clone()).await, [0, 0, 3]);
    // With another change of the company it would be carried over to the new line.
    let found = faults(&msp.import(moved.replace(",keep,", ",hold,")).await);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].1.contains("column opening_units: is on record as the units of another line"), "{found:?}");
}

#[tokio::test]
async fn five_thousand_mappings_are_imported_at_once() {
    let customers = (0..4_998).map(|n| Customer::named(&format!("c{n:04}")).unmapped());
    let msp = Setup::of(customers).product("edr", json!({})).product("itdr", json!({})).start().await;
    let rows: Vec<String> = (0..4_998_u32)
        .map(|n| company(&format!("c{n:04}"), (&(1_001 + n).to_string(), &(29_680_001 + n).to_string())))
        .chain([product("m365", EDR), product("sat", ITDR)])
        .collect();
    let text = file(&rows);
    println!("5,000 mappings, a file of {} KB", text.len() / 1024);
    let measured = async |what: &str, text: String| {
        msp.psa.forget();
        let _ = msp.parts.requests.take();
        let begun = Instant::now();
        let counts = msp.imported(text).await;
        let took = begun.elapsed();
        let asked = msp.parts.requests.take();
        println!(
            "{what}: {:.2} s, {} store requests {:?}, {} PSA requests",
            took.as_secs_f64(),
            asked.len(),
            by_operation(&asked),
            Fixture::requests(&msp.psa)
        );
        (counts, asked)
    };
    let (made, asked) = measured("all made", text.clone()).await;
    assert_eq!(made, [5_000, 0, 0]);
    assert!(asked.len() < 250, "{}", asked.len());
    let out = msp.export().await;
    let (same, asked) = measured("all unchanged", text).await;
    assert_eq!(same, [0, 0, 5_000]);
    assert!(!asked.iter().any(|request| request.starts_with("TransactWriteItems")), "{asked:?}");
    let (changed, _) = measured("all companies changed", out.replace(",keep,", ",hold,")).await;
    assert_eq!(changed, [0, 4_998, 4]);
    assert_eq!(msp.export().await, out.replace(",keep,", ",hold,"));
    assert!(!rows_of(&msp).await.keys().any(|key| key.contains("CHUNK#")), "pieces are left");
}

#[tokio::test]
async fn an_import_of_what_is_new_alone_replaces_nothing_that_stands() {
    let msp = msp().await;
    msp.import(file(&[company("acme", ACME), an_override("acme", "edr", &[("excluded", "TRUE")])])).await;
    let before = msp.export().await;
    let mixed = file(&[company("acme", ACME), company("new", BETA), product("edr", ITDR)]);
    let told =
        |row, column: &str| (format!("/rows/{row}/{column}"), format!("row {row}, column {column}: is mapped already"));
    for how in ["?only_new=true", "?only_new=true&dry_run=true"] {
        let refused = faults(&Answer::to(msp.importing(how, mixed.clone())).await);
        assert_eq!(refused, [told(2, "company"), told(4, "product")]);
    }
    assert_eq!(msp.export().await, before);
    let taken = Answer::to(msp.importing("?only_new=true", file(&[company("new", BETA)]))).await;
    assert_eq!(taken.json["created"], 1, "{}", taken.text);
}

#[tokio::test]
async fn a_dry_run_names_the_first_two_hundred_rows_that_change_something() {
    let msp = msp().await;
    let rows: Vec<String> = (0..250).map(|n| company(&format!("c{n:03}"), ACME)).collect();
    let changes = Answer::to(msp.importing("?dry_run=true", file(&rows))).await.json["changes"].clone();
    assert_eq!((&changes["total"], &changes["more"]), (&json!(250), &json!(true)));
    assert_eq!(changes["rows"].as_array().unwrap().len(), 200);
    assert_eq!(changes["rows"][199]["row"], 201);
}

#[tokio::test]
async fn the_last_row_of_a_file_that_was_cut_short_is_passed_over() {
    let msp = msp().await;
    let cut = row(&[("type", "cut_short"), ("company", "The file ends here")]);
    assert_eq!(msp.imported(file(&[company("acme", ACME), cut])).await, [1, 0, 0]);
}

#[tokio::test]
async fn an_override_of_a_product_that_nobody_has_mapped_is_refused_alone_as_in_a_file() {
    let msp = msp().await;
    let path = format!("/v1/connections/{}/companies/acme", msp.connection);
    let body = |overrides: Value| json!({"account_id": ACME.0, "contract_id": ACME.1, "overrides": overrides});
    let slip = body(json!({"unheard": {"rule": {}}, "edr": {"rule": {}}}));
    let refused = msp.call(Method::PUT, &path, Some(slip.clone())).await;
    assert_eq!((refused.status, &refused.json["errors"][0]["pointer"]), (422, &json!("/overrides/unheard")));
    assert_eq!(refused.json["errors"].as_array().unwrap().len(), 1);
    let named = body(json!({"unheard": {"service_id": EDR}}));
    msp.done(Method::PUT, &path, Some(named)).await;
    // On record, it may stay.
    msp.done(Method::PUT, &path, Some(slip)).await;
    // That a product is not billed is no slip, whether or not it is billed for others.
    msp.done(Method::PUT, &path, Some(body(json!({"another": {"excluded": true}})))).await;
    let excluded = an_override("beta", "a third", &[("excluded", "true")]);
    assert_eq!(msp.imported(file(&[company("beta", BETA), excluded])).await, [1, 0, 0]);
}
