//! Usage sources that are pulled: set up, looked at, pulled now, removed.
//!
//! One file a topic. Credentials are tried with their vendor before anything is stored; they go from the body to the secret
//! store and to the vendor, and into no row, answer or log line. What a source counts and which choices it knows is its
//! vendor's to say (`shared::sources`), reading it is `shared::pulling`'s.

mod body;
mod pull;
mod put;
mod read;
mod remove;
mod view;

use shared::api::Problem;
use shared::domain::ids::PartnerId;
use shared::sources::Vendor;
use shared::store::Read;
use shared::store::sources::UsageSource;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Deps;

/// The routes, all below `/v1/sources`.
pub(crate) fn routes() -> OpenApiRouter<Deps> {
    OpenApiRouter::default()
        .routes(routes!(read::list))
        .routes(routes!(put::put, read::get, remove::remove))
        .routes(routes!(pull::pull))
}

/// The vendor that a path names.
fn vendor(name: &str) -> Result<Vendor, Problem> {
    let known = || Vendor::ALL.iter().map(|vendor| vendor.as_str()).collect::<Vec<_>>().join(", ");
    Vendor::named(name).ok_or_else(|| not_found().fix(format!("Name one of {}.", known())))
}

fn not_found() -> Problem {
    Problem::not_found("source")
}

/// There could be one, and there is none.
fn not_set_up() -> Problem {
    not_found().fix("Set it up first: PUT /v1/sources/{source}.")
}

impl Deps {
    /// The partner's source of the vendor that a path names.
    async fn source(&self, partner: &PartnerId, name: &str) -> Result<UsageSource, Problem> {
        let found = self.sources.get(partner, vendor(name)?, Read::Consistent).await?;
        found.ok_or_else(not_set_up)
    }
}
