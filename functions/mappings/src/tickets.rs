//! Tickets: what those of a connection are filled with. One mapping a connection, which may be missing: alerts wait meanwhile.
//!
//! It is checked against the PSA's form as it is at this moment, so that every field that is missing is named here and not by
//! a ticket that is refused. What a PSA asks for only when a ticket comes (Autotask's categories) can't be told before.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use shared::api::auth::{Reader, Writer};
use shared::api::{Fault, Json, Path, Precondition, Problem, ProblemBody, Tag};
use shared::domain::ids::{AccountId, ConnectionId};
use shared::domain::ticketing::{Filled, OnResolve, TicketMapping};
use shared::psa::open::Opened;
use shared::store::Newer;
use shared::store::mappings::{OfTickets, StoredTicketMapping};
use shared::store::ticket_forms::ReadForm;
use utoipa::ToSchema;

use crate::{Deps, accounts};

/// What tickets are filled with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MappedTickets)]
pub(crate) struct View {
    /// What every ticket is filled with.
    defaults: Filled,
    /// What is different for alerts of a severity.
    by_severity: BTreeMap<String, Filled>,
    /// What is different for alerts of a kind, laid over both.
    by_kind: BTreeMap<String, Filled>,
    /// A ticket is due so many hours after its alert.
    due_hours: u32,
    /// The account that gets the tickets of companies that are not mapped; null where they wait.
    #[schema(value_type = Option<String>)]
    catch_all_account_id: Option<AccountId>,
    /// What becomes of a ticket when its alert is resolved.
    on_resolve: OnResolve,
    /// An alert that comes again within so many hours of its resolution belongs to the same ticket.
    repeat_window_hours: u32,
    /// Beyond so many tickets in a clock hour, the partner's alerts are gathered in digests.
    tickets_per_hour: u32,
    /// Raised by one with each change, from 1.
    version: u32,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Who changed it last.
    updated_by: String,
    /// Parts that a newer version has stored and this one does not understand: no ticket is opened until it is sent anew.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_understood: Vec<String>,
}

/// What tickets are filled with from now on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MappedTicketsNow)]
pub(crate) struct Mapped {
    #[serde(flatten)]
    mapping: View,
    /// Alerts whose ticket waits, was refused or was given up, counted up to 500. `POST /v1/alerts/retry` tries them again.
    halted_alerts: usize,
}

/// More alerts than this are not counted.
const MOST_HALTED: u16 = 500;

impl From<StoredTicketMapping> for View {
    fn from(stored: StoredTicketMapping) -> Self {
        let StoredTicketMapping { mapping, version, updated_at, updated_by, newer } = stored;
        Self {
            defaults: mapping.defaults,
            by_severity: mapping.by_severity,
            by_kind: mapping.by_kind,
            due_hours: mapping.due_hours,
            catch_all_account_id: mapping.catch_all_account_id,
            on_resolve: mapping.on_resolve,
            repeat_window_hours: mapping.repeat_window_hours,
            tickets_per_hour: mapping.tickets_per_hour,
            version,
            updated_at,
            updated_by,
            not_understood: newer.names(),
        }
    }
}

/// Map tickets, or replace their mapping.
///
/// Every field that is missing, unknown or filled with what the PSA does not offer is named at once, for the defaults and for
/// each override laid over them.
#[utoipa::path(
    put, path = "/v1/connections/{id}/ticket-mapping", tag = "mappings", operation_id = "put_ticket_mapping",
    params(("id" = String, Path), Precondition),
    request_body = TicketMapping,
    responses(
        (status = 201, description = "Mapped", body = Mapped),
        (status = 200, description = "Replaced, or as it was", body = Mapped),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn put(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
    over: Precondition,
    Json(mapping): Json<TicketMapping>,
) -> Result<(StatusCode, Tag, Json<Mapped>), Problem> {
    let psa = deps.opener.open(&caller.partner, &connection).await?;
    taken_by(&deps, &psa, &mapping).await?;
    let (updated_at, updated_by) = (deps.clock.now(), caller.actor);
    let stored = StoredTicketMapping { mapping, version: 0, updated_at, updated_by, newer: Newer::default() };
    let (status, tag, Json(stored)) = deps.store(&caller.partner, &connection, stored, over).await?;
    let halted = deps.alerts.halted(&caller.partner, MOST_HALTED).await?;
    Ok((status, tag, Json(Mapped { mapping: stored.into(), halted_alerts: halted.keys.len() })))
}

/// Whether the PSA would take tickets that are filled so, and has the account that gets those of nobody else.
async fn taken_by(deps: &Deps, psa: &Opened, mapping: &TicketMapping) -> Result<(), Problem> {
    let connection = &psa.connection;
    let read = ReadForm { form: psa.connector.ticket_form(None).await?, read_at: deps.clock.now() };
    deps.ticket_forms.keep(&connection.partner, &connection.id, None, &read).await?;
    let faults = mapping.check(&read.form).into_iter();
    let mut faults: Vec<Fault> = faults.map(|fault| Fault::new(fault.pointer, fault.words)).collect();
    if let Some(account) = &mapping.catch_all_account_id
        && !accounts::exists(psa, account).await?
    {
        faults.push(Fault::new("/catch_all_account_id", "must be an active account"));
    }
    if faults.is_empty() { Ok(()) } else { Err(refused(faults)) }
}

fn refused(faults: Vec<Fault>) -> Problem {
    let detail = match faults.as_slice() {
        [one] => format!("The PSA would not take such tickets: {}: {}.", one.pointer, one.detail),
        _ => format!("The PSA would not take such tickets, for {} reasons.", faults.len()),
    };
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "ticket_mapping_refused", detail)
        .fix("Fill each field that is named; catalog/ticket-fields lists what may be chosen for it.")
        .faults(faults)
}

/// How tickets are mapped.
#[utoipa::path(
    get, path = "/v1/connections/{id}/ticket-mapping", tag = "mappings", operation_id = "get_ticket_mapping",
    params(("id" = String, Path)),
    responses((status = 200, description = "The mapping", body = View), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn get(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
) -> Result<(Tag, Json<View>), Problem> {
    let found: Option<StoredTicketMapping> = deps.mappings.get(&caller.partner, &connection, &OfTickets).await?;
    found.map(|stored| (Tag(stored.version), Json(stored.into()))).ok_or_else(|| Problem::not_found("mapping"))
}

/// Remove the mapping of tickets. Alerts wait from now on; tickets that were opened stay.
#[utoipa::path(
    delete, path = "/v1/connections/{id}/ticket-mapping", tag = "mappings", operation_id = "delete_ticket_mapping",
    params(("id" = String, Path)),
    responses((status = 204, description = "Removed"), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn delete(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
) -> Result<StatusCode, Problem> {
    deps.remove::<StoredTicketMapping>(&caller.partner, &connection, &OfTickets, &caller.actor).await
}
