//! `PUT /v1/sources/{source}`: the vendor is asked first; only credentials that it lets read are stored.
//!
//! The secret is written before the row: a secret without a row harms nobody, a row without its secret is a source that fails
//! every day.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use shared::api::auth::Writer;
use shared::api::{Fault, Json, Path, Problem, ProblemBody, pointer};
use shared::domain::ids::{PartnerId, ProductKey};
use shared::psa::Kind;
use shared::secrets::SecretName;
use shared::sources::{Metric, SourceCredentials, SourceError, Vendor};
use shared::store::Read;
use shared::store::sources::{Setting, UsageSource};

use super::body::{Body, Wanted};
use super::view::SourceView;
use crate::Deps;

/// A vendor may have its client wait when it is asked too often. The caller's own gateway gives up after half a minute.
const LONGEST_TEST: Duration = Duration::from_secs(20);

/// Set a usage source up, or change it.
///
/// Credentials are tried with the very right that counting needs; if they fail, all stays as it was. Whatever else is left
/// out is as usual again. A source that is new or was changed is pulled within a quarter of an hour.
#[utoipa::path(
    put, path = "/v1/sources/{source}", tag = "sources", operation_id = "put_source",
    params(("source" = String, Path, description = "`huntress`, for example; `GET /v1/sources` names all")),
    request_body = Body,
    responses(
        (status = 201, description = "Set up", body = SourceView),
        (status = 200, description = "Changed, or as it was", body = SourceView),
        (status = 409, description = "`product_of_another_source`, or `product_counted_otherwise`", body = ProblemBody, content_type = "application/problem+json"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn put(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(name): Path<String>,
    Json(body): Json<Body>,
) -> Result<(StatusCode, Json<SourceView>), Problem> {
    let vendor = super::vendor(&name)?;
    let sources = deps.sources.all(&caller.partner).await?;
    let is_new = sources.iter().all(|source| source.vendor != vendor);
    let wanted = body.checked(vendor, is_new)?;
    refuse_products_of_others(&sources, vendor, &wanted.setting)?;
    if !wanted.takes_over {
        let fed = sources.iter().find(|source| source.vendor == vendor).map(|source| &source.products);
        refuse_counted_products(&deps, &caller.partner, vendor, fed, &wanted.setting).await?;
    }
    if let Some(credentials) = &wanted.credentials {
        test(&deps, credentials).await.map_err(refused)?;
        // No pull may go on with the credentials of another account.
        deps.sources.edit(&caller.partner, vendor, |source| source.going.take().is_some()).await?;
        deps.secrets.put(&SecretName::of_source(&caller.partner, vendor), &credentials.to_secret()).await?;
    }
    let created = if is_new { create(&deps, &caller.partner, vendor, &wanted).await? } else { None };
    let (status, source) = match created {
        Some(source) => (StatusCode::CREATED, source),
        None => (StatusCode::OK, change(&deps, &caller.partner, vendor, &wanted).await?),
    };
    Ok((status, Json(source.into())))
}

/// Counts of a product come from one source: two would take turns in overwriting each other.
fn refuse_products_of_others(sources: &[UsageSource], vendor: Vendor, setting: &Setting) -> Result<(), Problem> {
    let others = || sources.iter().filter(|source| source.vendor != vendor);
    let fault = |(metric, product)| {
        let other = others().find(|source| source.products.values().any(|fed| fed == product))?;
        let detail = format!("{product} is fed by the source {}", other.vendor.as_str());
        Some(Fault::new(pointer("/products", metric), detail))
    };
    let products = setting.products.iter().map(|(metric, product)| (metric.as_str(), product));
    let faults: Vec<_> = products.filter_map(fault).collect();
    let Some(first) = faults.first() else { return Ok(()) };
    Err(Problem::conflict("product_of_another_source", format!("A product has one source, and {}.", first.detail))
        .faults(faults)
        .fix("Map the metric to a product of its own, or take the product out of the other source first."))
}

/// A product that was pushed so far, or pulled from elsewhere, knows its companies by other ids. Both would be billed.
async fn refuse_counted_products(
    deps: &Deps,
    partner: &PartnerId,
    vendor: Vendor,
    fed: Option<&BTreeMap<Metric, ProductKey>>,
    setting: &Setting,
) -> Result<(), Problem> {
    let is_new = |product: &ProductKey| fed.is_none_or(|fed| fed.values().all(|other| other != product));
    if !setting.products.values().any(is_new) {
        return Ok(());
    }
    let newest = deps.usage.newest_complete(partner).await?;
    let fault = |(metric, product): (&Metric, &ProductKey)| {
        let newest =
            newest.get(product).filter(|newest| is_new(product) && Vendor::pulled(&newest.snapshot) != Some(vendor))?;
        let detail = format!("{product} was counted by the snapshot {} of {}", newest.snapshot, newest.as_of);
        Some(Fault::new(pointer("/products", metric.as_str()), detail))
    };
    let faults: Vec<_> = setting.products.iter().filter_map(fault).collect();
    let Some(first) = faults.first() else { return Ok(()) };
    let detail = format!("{}, and a product is counted in one way.", first.detail);
    Err(Problem::conflict("product_counted_otherwise", detail).faults(faults).fix(
        "Map the metric to a product of its own. Or stop what counts it now, remove the mappings of its companies, and send \"take_over\": true.",
    ))
}

async fn test(deps: &Deps, credentials: &SourceCredentials) -> Result<(), SourceError> {
    let source = deps.registry.open(credentials)?;
    let tested = tokio::time::timeout(LONGEST_TEST, source.test()).await;
    let too_slow = "The vendor did not let us read within 20 seconds.";
    tested.unwrap_or_else(|_| Err(SourceError::new(Kind::Unavailable, "source_too_slow", too_slow, ""))).map(drop)
}

/// What may pass is told with what to do about it here: no pull comes by itself before it is set up.
fn refused(error: SourceError) -> Problem {
    let may_pass = matches!(error.kind, Kind::RateLimited | Kind::Unavailable | Kind::Protocol);
    let problem = Problem::from(error);
    if !may_pass {
        return problem;
    }
    problem.fix("Nothing was changed. Send it again in a while; if it stays, look at the vendor's status page.")
}

/// Stores a source that is new. `None`: another request was first.
async fn create(
    deps: &Deps,
    partner: &PartnerId,
    vendor: Vendor,
    wanted: &Wanted,
) -> Result<Option<UsageSource>, Problem> {
    let source = UsageSource::new(partner.clone(), vendor, wanted.setting.clone(), deps.clock.now());
    match deps.sources.create(&source).await {
        Ok(is_made) => Ok(is_made.then_some(source)),
        Err(error) => {
            // The write may have been made all the same. Only a row that is surely absent lets the secret go.
            if let Ok(None) = deps.sources.get(partner, vendor, Read::Consistent).await
                && let Err(error) = deps.secrets.delete(&SecretName::of_source(partner, vendor)).await
            {
                tracing::warn!(%error, source = vendor.as_str(), "the secret of a source that was not made is left behind");
            }
            Err(error.into())
        }
    }
}

/// Changes a source that is there, where anything is different or its credentials are new.
async fn change(deps: &Deps, partner: &PartnerId, vendor: Vendor, wanted: &Wanted) -> Result<UsageSource, Problem> {
    let now = deps.clock.now();
    let changed = deps.sources.edit(partner, vendor, |source| {
        let is_different = wanted.credentials.is_some() || source.setting() != wanted.setting;
        if is_different {
            source.set(wanted.setting.clone(), now);
        }
        is_different
    });
    if let Some(source) = changed.await? {
        return Ok(source);
    }
    // It was removed in the meantime: the secret that was just written must not outlive that.
    deps.secrets.delete(&SecretName::of_source(partner, vendor)).await?;
    Err(super::not_set_up())
}
