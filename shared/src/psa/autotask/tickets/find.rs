//! Tickets as Autotask holds them: found by our reference wherever they stand, or by their id.

use std::collections::BTreeSet;

use super::super::client::{Client, Entity};
use super::super::query::{self, Operator, Query};
use super::super::wire::{self, Row as _, TicketRow};
use super::form::COMPLETE;
use crate::domain::ids::TicketId;
use crate::psa::{PsaError, PsaTicket};

/// A request for each 500 references. Autotask compares texts without regard to case, so what it finds is compared again.
pub(super) async fn by_reference(client: &Client, references: &BTreeSet<String>) -> Result<Vec<PsaTicket>, PsaError> {
    let mut found = vec![];
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    for set in references.chunks(query::MOST) {
        let query = Query::of(Entity::Tickets).and("externalID", Operator::In, set);
        for row in query::walk::<TicketRow>(client, &query).await? {
            let ticket = row.ticket()?;
            match &ticket.reference {
                Some(reference) if set.contains(&reference.as_str()) => found.push(ticket),
                Some(reference) if set.iter().any(|known| known.eq_ignore_ascii_case(reference)) => {}
                _ => return Err(row.fault("was not asked for")),
            }
        }
    }
    Ok(found)
}

pub(super) async fn by_id(client: &Client, id: &TicketId) -> Result<Option<PsaTicket>, PsaError> {
    let Ok(number) = id.as_str().parse::<i64>() else { return Ok(None) };
    let query = Query::of(Entity::Tickets).and("id", Operator::In, vec![number]);
    let row = query::walk::<TicketRow>(client, &query).await?.into_iter().next();
    row.map(|row| if row.id()? == number { row.ticket() } else { Err(row.fault("was not asked for")) }).transpose()
}

impl TicketRow {
    fn ticket(&self) -> Result<PsaTicket, PsaError> {
        let id: TicketId = wire::id(Self::NAME, self.id()?)?;
        Ok(PsaTicket {
            number: self.number.text().unwrap_or_else(|| id.to_string()),
            id,
            account: self.reference("companyID", &self.company)?,
            reference: self.reference.text(),
            completed: self.need("status", self.status.whole())? == COMPLETE,
        })
    }
}
