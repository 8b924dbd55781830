//! The service of a product that was found or made by its name: put on record in the mapping that asked for it.
//!
//! A person may change the mapping at the same time. Theirs is the word that stays: what was found is stored only beside the
//! very version that it was looked up for, and whoever finds it unstored looks it up again.

use jiff::Timestamp;

use super::{Mapping, MappingVersion, Mappings, ProductMapping, unchanged_since};
use crate::domain::ids::{ConnectionId, PartnerId, ServiceId};
use crate::store::StoreError;
use crate::store::journal::By;

impl Mappings {
    /// Puts `service` on record in `mapping`, as the next version, if nobody has changed it since. `false`: somebody has, or an
    /// import is under way; nothing was stored.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn found_service(
        &self,
        (partner, connection): (&PartnerId, &ConnectionId),
        mapping: &ProductMapping,
        service: &ServiceId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let place = self.place(partner, connection);
        if place.free(at).await?.is_none() {
            return Ok(false);
        }
        let By { actor, at } = By::system(at);
        let next = ProductMapping { service_id: Some(service.clone()), ..mapping.clone() };
        let next = next.with_version(mapping.version + 1, at, &actor);
        let key = ProductMapping::key(partner, connection, &mapping.product);
        let row = self.table.write_put(&key, &next, &unchanged_since(Some(mapping))?)?;
        self.change(&place, row, &MappingVersion { mapping: next, removed: false }).await
    }
}
