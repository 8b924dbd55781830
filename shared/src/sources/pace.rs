//! How fast a vendor is asked: so many requests in a window that slides, for all that is read with the same credentials.
//!
//! Vendors count and tell nobody how many are left, so that the count is kept here. A request waits for its turn; one that is
//! turned away all the same waits as long as it is told to, and is sent again a few times.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::SourceError;
use crate::clock::Clock;
use crate::pause::Pause;
use crate::psa::Kind;

/// How often a request is sent that is turned away, or finds no answer.
const TRIES: u32 = 4;
/// The pause after the first failure; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// Nobody is waited for longer than this at once: the pull comes again.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// So many requests in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Requests.
    pub requests: usize,
    /// The window.
    pub within: SignedDuration,
}

/// The requests of one set of credentials. Cheap to clone: clones count together.
#[derive(Clone)]
pub struct Pace {
    limit: Limit,
    sent: Arc<Mutex<VecDeque<Timestamp>>>,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
}

impl Pace {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new(limit: Limit, clock: Arc<dyn Clock>, pause: Arc<dyn Pause>) -> Self {
        Self { limit, sent: Arc::default(), clock, pause }
    }

    /// A read that is about to be sent, and again where what failed may pass.
    #[must_use]
    pub fn tries(&self) -> Tries<'_> {
        Tries { pace: self, left: TRIES, pause: FIRST_PAUSE }
    }

    fn window(&self) -> Duration {
        Duration::try_from(self.limit.within).unwrap_or(LONGEST_PAUSE)
    }

    /// Waits until one request more fits into the window, and counts it.
    async fn turn(&self) {
        while let Err(wait) = self.take(self.clock.now()) {
            self.pause.pause(wait).await;
        }
    }

    fn take(&self, now: Timestamp) -> Result<(), Duration> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.retain(|at| now.duration_since(*at) < self.limit.within);
        match sent.front() {
            Some(oldest) if sent.len() >= self.limit.requests => {
                let free = self.limit.within - now.duration_since(*oldest);
                Err(Duration::try_from(free).unwrap_or(FIRST_PAUSE).max(Duration::from_millis(1)))
            }
            _ => {
                sent.push_back(now);
                Ok(())
            }
        }
    }
}

/// The tries that one read has.
pub struct Tries<'p> {
    pace: &'p Pace,
    left: u32,
    pause: Duration,
}

impl Tries<'_> {
    /// Waits until it is the read's turn.
    pub async fn turn(&mut self) {
        self.left = self.left.saturating_sub(1);
        self.pace.turn().await;
    }

    /// Waits before the next try after one that ended with `error`.
    ///
    /// # Errors
    /// `error`, where there is no next try: it does not pass by waiting, or all tries are used up.
    pub async fn after(&mut self, error: SourceError) -> Result<(), SourceError> {
        let asked = error.retry_after_s.map(|seconds| Duration::from_secs(seconds.into()));
        // Others may have used up the window, which is free again after its length.
        let usual = if error.kind == Kind::RateLimited { self.pause.max(self.pace.window()) } else { self.pause };
        let wait = asked.unwrap_or(usual);
        let passes = matches!(error.kind, Kind::RateLimited | Kind::Unavailable);
        if !passes || self.left == 0 || wait > LONGEST_PAUSE {
            return Err(error);
        }
        self.pace.pause.pause(wait).await;
        self.pause *= 2;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::test_host::Virtual;

    const A_MINUTE: Limit = Limit { requests: 60, within: SignedDuration::from_mins(1) };

    fn pace(clock: &Virtual) -> Pace {
        Pace::new(A_MINUTE, Arc::new(clock.clone()), Arc::new(clock.clone()))
    }

    /// Sends a read that ends as `answers` say, one after the other, and gives how it ended and how often it was sent.
    async fn read(
        pace: &Pace,
        answers: impl IntoIterator<Item = Result<u32, SourceError>>,
    ) -> (Result<u32, SourceError>, u32) {
        let (mut tries, mut sent) = (pace.tries(), 0);
        for answer in answers {
            tries.turn().await;
            sent += 1;
            match answer {
                Ok(read) => return (Ok(read), sent),
                Err(error) => {
                    if let Err(error) = tries.after(error).await {
                        return (Err(error), sent);
                    }
                }
            }
        }
        unreachable!("a read is tried for ever")
    }

    #[tokio::test]
    async fn no_window_of_a_minute_has_more_requests_than_are_allowed() {
        let clock = Virtual::default();
        let pace = pace(&clock);
        let mut sent = Vec::new();
        for _ in 0..200 {
            pace.tries().turn().await;
            sent.push(clock.now());
        }
        let most = sent
            .iter()
            .map(|from| sent.iter().filter(|at| *at >= from && at.duration_since(*from) < A_MINUTE.within).count())
            .max();
        println!("200 requests took {}; at most {most:?} in a minute", clock.now().duration_since(sent[0]));
        assert_eq!(most, Some(60));
        assert_eq!(clock.now().duration_since(sent[0]), SignedDuration::from_mins(3));
    }

    fn turned_away(retry_after_s: Option<u32>) -> SourceError {
        SourceError::of_status("The vendor", 429, retry_after_s)
    }

    #[tokio::test]
    async fn what_is_turned_away_waits_as_long_as_it_is_told_and_is_not_sent_for_ever() {
        let clock = Virtual::default();
        let answers = [Err(turned_away(Some(30))), Err(SourceError::unreachable("The vendor")), Ok(2)];
        assert_eq!(read(&pace(&clock), answers).await, (Ok(2), 3));
        assert_eq!(clock.now(), Timestamp::from_second(34).unwrap());
        let never = std::iter::repeat_n(Err(turned_away(None)), 10);
        assert_eq!(read(&pace(&clock), never).await, (Err(turned_away(None)), TRIES));
        let before = clock.now();
        assert_eq!(read(&pace(&clock), [Err(turned_away(None)), Ok(1)]).await, (Ok(1), 2));
        assert_eq!(clock.now().duration_since(before), A_MINUTE.within, "until the window is free");
        let for_an_hour = [Err(turned_away(Some(3_600))), Ok(1)];
        assert_eq!(read(&pace(&clock), for_an_hour).await.1, 1);
    }

    #[tokio::test]
    async fn what_waiting_does_not_mend_is_sent_once() {
        let clock = Virtual::default();
        for status in [401, 403, 404, 418] {
            let refused = || Err(SourceError::of_status("The vendor", status, None));
            assert_eq!(read(&pace(&clock), [refused(), refused()]).await, (refused(), 1), "{status}");
        }
    }
}
