//! All records of a request, checked together: each one's faults, what occurs twice, and how many there may be.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use shared::api::{Fault, Problem};
use shared::domain::charge::{ChargeRecord, RecordKey};
use shared::domain::ids::{CompanyId, ProductKey, SnapshotId};
use shared::store::usage::{MAX_RECORDS, Record, Snapshot};

use crate::fields::{self, Pushed};

/// The most faults that one answer names.
const MAX_FAULTS: usize = 100;

/// Gathers records and the faults among them.
#[derive(Debug, Default)]
pub(crate) struct Check {
    records: Records,
    counted: HashMap<(CompanyId, ProductKey), String>,
    charged: HashMap<RecordKey, String>,
    faults: Vec<Fault>,
    found: usize,
}

/// Sound records.
#[derive(Debug, Default)]
pub(crate) struct Records {
    counts: Vec<Record>,
    charges: Vec<ChargeRecord>,
}

impl Records {
    /// All of them as a snapshot, or as a part of one.
    pub(crate) fn snapshot(self, id: SnapshotId, as_of: Timestamp, complete: bool) -> Snapshot {
        Snapshot::new(id, as_of, complete, self.counts).with_charges(self.charges)
    }
}

impl Check {
    /// One fault more; after a hundred they are only counted.
    pub(crate) fn fault(&mut self, fault: Fault) {
        self.found += 1;
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        }
    }

    /// A sound record. What stands at two places is a fault of the second; `place` is how to speak of this one.
    pub(crate) fn record(&mut self, pointer: String, place: String, record: Pushed) {
        let (first, same) = match &record {
            Pushed::Count(count) => (
                seen(&mut self.counted, (count.company.clone(), count.product.clone()), &place),
                "counts the same company and product as",
            ),
            Pushed::Charge(charge) => (
                seen(&mut self.charged, charge.key(), &place),
                "charges the same company, product and meter from the same day on as",
            ),
        };
        if let Some(first) = first {
            // Where the pointer says it, nothing has to say it again.
            let here = if place == pointer { String::new() } else { format!("{place}: ") };
            self.fault(Fault::new(pointer, format!("{here}{same} {first}")));
            return;
        }
        match record {
            Pushed::Count(count) => self.records.counts.push(count),
            Pushed::Charge(charge) => self.records.charges.push(charge),
        }
    }

    /// Every record, or every fault.
    pub(crate) fn finish(self) -> Result<Records, Problem> {
        if self.found > self.faults.len() {
            let detail =
                format!("The request is not valid in {} places; the first {MAX_FAULTS} are named.", self.found);
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", detail).faults(self.faults));
        }
        if self.faults.is_empty() { Ok(self.records) } else { Err(Problem::invalid(self.faults)) }
    }
}

/// The place at which `key` stood first, unless this is it.
fn seen<K: Eq + Hash>(places: &mut HashMap<K, String>, key: K, place: &str) -> Option<String> {
    match places.entry(key) {
        Entry::Occupied(first) => Some(first.get().clone()),
        Entry::Vacant(free) => {
            free.insert(place.to_owned());
            None
        }
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
pub(crate) fn json_records(records: Vec<Value>, faults: Vec<Fault>, now: Timestamp) -> Result<Records, Problem> {
    few_enough(records.len(), "/records")?;
    let mut check = Check::default();
    faults.into_iter().for_each(|fault| check.fault(fault));
    for (index, value) in records.into_iter().enumerate() {
        let pointer = format!("/records/{index}");
        match fields::record(&pointer, value, now) {
            Ok(record) => check.record(pointer.clone(), pointer, record),
            Err(faults) => faults.into_iter().for_each(|fault| check.fault(fault)),
        }
    }
    check.finish()
}
