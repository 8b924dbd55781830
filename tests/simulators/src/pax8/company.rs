//! A company that a partner buys for, as Pax8 shows it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::subscription::Subscription;
use crate::vendor::Customer;

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    /// Its id, a UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How it stands.
    #[serde(default)]
    pub status: Status,
    /// Whatever the partner wrote down for its own use.
    #[serde(default)]
    pub external_id: Option<String>,
    /// What was bought for it.
    #[serde(default)]
    pub subscriptions: Vec<Subscription>,
}

/// How a company stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Can be bought for.
    #[default]
    Active,
    /// Lacks a contact.
    Inactive,
    /// Was deleted, and is still listed.
    Deleted,
}

impl Customer for Company {
    type Id = String;
    type Counts = Vec<Subscription>;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn count(&mut self, subscriptions: Vec<Subscription>, _now: Timestamp) {
        self.subscriptions = subscriptions;
    }
}

impl Company {
    /// An active one for which nothing was bought.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        let (id, name) = (id.into(), name.into());
        Self { id, name, status: Status::default(), external_id: None, subscriptions: Vec::new() }
    }

    /// As the list shows it.
    pub(crate) fn listed(&self) -> Value {
        let mut shown = json!({
            "id": self.id,
            "name": self.name,
            "address": {
                "street": "1 Simulated Street",
                "city": "Denver",
                "postalCode": "80014",
                "country": "US",
                "stateOrProvince": "CO",
            },
            "phone": "555-555-5555",
            "website": "https://customer.example/",
            "status": self.status,
            "selfServiceAllowed": false,
            "billOnBehalfOfEnabled": false,
            "orderApprovalRequired": false,
            // In the documented examples offsets have no colon.
            "updatedDate": "2026-01-05T11:33:12.314-0600",
        });
        if let (Some(members), Some(external_id)) = (shown.as_object_mut(), &self.external_id) {
            members.insert("externalId".to_owned(), external_id.as_str().into());
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_partner_wrote_down_is_shown_where_there_is_something() {
        let acme = Company::new("a", "Acme");
        assert_eq!((&acme.listed()["status"], acme.listed().get("externalId")), (&json!("Active"), None));
        let noted = Company { external_id: Some("A123".to_owned()), status: Status::Inactive, ..acme };
        assert_eq!((&noted.listed()["status"], &noted.listed()["externalId"]), (&json!("Inactive"), &json!("A123")));
    }
}
