//! Alerts beyond the hour's tickets: what the tickets that they share say, to whom, and what becomes of them.

use integration::msp::alerts::{DeskTicket, alert};
use integration::msp::{Customer, Lane, Mishap, Msp, ServiceDesk, Setup};
use integration::on_every_desk;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

on_every_desk!(
    a_digest_lists_each_alert_once_in_its_order_with_what_people_need,
    customers_do_not_see_each_others_alerts,
    the_catch_all_account_has_one_digest_of_all_customers,
    the_next_hour_has_tickets_again_and_a_digest_of_its_own,
    a_long_list_goes_on_in_as_many_notes_as_it_needs,
    what_happens_to_an_alert_of_a_digest_stands_in_its_row,
    the_key_of_a_digest_is_read_and_never_sent,
    a_digest_that_the_psa_refuses_is_found_and_comes_whole_when_it_is_tried_again,
);

/// One ticket an hour, and two customers.
async fn msp<P: ServiceDesk>(more: Value) -> Msp<P> {
    let customer = |company| Customer::<P>::named(company).line("edr", 10);
    let msp = Setup::with(["acme", "beta"].map(customer)).start().await;
    let mut mapping = json!({"tickets_per_hour": 1});
    for (field, value) in more.as_object().into_iter().flatten() {
        mapping[field] = value.clone();
    }
    msp.map_tickets(mapping).await;
    msp
}

/// Something called `name` at a company, a minute after what was before it.
async fn report<P: ServiceDesk>(msp: &Msp<P>, company: &str, name: &str) -> String {
    msp.clock.advance(SignedDuration::from_mins(1));
    let key = format!("{company}/{name}");
    let mut body = alert(&key, company);
    body["title"] = json!(format!("{name} at {company}"));
    msp.alert(body).await;
    key
}

/// Those that list alerts.
fn digests<P: ServiceDesk>(msp: &Msp<P>) -> Vec<DeskTicket> {
    msp.psa.desk_tickets().into_iter().filter(|ticket| ticket.title.starts_with("Alerts in one ticket")).collect()
}

/// The lines of a digest with alerts, those of its notes among them.
fn listed(digest: &DeskTicket) -> Vec<&str> {
    let texts = std::iter::once(&digest.text).chain(&digest.notes);
    texts.flat_map(|text| text.lines()).filter(|line| line.contains("[high]")).collect()
}

async fn a_digest_lists_each_alert_once_in_its_order_with_what_people_need<P: ServiceDesk>() {
    let msp = msp::<P>(json!({})).await;
    let mut lane = Lane::of(&msp);
    for name in ["one", "two", "three"] {
        report(&msp, "acme", name).await;
    }
    lane.work_off().await;
    report(&msp, "acme", "four").await;
    lane.work_off().await;
    let tickets = msp.psa.desk_tickets();
    assert_eq!(tickets.len(), 2, "{tickets:?}");
    assert_eq!((tickets[0].title.as_str(), tickets[0].notes.len()), ("one at acme", 0));
    let digest = &tickets[1];
    assert_eq!(digest.title, "Alerts in one ticket, from 2026-11-21 13:02 CET");
    assert!(digest.text.starts_with("This hour has had as many tickets as the ticket mapping allows."), "{digest:?}");
    assert_eq!(
        listed(digest),
        [
            "2026-11-21 13:02 CET acme [high] two at acme",
            "2026-11-21 13:03 CET acme [high] three at acme",
            "2026-11-21 13:04 CET acme [high] four at acme",
        ]
    );
    assert_eq!(digest.notes.len(), 1, "the last one came when there was a ticket already");
    for name in ["two", "three", "four"] {
        let alert = msp.alert_now(&format!("acme/{name}")).await;
        let told = json!({
            "connection_id": msp.connection, "account_id": msp.account("acme").to_string(),
            "id": digest.id.to_string(), "number": digest.number, "digest": true,
        });
        assert_eq!((&alert["status"], &alert["ticket"]), (&json!("digested"), &told));
        let digest = msp.alert_now(alert["digest_key"].as_str().expect("it names its digest")).await;
        assert_eq!((&digest["kind"], &digest["ticket"]["id"]), (&json!("digest"), &told["id"]));
    }
    let all = msp.done(Method::GET, "/v1/alerts?status=digested", None).await;
    assert_eq!(all["items"].as_array().map(Vec::len), Some(3), "{all}");
}

