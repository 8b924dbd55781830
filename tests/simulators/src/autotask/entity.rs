//! The names of the Autotask entities this simulator has.
//!
//! Owns the plural used in URLs and the singular used in messages and metadata. Which fields an entity has is `schema`'s.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An object endpoint. Thread limits and request counts are kept for each of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are Autotask's own")]
pub enum Entity {
    BillingCodes,
    BillingItems,
    Companies,
    ContractCharges,
    ContractServiceAdjustments,
    ContractServiceUnits,
    ContractServices,
    Contracts,
    Currencies,
    Resources,
    Roles,
    Services,
    ThresholdInformation,
    TicketNotes,
    Tickets,
    VersionInformation,
    ZoneInformation,
}

impl Entity {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::BillingCodes,
        Self::BillingItems,
        Self::Companies,
        Self::ContractCharges,
        Self::ContractServiceAdjustments,
        Self::ContractServiceUnits,
        Self::ContractServices,
        Self::Contracts,
        Self::Currencies,
        Self::Resources,
        Self::Roles,
        Self::Services,
        Self::ThresholdInformation,
        Self::TicketNotes,
        Self::Tickets,
        Self::VersionInformation,
        Self::ZoneInformation,
    ];

    /// The name in URLs, without regard to case when read.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::BillingCodes => "BillingCodes",
            Self::BillingItems => "BillingItems",
            Self::Companies => "Companies",
            Self::ContractCharges => "ContractCharges",
            Self::ContractServiceAdjustments => "ContractServiceAdjustments",
            Self::ContractServiceUnits => "ContractServiceUnits",
            Self::ContractServices => "ContractServices",
            Self::Contracts => "Contracts",
            Self::Currencies => "Currencies",
            Self::Resources => "Resources",
            Self::Roles => "Roles",
            Self::Services => "Services",
            Self::ThresholdInformation => "ThresholdInformation",
            Self::TicketNotes => "TicketNotes",
            Self::Tickets => "Tickets",
            Self::VersionInformation => "VersionInformation",
            Self::ZoneInformation => "ZoneInformation",
        }
    }

    /// The name in messages and metadata.
    #[must_use]
    pub const fn singular(self) -> &'static str {
        match self {
            Self::BillingCodes => "BillingCode",
            Self::BillingItems => "BillingItem",
            Self::Companies => "Company",
            Self::ContractCharges => "ContractCharge",
            Self::ContractServiceAdjustments => "ContractServiceAdjustment",
            Self::ContractServiceUnits => "ContractServiceUnit",
            Self::ContractServices => "ContractService",
            Self::Contracts => "Contract",
            Self::Currencies => "Currency",
            Self::Resources => "Resource",
            Self::Roles => "Role",
            Self::Services => "Service",
            Self::ThresholdInformation => "ThresholdInformation",
            Self::TicketNotes => "TicketNote",
            Self::Tickets => "Ticket",
            Self::VersionInformation => "VersionInformation",
            Self::ZoneInformation => "ZoneInformation",
        }
    }

    /// Reads a URL segment in any case.
    #[must_use]
    pub fn from_path(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entity| entity.path().eq_ignore_ascii_case(segment))
    }

    /// Whether rows of it can be asked for.
    #[must_use]
    pub const fn has_rows(self) -> bool {
        !matches!(
            self,
            Self::ContractServiceAdjustments
                | Self::ThresholdInformation
                | Self::VersionInformation
                | Self::ZoneInformation
        )
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}
