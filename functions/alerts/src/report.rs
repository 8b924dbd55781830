//! `POST /v1/alerts`: something happened.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::SignedDuration;
use shared::api::auth::UsagePusher;
use shared::api::idempotent::{Creation, Made, once};
use shared::api::{Fault, Problem, ProblemBody};
use shared::domain::alert::{Alert, AlertKey, Place, Report, Reported};
use shared::domain::ids::PartnerId;
use shared::domain::ticketing::TicketMapping;
use shared::store::mappings::{OfTickets, StoredTicketMapping};

use crate::body::Body;
use crate::view::AlertView;
use crate::{Deps, not_found};

/// Say that something happened at a company.
///
/// The alert is stored and its ticket opened soon after; once it has one, a repeat is answered with it. One dedupe key has one
/// ticket until it is resolved and the mapping's `repeat_window_hours` are over.
#[utoipa::path(
    post, path = "/v1/alerts", tag = "alerts", operation_id = "post_alert",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body count as one occurrence")),
    request_body = Body,
    responses(
        (status = 200, description = "It has a ticket", body = AlertView),
        (status = 202, description = "Its ticket is to come", body = AlertView),
        (status = 409, description = "`dedupe_key_of_another_company`", body = ProblemBody, content_type = "application/problem+json"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/usage"]))
)]
pub(crate) async fn report(
    UsagePusher(caller): UsagePusher,
    State(deps): State<Deps>,
    request: Creation<Body>,
) -> Result<Response, Problem> {
    once(&deps.remembered, &*deps.clock, &caller, request, "alert", async |id, body| {
        let (key, report) = body.checked(id, deps.clock.now())?;
        let alert = deps.take_in(&caller.partner, &key, report).await?;
        deps.send(&caller.partner, &alert).await?;
        let status = if alert.ticket.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
        Ok(Made { status, location: None, body: AlertView::from(alert) })
    })
    .await
}

impl Deps {
    async fn take_in(&self, partner: &PartnerId, key: &AlertKey, report: Report) -> Result<Alert, Problem> {
        let window = self.window(partner, key).await?;
        let now = self.clock.now();
        let taken = |found: Option<&Alert>| match Alert::reported(found, key, report.clone(), window, now) {
            Reported::Is(alert) => Ok(Some(*alert)),
            Reported::Nothing => Ok(found.cloned()),
            Reported::OfAnotherCompany => Err(of_another_company()),
        };
        self.alerts.edit(partner, key, now, taken).await?.ok_or_else(not_found)
    }

    /// How long after its end, or after its digest, an alert still belongs to its ticket, by the mapping of the connection that
    /// the ticket is on.
    async fn window(&self, partner: &PartnerId, key: &AlertKey) -> Result<SignedDuration, Problem> {
        let found =
            self.alerts.get(partner, key).await?.filter(|alert| alert.resolved_at.is_some() || alert.digest.is_some());
        let mapping: Option<StoredTicketMapping> = match found.and_then(|alert| alert.place) {
            Some(Place { connection, .. }) => self.mappings.get(partner, &connection, &OfTickets).await?,
            None => None,
        };
        let mapping = mapping.map_or_else(TicketMapping::default, |stored| stored.mapping);
        Ok(SignedDuration::from_hours(i64::from(mapping.repeat_window_hours)))
    }
}

fn of_another_company() -> Problem {
    let detail = "The dedupe key stands for an alert of another company.";
    Problem::conflict("dedupe_key_of_another_company", detail)
        .faults(vec![Fault::new("/dedupe_key", "stands for an alert of another company")])
        .fix("Begin dedupe keys with the company, so that no two companies share one.")
}
