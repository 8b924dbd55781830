//! Metered charges that nothing bills: a run of all lines notices them, and they are listed with the usage that no mapping
//! takes.

use integration::msp::charges::{itemised, metered};
use integration::msp::{Customer, Msp, Setup};
use integration::{Answer, PARTNER};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::domain::charge::RecordKey;
use shared::store::{Condition, schema};

/// Two customers with a line each, and no mapping of charges.
async fn uncharged() -> Msp {
    Setup::of([Customer::named("acme").line("edr", 40), Customer::named("beta").line("edr", 5)]).start().await
}

/// A record of November's storage, in EUR.
fn storage<'a>(company: &'a str, amount: &'a str) -> (&'a str, &'a str, &'a str, &'a str, &'a str) {
    (company, "storage", "2026-11-01", "2026-11-30", amount)
}

fn path(msp: &Msp, rest: &str) -> String {
    format!("/v1/connections/{}/{rest}", msp.connection)
}

async fn items(msp: &Msp, path: &str) -> Vec<Value> {
    let page = msp.done(Method::GET, path, None).await;
    page["items"].as_array().cloned().unwrap_or_default()
}

/// Open findings of usage that nothing bills.
async fn findings(msp: &Msp) -> Vec<Value> {
    let mut all = items(msp, &path(msp, "findings?status=open")).await;
    all.retain(|finding| finding["code"].as_str().is_some_and(|code| code.ends_with("_not_mapped")));
    all
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or("-")
}

/// The same in brief, `code company product`.
async fn told(msp: &Msp) -> Vec<String> {
    let all = findings(msp).await;
    let brief = |it: &Value| [text(it, "code"), text(it, "company"), text(it, "product")].join(" ");
    let mut told: Vec<String> = all.iter().map(brief).collect();
    told.sort();
    told
}

/// `company product quantity why charges` of each row of the list.
async fn listed(msp: &Msp) -> Vec<String> {
    let brief = |row: &Value| {
        let charges = row["charges"].as_array().into_iter().flatten();
        let charges: Vec<_> = charges.map(|it| format!("{} {}", text(it, "amount"), text(it, "currency"))).collect();
        let (company, product, why) = (text(row, "company"), text(row, "product"), text(row, "why"));
        format!("{company} {product} {} {why} {}", row["quantity"], charges.join("+")).trim().to_owned()
    };
    items(msp, &path(msp, "unmapped")).await.iter().map(brief).collect()
}

async fn resolve(msp: &Msp, finding: &Value) {
    let path = format!("/v1/findings/{}/resolve", text(finding, "id"));
    msp.done(Method::POST, &path, Some(json!({"note": "not billed"}))).await;
}

#[tokio::test]
async fn a_product_that_is_charged_for_nowhere_is_noticed_until_its_charges_are_mapped() {
    let msp = uncharged().await;
    msp.run("apply").await;
    msp.psa.reset_counts();
    msp.run("apply").await;
    let without = msp.psa.request_count();
    let mut in_dollars = metered(("beta", "egress", "2026-10-05", "2026-10-05", "3"));
    in_dollars["currency"] = "USD".into();
    let egress = ("beta", "egress", "2026-11-05", "2026-11-05", "1.20");
    let in_euros = [storage("acme", "12.505"), storage("beta", "7"), egress].map(metered);
    msp.push_records([in_euros.to_vec(), vec![in_dollars]].concat(), true).await;
    msp.psa.reset_counts();
    let run = msp.run("apply").await;
    assert_eq!(msp.psa.request_count(), without, "nothing is asked of the PSA");

    let [finding] = &findings(&msp).await[..] else { panic!("one finding") };
    assert_eq!((text(finding, "code"), text(finding, "product")), ("charges_not_mapped", "cloud"), "{finding:#}");
    assert_eq!(
        text(finding, "explanation"),
        "The charges of cloud for 2 companies come to 20.70 EUR and 3.00 USD in the running billing period and the last \
         one, and no connection charges them."
    );
    assert!(text(finding, "fix").contains("/charges/{product}"), "{finding:#}");
    let entries = items(&msp, &format!("/v1/runs/{}/reconciliation", run.id)).await;
    let entry = entries.iter().find(|entry| entry["code"] == "charges_not_mapped");
    assert_eq!(entry.map(|entry| text(entry, "kind")), Some("gap"), "{entries:#?}");

    msp.map_charges(json!({"mode": "itemised"})).await;
    let run = msp.run("apply").await;
    assert_eq!((told(&msp).await.len(), run.status()), (0, "succeeded"), "{:#}", run.view);
    let mut stands = msp.stands();
    stands.sort();
    assert_eq!(stands, ["Cloud egress: 1.2/1.2", "Cloud storage: 12.5/12.5", "Cloud storage: 7/7"]);
}

