//! What Tallyline does not do in Autotask yet: tickets.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::AutotaskConnector;
use crate::domain::ids::{AccountId, TicketId};
use crate::psa::{Kind, NewNote, NewTicket, PsaError, PsaTicket, TicketForm, Tickets, WriteError};

fn none() -> PsaError {
    PsaError::new(
        Kind::Validation,
        "psa_has_no_tickets",
        "Tallyline can't make tickets in Autotask.",
        "Make it by hand.",
    )
}

#[async_trait]
impl Tickets for AutotaskConnector {
    async fn ticket_form(&self, _: Option<&AccountId>) -> Result<TicketForm, PsaError> {
        Err(none())
    }
    async fn find_tickets(&self, _: &AccountId, _: &BTreeSet<String>) -> Result<Vec<PsaTicket>, PsaError> {
        Err(none())
    }
    async fn ticket(&self, _: &TicketId) -> Result<Option<PsaTicket>, PsaError> {
        Err(none())
    }
    async fn open_ticket(&self, _: &NewTicket) -> Result<Option<TicketId>, WriteError> {
        Err(WriteError::NotSent(none()))
    }
    async fn find_notes(&self, _: &TicketId, _: &BTreeSet<String>) -> Result<BTreeSet<String>, PsaError> {
        Err(none())
    }
    async fn add_note(&self, _: &TicketId, _: &NewNote) -> Result<(), WriteError> {
        Err(WriteError::NotSent(none()))
    }
    async fn complete_ticket(&self, _: &TicketId) -> Result<(), WriteError> {
        Err(WriteError::NotSent(none()))
    }
    async fn reopen_ticket(&self, _: &TicketId, _: &BTreeMap<String, String>) -> Result<(), WriteError> {
        Err(WriteError::NotSent(none()))
    }
}
