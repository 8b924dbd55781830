//! The service desk of the simulated Autotask.

use serde_json::{Value, json};
use simulators::autotask::{Asked, Autotask, Entity, Fault, Kind, TicketView, When};

use super::{DeskTicket, ServiceDesk};
use crate::msp::Mishap;
use crate::msp::mishap::Wording;

const WORDING: Wording = Wording {
    failed: r#"{"errors":["An error occurred while processing your request."]}"#,
    refused: (500, r#"{"errors":["issueType is required.; on record number [0]."]}"#),
    forbidden: (
        500,
        r#"{"errors":["The logged in Resource does not have the adequate permissions to create this entity type."]}"#,
    ),
    done: r#"{"itemId":null}"#,
};

impl ServiceDesk for Autotask {
    const REQUIRED: &'static str = "issueType";

    fn filled() -> Value {
        json!({"status": "1", "priority": "2", "queueID": "29683481", "source": "8"})
    }

    fn desk_tickets(&self) -> Vec<DeskTicket> {
        let ticket = |ticket: TicketView| DeskTicket {
            id: ticket.id,
            completed: ticket.is_complete(),
            number: ticket.number,
            account: ticket.company_id,
            title: ticket.title,
            text: ticket.description,
            notes: ticket.notes,
        };
        self.tickets().into_iter().map(ticket).collect()
    }

    fn ticket_requests(&self) -> usize {
        self.count(Entity::Tickets, Kind::Create)
    }

    fn hide_tickets(&self, hidden: bool) {
        Autotask::hide_tickets(self, hidden);
    }

    fn strike_ticket(&self, nth: usize, mishap: Mishap) {
        strike(self, (Entity::Tickets, Kind::Create), nth, mishap);
    }

    fn strike_note(&self, nth: usize, mishap: Mishap) {
        strike(self, (Entity::TicketNotes, Kind::Create), nth, mishap);
    }

    fn strike_search(&self, mishap: Mishap) {
        self.plan_fault(When::Request(Entity::Tickets, tickets_so_far(self) + 2), mishap.fault(&WORDING));
    }

    fn technician_completes(&self) {
        self.complete_tickets();
    }

    fn strike_change(&self, nth: usize, mishap: Mishap) {
        // Between it and now nothing else is asked of tickets: notes are an entity of their own.
        let next = tickets_so_far(self) + nth - self.count(Entity::Tickets, Kind::Update);
        self.plan_fault(When::Request(Entity::Tickets, next), mishap.fault(&WORDING));
    }

    fn is_away(&self, away: bool) {
        answers_all(self, away.then(|| Fault::answer(503, "")));
    }

    fn turns_log_in_away(&self, away: bool) {
        answers_all(self, away.then(|| Fault::answer(401, "")));
    }
}

fn tickets_so_far(psa: &Autotask) -> usize {
    psa.requests().iter().filter(|asked| asked.entity == Some(Entity::Tickets)).count()
}

/// Answers every request so, or as usual again.
fn answers_all(psa: &Autotask, fault: Option<Fault>) {
    match fault {
        Some(fault) => Entity::ALL.iter().for_each(|of| psa.plan_fault(When::EveryRequest(*of), fault.clone())),
        None => psa.clear_faults(),
    }
}

/// Strikes the nth request of a kind, where those that are still to come of it are the next writes.
fn strike(psa: &Autotask, (entity, kind): (Entity, Kind), nth: usize, mishap: Mishap) {
    let writes = psa.requests().iter().filter(|asked: &&Asked| asked.kind.writes()).count();
    let write = writes + nth - psa.count(entity, kind);
    psa.plan_fault(When::Write(write), mishap.fault(&WORDING));
}
