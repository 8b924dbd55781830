//! What tickets are filled with: the PSA's form as people see it, the mapping that is stored, versioned, refused and removed,
//! and every field that a PSA requires explained to whoever leaves it out.

use integration::msp::alerts::alert;
use integration::msp::{Customer, Fixture, Lane, Msp, Office, On, ServiceDesk, Setup};
use integration::{Answer, PARTNER};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::domain::ids::{ConnectionId, PartnerId};
use shared::store::mappings::{MappingVersion, Mappings, OfTickets, StoredTicketMapping};
use shared::store::schema;
use shared::store::{Condition, Read};
use simulators::autotask::Autotask;
use simulators::kaseya_bms::KaseyaBms;

/// The made-up BMS: 51 "New", 63 "Medium", 92 "Incident", 5 "Monitoring System", 73 "Monitoring".
fn filled() -> Value {
    json!({"StatusId": "51", "PriorityId": "63", "TypeId": "92", "SourceId": "5", "QueueId": "73"})
}

fn body() -> Value {
    json!({"defaults": filled()})
}

/// `body` with other fields.
fn with(fields: Value) -> Value {
    let mut body = body();
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

async fn msp() -> Msp<KaseyaBms> {
    On::<KaseyaBms>::adding().of([Customer::named("acme").line("edr", 40)]).start().await
}

fn path<P: Fixture>(msp: &Msp<P>, rest: &str) -> String {
    format!("/v1/connections/{}{rest}", msp.connection)
}

async fn put<P: Fixture>(msp: &Msp<P>, body: Value) -> Answer {
    msp.call(Method::PUT, &path(msp, "/ticket-mapping"), Some(body)).await
}

/// The mapping in an answer to [`put`].
fn mapped(answer: &Answer) -> Value {
    assert!([200, 201].contains(&answer.status), "{}", answer.text);
    let mut mapping = answer.json.clone();
    mapping.as_object_mut().unwrap().remove("halted_alerts").unwrap();
    mapping
}

async fn get<P: Fixture>(msp: &Msp<P>) -> Answer {
    msp.call(Method::GET, &path(msp, "/ticket-mapping"), None).await
}

fn ids<P: Fixture>(msp: &Msp<P>) -> (PartnerId, ConnectionId) {
    (PARTNER.parse().unwrap(), msp.connection.parse().unwrap())
}

/// What is said of each place of a mapping that is refused.
fn told(answer: &Answer) -> String {
    let problem = answer.problem();
    assert_eq!((answer.status, &problem["code"]), (422, &json!("ticket_mapping_refused")), "{}", answer.text);
    let faults = problem["errors"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    faults
        .map(|fault| format!("{}: {}", text(&fault["pointer"]), text(&fault["detail"])))
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn tickets_are_mapped_read_changed_and_removed() {
    let msp = msp().await;
    assert_eq!(get(&msp).await.problem()["code"], "not_found", "it may be skipped at first");
    let account = msp.account("acme").to_string();
    let whole = with(json!({
        "by_severity": {"critical": {"PriorityId": "61"}},
        "by_kind": {"phishing": {"IssueTypeId": "83", "SubIssueTypeId": "832"}},
        "due_hours": 4, "catch_all_account_id": account, "on_resolve": "complete", "repeat_window_hours": 48,
        "tickets_per_hour": 10,
    }));
    let first = put(&msp, whole).await;
    assert_eq!(first.status, 201, "{}", first.text);
    insta::assert_json_snapshot!(first.json, @r#"
    {
      "by_kind": {
        "phishing": {
          "IssueTypeId": "83",
          "SubIssueTypeId": "832"
        }
      },
      "by_severity": {
        "critical": {
          "PriorityId": "61"
        }
      },
      "catch_all_account_id": "1001",
      "defaults": {
        "PriorityId": "63",
        "QueueId": "73",
        "SourceId": "5",
        "StatusId": "51",
        "TypeId": "92"
      },
      "due_hours": 4,
      "halted_alerts": 0,
      "on_resolve": "complete",
      "repeat_window_hours": 48,
      "tickets_per_hour": 10,
      "updated_at": "2026-11-21T12:00:00Z",
      "updated_by": "local",
      "version": 1
    }
    "#);
    assert_eq!(get(&msp).await.json, mapped(&first));

    let plain = put(&msp, body()).await;
    assert_eq!(plain.status, 200);
    insta::assert_json_snapshot!(plain.json, @r#"
    {
      "by_kind": {},
      "by_severity": {},
      "catch_all_account_id": null,
      "defaults": {
        "PriorityId": "63",
        "QueueId": "73",
        "SourceId": "5",
        "StatusId": "51",
        "TypeId": "92"
      },
      "due_hours": 24,
      "halted_alerts": 0,
      "on_resolve": "note",
      "repeat_window_hours": 24,
      "tickets_per_hour": 60,
      "updated_at": "2026-11-21T12:00:00Z",
      "updated_by": "local",
      "version": 2
    }
    "#);

    let connection = msp.done(Method::GET, &path(&msp, ""), None).await;
    let removed = msp.call(Method::DELETE, &path(&msp, "/ticket-mapping"), None).await;
    assert_eq!(removed.status, 204);
    assert_eq!(get(&msp).await.status, 404);
    assert_eq!(msp.done(Method::GET, &path(&msp, ""), None).await, connection, "the connection is as it was");
    let again = msp.call(Method::DELETE, &path(&msp, "/ticket-mapping"), None).await;
    assert_eq!(again.problem()["code"], "not_found");
}

#[tokio::test]
async fn who_maps_tickets_hears_how_many_alerts_are_halted_and_has_them_tried_again() {
    let msp = msp().await;
    for key in ["one", "two"] {
        msp.alert(alert(key, "acme")).await;
    }
    let mut lane = Lane::of(&msp);
    lane.work_off().await;
    assert_eq!(msp.standing("one").await, "waiting tickets_not_mapped");
    assert_eq!(put(&msp, body()).await.json["halted_alerts"], 2);
    assert_eq!(msp.retry_alerts().await, 2);
    lane.work_off().await;
    assert_eq!(put(&msp, body()).await.json["halted_alerts"], 0);
    assert_eq!(msp.psa.desk_tickets().len(), 2);
}

#[tokio::test]
async fn the_same_mapping_again_is_no_new_version_and_every_version_stays() {
    let msp = msp().await;
    let first = put(&msp, body()).await.json;
    msp.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(put(&msp, with(json!({"due_hours": 24, "on_resolve": "note"}))).await.json, first);
    put(&msp, with(json!({"due_hours": 8}))).await;
    msp.done(Method::DELETE, &path(&msp, "/ticket-mapping"), None).await;
    put(&msp, body()).await;
    let (partner, connection) = ids(&msp);
    let mappings = Mappings::new(msp.parts.table.clone());
    let mut versions = Vec::new();
    for version in 1..=4 {
        let found = mappings.version::<StoredTicketMapping>(&partner, &connection, &OfTickets, version).await.unwrap();
        let MappingVersion { mapping, removed } = found.unwrap();
        versions.push((mapping.mapping.due_hours, removed));
    }
    assert_eq!(versions, [(24, false), (8, false), (8, true), (24, false)]);
}

#[tokio::test]
async fn every_field_that_kaseya_bms_requires_is_explained_at_once() {
    let msp = msp().await;
    let refused = put(&msp, json!({})).await;
    insta::assert_snapshot!(told(&refused), @"
    /defaults/StatusId: is required: Status (StatusId), one of 51 (New), 52 (In Progress), 53 (Waiting on Customer), 55 (Assigned)
    /defaults/PriorityId: is required: Priority (PriorityId), one of 61 (Critical), 62 (High), 63 (Medium), 64 (Low)
    /defaults/TypeId: is required: Type (TypeId), one of 91 (Service Request), 92 (Incident), 93 (Problem)
    /defaults/SourceId: is required: Source (SourceId), one of 0 (Portal), 1 (Phone), 2 (In Person), 3 (On Site), 4 (Email), 5 (Monitoring System), 6 (Voice Mail), 7 (Verbal), 8 (Other), 9 (Recurring)
    /defaults: must fill Queue (QueueId), one of 71 (Help Desk), 72 (Billing), 73 (Monitoring); or Assignee (AssigneeId), one of 41 (Ada Berg), 42 (Tomas Lind)
    ");
    let mut without_queue = filled();
    without_queue.as_object_mut().unwrap().remove("QueueId");
    let refused = put(&msp, json!({"defaults": without_queue})).await;
    insta::assert_json_snapshot!(refused.problem(), @r#"
    {
      "code": "ticket_mapping_refused",
      "detail": "The PSA would not take such tickets: /defaults: must fill Queue (QueueId), one of 71 (Help Desk), 72 (Billing), 73 (Monitoring); or Assignee (AssigneeId), one of 41 (Ada Berg), 42 (Tomas Lind).",
      "errors": [
        {
          "detail": "must fill Queue (QueueId), one of 71 (Help Desk), 72 (Billing), 73 (Monitoring); or Assignee (AssigneeId), one of 41 (Ada Berg), 42 (Tomas Lind)",
          "pointer": "/defaults"
        }
      ],
      "fix": "Fill each field that is named; catalog/ticket-fields lists what may be chosen for it.",
      "request_id": "[request]",
      "status": 422,
      "title": "Ticket mapping refused",
      "type": "/problems/ticket_mapping_refused"
    }
    "#);
    assert_eq!(get(&msp).await.status, 404, "nothing was stored");
}

/// As [`msp`], with Autotask.
async fn on_autotask() -> Msp {
    Setup::of([Customer::named("acme").line("edr", 40)]).start().await
}

#[tokio::test]
async fn every_field_that_autotask_requires_is_explained_at_once() {
    let msp = on_autotask().await;
    let told = told(&put(&msp, json!({})).await);
    for words in [
        "/defaults/status: is required: Status (status), one of 1 (New), 8 (In Progress)",
        "/defaults/priority: is required: Priority (priority), one of 1 (High), 2 (Medium), 3 (Low), 4 (Critical)",
        "/defaults: must fill Queue (queueID), one of 29683481 (Monitoring), 29683482 (Level I Support)",
    ] {
        assert!(told.contains(words), "{words} is not in {told}");
    }
    assert_eq!(put(&msp, json!({"defaults": Autotask::filled()})).await.status, 201);
}

#[tokio::test]
async fn what_a_category_of_autotask_requires_is_explained_when_it_refuses_a_ticket() {
    let msp = on_autotask().await;
    let mut fields = Autotask::filled();
    fields["ticketCategory"] = json!("101");
    // No metadata tell that its tickets need an issue.
    assert_eq!(put(&msp, json!({"defaults": fields})).await.status, 201);
    msp.alert(alert("one", "acme")).await;
    let mut lane = Lane::of(&msp);
    lane.work_off().await;
    assert_eq!(msp.standing("one").await, "refused psa_ticket_field_required");
    let refused = msp.alert_now("one").await;
    for words in ["issueType (Issue type)", "subIssueType (Sub-issue type)"] {
        assert!(refused["explanation"].as_str().unwrap().contains(words), "{words} is not in {refused}");
    }
    assert!(
        refused["fix"].as_str().unwrap().contains("Fill issueType, subIssueType in the ticket mapping."),
        "{refused}"
    );
    assert_eq!(msp.alert_findings().await, ["ticket_refused"]);
    assert_eq!(msp.psa.desk_tickets().len(), 0);

    fields["issueType"] = json!("11");
    fields["subIssueType"] = json!("136");
    let unfit = told(&put(&msp, json!({"defaults": fields})).await);
    assert_eq!(
        unfit,
        "/defaults/subIssueType: must fit what /defaults/issueType says: Sub-issue type (subIssueType), one of 140 (Failed backup)"
    );
    fields["issueType"] = json!("10");
    assert_eq!(put(&msp, json!({"defaults": fields})).await.json["halted_alerts"], 1);
    assert_eq!(msp.retry_alerts().await, 1);
    lane.work_off().await;
    assert_eq!((msp.standing("one").await.as_str(), msp.psa.desk_tickets().len()), ("open", 1));
    assert!(msp.alert_findings().await.is_empty());
}

#[tokio::test]
async fn what_kaseya_bms_does_not_offer_is_refused_wherever_it_stands() {
    let msp = msp().await;
    put(&msp, body()).await;
    let refused = put(
        &msp,
        with(json!({
            "by_severity": {"critical": {"PriorityId": "9", "Colour": "red"}, "low": {"StatusId": "54"}},
            "by_kind": {"phishing": {"IssueTypeId": "81", "SubIssueTypeId": "832"}, "malware": {"SubIssueTypeId": "831"}},
            "catch_all_account_id": "4711",
        })),
    )
    .await;
    insta::assert_snapshot!(told(&refused), @"
    /by_severity/critical/Colour: is no field that every ticket of this PSA has
    /by_severity/critical/PriorityId: must be the id of a choice of Priority (PriorityId), one of 61 (Critical), 62 (High), 63 (Medium), 64 (Low)
    /by_severity/low/StatusId: must be the id of a choice of Status (StatusId), one of 51 (New), 52 (In Progress), 53 (Waiting on Customer), 55 (Assigned)
    /by_kind/malware/IssueTypeId: is required beside Sub-issue type (SubIssueTypeId): Issue type (IssueTypeId), one of 81 (Software), 82 (Billing), 83 (Security)
    /by_kind/phishing/SubIssueTypeId: must fit what /by_kind/phishing/IssueTypeId says: Sub-issue type (SubIssueTypeId), one of 811 (Update)
    /catch_all_account_id: must be an active account
    ");
    assert_eq!(get(&msp).await.json["version"], 1, "the mapping before it stays");
}

#[tokio::test]
async fn what_is_no_ticket_mapping_is_refused_with_its_pointer_before_the_psa_is_asked() {
    let msp = msp().await;
    for (wrong, pointer, detail) in [
        (json!({"due_hours": 0}), "/due_hours", "must be a whole number from 1 to 8760"),
        (json!({"repeat_window_hours": 721}), "/repeat_window_hours", "must be a whole number from 1 to 720"),
        (json!({"tickets_per_hour": "60"}), "/tickets_per_hour", "must be a whole number from 1 to 1000"),
        (json!({"on_resolve": "delete"}), "/on_resolve", "must be `note` or `complete`"),
        (json!({"queue": "8"}), "/queue", "is not a field here"),
        (json!({"defaults": {"StatusId": 51}}), "/defaults/StatusId", "must be a string"),
        (json!({"by_kind": {"phishing": null}}), "/by_kind/phishing", "must not be null"),
    ] {
        let answer = put(&msp, with(wrong.clone())).await;
        let fault = answer.problem()["errors"][0].clone();
        assert_eq!((answer.status, fault), (422, json!({"pointer": pointer, "detail": detail})), "{wrong}");
    }
    assert_eq!(msp.psa.request_count(), 0);
}

#[tokio::test]
async fn the_form_is_shown_as_it_was_read_for_an_hour_and_read_anew_when_asked() {
    let msp = msp().await;
    let fields = path(&msp, "/catalog/ticket-fields");
    let read = async |query: &str| {
        msp.psa.reset_counts();
        let form = msp.done(Method::GET, &format!("{fields}{query}"), None).await;
        (form, msp.psa.request_count() > 0)
    };
    let (form, asked) = read("").await;
    assert!(asked);
    let labels: Vec<&str> = form["fields"].as_array().unwrap().iter().map(|f| f["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["Status", "Priority", "Type", "Source", "Queue", "Assignee", "Issue type", "Sub-issue type"]);
    assert_eq!(form["read_at"], "2026-11-21T12:00:00Z");
    assert_eq!(form["rules"], json!([{"any_of": [["QueueId"], ["AssigneeId"]]}]));

    msp.clock.advance(SignedDuration::from_mins(59));
    assert_eq!(read("").await, (form.clone(), false));
    let (fresh, asked) = read("?refresh=true").await;
    assert_eq!((&fresh["read_at"], asked), (&json!("2026-11-21T12:59:00Z"), true));
    msp.clock.advance(SignedDuration::from_mins(59));
    assert_eq!(read("").await, (fresh, false));
    msp.clock.advance(SignedDuration::from_mins(1));
    assert!(read("").await.1, "an hour is over");
    put(&msp, body()).await;
    msp.clock.advance(SignedDuration::from_mins(30));
    assert!(!read("").await.1, "a mapping is checked by a fresh form, which is shown as well");
}

#[tokio::test]
async fn the_form_of_an_account_has_that_accounts_choices() {
    let msp = msp().await;
    let fields = format!("{}?account_id={}", path(&msp, "/catalog/ticket-fields"), msp.account("acme"));
    let form = msp.done(Method::GET, &fields, None).await;
    let location = form["fields"].as_array().unwrap().iter().find(|field| field["id"] == "LocationId").unwrap().clone();
    assert_eq!(location["values"], json!([{"id": "3001", "label": "Main", "is_default": true, "parent": null}]));
    let location = location["values"][0]["id"].clone();
    let mut fields = filled();
    fields["LocationId"] = location;
    // It is chosen ticket by ticket: a mapping is of every account.
    let refused = told(&put(&msp, json!({"defaults": fields})).await);
    insta::assert_snapshot!(refused, @"/defaults/LocationId: is no field that every ticket of this PSA has");
}

#[tokio::test]
async fn a_revoked_connection_takes_no_ticket_mapping_and_shows_the_one_it_had() {
    let msp = msp().await;
    let mapped = mapped(&put(&msp, body()).await);
    msp.done(Method::DELETE, &path(&msp, ""), None).await;
    let removed = msp.call(Method::DELETE, &path(&msp, "/ticket-mapping"), None).await;
    let fields = msp.call(Method::GET, &path(&msp, "/catalog/ticket-fields"), None).await;
    for answer in [put(&msp, body()).await, removed, fields] {
        assert_eq!((answer.status, answer.problem()["code"].as_str()), (409, Some("connection_revoked")));
    }
    assert_eq!(get(&msp).await.json, mapped);
}

#[tokio::test]
async fn another_partners_ticket_mapping_is_answered_like_none() {
    let msp = msp().await;
    let mapped = mapped(&put(&msp, body()).await);
    for (method, rest, body) in [
        (Method::GET, "/ticket-mapping", None),
        (Method::PUT, "/ticket-mapping", Some(body())),
        (Method::DELETE, "/ticket-mapping", None),
        (Method::GET, "/catalog/ticket-fields", None),
    ] {
        let answer = msp.call_as("another", method.clone(), &path(&msp, rest), body).await;
        assert_eq!((answer.status, &answer.problem()["code"]), (404, &json!("not_found")), "{method} {rest}");
    }
    assert_eq!(get(&msp).await.json, mapped);
}

#[tokio::test]
async fn mapping_tickets_needs_the_write_scope() {
    let h = integration::Harness::start().await;
    let target = format!("/v1/connections/{}/ticket-mapping", h.connect().await);
    let ask = async |method: Method, scope| {
        let request = h.request(method.clone(), &target).bearer_auth(h.token(PARTNER, &[scope]));
        Answer::to(if method == Method::PUT { request.json(&json!({"due_hours": 0})) } else { request }).await.status
    };
    for scope in [Scope::Read, Scope::Usage] {
        assert_eq!((ask(Method::PUT, scope).await, ask(Method::DELETE, scope).await), (403, 403), "{scope:?}");
    }
    assert_eq!((ask(Method::PUT, Scope::Write).await, ask(Method::DELETE, Scope::Write).await), (422, 404));
    assert_eq!((ask(Method::GET, Scope::Read).await, ask(Method::GET, Scope::Usage).await), (404, 403));
}

#[tokio::test]
async fn a_ticket_mapping_of_a_newer_version_is_shown_with_what_is_not_understood() {
    let msp = msp().await;
    let mapped = mapped(&put(&msp, body()).await);
    let (partner, connection) = ids(&msp);
    let key = schema::ticket_mapping(&partner, &connection);
    let mut stored: Value = msp.parts.table.get(&key, Read::Consistent).await.unwrap().unwrap();
    stored["mapping"]["by_company"] = json!({"acme": {"QueueId": "71"}});
    assert!(msp.parts.table.put(&key, &stored, &Condition::present()).await.unwrap());
    let mut shown = get(&msp).await.json;
    assert_eq!(shown["not_understood"].take(), json!(["mapping.by_company"]));
    shown.as_object_mut().unwrap().remove("not_understood");
    assert_eq!(shown, mapped);
    // Saying it anew replaces it.
    assert_eq!(put(&msp, body()).await.json["version"], 2);
    assert_eq!(get(&msp).await.json.get("not_understood"), None);
}

#[tokio::test]
async fn the_history_tells_who_mapped_tickets_and_what_changed() {
    let msp = msp().await;
    let office = Office::of(&msp);
    let target = path(&msp, "/ticket-mapping");
    for body in [body(), with(json!({"due_hours": 8, "by_kind": {"phishing": {"QueueId": "71"}}}))] {
        msp.clock.advance(SignedDuration::from_mins(1));
        office.does("anna", Method::PUT, &target, body).await;
    }
    msp.clock.advance(SignedDuration::from_mins(1));
    office.does("ben", Method::DELETE, &target, json!({})).await;
    let entries = office.history(&msp.connection, "", 3).await.0;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let brief = |e: &Value| format!("{} by {}: {}", text(&e["kind"]), text(&e["actor"]), text(&e["summary"]));
    let told: Vec<String> = entries.iter().take(3).map(brief).collect();
    assert_eq!(
        told,
        [
            "tickets_unmapped by ben: The mapping of tickets was removed.",
            "tickets_remapped by anna: The mapping of tickets was changed: by_kind, due_hours.",
            "tickets_mapped by anna: The tickets were mapped.",
        ]
    );
    assert_eq!(entries[1]["before"], json!({"due_hours": 24}));
    assert_eq!(entries[1]["after"], json!({"due_hours": 8, "by_kind": {"phishing": {"QueueId": "71"}}}));
    let of_kind = office.history(&msp.connection, "&kind=tickets_remapped", 100).await.0;
    assert_eq!(of_kind.len(), 1);
    assert!(office.history(&msp.connection, "&kind=product_mapped", 100).await.0.len() == 1);
    assert!(
        !office
            .history(&msp.connection, "&product=edr", 100)
            .await
            .0
            .iter()
            .any(|e| text(&e["kind"]).starts_with("tickets"))
    );
}
