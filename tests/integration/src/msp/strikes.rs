//! A hook for fault points: it notes each point that is passed, and at chosen ones ends the process or fails the effect.
//!
//! It looks only while it is armed, so that a test can prepare a world first; each arming begins a phase, in which points
//! are counted anew. A killed process stays dead until [`Strikes::revive`]: whatever of it still runs unwinds at its next
//! point, as nothing of a real one would go on.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::faults::{Hook, Point, Struck};

/// What happens at a chosen point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// The process ends.
    Kill,
    /// The side effect fails: before it, nothing happened; after it, the answer is lost.
    Fail,
}

/// One passing of a point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Passing {
    /// The how manieth phase, from 1.
    pub phase: usize,
    /// The point.
    pub point: Point,
    /// The how manieth passing of it in this phase, from 1.
    pub time: usize,
}

impl fmt::Display for Passing {
    /// `psa.write before, time 2 of phase 1`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, time {} of phase {}", self.point, self.time, self.phase)
    }
}

/// Notes points and strikes at some.
#[derive(Default)]
pub struct Strikes(Mutex<State>);

#[derive(Default)]
struct State {
    armed: bool,
    dead: bool,
    phase: usize,
    times: BTreeMap<Point, usize>,
    passed: Vec<Passing>,
    chosen: Vec<Passing>,
    strike: Option<Strike>,
}

impl Strikes {
    /// Notes points, and strikes at none.
    #[must_use]
    pub fn none() -> Arc<Self> {
        Arc::default()
    }

    /// Strikes once at each of `chosen`.
    #[must_use]
    pub fn at(chosen: &[Passing], strike: Strike) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { chosen: chosen.to_vec(), strike: Some(strike), ..State::default() })))
    }

    /// Begins to look, in a new phase, or stops.
    pub fn arm(&self, armed: bool) {
        let mut state = self.state();
        state.armed = armed;
        state.phase += usize::from(armed);
        state.times.clear();
    }

    /// The points passed while armed, in order.
    #[must_use]
    pub fn passed(&self) -> Vec<Passing> {
        self.state().passed.clone()
    }

    /// The chosen points that were not passed.
    #[must_use]
    pub fn missed(&self) -> Vec<Passing> {
        let state = self.state();
        state.chosen.iter().filter(|chosen| !state.passed.contains(chosen)).cloned().collect()
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
        let phase = state.phase;
        let times = state.times.entry(point.clone()).or_default();
        *times += 1;
        let passing = Passing { phase, point: point.clone(), time: *times };
        let strike = state.strike.filter(|_| state.chosen.contains(&passing));
        state.passed.push(passing);
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
