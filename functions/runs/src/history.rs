//! `GET /v1/connections/{id}/history`: who did what, when, and what it was before and after. It is only read here: what
//! happens writes its own entry, and nothing changes or removes one.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Deserialize;
use shared::api::auth::Reader;
use shared::api::paging::{Limit, List, Listing};
use shared::api::{Json, Path, Problem, ProblemBody, Query, instant, owned, refused_query};
use shared::domain::ids::{CompanyId, ConnectionId, ProductKey};
use shared::domain::line::LineKey;
use shared::history::{Asked, Entry, Kind, Place};
use utoipa::IntoParams;

use crate::{Deps, history_sheet, sheet};

/// What of the history.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only what is about this company.
    #[param(value_type = Option<String>)]
    company: Option<CompanyId>,
    /// Only what is about this product.
    #[param(value_type = Option<String>)]
    product: Option<ProductKey>,
    /// Only what is about this line, `contract:service`.
    line: Option<String>,
    /// Only what is about this charge, by the `charge_id` of results.
    charge: Option<String>,
    /// Not before this instant.
    #[serde(default, deserialize_with = "instant")]
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this instant.
    #[serde(default, deserialize_with = "instant")]
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Only entries of this kind.
    kind: Option<Kind>,
    /// Items on a page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What happened on a connection, newest first.
///
/// Every run, approval and reversal, every change of the connection, its credentials and its mappings, every finding that a
/// person resolved, and every change of a line or a charge that was sent. With a company, product, line or charge only what
/// is about it; a sync of all lines is about none of them in particular. A page that has much to pass over may hold fewer items than
/// `limit`, or none, and still have a `next_cursor`.
///
/// With `Accept: text/csv` all of it comes as one file, of at most 5,000 entries: one that is cut short says so in its last
/// row, with the cursor to go on after.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}/history",
    tag = "history",
    operation_id = "history",
    params(("id" = String, Path), Which),
    responses(
        (status = 200, content((Listing<Entry> = "application/json"), (String = "text/csv"))),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn history(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let connection = owned::connection(&deps.connections, &caller, &connection).await?;
    let list = which.list(&connection.id);
    let (limit, cursor) = (usize::from(which.limit.get()), which.cursor.clone());
    let no_place = |_| refused_query("cursor", "must be the next_cursor of the same list with the same filters");
    let after: Option<Place> =
        list.position(cursor.as_deref())?.map(|place| place.parse()).transpose().map_err(no_place)?;
    let reading = deps.history.read(&connection, which.asked()?).await?;
    if sheet::is_wanted(&headers) {
        let sheet = history_sheet::of(&reading, &list, after).await?;
        let name = format!("attachment; filename=\"history-{}.csv\"", connection.id);
        let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, name.as_str())];
        return Ok((headers, sheet).into_response());
    }
    let page = reading.page(after.as_ref(), limit).await?;
    let next = page.next.map(|place| place.to_string());
    Ok(Json(list.page(page.entries, next.as_deref())).into_response())
}

impl Which {
    /// The list of these filters, to which its cursors are bound.
    fn list(&self, connection: &ConnectionId) -> List {
        let text = |instant: Option<Timestamp>| instant.map(|instant| instant.to_string()).unwrap_or_default();
        let kind = self.kind.map(|kind| format!("{kind:?}")).unwrap_or_default();
        let (from, to) = (text(self.from), text(self.to));
        let mut names = vec![
            "history",
            connection.as_str(),
            self.company.as_ref().map_or("", CompanyId::as_str),
            self.product.as_ref().map_or("", ProductKey::as_str),
            self.line.as_deref().unwrap_or_default(),
            &from,
            &to,
            &kind,
        ];
        // Only where it is asked for: cursors that an earlier version gave go on.
        names.extend(self.charge.as_deref());
        List::named(&names)
    }

    fn asked(self) -> Result<Asked, Problem> {
        let Self { company, product, line, charge, from, to, kind, .. } = self;
        let line = line.as_deref().map(named).transpose()?;
        let no_charge = |_| refused_query("charge", "must be a charge_id as results name it");
        let charge = charge.as_deref().map(str::parse).transpose().map_err(no_charge)?;
        Ok(Asked { company, product, line, charge, from, to, kind })
    }
}

/// The line that results call so.
fn named(id: &str) -> Result<LineKey, Problem> {
    let parts =
        id.split_once(':').and_then(|(contract, service)| Some((contract.parse().ok()?, service.parse().ok()?)));
    let (contract, service) =
        parts.ok_or_else(|| refused_query("line", "must be a line's id as results name it, contract:service"))?;
    Ok(LineKey { contract, service })
}
