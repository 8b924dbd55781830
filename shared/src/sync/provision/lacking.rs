//! Lines whose contract lacks the service: what would be made of it, held until a person has approved just that.
//!
//! What was approved is compared word by word with what would be made now: the rows of the run that was approved keep the
//! words. Where they differ (another price, another vendor), the line is held again.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::{At, Catalogue, Unmade};
use super::{ToMake, not_made, on_contract};
use crate::domain::ids::ServiceId;
use crate::domain::line::{LineHistory, LineKey, LineResult, LineStatus};
use crate::domain::money::Money;
use crate::domain::provision::Provision;
use crate::domain::reason::{Code, Reason};
use crate::domain::units::Units;
use crate::ledger::{Making, Thing};
use crate::psa::provision::Called;
use crate::psa::{BillingCode, BillingCodeKind, Connector, PsaError, Service};
use crate::sync::assess::Look;
use crate::sync::draft::Draft;
use crate::sync::drafting::Drafting;
use crate::sync::job::JobLine;
use crate::sync::{SyncError, reason_of, row};

/// Pages of results read at once.
const PAGES_AT_ONCE: i32 = 10;

/// Lines that a run looks for on their contracts before it says that they would be put there. Of the others the account's job
/// finds it.
const LOOKED_FOR: u32 = 20;

/// What is to become of a line that lacks its service.
enum Fate {
    /// As it was assessed.
    Stays,
    /// Nothing is made.
    Row(Reason),
    /// It would be made, by these words. `open`: an earlier try is not settled, which is for the account's job to do.
    Make { code: Code, told: String, open: bool },
}

impl Catalogue {
    /// Decides the lines of `draft` that lack their service.
    pub(in crate::sync) async fn decide(
        &self,
        drafting: &Drafting<'_>,
        draft: &mut Draft,
        histories: &BTreeMap<LineKey, LineHistory>,
    ) -> Result<(), SyncError> {
        let lacking = std::mem::take(&mut draft.lacking);
        if lacking.is_empty() {
            return Ok(());
        }
        let mut shelf = Shelf::of(drafting, &lacking).await;
        let approved = match lacking.iter().any(|line| line.approved.is_some()) {
            true => approved(drafting).await?,
            false => BTreeMap::new(),
        };
        for line in lacking {
            let (code, told, open) = match self.fate(&mut shelf, &line, histories.get(&line.key)).await {
                Fate::Stays => continue,
                Fate::Row(reason) => {
                    draft.put_row(row::told(not_made(&line, reason), &line.label));
                    continue;
                }
                Fate::Make { code, told, open } => (code, told, open),
            };
            let held = row::told(not_made(&line, Reason::new(code, told.clone())), &line.label);
            let agreed = approved.get(&held.line_id) == Some(&held.explanation);
            let row = match (open, agreed) {
                (true, _) => {
                    let explanation = "An earlier try to make what the line lacks is not settled yet.".to_owned();
                    row::told(not_made(&line, Reason::new(Code::WriteUnsettled, explanation)), &line.label)
                }
                (false, true) => {
                    let (code, fix) = (String::new(), String::new());
                    LineResult { status: LineStatus::Planned, code, fix, ..held }
                }
                (false, false) => held,
            };
            if !drafting.writes() || !(open || agreed) {
                draft.put_row(row);
                continue;
            }
            let provision = self.unmade.get(&line.key.service).map(|unmade| unmade.provision.clone());
            let making = Some(ToMake { provision, told, approved: agreed });
            draft.rows.retain(|known| known.line_id != row.line_id);
            draft.looks.push(Look { line: JobLine { making, ..line }, row });
        }
        Ok(())
    }

    async fn fate(&self, shelf: &mut Shelf<'_>, line: &JobLine, history: Option<&LineHistory>) -> Fate {
        match self.unmade.get(&line.key.service) {
            Some(unmade) => self.of_unmade(shelf, line, unmade).await,
            None if shelf.policy_on => self.of_known(shelf, line, history).await,
            None => Fate::Stays,
        }
    }

