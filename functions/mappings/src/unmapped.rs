//! `GET /v1/connections/{id}/unmapped`: usage of the last two months that no mapping of the connection takes, and metered
//! charges that nothing bills. As JSON by page, or as a CSV file.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use shared::api::auth::Reader;
use shared::api::paging::{List, Listing, Paging, cut};
use shared::api::sheet::{self, AtHand, Column, Sheet, Wants};
use shared::api::{Json, Path, Problem, ProblemBody, Query, owned};
use shared::domain::ids::{ConnectionId, PartnerId};
use shared::store::connections::Connection;
use shared::store::mappings::{ChargeMapping, CompanyMapping, Everything, ProductMapping};
use shared::sync::{Charged, Unmapped, UnmappedCharges, recent_months, unmapped};

use crate::Deps;

/// What nothing takes, and what the mappings are.
pub(crate) struct Loose {
    /// By company and product.
    pub(crate) feeds: Vec<Unmapped>,
    pub(crate) products: Vec<ProductMapping>,
    pub(crate) companies: Vec<CompanyMapping>,
    charged: Vec<ChargeMapping>,
}

impl Loose {
    /// Of a connection, in view of the usage of this month and the last.
    pub(crate) async fn read(deps: &Deps, partner: &PartnerId, connection: &ConnectionId) -> Result<Self, Problem> {
        let months = recent_months(deps.clock.now());
        let since = *months.start();
        let Everything { products, companies, charges } = deps.mappings.everything(partner, connection).await?;
        let book = deps.usage.load(partner, months).await?;
        Ok(Self { feeds: unmapped(&book, since, &products, &companies), products, companies, charged: charges })
    }

    /// Its feeds, and the charges of `connection` that nothing bills; by company and product.
    async fn with_charges(self, deps: &Deps, connection: &Connection) -> Result<Vec<Unmapped>, Problem> {
        let Self { mut feeds, products, companies, charged } = self;
        let Deps { connections, mappings, usage, clock, .. } = deps;
        let found = UnmappedCharges { connections, mappings, usage, clock: clock.as_ref() };
        feeds.extend(found.of(connection, &Everything { products, companies, charges: charged }).await?);
        // Stable: the counts of a company and product stand before its charges.
        feeds.sort_by(|a, b| (&a.company, &a.product).cmp(&(&b.company, &b.product)));
        Ok(feeds)
    }
}

/// List usage that no mapping takes.
///
/// Companies and products that were counted in this month or the last, in UTC, and that add to no line of this connection:
/// the company is not mapped, or it is and the product is not. What a mapping excludes is not listed, and neither is what was
/// zero all the time. Metered charges are listed beside counts, with `charges` and a quantity of 0: those of the running
/// billing period and the last one whose product no connection maps for charges (`charges_not_mapped`), or whose company is
/// mapped to none (`company_not_mapped`). With `Accept: text/csv` it comes as one file, bounded as every other; `limit` is not looked at for it.
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
    let owned = owned::connection(&deps.connections, &caller, &connection).await?;
    let list = List::named(&["unmapped", connection.as_str()]);
    let after = list.position(paging.cursor.as_deref())?;
    let feeds = Loose::read(&deps, &caller.partner, &connection).await?.with_charges(&deps, &owned).await?;
    let place = |feed: &Unmapped| {
        let of_charges = if feed.charges.is_some() { "#charges" } else { "" };
        format!("{}#{}{of_charges}", feed.company, feed.product)
    };
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
        ("charges", |row| amounts(&row.0)),
    ];
}

/// `12.50 EUR, 3.00 USD`.
fn amounts(row: &Unmapped) -> String {
    row.charges.iter().flatten().map(Charged::to_string).collect::<Vec<_>>().join(", ")
}
