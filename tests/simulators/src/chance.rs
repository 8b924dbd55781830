//! Numbers for made-up tenants: the same for the same seed, on every machine.
//!
//! Owns the mixing only. What a number decides is each seed's.

/// Numbers that look random and never change for one seed and company.
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64, company: i64) -> Self {
        Self(mix(seed ^ mix(company.unsigned_abs())))
    }

    /// From 0 to `limit` less one.
    pub(crate) fn below(&self, place: i64, limit: u64) -> i64 {
        let drawn = mix(self.0 ^ mix(place.unsigned_abs().wrapping_add(0x9E37))) % limit.max(1);
        i64::try_from(drawn).unwrap_or_default()
    }
}

/// The finalizer of SplitMix64.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
