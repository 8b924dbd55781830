//! What vendors of usage are called.

use shared::sources::Vendor;

/// The vendor's name.
pub(crate) fn name(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Huntress => "Huntress",
        Vendor::JumpCloud => "JumpCloud",
        Vendor::Dropsuite => "Dropsuite",
        Vendor::Microsoft => "Microsoft 365",
        Vendor::Pax8 => "Pax8",
        Vendor::DattoRmm => "Datto RMM",
    }
}
