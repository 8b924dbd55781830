//! What a partner's tickets are filled with, by the kind and the severity of the alert.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::domain::ids::AccountId;
use crate::domain::policy::Within;

/// Values by field, both by the PSA's ids.
pub type Filled = BTreeMap<String, String>;

/// A connection's ticket mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketMapping {
    /// What every ticket is filled with: the PSA's ids of what is chosen, by the ids of the form's fields.
    #[serde(default)]
    pub defaults: Filled,
    /// What is different for alerts of a severity, laid over the defaults.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_severity: BTreeMap<String, Filled>,
    /// What is different for alerts of a kind, laid over both.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_kind: BTreeMap<String, Filled>,
    /// A ticket is due so many hours after its alert.
    #[serde(default = "due_hours", deserialize_with = "within::<_, 1, 8_760>")]
    #[schema(minimum = 1, maximum = 8760, default = 24)]
    pub due_hours: u32,
    /// The account that gets the tickets of companies that are not mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub catch_all_account_id: Option<AccountId>,
    /// What becomes of a ticket when its alert is resolved.
    #[serde(default)]
    pub on_resolve: OnResolve,
    /// An alert that comes again within so many hours of its resolution belongs to the same ticket.
    #[serde(default = "repeat_window_hours", deserialize_with = "within::<_, 1, 720>")]
    #[schema(minimum = 1, maximum = 720, default = 24)]
    pub repeat_window_hours: u32,
    /// Beyond so many tickets in a clock hour, the partner's alerts are gathered in digests.
    #[serde(default = "tickets_per_hour", deserialize_with = "within::<_, 1, 1_000>")]
    #[schema(minimum = 1, maximum = 1000, default = 60)]
    pub tickets_per_hour: u32,
}

/// What becomes of a ticket when its alert is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnResolve {
    /// It gets a note.
    #[default]
    Note,
    /// It gets a note and is completed.
    Complete,
}

impl Default for TicketMapping {
    fn default() -> Self {
        Self {
            defaults: Filled::new(),
            by_severity: BTreeMap::new(),
            by_kind: BTreeMap::new(),
            due_hours: due_hours(),
            catch_all_account_id: None,
            on_resolve: OnResolve::default(),
            repeat_window_hours: repeat_window_hours(),
            tickets_per_hour: tickets_per_hour(),
        }
    }
}

impl TicketMapping {
    /// What a ticket for an alert is filled with: the defaults, what its severity says on top, and what its kind says on top
    /// of both.
    #[must_use]
    pub fn fields_for(&self, kind: &str, severity: &str) -> Filled {
        let mut fields = self.defaults.clone();
        let over = [self.by_severity.get(severity), self.by_kind.get(kind)];
        fields.extend(over.into_iter().flatten().flatten().map(|(field, value)| (field.clone(), value.clone())));
        fields
    }
}

fn due_hours() -> u32 {
    24
}

fn repeat_window_hours() -> u32 {
    24
}

fn tickets_per_hour() -> u32 {
    60
}

fn within<'de, D: Deserializer<'de>, const LEAST: u32, const MOST: u32>(from: D) -> Result<u32, D::Error> {
    from.deserialize_u32(Within { least: LEAST, most: MOST })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: serde_json::Value) -> Result<TicketMapping, serde_json::Error> {
        serde_json::from_value(text)
    }

    #[test]
    fn a_kind_is_laid_over_a_severity_and_a_severity_over_the_defaults() {
        let mapping = read(json!({
            "defaults": {"queue": "1", "priority": "3", "source": "8"},
            "by_severity": {"critical": {"priority": "1", "queue": "2"}},
            "by_kind": {"phishing": {"queue": "5"}},
        }))
        .unwrap();
        let filled = |kind, severity| {
            let fields = mapping.fields_for(kind, severity);
            fields.into_iter().map(|(field, value)| format!("{field}={value}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(filled("phishing", "critical"), "priority=1 queue=5 source=8");
        assert_eq!(filled("malware", "critical"), "priority=1 queue=2 source=8");
        assert_eq!(filled("phishing", "low"), "priority=3 queue=5 source=8");
        assert_eq!(filled("malware", "low"), "priority=3 queue=1 source=8");
    }

    #[test]
    fn what_is_left_out_is_as_usual() {
        let mapping = read(json!({"defaults": {}})).unwrap();
        assert_eq!(mapping, TicketMapping::default());
        assert_eq!((mapping.due_hours, mapping.repeat_window_hours, mapping.tickets_per_hour), (24, 24, 60));
        assert_eq!(mapping.on_resolve, OnResolve::Note);
    }

    #[test]
    fn hours_and_rates_beyond_measure_are_refused() {
        for (field, least, most) in
            [("due_hours", 1, 8_760), ("repeat_window_hours", 1, 720), ("tickets_per_hour", 1, 1_000)]
        {
            for fits in [least, most] {
                assert!(read(json!({field: fits})).is_ok(), "{field} {fits}");
            }
            for beyond in [json!(least - 1), json!(most + 1), json!(-1), json!("24"), json!(1.5)] {
                assert!(read(json!({field: beyond})).is_err(), "{field} {beyond}");
            }
        }
    }
}
