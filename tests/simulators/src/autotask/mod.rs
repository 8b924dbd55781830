//! A simulated Autotask PSA that speaks REST v1.0.
//!
//! [`Autotask`] is the handle: it starts the server, breaks it on purpose and tells what it was asked and holds. The tenant's
//! data is a [`World`]; behaviour that nobody has confirmed in public is a switch in [`Switches`].
//! It offers the entities that matter to recurring service contracts and answers 501 for writes it does not simulate.
//! Facts come from Datto's public help pages, the official Swagger, and what integrators reported from live tenants.

mod adjust;
mod bodies;
mod builder;
mod by_hand;
mod calls;
mod catalogue;
mod cell;
mod changes;
mod charges;
mod control;
mod entity;
mod errors;
mod exchange;
mod fields;
mod filter;
mod limits;
mod picklists;
mod query;
mod record;
mod routes;
mod rows;
mod schema;
pub mod seed;
mod specs;
mod staff;
mod switches;
mod tenant;
mod term;
mod ticket_lists;
mod ticket_notes;
mod tickets;
mod timeline;
mod units;
mod users;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use jiff::civil::Date;
use tenant::Tenant;

pub use builder::{SeedError, WorldBuilder};
pub use catalogue::ServiceView;
pub use charges::ChargeView;
pub use entity::Entity;
pub use limits::Limits;
pub use picklists::{CodeUse, Picklists};
pub use record::{Asked, Kind, RowWrite};
pub use specs::{CodeSpec, CompanySpec, ContractSpec, LineSpec, ServiceKey, ServiceSpec};
pub use switches::{
    DateForm, Effect, Excess, GetAfterPost, Naming, PostedPeriod, SplitEnd, SplitPrice, Switches, Verdict,
};
pub use tickets::TicketView;
pub use timeline::{Days, Period, periods};
pub use users::{ApiUser, Right, SAMPLE_INTEGRATION_CODE, SAMPLE_SECRET, SAMPLE_USERNAME};
pub use world::{LineView, Refused, World, Write};

use crate::clock::Clock;
pub use crate::faults::{Answer, Fault};
use crate::server::Server;

/// Which request a fault strikes, by entity.
pub type When = crate::faults::When<Entity>;

/// A running simulator. Dropping it closes the port and cuts every connection.
#[derive(Debug)]
pub struct Autotask {
    server: Server,
    tenant: Arc<Tenant>,
}

/// What a simulator is started with.
#[derive(Debug)]
pub struct Setup {
    world: World,
    users: Vec<ApiUser>,
    clock: Clock,
    switches: Switches,
    limits: Limits,
    listen: SocketAddr,
}

impl Setup {
    /// Adds an API user. Without any, the simulator has [`ApiUser::full`].
    #[must_use]
    pub fn user(mut self, user: ApiUser) -> Self {
        self.users.push(user);
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

    /// Starts with other limits than Autotask's.
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
    pub async fn start(self) -> io::Result<Autotask> {
        let users = if self.users.is_empty() { vec![ApiUser::full()] } else { self.users };
        let tenant = Arc::new(Tenant::new(self.world, users, self.clock, self.switches, self.limits));
        let router = Router::new().fallback(exchange::serve).with_state(Arc::clone(&tenant));
        let server = Server::start(self.listen, router).await?;
        Ok(Autotask { server, tenant })
    }
}

impl Autotask {
    /// Starts a tenant on a free loopback port, with one full user and the machine's clock.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(world: World) -> io::Result<Self> {
        Self::setup(world).start().await
    }

