//! What a run comes to: how many of its lines and charges ended as what, and the money of their changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::charge::{ChargeResult, ChargeSum, changes, together};
use crate::domain::line::{LineResult, LineStatus};
use crate::domain::money::{self, Sum};

/// Lines by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[allow(missing_docs, reason = "the names are those of LineStatus")]
pub struct Counts {
    pub updated: u32,
    pub unchanged: u32,
    pub planned: u32,
    pub held: u32,
    pub skipped: u32,
    pub failed: u32,
    pub unknown: u32,
}

impl Counts {
    /// Counts `lines` by status.
    #[must_use]
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a LineResult>) -> Self {
        Self::of_statuses(lines.into_iter().map(|line| line.status))
    }

    fn of_statuses(statuses: impl Iterator<Item = LineStatus>) -> Self {
        let mut counts = Self::default();
        for status in statuses {
            *counts.of_status(status) += 1;
        }
        counts
    }

    /// Whether nothing was counted.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            updated: self.updated.saturating_add(other.updated),
            unchanged: self.unchanged.saturating_add(other.unchanged),
            planned: self.planned.saturating_add(other.planned),
            held: self.held.saturating_add(other.held),
            skipped: self.skipped.saturating_add(other.skipped),
            failed: self.failed.saturating_add(other.failed),
            unknown: self.unknown.saturating_add(other.unknown),
        }
    }

    pub(super) fn of_status(&mut self, status: LineStatus) -> &mut u32 {
        match status {
            LineStatus::Updated => &mut self.updated,
            LineStatus::Unchanged => &mut self.unchanged,
            LineStatus::Planned => &mut self.planned,
            LineStatus::Held => &mut self.held,
            LineStatus::Skipped => &mut self.skipped,
            LineStatus::Failed => &mut self.failed,
            LineStatus::Unknown => &mut self.unknown,
        }
    }

    /// The counts by name, those that are not zero.
    pub(crate) fn named(self) -> BTreeMap<&'static str, u32> {
        let all = [
            ("updated", self.updated),
            ("unchanged", self.unchanged),
            ("planned", self.planned),
            ("held", self.held),
            ("skipped", self.skipped),
            ("failed", self.failed),
            ("unknown", self.unknown),
        ];
        all.into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

/// The metered charges of a run: how many ended as what, and what their changes come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct RunCharges {
    /// Charges by status, for those that are decided.
    pub counts: Counts,
    /// Changes to be made, as they were planned. They stay as they were, whatever became of them.
    pub planned: Vec<ChargeSum>,
    /// Changes that were written and read back, once the run has ended.
    pub written: Vec<ChargeSum>,
    /// Changes that wait for a person; those that jobs come to, once the run has ended.
    pub held: Vec<ChargeSum>,
}

impl RunCharges {
    /// Of charges that are decided.
    #[must_use]
    pub fn of<'a>(charges: impl IntoIterator<Item = &'a ChargeResult> + Clone) -> Self {
        Self {
            counts: Counts::of_statuses(charges.clone().into_iter().map(|charge| charge.status)),
            planned: changes(charges.clone(), LineStatus::Planned),
            written: changes(charges.clone(), LineStatus::Updated),
            held: changes(charges, LineStatus::Held),
        }
    }

    /// With what `sums` are planned to come to besides.
    #[must_use]
    pub fn and_planned(self, sums: Vec<ChargeSum>) -> Self {
        Self { planned: together(self.planned.into_iter().chain(sums)), ..self }
    }

    /// With what jobs came to. What was planned stays as it was.
    #[must_use]
    pub fn and_done(self, jobs: Self) -> Self {
        let both = |one: Vec<ChargeSum>, other| together(one.into_iter().chain(other));
        Self {
            counts: self.counts.and(jobs.counts),
            planned: self.planned,
            written: both(self.written, jobs.written),
            held: both(self.held, jobs.held),
        }
    }
}

/// What the changes of a run come to, a month: one sum a currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct RunMoney {
    /// Changes to be made, as they were planned. They stay as they were, whatever became of them.
    pub planned: Vec<Sum>,
    /// Changes that were written and read back, once the run has ended.
    pub written: Vec<Sum>,
    /// Changes that wait for a person; those that company jobs come to, once the run has ended.
    pub held: Vec<Sum>,
}

impl RunMoney {
    /// What the changes of `lines` come to, by what each line ended as.
    #[must_use]
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a LineResult>) -> Self {
        let (mut planned, mut written, mut held) = (Vec::new(), Vec::new(), Vec::new());
        for line in lines {
            let sums = match line.status {
                LineStatus::Planned => &mut planned,
                LineStatus::Updated => &mut written,
                LineStatus::Held => &mut held,
                LineStatus::Unchanged | LineStatus::Skipped | LineStatus::Failed | LineStatus::Unknown => continue,
            };
            let difference = line.difference().filter(|difference| difference.get() != 0 || line.prices.is_some());
            sums.extend(difference.map(|difference| (difference, line.money.clone().unwrap_or_default())));
        }
        Self { planned: money::sums(planned), written: money::sums(written), held: money::sums(held) }
    }
}
