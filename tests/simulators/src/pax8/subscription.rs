//! A subscription of a company's, with the names that Pax8 has for what is known of it.

use jiff::civil::{Date, date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::guid::guid;
use crate::wire::number;

/// The kind of things that commitments are.
const COMMITMENT: u8 = 0xb3;

/// So many of a product, bought for a company.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// Its id, a UUID.
    pub id: String,
    /// What was bought.
    pub product: Product,
    /// How many.
    pub quantity: u32,
    /// `Active`, `Trial` and so on. A text, because the documented examples have some that the list of them lacks.
    pub status: String,
    /// `Monthly`, `Annual` and so on.
    pub billing_term: String,
    /// The day on which it was made, and on which it and its first bill begin.
    pub start: Date,
    /// The day on which it ends or has ended.
    #[serde(default)]
    pub end: Option<Date>,
    /// What binds the partner.
    #[serde(default)]
    pub commitment: Option<Commitment>,
    /// What the customer pays for one.
    pub price: Decimal,
    /// What the partner pays for one.
    #[serde(default)]
    pub partner_cost: Option<Decimal>,
    /// Of both, by ISO 4217.
    pub currency_code: String,
}

/// What can be bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Pax8's id of it, a UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The id that its vendor has for it.
    #[serde(default)]
    pub vendor_sku_id: Option<String>,
}

/// A term that was agreed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// How long: `1-Year`.
    pub term: String,
    /// Its end.
    pub end: Date,
}

impl Subscription {
    /// So many, active since the beginning of 2026, paid for by the month in US dollars, free of charge and bound by nothing.
    #[must_use]
    pub fn new(id: impl Into<String>, product: Product, quantity: u32) -> Self {
        Self {
            id: id.into(),
            product,
            quantity,
            status: "Active".to_owned(),
            billing_term: "Monthly".to_owned(),
            start: date(2026, 1, 1),
            end: None,
            commitment: None,
            price: Decimal::ZERO,
            partner_cost: None,
            currency_code: "USD".to_owned(),
        }
    }

    /// As the list shows it. Members without a value are left out, as in the documented examples.
    pub(crate) fn listed(&self, company_id: &str) -> Value {
        let commitment = self.commitment.as_ref().map(|commitment| {
            json!({ "id": guid(COMMITMENT, 1), "term": commitment.term, "endDate": format!("{}T00:00:00Z", commitment.end) })
        });
        let mut shown = json!({
            "id": self.id,
            "companyId": company_id,
            "productId": self.product.id,
            "productName": self.product.name,
            "vendorSkuId": self.product.vendor_sku_id,
            "quantity": self.quantity,
            "startDate": format!("{}T08:30:00Z", self.start),
            "endDate": self.end.map(|end| end.to_string()),
            "createdDate": self.start.to_string(),
            "billingStart": self.start.to_string(),
            "status": self.status,
            "billingTerm": self.billing_term,
            "commitmentTerm": commitment,
            "price": number(self.price),
            "partnerCost": self.partner_cost.map(number),
            "currencyCode": self.currency_code,
        });
        if let Some(members) = shown.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_what_is_not_there_is_left_out() {
        let product = Product { id: "p".to_owned(), name: "Zoom Meetings Pro".to_owned(), vendor_sku_id: None };
        let bare = Subscription::new("s", product, 5);
        let listed = bare.listed("c");
        assert_eq!((listed["quantity"].to_string(), listed["price"].to_string()), ("5".to_owned(), "0.0".to_owned()));
        for name in ["endDate", "commitmentTerm", "partnerCost", "vendorSkuId"] {
            assert_eq!(listed.get(name), None, "{name}");
        }
        let bound = Subscription {
            price: Decimal::new(1_539, 2),
            partner_cost: Some(Decimal::new(1_139, 2)),
            commitment: Some(Commitment { term: "1-Year".to_owned(), end: date(2027, 1, 9) }),
            ..bare
        };
        let listed = bound.listed("c");
        assert_eq!((listed["price"].to_string(), listed["partnerCost"].to_string()), ("15.39".into(), "11.39".into()));
        assert_eq!(listed["commitmentTerm"]["endDate"], "2027-01-09T00:00:00Z");
    }
}
