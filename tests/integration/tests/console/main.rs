//! The console as a browser has it: over HTTP, on the real store.

mod browser;
mod connected;
mod connections;
mod findings;
mod settings;
