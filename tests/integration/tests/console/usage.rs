//! What is counted: how fresh it is, and what it comes to day by day.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use shared::api::auth::Scope;

use super::office::{browser, browser_of, msp, words};

#[tokio::test]
async fn counts_are_added_up_day_by_day_and_shown_by_company() {
    let msp = msp().await;
    msp.clock.advance(SignedDuration::from_hours(24));
    let mut browser = browser(&msp).await;
    // Two of them are not told again: they stay in the sum as they were.
    msp.push_incomplete(&[("acme", "edr", 50)]).await;
    let totals = msp.done(Method::GET, "/v1/usage/totals?product=edr", None).await;
    assert_eq!(
        totals["days"],
        json!([
            {"date": "2026-11-22", "quantity": 58, "companies": 3, "counted": 3},
            {"date": "2026-11-23", "quantity": 66, "companies": 3, "counted": 1},
        ])
    );
    let page = browser.get("/console/usage?product=edr&sum=yes").await;
    assert!(words(&page).contains("edr of all companies: between 58 and 66, 66 since 2026-11-23."), "{}", page.text);
    let of_one = browser.get("/console/usage?product=edr&company=acme").await;
    assert!(words(&of_one).contains("between 42 and 50, 50 since 2026-11-23."), "{}", of_one.text);
    // Without the sums the page asks for them afterwards.
    let first = browser.get("/console/usage").await;
    assert!(first.text.contains("hx-get=\"/console/usage/totals?product=edr"), "{}", first.text);
}

#[tokio::test]
async fn products_are_listed_with_their_newest_complete_snapshot_and_those_of_others_are_not() {
    let msp = msp().await;
    let products = msp.done(Method::GET, "/v1/usage/products", None).await;
    let names: Vec<_> = products["items"].as_array().unwrap().iter().map(|item| item["product"].clone()).collect();
    assert_eq!(names, ["edr", "itdr"]);
    let one = msp.done(Method::GET, "/v1/usage/products?limit=1", None).await;
    let next = format!("/v1/usage/products?limit=1&cursor={}", one["next_cursor"].as_str().unwrap());
    assert_eq!(msp.done(Method::GET, &next, None).await["items"][0]["product"], "itdr");
    let mut today = browser(&msp).await;
    let fresh = words(&today.get("/console/usage").await);
    assert!(fresh.contains("fresh less than an hour old") && fresh.contains("pushed to the API"), "{fresh}");
    msp.clock.advance(SignedDuration::from_hours(80));
    let stale = words(&browser(&msp).await.get("/console/usage").await);
    assert!(stale.contains("stale 3 days old"), "{stale}");
    let mut other = browser_of(&msp, "suedwind", &[Scope::Read]).await;
    let nothing = other.get("/console/usage?product=edr&sum=yes").await;
    assert!(words(&nothing).contains("Nothing is counted yet.") && !nothing.text.contains("acme"), "{}", nothing.text);
}

#[tokio::test]
async fn a_product_that_few_have_is_found_among_many_counts_and_never_said_not_to_be_there() {
    let msp = msp().await;
    // A page of the API reads a thousand rows: the only one of its product stands behind as many of others.
    let of = |company: String, product: &str| json!({"company": company, "company_name": company, "product": product, "quantity": 7});
    let others = (0..1_100).map(|number| of(format!("a{number:04}"), "edr"));
    msp.push_records(others.chain([of("zuletzt".into(), "rare")]).collect(), true).await;
    let mut browser = browser(&msp).await;
    let page = words(&browser.get("/console/usage?product=rare").await);
    assert!(page.contains("zuletzt") && !page.contains("Nothing of rare"), "{page}");
    let nothing = words(&browser.get("/console/usage?product=never").await);
    assert!(nothing.contains("Nothing of never was counted in the last two days."), "{nothing}");
    assert!(!nothing.contains("read so far"), "{nothing}");
}

#[tokio::test]
async fn a_company_stands_once_on_a_page_with_its_newest_count_when_a_month_begins() {
    let msp = msp().await;
    for (hours, units) in [(8 * 24, 43), (20, 44)] {
        msp.clock.advance(SignedDuration::from_hours(hours));
        msp.push(&[("acme", "edr", units)]).await;
    }
    let page = words(&browser(&msp).await.get("/console/usage?product=edr").await);
    assert!(page.contains("acme 44") && !page.contains("acme 43"), "{page}");
}

#[tokio::test]
async fn what_is_counted_every_hour_is_drawn_by_its_newest_counts_and_no_further_than_they_go() {
    let msp = msp().await;
    for hour in 0..620_u32 {
        msp.clock.advance(SignedDuration::from_hours(1));
        msp.push(&[("acme", "edr", 100 + hour)]).await;
    }
    msp.clock.advance(SignedDuration::from_hours(72));
    let page = words(&browser(&msp).await.get("/console/usage?product=edr&company=acme").await);
    assert!(page.contains("and 719, 719 since 2026-12-18. After 2026-12-18 nothing is known."), "{page}");
    assert!(page.contains("older counts are left out") && !page.contains("between 42 "), "{page}");
}

#[tokio::test]
async fn sums_that_are_asked_for_wrongly_are_refused() {
    let msp = msp().await;
    for (query, pointer) in [
        ("product=edr&from=2026-11-21&to=2026-11-20", "?from"),
        ("product=edr&from=2026-01-01&to=2026-11-20", "?from"),
        ("product=edr&time_zone=Mars", "?time_zone"),
    ] {
        let answer = msp.call(Method::GET, &format!("/v1/usage/totals?{query}"), None).await;
        assert_eq!((answer.status, answer.json["errors"][0]["pointer"].as_str()), (400, Some(pointer)), "{query}");
    }
}
