//! A line, and what happened to it.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use shared::domain::difference::Fields;
use shared::history::{Kind, State};
use shared::store::runs::Mode;

use super::run::Line;

/// How a line stands by the newest run that looked at it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LineState {
    pub(crate) run_id: String,
    pub(crate) mode: Mode,
    pub(crate) at: Timestamp,
    pub(crate) line: Line,
}

/// Something that happened.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Happened {
    pub(crate) at: Timestamp,
    pub(crate) actor: String,
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) run_id: Option<String>,
    #[serde(default)]
    pub(crate) effective_date: Option<Date>,
    #[serde(default)]
    pub(crate) state: Option<State>,
    pub(crate) summary: String,
    #[serde(default)]
    pub(crate) before: Option<Fields>,
    #[serde(default)]
    pub(crate) after: Option<Fields>,
}

impl Happened {
    /// Units of a change of the line: before it, and from it on.
    pub(crate) fn units(&self) -> Option<(u32, u32)> {
        let units = |side: &Option<Fields>| u32::try_from(side.as_ref()?.get("units")?.as_u64()?).ok();
        Some((units(&self.before)?, units(&self.after)?))
    }
}
