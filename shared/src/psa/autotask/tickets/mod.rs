//! Tickets of Autotask's service desk: each call, handed to the file of its topic, and what one connector has read of it.
//!
//! Our reference stands in `externalID`, which can be asked for; a note has no such field, so there it is the last line.
//! `form` says what a new ticket may be set to, `find` reads tickets, `write` makes and changes them, `notes` does both for
//! notes, and `refused` says what a refusal means. Field names: Autotask's REST metadata.

mod find;
mod form;
mod notes;
mod refused;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tokio::sync::OnceCell;

use super::connector::AutotaskConnector;
use crate::domain::ids::{AccountId, TicketId};
use crate::psa::{NewNote, NewTicket, PsaError, PsaTicket, TicketForm, Tickets, WriteError};
use notes::NoteKind;

/// What one connector, that is one run, has read of the service desk.
#[derive(Default)]
pub(super) struct Desk {
    note_kind: OnceCell<NoteKind>,
}

#[async_trait]
impl Tickets for AutotaskConnector {
    /// Three requests, and one more for each further 500 of the partner's people. No field's choices are an account's.
    async fn ticket_form(&self, _: Option<&AccountId>) -> Result<TicketForm, PsaError> {
        form::form(&self.client).await
    }

    async fn find_tickets(&self, _: &AccountId, references: &BTreeSet<String>) -> Result<Vec<PsaTicket>, PsaError> {
        find::by_reference(&self.client, references).await
    }

    async fn ticket(&self, id: &TicketId) -> Result<Option<PsaTicket>, PsaError> {
        find::by_id(&self.client, id).await
    }

    async fn open_ticket(&self, ticket: &NewTicket) -> Result<Option<TicketId>, WriteError> {
        write::open(&self.client, ticket).await
    }

    async fn find_notes(&self, id: &TicketId, references: &BTreeSet<String>) -> Result<BTreeSet<String>, PsaError> {
        notes::find(&self.client, id, references).await
    }

    async fn add_note(&self, id: &TicketId, note: &NewNote) -> Result<(), WriteError> {
        notes::add(&self.desk, &self.client, id, note).await
    }

    async fn complete_ticket(&self, id: &TicketId) -> Result<(), WriteError> {
        write::complete(&self.client, id).await
    }

    async fn reopen_ticket(&self, id: &TicketId, fields: &BTreeMap<String, String>) -> Result<(), WriteError> {
        write::reopen(&self.client, id, fields).await
    }
}
