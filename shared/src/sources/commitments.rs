//! What several subscriptions to one thing bind together, whatever is counted: the floor below which no count leads.

use jiff::civil::Date;

use crate::domain::units::Units;

/// The longest term that is sold is three years. What ends later has no term: Microsoft gives it an end far away (unconfirmed).
const MOST_YEARS: i16 = 4;

/// All that is owed today, until the first of them ends: what stays owed beyond that day the next pull tells. Each of `bound`
/// is owed until its day, that day included.
pub(super) fn together(bound: impl IntoIterator<Item = (Units, Date)>, today: Date) -> Option<(Units, Date)> {
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
    fn the_last_day_is_still_owed_and_nothing_is_after_it() {
        let bound = [(units(25), date(2027, 1, 9))];
        assert_eq!(together(bound, date(2027, 1, 9)), Some(bound[0]));
        assert_eq!(together(bound, date(2027, 1, 10)), None);
        assert_eq!(together([], date(2027, 1, 9)), None);
    }
}
