//! A field's value between a row and the wire.
//!
//! Owns the few value types Autotask fields have and how each prints as JSON. Decimals and days themselves are `crate::wire`'s.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value;

use super::switches::DateForm;
pub(crate) use crate::wire::{day_and_seconds, decimal, number};

/// A field's value in one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Int(i64),
    Amount(Decimal),
    Text(&'a str),
    Flag(bool),
    Day(Date),
}

impl Cell<'_> {
    pub(crate) fn maybe(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Int)
    }

    pub(crate) fn json(&self, form: DateForm) -> Value {
        match *self {
            Self::Null => Value::Null,
            Self::Int(number) => number.into(),
            Self::Amount(amount) => number(amount),
            Self::Text(text) => text.into(),
            Self::Flag(flag) => flag.into(),
            Self::Day(day) => day_text(day, form).into(),
        }
    }
}

/// A date-only value as the wire shows it.
pub(crate) fn day_text(day: Date, form: DateForm) -> String {
    match form {
        DateForm::MidnightUtc => format!("{day}T00:00:00Z"),
        DateForm::MidnightUtcFraction => format!("{day}T00:00:00.000Z"),
        DateForm::AfternoonUtc => format!("{day}T13:00:00Z"),
        DateForm::NoZone => format!("{day}T00:00:00"),
    }
}
