//! What the simulated vendors have in common: those of whom somebody asks how much each of a provider's customers has.
//!
//! [`Simulator`] is the handle of each: it starts the server, breaks it on purpose and tells what it was asked. The kit owns
//! what is the same for all: the journal of requests, the limit of a window, faults, pages that are counted, what changes amid a
//! walk, the control surface under `/__sim/`. A request is noted, its sender let in, taken from the limit, struck by a fault,
//! and answered, in this order.
//!
//! A vendor is a folder beside this one which says what is its own:
//!
//! 1. a [`Customer`]: what the vendor calls a customer, with `Counts` (what it has) and how lists show it;
//! 2. a `Route` (an enum: its variants name what is counted and struck), `Switches` ([`Nothing`] if there are none), and
//!    sample credentials as public constants;
//! 3. `Api`, which implements [`Vendor`]: which request is which route, who is let in, what is answered, what a refusal looks
//!    like, and how a customer is made up. Its state (keys, tokens that were handed out) lives in it; the customers are in
//!    [`Held`], beside the switches and limits. A page of customers is answered as [`Answer::page`], all else as
//!    [`Answer::told`]. A vendor of which a page is asked by token or offset heeds `repeats_token`;
//! 4. `pub type Name = Simulator<Api>`, a line in `lib.rs` and one in `main.rs`, and tests in `tests/vendors/`: how its list is
//!    walked through is enough for those of the contract that all vendors keep.

mod answer;
mod ask;
mod control;
mod customers;
mod exchange;
mod record;
mod seed;
mod settings;
mod setup;
mod simulator;
mod tenant;

use std::fmt::Debug;
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use answer::{Answer, Refusal};
pub use ask::Ask;
pub use customers::{Change, Customer, Customers, NoSuchCustomer};
pub use record::Asked;
pub use seed::{Lot, MANY, Seed};
pub use settings::{Limits, Nothing, Switches};
pub use setup::Setup;
pub use simulator::Simulator;
pub use tenant::Held;

pub use crate::faults::{Fault, When};

/// What is read and shown as JSON by the control surface.
pub trait Shown: Clone + Debug + Serialize + DeserializeOwned + Send + 'static {}

impl<T: Clone + Debug + Serialize + DeserializeOwned + Send + 'static> Shown for T {}

/// A vendor, with whatever credentials open it. The default has those that `SAMPLE` names.
pub trait Vendor: Debug + Default + Send + 'static {
    /// Its name in commands: `huntress`.
    const NAME: &'static str;
    /// The credentials of the default, by the names that a client has for them.
    const SAMPLE: &'static [(&'static str, &'static str)];
    /// How often, and how many at once.
    const LIMITS: Limits;

    /// An endpoint; requests are counted and faults planned by it.
    type Route: Shown + Copy + Eq + Hash;
    /// A customer.
    type Customer: Customer;
    /// Behaviours that are this vendor's alone.
    type Switches: Shown + Default;
    /// Who was let in.
    type Caller: Send;

    /// The endpoint of a request.
    ///
    /// # Errors
    /// It is to none.
    fn route(ask: &Ask<'_>) -> Result<Self::Route, Refusal>;

    /// Whether a request to it takes from the limit.
    fn is_limited(route: Self::Route) -> bool;

    /// Lets the sender of a request in.
    ///
    /// # Errors
    /// The credentials are missing or wrong.
    fn let_in(&self, route: Self::Route, ask: &Ask<'_>) -> Result<Self::Caller, Refusal>;

    /// What is answered to somebody who was let in.
    ///
    /// # Errors
    /// It is refused: a right is missing, a parameter can't mean anything, nothing is there.
    fn answer(
        &mut self,
        route: Self::Route,
        caller: &Self::Caller,
        ask: &Ask<'_>,
        held: &Held<Self>,
    ) -> Result<Answer, Refusal>;

    /// The body of a refusal.
    fn refusal(refusal: &Refusal) -> Value;

    /// Makes a customer up.
    fn made_up(lot: &Lot) -> Self::Customer;
}
