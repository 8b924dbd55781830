//! Services that are made for the partner: one that the catalogue lacks, and one that a contract lacks.
//!
//! The planner finds services by their names and says of each line that lacks one what would be made (`catalogue`, `lacking`);
//! a person approves the line; the account's job makes it (`making`), each thing once, as the ledger has it. What the PSA shows
//! of a thing against what is on record decides whether it may be made (`standing`). Units are none of this: what was put on a
//! contract is an ordinary line from the next run on.

mod begun;
mod catalogue;
mod lacking;
mod making;
mod piece;
mod standing;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::job::JobLine;
use super::row;
use crate::domain::ids::{ContractServiceId, ServiceId};
use crate::domain::line::{LineKey, LineResult};
use crate::domain::plan::Decision;
use crate::domain::provision::Provision;
use crate::domain::reason::Reason;
use crate::domain::units::Units;
use crate::psa::{CatalogQuery, Connector, PsaError};
use crate::store::mappings::ProductMapping;
use crate::store::runs::Run;
pub(super) use begun::begun;
pub(super) use catalogue::Catalogue;

/// Requests that making what one line lacks takes at most, those of a job's lines aside: what it needs is found, each of two
/// things looked for, made and looked for again, and its units read.
const REQUESTS_A_LINE: u32 = 16;

/// What a job is to make for a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ToMake {
    /// How its service is made, where the catalogue lacks it.
    pub provision: Option<Provision>,
    /// What would be made, in words.
    pub told: String,
    /// Whether a person has approved just that. Where nobody has, only what was sent before is settled.
    pub approved: bool,
}

/// Services that mappings name by now, by what stood for them when their lines were approved.
pub(super) type NamedSince = BTreeMap<ServiceId, ServiceId>;

/// The products of a run: one whose lines were approved while its service was not made is known by the same name as then,
/// whatever was found or made since. What its mapping names by now is handed on: it may be another service altogether.
pub(super) fn as_approved(products: &mut [ProductMapping], run: &Run) -> NamedSince {
    let mut named_since = NamedSince::new();
    for mapping in products.iter_mut().filter(|mapping| mapping.provision.is_some()) {
        let unmade = ServiceId::unmade(&mapping.product).filter(|unmade| names(run, unmade));
        if let Some(unmade) = unmade
            && let Some(named) = mapping.service_id.take()
        {
            named_since.insert(unmade, named);
        }
    }
    named_since
}

/// Whether a line of `service` is among those that the run was approved for.
fn names(run: &Run, service: &ServiceId) -> bool {
    let of_it = |line: &str| line.split_once(':').is_some_and(|(_, named)| named == service.as_str());
    run.approved.iter().any(|approved| of_it(&approved.line_id))
}

/// The row of a line for which nothing was made now.
fn not_made(line: &JobLine, reason: Reason) -> LineResult {
    let decision = Decision::stop_for(reason, Some(Units::ZERO));
    row::decided(&line.key, &line.label, &line.desired, decision)
}

/// Requests that making what `lines` lack takes at most, besides those of any job.
pub(super) fn requests<'a>(lines: impl IntoIterator<Item = &'a JobLine>) -> u32 {
    let lines = lines.into_iter().filter(|line| line.making.is_some()).count();
    u32::try_from(lines).unwrap_or(u32::MAX).saturating_mul(REQUESTS_A_LINE)
}

/// The lines of a contract with this service, by the PSA's own ids.
async fn on_contract(psa: &dyn Connector, line: &LineKey) -> Result<Vec<ContractServiceId>, PsaError> {
    let mut query = CatalogQuery { contract: Some(line.contract.clone()), limit: 500, ..CatalogQuery::default() };
    let mut found = Vec::new();
    loop {
        let page = psa.lines(&query).await?;
        let of_it = page.items.into_iter().filter(|on| on.contract == line.contract && on.service == line.service);
        found.extend(of_it.map(|on| on.contract_service));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(found),
        }
    }
}
