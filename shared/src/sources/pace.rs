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

    /// Sends a read when it is its turn, and again where what failed may pass.
    ///
    /// # Errors
    /// What the last try ended with.
    pub async fn send<T>(&self, request: impl AsyncFn() -> Result<T, SourceError>) -> Result<T, SourceError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            self.turn().await;
            let error = match request().await {
                Err(error) if matches!(error.kind, Kind::RateLimited | Kind::Unavailable) => error,
                ended => return ended,
            };
            let asked = error.retry_after_s.map(|seconds| Duration::from_secs(seconds.into()));
            let wait = asked.unwrap_or(pause);
            if wait > LONGEST_PAUSE {
                return Err(error);
            }
            self.pause.pause(wait).await;
            pause *= 2;
        }
        self.turn().await;
        request().await
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;

    use super::*;

    /// A clock that goes on only while somebody waits.
    #[derive(Clone, Default)]
    struct Virtual(Arc<Mutex<i64>>);

    impl Clock for Virtual {
        fn now(&self) -> Timestamp {
            Timestamp::from_millisecond(*self.0.lock().unwrap()).unwrap()
        }
    }

    #[async_trait]
    impl Pause for Virtual {
        async fn pause(&self, length: Duration) {
            *self.0.lock().unwrap() += i64::try_from(length.as_millis()).unwrap();
        }
    }

    const A_MINUTE: Limit = Limit { requests: 60, within: SignedDuration::from_mins(1) };

    fn pace(clock: &Virtual) -> Pace {
        Pace::new(A_MINUTE, Arc::new(clock.clone()), Arc::new(clock.clone()))
    }

    #[tokio::test]
    async fn no_window_of_a_minute_has_more_requests_than_are_allowed() {
        let clock = Virtual::default();
        let pace = pace(&clock);
        let sent = Mutex::new(Vec::new());
        for _ in 0..200 {
            pace.send(async || Ok(sent.lock().unwrap().push(clock.now()))).await.unwrap();
        }
        let sent = sent.into_inner().unwrap();
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
        let tries = AtomicU32::new(0);
        let late = async || match tries.fetch_add(1, Ordering::SeqCst) {
            0 => Err(turned_away(Some(30))),
            1 => Err(SourceError::unreachable("The vendor")),
            tried => Ok(tried),
        };
        assert_eq!(pace(&clock).send(late).await, Ok(2));
        assert_eq!(clock.now(), Timestamp::from_second(34).unwrap());
        let tries = AtomicU32::new(0);
        let never = async || {
            tries.fetch_add(1, Ordering::SeqCst);
            Err::<(), _>(turned_away(None))
        };
        assert_eq!(pace(&clock).send(never).await, Err(turned_away(None)));
        assert_eq!(tries.load(Ordering::SeqCst), TRIES);
    }

    #[tokio::test]
    async fn what_waiting_does_not_mend_is_sent_once() {
        let clock = Virtual::default();
        for status in [401, 403, 404, 418] {
            let tries = AtomicU32::new(0);
            let refused = async || {
                tries.fetch_add(1, Ordering::SeqCst);
                Err::<(), _>(SourceError::of_status("The vendor", status, None))
            };
            assert!(pace(&clock).send(refused).await.is_err());
            assert_eq!(tries.load(Ordering::SeqCst), 1, "{status}");
        }
    }
}
