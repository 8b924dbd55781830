//! What waits in the queues: runs to be planned and company jobs in one, notices and their deliveries in another, alerts in a
//! third, and pulls of usage sources in a fourth.

use std::borrow::Cow;
use std::fmt;

use jiff::SignedDuration;
use notify::Notify;
use serde::{Deserialize, Serialize};
use shared::domain::ids::PartnerId;
use shared::events::{Notice, RunRef};
use shared::queue::{AlertMessage, CompanyJob, MOST_DELIVERIES, MOST_DELIVERIES_OF_ALERTS, PullMessage, pause_after};
use shared::webhooks::Dispatch;

/// One thing to do. Whoever does it reads from the store what is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub enum Message {
    /// A run waits for its planning.
    Sync(RunRef),
    /// An account of a run waits to be settled.
    Job(CompanyJob),
    /// An alert is to be looked at.
    Alert(AlertMessage),
    /// A usage source is to be pulled.
    Pull(PullMessage),
    /// A partner's webhooks are to hear of something.
    Notice {
        /// Whose.
        partner: PartnerId,
        /// What.
        notice: Notice,
    },
    /// One of them is to hear of it.
    Dispatch {
        /// Whose.
        partner: PartnerId,
        /// Which, and what.
        dispatch: Dispatch,
    },
}

impl Message {
    /// The tenant.
    #[must_use]
    pub fn partner(&self) -> &PartnerId {
        match self {
            Self::Sync(run) => &run.partner,
            Self::Job(job) => &job.partner,
            Self::Alert(alert) => &alert.partner,
            Self::Pull(pull) => &pull.partner,
            Self::Notice { partner, .. } | Self::Dispatch { partner, .. } => partner,
        }
    }

    /// Messages of one lane are delivered one after the other: those of a connection, those for a webhook, a partner's alerts,
    /// and those about a source.
    #[must_use]
    pub fn lane(&self) -> Cow<'_, str> {
        match self {
            Self::Sync(run) => run.connection.as_str().into(),
            Self::Job(job) => job.connection.as_str().into(),
            Self::Alert(_) => "alerts".into(),
            Self::Pull(pull) => pull.vendor.as_str().into(),
            Self::Notice { .. } => "notices".into(),
            Self::Dispatch { dispatch, .. } => format!("webhook {}", dispatch.webhook).into(),
        }
    }

    /// The same for the same message, however often it is sent.
    #[must_use]
    pub fn deduplication_id(&self) -> String {
        match self {
            Self::Sync(run) => format!("sync.{}", run.run),
            Self::Job(job) => format!("job.{}", job.deduplication_id()),
            Self::Alert(alert) => format!("alert.{}", alert.deduplication_id()),
            Self::Pull(pull) => format!("pull.{}", pull.deduplication_id()),
            Self::Notice { notice, .. } => format!("notice.{}", notice.id),
            Self::Dispatch { dispatch, .. } => format!("dispatch.{}", dispatch.notice.id),
        }
    }

    /// How long it waits after its `deliveries`th delivery failed.
    #[must_use]
    pub fn pause_after(&self, deliveries: u32) -> SignedDuration {
        match self {
            Self::Sync(_) | Self::Job(_) | Self::Alert(_) | Self::Pull(_) | Self::Notice { .. } => {
                pause_after(deliveries)
            }
            Self::Dispatch { .. } => Notify::pause_of_dispatch(deliveries),
        }
    }

    /// After how many deliveries it is given up.
    #[must_use]
    pub fn most_deliveries(&self) -> u32 {
        match self {
            Self::Sync(_) | Self::Job(_) | Self::Pull(_) | Self::Notice { .. } | Self::Dispatch { .. } => {
                MOST_DELIVERIES
            }
            Self::Alert(_) => MOST_DELIVERIES_OF_ALERTS,
        }
    }
}

impl fmt::Display for Message {
    /// For logs: ids and nothing else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.partner(), self.lane(), self.deduplication_id())
    }
}
