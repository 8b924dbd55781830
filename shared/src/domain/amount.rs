//! Amounts of money as exact decimals. A currency travels beside an amount, never inside it.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The most digits after the point that a unit cost or price may carry.
pub const MAX_SCALE: u32 = 6;

/// The largest amount believed for one unit, in whole currency units.
const MAX_WHOLE: i64 = 1_000_000_000;

/// A non-negative amount for one unit: `"12.50"` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount(Decimal);

/// Why a text can't be an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a decimal text such as \"12.50\": not negative, at most {MAX_SCALE} digits after the point")]
pub struct InvalidAmount;

impl Amount {
    /// The amount as a decimal.
    #[must_use]
    pub fn get(self) -> Decimal {
        self.0
    }
}

impl FromStr for Amount {
    type Err = InvalidAmount;
    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        // The parser would also take signs, and underscores as in Rust's own numbers.
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let amount = Decimal::from_str_exact(text).map_err(|_| InvalidAmount)?;
        let believable = plain && amount <= Decimal::from(MAX_WHOLE) && amount.scale() <= MAX_SCALE;
        if believable { Ok(Self(amount)) } else { Err(InvalidAmount) }
    }
}

impl TryFrom<String> for Amount {
    type Error = InvalidAmount;
    fn try_from(text: String) -> Result<Self, InvalidAmount> {
        text.parse()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_their_digits() {
        for text in ["12.50", "0", "0.000001", "1000000000"] {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), text);
        }
        for bad in ["", "-1", "1.0000001", "1e3", "1000000001", "12,50", "NaN"] {
            assert_eq!(bad.parse::<Amount>(), Err(InvalidAmount), "{bad}");
        }
    }

    #[test]
    fn an_amount_is_a_text_on_the_wire_and_an_exact_decimal_inside() {
        let amount: Amount = serde_json::from_str("\"12.50\"").unwrap();
        assert_eq!(amount.get() * Decimal::from(3), Decimal::new(3750, 2));
        assert_eq!(serde_json::to_string(&amount).unwrap(), "\"12.50\"");
        assert!(serde_json::from_str::<Amount>("12.5").is_err());
    }

    #[test]
    fn only_digits_and_a_point_make_an_amount() {
        for bad in ["1_000", "+1", "-0", " 1", "1 000"] {
            assert_eq!(bad.parse::<Amount>(), Err(InvalidAmount), "{bad}");
        }
    }
}
