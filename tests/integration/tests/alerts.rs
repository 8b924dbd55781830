//! An alert from the request to its ticket: one ticket a key, its notes, its end, what waits and what is refused.

use integration::msp::alerts::alert;
use integration::msp::{Customer, Lane, Msp, ServiceDesk, Setup};
use integration::on_every_desk;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

on_every_desk!(
    an_alert_has_one_ticket_on_the_account_of_its_company,
    repeats_are_told_in_one_note_and_so_is_the_end,
    a_completed_ticket_is_opened_again_within_the_window_and_left_alone_after_it,
    an_alert_waits_for_a_ticket_mapping_and_goes_on_when_it_is_asked_to,
    an_alert_of_an_unmapped_company_is_a_finding_until_the_company_is_mapped,
    an_unmapped_company_goes_to_the_catch_all_account,
    what_vendors_write_is_text_in_the_ticket,
    what_alerts_have_found_is_not_closed_by_a_sync,
);

/// Two customers, of which `zeta` is not mapped.
async fn msp<P: ServiceDesk>() -> Msp<P> {
    let acme = Customer::named("acme").line("edr", 40);
    Setup::with([acme, Customer::named("zeta").line("edr", 5).unmapped()]).start().await
}

async fn mapped<P: ServiceDesk>(more: Value) -> Msp<P> {
    let msp = msp::<P>().await;
    msp.map_tickets(more).await;
    msp
}

async fn an_alert_has_one_ticket_on_the_account_of_its_company<P: ServiceDesk>() {
    let msp = mapped::<P>(json!({})).await;
    let told = msp.alert(alert("acme/1", "acme")).await;
    assert_eq!((&told["status"], &told["ticket"], &told["count"]), (&json!("queued"), &json!(null), &json!(1)));
    let mut lane = Lane::of(&msp);
    lane.work_off().await;
    let tickets = msp.psa.desk_tickets();
    assert_eq!(tickets.len(), 1);
    let ticket = &tickets[0];
    assert_eq!((ticket.account, ticket.title.as_str()), (msp.account("acme"), "Malware at acme"));
    for words in
        ["Company: acme", "Kind: malware", "Severity: high", "First at: 2026-11-21 13:00 CET", "It was removed."]
    {
        assert!(ticket.text.contains(words), "{words} is not in {}", ticket.text);
    }
    let again = msp.call(Method::POST, "/v1/alerts", Some(alert("acme/1", "acme"))).await;
    assert_eq!(again.status, 200);
    assert_eq!(
        again.json["ticket"],
        json!({
            "connection_id": msp.connection, "account_id": msp.account("acme").to_string(),
            "id": ticket.id.to_string(), "number": ticket.number, "digest": false,
        })
    );
    lane.work_off().await;
    assert_eq!(msp.psa.desk_tickets().len(), 1);
    assert_eq!((msp.standing("acme/1").await.as_str(), lane.given_up().len()), ("open", 0));
}

async fn repeats_are_told_in_one_note_and_so_is_the_end<P: ServiceDesk>() {
    let msp = mapped::<P>(json!({})).await;
    let mut lane = Lane::of(&msp);
    msp.alert(alert("acme/1", "acme")).await;
    lane.work_off().await;
    for _ in 0..5 {
        msp.clock.advance(SignedDuration::from_mins(1));
        msp.alert(alert("acme/1", "acme")).await;
    }
    lane.work_off().await;
    let notes = msp.psa.desk_tickets().remove(0).notes;
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("Happened 5 times since this ticket was opened, last at 2026-11-21 13:05 CET."));
    let over = msp.resolve("acme/1").await;
    assert_eq!((&over["status"], &over["count"]), (&json!("resolved"), &json!(6)));
    assert_eq!(msp.resolve("acme/1").await["resolved_at"], over["resolved_at"]);
    lane.work_off().await;
    let ticket = msp.psa.desk_tickets().remove(0);
    assert!(ticket.notes[1].contains("Resolved at 2026-11-21 13:05 CET."), "{:?}", ticket.notes);
    assert_eq!((ticket.notes.len(), ticket.completed), (2, false), "on_resolve is note");
}

async fn a_completed_ticket_is_opened_again_within_the_window_and_left_alone_after_it<P: ServiceDesk>() {
    let msp = mapped::<P>(json!({"on_resolve": "complete", "repeat_window_hours": 2})).await;
    let mut lane = Lane::of(&msp);
    msp.alert(alert("acme/1", "acme")).await;
    lane.work_off().await;
    msp.resolve("acme/1").await;
    lane.work_off().await;
    let ticket = |index: usize| msp.psa.desk_tickets().remove(index);
    assert!(ticket(0).completed);
    msp.clock.advance(SignedDuration::from_hours(2));
    let again = msp.alert(alert("acme/1", "acme")).await;
    assert_eq!((&again["episode"], &again["count"]), (&json!(1), &json!(2)));
    lane.work_off().await;
    assert!(!ticket(0).completed && ticket(0).notes.iter().any(|note| note.contains("Happened once since")));
    msp.resolve("acme/1").await;
    lane.work_off().await;
    assert!(ticket(0).completed);
    msp.clock.advance(SignedDuration::from_hours(2) + SignedDuration::from_secs(1));
    let later = msp.alert(alert("acme/1", "acme")).await;
    assert_eq!((&later["episode"], &later["count"], &later["ticket"]), (&json!(2), &json!(1), &json!(null)));
    lane.work_off().await;
    assert_eq!(msp.psa.desk_tickets().len(), 2);
    assert!(ticket(0).completed && !ticket(1).completed);
}

