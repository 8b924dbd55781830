//! The one contract that every connector to a PSA keeps, spoken through [`shared::psa::Connector`] alone: opened by the
//! registry, with a notebook in the real store, against the simulated PSA over HTTP.
//!
//! A PSA brings a [`bench::Bench`] and a line in [`contract!`]. Each test runs under every switch of its simulator, each
//! turned alone, in each of the PSA's readings; a switch without a setting fails `settings`. What is told of a line is
//! always held against what the simulator itself holds.

#![allow(missing_docs, reason = "tests are sentences")]

/// Makes a test of each function for every PSA: `async fn name<P: Bench>(of: Reading)`. What only `reads` is tried once for
/// each PSA; everything else in each of the PSA's readings.
macro_rules! contract {
    (reads: $($name:ident),+ $(,)?) => {
        contract!(@of autotask simulators::autotask::Autotask, None, $($name)+);
        contract!(@of kaseya_bms simulators::kaseya_bms::KaseyaBms, None, $($name)+);
    };
    ($($name:ident),+ $(,)?) => {
        contract!(@of autotask simulators::autotask::Autotask, Some(0), $($name)+);
        contract!(@of kaseya_bms_that_adds simulators::kaseya_bms::KaseyaBms, Some(0), $($name)+);
        contract!(@of kaseya_bms_that_replaces simulators::kaseya_bms::KaseyaBms, Some(1), $($name)+);
    };
    (@of $module:ident $psa:path, $reading:expr, $($name:ident)+) => {
        mod $module {
            $(#[tokio::test]
            async fn $name() {
                let (name, test) = (stringify!($module), stringify!($name));
                super::$name::<$psa>($crate::settings::Reading { name, test, number: $reading }).await;
            })+
        }
    };
}

mod abilities;
mod bench;
mod catalogue;
mod changing;
mod contracts;
mod cost;
mod discovery;
mod faults;
mod observing;
mod office;
mod people;
mod rights;
mod secrets;
mod settings;
mod world;
