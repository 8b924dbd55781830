//! The PSAs that a test of every PSA runs against, each in each of its readings that nobody has confirmed and that change
//! what is written.

use reqwest::Method;
use simulators::autotask::Autotask;
use simulators::kaseya_bms::{KaseyaBms, LineSemantics};

use super::{Customer, Fixture, Msp, Setup};

/// The customer of whom a connection learns before a test begins.
const ONE_MORE: &str = "zulu";

/// A PSA in one reading.
pub struct On<P: Fixture> {
    setup: fn(P::Setup) -> P::Setup,
    learns_by_writing: bool,
}

impl<P: Fixture> Clone for On<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Fixture> Copy for On<P> {}

impl On<Autotask> {
    /// Autotask.
    #[must_use]
    pub fn autotask() -> Self {
        Self { setup: |psa| psa, learns_by_writing: false }
    }
}

impl On<KaseyaBms> {
    /// A BMS that adds the units that are sent.
    #[must_use]
    pub fn adding() -> Self {
        Self { setup: |psa| psa, learns_by_writing: false }
    }

    /// A BMS that puts the units that are sent in the place of those that were there.
    #[must_use]
    pub fn replacing() -> Self {
        let setup = |psa: simulators::kaseya_bms::Setup| {
            psa.switches(simulators::kaseya_bms::Switches {
                line_semantics: LineSemantics::Replaces,
                ..simulators::kaseya_bms::Switches::default()
            })
        };
        Self { setup, learns_by_writing: true }
    }
}

impl<P: Fixture> On<P> {
    /// An MSP with these customers, as [`Setup::of`] makes one.
    #[must_use]
    pub fn of(self, customers: impl IntoIterator<Item = Customer<P>>) -> Setup<P> {
        Setup::with(customers).psa(self.setup)
    }

    /// As [`On::of`], with one customer more, for [`Setup::start_changed`].
    #[must_use]
    pub fn of_one_more(self, customers: impl IntoIterator<Item = Customer<P>>) -> Setup<P> {
        self.of(customers.into_iter().chain([Customer::named(ONE_MORE).line("edr", 1)]))
    }

    /// The units that a connection's first write leaves on its line, write by write. BMS does not say what it does with the
    /// units of a line that is there already; where it replaces them, the difference that was sent to find out is followed
    /// by the total.
    #[must_use]
    pub fn first_change(self, before: i64, target: i64) -> Vec<i64> {
        if self.learns_by_writing { vec![target - before, target] } else { vec![target] }
    }

    /// How many writes that is.
    #[must_use]
    pub fn first_writes(self) -> usize {
        1 + usize::from(self.learns_by_writing)
    }

    /// What becomes of its intents.
    #[must_use]
    pub fn first_states(self) -> &'static str {
        if self.learns_by_writing { "applied applied" } else { "applied" }
    }
}

impl<P: Fixture> Setup<P> {
    /// As [`Setup::start`], with a connection that has changed a line of another customer before: where what a change does
    /// has to be learnt, that is done.
    ///
    /// # Panics
    /// When that change is not made.
    pub async fn start_changed(self) -> Msp<P> {
        let msp = self.start().await;
        msp.push(&[(ONE_MORE, "edr", 2)]).await;
        assert_eq!(msp.run("apply").await.result(ONE_MORE, "edr"), "updated");
        msp.done(Method::DELETE, &format!("/v1/connections/{}/companies/{ONE_MORE}", msp.connection), None).await;
        msp.psa.forget();
        msp
    }
}

/// Makes a test of each function for every PSA in every reading: `async fn name<P: Fixture>(on: On<P>)`, or without `async`
/// after `#[test]`.
#[macro_export]
macro_rules! on_every_psa {
    (#[test] $($name:ident),+ $(,)?) => {
        $crate::on_every_psa!(@each {} {#[test]} {} $($name)+);
    };
    ($($name:ident),+ $(,)?) => {
        $crate::on_every_psa!(@each {async} {#[tokio::test]} {.await} $($name)+);
    };
    (@each $async:tt $test:tt $await:tt $($name:ident)+) => {
        mod autotask {
            $($crate::on_every_psa!(@one $async $test $await $name autotask);)+
        }
        mod kaseya_bms_that_adds {
            $($crate::on_every_psa!(@one $async $test $await $name adding);)+
        }
        mod kaseya_bms_that_replaces {
            $($crate::on_every_psa!(@one $async $test $await $name replacing);)+
        }
    };
    (@one {$($async:ident)?} {$($test:tt)+} {$($await:tt)*} $name:ident $on:ident) => {
        $($test)+
        $($async)? fn $name() {
            super::$name($crate::msp::On::$on())$($await)*;
        }
    };
}
