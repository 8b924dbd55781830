//! All mappings of a connection as one CSV file, out and in again.
//!
//! One row a product, a company and an override, told apart by the column `type`; every other column is named after the field
//! that it holds. `columns` says what there is and how a cell is written, `read` makes rows of a text, `rows` makes mappings
//! of rows, `wanted` looks at them beside what is stored, `lookup` asks the PSA. What an import does to the store, the store
//! knows.

mod columns;
pub(crate) mod export;
mod faults;
pub(crate) mod import;
mod lookup;
mod read;
mod rows;
mod wanted;
