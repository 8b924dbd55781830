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
