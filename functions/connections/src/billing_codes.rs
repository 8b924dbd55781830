//! `GET /v1/connections/{id}/catalog/billing-codes`: how the PSA accounts for charges and services, for people who map. Read
//! from the PSA at every request, whole: a tenant has a few dozen.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::api::auth::Reader;
use shared::api::paging::{Limit, List, Listing, cut};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::ids::ConnectionId;
use shared::psa::{BillingCode, BillingCodeKind, charges};
use utoipa::{IntoParams, ToSchema};

use crate::Deps;

/// Digits to which ids are filled up, so that they sort by number.
const ID_DIGITS: usize = 20;

/// The list of billing codes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// What they are used for.
    kind: Kind,
    /// Items on a page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What a billing code is used for.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BillingCodeKind)]
pub(crate) enum Kind {
    /// Charges.
    Material,
    /// Recurring services.
    RecurringService,
}

/// How something that is billed is accounted for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BillingCode)]
pub(crate) struct View {
    id: String,
    name: String,
    /// Whether it may be used. One that is not is listed so that it is not looked for.
    active: bool,
}

impl From<BillingCode> for View {
    fn from(code: BillingCode) -> Self {
        Self { id: code.id.into(), name: code.name, active: code.active }
    }
}

/// Billing codes of a kind, active or not, by id.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}/catalog/billing-codes",
    tag = "catalog",
    operation_id = "billing_codes",
    params(("id" = String, Path), Asked),
    responses((status = 200, body = Listing<View>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(id): Path<ConnectionId>,
    Query(asked): Query<Asked>,
) -> Result<Json<Listing<View>>, Problem> {
    let (kind, named) = match asked.kind {
        Kind::Material => (BillingCodeKind::Material, "material"),
        Kind::RecurringService => (BillingCodeKind::RecurringService, "recurring_service"),
    };
    let list = List::named(&[id.as_str(), "billing-codes", named]);
    let after = list.position(asked.cursor.as_deref())?;
    let psa = deps.opener.open(&caller.partner, &id).await?.connector;
    if kind == BillingCodeKind::Material {
        // A PSA without charges says so, and not that it has no services.
        charges::taken_by(psa.as_ref()).await?;
    }
    let place = |code: &BillingCode| format!("{:0>ID_DIGITS$}", code.id.as_str());
    let mut codes = psa.billing_codes(kind).await?;
    codes.sort_by_cached_key(place);
    let page = cut(codes, after.as_deref(), place, asked.limit.get().into());
    Ok(Json(list.page(page.items.into_iter().map(View::from).collect(), page.next.as_deref())))
}
