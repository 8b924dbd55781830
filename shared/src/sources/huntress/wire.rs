//! Huntress's answers, as its OpenAPI has them; what is not read here is left out. Unknown kinds of a thing are tolerated.

use serde::Deserialize;

/// A page of `GET /v1/organizations`.
#[derive(Debug, Deserialize)]
pub(super) struct Organizations {
    pub(super) organizations: Vec<Organization>,
    #[serde(default)]
    pub(super) pagination: Pagination,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Pagination {
    #[serde(default)]
    pub(super) next_page_token: Option<String>,
}

/// `GET /v1/organizations/{id}`.
#[derive(Debug, Deserialize)]
pub(super) struct One {
    pub(super) organization: Organization,
}

/// An organization. The counts in a list are of everything; those that are billed are in `actual_usages`, which only the
/// answer about a single one has.
#[derive(Debug, Deserialize)]
pub(super) struct Organization {
    pub(super) id: u64,
    pub(super) name: String,
    #[serde(default)]
    pub(super) agents_count: Option<i64>,
    #[serde(default)]
    pub(super) billable_identity_count: Option<i64>,
    #[serde(default)]
    pub(super) sat_learner_count: Option<i64>,
    #[serde(default)]
    pub(super) logs_sources_count: Option<i64>,
    #[serde(default)]
    pub(super) actual_usages: Option<ActualUsages>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ActualUsages {
    #[serde(default)]
    pub(super) edr: Option<Edr>,
    #[serde(default)]
    pub(super) ispm: Option<Vec<Tenant>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Edr {
    #[serde(default)]
    pub(super) billable_agents_count: Option<i64>,
}

/// An identity tenant: one person in two of them counts twice.
#[derive(Debug, Deserialize)]
pub(super) struct Tenant {
    #[serde(default)]
    pub(super) billable_identities_count: Option<i64>,
}

/// `GET /v1/account`: the account that the key is of.
#[derive(Debug, Deserialize)]
pub(super) struct AccountOfKey {
    pub(super) account: Account,
}

#[derive(Debug, Deserialize)]
pub(super) struct Account {
    #[serde(default)]
    pub(super) neighborhood_watch: Option<NeighborhoodWatch>,
}

/// Seats for the partner's own use, by product.
#[derive(Debug, Deserialize)]
pub(super) struct NeighborhoodWatch {
    #[serde(default)]
    pub(super) edr: Option<i64>,
    #[serde(default)]
    pub(super) ispm: Option<i64>,
    #[serde(default)]
    pub(super) itdr: Option<i64>,
    #[serde(default)]
    pub(super) sat: Option<i64>,
    #[serde(default)]
    pub(super) siem: Option<i64>,
}
