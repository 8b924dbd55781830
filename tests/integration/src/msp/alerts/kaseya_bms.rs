//! The service desk of the simulated Kaseya BMS.

use serde_json::{Value, json};
use simulators::kaseya_bms::{Fault, KaseyaBms, Route, SAMPLE_API_USERNAME, SAMPLE_PASSWORD, When};

use super::{DeskTicket, ServiceDesk};
use crate::msp::Mishap;
use crate::msp::mishap::Wording;

const WORDING: Wording = Wording {
    failed: r#"{"success":false,"error":{"code":0,"message":"An error has occurred.","subErrors":[]},"result":null}"#,
    refused: (
        400,
        r#"{"success":false,"error":{"code":0,"message":"Failed.","subErrors":["The PriorityId field is required."]},"result":null}"#,
    ),
    forbidden: (403, r#"{"success":false,"error":{"code":0,"message":"Access denied.","subErrors":[]},"result":null}"#),
    done: r#"{"success":true,"error":null,"result":{}}"#,
};

/// Its status of a ticket that is done.
const COMPLETED: i64 = 54;

impl ServiceDesk for KaseyaBms {
    const REQUIRED: &'static str = "PriorityId";

    fn filled() -> Value {
        json!({"StatusId": "51", "PriorityId": "62", "TypeId": "92", "SourceId": "5", "QueueId": "73"})
    }

    fn desk_tickets(&self) -> Vec<DeskTicket> {
        let notes = self.notes();
        let notes_of = |id| notes.iter().filter(|note| note.ticket_id == id).map(|note| note.details.clone()).collect();
        let ticket = |ticket: simulators::kaseya_bms::Ticket| DeskTicket {
            id: ticket.id,
            notes: notes_of(ticket.id),
            number: ticket.number,
            account: ticket.account_id,
            title: ticket.title,
            text: ticket.details,
            completed: ticket.status_id == COMPLETED,
        };
        self.tickets().into_iter().map(ticket).collect()
    }

    fn ticket_requests(&self) -> usize {
        self.count(Route::PostTicket)
    }

    fn hide_tickets(&self, hidden: bool) {
        KaseyaBms::hide_tickets(self, hidden);
    }

    fn strike_ticket(&self, nth: usize, mishap: Mishap) {
        self.plan_fault(When::Request(Route::PostTicket, nth), mishap.fault(&WORDING));
    }

    fn strike_note(&self, nth: usize, mishap: Mishap) {
        self.plan_fault(When::Request(Route::PostTicketNote, nth), mishap.fault(&WORDING));
    }

    fn strike_search(&self, mishap: Mishap) {
        let next = self.count(Route::SearchTickets) + 1;
        self.plan_fault(When::Request(Route::SearchTickets, next), mishap.fault(&WORDING));
    }

    fn technician_completes(&self) {
        self.complete_tickets();
    }

    fn strike_change(&self, nth: usize, mishap: Mishap) {
        self.plan_fault(When::Request(Route::PatchTicket, nth), mishap.fault(&WORDING));
    }

    fn is_away(&self, away: bool) {
        if away {
            Route::all().for_each(|of| self.plan_fault(When::EveryRequest(of), Fault::answer(503, "")));
        } else {
            self.clear_faults();
        }
    }

    fn turns_log_in_away(&self, away: bool) {
        if away {
            self.change_password(SAMPLE_API_USERNAME, "another password");
            // Neither a token nor what renews one is good for longer than the password.
            self.expire_tokens();
            let refused =
                r#"{"success":false,"error":{"code":0,"message":"Invalid token.","subErrors":[]},"result":null}"#;
            self.plan_fault(When::EveryRequest(Route::RefreshToken), Fault::answer(400, refused));
        } else {
            self.change_password(SAMPLE_API_USERNAME, SAMPLE_PASSWORD);
            self.clear_faults();
        }
    }
}
