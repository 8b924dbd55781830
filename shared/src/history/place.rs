//! Places in a history, by which pages are cut. A later thing has a greater place.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::store::journal::{ACTS, SENT};

/// Where an entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// When, in nanoseconds since 1970.
    pub(super) at: i128,
    /// At one instant, changes of lines follow on what people did: mostly they come of it.
    pub(super) is_change: bool,
    /// Sort key of the row.
    pub(super) key: String,
    /// Which of the row's entries. The first is the newest.
    pub(super) index: u32,
}

impl Place {
    /// That of the last entry that could be in the same row.
    pub(super) fn end_of_row(self) -> Self {
        Self { index: u32::MAX, ..self }
    }

    /// The sort key to begin after, backwards: a row that is not done with is read again.
    pub(super) fn begin_after(&self) -> String {
        // `~` sorts after all that a key consists of.
        if self.index == u32::MAX { self.key.clone() } else { format!("{}~", self.key) }
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let row = |place: &Self| (place.at, place.is_change);
        let rows = row(self).cmp(&row(other)).then_with(|| self.key.cmp(&other.key));
        rows.then_with(|| other.index.cmp(&self.index))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, is_change, key, index } = self;
        write!(f, "@{at}|{}|{index}|{key}", u8::from(*is_change))
    }
}

/// A text that names no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("names no place in a history")]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;
    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let mut parts = text.splitn(4, '|');
        let mut next = || parts.next().ok_or(NoPlace);
        // A place without `@` is of an earlier version, which counted seconds.
        let at = next()?.strip_prefix('@').ok_or(NoPlace)?.parse().map_err(|_| NoPlace)?;
        let is_change = next()? == "1";
        let index = next()?.parse().map_err(|_| NoPlace)?;
        let key = next()?.to_owned();
        // The store refuses to begin outside of what is asked for.
        let known = if is_change { key.starts_with(SENT) || key.starts_with("INTENT#") } else { key.starts_with(ACTS) };
        if known { Ok(Self { at, is_change, key, index }) } else { Err(NoPlace) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_sort_as_things_follow_on_each_other_and_survive_being_written_down() {
        let place = |at, key: &str, index| Place { at, is_change: key.starts_with('S'), key: key.into(), index };
        let rising = [
            place(1, "SENT#9", 0),
            place(2, "ACT#1", 1),
            place(2, "ACT#1", 0),
            place(2, "ACT#2|x", 0),
            place(2, "SENT#1", 3),
            place(2, "SENT#1", 0),
            place(3, "ACT#0", 7),
        ];
        assert!(rising.is_sorted_by(|one, other| one < other));
        for place in rising {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for bad in ["", "@1|0|0", "@x|0|0|ACT#1", "1|0|0|ACT#1", "@1|0|0|CONN#1", "@1|1|0|ACT#1", "@1|0|x|ACT#1"] {
            assert_eq!(bad.parse::<Place>(), Err(NoPlace), "{bad}");
        }
    }
}