    /// A tenant to be started with other settings.
    #[must_use]
    pub fn setup(world: World) -> Setup {
        Setup {
            world,
            users: Vec::new(),
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

    // Where it is and who may use it.

    /// `http://127.0.0.1:PORT`, the base for zone discovery.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// `…/ATServicesRest/v1.0`, the base of every other call.
    #[must_use]
    pub fn api(&self) -> String {
        format!("{}/ATServicesRest/v1.0", self.base())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The API users, the first being the one given first.
    #[must_use]
    pub fn users(&self) -> &[ApiUser] {
        &self.tenant.users
    }

    // What it was asked.

    /// Every request since the start or the last [`Autotask::reset_counts`], refused ones included.
    #[must_use]
    pub fn requests(&self) -> Vec<Asked> {
        self.tenant.state().journal.all().to_vec()
    }

    /// How many requests there were in all, without those to the control surface.
    #[must_use]
    pub fn request_count(&self) -> usize {
        self.tenant.state().journal.all().len()
    }

    /// How many requests of a sort an entity had.
    #[must_use]
    pub fn count(&self, entity: Entity, kind: Kind) -> usize {
        let state = self.tenant.state();
        state.journal.all().iter().filter(|asked| asked.entity == Some(entity) && asked.kind == kind).count()
    }

    /// The most requests of an entity that were in progress at once.
    #[must_use]
    pub fn max_in_flight(&self, entity: Entity) -> usize {
        self.tenant.gauge.highest(entity)
    }

    /// Requests in progress now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.tenant.gauge.in_flight()
    }

    /// Adjustments that took effect over the API, in order, whether or not the client learnt of it.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        self.tenant.state().world.writes.clone()
    }

    /// Writes that matched no line, so that a new billed one was silently made. A correct client makes none.
    #[must_use]
    pub fn auto_created(&self) -> Vec<Write> {
        self.tenant.state().world.writes.iter().filter(|write| write.created_line).cloned().collect()
    }

    /// Rows added, changed and removed over the API, in order, whether or not the client learnt of it: charges, services,
    /// lines and contracts. Adjustments are [`Autotask::writes`].
    #[must_use]
    pub fn row_writes(&self) -> Vec<RowWrite> {
        self.tenant.state().world.row_writes.clone()
    }

    /// Forgets requests, writes and edits, and starts fault counts at 1 again. Data and planned faults stay.
    pub fn reset_counts(&self) {
        self.tenant.state().reset_counts();
        self.tenant.gauge.reset_highest();
    }

    // What it holds.

    /// Units of a service on a contract on a day, summed over repeated lines. None when no line covers the day.
    #[must_use]
    pub fn units(&self, contract_id: i64, service_id: i64, day: Date) -> Option<i64> {
        self.tenant.state().world.units(contract_id, service_id, day)
    }

    /// Every line with its names and the units in force on a day.
    #[must_use]
    pub fn lines(&self, day: Date) -> Vec<LineView> {
        self.tenant.state().world.lines(day)
    }

    /// Every charge, in order of id.
    #[must_use]
    pub fn charges(&self) -> Vec<ChargeView> {
        self.tenant.state().world.charge_views()
    }

    /// Every ticket with its notes, in order of id.
    #[must_use]
    pub fn tickets(&self) -> Vec<TicketView> {
        self.tenant.state().world.ticket_views()
    }

    /// A technician completes every ticket.
    pub fn complete_tickets(&self) {
        self.tenant.state().world.complete_tickets();
    }

    /// Every service of the catalogue, in order of id.
    #[must_use]
    pub fn services(&self) -> Vec<ServiceView> {
        self.tenant.state().world.service_views()
    }

    /// A copy of all data, as it is now.
    #[must_use]
    pub fn world(&self) -> World {
        self.tenant.state().world.clone()
    }

    // What a person does in the web pages meanwhile.

    /// Sets a service's units from a day on.
    ///
    /// # Errors
    /// When the contract has no such line or no period on that day, or a later change would fall below zero.
    pub fn edit_units(&self, contract_id: i64, service_id: i64, day: Date, units: i64) -> Result<Write, Refused> {
        let at = self.tenant.clock.now();
        let mut state = self.tenant.state();
        let switches = state.switches.clone();
        state.world.edit_units(contract_id, service_id, day, units, at, &switches)
    }

    /// Moves a contract's end: earlier drops the periods after it, later adds some with the last units.
    ///
    /// # Errors
    /// When there is no such contract, the day is before its start, or a dropped or shortened period has been posted.
    pub fn end_contract(&self, contract_id: i64, end: Date) -> Result<(), Refused> {
        let mut state = self.tenant.state();
        let switches = state.switches.clone();
        state.world.move_end(contract_id, end, &switches).map_err(|refusal| Refused(refusal.to_string()))
    }

    /// Sets the unit price of a contract's service in every period, as a person does in the web pages.
    ///
    /// # Errors
    /// When there is no such line, or the price is no decimal.
    pub fn edit_price(&self, contract_id: i64, service_id: i64, price: &str) -> Result<(), Refused> {
        let price = price.parse().map_err(|_| Refused(format!("{price} is no price")))?;
        let mut state = self.tenant.state();
        let switches = state.switches.clone();
        state.world.edit_price(contract_id, service_id, price, &switches)
    }

    /// Takes a service off a contract, as a person does in the web pages.
    ///
    /// # Errors
    /// When the contract does not carry it.
    pub fn remove_line(&self, contract_id: i64, service_id: i64) -> Result<(), Refused> {
        self.tenant.state().world.remove_line(contract_id, service_id)
    }

    /// Puts a service on a contract of which no period is shown.
    ///
    /// # Errors
    /// When there is no such contract or service.
    pub fn put_without_units(&self, contract_id: i64, service_id: i64) -> Result<(), Refused> {
        self.tenant.state().world.put_without_units(contract_id, service_id)
    }

    /// Makes a service active or inactive, or takes it out of the catalogue for good where `active` is none.
    ///
    /// # Errors
    /// When there is no such service.
    pub fn set_service(&self, id: i64, active: Option<bool>) -> Result<(), Refused> {
        self.tenant.state().world.set_service(id, active)
    }

    /// Adds a service to the catalogue by hand, with the usual billing code and no cost. Answers its id.
    pub fn add_service(&self, name: &str) -> i64 {
        self.tenant.state().world.add_service_by_hand(name)
    }

    /// Bills every charge of a contract that is dated on or before a day. Answers how many were not billed before.
    pub fn bill_charges(&self, contract_id: i64, through: Date) -> usize {
        self.tenant.state().world.bill_charges(contract_id, through)
    }

    /// Sets a charge's unit price, as a person does in the web pages.
    ///
    /// # Errors
    /// When there is no such charge, it is billed, or the price is no decimal.
    pub fn edit_charge(&self, id: i64, unit_price: &str) -> Result<(), Refused> {
        let price = unit_price.parse().map_err(|_| Refused(format!("{unit_price} is no price")))?;
        self.tenant.state().world.edit_charge(id, price)
    }

    /// A charge whose request came in long ago takes effect now, on a contract, under a name and with a reference.
    ///
    /// # Errors
    /// When cost or price is no decimal.
    pub fn late_charge(
        &self,
        contract_id: i64,
        (name, reference): (&str, &str),
        date: Date,
        (cost, price): (&str, &str),
    ) -> Result<(), Refused> {
        let amount = |text: &str| text.parse().map_err(|_| Refused(format!("{text} is no amount")));
        let amounts = [amount(cost)?, amount(price)?];
        self.tenant.state().world.late_charge(contract_id, name, reference, date, amounts);
        Ok(())
    }

    /// Removes a charge, as a person does in the web pages.
    ///
    /// # Errors
    /// When there is no such charge, or it is billed.
    pub fn remove_charge(&self, id: i64) -> Result<(), Refused> {
        self.tenant.state().world.remove_charge(id)
    }

    /// Approves and posts every row of a contract that ends on or before a day. Answers how many.
    pub fn post_through(&self, contract_id: i64, day: Date) -> usize {
        self.tenant.state().world.post(contract_id, day, |row| row.days.end <= day)
    }

    /// Approves and posts the rows of a contract in force on a day. Answers how many.
    pub fn post_period(&self, contract_id: i64, day: Date) -> usize {
        self.tenant.state().world.post(contract_id, day, |row| row.days.contains(day))
    }

    /// Sets a contract's status: 1 active, 0 inactive.
    ///
    /// # Errors
    /// When there is no such contract.
    pub fn set_contract_status(&self, contract_id: i64, status: i64) -> Result<(), Refused> {
        let mut state = self.tenant.state();
        let contract = state
            .world
            .contracts
            .get_mut(&contract_id)
            .ok_or_else(|| Refused(format!("there is no contract {contract_id}")))?;
        contract.status = status;
        Ok(())
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

    /// Shows no ticket to the API, as a search does whose index lags, or shows them again.
    pub fn hide_tickets(&self, hidden: bool) {
        self.tenant.state().world.tickets_hidden = hidden;
    }

    /// Makes every request take this much longer, in real time.
    pub fn set_delay(&self, delay: Duration) {
        self.tenant.state().delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    }

    /// Uses up part of the hourly threshold, as other integrations of the tenant do.
    pub fn use_threshold(&self, requests: usize) {
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
