//! Which of Huntress's numbers is which metric.

use std::collections::BTreeSet;

use super::VENDOR;
use super::wire::{Organization, Tenant};
use crate::domain::ids::CompanyId;
use crate::domain::units::Units;
use crate::sources::{Metric, Row, SourceError};

/// All agents, billed or not.
const AGENTS: &str = "agents";
/// Identities that are billed, of all identity tenants.
const BILLABLE_IDENTITIES: &str = "billable_identities";
/// People in awareness training.
const SAT_LEARNERS: &str = "sat_learners";
/// Log sources that are billed.
const LOG_SOURCES: &str = "log_sources";
/// Agents that are billed: those that have fallen silent among them, until they are uninstalled.
const BILLABLE_AGENTS: &str = "billable_agents";
/// Identities that are billed for posture management.
const ISPM_IDENTITIES: &str = "ispm_identities";

/// What the list of organizations tells.
const LISTED: [&str; 4] = [AGENTS, BILLABLE_IDENTITIES, SAT_LEARNERS, LOG_SOURCES];
/// What costs a request an organization.
const DETAILED: [&str; 2] = [BILLABLE_AGENTS, ISPM_IDENTITIES];

/// Every metric.
pub(super) fn all() -> BTreeSet<Metric> {
    LISTED.into_iter().chain(DETAILED).map(Metric::from).collect()
}

/// Those of `wanted` that the list tells, and those that only the answer about a single organization does.
pub(super) fn split(wanted: &BTreeSet<Metric>) -> (BTreeSet<Metric>, BTreeSet<Metric>) {
    let of = |names: &[&str]| wanted.iter().filter(|metric| names.contains(&metric.as_str())).cloned().collect();
    (of(&LISTED), of(&DETAILED))
}

/// What the list tells of an organization. A number that is not there is none, not zero.
pub(super) fn of_list(company: &CompanyId, of: &Organization) -> Result<Vec<Row>, SourceError> {
    rows(
        company,
        [
            (AGENTS, of.agents_count),
            (BILLABLE_IDENTITIES, of.billable_identity_count),
            (SAT_LEARNERS, of.sat_learner_count),
            (LOG_SOURCES, of.logs_sources_count),
        ],
    )
}

/// What only the answer about it tells.
pub(super) fn of_details(company: &CompanyId, of: &Organization) -> Result<Vec<Row>, SourceError> {
    let Some(usages) = &of.actual_usages else { return Ok(Vec::new()) };
    let agents = usages.edr.as_ref().and_then(|edr| edr.billable_agents_count);
    let ispm = usages.ispm.as_deref().and_then(identities);
    rows(company, [(BILLABLE_AGENTS, agents), (ISPM_IDENTITIES, ispm)])
}

/// Of all tenants together; none where one of them has no number.
fn identities(tenants: &[Tenant]) -> Option<i64> {
    tenants.iter().try_fold(0_i64, |sum, tenant| sum.checked_add(tenant.billable_identities_count?))
}

fn rows<const N: usize>(company: &CompanyId, told: [(&str, Option<i64>); N]) -> Result<Vec<Row>, SourceError> {
    let mut rows = Vec::new();
    for (metric, count) in told {
        let Some(count) = count else { continue };
        let quantity =
            Units::try_from(count).map_err(|_| SourceError::unreadable(VENDOR, "a count is no number of seats"))?;
        rows.push(Row::of(company.clone(), metric, quantity));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::super::wire::One;
    use super::*;

    fn told(rows: &[Row]) -> Vec<(&str, u32)> {
        rows.iter().map(|row| (row.metric.as_str(), row.quantity.get())).collect()
    }

    fn organization(json: &str) -> Organization {
        serde_json::from_str::<One>(json).unwrap().organization
    }

    #[test]
    fn each_number_is_told_as_what_it_is_and_one_that_is_not_there_is_not_zero() {
        let found = organization(
            r#"{"organization": {"id": 7, "name": "Acme", "agents_count": 42, "billable_identity_count": 0, "sat_learner_count": null,
                "actual_usages": {"edr": {"billable_agents_count": 40, "unresponsive_agents_count": 2},
                    "ispm": [{"type": "microsoft", "billable_identities_count": 100}, {"type": "of tomorrow", "billable_identities_count": 5}],
                    "siem": {"retention": "90/7"}}}}"#,
        );
        let company: CompanyId = "7".parse().unwrap();
        assert_eq!(told(&of_list(&company, &found).unwrap()), [("agents", 42), ("billable_identities", 0)]);
        assert_eq!(told(&of_details(&company, &found).unwrap()), [("billable_agents", 40), ("ispm_identities", 105)]);
    }

    #[test]
    fn a_count_that_can_be_none_is_a_fault_of_the_whole() {
        let found = organization(r#"{"organization": {"id": 7, "name": "Acme", "agents_count": -1}}"#);
        assert_eq!(of_list(&"7".parse().unwrap(), &found).unwrap_err().code, "source_unexpected_answer");
    }

    #[test]
    fn what_is_wanted_is_asked_where_it_costs_least() {
        let wanted = [AGENTS, BILLABLE_AGENTS, "of another vendor"].map(Metric::from).into();
        let (listed, detailed) = split(&wanted);
        assert_eq!((listed, detailed), ([AGENTS.into()].into(), [BILLABLE_AGENTS.into()].into()));
        assert_eq!(all().len(), 6);
    }
}
