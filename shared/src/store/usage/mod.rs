//! Usage: the snapshots as they came, the counts of each feed quarter hour by quarter hour, and what was complete when.
//!
//! Three kinds of row. A snapshot's header and records are immutable and answer "where does this number come from". A
//! feed's counts of one month are one row, so that a sync reads a whole month in a few queries. The newest complete
//! snapshot of a product tells absence from silence; it is written last, so that absence is never concluded from counts
//! that are only half in. Charges that come in a snapshot are stored by `charges`. What a count means for a line is decided in
//! `domain`.

mod book;
mod by_feed;
mod counts;
mod header;
mod list;
mod month;
mod parts;
mod receive;
mod roll;
mod snapshot;

pub use book::{FeedUsage, NewestComplete, UsageBook, UsageReader};
pub use by_feed::FeedsOf;
pub(super) use counts::Origin;
pub use counts::{Feed, RecordedCount};
pub(super) use header::expires;
pub use header::{Gaps, KEPT_DAYS, SnapshotHeader, SnapshotState};
pub use list::{CountFilter, CountPosition, CountRow, CountsPage};
pub use month::Month;
pub use parts::{MAX_PARTS, PartHeader, Sealing, Twice};
pub use receive::{Differs, Receipt, Snapshots};
pub use roll::CountedCompany;
pub use snapshot::{MAX_RECORDS, Record, Snapshot};
