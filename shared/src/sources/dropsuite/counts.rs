//! What each organization has, put together from the rows of its log-ins.
//!
//! Nothing is told before the list was read to its end: an organization's rows may lie on several pages, and the sum of some
//! of them is a number that is too low.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::VENDOR;
use super::wire::User;
use crate::domain::ids::CompanyId;
use crate::domain::units::Units;
use crate::psa::Kind;
use crate::sources::{Customer, Metric, Pulled, SourceError, Tally};

/// What it counts.
pub(super) const METRICS: [&str; 3] = [ACTIVE_SEATS, SEATS_USED, "seats_used:{plan_id}"];

/// Seats in use, of all plans together; with a colon and a plan's id, of that plan alone.
const SEATS_USED: &str = "seats_used";
/// Seats that are backed up, of all plans together.
const ACTIVE_SEATS: &str = "active_seats";

/// The organizations of a list.
#[derive(Debug, Default)]
pub(super) struct Organizations(BTreeMap<CompanyId, Organization>);

#[derive(Debug, Default)]
struct Organization {
    name: String,
    /// By plan, where a row names one.
    plans: BTreeMap<Option<String>, Plan>,
}

#[derive(Debug, PartialEq, Eq)]
enum Plan {
    Has(Seats),
    /// Two log-ins tell differently of it.
    Contradicted,
}

/// What a plan has, as far as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seats {
    used: Option<Units>,
    active: Option<Units>,
}

/// What a metric means.
#[derive(Debug, Clone, Copy)]
enum Counted<'m> {
    Used,
    Active,
    UsedOfPlan(&'m str),
}

/// A count of an organization's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Units(Units),
    /// It does not have the plan.
    NoPlan,
    /// The vendor does not say.
    Untold,
    /// The vendor says one thing and another.
    Contradicted,
}

impl<'m> Counted<'m> {
    /// `None` where `metric` is another vendor's.
    fn by(metric: &'m Metric) -> Option<Self> {
        match (metric.as_str(), metric.as_str().split_once(':')) {
            (SEATS_USED, _) => Some(Self::Used),
            (ACTIVE_SEATS, _) => Some(Self::Active),
            (_, Some((SEATS_USED, plan))) if !plan.is_empty() => Some(Self::UsedOfPlan(plan)),
            _ => None,
        }
    }
}

impl Organizations {
    /// Takes a row in.
    ///
    /// # Errors
    /// It names no organization, or a number of it is no count.
    pub(super) fn take(&mut self, row: &User) -> Result<(), SourceError> {
        let company = row.organization_id.as_ref().and_then(|id| id.to_string().parse::<CompanyId>().ok());
        let company = company.ok_or_else(|| SourceError::unreadable(VENDOR, "a row names no organization"))?;
        let seats = Seats { used: units(row.seats_used)?, active: units(row.active_seats)? };
        let plan = row.plan_id.as_ref().map(ToString::to_string).filter(|plan| !plan.is_empty());
        let organization = self.0.entry(company).or_default();
        if organization.name.is_empty() {
            organization.name = row.organization_name.clone().unwrap_or_default();
        }
        organization.take(plan, seats);
        Ok(())
    }

    /// Tells what is wanted, of a list that was read to its end.
    pub(super) fn tell(&self, wanted: &BTreeSet<Metric>, pulled: &mut Pulled) {
        pulled.customers = self.0.iter().map(customer).collect();
        let counted: Vec<_> =
            wanted.iter().filter_map(|metric| Some((metric.as_str(), Counted::by(metric)?))).collect();
        let mut tally = Tally::of(counted.iter().map(|(metric, _)| *metric));
        let mut contradicted = BTreeSet::new();
        for (company, organization) in &self.0 {
            for (metric, counted) in &counted {
                let units = match organization.count(*counted) {
                    Count::Units(units) => Some(units),
                    Count::NoPlan => continue,
                    Count::Untold => None,
                    Count::Contradicted => {
                        contradicted.insert(company);
                        None
                    }
                };
                tally.count(pulled, company, metric, units);
            }
        }
        tally.end(pulled);
        pulled.unread = contradicted.into_iter().map(|company| (company.clone(), contradiction(company))).collect();
    }
}

