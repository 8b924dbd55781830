//! What several subscriptions to one thing bind together, whatever is counted: the floor below which no count leads.

use jiff::civil::Date;

use crate::domain::units::Units;

/// The longest term that is sold is three years. What ends later has no term: Microsoft gives it an end far away (unconfirmed).
const MOST_YEARS: i16 = 4;

/// All that is owed today, until the first of them ends: what stays owed beyond that day the next pull tells. Each of `bound`
/// is owed until its day, that day included.
fn together(bound: impl IntoIterator<Item = (Units, Date)>, today: Date) -> Option<(Units, Date)> {
    let mut owed: Option<(Units, Date)> = None;
    for (units, end) in bound {
        if end < today || end.year() - today.year() > MOST_YEARS {
            continue;
        }
        owed = Some(match owed {
            Some((sum, first)) => (units.checked_add(sum)?, end.min(first)),
            None => (units, end),
        });
    }
    owed
}

/// The floor of `counted` units: what binds those of them that have a term, and on top of all of them what is owed besides,
/// though it is not counted.
pub(super) fn floor(
    counted: Units,
    terms: Vec<(Units, Date)>,
    besides: Vec<(Units, Date)>,
    today: Date,
) -> Option<(Units, Date)> {
    let all = together(terms.into_iter().chain(besides.iter().copied()), today)?;
    let besides = together(besides, today).and_then(|(units, _)| counted.checked_add(units));
    Some((all.0.max(besides.unwrap_or(all.0)), all.1))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn units(count: i64) -> Units {
        count.try_into().unwrap()
    }

    #[test]
    fn all_that_is_owed_today_is_owed_until_the_first_end() {
        let bound = [
            (units(25), date(2027, 1, 9)),
            (units(5), date(2026, 12, 1)),
            (units(100), date(2026, 11, 22)),
            (units(7), date(9999, 12, 31)),
        ];
        assert_eq!(together(bound, date(2026, 11, 23)), Some((units(30), date(2026, 12, 1))));
    }

    #[test]
    fn what_is_owed_besides_comes_on_top_of_what_is_counted() {
        let suspended = || vec![(units(25), date(2027, 1, 9))];
        let floor = |terms, besides| floor(units(10), terms, besides, date(2026, 11, 23));
        assert_eq!(floor(Vec::new(), suspended()), Some((units(35), date(2027, 1, 9))));
        assert_eq!(floor(suspended(), Vec::new()), Some((units(25), date(2027, 1, 9))), "counted, and bound");
        assert_eq!(floor(Vec::new(), Vec::new()), None);
    }

    #[test]
    fn the_last_day_is_still_owed_and_nothing_is_after_it() {
        let bound = [(units(25), date(2027, 1, 9))];
        assert_eq!(together(bound, date(2027, 1, 9)), Some(bound[0]));
        assert_eq!(together(bound, date(2027, 1, 10)), None);
        assert_eq!(together([], date(2027, 1, 9)), None);
    }
}
