//! The console as a browser has it: over HTTP, on the real store.

mod browser;
mod lines;
mod office;
mod runs;
mod sources;
mod usage;
