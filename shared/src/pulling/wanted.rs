//! Whose details a pull reads: customers that are mapped, and those whose details were counted before.
//!
//! One whose mapping was taken away is read on: were it left out, a complete snapshot would say that it has nothing, and when it
//! is mapped again a rule may bring its line to zero.

use std::collections::BTreeSet;

use super::{Puller, PullingError};
use crate::domain::ids::{CompanyId, ConnectionId, PartnerId, ProductKey};
use crate::psa::Psa;
use crate::sources::Metric;
use crate::store::connections::{Connection, Status};
use crate::store::mappings::CompanyMapping;
use crate::store::sources::UsageSource;
use crate::sync::recent_months;

/// Mappings read at once.
const AT_ONCE: u16 = 500;

impl Puller {
    /// The connections of a partner that are not ended.
    pub(super) async fn connections_of(&self, partner: &PartnerId) -> Result<Vec<Connection>, PullingError> {
        let all = self.0.connections.all(partner).await?;
        Ok(all.into_iter().filter(|connection| connection.status != Status::Revoked).collect())
    }

    /// The customers of `source` whose details are read, by the vendor's ids, for the sake of the metrics `of_each`.
    pub(super) async fn wanted(
        &self,
        source: &UsageSource,
        connections: &[Connection],
        of_each: &BTreeSet<Metric>,
    ) -> Result<BTreeSet<CompanyId>, PullingError> {
        let mut wanted = BTreeSet::new();
        for connection in connections {
            self.mapped(&source.partner, &connection.id, &mut wanted).await?;
        }
        // What a list tells of everybody is no reason to ask for the details of anybody.
        let products = source.products.iter().filter(|(metric, _)| of_each.contains(*metric));
        let products: BTreeSet<&ProductKey> = products.map(|(_, product)| product).collect();
        let book = self.0.usage.load(&source.partner, recent_months(self.0.clock.now())).await?;
        let counted = book.feeds.into_keys().filter(|feed| products.contains(&feed.product));
        wanted.extend(counted.map(|feed| feed.company));
        Ok(wanted.iter().filter_map(|company| source.vendor.customer(company)).collect())
    }

    async fn mapped(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        wanted: &mut BTreeSet<CompanyId>,
    ) -> Result<(), PullingError> {
        let mut after: Option<CompanyId> = None;
        loop {
            let page = self.0.mappings.list::<CompanyMapping>(partner, connection, after.as_ref(), AT_ONCE).await?;
            // One that a newer version wrote is named all the same.
            let unread = page.unreadable.iter().filter_map(|row| row.row.strip_prefix("COMPANY#")?.parse().ok());
            wanted.extend(page.items.into_iter().map(|mapping| mapping.company).chain(unread));
            match page.next.and_then(|next| next.parse().ok()) {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}

/// The PSA of the partner, where it has but one: an account's id means nothing to another.
pub(super) fn only_psa(connections: &[Connection]) -> Option<Psa> {
    match connections {
        [only] => Some(only.psa),
        _ => None,
    }
}
