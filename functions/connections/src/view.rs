//! A connection as its partner sees it. Nothing of its credentials is in it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::breaker::Breaker;
use shared::domain::ids::RunId;
use shared::domain::invoicing::{self, InvoiceDay};
use shared::domain::policy::Policy;
use shared::domain::schedule::{self, Schedule};
use shared::psa::Psa;
use shared::store::StoreError;
use shared::store::connections::{Connection, Status};
use utoipa::ToSchema;

use crate::Deps;

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
    /// When the partner makes invoices in the PSA; null where it has not said so.
    #[schema(value_type = Option<invoicing::Parts>)]
    invoice: Option<InvoiceDay>,
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
    /// The run of all its lines that is going on; null where none is.
    current_run: Option<String>,
    /// When a person approved all of a run, which ends what the approval policy `first_run` has wait; null where that has not
    /// happened.
    #[schema(value_type = Option<String>, format = DateTime)]
    first_run_approved_at: Option<Timestamp>,
    /// Settings that a newer version of Tallyline has stored and this one does not understand: the rest is as it stands
    /// here, and nothing is synced. Left out where there are none. Sending such a setting anew replaces it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_understood: Vec<String>,
}

/// A connection, and whether its PSA is left alone at the moment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionDetail {
    #[serde(flatten)]
    connection: ConnectionView,
    /// The circuit to the PSA while it is not closed; null while requests go out.
    circuit: Option<CircuitView>,
}

/// A circuit that is not closed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Circuit)]
pub(crate) struct CircuitView {
    /// `open`: nothing is sent. `half_open`: one read is, or is under way, to see whether the PSA answers again.
    state: CircuitState,
    /// Open: when the PSA is tried again. Half open: how long the read that is under way is waited for.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// What opened it, as a stable name.
    code: String,
    /// Since when, why, and when it is tried again.
    explanation: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CircuitState {
    Open,
    HalfOpen,
}

impl ConnectionDetail {
    /// One whose PSA has just let us in.
    pub(crate) fn let_in(row: Connection) -> Self {
        Self { connection: row.into(), circuit: None }
    }

    /// As both are at `now`.
    pub(crate) fn new(row: Connection, breaker: &Breaker, now: Timestamp) -> Self {
        let circuit = breaker.trip().zip(breaker.until()).map(|(trip, until)| CircuitView {
            state: if breaker.is_half_open(now) { CircuitState::HalfOpen } else { CircuitState::Open },
            until,
            code: trip.why.code.clone(),
            explanation: breaker.explanation(),
        });
        Self { connection: row.into(), circuit }
    }
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
            invoice: row.invoice,
            policy: row.policy,
            enabled: row.enabled,
            status: row.status,
            next_due_at: row.next_due_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            revoked_at: row.revoked_at,
            current_run: row.current_run.map(Into::into),
            first_run_approved_at: row.first_run_approved_at,
            not_understood: row.newer.names(),
        }
    }
}

impl Deps {
    /// Takes out of each of `rows`, which are one partner's, its newest run, where that one has ended: the row keeps it, so that
    /// older ones stay superseded.
    pub(crate) async fn without_ended_runs(&self, mut rows: Vec<Connection>) -> Result<Vec<Connection>, StoreError> {
        self.forget_ended_runs(&mut rows).await?;
        Ok(rows)
    }

    /// As [`Deps::without_ended_runs`], of one.
    pub(crate) async fn without_ended_run(&self, mut row: Connection) -> Result<Connection, StoreError> {
        self.forget_ended_runs(std::slice::from_mut(&mut row)).await?;
        Ok(row)
    }

    async fn forget_ended_runs(&self, rows: &mut [Connection]) -> Result<(), StoreError> {
        let named: BTreeSet<RunId> = rows.iter().filter_map(|row| row.current_run.clone()).collect();
        let Some(partner) = rows.first().map(|row| row.partner.clone()).filter(|_| !named.is_empty()) else {
            return Ok(());
        };
        let open = self.runs.open_among(&partner, &named).await?;
        for row in rows {
            row.current_run = row.current_run.take().filter(|run| open.contains(run));
        }
        Ok(())
    }
}
