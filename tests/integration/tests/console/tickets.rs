//! Tickets: a form made of the PSA's own, what is missing said at its field, alerts tried again.

use integration::msp::alerts::alert;
use integration::msp::{Customer, Lane, Msp, On};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use simulators::kaseya_bms::KaseyaBms;

use crate::filling::{anna, filled, person, send};

async fn msp() -> Msp<KaseyaBms> {
    On::<KaseyaBms>::adding().of([Customer::named("acme").line("edr", 40)]).start().await
}

async fn stored(msp: &Msp<KaseyaBms>) -> Value {
    msp.call(Method::GET, &format!("/v1/connections/{}/ticket-mapping", msp.connection), None).await.json
}

#[tokio::test]
async fn the_psas_form_is_filled_in_and_what_is_missing_is_said_at_its_field() {
    let msp = msp().await;
    let mut browser = anna(&msp).await;
    let here = format!("/console/connections/{}/tickets", msp.connection);
    let page = browser.get(&here).await;
    assert!(page.text.contains("Nothing yet: alerts wait.") && page.text.contains("No alert has come in yet"));
    let form = browser.get(&format!("{here}?edit=yes")).await;
    assert!(form.text.contains("Priority (required)") && form.text.contains("Critical"), "{}", form.text);
    let chosen =
        [("d.StatusId", "51"), ("d.TypeId", "92"), ("d.SourceId", "5"), ("d.QueueId", "73"), ("due_hours", "4")];
    let refused = send(&mut browser, &form, &here, &[&chosen[..], &[("d.PriorityId", "")]].concat()).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("<p class=\"fault\">Priority (required) is required"), "{}", refused.text);
    assert_eq!(
        (filled(&refused, &here)["due_hours"].as_str(), filled(&refused, &here)["d.QueueId"].as_str()),
        ("4", "73")
    );
    assert_eq!(stored(&msp).await["code"], "not_found");
    let severe =
        [("d.PriorityId", "63"), ("s0.name", "critical"), ("s0.f.PriorityId", "61"), ("on_resolve", "complete")];
    let saved = send(&mut browser, &refused, &here, &severe).await;
    assert_eq!((saved.status, saved.location()), (303, format!("{here}?done=saved").as_str()));
    let mapping = stored(&msp).await;
    assert_eq!(mapping["by_severity"], json!({"critical": {"PriorityId": "61"}}));
    assert_eq!((&mapping["due_hours"], &mapping["on_resolve"]), (&json!(4), &json!("complete")));

    let again = browser.get(&format!("{here}?edit=yes")).await;
    assert_eq!(send(&mut browser, &again, &here, &[]).await.status, 303);
    assert_eq!(stored(&msp).await, mapping, "a form that is sent as it came changes nothing");
    let asked = browser.get(&format!("{here}/remove")).await;
    assert_eq!(browser.post(&format!("{here}/remove"), &[]).await.status, 400);
    assert_eq!(send(&mut browser, &asked, &format!("{here}/remove"), &[]).await.status, 303);
    assert_eq!(stored(&msp).await["code"], "not_found");
}

#[tokio::test]
async fn an_alert_that_waits_says_why_and_is_tried_again() {
    let msp = msp().await;
    msp.done(Method::POST, "/v1/alerts", Some(alert("a-1", "acme"))).await;
    Lane::of(&msp).work_off().await;
    let mut browser = anna(&msp).await;
    let here = format!("/console/connections/{}/tickets", msp.connection);
    let page = browser.get(&here).await;
    assert!(page.text.contains(">waiting<") && page.text.contains("Try again"), "{}", page.text);
    assert!(page.text.contains("try the alerts again on the page Tickets"), "{}", page.text);
    assert!(!page.text.contains("/v1/alerts/retry") && !page.text.contains("ticket-mapping"), "{}", page.text);
    let home = browser.get("/console").await;
    assert!(home.text.contains(&format!("href=\"{here}\">Tickets")), "{}", home.text);
    let retry = format!("{here}/retry");
    assert_eq!(browser.post(&retry, &[("dedupe_key", "a-1")]).await.status, 400);
    let sent = send(&mut browser, &page, &retry, &[("dedupe_key", "a-1")]).await;
    assert_eq!((sent.status, sent.location()), (303, format!("{here}?done=retried").as_str()));
    assert!(browser.get(&format!("{here}?status=queued")).await.status == 200);
    assert_eq!(msp.done(Method::GET, "/v1/alerts/a-1", None).await["status"], "queued");
    let mut stranger = person(&msp, "suedwind", &[Scope::Read, Scope::Write]).await;
    assert_eq!(stranger.get(&here).await.status, 404);
}
