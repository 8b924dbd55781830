//! The simulated Autotask of the demo: its world, and what its credentials are called.

use std::ops::Range;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::{Value, json};
use shared::domain::line::LineResult;
use shared::psa::Psa;
use simulators::Clock;
use simulators::autotask::seed::{Provider, Seeded};
use simulators::autotask::{
    Autotask, CompanySpec, ContractSpec, LineSpec, SAMPLE_INTEGRATION_CODE, SAMPLE_SECRET, SAMPLE_USERNAME, SeedError,
    ServiceKey, ServiceSpec, World,
};

use super::{Simulated, Stage};
use crate::cli::Failure;
use crate::demo::customers::{self, Customer, Role, Seed, term, units_of};

/// Who is special, by the place among the fewest customers.
const SPECIAL: [(usize, Role); 9] = [
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

/// Starts it with the MSP's customers of these numbers.
pub(super) async fn start(numbers: Range<usize>, today: Date, clock: Clock) -> Result<Stage, Failure> {
    let (customers, seeded) = made_up(numbers.clone(), today)?;
    let world = world(&seeded, numbers.start, &customers, today)?;
    let psa = Autotask::setup(world).clock(clock).start().await?;
    let services = seeded.services.iter().map(|service| service.name).collect();
    Ok(Stage { psa: Box::new(psa), customers, services })
}

/// The customers, and the seed that they are from: the same ones every time.
pub(in crate::demo) fn made_up(numbers: Range<usize>, today: Date) -> Result<(Vec<Customer>, Seeded), SeedError> {
    let (_, seeded) = Provider { companies: numbers.end, seed: 1, today }.build()?;
    let seeds = seeded.companies.iter().skip(numbers.start).map(|company| Seed {
        name: company.name.clone(),
        contract: company.contract_id,
        units: units_of(company.lines.iter().map(|line| line.units)),
    });
    let customers = customers::made_up(numbers, seeds, &SPECIAL);
    Ok((customers, seeded))
}

fn world(seeded: &Seeded, first: usize, customers: &[Customer], today: Date) -> Result<World, SeedError> {
    let mut builder = World::builder().owner("Nordwind IT");
    for (service, (price, cost)) in seeded.services.iter().zip([("4.50", "2.10"), ("3.20", "1.45"), ("1.80", "0.75")]) {
        builder = builder.service(ServiceSpec::named(service.name).id(service.id).price(price).cost(cost));
    }
    let posted_through = today.first_of_month().saturating_sub(1.day());
    for (index, (company, customer)) in seeded.companies.iter().skip(first).zip(customers).enumerate() {
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
            if !customer.has_line(place) {
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

impl Simulated for Autotask {
    fn psa(&self) -> Psa {
        Psa::Autotask
    }

    fn name(&self) -> &'static str {
        "Autotask"
    }

    fn base(&self) -> String {
        Self::base(self)
    }

    fn credentials(&self) -> Value {
        json!({
            "username": SAMPLE_USERNAME, "secret": SAMPLE_SECRET, "integration_code": SAMPLE_INTEGRATION_CODE,
        })
    }

    fn shows_units(&self) -> bool {
        true
    }

    fn end_contract(&self, contract: i64, day: Date) -> Result<(), Failure> {
        Ok(Self::end_contract(self, contract, day)?)
    }

    fn written(&self) -> usize {
        self.writes().len()
    }

    fn found_out(&self) -> Option<String> {
        None
    }

    fn about(&self, _: &[LineResult]) -> Vec<String> {
        Vec::new()
    }
}
