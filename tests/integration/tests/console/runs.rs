//! Runs and previews: what a person reads before they agree to a change, and what their forms do.

use integration::PARTNER;
use integration::msp::{Customer, Setup, name_of};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;

use super::office::{browser, browser_of, hidden, msp, submit, words};

#[tokio::test]
async fn a_preview_is_made_shown_with_its_money_and_approved_line_by_line() {
    let msp = msp().await;
    let mut browser = browser(&msp).await;
    let preview = format!("/console/connections/{}/preview", msp.connection);
    let empty = browser.get(&preview).await;
    assert!(words(&empty).contains("There is no preview yet."), "{}", empty.text);
    let sent = submit(&mut browser, &empty, &preview).await;
    assert_eq!((sent.status, sent.location()), (303, preview.as_str()));
    // The same form again makes no other run.
    let again = submit(&mut browser, &empty, &preview).await;
    assert_eq!((again.status, msp.parts.wire.asked_for()), (303, 1));
    let waiting = browser.get(&preview).await;
    assert!(waiting.text.contains("hx-trigger=\"every 2s\""), "{}", waiting.text);
    msp.drain().await;
    assert_eq!(msp.write_requests(), 0);

    let shown = browser.get(&preview).await;
    let runs = msp.done(Method::GET, &format!("/v1/connections/{}/runs", msp.connection), None).await;
    let run = runs["items"][0].clone();
    let id = run["id"].as_str().unwrap();
    let said = words(&shown);
    for sum in [&run["money"]["planned"][0], &run["money"]["held"][0]] {
        assert!(said.contains(sum["monthly_price"].as_str().unwrap()), "{sum} in {said}");
    }
    for company in ["acme", "bolt", "over"].map(name_of) {
        assert!(said.contains(&company), "{company}: {said}");
    }
    assert!(said.contains("40 → 42") && said.contains("contract_ended") && said.contains("fall_guard"), "{said}");

    let rises = msp.line_id("acme", "edr");
    let chosen = format!("/console/runs/{id}/approve?chosen=yes&status=planned,held,failed,unknown&line={rises}");
    let confirm = browser.get(&chosen).await;
    let said = words(&confirm);
    assert!(said.contains("1 line gains 2 units in all.") && !said.contains("loses"), "{said}");
    let approve = format!("/console/runs/{id}/approve");
    assert!(hidden(&confirm, &approve).contains(&("line".to_owned(), rises)));
    let sent = submit(&mut browser, &confirm, &approve).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    msp.drain().await;
    assert_eq!((msp.units("acme", "edr"), msp.units("acme", "itdr"), msp.units("bolt", "edr")), (42, 8, 100));
    let written = browser.get(sent.location()).await;
    assert!(words(&written).contains("Updated (1)"), "{}", written.text);
}

#[tokio::test]
async fn who_chose_no_line_approves_none() {
    let msp = msp().await;
    let mut browser = browser(&msp).await;
    let run = msp.run("preview").await;
    let approve = format!("/console/runs/{}/approve", run.id);
    let chosen = browser.get(&format!("{approve}?chosen=yes&status=planned,held")).await;
    assert!(words(&chosen).contains("No line was chosen that waits for approval."), "{}", chosen.text);
    let mut all = hidden(&browser.get(&approve).await, &approve);
    all.push(("chosen".to_owned(), "yes".to_owned()));
    let fields: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let sent = browser.post(&approve, &fields).await;
    assert_eq!(sent.status, 400, "{}", sent.text);
    assert!(words(&sent).contains("No line was chosen."), "{}", sent.text);
    msp.drain().await;
    assert_eq!((msp.parts.wire.asked_for(), msp.write_requests()), (0, 0));
}

