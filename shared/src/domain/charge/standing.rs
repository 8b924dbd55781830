//! What stands in a PSA of one charge: what we know of it, and what the PSA shows.
//!
//! A charge is made of pieces. The first is the charge itself; it is changed as long as it is not billed. What corrects it
//! after that is another piece, with a reference of its own, and so on: what is billed is never touched. What is to become
//! of a charge is decided in `decide`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::record::RecordKey;
use super::reference::{ChargeKey, ChargePlace};
use crate::domain::ids::{AccountId, ChargeId, ConnectionId, ContractId, IntentKey};
use crate::domain::intent::digest;
use crate::domain::money::{Currency, Money};
use crate::domain::pricing::Markup;
use crate::domain::reference::Reference;

/// Where a charge stands and what it is of: the one thing whose amounts Tallyline sets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChargeLine {
    /// The contract.
    pub contract: ContractId,
    /// Product, meter and billing period.
    #[serde(flatten)]
    pub key: ChargeKey,
}

impl fmt::Display for ChargeLine {
    /// `contract#product#first day#meter`, the charge's id on the wire; a bundle has no meter. No id holds a `#`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ChargeKey { product, meter, period_start } = &self.key;
        let meter = meter.as_ref().map_or("", |meter| meter.as_str());
        write!(f, "{}#{product}#{period_start}#{meter}", self.contract)
    }
}

/// A text that names no charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a charge's id: contract#product#first day#meter")]
pub struct NoChargeLine;

impl FromStr for ChargeLine {
    type Err = NoChargeLine;
    /// The charge that results call so.
    fn from_str(text: &str) -> Result<Self, NoChargeLine> {
        let parts: Vec<&str> = text.split('#').collect();
        let [contract, product, period_start, meter] = parts[..] else { return Err(NoChargeLine) };
        let meter = Some(meter).filter(|meter| !meter.is_empty()).map(str::parse).transpose();
        let key = ChargeKey {
            product: product.parse().map_err(|_| NoChargeLine)?,
            meter: meter.map_err(|_| NoChargeLine)?,
            period_start: period_start.parse().map_err(|_| NoChargeLine)?,
        };
        Ok(Self { contract: contract.parse().map_err(|_| NoChargeLine)?, key })
    }
}

/// Cost and price of a whole charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amounts {
    /// What it costs the partner.
    pub cost: Money,
    /// What the customer pays.
    pub price: Money,
}

impl Amounts {
    /// Whether there is nothing to charge.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.cost.get().is_zero() && self.price.get().is_zero()
    }

    /// What pieces come to together; `None` where that is more than any amount.
    #[must_use]
    pub fn of(pieces: &[Piece]) -> Option<Self> {
        pieces.iter().try_fold(Self::default(), |sum, piece| sum.plus(piece.amounts()))
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let sum = |one: Money, other: Money| one.get().checked_add(other.get()).map(Money::new);
        Some(Self { cost: sum(self.cost, other.cost)?, price: sum(self.price, other.price)? })
    }

    pub(super) fn less(self, other: Self) -> Option<Self> {
        let rest = |one: Money, other: Money| one.get().checked_sub(other.get()).map(Money::new);
        Some(Self { cost: rest(self.cost, other.cost)?, price: rest(self.price, other.price)? })
    }
}

impl fmt::Display for Amounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cost {}, price {}", self.cost, self.price)
    }
}

/// What one piece is to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// What the invoice calls it.
    pub name: String,
    /// More, for whoever reads the invoice.
    pub description: String,
    /// The day it stands at.
    pub date: Date,
    /// Cost and price.
    #[serde(flatten)]
    pub amounts: Amounts,
}

/// What the PSA shows of one piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The PSA's id.
    pub id: ChargeId,
    /// The contract that it is on.
    pub contract: ContractId,
    /// What the invoice calls it.
    pub name: String,
    /// The day it stands at.
    pub date: Date,
    /// What one of it costs; `None` where the PSA hides it.
    pub cost: Option<Money>,
    /// What the customer pays for one.
    pub price: Option<Money>,
    /// How many: one, unless somebody has made it another number.
    pub quantity: Decimal,
    /// It is billed, and never changed again.
    pub billed: bool,
}