    /// Of a line whose service the catalogue lacks.
    async fn of_unmade(&self, shelf: &mut Shelf<'_>, line: &JobLine, unmade: &Unmade) -> Fate {
        let provision = &unmade.provision;
        let newest = self.makings.get(&Thing::Service(provision.name.clone()));
        let open = newest.is_some_and(Making::is_open);
        match &unmade.at {
            At::Unusable(why) => return Fate::Row(why.clone()),
            At::Others => return Fate::Row(found_meanwhile(&provision.name)),
            At::Elsewhere(service) => return Fate::Row(named_meanwhile(&provision.name, service)),
            At::Nothing if !shelf.policy_on => return Fate::Row(Called::None.told(&provision.name)),
            At::Nothing if newest.is_some_and(Making::is_made) => {
                let explanation =
                    format!("The service \"{}\" was made and is not in the catalogue any more.", provision.name);
                return Fate::Row(Reason::new(Code::ServiceGone, explanation));
            }
            At::Nothing if line.desired.units == Units::ZERO => {
                let Reason { code, explanation, fix } = Called::None.told(&provision.name);
                let explanation = format!("{explanation} It is not made for no units.");
                return Fate::Row(Reason { code, explanation, fix });
            }
            At::Nothing if !open => {
                if let Some(why) = shelf.lacks(&line.key.service, provision).await {
                    return Fate::Row(why);
                }
            }
            At::Nothing | At::Ours => {}
        }
        let told = format!(
            "Neither \"{}\" nor the catalogue has it: the {} would be made and put on the contract.",
            line.contract.name,
            provision.in_words()
        );
        Fate::Make { code: Code::ServiceToBeMade, told, open }
    }

    /// Of a line whose contract lacks a service that has an id.
    async fn of_known(&self, shelf: &mut Shelf<'_>, line: &JobLine, history: Option<&LineHistory>) -> Fate {
        let newest = self.makings.get(&Thing::OnContract(line.key.clone()));
        let contract = &line.contract.name;
        if newest.is_some_and(Making::is_made) {
            return Fate::Row(match on_contract(shelf.psa, &line.key).await {
                Ok(found) if found.is_empty() => gone(contract, &line.key.service),
                Ok(_) => without_units(contract, &line.key.service),
                Err(error) => reason_of(&error),
            });
        }
        let known = |history: &LineHistory| {
            history.confirmed.is_some() || history.forgotten.is_some() || history.open.is_some()
        };
        if history.is_some_and(known) {
            return Fate::Row(gone(contract, &line.key.service));
        }
        if line.desired.units == Units::ZERO {
            return Fate::Stays;
        }
        if let Some(why) = &shelf.closed {
            return Fate::Row(why.clone());
        }
        let open = newest.is_some_and(Making::is_open);
        // The account's job looks before it sends.
        if !open
            && line.approved.is_none()
            && let Some(why) = shelf.carried(line).await
        {
            return Fate::Row(why);
        }
        let Some(service) = shelf.services.get(&line.key.service) else {
            let explanation = format!("The catalogue has no service {} any more.", line.key.service);
            return Fate::Row(Reason::new(Code::ServiceGone, explanation));
        };
        if !service.active {
            return Fate::Row(Called::Inactive.told(&service.name));
        }
        let amount = |amount: Option<Money>| amount.map_or("not shown".to_owned(), |amount| amount.to_string());
        let told = format!(
            "\"{contract}\" does not carry service \"{}\" ({}): it would be put on the contract with the catalogue's unit \
             cost ({}) and unit price ({}).",
            service.name,
            service.id,
            amount(service.prices.cost),
            amount(service.prices.price)
        );
        Fate::Make { code: Code::ServiceToBeAdded, told, open }
    }
}

fn gone(contract: &str, service: &ServiceId) -> Reason {
    let explanation = format!("\"{contract}\" carried service {service} and does not any more.");
    Reason::new(Code::ServiceGone, explanation)
}

/// The PSA has the service on the contract, and no units of it.
pub(super) fn without_units(contract: &str, service: &ServiceId) -> Reason {
    let explanation = format!("Service {service} is on \"{contract}\", and the PSA shows no units of it for today.");
    Reason::new(Code::NoUnitsOnDate, explanation)
}

/// Somebody else has made the service since its lines were held.
pub(super) fn found_meanwhile(name: &str) -> Reason {
    let explanation = format!("The catalogue has a service \"{name}\" by now, which was not made here.");
    Reason::new(Code::JobTooOld, explanation)
}

/// The service was made here, and not with what its line was approved with: another line has named it with other words.
pub(super) fn made_otherwise(name: &str) -> Reason {
    let explanation =
        format!("The service \"{name}\" was made meanwhile, with something else than what this line says.");
    Reason::new(Code::JobTooOld, explanation)
}