#[tokio::test]
async fn charges_are_approved_by_themselves_and_no_line_with_them() {
    let msp = msp().await;
    msp.map_charges(json!({"mode": "itemised", "markup_percent": "20"})).await;
    let metered = |meter| ("acme", meter, "2026-11-01", "2026-11-20", "10.00");
    msp.meter(&[metered("storage"), metered("traffic")]).await;
    let run = msp.run("preview").await;
    let charges = msp.charges_of(&run).await;
    let id = text(&charges[0]["charge_id"]);
    let mut browser = browser(&msp).await;
    let page = browser.get(&format!("/console/runs/{}?part=charges", run.id)).await;
    assert!(
        page.text.contains("Approve chosen") && page.text.contains(&format!("name=\"charge\" value=\"{id}\"")),
        "{}",
        page.text
    );
    let waiting = browser.get(&format!("/console/runs/{}?part=charges&status=planned,held", run.id)).await;
    assert!(waiting.text.contains("name=\"status\" value=\"planned,held\""), "{}", waiting.text);

    let approve = format!("/console/runs/{}/approve", run.id);
    let none = browser.get(&format!("{approve}?chosen=yes&of=charge")).await;
    assert!(words(&none).contains("No charge was chosen that waits for approval."), "{}", none.text);
    let fields = [("chosen", "yes"), ("of", "charge"), ("status", "planned,held"), ("charge", id), ("charge", "gone")];
    let chosen = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let confirm = browser.get(&format!("{approve}?{chosen}")).await;
    let said = words(&confirm);
    assert!(said.contains("1 charge to be made or changed: +12.00 EUR on invoices, +10.00 EUR of cost"), "{said}");
    assert!(said.contains("1 of the charges that you chose can't be approved"), "{said}");
    assert!(!said.contains("gains") && !said.contains("loses"), "{said}");
    let mut forged = hidden(&confirm, &approve);
    forged.retain(|(name, _)| name != "charge");
    let forged: Vec<(&str, &str)> = forged.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(browser.post(&approve, &forged).await.status, 400, "without a charge it would be everything");
    let sent = submit(&mut browser, &confirm, &approve).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    msp.drain().await;
    assert_eq!(msp.stands().len(), 1);
    assert_eq!((msp.units("acme", "edr"), msp.units("acme", "itdr"), msp.units("bolt", "edr")), (40, 8, 100));
}

#[tokio::test]
async fn a_line_that_fails_leads_to_where_it_is_put_right() {
    let msp = msp().await;
    let mut browser = browser(&msp).await;
    let run = msp.run("apply").await;
    let mapping = format!("/console/connections/{}/companies/over", msp.connection);
    let findings = format!("/console/connections/{}/findings", msp.connection);
    let line = format!("/console/connections/{}/lines/{}", msp.connection, msp.line_id("over", "edr"));
    for page in [format!("/console/runs/{}", run.id), findings, line] {
        let seen = browser.get(&page).await;
        assert!(seen.text.contains(&format!("href=\"{mapping}\">Choose another contract")), "{page}: {}", seen.text);
    }
}

#[tokio::test]
async fn all_that_waits_is_told_in_numbers_before_it_is_approved_and_taken_back_likewise() {
    let msp = msp().await;
    let mut browser = browser(&msp).await;
    let run = msp.run("apply").await;
    assert_eq!(run.result("bolt", "edr"), "held fall_guard");
    let of_run = |end: &str| format!("/console/runs/{}{end}", run.id);
    // What needs a person comes first, and only that.
    let page = browser.get(&of_run("")).await;
    let said = words(&page);
    assert!(said.contains("Needs you (2)") && said.contains("100 → 10") && !said.contains("40 → 42"), "{said}");

    let choices = msp.done(Method::GET, &format!("/v1/runs/{}/choices", run.id), None).await;
    assert_eq!(choices["approvable"]["falls"], json!({"lines": 1, "units": 90}));
    assert_eq!(choices["reversible"]["rises"], json!({"lines": 1, "units": 2}));
    assert_eq!(choices["reversible"]["falls"], json!({"lines": 1, "units": 1}));
    let confirm = browser.get(&of_run("/approve")).await;
    let said = words(&confirm);
    assert!(said.contains("1 line loses 90 units in all.") && !said.contains("can't be approved"), "{said}");
    assert!(said.contains(text(&choices["approvable"]["money"][0]["monthly_price"])), "{said}");

    let confirm = browser.get(&of_run("/reverse")).await;
    let said = words(&confirm);
    assert!(said.contains("1 line gives back what it gained, 2 units in all."), "{said}");
    assert!(said.contains("1 line gets back what it lost, 1 unit in all."), "{said}");
    let sent = submit(&mut browser, &confirm, &of_run("/reverse")).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    msp.drain().await;
    let reversal = browser.get(sent.location()).await;
    assert!(words(&reversal).contains("Reversal"), "{}", reversal.text);
    assert!(reversal.text.contains(&of_run("")), "it leads to what it takes back");
}

#[tokio::test]
async fn what_is_held_and_cannot_be_approved_is_told_beside_what_can() {
    let gone = Customer::named("gone").line("edr", 5).mapped_with(json!({"when_absent": "hold"}));
    let msp = Setup::of([Customer::named("bolt").line("edr", 100), gone]).start().await;
    msp.push(&[("gone", "edr", 5)]).await;
    msp.push(&[("bolt", "edr", 10)]).await;
    let run = msp.run("apply").await;
    assert_eq!([run.result("bolt", "edr"), run.result("gone", "edr")], ["held fall_guard", "held company_absent"]);
    let confirm = browser(&msp).await.get(&format!("/console/runs/{}/approve", run.id)).await;
    let said = words(&confirm);
    assert!(said.contains("1 line loses 90 units in all."), "{said}");
    assert!(said.contains("1 line waits and can't be approved"), "{said}");
    assert!(confirm.text.contains(&format!("href=\"/console/runs/{}?part=needs\"", run.id)), "{}", confirm.text);
}

