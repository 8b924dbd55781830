//! Findings on their pages: the numbers of the API, what resolving does, and a person's word on what was looked at.

use integration::PARTNER;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;

use crate::connected::{Connected, STRANGER, fill};

/// A connection whose sync has found that a line falls beyond its guard, and the finding.
async fn fallen(c: &Connected) -> (String, Value) {
    let id = c.connect().await;
    let units = c.map(&id).await;
    assert!(units > 10, "a fall from {units} passes no guard");
    c.sync(&id, 1).await;
    let finding = open(c, &id).await.into_iter().find(|finding| finding["code"] == "fall_guard");
    (id, finding.expect("the guard holds it"))
}

async fn open(c: &Connected, id: &str) -> Vec<Value> {
    c.see(&format!("/v1/connections/{id}/findings")).await["items"].as_array().unwrap().clone()
}

fn text<'a>(finding: &'a Value, field: &str) -> &'a str {
    finding[field].as_str().unwrap()
}

#[tokio::test]
async fn the_list_shows_the_numbers_of_the_api_and_leads_to_line_and_sync() {
    let c = Connected::start().await;
    let (id, finding) = fallen(&c).await;
    let mut anna = c.anna().await;
    let list = anna.get(&format!("/console/connections/{id}/findings")).await;
    let units = format!("{} → {}", finding["before"], finding["target"]);
    let money = format!("{} {}", text(&finding["money"], "monthly_price"), text(&finding["money"], "currency"));
    let line = format!("/console/connections/{id}/lines/{}", text(&finding, "line_id"));
    let run = format!("/console/runs/{}", text(&finding, "run_id"));
    for said in [units.as_str(), &money, &line, &run, text(&finding, "explanation"), "Acme &lt;b&gt;"] {
        assert!(list.text.contains(said), "{said}: {}", list.text);
    }
    for (state, said) in [("resolved", "Nothing that somebody resolved"), ("closed", "Nothing is over yet")] {
        let other = anna.get(&format!("/console/connections/{id}/findings?status={state}")).await;
        assert!(other.text.contains(said), "{}", other.text);
    }
}

#[tokio::test]
async fn resolving_says_what_it_does_and_keeps_the_note_with_the_name() {
    let c = Connected::start().await;
    let (id, finding) = fallen(&c).await;
    let mut anna = c.anna().await;
    let at = format!("/console/connections/{id}/findings/{}/resolve", text(&finding, "id"));
    let confirm = anna.get(&at).await;
    let stays = format!("Nothing is changed: the line stays at {} units.", finding["before"]);
    assert!(confirm.text.contains(&stays), "{}", confirm.text);
    let one = format!("/v1/findings/{}", text(&finding, "id"));
    assert_eq!(c.see(&one).await, finding, "looking resolves nothing");

    let resolved = fill(&mut anna, &at, &at, &[("note", "they really left")]).await;
    assert_eq!(resolved.status, 303, "{}", resolved.text);
    let now = c.see(&one).await;
    assert_eq!(
        (&now["status"], &now["note"], &now["resolved_by"]),
        (&json!("resolved"), &json!("they really left"), &json!("anna"))
    );
    let list = anna.get(&format!("/console/connections/{id}/findings?status=resolved")).await;
    assert!(list.text.contains("they really left") && list.text.contains("by anna"), "{}", list.text);
    let again = anna.get(&at).await;
    assert!(
        !again.text.contains("What resolving it does") && again.text.contains("they really left"),
        "{}",
        again.text
    );
}

#[tokio::test]
async fn what_says_something_else_by_now_is_shown_anew_and_the_note_is_kept() {
    let c = Connected::start().await;
    let (id, finding) = fallen(&c).await;
    let mut anna = c.anna().await;
    let at = format!("/console/connections/{id}/findings/{}/resolve", text(&finding, "id"));
    let looked = anna.get(&at).await;
    let (csrf, seen) =
        (looked.after(r#"name="csrf" value=""#).to_owned(), looked.after(r#"name="seen_at" value=""#).to_owned());
    c.sync(&id, 2).await;
    let refused = anna.post(&at, &[("csrf", csrf.as_str()), ("seen_at", &seen), ("note", "one is enough")]).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    for said in ["says something else by now", "one is enough", &format!("{} → 2", finding["before"])] {
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
    assert_eq!(open(&c, &id).await.iter().filter(|found| found["id"] == finding["id"]).count(), 1);
    let long = "x".repeat(501);
    let refused = fill(&mut anna, &at, &at, &[("note", &long)]).await;
    assert_eq!((refused.status, refused.text.contains(r#"<p class="fault">Note must be 1 to 500"#)), (422, true));
}

#[tokio::test]
async fn a_finding_is_its_partners_alone() {
    let c = Connected::start().await;
    let (id, finding) = fallen(&c).await;
    let at = format!("/console/connections/{id}/findings/{}/resolve", text(&finding, "id"));
    let mut stranger = c.person(STRANGER, &[Scope::Read, Scope::Write]).await;
    let csrf = stranger.get("/console/settings").await.after(r#"name="csrf" value=""#).to_owned();
    assert_eq!(stranger.get(&at).await.status, 404);
    assert_eq!(stranger.post(&at, &[("csrf", csrf.as_str())]).await.status, 404);
    let mut reader = c.person(PARTNER, &[Scope::Read]).await;
    let csrf = reader.get(&at).await.after(r#"name="csrf" value=""#).to_owned();
    assert_eq!(reader.post(&at, &[("csrf", csrf.as_str())]).await.status, 403);
    assert_eq!(c.anna().await.post(&at, &[("note", "x")]).await.status, 400);
    let missing = c.api(Method::GET, &format!("/v1/findings/{id}.0000000000000000"), Value::Null).await;
    assert_eq!((missing.status, &missing.problem()["code"]), (404, &json!("not_found")));
    assert_eq!(open(&c, &id).await.len(), 1);
}
