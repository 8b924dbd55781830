//! The simulated Huntress of the demo: the MSP's customers are its organizations.

use std::sync::Arc;

use clap::ValueEnum;
use serde_json::{Value, json};
use shared::clock::Clock;
use simulators::Huntress;
use simulators::huntress::{Counts, IdentityTenant, Organization, Provider, SAMPLE_KEY, SAMPLE_SECRET};
use simulators::vendor::Change;

use super::customers::{Customer, Role};
use crate::cli::Failure;

/// Whose API the usage is pulled from, where it is not pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// Huntress.
    Huntress,
}

/// Which of its metrics are the demo's products, in their order. All of them stand in its list of organizations; what is billed
/// of the agents, `billable_agents`, would cost one of sixty requests a minute for each.
pub(super) const METRICS: [&str; 3] = ["agents", "billable_identities", "sat_learners"];

/// A simulated vendor that is running.
pub(super) struct Vendor(Huntress);

impl Vendor {
    /// Starts it with these customers.
    pub(super) async fn start(
        source: Source,
        customers: impl Iterator<Item = &Customer>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let clock = Arc::clone(clock);
        let clock = simulators::Clock::from_fn(move || clock.now());
        match source {
            Source::Huntress => Ok(Self(Huntress::setup(customers.map(organization)).clock(clock).start().await?)),
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub(super) fn base(&self) -> String {
        self.0.base()
    }

    /// What opens it.
    pub(super) fn credentials(&self) -> Value {
        json!({ "key": SAMPLE_KEY, "secret": SAMPLE_SECRET })
    }

    /// What usage that is pulled from it calls a customer.
    pub(super) fn company(&self, customer: &Customer) -> String {
        format!("huntress:{}", customer.organization)
    }

    /// What somebody does in its web pages: the customer is deleted.
    pub(super) fn delete(&self, customer: &Customer) -> Result<(), Failure> {
        Ok(self.0.change(Change::Delete(customer.organization))?)
    }
}

/// Who is missing from its newest list.
pub(super) fn is_deleted(customer: &Customer) -> bool {
    customer.role == Role::Absent
}

fn organization(customer: &Customer) -> Organization {
    let [agents, identities, learners] = customer.counts;
    let tenant = IdentityTenant { provider: Provider::Microsoft, billable: identities, total: identities };
    let counts = Counts { agents, billable_agents: agents, itdr: vec![tenant], learners, ..Counts::default() };
    Organization::new(customer.organization, &customer.name).with(counts)
}
