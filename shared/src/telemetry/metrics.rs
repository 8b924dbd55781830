//! Metrics as log lines that CloudWatch turns into figures.
//!
//! Source of the format: "Specification: Embedded metric format", CloudWatch user guide. A line names its metrics under
//! `_aws`; every other member can be searched in the log and costs nothing. The only dimension is the function: partners and
//! runs as dimensions would be billed one by one.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::clock::Clock;
use crate::domain::ids::{ConnectionId, PartnerId};
use crate::store::runs::{Run, RunState};

/// Namespace of every metric.
const NAMESPACE: &str = "Tallyline";

/// Writes metrics, or nothing.
#[derive(Clone, Default)]
pub struct Metrics(Option<Arc<Sink>>);

struct Sink {
    function: String,
    clock: Arc<dyn Clock>,
    out: Mutex<Box<dyn Write + Send>>,
}

/// Name, unit and value of a metric.
type Figure = (&'static str, &'static str, u64);

impl Metrics {
    /// Metrics of `function`, on standard output.
    #[must_use]
    pub fn embedded(function: String, clock: Arc<dyn Clock>) -> Self {
        Self::to(function, clock, Box::new(std::io::stdout()))
    }

    fn to(function: String, clock: Arc<dyn Clock>, out: Box<dyn Write + Send>) -> Self {
        Self(Some(Arc::new(Sink { function, clock, out: Mutex::new(out) })))
    }

    /// A run has ended: its lines by status, what it asked of the PSA, and how long it took.
    pub fn run_ended(&self, run: &Run) {
        let counts = run.counts;
        let seconds = run.finished_at.map_or(0, |end| end.duration_since(run.created_at).as_secs());
        let figures = [
            ("LinesUpdated", "Count", counts.updated.into()),
            ("LinesUnchanged", "Count", counts.unchanged.into()),
            ("LinesPlanned", "Count", counts.planned.into()),
            ("LinesHeld", "Count", counts.held.into()),
            ("LinesSkipped", "Count", counts.skipped.into()),
            ("LinesFailed", "Count", counts.failed.into()),
            ("LinesUnknown", "Count", counts.unknown.into()),
            ("PsaRequests", "Count", run.psa_requests.into()),
            ("Writes", "Count", run.writes.into()),
            ("RunsFailed", "Count", u64::from(run.state == RunState::Failed)),
            ("RunSeconds", "Seconds", u64::try_from(seconds).unwrap_or(0)),
        ];
        let about =
            [("partner", run.partner.as_str()), ("connection", run.connection.as_str()), ("run", run.id.as_str())];
        self.put(&about, &figures);
    }

    /// What is left of the PSA's requests for a connection's jobs after planning.
    pub fn budget_left(&self, partner: &PartnerId, connection: &ConnectionId, left: u32) {
        let about = [("partner", partner.as_str()), ("connection", connection.as_str())];
        self.put(&about, &[("BudgetLeft", "Count", left.into())]);
    }

    /// How long a message waited before it was taken, where that is known.
    pub fn queue_age(&self, seconds: Option<u64>) {
        if let Some(seconds) = seconds {
            self.put(&[], &[("QueueAgeSeconds", "Seconds", seconds)]);
        }
    }

    /// Messages of a batch that were not done.
    pub fn deliveries_failed(&self, count: usize) {
        if count > 0 {
            self.put(&[], &[("DeliveriesFailed", "Count", u64::try_from(count).unwrap_or(u64::MAX))]);
        }
    }

    fn put(&self, about: &[(&str, &str)], figures: &[Figure]) {
        let Some(sink) = &self.0 else { return };
        let metrics: Vec<Value> = figures.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
        let directive = json!({"Namespace": NAMESPACE, "Dimensions": [["Function"]], "Metrics": metrics});
        let mut line = Map::new();
        let at = sink.clock.now().as_millisecond();
        line.insert("_aws".into(), json!({"Timestamp": at, "CloudWatchMetrics": [directive]}));
        line.insert("Function".into(), json!(sink.function));
        line.extend(about.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        line.extend(figures.iter().map(|(name, _, value)| ((*name).to_owned(), json!(value))));
        let mut out = sink.out.lock().unwrap_or_else(PoisonError::into_inner);
        // A metric that can't be written is not worth failing a sync for.
        let _ = writeln!(out, "{}", Value::Object(line)).and_then(|()| out.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct At(i64);

    impl Clock for At {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::from_second(self.0).unwrap()
        }
    }

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_names_each_of_its_metrics_once_and_is_one_json_object() {
        let page = Page::default();
        let metrics = Metrics::to("fan-out".into(), Arc::new(At(1_000)), Box::new(page.clone()));
        metrics.budget_left(&"nordwind".parse().unwrap(), &"conn_1".parse().unwrap(), 7_990);
        metrics.queue_age(None);
        metrics.queue_age(Some(3));
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            lines[0],
            json!({
                "_aws": {"Timestamp": 1_000_000, "CloudWatchMetrics": [{
                    "Namespace": "Tallyline", "Dimensions": [["Function"]],
                    "Metrics": [{"Name": "BudgetLeft", "Unit": "Count"}],
                }]},
                "Function": "fan-out", "partner": "nordwind", "connection": "conn_1", "BudgetLeft": 7_990,
            })
        );
        assert_eq!((lines.len(), &lines[1]["QueueAgeSeconds"]), (2, &json!(3)));
    }

    #[test]
    fn metrics_that_are_off_write_nothing() {
        Metrics::default().queue_age(Some(1));
    }
}
