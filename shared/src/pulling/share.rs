//! Which customers a step of a pull is about: one share after the other, in the order of their ids, until all had their turn.

use std::collections::BTreeSet;

use crate::domain::ids::CompanyId;

/// Which customers a step is about.
pub(super) struct Share {
    /// Whose details are read.
    pub(super) companies: BTreeSet<CompanyId>,
    /// Those after this one; all from the first where it is `None`.
    after: Option<CompanyId>,
    /// And up to this one; all to the last where it is `None`.
    pub(super) up_to: Option<CompanyId>,
}

impl Share {
    /// Of `wanted`, in the order of their ids, the next ones after those that are done.
    pub(super) fn next(wanted: &BTreeSet<CompanyId>, after: Option<CompanyId>, most: usize) -> Self {
        let left = wanted.iter().filter(|company| after.as_ref().is_none_or(|after| *company > after));
        let companies: BTreeSet<CompanyId> = left.clone().take(most).cloned().collect();
        let up_to = if left.count() > most { companies.last().cloned() } else { None };
        Self { companies, after, up_to }
    }

    pub(super) fn has(&self, company: &CompanyId) -> bool {
        self.after.as_ref().is_none_or(|after| company > after)
            && self.up_to.as_ref().is_none_or(|up_to| company <= up_to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> BTreeSet<CompanyId> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn steps_share_all_customers_between_them_and_each_is_in_one() {
        let wanted = ids(&["b", "d", "f", "h", "j"]);
        let (mut after, mut shares) = (None, Vec::new());
        loop {
            let share = Share::next(&wanted, after.clone(), 2);
            after.clone_from(&share.up_to);
            shares.push(share);
            if after.is_none() {
                break;
            }
        }
        let companies: Vec<_> = shares.iter().map(|share| share.companies.clone()).collect();
        assert_eq!(companies, [ids(&["b", "d"]), ids(&["f", "h"]), ids(&["j"])]);
        for company in ["a", "b", "c", "d", "e", "f", "h", "i", "j", "k"] {
            let company = company.parse().unwrap();
            assert_eq!(shares.iter().filter(|share| share.has(&company)).count(), 1, "{company}");
        }
    }

    #[test]
    fn where_nobody_is_asked_one_by_one_there_is_one_step() {
        let share = Share::next(&BTreeSet::new(), None, 2);
        assert!(share.up_to.is_none() && share.has(&"a".parse().unwrap()));
    }
}
