//! Tickets of Kaseya BMS: what is different from other PSAs, and what its unconfirmed behaviours do to a ticket. What every
//! PSA must do with tickets is the connector contract's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use integration::msp::Fixture as _;
use integration::msp::mishap::{Effect, Mishap};
use integration::{BEGINNING, TestClock};
use serde_json::{Value, json};
use shared::domain::ids::{AccountId, TicketId};
use shared::psa::notebook::NoNotebook;
use shared::psa::registry::Registry;
use shared::psa::tickets::{FieldRule, TicketForm};
use shared::psa::{Connector, Credentials, Endpoint, Kind, NewNote, NewTicket, Psa, PsaTicket, WriteError};
use simulators::kaseya_bms::{
    AccountSpec, BmsUser, Fault, KaseyaBms, Limits, Right, Route, SAMPLE_PASSWORD, Switches, TextFilter, TicketText,
    When, World, failure_in_200, security_error,
};

const OURS: &str = "TL-000000000000000000000001";
const OTHERS: &str = "TL-000000000000000000000012";

/// A simulated BMS with two customers, and a process that calls it.
struct Desk {
    bms: KaseyaBms,
    clock: TestClock,
    registry: Registry,
    endpoint: Endpoint,
}

impl Desk {
    async fn open() -> Self {
        Self::with(Switches::default(), None).await
    }

    async fn with(switches: Switches, patience: Option<Duration>) -> Self {
        let clock = TestClock::at(BEGINNING);
        let world = World::builder()
            .account(AccountSpec::named("Nord").id(2_001))
            .account(AccountSpec::named("West").id(2_002));
        let setup = KaseyaBms::setup(world.build().unwrap()).clock(clock.simulated()).switches(switches);
        let setup = setup.user(BmsUser::api_employee());
        let setup = setup.user(BmsUser::api("lacking", SAMPLE_PASSWORD).without(Right::ServiceDesk));
        let bms = setup.start().await.unwrap();
        let registry = integration::registry::registry(KaseyaBms::NAME, &bms.base(), patience, &clock);
        let endpoint = registry.discover(&user(KaseyaBms::credentials())).await.unwrap();
        Self { bms, clock, registry, endpoint }
    }

    fn connector(&self) -> Arc<dyn Connector> {
        self.connector_of(KaseyaBms::credentials())
    }

    fn connector_of(&self, credentials: Value) -> Arc<dyn Connector> {
        self.registry.open(&self.endpoint, user(credentials), Arc::new(NoNotebook))
    }

    async fn find(&self, references: &[&str]) -> Vec<PsaTicket> {
        self.connector().find_tickets(&nord(), &set(references)).await.unwrap()
    }

    /// Makes a ticket of ours.
    async fn made(&self) -> TicketId {
        self.connector().open_ticket(&ticket(OURS)).await.unwrap().unwrap()
    }

    /// Everything that a write to the desk may change.
    fn held(&self) -> String {
        format!("{:?} {:?}", self.bms.tickets(), self.bms.notes())
    }

    /// Requests to write since the last reset.
    fn write_requests(&self) -> usize {
        [Route::PostTicket, Route::PatchTicket, Route::PostTicketNote].map(|route| self.bms.count(route)).iter().sum()
    }
}

fn user(credentials: Value) -> Credentials {
    Credentials::parse(Psa::named(KaseyaBms::NAME).unwrap(), "", credentials).unwrap()
}

fn nord() -> AccountId {
    "2001".parse().unwrap()
}

fn set(references: &[&str]) -> BTreeSet<String> {
    references.iter().map(|reference| (*reference).to_owned()).collect()
}

/// What a mapping says, with fields changed or, where they are empty, taken out.
fn fields(change: &[(&str, &str)]) -> BTreeMap<String, String> {
    let usual = [("StatusId", "51"), ("PriorityId", "62"), ("TypeId", "92"), ("SourceId", "5"), ("QueueId", "73")];
    let all: BTreeMap<_, _> = usual.into_iter().chain(change.iter().copied()).collect();
    all.into_iter().filter(|(_, value)| !value.is_empty()).map(|(id, value)| (id.into(), value.into())).collect()
}

