//! A line's page: its units against its usage, and everything that happened to it.

use integration::PARTNER;
use jiff::SignedDuration;
use jiff::civil::date;
use reqwest::Method;
use shared::api::auth::Scope;

use super::office::{browser, browser_of, msp, words};

#[tokio::test]
async fn a_line_shows_its_units_its_usage_and_every_change_with_its_outcome() {
    let msp = msp().await;
    msp.run("apply").await;
    msp.clock.advance(SignedDuration::from_hours(48));
    msp.push(&[("acme", "edr", 45), ("acme", "itdr", 7), ("bolt", "edr", 10), ("over", "edr", 6)]).await;
    let run = msp.run("apply").await;
    let mut browser = browser(&msp).await;
    let line = msp.line_id("acme", "edr");
    let state = msp.done(Method::GET, &format!("/v1/connections/{}/lines/{line}", msp.connection), None).await;
    assert_eq!((state["run_id"].as_str(), state["line"]["after"].as_u64()), (Some(run.id.as_str()), Some(45)));

    let page = format!("/console/connections/{}/lines/{line}", msp.connection);
    let seen = browser.get(&page).await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    let said = words(&seen);
    for told in
        ["From 40 to 42 units", "From 42 to 45 units", "applied: the PSA shows it", "45 since", "usage makes it 45"]
    {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(
        seen.text.contains("class=\"units\"") && seen.text.contains("class=\"usage\"") && !seen.text.contains("style=")
    );

    // Its contract has ended: nothing was drawn, and the page says why and leads to what was counted.
    let over = format!("/console/connections/{}/lines/{}", msp.connection, msp.line_id("over", "edr"));
    let over = browser.get(&over).await.text;
    assert!(over.contains("no count was taken") && !over.contains("class=\"units\""), "{over}");
    assert!(over.contains("href=\"/console/usage?company=over&amp;product=edr\""), "{over}");

    // Somebody changed it in the PSA since: what was read last is what it has.
    msp.clock.advance(SignedDuration::from_hours(48));
    msp.edit("acme", "edr", date(2026, 11, 26), 61);
    msp.push(&[("acme", "edr", 45), ("acme", "itdr", 7), ("bolt", "edr", 10), ("over", "edr", 6)]).await;
    msp.run("apply").await;
    browser = browser_of(&msp, PARTNER, &[Scope::Read]).await;
    let drifted = words(&browser.get(&page).await);
    assert!(drifted.contains("and 61, 61 since 2026-11-26."), "{drifted}");

    let mut other = browser_of(&msp, "suedwind", &[Scope::Read]).await;
    assert_eq!(other.get(&page).await.status, 404);
    assert_eq!(browser.get(&page.replace(&line, "1:2")).await.status, 404);
}

#[tokio::test]
async fn a_line_that_is_mapped_no_more_is_looked_for_in_the_newest_run_of_all_lines_and_in_none_before() {
    let msp = msp().await;
    msp.run("apply").await;
    let line = msp.line_id("bolt", "edr");
    let state = format!("/v1/connections/{}/lines/{line}", msp.connection);
    assert_eq!(msp.call(Method::GET, &state, None).await.status, 200);
    msp.done(Method::DELETE, &format!("/v1/connections/{}/companies/bolt", msp.connection), None).await;
    for _ in 0..3 {
        msp.run("apply").await;
    }
    let _ = msp.parts.requests.take();
    assert_eq!(msp.call(Method::GET, &state, None).await.status, 404);
    let asked = msp.parts.requests.take();
    assert_eq!(asked.iter().filter(|request| *request == "Query LINES").count(), 1, "{asked:?}");
}