impl Shown {
    /// Whether it says what `terms` ask for.
    #[must_use]
    pub fn says(&self, terms: &Terms) -> bool {
        self.amounts() == (Some(terms.amounts.cost), Some(terms.amounts.price)) && self.is_called(terms)
    }

    /// Whether name and day are those of `terms`.
    fn is_called(&self, terms: &Terms) -> bool {
        self.name.trim() == terms.name.trim() && self.date == terms.date
    }

    /// Whether everything but the cost is as `terms` ask for: so does a PSA answer that hides costs or takes none.
    #[must_use]
    pub fn says_all_but_the_cost(&self, terms: &Terms) -> bool {
        self.amounts().1 == Some(terms.amounts.price) && self.is_called(terms)
    }

    /// Cost and price of all of it.
    fn amounts(&self) -> (Option<Money>, Option<Money>) {
        let times = |one: Option<Money>| one?.get().checked_mul(self.quantity).map(Money::new);
        (times(self.cost), times(self.price))
    }

    /// The same but for what changes by itself: the mark that it is billed, and whether its cost is hidden from this user.
    fn is_unedited(&self, before: &Self) -> bool {
        let cost = if self.cost.is_some() && before.cost.is_some() { before.cost } else { self.cost };
        *self == Self { billed: self.billed, cost, ..before.clone() }
    }
}

/// A piece as it was last written or found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Which one, from 0: a number is never used for another.
    pub number: u32,
    /// What it was made to say.
    pub asked: Terms,
    /// What the PSA showed then.
    pub shown: Shown,
}

impl Piece {
    /// Cost and price of it: what the PSA shows, and where it hides one of them what was written. A PSA may hide a cost by
    /// showing none or by showing zero.
    #[must_use]
    pub fn amounts(&self) -> Amounts {
        let (cost, price) = self.shown.amounts();
        let cost = cost.filter(|cost| !cost.get().is_zero());
        Amounts { cost: cost.unwrap_or(self.asked.amounts.cost), price: price.unwrap_or(self.asked.amounts.price) }
    }

    /// Whether the PSA does not show the amounts that were written.
    #[must_use]
    pub fn is_not_taken(&self) -> bool {
        self.shown.amounts() != (Some(self.asked.amounts.cost), Some(self.asked.amounts.price))
    }

    /// What somebody did to it since, by what the PSA shows now.
    #[must_use]
    pub fn edited(&self, now: Option<&Shown>) -> Option<String> {
        let Some(now) = now else {
            return Some(format!("\"{}\" is gone, or its purchase order number was changed", self.shown.name));
        };
        let as_asked = now.contract == self.shown.contract && now.says(&self.asked);
        (!as_asked && !now.is_unedited(&self.shown)).then(|| {
            let was = (&self.shown.name, self.shown.date, self.amounts(), self.shown.quantity, &self.shown.contract);
            let words = |(name, date, amounts, quantity, contract): (&String, Date, Amounts, Decimal, &ContractId)| {
                format!("\"{name}\" of {date} on contract {contract}, quantity {}, {amounts}", quantity.normalize())
            };
            let (cost, price) = now.amounts();
            let amounts = Amounts { cost: cost.unwrap_or(was.2.cost), price: price.unwrap_or(was.2.price) };
            let is = (&now.name, now.date, amounts, now.quantity, &now.contract);
            format!("{} became {}", words(was), words(is))
        })
    }

    /// This piece as it was billed, with what somebody made of it before that. A cost that the PSA hides is the one that was
    /// written: nobody has seen another.
    pub(super) fn billed_as(&self, shown: Shown) -> Self {
        let hidden = shown.cost.is_none_or(|cost| cost.get().is_zero());
        let mut found = Self::found(self.number, shown);
        if hidden {
            found.asked.amounts.cost = self.asked.amounts.cost;
        }
        found
    }

    /// As something that is found in the PSA and was never written, or was written by whoever is not known.
    #[must_use]
    pub fn found(number: u32, shown: Shown) -> Self {
        let (cost, price) = shown.amounts();
        let amounts = Amounts { cost: cost.unwrap_or_default(), price: price.unwrap_or_default() };
        let asked = Terms { name: shown.name.clone(), description: String::new(), date: shown.date, amounts };
        Self { number, asked, shown }
    }
}

