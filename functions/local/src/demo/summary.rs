//! The end of the demo: what both syncs cost, for people and for programs.

use serde::Serialize;
use shared::domain::line::{LineResult, LineStatus};
use shared::domain::units::Units;

use super::story::{Played, RunEnd, changes};
use super::terminal::{Look, Terminal};
use crate::cli::Failure;

#[derive(Serialize)]
struct Report<'a> {
    lines: Vec<Line<'a>>,
    first_run: Cost,
    second_run: Cost,
}

#[derive(Serialize)]
struct Line<'a> {
    company: &'a str,
    product: &'a str,
    before: Option<Units>,
    target: Option<Units>,
    after: Option<Units>,
    status: LineStatus,
    code: &'a str,
    explanation: &'a str,
}

#[derive(Serialize)]
struct Cost {
    psa_requests: u32,
    writes: u32,
}

impl<'a> From<&'a LineResult> for Line<'a> {
    fn from(line: &'a LineResult) -> Self {
        // A company that no usage named has only its id.
        let name = Some(line.company_name.as_str()).filter(|name| !name.is_empty());
        Self {
            company: name.unwrap_or(line.company.as_str()),
            product: line.product.as_str(),
            before: line.before,
            target: line.target,
            after: line.after,
            status: line.status,
            code: &line.code,
            explanation: &line.explanation,
        }
    }
}

impl From<&RunEnd> for Cost {
    fn from(run: &RunEnd) -> Self {
        Self { psa_requests: run.psa_requests, writes: run.writes }
    }
}

/// The whole demo as one JSON object.
pub(super) fn json(played: &Played) -> Result<String, Failure> {
    let report = Report {
        lines: played.lines.iter().map(Line::from).collect(),
        first_run: (&played.first).into(),
        second_run: (&played.second).into(),
    };
    Ok(serde_json::to_string(&report)?)
}

/// What both syncs cost.
pub(super) fn print(terminal: &Terminal, played: &Played) {
    terminal.say("");
    terminal.say(&terminal.paint("                PSA requests   changes sent", Look::Strong));
    for (name, run) in [("first sync", &played.first), ("second sync", &played.second)] {
        terminal.say(&format!("  {name:12} {:>13} {:>14}", run.psa_requests, run.writes));
    }
    let look = if played.is_fine() { Look::Good } else { Look::Bad };
    let verdict = format!(
        "  Autotask counted {} in all; the second sync sent {}.",
        changes(u32::try_from(played.adjustments).unwrap_or(u32::MAX)),
        changes(played.second.writes),
    );
    terminal.say(&terminal.paint(&verdict, look));
}

/// Where the service is, and how to ask it.
pub(super) fn how_to_look_further(terminal: &Terminal, base: &str, played: &Played) {
    let Played { token, first, connection, .. } = played;
    terminal.say(&format!(
        "\n  The service goes on at {base} until Ctrl-C. To look around:\n\n\
         export TOKEN={token}\n\
         curl -s -H \"Authorization: Bearer $TOKEN\" '{base}/v1/runs/{run}/lines?status=held'\n\
         curl -s -H \"Authorization: Bearer $TOKEN\" -H 'Accept: text/csv' {base}/v1/runs/{run}/lines\n\
         curl -s -H \"Authorization: Bearer $TOKEN\" {base}/v1/connections/{connection}\n\
         curl -s {base}/openapi.json\n",
        run = first.id,
    ));
}