fn ticket(reference: &str) -> NewTicket {
    NewTicket {
        account: nord(),
        reference: reference.to_owned(),
        title: "EDR fell".to_owned(),
        text: "From 10 to 3 <b>at</b> R&D.\n\nLook at the console.".to_owned(),
        opened: "2026-11-20T09:30:00Z".parse().unwrap(),
        due: "2026-11-23T09:30:00Z".parse().unwrap(),
        fields: fields(&[]),
    }
}

fn note(number: usize) -> NewNote {
    NewNote { reference: format!("{OURS}-{number}"), title: "Again".to_owned(), text: "Now 2".to_owned() }
}

/// Each field on a line, a star where it is required.
fn written(form: &TicketForm) -> String {
    let lines = form.fields.iter().map(|field| {
        let values = field.values.iter().map(|value| {
            let parent = value.parent.as_ref().map(|parent| format!(" of {parent}")).unwrap_or_default();
            format!("{} {}{parent}{}", value.id, value.label, if value.is_default { " (usual)" } else { "" })
        });
        let (star, depends) = (if field.required { "*" } else { "" }, field.depends_on.as_deref().unwrap_or("nothing"));
        format!("{}{star} by {depends}: {}", field.id, values.collect::<Vec<_>>().join(", "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_form_lists_what_may_be_chosen_and_an_accounts_locations_where_one_is_named() {
    let desk = Desk::open().await;
    let psa = desk.connector();
    let form = psa.ticket_form(None).await.unwrap();
    insta::assert_snapshot!(written(&form), @r"
    StatusId* by nothing: 51 New, 52 In Progress, 53 Waiting on Customer, 55 Assigned
    PriorityId* by nothing: 61 Critical, 62 High, 63 Medium (usual), 64 Low
    TypeId* by nothing: 91 Service Request, 92 Incident, 93 Problem
    SourceId* by nothing: 0 Portal, 1 Phone, 2 In Person, 3 On Site, 4 Email, 5 Monitoring System, 6 Voice Mail, 7 Verbal, 8 Other, 9 Recurring
    QueueId by nothing: 71 Help Desk, 72 Billing, 73 Monitoring
    AssigneeId by nothing: 41 Ada Berg, 42 Tomas Lind
    IssueTypeId by nothing: 81 Software, 82 Billing, 83 Security
    SubIssueTypeId by IssueTypeId: 811 Update of 81, 831 Malware of 83, 832 Phishing of 83
    ");
    assert_eq!(form.rules, [FieldRule::AnyOf(vec![vec!["QueueId".to_owned()], vec!["AssigneeId".to_owned()]])]);
    let of_account = psa.ticket_form(Some(&nord())).await.unwrap();
    assert_eq!(written(&of_account), format!("{}\nLocationId by nothing: 3001 Main (usual)", written(&form)));
}

#[tokio::test]
async fn each_list_is_read_once_by_a_connector() {
    let desk = Desk::open().await;
    desk.bms.reset_counts();
    let psa = desk.connector();
    psa.ticket_form(Some(&nord())).await.unwrap();
    let most = Route::all().map(|route| desk.bms.count(route)).max().unwrap();
    assert_eq!((desk.bms.count(Route::IssueSubTypes), most), (3, 3), "sub-types take a request for each issue type");
    let before = psa.requests_made();
    psa.ticket_form(None).await.unwrap();
    let id = psa.open_ticket(&ticket(OURS)).await.unwrap().unwrap();
    psa.complete_ticket(&id).await.unwrap();
    assert_eq!(psa.requests_made() - before, 2, "the location and the status are known");
}

#[tokio::test]
async fn a_ticket_is_made_as_it_was_meant_and_without_markup() {
    let desk = Desk::open().await;
    let given = [
        ("LocationId", "3001"),
        ("AssigneeId", "41"),
        ("QueueId", ""),
        ("IssueTypeId", "83"),
        ("SubIssueTypeId", "832"),
    ];
    for change in [&[][..], &given] {
        let id = desk.connector().open_ticket(&NewTicket { fields: fields(change), ..ticket(OURS) }).await.unwrap();
        let held = desk.bms.tickets().pop().unwrap();
        assert_eq!(id.unwrap().to_string(), held.id.to_string());
        assert_eq!((held.account_id, held.location_id, held.title.as_str()), (2_001, 3_001, "EDR fell"));
        assert_eq!((held.status_id, held.priority_id, held.type_id, held.source_id), (51, 62, 92, 5));
        let more = (held.queue_id, held.assignee_id, held.issue_type_id, held.sub_issue_type_id);
        let wanted =
            if change.is_empty() { (Some(73), None, None, None) } else { (None, Some(41), Some(83), Some(832)) };
        assert_eq!(more, wanted);
        assert_eq!(
            (held.open_date.as_str(), held.due_date.as_deref()),
            ("2026-11-20T09:30:00", Some("2026-11-23T09:30:00"))
        );
        insta::allow_duplicates! {
            insta::assert_snapshot!(held.details, @r"
            From 10 to 3 ‹b›at‹/b› R&D.

            Look at the console.
            Tallyline reference TL-000000000000000000000001
            ");
        }
    }
}

#[tokio::test]
async fn a_ticket_whose_answer_was_lost_is_found_again_however_bms_searches_and_shows_it() {
    let usual = Switches::default;
    let settings = [
        usual(),
        Switches { ticket_text: TicketText::AsSent, ..usual() },
        Switches { ticket_text: TicketText::Crlf, ..usual() },
        Switches { lists_show_details: false, ..usual() },
        Switches { text_filter: TextFilter::Exact, ..usual() },
        Switches { text_filter: TextFilter::Exact, lists_show_details: false, ..usual() },
        Switches { casing: simulators::kaseya_bms::Casing::Pascal, ..usual() },
    ];
    for switches in settings {
        let told = format!("{switches:?}");
        let desk = Desk::with(switches, None).await;
        desk.connector().open_ticket(&ticket(OTHERS)).await.unwrap();
        desk.bms.reset_counts();
        assert_eq!(desk.find(&[OURS]).await, [], "{told}");
        desk.bms.strike(1, Mishap::Reset(Effect::Made));
        let lost = desk.connector().open_ticket(&ticket(OURS)).await;
        assert!(matches!(lost, Err(WriteError::Unknown(_))), "{told}: {lost:?}");
        let [found] = desk.find(&[OURS]).await.try_into().unwrap();
        let held = &desk.bms.tickets()[1];
        let wanted = PsaTicket {
            id: held.id.to_string().parse().unwrap(),
            number: held.number.clone(),
            account: nord(),
            reference: Some(OURS.to_owned()),
            completed: false,
        };
        assert_eq!(found, wanted, "{told}");
        assert_eq!(desk.connector().ticket(&wanted.id).await.unwrap(), Some(wanted), "{told}");
    }
}

#[tokio::test]
async fn a_reference_is_a_whole_line_and_no_part_of_another_one() {
    let desk = Desk::open().await;
    desk.connector().open_ticket(&ticket("TL-12")).await.unwrap();
    let mentions = NewTicket { text: "See Tallyline reference TL-1".to_owned(), ..ticket("TL-7") };
    desk.connector().open_ticket(&mentions).await.unwrap();
    for (references, found) in
        [(&["TL-1"][..], &[][..]), (&["TL-12"], &["TL-12"]), (&["TL-1", "TL-12", "TL-7"], &["TL-12", "TL-7"])]
    {
        let tickets = desk.find(references).await;
        let told: Vec<_> = tickets.iter().filter_map(|ticket| ticket.reference.as_deref()).collect();
        assert_eq!(told, found, "{references:?}");
    }
}

#[tokio::test]
async fn tickets_are_found_in_one_request_and_one_that_was_moved_in_one_more() {
    let desk = Desk::open().await;
    for reference in [OURS, OTHERS] {
        desk.connector().open_ticket(&ticket(reference)).await.unwrap();
    }
    desk.bms.reset_counts();
    assert_eq!(desk.find(&[OURS, OTHERS]).await.len(), 2);
    assert_eq!(desk.bms.count(Route::SearchTickets), 1);
    desk.bms.move_ticket(desk.bms.tickets()[0].id, 2_002).unwrap();
    desk.bms.reset_counts();
    let found = desk.find(&[OURS, OTHERS]).await;
    let accounts: BTreeMap<_, _> =
        found.into_iter().map(|ticket| (ticket.reference.unwrap(), ticket.account)).collect();
    assert_eq!((accounts[OURS].as_str(), accounts[OTHERS].as_str()), ("2002", "2001"));
    assert_eq!(desk.bms.count(Route::SearchTickets), 2);
}

#[tokio::test]
async fn before_there_is_any_ticket_of_ours_those_of_the_account_are_looked_at_and_after_that_no_more() {
    let desk = Desk::open().await;
    desk.bms.reset_counts();
    assert_eq!(desk.find(&[OURS]).await, []);
    assert_eq!(desk.bms.count(Route::SearchTickets), 4);
    desk.made().await;
    let psa = desk.connector();
    for (requests, what) in [(3, "the search is tried out"), (2, "it is known")] {
        desk.bms.reset_counts();
        assert_eq!(psa.find_tickets(&nord(), &set(&[OTHERS])).await.unwrap(), []);
        assert_eq!(desk.bms.count(Route::SearchTickets), requests, "{what}");
    }
}

#[tokio::test]
async fn a_search_that_fails_is_no_ticket_that_is_missing() {
    for number in 1..=4 {
        let desk = Desk::open().await;
        desk.bms.plan_fault(When::Request(Route::SearchTickets, number), Fault::answer(503, ""));
        let failed = desk.connector().find_tickets(&nord(), &set(&[OURS])).await;
        assert_eq!(failed.unwrap_err().code, "psa_unavailable", "request {number}");
    }
}

/// What a write is, and how it is made.
#[derive(Debug, Clone, Copy)]
enum Doing {
    Open,
    Note,
    Complete,
    Reopen,
}

impl Doing {
    async fn happen(self, psa: &dyn Connector, id: &TicketId) -> Result<(), WriteError> {
        match self {
            Self::Open => psa.open_ticket(&ticket(OTHERS)).await.map(drop),
            Self::Note => psa.add_note(id, &note(1)).await,
            Self::Complete => psa.complete_ticket(id).await,
            Self::Reopen => psa.reopen_ticket(id, &fields(&[])).await,
        }
    }
}

/// What is said of a write.
fn said(result: &Result<(), WriteError>) -> &'static str {
    match result {
        Ok(()) => "done",
        Err(WriteError::NotSent(_)) => "not sent",
        Err(WriteError::Rejected(_)) => "rejected",
        Err(WriteError::Unknown(_)) => "unknown",
    }
}

#[tokio::test]
async fn whatever_goes_wrong_with_a_write_it_is_sent_once_and_told_honestly() {
    use Effect::{Made, NotMade};
    let of = |mishap, told| (None, Some(mishap), told);
    let fault = |fault, told| (Some(fault), None, told);
    let cases = [
        of(Mishap::Slow(5), "done"),
        of(Mishap::Refused, "rejected"),
        of(Mishap::Forbidden, "rejected"),
        of(Mishap::Throttled(30), "rejected"),
        fault(failure_in_200(), "rejected"),
        fault(security_error(), "rejected"),
        of(Mishap::Reset(Made), "unknown"),
        of(Mishap::Reset(NotMade), "unknown"),
        of(Mishap::Failed(Made), "unknown"),
        of(Mishap::Failed(NotMade), "unknown"),
        of(Mishap::Gateway(502, Made), "unknown"),
        of(Mishap::Gateway(503, NotMade), "unknown"),
        of(Mishap::Gateway(408, Made), "unknown"),
        of(Mishap::Page(Made), "unknown"),
        of(Mishap::Page(NotMade), "unknown"),
        of(Mishap::Empty(Made), "unknown"),
        of(Mishap::Half(Made), "unknown"),
        of(Mishap::Half(NotMade), "unknown"),
        of(Mishap::Redirected(307), "unknown"),
        // JSON, but no envelope that says yes or no: a ticket by itself, as the specification has one account.
        fault(Fault::answer(200, r#"{"id":100002,"ticketNumber":"T-100002"}"#).after(), "unknown"),
        fault(Fault::answer(200, r#"{"success":null,"result":null}"#).after(), "unknown"),
        fault(Fault::oversized(2 * 1024 * 1024).after(), "unknown"),
    ];
    for doing in [Doing::Open, Doing::Note, Doing::Complete, Doing::Reopen] {
        for (planned, mishap, told) in &cases {
            let desk = Desk::open().await;
            let (id, psa) = (desk.made().await, desk.connector());
            if matches!(doing, Doing::Reopen) {
                psa.complete_ticket(&id).await.unwrap();
            }
            desk.bms.reset_counts();
            match (planned, mishap) {
                (Some(fault), _) => desk.bms.plan_fault(When::Write(1), fault.clone()),
                (_, Some(mishap)) => desk.bms.strike(1, *mishap),
                _ => {}
            }
            let before = desk.held();
            let result = doing.happen(&*psa, &id).await;
            let case = format!("{doing:?}, {planned:?}, {mishap:?}: {result:?}");
            assert_eq!((said(&result), desk.write_requests()), (*told, 1), "{case}");
            match *told {
                "done" => assert_ne!(desk.held(), before, "{case}"),
                "rejected" => assert_eq!(desk.held(), before, "{case}"),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_write_that_can_not_be_sent_is_not_sent() {
    for doing in [Doing::Open, Doing::Note, Doing::Complete, Doing::Reopen] {
        let desk = Desk::open().await;
        let id = desk.made().await;
        desk.bms.reset_counts();
        desk.bms.refuse_connections(true).await;
        let result = doing.happen(&*desk.connector(), &id).await;
        assert_eq!((said(&result), desk.write_requests()), ("not sent", 0), "{doing:?}: {result:?}");
        desk.bms.refuse_connections(false).await;
        // What is read before the write fails.
        let reads = [Route::LocationsLookup, Route::LookupTable, Route::Statuses];
        for route in reads {
            desk.bms.plan_fault(When::EveryRequest(route), Fault::answer(503, ""));
        }
        if !matches!(doing, Doing::Reopen) {
            let result = doing.happen(&*desk.connector(), &id).await;
            assert_eq!((said(&result), desk.write_requests()), ("not sent", 0), "{doing:?}: {result:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_leaves_a_write_unknown() {
    for effect in [Effect::Made, Effect::NotMade] {
        let desk = Desk::with(Switches::default(), Some(Duration::from_millis(250))).await;
        let id = desk.made().await;
        for doing in [Doing::Open, Doing::Note, Doing::Complete] {
            desk.bms.reset_counts();
            desk.bms.strike(1, Mishap::Hang(effect));
            let result = doing.happen(&*desk.connector(), &id).await;
            assert_eq!((said(&result), desk.write_requests()), ("unknown", 1), "{doing:?}: {result:?}");
        }
        let (tickets, notes) = (desk.bms.tickets(), desk.bms.notes());
        let taken = (tickets.len(), notes.len(), tickets[0].status_id);
        assert_eq!(taken, if effect == Effect::Made { (2, 1, 54) } else { (1, 0, 51) });
    }
}

#[tokio::test]
async fn a_write_with_a_token_that_has_ended_is_refused_and_the_next_one_logs_in_anew() {
    let desk = Desk::open().await;
    let (id, psa) = (desk.made().await, desk.connector());
    desk.bms.expire_tokens();
    // The type of notes is read before the first one, which renews the token.
    psa.add_note(&id, &note(1)).await.unwrap();
    desk.bms.expire_tokens();
    let refused = psa.add_note(&id, &note(2)).await.unwrap_err();
    assert!(matches!(&refused, WriteError::Rejected(error) if error.code == "psa_token_ended"), "{refused:?}");
    assert_eq!(desk.bms.notes().len(), 1);
    psa.add_note(&id, &note(2)).await.unwrap();
    assert_eq!(desk.bms.notes().len(), 2);
}

#[tokio::test]
async fn a_note_is_for_the_partners_people_and_found_by_its_reference() {
    for form in [TicketText::Html, TicketText::AsSent, TicketText::Crlf] {
        let desk = Desk::with(Switches { ticket_text: form, ..Switches::default() }, None).await;
        let (id, psa) = (desk.made().await, desk.connector());
        let wanted = set(&[&format!("{OURS}-1"), &format!("{OURS}-2"), OURS]);
        assert_eq!(psa.find_notes(&id, &wanted).await.unwrap(), set(&[]));
        psa.add_note(&id, &note(1)).await.unwrap();
        psa.add_note(&id, &note(22)).await.unwrap();
        assert_eq!(psa.find_notes(&id, &wanted).await.unwrap(), set(&[&format!("{OURS}-1")]));
        let held = &desk.bms.notes()[0];
        assert_eq!((held.is_internal, held.type_id, held.note_date.clone()), (true, 95, held_at(&desk.clock)));
        insta::allow_duplicates! {
            insta::assert_snapshot!(held.details, @r"
            Again
            Now 2
            Tallyline reference TL-000000000000000000000001-1
            ");
        }
    }
}

/// The time as BMS holds it.
fn held_at(clock: &TestClock) -> String {
    clock.time().strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

#[tokio::test]
async fn a_note_whose_answer_was_lost_is_found_on_the_last_page_too() {
    let desk = Desk::open().await;
    desk.bms.set_limits(Limits { max_page_size: 10, ..Limits::default() });
    let (id, psa) = (desk.made().await, desk.connector());
    for number in 1..=12 {
        psa.add_note(&id, &note(number)).await.unwrap();
    }
    desk.bms.reset_counts();
    desk.bms.strike(1, Mishap::Reset(Effect::Made));
    assert_eq!(said(&psa.add_note(&id, &note(13)).await), "unknown");
    let last = format!("{OURS}-13");
    assert_eq!(psa.find_notes(&id, &set(&[&last])).await.unwrap(), set(&[&last]));
}

#[tokio::test]
async fn a_ticket_is_completed_and_opened_again_and_said_twice_it_is_the_same() {
    for reopened_stay_dated in [true, false] {
        let desk = Desk::with(Switches { reopened_stay_dated, ..Switches::default() }, None).await;
        let (id, psa) = (desk.made().await, desk.connector());
        let completed = async || psa.ticket(&id).await.unwrap().unwrap().completed;
        for _ in 0..2 {
            for _ in 0..2 {
                psa.complete_ticket(&id).await.unwrap();
                assert!(completed().await && desk.find(&[OURS]).await[0].completed);
            }
            for _ in 0..2 {
                psa.reopen_ticket(&id, &fields(&[("StatusId", "55")])).await.unwrap();
                assert!(!completed().await && !desk.find(&[OURS]).await[0].completed);
            }
        }
        assert_eq!(desk.bms.tickets()[0].status_id, 55);
    }
}

#[tokio::test]
async fn without_a_status_that_is_called_completed_no_ticket_is_completed() {
    let desk = Desk::open().await;
    let id = desk.made().await;
    let statuses = json!({"success": true, "result": [{"id": 51, "name": "New"}, {"id": 54, "name": "Completed", "isActive": false}]});
    desk.bms.plan_fault(When::EveryRequest(Route::Statuses), Fault::answer(200, statuses.to_string()));
    let refused = desk.connector().complete_ticket(&id).await.unwrap_err();
    assert!(matches!(&refused, WriteError::NotSent(error) if error.code == "psa_ticket_end_unknown"), "{refused:?}");
    let refused = desk.connector().reopen_ticket(&id, &fields(&[("StatusId", "")])).await.unwrap_err();
    assert!(matches!(&refused, WriteError::NotSent(error) if error.code == "psa_ticket_field_required"), "{refused:?}");
}

#[tokio::test]
async fn a_ticket_that_bms_refuses_tells_what_is_wrong_with_the_mapping() {
    for fails_in_200 in [false, true] {
        let desk = Desk::with(Switches { fails_in_200, ..Switches::default() }, None).await;
        for (change, code, named) in [
            (&[("PriorityId", ""), ("TypeId", "")][..], "psa_ticket_field_required", &["PriorityId", "TypeId"][..]),
            (&[("QueueId", "")], "psa_ticket_queue_missing", &["QueueId", "AssigneeId"]),
            (&[("StatusId", "7")], "psa_ticket_choice_unknown", &["StatusId"]),
            (&[("SubIssueTypeId", "811")], "psa_ticket_choice_unknown", &["SubIssueTypeId"]),
            (&[("LocationId", "3002")], "psa_ticket_location_foreign", &["LocationId"]),
        ] {
            let refused = desk.connector().open_ticket(&NewTicket { fields: fields(change), ..ticket(OURS) }).await;
            let Err(WriteError::Rejected(error)) = &refused else { panic!("{change:?}: {refused:?}") };
            assert_eq!((error.code.as_str(), error.kind), (code, Kind::Validation), "{change:?}");
            assert!(named.iter().all(|name| error.fix.contains(name)), "{named:?}: {error:?}");
            assert!(
                ["StatusId", "PriorityId", "SourceId"]
                    .iter()
                    .all(|name| named.contains(name) || !error.fix.contains(name))
            );
        }
        assert_eq!(desk.bms.tickets(), []);
    }
}

#[tokio::test]
async fn what_can_be_no_ticket_of_bms_is_not_even_sent() {
    let desk = Desk::open().await;
    let psa = desk.connector();
    let of_account = |id: &str| NewTicket { account: id.parse().unwrap(), ..ticket(OURS) };
    let of_field = |change| NewTicket { fields: fields(change), ..ticket(OURS) };
    for (ticket, code) in [
        (of_field(&[("PriorityId", "High")]), "psa_ticket_choice_unknown"),
        (of_field(&[("Title", "1")]), "psa_ticket_choice_unknown"),
        (of_account("north"), "psa_id_invalid"),
    ] {
        let refused = psa.open_ticket(&ticket).await.unwrap_err();
        assert!(matches!(&refused, WriteError::NotSent(error) if error.code == code), "{refused:?}");
    }
    assert_eq!(psa.requests_made(), 0);
}

#[tokio::test]
async fn a_ticket_that_is_not_there_is_none_and_nothing_can_be_done_to_it() {
    for (unknown_id_status, fails_in_200) in [(404, false), (400, false), (200, false), (404, true)] {
        let switches = Switches { unknown_id_status, fails_in_200, ..Switches::default() };
        let desk = Desk::with(switches, None).await;
        let (psa, id) = (desk.connector(), "100001".parse().unwrap());
        assert_eq!(psa.ticket(&id).await.unwrap(), None);
        for doing in [Doing::Note, Doing::Complete, Doing::Reopen] {
            let refused = doing.happen(&*psa, &id).await.unwrap_err();
            assert!(
                matches!(&refused, WriteError::Rejected(error) if error.code == "psa_ticket_unknown"),
                "{refused:?}"
            );
        }
        let of_nobody = NewTicket { account: "2999".parse().unwrap(), ..ticket(OURS) };
        assert!(matches!(psa.open_ticket(&of_nobody).await, Err(WriteError::NotSent(_))), "it has no location");
        let elsewhere = NewTicket { fields: fields(&[("LocationId", "3001")]), ..of_nobody };
        let refused = psa.open_ticket(&elsewhere).await.unwrap_err();
        assert!(matches!(&refused, WriteError::Rejected(error) if error.code == "psa_account_unknown"), "{refused:?}");
    }
}

#[tokio::test]
async fn a_page_that_says_404_is_no_ticket_that_is_not_there() {
    let desk = Desk::open().await;
    let id = desk.made().await;
    desk.bms.plan_fault(When::EveryRequest(Route::Ticket), Fault::answer(404, "<html>Not here</html>"));
    assert_eq!(desk.connector().ticket(&id).await.unwrap_err().code, "psa_address_unknown");
}

#[tokio::test]
async fn a_user_without_the_right_is_told_which_one_to_give() {
    for permission_status in [403, 401, 400, 200] {
        let desk = Desk::with(Switches { permission_status, ..Switches::default() }, None).await;
        let id = desk.made().await;
        let mut credentials = KaseyaBms::credentials();
        credentials["username"] = "lacking".into();
        let psa = desk.connector_of(credentials);
        for doing in [Doing::Open, Doing::Note, Doing::Complete] {
            let result = doing.happen(&*psa, &id).await;
            let Err(WriteError::Rejected(error)) = &result else { panic!("{doing:?}: {result:?}") };
            // Any write that meets a 401 may have met the end of its token.
            let code = if permission_status == 401 { "psa_token_ended" } else { "psa_permission_missing" };
            assert_eq!(error.code, code, "{permission_status} {doing:?}");
            assert!(permission_status == 401 || error.fix.contains("Service Desk"), "{error:?}");
        }
        let error = psa.ticket(&id).await.unwrap_err();
        assert_eq!(error.code, "psa_permission_missing", "{permission_status}");
        assert_eq!(desk.bms.tickets().len(), 1);
    }
}
