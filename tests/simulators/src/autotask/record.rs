//! What the simulator was asked, for tests to look at afterwards.
//!
//! Owns what is kept of a request; keeping it is `crate::journal`'s. Headers are never kept, so no credential is; bodies of Autotask calls hold none.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::entity::Entity;
use crate::journal::Noted;

/// What sort of request it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The first page of a query.
    Query,
    /// A further page.
    NextPage,
    /// `query/count`.
    Count,
    /// One row by id.
    Get,
    /// A list under a contract.
    Children,
    /// `entityInformation` and what is under it.
    Metadata,
    /// A row added; on contract service adjustments, units written.
    Create,
    /// A row changed.
    Update,
    /// A row removed.
    Delete,
    /// Zone, version or threshold information.
    Information,
    /// Nothing that exists.
    Unknown,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Asked {
    /// 1 for the first since the start or the last reset.
    pub number: usize,
    /// When it came, by the simulator's clock.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// The path with ids replaced, such as `/Contracts/{id}/ServiceAdjustments`.
    pub path: String,
    /// The object endpoint, if there is one.
    pub entity: Option<Entity>,
    /// What sort of request it was.
    pub kind: Kind,
    /// The user name that was sent, right or wrong.
    pub user: Option<String>,
    /// The JSON body or `search` parameter; null if none or unreadable.
    pub body: Value,
    /// The status that was answered; none if no answer was sent.
    pub status: Option<u16>,
}

impl Kind {
    /// Whether it changes something, so that a client must not repeat it.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete)
    }
}

/// A row added, changed or removed over the API, whether or not the client learnt of it. Adjustments of units are `Write`s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowWrite {
    /// When it took effect.
    pub at: Timestamp,
    /// The API user's name.
    pub by: String,
    /// What the row is of.
    pub entity: Entity,
    /// Create, update or delete.
    pub kind: Kind,
    /// The row.
    pub id: i64,
}

impl Noted for Asked {
    fn number(&mut self, number: usize) {
        self.number = number;
    }

    fn answered(&mut self, status: u16) {
        self.status = Some(status);
    }
}
