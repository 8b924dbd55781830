//! A simulated Huntress that speaks the v1 API.
//!
//! [`Huntress`] is the handle: it starts the server, breaks it on purpose and tells what it was asked. What there is to read is
//! an [`Account`]; behaviour that nobody has confirmed in public is a switch in [`Switches`], a number in [`Limits`].
//! It offers what tells how much each organization has, and nothing that changes an organization. Facts come from Huntress's
//! own OpenAPI description; of its parameters the filters by name and key are left out.

mod account;
mod control;
mod exchange;
mod keys;
mod limits;
mod listing;
mod organization;
mod record;
mod refusal;
mod routes;
pub mod seed;
mod switches;
mod tenant;

#[cfg(test)]
mod http_test;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;

pub use account::{Account, Change, NoSuchOrganization};
pub use keys::{ApiKey, SAMPLE_KEY, SAMPLE_SECRET};
pub use limits::Limits;
pub use organization::{Counts, IdentityTenant, Organization, Provider};
pub use record::Asked;
pub use routes::Route;
pub use switches::Switches;
use tenant::{Planned, Tenant};

use crate::clock::Clock;
pub use crate::faults::{Answer, Fault};
use crate::server::Server;

/// Which request a fault strikes, by endpoint.
pub type When = crate::faults::When<Route>;

/// A running simulator. Dropping it closes the port and cuts every connection.
#[derive(Debug)]
pub struct Huntress {
    server: Server,
    tenant: Arc<Tenant>,
}

/// What a simulator is started with.
#[derive(Debug)]
pub struct Setup {
    account: Account,
    keys: Vec<ApiKey>,
    clock: Clock,
    switches: Switches,
    limits: Limits,
    listen: SocketAddr,
}

impl Setup {
    /// Adds a key. Without any, the simulator has [`ApiKey::sample`].
    #[must_use]
    pub fn key(mut self, key: ApiKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Tells the time by another clock than the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Starts with other switches than the default.
    #[must_use]
    pub fn switches(mut self, switches: Switches) -> Self {
        self.switches = switches;
        self
    }

    /// Starts with other limits than the default.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Listens on an address instead of a free loopback port.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Starts it on the current tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(self) -> io::Result<Huntress> {
        let keys = if self.keys.is_empty() { vec![ApiKey::sample()] } else { self.keys };
        let tenant = Arc::new(Tenant::new(self.account, keys, self.clock, self.switches, self.limits));
        let router = Router::new().fallback(exchange::serve).with_state(Arc::clone(&tenant));
        let server = Server::start(self.listen, router).await?;
        Ok(Huntress { server, tenant })
    }
}

impl Huntress {
    /// Starts an account on a free loopback port, with the sample key and the machine's clock.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(account: Account) -> io::Result<Self> {
        Self::setup(account).start().await
    }

    /// An account to be started with other settings.
    #[must_use]
    pub fn setup(account: Account) -> Setup {
        Setup {
            account,
            keys: Vec::new(),
            clock: Clock::system(),
            switches: Switches::default(),
            limits: Limits::default(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        }
    }

    /// Closes the port and cuts every connection, as dropping it does.
    pub fn stop(self) {
        drop(self);
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

    /// Every request since the start or the last [`Huntress::reset_counts`], refused ones included.
    #[must_use]
    pub fn requests(&self) -> Vec<Asked> {
        self.tenant.state().journal.all().to_vec()
    }

    /// How many requests an endpoint had.
    #[must_use]
    pub fn count(&self, route: Route) -> usize {
        self.tenant.state().journal.all().iter().filter(|asked| asked.route == Some(route)).count()
    }

    /// Forgets requests, and starts the counts of faults and pages at 1 again. Data, the minute's count, planned faults and
    /// planned changes stay.
    pub fn reset_counts(&self) {
        self.tenant.state().reset_counts();
    }

    // What it holds, and what becomes of that meanwhile.

    /// The organizations, oldest first.
    #[must_use]
    pub fn organizations(&self) -> Vec<Organization> {
        self.tenant.state().account.organizations().cloned().collect()
    }

    /// Changes the account now.
    ///
    /// # Errors
    /// There is no such organization.
    pub fn change(&self, change: Change) -> Result<(), NoSuchOrganization> {
        let now = self.tenant.clock.now();
        self.tenant.state().account.apply(change, now)
    }

    /// Changes the account when so many pages of organizations have been shown: amid a walk through them.
    pub fn change_after_page(&self, page: usize, change: Change) {
        self.tenant.state().to_come.push(Planned { after_page: page, change });
    }

    // What goes wrong.

    /// Plans a fault. Among several for one request, the one planned first strikes.
    pub fn plan_fault(&self, when: When, fault: Fault) {
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

    /// Uses up part of the minute's limit, as other programs with keys of the account do.
    pub fn use_requests(&self, requests: usize) {
        let now = self.tenant.clock.now();
        self.tenant.state().window.add(requests, now);
    }

    /// Turns switches while it runs.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.tenant.state().switches);
    }

    /// Sets the limits while it runs.
    pub fn set_limits(&self, limits: Limits) {
        self.tenant.state().limits = limits;
    }
}
