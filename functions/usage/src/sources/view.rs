//! A usage source as its partner sees it. Nothing of its credentials is in it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::ids::ProductKey;
use shared::domain::schedule::{self, Schedule};
use shared::sources::{Filter, Filters, Metric, SourceCredentials, Vendor};
use shared::store::sources::{Going, LastPull, Named, PullStatus, UsageSource};
use utoipa::ToSchema;

/// A usage source.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Source)]
pub(crate) struct SourceView {
    /// Whose API is read.
    source: Vendor,
    /// Which of the vendor's metrics are which products.
    #[schema(value_type = BTreeMap<String, String>)]
    products: BTreeMap<Metric, ProductKey>,
    /// What is counted besides the usual, or is not counted.
    filters: Filters,
    /// When it is pulled; null: every day, 90 minutes before the first sync.
    #[schema(value_type = Option<schedule::Parts>)]
    schedule: Option<Schedule>,
    /// IANA name of the time zone of the schedule.
    time_zone: String,
    /// What the vendor counts; `{…}` stands for a part of the name that is yours to fill in.
    metrics: &'static [&'static str],
    /// When it is pulled next by itself.
    #[schema(value_type = String, format = DateTime)]
    next_due_at: Timestamp,
    /// When it was set up.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When a person last changed it.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// The pull that is going on; null where none is.
    going: Option<GoingView>,
    /// How the last pull ended; null before the first has.
    last_pull: Option<LastPullView>,
}

/// A pull that is going on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PullGoing)]
pub(crate) struct GoingView {
    /// The instant at which it was asked for, which names it.
    #[schema(value_type = String, format = DateTime)]
    pull: Timestamp,
    /// When it began; its counts are true for that instant.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// The step that it is at, from 1: a vendor that has to be asked customer by customer is read in several.
    step: u32,
}

/// How a pull ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LastPull)]
pub(crate) struct LastPullView {
    /// The instant at which it was asked for, which names it.
    #[schema(value_type = String, format = DateTime)]
    pull: Timestamp,
    /// How, in a word.
    status: PullStatus,
    /// Whether the counts of every product are complete. Only then can all of them be lowered.
    complete: bool,
    /// Pages and single answers that were read.
    pages: u32,
    /// Customers that the vendor listed.
    companies: u64,
    /// Customers by the vendor's own count; null where it tells none.
    total: Option<u64>,
    /// Counts that were stored.
    counts: u64,
    /// Products of which nobody was counted: a metric that the vendor does not know by this name, or that no customer has. What
    /// was counted before stays.
    #[schema(value_type = Vec<String>)]
    nothing_of: Vec<ProductKey>,
    /// Customers that could not be read while the others were.
    unread: u32,
    /// Customers that the vendor lists and has to be asked about one by one, and that nobody asked about: they are neither mapped
    /// nor were ever counted.
    not_asked: NotAsked,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The instant that its counts are true for.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// The first thing that went wrong; null where nothing did.
    code: Option<String>,
    /// The same in words.
    explanation: Option<String>,
    /// What to do about it.
    fix: Option<String>,
}

/// A vendor that is asked about each customer is not asked about those that nobody bills.
const MAP_THEM: &str =
    "Map those that are billed: PUT /v1/connections/{id}/companies/{company}. The next pull counts them.";

/// Customers that wait for somebody to map them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NotAsked)]
pub(crate) struct NotAsked {
    /// How many.
    companies: u64,
    /// What to do about them; null where there are none.
    fix: Option<&'static str>,
    /// The first hundred.
    first: Vec<Named>,
}

/// A vendor that is known and not set up.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AvailableSource)]
pub(crate) struct Available {
    /// Its name in paths.
    source: Vendor,
    /// What it counts; `{…}` stands for a part of the name that is yours to fill in.
    metrics: &'static [&'static str],
    /// The choices that it knows.
    filters: Vec<&'static str>,
    /// The fields that its credentials can't be without.
    credentials: Vec<String>,
}

impl From<UsageSource> for SourceView {
    fn from(row: UsageSource) -> Self {
        Self {
            source: row.vendor,
            products: row.products,
            filters: row.filters,
            schedule: row.schedule,
            time_zone: row.time_zone,
            metrics: row.vendor.metrics(),
            next_due_at: row.due_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            going: row.going.map(GoingView::from),
            last_pull: row.last.map(LastPullView::from),
        }
    }
}

impl From<Going> for GoingView {
    fn from(going: Going) -> Self {
        Self { pull: going.pull, since: going.as_of, step: going.step.saturating_add(1) }
    }
}

impl From<LastPull> for LastPullView {
    fn from(last: LastPull) -> Self {
        let tally = last.tally;
        let (code, words) = tally.fault.map(|fault| (fault.code, (fault.explanation, fault.fix))).unzip();
        let (explanation, fix) = words.unzip();
        Self {
            pull: last.pull,
            status: last.status,
            complete: last.complete,
            pages: tally.pages,
            companies: tally.companies,
            total: tally.total,
            counts: tally.counts,
            nothing_of: last.nothing_of,
            unread: tally.unread,
            not_asked: NotAsked {
                companies: tally.unasked,
                fix: (tally.unasked > 0).then_some(MAP_THEM),
                first: tally.unasked_first,
            },
            at: last.at,
            as_of: last.as_of,
            code,
            explanation,
            fix,
        }
    }
}

impl From<Vendor> for Available {
    fn from(vendor: Vendor) -> Self {
        Self {
            source: vendor,
            metrics: vendor.metrics(),
            filters: vendor.filters().iter().copied().map(Filter::as_str).collect(),
            credentials: SourceCredentials::required(vendor),
        }
    }
}
