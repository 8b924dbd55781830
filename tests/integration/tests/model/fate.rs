//! What befalls a planner or a worker at its fault points: it dies at the nth one, or the nth side effect fails.

use std::sync::{Mutex, PoisonError};

use shared::faults::{Hook, Point, Struck};

/// How a side effect goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// The process ends.
    Death,
    /// Before it, it does not happen; after it, its answer is lost.
    Failure,
    /// The process stands still there, until somebody sets it going again.
    Stall,
}

/// The fault points of one world. Nothing happens at them until a blow is dealt.
#[derive(Default)]
pub struct Fate(Mutex<Option<Dealt>>);

struct Dealt {
    points_left: usize,
    blow: Blow,
    struck_at: Option<String>,
}

/// What a dying process unwinds with: no panic, and no message of one.
pub struct Died;

impl Fate {
    /// Strikes at the `nth` point that is passed from now on, counted from 1.
    pub fn deal(&self, nth: usize, blow: Blow) {
        *self.lock() = Some(Dealt { points_left: nth, blow, struck_at: None });
    }

    /// Nothing happens any more. Answers where it struck, if it did.
    pub fn lift(&self) -> Option<String> {
        self.lock().take()?.struck_at
    }

    /// Whether it has struck.
    pub fn has_struck(&self) -> bool {
        self.lock().as_ref().is_some_and(|dealt| dealt.struck_at.is_some())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Dealt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn strikes(&self, point: &Point) -> Option<Blow> {
        let mut dealt = self.lock();
        let dealt = dealt.as_mut().filter(|dealt| dealt.struck_at.is_none())?;
        dealt.points_left = dealt.points_left.saturating_sub(1);
        if dealt.points_left > 0 {
            return None;
        }
        dealt.struck_at = Some(point.to_string());
        Some(dealt.blow)
    }
}

impl Hook for Fate {
    fn pass(&self, point: &Point) -> Result<(), Struck> {
        match self.strikes(point) {
            None | Some(Blow::Stall) => Ok(()),
            Some(Blow::Failure) => Err(Struck),
            // Unwinds as a panic does, without a word on standard error.
            Some(Blow::Death) => std::panic::resume_unwind(Box::new(Died)),
        }
    }
}
