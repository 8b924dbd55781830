//! What JumpCloud counts, and which of its lists tells it.

use serde_json::{Value, json};

use super::VENDOR;
use super::wire::Listed;
use crate::domain::ids::CompanyId;
use crate::domain::units::Units;
use crate::sources::{SourceError, Wanted};

/// What it counts.
pub(super) const METRICS: [&str; 2] = [USERS.metric, SYSTEMS.metric];

/// A list of an organization's, the total of which is a count.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) metric: &'static str,
    /// The list.
    pub(super) path: &'static str,
    /// Whether it leaves out who is suspended: a list can't, a search can.
    without_suspended: bool,
}

/// People, in whatever state: staged and suspended ones among them.
pub(super) const USERS: Counted = Counted { metric: "users", path: "/api/systemusers", without_suspended: false };
/// People who are not suspended; staged ones among them.
const UNSUSPENDED_USERS: Counted =
    Counted { metric: "users", path: "/api/search/systemusers", without_suspended: true };
/// Devices.
const SYSTEMS: Counted = Counted { metric: "systems", path: "/api/systems", without_suspended: false };

/// The lists that tell what is wanted.
pub(super) fn wanted(wanted: &Wanted) -> Vec<Counted> {
    let users = if wanted.filters.suspended == Some(false) { UNSUSPENDED_USERS } else { USERS };
    [users, SYSTEMS].into_iter().filter(|counted| wanted.metrics.contains(&counted.metric.into())).collect()
}

impl Counted {
    /// What is searched for, where the list is a search.
    pub(super) fn search(&self) -> Option<Value> {
        self.without_suspended.then(|| {
            json!({
                "filter": { "and": [{ "suspended": false }] },
                "fields": "organization suspended",
                "limit": 1,
                "skip": 0,
            })
        })
    }

    /// What `listed` tells of `company`. A total that is not there is none, not zero.
    ///
    /// # Errors
    /// It is no count, or of others than were asked for: a vendor that overlooks which organization is meant tells the same of
    /// each, and one that overlooks the search tells of everybody.
    pub(super) fn of(&self, company: &CompanyId, listed: &Listed) -> Result<Option<Units>, SourceError> {
        let mut owners = listed.results.iter().filter_map(|found| found.organization.as_deref());
        if owners.any(|owner| owner != company.as_str()) {
            return Err(SourceError::unreadable(VENDOR, "it is about another organization"));
        }
        if self.without_suspended && listed.results.iter().any(|found| found.suspended == Some(true)) {
            return Err(SourceError::unreadable(VENDOR, "it is about those too who were left out"));
        }
        let Some(total) = listed.total_count else { return Ok(None) };
        let units = Units::try_from(total).map_err(|_| SourceError::unreadable(VENDOR, "a total is no count"))?;
        if usize::try_from(total).is_ok_and(|total| total < listed.results.len()) {
            return Err(SourceError::unreadable(VENDOR, "it has more rows than its total"));
        }
        Ok(Some(units))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::test_host;

    const ACME: &str = "624d9eae6849cf3b3f93dc56";

    fn told(counted: &Counted, json: &str) -> Result<Option<u32>, String> {
        let units = counted.of(&ACME.parse().unwrap(), &serde_json::from_str(json).unwrap());
        units.map(|units| units.map(Units::get)).map_err(|error| error.code)
    }

    #[test]
    fn the_count_of_a_documented_answer_is_its_total_and_not_the_number_of_its_rows() {
        assert_eq!(told(&USERS, include_str!("samples/systemusers.json")), Ok(Some(42)));
        assert_eq!(told(&USERS, r#"{"results": [], "totalCount": 0}"#), Ok(Some(0)));
    }

    #[test]
    fn a_total_that_is_not_there_is_not_zero() {
        assert_eq!(told(&USERS, r#"{"results": []}"#), Ok(None));
        assert_eq!(told(&USERS, r#"{"results": [], "totalCount": null}"#), Ok(None));
    }

    #[test]
    fn a_total_that_can_not_be_true_is_a_fault() {
        for listed in [
            r#"{"results": [], "totalCount": -1}"#,
            r#"{"results": [{"_id": "5f14e379abf7400000000000"}], "totalCount": 0}"#,
            r#"{"results": [{"organization": "624d9eae6849cf3b3f93dc57"}], "totalCount": 42}"#,
        ] {
            assert_eq!(told(&USERS, listed), Err("source_unexpected_answer".to_owned()), "{listed}");
        }
    }

    #[test]
    fn a_search_that_finds_who_was_left_out_was_overlooked() {
        let found = |suspended| format!(r#"{{"results": [{{"suspended": {suspended}}}], "totalCount": 42}}"#);
        assert_eq!(told(&UNSUSPENDED_USERS, &found("true")), Err("source_unexpected_answer".to_owned()));
        assert_eq!(told(&UNSUSPENDED_USERS, &found("false")), Ok(Some(42)));
        assert_eq!(told(&USERS, &found("true")), Ok(Some(42)), "usually they count");
    }

    #[test]
    fn only_what_is_wanted_is_asked_for_and_searched_where_somebody_is_left_out() {
        let paths = |metrics: &[&str], suspended| {
            let mut asked = test_host::wanted(metrics, None);
            asked.filters.suspended = suspended;
            wanted(&asked).iter().map(|counted| counted.path).collect::<Vec<_>>()
        };
        assert_eq!(paths(&["systems", "of another vendor"], None), ["/api/systems"]);
        assert_eq!(paths(&["users", "systems"], Some(true)), ["/api/systemusers", "/api/systems"]);
        assert_eq!(paths(&["users", "systems"], Some(false)), ["/api/search/systemusers", "/api/systems"]);
    }
}
