//! A made-up managed service provider of any size, the same for the same seed.
//!
//! Owns the names, contracts and units of the demo and of load tests, and tells what it made so that a usage feed can be made to
//! match. Everything hangs on the given day: contracts began before it, and last month has been invoiced.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Serialize;

use super::builder::SeedError;
use super::specs::{AccountSpec, ContractKind, ContractSpec, LineSpec, ServiceSpec};
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

/// A customer with the active recurring contract that carries its security services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeededCompany {
    /// The account's id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The contract named "Managed Security".
    pub contract_id: i64,
    /// Its lines.
    pub lines: Vec<SeededLine>,
}

/// A line of that contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeededLine {
    /// The line's id.
    pub line_id: i64,
    /// The catalogue service.
    pub service_id: i64,
    /// Units since the contract began.
    pub units: i64,
}

struct Offer {
    id: i64,
    name: &'static str,
    price: &'static str,
    cost: &'static str,
}

/// Line ids of the contracts beside begin here, clear of the others.
const OTHER_LINES: i64 = 5_000_001;

const OFFERS: [Offer; 3] = [
    Offer { id: 701, name: "Managed EDR (per agent)", price: "4.50", cost: "2.10" },
    Offer { id: 702, name: "Managed ITDR (per identity)", price: "3.20", cost: "1.45" },
    Offer { id: 703, name: "Security Awareness Training (per learner)", price: "1.80", cost: "0.75" },
];

impl Provider {
    /// Makes the tenant, and a list of what is in it.
    ///
    /// # Errors
    /// None for a day between the years 1 and 9000; a day at the edge of the calendar has no room for contracts.
    pub fn build(&self) -> Result<(World, Seeded), SeedError> {
        let mut builder = World::builder();
        for offer in &OFFERS {
            builder = builder.service(ServiceSpec::named(offer.name).id(offer.id).price(offer.price).cost(offer.cost));
        }
        builder = builder.service(ServiceSpec::named("Backup (withdrawn)").id(704).inactive());
        let last_month = self.today.first_of_month().saturating_sub(1.month());
        let mut companies = Vec::with_capacity(self.companies);
        for (index, number) in (0..self.companies).zip(0_i64..) {
            let chance = Chance::new(self.seed, number);
            let company = SeededCompany {
                id: 2_001 + number,
                name: company_name(index),
                contract_id: 50_001 + number * 6,
                lines: OFFERS
                    .iter()
                    .zip(0_i64..)
                    .map(|(offer, place)| SeededLine {
                        line_id: 60_001 + number * 3 + place,
                        service_id: offer.id,
                        units: 1 + chance.below(place, 80),
                    })
                    .collect(),
            };
            let (start, end) = term(self.today, &chance);
            let code = format!("C{:05}", company.id);
            builder = builder
                .account(AccountSpec::named(&company.name).id(company.id).code(code))
                .contract(ContractSpec::recurring("Managed Security").id(company.contract_id).runs(start, end));
            for line in &company.lines {
                builder = builder.line(LineSpec::of(line.service_id).id(line.line_id).units(line.units));
            }
            builder = builder.invoiced(last_month);
            for (contract, place) in others(number, company.contract_id, start, end).into_iter().zip(0_i64..) {
                let recurring = contract.kind == ContractKind::RecurringServices;
                builder = builder.contract(contract);
                for (line, at) in company.lines.iter().zip(0_i64..).filter(|_| recurring) {
                    let id = OTHER_LINES + number * 15 + place * 3 + at;
                    builder = builder.line(LineSpec::of(line.service_id).id(id).units(line.units));
                }
            }
            companies.push(company);
        }
        let services = OFFERS.iter().map(|offer| SeededService { id: offer.id, name: offer.name }).collect();
        Ok((builder.build()?, Seeded { services, companies }))
    }
}

/// Two years that began 2 to 19 months ago, on any day of a month.
fn term(today: Date, chance: &Chance) -> (Date, Date) {
    let start = today.saturating_sub((2 + chance.below(10, 18)).months()).saturating_sub(chance.below(11, 30).days());
    (start, before(start.saturating_add(2.years())))
}

/// Contracts beside the one that matters: another type, an ended one, one to come, a deactivated one, a second active one.
fn others(number: i64, current: i64, start: Date, end: Date) -> Vec<ContractSpec> {
    let mut found = Vec::new();
    if number % 7 == 3 {
        let kind = ContractKind::TimeAndMaterial;
        found.push(ContractSpec::of_kind(kind, "Office move").id(current + 1).runs(start, end));
    }
    if number % 9 == 4 {
        let former = ContractSpec::recurring("Managed Security (previous term)").id(current + 2);
        found.push(former.runs(start.saturating_sub(1.year()), before(start)));
    }
    if number % 11 == 5 {
        let from = end.saturating_add(1.day());
        let next = ContractSpec::recurring("Managed Security (next term)").id(current + 3);
        found.push(next.runs(from, before(from.saturating_add(1.year()))));
    }
    if number % 13 == 6 {
        found.push(ContractSpec::recurring("Managed Security (cancelled)").id(current + 4).runs(start, end).inactive());
    }
    if number % 8 == 7 {
        found.push(ContractSpec::recurring("Branch Office").id(current + 5).runs(start, end));
    }
    found
}

fn before(day: Date) -> Date {
    day.saturating_sub(1.day())
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
    fn what_is_listed_is_what_the_tenant_holds_today_and_billed_last_month() {
        let provider = provider(60);
        let (world, seeded) = provider.build().unwrap();
        for company in &seeded.companies {
            for line in &company.lines {
                assert!((1..=80).contains(&line.units));
                assert_eq!(world.units(company.contract_id, line.service_id, provider.today), Some(line.units));
                assert_eq!(world.line_ids(company.contract_id, line.service_id), [line.line_id]);
            }
        }
        assert_eq!(world.invoiced.len(), 60 * 3);
        assert!(world.invoiced.iter().all(|item| item.day == date(2026, 10, 1)));
    }

    #[test]
    fn there_are_contracts_of_every_sort_to_leave_alone() {
        let provider = provider(60);
        let (world, _) = provider.build().unwrap();
        let has = |test: &dyn Fn(&crate::kaseya_bms::world::Contract) -> bool| world.contracts.values().any(test);
        assert!(has(&|contract| contract.kind == ContractKind::TimeAndMaterial));
        assert!(has(&|contract| contract.end < provider.today));
        assert!(has(&|contract| contract.start > provider.today));
        assert!(has(&|contract| !contract.active));
        assert!(has(&|contract| contract.name == "Branch Office"));
    }
}
