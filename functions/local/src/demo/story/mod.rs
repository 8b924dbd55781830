//! The client's part, in order: connect, map, push usage or have it pulled, preview, sync, sync again; each over HTTP.
//!
//! Every PSA is gone through in the same way: what differs between them, its stage says. `mapping`, `feed`, `pull` and
//! `runs` hold the steps.

mod feed;
mod mapping;
mod pull;
mod runs;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};
use shared::api::auth::Scope;
use shared::clock::Clock;
use shared::domain::line::{LineResult, LineStatus};
use shared::psa::Psa;

use super::client::Client;
use super::customers::{Customer, Role};
use super::stages::Stage;
use super::terminal::Terminal;
use super::vendor::Vendor;
use crate::app::App;
use crate::cli::Failure;
pub(super) use runs::{RunEnd, changes};

/// The partner: the made-up MSP.
pub(super) const PARTNER: &str = "nordwind";

/// Everything the story needs.
pub(super) struct Story<'a> {
    pub app: &'a App,
    pub stages: &'a [Stage],
    /// Where usage is pulled from; where there is none it is pushed.
    pub vendor: Option<&'a Vendor>,
    pub base: &'a str,
    pub clock: &'a dyn Clock,
}

/// What came of it.
pub(super) struct Played {
    /// One for each stage.
    pub parts: Vec<Part>,
    /// For whoever wants to look further.
    pub token: String,
}

/// What came of one connection.
pub(super) struct Part {
    pub psa: Psa,
    /// What people call the PSA.
    pub name: &'static str,
    pub connection: String,
    /// The lines of the first sync.
    pub lines: Vec<LineResult>,
    pub first: RunEnd,
    pub second: RunEnd,
    /// Changes that the simulated PSA says it made, in both syncs.
    pub written: usize,
    /// What is particular about these results.
    pub about: Vec<String>,
}

impl Played {
    /// Whether no second sync wrote anything and no line's outcome is unknown.
    pub(super) fn is_fine(&self) -> bool {
        self.parts.iter().all(Part::is_fine)
    }
}

impl Part {
    /// Whether the second sync wrote nothing and no line's outcome is unknown.
    pub(super) fn is_fine(&self) -> bool {
        let sure = |run: &RunEnd| run.lines.get("unknown").is_none_or(|count| *count == 0);
        let written = usize::try_from(self.first.writes).ok() == Some(self.written);
        let ended = |run: &RunEnd| ["succeeded", "partial"].contains(&run.status.as_str());
        let known = self.lines.iter().all(|line| line.status != LineStatus::Unknown);
        known
            && written
            && self.second.writes == 0
            && [&self.first, &self.second].into_iter().all(|run| sure(run) && ended(run))
    }
}

impl Story<'_> {
    pub(super) async fn play(&self, terminal: &Terminal) -> Result<Played, Failure> {
        let names: Vec<String> = self.stages.iter().map(|stage| format!("a simulated {}", stage.psa.name())).collect();
        let customers: usize = self.stages.iter().map(|stage| stage.customers.len()).sum();
        terminal.paragraph(
            "",
            &format!(
                "Tallyline demo: a made-up MSP with {customers} customers, {}, and a day's usage. Nothing leaves this \
                 machine.",
                names.join(" and ")
            ),
        );
        let token = self.token()?;
        let client = Client::new(self.base.to_owned(), token.clone())?;
        let mut connections = Vec::with_capacity(self.stages.len());
        for stage in self.stages {
            terminal.heading(stage.psa.name());
            terminal.step(&format!("simulated at {}, Tallyline at {}", stage.psa.base(), self.base));
            let connection = mapping::connect(&client, stage, terminal).await?;
            let path = format!("/v1/connections/{connection}");
            mapping::map_products(&client, &path, stage, terminal).await?;
            let company = |customer: &Customer| match self.vendor {
                Some(vendor) => vendor.company(customer),
                None => customer.organization.to_string(),
            };
            mapping::map_companies(&client, &path, stage, company, self.clock.now(), terminal).await?;
            connections.push(connection);
        }
        terminal.heading("Usage");
        let customers: Vec<&Customer> = self.stages.iter().flat_map(|stage| &stage.customers).collect();
        match self.vendor {
            Some(vendor) => pull::pull(&client, vendor, &customers, terminal).await?,
            None => feed::push(&client, &customers, self.clock.now(), terminal).await?,
        }
        self.end_contracts(terminal)?;

        let mut parts = Vec::with_capacity(self.stages.len());
        for (stage, connection) in self.stages.iter().zip(connections) {
            terminal.heading(stage.psa.name());
            parts.push(sync(&client, stage, connection, terminal).await?);
        }
        Ok(Played { parts, token })
    }

    fn token(&self) -> Result<String, Failure> {
        let scopes = [Scope::Read, Scope::Write, Scope::Usage];
        Ok(self.app.tokens().mint(Some(&PARTNER.parse()?), &scopes, SignedDuration::from_hours(12))?)
    }

    /// What happens in a PSA between the mapping and the night.
    fn end_contracts(&self, terminal: &Terminal) -> Result<(), Failure> {
        // Some days ago: it is over wherever the MSP and its PSA are, and BMS calls it expired for long enough.
        let ended = self.clock.now().to_zoned(TimeZone::UTC).date().checked_sub(3.days())?;
        for stage in self.stages {
            for customer in stage.customers.iter().filter(|customer| customer.role == Role::Ends) {
                stage.psa.end_contract(customer.contract, ended)?;
                let (customer, psa) = (&customer.name, stage.psa.name());
                terminal.note(&format!("meanwhile somebody ended the contract of \"{customer}\" in {psa}"));
            }
        }
        Ok(())
    }
}

/// Previews, syncs, and syncs again.
async fn sync(client: &Client, stage: &Stage, connection: String, terminal: &Terminal) -> Result<Part, Failure> {
    let path = format!("/v1/connections/{connection}");
    let preview = runs::run(client, &path, "preview", "preview", terminal).await?;
    let (counted, worth, requests) = (preview.counted(), preview.worth(), preview.psa_requests);
    terminal.step(&format!("preview: {counted}; {worth}nothing was written ({requests} requests)"));
    let first = runs::run(client, &path, "apply", "sync", terminal).await?;
    terminal.step(&format!("sync: {}", first.counted()));
    if let Some(found_out) = stage.psa.found_out() {
        terminal.note(&found_out);
    }
    let lines: Vec<LineResult> = client.list(&format!("/v1/runs/{}/lines", first.id)).await?;
    let second = runs::run(client, &path, "apply", "sync again", terminal).await?;
    terminal.step(&format!("sync again: {} sent", changes(second.writes)));
    Ok(Part {
        psa: stage.psa.psa(),
        name: stage.psa.name(),
        connection,
        about: stage.psa.about(&lines),
        lines,
        first,
        second,
        written: stage.psa.written(),
    })
}