async fn customers_do_not_see_each_others_alerts<P: ServiceDesk>() {
    let msp = msp::<P>(json!({})).await;
    for (company, name) in [("acme", "first"), ("beta", "two"), ("acme", "three"), ("beta", "four"), ("acme", "five")] {
        report(&msp, company, name).await;
    }
    Lane::of(&msp).work_off().await;
    let digests = digests(&msp);
    assert_eq!(digests.len(), 2);
    for (company, names) in [("beta", ["two", "four"]), ("acme", ["three", "five"])] {
        let digest = digests.iter().find(|digest| digest.account == msp.account(company)).expect("a digest");
        let lines = listed(digest);
        assert!(
            lines.len() == 2
                && lines.iter().zip(names).all(|(line, name)| line.ends_with(&format!("{name} at {company}"))),
            "{lines:?}"
        );
        let other = if company == "acme" { "beta" } else { "acme" };
        assert!(
            ![&digest.title, &digest.text].into_iter().chain(&digest.notes).any(|text| text.contains(other)),
            "{digest:?}"
        );
    }
}

async fn the_catch_all_account_has_one_digest_of_all_customers<P: ServiceDesk>() {
    let msp = msp::<P>(json!({})).await;
    let own = msp.account("acme");
    msp.map_tickets(json!({"tickets_per_hour": 1, "catch_all_account_id": own.to_string()})).await;
    for (company, name) in [("acme", "first"), ("beta", "two"), ("acme", "three"), ("nobody", "four")] {
        report(&msp, company, name).await;
    }
    Lane::of(&msp).work_off().await;
    let digests = digests(&msp);
    assert_eq!(digests.iter().map(|digest| digest.account).collect::<Vec<_>>(), [own]);
    let lines = listed(&digests[0]);
    let ends = ["beta [high] two at beta", "acme [high] three at acme", "nobody [high] four at nobody"];
    assert!(lines.len() == 3 && lines.iter().zip(ends).all(|(line, end)| line.ends_with(end)), "{lines:?}");
}

async fn the_next_hour_has_tickets_again_and_a_digest_of_its_own<P: ServiceDesk>() {
    let msp = msp::<P>(json!({})).await;
    let mut lane = Lane::of(&msp);
    for (hour, begins) in [(1, "2026-11-21T12:00:00Z"), (2, "2026-11-21T13:00:00Z")] {
        msp.clock.set(begins);
        for name in ["a", "b", "c"] {
            report(&msp, "acme", &format!("{name}{hour}")).await;
        }
        lane.work_off().await;
    }
    let tickets = msp.psa.desk_tickets();
    let titles: Vec<&str> = tickets.iter().map(|ticket| ticket.title.as_str()).collect();
    let digest = |time: &str| format!("Alerts in one ticket, from 2026-11-21 {time} CET");
    assert_eq!(titles, ["a1 at acme", &digest("13:02"), "a2 at acme", &digest("14:02")]);
    assert_eq!([listed(&tickets[1]).len(), listed(&tickets[3]).len()], [2, 2]);
}

async fn a_long_list_goes_on_in_as_many_notes_as_it_needs<P: ServiceDesk>() {
    let msp = msp::<P>(json!({})).await;
    let mut names = Vec::new();
    for number in 0..160 {
        let name = format!("{number:03} {}", "x".repeat(300));
        let mut body = alert(&format!("acme/{number:03}"), "acme");
        body["title"] = json!(&name[..250]);
        msp.alert(body).await;
        names.push(format!("{number:03} xxx"));
    }
    let mut lane = Lane::of(&msp);
    lane.work_off().await;
    let digest = digests(&msp).remove(0);
    let lines = listed(&digest);
    assert_eq!(lines.len(), 159);
    for (line, name) in lines.iter().zip(&names[1..]) {
        assert!(line.contains(&format!("[high] {name}")) && line.ends_with('…'), "{line}");
        assert_eq!(line.chars().count(), 200);
    }
    assert!((3..=6).contains(&digest.notes.len()), "{} notes", digest.notes.len());
    for text in std::iter::once(&digest.text).chain(&digest.notes) {
        assert!(text.chars().count() <= 8_000, "{} characters", text.chars().count());
    }
    assert_eq!((msp.standing("acme/159").await.as_str(), msp.psa.desk_tickets().len()), ("digested", 2));
}

