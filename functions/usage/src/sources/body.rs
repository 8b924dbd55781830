//! What a source is set up with, checked whole.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use shared::api::{Fault, Faults, Problem, parse, parse_fields, pointer, present, time_zone};
use shared::domain::ids::ProductKey;
use shared::domain::schedule::{self, Schedule};
use shared::sources::{Filter, Filters, Metric, SourceCredentials, Vendor};
use shared::store::sources::Setting;
use utoipa::ToSchema;

/// More metrics than any price list has; and a row that holds them stays small.
const MOST_METRICS: usize = 500;

/// A usage source.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SourceContent)]
pub(crate) struct Body {
    /// What lets us read: of Huntress `key` and `secret`, for example. Left out, those that are there stay; a source that is
    /// new needs them.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Object>, nullable = false, example = json!({"key": "…", "secret": "…"}))]
    credentials: Option<Value>,
    /// Which of the vendor's metrics are which of your products; at least one. Several metrics of one product are added.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = BTreeMap<String, String>, required = true, example = json!({"billable_agents": "edr"}))]
    products: Option<Value>,
    /// What is counted besides the usual, or is not counted. As usual where it is left out.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Filters>, nullable = false)]
    filters: Option<Value>,
    /// When it is pulled. Left out or null: every day, 90 minutes before the first of your syncs.
    #[serde(default)]
    #[schema(value_type = Option<schedule::Parts>)]
    schedule: Option<Value>,
    /// Whether it takes products over that have been counted by something else so far. The companies of those counts are other
    /// ones than those that the source knows: their mappings are to be removed, or each customer is billed twice.
    #[serde(default)]
    take_over: bool,
    /// IANA name of the time zone of the schedule.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, nullable = false, default = "UTC")]
    time_zone: Option<Value>,
}

/// What was checked.
pub(crate) struct Wanted {
    pub(crate) setting: Setting,
    pub(crate) credentials: Option<SourceCredentials>,
    pub(crate) takes_over: bool,
}

impl Body {
    /// Finds every fault at once. A source that `is_new` has to come with credentials.
    pub(crate) fn checked(self, vendor: Vendor, is_new: bool) -> Result<Wanted, Problem> {
        let mut faults = Faults::none();
        if is_new && self.credentials.is_none() {
            faults.add(Fault::new("/credentials", "is required for a source that is new"));
        }
        let credentials = self.credentials.map(|given| SourceCredentials::parse(vendor, "/credentials", given));
        let credentials = credentials.and_then(|parsed| faults.take_all(parsed));
        let mapped = self.products.ok_or_else(|| vec![Fault::new("/products", "is required")]);
        let products = faults.take_all(mapped.and_then(|given| products(vendor, given)));
        let filters =
            faults.take_all(self.filters.map_or_else(|| Ok(Filters::default()), |given| filters(vendor, given)));
        let schedule = self.schedule.map_or(Ok(None), |given| parse::<Option<Schedule>>("/schedule", given));
        let schedule = faults.take(schedule);
        let time_zone = faults.take(self.time_zone.map_or_else(|| Ok("UTC".to_owned()), time_zone));
        let (Some(products), Some(filters), Some(schedule), Some(time_zone)) = (products, filters, schedule, time_zone)
        else {
            return Err(faults.refused());
        };
        faults.refuse()?;
        let setting = Setting { products, filters, schedule, time_zone };
        Ok(Wanted { setting, credentials, takes_over: self.take_over })
    }
}

fn products(vendor: Vendor, given: Value) -> Result<BTreeMap<Metric, ProductKey>, Vec<Fault>> {
    let given = object("/products", given)?;
    if !(1..=MOST_METRICS).contains(&given.len()) {
        return Err(vec![Fault::new("/products", format!("must map 1 to {MOST_METRICS} metrics"))]);
    }
    let (mut products, mut faults) = (BTreeMap::new(), Vec::new());
    for (name, product) in given {
        let at = pointer("/products", &name);
        let metric = name.parse::<Metric>().ok().filter(|metric| vendor.counts(metric));
        if metric.is_none() {
            let counted = vendor.metrics().join(", ");
            faults.push(Fault::new(&at, format!("is not counted by {}, which counts {counted}", vendor.as_str())));
        }
        match (metric, parse(&at, product)) {
            (Some(metric), Ok(product)) => drop(products.insert(metric, product)),
            (None, Ok(_)) => {}
            (_, Err(fault)) => faults.push(fault),
        }
    }
    faults.extend(added_twice(vendor, &products));
    if faults.is_empty() { Ok(products) } else { Err(faults) }
}

/// Metrics of one product are added; of two that count the same that is twice too many.
fn added_twice(vendor: Vendor, products: &BTreeMap<Metric, ProductKey>) -> Vec<Fault> {
    let twin = |(place, (metric, product)): (usize, (&Metric, &ProductKey))| {
        let mut before = products.iter().take(place).filter(|(_, other)| *other == product);
        let (twin, _) = before.find(|(other, _)| vendor.overlap(metric, other))?;
        let detail = format!("counts some of what {twin} counts, and both are {product}: they would be added");
        Some(Fault::new(pointer("/products", metric.as_str()), detail))
    };
    products.iter().enumerate().filter_map(twin).collect()
}

fn filters(vendor: Vendor, given: Value) -> Result<Filters, Vec<Fault>> {
    let known: Vec<_> = vendor.filters().iter().copied().map(Filter::as_str).collect();
    let (theirs, others): (Map<_, _>, Map<_, _>) =
        object("/filters", given)?.into_iter().partition(|(name, _)| known.contains(&name.as_str()));
    let named = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let unknown = format!("is not known to {}, which knows {named}", vendor.as_str());
    let mut faults: Vec<_> = others.keys().map(|name| Fault::new(pointer("/filters", name), &*unknown)).collect();
    match parse_fields("/filters", theirs.into()) {
        Ok(filters) => match misnamed(vendor, &filters) {
            None if faults.is_empty() => return Ok(filters),
            misnamed => faults.extend(misnamed),
        },
        Err(found) => faults.extend(found),
    }
    Err(faults)
}

/// The partner itself is named as the vendor names it, for the vendor is asked about it.
fn misnamed(vendor: Vendor, filters: &Filters) -> Option<Fault> {
    let company = filters.nfr_company.as_ref()?;
    let raw = vendor.customer(company)?;
    Some(Fault::new("/filters/nfr_company", format!("is the vendor's own id: {raw}, and not {company}")))
}

fn object(pointer: &str, given: Value) -> Result<Map<String, Value>, Vec<Fault>> {
    match given {
        Value::Object(fields) => Ok(fields),
        _ => Err(vec![Fault::new(pointer, "must be an object")]),
    }
}
