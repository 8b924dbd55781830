//! What is kept of a request. Keeping it is `crate::journal`'s; headers and bodies are never kept, so no secret is.

use jiff::Timestamp;
use serde::Serialize;

use crate::journal::Noted;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked<R> {
    /// 1 for the first since the start or the last reset.
    pub number: usize,
    /// When it came, by the simulator's clock.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path and query string as sent.
    pub uri: String,
    /// The endpoint; none for a request that is to none.
    pub route: Option<R>,
    /// The status that was answered; none if no answer was sent.
    pub status: Option<u16>,
}

impl<R> Noted for Asked<R> {
    fn number(&mut self, number: usize) {
        self.number = number;
    }

    fn answered(&mut self, status: u16) {
        self.status = Some(status);
    }
}
