//! `POST /v1/sources/{source}/pull`: has a source pulled now.

use axum::extract::State;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::api::auth::Writer;
use shared::api::{Json, Path, Problem, ProblemBody};
use shared::pulling::LOST_AFTER;
use shared::queue::PullMessage;
use shared::store::sources::UsageSource;
use utoipa::ToSchema;

use crate::Deps;

/// A pull that was asked for, or is going on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PullAsked)]
pub(crate) struct Asked {
    /// The instant that names it: `going.pull` of the source, and `last_pull.pull` when it has ended.
    #[schema(value_type = String, format = DateTime)]
    pull: Timestamp,
}

/// Pull a usage source now.
///
/// While a pull is going on, that one is answered and none is asked for.
#[utoipa::path(
    post, path = "/v1/sources/{source}/pull", tag = "sources", operation_id = "pull_source",
    params(("source" = String, Path)),
    responses((status = 202, body = Asked), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn pull(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Asked>), Problem> {
    let source = deps.source(&caller.partner, &name).await?;
    let now = deps.clock.now();
    let asked = next_pull(&source, now);
    let is_moving = |moved_at: Timestamp| now.duration_since(moved_at) < LOST_AFTER;
    if !source.going.as_ref().is_some_and(|going| is_moving(going.moved_at)) {
        let message = PullMessage::asks(&caller.partner, source.vendor, asked);
        deps.pulls.send_pulls(&[message]).await.map_err(Problem::internal)?;
    }
    // Whoever takes a message up goes on with a pull that has lost its own, before it begins another.
    let pull = source.going.map_or(asked, |going| going.pull);
    Ok((StatusCode::ACCEPTED, Json(Asked { pull })))
}

/// The name of a pull that is asked for at `now`: in whole seconds, by which its snapshots are called, and behind the last one's.
fn next_pull(source: &UsageSource, now: Timestamp) -> Timestamp {
    let now = whole_second(now);
    let behind_last = source.last.as_ref().and_then(|last| whole_second(last.pull).checked_add(SECOND).ok());
    behind_last.map_or(now, |behind| behind.max(now))
}

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn whole_second(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant)
}
