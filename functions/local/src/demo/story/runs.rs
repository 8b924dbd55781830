//! Starting a run, waiting for its end, and what it cost.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use shared::domain::money::{Money, Side};
use shared::store::runs::RunMoney;

use crate::cli::Failure;
use crate::demo::client::Client;
use crate::demo::terminal::Terminal;

/// How often a run is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// A run that goes on longer has gone wrong: six minutes.
const MOST_LOOKS: u32 = 3_600;

/// What a run cost.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(in crate::demo) struct RunEnd {
    pub id: String,
    pub status: String,
    pub psa_requests: u32,
    pub writes: u32,
    pub lines: BTreeMap<String, u32>,
    pub money: RunMoney,
    explanation: Option<String>,
    finished_at: Option<Timestamp>,
    jobs: u64,
    jobs_left: u64,
}

#[derive(Deserialize)]
struct Started {
    run_id: String,
}

/// Starts a run and waits for its end.
pub(super) async fn run(
    client: &Client,
    connection: &str,
    mode: &str,
    name: &'static str,
    terminal: &Terminal,
) -> Result<RunEnd, Failure> {
    let started: Started = client.send(Method::POST, &format!("{connection}/runs"), &json!({ "mode": mode })).await?;
    let bar = terminal.bar(name, 0);
    for _ in 0..MOST_LOOKS {
        let run: RunEnd = client.get(&format!("/v1/runs/{}", started.run_id)).await?;
        bar.set_length(run.jobs);
        bar.set_position(run.jobs.saturating_sub(run.jobs_left));
        if run.finished_at.is_some() {
            bar.finish_and_clear();
            return match run.status.as_str() {
                "failed" => Err(format!("the {name} failed: {}", run.explanation.unwrap_or_default()).into()),
                _ => Ok(run),
            };
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Err(format!("the {name} did not end; RUST_LOG=info shows what it does").into())
}

impl RunEnd {
    /// `143 updated, 4 held`, in the order of the statuses.
    pub(super) fn counted(&self) -> String {
        let order = ["updated", "planned", "unchanged", "held", "skipped", "failed", "unknown"];
        let counts = order.iter().filter_map(|status| Some((*status, *self.lines.get(*status)?)));
        let counts: Vec<String> =
            counts.filter(|(_, count)| *count > 0).map(|(status, count)| format!("{count} {status}")).collect();
        counts.join(", ")
    }
}

impl RunEnd {
    /// `12.50 EUR a month more to be billed and 5.00 less; ` for each currency; nothing where nothing is known.
    pub(super) fn worth(&self) -> String {
        let told = self.money.planned.iter().filter(|sum| sum.lines > sum.lines_without_price).map(|sum| {
            let currency =
                sum.currency.clone().map(|currency| format!(" {}", String::from(currency))).unwrap_or_default();
            let amount = |side: &Side| Money::new(side.monthly_price.get().abs());
            format!("{}{currency} a month more to be billed and {} less; ", amount(&sum.rises), amount(&sum.falls))
        });
        told.collect()
    }
}

/// `1 change`, `no change`, `2 changes`.
pub(in crate::demo) fn changes(count: u32) -> String {
    match count {
        0 => "no change".to_owned(),
        1 => "1 change".to_owned(),
        _ => format!("{count} changes"),
    }
}
