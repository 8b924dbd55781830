//! The table's shape and every key in it.
//!
//! Partition keys begin with the partner (`P#…`), so that no key built from one partner's ids can reach another's rows. The
//! exceptions are read by no partner's request: the index of what is due, and the queues on one machine.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::domain::alert::{AlertKey, DigestHour};
use crate::domain::charge::{ChargeKey, ChargeLine, ChargeMeaning, RecordKey};
use crate::domain::ids::{
    AccountId, CompanyId, ConnectionId, IntentKey, PartnerId, ProductKey, PsaTenantId, RunId, SnapshotId, WebhookId,
};
use crate::domain::line::LineKey;
use crate::psa::Psa;
use crate::sources::Vendor;

/// Name of the partition key attribute.
pub const PK: &str = "pk";
/// Name of the sort key attribute.
pub const SK: &str = "sk";
/// Index of connections by the instant at which they are due.
pub const DUE_INDEX: &str = "due";
/// Partition key of [`DUE_INDEX`]: a shard.
pub const DUE_PK: &str = "due_shard";
/// Sort key of [`DUE_INDEX`]: the due instant in RFC 3339, UTC, which sorts as text.
pub const DUE_SK: &str = "due_at";
/// The due index is spread over this many partitions.
pub const DUE_SHARDS: u8 = 8;
/// Digests have so many partitions of it for themselves.
pub const DIGEST_SHARDS: u8 = 2;
/// Alerts have so many partitions of it for themselves.
pub const ALERT_SHARDS: u8 = 4;
/// Usage sources have so many partitions of it for themselves.
pub const SOURCE_SHARDS: u8 = 2;
/// Attribute with the second (since 1970) after which a row may go.
pub const EXPIRES: &str = "expires";

/// A row's primary key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Partition.
    pub pk: String,
    /// Row within it.
    pub sk: String,
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }
}

fn partner(partner: &PartnerId) -> String {
    format!("P#{partner}")
}

/// A partner's connections.
#[must_use]
pub fn connection(p: &PartnerId, connection: &ConnectionId) -> Key {
    Key::new(connections(p), format!("CONN#{connection}"))
}

/// Partition of a partner's connections; rows begin with `CONN#`.
#[must_use]
pub fn connections(p: &PartnerId) -> String {
    partner(p)
}

/// Partition of what belongs to one connection: `PRODUCT#`, `CHARGE#`, `COMPANY#`, `TICKETS`, `TICKETFORM#`, `IMPORT`, `RUN#`,
/// `FINDING#`, `CLOSED#`.
#[must_use]
pub fn of_connection(p: &PartnerId, connection: &ConnectionId) -> String {
    format!("{}#CONN#{connection}", partner(p))
}

/// The mapping of a product.
#[must_use]
pub fn product(p: &PartnerId, connection: &ConnectionId, product: &ProductKey) -> Key {
    Key::new(of_connection(p, connection), format!("PRODUCT#{product}"))
}

/// The mapping of a product's charges.
#[must_use]
pub fn charge_mapping(p: &PartnerId, connection: &ConnectionId, product: &ProductKey) -> Key {
    Key::new(of_connection(p, connection), format!("CHARGE#{product}"))
}

/// The mapping of a company.
#[must_use]
pub fn company(p: &PartnerId, connection: &ConnectionId, company: &CompanyId) -> Key {
    Key::new(of_connection(p, connection), format!("COMPANY#{company}"))
}

/// The mapping of a connection's tickets.
#[must_use]
pub fn ticket_mapping(p: &PartnerId, connection: &ConnectionId) -> Key {
    Key::new(of_connection(p, connection), TICKETS)
}

/// Sort key of the mapping of a connection's tickets.
pub const TICKETS: &str = "TICKETS";

/// The form of a connection's tickets as it was read last, for all accounts or for one. No id is empty.
#[must_use]
pub fn ticket_form(p: &PartnerId, connection: &ConnectionId, account: Option<&AccountId>) -> Key {
    Key::new(of_connection(p, connection), format!("TICKETFORM#{}", account.map_or("", AccountId::as_str)))
}

