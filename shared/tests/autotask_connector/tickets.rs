//! Tickets and their notes: the form, what is sent, how they are found again, and what each failure of a write says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use shared::domain::ids::TicketId;
use shared::psa::autotask::{AutotaskConnector, Settings};
use shared::psa::tickets::{FieldRule, TicketField, TicketForm};
use shared::psa::{Connector as _, NewNote, NewTicket, PsaError, PsaTicket, Tickets as _, WriteError};
use simulators::autotask::{
    ApiUser, Autotask as Simulator, Effect, Entity, Fault, Naming, Right, Switches, When, World,
};

use crate::simulated::{connect, connect_as, connect_with};

const QUEUE: &str = "29683481";
const SECURITY: &str = "101";

fn tenant() -> World {
    World::builder().company("Müller GmbH").build().unwrap()
}

async fn stage() -> (Simulator, AutotaskConnector) {
    let simulator = Simulator::start(tenant()).await.unwrap();
    let psa = connect(&simulator).await;
    (simulator, psa)
}

fn ticket(reference: &str) -> NewTicket {
    NewTicket {
        account: "1001".parse().unwrap(),
        reference: reference.to_owned(),
        title: "Malware on PC-7".to_owned(),
        text: "Company: acme\nIt is <b>bad</b>.".to_owned(),
        opened: "2026-11-20T11:00:00Z".parse().unwrap(),
        due: "2026-11-21T11:00:00.5Z".parse().unwrap(),
        fields: filled([("status", "1"), ("priority", "2"), ("queueID", QUEUE)]),
    }
}

fn filled<const N: usize>(fields: [(&str, &str); N]) -> BTreeMap<String, String> {
    fields.map(|(field, value)| (field.to_owned(), value.to_owned())).into()
}

fn note(number: u32) -> NewNote {
    NewNote { reference: format!("TL-1-{number}"), title: "Again".to_owned(), text: "Twice.".to_owned() }
}

fn names<const N: usize>(references: [&str; N]) -> BTreeSet<String> {
    references.map(str::to_owned).into()
}

async fn find(psa: &AutotaskConnector, references: BTreeSet<String>) -> Vec<PsaTicket> {
    psa.find_tickets(&"1001".parse().unwrap(), &references).await.unwrap()
}

async fn opened(psa: &AutotaskConnector, reference: &str) -> TicketId {
    psa.open_ticket(&ticket(reference)).await.unwrap().unwrap()
}

fn field<'a>(form: &'a TicketForm, id: &str) -> &'a TicketField {
    form.fields.iter().find(|field| field.id == id).unwrap()
}

fn choices(form: &TicketForm, id: &str) -> String {
    let told = |value: &shared::psa::tickets::FieldValue| {
        let parent = value.parent.as_ref().map_or(String::new(), |parent| format!("<{parent}"));
        format!("{}={}{parent}{}", value.id, value.label, if value.is_default { "*" } else { "" })
    };
    field(form, id).values.iter().map(told).collect::<Vec<_>>().join(" ")
}

