//! `GET /v1/connections/{id}/unmapped`: usage of the last two months that no mapping of the connection takes.

use axum::extract::State;
use shared::api::auth::Reader;
use shared::api::paging::{List, Listing, Paging};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::ids::{ConnectionId, PartnerId};
use shared::store::Read;
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
        let Everything { products, companies } = deps.mappings.everything(partner, connection).await?;
        let book = deps.usage.load(partner, months).await?;
        Ok(Self { feeds: unmapped(&book, since, &products, &companies), products, companies })
    }
}

/// List usage that no mapping takes.
///
/// Companies and products that were counted in this month or the last, in UTC, and that add to no line of this connection:
/// the company is not mapped, or it is and the product is not. What a mapping excludes is not listed, and neither is what was
/// zero all the time.
#[utoipa::path(
    get, path = "/v1/connections/{id}/unmapped", tag = "mappings", operation_id = "list_unmapped",
    params(("id" = String, Path), Paging),
    responses((status = 200, description = "By company and product", body = Listing<Unmapped>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Unmapped>>, Problem> {
    let found = deps.connections.get(&caller.partner, &connection, Read::Eventual).await?;
    found.ok_or_else(|| Problem::not_found("connection"))?;
    let list = List::named(&["unmapped", connection.as_str()]);
    let after = list.position(paging.cursor.as_deref())?;
    let feeds = Loose::read(&deps, &caller.partner, &connection).await?.feeds;
    let place = |feed: &Unmapped| format!("{}#{}", feed.company, feed.product);
    let page = cut(feeds, after.as_deref(), place, paging.limit.get());
    Ok(Json(list.page(page.items, page.next.as_deref())))
}

/// A page of what is all here, and where it ended if more follows.
pub(crate) struct Cut<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

/// The page after the place `after`, of items in a fixed order. A place names its item and no other; the item itself may be
/// gone by the time of the next page, and its neighbours are compared as the list is sorted: part by part.
pub(crate) fn cut<T>(items: Vec<T>, after: Option<&str>, place: impl Fn(&T) -> String, limit: u16) -> Cut<T> {
    let parts = |place: &str| place.split('#').map(str::to_owned).collect::<Vec<_>>();
    let after = after.map(parts);
    let mut rest = items.into_iter().filter(|item| after.as_ref().is_none_or(|after| parts(&place(item)) > *after));
    let items: Vec<T> = rest.by_ref().take(usize::from(limit)).collect();
    let next = items.last().map(&place).filter(|_| rest.next().is_some());
    Cut { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_behind_an_item_that_is_gone() {
        let items = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let first = cut(items(&["a#x", "a#y", "a b#x"]), None, String::clone, 2);
        assert_eq!((first.items, first.next.as_deref()), (items(&["a#x", "a#y"]), Some("a#y")));
        let rest = cut(items(&["a#x", "a b#x"]), Some("a#y"), String::clone, 2);
        assert_eq!((rest.items, rest.next), (items(&["a b#x"]), None));
    }
}
