//! What contradicts itself in a mapping, told before the PSA is asked.

use shared::api::Fault;
use shared::domain::rule::Rule;

/// The contradictions of a rule at `pointer`.
pub(crate) fn faults(pointer: &str, rule: &Rule) -> Vec<Fault> {
    pointed(pointer, rule.contradictions())
}

/// Fields with what is wrong about them, as faults below `pointer`.
pub(crate) fn pointed(pointer: &str, found: Vec<(&'static str, &'static str)>) -> Vec<Fault> {
    found.into_iter().map(|(field, detail)| Fault::new(format!("{pointer}/{field}"), detail)).collect()
}
