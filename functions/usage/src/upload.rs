//! A snapshot as a CSV file.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use shared::api::auth::UsagePusher;
use shared::api::{Fault, Json, Problem, ProblemBody, Query, bytes};
use utoipa::IntoParams;

use crate::{Deps, answer, csv_table, fields, snapshots};

/// What the file itself does not say.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct About {
    /// Your name for the snapshot.
    snapshot_id: String,
    /// The instant that the counts are true for.
    #[param(format = DateTime)]
    as_of: String,
    /// Whether a company that is missing here has none of these products.
    complete: bool,
}

/// Push a snapshot as CSV: columns company, company_name, product, quantity and, if known, unit_cost, currency and
/// account_id, in any order. A row whose kind is charge has meter, description, period_from, period_to, currency and amount, or
/// quantity and unit_price.
#[utoipa::path(
    post, path = "/v1/usage/snapshots.csv", tag = "usage", operation_id = "post_snapshot_csv",
    params(About),
    request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 201, description = "Stored", body = answer::Snapshot),
        (status = 200, description = "It was here already", body = answer::Snapshot),
        (status = 409, description = "`snapshot_differs`: the id stands for other content"),
        (status = 422, description = "Some row is not valid; nothing was stored"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/usage"]))
)]
pub(crate) async fn post(
    UsagePusher(caller): UsagePusher,
    State(deps): State<Deps>,
    Query(about): Query<About>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<answer::Snapshot>), Problem> {
    let id = fields::snapshot_id("?snapshot_id", &about.snapshot_id)?;
    let now = deps.clock.now();
    let as_of = fields::as_of("?as_of", &about.as_of, now);
    let text = csv_text(&headers, body).await?;
    let records = csv_table::records(&text, as_of.as_ref().err().cloned().into_iter().collect(), now)?;
    let as_of = as_of.map_err(|fault| Problem::invalid(vec![fault]))?;
    let snapshot = records.snapshot(id, as_of, about.complete);
    snapshots::store(&deps, &caller, &snapshot).await
}

async fn csv_text(headers: &HeaderMap, body: Body) -> Result<String, Problem> {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !sent.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv") {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_csv", "Send the body as text/csv."));
    }
    String::from_utf8(bytes(body).await?.to_vec()).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Problem::invalid(vec![Fault::new(format!("/rows/{line}"), format!("row {line}: is not UTF-8"))])
    })
}