#[tokio::test]
async fn where_nothing_is_written_nothing_can_be_approved_and_the_page_says_why() {
    let msp = msp().await;
    let mut browser = browser(&msp).await;
    let run = msp.run("preview").await;
    let approve = format!("/console/runs/{}/approve", run.id);
    let confirm = browser.get(&approve).await;
    let before = hidden(&confirm, &approve);
    for (change, why) in [
        (json!({"policy": {"shadow": true}}), "The connection is in shadow mode"),
        (json!({"policy": {"shadow": false}, "enabled": false}), "The connection is switched off"),
    ] {
        msp.patch(change).await;
        for page in [format!("/console/connections/{}/preview", msp.connection), approve.clone()] {
            let seen = browser.get(&page).await;
            assert!(words(&seen).contains(why), "{page}: {}", seen.text);
            assert!(!seen.text.contains(&format!("method=\"post\" action=\"{approve}\"")), "{page}");
            assert!(!seen.text.contains("Approve chosen"), "{page}");
        }
        // A page that was open before is told so too.
        let fields: Vec<(&str, &str)> = before.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let late = browser.post(&approve, &fields).await;
        assert_eq!(late.status, 409);
        assert!(words(&late).contains(why), "{}", late.text);
    }
    assert_eq!((msp.parts.wire.asked_for(), msp.write_requests()), (0, 0));
}

#[tokio::test]
async fn runs_of_others_are_not_there_and_forms_of_others_do_nothing() {
    let msp = msp().await;
    let run = msp.run("apply").await;
    let runs = format!("/console/connections/{}/runs", msp.connection);
    let of_run = |end: &str| format!("/console/runs/{}{end}", run.id);
    let ends = ["", "/progress", "/approve", "/reverse", "/lines.csv", "/charges.csv", "?part=reconciliation"];
    let mut other = browser_of(&msp, "suedwind", &[Scope::Read, Scope::Write]).await;
    for page in ends.map(of_run).into_iter().chain([runs.clone(), runs.replace("/runs", "/preview")]) {
        let seen = other.get(&page).await;
        assert_eq!(seen.status, 404, "{page}");
        assert!(!seen.text.contains("acme"), "{page}");
    }
    let mut browser = browser(&msp).await;
    for (page, fields) in [
        (runs.clone(), vec![("once", "a"), ("csrf", "")]),
        (of_run("/approve"), vec![("once", "b")]),
        (of_run("/reverse"), vec![("once", "c"), ("csrf", "AAAA")]),
    ] {
        assert_eq!(browser.post(&page, &fields).await.status, 400, "{page}");
    }
    // Who may only look finds no button, and its own form would be refused.
    let mut reader = browser_of(&msp, PARTNER, &[Scope::Read]).await;
    let seen = reader.get(&of_run("")).await;
    assert!(!seen.text.contains("/approve") && !seen.text.contains("/reverse"), "{}", seen.text);
    let csrf = seen.after("name=\"csrf\" value=\"").to_owned();
    let refused = reader.post(&of_run("/reverse"), &[("csrf", &csrf), ("once", "d")]).await;
    assert_eq!(refused.status, 403);
    assert_eq!(msp.parts.wire.asked_for(), 0);
}

#[tokio::test]
async fn a_sync_is_started_watched_and_taken_home_as_a_file() {
    let msp = msp().await;
    let mut browser = browser(&msp).await;
    let runs = format!("/console/connections/{}/runs", msp.connection);
    let page = browser.get(&runs).await;
    let sent = submit(&mut browser, &page, &runs).await;
    let run = sent.location().to_owned();
    let progress = format!("{run}/progress");
    let fragment = browser.get(&progress).await;
    assert_eq!((fragment.header("hx-refresh"), fragment.text.contains("every 2s")), ("", true));
    msp.drain().await;
    let ended = browser.get(&progress).await;
    assert_eq!(ended.header("hx-refresh"), "true");
    let listed = words(&browser.get(&runs).await);
    assert!(listed.contains("Sync,") && listed.contains("by hand") && listed.contains("2 updated"), "{listed}");
    let file = browser.get(&format!("{run}/lines.csv")).await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.header("content-disposition").starts_with("attachment; filename=\"lines-run_"), "{:?}", file.headers);
    assert_eq!(file.text.lines().count(), 5);
    let compared = words(&browser.get(&format!("{run}?part=reconciliation")).await);
    assert!(compared.contains("Last written") && compared.contains("fall_guard"), "{compared}");
    assert_eq!(browser.get(&format!("{run}/secrets.csv")).await.status, 404);
    assert_eq!(browser.get(&format!("{run}?part=none")).await.status, 404);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
