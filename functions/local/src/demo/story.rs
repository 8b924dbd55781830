//! The client's part: connect, map, push usage, preview, sync, sync again; each over HTTP.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::clock::Clock;
use shared::domain::line::{LineResult, LineStatus};
use simulators::autotask::{Autotask, SAMPLE_INTEGRATION_CODE, SAMPLE_SECRET, SAMPLE_USERNAME};

use super::client::Client;
use super::huntress;
use super::terminal::Terminal;
use super::world::{Customer, MadeUp, Role};
use crate::app::App;
use crate::cli::Failure;

/// The partner: the made-up MSP.
pub(super) const PARTNER: &str = "nordwind";
/// How often a run is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// A run that goes on longer has gone wrong: six minutes.
const MOST_LOOKS: u32 = 3_600;
/// Mappings sent at once: each asks the PSA, which allows three requests of a kind at once.
const MAPPINGS_AT_ONCE: usize = 2;

/// Everything the story needs.
pub(super) struct Story<'a> {
    pub app: &'a App,
    pub psa: &'a Autotask,
    pub made: &'a MadeUp,
    pub base: &'a str,
    pub clock: &'a dyn Clock,
}

/// What a run cost.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct RunEnd {
    pub id: String,
    pub status: String,
    pub psa_requests: u32,
    pub writes: u32,
    pub lines: BTreeMap<String, u32>,
    pub explanation: Option<String>,
    finished_at: Option<Timestamp>,
    jobs: u64,
    jobs_left: u64,
}

/// What came of it.
pub(super) struct Played {
    /// The lines of the first sync.
    pub lines: Vec<LineResult>,
    pub first: RunEnd,
    pub second: RunEnd,
    /// Adjustments that the simulated PSA says it made, in both syncs.
    pub adjustments: usize,
    /// For whoever wants to look further.
    pub token: String,
    pub connection: String,
}

impl Played {
    /// Whether the second sync wrote nothing and no line's outcome is unknown.
    pub(super) fn is_fine(&self) -> bool {
        let sure = |run: &RunEnd| run.lines.get("unknown").is_none_or(|count| *count == 0);
        let written = usize::try_from(self.first.writes).ok() == Some(self.adjustments);
        let ended = |run: &RunEnd| ["succeeded", "partial"].contains(&run.status.as_str());
        let known = self.lines.iter().all(|line| line.status != LineStatus::Unknown);
        known
            && written
            && self.second.writes == 0
            && [&self.first, &self.second].into_iter().all(|run| sure(run) && ended(run))
    }
}

#[derive(Deserialize)]
struct Named {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct ListedContract {
    id: String,
    account_id: String,
    start: jiff::civil::Date,
    end: jiff::civil::Date,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Started {
    run_id: String,
}

impl Story<'_> {
    pub(super) async fn play(&self, terminal: &Terminal) -> Result<Played, Failure> {
        terminal.say(
            "Tallyline demo: a made-up MSP, a simulated Autotask, and a day's usage. Nothing leaves this machine.\n",
        );
        terminal.step(&format!("simulated Autotask at {}, Tallyline at {}", self.psa.base(), self.base));
        let token = self.token()?;
        let client = Client::new(self.base.to_owned(), token.clone())?;
        let connection = self.connect(&client, terminal).await?;
        let path = format!("/v1/connections/{connection}");
        self.map_products(&client, &path, terminal).await?;
        self.map_companies(&client, &path, terminal).await?;
        self.push_usage(&client, terminal).await?;
        self.end_a_contract(terminal)?;
        self.psa.reset_counts();

        let preview = run(&client, &path, "preview", "preview", terminal).await?;
        terminal.step(&format!(
            "preview: {}; nothing was written ({} requests)",
            counted(&preview),
            preview.psa_requests
        ));
        let first = run(&client, &path, "apply", "sync", terminal).await?;
        terminal.step(&format!("sync: {}", counted(&first)));
        let lines = client.list(&format!("/v1/runs/{}/lines", first.id)).await?;
        let second = run(&client, &path, "apply", "sync again", terminal).await?;
        terminal.step(&format!("sync again: {} sent", changes(second.writes)));
        Ok(Played { lines, first, second, adjustments: self.psa.writes().len(), token, connection })
    }

