//! Rows that a newer version has stored: what this one may read all the same, and what it must not act on.
//!
//! What is sent in is read strictly. Of a stored row this much is tolerated, so that going back to an earlier version takes
//! down no list: a field that this version does not know beside those that it knows; and in parts that a row names as
//! [`Tolerant`], a field or a word that it does not understand. Such a part is set aside, as it stands, in [`Newer`]: it is
//! written back untouched, shown to whoever reads the row, and whatever money depends on it refuses until a version that
//! knows it is there, or a person says it anew. **So a field that changes what is written belongs into such a part, and is
//! not stored while it has its usual value.** Everything else (a row's ids, its state) refuses the row alone, by name.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

/// So many parts are set aside at most: a row is no longer the one that this version knows.
const MOST_PARTS: usize = 100;

/// A row that can't be read, and where it can't.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UnreadableRow {
    /// The row among those of its list: `COMPANY#acme`.
    pub row: String,
    /// The field, with dots; empty for the row as a whole.
    pub field: String,
    /// Why.
    pub why: String,
}

impl fmt::Display for UnreadableRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, field, why } = self;
        let field = if field.is_empty() { String::new() } else { format!(", field {field}") };
        write!(f, "row {row}{field}: {why}")
    }
}

/// The parts of a row that this version does not understand, as they stand in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newer(BTreeMap<Vec<String>, Value>);

/// A row of which some parts may be of a newer version.
pub(super) trait Tolerant {
    /// Whether what stands at `path` may be set aside, and what stands there meanwhile, where something must.
    fn stand_in(path: &[&str]) -> Option<StandIn>;

    /// Puts what was set aside beside the rest.
    #[must_use]
    fn beside(self, newer: Newer) -> Self;

    /// What was set aside.
    fn newer(&self) -> &Newer;
}

/// What stands in the place of a part that was set aside, until the row is written.
pub(super) enum StandIn {
    /// Nothing: its usual value counts.
    Nothing,
    /// This.
    Value(Value),
}

impl Newer {
    /// Whether every part is understood.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the parts, with dots.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.keys().map(|path| path.join(".")).collect()
    }

    /// Those whose names don't begin with `part`.
    pub(crate) fn without(&self, part: &str) -> impl Iterator<Item = String> {
        self.0.keys().filter(move |path| path.first().is_none_or(|first| first != part)).map(|path| path.join("."))
    }

    /// A person has said the part at `path` anew.
    pub fn forget(&mut self, path: &[&str]) {
        self.forget_where(|at| at.len() >= path.len() && at.iter().zip(path).all(|(one, other)| one == other));
    }

    /// A person has said the parts anew of which `said` holds, by the names that lead to them.
    pub fn forget_where(&mut self, said: impl Fn(&[String]) -> bool) {
        self.0.retain(|at, _| !said(at));
    }

    fn lay_over(&self, row: &mut Value) {
        for (path, part) in &self.0 {
            let mut place = &mut *row;
            for name in path {
                if !place.is_object() {
                    *place = Value::Object(serde_json::Map::new());
                }
                place = &mut place[name.as_str()];
            }
            *place = part.clone();
        }
    }
}

/// Reads a row with `read`, which is strict, and sets aside what it may.
pub(super) fn read<'de, T, D>(from: D, read: fn(&Value) -> Result<T, Where>) -> Result<T, D::Error>
where
    T: Tolerant,
    D: Deserializer<'de>,
{
    let mut row = Value::deserialize(from)?;
    let mut newer = Newer::default();
    while newer.0.len() <= MOST_PARTS {
        let Where { path, why } = match read(&row) {
            Ok(sound) => return Ok(sound.beside(newer)),
            Err(at) => at,
        };
        // The innermost part that may go, goes: the more of the row is left, the more can be told of it.
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        let set_aside = (1..=parts.len()).rev().find_map(|length| {
            let part = parts.get(..length)?;
            let stand_in = T::stand_in(part)?;
            Some((part.iter().map(|name| (*name).to_owned()).collect(), take(&mut row, part, stand_in)?))
        });
        // A part whose stand-in is no better is not taken twice.
        match set_aside {
            Some((at, part)) if !newer.0.contains_key::<Vec<String>>(&at) => drop(newer.0.insert(at, part)),
            _ => return Err(D::Error::custom(Where { path, why })),
        }
    }
    Err(D::Error::custom("too much of it is of another version"))
}

