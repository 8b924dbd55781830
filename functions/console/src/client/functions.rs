//! The functions whose routes are the API, put together.

use utoipa_axum::router::OpenApiRouter;

/// What each function's routes need.
#[derive(Clone)]
pub struct Functions {
    /// Of `functions/connections`.
    pub connections: connections::Deps,
    /// Of `functions/mappings`.
    pub mappings: mappings::Deps,
    /// Of `functions/usage`.
    pub usage: usage::Deps,
    /// Of `functions/runs`.
    pub runs: runs::Deps,
    /// Of `functions/alerts`.
    pub alerts: alerts::Deps,
    /// Of `functions/webhooks`.
    pub webhooks: webhooks::Deps,
}

impl Functions {
    /// Every route below `/v1`, with its description.
    #[must_use]
    pub fn routes(self) -> OpenApiRouter {
        OpenApiRouter::default()
            .merge(connections::router(self.connections))
            .merge(mappings::router(self.mappings))
            .merge(usage::router(self.usage))
            .merge(runs::router(self.runs))
            .merge(alerts::router(self.alerts))
            .merge(webhooks::router(self.webhooks))
    }
}