#[tokio::test]
async fn a_resolved_finding_stays_so_while_amounts_grow_and_comes_back_with_another_company() {
    let msp = uncharged().await;
    msp.meter(&[storage("acme", "12")]).await;
    msp.run("apply").await;
    let [finding] = &findings(&msp).await[..] else { panic!("one finding") };
    assert!(text(finding, "explanation").starts_with("The charges of cloud for \"Acme\" come to 12.00 EUR in"));
    resolve(&msp, finding).await;
    msp.meter(&[storage("acme", "15"), ("acme", "egress", "2026-11-20", "2026-11-20", "1")]).await;
    msp.run("apply").await;
    assert!(told(&msp).await.is_empty());
    msp.meter(&[storage("beta", "1")]).await;
    msp.run("apply").await;
    assert_eq!(told(&msp).await, ["charges_not_mapped - cloud"]);
}

#[tokio::test]
async fn a_company_that_is_mapped_nowhere_is_noticed_with_its_charges_where_its_counts_do_not_say_so() {
    let msp = itemised().await;
    msp.meter(&[storage("acme", "1"), storage("zeta", "12.50")]).await;
    msp.run("apply").await;
    let [finding] = &findings(&msp).await[..] else { panic!("one finding") };
    assert_eq!((text(finding, "code"), text(finding, "company")), ("company_not_mapped", "zeta"), "{finding:#}");
    assert!(text(finding, "explanation").starts_with("The charges of cloud for \"Zeta\" come to 12.50 EUR in"));
    resolve(&msp, finding).await;
    msp.meter(&[storage("zeta", "14")]).await;
    msp.run("apply").await;
    assert!(told(&msp).await.is_empty());

    // Counted as well, it is one finding, in the words of its counts.
    msp.push(&[("acme", "edr", 40), ("zeta", "edr", 3)]).await;
    msp.run("apply").await;
    let [finding] = &findings(&msp).await[..] else { panic!("one finding") };
    assert!(text(finding, "explanation").starts_with("3 of edr are counted"), "{finding:#}");
    let rows = ["zeta cloud 0 company_not_mapped 14.00 EUR", "zeta edr 3 company_not_mapped"];
    assert_eq!(listed(&msp).await, rows);
}

#[tokio::test]
async fn what_is_excluded_too_early_long_over_or_nothing_is_not_noticed() {
    let msp = itemised().await;
    let excluded = json!({"overrides": {"backup": {"excluded": true}}});
    msp.map_company(&msp.connection, "acme", excluded).await;
    let of = |product: &str, record| {
        let mut record = metered(record);
        record["product"] = product.into();
        record
    };
    let records = vec![
        // Before the mapping's `from`.
        metered(("zeta", "storage", "2026-10-31", "2026-10-31", "9")),
        of("backup", storage("acme", "9")),
        // Of September; taken back; and a charge with its credit.
        of("old", ("acme", "storage", "2026-09-30", "2026-09-30", "9")),
        of("nothing", storage("acme", "0")),
        of("even", storage("acme", "9")),
        of("even", ("acme", "credit", "2026-11-01", "2026-11-30", "-9")),
    ];
    msp.push_records(records, true).await;
    msp.run("apply").await;
    assert!(told(&msp).await.is_empty() && listed(&msp).await.is_empty(), "{:?}", listed(&msp).await);
    // By another billing day September's last day is of the last period, also while that one has no charges.
    msp.policy(json!({"billing_day": 25})).await;
    msp.run("apply").await;
    assert_eq!(told(&msp).await, ["charges_not_mapped - old"]);
    msp.done(Method::DELETE, &path(&msp, "charges/cloud"), None).await;
    msp.run("apply").await;
    assert_eq!(told(&msp).await, ["charges_not_mapped - cloud", "charges_not_mapped - old"]);
}

