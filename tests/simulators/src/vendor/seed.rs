//! Made-up customers in any number, the same for the same seed.
//!
//! Owns their names, which are those that the seeds of the PSAs give to their customers of the same number, so that one is found
//! by the other. What each has is the vendor's.

use jiff::Timestamp;

use super::Vendor;
use crate::chance::Chance;
use crate::names::company_name;

/// More than two of the largest pages of any vendor hold, and more than a hundred of those that nobody chose.
pub const MANY: usize = 1_230;

/// What to make up.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    /// How many customers.
    pub companies: usize,
    /// Another seed gives other numbers.
    pub seed: u64,
    /// The instant that counts as now: all of them were made before it.
    pub now: Timestamp,
}

/// What a customer is made up from.
#[derive(Debug)]
pub struct Lot {
    /// 0 for the first.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// The instant that counts as now.
    pub now: Timestamp,
    chance: Chance,
}

impl Seed {
    /// Makes the customers of a vendor.
    #[must_use]
    pub fn build<V: Vendor>(&self) -> Vec<V::Customer> {
        let lots = (0..self.companies).zip(0_i64..).map(|(index, number)| Lot {
            number,
            name: company_name(index),
            now: self.now,
            chance: Chance::new(self.seed, number),
        });
        lots.map(|lot| V::made_up(&lot)).collect()
    }
}

impl Lot {
    /// A number from 0 to `limit` less one: for each place another one.
    #[must_use]
    pub fn below(&self, place: i64, limit: u32) -> u32 {
        u32::try_from(self.chance.below(place, u64::from(limit))).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::huntress;
    use crate::vendor::Customer as _;

    fn made(seed: u64) -> Vec<huntress::Organization> {
        Seed { companies: MANY, seed, now: Timestamp::UNIX_EPOCH }.build::<huntress::Api>()
    }

    #[test]
    fn the_same_seed_makes_the_same_customers_and_another_seed_other_counts() {
        assert_eq!(made(7), made(7));
        assert_ne!(made(7), made(8));
    }

    #[test]
    fn every_customer_has_an_id_and_a_name_of_its_own() {
        let made = made(7);
        assert_eq!(made.iter().map(|one| one.name.as_str()).collect::<BTreeSet<_>>().len(), MANY);
        assert_eq!(made.iter().map(huntress::Organization::id).collect::<BTreeSet<_>>().len(), MANY);
    }
}
