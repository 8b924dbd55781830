//! How a story ends: faults are over, time has passed, a complete snapshot has arrived, and nothing holds a change any more.
//! Then every line carries what it should, or is visibly left to a person for a reason that the model knows.

use jiff::SignedDuration;
use jiff::civil::Date;
use shared::domain::finding::Finding;
use shared::domain::line::{LineResult, LineStatus};
use shared::domain::policy::{Approval, Drift, EffectiveDate, Guards};
use shared::store::connections::{Connection, Connections};
use shared::store::findings::Findings;
use shared::store::journal::By;

use super::expect;
use super::play::Play;
use super::story::Trouble;
use super::watch::Verdict;
use super::world::UNITS;

/// Runs until a line that can be right must be.
const ROUNDS: usize = 6;

impl Play<'_> {
    /// Brings the story to its end, and judges it.
    pub async fn end(&mut self) -> Verdict {
        self.end_stalled(true);
        self.world.clock.advance(SignedDuration::from_mins(40));
        self.deliver_what_waits().await?;
        let ending = self.story.ending;
        self.push(true, &ending, 0).await;
        if !self.story.plot.approves_at_the_end {
            self.stop_holding().await;
        }
        let mut rows = Vec::new();
        for _ in 0..ROUNDS {
            rows = self.round().await?;
            if rows.iter().all(is_right) && rows.len() == self.watch.lines.len() {
                break;
            }
            self.world.clock.advance(SignedDuration::from_mins(20));
            self.resolve_what_is_left_to_a_person(&rows).await?;
        }
        self.judge(&rows)?;
        self.deliver_everything_again().await?;
        for line in &self.watch.lines {
            let day = self.today();
            let sum: i64 = line.changes.iter().filter(|(date, _)| *date <= day).map(|(_, change)| change).sum();
            let shown = line.units(self.world, day);
            if UNITS + sum != shown {
                return Err(format!("line {}: {UNITS} and changes of {sum} are not {shown}", line.key));
            }
        }
        Ok(())
    }

    async fn stop_holding(&mut self) {
        self.ending = true;
        let connections = Connections::new(self.world.table.clone());
        let most = u32::MAX;
        let change = |found: &mut Connection| {
            found.policy.drift = Drift::Overwrite;
            found.policy.approval = Approval::None;
            found.policy.guards = Guards {
                fall_percent: most,
                fall_units: most,
                rise_percent: most,
                rise_units: most,
                ..Guards::default()
            };
            true
        };
        let by = By::person("the model", self.world.clock.time());
        connections.edit(&self.connection.partner, &self.connection.id, &by, change).await.expect("the connection");
    }

    /// A run, and where that is held, its approval.
    async fn round(&mut self) -> Result<Vec<LineResult>, String> {
        let run = self.ask(Vec::new(), None).await;
        self.see_through(&run).await?;
        let mut rows = expect::lines(self.world, &self.connection.partner, &run).await;
        self.expected_rows(&run, &rows)?;
        if let Some(approved) = self.approve().await? {
            self.see_through(&approved).await?;
            let newer = expect::lines(self.world, &self.connection.partner, &approved).await;
            rows.retain(|row| newer.iter().all(|newer| newer.line_id != row.line_id));
            rows.extend(newer);
        }
        Ok(rows)
    }

    /// A write that nobody can explain, because somebody edited the line meanwhile or the PSA lied, is resolved by a person.
    async fn resolve_what_is_left_to_a_person(&mut self, rows: &[LineResult]) -> Verdict {
        for line in 0..self.watch.lines.len() {
            let id = self.watch.lines[line].key.to_string();
            let unexplained = rows.iter().any(|row| row.line_id == id && row.code == "write_unexplained");
            if !unexplained || !self.watch.lines[line].is_left_to_a_person() {
                continue;
            }
            let findings = Findings::new(self.world.table.clone()).standing(&self.connection).await.expect("findings");
            let of_line = |finding: &Finding| {
                finding.noticed.reason.code == "write_unexplained"
                    && finding.noticed.subject.line() == Some(&self.watch.lines[line].key)
            };
            let number = findings.iter().position(of_line).ok_or("an unexplained write without a finding")?;
            self.resolve(number).await?;
        }
        Ok(())
    }

    async fn see_through(&mut self, run: &shared::domain::ids::RunId) -> Verdict {
        self.plan(run, &Trouble::default()).await?;
        for job in self.jobs_of(run) {
            self.work(&job, &Trouble::default(), false).await?;
        }
        let ended = super::play::run(self.world, &self.connection.partner, run).await;
        if ended.finished_at.is_none() {
            return Err(format!("a run without faults does not end: {ended:?}"));
        }
        Ok(())
    }

    fn judge(&mut self, rows: &[LineResult]) -> Verdict {
        for (number, line) in self.watch.lines.iter().enumerate() {
            let wanted = self.desired(number).ok_or("the last snapshot was complete")?.units;
            let row = rows.iter().find(|row| row.line_id == line.key.to_string());
            let row = row.ok_or_else(|| format!("line {} has no row in the last run", line.key))?;
            let day = self.judged_on(number);
            let shown = line.units(self.world, day);
            let told = format!("{:?} {}", row.status, row.code);
            match row.code.as_str() {
                _ if is_right(row) && shown == wanted => self.totals.count("lines right at the end"),
                "later_change" if self.changes_later(number) => self.totals.count("lines held for a later change"),
                _ => {
                    return Err(format!(
                        "at the end line {} should carry {wanted} and shows {shown} on {day}; the last run says {told}: {}",
                        line.key, row.explanation
                    ));
                }
            }
        }
        Ok(())
    }

    /// The day on which a line is judged: the policy's own, or that of our last change where it is still to come.
    fn judged_on(&self, line: usize) -> Date {
        let today = self.today();
        let first = match self.story.plot.date {
            EffectiveDate::NextPeriodStart => today.last_of_month().tomorrow().unwrap(),
            EffectiveDate::PeriodStart | EffectiveDate::Today => today,
        };
        self.watch.lines[line].history.adjusted_on.last().copied().map_or(first, |last| first.max(last))
    }

    fn changes_later(&self, line: usize) -> bool {
        let line = &self.watch.lines[line];
        let today = self.today();
        let units = line.units(self.world, today);
        let days = today.series(jiff::ToSpan::days(1)).take_while(|day| *day < today + jiff::ToSpan::days(70));
        days.into_iter().any(|day| line.units(self.world, day) != units)
    }

    /// No message of the story, come once more, changes anything.
    async fn deliver_everything_again(&mut self) -> Verdict {
        let shown = |play: &Self| -> Vec<i64> {
            (0..play.watch.lines.len()).map(|n| play.watch.lines[n].units(play.world, play.judged_on(n))).collect()
        };
        let before = shown(self);
        let (runs, jobs) = self.leftovers();
        for job in jobs.into_iter().take(4) {
            self.totals.count("duplicates");
            self.work(&job, &Trouble::default(), false).await?;
        }
        for run in runs.iter().take(1) {
            self.totals.count("duplicates");
            self.see_again(run).await?;
        }
        let after = shown(self);
        if before != after {
            return Err(format!("old messages changed {before:?} to {after:?}"));
        }
        Ok(())
    }

    async fn see_again(&mut self, run: &shared::domain::ids::RunId) -> Verdict {
        self.plan(run, &Trouble::default()).await
    }
}

fn is_right(row: &LineResult) -> bool {
    matches!(row.status, LineStatus::Updated | LineStatus::Unchanged)
}
