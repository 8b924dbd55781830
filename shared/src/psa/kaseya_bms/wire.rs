//! How BMS spells what a contract is, and its conversion to ours.
//!
//! The words for types, statuses and billing cycles are in no specification. They are compared by their letters alone, and
//! a word that is not known never makes a contract writable.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::fields::{Row, id};
use super::template::Template;
use crate::domain::contract::Contract;
use crate::domain::ids::AccountId;
use crate::domain::period::PeriodType;
use crate::psa::PsaError;

/// The end of a contract that has none.
const OPEN_END: Date = jiff::civil::date(9999, 12, 31);

/// A row of `GET /v2/finance/contracts/summary`.
#[derive(Debug, Clone)]
pub(super) struct Summary {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) account_name: String,
    /// Of the type that carries services.
    pub(super) recurring: bool,
    pub(super) period: Option<PeriodType>,
    status: Status,
    pub(super) start: Option<Date>,
    pub(super) end: Date,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Active,
    Expired,
    Other,
}

impl Summary {
    pub(super) fn of(row: &Row) -> Result<Self, PsaError> {
        let letters = |name| letters(&row.text(name).unwrap_or_default());
        let start = row.day("startdate");
        Ok(Self {
            id: row.id(Template::ContractsSummary)?,
            name: row.text("contractname").unwrap_or_default(),
            account_name: row.text("accountname").unwrap_or_default(),
            recurring: letters("contracttype").starts_with("recurringservice"),
            period: period(&letters("billingcycle")),
            status: match letters("status").as_str() {
                "active" | "activated" => Status::Active,
                "expired" | "ended" => Status::Expired,
                _ => Status::Other,
            },
            start,
            end: row.day("enddate").filter(|end| start.is_none_or(|start| start <= *end)).unwrap_or(OPEN_END),
        })
    }

    /// The contract; none where its first day is not told, for nothing can be reckoned from a day that is not known.
    /// `flagged` is what the look-up says of its being active, `today` the day in UTC.
    pub(super) fn contract(
        &self,
        account: &AccountId,
        flagged: Option<bool>,
        today: Date,
    ) -> Result<Option<Contract>, PsaError> {
        let Some(start) = self.start else {
            tracing::warn!(contract = self.id, "a contract without a first day is left out");
            return Ok(None);
        };
        if self.recurring && self.period.is_none() {
            tracing::warn!(contract = self.id, "a billing cycle that is not known: not written to");
        }
        Ok(Some(Contract {
            id: id(self.id, Template::ContractsSummary)?,
            account: account.clone(),
            name: self.name.clone(),
            recurring: self.period.filter(|_| self.recurring),
            active: flagged != Some(false) && self.is_active(today),
            start,
            end: self.end,
            renewal: None,
        }))
    }

    /// A contract that has expired is active up to its end, so that it is explained as ended. Two days are kept from UTC's
    /// day, for it ends wherever the partner is.
    fn is_active(&self, today: Date) -> bool {
        match self.status {
            Status::Active => true,
            Status::Expired => self.end < today.saturating_sub(2.days()),
            Status::Other => false,
        }
    }
}

/// How often a contract bills. Cycles that no period of ours matches (weekly, every two months) are none.
fn period(letters: &str) -> Option<PeriodType> {
    match letters {
        "month" | "monthly" | "everymonth" => Some(PeriodType::Monthly),
        "quarter" | "quarterly" | "everyquarter" => Some(PeriodType::Quarterly),
        "semiannual" | "semiannually" | "halfyearly" | "semiyearly" => Some(PeriodType::SemiAnnual),
        "annual" | "annually" | "year" | "yearly" | "everyyear" => Some(PeriodType::Yearly),
        _ => None,
    }
}

/// Letters and digits in lower case.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::{Value, json};

    use super::*;
    use crate::psa::kaseya_bms::fields::lower_cased;

    const TODAY: Date = date(2026, 11, 20);

    fn contract(with: &Value) -> Option<Contract> {
        let mut row = json!({"Id": 29, "ContractName": "Care", "AccountName": "Müller", "ContractType": "Recurring Services",
            "Status": "Active", "BillingCycle": "Monthly", "StartDate": "2026-01-01T00:00:00", "EndDate": "2026-12-31T00:00:00"});
        row.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        let row = Row::of(lower_cased(row)).unwrap();
        Summary::of(&row).unwrap().contract(&"7".parse().unwrap(), None, TODAY).unwrap()
    }

    #[test]
    fn a_type_is_known_by_its_letters() {
        for (spelt, recurring) in [
            ("Recurring Services", true),
            ("RECURRING-SERVICE", true),
            ("RecurringServices", true),
            ("Recurring", false),
            ("Fixed Price", false),
            ("Non Recurring Services", false),
            ("", false),
        ] {
            assert_eq!(contract(&json!({"ContractType": spelt})).unwrap().recurring.is_some(), recurring, "{spelt}");
        }
    }

    #[test]
    fn a_billing_cycle_that_is_not_known_leaves_a_contract_unwritable() {
        for (spelt, period) in [
            (json!("monthly"), Some(PeriodType::Monthly)),
            (json!("Quarterly"), Some(PeriodType::Quarterly)),
            (json!("Semi-Annually"), Some(PeriodType::SemiAnnual)),
            (json!("ANNUALLY"), Some(PeriodType::Yearly)),
            (json!("Weekly"), None),
            (json!("Bi-Monthly"), None),
            (json!(null), None),
            (json!(1), None),
        ] {
            assert_eq!(contract(&json!({"BillingCycle": spelt})).unwrap().recurring, period, "{spelt}");
        }
    }

    #[test]
    fn only_a_known_word_is_active_and_an_expired_contract_is_so_once_it_has_ended() {
        for (status, end, active) in [
            ("ACTIVE", "2026-12-31", true),
            ("Activated", "2026-12-31", true),
            ("Inactive", "2026-12-31", false),
            ("Deactivated", "2026-12-31", false),
            ("Draft", "2026-12-31", false),
            ("", "2026-12-31", false),
            ("Expired", "2026-12-31", false),
            ("Expired", "2026-11-19", false),
            ("Expired", "2026-11-17", true),
        ] {
            let read = contract(&json!({"Status": status, "EndDate": end})).unwrap();
            assert_eq!(read.active, active, "{status} {end}");
        }
    }

    #[test]
    fn an_end_that_is_none_is_far_and_a_start_that_is_none_leaves_the_contract_out() {
        for none in [json!(null), json!("0001-01-01T00:00:00"), json!("2025-12-31T00:00:00")] {
            assert_eq!(contract(&json!({"EndDate": none})).unwrap().end, OPEN_END, "{none}");
        }
        assert_eq!(contract(&json!({"StartDate": null})), None);
    }
}
