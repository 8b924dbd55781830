//! What a vendor's customers and the snapshots that are pulled from it are called: `huntress:3001`, `pull-huntress-…`.
//!
//! Two vendors may give one number to two customers, and a company is billed to one account: so the vendor's name is a part of
//! the company's.

use super::Vendor;
use crate::domain::ids::{CompanyId, SnapshotId};

/// How the name of every snapshot begins that was pulled.
const PULLED: &str = "pull-";

impl Vendor {
    /// The vendor's customer as our company; `None` where its id is too long.
    #[must_use]
    pub fn company(self, customer: &CompanyId) -> Option<CompanyId> {
        format!("{}:{customer}", self.as_str()).parse().ok()
    }

    /// The vendor's customer that our company is; `None` where it is none of its.
    #[must_use]
    pub fn customer(self, company: &CompanyId) -> Option<CompanyId> {
        company.as_str().strip_prefix(self.as_str())?.strip_prefix(':')?.parse().ok()
    }

    /// The vendor whose customer our company is; `None` where it is pushed.
    #[must_use]
    pub fn of(company: &CompanyId) -> Option<Self> {
        Self::named(company.as_str().split_once(':')?.0)
    }

    /// The name of a snapshot that is pulled from it. `rest` tells it from others.
    #[must_use]
    pub fn snapshot(self, rest: &str) -> Option<SnapshotId> {
        format!("{PULLED}{}-{rest}", self.as_str()).parse().ok()
    }

    /// The vendor that a snapshot was pulled from; `None` where it was pushed.
    #[must_use]
    pub fn pulled(snapshot: &SnapshotId) -> Option<Self> {
        Self::named(snapshot.as_str().strip_prefix(PULLED)?.split_once('-')?.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_of_two_vendors_are_two_companies() {
        let customer: CompanyId = "3001".parse().unwrap();
        for vendor in Vendor::ALL.iter().copied() {
            let company = vendor.company(&customer).unwrap();
            assert_eq!(company.as_str(), format!("{}:3001", vendor.as_str()));
            assert_eq!((Vendor::of(&company), vendor.customer(&company)), (Some(vendor), Some(customer.clone())));
            let others = Vendor::ALL.iter().filter(|other| **other != vendor);
            assert!(others.into_iter().all(|other| other.customer(&company).is_none()));
            assert_eq!(vendor.company(&"x".repeat(128).parse().unwrap()), None);
        }
        assert_eq!(Vendor::Huntress.customer(&customer), None, "pushed under its own name");
        assert_eq!((Vendor::of(&customer), Vendor::of(&"acme:7".parse().unwrap())), (None, None));
    }

    #[test]
    fn a_snapshot_says_whether_and_from_whom_it_was_pulled() {
        for vendor in Vendor::ALL.iter().copied() {
            assert_eq!(Vendor::pulled(&vendor.snapshot("1-1-edr").unwrap()), Some(vendor));
        }
        for pushed in ["snap-1", "pull-of-today", "pull-huntressed-1", "huntress-1"] {
            assert_eq!(Vendor::pulled(&pushed.parse().unwrap()), None, "{pushed}");
        }
    }
}
