//! The table behind `ContractServiceUnits`: one row per line and billing period, or part of one.
//!
//! Owns the rows, their order and the index by line, because queries over tens of thousands of rows must stay quick in a
//! debug build. Rules about what may change are `adjust`'s.
//! Rows sit in id order; ids only ever grow, so a new row goes to the end.

use std::collections::HashMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::switches::SplitPrice;
use super::timeline::Days;

/// One row: the units of one line through one period or part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnitRow {
    pub(crate) id: i64,
    pub(crate) contract_id: i64,
    pub(crate) contract_service_id: i64,
    pub(crate) service_id: i64,
    pub(crate) days: Days,
    /// The whole billing period this row is, or is a part of.
    pub(crate) period: Days,
    pub(crate) units: i64,
    pub(crate) unit_price: Decimal,
    pub(crate) unit_cost: Decimal,
    /// Extended: for all units of the row.
    pub(crate) price: Decimal,
    /// Extended: for all units of the row.
    pub(crate) cost: Decimal,
    /// When the row was approved and posted.
    pub(crate) posted: Option<Date>,
}

impl UnitRow {
    /// Works out the extended amounts anew.
    pub(crate) fn reprice(&mut self, split: SplitPrice) {
        let units = Decimal::from(self.units);
        let share = match split {
            SplitPrice::Whole => Decimal::ONE,
            SplitPrice::ByDays => Decimal::from(self.days.length())
                .checked_div(Decimal::from(self.period.length()))
                .unwrap_or(Decimal::ONE),
        };
        let extended = |rate: Decimal| {
            rate.checked_mul(units).and_then(|whole| whole.checked_mul(share)).unwrap_or(Decimal::MAX).round_dp(4)
        };
        self.price = extended(self.unit_price);
        self.cost = extended(self.unit_cost);
    }
}

/// All rows of the tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnitTable {
    rows: Vec<UnitRow>,
    /// Places of a line's rows, in order of their first day.
    by_line: HashMap<i64, Vec<usize>>,
    last_id: i64,
}

impl UnitTable {
    /// Adds a row under a new id, which it returns.
    pub(crate) fn add(&mut self, mut row: UnitRow) -> i64 {
        self.last_id = (self.last_id + 1).max(FIRST_ROW_ID);
        row.id = self.last_id;
        let place = self.rows.len();
        let line = self.by_line.entry(row.contract_service_id).or_default();
        let at = line.partition_point(|&other| self.rows[other].days.start <= row.days.start);
        line.insert(at, place);
        self.rows.push(row);
        self.last_id
    }

    /// Every row, in id order.
    pub(crate) fn all(&self) -> &[UnitRow] {
        &self.rows
    }

    /// A line's rows in order of time.
    pub(crate) fn of_line(&self, line: i64) -> impl DoubleEndedIterator<Item = &UnitRow> {
        self.by_line.get(&line).into_iter().flatten().map(|&place| &self.rows[place])
    }

    /// Rows of several lines, in id order.
    pub(crate) fn of_lines(&self, lines: impl IntoIterator<Item = i64>) -> Vec<&UnitRow> {
        let mut places: Vec<usize> =
            lines.into_iter().filter_map(|line| self.by_line.get(&line)).flatten().copied().collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| &self.rows[place]).collect()
    }

    /// The row in force on a day. Where two parts share the day, the later one is.
    pub(crate) fn at(&self, line: i64, day: Date) -> Option<&UnitRow> {
        self.of_line(line).rfind(|row| row.days.contains(day))
    }

    /// Changes a line's rows one by one, in order of time.
    pub(crate) fn change_line(&mut self, line: i64, mut change: impl FnMut(&mut UnitRow)) {
        for &place in self.by_line.get(&line).into_iter().flatten() {
            change(&mut self.rows[place]);
        }
    }

    /// Drops the rows a test names and rebuilds the index.
    pub(crate) fn remove(&mut self, unwanted: impl Fn(&UnitRow) -> bool) {
        self.rows.retain(|row| !unwanted(row));
        self.by_line.clear();
        for (place, row) in self.rows.iter().enumerate() {
            self.by_line.entry(row.contract_service_id).or_default().push(place);
        }
        for line in self.by_line.values_mut() {
            line.sort_by_key(|&place| (self.rows[place].days.start, place));
        }
    }
}

const FIRST_ROW_ID: i64 = 100_001;
