//! What the simulator was asked, for tests to look at afterwards.
//!
//! Owns what is kept of a request; keeping it is `crate::journal`'s. Headers and forms are never kept, so no password, code or
//! token is; the JSON bodies of the other calls hold none.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::routes::Route;
use crate::journal::Noted;

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Asked {
    /// 1 for the first since the start or the last reset.
    pub number: usize,
    /// When it came, by the simulator's clock.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path and query string as sent.
    pub uri: String,
    /// The endpoint; none for a path that does not exist.
    pub route: Option<Route>,
    /// The JSON body; null if there is none, it is a form, or it cannot be read.
    pub body: Value,
    /// The status that was answered; none if no answer was sent.
    pub status: Option<u16>,
}

impl Noted for Asked {
    fn number(&mut self, number: usize) {
        self.number = number;
    }

    fn answered(&mut self, status: u16) {
        self.status = Some(status);
    }
}
