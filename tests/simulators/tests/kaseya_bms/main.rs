//! The simulated Kaseya BMS seen from outside, over HTTP.

mod bulk;
mod control;
mod faults;
mod lists;
mod logins;
mod support;
mod throttling;
mod ticket_notes;
mod tickets;
mod units;
