//! The simulated vendors seen from outside, over HTTP.

#[macro_use]
mod contract;
mod control;
mod datto_rmm;
mod dropsuite;
mod faults;
mod huntress;
mod jumpcloud;
mod microsoft;
mod pax8;
mod support;
