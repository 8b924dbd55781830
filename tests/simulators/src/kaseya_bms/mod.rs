//! A simulated Kaseya BMS (also sold as Vorex and Pulseway PSA) that speaks the V2 API.
//!
//! [`KaseyaBms`] is the handle: it starts the server, breaks it on purpose and tells what it was asked and holds. The tenant's
//! data is a [`World`]; behaviour that nobody has confirmed in public is a switch in [`Switches`], a number in [`Limits`].
//! It offers what matters to recurring services contracts and tickets. As in the real V2, nothing reads a line's units.
//! Facts come from the official OpenAPI document, Kaseya's help pages, and clients that work against the live service.

mod builder;
mod bulk;
mod calls;
mod catalog;
mod control;
mod envelope;
mod exchange;
mod faults;
mod form;
mod limits;
mod line_table;
mod lines;
mod logins;
mod members;
mod picklists;
mod record;
mod routes;
pub mod seed;
mod specs;
mod stamps;
mod switches;
mod tenant;
mod ticket_notes;
mod tickets;
pub mod totp;
mod users;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use jiff::civil::Date;
use tenant::Tenant;

pub use builder::{SeedError, WorldBuilder};
pub use faults::{failure_in_200, security_error};
pub use limits::Limits;
pub use logins::{LoginAttempt, Standing};
pub use record::Asked;
pub use routes::Route;
pub use specs::{AccountSpec, ContractKind, ContractSpec, LineSpec, ServiceSpec};
pub use switches::{
    Casing, LineSemantics, MissingPrice, OversizedPage, StatusSpelling, Switches, TextFilter, TicketText, TypeSpelling,
};
pub use ticket_notes::TicketNote;
pub use tickets::Ticket;
pub use users::{
    BmsUser, Right, SAMPLE_API_USERNAME, SAMPLE_COMPANY_NAME, SAMPLE_HOSTNAME, SAMPLE_PASSWORD, SAMPLE_TOTP_SECRET,
    SAMPLE_USERNAME,
};
pub use world::{Change, LineView, Refused, World, Write};

use crate::clock::Clock;
pub use crate::faults::{Answer, Fault};
use crate::server::Server;

/// Which request a fault strikes, by endpoint.
pub type When = crate::faults::When<Route>;

/// A running simulator. Dropping it closes the port and cuts every connection.
#[derive(Debug)]
pub struct KaseyaBms {
    server: Server,
    tenant: Arc<Tenant>,
}

/// What a simulator is started with.
#[derive(Debug)]
pub struct Setup {
    world: World,
    users: Vec<BmsUser>,
    clock: Clock,
    switches: Switches,
    limits: Limits,
    listen: SocketAddr,
}

impl Setup {
    /// Adds a user. Without any, the simulator has [`BmsUser::api_employee`] and [`BmsUser::employee`].
    #[must_use]
    pub fn user(mut self, user: BmsUser) -> Self {
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
    pub async fn start(self) -> io::Result<KaseyaBms> {
        let sample = || vec![BmsUser::api_employee(), BmsUser::employee()];
        let users = if self.users.is_empty() { sample() } else { self.users };
        let tenant = Arc::new(Tenant::new(self.world, users, self.clock, self.switches, self.limits));
        let router = Router::new().fallback(exchange::serve).with_state(Arc::clone(&tenant));
        let server = Server::start(self.listen, router).await?;
        Ok(KaseyaBms { server, tenant })
    }
}

impl KaseyaBms {
    /// Starts a tenant on a free loopback port, with the sample users and the machine's clock.
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

    /// The users, the first being the one given first.
    #[must_use]
    pub fn users(&self) -> Vec<BmsUser> {
        self.tenant.state().users.clone()
    }

    /// The tenant's name, which every log-in sends.
    #[must_use]
    pub fn company_name(&self) -> String {
        self.tenant.state().world.company_name.clone()
    }

    /// Changes a user's password. Tokens stay good.
    pub fn change_password(&self, username: &str, password: impl Into<String>) {
        let mut state = self.tenant.state();
        if let Some(user) = state.users.iter_mut().find(|user| user.username() == username) {
            user.set_password(password.into());
        }
    }

    /// Ends every access token now. Refresh tokens stay good.
    pub fn expire_tokens(&self) {
        self.tenant.state().logins.expire(self.tenant.clock.now());
    }

    // What it was asked.

    /// Every request since the start or the last [`KaseyaBms::reset_counts`], refused ones included.
    #[must_use]
    pub fn requests(&self) -> Vec<Asked> {
        self.tenant.state().journal.all().to_vec()
    }

    /// How many requests there were in all, without those to the control surface.
    #[must_use]
    pub fn request_count(&self) -> usize {
        self.tenant.state().journal.all().len()
    }

    /// How many requests an endpoint had.
    #[must_use]
    pub fn count(&self, route: Route) -> usize {
        self.tenant.state().journal.all().iter().filter(|asked| asked.route == Some(route)).count()
    }

    /// Requests in progress now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.tenant.in_flight.load(Ordering::SeqCst)
    }

