//! Tickets of a PSA's service desk: what a form asks for, making one, finding it again, notes, and its end.
//!
//! A ticket and a note are found again by our own reference, which stands where the PSA has room for it: no PSA tells an
//! integration's repeated request from a second incident. Which ticket is made is `tickets`' affair; a connector sends each
//! write once, and says what became of it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{PsaError, WriteError};
use crate::domain::ids::{AccountId, TicketId};
pub use crate::domain::ticketing::{FieldRule, FieldValue, TicketField, TicketForm};

/// The longest title of a ticket or a note, in characters. (Autotask's note, the shortest of all.)
pub const LONGEST_TICKET_TITLE: usize = 250;
/// What stands before our reference where a PSA has no field for it: on the last line of a text, which it has for itself.
pub const BEFORE_REFERENCE: &str = "Tallyline reference";
/// The longest text of a ticket, in characters, the line with our reference included. (Autotask's description.)
pub const LONGEST_TICKET_TEXT: usize = 8_000;

/// A ticket as it is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTicket {
    /// Whose it is.
    pub account: AccountId,
    /// Our own name of it: `TL-` and 24 digits.
    pub reference: String,
    /// 1 to [`LONGEST_TICKET_TITLE`] characters, on one line.
    pub title: String,
    /// At most [`LONGEST_TICKET_TEXT`] characters with a line for the reference.
    pub text: String,
    /// When it began.
    pub opened: Timestamp,
    /// When it is due.
    pub due: Timestamp,
    /// The mapping's fields, by the PSA's names.
    pub fields: BTreeMap<String, String>,
}

/// A ticket as the PSA shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PsaTicket {
    /// The PSA's id.
    pub id: TicketId,
    /// What people call it: `T20261122.0001`.
    pub number: String,
    /// Whose it is.
    pub account: AccountId,
    /// Our own name of it, where it bears one.
    pub reference: Option<String>,
    /// The work is done.
    pub completed: bool,
}

/// A note as it is to stand on a ticket, for the partner's own people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNote {
    /// Our own name of it: that of its ticket, a dash and a number.
    pub reference: String,
    /// On one line.
    pub title: String,
    /// As [`NewTicket::text`].
    pub text: String,
}

/// Reading and writing tickets.
#[async_trait]
pub trait Tickets: Send + Sync {
    /// What a new ticket needs. With an account, fields whose choices are an account's list those of this one.
    async fn ticket_form(&self, account: Option<&AccountId>) -> Result<TicketForm, PsaError>;

    /// The tickets called by one of `references`. A PSA that can't search by reference looks among those of `account`; where
    /// it can, one that a person has moved to another account is found as well.
    async fn find_tickets(
        &self,
        account: &AccountId,
        references: &BTreeSet<String>,
    ) -> Result<Vec<PsaTicket>, PsaError>;

    /// The ticket itself; `None` where the PSA shows none under this id.
    async fn ticket(&self, id: &TicketId) -> Result<Option<PsaTicket>, PsaError>;

    /// Makes a ticket, once. Answers its id where the PSA says it; `None` is a success all the same.
    ///
    /// # Errors
    /// [`WriteError`] says whether it may have been made.
    async fn open_ticket(&self, ticket: &NewTicket) -> Result<Option<TicketId>, WriteError>;

    /// Those of `references` that stand in the notes of a ticket.
    async fn find_notes(&self, id: &TicketId, references: &BTreeSet<String>) -> Result<BTreeSet<String>, PsaError>;

    /// Adds a note that only the partner's own people see, once.
    ///
    /// # Errors
    /// [`WriteError`] says whether it may have been added.
    async fn add_note(&self, id: &TicketId, note: &NewNote) -> Result<(), WriteError>;

    /// Calls the work on a ticket done. Said twice it is the same.
    ///
    /// # Errors
    /// [`WriteError`] says whether it may have been done. A workflow of the PSA may undo it in silence: read it back.
    async fn complete_ticket(&self, id: &TicketId) -> Result<(), WriteError>;

    /// Gives a ticket that was completed the status that new ones get, by the mapping's fields. Said twice it is the same.
    ///
    /// # Errors
    /// As [`Tickets::complete_ticket`].
    async fn reopen_ticket(&self, id: &TicketId, fields: &BTreeMap<String, String>) -> Result<(), WriteError>;
}
