//! What to look at before lines are left to a schedule: each mapped feed, looked over without writing anything.
//!
//! Here is what is asked and what is told. What is read for it stands in `read`, what is checked in `checks`. What concerns
//! the connection as a whole is left to the connections' own preflight.

mod checks;
mod read;

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::SyncError;
use super::lines::MappedFeed;
use crate::clock::Clock;
use crate::domain::ids::{AccountId, ContractId};
use crate::psa::PsaError;
use crate::psa::open::Opener;
use crate::store::connections::{Connection, Connections};
use crate::store::lines::Lines;
use crate::store::mappings::{CompanyMapping, Everything};
use crate::store::usage::UsageReader;
use checks::Subject;

/// A mapped feed, and what was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Preflight {
    /// The company.
    pub company: String,
    /// The product.
    pub product: String,
    /// `contract:service`: the line that the mappings name.
    pub line_id: String,
    /// The worst of its checks.
    pub status: Verdict,
    /// One item a check, always all of them.
    pub checks: Vec<Check>,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MappingCheck)]
pub struct Check {
    /// The check.
    #[schema(value_type = String)]
    pub check: &'static str,
    /// What it comes to.
    pub status: Verdict,
    /// Stable name of what is to be known; empty where all is well.
    pub code: String,
    /// What was found, in words.
    pub explanation: String,
    /// What to do about it; empty where nothing has to be done.
    pub fix: String,
}

/// What a check comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MappingVerdict)]
pub enum Verdict {
    /// All is well.
    Ok,
    /// Something is to be decided or repaired; the line is written all the same.
    Warning,
    /// The line can't be written as it is.
    Failed,
}

/// Looks mapped feeds over.
#[derive(Clone)]
pub struct Preflights {
    /// Says which other connections live.
    pub connections: Connections,
    /// What is known of lines.
    pub lines: Lines,
    /// What is counted.
    pub usage: UsageReader,
    /// Opens the PSA.
    pub opener: Opener,
}

impl Preflights {
    /// Looks over every feed of `companies`, some of those of `mappings`, in the order of the companies. It costs as many requests as planning a run of
    /// them. The inner error is the PSA's.
    ///
    /// # Errors
    /// The store or the secrets are unavailable.
    pub async fn of(
        &self,
        connection: &Connection,
        mappings: &Everything,
        companies: &[CompanyMapping],
        clock: &dyn Clock,
    ) -> Result<Result<Vec<Preflight>, PsaError>, SyncError> {
        let feeds = MappedFeed::all(&mappings.products, companies);
        if feeds.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        // Those of others may share a line, or lead to one.
        let all = MappedFeed::all(&mappings.products, &mappings.companies);
        let accounts: BTreeSet<&AccountId> = feeds.iter().map(|feed| &feed.company.account_id).collect();
        let contracts: BTreeSet<&ContractId> = feeds.iter().map(|feed| &feed.named.contract).collect();
        let concerned = |feed: &&MappedFeed| {
            accounts.contains(&feed.company.account_id) || contracts.contains(&feed.named.contract)
        };
        let concerned = all.iter().filter(concerned).cloned().collect();
        Ok(match self.look(connection, (concerned, all), clock).await? {
            Ok(seen) => {
                let subject = |feed| Subject { feed, connection: &connection.id, seen: &seen };
                Ok(feeds.iter().map(|feed| subject(feed).checked()).collect())
            }
            Err(error) => Err(error),
        })
    }
}