/// How far the newest import of a connection's mappings is.
#[must_use]
pub fn mapping_import(p: &PartnerId, connection: &ConnectionId) -> Key {
    Key::new(of_connection(p, connection), "IMPORT")
}

/// Partition of what imports of a connection's mappings are about to change; rows begin with `CHUNK#import#`.
#[must_use]
pub fn mapping_imports(p: &PartnerId, connection: &ConnectionId) -> String {
    format!("{}#IMPORTS", of_connection(p, connection))
}

/// One piece of what an import is about to change. `chunk` sorts as text.
#[must_use]
pub fn mapping_import_chunk(p: &PartnerId, connection: &ConnectionId, import: &str, chunk: usize) -> Key {
    Key::new(mapping_imports(p, connection), format!("CHUNK#{import}#{chunk:05}"))
}

/// A connection's circuit.
#[must_use]
pub fn breaker(p: &PartnerId, connection: &ConnectionId) -> Key {
    Key::new(of_connection(p, connection), "BREAKER")
}

/// What is left of a connection's requests.
#[must_use]
pub fn budget(p: &PartnerId, connection: &ConnectionId) -> Key {
    Key::new(of_connection(p, connection), "BUDGET")
}

/// Partition of every version that a connection's mappings ever had: the sort key of the mapping, then `#V#000001`.
#[must_use]
pub fn mapping_history(p: &PartnerId, connection: &ConnectionId) -> String {
    format!("{}#HISTORY", of_connection(p, connection))
}

/// One version of the mapping whose own row is at `mapping`. `version` sorts as text.
#[must_use]
pub fn mapping_version(p: &PartnerId, connection: &ConnectionId, mapping: &Key, version: u32) -> Key {
    Key::new(mapping_history(p, connection), format!("{}#V#{version:06}", mapping.sk))
}

/// Partition of what happened on a connection, by time: `ACT#…` (what was done to it, runs) and `SENT#…` (changes to write).
#[must_use]
pub fn journal(p: &PartnerId, connection: &ConnectionId) -> String {
    format!("{}#JOURNAL", of_connection(p, connection))
}

/// Partition of the changes to write on one PSA account's lines, by time: `SENT#…`.
#[must_use]
pub fn journal_of_account(p: &PartnerId, connection: &ConnectionId, account: &AccountId) -> String {
    format!("{}#{account}", journal(p, connection))
}

/// Something that was done at `at`, which stands in the key to the nanosecond and sorts as text: milliseconds since 1970, `!`
/// and what is left of them. Rows of an earlier version lack that and its `!`. `what` tells it from what else was done then.
#[must_use]
pub fn act(p: &PartnerId, connection: &ConnectionId, at: Timestamp, what: &str) -> Key {
    let (ms, rest) = split(at, 1_000_000);
    Key::new(journal(p, connection), format!("ACT#{ms:015}!{rest:06}#{what}"))
}

/// Intents that were stored together at `at`, in `journal` (of a connection or of an account); `first` is one of them. As
/// [`act`], but with seconds before the `!`.
#[must_use]
pub fn sent_together(journal: String, at: Timestamp, first: &IntentKey) -> Key {
    let (second, rest) = split(at, 1_000_000_000);
    Key::new(journal, format!("SENT#{second:012}!{rest:09}#{first}"))
}

/// The instant of a row of the journal by its sort key, in nanoseconds since 1970. A row of an earlier version, which does
/// not know it so precisely, counts as of the end of its millisecond or second: where it stands as text as well.
#[must_use]
pub fn instant_of_row(sort_key: &str) -> Option<i128> {
    let (unit, rest) = match (sort_key.strip_prefix("ACT#"), sort_key.strip_prefix("SENT#")) {
        (Some(rest), _) => (1_000_000, rest),
        (None, Some(rest)) => (1_000_000_000, rest),
        (None, None) => return None,
    };
    let at = rest.split('#').next()?;
    let (whole, part) = match at.split_once('!') {
        Some((whole, part)) => (whole, part.parse::<i128>().ok()?),
        None => (at, unit - 1),
    };
    Some(whole.parse::<i128>().ok()? * unit + part)
}

