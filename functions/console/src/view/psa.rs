//! What PSAs are called, and what they call things.

use shared::psa::Psa;

/// The PSA's name.
pub(crate) fn name(psa: Psa) -> &'static str {
    match psa {
        Psa::Autotask => "Autotask PSA",
        Psa::KaseyaBms => "Kaseya BMS",
    }
}