async fn what_happens_to_an_alert_of_a_digest_stands_in_its_row<P: ServiceDesk>() {
    let msp = msp::<P>(json!({"on_resolve": "complete"})).await;
    let mut lane = Lane::of(&msp);
    report(&msp, "acme", "first").await;
    // It repeats and is over before the digest has a ticket, and again afterwards.
    let key = report(&msp, "acme", "two").await;
    report(&msp, "acme", "two").await;
    msp.resolve(&key).await;
    lane.work_off().await;
    assert_eq!(msp.standing(&key).await, "digested");
    report(&msp, "acme", "two").await;
    msp.resolve(&key).await;
    lane.work_off().await;
    let alert = msp.alert_now(&key).await;
    assert_eq!((&alert["status"], &alert["count"], &alert["episode"]), (&json!("digested"), &json!(3), &json!(1)));
    assert!(!alert["resolved_at"].is_null());
    let digest = digests(&msp).remove(0);
    assert_eq!((listed(&digest).len(), digest.notes.len(), digest.completed), (1, 0, false), "{digest:?}");
    // Once its window is over it begins anew, with a ticket of its own.
    msp.clock.advance(SignedDuration::from_hours(25));
    report(&msp, "acme", "two").await;
    lane.work_off().await;
    let alert = msp.alert_now(&key).await;
    assert_eq!(
        (&alert["status"], &alert["episode"], &alert["ticket"]["digest"]),
        (&json!("open"), &json!(2), &json!(false))
    );
    assert_eq!(msp.psa.desk_tickets().len(), 3);
}

async fn the_key_of_a_digest_is_read_and_never_sent<P: ServiceDesk>() {
    let msp = msp::<P>(json!({})).await;
    for name in ["one", "two", "three"] {
        report(&msp, "acme", name).await;
    }
    Lane::of(&msp).work_off().await;
    let all = msp.done(Method::GET, "/v1/alerts", None).await;
    let digest = all["items"].as_array().unwrap().iter().find(|alert| alert["kind"] == "digest").expect("a digest");
    let key = digest["dedupe_key"].as_str().unwrap();
    assert_eq!(key, format!("tallyline-digest:2026-11-21T12:{}:{}", msp.connection, msp.account("acme")));
    let read = msp.alert_now(key).await;
    assert_eq!((&read["status"], &read["count"], &read["company"]), (&json!("open"), &json!(2), &Value::Null));
    let sent = msp.call(Method::POST, "/v1/alerts", Some(alert(key, "acme"))).await;
    assert_eq!((sent.status, sent.json["errors"][0]["pointer"].as_str()), (422, Some("/dedupe_key")), "{}", sent.text);
    let path = format!("/v1/alerts/{}/resolve", integration::msp::alerts::encoded(key));
    assert_eq!(msp.post(&path).await.status, 404);
    assert_eq!(msp.alert_now(key).await, read);
}

async fn a_digest_that_the_psa_refuses_is_found_and_comes_whole_when_it_is_tried_again<P: ServiceDesk>() {
    let msp = msp::<P>(json!({})).await;
    let mut lane = Lane::of(&msp);
    msp.psa.strike_ticket(2, Mishap::Refused);
    for name in ["one", "two", "three"] {
        report(&msp, "acme", name).await;
    }
    lane.work_off().await;
    assert_eq!(msp.psa.desk_tickets().len(), 1);
    assert_eq!(msp.alert_findings().await, ["ticket_refused"]);
    let refused = msp.done(Method::GET, "/v1/alerts?status=refused", None).await;
    assert_eq!(refused["items"][0]["kind"], "digest", "{refused}");
    assert!(refused["items"][0]["explanation"].as_str().is_some_and(|why| why.contains(P::REQUIRED)), "{refused}");
    assert_eq!(msp.standing("acme/two").await, "queued", "its ticket is to come");

    report(&msp, "acme", "four").await;
    lane.work_off().await;
    assert_eq!(msp.psa.ticket_requests(), 2, "one more alert is no reason to send the same again");
    assert_eq!(msp.retry_alerts().await, 1);
    lane.work_off().await;
    let digest = digests(&msp).remove(0);
    assert_eq!(listed(&digest).len(), 3, "{digest:?}");
    for name in ["two", "three", "four"] {
        assert_eq!(msp.standing(&format!("acme/{name}")).await, "digested", "{name}");
    }
    assert_eq!(msp.alert_findings().await, [""; 0]);
}
