//! An organization, and the users and systems that make up its counts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Span;
use crate::vendor::{Customer, Lot};

/// One customer of the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// 24 hexadecimal digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many users it may have, which tells nothing of how many it has; 0 where there is no bound.
    #[serde(default)]
    pub max_system_users: u32,
    /// What it has.
    #[serde(default)]
    pub counts: Counts,
}

/// What an organization has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Counts {
    /// People, in whatever state.
    pub users: u32,
    /// Devices.
    pub systems: u32,
}

impl Customer for Organization {
    type Id = String;
    type Counts = Counts;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn count(&mut self, counts: Counts, _now: Timestamp) {
        self.counts = counts;
    }
}

impl Organization {
    /// One of this number, which has so much.
    #[must_use]
    pub fn new(number: i64, name: impl Into<String>, counts: Counts) -> Self {
        Self { id: object_id(0x624d_9eae, number), name: name.into(), max_system_users: 0, counts }
    }

    pub(super) fn made_up(lot: &Lot) -> Self {
        // A few have nothing.
        let counts = match lot.number % 40 {
            39 => Counts::default(),
            _ => Counts { users: 1 + lot.below(0, 120), systems: lot.below(1, 150) },
        };
        let max_system_users = if lot.number % 3 == 0 { counts.users + lot.below(2, 50) } else { 0 };
        Self { max_system_users, ..Self::new(lot.number + 1, lot.name.clone(), counts) }
    }

    /// As the provider's list shows it.
    pub(super) fn listed(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "maxSystemUsers": self.max_system_users })
    }

    /// The users of a span, and how many there are in all. Every seventh is suspended, every eleventh not activated yet.
    pub(super) fn users(&self, span: Span) -> (Vec<Value>, u32) {
        let shown = |number: u32| {
            let is_staged = number % 11 == 10;
            json!({
                "_id": object_id(0x5f14_e379, i64::from(number)),
                "organization": self.id,
                "username": format!("user.{number}"),
                "email": format!("user.{number}@customer.example"),
                "activated": !is_staged,
                "suspended": number % 7 == 6,
                "state": if is_staged { "STAGED" } else { "ACTIVATED" },
            })
        };
        (span.of(0..self.counts.users).map(shown).collect(), self.counts.users)
    }

    /// The systems of a span, and how many there are in all.
    pub(super) fn systems(&self, span: Span) -> (Vec<Value>, u32) {
        let shown = |number: u32| {
            json!({
                "_id": object_id(0x6101_c2d3, i64::from(number)),
                "organization": self.id,
                "hostname": format!("computer-{number}"),
                "active": true,
            })
        };
        (span.of(0..self.counts.systems).map(shown).collect(), self.counts.systems)
    }
}

/// An id as MongoDB makes them, the same on every machine.
fn object_id(kind: u32, number: i64) -> String {
    format!("{kind:08x}{number:016x}")
}