    /// Changes of lines that took effect over the API, in order, whether or not the client learnt of it.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        self.tenant.state().world.writes.clone()
    }

    /// What people did by hand.
    #[must_use]
    pub fn edits(&self) -> Vec<Write> {
        self.tenant.state().world.edits.clone()
    }

    /// Every attempt to log in that named a tenant, whoever it was for.
    #[must_use]
    pub fn login_attempts(&self) -> Vec<LoginAttempt> {
        self.tenant.state().logins.attempts().to_vec()
    }

    /// How a user stands with the lock-out.
    #[must_use]
    pub fn standing(&self, username: &str) -> Standing {
        self.tenant.state().logins.standing(username)
    }

    /// The tickets, oldest first.
    #[must_use]
    pub fn tickets(&self) -> Vec<Ticket> {
        self.tenant.state().world.tickets.values().cloned().collect()
    }

    /// A technician completes every ticket.
    pub fn complete_tickets(&self) {
        let now = self.tenant.clock.now();
        self.tenant.state().world.complete_tickets(now);
    }

    /// The notes on all tickets, oldest first.
    #[must_use]
    pub fn notes(&self) -> Vec<TicketNote> {
        self.tenant.state().world.notes.values().cloned().collect()
    }

    /// Forgets requests, writes, edits and log-in attempts, and starts fault counts at 1 again. Data, tokens, locks, the
    /// hourly counts and planned faults stay.
    pub fn reset_counts(&self) {
        self.tenant.state().reset_counts();
    }

    // What it holds.

    /// Units of a service on a contract on a day, summed over its lines. None outside the contract's days, or when no line
    /// has begun.
    #[must_use]
    pub fn units(&self, contract_id: i64, service_id: i64, day: Date) -> Option<i64> {
        self.tenant.state().world.units(contract_id, service_id, day)
    }

    /// The ids of a service's lines on a contract, oldest first.
    #[must_use]
    pub fn line_ids(&self, contract_id: i64, service_id: i64) -> Vec<i64> {
        self.tenant.state().world.line_ids(contract_id, service_id)
    }

    /// Every line with its names and its own units in force on a day.
    #[must_use]
    pub fn lines(&self, day: Date) -> Vec<LineView> {
        self.tenant.state().world.lines(day)
    }

    /// A copy of all data, as it is now.
    #[must_use]
    pub fn world(&self) -> World {
        self.tenant.state().world.clone()
    }

    // What a person does in the web pages meanwhile.

    /// Sets a service's units from a day on; later changes of the line are gone. Of several lines the newest takes it.
    ///
    /// # Errors
    /// When no line of the service is in force on that day.
    pub fn edit_units(&self, contract_id: i64, service_id: i64, day: Date, units: i64) -> Result<Write, Refused> {
        let at = self.tenant.clock.now();
        self.tenant.state().world.edit_units(contract_id, service_id, day, units, at)
    }

    /// Adds a line from a day on.
    ///
    /// # Errors
    /// When there is no such contract or service, or the contract carries no services.
    pub fn add_line(&self, contract_id: i64, service_id: i64, from: Date, units: i64) -> Result<Write, Refused> {
        let at = self.tenant.clock.now();
        self.tenant.state().world.add_line(contract_id, service_id, from, units, at)
    }

    /// Deletes a line.
    ///
    /// # Errors
    /// When there is no such line.
    pub fn delete_line(&self, line_id: i64) -> Result<Write, Refused> {
        let at = self.tenant.clock.now();
        self.tenant.state().world.delete_line(line_id, at)
    }

    /// Moves a contract's end.
    ///
    /// # Errors
    /// When there is no such contract.
    pub fn end_contract(&self, contract_id: i64, end: Date) -> Result<(), Refused> {
        self.change_contract(contract_id, |contract| contract.end = end)
    }

    /// Activates or deactivates a contract.
    ///
    /// # Errors
    /// When there is no such contract.
    pub fn set_contract_active(&self, contract_id: i64, active: bool) -> Result<(), Refused> {
        self.change_contract(contract_id, |contract| contract.active = active)
    }

    /// Bills every line of a contract as it stands on a day. Answers how many items that made.
    pub fn invoice(&self, contract_id: i64, day: Date) -> usize {
        self.tenant.state().world.invoice(contract_id, day)
    }

    /// Gives a ticket to another account, whose own location it does not get.
    ///
    /// # Errors
    /// When there is no such ticket.
    pub fn move_ticket(&self, ticket_id: i64, account_id: i64) -> Result<(), Refused> {
        let mut state = self.tenant.state();
        let ticket = state.world.tickets.get_mut(&ticket_id);
        ticket
            .map(|ticket| ticket.account_id = account_id)
            .ok_or_else(|| Refused(format!("there is no ticket {ticket_id}")))
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

    /// Uses up part of an endpoint's hourly limit, as other integrations of the tenant do.
    pub fn use_requests(&self, route: Route, requests: usize) {
        let now = self.tenant.clock.now();
        self.tenant.state().windows.entry(route).or_default().add(requests, now);
    }

    /// Turns switches while it runs.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.tenant.state().switches);
    }

    /// Sets the limits while it runs.
    pub fn set_limits(&self, limits: Limits) {
        self.tenant.state().limits = limits;
    }

    fn change_contract(&self, id: i64, change: impl FnOnce(&mut world::Contract)) -> Result<(), Refused> {
        let mut state = self.tenant.state();
        let contract = state.world.contracts.get_mut(&id);
        contract.map(change).ok_or_else(|| Refused(format!("there is no contract {id}")))
    }
}
