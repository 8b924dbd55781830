//! What is wrong with a file: each fault with its row as a spreadsheet numbers it, its column and its reason.

use axum::http::StatusCode;
use shared::api::{Fault, Problem};

use super::columns::Column;

/// The most faults that one answer names.
const MAX_FAULTS: usize = 100;

/// Gathers the faults of a file.
#[derive(Debug, Default)]
pub(super) struct SheetFaults(Vec<(u64, Option<Column>, String)>);

impl SheetFaults {
    /// A fault of a cell.
    pub fn cell(&mut self, row: u64, column: Column, detail: impl Into<String>) {
        self.0.push((row, Some(column), detail.into()));
    }

    /// A fault of a whole row.
    pub fn row(&mut self, row: u64, detail: impl Into<String>) {
        self.0.push((row, None, detail.into()));
    }

    /// Those of another look at the same file.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// # Errors
    /// 422 with the first hundred faults in the order of the rows, and how many there are.
    pub fn refuse(mut self) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by_key(|(row, column, _)| (*row, *column));
        let all = self.0.len();
        let faults: Vec<Fault> = self.0.into_iter().take(MAX_FAULTS).map(named).collect();
        if all == faults.len() {
            return Err(Problem::invalid(faults));
        }
        let detail = format!("The file is not valid in {all} places; the first {MAX_FAULTS} are named.");
        Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", detail).faults(faults))
    }
}

fn named((row, column, detail): (u64, Option<Column>, String)) -> Fault {
    match column.map(Column::name) {
        Some(column) => Fault::new(format!("/rows/{row}/{column}"), format!("row {row}, column {column}: {detail}")),
        None => Fault::new(format!("/rows/{row}"), format!("row {row}: {detail}")),
    }
}
