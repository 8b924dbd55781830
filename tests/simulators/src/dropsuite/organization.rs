//! An organization, which the API shows by its log-ins: a row for each, so that one organization may have several.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::vendor::{Customer, Lot};
use crate::wire::number;

/// How the live token begins that every row carries of its organization. It opens nothing here; who finds it in a log or a
/// table has found a leak.
pub const ORGANIZATIONS_TOKEN: &str = "ds_simulated_live_token_of_";

/// One customer of the reseller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its log-ins. Without one it is in no list.
    #[serde(default)]
    pub log_ins: Vec<LogIn>,
}

/// A log-in, with what its organization has by one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// The last part of the row's id, another one for each log-in of an organization.
    pub number: u32,
    /// The plan.
    pub plan_id: String,
    /// Seats in use.
    pub seats_used: u32,
    /// Those of them that are backed up; the others are deactivated.
    pub active_seats: u32,
}

impl Customer for Organization {
    type Id = i64;
    type Counts = Vec<LogIn>;

    fn id(&self) -> i64 {
        self.id
    }

    fn count(&mut self, log_ins: Vec<LogIn>, _now: Timestamp) {
        self.log_ins = log_ins;
    }
}

impl LogIn {
    /// The first or only one of an organization, all of whose seats are active.
    #[must_use]
    pub fn new(plan_id: impl Into<String>, seats: u32) -> Self {
        Self { number: 1, plan_id: plan_id.into(), seats_used: seats, active_seats: seats }
    }
}

impl Organization {
    /// One with these log-ins.
    #[must_use]
    pub fn new(id: i64, name: impl Into<String>, log_ins: impl IntoIterator<Item = LogIn>) -> Self {
        Self { id, name: name.into(), log_ins: log_ins.into_iter().collect() }
    }

    /// Some have a second plan, and some a second log-in that sees the same seats.
    pub(super) fn made_up(lot: &Lot) -> Self {
        let seats_used = lot.below(0, 90);
        let deactivated = lot.below(1, 4).min(seats_used);
        let first = LogIn { active_seats: seats_used - deactivated, ..LogIn::new("200-1-300-1", seats_used) };
        let mut log_ins = vec![first.clone()];
        if lot.number % 7 == 3 {
            log_ins.push(LogIn { number: 2, ..LogIn::new("200-1-301-1", 1 + lot.below(2, 30)) });
        }
        if lot.number % 9 == 4 {
            log_ins.push(LogIn { number: 3, ..first });
        }
        Self::new(10_001 + lot.number, lot.name.clone(), log_ins)
    }

    /// The id of a row.
    pub(super) fn user_id(&self, log_in: &LogIn) -> String {
        format!("{}-{}", 90_000 + self.id, log_in.number)
    }

    /// As lists show a log-in, its live token among the rest.
    pub(super) fn listed(&self, log_in: &LogIn, with_seats: bool) -> Value {
        let mut row = json!({
            "id": self.user_id(log_in),
            "email": format!("backup{}@customer-{}.example", log_in.number, self.id),
            "organization_id": self.id,
            "organization_name": self.name,
            "plan_id": log_in.plan_id,
            "is_business": true,
            "admin": true,
            "storage_used": number(Decimal::from(log_in.seats_used) * Decimal::new(75, 1)),
            "authentication_token": format!("{ORGANIZATIONS_TOKEN}{}", self.id),
        });
        if with_seats && let Some(members) = row.as_object_mut() {
            let seats = [
                ("seats_used", log_in.seats_used),
                ("seats_available", log_in.seats_used + 3),
                ("active_seats", log_in.active_seats),
            ];
            members.extend(seats.map(|(name, seats)| (name.to_owned(), json!(seats))));
        }
        row
    }

    /// As the answer about a log-in alone shows it.
    pub(super) fn detailed(&self, log_in: &LogIn) -> Value {
        let mut row = self.listed(log_in, true);
        if let Some(members) = row.as_object_mut() {
            members.insert("deactivated_seats".to_owned(), json!(log_in.seats_used - log_in.active_seats));
            members.insert("storage_available".to_owned(), Value::Null);
            members.insert("archive".to_owned(), Value::Bool(false));
        }
        row
    }
}
