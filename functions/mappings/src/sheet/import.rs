//! `POST /v1/connections/{id}/mappings.csv`: a file of mappings, all of it or none.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use shared::api::auth::{Caller, Writer};
use shared::api::{Json, Path, Problem, ProblemBody, Query, bytes};
use shared::domain::ids::ConnectionId;
use shared::store::mappings::{Everything, Weighed};
use utoipa::{IntoParams, ToSchema};

use super::changes::Changes;
use super::columns::Column;
use super::faults::SheetFaults;
use super::rows::File;
use super::{lookup, read, understood, wanted};
use crate::{Deps, import_under_way};

const ALREADY_MAPPED: &str = "is mapped already";

/// How to import.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct How {
    /// Check everything, say what would come of it, and change nothing.
    #[serde(default)]
    dry_run: bool,
    /// Take mappings that there are none of, and refuse rows of all others: nothing is replaced.
    #[serde(default)]
    only_new: bool,
}

/// What came of an import. A company counts once, with all of its overrides.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MappingsImported)]
pub(crate) struct Imported {
    /// Mappings that there were none of.
    created: usize,
    /// Mappings that replaced others.
    changed: usize,
    /// Mappings that were here already, as they are.
    unchanged: usize,
    /// Rows of the file, without its header and empty ones.
    rows: usize,
    /// Whether nothing was changed because only a check was asked for.
    dry_run: bool,
    /// What would change, where only a check was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Changes>,
}

/// Import mappings from a CSV file: all of them, or none. What the file does not name stays as it is; a company is given with
/// all of its overrides. Every row is checked, with the PSA as well, before anything is changed.
#[utoipa::path(
    post, path = "/v1/connections/{id}/mappings.csv", tag = "mappings", operation_id = "post_mappings_csv",
    params(("id" = String, Path), How),
    request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 200, description = "Imported, or checked", body = Imported),
        (status = 409, description = "`import_under_way`: another import is; nothing was changed"),
        (status = 413, description = "The file has more than 5 MB"),
        (status = 422, description = "Some row is not valid; nothing was changed"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn post(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
    Query(how): Query<How>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Imported>, Problem> {
    let psa = deps.opener.open(&caller.partner, &connection).await?;
    let text = csv_text(&headers, body).await?;
    let mut faults = SheetFaults::default();
    let rows = read::rows(&text, &mut faults)?;
    let file = File::of(&rows, &mut faults);
    let stored = deps.mappings.everything(&caller.partner, &connection).await?;
    understood(&stored)?;
    let now = deps.clock.now();
    let wanted = wanted::wanted(&file, &stored, (now, &caller.actor), &mut faults);
    how.allows(&file, &stored, &mut faults);
    let zone = TimeZone::get(&psa.connection.time_zone).map_err(Problem::internal)?;
    match lookup::look_up(psa.connector.as_ref(), &file, now.to_zoned(zone).date()).await {
        Ok(found) => faults.extend(found),
        // Who has faults to mend hears of those; who has none, why the check did not come to its end.
        Err(error) if faults.is_empty() => return Err(error.into()),
        Err(_) => (),
    }
    faults.refuse()?;
    let (weighed, changes) = match how.dry_run {
        true => (stored.weigh(&wanted), Some(Changes::between(&file, &stored, &wanted))),
        false => (store(&deps, (&caller, &connection), (&file, &how), (stored, wanted)).await?, None),
    };
    let Weighed { created, changed, unchanged } = weighed;
    Ok(Json(Imported { created, changed, unchanged, rows: rows.len(), dry_run: how.dry_run, changes }))
}

impl How {
    /// A mapping that stands is a fault of the row that would replace it, where only new ones are taken.
    fn allows(&self, file: &File, stored: &Everything, faults: &mut SheetFaults) {
        if !self.only_new {
            return;
        }
        for mapping in &stored.products {
            if let Some(row) = file.products.get(&mapping.product) {
                faults.cell(row.row, Column::Product, ALREADY_MAPPED);
            }
        }
        for mapping in &stored.companies {
            if let Some(row) = file.companies.get(&mapping.company) {
                faults.cell(row.row, Column::Company, ALREADY_MAPPED);
            }
        }
    }
}

/// Stores what is `wanted` in view of what is `stored`, and what came of it.
async fn store(
    deps: &Deps,
    (caller, connection): (&Caller, &ConnectionId),
    (file, how): (&File, &How),
    (mut stored, mut wanted): (Everything, Everything),
) -> Result<Weighed, Problem> {
    let weighed = stored.weigh(&wanted);
    if (weighed.created, weighed.changed) == (0, 0) {
        return Ok(weighed);
    }
    let now = deps.clock.now();
    let begun = deps.mappings.begin_import(&caller.partner, connection, now).await?;
    let import = begun.ok_or_else(import_under_way)?;
    let found = import.stored().await;
    // Others may have changed something between the check and now; from now on nobody can.
    if !matches!(&found, Ok(found) if *found == stored) {
        let mut faults = SheetFaults::default();
        let sound = found.map_err(Problem::from).and_then(|found| {
            understood(&found)?;
            wanted = wanted::wanted(file, &found, (now, &caller.actor), &mut faults);
            how.allows(file, &found, &mut faults);
            stored = found;
            faults.refuse()
        });
        if let Err(problem) = sound {
            import.give_up().await?;
            return Err(problem);
        }
    }
    let weighed = stored.weigh(&wanted);
    match import.carry_out(&stored, wanted).await? {
        true => Ok(weighed),
        false => Err(Problem::conflict("import_too_slow", "The import took too long; nothing was changed.")
            .fix("Send the file again, or in parts.")),
    }
}

async fn csv_text(headers: &HeaderMap, body: Body) -> Result<String, Problem> {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !sent.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv") {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_csv", "Send the body as text/csv."));
    }
    let body = bytes(body).await.map_err(|problem| match problem.status() {
        // API Gateway lets 10 MB through; the function behind it is not given more than 6, wrapped as JSON.
        StatusCode::PAYLOAD_TOO_LARGE => {
            problem.fix("Send several files: what a file does not name stays as it is. No switch raises this limit.")
        }
        _ => problem,
    })?;
    String::from_utf8(body.to_vec()).map_err(|error| {
        let sound = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let row = sound.filter(|byte| **byte == b'\n').fold(1_u64, |row, _| row + 1);
        let mut faults = SheetFaults::default();
        faults.row(row, "is not UTF-8");
        faults.refuse().err().unwrap_or_else(|| Problem::internal("a fault refuses"))
    })
}
