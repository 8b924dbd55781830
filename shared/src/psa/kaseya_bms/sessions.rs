//! The sessions of a process, by credentials: so that two connectors of one connection log in once, and a refusal met by one
//! is known to the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::credentials::{Fingerprint, KaseyaBmsCredentials};
use super::session::Session;
use crate::http;

/// From so many sessions on, those are dropped that know nothing worth keeping. Refusals are always worth keeping.
const MANY: usize = 1_000;

/// Cheap to clone: clones hold the same sessions.
#[derive(Clone, Default)]
pub(super) struct Sessions(Arc<Mutex<HashMap<Fingerprint, Arc<Session>>>>);

impl Sessions {
    /// The session of these credentials.
    pub(super) fn of(&self, http: &http::Client, credentials: KaseyaBmsCredentials, now: Timestamp) -> Arc<Session> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MANY {
            sessions.retain(|_, session| Arc::strong_count(session) > 1 || !session.is_blank(now));
        }
        let session = sessions.entry(credentials.fingerprint());
        Arc::clone(session.or_insert_with(|| Arc::new(Session::new(http, credentials))))
    }
}
