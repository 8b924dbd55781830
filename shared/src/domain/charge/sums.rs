//! What the charges of a run come to: one sum a currency. A charge is billed once, so it is not told by the month.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::result::ChargeResult;
use super::standing::Amounts;
use crate::domain::line::LineStatus;
use crate::domain::money::{Currency, Money};

/// What changes of charges come to, added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChargeSum {
    /// The currency.
    #[schema(value_type = String, example = "EUR")]
    pub currency: Currency,
    /// What they add to the partner's costs, or take off.
    #[schema(value_type = String, example = "84.00")]
    pub cost: Money,
    /// What they add to invoices, or take off.
    #[schema(value_type = String, example = "100.80")]
    pub price: Money,
    /// How many charges.
    pub charges: u32,
}

/// Adds up what `rows` of this status change.
#[must_use]
pub fn changes<'a>(rows: impl IntoIterator<Item = &'a ChargeResult>, status: LineStatus) -> Vec<ChargeSum> {
    let change = |row: &ChargeResult| {
        let currency = row.currency.clone()?;
        let change = row.target?.less(row.before?)?;
        (row.status == status).then_some(ChargeSum { currency, cost: change.cost, price: change.price, charges: 1 })
    };
    together(rows.into_iter().filter_map(change))
}

/// Sums of the same currency as one, in the order of currencies. What is more than a decimal holds is left out with its
/// charges counted: no charge is that large.
#[must_use]
pub fn together(sums: impl IntoIterator<Item = ChargeSum>) -> Vec<ChargeSum> {
    let mut by_currency: BTreeMap<Currency, (Amounts, u32)> = BTreeMap::new();
    for ChargeSum { currency, cost, price, charges } in sums {
        let (amounts, count) = by_currency.entry(currency).or_default();
        *amounts = amounts.plus(Amounts { cost, price }).unwrap_or(*amounts);
        *count = count.saturating_add(charges);
    }
    let sum = |(currency, (Amounts { cost, price }, charges))| ChargeSum { currency, cost, price, charges };
    by_currency.into_iter().map(sum).collect()
}