fn rejected(written: Result<Option<TicketId>, WriteError>) -> PsaError {
    match written {
        Err(WriteError::Rejected(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_form_offers_what_is_active_and_says_what_depends_on_what() {
    let (_simulator, psa) = stage().await;
    let before = psa.requests_made();
    let form = psa.ticket_form(None).await.unwrap();
    assert_eq!(psa.requests_made() - before, 3);
    let required: Vec<_> = form.fields.iter().filter(|field| field.required).map(|field| field.id.as_str()).collect();
    assert_eq!(required, ["status", "priority"]);
    assert_eq!(choices(&form, "status"), "1=New* 8=In Progress", "no ticket is new and done at once");
    assert_eq!(choices(&form, "queueID"), "29683481=Monitoring 29683482=Level I Support");
    assert_eq!(choices(&form, "subIssueType"), "136=Malware<10 137=Identity<10 140=Failed backup<11");
    assert_eq!(field(&form, "subIssueType").depends_on.as_deref(), Some("issueType"));
    assert_eq!(choices(&form, "ticketCategory"), "3=Standard* 101=Security incident");
    assert_eq!(choices(&form, "assignedResourceID"), "29682885=Ada Lovelace 29682886=Grace Hopper");
    assert_eq!(choices(&form, "assignedResourceRoleID"), "29683355=Engineer 29683356=Help Desk");
    let somebody = ["assignedResourceID", "assignedResourceRoleID"].map(str::to_owned).to_vec();
    let any_of = FieldRule::AnyOf(vec![vec!["queueID".to_owned()], somebody.clone()]);
    assert_eq!(form.rules, [any_of, FieldRule::Together(somebody)]);
}

#[tokio::test]
async fn where_people_are_hidden_from_the_user_tickets_go_to_a_queue() {
    let user = ApiUser::full().without(Entity::Resources, Right::Query);
    let simulator = Simulator::setup(tenant()).user(user.clone()).start().await.unwrap();
    let form = connect_as(&simulator, &user, Settings::default()).await.ticket_form(None).await.unwrap();
    assert!(form.fields.iter().all(|field| field.id != "assignedResourceID"));
    assert_eq!(form.rules, [FieldRule::AnyOf(vec![vec!["queueID".to_owned()]])]);
}

#[tokio::test]
async fn a_list_that_can_not_be_read_at_the_moment_is_not_taken_for_an_empty_one() {
    let (simulator, psa) = stage().await;
    simulator.plan_fault(When::EveryRequest(Entity::Resources), Fault::answer(503, ""));
    assert_eq!(psa.ticket_form(None).await.unwrap_err().code, "psa_unavailable");
}

#[tokio::test]
async fn a_ticket_is_made_and_found_by_its_reference_and_no_other() {
    let (simulator, psa) = stage().await;
    let id = opened(&psa, "TL-1").await;
    let made = &simulator.tickets()[0];
    assert_eq!(
        (made.id.to_string(), made.company_id, made.due.as_str()),
        (id.to_string(), 1001, "2026-11-21T11:00:00Z")
    );
    assert_eq!(made.description, "Company: acme\nIt is <b>bad</b>.\n\nTallyline reference TL-1");
    let found = find(&psa, names(["TL-1", "TL-2"])).await;
    assert_eq!(found, [psa.ticket(&id).await.unwrap().unwrap()]);
    assert_eq!((found[0].reference.as_deref(), found[0].number.as_str()), (Some("TL-1"), made.number.as_str()));
    assert_eq!(find(&psa, names(["TL-12", "tl-1"])).await, []);
    assert_eq!(psa.ticket(&"5".parse().unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn a_success_that_names_no_id_is_a_success() {
    let switches = Switches { written_ids: Naming::Null, ..Switches::default() };
    let simulator = Simulator::setup(tenant()).switches(switches).start().await.unwrap();
    let psa = connect(&simulator).await;
    assert_eq!(psa.open_ticket(&ticket("TL-1")).await.unwrap(), None);
    assert_eq!(find(&psa, names(["TL-1"])).await.len(), 1);
}

#[tokio::test]
async fn what_a_category_asks_for_is_named_with_all_of_it_once_autotask_refuses_a_ticket() {
    let (simulator, psa) = stage().await;
    let mut wanted = ticket("TL-1");
    wanted.fields.insert("ticketCategory".into(), SECURITY.into());
    let error = rejected(psa.open_ticket(&wanted).await);
    assert_eq!(error.code, "psa_ticket_field_required");
    assert!(error.explanation.contains("issueType (Issue type), subIssueType (Sub-issue type)"), "{error}");
    assert_eq!(error.fix, "Fill issueType, subIssueType in the ticket mapping.");
    wanted.fields.extend(filled([("issueType", "10"), ("subIssueType", "137")]));
    assert!(psa.open_ticket(&wanted).await.is_ok() && simulator.tickets().len() == 1);
}

#[tokio::test]
async fn what_else_autotask_refuses_has_a_code_of_its_own() {
    let (simulator, psa) = stage().await;
    for (field, value, code) in [
        ("queueID", "29683483", "psa_picklist_value_unknown"),
        ("subIssueType", "140", "psa_picklist_value_unknown"),
        ("assignedResourceID", "29682885", "psa_resource_needs_role"),
    ] {
        let mut wanted = ticket("TL-1");
        wanted.fields.extend(filled([("issueType", "10"), (field, value)]));
        assert_eq!(rejected(psa.open_ticket(&wanted).await).code, code, "{field}");
    }
    let mut nowhere = ticket("TL-1");
    nowhere.fields.remove("queueID");
    assert_eq!(rejected(psa.open_ticket(&nowhere).await).code, "psa_ticket_queue_missing");
    let unknown = NewTicket { account: "77".parse().unwrap(), ..ticket("TL-1") };
    assert_eq!(rejected(psa.open_ticket(&unknown).await).code, "psa_reference_invalid");
    assert_eq!(simulator.tickets(), []);
}

#[tokio::test]
async fn what_can_not_be_sent_is_not_sent() {
    let (simulator, psa) = stage().await;
    let before = simulator.request_count();
    let with = |field: &str, value: &str| {
        let mut wanted = ticket("TL-1");
        wanted.fields.insert(field.to_owned(), value.to_owned());
        wanted
    };
    for wanted in [
        with("contactID", "1"),
        with("queueID", "Monitoring"),
        NewTicket { title: "x".repeat(251), ..ticket("TL-1") },
        NewTicket { title: " ".to_owned(), ..ticket("TL-1") },
        NewTicket { text: "x".repeat(7_990), ..ticket("TL-1") },
        NewTicket { account: "acme".parse().unwrap(), ..ticket("TL-1") },
    ] {
        assert!(matches!(psa.open_ticket(&wanted).await, Err(WriteError::NotSent(_))), "{wanted:?}");
    }
    assert_eq!(simulator.request_count(), before);
}

/// How a write ended, by the simulator's fault, and whether the row is there: what the connector says has to be true.
fn faults() -> Vec<(Fault, &'static str, usize)> {
    let (rejected, unknown) = ("rejected", "unknown");
    vec![
        (Fault::ResetBefore, unknown, 0),
        (Fault::ResetAfter, unknown, 1),
        (Fault::HangBefore, unknown, 0),
        (Fault::HangAfter, unknown, 1),
        (Fault::error_before(), unknown, 0),
        (Fault::error_after(), unknown, 1),
        (Fault::unparsable_after(), unknown, 1),
        (Fault::answer(204, "").after(), unknown, 1),
        (Fault::answer(408, ""), unknown, 0),
        (Fault::answer(502, "<html>"), unknown, 0),
        (Fault::answer(503, "").after(), unknown, 1),
        (Fault::errors_with_200(), rejected, 0),
        (Fault::answer(401, ""), rejected, 0),
        (Fault::answer(404, ""), rejected, 0),
        (Fault::too_many_requests(Some(60)), rejected, 0),
        (Fault::redirect(307, "http://127.0.0.1:1/"), rejected, 0),
    ]
}

fn told<T>(written: &Result<T, WriteError>) -> &'static str {
    match written {
        Ok(_) => "made",
        Err(WriteError::NotSent(_)) => "not sent",
        Err(WriteError::Rejected(_)) => "rejected",
        Err(WriteError::Unknown(_)) => "unknown",
    }
}

/// A connector that does not wait long where no answer comes.
async fn patient_with(simulator: &Simulator, fault: &Fault) -> AutotaskConnector {
    let hangs = matches!(fault, Fault::HangBefore | Fault::HangAfter);
    connect_with(simulator, if hangs { Duration::from_millis(150) } else { Duration::from_secs(30) }).await
}

#[tokio::test]
async fn each_failure_of_a_new_ticket_says_whether_it_may_have_been_made() {
    for (fault, expected, made) in faults() {
        let simulator = Simulator::start(tenant()).await.unwrap();
        let psa = patient_with(&simulator, &fault).await;
        simulator.plan_fault(When::Write(1), fault.clone());
        assert_eq!(told(&psa.open_ticket(&ticket("TL-1")).await), expected, "{fault:?}");
        assert_eq!(simulator.tickets().len(), made, "{fault:?}");
        assert_eq!(find(&connect(&simulator).await, names(["TL-1"])).await.len(), made, "{fault:?}");
    }
}

#[tokio::test]
async fn each_failure_of_a_note_says_whether_it_may_have_been_added() {
    for (fault, expected, added) in faults() {
        let simulator = Simulator::start(tenant()).await.unwrap();
        let id = opened(&connect(&simulator).await, "TL-1").await;
        let psa = patient_with(&simulator, &fault).await;
        simulator.reset_counts();
        simulator.plan_fault(When::Write(1), fault.clone());
        let mut written = psa.add_note(&id, &note(1)).await;
        // A busy machine may be late with the kinds of notes too; what was not sent may be sent again.
        while matches!(written, Err(WriteError::NotSent(_))) {
            written = psa.add_note(&id, &note(1)).await;
        }
        assert_eq!(told(&written), expected, "{fault:?}");
        let found = connect(&simulator).await.find_notes(&id, &names(["TL-1-1", "TL-1-2"])).await.unwrap();
        assert_eq!(found.len(), added, "{fault:?}");
    }
}

#[tokio::test]
async fn a_note_is_for_the_partners_own_people_and_found_by_its_reference() {
    let (simulator, psa) = stage().await;
    let id = opened(&psa, "TL-1").await;
    for number in [1, 12] {
        psa.add_note(&id, &note(number)).await.unwrap();
    }
    assert_eq!(simulator.tickets()[0].notes[0], "Again\nTwice.\n\nTallyline reference TL-1-1");
    assert_eq!(psa.find_notes(&id, &names(["TL-1-1", "TL-1-2"])).await.unwrap(), names(["TL-1-1"]));
    let sent = simulator.requests();
    let bodies: Vec<_> = sent.iter().filter(|asked| asked.path.ends_with("/Notes")).map(|asked| &asked.body).collect();
    assert_eq!((bodies[0]["publish"].as_i64(), bodies[0]["noteType"].as_i64()), (Some(2), Some(3)));
    let described = |asked: &&simulators::autotask::Asked| asked.path.contains("TicketNotes/entityInformation");
    assert_eq!(sent.iter().filter(described).count(), 1, "the tenant's kinds of notes are read once");
    let nobody = psa.add_note(&"5".parse().unwrap(), &note(1)).await;
    assert_eq!(nobody.unwrap_err().error().code, "psa_reference_invalid");
}

#[tokio::test]
async fn a_ticket_is_completed_and_opened_again_and_what_does_not_stick_shows() {
    let (simulator, psa) = stage().await;
    let id = opened(&psa, "TL-1").await;
    let is_completed = async || psa.ticket(&id).await.unwrap().unwrap().completed;
    for _ in 0..2 {
        psa.complete_ticket(&id).await.unwrap();
        assert!(is_completed().await);
    }
    psa.reopen_ticket(&id, &ticket("TL-1").fields).await.unwrap();
    assert!(!is_completed().await);
    let refused = psa.reopen_ticket(&id, &BTreeMap::new()).await.unwrap_err();
    assert_eq!(refused.error().code, "psa_ticket_field_required");
    simulator.switch(|switches| switches.patch_ticket = Effect::Ignored);
    psa.complete_ticket(&id).await.unwrap();
    assert!(!is_completed().await, "a workflow has undone it");
}
