//! What a test says about a company, contract, service or line before it is built.
//!
//! Owns the specs and their defaults, so that a test names only what matters to it. Putting them together, and all checks,
//! are `builder`'s.

use jiff::civil::{Date, date};

use super::adjust::{ACTIVE, RECURRING};
use super::builder::OWN_CURRENCY;
use super::picklists::CodeUse;
use super::timeline::{Days, Period};

const FIXED_PRICE: i64 = 3;
const INACTIVE: i64 = 0;

/// A customer company.
#[derive(Clone, Debug)]
pub struct CompanySpec {
    pub(super) id: Option<i64>,
    pub(super) name: String,
    pub(super) number: String,
    pub(super) active: bool,
    pub(super) vendor: bool,
    pub(super) currency: String,
    pub(super) rate: String,
}

/// A contract on the company named before it.
#[derive(Clone, Debug)]
pub struct ContractSpec {
    pub(super) id: Option<i64>,
    pub(super) name: String,
    pub(super) number: String,
    pub(super) kind: i64,
    pub(super) status: i64,
    pub(super) days: Days,
    pub(super) period: Option<Period>,
    pub(super) renewed_contract_id: Option<i64>,
}

/// A catalogue service.
#[derive(Clone, Debug)]
pub struct ServiceSpec {
    pub(super) id: Option<i64>,
    pub(super) name: String,
    pub(super) sku: Option<String>,
    pub(super) period: Period,
    pub(super) price: String,
    pub(super) cost: String,
    pub(super) active: bool,
}

/// A service on the contract named before it.
#[derive(Clone, Debug)]
pub struct LineSpec {
    pub(super) id: Option<i64>,
    pub(super) service: ServiceKey,
    pub(super) units: i64,
    pub(super) price: Option<String>,
    pub(super) cost: Option<String>,
    pub(super) from: Option<Date>,
    pub(super) changes: Vec<(Date, i64)>,
    pub(super) posted_through: Option<Date>,
}

/// A billing code.
#[derive(Clone, Debug)]
pub struct CodeSpec {
    pub(super) id: Option<i64>,
    pub(super) name: String,
    pub(super) used_for: CodeUse,
    pub(super) active: bool,
}

/// Names a catalogue service by id or by name.
#[derive(Clone, Debug)]
pub enum ServiceKey {
    /// By id; it must be in the catalogue.
    Id(i64),
    /// By name; it is added to the catalogue if it is not there.
    Name(String),
}

impl CompanySpec {
    /// An active customer.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        let (currency, rate) = (OWN_CURRENCY.into(), "1".into());
        Self { id: None, name: name.into(), number: String::new(), active: true, vendor: false, currency, rate }
    }

    /// Its id.
    #[must_use]
    pub fn id(mut self, id: i64) -> Self {
        self.id = Some(id);
        self
    }

    /// Its `companyNumber`, where vendors often keep their own id.
    #[must_use]
    pub fn number(mut self, number: impl Into<String>) -> Self {
        self.number = number.into();
        self
    }

    /// Makes it a supplier instead of a customer.
    #[must_use]
    pub fn vendor(mut self) -> Self {
        self.vendor = true;
        self
    }

    /// The currency that it is invoiced in, by its code, and how many of the tenant's own one of it is.
    #[must_use]
    pub fn invoiced_in(mut self, code: impl Into<String>, rate: impl Into<String>) -> Self {
        self.currency = code.into();
        self.rate = rate.into();
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
    /// An active recurring service contract (type 7) that bills monthly through the year 2026, unless said otherwise.
    #[must_use]
    pub fn recurring(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            number: String::new(),
            kind: RECURRING,
            status: ACTIVE,
            days: Days { start: date(2026, 1, 1), end: date(2026, 12, 31) },
            period: Some(Period::Monthly),
            renewed_contract_id: None,
        }
    }

    /// An active fixed-price contract (type 3), which has no recurring lines.
    #[must_use]
    pub fn fixed_price(name: impl Into<String>) -> Self {
        Self { kind: FIXED_PRICE, period: None, ..Self::recurring(name) }
    }

    /// Its id.
    #[must_use]
    pub fn id(mut self, id: i64) -> Self {
        self.id = Some(id);
        self
    }

    /// Its `contractNumber`, the external reference field.
    #[must_use]
    pub fn number(mut self, number: impl Into<String>) -> Self {
        self.number = number.into();
        self
    }

    /// First and last day.
    #[must_use]
    pub fn runs(mut self, start: Date, end: Date) -> Self {
        self.days = Days { start, end };
        self
    }

    /// How often it bills.
    #[must_use]
    pub fn bills(mut self, period: Period) -> Self {
        self.period = Some(period);
        self
    }

    /// Any contract type number.
    #[must_use]
    pub fn kind(mut self, contract_type: i64) -> Self {
        self.kind = contract_type;
        self
    }

    pub(super) fn is_recurring(&self) -> bool {
        self.kind == RECURRING
    }

    /// Status 0.
    #[must_use]
    pub fn inactive(mut self) -> Self {
        self.status = INACTIVE;
        self
    }

    /// Its `renewedContractID`: the other contract of a renewal. Whether the old contract or the new one carries it is not
    /// confirmed.
    #[must_use]
    pub fn renewed(mut self, contract_id: i64) -> Self {
        self.renewed_contract_id = Some(contract_id);
        self
    }
}

