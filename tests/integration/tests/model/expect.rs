//! What may be written, by the rules about money as they are documented: checked for each intent when it appears.

use jiff::Timestamp;
use shared::domain::ids::{PartnerId, RunId};
use shared::domain::line::{LineHistory, LineResult, LineStatus};
use shared::domain::plan::Approval;
use shared::domain::policy::Drift;
use shared::ledger::Intent;
use shared::store::connections::Connection;
use shared::store::runs::{Approved, Mode, Reverses, Run, Runs, Trigger};
use shared::sync::{NewRun, new_run_id};

use super::play::Play;
use super::watch::Verdict;
use super::world::World;

/// What a person may wave through.
const APPROVABLE: [&str; 5] = ["fall_guard", "rise_guard", "drift", "approval_needed", "reversed"];

impl Play<'_> {
    /// An intent has appeared on a line of which the ledger knew `before`.
    pub fn expected(&self, line: usize, before: &LineHistory, intent: &Intent) -> Verdict {
        let meaning = &intent.meaning;
        let (from, to) = (i64::from(meaning.before), i64::from(meaning.target));
        let complain = |why: &str| Err(format!("{why}: {intent:?}"));
        let Some(asked) = self.runs.get(&intent.run) else { return complain("nobody asked for its run") };
        if let Some(run) = &asked.reverses {
            let opposite = |seen: &super::watch::Seen| {
                let was = &seen.intent.meaning;
                seen.intent.run == *run && (was.before, was.target) == (meaning.target, meaning.before)
            };
            let opposite = self.watch.lines[line].intents.values().any(opposite);
            return if opposite { Ok(()) } else { complain("it is no opposite of what the run changed") };
        }
        let as_desired = |planning: &Vec<Option<super::book::Desired>>| {
            planning[line].is_some_and(|desired| desired.units == to && (to > from || desired.may_lower))
        };
        if !asked.plannings.iter().any(as_desired) {
            let plannings: Vec<_> = asked.plannings.iter().map(|planning| planning[line]).collect();
            return complain(&format!("usage does not say so ({plannings:?})"));
        }
        // What a person approved or reversed stands, however new another run is.
        let superseded =
            asked.approved.is_empty() && self.newest_planned.as_ref().is_some_and(|newest| *newest > intent.run);
        if superseded && !self.watch.loose {
            return complain("a newer run has been planned");
        }
        let id = self.watch.lines[line].key.to_string();
        let approval = Approval { before: meaning.before, target: meaning.target, prices: None };
        let approved = asked.approved.iter().any(|given| given.line_id == id && given.approval == approval);
        if approved || self.ending {
            return Ok(());
        }
        if self.approval_needed() {
            return complain("nobody approved it");
        }
        let beyond =
            |difference: i64, percent: i64, units: i64| difference > units && difference * 100 > from * percent;
        if beyond(from - to, 30, 5) || (before.confirmed.is_some() && beyond(to - from, 200, 20)) {
            return complain("a guard should have held it");
        }
        let settled_before = before.open.is_none();
        if self.story.plot.drift == Drift::Hold && settled_before && !self.watch.loose && self.watch.lines[line].drifted
        {
            return complain("drift should have held it");
        }
        Ok(())
    }
}

impl Play<'_> {
    /// Every target that a run shows follows from the usage that had arrived when it was planned.
    pub fn expected_rows(&self, run: &RunId, rows: &[LineResult]) -> Verdict {
        let Some(asked) = self.runs.get(run).filter(|asked| asked.reverses.is_none()) else { return Ok(()) };
        for (number, line) in self.watch.lines.iter().enumerate() {
            let id = line.key.to_string();
            let Some(row) = rows.iter().find(|row| row.line_id == id) else { continue };
            // A write that is still open shows what it was, not what the line should carry.
            let Some(target) = row.target.filter(|_| row.status != LineStatus::Unknown) else { continue };
            let mut desired = asked.plannings.iter().filter_map(|planning| planning[number]);
            if !desired.any(|desired| desired.units == i64::from(target)) {
                return Err(format!("usage does not say so ({:?}): {row:?}", asked.plannings));
            }
        }
        Ok(())
    }
}

/// A run that somebody asked for.
pub fn new_run(connection: &Connection, approved: Vec<Approved>, reverses: Option<RunId>, now: Timestamp) -> Run {
    let new = NewRun {
        mode: Mode::Apply,
        trigger: Trigger::Manual,
        actor: "the model".into(),
        companies: Vec::new(),
        approved,
        approved_charges: Vec::new(),
        approves: None,
        reverses: reverses.map(|run| Reverses { run, lines: Vec::new() }),
    };
    new.queued(new_run_id(now).expect("an id"), connection, now)
}

/// A run's lines.
pub async fn lines(world: &World, partner: &PartnerId, run: &RunId) -> Vec<LineResult> {
    let pages = Runs::new(world.table.clone()).lines(partner, run, None, 100).await.expect("the results");
    pages.items.into_iter().flat_map(|(_, page)| page.lines).collect()
}

/// What of a run that has ended waits for an approval.
pub fn approvable(lines: Vec<LineResult>) -> Vec<Approved> {
    let held = |line: &LineResult| line.status == LineStatus::Held && APPROVABLE.contains(&line.code.as_str());
    let approved = lines.into_iter().filter(held).filter_map(|line| {
        let approval = Approval { before: line.before?, target: line.target?, prices: None };
        Some(Approved { line_id: line.line_id, approval, company: Some(line.company), product: Some(line.product) })
    });
    approved.collect()
}
