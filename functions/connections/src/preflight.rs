//! `GET /v1/connections/{id}/preflight`: what to look at before a connection is left to its schedule.
//!
//! Each check is a function of what was read beforehand and answers one item; a new check is one more of them in
//! [`CHECKS`]. Nothing is asked of the PSA: `POST …/test` does that.

use axum::extract::State;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use shared::api::auth::Reader;
use shared::api::{Json, Path, Problem, ProblemBody};
use shared::domain::breaker::Breaker;
use shared::domain::ids::ConnectionId;
use shared::domain::invoicing::Invoice;
use shared::domain::policy::Approval;
use shared::store::connections::{Connection, Status};
use utoipa::ToSchema;

use crate::Deps;

/// Every check, in the order in which they are told.
const CHECKS: [fn(&Subject) -> Item; 6] = [credentials, enabled, policy, circuit, schedule, invoice_day];

/// What the checks found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preflight {
    /// One item a check, always all of them.
    items: Vec<Item>,
}

/// What one check found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreflightItem)]
pub(crate) struct Item {
    /// The check.
    #[schema(value_type = String)]
    check: &'static str,
    /// `failed`: nothing can be synced. `warning`: something is to be decided or repaired.
    status: Verdict,
    /// Stable name of what is to be known; empty where all is well.
    code: String,
    /// What was found, in words.
    explanation: String,
    /// What to do about it; empty where nothing has to be done.
    fix: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Ok,
    Warning,
    Failed,
}

/// What the checks look at.
struct Subject {
    connection: Connection,
    breaker: Breaker,
    zone: TimeZone,
    now: Timestamp,
}

