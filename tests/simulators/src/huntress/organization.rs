//! An organization and what is counted of it, with the names that the API has for it.
//!
//! Owns what a list shows and what only the answer about a single organization does. The amounts of logs by billing cycle are
//! left out.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ACCOUNT;
use crate::vendor::{Customer, Lot};

/// One customer of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// When it was made; the clock's time where it is added while the simulator runs.
    #[serde(default)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(default)]
    pub updated_at: Timestamp,
    /// What it has.
    #[serde(default)]
    pub counts: Counts,
}

/// What an organization has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Counts {
    /// All agents.
    pub agents: u32,
    /// Those of them that are billed.
    pub billable_agents: u32,
    /// Identity tenants that are watched for threats.
    pub itdr: Vec<IdentityTenant>,
    /// Identity tenants that are watched for their posture.
    pub ispm: Vec<IdentityTenant>,
    /// People in awareness training.
    pub learners: u32,
    /// Log sources that are billed.
    pub log_sources: u32,
}

/// A directory of identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityTenant {
    /// Whose it is.
    pub provider: Provider,
    /// Identities that are billed.
    pub billable: u32,
    /// All identities.
    pub total: u32,
}

/// Who keeps a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "companies")]
pub enum Provider {
    Microsoft,
    Google,
}

impl Customer for Organization {
    type Id = i64;
    type Counts = Counts;

    fn id(&self) -> i64 {
        self.id
    }

    fn count(&mut self, counts: Counts, now: Timestamp) {
        self.counts = counts;
        self.updated_at = now;
    }

    fn added(&mut self, now: Timestamp) {
        (self.created_at, self.updated_at) = (now, now);
    }
}

impl Organization {
    /// One that has nothing.
    #[must_use]
    pub fn new(id: i64, name: impl Into<String>) -> Self {
        let long_ago = Timestamp::UNIX_EPOCH;
        Self { id, name: name.into(), created_at: long_ago, updated_at: long_ago, counts: Counts::default() }
    }

    /// One that has so much.
    #[must_use]
    pub fn with(mut self, counts: Counts) -> Self {
        self.counts = counts;
        self
    }

    /// Ids rise with the instants at which organizations were made.
    pub(super) fn made_up(lot: &Lot) -> Self {
        let age = SignedDuration::from_hours(24 * 900) - SignedDuration::from_mins(lot.number);
        let created_at = lot.now.checked_sub(age).unwrap_or(lot.now);
        let made = Self::new(3_001 + 2 * lot.number, lot.name.clone()).with(Counts::made_up(lot));
        Self { created_at, updated_at: lot.now, ..made }
    }

    /// The word that stands for it in addresses.
    pub(super) fn key(&self) -> String {
        format!("organization-{}", self.id)
    }

    /// As lists show it.
    pub(super) fn listed(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "key": self.key(),
            "account_id": ACCOUNT,
            "agents_count": self.counts.agents,
            "billable_identity_count": self.counts.itdr.iter().map(|tenant| tenant.billable).sum::<u32>(),
            "sat_learner_count": self.counts.learners,
            "logs_sources_count": self.counts.log_sources,
            "incident_reports_count": 0,
            "identity_provider_tenant_id": self.counts.itdr.first().map(|_| self.tenant_id(0)),
            "report_recipients": [],
            "created_at": self.created_at.to_string(),
            "updated_at": self.updated_at.to_string(),
        })
    }

    /// As the answer about it alone shows it.
    pub(super) fn detailed(&self) -> Value {
        let mut shown = self.listed();
        if let Some(members) = shown.as_object_mut() {
            members.insert("actual_usages".to_owned(), self.actual_usages());
        }
        shown
    }

    fn actual_usages(&self) -> Value {
        json!({
            "edr": {
                "billable_agents_count": self.counts.billable_agents,
                "unresponsive_agents_count": 0,
                "outdated_agents_count": 0,
                "isolated_agents_count": 0,
            },
            "itdr": self.tenants(&self.counts.itdr),
            "ispm": self.tenants(&self.counts.ispm),
            "sat": { "learners_count": self.counts.learners },
            "siem": { "billable_log_sources_count": self.counts.log_sources, "retention": "90/7" },
        })
    }

    fn tenants(&self, tenants: &[IdentityTenant]) -> Vec<Value> {
        let shown = |(place, tenant): (usize, &IdentityTenant)| {
            json!({
                "type": tenant.provider,
                "identity_provider_tenant_id": self.tenant_id(place),
                "billable_identities_count": tenant.billable,
                "total_identities_count": tenant.total,
            })
        };
        tenants.iter().enumerate().map(shown).collect()
    }

    fn tenant_id(&self, place: usize) -> String {
        format!("00000000-0000-4000-{place:04}-{:012}", self.id)
    }
}

impl Counts {
    /// More agents than are billed for most, two directories for some, and nothing at all for a few.
    fn made_up(lot: &Lot) -> Self {
        if lot.number % 50 == 49 {
            return Self::default();
        }
        let billable_agents = 1 + lot.below(0, 80);
        let tenant = |provider, billable| IdentityTenant { provider, billable, total: billable + lot.below(1, 20) };
        let mut itdr = vec![tenant(Provider::Microsoft, 1 + lot.below(2, 80))];
        if lot.number % 7 == 3 {
            itdr.push(tenant(Provider::Google, 1 + lot.below(3, 20)));
        }
        Self {
            agents: billable_agents + lot.below(4, 4),
            billable_agents,
            ispm: itdr.clone(),
            itdr,
            learners: lot.below(5, 80),
            log_sources: lot.below(6, 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::huntress::Api;
    use crate::vendor::Seed;

    #[test]
    fn some_who_are_made_up_have_nothing_and_some_more_than_is_billed() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 20_000);
        let made = Seed { companies: 100, seed: 7, now }.build::<Api>();
        assert!(made.iter().any(|one| one.counts == Counts::default()));
        assert!(made.iter().any(|one| one.counts.agents > one.counts.billable_agents));
        assert!(made.iter().any(|one| one.counts.itdr.len() == 2));
        assert!(made.is_sorted_by(|one, next| one.created_at < next.created_at && one.id < next.id));
    }

    #[test]
    fn what_is_billed_of_agents_is_told_of_a_single_organization_alone() {
        let tenant = |provider, billable| IdentityTenant { provider, billable, total: 200 };
        let itdr = vec![tenant(Provider::Microsoft, 100), tenant(Provider::Google, 50)];
        let counts = Counts { agents: 45, billable_agents: 42, itdr, ..Counts::default() };
        let acme = Organization::new(7, "Acme").with(counts);
        let listed = acme.listed();
        assert_eq!((&listed["agents_count"], &listed["billable_identity_count"]), (&json!(45), &json!(150)));
        assert_eq!(listed.get("actual_usages"), None);
        let usages = &acme.detailed()["actual_usages"];
        assert_eq!(usages["edr"]["billable_agents_count"], 42);
        assert_eq!(usages["itdr"][1]["type"], "google");
        assert_eq!(usages["itdr"][1]["billable_identities_count"], 50);
        assert_eq!(usages["ispm"], json!([]));
    }
}