/// Nanoseconds since 1970 in whole units of so many, and what is left.
fn split(at: Timestamp, unit: i128) -> (i128, i128) {
    let nanoseconds = at.as_nanosecond();
    (nanoseconds.div_euclid(unit), nanoseconds.rem_euclid(unit))
}

/// A run in the list of its connection's runs.
#[must_use]
pub fn run_in_list(p: &PartnerId, connection: &ConnectionId, run: &RunId) -> Key {
    Key::new(of_connection(p, connection), format!("RUN#{run}"))
}

/// A finding that stands. The fingerprint is made of what it is about and its code.
#[must_use]
pub fn finding(p: &PartnerId, connection: &ConnectionId, fingerprint: &str) -> Key {
    Key::new(of_connection(p, connection), format!("FINDING#{fingerprint}"))
}

/// A finding that was closed at `at_ms`, in milliseconds since 1970, which sorts as text.
#[must_use]
pub fn closed_finding(p: &PartnerId, connection: &ConnectionId, at_ms: i64, fingerprint: &str) -> Key {
    Key::new(of_connection(p, connection), format!("CLOSED#{at_ms:015}#{fingerprint}"))
}

/// Partition of one run: its header `RUN`, its results `LINES#…`, and what it noticed besides, `GAPS#…`.
#[must_use]
pub fn of_run(p: &PartnerId, run: &RunId) -> String {
    format!("{}#RUN#{run}", partner(p))
}

/// A run's header.
#[must_use]
pub fn run(p: &PartnerId, run: &RunId) -> Key {
    Key::new(of_run(p, run), "RUN")
}

/// A page of a run's results. `page` sorts as text.
#[must_use]
pub fn run_lines(p: &PartnerId, run: &RunId, page: &str) -> Key {
    Key::new(of_run(p, run), format!("LINES#{page}"))
}

/// A page of what a run noticed besides its lines. `number` sorts as text.
#[must_use]
pub fn run_gaps(p: &PartnerId, run: &RunId, number: usize) -> Key {
    Key::new(of_run(p, run), format!("GAPS#{number:06}"))
}

/// Partition of the lines of one PSA tenant (`LINE#…`, `LEASE#…`, `NOTE#…`): shared by every connection of the partner to it, so
/// that a second writer of a line is seen.
#[must_use]
pub fn of_tenant(p: &PartnerId, psa: Psa, tenant: &PsaTenantId) -> String {
    format!("{}#PSA#{}#{tenant}", partner(p), psa.as_str())
}

/// The lease on one account of a PSA tenant.
#[must_use]
pub fn lease(p: &PartnerId, psa: Psa, tenant: &PsaTenantId, account: &AccountId) -> Key {
    Key::new(of_tenant(p, psa, tenant), format!("LEASE#{account}"))
}

/// The lease on the catalogue of a PSA tenant.
#[must_use]
pub fn lease_of_catalogue(p: &PartnerId, psa: Psa, tenant: &PsaTenantId) -> Key {
    Key::new(of_tenant(p, psa, tenant), "CATALOGUE")
}

/// Partition of what was made in a PSA tenant, or was about to be: `SERVICE#…` (in its catalogue), `ON#…` (on its contracts).
#[must_use]
pub fn makings(p: &PartnerId, psa: Psa, tenant: &PsaTenantId) -> String {
    format!("{}#MADE", of_tenant(p, psa, tenant))
}

/// One try to make something: a service that the catalogue lacks, by a digest of its name. `attempt` sorts as text.
#[must_use]
pub fn making_of_service(p: &PartnerId, psa: Psa, tenant: &PsaTenantId, name: &str, attempt: u32) -> Key {
    let digest = hex::encode(Sha256::digest(name));
    Key::new(makings(p, psa, tenant), format!("SERVICE#{digest}#{attempt:06}"))
}