/// Look a connection over.
///
/// Tells what would keep its syncs from working, or invoices from having the newest counts. Asks nothing of the PSA.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}/preflight",
    tag = "connections",
    params(("id" = String, Path)),
    responses((status = 200, body = Preflight), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn preflight(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(id): Path<ConnectionId>,
) -> Result<Json<Preflight>, Problem> {
    let connection = deps.opener.connection(&caller.partner, &id).await?;
    let breaker = deps.opener.circuits().of(&caller.partner, &id).await?;
    let zone = TimeZone::get(&connection.time_zone).map_err(Problem::internal)?;
    let subject = Subject { connection, breaker, zone, now: deps.clock.now() };
    Ok(Json(Preflight { items: CHECKS.iter().map(|check| check(&subject)).collect() }))
}

impl Item {
    fn ok(check: &'static str, explanation: impl Into<String>) -> Self {
        let (code, fix) = (String::new(), String::new());
        Self { check, status: Verdict::Ok, code, explanation: explanation.into(), fix }
    }

    fn warning(check: &'static str, code: &str, explanation: impl Into<String>, fix: &str) -> Self {
        let (code, fix) = (code.to_owned(), fix.to_owned());
        Self { check, status: Verdict::Warning, code, explanation: explanation.into(), fix }
    }
}

impl Subject {
    /// An instant as the partner's calendar and clock show it.
    fn local(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }
}

fn credentials(subject: &Subject) -> Item {
    const CHECK: &str = "credentials";
    match subject.connection.status {
        Status::Active => Item::ok(CHECK, "As far as is known the PSA takes the credentials."),
        Status::CredentialsRejected => Item {
            status: Verdict::Failed,
            ..Item::warning(
                CHECK,
                "credentials_rejected",
                "The PSA refused the credentials, or a right was missing, when they were used last.",
                "Test the connection to see what is missing. Repair the user in the PSA, or send new credentials.",
            )
        },
        // Answered with a problem before any check.
        Status::Revoked => Item {
            status: Verdict::Failed,
            ..Item::warning(CHECK, "connection_revoked", "The connection was revoked.", "Make a new connection.")
        },
    }
}

fn enabled(subject: &Subject) -> Item {
    const CHECK: &str = "enabled";
    if subject.connection.enabled {
        return Item::ok(CHECK, "The connection is switched on.");
    }
    Item::warning(
        CHECK,
        "connection_off",
        "The connection is switched off: nothing is written to the PSA. Everything can be set up and previewed.",
        "Switch it on when a preview shows what you expect.",
    )
}

/// Whether anything is written without a person's word.
fn policy(subject: &Subject) -> Item {
    const CHECK: &str = "policy";
    let connection = &subject.connection;
    if connection.policy.shadow {
        let explanation =
            "The connection is in shadow mode: syncs show what they would change, and nothing is written.";
        return Item::warning(
            CHECK,
            "shadow",
            explanation,
            "End shadow mode in the policy when changes are to be written.",
        );
    }
    let written = "Changes within the guards are written without anybody's word";
    match connection.policy.approval {
        Approval::None => Item::ok(CHECK, format!("{written}; larger ones wait for approval.")),
        Approval::Always => Item::warning(
            CHECK,
            "approval_always",
            "By the policy every change waits: a sync writes nothing until a person approves its run.",
            "Approve each run, or set `approval` to none or first_run.",
        ),
        Approval::FirstRun if connection.first_run_approved => {
            let when = connection.first_run_approved_at.map(|at| format!(" on {}", subject.local(at)));
            let passed = format!("The first run was approved{}.", when.unwrap_or_default());
            Item::ok(CHECK, format!("{passed} {written}; larger ones wait for approval."))
        }
        Approval::FirstRun => Item::warning(
            CHECK,
            "first_run_not_approved",
            "The first run is not approved yet: a sync writes nothing until a person has approved all of one run.",
            "Look through a run or a preview, and approve all of it.",
        ),
    }
}

fn circuit(subject: &Subject) -> Item {
    const CHECK: &str = "circuit";
    match subject.breaker.trip() {
        None => Item::ok(CHECK, "Requests go out to the PSA."),
        Some(trip) => Item::warning(CHECK, &trip.why.code, subject.breaker.explanation(), &trip.why.fix),
    }
}

fn schedule(subject: &Subject) -> Item {
    const CHECK: &str = "schedule";
    let zone = &subject.connection.time_zone;
    let told = |at: Option<Timestamp>| at.map(|at| format!("{} ({zone})", subject.local(at)));
    let due = subject.connection.next_due_at;
    let explanation = match (due, told(due)) {
        (Some(due), Some(next)) if due > subject.now => format!("The next sync is at {next}."),
        (_, Some(next)) => format!("A sync has been due since {next}; it starts within a quarter of an hour."),
        _ => match told(subject.connection.due_after(subject.now)) {
            Some(next) => {
                format!("No sync is scheduled while the connection is off; its schedule comes next at {next}.")
            }
            None => "No sync is scheduled.".to_owned(),
        },
    };
    Item::ok(CHECK, explanation)
}

fn invoice_day(subject: &Subject) -> Item {
    const CHECK: &str = "invoice_day";
    let connection = &subject.connection;
    let Some(day) = connection.invoice else {
        let explanation = "It is not known when you make invoices in the PSA. State it as the connection's `invoice`, and \
             whether syncs come close enough before them is checked here.";
        return Item { code: "invoice_day_not_stated".into(), ..Item::ok(CHECK, explanation) };
    };
    let ahead = day.ahead(&connection.schedule, subject.now, &subject.zone);
    let Some(next) = ahead.first() else { return Item::ok(CHECK, "No invoice is due.") };
    // Its schedule has instants of before it was made, too: nothing was synced at those.
    let synced = next.last_sync >= connection.created_at;
    let made = format!("The next invoices are made at {} ({})", subject.local(next.at), connection.time_zone);
    let about = match synced {
        true => format!("{made}; the last sync before that is at {}.", subject.local(next.last_sync)),
        false => format!("{made}, and no sync is scheduled before that."),
    };
    let warning = |code, more: &str, fix| Item::warning(CHECK, code, format!("{about} {more}"), fix);
    match ahead.iter().find(|invoice| !invoice.covered) {
        None if synced => Item::ok(CHECK, about),
        None => warning("no_sync_before_invoices", &misses(subject, next), BY_HAND),
        Some(late) if late == next => warning(TOO_EARLY, &misses(subject, late), CLOSER),
        Some(late) => {
            let (at, last) = (subject.local(late.at), subject.local(late.last_sync));
            let but = format!("But before the invoices of {at} the last sync is at {last}. {}", misses(subject, late));
            warning(TOO_EARLY, &but, CLOSER)
        }
    }
}

/// What the sync after an invoice comes too late for.
fn misses(subject: &Subject, invoice: &Invoice) -> String {
    let next = subject.local(invoice.next_sync);
    format!("What is not synced by then reaches the PSA at {next}, when the invoices have been made.")
}

const TOO_EARLY: &str = "sync_too_early_for_invoices";
const CLOSER: &str = "Sync every day, or choose a day and hour for the sync within the 24 hours before the invoices.";
const BY_HAND: &str = "Sync once by hand before you make them.";
