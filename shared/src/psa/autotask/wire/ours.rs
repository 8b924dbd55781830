//! What we make of the rows: accounts, services, contracts, lines and their units.

use super::loose::{Loose, id};
use super::rows::{CompanyRow, ContractRow, ContractServiceRow, Row as _, ServiceRow, UnitsRow};
use crate::domain::contract::Contract;
use crate::domain::ids::{ContractId, ContractServiceId, ServiceId};
use crate::domain::money::{Money, UnitPrices};
use crate::domain::period::PeriodType;
use crate::domain::timeline;
use crate::psa::{Account, ContractLine, PsaError, Service};

/// Recurring Service. The other kinds (time and materials, fixed price, block hours, …) carry no units.
pub(in crate::psa::autotask) const RECURRING_SERVICE: i64 = 7;

/// The status of an active contract, as every known integration takes it. The picklist's other values are the tenant's
/// own or undocumented, so that all of them count as inactive.
pub(in crate::psa::autotask) const ACTIVE: i64 = 1;

impl CompanyRow {
    pub(in crate::psa::autotask) fn account(&self) -> Result<Account, PsaError> {
        Ok(Account {
            id: id(Self::NAME, self.id()?)?,
            name: self.name.text().unwrap_or_default(),
            number: self.number.text(),
            active: self.active.flag().unwrap_or(false),
        })
    }
}

impl ServiceRow {
    pub(in crate::psa::autotask) fn service(&self) -> Result<Service, PsaError> {
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
    pub(in crate::psa::autotask) fn line(&self) -> Result<ContractLine, PsaError> {
        Ok(ContractLine {
            contract: self.reference("contractID", &self.contract)?,
            service: self.reference("serviceID", &self.service)?,
            contract_service: id(Self::NAME, self.id()?)?,
        })
    }
}

impl ContractRow {
    pub(in crate::psa::autotask) fn contract(&self) -> Result<Contract, PsaError> {
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
    pub(in crate::psa::autotask) fn contract(&self) -> Result<ContractId, PsaError> {
        self.reference("contractID", &self.contract)
    }

    pub(in crate::psa::autotask) fn service(&self) -> Result<ServiceId, PsaError> {
        self.reference("serviceID", &self.service)
    }

    /// The service on the contract; `None` where the row leaves it open, which Autotask's metadata allows.
    pub(in crate::psa::autotask) fn contract_service(&self) -> Result<Option<ContractServiceId>, PsaError> {
        if !self.contract_service.is_set() {
            return Ok(None);
        }
        self.reference("contractServiceID", &self.contract_service).map(Some)
    }

    pub(in crate::psa::autotask) fn row(&self) -> Result<timeline::Row, PsaError> {
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
    pub(in crate::psa::autotask) fn unit_prices(&self) -> Option<UnitPrices> {
        let units = self.units.decimal().filter(|units| !units.is_zero())?;
        let a_unit = |whole: &Loose| Some(Money::new(whole.decimal()?.checked_div(units)?.round_dp(ROW_DIGITS)));
        Some(UnitPrices { price: a_unit(&self.price), cost: a_unit(&self.cost), currency: None, cost_in: None })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::{Value, json};

    use super::*;

    fn contract(with: &Value) -> Result<Contract, PsaError> {
        let mut row = json!({"id": 7, "companyID": 174, "contractName": "Care", "contractType": 7, "contractPeriodType": 2,
            "status": 1, "startDate": "2026-01-01T00:00:00Z", "endDate": "2026-12-31T13:00:00.2Z", "unknown": {}});
        row.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        serde_json::from_value::<ContractRow>(row).unwrap().contract()
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
}
