//! The ticket mapping of a connection: one row, a version with each change as every mapping.
//!
//! What it says is `domain::ticketing`'s affair; whether the PSA's form takes it is checked where it is sent in. Anything in it
//! that a newer version has stored and this one does not understand is set aside (`newer`): such a mapping is shown as it
//! stands, and no ticket may be opened by it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Mapping;
use crate::domain::ids::{ConnectionId, PartnerId};
use crate::domain::ticketing::TicketMapping;
use crate::store::newer::{StandIn, tolerant};
use crate::store::{Key, Newer, schema};

/// A ticket mapping as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct StoredTicketMapping {
    /// What it says.
    pub mapping: TicketMapping,
    /// Raised by one with each change, from 1. Given by the store.
    pub version: u32,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
    /// What of it this version does not understand.
    #[serde(skip)]
    pub newer: Newer,
}

tolerant!(StoredTicketMapping, |path: &[&str]| match path {
    ["mapping", _, ..] => Some(StandIn::Nothing),
    _ => None,
});

/// A connection has one mapping of tickets: it needs no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfTickets;

impl fmt::Display for OfTickets {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl FromStr for OfTickets {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() { Ok(Self) } else { Err("must be empty") }
    }
}

impl Mapping for StoredTicketMapping {
    type Id = OfTickets;
    const PREFIX: &'static str = schema::TICKETS;

    fn key(partner: &PartnerId, connection: &ConnectionId, _: &OfTickets) -> Key {
        schema::ticket_mapping(partner, connection)
    }

    fn id(&self) -> &OfTickets {
        &OfTickets
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn changed(&self) -> (Timestamp, &str) {
        (self.updated_at, &self.updated_by)
    }

    fn newer(&self) -> &Newer {
        &self.newer
    }

    fn with_version(self, version: u32, at: Timestamp, by: &str) -> Self {
        Self { version, updated_at: at, updated_by: by.to_owned(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn stored() -> Value {
        json!({
            "mapping": {
                "defaults": {"queueID": "8"}, "by_severity": {"critical": {"priority": "1"}}, "due_hours": 4,
                "catch_all_account_id": "0", "on_resolve": "complete", "repeat_window_hours": 24, "tickets_per_hour": 60,
            },
            "version": 2, "updated_at": "2026-11-21T12:00:00Z", "updated_by": "ann",
        })
    }

    #[test]
    fn a_stored_ticket_mapping_comes_out_as_it_went_in() {
        let mapping: StoredTicketMapping = serde_json::from_value(stored()).unwrap();
        assert!(mapping.newer.is_empty());
        assert_eq!(serde_json::to_value(mapping).unwrap(), stored());
    }

    #[test]
    fn what_a_newer_version_says_is_set_aside_kept_and_named() {
        let mut row = stored();
        row["mapping"]["on_resolve"] = json!("ask");
        row["mapping"]["by_company"] = json!({"acme": {"queueID": "9"}});
        row["mapping"]["by_severity"]["critical"]["priority"] = json!({"at_night": "2"});
        let mapping: StoredTicketMapping = serde_json::from_value(row.clone()).unwrap();
        let newer = ["mapping.by_company", "mapping.by_severity.critical.priority", "mapping.on_resolve"];
        assert_eq!(mapping.newer.names(), newer);
        assert_eq!(serde_json::to_value(mapping).unwrap(), row);
    }

    #[test]
    fn a_row_that_says_nothing_is_no_ticket_mapping() {
        let mut row = stored();
        row.as_object_mut().unwrap().remove("mapping");
        assert!(serde_json::from_value::<StoredTicketMapping>(row).is_err());
    }
}
