//! The simulated Autotask seen from outside, over HTTP.

mod adjustments;
mod catalogue;
mod charges;
mod control;
mod entry;
mod faults;
mod limits;
mod queries;
mod support;
mod writes;
