//! A rolling count of requests, as hourly limits are kept.
//!
//! Owns the counting only. How many are allowed, for how long, and what one too many is answered belong to each simulator;
//! the time is the injected clock's.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// The requests that still count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    asked: VecDeque<Timestamp>,
}

impl Window {
    /// Counts one request. False if `limit` is used up; a refused request does not prolong the wait.
    pub(crate) fn admit(&mut self, limit: u32, span: SignedDuration, now: Timestamp) -> bool {
        let full = self.count(span, now) >= usize::try_from(limit).unwrap_or(usize::MAX);
        if !full {
            self.asked.push_back(now);
        }
        !full
    }

    /// Requests in the window.
    pub(crate) fn count(&mut self, span: SignedDuration, now: Timestamp) -> usize {
        while self.asked.front().is_some_and(|&first| now.duration_since(first) >= span) {
            self.asked.pop_front();
        }
        self.asked.len()
    }

    /// Adds requests that others made just now.
    pub(crate) fn add(&mut self, requests: usize, now: Timestamp) {
        self.asked.extend(std::iter::repeat_n(now, requests));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_rolls_and_a_refused_request_does_not_count() {
        let hour = SignedDuration::from_mins(60);
        let mut window = Window::default();
        let minutes = |n| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(n);
        assert!(window.admit(2, hour, minutes(0)));
        assert!(window.admit(2, hour, minutes(30)));
        assert!(!window.admit(2, hour, minutes(59)));
        assert!(window.admit(2, hour, minutes(60)), "the first has left the window");
        assert!(!window.admit(2, hour, minutes(89)));
        assert_eq!(window.count(hour, minutes(89)), 2);
        assert!(window.admit(2, hour, minutes(90)));
    }
}
