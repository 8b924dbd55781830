//! What operators see of a deployed function: logs as JSON, and metrics in CloudWatch's embedded format.
//!
//! Spans carry the ids (`request_id`, `partner`, `connection`, `run`), so that every line written within one has them. Nothing
//! here decides what is worth saying; on one machine the program sets up logs of its own and metrics go nowhere.

mod metrics;

pub use metrics::Metrics;
use tracing_subscriber::EnvFilter;

/// Logs from now on as JSON on standard output, one object a line: from `info`, or as the variable `AWS_LAMBDA_LOG_LEVEL` says in the
/// syntax of `tracing`.
pub fn log_as_json() {
    let filter = EnvFilter::try_from_env("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_span_list(true);
    // A second call changes nothing: the first one's logs go on.
    let _ = logs.with_env_filter(filter).try_init();
}
