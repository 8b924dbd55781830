//! The handle of a running simulator.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::Vendor;
use super::customers::{Change, NoSuchCustomer};
use super::record::Asked;
use super::settings::{Limits, Switches};
use super::setup::Setup;
use super::tenant::Tenant;
use crate::faults::{Fault, When};
use crate::server::Server;

/// A running simulator. Dropping it closes the port and cuts every connection.
#[derive(Debug)]
pub struct Simulator<V: Vendor> {
    pub(crate) server: Server,
    pub(crate) tenant: Arc<Tenant<V>>,
}

impl<V: Vendor> Simulator<V> {
    /// Starts with these customers on a free loopback port, with the sample credentials, the vendor's limits and the machine's
    /// clock.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(customers: impl IntoIterator<Item = V::Customer>) -> io::Result<Self> {
        Self::setup(customers).start().await
    }

    /// Customers to be started with other settings.
    #[must_use]
    pub fn setup(customers: impl IntoIterator<Item = V::Customer>) -> Setup<V> {
        Setup::of(customers)
    }

    // Where it is.

    /// `http://127.0.0.1:PORT`, the base of every call.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    // What it was asked.

    /// Every request since the start or the last [`Simulator::reset_counts`], refused ones included.
    #[must_use]
    pub fn requests(&self) -> Vec<Asked<V::Route>> {
        self.tenant.state().journal.all().to_vec()
    }

    /// How many requests an endpoint had.
    #[must_use]
    pub fn count(&self, route: V::Route) -> usize {
        self.tenant.state().requests_to(route)
    }

    /// Forgets requests, and starts the counts of faults and pages at 1 again. Data, what is used of the limit, planned faults
    /// and planned changes stay.
    pub fn reset_counts(&self) {
        self.tenant.state().reset_counts();
    }

    // What it holds, and what becomes of that meanwhile.

    /// The customers, by rising id.
    #[must_use]
    pub fn customers(&self) -> Vec<V::Customer> {
        self.tenant.state().held.customers.iter().cloned().collect()
    }

    /// Changes a customer now.
    ///
    /// # Errors
    /// There is no such customer.
    pub fn change(&self, change: Change<V::Customer>) -> Result<(), NoSuchCustomer> {
        let now = self.tenant.clock.now();
        self.tenant.state().held.customers.apply(change, now)
    }

    /// Changes a customer when so many pages of customers have been shown: amid a walk through them.
    pub fn change_after_page(&self, page: usize, change: Change<V::Customer>) {
        self.tenant.state().change_after_page(page, change);
    }

    // What goes wrong.

    /// Plans a fault. Among several for one request, the one planned first strikes.
    pub fn plan_fault(&self, when: When<V::Route>, fault: Fault) {
        self.tenant.state().faults.plan(when, fault);
    }

    /// Forgets all planned faults.
    pub fn clear_faults(&self) {
        self.tenant.state().faults.clear();
    }

    /// Refuses new connections, as a host does where nothing listens, or takes them again. Open ones go on.
    pub async fn refuse_connections(&self, refused: bool) {
        self.server.refuse(refused).await;
    }

    /// Uses up part of the limit, as other programs with credentials of the same provider do.
    pub fn use_requests(&self, requests: usize) {
        let now = self.tenant.clock.now();
        self.tenant.state().window.add(requests, now);
    }

    /// Turns switches while it runs.
    pub fn switch(&self, turn: impl FnOnce(&mut Switches<V::Switches>)) {
        turn(&mut self.tenant.state().held.switches);
    }

    /// Sets limits while it runs.
    pub fn limit(&self, set: impl FnOnce(&mut Limits)) {
        set(&mut self.tenant.state().held.limits);
    }
}
