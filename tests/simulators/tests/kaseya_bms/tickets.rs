//! Service desk tickets and the look-ups they need.

use reqwest::Method;
use serde_json::{Value, json};
use simulators::KaseyaBms;
use simulators::kaseya_bms::{AccountSpec, TicketText};

use crate::support::*;

pub async fn draft(sim: &KaseyaBms) -> Value {
    let id = async |path: &str, name: &str| {
        let rows = result(sim, path).await;
        rows.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()["id"].clone()
    };
    json!({
        "Title": "EDR count fell", "Details": "From 10 to 3", "AccountId": ACCOUNT,
        "LocationId": id(&format!("/v2/crm/accounts/{ACCOUNT}/locations/lookup"), "Main").await,
        "StatusId": id("/v2/system/statuses/lookup", "New").await,
        "PriorityId": id("/v2/system/priorities/lookup", "High").await,
        "TypeId": id("/v2/system/lookup/TicketTypes", "Incident").await,
        "SourceId": id("/v2/system/tenantlookup/ticketsource", "Monitoring System").await,
        "QueueId": id("/v2/system/queues/lookup", "Billing").await,
        "IssueTypeId": id("/v2/system/issuetypes/lookup", "Security").await,
        "OpenDate": "2026-11-20T12:00:00Z",
    })
}

pub const TICKETS: &str = "/v2/servicedesk/tickets";

#[tokio::test]
async fn a_ticket_is_made_found_and_completed() {
    let sim = start(tenant()).await;
    let (status, body) = post(&sim, TICKETS, draft(&sim).await).await;
    assert_eq!(status, 200, "{body}");
    let made = &body["result"];
    assert_eq!((&made["statusName"], &made["openDate"]), (&json!("New"), &json!("2026-11-20T12:00:00")));
    assert_eq!(made["ticketNumber"], format!("T-{}", made["id"]));
    let search = async |filter: Value| {
        let (_, body) = post(&sim, "/v2/servicedesk/tickets/search", json!({"PageSize": 10, "Filter": filter})).await;
        body["totalRecords"].clone()
    };
    assert_eq!(search(json!({"Title": "edr", "AccountIds": "1,2001", "ExcludeCompleted": 1})).await, 1);
    assert_eq!(search(json!({"accountIds": [ACCOUNT], "StatusNames": "Closed, New"})).await, 1);
    assert_eq!(search(json!({"AccountIds": [1]})).await, 0);
    assert_eq!(search(json!({"Details": "nothing"})).await, 0);
    let path = format!("{TICKETS}/{}", made["id"]);
    let patch = json!([{"op": "replace", "path": "/StatusId", "value": 54}, {"op": "add", "path": "/title", "value": "Solved"}]);
    let (status, body) = send(&sim, Method::PATCH, &path, patch).await;
    assert_eq!((status, &body["result"]["statusName"]), (200, &json!("Completed")));
    assert_eq!(body["result"]["completedDate"], "2026-11-20T12:00:00");
    assert_eq!(result(&sim, &path).await["title"], "Solved");
    assert_eq!(search(json!({"ExcludeCompleted": true})).await, 0);
    let held = sim.tickets();
    assert_eq!((held.len(), held[0].title.as_str(), held[0].created_by.as_str()), (1, "Solved", "tallyline.api"));
}

