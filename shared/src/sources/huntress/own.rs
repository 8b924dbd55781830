//! The partner among its own customers. Huntress gives partners seats for their own use ("Neighborhood Watch", NFR): they are
//! not resold, so that they come off the counts of the organization that is the partner itself.

use std::collections::BTreeMap;

use super::counts::Counted;
use super::wire::{AccountOfKey, Organization};
use crate::domain::ids::CompanyId;
use crate::domain::units::Units;
use crate::psa::Kind;
use crate::sources::SourceError;

/// Whose counts are lessened, and by what.
#[derive(Debug)]
pub(super) struct Own(Option<(CompanyId, Result<Seats, SourceError>)>);

/// By metric.
type Seats = BTreeMap<&'static str, Units>;

impl Own {
    /// Every organization is a customer.
    pub(super) fn nobody() -> Self {
        Self(None)
    }

    /// `company` is the partner, and `account` what was read of its seats. Where that can't be read nothing is told of it: its
    /// counts with those seats would be charged.
    ///
    /// # Errors
    /// Nor can anything else be read.
    pub(super) fn of(
        company: &CompanyId,
        counted: &[&Counted],
        account: Result<AccountOfKey, SourceError>,
    ) -> Result<Self, SourceError> {
        let seats = match account {
            Ok(account) => seats(counted, &account),
            Err(error) if error.is_of_one() => Err(untold()),
            Err(error) => return Err(error),
        };
        Ok(Self(Some((company.clone(), seats))))
    }

    /// What comes off the counts of `company`; nothing comes off a customer's.
    ///
    /// # Errors
    /// It is the partner, and its seats are not known.
    pub(super) fn seats_of(&self, company: &CompanyId) -> Result<Option<&Seats>, SourceError> {
        match &self.0 {
            Some((own, seats)) if own == company => seats.as_ref().map(Some).map_err(Clone::clone),
            _ => Ok(None),
        }
    }

    /// What `organization` has of each of `counted` besides what is the partner's own; `None` where Huntress does not say.
    ///
    /// # Errors
    /// As [`Own::seats_of`], or a number can't be a count.
    pub(super) fn told(
        &self,
        counted: &[&Counted],
        company: &CompanyId,
        organization: &Organization,
    ) -> Result<Vec<(&'static str, Option<Units>)>, SourceError> {
        let seats = self.seats_of(company)?;
        let own = |metric| seats.and_then(|seats| seats.get(metric)).copied().unwrap_or(Units::ZERO);
        let besides = |counted: &&Counted| {
            let units = counted.of(organization)?;
            Ok((counted.metric, units.map(|units| units.saturating_sub(own(counted.metric)))))
        };
        counted.iter().map(besides).collect()
    }
}

/// The seats of each of `counted`. One product that is not named leaves all of them unknown: that it has none is not said.
fn seats(counted: &[&Counted], account: &AccountOfKey) -> Result<Seats, SourceError> {
    let told = |counted: &&Counted| {
        let seats = counted.own(account.account.neighborhood_watch.as_ref()?)?;
        Some((counted.metric, Units::try_from(seats).ok()?))
    };
    counted.iter().map(told).collect::<Option<Seats>>().ok_or_else(untold)
}

fn untold() -> SourceError {
    SourceError::new(
        Kind::Protocol,
        "source_own_seats_untold",
        "Huntress does not tell how many seats the account has for its own use, so that nothing is told of its organization.",
        "Make a key that may read the account, or take nfr_company out of the filters of this source.",
    )
}

#[cfg(test)]
mod tests {
    use super::super::counts;
    use super::*;
    use crate::sources::Metric;

    const ACCOUNT: &str = include_str!("samples/account.json");
    const ORGANIZATION: &str =
        r#"{"id": 1, "name": "Own", "agents_count": 42, "billable_identity_count": 9, "sat_learner_count": null}"#;

    fn account(json: &str) -> Result<AccountOfKey, SourceError> {
        Ok(serde_json::from_str(json).unwrap())
    }

    fn company(id: &str) -> CompanyId {
        id.parse().unwrap()
    }

    /// What is told of the organization 1 where 1 is the partner.
    fn told(account: Result<AccountOfKey, SourceError>, metrics: &[&str]) -> Result<Vec<Option<u32>>, SourceError> {
        let metrics = metrics.iter().copied().map(Metric::from).collect();
        let counted = counts::wanted(&metrics);
        let own = Own::of(&company("1"), &counted, account).unwrap();
        let told = own.told(&counted, &company("1"), &serde_json::from_str(ORGANIZATION).unwrap())?;
        Ok(told.into_iter().map(|(_, units)| units.map(Units::get)).collect())
    }

    #[test]
    fn seats_of_the_partners_own_come_off_its_counts_and_leave_no_less_than_none() {
        let counts = told(account(ACCOUNT), &["agents", "billable_identities", "sat_learners"]);
        assert_eq!(counts, Ok(vec![Some(32), Some(0), None]));
    }

    #[test]
    fn nothing_comes_off_a_customers_counts() {
        let counted = counts::wanted(&["agents".into()].into());
        let own = Own::of(&company("2"), &counted, account(ACCOUNT)).unwrap();
        let told = own.told(&counted, &company("1"), &serde_json::from_str(ORGANIZATION).unwrap()).unwrap();
        assert_eq!(told, [("agents", Some(Units::try_from(42).unwrap()))]);
    }

    #[test]
    fn seats_that_are_not_told_are_not_none() {
        for silent in [
            r#"{"account": {"id": 1}}"#,
            r#"{"account": {"id": 1, "neighborhood_watch": null}}"#,
            r#"{"account": {"id": 1, "neighborhood_watch": {"siem": 10}}}"#,
            r#"{"account": {"id": 1, "neighborhood_watch": {"edr": -1}}}"#,
        ] {
            assert_eq!(told(account(silent), &["agents"]).unwrap_err().code, "source_own_seats_untold", "{silent}");
        }
        let only_edr = r#"{"account": {"id": 1, "neighborhood_watch": {"edr": 10}}}"#;
        assert_eq!(told(account(only_edr), &["agents"]), Ok(vec![Some(32)]), "nobody asks for the others");
    }

    #[test]
    fn a_key_that_may_not_read_the_account_leaves_one_organization_out_and_a_wrong_one_all() {
        let refused = |status| Err(SourceError::of_status("Huntress", status, None));
        assert_eq!(told(refused(403), &["agents"]).unwrap_err().code, "source_own_seats_untold");
        let ended = Own::of(&company("1"), &[], refused(401)).unwrap_err();
        assert_eq!(ended.code, "source_credentials_rejected");
    }
}
