//! The decimals of a charge record: what it comes to, how much was used, what one of that costs.
//!
//! They are bounded so that what is worked out from them is exact until it is rounded: a total that is believed has at most
//! twelve digits before the point and twelve after it, and a decimal holds twenty-eight.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::amount::MAX_SCALE;

/// The largest total believed, in whole currency units.
pub const MAX_TOTAL: i64 = 1_000_000_000_000;

/// Why a text is none of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidDecimal(&'static str);

macro_rules! decimals {
    ($($(#[$doc:meta])* $name:ident, $least:literal to $most:literal, $says:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Decimal);

        impl $name {
            /// What a text must be to be one.
            pub const RULE: &'static str = $says;

            /// As a decimal.
            #[must_use]
            pub fn get(self) -> Decimal {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidDecimal;
            fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
                decimal(text, $least, $most).map(Self).ok_or(InvalidDecimal($says))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidDecimal;
            fn try_from(text: String) -> Result<Self, InvalidDecimal> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(decimal: $name) -> Self {
                decimal.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

decimals! {
    /// What a record comes to: `"12.50"`, or `"-3.10"` for a credit.
    Total, -1_000_000_000_000 to 1_000_000_000_000,
        "must be a decimal text such as \"12.50\" or \"-3.10\": at most 6 digits after the point, up to 1000000000000";
    /// How much was used: `"1234.567"`. Never negative.
    Quantity, 0 to 1_000_000_000_000_000,
        "must be a decimal text such as \"1234.567\": not negative, at most 6 digits after the point, up to 1000000000000000";
    /// What one of it costs the partner: `"0.0125"`. Negative where it is given back.
    UnitPrice, -1_000_000_000 to 1_000_000_000,
        "must be a decimal text such as \"0.0125\" or \"-0.5\": at most 6 digits after the point, up to 1000000000";
}

/// Digits, a point, a minus in front: no other signs, no exponents, no underscores.
fn decimal(text: &str, least: i64, most: i64) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let mut decimal = Decimal::from_str_exact(text).ok()?;
    if decimal.is_zero() {
        // Nothing is nothing, whatever sign a sender's formatter left in front of it.
        decimal.set_sign_positive(true);
    }
    let believed = (Decimal::from(least)..=Decimal::from(most)).contains(&decimal) && decimal.scale() <= MAX_SCALE;
    (plain && believed).then_some(decimal)
}

/// `exact`, where it is a total that is believed.
pub(super) fn believed(exact: Decimal) -> Option<Decimal> {
    (exact.abs() <= Decimal::from(MAX_TOTAL)).then(|| exact.normalize())
}

/// Quantity times unit price. One that is believed has room for each of its digits.
pub(super) fn product(quantity: Quantity, unit_price: UnitPrice) -> Option<Decimal> {
    quantity.0.checked_mul(unit_price.0).and_then(believed)
}