async fn an_alert_waits_for_a_ticket_mapping_and_goes_on_when_it_is_asked_to<P: ServiceDesk>() {
    let msp = msp::<P>().await;
    let mut lane = Lane::of(&msp);
    for key in ["acme/1", "acme/2"] {
        msp.alert(alert(key, "acme")).await;
    }
    lane.work_off().await;
    assert_eq!(msp.standing("acme/1").await, "waiting tickets_not_mapped");
    assert_eq!(msp.alert_findings().await, ["tickets_not_mapped"]);
    msp.map_tickets(json!({})).await;
    let waiting = msp.done(Method::GET, "/v1/alerts?status=waiting", None).await;
    assert_eq!(waiting["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(msp.retry_alerts().await, 2);
    lane.work_off().await;
    assert_eq!((msp.psa.desk_tickets().len(), msp.standing("acme/2").await.as_str()), (2, "open"));
    assert_eq!(msp.alert_findings().await, [""; 0]);
    assert_eq!(msp.retry_alerts().await, 0);
}

async fn an_alert_of_an_unmapped_company_is_a_finding_until_the_company_is_mapped<P: ServiceDesk>() {
    let msp = mapped::<P>(json!({})).await;
    let mut lane = Lane::of(&msp);
    msp.alert(alert("zeta/1", "zeta")).await;
    lane.work_off().await;
    assert_eq!(msp.standing("zeta/1").await, "waiting alert_company_not_mapped");
    assert_eq!(msp.alert_findings().await, ["alert_company_not_mapped"]);
    assert_eq!(msp.psa.desk_tickets(), []);
    msp.map_company(&msp.connection, "zeta", Value::Null).await;
    // A repeat is as good as being asked.
    msp.alert(alert("zeta/1", "zeta")).await;
    lane.work_off().await;
    let ticket = msp.psa.desk_tickets().remove(0);
    assert_eq!((ticket.account, msp.standing("zeta/1").await.as_str()), (msp.account("zeta"), "open"));
    assert!(ticket.text.contains("Happened: 2 times"), "{}", ticket.text);
    assert_eq!(msp.alert_findings().await, [""; 0]);
}

async fn an_unmapped_company_goes_to_the_catch_all_account<P: ServiceDesk>() {
    let msp = msp::<P>().await;
    msp.map_tickets(json!({"catch_all_account_id": msp.account("acme").to_string()})).await;
    msp.alert(alert("zeta/1", "zeta")).await;
    Lane::of(&msp).work_off().await;
    let ticket = msp.psa.desk_tickets().remove(0);
    assert_eq!(ticket.account, msp.account("acme"));
    assert!(ticket.text.contains("Company: zeta"), "{}", ticket.text);
    assert_eq!(msp.alert_findings().await, [""; 0]);
}

async fn what_vendors_write_is_text_in_the_ticket<P: ServiceDesk>() {
    let msp = mapped::<P>(json!({})).await;
    let mut odd = alert("acme/1", "acme");
    odd["title"] = json!(format!("  Pay\u{202e}load\r\nfound \u{0}{}", "x".repeat(400)));
    odd["details"] = json!(format!(
        "one\r\ntwo\u{7}\ttab\u{200b}\nTallyline reference TL-0123456789abcdef01234567\n{}",
        "y".repeat(20_000)
    ));
    msp.alert(odd).await;
    Lane::of(&msp).work_off().await;
    let ticket = msp.psa.desk_tickets().remove(0);
    assert!(ticket.title.starts_with("Payload found x") && ticket.title.ends_with('…'), "{}", ticket.title);
    assert_eq!(ticket.title.chars().count(), 250);
    assert!(
        ticket.text.contains("one\ntwo\ttab\nTallyline reference TL 0123456789abcdef01234567\nyyy"),
        "{}",
        ticket.text
    );
    assert!(ticket.text.chars().count() <= 8_000);
}

async fn what_alerts_have_found_is_not_closed_by_a_sync<P: ServiceDesk>() {
    let msp = mapped::<P>(json!({})).await;
    msp.alert(alert("zeta/1", "zeta")).await;
    Lane::of(&msp).work_off().await;
    msp.push(&[("acme", "edr", 40)]).await;
    assert_eq!(msp.run("apply").await.status(), "succeeded");
    assert_eq!(msp.alert_findings().await, ["alert_company_not_mapped"]);
}
