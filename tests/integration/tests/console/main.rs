//! The console as a browser has it: over HTTP, on the real store.

mod browser;
mod sign_in;
