//! The shapes of Autotask's answers, read tolerantly, and their conversion to ours.
//!
//! Autotask writes one and the same field as a number, a decimal or a text, leaves fields out of query rows, and sends
//! null or "" for nothing. So every field is [`Loose`], and what we can't do without is asked for by name: an answer that
//! lacks it is an error that names the row, never a guess. Field names: Autotask's REST metadata, in camel case.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::errors;
use crate::domain::contract::Contract;
use crate::domain::ids::{ContractId, ContractServiceId, InvalidId, ServiceId};
use crate::domain::money::{Money, UnitPrices};
use crate::domain::period::PeriodType;
use crate::domain::timeline;
use crate::psa::{Account, ContractLine, PsaError, Service};

/// Recurring Service. The other kinds (time and materials, fixed price, block hours, …) carry no units.
pub(super) const RECURRING_SERVICE: i64 = 7;

/// The status of an active contract, as every known integration takes it. The picklist's other values are the tenant's
/// own or undocumented, so that all of them count as inactive.
pub(super) const ACTIVE: i64 = 1;

/// Reads JSON. Autotask is known to send raw line breaks within texts, which JSON forbids: they are read as spaces.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok().or_else(|| {
        let mended: Vec<u8> = body.iter().map(|&byte| if byte < b' ' { b' ' } else { byte }).collect();
        serde_json::from_slice(&mended).ok()
    })
}

/// A field in whichever form it comes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Loose(Value);

