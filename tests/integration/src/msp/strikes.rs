//! A hook for fault points: it notes each point that is passed, and at one of them ends the process or fails the effect.
//!
//! It looks only while it is armed, so that a test can prepare a world first. A killed process stays dead until
//! [`Strikes::revive`]: whatever of it still runs unwinds at its next point, as nothing of a real one would go on.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::faults::{Hook, Point, Struck};

/// What happens at the chosen point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// The process ends.
    Kill,
    /// The side effect fails: before it, nothing happened; after it, the answer is lost.
    Fail,
}

/// One passing of a point: which, and the how manieth since arming, from 1.
pub type Passing = (Point, usize);

/// Notes points and strikes at one.
#[derive(Default)]
pub struct Strikes(Mutex<State>);

#[derive(Default)]
struct State {
    armed: bool,
    dead: bool,
    times: BTreeMap<Point, usize>,
    passed: Vec<Passing>,
    chosen: Option<(Passing, Strike)>,
    struck: bool,
}

impl Strikes {
    /// Notes points, and strikes at none.
    #[must_use]
    pub fn none() -> Arc<Self> {
        Arc::default()
    }

    /// Strikes once, at `passing`.
    #[must_use]
    pub fn at(passing: Passing, strike: Strike) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { chosen: Some((passing, strike)), ..State::default() })))
    }

    /// Begins to look, or stops.
    pub fn arm(&self, armed: bool) {
        self.state().armed = armed;
    }

    /// The points passed while armed, in order.
    #[must_use]
    pub fn passed(&self) -> Vec<Passing> {
        self.state().passed.clone()
    }

    /// Whether the chosen point was passed.
    #[must_use]
    pub fn struck(&self) -> bool {
        self.state().struck
    }

    /// Whether the process was killed and not revived yet; from now on it lives again.
    pub fn revive(&self) -> bool {
        std::mem::take(&mut self.state().dead)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to happen here, once the state is let go.
    fn noted(&self, point: &Point) -> Option<Strike> {
        let mut state = self.state();
        if state.dead {
            return Some(Strike::Kill);
        }
        if !state.armed {
            return None;
        }
        let times = state.times.entry(point.clone()).or_default();
        *times += 1;
        let passing = (point.clone(), *times);
        let strike = state.chosen.as_ref().filter(|(chosen, _)| *chosen == passing).map(|(_, strike)| *strike);
        state.passed.push(passing);
        state.struck |= strike.is_some();
        state.dead = strike == Some(Strike::Kill);
        strike
    }
}

impl Hook for Strikes {
    fn pass(&self, point: &Point) -> Result<(), Struck> {
        match self.noted(point) {
            None => Ok(()),
            Some(Strike::Fail) => Err(Struck),
            // Not a panic: nothing is printed.
            Some(Strike::Kill) => resume_unwind(Box::new("killed")),
        }
    }
}
