//! An event on its way to whoever asked to hear of it: with an id of its own, and as plain JSON.
//!
//! It is handed on as it came, so that fields which a newer version has added are not lost on the way.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::ids::PartnerId;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident)*) => {
        /// The events that a webhook may ask for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        pub enum EventKind {
            $($(#[$doc])* $name),*
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its `detail-type` on the bus.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

kinds! {
    /// A run ended well.
    RunSucceeded
    /// A run did not do all of it.
    RunPartial
    /// A run did nothing.
    RunFailed
    /// The PSA refused the credentials.
    CredentialsRejected
    /// Something that a person must look at.
    FindingOpened
    /// Usage is too old.
    UsageStale
    /// What needs a person, once a day.
    Digest
}

/// An event as the bus hands it on; what is not read here is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The event's own id: the same however often the event comes.
    pub id: String,
    /// What happened: [`EventKind`], or something newer.
    #[serde(rename = "detail-type")]
    pub kind: String,
    /// When.
    #[serde(rename = "time")]
    pub at: Timestamp,
    /// What there is to say.
    pub detail: Value,
}

impl Notice {
    /// The tenant whom it concerns, where it names one.
    #[must_use]
    pub fn partner(&self) -> Option<PartnerId> {
        self.detail.get("partner")?.as_str()?.parse().ok()
    }

    /// The connection that it concerns, where it names one.
    #[must_use]
    pub fn connection(&self) -> Option<&str> {
        self.detail.get("connection")?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_read_from_what_the_bus_hands_on_and_says_whom_it_concerns() {
        let text = r#"{"version":"0","id":"e-1","detail-type":"RunFailed","source":"tallyline","time":"2026-11-21T01:00:00Z",
            "detail":{"partner":"msp-1","connection":"c","run":"r","of_a_newer_version":1}}"#;
        let notice: Notice = serde_json::from_str(text).unwrap();
        assert_eq!((notice.id.as_str(), notice.connection()), ("e-1", Some("c")));
        assert_eq!(notice.partner().unwrap().as_str(), "msp-1");
        assert_eq!(notice.detail["of_a_newer_version"], 1);
        assert_eq!(serde_json::from_value::<Notice>(serde_json::to_value(&notice).unwrap()).unwrap(), notice);
    }

    #[test]
    fn every_kind_is_called_as_on_the_bus() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
