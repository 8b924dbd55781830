//! Tickets of the service desk: each call, handed to the file of its topic, and what one connector has read of the desk.
//!
//! `form` says what a new ticket may be set to, by what `lookups` reads; `find` reads tickets, `write` makes and changes
//! them, `notes` does both for notes. How texts are written and our references read is `text`'s, what a refusal means
//! `refused`'s. Why it is done so is in the README of the folder above.

mod find;
mod form;
mod lookups;
mod notes;
mod refused;
mod text;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tokio::sync::{Mutex, OnceCell};

use super::connector::KaseyaBmsConnector;
use crate::domain::ids::{AccountId, TicketId};
use crate::psa::{NewNote, NewTicket, PsaError, PsaTicket, TicketForm, Tickets, WriteError};
use lookups::{Choice, Lists, Location};

/// What one connector, that is one run, has read of the service desk.
#[derive(Default)]
pub(super) struct Desk {
    statuses: OnceCell<Vec<Choice>>,
    lists: OnceCell<Lists>,
    note_type: OnceCell<i64>,
    locations: Mutex<BTreeMap<AccountId, Vec<Location>>>,
    /// Set once a search has shown that it looks into the details of tickets.
    looks_into_details: OnceCell<()>,
}

#[async_trait]
impl Tickets for KaseyaBmsConnector {
    async fn ticket_form(&self, account: Option<&AccountId>) -> Result<TicketForm, PsaError> {
        form::form(&self.desk, &self.client, account).await
    }

    async fn find_tickets(
        &self,
        account: &AccountId,
        references: &BTreeSet<String>,
    ) -> Result<Vec<PsaTicket>, PsaError> {
        find::by_reference(&self.desk, &self.client, account, references).await
    }

    async fn ticket(&self, id: &TicketId) -> Result<Option<PsaTicket>, PsaError> {
        find::by_id(&self.client, id).await
    }

    async fn open_ticket(&self, ticket: &NewTicket) -> Result<Option<TicketId>, WriteError> {
        write::open(&self.desk, &self.client, ticket).await
    }

    async fn find_notes(&self, id: &TicketId, references: &BTreeSet<String>) -> Result<BTreeSet<String>, PsaError> {
        notes::find(&self.client, id, references).await
    }

    async fn add_note(&self, id: &TicketId, note: &NewNote) -> Result<(), WriteError> {
        notes::add(&self.desk, &self.client, id, note).await
    }

    async fn complete_ticket(&self, id: &TicketId) -> Result<(), WriteError> {
        write::complete(&self.desk, &self.client, id).await
    }

    async fn reopen_ticket(&self, id: &TicketId, fields: &BTreeMap<String, String>) -> Result<(), WriteError> {
        write::reopen(&self.client, id, fields).await
    }
}
