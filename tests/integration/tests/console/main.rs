//! The console as a browser has it: over HTTP, on the real store and a simulated PSA.

mod browser;
mod companies;
mod connected;
mod connections;
mod filling;
mod findings;
mod mapping_files;
mod products;
mod settings;
mod tickets;
