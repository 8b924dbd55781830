//! `GET /v1/connections/{id}/findings`: what a person must look at, has looked at, or had to look at once.
//! `GET /v1/findings/{finding}`: one of them.

use axum::extract::State;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use shared::api::auth::{Caller, Reader};
use shared::api::paging::{Limit, List, Listing};
use shared::api::{Json, Path, Problem, ProblemBody, Query, owned};
use shared::domain::finding::{Ending, Finding, FindingState};
use shared::domain::ids::{ConnectionId, FindingId};
use shared::domain::money::LineMoney;
use shared::domain::units::Units;
use shared::store::Read;
use shared::store::connections::Connection;
use utoipa::{IntoParams, ToSchema};

use crate::Deps;

/// Which findings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only findings that have come so far; the open ones where it is left out.
    status: Option<FindingState>,
    /// Items on a page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Something that a person must look at.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Finding)]
pub struct FindingView {
    /// Its id. A thing that comes back has the same id again.
    pub id: String,
    /// How far it has come.
    pub status: FindingState,
    /// Stable name of what was found.
    pub code: String,
    /// What was found, in words.
    pub explanation: String,
    /// What to do about it.
    pub fix: String,
    /// The line, as results name it, where it is about one.
    pub line_id: Option<String>,
    /// The metered charge, as results name it, where it is about one.
    pub charge_id: Option<String>,
    /// The contract, where it is about one, or about a line or charge.
    pub contract_id: Option<String>,
    /// The service, where it is about a line.
    pub service_id: Option<String>,
    /// The PSA account, where it is known.
    pub account_id: Option<String>,
    /// The company of the line's first feed.
    pub company: Option<String>,
    /// Its name.
    pub company_name: Option<String>,
    /// The product of the line's first feed.
    pub product: Option<String>,
    /// Units found in the PSA.
    #[schema(value_type = Option<u32>)]
    pub before: Option<Units>,
    /// Units that the line should carry.
    #[schema(value_type = Option<u32>)]
    pub target: Option<Units>,
    /// The day from which the change in question counts.
    #[schema(value_type = Option<String>, format = Date)]
    pub effective_date: Option<Date>,
    /// What is at stake: positive what is not billed yet, negative what is billed too much; null where it is not known.
    pub money: Option<LineMoney>,
    /// When it was noticed first.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    /// When its words or numbers last changed. A run that notices it unchanged leaves this as it is.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Timestamp,
    /// The run that noticed it so.
    pub run_id: String,
    /// When a person resolved it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<Timestamp>,
    /// Who.
    pub resolved_by: Option<String>,
    /// What that person said.
    pub note: Option<String>,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    /// Why it is over.
    pub closed_because: Option<Ending>,
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        let noticed = finding.noticed;
        let line = noticed.subject.line();
        Self {
            id: finding.id,
            status: finding.state,
            line_id: line.map(ToString::to_string),
            charge_id: noticed.subject.charge().map(ToString::to_string),
            contract_id: noticed.subject.contract().map(ToString::to_string),
            service_id: line.map(|line| line.service.to_string()),
            code: noticed.reason.code,
            explanation: noticed.reason.explanation,
            fix: noticed.reason.fix,
            account_id: noticed.account.map(String::from),
            company: noticed.company.map(String::from),
            company_name: Some(noticed.company_name).filter(|name| !name.is_empty()),
            product: noticed.product.map(String::from),
            before: noticed.before,
            target: noticed.target,
            effective_date: noticed.effective_date,
            money: noticed.money,
            opened_at: finding.opened_at,
            seen_at: finding.seen_at,
            run_id: finding.run.to_string(),
            resolved_at: finding.resolved_at,
            resolved_by: finding.resolved_by,
            note: finding.note,
            closed_at: finding.closed_at,
            closed_because: finding.ending,
        }
    }
}

/// List a connection's findings: closed ones newest first, the others in no particular order.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}/findings",
    tag = "findings",
    params(("id" = String, Path), Which),
    responses(
        (status = 200, body = Listing<FindingView>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
    Query(which): Query<Which>,
) -> Result<Json<Listing<FindingView>>, Problem> {
    let connection = owned::connection(&deps.connections, &caller, &connection).await?;
    let state = which.status.unwrap_or(FindingState::Open);
    let list = List::named(&["findings", connection.id.as_str(), &format!("{state:?}")]);
    let after = list.position(which.cursor.as_deref())?;
    let limit = usize::from(which.limit.get());
    let page = deps.findings.page(&connection, state, after.as_deref(), limit).await?;
    let items = page.items.into_iter().map(FindingView::from).collect();
    Ok(Json(list.page(items, page.next.as_deref()).with_unreadable(page.unreadable)))
}

/// One finding, as long as it stands or was over lately.
#[utoipa::path(
    get,
    path = "/v1/findings/{finding}",
    tag = "findings",
    params(("finding" = String, Path)),
    responses(
        (status = 200, body = FindingView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn get(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(finding): Path<FindingId>,
) -> Result<Json<FindingView>, Problem> {
    let (connection, fingerprint) = place(&deps, &caller, &finding).await?;
    let standing = deps.findings.get(&connection, fingerprint).await?;
    let found = match standing {
        Some(finding) => Some(finding),
        None => deps.findings.closed_lately(&connection, fingerprint).await?,
    };
    found.map(|finding| Json(finding.into())).ok_or_else(not_found)
}

/// The connection that a finding is of, and what it is called there.
pub(crate) async fn place<'a>(
    deps: &Deps,
    caller: &Caller,
    finding: &'a FindingId,
) -> Result<(Connection, &'a str), Problem> {
    let (connection, fingerprint) = finding.as_str().rsplit_once('.').ok_or_else(not_found)?;
    let connection = connection.parse().map_err(|_| not_found())?;
    let found = deps.connections.get(&caller.partner, &connection, Read::Consistent).await?;
    Ok((found.ok_or_else(not_found)?, fingerprint))
}

pub(crate) fn not_found() -> Problem {
    Problem::not_found("finding")
}
