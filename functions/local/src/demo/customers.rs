//! The demo's made-up customers: what a vendor counts for each, and what is special about a few of them.
//!
//! Names and units are the simulators' seeds. Most customers use a little more or less than their contract says; one of each
//! kind of trouble is among them, so that the results show what Tallyline does about it. Which kinds there are is each
//! stage's choice, and so is how its PSA holds them (`stages`).

use std::ops::Range;

use jiff::ToSpan as _;
use jiff::civil::Date;

/// What is metered, in the order of the seeds' services.
pub(super) const PRODUCTS: [&str; 3] = ["edr", "itdr", "sat"];
/// The fewest customers that there is one of each kind among.
pub(super) const FEWEST: usize = 12;

/// What is special about a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing: its counts are near its contract.
    Usual,
    /// One product's count has fallen to less than half.
    Falls(usize),
    /// One product's count is zero.
    FallsToZero(usize),
    /// Its contract ends after it was mapped.
    Ends,
    /// It has only a fixed-price contract.
    FixedPrice,
    /// Its contract lacks the second product's service.
    LacksService,
    /// A second site of the customer before it, billed on that one's contract. The PSA does not know it.
    SecondSite,
    /// The newest list does not name it.
    Absent,
    /// Only a list that broke off names it.
    OnlyIncomplete,
    /// Nobody has stated the units of one product's line, in a PSA that does not show them.
    Unstated(usize),
}

/// A customer as the vendor and as the PSA know it.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    /// The vendor's id of it.
    pub organization: i64,
    /// Its name at the vendor.
    pub name: String,
    /// The name of its account in the PSA.
    pub account: String,
    /// Its contract in the PSA.
    pub contract: i64,
    /// What is special about it.
    pub role: Role,
    /// Units on its contract.
    pub units: [u32; 3],
    /// What the vendor counts today.
    pub counts: [u32; 3],
}

/// A company as a seed made it.
#[derive(Debug, Clone)]
pub(super) struct Seed {
    /// Its name in the PSA.
    pub name: String,
    /// Its active recurring contract.
    pub contract: i64,
    /// Units on that, in the order of the products.
    pub units: [u32; 3],
}

/// Units of a seed's lines, in the order of the products.
pub(super) fn units_of(lines: impl Iterator<Item = i64>) -> [u32; 3] {
    let mut units = [0; 3];
    for (units, line) in units.iter_mut().zip(lines) {
        *units = u32::try_from(line).unwrap_or_default();
    }
    units
}

/// The customers of one PSA, from their seeds. `numbers`: which of all the MSP's customers they are. `special`: who is, by
/// its place among [`FEWEST`]; they stand apart from each other, however many customers there are.
pub(super) fn made_up(
    numbers: Range<usize>,
    seeds: impl IntoIterator<Item = Seed>,
    special: &[(usize, Role)],
) -> Vec<Customer> {
    let companies = numbers.len();
    let mut customers: Vec<Customer> = Vec::with_capacity(companies);
    for ((index, number), seed) in numbers.enumerate().zip(seeds) {
        let found = special.iter().find(|(place, _)| place * companies / FEWEST == index);
        let role = found.map_or(Role::Usual, |(_, role)| *role);
        let customer = Customer::of(index, number, seed, role);
        customers.push(match (role, customers.last()) {
            (Role::SecondSite, Some(main)) => Customer {
                name: format!("{} (second site)", main.name),
                account: main.account.clone(),
                contract: main.contract,
                ..customer
            },
            _ => customer,
        });
    }
    customers
}

impl Customer {
    fn of(index: usize, number: usize, seed: Seed, role: Role) -> Self {
        let Seed { name, contract, mut units } = seed;
        let mut counts = [0; 3];
        for (place, (count, units)) in counts.iter_mut().zip(units).enumerate() {
            *count = usual_count(index, place, units);
        }
        match role {
            Role::Usual | Role::Ends | Role::FixedPrice => {}
            Role::Falls(place) => (units[place], counts[place]) = (58 + units[place] / 4, 21 + units[place] / 8),
            Role::FallsToZero(place) => (units[place], counts[place]) = (40 + units[place] / 4, 0),
            Role::LacksService => (units[1], counts[1]) = (0, 17),
            // The PSA holds only the first site.
            Role::SecondSite => (units, counts) = ([0; 3], [6, 4, 5]),
            Role::Absent => counts = [units[0] + 3, units[1] + 2, units[2]],
            Role::OnlyIncomplete => (units[1], counts[0], counts[1]) = (24, units[0] + 2, 15),
            Role::Unstated(place) => counts[place] = units[place] + 2,
        }
        Self {
            organization: 310_000 + i64::try_from(number).unwrap_or_default() * 7,
            account: name.clone(),
            name,
            contract,
            role,
            units,
            counts,
        }
    }