impl Organization {
    /// Two log-ins with one plan see the same seats, so that those are counted once. Where they tell differently nobody can
    /// say whether one is wrong or both are to be added: the plan has no number then.
    fn take(&mut self, plan: Option<String>, seats: Seats) {
        match self.plans.entry(plan) {
            Entry::Vacant(first) => {
                first.insert(Plan::Has(seats));
            }
            Entry::Occupied(told) if *told.get() == Plan::Has(seats) => {}
            Entry::Occupied(mut told) => {
                told.insert(Plan::Contradicted);
            }
        }
    }

    fn count(&self, counted: Counted<'_>) -> Count {
        match counted {
            Counted::Used => self.sum(|seats| seats.used),
            Counted::Active => self.sum(|seats| seats.active),
            Counted::UsedOfPlan(plan) => self.of_plan(plan),
        }
    }

    /// Of all plans together; untold where one of them has no number, for the sum of the others would be too low.
    fn sum(&self, of: fn(&Seats) -> Option<Units>) -> Count {
        let mut sum = Some(Units::ZERO);
        for plan in self.plans.values() {
            let Plan::Has(seats) = plan else { return Count::Contradicted };
            sum = sum.and_then(|sum| sum.checked_add(of(seats)?));
        }
        sum.map_or(Count::Untold, Count::Units)
    }

    fn of_plan(&self, plan: &str) -> Count {
        // Seats whose plan is not told may be of this one.
        if self.plans.contains_key(&None) {
            return Count::Untold;
        }
        match self.plans.get(&Some(plan.to_owned())) {
            Some(Plan::Has(seats)) => seats.used.map_or(Count::Untold, Count::Units),
            Some(Plan::Contradicted) => Count::Contradicted,
            None => Count::NoPlan,
        }
    }
}

fn customer((company, organization): (&CompanyId, &Organization)) -> Customer {
    let name = if organization.name.is_empty() { company.as_str() } else { &organization.name };
    Customer { company: company.clone(), name: name.to_owned(), account: None }
}

fn units(told: Option<i64>) -> Result<Option<Units>, SourceError> {
    let units = told.map(Units::try_from).transpose();
    units.map_err(|_| SourceError::unreadable(VENDOR, "a count is no number of seats"))
}

fn contradiction(company: &CompanyId) -> SourceError {
    SourceError::new(
        Kind::Protocol,
        "source_counts_contradict",
        format!("Dropsuite lists organization {company} twice with the same plan and different seats."),
        "Compare the organization's log-ins in Dropsuite's portal. Its last count stays until they agree.",
    )
}

#[cfg(test)]
mod tests {
    use super::super::wire::Users;
    use super::*;
    use crate::sources::test_host;

    fn read(json: &str) -> Result<Organizations, SourceError> {
        let mut organizations = Organizations::default();
        for row in serde_json::from_str::<Users>(json).unwrap().rows() {
            organizations.take(&row)?;
        }
        Ok(organizations)
    }

    /// What is told of the rows `json` where `metrics` are wanted: each row, which are whole, and who could not be read.
    fn told(json: &str, metrics: &[&str]) -> (Vec<String>, Vec<String>, Vec<String>) {
        let mut pulled = Pulled::default();
        read(json).unwrap().tell(&test_host::wanted(metrics, None).metrics, &mut pulled);
        (test_host::told(&pulled), pulled.whole.iter().map(Metric::to_string).collect(), test_host::unread(&pulled))
    }

