//! Which metrics every customer has told: whoever has no row of one of these has none of it, so that nothing may be among them
//! of which one customer was silent.

use std::collections::BTreeSet;

use super::{Metric, Pulled, Row, SourceError};
use crate::domain::ids::CompanyId;
use crate::domain::units::Units;

/// What customers tell of some metrics, one after the other.
#[derive(Debug)]
pub struct Tally {
    /// Those that nobody has left out yet.
    whole: BTreeSet<Metric>,
}

impl Tally {
    /// Nobody has told anything yet.
    #[must_use]
    pub fn of<'m>(metrics: impl IntoIterator<Item = &'m str>) -> Self {
        Self { whole: metrics.into_iter().map(Metric::from).collect() }
    }

    /// Takes in how many of `metric` the customer has, or that the vendor does not say: that is not none.
    pub fn count(&mut self, pulled: &mut Pulled, company: &CompanyId, metric: &str, count: Option<Units>) {
        match count {
            Some(units) => pulled.rows.push(Row::of(company.clone(), metric, units)),
            None => {
                self.whole.remove(&Metric::from(metric));
            }
        }
    }

    /// Takes in an answer about the customer. Where it can't be read, that is noted and the others go on.
    ///
    /// # Errors
    /// Nor can the others be read.
    pub fn answer<'m>(
        &mut self,
        pulled: &mut Pulled,
        company: &CompanyId,
        counts: Result<impl IntoIterator<Item = (&'m str, Option<Units>)>, SourceError>,
    ) -> Result<(), SourceError> {
        match counts {
            Ok(counts) => {
                for (metric, count) in counts {
                    self.count(pulled, company, metric, count);
                }
                Ok(())
            }
            Err(error) => {
                self.whole.clear();
                pulled.leave_out(company, error)
            }
        }
    }

    /// Every customer was asked.
    pub fn end(self, pulled: &mut Pulled) {
        pulled.whole.extend(self.whole);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn company(id: &str) -> CompanyId {
        id.parse().unwrap()
    }

    fn units(count: i64) -> Option<Units> {
        Some(Units::try_from(count).unwrap())
    }

    fn refused(status: u16) -> SourceError {
        SourceError::of_status("The vendor", status, None)
    }

    #[test]
    fn a_metric_is_whole_when_nobody_was_silent_about_it() {
        let (mut tally, mut pulled) = (Tally::of(["seats", "devices"]), Pulled::default());
        tally.answer(&mut pulled, &company("7"), Ok([("seats", units(3)), ("devices", units(0))])).unwrap();
        tally.answer(&mut pulled, &company("8"), Ok([("seats", units(5)), ("devices", None)])).unwrap();
        tally.end(&mut pulled);
        let rows: Vec<_> =
            pulled.rows.iter().map(|row| format!("{} {} {}", row.company, row.metric, row.quantity)).collect();
        assert_eq!(rows, ["7 seats 3", "7 devices 0", "8 seats 5"], "zero is told, silence is not");
        assert_eq!(pulled.whole, ["seats".into()].into());
    }

    #[test]
    fn a_customer_that_can_not_be_read_is_noted_once_while_the_others_are() {
        let (mut tally, mut pulled) = (Tally::of(["seats", "devices"]), Pulled::default());
        for _ in ["seats", "devices"] {
            tally.answer(&mut pulled, &company("7"), Err::<[_; 0], _>(refused(403))).unwrap();
        }
        tally.answer(&mut pulled, &company("8"), Ok([("seats", units(5))])).unwrap();
        tally.end(&mut pulled);
        assert_eq!((pulled.rows.len(), pulled.whole.len()), (1, 0));
        assert_eq!(pulled.unread, [(company("7"), refused(403))]);
    }

    #[test]
    fn what_keeps_everyone_from_being_read_ends_it_and_nothing_is_whole() {
        let (mut tally, mut pulled) = (Tally::of(["seats"]), Pulled::default());
        tally.answer(&mut pulled, &company("7"), Ok([("seats", units(5))])).unwrap();
        let ended = tally.answer(&mut pulled, &company("8"), Err::<[_; 0], _>(refused(401)));
        assert_eq!(ended, Err(refused(401)));
        assert!(pulled.whole.is_empty() && pulled.unread.is_empty());
    }
}