    /// Whether its contract carries the product's service.
    pub(super) fn has_line(&self, place: usize) -> bool {
        !matches!((self.role, place), (Role::FixedPrice | Role::SecondSite, _) | (Role::LacksService, 1))
    }
}

/// What the vendor counts where nothing is special: the contract's units, or a few more or fewer. The first customer's first
/// product has one more, so that the first change of a connection is a rise.
fn usual_count(index: usize, place: usize, units: u32) -> u32 {
    // Steps that share no factor with the tables' lengths: neighbours look unrelated, and every run is the same.
    let drawn = (index * 7 + place * 5 + index * index % 11) % 20;
    match drawn {
        0 | 7 => units + 1,
        3 => units + 2,
        11 => units + 3,
        16 => units + 6,
        5 => units.saturating_sub(1).max(1),
        13 => units.saturating_sub(2).max(1),
        18 => units.saturating_sub(4).max(1),
        _ => units,
    }
}

/// The days of a contract: two years that began 1 to 18 months ago, on any day of a month.
pub(super) fn term(index: usize, today: Date) -> (Date, Date) {
    let months = i64::try_from(1 + index % 18).unwrap_or(1);
    let days = i64::try_from(1 + index * 5 % 28).unwrap_or(1);
    let start = today.saturating_sub(months.months()).saturating_sub(days.days());
    (start, start.saturating_add(2.years()).saturating_sub(1.day()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::stages;
    use super::*;

    fn made(psa: &str, companies: usize) -> Vec<Customer> {
        let today = jiff::civil::date(2026, 11, 21);
        match psa {
            "autotask" => stages::autotask::made_up(0..companies, today).unwrap().0,
            _ => stages::kaseya_bms::made_up(7..7 + companies, today).unwrap().0,
        }
    }

    #[test]
    fn there_is_one_of_each_kind_however_many_customers_there_are() {
        for (psa, kinds) in [("autotask", 10), ("kaseya_bms", 7)] {
            for companies in [FEWEST, 13, 25, 120, 500] {
                let customers = made(psa, companies);
                let mut roles: BTreeMap<String, usize> = BTreeMap::new();
                for customer in &customers {
                    *roles.entry(format!("{:?}", customer.role)).or_default() += 1;
                }
                assert_eq!((roles.len(), roles["Usual"]), (kinds, companies + 1 - kinds), "{companies}: {roles:?}");
                let site = customers.iter().position(|customer| customer.role == Role::SecondSite).unwrap();
                assert_eq!(customers[site - 1].role, Role::Usual);
                assert_eq!(customers[site - 1].contract, customers[site].contract);
            }
        }
    }

    #[test]
    fn most_customers_changed_by_a_little_and_the_first_one_has_a_rise() {
        for psa in ["autotask", "kaseya_bms"] {
            let customers = made(psa, 120);
            assert!(customers[0].role == Role::Usual && customers[0].counts[0] > customers[0].units[0]);
            let usual = customers.iter().filter(|customer| customer.role == Role::Usual);
            let (changed, same): (Vec<_>, Vec<_>) = usual.partition(|customer| customer.units != customer.counts);
            assert!(changed.len() > 60 && same.len() > 10, "{} changed, {} did not", changed.len(), same.len());
            for customer in changed {
                for (units, count) in customer.units.into_iter().zip(customer.counts) {
                    assert!(units.abs_diff(count) <= 6 && units.saturating_sub(count) <= 5, "{customer:?}");
                }
            }
        }
    }

    #[test]
    fn customers_of_two_psas_share_neither_name_nor_id() {
        let today = jiff::civil::date(2026, 11, 21);
        let (one, _) = stages::autotask::made_up(0..24, today).unwrap();
        let (other, _) = stages::kaseya_bms::made_up(24..36, today).unwrap();
        for customer in &other {
            assert!(one.iter().all(|of| of.name != customer.name && of.organization != customer.organization));
        }
    }
}
