//! The routers of all functions as one, with one description of them at `/openapi.json`.

use axum::Router;
use axum::routing::get;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use web_console::Functions;

/// Every route. `/openapi.json` and `/healthz` ask for no token.
pub(crate) fn merged(functions: Functions) -> Router {
    let all = OpenApiRouter::with_openapi(described()).merge(functions.routes());
    let (router, openapi) = all.split_for_parts();
    router
        .route("/openapi.json", get(async || axum::Json(openapi)))
        .route("/healthz", get(async || axum::Json(serde_json::json!({ "status": "ok" }))))
}

fn described() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Tallyline")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Usage counts into the recurring service contracts of a PSA; alerts into its tickets. A name of yours in a path (a \
             company, a product, a key) that holds more than letters, digits and -._:@ is written as ~ and its base64url \
             without padding: ~QT8x is A?1. Percent-encoding is not safe on AWS, where the gateway decodes paths.",
        ))
        .build();
    let mut components = Components::new();
    components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    OpenApiBuilder::new().info(info).components(Some(components)).build()
}
