//! Simulated outside systems that speak the real wire protocols over HTTP on loopback.
//!
//! Each simulator is a handle: start it, point a client at its address, break it on purpose, and ask it afterwards what
//! it was asked and what it holds. Tests, the demo and the `simulators` program use the same code.
//! This crate knows nothing of Tallyline's own types: it stands for somebody else's system, so it must not share our
//! reading of it.

pub mod autotask;
mod chance;
pub mod clock;
pub mod datto_rmm;
pub mod dropsuite;
pub mod faults;
mod guid;
pub mod huntress;
pub mod issuer;
mod journal;
pub mod jumpcloud;
pub mod kaseya_bms;
pub mod microsoft;
mod names;
pub mod pax8;
mod reply;
pub mod server;
mod settings;
mod tokens;
pub mod vendor;
mod window;
mod wire;

pub use autotask::Autotask;
pub use clock::Clock;
pub use datto_rmm::DattoRmm;
pub use dropsuite::Dropsuite;
pub use huntress::Huntress;
pub use issuer::Issuer;
pub use jumpcloud::JumpCloud;
pub use kaseya_bms::KaseyaBms;
pub use microsoft::Microsoft;
pub use pax8::Pax8;
