//! The simulated vendors seen from outside, over HTTP.

#[macro_use]
mod contract;
mod control;
mod dropsuite;
mod huntress;
mod jumpcloud;
mod support;