    fn token(&self) -> Result<String, Failure> {
        let scopes = [Scope::Read, Scope::Write, Scope::Usage];
        Ok(self.app.tokens().mint(Some(&PARTNER.parse()?), &scopes, SignedDuration::from_hours(12))?)
    }

    async fn connect(&self, client: &Client, terminal: &Terminal) -> Result<String, Failure> {
        let body = json!({
            "psa": "autotask",
            "name": "Nordwind IT",
            "time_zone": "Europe/Berlin",
            "credentials": {
                "username": SAMPLE_USERNAME, "secret": SAMPLE_SECRET, "integration_code": SAMPLE_INTEGRATION_CODE,
            },
        });
        let made: Id = client.send(Method::POST, "/v1/connections", &body).await?;
        terminal.step("connected: Autotask let us in with every right that a sync needs");
        Ok(made.id)
    }

    async fn map_products(&self, client: &Client, path: &str, terminal: &Terminal) -> Result<(), Failure> {
        let services: Vec<Named> = client.list(&format!("{path}/catalog/services")).await?;
        for offer in &self.made.offers {
            let service = services.iter().find(|service| service.name == offer.service);
            let service = service.ok_or_else(|| format!("the catalogue has no service \"{}\"", offer.service))?;
            let body = json!({ "service_id": service.id, "rule": { "counting": "latest" } });
            let _: Value = client.send(Method::PUT, &format!("{path}/products/{}", offer.product), &body).await?;
        }
        terminal.step(&format!("mapped {} products to services of the catalogue", self.made.offers.len()));
        Ok(())
    }

