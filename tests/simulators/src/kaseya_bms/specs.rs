//! What a test says about an account, contract, service or line before it is built.
//!
//! Owns the specs and their defaults, so that a test names only what matters to it. Putting them together, and all checks,
//! are `builder`'s.

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use super::switches::TypeSpelling;

/// A customer account.
#[derive(Clone, Debug)]
pub struct AccountSpec {
    pub(super) id: Option<i64>,
    pub(super) name: String,
    pub(super) code: String,
    pub(super) active: bool,
}

/// A contract on the account named before it.
#[derive(Clone, Debug)]
pub struct ContractSpec {
    pub(super) id: Option<i64>,
    pub(super) name: String,
    pub(super) number: String,
    pub(super) kind: ContractKind,
    pub(super) active: bool,
    pub(super) start: Date,
    pub(super) end: Date,
    pub(super) billing_cycle: String,
}

/// A catalogue service.
#[derive(Clone, Debug)]
pub struct ServiceSpec {
    pub(super) id: Option<i64>,
    pub(super) name: String,
    pub(super) price: String,
    pub(super) cost: String,
    pub(super) active: bool,
}

/// A service on the contract named before it.
#[derive(Clone, Debug)]
pub struct LineSpec {
    pub(super) id: Option<i64>,
    pub(super) service_id: i64,
    pub(super) units: i64,
    pub(super) price: Option<String>,
    pub(super) cost: Option<String>,
    pub(super) from: Option<Date>,
    pub(super) excluded: bool,
}

/// The contract types of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContractKind {
    /// The only one that carries services.
    RecurringServices,
    /// Time and Material
    TimeAndMaterial,
    /// Fixed Price
    FixedPrice,
    /// Retainer by Amount
    RetainerByAmount,
    /// Retainer by Hours
    RetainerByHours,
}

impl ContractKind {
    /// Its name on the wire.
    pub(crate) fn spelt(self, spelling: TypeSpelling) -> String {
        let words = match self {
            Self::RecurringServices if spelling == TypeSpelling::Singular => "Recurring Service",
            Self::RecurringServices => "Recurring Services",
            Self::TimeAndMaterial => "Time and Material",
            Self::FixedPrice => "Fixed Price",
            Self::RetainerByAmount => "Retainer by Amount",
            Self::RetainerByHours => "Retainer by Hours",
        };
        match spelling {
            TypeSpelling::Words | TypeSpelling::Singular => words.to_owned(),
            TypeSpelling::OneWord => words.split(' ').map(capitalised).collect(),
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

impl AccountSpec {
    /// An active customer.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), code: String::new(), active: true }
    }

    /// Its id.
    #[must_use]
    pub fn id(mut self, id: i64) -> Self {
        self.id = Some(id);
        self
    }

    /// Its account code, where vendors often keep their own id.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = code.into();
        self
    }

    /// Marks it inactive.
    #[must_use]
    pub fn inactive(mut self) -> Self {
        self.active = false;
        self
    }
}

impl ContractSpec {
    /// An active recurring services contract that bills monthly through the year 2026, unless said otherwise.
    #[must_use]
    pub fn recurring(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            number: String::new(),
            kind: ContractKind::RecurringServices,
            active: true,
            start: date(2026, 1, 1),
            end: date(2026, 12, 31),
            billing_cycle: "Monthly".to_owned(),
        }
    }

    /// A contract of another type, which carries no services.
    #[must_use]
    pub fn of_kind(kind: ContractKind, name: impl Into<String>) -> Self {
        Self { kind, ..Self::recurring(name) }
    }

    /// Its id.
    #[must_use]
    pub fn id(mut self, id: i64) -> Self {
        self.id = Some(id);
        self
    }

    /// Its number.
    #[must_use]
    pub fn number(mut self, number: impl Into<String>) -> Self {
        self.number = number.into();
        self
    }

    /// First and last day.
    #[must_use]
    pub fn runs(mut self, start: Date, end: Date) -> Self {
        (self.start, self.end) = (start, end);
        self
    }

    /// Its billing cycle, as the wire spells it.
    #[must_use]
    pub fn bills(mut self, cycle: impl Into<String>) -> Self {
        self.billing_cycle = cycle.into();
        self
    }

    /// Marks it deactivated.
    #[must_use]
    pub fn inactive(mut self) -> Self {
        self.active = false;
        self
    }
}

impl ServiceSpec {
    /// An active service at 10.00 that costs 5.00, unless said otherwise.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), price: "10.00".into(), cost: "5.00".into(), active: true }
    }

    /// Its id.
    #[must_use]
    pub fn id(mut self, id: i64) -> Self {
        self.id = Some(id);
        self
    }

    /// Its unit price.
    #[must_use]
    pub fn price(mut self, price: impl Into<String>) -> Self {
        self.price = price.into();
        self
    }

    /// Its unit cost.
    #[must_use]
    pub fn cost(mut self, cost: impl Into<String>) -> Self {
        self.cost = cost.into();
        self
    }

    /// Marks it inactive.
    #[must_use]
    pub fn inactive(mut self) -> Self {
        self.active = false;
        self
    }
}

impl LineSpec {
    /// One unit of a catalogue service from the contract's start, at the catalogue's amounts, unless said otherwise.
    #[must_use]
    pub fn of(service_id: i64) -> Self {
        Self { id: None, service_id, units: 1, price: None, cost: None, from: None, excluded: false }
    }

    /// Its id.
    #[must_use]
    pub fn id(mut self, id: i64) -> Self {
        self.id = Some(id);
        self
    }

    /// Its units.
    #[must_use]
    pub fn units(mut self, units: i64) -> Self {
        self.units = units;
        self
    }

    /// Its unit price, if not the catalogue's.
    #[must_use]
    pub fn price(mut self, price: impl Into<String>) -> Self {
        self.price = Some(price.into());
        self
    }

    /// Its unit cost, if not the catalogue's.
    #[must_use]
    pub fn cost(mut self, cost: impl Into<String>) -> Self {
        self.cost = Some(cost.into());
        self
    }

    /// Its first day, if not the contract's.
    #[must_use]
    pub fn from(mut self, day: Date) -> Self {
        self.from = Some(day);
        self
    }

    /// Marks it `excludeFromContractBulkUpdates`.
    #[must_use]
    pub fn excluded_from_bulk_updates(mut self) -> Self {
        self.excluded = true;
        self
    }
}
