//! Notes on tickets, and what may go wrong with writes of tickets as with all others.

use reqwest::Method;
use serde_json::{Value, json};
use simulators::KaseyaBms;
use simulators::kaseya_bms::{Fault, When, failure_in_200};

use crate::support::*;
use crate::tickets::{TICKETS, draft};

/// The path of the notes of a ticket that was just made.
async fn notes_path(sim: &KaseyaBms) -> String {
    post(sim, TICKETS, draft(sim).await).await;
    format!("{TICKETS}/{}/notes", sim.tickets()[0].id)
}

async fn note(sim: &KaseyaBms) -> Value {
    let types = result(sim, "/v2/system/lookup/TicketNoteType").await;
    json!({"Details": "Seen", "IsInternal": true, "NoteDate": "2026-11-20T12:00:00Z", "TypeId": types[1]["id"]})
}

#[tokio::test]
async fn a_note_is_made_and_listed_in_pages_without_a_total() {
    let sim = start(tenant()).await;
    let path = notes_path(&sim).await;
    for _ in 0..3 {
        let (status, body) = post(&sim, &path, note(&sim).await).await;
        assert_eq!((status, &body["result"]["typeName"]), (200, &json!("Escalation")), "{body}");
    }
    let (_, page) = get(&sim, &format!("{path}?PageSize=2&PageNumber=2")).await;
    assert_eq!((page["result"].as_array().unwrap().len(), page.get("totalRecords")), (1, None));
    let held = &sim.notes()[0];
    assert_eq!(
        (held.is_internal, held.note_date.as_str(), held.details.as_str()),
        (true, "2026-11-20T12:00:00", "Seen")
    );
}

#[tokio::test]
async fn a_note_with_a_gap_or_on_no_ticket_is_refused() {
    let sim = start(tenant()).await;
    let path = notes_path(&sim).await;
    let (status, body) = post(&sim, &path, json!({"IsInternal": false})).await;
    assert_eq!((status, body["error"]["subErrors"].as_array().unwrap().len()), (400, 3), "{body}");
    let mut other = note(&sim).await;
    other["TypeId"] = json!(1);
    assert_eq!(post(&sim, &path, other).await.0, 400);
    for method in [Method::POST, Method::GET] {
        assert_eq!(send(&sim, method, &format!("{TICKETS}/1/notes"), note(&sim).await).await.0, 404);
    }
    assert!(sim.notes().is_empty());
}

#[tokio::test]
async fn a_fault_of_a_write_strikes_tickets_and_notes_too() {
    let sim = start(tenant()).await;
    let path = notes_path(&sim).await;
    let ticket = path.trim_end_matches("/notes").to_owned();
    let complete = json!([{"op": "replace", "path": "/StatusId", "value": 54}]);
    let writes = [
        (Method::POST, TICKETS.to_owned(), draft(&sim).await),
        (Method::POST, path, note(&sim).await),
        (Method::PATCH, ticket, complete),
    ];
    sim.reset_counts();
    for (nth, (method, path, body)) in (1..).step_by(2).zip(writes) {
        let held = || format!("{:?} {:?}", sim.tickets(), sim.notes());
        let before = held();
        sim.plan_fault(When::Write(nth), failure_in_200());
        sim.plan_fault(When::Write(nth + 1), Fault::error_after());
        let (status, answer) = send(&sim, method.clone(), &path, body.clone()).await;
        assert_eq!((status, &answer["success"], held() == before), (200, &json!(false), true));
        assert_eq!((send(&sim, method, &path, body).await.0, held() == before), (500, false));
    }
}