    #[test]
    fn plans_are_added_and_log_ins_of_one_plan_are_not() {
        let page = r#"[
            {"id": "1-1", "organization_id": 7, "plan_id": "mail", "seats_used": 12, "active_seats": 11},
            {"id": "2-1", "organization_id": 7, "plan_id": "mail", "seats_used": 12, "active_seats": 11},
            {"id": "3-1", "organization_id": 7, "plan_id": "archive", "seats_used": 3, "active_seats": 0},
            {"id": "4-1", "organization_id": 8, "plan_id": "mail", "seats_used": 0, "active_seats": 0}]"#;
        let (rows, whole, unread) = told(page, &["active_seats", "seats_used", "seats_used:archive", "storage"]);
        assert_eq!(
            rows,
            ["7 active_seats 11", "7 seats_used 15", "7 seats_used:archive 3", "8 active_seats 0", "8 seats_used 0"]
        );
        assert_eq!((whole.join(" ").as_str(), unread.len()), ("active_seats seats_used seats_used:archive", 0));
    }

    #[test]
    fn a_number_that_is_not_there_is_not_zero_and_nothing_is_whole_without_it() {
        let page = r#"[
            {"id": "1-1", "organization_id": 7, "plan_id": "mail", "seats_used": 12, "active_seats": null},
            {"id": "2-1", "organization_id": 7, "plan_id": "archive", "active_seats": 3},
            {"id": "3-1", "organization_id": 8, "plan_id": "mail", "seats_used": 5, "active_seats": 5}]"#;
        let (rows, whole, unread) = told(page, &["active_seats", "seats_used", "seats_used:mail"]);
        assert_eq!(
            rows,
            ["7 seats_used:mail 12", "8 active_seats 5", "8 seats_used 5", "8 seats_used:mail 5"],
            "the sum of what is known would be too low"
        );
        assert_eq!((whole.join(" ").as_str(), unread.len()), ("seats_used:mail", 0));
    }

    #[test]
    fn seats_without_a_plan_may_be_of_any() {
        let page = r#"[{"id": "1-1", "organization_id": 7, "plan_id": "mail", "seats_used": 12},
            {"id": "2-1", "organization_id": 7, "plan_id": "", "seats_used": 3}]"#;
        assert_eq!(told(page, &["seats_used", "seats_used:mail"]).0, ["7 seats_used 15"]);
        assert!(told(page, &["seats_used:mail"]).1.is_empty());
    }

    #[test]
    fn log_ins_that_contradict_each_other_leave_the_rest_as_it_is() {
        let page = r#"[
            {"id": "1-1", "organization_id": 7, "plan_id": "mail", "seats_used": 12},
            {"id": "2-1", "organization_id": 7, "plan_id": "mail", "seats_used": 13},
            {"id": "3-1", "organization_id": 7, "plan_id": "archive", "seats_used": 3},
            {"id": "4-1", "organization_id": 8, "plan_id": "mail", "seats_used": 5}]"#;
        let (rows, whole, unread) = told(page, &["seats_used", "seats_used:archive", "seats_used:mail"]);
        assert_eq!(rows, ["7 seats_used:archive 3", "8 seats_used 5", "8 seats_used:mail 5"]);
        assert_eq!(whole, ["seats_used:archive"]);
        assert_eq!(unread, ["7 source_counts_contradict"]);
        assert!(told(page, &["seats_used:archive"]).2.is_empty(), "nobody asks about the plan that contradicts itself");
    }

    #[test]
    fn an_organization_is_listed_once_by_its_name_or_else_by_its_id() {
        let page = r#"[{"id": "1-1", "organization_id": 7}, {"id": "2-1", "organization_id": 8, "organization_name": "Acme"},
            {"id": "3-1", "organization_id": "8", "organization_name": "Acme [e9fd]"}]"#;
        let mut pulled = Pulled::default();
        read(page).unwrap().tell(&BTreeSet::new(), &mut pulled);
        let listed: Vec<_> =
            pulled.customers.iter().map(|customer| (customer.company.as_str(), customer.name.as_str())).collect();
        assert_eq!(listed, [("7", "7"), ("8", "Acme")]);
    }

    #[test]
    fn a_row_of_no_organization_or_with_a_count_that_can_not_be_is_a_fault_of_the_whole() {
        for row in [
            r#"{"id": "1-1", "seats_used": 12}"#,
            r#"{"id": "1-1", "organization_id": null}"#,
            r#"{"id": "1-1", "organization_id": ""}"#,
            r#"{"id": "1-1", "organization_id": 7, "seats_used": -1}"#,
        ] {
            assert_eq!(read(&format!("[{row}]")).unwrap_err().code, "source_unexpected_answer", "{row}");
        }
    }
}
