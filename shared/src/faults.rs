//! Fault points: the named places at which a test may end a worker's life or fail one of its side effects.
//!
//! Every side effect (a store write, a PSA write and its read-back, a message sent or acknowledged, an event published) is
//! passed on both sides: `before` it and `after` it. Shipped functions carry no hook, and passing a point then costs a
//! comparison. What a point does is injected like time and ids; nothing here knows of tests.

use std::fmt;
use std::sync::Arc;

/// Which side of a side effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Nothing has happened yet.
    Before,
    /// It has happened, and the answer is about to be used.
    After,
}

/// A fault point, as it is passed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// The side effect: `store.update LINE`, `psa.write`, `queue.send`.
    pub effect: String,
    /// Which side of it.
    pub side: Side,
}

impl fmt::Display for Point {
    /// `psa.write before`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Before => "before",
            Side::After => "after",
        };
        write!(f, "{} {side}", self.effect)
    }
}

/// The side effect fails here. After it, that is a lost answer: what was to happen has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fault was injected")]
pub struct Struck;

/// What happens at fault points.
pub trait Hook: Send + Sync {
    /// A point is passed. To end the worker here, unwind; to fail the side effect, answer so.
    ///
    /// # Errors
    /// The side effect is to fail, or its answer to be lost.
    fn pass(&self, point: &Point) -> Result<(), Struck>;
}

/// The fault points of whoever holds it.
#[derive(Clone, Default)]
pub struct Faults(Option<Arc<dyn Hook>>);

impl Faults {
    /// Points at which `hook` is asked.
    #[must_use]
    pub fn with(hook: Arc<dyn Hook>) -> Self {
        Self(Some(hook))
    }

    /// Passes the point before `effect`.
    ///
    /// # Errors
    /// The side effect is not to happen.
    pub fn before(&self, effect: impl FnOnce() -> String) -> Result<(), Struck> {
        self.pass(Side::Before, effect)
    }

    /// Passes the point after `effect`.
    ///
    /// # Errors
    /// It has happened, and its answer is lost.
    pub fn after(&self, effect: impl FnOnce() -> String) -> Result<(), Struck> {
        self.pass(Side::After, effect)
    }

    fn pass(&self, side: Side, effect: impl FnOnce() -> String) -> Result<(), Struck> {
        match &self.0 {
            None => Ok(()),
            Some(hook) => hook.pass(&Point { effect: effect(), side }),
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Faults(hooked)" } else { "Faults" })
    }
}