    /// Finds each customer's account by its name and its contract by its account, and maps it.
    async fn map_companies(&self, client: &Client, path: &str, terminal: &Terminal) -> Result<(), Failure> {
        let today = self.clock.now().to_zoned(TimeZone::UTC).date();
        let accounts: Vec<Named> = client.list(&format!("{path}/catalog/accounts")).await?;
        let accounts: BTreeMap<String, String> =
            accounts.into_iter().map(|account| (account.name, account.id)).collect();
        let contracts: Vec<ListedContract> = client.list(&format!("{path}/catalog/contracts")).await?;
        let running = contracts.into_iter().filter(|contract| (contract.start..=contract.end).contains(&today));
        let contracts: BTreeMap<String, String> = running.map(|contract| (contract.account_id, contract.id)).collect();

        let customers = &self.made.customers;
        let bar = terminal.bar("mapping customers", u64::try_from(customers.len())?);
        let mut refused = Vec::new();
        for some in customers.chunks(MAPPINGS_AT_ONCE) {
            let mut sent = Vec::with_capacity(some.len());
            for customer in some {
                let account =
                    accounts.get(&customer.account).ok_or_else(|| format!("no account \"{}\"", customer.account))?;
                // Where the catalogue offers no recurring contract, somebody tries the one that there is.
                let contract = contracts.get(account).cloned().unwrap_or_else(|| customer.contract.to_string());
                let body = json!({ "account_id": account, "contract_id": contract });
                let (client, path) = (client.clone(), format!("{path}/companies/{}", customer.organization));
                let put = async move { client.try_send::<Value>(Method::PUT, &path, &body).await };
                sent.push((customer, tokio::spawn(put)));
            }
            for (customer, put) in sent {
                if let Err(refusal) = put.await?? {
                    refused.push((customer, refusal));
                }
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        terminal
            .step(&format!("mapped {} customers to accounts and contracts by name", customers.len() - refused.len()));
        for customer in customers.iter().filter(|customer| customer.role == Role::SecondSite) {
            terminal.note(&format!("\"{}\" is billed on the contract of \"{}\"", customer.name, customer.account));
        }
        for (customer, refusal) in refused {
            if customer.role != Role::FixedPrice {
                return Err(format!("\"{}\" was not mapped: {refusal}", customer.name).into());
            }
            terminal.note(&format!("\"{}\" was not mapped: {refusal}", customer.name));
        }
        Ok(())
    }

    /// Yesterday's and today's lists, one that broke off, and a CSV file.
    async fn push_usage(&self, client: &Client, terminal: &Terminal) -> Result<(), Failure> {
        let now = self.clock.now();
        let yesterday = now.checked_sub(24.hours())?;
        let customers = &self.made.customers;
        let lists = [
            (
                "yesterday",
                yesterday,
                true,
                customers.iter().filter(|c| c.role != Role::OnlyIncomplete).collect::<Vec<_>>(),
            ),
            (
                "today",
                now,
                true,
                customers.iter().filter(|c| ![Role::OnlyIncomplete, Role::Absent].contains(&c.role)).collect(),
            ),
            ("broken-off", now, false, customers.iter().filter(|c| c.role == Role::OnlyIncomplete).collect()),
        ];
        for (name, as_of, complete, named) in lists {
            let records = huntress::records(&huntress::pages(named));
            let body = json!({ "as_of": as_of.to_string(), "complete": complete, "records": records });
            let _: Value = client.send(Method::PUT, &format!("/v1/usage/snapshots/huntress-{name}"), &body).await?;
        }
        let path = format!("/v1/usage/snapshots.csv?snapshot_id=sat-today&as_of={now}&complete=true");
        client.send_csv(&path, learners(customers)?).await?;
        terminal.step("pushed usage: lists of organisations as Huntress gives them (edr, itdr), and a CSV file (sat)");
        for customer in customers {
            let text = match customer.role {
                Role::Absent => "is missing from today's list: its last counts stand",
                Role::OnlyIncomplete => "is only in a list that broke off: that may raise its units and not lower them",
                _ => continue,
            };
            terminal.note(&format!("\"{}\" {text}", customer.name));
        }
        Ok(())
    }

    /// What happens in a PSA between the mapping and the night.
    fn end_a_contract(&self, terminal: &Terminal) -> Result<(), Failure> {
        let yesterday = self.clock.now().to_zoned(TimeZone::UTC).date().yesterday()?;
        for customer in self.made.customers.iter().filter(|customer| customer.role == Role::Ends) {
            self.psa.end_contract(customer.contract, yesterday)?;
            terminal.note(&format!("meanwhile somebody ended the contract of \"{}\" in Autotask", customer.name));
        }
        Ok(())
    }
}

/// The third product as a CSV file.
fn learners(customers: &[Customer]) -> Result<String, Failure> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["company", "company_name", "product", "quantity"])?;
    for customer in customers {
        let [_, _, count] = customer.counts;
        table.write_record([&customer.organization.to_string(), &customer.name, "sat", &count.to_string()])?;
    }
    Ok(String::from_utf8(table.into_inner()?)?)
}

/// Starts a run and waits for its end.
async fn run(
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

/// `143 updated, 4 held`, in the order of the statuses.
fn counted(run: &RunEnd) -> String {
    let order = ["updated", "planned", "unchanged", "held", "skipped", "failed", "unknown"];
    let counts = order.iter().filter_map(|status| Some((*status, *run.lines.get(*status)?)));
    let counts: Vec<String> =
        counts.filter(|(_, count)| *count > 0).map(|(status, count)| format!("{count} {status}")).collect();
    counts.join(", ")
}

/// `1 change`, `no change`, `2 changes`.
pub(super) fn changes(count: u32) -> String {
    match count {
        0 => "no change".to_owned(),
        1 => "1 change".to_owned(),
        _ => format!("{count} changes"),
    }
}
