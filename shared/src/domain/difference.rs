//! What is different between two things as people see them: only the fields that changed, as they were and as they are.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Fields by name, as JSON.
pub type Fields = Map<String, Value>;

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Difference {
    /// As it was; a field that was not there is left out.
    pub before: Fields,
    /// As it is; a field that is gone is left out.
    pub after: Fields,
}

impl Difference {
    /// Between two objects. Objects within them are compared field by field, everything else as a whole.
    #[must_use]
    pub fn between(before: &Fields, after: &Fields) -> Self {
        let mut found = Self::default();
        for (name, was) in before {
            match after.get(name) {
                Some(is) if is == was => {}
                Some(Value::Object(is)) if was.is_object() => {
                    let within = Self::between(was.as_object().unwrap_or(is), is);
                    found.before.insert(name.clone(), within.before.into());
                    found.after.insert(name.clone(), within.after.into());
                }
                Some(is) => {
                    found.before.insert(name.clone(), was.clone());
                    found.after.insert(name.clone(), is.clone());
                }
                None => {
                    found.before.insert(name.clone(), was.clone());
                }
            }
        }
        let new = after.iter().filter(|(name, _)| !before.contains_key(*name));
        found.after.extend(new.map(|(name, is)| (name.clone(), is.clone())));
        found
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// Names of the fields that changed, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.before.keys().chain(self.after.keys()).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_changed_is_told_field_by_field() {
        let object = |value: Value| value.as_object().cloned().unwrap();
        let before = object(json!({"a": 1, "gone": 2, "list": [1], "in": {"x": 1, "y": 1, "old": 0}, "null": null}));
        let after = object(json!({"a": 1, "new": 3, "list": [1, 2], "in": {"x": 2, "y": 1}, "null": {"z": 1}}));
        let found = Difference::between(&before, &after);
        let expected = json!({"gone": 2, "list": [1], "in": {"x": 1, "old": 0}, "null": null});
        assert_eq!(Value::from(found.before.clone()), expected);
        let expected = json!({"new": 3, "list": [1, 2], "in": {"x": 2}, "null": {"z": 1}});
        assert_eq!(Value::from(found.after.clone()), expected);
        assert_eq!(found.names(), ["gone", "in", "list", "new", "null"]);
        assert!(Difference::between(&before, &before).is_none());
    }
}
