//! What a simulator is started with.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;

use super::customers::Customers;
use super::settings::{Limits, Switches};
use super::tenant::{Held, Tenant};
use super::{Simulator, Vendor, exchange};
use crate::clock::Clock;
use crate::server::Server;

/// A simulator that was not started yet.
#[derive(Debug)]
pub struct Setup<V: Vendor> {
    api: V,
    held: Held<V>,
    clock: Clock,
    listen: SocketAddr,
}

impl<V: Vendor> Setup<V> {
    pub(crate) fn of(customers: impl IntoIterator<Item = V::Customer>) -> Self {
        let customers = Customers::of(customers);
        Self {
            api: V::default(),
            held: Held { customers, switches: Switches::default(), limits: V::LIMITS },
            clock: Clock::system(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        }
    }

    /// Opens with other credentials than the sample ones.
    #[must_use]
    pub fn api(mut self, api: V) -> Self {
        self.api = api;
        self
    }

    /// Tells the time by another clock than the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Starts with other limits than the vendor's own.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.held.limits = limits;
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
    pub async fn start(self) -> io::Result<Simulator<V>> {
        let tenant = Arc::new(Tenant::new(self.api, self.held, self.clock));
        let router = Router::new().fallback(exchange::serve::<V>).with_state(Arc::clone(&tenant));
        let server = Server::start(self.listen, router).await?;
        Ok(Simulator { server, tenant })
    }
}
