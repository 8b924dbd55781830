//! What a simulated PSA holds in the beginning, in words that fit every PSA.

use jiff::civil::{Date, date};

/// The day on which every test begins.
pub const TODAY: Date = date(2026, 11, 21);
/// The first day of contracts, where nothing else is said.
pub const START: Date = date(2026, 1, 1);
/// The last one.
pub const END: Date = date(2027, 6, 30);

/// Units on the line of a case.
pub const UNITS: i64 = 40;

/// A tenant.
#[derive(Clone, Default)]
pub struct World {
    pub services: Vec<Service>,
    pub accounts: Vec<Account>,
}

#[derive(Clone)]
pub struct Service {
    pub id: i64,
    pub name: String,
    pub active: bool,
}

#[derive(Clone)]
pub struct Account {
    pub id: i64,
    pub name: String,
    pub active: bool,
    pub contracts: Vec<Contract>,
}

#[derive(Clone)]
pub struct Contract {
    pub id: i64,
    pub name: String,
    /// Of the kind that carries services; otherwise of another one.
    pub recurring: bool,
    pub active: bool,
    pub start: Date,
    pub end: Date,
    /// Services and their units since the first day.
    pub lines: Vec<(i64, i64)>,
}

impl World {
    /// Adds a service.
    pub fn service(mut self, id: i64, name: &str) -> Self {
        self.services.push(Service { id, name: name.to_owned(), active: true });
        self
    }

    /// Adds an account with its contracts.
    pub fn account(mut self, id: i64, name: &str, contracts: Vec<Contract>) -> Self {
        self.accounts.push(Account { id, name: name.to_owned(), active: true, contracts });
        self
    }

    /// Every contract and the account that it is of.
    pub fn contracts(&self) -> impl Iterator<Item = (&Account, &Contract)> {
        self.accounts.iter().flat_map(|account| account.contracts.iter().map(move |contract| (account, contract)))
    }

    /// Every line, as contract and service, with its units.
    pub fn lines(&self) -> impl Iterator<Item = (i64, i64, i64)> {
        self.contracts().flat_map(|(_, of)| of.lines.iter().map(|(service, units)| (of.id, *service, *units)))
    }

    /// A few customers with everything that makes a catalogue hard: names that hold each other, two accounts of one name,
    /// what is inactive, ended, still to come, or of another kind.
    pub fn varied() -> Self {
        let mut world = Self::default()
            .service(701, "Endpoint Detection")
            .service(702, "Backup")
            .service(703, "Backup Plus")
            .service(704, "Überwachung")
            .service(705, "Retired")
            .account(2_001, "Nord", vec![Contract::of(5_001, "Care", &[(701, 40), (702, 3)])])
            .account(
                2_002,
                "Nord West",
                vec![
                    Contract::of(5_002, "Care 1", &[(701, 11)]),
                    Contract::of(5_003, "Care 10", &[(701, 12), (703, 0)]),
                    Contract { active: false, ..Contract::of(5_004, "Paused", &[(702, 5)]) },
                ],
            )
            .account(
                2_003,
                "Müller & Söhne",
                vec![
                    Contract { recurring: false, ..Contract::of(5_005, "Project", &[]) },
                    Contract { end: date(2026, 6, 30), ..Contract::of(5_006, "Old Care", &[(704, 8)]) },
                    Contract { start: date(2027, 1, 1), ..Contract::of(5_007, "Next Care", &[(704, 9)]) },
                    Contract::of(5_008, "Care", &[(704, 9), (701, 1)]),
                ],
            )
            .account(2_004, "Twin", vec![Contract::of(5_009, "Left", &[(702, 21)])])
            .account(2_005, "Twin", vec![Contract::of(5_010, "Right", &[(702, 22)])])
            .account(2_006, "Gone", vec![]);
        world.services[4].active = false;
        world.accounts[5].active = false;
        world
    }

    /// `contracts` customers with one contract and one line each; ten of them share an account.
    pub fn large(contracts: i64) -> Self {
        let mut world = Self::default().service(701, "Endpoint Detection").service(702, "Backup");
        for first in (0..contracts).step_by(10) {
            let of = (first..contracts.min(first + 10)).map(|number| {
                let units = 1 + number % 97;
                Contract::of(10_000 + number, &format!("Care {number}"), &[(701 + number % 2, units)])
            });
            world = world.account(2_001 + first / 10, &format!("Customer {}", first / 10), of.collect());
        }
        world
    }

    /// Customers with a contract each that all carry the same service.
    pub fn of_one_service(customers: i64) -> Self {
        (0..customers).fold(Self::default().service(701, "Endpoint Detection"), |world, number| {
            let contract = Contract::of(10_000 + number, &format!("Care {number}"), &[(701, 1 + number % 97)]);
            world.account(2_001 + number, &format!("Customer {number}"), vec![contract])
        })
    }

    /// A customer with so many contracts, each with one line of 40 units of a service of its own: one for each case of a
    /// table.
    pub fn cases(cases: i64) -> Self {
        let mut world = Self::default();
        let mut contracts = vec![];
        for number in 0..cases {
            let (contract, service) = Self::case(number);
            world = world.service(service, &format!("Service {number}"));
            contracts.push(Contract::of(contract, &format!("Case {number}"), &[(service, UNITS)]));
        }
        world.account(2_001, "Nord", contracts)
    }

    /// The contract and the service of a case.
    pub fn case(number: i64) -> (i64, i64) {
        (100_000 + number, 200_000 + number)
    }
}

impl Contract {
    /// An active recurring contract that bills monthly.
    pub fn of(id: i64, name: &str, lines: &[(i64, i64)]) -> Self {
        Self { id, name: name.to_owned(), recurring: true, active: true, start: START, end: END, lines: lines.to_vec() }
    }
}
