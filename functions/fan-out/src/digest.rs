//! The daily digest: what needs a person, gathered from what stands in the store, for each partner whose morning has come.
//!
//! Claimed before it is made, so that a tick which comes twice makes none twice; where making or telling fails, the claim is
//! given back and the next tick tries again. A process that dies in between loses one day's digest, and nothing else.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use shared::domain::finding::FindingState;
use shared::domain::ids::{PartnerId, ProductKey};
use shared::domain::reason::Code;
use shared::domain::schedule::Schedule;
use shared::events::{CodeCount, Digest, DigestOfConnection, Event, LastRun, StaleProduct};
use shared::store::connections::{Connection, Status};
use shared::store::digests::{Digests, DueDigest};
use shared::store::findings::Findings;
use shared::store::mappings::Mappings;
use shared::store::runs::{Mode, Run};
use shared::store::schema::DIGEST_SHARDS;
use shared::store::usage::UsageReader;
use shared::store::{StoreError, Table};

use crate::{FanOut, FanOutError};

/// In the morning of the partner.
const MORNING: Schedule = Schedule::Daily { hour: 7 };
/// Digests looked up at once.
const AT_ONCE: i32 = 25;
/// So many of a connection's newest runs are looked through.
const RUNS_SEEN: i32 = 30;

/// What digests are gathered from, besides connections and runs.
#[derive(Debug, Clone)]
pub struct DigestSources {
    due: Digests,
    findings: Findings,
    mappings: Mappings,
    usage: UsageReader,
}

impl DigestSources {
    /// From `table`.
    #[must_use]
    pub fn new(table: &Table) -> Self {
        Self {
            due: Digests::new(table.clone()),
            findings: Findings::new(table.clone()),
            mappings: Mappings::new(table.clone()),
            usage: UsageReader::new(table.clone()),
        }
    }
}

impl FanOut {
    /// Publishes the digests that are due, and answers how many. One that can't be made is logged; the next tick finds it
    /// again.
    ///
    /// # Errors
    /// Those that are due can't be read.
    pub(crate) async fn digests(&self) -> Result<u32, StoreError> {
        let now = self.clock.now();
        let mut told = 0;
        for shard in 0..DIGEST_SHARDS {
            let mut position = None;
            loop {
                let (due, next) = self.digests.due.due(shard, now, AT_ONCE, position).await?;
                for digest in &due {
                    match self.digest_of(digest, now).await {
                        Ok(published) => told += u32::from(published),
                        Err(error) => {
                            tracing::error!(%error, partner = %digest.partner, "a digest was not made");
                        }
                    }
                }
                match next {
                    Some(next) => position = Some(next),
                    None => break,
                }
            }
        }
        Ok(told)
    }

    /// Has a digest of the connection's partner come, if none is awaited yet.
    pub(crate) async fn expect_digest(&self, connection: &Connection) {
        let Some(first) = morning_after(self.clock.now(), connection) else { return };
        if let Err(error) = self.digests.due.expect(&connection.partner, first).await {
            tracing::warn!(%error, partner = %connection.partner, "the partner's digest is awaited from another day on");
        }
    }

    async fn digest_of(&self, due: &DueDigest, now: Timestamp) -> Result<bool, FanOutError> {
        let connections = self.live_connections(&due.partner).await?;
        let Some((first, next)) = connections.first().and_then(|first| Some((first, morning_after(now, first)?)))
        else {
            self.digests.due.forget(&due.partner, due.due_at).await?;
            return Ok(false);
        };
        if !self.digests.due.moves(&due.partner, due.due_at, next).await? {
            return Ok(false);
        }
        let told = self.tell(&due.partner, first, &connections, now).await;
        if told.is_err() && !self.digests.due.moves(&due.partner, next, due.due_at).await? {
            tracing::warn!(partner = %due.partner, "a claim on a digest could not be given back");
        }
        told
    }

    async fn tell(
        &self,
        partner: &PartnerId,
        first: &Connection,
        connections: &[Connection],
        now: Timestamp,
    ) -> Result<bool, FanOutError> {
        let mut digest = Digest {
            partner: partner.clone(),
            day: now.to_zoned(zone_of(first).unwrap_or(TimeZone::UTC)).date(),
            connections: Vec::with_capacity(connections.len()),
            stale_usage: self.stale_usage(partner, connections, now).await?,
        };
        for connection in connections {
            digest.connections.push(self.of_connection(connection).await?);
        }
        if !digest.needs_a_person() {
            return Ok(false);
        }
        self.events.publish(&[Event::Digest(Box::new(digest))]).await?;
        Ok(true)
    }

    /// In the order of their making.
    async fn live_connections(&self, partner: &PartnerId) -> Result<Vec<Connection>, StoreError> {
        let all = self.connections.all(partner).await?;
        Ok(all.into_iter().filter(|connection| connection.status != Status::Revoked).collect())
    }

    async fn of_connection(&self, connection: &Connection) -> Result<DigestOfConnection, StoreError> {
        let mut open: BTreeMap<String, u32> = BTreeMap::new();
        let mut held = 0;
        for finding in self.digests.findings.standing(connection).await? {
            if finding.state == FindingState::Open {
                let approvable = Code::named(&finding.noticed.reason.code).is_some_and(Code::approvable);
                held += u32::from(approvable && finding.noticed.subject.line().is_some());
                *open.entry(finding.noticed.reason.code).or_default() += 1;
            }
        }
        let (runs, _) = self.runs.of_connection(&connection.partner, &connection.id, None, RUNS_SEEN).await?;
        let applied: Vec<Run> =
            runs.into_iter().filter(|run| run.mode == Mode::Apply && run.finished_at.is_some()).collect();
        let last = applied
            .first()
            .and_then(|run| Some(LastRun { run: run.id.clone(), status: run.state, finished_at: run.finished_at? }));
        Ok(DigestOfConnection {
            connection: connection.id.clone(),
            name: connection.name.clone(),
            open_findings: open.into_iter().map(|(code, count)| CodeCount { code, count }).collect(),
            waiting_for_approval: held,
            credentials_rejected: connection.status == Status::CredentialsRejected,
            last_run: last,
        })
    }

    /// Products that a connection which is on bills, and whose usage is too old for the least patient of them.
    async fn stale_usage(
        &self,
        partner: &PartnerId,
        connections: &[Connection],
        now: Timestamp,
    ) -> Result<Vec<StaleProduct>, StoreError> {
        let mut wanted: BTreeMap<ProductKey, SignedDuration> = BTreeMap::new();
        for connection in connections.iter().filter(|connection| connection.enabled) {
            let patience = connection.policy.stale_after_hours.duration();
            for mapping in self.digests.mappings.all_products(partner, &connection.id).await? {
                let least = wanted.entry(mapping.product).or_insert(patience);
                *least = patience.min(*least);
            }
        }
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let newest = self.digests.usage.newest_complete(partner).await?;
        let stale = wanted.into_iter().filter_map(|(product, patience)| {
            let as_of = newest.get(&product)?.as_of;
            StaleProduct::at(product, as_of, patience, now)
        });
        Ok(stale.collect())
    }
}

fn morning_after(now: Timestamp, connection: &Connection) -> Option<Timestamp> {
    MORNING.next_after(now, &zone_of(connection)?)
}

fn zone_of(connection: &Connection) -> Option<TimeZone> {
    TimeZone::get(&connection.time_zone).ok()
}