/// The product is billed as another service since its lines were held.
fn named_meanwhile(name: &str, service: &ServiceId) -> Reason {
    let explanation = format!("The product's mapping names service {service} by now; \"{name}\" is not made.");
    Reason::new(Code::JobTooOld, explanation)
}

/// What is asked of the PSA about what lines lack, each once.
struct Shelf<'a> {
    psa: &'a dyn Connector,
    policy_on: bool,
    services: BTreeMap<ServiceId, Service>,
    /// Why nothing can be put on contracts.
    closed: Option<Reason>,
    lacks: BTreeMap<ServiceId, Option<Reason>>,
    /// Lines that may still be looked for on their contracts.
    left: u32,
}

impl<'a> Shelf<'a> {
    async fn of(drafting: &Drafting<'a>, lacking: &[JobLine]) -> Self {
        let policy_on = drafting.connection.policy.provision_services;
        let (psa, lacks) = (drafting.psa, BTreeMap::new());
        let mut shelf = Self { psa, policy_on, services: BTreeMap::new(), closed: None, lacks, left: LOOKED_FOR };
        let known = lacking.iter().filter(|line| !line.key.service.is_unmade() && line.desired.units > Units::ZERO);
        let ids: BTreeSet<ServiceId> = known.filter(|_| policy_on).map(|line| line.key.service.clone()).collect();
        if !ids.is_empty()
            && let Err(error) = shelf.read(&ids).await
        {
            shelf.closed = Some(reason_of(&error));
        }
        shelf
    }

    async fn read(&mut self, ids: &BTreeSet<ServiceId>) -> Result<(), PsaError> {
        let found = self.psa.services_by_id(ids).await?;
        if let Some(service) = found.first() {
            // A PSA where nothing can be made says so to this as well.
            self.psa.find_services(&service.name).await?;
        }
        self.services = found.into_iter().map(|service| (service.id.clone(), service)).collect();
        Ok(())
    }

    /// Why a line that shows no units is not put on its contract: the contract carries it already.
    async fn carried(&mut self, line: &JobLine) -> Option<Reason> {
        self.left = self.left.checked_sub(1)?;
        match on_contract(self.psa, &line.key).await {
            Ok(found) if found.is_empty() => None,
            Ok(_) => Some(without_units(&line.contract.name, &line.key.service)),
            Err(error) => Some(reason_of(&error)),
        }
    }

    /// Why `service` can't be made, asked once.
    async fn lacks(&mut self, service: &ServiceId, provision: &Provision) -> Option<Reason> {
        if let Some(known) = self.lacks.get(service) {
            return known.clone();
        }
        let why = needs(self.psa, provision).await.err().map(|error| reason_of(&error));
        self.lacks.insert(service.clone(), why.clone());
        why
    }
}

/// What the PSA has of what a service is made with: its billing code and its vendor.
pub(super) async fn needs(
    psa: &dyn Connector,
    provision: &Provision,
) -> Result<(BillingCode, Option<crate::psa::Vendor>), PsaError> {
    let codes = psa.billing_codes(BillingCodeKind::RecurringService).await?;
    let code = BillingCode::named(&codes, &provision.billing_code)?.clone();
    let vendor = match &provision.vendor {
        Some(vendor) => Some(psa.vendor(vendor).await?),
        None => None,
    };
    Ok((code, vendor))
}

/// What was approved, line by line: the words in which lines were held in the run that this one follows.
async fn approved(drafting: &Drafting<'_>) -> Result<BTreeMap<String, String>, SyncError> {
    let mut held = BTreeMap::new();
    let Some(run) = &drafting.run.approves else { return Ok(held) };
    let named: BTreeSet<&str> = drafting.run.approved.iter().map(|approved| approved.line_id.as_str()).collect();
    let mut after: Option<String> = None;
    loop {
        let pages = drafting.parts.runs.lines(&drafting.run.partner, run, after.as_deref(), PAGES_AT_ONCE).await?;
        for row in pages.items.into_iter().flat_map(|(_, page)| page.lines) {
            let waits = matches!(Code::named(&row.code), Some(Code::ServiceToBeMade | Code::ServiceToBeAdded));
            if waits && named.contains(row.line_id.as_str()) {
                held.insert(row.line_id, row.explanation);
            }
        }
        match pages.next {
            Some(next) => after = Some(next),
            None => return Ok(held),
        }
    }
}
