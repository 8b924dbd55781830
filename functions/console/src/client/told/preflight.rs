//! What checks found, of a connection and of what is mapped on it.

use serde::Deserialize;

/// What a check comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Ok,
    Warning,
    Failed,
}

/// What one check found.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Check {
    pub(crate) check: String,
    /// Stable name of what is to be known; empty where all is well.
    #[serde(default)]
    pub(crate) code: String,
    pub(crate) status: Verdict,
    pub(crate) explanation: String,
    pub(crate) fix: String,
}

/// The checks of a connection as a whole.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Preflight {
    pub(crate) items: Vec<Check>,
}

/// The checks of a company's product.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct MappedPreflight {
    pub(crate) company: String,
    pub(crate) product: String,
    pub(crate) line_id: String,
    pub(crate) status: Verdict,
    pub(crate) checks: Vec<Check>,
}
