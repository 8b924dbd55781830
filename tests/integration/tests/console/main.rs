//! The console as a browser has it: over HTTP, on the real store and a simulated PSA.

mod browser;
mod companies;
mod filling;
mod mapping_files;
mod products;
mod tickets;