/// What the ledger knows of a charge before a run looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeHistory {
    /// The account that its contract bills.
    pub account: AccountId,
    /// The last day of its billing period.
    pub period_end: Date,
    /// The connection that writes it. Others leave it alone while that one is not revoked.
    pub writer: ConnectionId,
    /// Raised by every settled intent and every resolved finding.
    pub revision: u32,
    /// What stands, oldest first.
    pub pieces: Vec<Piece>,
    /// The number of the next piece.
    pub next: u32,
    /// What it is made of.
    pub records: Records,
    /// The markup in its price.
    #[serde(default)]
    pub markup: Option<Markup>,
    /// The currency in which it stands.
    #[serde(default)]
    pub currency: Option<Currency>,
    /// A write that is not settled yet.
    #[serde(default)]
    pub open: Option<IntentKey>,
    /// A person has said that what the PSA shows is where to go on from.
    #[serde(default)]
    pub forgotten: bool,
}

/// The most pieces of one charge: each is a correction of one that was billed.
pub const MOST_PIECES: u32 = 40;

impl ChargeHistory {
    /// Of a charge that was never written.
    #[must_use]
    pub fn new(account: AccountId, period_end: Date, writer: ConnectionId) -> Self {
        Self {
            account,
            period_end,
            writer,
            revision: 0,
            pieces: Vec::new(),
            next: 0,
            records: Records::default(),
            markup: None,
            currency: None,
            open: None,
            forgotten: false,
        }
    }

    /// The markup that its price keeps: that of a bill, or of a billing period that is over, is not changed after the fact.
    #[must_use]
    pub fn kept_markup(&self, today: Date) -> Option<Option<Markup>> {
        let billed = self.pieces.iter().any(|piece| piece.shown.billed);
        (self.stands() && (billed || self.period_end < today)).then_some(self.markup)
    }

    /// Whether anything of it stands in the PSA, or may: its records are then charged here and nowhere else.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.open.is_some() || !self.pieces.is_empty()
    }

    /// The references under which pieces may stand: of all that ever were, and of the next.
    #[must_use]
    pub fn references(&self, line: &ChargeLine, place: &ChargePlace) -> Vec<(u32, Reference)> {
        (0..=self.next).map(|number| (number, line.key.reference(place, number))).collect()
    }

    /// Whether the PSA has to be asked what became of it, though nothing is to be changed: what is billed stays as it is.
    #[must_use]
    pub fn may_move(&self) -> bool {
        self.open.is_some() || self.forgotten || self.pieces.iter().any(|piece| !piece.shown.billed)
    }

    /// What it comes to, as far as we know.
    #[must_use]
    pub fn amounts(&self) -> Option<Amounts> {
        Amounts::of(&self.pieces)
    }
}

/// Which charge records a charge is made of, each by a digest of 16 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Records(BTreeSet<String>);

/// The most records that one charge is made of: their digests fit a row of the store.
pub const MOST_RECORDS: usize = 10_000;

const DIGITS: usize = 16;

impl Records {
    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether `record` is among them.
    #[must_use]
    pub fn has(&self, record: &RecordKey) -> bool {
        self.0.contains(&named(record))
    }

    /// Whether each of them is among `others`.
    #[must_use]
    pub fn are_among(&self, others: &Self) -> bool {
        self.0.is_subset(&others.0)
    }

    /// Their digests.
    pub fn digests(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// The digest by which [`Records`] know a record.
#[must_use]
pub fn named(record: &RecordKey) -> String {
    let RecordKey { company, product, meter, from } = record;
    let mut digest = digest(&[company.as_str(), product.as_str(), meter.as_str(), &from.to_string()]);
    digest.truncate(DIGITS);
    digest
}

impl<'a> FromIterator<&'a RecordKey> for Records {
    fn from_iter<I: IntoIterator<Item = &'a RecordKey>>(records: I) -> Self {
        Self(records.into_iter().map(named).collect())
    }
}

impl TryFrom<String> for Records {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if !text.is_ascii() || !text.len().is_multiple_of(DIGITS) {
            return Err("must be digests of 16 digits");
        }
        let digests = text.as_bytes().chunks(DIGITS).map(|digest| String::from_utf8_lossy(digest).into_owned());
        Ok(Self(digests.collect()))
    }
}

impl From<Records> for String {
    fn from(records: Records) -> Self {
        records.0.into_iter().collect()
    }
}
