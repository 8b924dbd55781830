//! Requests, counted as BMS counts them: an hour's, for each endpoint template. Connectors with the same credentials count
//! together.
//!
//! BMS allows 1,500 an hour for each (Kaseya's help) and tells nobody how many are left, so what other integrations of the
//! tenant take is not in these counts. A request beyond the allowance is not sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::errors;
use super::template::Template;
use crate::psa::{Allowance, PsaError};

/// Requests an hour for each template.
const ALLOWED: u32 = 1_500;
const WINDOW_MINUTES: u32 = 60;

/// What connectors with the same credentials have used. Cheap to clone: clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Used(Arc<Mutex<BTreeMap<Template, Use>>>);

/// The counts of one connector, and of those that share them.
#[derive(Debug, Default)]
pub(super) struct Budget {
    made: AtomicU32,
    used: Used,
}

/// How one template was used.
#[derive(Debug, Default)]
struct Use {
    /// The requests of the last hour, oldest first.
    sent: VecDeque<Timestamp>,
    /// When it last answered with success.
    worked: Option<Timestamp>,
}

impl Budget {
    /// A connector's, which counts with `used`.
    pub(super) fn of(used: Used) -> Self {
        Self { made: AtomicU32::default(), used }
    }

    /// Takes one request of a template, or says when there is one to take again.
    pub(super) fn take(&self, template: Template, now: Timestamp) -> Result<(), PsaError> {
        let mut templates = self.lock();
        let sent = &mut templates.entry(template).or_default().sent;
        sent.retain(|at| is_recent(*at, now));
        if sent.len() >= usize::try_from(ALLOWED).unwrap_or(usize::MAX) {
            let free = sent.front().map(|oldest| window() - now.duration_since(*oldest));
            let wait_s = free.and_then(|free| u32::try_from(free.as_secs() + 1).ok());
            return Err(errors::budget_used_up(template, ALLOWED, wait_s));
        }
        sent.push_back(now);
        self.made.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Notes that a template answered with success.
    pub(super) fn worked(&self, template: Template, now: Timestamp) {
        self.lock().entry(template).or_default().worked = Some(now);
    }

    /// Whether a template answered with success within the hour: the right to it is there.
    pub(super) fn worked_lately(&self, template: Template, now: Timestamp) -> bool {
        self.lock().get(&template).and_then(|used| used.worked).is_some_and(|at| is_recent(at, now))
    }

    /// Requests of this connector so far, log-ins included.
    pub(super) fn made(&self) -> u32 {
        self.made.load(Ordering::Relaxed)
    }

    /// Requests of the last hour by template.
    pub(super) fn by_template(&self, now: Timestamp) -> BTreeMap<Template, u32> {
        let count = |used: &Use| used.sent.iter().filter(|at| is_recent(**at, now)).count();
        self.lock().iter().map(|(template, used)| (*template, u32::try_from(count(used)).unwrap_or(u32::MAX))).collect()
    }

    /// What is left of the template of which the least is left.
    pub(super) fn allowance(&self, now: Timestamp) -> Allowance {
        let used = self.by_template(now).into_values().max().unwrap_or_default();
        Allowance { limit: ALLOWED, used, window_minutes: WINDOW_MINUTES }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Template, Use>> {
        self.used.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn window() -> SignedDuration {
    SignedDuration::from_mins(i64::from(WINDOW_MINUTES))
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < window()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::psa::Kind;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_request_beyond_the_hours_allowance_is_refused_until_the_oldest_is_an_hour_old() {
        let budget = Budget::default();
        for second in 0..1_500 {
            budget.take(Template::ContractsLookup, at(second)).unwrap();
        }
        let refused = budget.take(Template::ContractsLookup, at(1_600)).unwrap_err();
        assert_eq!((refused.kind, refused.retry_after_s), (Kind::RateLimited, Some(2_001)));
        budget.take(Template::UserInfo, at(1_600)).unwrap();
        assert_eq!((budget.made(), budget.allowance(at(1_600)).used), (1_501, 1_500));
        budget.take(Template::ContractsLookup, at(3_600)).unwrap();
        assert_eq!(budget.allowance(at(7_200)).used, 0);
    }

    #[test]
    fn the_tightest_template_is_the_allowance() {
        let budget = Budget::default();
        for _ in 0..3 {
            budget.take(Template::RelatedServices, at(0)).unwrap();
        }
        budget.take(Template::UserInfo, at(0)).unwrap();
        assert_eq!(budget.allowance(at(1)), Allowance { limit: 1_500, used: 3, window_minutes: 60 });
    }

    #[test]
    fn what_worked_an_hour_ago_proves_nothing_now() {
        let budget = Budget::default();
        budget.worked(Template::UserInfo, at(0));
        assert!(budget.worked_lately(Template::UserInfo, at(3_599)));
        assert!(!budget.worked_lately(Template::UserInfo, at(3_600)));
        assert!(!budget.worked_lately(Template::ServicesSearch, at(0)));
    }
}
