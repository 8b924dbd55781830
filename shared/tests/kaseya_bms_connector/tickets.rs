//! Where the look-ups of tickets are not as they are hoped to be.

use shared::psa::tickets::{FieldRule, TicketField, TicketForm};
use shared::psa::{NewNote, PsaError, Tickets as _};
use simulators::kaseya_bms::{Fault, Route, When};

use crate::{Stage, one_line};

async fn form(stage: &Stage) -> Result<TicketForm, PsaError> {
    stage.open().ticket_form(None).await
}

fn field<'a>(form: &'a TicketForm, id: &str) -> Option<&'a TicketField> {
    form.fields.iter().find(|field| field.id == id)
}

/// What a list may answer that is not there, or not for this user.
fn hidden() -> [Fault; 5] {
    [
        Fault::answer(404, ""),
        Fault::answer(400, r#"{"success":false}"#),
        Fault::answer(403, r#"{"success":false}"#),
        Fault::answer(200, r#"{"success":true,"result":[]}"#),
        Fault::answer(200, r#"{"success":true,"result":null}"#),
    ]
}

async fn with_hidden(routes: &[Route], fault: &Fault) -> Stage {
    let stage = Stage::of(one_line()).await;
    for route in routes {
        stage.simulator.plan_fault(When::EveryRequest(*route), fault.clone());
    }
    stage
}

#[tokio::test]
async fn where_bms_names_no_sources_those_of_its_first_api_are_offered() {
    for fault in hidden() {
        let stage = with_hidden(&[Route::LookupTable, Route::TenantLookupTable], &fault).await;
        let form = form(&stage).await.unwrap();
        let sources = &field(&form, "SourceId").unwrap().values;
        assert_eq!((sources.len(), sources[5].label.as_str()), (10, "Monitoring System"), "{fault:?}");
    }
}

#[tokio::test]
async fn where_bms_names_no_types_those_of_its_tickets_are_offered() {
    let stage = with_hidden(&[Route::LookupTable, Route::TenantLookupTable], &Fault::answer(404, "")).await;
    assert!(field(&form(&stage).await.unwrap(), "TypeId").unwrap().values.is_empty());
    let told = r#"{"success":true,"result":[{"id":1,"typeId":92,"typeName":"Incident"},{"id":2,"typeId":null}]}"#;
    stage.simulator.plan_fault(When::EveryRequest(Route::SearchTickets), Fault::answer(200, told));
    let form = form(&stage).await.unwrap();
    let types = &field(&form, "TypeId").unwrap().values;
    assert_eq!(
        types.iter().map(|value| (value.id.as_str(), value.label.as_str())).collect::<Vec<_>>(),
        [("92", "Incident")]
    );
}

#[tokio::test]
async fn a_list_that_is_not_shown_leaves_its_field_out_and_the_rule_that_names_it() {
    for fault in hidden() {
        let stage = with_hidden(&[Route::Assignees, Route::IssueSubTypes], &fault).await;
        let form = form(&stage).await.unwrap();
        assert!(field(&form, "AssigneeId").is_none() && field(&form, "SubIssueTypeId").is_none(), "{fault:?}");
        assert_eq!(form.rules, [FieldRule::AnyOf(vec![vec!["QueueId".to_owned()]])]);
    }
}

#[tokio::test]
async fn a_list_that_can_not_be_read_at_the_moment_is_not_taken_for_an_empty_one() {
    for route in [Route::LookupTable, Route::Assignees, Route::IssueSubTypes, Route::Statuses, Route::Queues] {
        let stage = with_hidden(&[route], &Fault::answer(503, "")).await;
        assert_eq!(form(&stage).await.unwrap_err().code, "psa_unavailable", "{route:?}");
    }
}

#[tokio::test]
async fn a_note_where_bms_names_no_types_has_the_least_one() {
    let stage = with_hidden(&[Route::LookupTable, Route::TenantLookupTable], &Fault::answer(404, "")).await;
    let note = NewNote { reference: "TL-1-1".into(), title: "Again".into(), text: "12".into() };
    let refused = stage.open().add_note(&"5".parse().unwrap(), &note).await.unwrap_err();
    assert_eq!(refused.error().code, "psa_ticket_unknown");
    let sent = stage.simulator.requests().into_iter().find(|asked| asked.route == Some(Route::PostTicketNote));
    assert_eq!(sent.unwrap().body["TypeId"], 0);
}
