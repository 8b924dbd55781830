//! The account: the organizations of one managed service provider, and what becomes of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::organization::{Counts, Organization};

/// What the holder of a key reads.
#[derive(Clone, Debug)]
pub struct Account {
    pub(crate) id: i64,
    name: String,
    organizations: BTreeMap<i64, Organization>,
}

/// What people do to the account in the web pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Makes an organization, in place of the one with its id if there is one.
    Add(Organization),
    /// Deletes the organization with this id.
    Delete(i64),
    /// An organization has so much from now on.
    Count {
        /// Its id.
        id: i64,
        /// What it has.
        counts: Counts,
    },
}

/// A change of an organization that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no organization {0}")]
pub struct NoSuchOrganization(pub i64);

impl Account {
    /// Of these organizations. Of two with one id the later one stays.
    #[must_use]
    pub fn of(name: impl Into<String>, organizations: impl IntoIterator<Item = Organization>) -> Self {
        let organizations = organizations.into_iter().map(|organization| (organization.id, organization)).collect();
        Self { id: 5, name: name.into(), organizations }
    }

    /// The organizations, by rising id.
    pub fn organizations(&self) -> impl Iterator<Item = &Organization> {
        self.organizations.values()
    }

    pub(crate) fn organization(&self, id: i64) -> Option<&Organization> {
        self.organizations.get(&id)
    }

    pub(crate) fn apply(&mut self, change: Change, now: Timestamp) -> Result<(), NoSuchOrganization> {
        match change {
            Change::Add(organization) => {
                let organization = Organization { created_at: now, updated_at: now, ..organization };
                self.organizations.insert(organization.id, organization);
            }
            Change::Delete(id) => {
                self.organizations.remove(&id).ok_or(NoSuchOrganization(id))?;
            }
            Change::Count { id, counts } => {
                let organization = self.organizations.get_mut(&id).ok_or(NoSuchOrganization(id))?;
                organization.counts = counts;
                organization.updated_at = now;
            }
        }
        Ok(())
    }

    /// As the API shows it.
    pub(crate) fn shown(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "subdomain": "simulated", "status": "enabled" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_an_organization_that_is_not_there_is_refused() {
        let mut account = Account::of("Nordwind IT", [Organization::new(7, "Acme")]);
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(account.apply(Change::Delete(8), now), Err(NoSuchOrganization(8)));
        let counts = Counts { agents: 3, ..Counts::default() };
        account.apply(Change::Count { id: 7, counts }, now).unwrap();
        assert_eq!(account.organization(7).unwrap().counts.agents, 3);
        account.apply(Change::Delete(7), now).unwrap();
        assert_eq!(account.organizations().count(), 0);
    }
}
