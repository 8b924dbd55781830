//! `POST /v1/findings/{finding}/resolve`: a person has looked at a finding.

use axum::extract::State;
use axum::http::header;
use jiff::Timestamp;
use serde::Deserialize;
use shared::api::auth::Writer;
use shared::api::{Fault, Json, Path, Problem, ProblemBody, present};
use shared::domain::finding::Finding;
use shared::domain::ids::FindingId;
use shared::sync::{Resolved, SyncError};
use utoipa::ToSchema;

use crate::findings::FindingView;
use crate::{Deps, findings};

/// The longest note, in characters.
const MOST_CHARACTERS: usize = 500;

/// After how many seconds a line that a worker has may be asked for again.
const RETRY_AFTER_S: i64 = 30;

/// What the person has to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolveBody {
    /// For the record: 1 to 500 characters.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500)]
    note: Option<String>,
    /// `seen_at` of the finding that was looked at: where it says something else by now, nothing is resolved.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime)]
    seen_at: Option<Timestamp>,
}

/// Resolve a finding.
///
/// What that does follows from its code:
/// - `write_unsettled`, `write_unexplained`: the write whose outcome nobody knows is given up (kept as rejected, never as
///   applied), and the next run goes on from the units that the PSA shows then. Put the line right in the PSA first. While
///   the write may still be on its way this is refused with `write_may_be_on_its_way`.
/// - `drift`: the units that somebody set are accepted as the starting point; the next run brings the line to its target,
///   guarded as any change.
/// - a held change (`fall_guard`, `rise_guard`, `feeds_fewer`, …): "seen, leave it". The line stays as it is, and the finding
///   stays resolved while the same change is held. To make the change, approve it in its run instead.
/// - anything else: "put right"; where it is not, the next run opens the finding again.
///
/// The same request again answers the same. Once it is resolved, another person or another note is answered with
/// `finding_resolved`, who resolved it and when: a second note is not kept.
#[utoipa::path(
    post,
    path = "/v1/findings/{finding}/resolve",
    tag = "findings",
    request_body = ResolveBody,
    params(("finding" = String, Path)),
    responses(
        (status = 200, description = "The finding as it is now", body = FindingView),
        (
            status = 409,
            description = "`write_may_be_on_its_way` with the instant from which it may be resolved, `line_busy`, \
                `finding_changed`, or `finding_resolved` with who resolved it and when",
            body = ProblemBody,
            content_type = "application/problem+json"
        ),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn resolve(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(finding): Path<FindingId>,
    Json(body): Json<ResolveBody>,
) -> Result<Json<FindingView>, Problem> {
    let note = body.note.as_deref().map(checked).transpose()?;
    let (connection, fingerprint) = findings::place(&deps, &caller, &finding).await?;
    match deps.resolver.resolve(&connection, fingerprint, (&caller.actor, note), body.seen_at).await.map_err(problem)? {
        Resolved::Is(finding) => Ok(Json((*finding).into())),
        Resolved::Before(finding) => Err(resolved_before(&finding, note.is_some())),
        Resolved::NotFound => Err(findings::not_found()),
        Resolved::Busy => {
            let detail = "A sync is at work on the line's account at this moment.";
            let busy = Problem::conflict("line_busy", detail).fix("Send the request again in a moment.");
            Err(busy.header(header::RETRY_AFTER, &RETRY_AFTER_S.to_string()))
        }
        Resolved::Changed => {
            let detail = "The finding says something else by now.";
            Err(Problem::conflict("finding_changed", detail).fix("Read it again, then resolve what it says now."))
        }
        Resolved::TooEarly(until) => {
            let detail = format!("The line's last write may still be on its way to the PSA until {until}.");
            let seconds = until.duration_since(deps.clock.now()).as_secs().max(1);
            let early = Problem::conflict("write_may_be_on_its_way", detail)
                .fix("Resolve it after that, if a run has not settled it by then.");
            Err(early.header(header::RETRY_AFTER, &seconds.to_string()))
        }
    }
}

/// Who was first, and when, for the one who comes second.
fn resolved_before(finding: &Finding, noted: bool) -> Problem {
    let said = finding.note.as_ref().map(|note| format!(" and said \"{note}\"")).unwrap_or_default();
    let detail = match (&finding.resolved_by, finding.resolved_at, finding.closed_at) {
        (Some(by), Some(at), _) => format!("{by} resolved it at {at}{said}."),
        (_, _, Some(at)) => format!("It was over by itself at {at}."),
        _ => "It is not open any more.".to_owned(),
    };
    let lost = if noted { " Your note was not kept." } else { "" };
    Problem::conflict("finding_resolved", format!("{detail}{lost}"))
        .fix("Nothing has to be done. If it comes back it is open again, and takes a note of its own.")
}

fn checked(note: &str) -> Result<&str, Problem> {
    let note = note.trim();
    if (1..=MOST_CHARACTERS).contains(&note.chars().count()) {
        return Ok(note);
    }
    Err(Problem::invalid(vec![Fault::new("/note", "must be 1 to 500 characters, or be left out")]))
}

fn problem(error: SyncError) -> Problem {
    match error {
        SyncError::Store(error) => error.into(),
        error => Problem::internal(error),
    }
}
