//! A line's units over time, as the PSA holds them: rows that follow each other, each with the units in force in it.
//!
//! The row in force at a date is what counts: neither the first row (the contract's first period) nor the last one (a
//! period far ahead). A timeline may begin after the contract does when only a part of it was read.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::period::Periods;
use super::units::Units;

/// One row: `units` in force from `start` to `end`, both days included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// First day.
    pub start: Date,
    /// Last day.
    pub end: Date,
    /// Units in force.
    pub units: Units,
    /// Approved and posted: its charges are made and must not be touched.
    pub posted: bool,
}

/// The rows of one line in order of time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timeline {
    rows: Vec<Row>,
    freely_dated: bool,
}

impl Timeline {
    /// A timeline from rows in any order.
    #[must_use]
    pub fn new(mut rows: Vec<Row>) -> Self {
        rows.sort_by_key(|row| (row.start, row.end));
        Self { rows, freely_dated: false }
    }

    /// The same, of a PSA that takes a second change of the line for a day that has one already.
    #[must_use]
    pub fn freely_dated(self) -> Self {
        Self { freely_dated: true, ..self }
    }

    /// Whether a day that carries a change of the line may take another.
    #[must_use]
    pub fn is_freely_dated(&self) -> bool {
        self.freely_dated
    }

    /// The rows in order of time.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The units in force on `date`; `None` where nothing was read for that day.
    ///
    /// Where rows overlap in a day the later one is in force: whether Autotask ends the earlier row on the day of an
    /// adjustment or on the day before is not documented.
    #[must_use]
    pub fn at(&self, date: Date) -> Option<Units> {
        self.row_index(date).map(|index| self.rows[index].units)
    }

    fn row_index(&self, date: Date) -> Option<usize> {
        let index = self.rows.partition_point(|row| row.start <= date).checked_sub(1)?;
        (date <= self.rows[index].end).then_some(index)
    }

    /// The first day after `date` on which the units differ from those in force on `date`.
    #[must_use]
    pub fn next_change(&self, date: Date) -> Option<Date> {
        let units = self.at(date)?;
        let mut starts = self.rows.iter().map(|row| row.start).filter(|start| *start > date);
        // A row that a later one overlaps from its first day is never in force.
        starts.find(|start| self.at(*start).is_some_and(|other| other != units))
    }

    /// The first day of the unbroken run of equal units that `date` lies in, as far back as was read.
    #[must_use]
    pub fn run_start(&self, date: Date) -> Option<Date> {
        let mut index = self.row_index(date)?;
        while index > 0 && self.rows[index - 1].units == self.rows[index].units && self.joins(index) {
            index -= 1;
        }
        Some(self.rows[index].start)
    }

    /// Whether no day is missing between a row and the one before it.
    fn joins(&self, index: usize) -> bool {
        self.rows[index - 1].end.tomorrow().is_ok_and(|next| self.rows[index].start <= next)
    }

    /// The last day of the last approved-and-posted row, if any.
    #[must_use]
    pub fn posted_through(&self) -> Option<Date> {
        self.rows.iter().filter(|row| row.posted).map(|row| row.end).max()
    }

    /// Whether the rows show that `date` carries an adjustment already: a row begins there away from a period's first
    /// day, or with other units than the row before it.
    #[must_use]
    pub fn adjusted_on(&self, date: Date, periods: &Periods) -> bool {
        self.rows.iter().enumerate().any(|(index, row)| {
            row.start == date && (!periods.begins_on(date) || (index > 0 && self.rows[index - 1].units != row.units))
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::period::PeriodType;
    use super::*;

    fn row(start: Date, end: Date, units: i64) -> Row {
        Row { start, end, units: units.try_into().unwrap(), posted: false }
    }

    fn timeline() -> Timeline {
        Timeline::new(vec![
            row(date(2026, 12, 1), date(2026, 12, 31), 50),
            row(date(2026, 10, 1), date(2026, 10, 31), 40),
            row(date(2026, 11, 1), date(2026, 11, 9), 40),
            row(date(2026, 11, 10), date(2026, 11, 30), 42),
        ])
    }

    #[test]
    fn the_row_in_force_is_neither_the_first_nor_the_last() {
        let timeline = timeline();
        assert_eq!(timeline.at(date(2026, 11, 21)).unwrap().get(), 42);
        assert_eq!(timeline.at(date(2026, 9, 30)), None);
        assert_eq!(timeline.at(date(2027, 1, 1)), None);
        assert_eq!(timeline.next_change(date(2026, 11, 21)), Some(date(2026, 12, 1)));
        assert_eq!(timeline.run_start(date(2026, 11, 5)), Some(date(2026, 10, 1)));
        assert_eq!(timeline.next_change(date(2026, 11, 5)), Some(date(2026, 11, 10)));
    }

    #[test]
    fn rows_are_in_order_of_time_however_they_were_read() {
        let starts: Vec<_> = timeline().rows().iter().map(|row| row.start).collect();
        assert_eq!(starts, [date(2026, 10, 1), date(2026, 11, 1), date(2026, 11, 10), date(2026, 12, 1)]);
    }

    #[test]
    fn days_that_were_not_read_break_a_run_of_equal_units() {
        let november = row(date(2026, 11, 2), date(2026, 11, 30), 40);
        let gap = Timeline::new(vec![row(date(2026, 10, 1), date(2026, 10, 31), 40), november.clone()]);
        assert_eq!(gap.run_start(date(2026, 11, 21)), Some(date(2026, 11, 2)));
        let overlap = Timeline::new(vec![row(date(2026, 10, 1), date(2026, 11, 2), 40), november]);
        assert_eq!(overlap.run_start(date(2026, 11, 21)), Some(date(2026, 10, 1)));
    }

    #[test]
    fn an_overlapping_day_belongs_to_the_later_row() {
        let timeline = Timeline::new(vec![
            row(date(2026, 11, 1), date(2026, 11, 10), 40),
            row(date(2026, 11, 10), date(2026, 11, 30), 42),
        ]);
        assert_eq!(timeline.at(date(2026, 11, 10)).unwrap().get(), 42);
        assert_eq!(timeline.next_change(date(2026, 11, 10)), None);
    }

    #[test]
    fn a_date_that_carries_an_adjustment_shows() {
        let periods = Periods::new(date(2026, 10, 1), PeriodType::Monthly);
        let timeline = timeline();
        let adjusted = |day| timeline.adjusted_on(day, &periods);
        assert!(adjusted(date(2026, 11, 10)) && adjusted(date(2026, 12, 1)));
        assert!(!adjusted(date(2026, 11, 1)) && !adjusted(date(2026, 11, 11)));
    }
}
