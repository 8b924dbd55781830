//! What JumpCloud counts, and which of its lists tells it.

use std::collections::BTreeSet;

use super::VENDOR;
use super::wire::Listed;
use crate::domain::ids::CompanyId;
use crate::domain::units::Units;
use crate::sources::{Metric, Row, SourceError};

/// A list of an organization's, the total of which is a count.
#[derive(Debug)]
pub(super) struct Counted {
    metric: &'static str,
    /// The list.
    pub(super) path: &'static str,
}

/// People, in whatever state: staged and suspended ones among them.
pub(super) const USERS: Counted = Counted { metric: "users", path: "/api/systemusers" };
/// Devices.
const SYSTEMS: Counted = Counted { metric: "systems", path: "/api/systems" };

/// Those of which `wanted` has the metric.
pub(super) fn wanted(wanted: &BTreeSet<Metric>) -> Vec<Counted> {
    [USERS, SYSTEMS].into_iter().filter(|counted| wanted.contains(&counted.metric())).collect()
}

impl Counted {
    /// In our name for it.
    pub(super) fn metric(&self) -> Metric {
        self.metric.into()
    }

    /// What `listed` tells of `company`. A total that is not there is none, not zero.
    ///
    /// # Errors
    /// It is no count, or another organization's: a vendor that overlooks which one is asked for tells the same of each.
    pub(super) fn row(&self, company: &CompanyId, listed: &Listed) -> Result<Option<Row>, SourceError> {
        let mut owners = listed.results.iter().filter_map(|found| found.organization.as_deref());
        if owners.any(|owner| owner != company.as_str()) {
            return Err(SourceError::unreadable(VENDOR, "it is about another organization"));
        }
        let Some(total) = listed.total_count else { return Ok(None) };
        let quantity = Units::try_from(total).map_err(|_| SourceError::unreadable(VENDOR, "a total is no count"))?;
        if usize::try_from(total).is_ok_and(|total| total < listed.results.len()) {
            return Err(SourceError::unreadable(VENDOR, "it has more rows than its total"));
        }
        Ok(Some(Row::of(company.clone(), self.metric, quantity)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACME: &str = "624d9eae6849cf3b3f93dc56";

    fn told(json: &str) -> Result<Option<u32>, String> {
        let row = USERS.row(&ACME.parse().unwrap(), &serde_json::from_str(json).unwrap());
        row.map(|row| row.map(|row| row.quantity.get())).map_err(|error| error.code)
    }

    #[test]
    fn the_count_is_the_total_and_not_the_number_of_rows() {
        let listed = r#"{"results": [{"_id": "5f14e379abf7400000000000", "organization": "624d9eae6849cf3b3f93dc56",
            "username": "jane.doe", "activated": true, "suspended": false, "state": "ACTIVATED"}], "totalCount": 42}"#;
        assert_eq!(told(listed), Ok(Some(42)));
        assert_eq!(told(r#"{"results": [], "totalCount": 0}"#), Ok(Some(0)));
    }

    #[test]
    fn a_total_that_is_not_there_is_not_zero() {
        assert_eq!(told(r#"{"results": []}"#), Ok(None));
        assert_eq!(told(r#"{"results": [], "totalCount": null}"#), Ok(None));
    }

    #[test]
    fn a_total_that_can_not_be_true_is_a_fault() {
        for listed in [
            r#"{"results": [], "totalCount": -1}"#,
            r#"{"results": [{"_id": "5f14e379abf7400000000000"}], "totalCount": 0}"#,
            r#"{"results": [{"organization": "624d9eae6849cf3b3f93dc57"}], "totalCount": 42}"#,
        ] {
            assert_eq!(told(listed), Err("source_unexpected_answer".to_owned()), "{listed}");
        }
    }

    #[test]
    fn only_what_is_wanted_is_asked_for() {
        let paths = |metrics: &[&str]| {
            let metrics = metrics.iter().copied().map(Metric::from).collect();
            wanted(&metrics).iter().map(|counted| counted.path).collect::<Vec<_>>()
        };
        assert_eq!(paths(&["systems", "of another vendor"]), ["/api/systems"]);
        assert_eq!(paths(&["users", "systems"]), ["/api/systemusers", "/api/systems"]);
    }
}