/// One try to put a service on a contract. `attempt` sorts as text.
#[must_use]
pub fn making_on_contract(p: &PartnerId, psa: Psa, tenant: &PsaTenantId, line: &LineKey, attempt: u32) -> Key {
    Key::new(makings(p, psa, tenant), format!("ON#{}#{}#{attempt:06}", line.contract, line.service))
}

/// A ledger row. A line's rows follow each other by revision.
#[must_use]
pub fn intent(p: &PartnerId, psa: Psa, tenant: &PsaTenantId, line: &LineKey, revision: u32, key: &IntentKey) -> Key {
    Key::new(ledger(p, psa, tenant, line), format!("INTENT#{revision:010}#{key}"))
}

/// Partition of a line's ledger rows; they begin with `INTENT#`.
#[must_use]
pub fn ledger(p: &PartnerId, psa: Psa, tenant: &PsaTenantId, line: &LineKey) -> String {
    format!("{}#LEDGER#{}#{}", of_tenant(p, psa, tenant), line.contract, line.service)
}

/// What is known of a charge: a row of its PSA tenant, by billing period. A bundle has no meter; no id is empty.
#[must_use]
pub fn charge_line(p: &PartnerId, psa: Psa, tenant: &PsaTenantId, line: &ChargeLine) -> Key {
    let ChargeKey { product, meter, period_start } = &line.key;
    let meter = meter.as_ref().map_or("", |meter| meter.as_str());
    Key::new(of_tenant(p, psa, tenant), format!("{CHARGE_LINES}{period_start}#{}#{product}#{meter}", line.contract))
}

/// Sort keys of what is known of charges begin so, and go on with the first day of the billing period.
pub const CHARGE_LINES: &str = "CHARGE#";

/// A write of a charge.
#[must_use]
pub fn charge_intent(of: &ChargeMeaning, psa: Psa, key: &IntentKey) -> Key {
    let ChargeMeaning { partner, tenant, line, revision, .. } = of;
    charge_intent_named((partner, psa, tenant), line, *revision, key)
}

/// The same, where only its name is known.
#[must_use]
pub fn charge_intent_named(
    (p, psa, tenant): (&PartnerId, Psa, &PsaTenantId),
    line: &ChargeLine,
    revision: u32,
    key: &IntentKey,
) -> Key {
    Key::new(charge_ledger(p, psa, tenant, line), format!("INTENT#{revision:010}#{key}"))
}

/// The partition of a charge's writes.
#[must_use]
pub fn charge_ledger(p: &PartnerId, psa: Psa, tenant: &PsaTenantId, line: &ChargeLine) -> String {
    format!("{}#CHARGED#{line}", of_tenant(p, psa, tenant))
}

/// Partition of the usage counts of one month, one row a feed. `month` is `2026-11`, in UTC.
#[must_use]
pub fn counts_of_month(p: &PartnerId, month: &str) -> String {
    format!("{}#COUNTS#{month}", partner(p))
}

/// Partition of the roll of the companies that are counted.
#[must_use]
pub fn roll(p: &PartnerId) -> String {
    format!("{}#ROLL", partner(p))
}

/// Some of them.
#[must_use]
pub fn row_of_roll(p: &PartnerId, number: u8) -> Key {
    Key::new(roll(p), format!("ROLL#{number:02}"))
}

/// The counts of one feed in one month.
#[must_use]
pub fn counts(p: &PartnerId, month: &str, company: &CompanyId, product: &ProductKey) -> Key {
    Key::new(counts_of_month(p, month), format!("{company}#{product}"))
}

/// Partition of the charge records whose days begin in one month, one row a record. `month` is `2026-11`.
#[must_use]
pub fn charges_of_month(p: &PartnerId, month: &str) -> String {
    format!("{}#CHARGES#{month}", partner(p))
}