impl Loose {
    /// A whole number: `11`, `11.0`, `"11"`.
    pub(super) fn whole(&self) -> Option<i64> {
        let text = match &self.0 {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_owned(),
            _ => return None,
        };
        let number = Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).ok()?;
        if number.is_integer() { number.to_i64() } else { None }
    }

    /// An amount: `12.5`, `"12.5000"`.
    pub(super) fn decimal(&self) -> Option<Decimal> {
        let text = self.text()?;
        Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
    }

    /// An amount of money.
    pub(super) fn money(&self) -> Option<Money> {
        self.decimal().map(Money::new)
    }

    /// A text that is not blank; numbers are shown as they are.
    pub(super) fn text(&self) -> Option<String> {
        let text = match &self.0 {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_owned(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// Yes or no: `true`, `1`, `"true"`.
    pub(super) fn flag(&self) -> Option<bool> {
        match &self.0 {
            Value::Bool(flag) => Some(*flag),
            _ => match self.text()?.to_lowercase().as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
        }
    }

    /// A day. Autotask's dates carry a time that means nothing (`T00:00:00Z`, `T13:00:00Z`): the first ten characters count.
    pub(super) fn date(&self) -> Option<Date> {
        self.0.as_str()?.get(..10)?.parse().ok()
    }

    /// Anything but null, a blank text and a field left out.
    pub(super) fn is_set(&self) -> bool {
        match &self.0 {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        }
    }
}

impl fmt::Display for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An id of ours from a number of Autotask's. `what` names where it was read.
pub(super) fn id<T: FromStr<Err = InvalidId>>(what: &str, number: i64) -> Result<T, PsaError> {
    number.to_string().parse().map_err(|_| errors::unreadable(what, "has an id that can't be used"))
}

/// A row of a query's answer.
pub(super) trait Row: DeserializeOwned + Send {
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
        pub(super) struct $name {
            $(#[serde(rename = $wire)] pub(super) $field: Loose),*
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

impl CompanyRow {
    pub(super) fn account(&self) -> Result<Account, PsaError> {
        Ok(Account {
            id: id(Self::NAME, self.id()?)?,
            name: self.name.text().unwrap_or_default(),
            number: self.number.text(),
            active: self.active.flag().unwrap_or(false),
        })
    }
}

impl ServiceRow {
    pub(super) fn service(&self) -> Result<Service, PsaError> {
        Ok(Service {
            id: id(Self::NAME, self.id()?)?,
            name: self.name.text().unwrap_or_default(),
            active: self.active.flag().unwrap_or(false),
            prices: UnitPrices { price: self.price.money(), cost: self.cost.money(), currency: None, cost_in: None },
            billed: period(&self.period),
        })
    }
}

impl ContractServiceRow {
    pub(super) fn line(&self) -> Result<ContractLine, PsaError> {
        Ok(ContractLine {
            contract: self.reference("contractID", &self.contract)?,
            service: self.reference("serviceID", &self.service)?,
            contract_service: id(Self::NAME, self.id()?)?,
        })
    }
}

impl ContractRow {
    pub(super) fn contract(&self) -> Result<Contract, PsaError> {
        Ok(Contract {
            id: id(Self::NAME, self.id()?)?,
            account: self.reference("companyID", &self.company)?,
            name: self.name.text().unwrap_or_default(),
            recurring: self.recurring(),
            active: self.status.whole() == Some(ACTIVE),
            start: self.need("startDate", self.start.date())?,
            end: self.need("endDate", self.end.date())?,
            // 0 is how some of Autotask's references say "none".
            renewal: self.renewal.whole().filter(|id| *id > 0).map(|number| id(Self::NAME, number)).transpose()?,
        })
    }

    /// The billing period of a recurring service contract. Autotask numbers them 2 to 5.
    ///
    /// Every recurring contract has one of those four. Should Autotask add a fifth, an error here would stop all of the
    /// partner's contracts because of one; without its period a contract is not written to, and the log says why.
    fn recurring(&self) -> Option<PeriodType> {
        if self.kind.whole() != Some(RECURRING_SERVICE) {
            return None;
        }
        let known = period(&self.period);
        if known.is_none() {
            tracing::warn!(contract = %self.id, period = %self.period, "an unknown period type: not written to");
        }
        known
    }
}

/// A billing period by Autotask's number, the same for contracts and services.
fn period(number: &Loose) -> Option<PeriodType> {
    match number.whole() {
        Some(2) => Some(PeriodType::Monthly),
        Some(3) => Some(PeriodType::Quarterly),
        Some(4) => Some(PeriodType::SemiAnnual),
        Some(5) => Some(PeriodType::Yearly),
        _ => None,
    }
}

/// Digits after the point of amounts that Autotask prints.
const ROW_DIGITS: u32 = 4;

impl UnitsRow {
    pub(super) fn contract(&self) -> Result<ContractId, PsaError> {
        self.reference("contractID", &self.contract)
    }

    pub(super) fn service(&self) -> Result<ServiceId, PsaError> {
        self.reference("serviceID", &self.service)
    }

    /// The service on the contract; `None` where the row leaves it open, which Autotask's metadata allows.
    pub(super) fn contract_service(&self) -> Result<Option<ContractServiceId>, PsaError> {
        if !self.contract_service.is_set() {
            return Ok(None);
        }
        self.reference("contractServiceID", &self.contract_service).map(Some)
    }

    pub(super) fn row(&self) -> Result<timeline::Row, PsaError> {
        let units = self.units.whole().and_then(|units| units.try_into().ok());
        Ok(timeline::Row {
            start: self.need("startDate", self.start.date())?,
            end: self.need("endDate", self.end.date())?,
            units: units.ok_or_else(|| self.fault(&format!("has {} units, which is no count", self.units)))?,
            // Any mark at all means posted: a posted row must never be touched.
            posted: self.posted.is_set(),
        })
    }

    /// What the row comes to by unit; nothing where it has none.
    pub(super) fn unit_prices(&self) -> Option<UnitPrices> {
        let units = self.units.decimal().filter(|units| !units.is_zero())?;
        let a_unit = |whole: &Loose| Some(Money::new(whole.decimal()?.checked_div(units)?.round_dp(ROW_DIGITS)));
        Some(UnitPrices { price: a_unit(&self.price), cost: a_unit(&self.cost), currency: None, cost_in: None })
    }
}

/// A page of rows.
#[derive(Debug, Deserialize)]
pub(super) struct Page<R> {
    /// The rows, by id.
    pub(super) items: Vec<R>,
    /// What Autotask says about the page.
    #[serde(default, rename = "pageDetails")]
    details: Option<serde_json::Map<String, Value>>,
}

impl<R> Page<R> {
    /// Whether rows may follow, where up to `asked` rows were asked for.
    ///
    /// `nextPageUrl` is believed in both directions: null ends the walk although the page is full (and saves a request),
    /// and an address carries it on although the page is short. Without it, a short page is the last.
    pub(super) fn may_go_on(&self, asked: usize) -> bool {
        match self.details.as_ref().and_then(|details| details.get("nextPageUrl")) {
            _ if self.items.is_empty() => false,
            Some(Value::String(_)) => true,
            Some(Value::Null) => false,
            _ => self.items.len() >= asked,
        }
    }
}

/// The answer of `entityInformation`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EntityInformation {
    pub(super) info: Abilities,
}

/// What may be done with an entity: at all, and by this user.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Abilities {
    pub(super) can_create: Loose,
    /// 0 or "None", 1 or "All", 2 or "Restricted".
    pub(super) user_access_for_create: Loose,
}

impl Abilities {
    /// Whether it is said that this user may create none.
    pub(super) fn deny_creation(&self) -> bool {
        let access = self.user_access_for_create.text().unwrap_or_default();
        self.can_create.flag() == Some(false) || access == "0" || access.eq_ignore_ascii_case("none")
    }
}

/// The answer of `ThresholdInformation`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Threshold {
    pub(super) external_request_threshold: Loose,
    pub(super) request_threshold_timeframe: Loose,
    pub(super) current_timeframe_request_count: Loose,
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;

    fn contract(with: &Value) -> Result<Contract, PsaError> {
        let mut row = json!({"id": 7, "companyID": 174, "contractName": "Care", "contractType": 7, "contractPeriodType": 2,
            "status": 1, "startDate": "2026-01-01T00:00:00Z", "endDate": "2026-12-31T13:00:00.2Z", "unknown": {}});
        row.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        serde_json::from_value::<ContractRow>(row).unwrap().contract()
    }

    #[test]
    fn numbers_come_in_many_forms() {
        for (value, whole) in [
            (json!(11), Some(11)),
            (json!(11.0), Some(11)),
            (json!("11"), Some(11)),
            (json!("11.0000"), Some(11)),
            (json!(1e3), Some(1000)),
            (json!(-4), Some(-4)),
            (json!(11.5), None),
            (json!(""), None),
            (json!("m"), None),
            (json!(true), None),
            (json!(null), None),
            (json!(1e300), None),
        ] {
            assert_eq!(Loose(value.clone()).whole(), whole, "{value}");
        }
    }

    #[test]
    fn a_contract_is_read_by_its_day_and_not_by_its_hour() {
        let contract = contract(&json!({})).unwrap();
        assert_eq!((contract.start, contract.end), (date(2026, 1, 1), date(2026, 12, 31)));
        assert_eq!((contract.recurring, contract.active), (Some(PeriodType::Monthly), true));
    }

    #[test]
    fn a_link_to_another_contract_is_read_where_there_is_one() {
        for (link, read) in [
            (json!(29), Some("29")),
            (json!("29"), Some("29")),
            (json!(0), None),
            (json!(null), None),
            (json!(""), None),
        ] {
            let found = contract(&json!({"renewedContractID": link})).unwrap().renewal;
            assert_eq!(found.as_ref().map(ContractId::as_str), read, "{link}");
        }
    }

    #[test]
    fn only_a_known_period_of_a_recurring_contract_can_be_written_to() {
        for (kind, period, recurring) in [
            (7, json!(3), Some(PeriodType::Quarterly)),
            (7, json!("4"), Some(PeriodType::SemiAnnual)),
            (7, json!(5), Some(PeriodType::Yearly)),
            (7, json!(1), None),
            (7, json!("m"), None),
            (7, json!(null), None),
            (1, json!(2), None),
        ] {
            let read = contract(&json!({"contractType": kind, "contractPeriodType": period})).unwrap();
            assert_eq!(read.recurring, recurring, "{kind} {period}");
        }
    }

    #[test]
    fn any_status_but_one_is_inactive() {
        for status in [json!(0), json!(2), json!(null), json!("Active")] {
            assert!(!contract(&json!({"status": status})).unwrap().active, "{status}");
        }
        assert!(contract(&json!({"status": "1"})).unwrap().active);
    }

    #[test]
    fn what_is_missing_is_named_with_its_row() {
        let error = contract(&json!({"endDate": null})).unwrap_err();
        assert_eq!(error.code, "psa_answer_unreadable");
        assert!(error.explanation.contains("contract 7 has no usable endDate"), "{error}");
    }

    #[test]
    fn units_that_are_no_count_are_an_error_that_names_the_row() {
        for units in [json!(-1), json!(1.5), json!(null), json!("many"), json!(10_000_001)] {
            let row = json!({"id": 5, "units": units, "startDate": "2026-01-01T00:00:00Z", "endDate": "2026-01-31T00:00:00Z"});
            let error = serde_json::from_value::<UnitsRow>(row).unwrap().row().unwrap_err();
            assert!(error.explanation.contains("units row 5"), "{error}");
        }
    }

    #[test]
    fn a_row_with_any_post_date_is_posted() {
        for (mark, posted) in
            [(json!(null), false), (json!(""), false), (json!("2026-02-01T09:15:28.147Z"), true), (json!(1), true)]
        {
            let row = json!({"id": 5, "units": "3.0000", "startDate": "2026-01-01", "endDate": "2026-01-31", "approveAndPostDate": mark});
            let row = serde_json::from_value::<UnitsRow>(row).unwrap().row().unwrap();
            assert_eq!((row.units.get(), row.posted), (3, posted), "{mark}");
        }
    }

    #[test]
    fn a_walk_ends_where_autotask_says_so_or_where_a_page_is_short() {
        let page = |rows: usize, details: Value| {
            let items = vec![json!({}); rows];
            serde_json::from_value::<Page<AnyRow>>(json!({"items": items, "pageDetails": details}))
                .unwrap()
                .may_go_on(2)
        };
        assert!(page(2, json!({"nextPageUrl": "https://…"})) && page(1, json!({"nextPageUrl": "https://…"})));
        assert!(page(2, json!({})) && page(2, json!(null)));
        assert!(!page(2, json!({"nextPageUrl": null})) && !page(1, json!({})) && !page(1, json!(null)));
        assert!(!page(0, json!({"nextPageUrl": "https://…"})));
    }

    #[test]
    fn creation_is_denied_only_where_it_is_said() {
        let denied = |info: Value| {
            serde_json::from_value::<EntityInformation>(json!({"info": info})).unwrap().info.deny_creation()
        };
        assert!(denied(json!({"canCreate": false})) && denied(json!({"canCreate": true, "userAccessForCreate": 0})));
        assert!(denied(json!({"userAccessForCreate": "None"})));
        assert!(!denied(json!({"canCreate": true, "userAccessForCreate": 1})) && !denied(json!({})));
        assert!(!denied(json!({"canCreate": true, "userAccessForCreate": "All"})));
    }
}
