//! Services that mappings name and give no id of: looked up in the PSA by exactly their names, once a run.
//!
//! The one active service of a name is used from then on and put on record in the mapping. Of every other name it is kept what
//! was found, for the lines that wait for it (`lacking`).

use std::collections::BTreeMap;

use super::{NamedSince, names};
use crate::clock::Clock;
use crate::domain::ids::ServiceId;
use crate::domain::intent::IntentState;
use crate::domain::line::LineKey;
use crate::domain::provision::Provision;
use crate::domain::reason::Reason;
use crate::ledger::{Making, Thing};
use crate::psa::Observation;
use crate::psa::provision::Called;
use crate::store::lines::Tenancy;
use crate::store::mappings::ProductMapping;
use crate::store::runs::Mode;
use crate::sync::drafting::Drafting;
use crate::sync::lines::MappedFeed;
use crate::sync::{SyncError, reason_of};

/// What a run knows of services that are to be found or made.
pub(in crate::sync) struct Catalogue {
    /// By what stands for the service.
    pub(super) unmade: BTreeMap<ServiceId, Unmade>,
    /// The newest try of everything that was ever to be made, where the policy has things made.
    pub(super) makings: BTreeMap<Thing, Making>,
}

/// A service that no id is known of, or none is used of.
pub(super) struct Unmade {
    pub provision: Provision,
    pub at: At,
}

/// What the catalogue has under its name.
pub(super) enum At {
    /// Nothing.
    Nothing,
    /// It is there by now, made by us since its lines were held.
    Ours,
    /// It is there by now, by somebody else.
    Others,
    /// The mapping names another service by now, which was neither made by us nor found by this name.
    Elsewhere(ServiceId),
    /// Nobody can say, or nothing that can be used.
    Unusable(Reason),
}

impl Catalogue {
    /// Looks up the services that `feeds` name and `products` give no id of, and has the feeds that are found name them.
    pub(in crate::sync) async fn look(
        drafting: &Drafting<'_>,
        (products, named_since): (&[ProductMapping], &NamedSince),
        feeds: &mut [MappedFeed],
    ) -> Result<Self, SyncError> {
        let Drafting { parts, connection, run, .. } = drafting;
        let makings = match connection.policy.provision_services {
            true => parts.ledger.makings(&Tenancy::of(connection)).await?,
            false => BTreeMap::new(),
        };
        let mut looked_up = Self { unmade: BTreeMap::new(), makings };
        for mapping in products {
            let (None, Some(provision), Some(unmade)) = (&mapping.service_id, &mapping.provision, mapping.service())
            else {
                continue;
            };
            if !feeds.iter().any(|feed| feed.named.service == unmade) {
                continue;
            }
            let found = match drafting.psa.find_services(&provision.name).await {
                Ok(found) => found,
                Err(error) => {
                    looked_up.keep(unmade, provision, At::Unusable(reason_of(&error)));
                    continue;
                }
            };
            let approved = names(run, &unmade);
            let other = named_since.get(&unmade).filter(|named| {
                let found_by_name = found.iter().any(|service| service.id == **named);
                !found_by_name && !looked_up.has_made(provision, named)
            });
            if let Some(other) = other {
                looked_up.keep(unmade, provision, At::Elsewhere(other.clone()));
                continue;
            }
            match Called::of(&found) {
                Called::One(service) if !approved => {
                    looked_up.put_on_record(drafting, mapping, &service.id).await?;
                    for feed in feeds.iter_mut().filter(|feed| feed.named.service == unmade) {
                        feed.named.service = service.id.clone();
                    }
                }
                Called::One(service) => {
                    let ours = looked_up.is_ours(provision, &service.id);
                    looked_up.keep(unmade, provision, if ours { At::Ours } else { At::Others });
                }
                Called::None => looked_up.keep(unmade, provision, At::Nothing),
                other => looked_up.keep(unmade, provision, At::Unusable(other.told(&provision.name))),
            }
        }
        Ok(looked_up)
    }

    fn keep(&mut self, unmade: ServiceId, provision: &Provision, at: At) {
        self.unmade.insert(unmade, Unmade { provision: provision.clone(), at });
    }

    /// Whether the service is on record as made by us, or as sent.
    fn is_ours(&self, provision: &Provision, service: &ServiceId) -> bool {
        let newest = self.makings.get(&Thing::Service(provision.name.clone()));
        newest.is_some_and(Making::is_open) || self.has_made(provision, service)
    }

    /// Whether the service is on record as made by us.
    fn has_made(&self, provision: &Provision, service: &ServiceId) -> bool {
        let newest = self.makings.get(&Thing::Service(provision.name.clone()));
        newest.is_some_and(|making| making.id.as_deref() == Some(service.as_str()))
    }

    /// Remembers what was found, where the run is one that writes. Who changes the mapping meanwhile is right: then the next
    /// run looks again.
    async fn put_on_record(
        &mut self,
        drafting: &Drafting<'_>,
        mapping: &ProductMapping,
        service: &ServiceId,
    ) -> Result<(), SyncError> {
        let Drafting { parts, connection, .. } = drafting;
        if !drafting.writes() {
            return Ok(());
        }
        let name = mapping.provision.as_ref().map(|provision| provision.name.clone()).unwrap_or_default();
        self.settle(drafting, &Thing::Service(name), service.as_str()).await?;
        let of = (&connection.partner, &connection.id);
        parts.mappings.found_service(of, mapping, service, parts.clock.now()).await?;
        Ok(())
    }

    /// Takes down as made what was put on contracts by an earlier try whose outcome was not seen, and what shows by now.
    pub(in crate::sync) async fn settle_shown(
        &mut self,
        drafting: &Drafting<'_>,
        observed: &Observation,
    ) -> Result<(), SyncError> {
        if !drafting.writes() {
            return Ok(());
        }
        let shown = |line: &LineKey| observed.lines.get(&(line.contract.clone(), line.service.clone()));
        let open = self.makings.values().filter(|making| making.is_open());
        let made = open.filter_map(|making| match &making.thing {
            Thing::OnContract(line) => Some((making.thing.clone(), shown(line)?.contract_service.clone())),
            Thing::Service(_) => None,
        });
        for (thing, id) in made.collect::<Vec<_>>() {
            self.settle(drafting, &thing, id.as_str()).await?;
        }
        Ok(())
    }

    async fn settle(&mut self, drafting: &Drafting<'_>, thing: &Thing, id: &str) -> Result<(), SyncError> {
        let Drafting { parts, connection, .. } = drafting;
        let Some(open) = self.makings.get_mut(thing).filter(|making| making.is_open()) else { return Ok(()) };
        let outcome = (IntentState::Applied, None, Some(id));
        parts.ledger.settle_making(&Tenancy::of(connection), open, outcome, parts.clock.now()).await?;
        open.state = IntentState::Applied;
        Ok(())
    }
}

impl Drafting<'_> {
    /// Whether the run may write at all.
    pub(super) fn writes(&self) -> bool {
        self.run.mode == Mode::Apply && !self.connection.policy.shadow
    }
}
