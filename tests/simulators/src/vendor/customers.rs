//! The customers of a provider, and what becomes of them.

use std::collections::BTreeMap;
use std::fmt::Display;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Shown;

/// A customer as a vendor has it, whatever the vendor calls it.
pub trait Customer: Shown + PartialEq {
    /// What it is found by.
    type Id: Shown + Ord + Display;
    /// What it has.
    type Counts: Shown + PartialEq;

    /// Its id.
    fn id(&self) -> Self::Id;

    /// Has so much from `now` on.
    fn count(&mut self, counts: Self::Counts, now: Timestamp);

    /// Comes in while the simulator runs. Vendors that show no dates have nothing to note.
    fn added(&mut self, _now: Timestamp) {}
}

/// All of them, by rising id.
#[derive(Clone, Debug)]
pub struct Customers<C: Customer>(BTreeMap<C::Id, C>);

/// What people do to customers in a vendor's web pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", bound = "")]
pub enum Change<C: Customer> {
    /// Makes a customer, in place of the one with its id if there is one.
    Add(C),
    /// Deletes the customer with this id.
    Delete(C::Id),
    /// A customer has so much from now on.
    Count {
        /// Its id.
        id: C::Id,
        /// What it has.
        counts: C::Counts,
    },
}

/// A change of a customer that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no customer {0}")]
pub struct NoSuchCustomer(String);

impl<C: Customer> Customers<C> {
    /// Of two with one id the later one stays.
    #[must_use]
    pub fn of(customers: impl IntoIterator<Item = C>) -> Self {
        Self(customers.into_iter().map(|customer| (customer.id(), customer)).collect())
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &C> {
        self.0.values()
    }

    /// The one with this id.
    #[must_use]
    pub fn get(&self, id: &C::Id) -> Option<&C> {
        self.0.get(id)
    }

    pub(crate) fn apply(&mut self, change: Change<C>, now: Timestamp) -> Result<(), NoSuchCustomer> {
        match change {
            Change::Add(mut customer) => {
                customer.added(now);
                self.0.insert(customer.id(), customer);
                Ok(())
            }
            Change::Delete(id) => self.0.remove(&id).map(|_| ()).ok_or_else(|| NoSuchCustomer(id.to_string())),
            Change::Count { id, counts } => {
                let customer = self.0.get_mut(&id).ok_or_else(|| NoSuchCustomer(id.to_string()))?;
                customer.count(counts, now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::huntress::{Counts, Organization};

    #[test]
    fn a_change_of_a_customer_that_is_not_there_is_refused() {
        let mut customers = Customers::of([Organization::new(7, "Acme")]);
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(customers.apply(Change::Delete(8), now), Err(NoSuchCustomer("8".to_owned())));
        let counts = Counts { agents: 3, ..Counts::default() };
        assert!(customers.apply(Change::Count { id: 8, counts: counts.clone() }, now).is_err());
        customers.apply(Change::Count { id: 7, counts }, now).unwrap();
        assert_eq!(customers.get(&7).unwrap().counts.agents, 3);
        customers.apply(Change::Delete(7), now).unwrap();
        assert_eq!(customers.iter().count(), 0);
    }
}
