//! A connection as its partner sees it. Nothing of its credentials is in it.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::policy::Policy;
use shared::domain::schedule::{self, Schedule};
use shared::psa::Psa;
use shared::store::connections::{Connection, Status};
use utoipa::ToSchema;

/// A connection.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub struct ConnectionView {
    /// Its id.
    id: String,
    /// Which PSA.
    psa: Psa,
    /// The PSA's own name for the database behind it.
    tenant: String,
    /// What the partner calls it.
    name: String,
    /// IANA name of the time zone in which its days and months are reckoned.
    time_zone: String,
    /// When it is synced.
    #[schema(value_type = schedule::Parts)]
    schedule: Schedule,
    /// How changes are made.
    policy: Policy,
    /// Switched on by the partner.
    enabled: bool,
    /// Whether it can be used.
    status: Status,
    /// When it is synced next; null while it is switched off or revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_due_at: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// The run that is going on.
    current_run: Option<String>,
}

impl From<Connection> for ConnectionView {
    fn from(row: Connection) -> Self {
        Self {
            id: row.id.into(),
            psa: row.psa,
            tenant: row.endpoint.tenant.into(),
            name: row.name,
            time_zone: row.time_zone,
            schedule: row.schedule,
            policy: row.policy,
            enabled: row.enabled,
            status: row.status,
            next_due_at: row.next_due_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            revoked_at: row.revoked_at,
            current_run: row.current_run.map(Into::into),
        }
    }
}
