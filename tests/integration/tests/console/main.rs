//! The console as a browser has it: over HTTP, on the real store and a simulated PSA.

mod browser;
mod companies;
mod connected;
mod connections;
mod filling;
mod findings;
mod lines;
mod mapping_files;
mod meanwhile;
mod office;
mod products;
mod runs;
mod settings;
mod sign_in;
mod sources;
mod tickets;
mod usage;
