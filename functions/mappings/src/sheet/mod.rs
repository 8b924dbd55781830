//! All mappings of a connection as one CSV file, out and in again.
//!
//! One row a product, a company and an override, told apart by the column `type`; every other column is named after the field
//! that it holds. `columns` says what there is and how a cell is written, `read` makes rows of a text, `rows` makes mappings
//! of rows, `wanted` looks at them beside what is stored, `changes` tells what is different, `lookup` asks the PSA. What an import does to the store, the store
//! knows.

mod changes;
mod columns;
pub(crate) mod export;
mod faults;
pub(crate) mod import;
mod lookup;
mod read;
mod rows;
mod wanted;

use shared::api::Problem;
use shared::store::mappings::{Everything, Mapping};

use columns::Column;

/// The header of the file: every column, in the order in which they are written.
#[must_use]
pub fn header() -> [&'static str; Column::ALL.len()] {
    Column::ALL.map(Column::name)
}

/// A file has no cells for what a newer version has put into a mapping: sent back, it would take that away.
///
/// # Errors
/// 409 that names the first such mapping.
fn understood(all: &Everything) -> Result<(), Problem> {
    fn first<T: Mapping>(mappings: &[T]) -> Option<String> {
        let found = mappings.iter().find(|mapping| !mapping.newer().is_empty())?;
        Some(format!("{}{}: {}", T::PREFIX, found.id(), found.newer().names().join(", ")))
    }
    match first(&all.products).or_else(|| first(&all.companies)) {
        None => Ok(()),
        Some(named) => {
            let detail = format!("A newer version has stored what this one does not understand in {named}.");
            let fix = "Deploy the newer version again, or send that mapping anew.";
            Err(Problem::conflict("mapping_not_understood", detail).fix(fix))
        }
    }
}
