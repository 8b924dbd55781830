//! Changes to a policy: each part may be sent alone and at any depth; what is not sent stays as it is.

use serde_json::Value;
use shared::api::{Fault, MOST_FAULTS, parse};
use shared::domain::policy::Policy;

const POINTER: &str = "/policy";

/// `stored` with what `change` names changed.
///
/// # Errors
/// Every part of `change` that is wrong.
pub(crate) fn merged(stored: &Policy, change: &Value) -> Result<Policy, Vec<Fault>> {
    let Ok(stored) = serde_json::to_value(stored) else {
        return Err(vec![Fault::new(POINTER, "can't be changed")]);
    };
    if !change.is_object() {
        return Err(vec![Fault::new(POINTER, "must be an object")]);
    }
    let mut whole = stored.clone();
    lay_over(&mut whole, change);
    parse::<Policy>(POINTER, whole).map_err(|first| {
        // Each part alone, so that all faults are told and not just the first.
        let alone = |part: &Value| {
            let mut one = stored.clone();
            lay_over(&mut one, part);
            parse::<Policy>(POINTER, one).err()
        };
        let faults: Vec<_> = parts(change).filter_map(|part| alone(&part)).take(MOST_FAULTS).collect();
        if faults.is_empty() { vec![first] } else { faults }
    })
}

/// Whether `change` says all of what stands at `path` of a policy anew. What this version does not know there can't be sent:
/// it counts as said anew with everything else of the object that it stands in.
pub(crate) fn says_anew(change: &Value, path: &[String]) -> bool {
    let Ok(known) = serde_json::to_value(Policy::default()) else { return false };
    let at =
        |value: &Value, path: &[String]| path.iter().try_fold(value.clone(), |place, name| place.get(name).cloned());
    match (at(&known, path), path.split_last()) {
        (Some(known), _) => at(change, path).is_some_and(|said| covers(&said, &known)),
        (None, Some((_, object))) => at(&known, object)
            .zip(at(change, object))
            .is_some_and(|(known, said)| known.is_object() && covers(&said, &known)),
        (None, None) => false,
    }
}

/// Whether `said` has a word on everything that `known` has.
fn covers(said: &Value, known: &Value) -> bool {
    match (said, known) {
        (Value::Object(said), Value::Object(known)) => {
            known.iter().all(|(name, known)| said.get(name).is_some_and(|said| covers(said, known)))
        }
        _ => true,
    }
}

fn lay_over(stored: &mut Value, change: &Value) {
    match (stored, change) {
        (Value::Object(stored), Value::Object(change)) => {
            for (name, change) in change {
                lay_over(stored.entry(name.clone()).or_insert(Value::Null), change);
            }
        }
        (stored, change) => *stored = change.clone(),
    }
}

/// Every leaf of a change, each in the objects that it stands in.
fn parts(change: &Value) -> Box<dyn Iterator<Item = Value> + '_> {
    match change {
        Value::Object(fields) if !fields.is_empty() => Box::new(fields.iter().flat_map(|(name, inner)| {
            parts(inner).map(move |part| Value::Object([(name.clone(), part)].into_iter().collect()))
        })),
        leaf => Box::new(std::iter::once(leaf.clone())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::domain::policy::{Drift, EffectiveDate};

    use super::*;

    #[test]
    fn a_part_sent_alone_leaves_the_others() {
        let first = merged(&Policy::default(), &json!({"guards": {"fall_units": 9}, "drift": "overwrite"})).unwrap();
        let second = merged(&first, &json!({"effective_date": {"falls": "next_period_start"}})).unwrap();
        assert_eq!((second.guards.fall_units, second.guards.rise_units), (9, 20));
        assert_eq!(second.drift, Drift::Overwrite);
        assert_eq!(second.effective_date.falls, EffectiveDate::NextPeriodStart);
        assert_eq!(second.effective_date.rises, EffectiveDate::PeriodStart);
        assert_eq!(merged(&second, &json!({})).unwrap(), second);
    }

    #[test]
    fn a_part_is_said_anew_where_all_of_it_is_said_and_not_where_its_sibling_is() {
        let says = |change: serde_json::Value, path: &str| {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            says_anew(&change, &path)
        };
        assert!(says(json!({"drift": "hold"}), "drift"));
        assert!(!says(json!({"shadow": true}), "drift"));
        assert!(says(json!({"effective_date": {"rises": "today"}}), "effective_date.rises"));
        assert!(!says(json!({"effective_date": {"falls": "today"}}), "effective_date.rises"));
        assert!(!says(json!({"effective_date": {}}), "effective_date.rises"));
        assert!(!says(json!({"effective_date": {"falls": "today"}}), "effective_date"));
        assert!(says(json!({"effective_date": {"falls": "today", "rises": "today"}}), "effective_date"));
        let mut guards = serde_json::to_value(shared::domain::policy::Guards::default()).unwrap();
        assert!(says(json!({ "guards": guards.clone() }), "guards.of_a_newer_version"));
        guards.as_object_mut().unwrap().remove("fall_percent");
        assert!(!says(json!({ "guards": guards }), "guards.of_a_newer_version"));
        assert!(!says(json!({"guards": {"fall_percent": 1}}), "of_a_newer_version"));
    }

    #[test]
    fn every_wrong_part_is_named() {
        let change = json!({
            "effective_date": {"rises": "yesterday", "sideways": "today"},
            "guards": {"fall_percent": -1, "rise_units": 1.5, "fall_units": null},
            "budget_percent": 101,
            "shadow": "yes",
            "drift": {"hold": true},
            "provision_services": true,
        });
        let faults = merged(&Policy::default(), &change).unwrap_err();
        let mut pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        pointers.sort_unstable();
        assert_eq!(
            pointers,
            [
                "/policy/budget_percent",
                "/policy/drift",
                "/policy/effective_date/rises",
                "/policy/effective_date/sideways",
                "/policy/guards/fall_percent",
                "/policy/guards/fall_units",
                "/policy/guards/rise_units",
                "/policy/shadow"
            ]
        );
        for not_an_object in [json!(null), json!([]), json!("hold")] {
            assert_eq!(merged(&Policy::default(), &not_an_object).unwrap_err()[0].pointer, "/policy");
        }
    }
}