#[tokio::test]
async fn a_ticket_with_a_gap_or_a_foreign_id_is_refused() {
    let sim = start(tenant().account(AccountSpec::named("Other").id(2_002))).await;
    let good = draft(&sim).await;
    let (status, body) = post(&sim, TICKETS, json!({"Title": "x"})).await;
    assert_eq!((status, body["error"]["subErrors"].as_array().unwrap().len()), (400, 8));
    let changed = |member: &str, value: Value| {
        let mut body = good.clone();
        body[member] = value;
        body
    };
    let bad = [
        changed("QueueId", Value::Null),
        changed("AccountId", json!(2_002)),
        changed("StatusId", json!(1)),
        changed("AssigneeId", json!(1)),
        changed("SubIssueTypeId", json!(811)),
        changed("OpenDate", json!("soon")),
    ];
    for body in bad {
        assert_eq!(post(&sim, TICKETS, body.clone()).await.0, 400, "{body}");
    }
    assert_eq!(post(&sim, TICKETS, changed("AccountId", json!(1))).await.0, 404);
    sim.switch(|switches| switches.fails_in_200 = true);
    let (status, body) = post(&sim, TICKETS, json!({})).await;
    assert_eq!((status, &body["success"]), (200, &json!(false)));
    assert!(sim.tickets().is_empty());
    sim.switch(|switches| switches.fails_in_200 = false);
    post(&sim, TICKETS, good.clone()).await;
    let path = format!("{TICKETS}/{}", sim.tickets()[0].id);
    for patch in [json!([{"op": "replace", "path": "/Nothing", "value": 1}]), json!([{"op": "move", "path": "/Title"}])]
    {
        assert_eq!(send(&sim, Method::PATCH, &path, patch).await.0, 400);
    }
    assert_eq!(get(&sim, "/v2/servicedesk/tickets/1").await.0, 404);
    assert_eq!(sim.tickets()[0].title, "EDR count fell");
}

#[tokio::test]
async fn a_ticket_may_have_an_assignee_and_a_sub_type_of_its_issue_type() {
    let sim = start(tenant()).await;
    let people = result(&sim, "/v2/hr/assignees/lookup?PageSize=100").await;
    let sub_types = result(&sim, "/v2/system/issuetypes/83/issuesubtypes/lookup").await;
    assert_eq!(each(&sub_types, "name"), ["Malware", "Phishing"]);
    assert_eq!(result(&sim, "/v2/system/issuetypes/82/issuesubtypes/lookup").await, json!([]));
    let mut body = draft(&sim).await;
    (body["QueueId"], body["AssigneeId"]) = (Value::Null, people[1]["id"].clone());
    body["SubIssueTypeId"] = sub_types[0]["id"].clone();
    let (status, made) = post(&sim, TICKETS, body).await;
    assert_eq!(status, 200, "{made}");
    let made = &made["result"];
    assert_eq!((&made["assigneeName"], &made["subIssueTypeName"]), (&json!("Tomas Lind"), &json!("Malware")));
}

#[tokio::test]
async fn details_come_back_in_another_form_than_they_were_sent_in() {
    let sim = start(tenant()).await;
    let mut body = draft(&sim).await;
    body["Details"] = json!("R&D fell\nfrom 10");
    post(&sim, TICKETS, body).await;
    let path = format!("{TICKETS}/{}", sim.tickets()[0].id);
    for (form, shown) in [
        (TicketText::AsSent, "R&D fell\nfrom 10"),
        (TicketText::Crlf, "R&D fell\r\nfrom 10"),
        (TicketText::Html, "<div>R&amp;D&nbsp;fell</div><div>from&nbsp;10</div>"),
    ] {
        sim.switch(|switches| switches.ticket_text = form);
        assert_eq!(result(&sim, &path).await["details"], shown);
    }
    let listed =
        async || post(&sim, "/v2/servicedesk/tickets/search", json!({})).await.1["result"][0]["details"].clone();
    assert!(listed().await.is_string());
    sim.switch(|switches| switches.lists_show_details = false);
    assert_eq!(listed().await, Value::Null);
}

#[tokio::test]
async fn a_ticket_that_is_opened_again_keeps_its_date_or_loses_it() {
    for stays in [true, false] {
        let sim = start(tenant()).await;
        sim.switch(|switches| switches.reopened_stay_dated = stays);
        post(&sim, TICKETS, draft(&sim).await).await;
        let path = format!("{TICKETS}/{}", sim.tickets()[0].id);
        let mut shown = Value::Null;
        for status in [54, 51] {
            let patch = json!([{"op": "replace", "path": "/StatusId", "value": status}]);
            shown = send(&sim, Method::PATCH, &path, patch).await.1["result"].clone();
        }
        assert_eq!((shown["completedDate"].is_string(), &shown["statusName"]), (stays, &json!("New")));
        assert_eq!(shown["reOpenedDate"], "2026-11-20T12:00:00");
    }
}

#[tokio::test]
async fn an_unknown_table_is_empty() {
    let sim = start(tenant()).await;
    assert_eq!(result(&sim, "/v2/system/lookup/Colours").await, json!([]));
}
