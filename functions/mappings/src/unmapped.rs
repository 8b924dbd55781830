//! `GET /v1/connections/{id}/unmapped`: usage of the last two months that no mapping of the connection takes. As JSON by page,
//! or as a CSV file.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use shared::api::auth::Reader;
use shared::api::paging::{List, Listing, Paging, cut};
use shared::api::sheet::{self, AtHand, Column, Sheet, Wants};
use shared::api::{Json, Path, Problem, ProblemBody, Query, owned};
use shared::domain::ids::{ConnectionId, PartnerId};
use shared::store::mappings::{CompanyMapping, Everything, ProductMapping};
use shared::sync::{Unmapped, recent_months, unmapped};

use crate::Deps;

/// What nothing takes, and what the mappings are.
pub(crate) struct Loose {
    /// By company and product.
    pub(crate) feeds: Vec<Unmapped>,
    pub(crate) products: Vec<ProductMapping>,
    pub(crate) companies: Vec<CompanyMapping>,
}

impl Loose {
    /// Of a connection, in view of the usage of this month and the last.
    pub(crate) async fn read(deps: &Deps, partner: &PartnerId, connection: &ConnectionId) -> Result<Self, Problem> {
        let months = recent_months(deps.clock.now());
        let since = *months.start();
        let Everything { products, companies, .. } = deps.mappings.everything(partner, connection).await?;
        let book = deps.usage.load(partner, months).await?;
        Ok(Self { feeds: unmapped(&book, since, &products, &companies), products, companies })
    }
}

/// List usage that no mapping takes.
///
/// Companies and products that were counted in this month or the last, in UTC, and that add to no line of this connection:
/// the company is not mapped, or it is and the product is not. What a mapping excludes is not listed, and neither is what was
/// zero all the time. With `Accept: text/csv` it comes as one file, bounded as every other; `limit` is not looked at for it.
#[utoipa::path(
    get, path = "/v1/connections/{id}/unmapped", tag = "mappings", operation_id = "list_unmapped",
    params(("id" = String, Path), Paging),
    responses((status = 200, description = "By company and product", content((Listing<Unmapped> = "application/json"), (String = "text/csv"))), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
    Query(paging): Query<Paging>,
    wants: Wants,
) -> Result<Response, Problem> {
    owned::connection(&deps.connections, &caller, &connection).await?;
    let list = List::named(&["unmapped", connection.as_str()]);
    let after = list.position(paging.cursor.as_deref())?;
    let feeds = Loose::read(&deps, &caller.partner, &connection).await?.feeds;
    let place = |feed: &Unmapped| format!("{}#{}", feed.company, feed.product);
    if wants.csv() {
        let rows: Vec<Row> = feeds.into_iter().map(Row).collect();
        let records = AtHand::of(&rows, |row| place(&row.0));
        return sheet::answer(&format!("unmapped-{connection}"), &list, &records, (&wants, after)).await;
    }
    let page = cut(feeds, after.as_deref(), place, paging.limit.get().into());
    Ok(Json(list.page(page.items, page.next.as_deref())).into_response())
}

/// A row of the file.
struct Row(Unmapped);

impl Sheet for Row {
    const COLUMNS: &'static [Column<Self>] = &[
        ("company", |row| row.0.company.to_string()),
        ("company_name", |row| sheet::cell(row.0.company_name.as_ref())),
        ("product", |row| row.0.product.to_string()),
        ("quantity", |row| row.0.quantity.to_string()),
        ("as_of", |row| row.0.as_of.to_string()),
        ("why", |row| sheet::word(&row.0.why)),
        ("account_id", |row| sheet::cell(row.0.account_id.as_ref())),
    ];
}
