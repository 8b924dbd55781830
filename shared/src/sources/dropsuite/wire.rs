//! Dropsuite's answers, as public clients of its API agree on them; what is not read here is left out. Each row carries a live
//! token of its organization (`authentication_token`): nothing here has a place for it.

use std::fmt;

use serde::Deserialize;

/// A page of `GET /api/users`. It was seen in all of these shapes.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Users {
    Bare(Vec<User>),
    Wrapped(ResultSet),
    WrappedEach(Vec<ResultSet>),
}

#[derive(Debug, Deserialize)]
pub(super) struct ResultSet {
    #[serde(alias = "data")]
    result_set: Vec<User>,
}

impl Users {
    /// The rows, whatever they came in.
    pub(super) fn rows(self) -> Vec<User> {
        match self {
            Self::Bare(rows) => rows,
            Self::Wrapped(set) => set.result_set,
            Self::WrappedEach(sets) => sets.into_iter().flat_map(|set| set.result_set).collect(),
        }
    }
}

/// A log-in of an organization, with what the organization has by one plan.
#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: Id,
    #[serde(default)]
    pub(super) organization_id: Option<Id>,
    #[serde(default)]
    pub(super) organization_name: Option<String>,
    #[serde(default)]
    pub(super) plan_id: Option<Id>,
    #[serde(default)]
    pub(super) seats_used: Option<i64>,
    #[serde(default)]
    pub(super) active_seats: Option<i64>,
}

/// Log-ins have texts ("100001-1"), organizations numbers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Number(u64),
    Text(String),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list as it was seen, in two shapes.
    fn samples() -> serde_json::Value {
        serde_json::from_str(include_str!("samples/users.json")).unwrap()
    }

    fn rows(json: &str) -> Vec<User> {
        serde_json::from_str::<Users>(json).unwrap().rows()
    }

    #[test]
    fn a_page_is_read_in_each_shape_that_was_seen() {
        let samples = samples();
        let (bare, wrapped) = (samples["bare_array"].to_string(), samples["wrapped"].to_string());
        for page in [
            bare.clone(),
            wrapped,
            format!(r#"{{"result_set": {bare}}}"#),
            format!(r#"{{"data": {bare}, "pagination": {{"next_page": 2}}}}"#),
        ] {
            let [row]: [User; 1] = rows(&page).try_into().unwrap();
            let ids = (row.id.to_string(), row.organization_id.unwrap().to_string());
            assert_eq!(ids, ("100001-1".to_owned(), "10001".to_owned()), "{page}");
            assert_eq!((row.organization_name.as_deref(), row.seats_used), (Some("Acme Inc"), Some(12)), "{page}");
        }
        for empty in ["[]", r#"{"result_set": []}"#, r#"[{"result_set": []}]"#] {
            assert!(rows(empty).is_empty(), "{empty}");
        }
    }

    #[test]
    fn an_organizations_token_is_not_kept() {
        let page = samples()["bare_array"].to_string();
        assert!(page.contains("canary") && !format!("{:?}", rows(&page)).contains("canary"));
    }

    #[test]
    fn what_is_no_list_of_rows_is_not_an_empty_one() {
        for answer in
            ["null", "{}", r#"{"error": "not authorized"}"#, r#"{"result_set": null}"#, r#"[{"seats_used": 12}]"#]
        {
            assert!(serde_json::from_str::<Users>(answer).is_err(), "{answer}");
        }
    }
}
