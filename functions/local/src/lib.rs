//! All of Tallyline in one process on one machine: the same functions, on an embedded store, sealed files and a timer.

pub mod embedded;
pub mod sealed_secrets;
pub mod tokens;
