//! All of Tallyline in one process on one machine: the same functions, on an embedded store, sealed files and a timer.

pub mod app;
pub mod background;
pub mod bus;
pub mod cli;
pub mod data_folder;
pub mod demo;
pub mod embedded;
mod handlers;
pub mod links;
mod openapi;
pub mod queue;
pub mod sealed_secrets;
pub mod serve;
pub mod tokens;