impl ServiceSpec {
    /// An active monthly service at price 5.00 and cost 2.50, unless said otherwise.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            sku: None,
            period: Period::Monthly,
            price: "5.00".into(),
            cost: "2.50".into(),
            active: true,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(mut self, id: i64) -> Self {
        self.id = Some(id);
        self
    }

    /// Its `sku`.
    #[must_use]
    pub fn sku(mut self, sku: impl Into<String>) -> Self {
        self.sku = Some(sku.into());
        self
    }

    /// Unit price, as a decimal text.
    #[must_use]
    pub fn price(mut self, price: impl Into<String>) -> Self {
        self.price = price.into();
        self
    }

    /// Unit cost, as a decimal text.
    #[must_use]
    pub fn cost(mut self, cost: impl Into<String>) -> Self {
        self.cost = cost.into();
        self
    }

    /// How often it bills.
    #[must_use]
    pub fn bills(mut self, period: Period) -> Self {
        self.period = period;
        self
    }

    /// Marks it inactive.
    #[must_use]
    pub fn inactive(mut self) -> Self {
        self.active = false;
        self
    }
}

impl CodeSpec {
    /// An active one for recurring services.
    #[must_use]
    pub fn recurring(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), used_for: CodeUse::Recurring, active: true }
    }

    /// An active one for charges.
    #[must_use]
    pub fn material(name: impl Into<String>) -> Self {
        Self { used_for: CodeUse::Material, ..Self::recurring(name) }
    }

    /// An active one for expenses.
    #[must_use]
    pub fn expense(name: impl Into<String>) -> Self {
        Self { used_for: CodeUse::Expense, ..Self::recurring(name) }
    }

    /// Its id.
    #[must_use]
    pub fn id(mut self, id: i64) -> Self {
        self.id = Some(id);
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
    /// A line of a service with no units.
    #[must_use]
    pub fn of(service: impl Into<ServiceKey>) -> Self {
        Self {
            id: None,
            service: service.into(),
            units: 0,
            price: None,
            cost: None,
            from: None,
            changes: Vec::new(),
            posted_through: None,
        }
    }

    /// The contract service id.
    #[must_use]
    pub fn id(mut self, id: i64) -> Self {
        self.id = Some(id);
        self
    }

    /// Units from the first day.
    #[must_use]
    pub fn units(mut self, units: i64) -> Self {
        self.units = units;
        self
    }

    /// Unit price, as a decimal text; otherwise the catalogue's.
    #[must_use]
    pub fn price(mut self, price: impl Into<String>) -> Self {
        self.price = Some(price.into());
        self
    }

    /// Unit cost, as a decimal text; otherwise the catalogue's.
    #[must_use]
    pub fn cost(mut self, cost: impl Into<String>) -> Self {
        self.cost = Some(cost.into());
        self
    }

    /// First day, if later than the contract's.
    #[must_use]
    pub fn from(mut self, day: Date) -> Self {
        self.from = Some(day);
        self
    }

    /// A signed change of units from a day on, past or future. It uses up that day for adjustments.
    #[must_use]
    pub fn change(mut self, day: Date, units: i64) -> Self {
        self.changes.push((day, units));
        self
    }

    /// Approves and posts every row that ends on or before a day.
    #[must_use]
    pub fn posted_through(mut self, day: Date) -> Self {
        self.posted_through = Some(day);
        self
    }
}

impl From<&str> for CompanySpec {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

impl From<&str> for ContractSpec {
    fn from(name: &str) -> Self {
        Self::recurring(name)
    }
}

impl From<&str> for ServiceSpec {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

impl From<&str> for ServiceKey {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<i64> for ServiceKey {
    fn from(id: i64) -> Self {
        Self::Id(id)
    }
}
