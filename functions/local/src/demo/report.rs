//! The demo for programs: one JSON object.

use std::collections::BTreeMap;

use serde::Serialize;
use shared::domain::line::{LineResult, LineStatus};
use shared::domain::money::LineMoney;
use shared::domain::units::Units;
use shared::psa::Psa;
use shared::store::runs::RunMoney;

use super::story::{Part, Played, RunEnd};
use crate::cli::Failure;

#[derive(Serialize)]
struct Report<'a> {
    lines: Vec<Line<'a>>,
    first_run: Costs<'a>,
    second_run: Costs<'a>,
}

#[derive(Serialize)]
struct Line<'a> {
    psa: Psa,
    company: &'a str,
    product: &'a str,
    before: Option<Units>,
    target: Option<Units>,
    after: Option<Units>,
    status: LineStatus,
    code: &'a str,
    explanation: &'a str,
    /// What the change comes to, where units change or wait to be changed.
    money: Option<&'a LineMoney>,
}

/// What the runs of all connections cost together.
#[derive(Serialize)]
struct Costs<'a> {
    psa_requests: u32,
    writes: u32,
    by_psa: BTreeMap<&'static str, Cost<'a>>,
}

#[derive(Serialize)]
struct Cost<'a> {
    psa_requests: u32,
    writes: u32,
    /// What was planned, written and held, a month.
    money: &'a RunMoney,
}

impl<'a> Line<'a> {
    fn of(psa: Psa, line: &'a LineResult) -> Self {
        // A company that no usage named has only its id.
        let name = Some(line.company_name.as_str()).filter(|name| !name.is_empty());
        Self {
            psa,
            company: name.unwrap_or(line.company.as_str()),
            product: line.product.as_str(),
            before: line.before,
            target: line.target,
            after: line.after,
            status: line.status,
            code: &line.code,
            explanation: &line.explanation,
            money: line.money.as_ref(),
        }
    }
}

impl<'a> Costs<'a> {
    fn of(parts: &'a [Part], run: impl Fn(&'a Part) -> &'a RunEnd) -> Self {
        let cost = |run: &'a RunEnd| Cost { psa_requests: run.psa_requests, writes: run.writes, money: &run.money };
        Self {
            psa_requests: parts.iter().map(|part| run(part).psa_requests).sum(),
            writes: parts.iter().map(|part| run(part).writes).sum(),
            by_psa: parts.iter().map(|part| (part.psa.as_str(), cost(run(part)))).collect(),
        }
    }
}

/// The whole demo as one JSON object.
pub(super) fn json(played: &Played) -> Result<String, Failure> {
    let parts = &played.parts;
    let report = Report {
        lines: parts.iter().flat_map(|part| part.lines.iter().map(|line| Line::of(part.psa, line))).collect(),
        first_run: Costs::of(parts, |part| &part.first),
        second_run: Costs::of(parts, |part| &part.second),
    };
    Ok(serde_json::to_string(&report)?)
}
