//! JumpCloud's answers, as its OpenAPI has them; what is not read here is left out: people's names and addresses first of all.

use serde::Deserialize;

/// A page of `GET /api/v2/providers/{id}/organizations`. Without its total nobody could tell that a row was skipped, so that a
/// page that has none can't be read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Organizations {
    pub(super) results: Vec<Organization>,
    pub(super) total_count: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Organization {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: Option<String>,
}

impl Organizations {
    /// Where the next page begins when `read` rows were read, this page's among them. The total decides and not the length of
    /// the page: a vendor may hand out fewer rows than it is asked for.
    pub(super) fn next(&self, read: usize) -> Option<String> {
        let is_short = u64::try_from(read).is_ok_and(|read| read < self.total_count);
        (is_short && !self.results.is_empty()).then(|| read.to_string())
    }
}

/// `GET /api/systemusers`, `POST /api/search/systemusers` and `GET /api/systems`, of one organization: the count is the total.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    #[serde(default)]
    pub(super) results: Vec<Owned>,
    #[serde(default)]
    pub(super) total_count: Option<i64>,
}

/// A user or a device.
#[derive(Debug, Deserialize)]
pub(super) struct Owned {
    /// Whose it is.
    #[serde(default)]
    pub(super) organization: Option<String>,
    /// Of users alone.
    #[serde(default)]
    pub(super) suspended: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(json: &str) -> Organizations {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_documented_page_is_read() {
        let found = page(include_str!("samples/provider_organizations.json"));
        assert_eq!((found.results[0].id.as_str(), found.total_count), ("624d9eae6849cf3b3f93dc56", 1));
        assert_eq!((found.results[0].name.as_deref(), found.next(1)), (Some("Acme Inc"), None));
    }

    #[test]
    fn a_page_goes_on_where_it_ended_until_the_total_is_met() {
        let found = page(r#"{"results": [{"id": "a"}, {"id": "b", "name": null}], "totalCount": 3}"#);
        assert_eq!(found.next(2).as_deref(), Some("2"), "a short page is not the end");
        assert_eq!(found.next(3), None);
    }

    #[test]
    fn a_page_without_rows_is_followed_by_none_whatever_its_total_promises() {
        assert_eq!(page(r#"{"results": [], "totalCount": 3}"#).next(2), None);
    }

    #[test]
    fn a_page_without_a_total_can_not_be_read() {
        assert!(serde_json::from_str::<Organizations>(r#"{"results": []}"#).is_err());
    }
}
