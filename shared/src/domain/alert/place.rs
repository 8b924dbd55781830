//! On which connection an alert's ticket is made, and on whose account.

use super::{Alert, Place};
use crate::domain::ids::{AccountId, ConnectionId, PartnerId, PsaTenantId};
use crate::domain::reference::Reference;

/// Parts of a reference to a ticket begin so, so that none is that of a charge.
const TICKET: &str = "ticket";

/// A connection that may have tickets: it is on and has a ticket mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The connection.
    pub connection: ConnectionId,
    /// Where its mapping has the company, if it does.
    pub account: Option<AccountId>,
    /// Where its ticket mapping has what belongs to nobody.
    pub catch_all: Option<AccountId>,
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// This account of this connection.
    At(ConnectionId, AccountId),
    /// No connection maps the company, and none has an account for what belongs to nobody.
    CompanyNotMapped,
    /// No connection has a ticket mapping.
    TicketsNotMapped,
}

/// The first connection that maps the company, else the first with a catch-all account. `candidates`: the oldest first.
#[must_use]
pub fn choose(candidates: &[Candidate]) -> Choice {
    let mapped = candidates.iter().find_map(|of| Some((&of.connection, of.account.as_ref()?)));
    let caught = || candidates.iter().find_map(|of| Some((&of.connection, of.catch_all.as_ref()?)));
    match mapped.or_else(caught) {
        Some((connection, account)) => Choice::At(connection.clone(), account.clone()),
        None if candidates.is_empty() => Choice::TicketsNotMapped,
        None => Choice::CompanyNotMapped,
    }
}

impl Place {
    /// The place of an alert's ticket, with a name that follows from what it means: the same for every try, and another for
    /// another episode. `psa` and `tenant` name the database that the connection reaches.
    #[must_use]
    pub fn of(
        alert: &Alert,
        (partner, psa, tenant): (&PartnerId, &str, &PsaTenantId),
        connection: ConnectionId,
        account: AccountId,
    ) -> Self {
        // Episodes begin anew at 1 where the row's time was over: when it began tells those apart.
        let episode = format!("{} {}", alert.episode, alert.began_at.as_second());
        let parts = [TICKET, partner.as_str(), psa, tenant.as_str(), alert.key.as_str(), &episode];
        Self { connection, account, reference: Reference::of(&parts) }
    }

    /// The same place for another ticket than the one that was made there.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self { reference: Reference::of(&[TICKET, &self.reference.to_string()]), ..self.clone() }
    }

    /// What a note on the ticket is called.
    #[must_use]
    pub fn note(&self, number: u32) -> String {
        format!("{}-{number}", self.reference)
    }
}
