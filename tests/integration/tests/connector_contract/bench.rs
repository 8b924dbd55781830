//! What a PSA brings to the contract, beyond its fixture of the sync tests: its switches, users, faults and counts.

mod autotask;
mod kaseya_bms;

use integration::TestClock;
use integration::msp::Fixture;
use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use simulators::autotask::Fault;

use crate::world::World;

/// A simulated PSA that a connector is held to the contract against.
pub trait Bench: Fixture {
    /// Its unconfirmed behaviours.
    type Switches: Clone + Default + PartialEq + std::fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Fields of [`Fixture::credentials`] whose values nobody may see.
    const SECRETS: &'static [&'static str];

    /// Switches that can make no difference to a write or to what is told of lines. Every other one, and so each new one, is
    /// turned for the whole tables of what can happen to a write; these only for a few lines of them.
    const READ_ALONE: &'static [&'static str];

    /// Edits of [`Bench::edits`] that the PSA itself shows to nobody, so that no connector can tell of them.
    const UNSEEN: &'static [&'static str];

    /// The same, where a write of ours was lost before.
    const UNSEEN_AFTER_A_LOST_WRITE: &'static [&'static str];

    /// The other settings of each switch.
    fn alternatives() -> Vec<(&'static str, Vec<Value>)>;

    /// Settings that change what is written at all: every other one is tried in each. The first is the default.
    fn readings() -> Vec<Value>;

    /// A simulator that holds `world`, with every user named below.
    fn open(world: &World, switches: &Self::Switches, clock: &TestClock) -> impl Future<Output = Self> + Send;

    /// Sets it otherwise while it runs. Its hourly limits are far away until [`Bench::exhaust`].
    fn turn(&self, switches: &Self::Switches);

    /// Another user of the same tenant.
    fn second_user() -> Value;

    /// Credentials that are refused in a way that can be told.
    fn refused_users(switches: &Self::Switches) -> Vec<(&'static str, Value)>;

    /// Users who lack one right, and what that right is called.
    fn users_without() -> Vec<(&'static str, Value)>;

    /// Requests since the last reset that carried what a user logs in with.
    fn log_ins(&self) -> usize;

    /// Requests since the last reset of the allowance that was used most.
    fn tightest(&self) -> usize;

    /// Something goes wrong with the nth request since the last reset for what lines carry.
    fn strike_observation(&self, nth: usize, fault: Fault);

    /// The same for the first request since then to change units.
    fn strike_write(&self, fault: Fault);

    /// Nothing goes wrong any more.
    fn heal(&self);

    /// The PSA refuses, and answers 200.
    fn refusal_in_200() -> Fault;

    /// The PSA takes the log-in no more.
    fn log_in_ended() -> Fault;

    /// Uses up every allowance of the hour.
    fn exhaust(&self);

    /// Bills the charges of a contract up to a day, where the PSA takes any from us.
    fn bill(&self, contract: i64, through: Date);

    /// Whether the PSA, set so, refuses a change by its own rules.
    fn refuses(switches: &Self::Switches, before: i64, target: i64) -> bool;

    /// What a person may do to a line of a contract meanwhile: from a day, by an id of the line's day of change.
    fn edits() -> Vec<Edit<Self>>;

    /// What writes since the last reset did beside changing units of lines that were there.
    fn side_effects(&self) -> Vec<String>;
}

/// What a person does to a line by hand.
pub struct Edit<P> {
    /// In words.
    pub name: &'static str,
    /// Does it to a contract's service, whose line was changed last, or begins, on a day.
    pub make: fn(&P, i64, i64, jiff::civil::Date),
}
