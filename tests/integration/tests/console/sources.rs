//! Sources as pages: what is asked, what is kept of a form that was refused, pulling, and removal.

use std::collections::BTreeMap;

use integration::PARTNER;
use integration::msp::Msp;
use shared::api::auth::Scope;
use shared::sources::{Filters, Vendor};
use shared::store::Read;
use shared::store::sources::{Setting, UsageSource, UsageSources};

use super::office::{browser, browser_of, hidden, msp, submit, words};

/// A Huntress that is set up.
async fn set_up(msp: &Msp) -> UsageSources {
    let sources = UsageSources::new(msp.parts.table.clone());
    let products = BTreeMap::from([("agents".into(), "agents".parse().unwrap())]);
    let setting = Setting { products, filters: Filters::default(), schedule: None, time_zone: "UTC".into() };
    let source = UsageSource::new(PARTNER.parse().unwrap(), Vendor::Huntress, setting, msp.clock.time());
    assert!(sources.create(&source).await.unwrap());
    sources
}

#[tokio::test]
async fn a_form_that_is_refused_keeps_what_was_typed_and_no_secret() {
    let msp = msp().await;
    let mut browser = browser(&msp).await;
    let form = "/console/sources/huntress/setting";
    let page = browser.get(form).await;
    assert!(
        page.text.contains("id=\"credentials.key\"") && page.text.contains("id=\"metric.agents\""),
        "{}",
        page.text
    );
    let csrf = hidden(&page, form).into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    let typed = [
        ("csrf", csrf.as_str()),
        ("credentials.key", "canary-key"),
        ("credentials.secret", "canary-secret"),
        ("metric.agents", "no#product"),
        ("frequency", "daily"),
        ("hour", "4"),
        ("time_zone", "Europe/Berlin"),
    ];
    let refused = browser.post(form, &typed).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(
        refused.text.contains("value=\"no#product\"") && refused.text.contains("value=\"Europe/Berlin\""),
        "{}",
        refused.text
    );
    assert!(!refused.text.contains("canary"), "{}", refused.text);
    // What is wrong stands at its field.
    assert!(refused.text.contains("aria-describedby=\"metric.agents-said\" aria-invalid=\"true\""), "{}", refused.text);
    assert_eq!(browser.post(form, &typed[1..]).await.status, 400, "without its token it is none of ours");
}

#[tokio::test]
async fn a_source_is_pulled_once_watched_and_removed_after_it_was_said_what_that_means() {
    let msp = msp().await;
    let sources = set_up(&msp).await;
    let mut browser = browser(&msp).await;
    let listed = words(&browser.get("/console/sources").await);
    assert!(listed.contains("Huntress agents → agents none yet") && listed.contains("Set up JumpCloud"), "{listed}");
    let page = browser.get("/console/sources/huntress").await;
    let asked = submit(&mut browser, &page, "/console/sources/huntress/pull").await;
    assert_eq!((asked.status, msp.parts.wire.take_pulls().len()), (303, 1));
    let going = browser.get(asked.location()).await;
    assert!(
        going.text.contains("/console/sources/huntress/progress?pull=") && going.text.contains("every 2s"),
        "{}",
        going.text
    );
    let confirm = browser.get("/console/sources/huntress/remove").await;
    assert!(words(&confirm).contains("Its credentials are gone for good"), "{}", confirm.text);
    let removed = submit(&mut browser, &confirm, "/console/sources/huntress/remove").await;
    assert_eq!((removed.status, removed.location()), (303, "/console/sources"));
    assert!(sources.get(&PARTNER.parse().unwrap(), Vendor::Huntress, Read::Consistent).await.unwrap().is_none());
}

#[tokio::test]
async fn sources_of_others_are_not_there() {
    let msp = msp().await;
    set_up(&msp).await;
    let mut other = browser_of(&msp, "suedwind", &[Scope::Read, Scope::Write]).await;
    assert!(words(&other.get("/console/sources").await).contains("No source is set up"));
    assert_eq!(other.get("/console/sources/huntress").await.location(), "/console/sources/huntress/setting");
    assert_eq!(other.get("/console/sources/huntress/remove").await.status, 404);
    assert_eq!(other.get("/console/sources/nobody").await.status, 404);
}
