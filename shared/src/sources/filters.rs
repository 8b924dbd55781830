//! What is counted besides the usual, or is not counted, by the partner's choice.

use serde::{Deserialize, Serialize};

use crate::domain::ids::CompanyId;

/// A partner's choices. Each vendor has its own usual, and says which of them it knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SourceFilters)]
pub struct Filters {
    /// Whether what is on trial counts. Usually it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trials: Option<bool>,
    /// Whether what is suspended counts. What is usual stands in each vendor's list of metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
    /// The customer at the vendor that is the partner itself. Seats that the vendor gave it for its own use, and not for resale,
    /// are taken off that customer's counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub nfr_company: Option<CompanyId>,
}

/// The name of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// `trials`
    Trials,
    /// `suspended`
    Suspended,
    /// `nfr_company`
    NfrCompany,
}

impl Filter {
    /// As it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trials => "trials",
            Self::Suspended => "suspended",
            Self::NfrCompany => "nfr_company",
        }
    }
}

impl Filters {
    /// The choices that were made.
    pub fn made(&self) -> impl Iterator<Item = Filter> {
        let made = [
            (Filter::Trials, self.trials.is_some()),
            (Filter::Suspended, self.suspended.is_some()),
            (Filter::NfrCompany, self.nfr_company.is_some()),
        ];
        made.into_iter().filter_map(|(filter, made)| made.then_some(filter))
    }
}
