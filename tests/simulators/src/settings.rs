//! What a control surface reads and shows as JSON.
//!
//! Owns the laying of a few sent members over present settings, so that one can be changed alone. Which settings there are is
//! each simulator's.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// `present` with the members of a JSON object in place of its own. An unknown member is an error.
pub(crate) fn overlaid<T: Serialize + DeserializeOwned>(present: &T, body: &[u8]) -> Result<T, String> {
    let changes: serde_json::Map<String, Value> = read(body)?;
    let mut value = shown(present)?;
    if let Some(members) = value.as_object_mut() {
        // A type with flattened members would pass over those that it does not know.
        if let Some(unknown) = changes.keys().find(|name| !members.contains_key(*name)) {
            return Err(format!("there is no {unknown}"));
        }
        members.extend(changes);
    }
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// A JSON body as a value.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// A value as JSON.
pub(crate) fn shown<T: Serialize + ?Sized>(value: &T) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|error| error.to_string())
}