/// A charge record, by what tells it from every other. Rows of a company's product stand in the order of their days.
#[must_use]
pub fn charge(p: &PartnerId, month: &str, record: &RecordKey) -> Key {
    let RecordKey { company, product, meter, from } = record;
    Key::new(charges_of_month(p, month), format!("{company}#{product}#{from}#{meter}"))
}

/// Partition of a partner's snapshots: `NEWEST#product` (the newest complete one), `SNAP#id`.
#[must_use]
pub fn snapshots(p: &PartnerId) -> String {
    format!("{}#SNAPSHOTS", partner(p))
}

/// A snapshot's header.
#[must_use]
pub fn snapshot(p: &PartnerId, snapshot: &SnapshotId) -> Key {
    Key::new(snapshots(p), format!("SNAP#{snapshot}"))
}

/// The newest complete snapshot of a product.
#[must_use]
pub fn newest_complete(p: &PartnerId, product: &ProductKey) -> Key {
    Key::new(snapshots(p), format!("NEWEST#{product}"))
}

/// Partition of one snapshot's content: a row for each part received (`HEAD#…`) and the records (`PART#…`).
#[must_use]
pub fn of_snapshot(p: &PartnerId, snapshot: &SnapshotId) -> String {
    format!("{}#SNAP#{snapshot}", partner(p))
}

/// What is known of one part of a snapshot. `part` sorts as text.
#[must_use]
pub fn snapshot_part(p: &PartnerId, snapshot: &SnapshotId, part: u32) -> Key {
    Key::new(of_snapshot(p, snapshot), format!("HEAD#{part:05}"))
}

/// The records of a snapshot as they came, in chunks. `part` and `chunk` sort as text.
#[must_use]
pub fn snapshot_chunk(p: &PartnerId, snapshot: &SnapshotId, part: u32, chunk: u32) -> Key {
    Key::new(of_snapshot(p, snapshot), format!("PART#{part:05}#{chunk:05}"))
}

/// A request that was answered under an idempotency key.
#[must_use]
pub fn idempotency(p: &PartnerId, key: &str) -> Key {
    Key::new(format!("{}#IDEMPOTENCY", partner(p)), format!("KEY#{key}"))
}

/// A partner's webhooks, all in one row: there are few.
#[must_use]
pub fn webhooks(p: &PartnerId) -> Key {
    Key::new(partner(p), "WEBHOOKS")
}

/// Partition of what became of the notices for one webhook: `DELIVERY#…`.
#[must_use]
pub fn deliveries(p: &PartnerId, webhook: &WebhookId) -> String {
    format!("{}#WEBHOOK#{webhook}", partner(p))
}

/// What became of one notice. `at_s`, the event's second since 1970, sorts as text.
#[must_use]
pub fn delivery(p: &PartnerId, webhook: &WebhookId, at_s: i64, event: &str) -> Key {
    Key::new(deliveries(p, webhook), format!("DELIVERY#{at_s:012}#{event}"))
}

/// A partner's usage source. A partner has few, so that they lie beside its connections.
#[must_use]
pub fn source(p: &PartnerId, vendor: Vendor) -> Key {
    Key::new(sources(p), format!("SOURCE#{}", vendor.as_str()))
}

/// Partition of a partner's usage sources; rows begin with `SOURCE#`.
#[must_use]
pub fn sources(p: &PartnerId) -> String {
    partner(p)
}

/// When a partner's next digest is due.
#[must_use]
pub fn digest(p: &PartnerId) -> Key {
    Key::new(partner(p), "DIGEST")
}

/// Somebody who is signed in, by a digest of what the browser's cookie holds. Found before the partner is known.
#[must_use]
pub fn session(digest: &str) -> Key {
    Key::new(format!("SESSION#{digest}"), "SESSION".to_owned())
}

/// That a key which opens once was used, by its digest.
#[must_use]
pub fn used_up(digest: &str) -> Key {
    Key::new(format!("USED#{digest}"), "USED".to_owned())
}