/// Writes `row` with `write`, and what was set aside back into its place.
pub(super) fn write<T: Tolerant, S: Serializer>(
    row: &T,
    write: impl FnOnce(&T) -> Result<Value, serde_json::Error>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let mut value = write(row).map_err(serde::ser::Error::custom)?;
    row.newer().lay_over(&mut value);
    value.serialize(to)
}

fn take(row: &mut Value, path: &[&str], stand_in: StandIn) -> Option<Value> {
    let (last, parents) = path.split_last()?;
    let parent = parents.iter().try_fold(row, |place, name| place.get_mut(name))?.as_object_mut()?;
    match stand_in {
        StandIn::Nothing => parent.remove(*last),
        StandIn::Value(value) => parent.insert((*last).to_owned(), value),
    }
}

/// Where in a row the first thing stands that can't be read, and why.
pub(super) struct Where {
    path: Vec<String>,
    why: String,
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SEPARATOR}{}", self.path.join("."), self.why)
    }
}

/// The rows of a list that can be read, and those that can't, each in their order.
pub(super) fn apart<T>(rows: Vec<(String, Result<T, UnreadableRow>)>) -> (Vec<T>, Vec<UnreadableRow>) {
    let (mut items, mut unreadable) = (Vec::new(), Vec::new());
    for (_, row) in rows {
        match row {
            Ok(item) => items.push(item),
            Err(row) => unreadable.push(row),
        }
    }
    (items, unreadable)
}

/// Between the path and the reason in the error of a row that is read in two steps.
const SEPARATOR: &str = ": \u{1}";

/// Reads a value strictly, by `strict`.
pub(super) fn strictly<'a, T>(
    row: &'a Value,
    strict: impl FnOnce(serde_path_to_error::Deserializer<'_, '_, &'a Value>) -> Result<T, serde_json::Error>,
) -> Result<T, Where> {
    let mut track = serde_path_to_error::Track::new();
    let read = strict(serde_path_to_error::Deserializer::new(row, &mut track));
    read.map_err(|error| Where { path: names(&track.path(), &error.to_string()), why: error.to_string() })
}

/// What can't be read of the row `named`.
pub(super) fn unreadable<E: fmt::Display>(named: &str, error: &serde_path_to_error::Error<E>) -> UnreadableRow {
    let message = error.inner().to_string();
    let (field, why) = match message.split_once(SEPARATOR) {
        Some((field, why)) => (field.to_owned(), why.to_owned()),
        None => (names(error.path(), &message).join("."), message),
    };
    UnreadableRow { row: named.to_owned(), field, why }
}

/// The names on a path. serde tells a field that it does not know, and one that it lacks, in its message only.
fn names(path: &Path, message: &str) -> Vec<String> {
    let mut names: Vec<String> = path
        .iter()
        .filter_map(|segment| match segment {
            Segment::Map { key } => Some(key.clone()),
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect();
    let quoted = |opening: &str| message.strip_prefix(opening)?.split('`').next();
    if let Some(field) = quoted("unknown field `").filter(|field| names.last().is_none_or(|last| last != field)) {
        names.push(field.to_owned());
    }
    names
}

/// Has a row, which derives its traits with `remote = "Self"`, read and written with what this version does not understand
/// of it set aside in its field `newer`.
macro_rules! tolerant {
    ($row:ty, $stand_in:expr) => {
        impl crate::store::newer::Tolerant for $row {
            fn stand_in(path: &[&str]) -> Option<crate::store::newer::StandIn> {
                $stand_in(path)
            }

            fn beside(self, newer: crate::store::newer::Newer) -> Self {
                Self { newer, ..self }
            }

            fn newer(&self) -> &crate::store::newer::Newer {
                &self.newer
            }
        }

        impl<'de> serde::Deserialize<'de> for $row {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                // The derived functions are the type's own, and come before those of the traits.
                crate::store::newer::read(from, |row| {
                    crate::store::newer::strictly(row, |row| <$row>::deserialize(row))
                })
            }
        }

        impl serde::Serialize for $row {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                if self.newer.is_empty() {
                    return <$row>::serialize(self, to);
                }
                crate::store::newer::write(self, |row| <$row>::serialize(row, serde_json::value::Serializer), to)
            }
        }
    };
}
pub(super) use tolerant;
