//! The endpoints of the simulated API.
//!
//! Owns which request is which endpoint; counts and faults go by them. What each answers is `tenant`'s.

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// `GET /v1/account`
    Account,
    /// `GET /v1/organizations`
    Organizations,
    /// `GET /v1/organizations/{id}`
    Organization,
}

/// An endpoint with what stood in its placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Account,
    Organizations,
    Organization(i64),
}

impl Route {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Account, Self::Organizations, Self::Organization];

    /// Whether a key needs the right to read organizations for it.
    pub(crate) fn is_of_organizations(self) -> bool {
        self != Self::Account
    }
}

impl Found {
    /// The endpoint of a request.
    pub(crate) fn of(method: &str, path: &str) -> Result<Self, Refusal> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let found = match parts.as_slice() {
            ["v1", "account"] => Self::Account,
            ["v1", "organizations"] => Self::Organizations,
            ["v1", "organizations", id] => {
                Self::Organization(id.parse().map_err(|_| Refusal::Invalid("id is invalid"))?)
            }
            _ => return Err(Refusal::NotFound),
        };
        if method == "GET" { Ok(found) } else { Err(Refusal::MethodNotAllowed) }
    }

    pub(crate) fn route(self) -> Route {
        match self {
            Self::Account => Route::Account,
            Self::Organizations => Route::Organizations,
            Self::Organization(_) => Route::Organization,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_an_endpoint_by_its_whole_path_and_its_method() {
        assert_eq!(Found::of("GET", "/v1/organizations"), Ok(Found::Organizations));
        assert_eq!(Found::of("GET", "/v1/organizations/7"), Ok(Found::Organization(7)));
        assert_eq!(Found::of("GET", "/v1/account"), Ok(Found::Account));
        assert_eq!(Found::of("DELETE", "/v1/organizations/7"), Err(Refusal::MethodNotAllowed));
        assert_eq!(Found::of("GET", "/v1/organizations/acme"), Err(Refusal::Invalid("id is invalid")));
        assert_eq!(Found::of("GET", "/v1/organizations/7/agents"), Err(Refusal::NotFound));
        assert_eq!(Found::of("GET", "/organizations"), Err(Refusal::NotFound));
    }
}
