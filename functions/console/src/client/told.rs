//! What the API tells, as far as pages look at it. A field that is not shown is not named.

pub(crate) mod connection;
pub(crate) mod finding;
pub(crate) mod line;
pub(crate) mod mapping;
pub(crate) mod preflight;
pub(crate) mod results;
pub(crate) mod run;
pub(crate) mod source;
pub(crate) mod usage;
pub(crate) mod webhook;

use serde::Deserialize;

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct List<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
}
