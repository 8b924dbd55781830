//! Answers that are no row: pages of them, what may be done with an entity, and the hour's requests.

use serde::Deserialize;
use serde_json::Value;

use super::loose::Loose;

/// A page of rows.
#[derive(Debug, Deserialize)]
pub(in crate::psa::autotask) struct Page<R> {
    /// The rows, by id.
    pub(in crate::psa::autotask) items: Vec<R>,
    /// What Autotask says about the page.
    #[serde(default, rename = "pageDetails")]
    details: Option<serde_json::Map<String, Value>>,
}

impl<R> Page<R> {
    /// Whether rows may follow, where up to `asked` rows were asked for.
    ///
    /// `nextPageUrl` is believed in both directions: null ends the walk although the page is full (and saves a request),
    /// and an address carries it on although the page is short. Without it, a short page is the last.
    pub(in crate::psa::autotask) fn may_go_on(&self, asked: usize) -> bool {
        match self.details.as_ref().and_then(|details| details.get("nextPageUrl")) {
            _ if self.items.is_empty() => false,
            Some(Value::String(_)) => true,
            Some(Value::Null) => false,
            _ => self.items.len() >= asked,
        }
    }
}

/// The answer of `entityInformation`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::psa::autotask) struct EntityInformation {
    pub(in crate::psa::autotask) info: Abilities,
}

/// What may be done with an entity: at all, and by this user.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::psa::autotask) struct Abilities {
    pub(in crate::psa::autotask) can_create: Loose,
    /// 0 or "None", 1 or "All", 2 or "Restricted".
    pub(in crate::psa::autotask) user_access_for_create: Loose,
}

impl Abilities {
    /// Whether it is said that this user may create none.
    pub(in crate::psa::autotask) fn deny_creation(&self) -> bool {
        let access = self.user_access_for_create.text().unwrap_or_default();
        self.can_create.flag() == Some(false) || access == "0" || access.eq_ignore_ascii_case("none")
    }
}

/// The answer of `entityInformation/fields`, as far as we look at it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::psa::autotask) struct Fields {
    fields: Vec<Field>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Field {
    name: Loose,
    is_required: Loose,
    picklist_parent_value_field: Loose,
    picklist_values: Option<Vec<Pick>>,
}

/// One value of a picklist. Its number is a text on the wire.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::psa::autotask) struct Pick {
    pub(in crate::psa::autotask) value: Loose,
    pub(in crate::psa::autotask) label: Loose,
    pub(in crate::psa::autotask) is_default_value: Loose,
    pub(in crate::psa::autotask) is_active: Loose,
    /// The value of the field that this one depends on, of which alone it can be chosen.
    pub(in crate::psa::autotask) parent_value: Loose,
}

impl Fields {
    /// The picklist of a field; empty where there is none.
    pub(in crate::psa::autotask) fn picklist(&self, name: &str) -> &[Pick] {
        self.named(name).and_then(|field| field.picklist_values.as_deref()).unwrap_or_default()
    }

    /// Whether no row is taken without a field.
    pub(in crate::psa::autotask) fn requires(&self, name: &str) -> bool {
        self.named(name).is_some_and(|field| field.is_required.flag() == Some(true))
    }

    /// The field on whose value it depends which values of `name` can be chosen.
    pub(in crate::psa::autotask) fn parent(&self, name: &str) -> Option<String> {
        self.named(name)?.picklist_parent_value_field.text()
    }

    fn named(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.text().is_some_and(|found| found.eq_ignore_ascii_case(name)))
    }
}

/// The answer of `ThresholdInformation`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::psa::autotask) struct Threshold {
    pub(in crate::psa::autotask) external_request_threshold: Loose,
    pub(in crate::psa::autotask) request_threshold_timeframe: Loose,
    pub(in crate::psa::autotask) current_timeframe_request_count: Loose,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::AnyRow;
    use super::*;

    #[test]
    fn a_walk_ends_where_autotask_says_so_or_where_a_page_is_short() {
        let page = |rows: usize, details: Value| {
            let items = vec![json!({}); rows];
            serde_json::from_value::<Page<AnyRow>>(json!({"items": items, "pageDetails": details}))
                .unwrap()
                .may_go_on(2)
        };
        assert!(page(2, json!({"nextPageUrl": "https://…"})) && page(1, json!({"nextPageUrl": "https://…"})));
        assert!(page(2, json!({})) && page(2, json!(null)));
        assert!(!page(2, json!({"nextPageUrl": null})) && !page(1, json!({})) && !page(1, json!(null)));
        assert!(!page(0, json!({"nextPageUrl": "https://…"})));
    }

    #[test]
    fn creation_is_denied_only_where_it_is_said() {
        let denied = |info: Value| {
            serde_json::from_value::<EntityInformation>(json!({"info": info})).unwrap().info.deny_creation()
        };
        assert!(denied(json!({"canCreate": false})) && denied(json!({"canCreate": true, "userAccessForCreate": 0})));
        assert!(denied(json!({"userAccessForCreate": "None"})));
        assert!(!denied(json!({"canCreate": true, "userAccessForCreate": 1})) && !denied(json!({})));
        assert!(!denied(json!({"canCreate": true, "userAccessForCreate": "All"})));
    }
}
