//! Where an alert's ticket belongs, by the partner's connections and mappings as they are now.

use super::people::Halt;
use super::visit::{Visit, is_on};
use super::{DeskError, DeskParts};
use crate::domain::alert::{Alert, Candidate, Choice, Incident, Place, choose};
use crate::domain::ids::{AccountId, CompanyId, ConnectionId, PartnerId};
use crate::domain::reason::{Code, Reason};
use crate::domain::ticketing::TicketMapping;
use crate::store::connections::{Connection, Status};
use crate::store::mappings::{CompanyMapping, OfTickets, StoredTicketMapping};
use crate::store::{Read, StoreError};

/// What the kind of a digest is called where a ticket mapping tells kinds apart.
const DIGEST: &str = "digest";

/// Where a ticket belongs, and what it is filled with.
pub(super) struct Chosen {
    pub place: Place,
    pub mapping: TicketMapping,
}

impl Visit<'_> {
    /// Where the ticket of `alert` belongs, or why it can't be said.
    pub async fn choose(&self, alert: &Alert) -> Result<Result<Chosen, Halt>, DeskError> {
        let (connection, account) = match (&alert.place, alert.incident()) {
            (Some(place), _) => (place.connection.clone(), place.account.clone()),
            (None, Some(incident)) => match self.choose_for(incident).await? {
                Ok(chosen) => chosen,
                Err(halt) => return Ok(Err(halt)),
            },
            // Its place is stored with it.
            (None, None) => return Err(DeskError::Busy),
        };
        let found = self.parts.connections.get(self.partner, &connection, Read::Consistent).await?;
        let Some(connection) = found.as_ref().filter(|found| is_on(found)) else {
            return Ok(Err(Halt::off(found.as_ref())));
        };
        let mapping = match self.ticket_mapping(&connection.id).await? {
            Some(stored) if stored.newer.is_empty() => stored.mapping,
            Some(_) => {
                let explanation = "A newer version of Tallyline has stored the ticket mapping.".to_owned();
                return Ok(Err(Halt::waiting(Reason::new(Code::MappingNotUnderstood, explanation))));
            }
            None => return Ok(Err(not_mapped(Some(connection)))),
        };
        let of = (self.partner, connection.psa.as_str(), &connection.endpoint.tenant);
        let place = alert.place.clone().unwrap_or_else(|| Place::of(alert, of, connection.id.clone(), account));
        Ok(Ok(Chosen { place, mapping }))
    }

    async fn choose_for(&self, incident: &Incident) -> Result<Result<(ConnectionId, AccountId), Halt>, DeskError> {
        let all = self.parts.connections.all(self.partner).await?;
        let mut candidates = Vec::new();
        for connection in all.iter().filter(|connection| is_on(connection)) {
            let Some(tickets) = self.ticket_mapping(&connection.id).await? else { continue };
            let account = account_of(self.parts, self.partner, &connection.id, &incident.company).await?;
            let is_mapped = account.is_some();
            let catch_all = tickets.mapping.catch_all_account_id;
            candidates.push(Candidate { connection: connection.id.clone(), account, catch_all });
            if is_mapped {
                break;
            }
        }
        let named = |id: &ConnectionId| all.iter().find(|connection| connection.id == *id);
        Ok(match choose(&candidates) {
            Choice::At(connection, account) => Ok((connection, account)),
            Choice::TicketsNotMapped => Err(match self.off_with_tickets(&all).await? {
                Some(off) => Halt::off(Some(off)),
                None => not_mapped(all.first()),
            }),
            Choice::CompanyNotMapped => {
                let first = candidates.first().and_then(|first| named(&first.connection));
                Err(Halt::company_not_mapped(first, &incident.company))
            }
        })
    }

    /// The first connection that would have tickets, were it switched on.
    async fn off_with_tickets<'c>(&self, all: &'c [Connection]) -> Result<Option<&'c Connection>, StoreError> {
        for connection in all.iter().filter(|connection| !connection.enabled && connection.status != Status::Revoked) {
            if self.ticket_mapping(&connection.id).await?.is_some() {
                return Ok(Some(connection));
            }
        }
        Ok(None)
    }

    pub async fn ticket_mapping(&self, connection: &ConnectionId) -> Result<Option<StoredTicketMapping>, StoreError> {
        self.parts.mappings.get(self.partner, connection, &OfTickets).await
    }
}

/// What the fields of an alert's ticket are, by the mapping.
pub(super) fn fields_of(alert: &Alert, mapping: &TicketMapping) -> std::collections::BTreeMap<String, String> {
    match alert.incident() {
        Some(incident) => mapping.fields_for(incident.kind.as_str(), incident.severity.as_str()),
        None => mapping.fields_for(DIGEST, ""),
    }
}

fn not_mapped(connection: Option<&Connection>) -> Halt {
    let explanation = "No connection says how tickets are filled in.".to_owned();
    Halt::waiting(Reason::new(Code::TicketsNotMapped, explanation)).told_on(connection)
}

async fn account_of(
    parts: &DeskParts,
    partner: &PartnerId,
    connection: &ConnectionId,
    company: &CompanyId,
) -> Result<Option<AccountId>, StoreError> {
    let mapping: Option<CompanyMapping> = parts.mappings.get(partner, connection, company).await?;
    Ok(mapping.map(|mapping| mapping.account_id))
}
