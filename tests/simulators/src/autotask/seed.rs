//! A made-up managed service provider of any size, the same for the same seed.
//!
//! Owns the names, contracts and units of the demo and of load tests, and tells what it made so that a usage feed can be made to
//! match. Everything hangs on the given day: contracts began before it, and past periods are posted.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Serialize;

use super::builder::SeedError;
use super::specs::{CompanySpec, ContractSpec, LineSpec, ServiceKey, ServiceSpec};
use super::timeline::{Period, day_after, day_before};
use super::world::World;
use crate::chance::Chance;
use crate::names::company_name;

/// What to make up.
#[derive(Clone, Debug)]
pub struct Provider {
    /// How many customer companies.
    pub companies: usize,
    /// Another seed gives other numbers.
    pub seed: u64,
    /// The day that counts as today.
    pub today: Date,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seeded {
    /// The catalogue services, in the order of the lines below.
    pub services: Vec<SeededService>,
    /// The customers.
    pub companies: Vec<SeededCompany>,
}

/// A catalogue service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeededService {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: &'static str,
}

/// A customer with its one active recurring contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeededCompany {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The active recurring contract.
    pub contract_id: i64,
    /// How often that bills.
    pub period: Period,
    /// Its lines.
    pub lines: Vec<SeededLine>,
}

/// A line of the active recurring contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeededLine {
    /// The line's id.
    pub contract_service_id: i64,
    /// The catalogue service.
    pub service_id: i64,
    /// Units through every period.
    pub units: i64,
}

struct Offer {
    id: i64,
    name: &'static str,
    sku: &'static str,
    price: &'static str,
    cost: &'static str,
}

/// Line ids of former and later contracts begin here, clear of the active ones.
const OTHER_LINES: i64 = 5_000_001;

const OFFERS: [Offer; 3] = [
    Offer { id: 501, name: "Managed EDR (per agent)", sku: "EDR", price: "4.50", cost: "2.10" },
    Offer { id: 502, name: "Managed ITDR (per identity)", sku: "ITDR", price: "3.20", cost: "1.45" },
    Offer { id: 503, name: "Security Awareness Training (per learner)", sku: "SAT", price: "1.80", cost: "0.75" },
];

impl Provider {
    /// Makes the tenant, and a list of what is in it.
    ///
    /// # Errors
    /// None for a day between the years 1 and 9000; a day at the edge of the calendar has no room for contracts.
    pub fn build(&self) -> Result<(World, Seeded), SeedError> {
        let mut builder = World::builder().owner("Nordwind IT");
        for offer in &OFFERS {
            builder = builder.service(
                ServiceSpec::named(offer.name).id(offer.id).sku(offer.sku).price(offer.price).cost(offer.cost),
            );
        }
        let posted_through = day_before(self.today.first_of_month());
        let mut companies = Vec::with_capacity(self.companies);
        for (index, number) in (0..self.companies).zip(0_i64..) {
            let chance = Chance::new(self.seed, number);
            let company = SeededCompany {
                id: 1_001 + number,
                name: company_name(index),
                contract_id: 29_680_001 + number * 4,
                period: period(number),
                lines: OFFERS
                    .iter()
                    .zip(0_i64..)
                    .map(|(offer, place)| SeededLine {
                        contract_service_id: 7_001 + number * 3 + place,
                        service_id: offer.id,
                        units: 1 + chance.below(place, 80),
                    })
                    .collect(),
            };
            let (start, end) = term(self.today, &chance);
            builder = builder.company(CompanySpec::named(&company.name).id(company.id)).contract(
                ContractSpec::recurring("Managed Security")
                    .id(company.contract_id)
                    .runs(start, end)
                    .bills(company.period),
            );
            for line in &company.lines {
                builder = builder.line(
                    LineSpec::of(ServiceKey::Id(line.service_id))
                        .id(line.contract_service_id)
                        .units(line.units)
                        .posted_through(posted_through),
                );
            }
            for (contract, place) in others(number, company.contract_id, start, end).into_iter().zip(0_i64..) {
                let recurring = contract.is_recurring();
                builder = builder.contract(contract);
                for (line, at) in company.lines.iter().zip(0_i64..).filter(|_| recurring) {
                    builder = builder.line(
                        LineSpec::of(ServiceKey::Id(line.service_id))
                            .id(OTHER_LINES + number * 9 + place * 3 + at)
                            .units(line.units)
                            .posted_through(posted_through),
                    );
                }
            }
            companies.push(company);
        }
        let services = OFFERS.iter().map(|offer| SeededService { id: offer.id, name: offer.name }).collect();
        Ok((builder.build()?, Seeded { services, companies }))
    }
}

/// Two years that began 1 to 18 months ago, on any day of a month.
fn term(today: Date, chance: &Chance) -> (Date, Date) {
    let start = today.saturating_sub(chance.below(10, 18).months()).saturating_sub((1 + chance.below(11, 30)).days());
    (start, day_before(start.saturating_add(2.years())))
}

/// Monthly for most, with a few quarterly and yearly ones.
fn period(number: i64) -> Period {
    if number % 25 == 12 {
        Period::Yearly
    } else if number % 10 == 6 {
        Period::Quarterly
    } else {
        Period::Monthly
    }
}

/// Contracts beside the active one that a client must leave alone.
fn others(number: i64, current: i64, start: Date, end: Date) -> Vec<ContractSpec> {
    let mut found = Vec::new();
    if number % 7 == 3 {
        found.push(ContractSpec::fixed_price("Office move").id(current + 1).runs(start, end));
    }
    if number % 9 == 4 {
        let before = start.saturating_sub(1.year());
        found.push(
            ContractSpec::recurring("Managed Security (previous term)")
                .id(current + 2)
                .runs(before, day_before(start))
                .renewed(current),
        );
    }
    if number % 11 == 5 {
        let from = day_after(end);
        let through = day_before(from.saturating_add(1.year()));
        found.push(ContractSpec::recurring("Managed Security (next term)").id(current + 3).runs(from, through));
    }
    found
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn provider(companies: usize) -> Provider {
        Provider { companies, seed: 7, today: date(2026, 11, 20) }
    }

    #[test]
    fn the_same_seed_makes_the_same_tenant_and_another_seed_other_units() {
        let (_, first) = provider(40).build().unwrap();
        let (_, again) = provider(40).build().unwrap();
        let (_, other) = Provider { seed: 8, ..provider(40) }.build().unwrap();
        assert_eq!(first, again);
        assert_ne!(first, other);
    }

    #[test]
    fn what_is_listed_is_what_the_tenant_holds_today() {
        let provider = provider(60);
        let (world, seeded) = provider.build().unwrap();
        for company in &seeded.companies {
            for line in &company.lines {
                assert!((1..=80).contains(&line.units));
                assert_eq!(world.units(company.contract_id, line.service_id, provider.today), Some(line.units));
            }
        }
        assert!(seeded.companies.iter().any(|company| company.period == Period::Yearly));
        assert!(seeded.companies.iter().any(|company| company.period == Period::Quarterly));
        assert!(world.contracts.len() > 60, "some have other contracts beside");
    }

    #[test]
    fn no_period_in_force_today_is_posted() {
        let provider = provider(60);
        let (world, seeded) = provider.build().unwrap();
        let lines = seeded.companies.iter().flat_map(|company| &company.lines);
        for line in lines {
            let row = world.units.at(line.contract_service_id, provider.today).unwrap();
            assert_eq!(row.posted, None);
        }
        assert!(!world.billing_items.is_empty());
    }
}
