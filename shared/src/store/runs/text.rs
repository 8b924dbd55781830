//! Lines of a page of results, kept as one text. As attributes of the row each field of each line would be read and written by
//! itself: a list of thousands of them takes several times as long.

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::line::LineResult;

/// As rows have them. Those of earlier versions are read as well.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept<T> {
    Text(String),
    Attributes(Vec<T>),
}

/// Lines on their way into a row.
pub(super) struct AsText<'a>(pub &'a [LineResult]);

impl Serialize for AsText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self.0, serializer)
    }
}

pub(super) fn serialize<S: Serializer>(lines: &[LineResult], serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::to_string(lines).map_err(S::Error::custom)?.serialize(serializer)
}

/// As lines of which `T` takes what it looks at.
pub(super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    match Kept::deserialize(deserializer)? {
        Kept::Text(text) => serde_json::from_str(&text).map_err(D::Error::custom),
        Kept::Attributes(lines) => Ok(lines),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::store::runs::ResultPage;

    #[test]
    fn lines_are_one_text_and_those_of_earlier_versions_are_still_read() {
        let line = json!({
            "line_id": "1:2", "company": "acme", "company_name": "Acme", "product": "edr", "account_id": "3", "contract_id": "1",
            "service_id": "2", "before": 1, "target": 2, "after": null, "effective_date": null, "status": "held",
            "code": "fall_guard", "explanation": "", "fix": "", "feeds": [],
        });
        let earlier: ResultPage = serde_json::from_value(json!({ "done": true, "lines": [line] })).unwrap();
        let row = serde_json::to_value(&earlier).unwrap();
        assert!(row["lines"].is_string(), "{row}");
        assert_eq!(serde_json::from_value::<ResultPage>(row).unwrap(), earlier);
        assert_eq!(earlier.lines[0].company_name, "Acme");
    }
}
