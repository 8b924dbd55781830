//! What a vendor charges a partner for one meter of one company over some days, as it came.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::decimals::{Quantity, Total, UnitPrice, believed, product};
use crate::domain::ids::{CompanyId, Meter, ProductKey};
use crate::domain::money::Currency;

/// The most days of one record: a year that has a day more.
const MAX_DAYS: i32 = 366;

/// The days that a record is about; both belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Days", into = "Days")]
pub struct UsagePeriod {
    from: Date,
    to: Date,
}

/// Why two dates are no period of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUsagePeriod {
    /// It would end before it begins.
    #[error("must not be before from")]
    Backwards,
    /// Nothing is charged for so long at once.
    #[error("must be at most {MAX_DAYS} days after from")]
    TooLong,
}

#[derive(Serialize, Deserialize)]
struct Days {
    from: Date,
    to: Date,
}

impl UsagePeriod {
    /// From the first day to the last.
    ///
    /// # Errors
    /// `to` is before `from`, or long after it.
    pub fn new(from: Date, to: Date) -> Result<Self, InvalidUsagePeriod> {
        let days = from.until(to).map_or(i32::MAX, |span| span.get_days());
        match days {
            ..0 => Err(InvalidUsagePeriod::Backwards),
            0..=MAX_DAYS => Ok(Self { from, to }),
            _ => Err(InvalidUsagePeriod::TooLong),
        }
    }

    /// The first day: it says to which billing period the record belongs.
    #[must_use]
    pub fn from(self) -> Date {
        self.from
    }

    /// The last day.
    #[must_use]
    pub fn to(self) -> Date {
        self.to
    }
}

impl TryFrom<Days> for UsagePeriod {
    type Error = InvalidUsagePeriod;
    fn try_from(Days { from, to }: Days) -> Result<Self, InvalidUsagePeriod> {
        Self::new(from, to)
    }
}

impl From<UsagePeriod> for Days {
    fn from(UsagePeriod { from, to }: UsagePeriod) -> Self {
        Self { from, to }
    }
}

/// What a record comes to, as its vendor says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Said", into = "Said")]
pub enum Worth {
    /// In one sum.
    Amount(Total),
    /// So much, at so much each.
    QuantityTimes {
        /// How much was used.
        quantity: Quantity,
        /// What one of it costs the partner.
        unit_price: UnitPrice,
    },
}

/// As it is sent and stored: `amount`, or `quantity` with `unit_price`.
#[derive(Serialize, Deserialize)]
struct Said {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<Total>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quantity: Option<Quantity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit_price: Option<UnitPrice>,
}

impl Worth {
    /// The exact total, not rounded. `None`: it is more than any total believed.
    #[must_use]
    pub fn exact(self) -> Option<Decimal> {
        match self {
            Self::Amount(total) => believed(total.get()),
            Self::QuantityTimes { quantity, unit_price } => product(quantity, unit_price),
        }
    }
}

impl TryFrom<Said> for Worth {
    type Error = &'static str;
    fn try_from(said: Said) -> Result<Self, Self::Error> {
        match said {
            Said { amount: Some(total), quantity: None, unit_price: None } => Ok(Self::Amount(total)),
            Said { amount: None, quantity: Some(quantity), unit_price: Some(unit_price) } => {
                Ok(Self::QuantityTimes { quantity, unit_price })
            }
            _ => Err("must have amount, or quantity and unit_price"),
        }
    }
}

impl From<Worth> for Said {
    fn from(worth: Worth) -> Self {
        match worth {
            Worth::Amount(total) => Self { amount: Some(total), quantity: None, unit_price: None },
            Worth::QuantityTimes { quantity, unit_price } => {
                Self { amount: None, quantity: Some(quantity), unit_price: Some(unit_price) }
            }
        }
    }
}

/// One record. Another with the same [`RecordKey`] is another word on the same thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeRecord {
    /// The partner's customer.
    pub company: CompanyId,
    /// Its name, for people.
    pub company_name: String,
    /// The product that the meter belongs to.
    pub product: ProductKey,
    /// What is charged for.
    pub meter: Meter,
    /// That in words, as it may stand on an invoice: 1 to 200 characters.
    pub description: String,
    /// The days that it is about.
    pub period: UsagePeriod,
    /// What it comes to: the partner's cost.
    #[serde(flatten)]
    pub worth: Worth,
    /// The currency of that.
    pub currency: Currency,
}

/// What tells one record from every other of its partner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// The partner's customer.
    pub company: CompanyId,
    /// The product.
    pub product: ProductKey,
    /// What is charged for.
    pub meter: Meter,
    /// The first day that it is about.
    pub from: Date,
}

impl ChargeRecord {
    /// What it is told by.
    #[must_use]
    pub fn key(&self) -> RecordKey {
        RecordKey {
            company: self.company.clone(),
            product: self.product.clone(),
            meter: self.meter.clone(),
            from: self.period.from,
        }
    }
}
