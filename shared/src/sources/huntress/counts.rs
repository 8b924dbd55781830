//! Which of Huntress's numbers is which metric.

use std::collections::BTreeSet;

use super::VENDOR;
use super::wire::{NeighborhoodWatch, Organization, Tenant};
use crate::domain::units::Units;
use crate::sources::{Metric, SourceError};

/// What it counts.
pub(super) const METRICS: [&str; 6] =
    ["agents", "billable_agents", "billable_identities", "ispm_identities", "log_sources", "sat_learners"];

/// What the list of organizations tells.
const LISTED: [Counted; 4] = [
    // All agents, billed or not.
    Counted { metric: "agents", told: |of| of.agents_count, own: |seats| seats.edr },
    // Of all identity tenants.
    Counted { metric: "billable_identities", told: |of| of.billable_identity_count, own: |seats| seats.itdr },
    // Those that are billed.
    Counted { metric: "log_sources", told: |of| of.logs_sources_count, own: |seats| seats.siem },
    // People in awareness training.
    Counted { metric: "sat_learners", told: |of| of.sat_learner_count, own: |seats| seats.sat },
];

/// What costs a request an organization.
const DETAILED: [Counted; 2] = [
    // Those that have fallen silent among them, until they are uninstalled.
    Counted { metric: "billable_agents", told: billable_agents, own: |seats| seats.edr },
    // Identities under posture management, of all identity tenants.
    Counted { metric: "ispm_identities", told: ispm_identities, own: |seats| seats.ispm },
];

/// A number of an organization's.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) metric: &'static str,
    told: fn(&Organization) -> Option<i64>,
    /// Of the seats for the partner's own use, those that are in this number.
    own: fn(&NeighborhoodWatch) -> Option<i64>,
}

impl Counted {
    /// How many `organization` has; `None` where Huntress does not say, which is not zero.
    ///
    /// # Errors
    /// It is no count.
    pub(super) fn of(&self, organization: &Organization) -> Result<Option<Units>, SourceError> {
        let units = (self.told)(organization).map(Units::try_from).transpose();
        units.map_err(|_| SourceError::unreadable(VENDOR, "a count is no number of seats"))
    }

    /// How many of these seats the partner has for its own use.
    pub(super) fn own(&self, seats: &NeighborhoodWatch) -> Option<i64> {
        (self.own)(seats)
    }
}

/// Those of `metrics` that the list tells.
pub(super) fn listed(metrics: &BTreeSet<Metric>) -> Vec<&'static Counted> {
    LISTED.iter().filter(|counted| metrics.contains(&counted.metric.into())).collect()
}

/// Those of `metrics` that only the answer about a single organization tells.
pub(super) fn detailed(metrics: &BTreeSet<Metric>) -> Vec<&'static Counted> {
    DETAILED.iter().filter(|counted| metrics.contains(&counted.metric.into())).collect()
}

/// All of `metrics` that Huntress counts.
pub(super) fn wanted(metrics: &BTreeSet<Metric>) -> Vec<&'static Counted> {
    [listed(metrics), detailed(metrics)].concat()
}

fn billable_agents(of: &Organization) -> Option<i64> {
    of.actual_usages.as_ref()?.edr.as_ref()?.billable_agents_count
}

/// Of all tenants together; none where one of them has no number.
fn ispm_identities(of: &Organization) -> Option<i64> {
    let tenants: &[Tenant] = of.actual_usages.as_ref()?.ispm.as_ref()?;
    tenants.iter().try_fold(0_i64, |sum, tenant| sum.checked_add(tenant.billable_identities_count?))
}

#[cfg(test)]
mod tests {
    use super::super::wire::{One, Organizations};
    use super::*;

    const PAGE: &str = include_str!("samples/organizations_page.json");
    const ONE: &str = include_str!("samples/organization_actual_usages.json");

    fn told(counted: &[&Counted], of: &Organization) -> Vec<(&'static str, Option<u32>)> {
        let told = counted.iter().map(|counted| (counted.metric, counted.of(of).unwrap().map(Units::get)));
        told.filter(|(_, count)| count.is_some()).collect()
    }

    fn all() -> BTreeSet<Metric> {
        METRICS.into_iter().map(Metric::from).collect()
    }

    fn organization(json: &str) -> Organization {
        serde_json::from_str::<One>(json).unwrap().organization
    }

    #[test]
    fn each_number_of_a_documented_list_is_told_as_what_it_is() {
        let page: Organizations = serde_json::from_str(PAGE).unwrap();
        let counts = |row: usize| told(&wanted(&all()), &page.organizations[row]).into_iter().map(|(_, count)| count);
        assert_eq!(told(&wanted(&all()), &page.organizations[0]).len(), 4, "a list has no details");
        assert!(counts(0).all(|count| count == Some(42)));
        assert!(counts(1).all(|count| count == Some(0)), "zero is a count");
        assert_eq!(page.pagination.next_page_token.as_deref(), Some("MjAyMi0wMy0wMVQxODo1NDoyNFo"));
    }

    #[test]
    fn the_documented_answer_about_one_organization_tells_what_is_billed() {
        let told = told(&detailed(&all()), &organization(ONE));
        assert_eq!(told, [("billable_agents", Some(42)), ("ispm_identities", Some(100))]);
    }

    #[test]
    fn tenants_are_added_whatever_their_kind_and_one_without_a_number_leaves_the_sum_untold() {
        let of = |tenants: &str| {
            let json =
                format!(r#"{{"organization": {{"id": 7, "name": "Acme", "actual_usages": {{"ispm": {tenants}}}}}}}"#);
            ispm_identities(&organization(&json))
        };
        assert_eq!(
            of(r#"[{"billable_identities_count": 100}, {"type": "of tomorrow", "billable_identities_count": 5}]"#),
            Some(105)
        );
        assert_eq!(of(r#"[{"billable_identities_count": 100}, {"type": "google"}]"#), None);
        assert_eq!((of("[]"), of("null")), (Some(0), None));
    }

    #[test]
    fn a_number_that_is_not_there_is_not_zero() {
        for silent in ["", r#", "agents_count": null, "actual_usages": null"#, r#", "actual_usages": {"edr": {}}"#] {
            let found = organization(&format!(r#"{{"organization": {{"id": 7, "name": "Acme" {silent}}}}}"#));
            assert_eq!(told(&wanted(&all()), &found), [], "{silent}");
        }
    }

    #[test]
    fn a_count_that_can_not_be_is_a_fault() {
        let found = organization(r#"{"organization": {"id": 7, "name": "Acme", "agents_count": -1}}"#);
        assert_eq!(LISTED[0].of(&found).unwrap_err().code, "source_unexpected_answer");
    }

    #[test]
    fn what_is_wanted_is_asked_where_it_costs_least() {
        let names = |counted: Vec<&Counted>| counted.iter().map(|counted| counted.metric).collect::<Vec<_>>();
        let metrics = ["agents", "billable_agents", "of another vendor"].map(Metric::from).into();
        assert_eq!((names(listed(&metrics)), names(detailed(&metrics))), (vec!["agents"], vec!["billable_agents"]));
        assert_eq!(names(wanted(&all())).into_iter().collect::<BTreeSet<_>>(), METRICS.into(), "each has its number");
    }
}
