//! What goes wrong with a write, in words that mean the same for every PSA.
//!
//! Owns how each mishap looks on the wire; the few bodies that differ from PSA to PSA are its [`Wording`]. Carrying a fault
//! out is the simulator's.

use simulators::autotask::Fault;

/// Something that goes wrong with a request to change units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// The connection breaks before an answer.
    Reset(Effect),
    /// No answer comes for as long as somebody waits.
    Hang(Effect),
    /// 500, in the PSA's own shape.
    Failed(Effect),
    /// A status that is no success, with a page, from something before the PSA.
    Gateway(u16, Effect),
    /// 200, and a page for people.
    Page(Effect),
    /// 200 and nothing more.
    Empty(Effect),
    /// 200 and the first half of an answer.
    Half(Effect),
    /// The PSA says in few words that it was made.
    CalledMade(Effect),
    /// The PSA says that it refuses.
    Refused,
    /// The PSA says that the user has no right to do it.
    Forbidden,
    /// 429 with seconds to wait, and it was not made.
    Throttled(u32),
    /// A redirect to elsewhere, and it was not made.
    Redirected(u16),
    /// The answer comes, only later, after so many milliseconds.
    Slow(u64),
}

/// Whether a request that went wrong took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It did, and only its answer is lost.
    Made,
    /// It did not.
    NotMade,
}

/// How a PSA words what it answers.
pub struct Wording {
    /// The body of a 500.
    pub failed: &'static str,
    /// Status and body of a refusal.
    pub refused: (u16, &'static str),
    /// The same for want of a right.
    pub forbidden: (u16, &'static str),
    /// The body of a success.
    pub done: &'static str,
}

impl Mishap {
    /// The fault that a simulator carries out.
    #[must_use]
    pub fn fault(self, wording: &Wording) -> Fault {
        let json = |status, body: &str| Fault::answer(status, body).header("content-type", "application/json");
        let with = |effect, fault: Fault| if effect == Effect::Made { fault.after() } else { fault };
        match self {
            Self::Reset(effect) => with(effect, Fault::ResetBefore),
            Self::Hang(effect) => with(effect, Fault::HangBefore),
            Self::Failed(effect) => with(effect, json(500, wording.failed)),
            Self::Gateway(status, effect) => with(effect, Fault::answer(status, "<html>bad gateway</html>")),
            Self::Page(effect) => with(effect, Fault::answer(200, "<html><body>Service temporarily")),
            Self::Empty(effect) => with(effect, Fault::answer(200, "")),
            Self::Half(effect) => {
                let half = wording.done.get(..wording.done.len() / 2).unwrap_or_default();
                with(effect, json(200, half))
            }
            Self::CalledMade(effect) => with(effect, json(200, wording.done)),
            Self::Refused => json(wording.refused.0, wording.refused.1),
            Self::Forbidden => json(wording.forbidden.0, wording.forbidden.1),
            Self::Throttled(seconds) => Fault::too_many_requests(Some(seconds)),
            Self::Redirected(status) => Fault::redirect(status, "http://127.0.0.1:9/elsewhere"),
            Self::Slow(ms) => Fault::Delay { ms },
        }
    }
}
