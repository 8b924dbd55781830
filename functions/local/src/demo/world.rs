//! The demo's made-up MSP: its customers in the simulated Autotask, and what a vendor counts for each of them.
//!
//! Names, ids and units are the simulator's seed. Most customers use a little more or less than their contract says; one of
//! each kind of trouble is among them, so that the results show what Tallyline does about it.

use jiff::ToSpan as _;
use jiff::civil::Date;
use simulators::autotask::seed::{Provider, Seeded, SeededCompany};
use simulators::autotask::{CompanySpec, ContractSpec, LineSpec, SeedError, ServiceKey, ServiceSpec, World};

/// What is metered, in the order of the seed's services.
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

/// The catalogue service of a product.
#[derive(Debug, Clone)]
pub(super) struct Offered {
    /// The product.
    pub product: &'static str,
    /// The service's name in the PSA.
    pub service: &'static str,
}

/// Everything that is made up.
pub(super) struct MadeUp {
    /// For the simulator.
    pub world: World,
    /// The customers, by the vendor's id.
    pub customers: Vec<Customer>,
    /// The services, one a product.
    pub offers: Vec<Offered>,
}

/// Makes up `companies` customers, at least [`FEWEST`], as of `today`: the same ones every time.
pub(super) fn made_up(companies: usize, today: Date) -> Result<MadeUp, SeedError> {
    let companies = companies.max(FEWEST);
    let (_, seeded) = Provider { companies, seed: 1, today }.build()?;
    let mut customers: Vec<Customer> = Vec::with_capacity(companies);
    for (index, company) in seeded.companies.iter().enumerate() {
        let customer = Customer::of(index, company, role(index, companies));
        customers.push(match (customer.role, customers.last()) {
            (Role::SecondSite, Some(main)) => Customer {
                name: format!("{} (second site)", main.name),
                account: main.account.clone(),
                contract: main.contract,
                ..customer
            },
            _ => customer,
        });
    }
    let world = world(&seeded, &customers, today)?;
    let offers = PRODUCTS.iter().zip(&seeded.services);
    let offers = offers.map(|(product, service)| Offered { product, service: service.name }).collect();
    Ok(MadeUp { world, customers, offers })
}

/// The special ones stand apart from each other, however many customers there are.
fn role(index: usize, companies: usize) -> Role {
    let special = [
        (1, Role::Falls(0)),
        (2, Role::Ends),
        (3, Role::FixedPrice),
        (4, Role::LacksService),
        (5, Role::FallsToZero(2)),
        (7, Role::Absent),
        (8, Role::OnlyIncomplete),
        (9, Role::Falls(1)),
        (11, Role::SecondSite),
    ];
    let found = special.into_iter().find(|(place, _)| place * companies / FEWEST == index);
    found.map_or(Role::Usual, |(_, role)| role)
}

impl Customer {
    fn of(index: usize, company: &SeededCompany, role: Role) -> Self {
        let mut units = [0; 3];
        for (units, line) in units.iter_mut().zip(&company.lines) {
            *units = u32::try_from(line.units).unwrap_or_default();
        }
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
        }
        Self {
            organization: 310_000 + i64::try_from(index).unwrap_or_default() * 7,
            name: company.name.clone(),
            account: company.name.clone(),
            contract: company.contract_id,
            role,
            units,
            counts,
        }
    }
}

/// What the vendor counts where nothing is special: the contract's units, or a few more or fewer.
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

fn world(seeded: &Seeded, customers: &[Customer], today: Date) -> Result<World, SeedError> {
    let mut builder = World::builder().owner("Nordwind IT");
    for (service, (price, cost)) in seeded.services.iter().zip([("4.50", "2.10"), ("3.20", "1.45"), ("1.80", "0.75")]) {
        builder = builder.service(ServiceSpec::named(service.name).id(service.id).price(price).cost(cost));
    }
    let posted_through = today.first_of_month().saturating_sub(1.day());
    for (index, (company, customer)) in seeded.companies.iter().zip(customers).enumerate() {
        if customer.role == Role::SecondSite {
            continue;
        }
        let (start, end) = term(index, today);
        builder = builder.company(CompanySpec::named(&company.name).id(company.id));
        if customer.role == Role::FixedPrice {
            builder =
                builder.contract(ContractSpec::fixed_price("All-in support").id(company.contract_id).runs(start, end));
            continue;
        }
        let contract = ContractSpec::recurring("Managed Security").id(company.contract_id);
        builder = builder.contract(contract.runs(start, end).bills(company.period));
        for (place, (line, units)) in company.lines.iter().zip(customer.units).enumerate() {
            if customer.role == Role::LacksService && place == 1 {
                continue;
            }
            builder = builder.line(
                LineSpec::of(ServiceKey::Id(line.service_id))
                    .id(line.contract_service_id)
                    .units(i64::from(units))
                    .posted_through(posted_through),
            );
        }
        // What a client must leave alone: a project, and the contract of next year.
        if index % 7 == 3 {
            builder =
                builder.contract(ContractSpec::fixed_price("Office move").id(company.contract_id + 1).runs(start, end));
        }
        if index % 11 == 5 {
            let from = end.saturating_add(1.day());
            let next = ContractSpec::recurring("Managed Security (next term)").id(company.contract_id + 3);
            builder = builder.contract(next.runs(from, from.saturating_add(1.year()).saturating_sub(1.day())));
        }
    }
    builder.build()
}

/// Two years that began 1 to 18 months ago, on any day of a month.
fn term(index: usize, today: Date) -> (Date, Date) {
    let months = i64::try_from(1 + index % 18).unwrap_or(1);
    let days = i64::try_from(1 + index * 5 % 28).unwrap_or(1);
    let start = today.saturating_sub(months.months()).saturating_sub(days.days());
    (start, start.saturating_add(2.years()).saturating_sub(1.day()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;

    use super::*;

    #[test]
    fn there_is_one_of_each_kind_however_many_customers_there_are() {
        for companies in [FEWEST, 13, 25, 120, 500] {
            let made = made_up(companies, date(2026, 11, 21)).unwrap();
            let mut roles: BTreeMap<String, usize> = BTreeMap::new();
            for customer in &made.customers {
                *roles.entry(format!("{:?}", customer.role)).or_default() += 1;
            }
            assert_eq!(roles.len(), 10, "{companies}: {roles:?}");
            assert_eq!(roles["Usual"], companies - 9);
            let site = made.customers.iter().position(|customer| customer.role == Role::SecondSite).unwrap();
            assert_eq!(made.customers[site - 1].role, Role::Usual);
            assert_eq!(made.customers[site - 1].contract, made.customers[site].contract);
        }
    }

    #[test]
    fn most_customers_changed_by_a_little() {
        let made = made_up(120, date(2026, 11, 21)).unwrap();
        let usual = made.customers.iter().filter(|customer| customer.role == Role::Usual);
        let (changed, same): (Vec<_>, Vec<_>) = usual.partition(|customer| customer.units != customer.counts);
        assert!(changed.len() > 60 && same.len() > 10, "{} changed, {} did not", changed.len(), same.len());
        for customer in changed {
            for (units, count) in customer.units.into_iter().zip(customer.counts) {
                assert!(units.abs_diff(count) <= 6 && units.saturating_sub(count) <= 5, "{customer:?}");
            }
        }
    }
}
