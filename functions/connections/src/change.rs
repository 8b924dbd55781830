//! `PATCH /v1/connections/{id}`: on or off, name, time zone, schedule, invoice day, policy; each alone or together, all or none.

use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shared::api::auth::Writer;
use shared::api::{Faults, Json, Path, Problem, ProblemBody, parse, present, time_zone};
use shared::domain::ids::ConnectionId;
use shared::domain::invoicing::{self, InvoiceDay};
use shared::domain::policy::Policy;
use shared::domain::schedule::{self, Schedule};
use shared::psa::open::OpenError;
use shared::store::connections::{Connection, Status};
use shared::store::journal::By;
use utoipa::ToSchema;

use crate::view::ConnectionDetail;
use crate::{Deps, fields, policy};

/// What shall change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeBody {
    /// On or off.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<bool>, nullable = false)]
    enabled: Option<Value>,
    /// What you call it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, nullable = false)]
    name: Option<Value>,
    /// IANA name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, nullable = false)]
    time_zone: Option<Value>,
    /// When it is synced; sent as a whole.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<schedule::Parts>)]
    schedule: Option<Value>,
    /// When you make invoices in the PSA, for `preflight` to tell whether syncs come close enough before; sent as a whole,
    /// or null to take it away. Nothing of an invoice is read or written.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<invoicing::Parts>)]
    invoice: Option<Value>,
    /// How changes are made; each part may be sent alone.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Policy>)]
    policy: Option<Value>,
}

/// Change a connection.
#[utoipa::path(
    patch,
    path = "/v1/connections/{id}",
    tag = "connections",
    params(("id" = String, Path)),
    request_body = ChangeBody,
    responses((status = 200, body = ConnectionDetail), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn change(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(id): Path<ConnectionId>,
    Json(body): Json<ChangeBody>,
) -> Result<Json<ConnectionDetail>, Problem> {
    let now = deps.clock.now();
    let by = By::person(&caller.actor, now);
    let written = deps.connections.try_edit(&caller.partner, &id, &by, |connection| {
        if connection.status == Status::Revoked {
            return Err(OpenError::Revoked.into());
        }
        body.apply(connection, now)
    });
    let written = deps.without_ended_run(written.await?.ok_or(OpenError::NotFound)?).await?;
    let breaker = deps.opener.circuits().of(&caller.partner, &id).await?;
    Ok(Json(ConnectionDetail::new(written, &breaker, now)))
}

impl ChangeBody {
    /// Changes `connection`, and tells whether anything is different now. All faults are told at once.
    fn apply(&self, connection: &mut Connection, now: Timestamp) -> Result<bool, Problem> {
        let before = connection.clone();
        let mut faults = Faults::none();
        if let Some(value) = &self.enabled
            && let Some(enabled) = faults.take(parse("/enabled", value.clone()))
        {
            connection.enabled = enabled;
        }
        if let Some(value) = &self.name
            && let Some(name) = faults.take(fields::name(value.clone()))
        {
            connection.name = name;
        }
        if let Some(value) = &self.time_zone
            && let Some(time_zone) = faults.take(time_zone(value.clone()))
        {
            connection.time_zone = time_zone;
        }
        if let Some(value) = &self.schedule
            && let Some(schedule) = faults.take(parse::<Schedule>("/schedule", value.clone()))
        {
            connection.schedule = schedule;
            connection.newer.forget(&["schedule"]);
        }
        if let Some(value) = &self.invoice
            && let Some(invoice) = faults.take(parse::<Option<InvoiceDay>>("/invoice", value.clone()))
        {
            connection.invoice = invoice;
            connection.newer.forget(&["invoice"]);
        }
        if let Some(value) = &self.policy
            && let Some(policy) = faults.take_all(policy::merged(&connection.policy, value))
        {
            connection.policy = policy;
            connection.newer.forget_where(|path| match path.split_first() {
                Some((part, rest)) => part == "policy" && policy::says_anew(value, rest),
                None => false,
            });
        }
        faults.refuse()?;
        if *connection == before {
            return Ok(false);
        }
        let due = |row: &Connection| (row.enabled, row.time_zone.clone(), row.schedule);
        // Only then: a sync that is due right now must not be skipped because somebody changed the name.
        if due(connection) != due(&before) {
            connection.reschedule(now);
        }
        connection.touch(now);
        Ok(true)
    }
}
