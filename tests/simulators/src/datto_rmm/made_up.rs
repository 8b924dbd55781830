//! What made-up sites have.

use super::site::{Devices, Site};
use crate::vendor::Lot;

/// The company with this id in the made-up Autotask is the one with the same number as the site.
const FIRST_AUTOTASK_COMPANY: i64 = 1_001;

pub(crate) fn site(lot: &Lot) -> Site {
    Site {
        // Some people are helped when they ask, without a contract.
        on_demand: lot.number % 20 == 11,
        // Not every site is connected.
        autotask_company_id: (lot.number % 9 != 5).then_some(FIRST_AUTOTASK_COMPANY + lot.number),
        devices: devices(lot),
        ..Site::new(4_001 + 3 * lot.number, lot.name.as_str())
    }
}

/// Mostly computers: of a few sites more than a page of them, and of a few none.
fn devices(lot: &Lot) -> Devices {
    if lot.number % 50 == 49 {
        return Devices::default();
    }
    let many = if lot.number % 100 == 7 { 250 } else { 0 };
    Devices {
        servers: lot.below(0, 6),
        desktops: many + lot.below(1, 30),
        laptops: 1 + lot.below(2, 40),
        printers: lot.below(3, 4),
        esxi_hosts: lot.below(4, 3),
        network_devices: lot.below(5, 8),
        suspended: lot.below(6, 2),
        deleted: lot.below(7, 3),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::datto_rmm::Api;
    use crate::vendor::{MANY, Seed};

    #[test]
    fn there_are_sites_of_each_kind() {
        let made: Vec<Site> = Seed { companies: MANY, seed: 7, now: Timestamp::UNIX_EPOCH }.build::<Api>();
        assert!(made.iter().any(|site| site.on_demand));
        assert!(made.iter().any(|site| site.autotask_company_id.is_none()));
        assert!(made.iter().any(|site| site.devices == Devices::default()));
        assert!(made.iter().any(|site| site.listed_devices().len() > 250));
    }
}