#[tokio::test]
async fn what_another_connection_takes_is_not_noticed_until_that_one_is_revoked() {
    let mut msp =
        Setup::of([Customer::named("acme").line("edr", 40), Customer::named("beta").line("edr", 5).unmapped()])
            .start()
            .await;
    let second = msp.connect("Europe/Berlin").await;
    msp.map_company(&second, "beta", json!({})).await;
    let first = std::mem::replace(&mut msp.connection, second.clone());
    msp.map_charges(json!({"mode": "itemised"})).await;
    msp.meter(&[storage("acme", "5"), storage("beta", "3"), storage("zeta", "2")]).await;
    // The one that has the mapping tells of a company that is mapped nowhere: acme is mapped to the first.
    msp.run("apply").await;
    assert_eq!(told(&msp).await, ["company_not_mapped zeta cloud"]);
    msp.connection = first;
    msp.run("apply").await;
    // And the one that has the company tells of charges that are mapped where the company is not.
    assert_eq!(told(&msp).await, ["charges_not_mapped - cloud"]);
    assert_eq!(listed(&msp).await, ["acme cloud 0 charges_not_mapped 5.00 EUR"]);

    msp.done(Method::DELETE, &format!("/v1/connections/{second}"), None).await;
    msp.run("apply").await;
    assert_eq!(told(&msp).await, ["charges_not_mapped - cloud"]);
    assert!(text(&findings(&msp).await[0], "explanation").contains("for 3 companies come to 10.00 EUR"));
}

#[tokio::test]
async fn a_record_that_can_not_be_read_is_left_out_and_the_run_goes_on() {
    let msp = uncharged().await;
    msp.push(&[("acme", "edr", 42)]).await;
    msp.meter(&[storage("acme", "12")]).await;
    let [company, product] = ["beta", "cloud"];
    let key = RecordKey {
        company: company.parse().unwrap(),
        product: product.parse().unwrap(),
        meter: "storage".parse().unwrap(),
        from: "2026-11-01".parse().unwrap(),
    };
    let key = schema::charge(&PARTNER.parse().unwrap(), "2026-11", &key);
    let row = json!({"record": {"company": "beta", "tiers": []}});
    assert!(msp.parts.table.put(&key, &row, &Condition::absent()).await.unwrap());
    let run = msp.run("apply").await;
    assert_eq!((run.status(), msp.units("acme", "edr")), ("succeeded", 42), "{:#}", run.view);
    assert_eq!(told(&msp).await, ["charges_not_mapped - cloud"]);
    assert_eq!(listed(&msp).await, ["acme cloud 0 charges_not_mapped 12.00 EUR"]);
}

#[tokio::test]
async fn records_are_read_once_and_two_months_of_them_where_no_charges_are_mapped() {
    let reads = async |msp: &Msp| {
        msp.ask("apply").await;
        let _ = msp.parts.requests.take();
        msp.plan().await;
        let asked = msp.parts.requests.take();
        asked.iter().filter(|request| *request == "Query CHARGES").count()
    };
    let msp = uncharged().await;
    assert_eq!(reads(&msp).await, 2);
    msp.meter(&[storage("acme", "12")]).await;
    assert_eq!(reads(&msp).await, 2);
    msp.map_charges(json!({"mode": "itemised"})).await;
    // From six periods back to two months ahead.
    assert_eq!(reads(&msp).await, 9);
    // A run of one company says nothing of the others.
    msp.done(Method::DELETE, &path(&msp, "charges/cloud"), None).await;
    let of_one = json!({"mode": "apply", "companies": ["acme"]});
    msp.done(Method::POST, &path(&msp, "runs"), Some(of_one)).await;
    let _ = msp.parts.requests.take();
    msp.plan().await;
    assert!(!msp.parts.requests.take().iter().any(|request| request == "Query CHARGES"));
}

#[tokio::test]
async fn the_list_pages_through_counts_and_charges_and_comes_as_a_file() {
    let msp = uncharged().await;
    // Of one company and product there is a count and a charge.
    msp.push(&[("acme", "cloud", 7), ("zeta", "edr", 2)]).await;
    msp.meter(&[storage("acme", "12"), storage("beta", "3"), storage("zeta", "-1.5")]).await;
    let rows = [
        "acme cloud 7 product_not_mapped",
        "acme cloud 0 charges_not_mapped 12.00 EUR",
        "beta cloud 0 charges_not_mapped 3.00 EUR",
        "zeta cloud 0 charges_not_mapped -1.50 EUR",
        "zeta edr 2 company_not_mapped",
    ];
    assert_eq!(listed(&msp).await, rows);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = msp.done(Method::GET, &path(&msp, &format!("unmapped?limit=1{cursor}")), None).await;
        paged.extend(page["items"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, items(&msp, &path(&msp, "unmapped")).await);
    assert_eq!(paged[0].get("charges"), None, "a count is listed as ever");

    let token = msp.parts.token(PARTNER, &[Scope::Read]);
    let request = msp.parts.request(Method::GET, &path(&msp, "unmapped")).bearer_auth(token);
    let file = Answer::to(request.header("accept", "text/csv")).await.text;
    let lines: Vec<&str> = file.lines().collect();
    assert!(lines[0].ends_with("why,account_id,charges"), "{file}");
    assert!(lines[2].ends_with("charges_not_mapped,,12.00 EUR"), "{file}");
}