/// Partition of a partner's alerts: `ALERT#…`, and how many tickets each hour has had, `OPENED#…`.
#[must_use]
pub fn alerts(p: &PartnerId) -> String {
    format!("{}#ALERTS", partner(p))
}

/// An alert, by a digest of its key, which may hold anything.
#[must_use]
pub fn alert(p: &PartnerId, key: &AlertKey) -> Key {
    Key::new(alerts(p), format!("ALERT#{}", digest_of(key)))
}

/// How many tickets a partner's alerts have had in an hour, and how many notes.
#[must_use]
pub fn tickets_opened(p: &PartnerId, hour: DigestHour) -> Key {
    Key::new(alerts(p), format!("OPENED#{hour}"))
}

/// Partition of the alerts that nothing brings on but a person or something new: `HALTED#…`, those that began first before others.
#[must_use]
pub fn halted_alerts(p: &PartnerId) -> String {
    format!("{}#HALTED", alerts(p))
}

/// That an alert is halted. `began_s`, the second since 1970 in which it began, sorts as text.
#[must_use]
pub fn halted_alert(p: &PartnerId, began_s: i64, key: &AlertKey) -> Key {
    Key::new(halted_alerts(p), format!("HALTED#{began_s:012}#{}", digest_of(key)))
}

/// Partition of the alerts in a digest of alerts: `ENTRY#…`.
#[must_use]
pub fn digest_entries(p: &PartnerId, digest: &AlertKey) -> String {
    format!("{}#DIGEST#{}", alerts(p), digest_of(digest))
}

/// An alert in a digest, by its place there, from 1. It sorts as text.
#[must_use]
pub fn digest_entry(p: &PartnerId, digest: &AlertKey, place: u32) -> Key {
    Key::new(digest_entries(p, digest), format!("ENTRY#{place:08}"))
}

fn digest_of(key: &AlertKey) -> String {
    hex::encode(Sha256::digest(key.as_str()))
}

/// Partition of the queue on one machine: messages `MSG#…`, the ids of those that wait `ID#…`, a counter `NEXT`. It names
/// partners, connections, runs and pages, and holds nothing else of anybody. Unused on AWS.
pub const QUEUE: &str = "QUEUE";

/// Partition of the queue of notices on one machine, as [`QUEUE`]. It holds what webhooks are told.
pub const NOTICES: &str = "NOTICES";

/// Partition of the queue of alerts on one machine, as [`QUEUE`]. It holds what partners know their alerts by.
pub const ALERTS: &str = "ALERTS";

/// Partition of the queue of pulls on one machine, as [`QUEUE`]. It names usage sources.
pub const PULLS: &str = "PULLS";

/// The counter that numbers the messages of `queue`.
#[must_use]
pub fn queue_counter(queue: &str) -> Key {
    Key::new(queue.to_owned(), "NEXT")
}

/// A message. Those of one lane stand together, in the order of their numbers.
#[must_use]
pub fn queue_message(queue: &str, p: &PartnerId, lane: &str, number: u64) -> Key {
    Key::new(queue.to_owned(), format!("MSG#{p}#{lane}#{number:020}"))
}

/// Sorts after every message of a lane and before those of the next: `~` follows every digit.
#[must_use]
pub fn queue_messages_end(p: &PartnerId, lane: &str) -> String {
    format!("MSG#{p}#{lane}#~")
}

/// That a message with this deduplication id waits.
#[must_use]
pub fn queue_id(queue: &str, p: &PartnerId, lane: &str, id: &str) -> Key {
    Key::new(queue.to_owned(), format!("ID#{p}#{lane}#{id}"))
}

/// Partition of the messages of `queue` that were given up on one machine; sort keys as in the queue.
#[must_use]
pub fn dead_letters(queue: &str) -> String {
    format!("{queue}#DEAD")
}

/// A message that was given up.
#[must_use]
pub fn dead_letter(queue: &str, p: &PartnerId, lane: &str, number: u64) -> Key {
    Key { pk: dead_letters(queue), ..queue_message(queue, p, lane, number) }
}
