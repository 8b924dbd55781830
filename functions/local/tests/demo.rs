//! The demo on days on which calendars are awkward.

use std::sync::Arc;

use jiff::Timestamp;
use local::demo::{Options, run};
use shared::clock::Clock;
use shared::psa::Psa;

struct Stopped(Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Ends well on a day, with both PSAs: the second sync wrote nothing, and every outcome is known.
async fn ends_well_at(instant: &str) {
    let clock = Arc::new(Stopped(instant.parse().unwrap()));
    let (psas, source) = (Psa::ALL.to_vec(), None);
    let ended = run(Options { exit: true, json: true, psas, source, companies: 12, port: 0, clock }).await.unwrap();
    assert_eq!(format!("{ended:?}"), format!("{:?}", std::process::ExitCode::SUCCESS), "{instant}");
}

#[tokio::test]
async fn the_demo_ends_well_on_the_last_day_of_a_leap_february() {
    // In Berlin it is March already.
    ends_well_at("2028-02-29T23:30:00Z").await;
}

#[tokio::test]
async fn the_demo_ends_well_at_the_turn_of_the_year() {
    ends_well_at("2026-12-31T23:30:00Z").await;
    ends_well_at("2027-01-01T00:10:00Z").await;
}

#[tokio::test]
async fn the_demo_ends_well_on_a_last_of_the_month_when_the_clocks_change() {
    ends_well_at("2027-10-31T00:59:59Z").await;
}

#[tokio::test]
async fn the_demo_ends_well_on_a_first_of_the_month() {
    ends_well_at("2027-03-01T12:00:00Z").await;
}
