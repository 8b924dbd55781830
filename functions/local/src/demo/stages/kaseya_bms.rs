//! The simulated Kaseya BMS of the demo: its world, what its credentials are called, and what is different about a PSA whose
//! API shows no units.

use std::ops::Range;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::{Value, json};
use shared::domain::line::LineResult;
use shared::domain::reason::Code;
use shared::psa::Psa;
use simulators::Clock;
use simulators::kaseya_bms::seed::{Provider, Seeded};
use simulators::kaseya_bms::{
    AccountSpec, Change, ContractKind, ContractSpec, KaseyaBms, LineSpec, SAMPLE_API_USERNAME, SAMPLE_COMPANY_NAME,
    SAMPLE_PASSWORD, SeedError, ServiceSpec, World, Write,
};

use super::{Simulated, Stage};
use crate::cli::Failure;
use crate::demo::customers::{self, Customer, Role, Seed, term, units_of};

/// Who is special, by the place among the fewest customers. What doubtful usage comes to is the same in every PSA, and left to
/// the other one.
const SPECIAL: [(usize, Role); 6] = [
    (2, Role::Falls(0)),
    (4, Role::LacksService),
    (6, Role::Unstated(0)),
    (7, Role::Ends),
    (9, Role::FallsToZero(2)),
    (11, Role::SecondSite),
];

/// With more customers the demo would use up the 1,500 requests that BMS allows for each endpoint an hour: mapping one takes
/// several, and all are mapped and synced within a minute.
pub(super) const MOST: usize = 200;

/// Starts it with the MSP's customers of these numbers.
pub(super) async fn start(numbers: Range<usize>, today: Date, clock: Clock) -> Result<Stage, Failure> {
    let (customers, seeded) = made_up(numbers.clone(), today)?;
    let world = world(&seeded, numbers.start, &customers, today)?;
    let psa = KaseyaBms::setup(world).clock(clock).start().await?;
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
    let mut builder = World::builder();
    for (service, (price, cost)) in seeded.services.iter().zip([("4.50", "2.10"), ("3.20", "1.45"), ("1.80", "0.75")]) {
        builder = builder.service(ServiceSpec::named(service.name).id(service.id).price(price).cost(cost));
    }
    for (index, (company, customer)) in seeded.companies.iter().skip(first).zip(customers).enumerate() {
        if customer.role == Role::SecondSite {
            continue;
        }
        let (start, end) = term(index, today);
        builder = builder.account(AccountSpec::named(&company.name).id(company.id));
        builder =
            builder.contract(ContractSpec::recurring("Managed Security").id(company.contract_id).runs(start, end));
        for (place, (line, units)) in company.lines.iter().zip(customer.units).enumerate() {
            if customer.has_line(place) {
                builder = builder.line(LineSpec::of(line.service_id).id(line.line_id).units(i64::from(units)));
            }
        }
        // The one place where a quantity can be seen: every contract began before this month.
        builder = builder.invoiced(today.first_of_month());
        // What a client must leave alone: a project, and the contract of next year.
        if index % 7 == 3 {
            let project = ContractSpec::of_kind(ContractKind::TimeAndMaterial, "Office move");
            builder = builder.contract(project.id(company.contract_id + 1).runs(start, end));
        }
        if index % 11 == 5 {
            let from = end.saturating_add(1.day());
            let next = ContractSpec::recurring("Managed Security (next term)").id(company.contract_id + 3);
            builder = builder.contract(next.runs(from, from.saturating_add(1.year()).saturating_sub(1.day())));
        }
    }
    builder.build()
}

impl Simulated for KaseyaBms {
    fn psa(&self) -> Psa {
        Psa::KaseyaBms
    }

    fn name(&self) -> &'static str {
        "Kaseya BMS"
    }

    fn base(&self) -> String {
        Self::base(self)
    }

    fn credentials(&self) -> Value {
        json!({
            // One of Kaseya's, as no other is accepted; its calls go to the simulator all the same.
            "hostname": "bms.kaseya.com",
            "username": SAMPLE_API_USERNAME,
            "password": SAMPLE_PASSWORD,
            "company_name": SAMPLE_COMPANY_NAME,
        })
    }

    fn shows_units(&self) -> bool {
        false
    }

    fn end_contract(&self, contract: i64, day: Date) -> Result<(), Failure> {
        Ok(Self::end_contract(self, contract, day)?)
    }

    fn written(&self) -> usize {
        self.writes().iter().filter(|write| write.units_sent.is_some()).count()
    }

    fn found_out(&self) -> Option<String> {
        let Write { change, units_sent, contract_id, line_id, .. } = self.writes().into_iter().next()?;
        let sent = units_sent?;
        let account = self.lines(Date::MIN).into_iter().find(|line| line.line_id == line_id)?.account;
        let learnt = match change {
            Change::Added => "the service had a line more, so this BMS adds what is posted",
            _ => "the service had no line more, so this BMS replaces units by what is posted",
        };
        Some(format!(
            "what BMS does with a posted service is documented nowhere, so the first change was a trial: {sent:+} for \
             \"{account}\" (contract {contract_id}) was sent alone and read back; {learnt}, and the other changes followed \
             in the same sync"
        ))
    }

    fn about(&self, lines: &[LineResult]) -> Vec<String> {
        let unstated = lines.iter().filter(|line| line.code == Code::OpeningUnitsNeeded.as_str());
        let told = unstated.map(|line| {
            let (name, product) = (&line.company_name, &line.product);
            format!(
                "\"{name}\", {product}: {} That is a hint and no more. Compare it with the contract in BMS, then send the \
                 company's mapping again, with {{\"opening_units\": …}} for {product} among its overrides. The next sync goes \
                 on from there; until then nothing is written on that line.",
                line.explanation
            )
        });
        told.collect()
    }
}
