//! Whom a partner's other connections map: their usage is billed there, and who maps them a second time bills it twice.

use std::collections::BTreeMap;

use crate::domain::ids::{CompanyId, ConnectionId, PartnerId};
use crate::store::StoreError;
use crate::store::connections::{Connection, Connections, Status};
use crate::store::mappings::Mappings;

/// The companies that the connections of a partner map besides one of them. What a revoked connection maps it bills no more.
#[derive(Debug, Default)]
pub struct MappedElsewhere {
    connections: Vec<Connection>,
    /// Of several connections the last one is named.
    companies: BTreeMap<CompanyId, usize>,
}

impl MappedElsewhere {
    /// Those of `partner` besides `here`: a query for each of them.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn read(
        (connections, mappings): (&Connections, &Mappings),
        partner: &PartnerId,
        here: &ConnectionId,
    ) -> Result<Self, StoreError> {
        let mut elsewhere = Self::default();
        for other in connections.all(partner).await? {
            if other.id == *here || other.status == Status::Revoked {
                continue;
            }
            let place = elsewhere.connections.len();
            let of_other = mappings.companies_as_they_stand(partner, &other.id).await?;
            elsewhere.companies.extend(of_other.into_iter().map(|mapping| (mapping.company, place)));
            elsewhere.connections.push(other);
        }
        Ok(elsewhere)
    }

    /// The connection that maps `company`.
    #[must_use]
    pub fn connection_of(&self, company: &CompanyId) -> Option<&Connection> {
        self.companies.get(company).and_then(|place| self.connections.get(*place))
    }
}
