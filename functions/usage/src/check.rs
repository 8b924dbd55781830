//! All records of a request, checked together: each one's faults, pairs that occur twice, and how many there may be.

use std::collections::HashMap;

use axum::http::StatusCode;
use serde_json::Value;
use shared::api::{Fault, Problem};
use shared::domain::ids::{CompanyId, ProductKey};
use shared::store::usage::{MAX_RECORDS, Record};

use crate::fields;

/// The most faults that one answer names.
const MAX_FAULTS: usize = 100;

/// Gathers records and the faults among them.
#[derive(Debug, Default)]
pub(crate) struct Check {
    records: Vec<Record>,
    seen: HashMap<(CompanyId, ProductKey), String>,
    faults: Vec<Fault>,
    found: usize,
}

impl Check {
    /// One fault more; after a hundred they are only counted.
    pub(crate) fn fault(&mut self, fault: Fault) {
        self.found += 1;
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        }
    }

    /// A sound record. A pair that stands at two places is a fault of the second; `place` is how to speak of this one.
    pub(crate) fn record(&mut self, pointer: String, place: String, record: Record) {
        let pair = (record.company.clone(), record.product.clone());
        if let Some(first) = self.seen.get(&pair) {
            // Where the pointer says it, nothing has to say it again.
            let here = if place == pointer { String::new() } else { format!("{place}: ") };
            let detail = format!("{here}counts the same company and product as {first}");
            self.fault(Fault::new(pointer, detail));
        } else {
            self.seen.insert(pair, place);
            self.records.push(record);
        }
    }

    /// Every record, or every fault.
    pub(crate) fn finish(self) -> Result<Vec<Record>, Problem> {
        if self.found > self.faults.len() {
            let detail =
                format!("The request is not valid in {} places; the first {MAX_FAULTS} are named.", self.found);
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", detail).faults(self.faults));
        }
        if self.faults.is_empty() { Ok(self.records) } else { Err(Problem::invalid(self.faults)) }
    }
}

/// 422 for more records than one request carries.
pub(crate) fn few_enough(number: usize, pointer: &str) -> Result<(), Problem> {
    if number <= MAX_RECORDS {
        return Ok(());
    }
    let detail = format!("A request carries at most {MAX_RECORDS} records; this one has {number}.");
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "too_many_records", detail)
        .fix("Send the snapshot in parts and seal it.")
        .faults(vec![Fault::new(pointer, format!("must have at most {MAX_RECORDS} entries"))]))
}

/// The records of a JSON body, with `faults` already found beside them.
pub(crate) fn json_records(records: Vec<Value>, faults: Vec<Fault>) -> Result<Vec<Record>, Problem> {
    few_enough(records.len(), "/records")?;
    let mut check = Check::default();
    faults.into_iter().for_each(|fault| check.fault(fault));
    for (index, value) in records.into_iter().enumerate() {
        let pointer = format!("/records/{index}");
        match fields::record(&pointer, value) {
            Ok(record) => check.record(pointer.clone(), pointer, record),
            Err(faults) => faults.into_iter().for_each(|fault| check.fault(fault)),
        }
    }
    check.finish()
}
