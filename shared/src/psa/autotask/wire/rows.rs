//! The rows that queries answer with, and which of their fields are asked for.

use std::str::FromStr;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::loose::{Loose, id};
use crate::domain::ids::InvalidId;
use crate::psa::PsaError;
use crate::psa::autotask::errors;

/// A row of a query's answer.
pub(in crate::psa::autotask) trait Row: DeserializeOwned + Send {
    /// Its fields that we ask for; `id` is needed wherever there may be more than one page.
    const FIELDS: &'static [&'static str];
    /// What it is called in errors.
    const NAME: &'static str;

    /// The field `id`.
    fn id_field(&self) -> &Loose;

    /// The row's id.
    fn id(&self) -> Result<i64, PsaError> {
        self.id_field().whole().ok_or_else(|| errors::unreadable(Self::NAME, "without an id"))
    }

    /// A field that we can't do without.
    fn need<T>(&self, name: &str, value: Option<T>) -> Result<T, PsaError> {
        value.ok_or_else(|| self.fault(&format!("has no usable {name}")))
    }

    /// An error that names this row.
    fn fault(&self, how: &str) -> PsaError {
        errors::unreadable(&format!("{} {}", Self::NAME, self.id_field()), how)
    }

    /// An id among the row's fields.
    fn reference<T: FromStr<Err = InvalidId>>(&self, name: &str, value: &Loose) -> Result<T, PsaError> {
        id(Self::NAME, self.need(name, value.whole())?)
    }
}

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident $entity:literal { $($field:ident = $wire:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(default)]
        pub(in crate::psa::autotask) struct $name {
            $(#[serde(rename = $wire)] pub(in crate::psa::autotask) $field: Loose),*
        }

        impl Row for $name {
            const FIELDS: &'static [&'static str] = &[$($wire),*];
            const NAME: &'static str = $entity;

            fn id_field(&self) -> &Loose {
                &self.id
            }
        }
    )*};
}

rows! {
    /// A row of which only the existence matters.
    AnyRow "row" { id = "id" }
    /// Of `Companies`.
    CompanyRow "company" { id = "id", name = "companyName", number = "companyNumber", active = "isActive" }
    /// Of `Services`.
    ServiceRow "service" { id = "id", name = "name", active = "isActive", price = "unitPrice", cost = "unitCost", period = "periodType" }
    /// Of `Contracts`.
    ContractRow "contract" {
        id = "id",
        company = "companyID",
        name = "contractName",
        kind = "contractType",
        period = "contractPeriodType",
        status = "status",
        start = "startDate",
        end = "endDate",
        renewal = "renewedContractID",
    }
    /// Of `ContractServices`.
    ContractServiceRow "contract service" { id = "id", contract = "contractID", service = "serviceID" }
    /// Of `ContractServices`, with its prices. `x` is in the customer's currency, `internalCurrencyX` in the partner's own; the
    /// price that holds on the contract comes in the partner's own alone.
    PricedRow "contract service" {
        id = "id",
        contract = "contractID",
        service = "serviceID",
        price = "unitPrice",
        cost = "unitCost",
        internal_price = "internalCurrencyUnitPrice",
        internal_adjusted_price = "internalCurrencyAdjustedPrice",
    }
    /// Of `Currencies`.
    CurrencyRow "currency" { id = "id", code = "name", active = "isActive", internal = "isInternalCurrency" }
    /// Of `Companies`, with its currency.
    InvoicedRow "company" { id = "id", currency = "currencyID" }
    /// Of `ContractCharges`. Cost and price are those of one; the totals beside them are read only.
    ChargeRow "charge" {
        id = "id",
        contract = "contractID",
        reference = "internalPurchaseOrderNumber",
        name = "name",
        date = "datePurchased",
        cost = "unitCost",
        price = "unitPrice",
        quantity = "unitQuantity",
        billed = "isBilled",
        billing_code = "billingCodeID",
    }
    /// Of `Tickets`.
    TicketRow "ticket" {
        id = "id",
        number = "ticketNumber",
        company = "companyID",
        reference = "externalID",
        status = "status",
    }
    /// Of `TicketNotes`.
    TicketNoteRow "ticket note" { id = "id", ticket = "ticketID", text = "description" }
    /// Of `Resources`: the partner's people.
    ResourceRow "resource" { id = "id", first_name = "firstName", last_name = "lastName", active = "isActive" }
    /// Of `Roles`: as what they work.
    RoleRow "role" { id = "id", name = "name", active = "isActive" }
    /// Of `BillingCodes`.
    BillingCodeRow "billing code" { id = "id", name = "name", active = "isActive", used_for = "useType" }
    /// Of `Companies`, as somebody to buy from.
    VendorRow "company" { id = "id", name = "companyName", active = "isActive", kind = "companyType" }
    /// Of `ContractServiceUnits`. Its price and cost are those of the whole row, not of a unit.
    UnitsRow "units row" {
        id = "id",
        contract = "contractID",
        contract_service = "contractServiceID",
        service = "serviceID",
        units = "units",
        start = "startDate",
        end = "endDate",
        posted = "approveAndPostDate",
        price = "price",
        cost = "cost",
    }
}
