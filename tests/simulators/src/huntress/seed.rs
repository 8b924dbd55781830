//! Made-up organizations in any number, the same for the same seed.
//!
//! Owns the counts of the demo and of load tests. The names are those that the seeds of the PSAs give to their customers of the
//! same number, so that one is found by the other.

use jiff::{SignedDuration, Timestamp};

use super::account::Account;
use super::organization::{Counts, IdentityTenant, Organization, Provider};
use crate::chance::Chance;
use crate::names::company_name;

/// More than two of the largest pages hold, and more than a hundred of those that nobody chose.
pub const MANY: usize = 1_230;

/// What to make up.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    /// How many organizations.
    pub companies: usize,
    /// Another seed gives other numbers.
    pub seed: u64,
    /// The instant that counts as now: all of them were made before it.
    pub now: Timestamp,
}

impl Seed {
    /// Makes the account.
    #[must_use]
    pub fn build(&self) -> Account {
        let organizations = (0..self.companies).zip(0_i64..).map(|(index, number)| {
            let age = SignedDuration::from_hours(24 * 900) - SignedDuration::from_mins(number);
            let made = self.now.checked_sub(age).unwrap_or(self.now);
            let organization = Organization::new(3_001 + 2 * number, company_name(index));
            let counts = counts(number, &Chance::new(self.seed, number));
            Organization { created_at: made, updated_at: self.now, ..organization }.with(counts)
        });
        Account::of("Nordwind IT", organizations)
    }
}

/// More agents than are billed for most, two directories for some, and nothing at all for a few.
fn counts(number: i64, chance: &Chance) -> Counts {
    if number % 50 == 49 {
        return Counts::default();
    }
    let drawn = |place, limit| u32::try_from(chance.below(place, limit)).unwrap_or_default();
    let billable_agents = 1 + drawn(0, 80);
    let tenant = |provider, billable| IdentityTenant { provider, billable, total: billable + drawn(1, 20) };
    let mut itdr = vec![tenant(Provider::Microsoft, 1 + drawn(2, 80))];
    if number % 7 == 3 {
        itdr.push(tenant(Provider::Google, 1 + drawn(3, 20)));
    }
    Counts {
        agents: billable_agents + drawn(4, 4),
        billable_agents,
        ispm: itdr.clone(),
        itdr,
        learners: drawn(5, 80),
        log_sources: drawn(6, 10),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn made(seed: u64) -> Vec<Organization> {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 20_000);
        Seed { companies: MANY, seed, now }.build().organizations().cloned().collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_account_and_another_seed_other_counts() {
        assert_eq!(made(7), made(7));
        assert_ne!(made(7), made(8));
    }

    #[test]
    fn every_organization_has_a_name_of_its_own_and_some_have_nothing() {
        let made = made(7);
        assert_eq!(made.iter().map(|organization| organization.name.as_str()).collect::<BTreeSet<_>>().len(), MANY);
        assert!(made.iter().any(|organization| organization.counts == Counts::default()));
        assert!(made.iter().any(|organization| organization.counts.agents > organization.counts.billable_agents));
        assert!(made.iter().any(|organization| organization.counts.itdr.len() == 2));
    }

    #[test]
    fn ids_rise_with_the_instants_at_which_organizations_were_made() {
        assert!(made(7).is_sorted_by(|one, next| one.created_at < next.created_at && one.id < next.id));
    }
}
