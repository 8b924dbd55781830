//! Amounts of money in what is sent.

use std::str::FromStr as _;

use rust_decimal::Decimal;
use serde_json::{Number, Value};

use crate::domain::money::Money;
use crate::psa::{Kind, PsaError};

/// `amount` as a JSON number, written as the decimal that it is.
///
/// # Errors
/// It has more digits than a JSON number keeps.
pub(super) fn number(amount: Money) -> Result<Value, PsaError> {
    let number: Option<Number> = serde_json::from_str(&amount.to_string()).ok();
    number.filter(|number| Decimal::from_str(&number.to_string()) == Ok(amount.get())).map(Value::Number).ok_or_else(
        || {
            PsaError::new(
                Kind::Validation,
                "amount_unwritable",
                format!("The amount {amount} can't be written as a number."),
                "Check the unit cost and the markup of the product's mapping.",
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_as_the_decimal_it_is_or_not_at_all() {
        let written = |text: &str| number(Money::new(text.parse().unwrap())).map(|number| number.to_string());
        for (amount, number) in
            [("0.1", "0.1"), ("12.345678", "12.345678"), ("-7.30", "-7.3"), ("1234567890.123456", "1234567890.123456")]
        {
            assert_eq!(written(amount).map_err(|error| error.code), Ok(number.to_owned()));
        }
        assert_eq!(written("1234567890123456.123456").unwrap_err().code, "amount_unwritable");
    }
}
