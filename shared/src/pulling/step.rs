//! One step of a pull: some customers are read, and what they have is stored.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::counts::{Counted, Reading, named};
use super::share::Share;
use super::wanted::only_psa;
use super::{LONGEST_STEP, Puller, PullingError, faults};
use crate::domain::ids::{CompanyId, ProductKey, SnapshotId};
use crate::psa::Kind;
use crate::queue::PullMessage;
use crate::secrets::SecretName;
use crate::sources::{Metric, Pulled, Source, SourceCredentials, SourceError, Wanted};
use crate::store::sources::{Going, Tally, UsageSource};
use crate::store::usage::{Gaps, MAX_PARTS, MAX_RECORDS, Receipt, Sealing, Snapshot};
use crate::store::{Read, StoreError};

/// So many questions about single customers are asked in one step: at one a second, the slowest vendor's pace, seven minutes.
const ASKED_A_STEP: usize = 400;
/// More customers of whom nothing could be read than this make a product incomplete: the row of a snapshot stays small.
const MOST_UNTOLD: usize = 500;
/// So many of the customers that nobody was asked about are named.
const UNASKED_NAMED: usize = 100;

impl Puller {
    pub(super) async fn step(&self, row: &UsageSource, going: Going) -> Result<(), PullingError> {
        let source = match self.open(row).await? {
            Ok(source) => source,
            Err(error) => return self.end(row, &with_fault(going, error)).await,
        };
        let metrics: BTreeSet<Metric> = row.products.keys().cloned().collect();
        let of_each = metrics.iter().filter(|metric| source.asks_each(&BTreeSet::from([(*metric).clone()])));
        let of_each: BTreeSet<Metric> = of_each.cloned().collect();
        let connections = self.connections_of(&row.partner).await?;
        let wanted =
            if of_each.is_empty() { BTreeSet::new() } else { self.wanted(row, &connections, &of_each).await? };
        let share = Share::next(&wanted, going.after.clone(), ASKED_A_STEP / of_each.len().max(1));
        let asked = Wanted { metrics, companies: Some(share.companies.clone()), filters: row.filters.clone() };
        let pulled = read(&*source, &asked).await;
        // It was removed or set up anew meanwhile: what was read is not what is wanted any more.
        if !self.is_wanted(row, &going).await? {
            return Ok(());
        }

        let today = going.as_of.to_zoned(TimeZone::UTC).date();
        let psa = only_psa(&connections);
        let vendor = row.vendor;
        let reading = Reading { vendor, products: &row.products, wanted: &asked, of_each: &of_each, psa, today };
        let counts = reading.counts(&pulled, |company| share.has(company));
        let mut going = Going { tally: tallied(going.tally.clone(), &pulled, &share), ..going };
        if !of_each.is_empty() {
            unasked(&mut going.tally, row, &pulled, |company| share.has(company) && !asked.has(company));
        }
        for (product, counted) in counts {
            self.store(row, &mut going, product, counted).await?;
        }
        // What stopped this step would stop the next one as well.
        match share.up_to.filter(|_| pulled.stopped.is_none()) {
            Some(up_to) => self.next_step(row, Going { after: Some(up_to), ..going }).await,
            None => self.seal(row, going, &of_each).await,
        }
    }

    /// Whether the pull is still what its source is to be read for.
    async fn is_wanted(&self, row: &UsageSource, going: &Going) -> Result<bool, PullingError> {
        let stored = self.0.sources.get(&row.partner, row.vendor, Read::Consistent).await?;
        Ok(stored.and_then(|stored| stored.going).is_some_and(|stored| stored.is(going)))
    }

    /// The source with its credentials; or why a person has to send others.
    async fn open(&self, row: &UsageSource) -> Result<Result<Arc<dyn Source>, SourceError>, PullingError> {
        let secret = self.0.secrets.read(&SecretName::of_source(&row.partner, row.vendor)).await?;
        let credentials = secret.and_then(|secret| SourceCredentials::from_secret(&secret).ok());
        let credentials = credentials.filter(|credentials| credentials.vendor() == row.vendor);
        let Some(credentials) = credentials else { return Ok(Err(faults::without_credentials())) };
        Ok(self.0.registry.open(&credentials))
    }

    /// Stores a product's counts as the next parts of its snapshot.
    async fn store(
        &self,
        row: &UsageSource,
        going: &mut Going,
        product: ProductKey,
        counted: Counted,
    ) -> Result<(), PullingError> {
        let id = snapshot_id(row, going, &product)?;
        let parts = going.products.entry(product).or_default();
        parts.untold.extend(counted.untold);
        parts.short |= !counted.whole || parts.untold.len() > MOST_UNTOLD;
        if parts.short {
            // It says nothing of anybody who is not in it.
            parts.untold.clear();
        }
        going.tally.counts += u64::try_from(counted.records.len()).unwrap_or_default();
        for records in counted.records.chunks(MAX_RECORDS) {
            if parts.stored == MAX_PARTS {
                going.tally.fault.get_or_insert_with(faults::too_many);
                parts.short = true;
                break;
            }
            parts.stored += 1;
            let part = Snapshot::new(id.clone(), going.as_of, false, records.to_vec());
            let received = self.0.snapshots.receive_part(&row.partner, &part, parts.stored, self.0.clock.now()).await?;
            if let Receipt::Differs(why) = received {
                tracing::error!(snapshot = %id, ?why, "a pull's snapshot has the name of another");
                parts.short = true;
            }
        }
        Ok(())
    }

    async fn next_step(&self, row: &UsageSource, going: Going) -> Result<(), PullingError> {
        let going = Going { step: going.step + 1, begun: false, moved_at: self.0.clock.now(), ..going };
        let mut is_mine = false;
        let moved = self.0.sources.edit(&row.partner, row.vendor, |stored| {
            is_mine = stored.going.as_ref().is_some_and(|stored| stored.is(&going));
            if is_mine {
                stored.going = Some(going.clone());
            }
            is_mine
        });
        moved.await?;
        if !is_mine {
            return Ok(());
        }
        let nonce = format!("{}.{}", going.attempt, going.step);
        let message = PullMessage { nonce, ..PullMessage::asks(&row.partner, row.vendor, going.pull) };
        Ok(self.0.queue.send_pulls(&[message]).await?)
    }

    /// Makes of each product's parts one snapshot, complete where all of them were whole.
    async fn seal(&self, row: &UsageSource, mut going: Going, of_each: &BTreeSet<Metric>) -> Result<(), PullingError> {
        // A product that nobody has any of is not told at all: what is known of it stays, and grows stale.
        for (product, parts) in going.products.clone().into_iter().filter(|(_, parts)| parts.stored > 0) {
            let id = snapshot_id(row, &going, &product)?;
            let mut metrics = row.products.iter().filter(|(_, fed)| **fed == product).map(|(metric, _)| metric);
            let gaps = Gaps { untold: parts.untold, only_asked: metrics.any(|metric| of_each.contains(metric)) };
            let sealed = self.0.snapshots.seal_but(&row.partner, &id, parts.stored, !parts.short, &gaps).await?;
            if !matches!(sealed, Sealing::Sealed(_)) {
                tracing::error!(%product, ?sealed, "a pull's snapshot can't be sealed");
                going.products.entry(product).or_default().short = true;
                going.tally.fault.get_or_insert_with(faults::unsealed);
            }
        }
        self.end(row, &going).await
    }
}

/// Reads, but not for ever.
async fn read(source: &dyn Source, asked: &Wanted) -> Pulled {
    let pulled = tokio::time::timeout(LONGEST_STEP, source.pull(asked)).await;
    let mut pulled = pulled.unwrap_or_else(|_| Pulled { stopped: Some(faults::too_slow()), ..Pulled::default() });
    // A vendor that lists nobody has lost its list more likely than we have lost every customer.
    if pulled.stopped.is_none() && pulled.customers.is_empty() {
        pulled.stopped = Some(faults::nobody());
    }
    pulled
}

/// Notes customers that nobody was asked about, so that somebody may map them.
fn unasked(tally: &mut Tally, row: &UsageSource, pulled: &Pulled, is_unasked: impl Fn(&CompanyId) -> bool) {
    for customer in pulled.customers.iter().filter(|customer| is_unasked(&customer.company)) {
        tally.unasked += 1;
        if tally.unasked_first.len() < UNASKED_NAMED {
            tally.unasked_first.extend(named(row.vendor, customer));
        }
    }
}

/// What the steps so far have come to, this one included.
fn tallied(tally: Tally, pulled: &Pulled, share: &Share) -> Tally {
    let customers = pulled.customers.iter().filter(|customer| share.has(&customer.company)).count();
    let first = pulled.stopped.clone().or_else(|| pulled.unread.first().map(|(_, error)| error.clone()));
    // That the credentials are refused is what a person has to hear of, whatever went wrong before.
    let refused = pulled.stopped.clone().filter(|error| error.kind == Kind::Auth);
    Tally {
        pages: tally.pages.saturating_add(pulled.pages),
        companies: tally.companies + u64::try_from(customers).unwrap_or_default(),
        total: pulled.total.or(tally.total),
        counts: tally.counts,
        unread: tally.unread.saturating_add(u32::try_from(pulled.unread.len()).unwrap_or(u32::MAX)),
        fault: refused.or(tally.fault).or(first),
        ..tally
    }
}

/// Never the same for two readings, so that no part of one is taken for another's.
fn snapshot_id(row: &UsageSource, going: &Going, product: &ProductKey) -> Result<SnapshotId, PullingError> {
    let rest = format!("{}-{}-{}", going.as_of.as_millisecond(), going.attempt, short(product));
    row.vendor.snapshot(&rest).ok_or_else(|| StoreError::Corrupt("a pull has no usable name".to_owned()).into())
}

/// An id is as long as a product's key may be: of a long one the beginning and a digest stand for it.
fn short(product: &ProductKey) -> String {
    use sha2::{Digest as _, Sha256};
    const WHOLE: usize = 64;
    let key = product.as_str();
    if key.len() <= WHOLE {
        return key.to_owned();
    }
    let digest = hex::encode(Sha256::digest(key));
    format!("{}-{}", key.get(..32).unwrap_or_default().trim(), digest.get(..16).unwrap_or_default())
}

fn with_fault(going: Going, fault: SourceError) -> Going {
    Going { tally: Tally { fault: Some(fault), ..going.tally.clone() }, ..going }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_keys_of_products_are_told_apart() {
        let key = |end: &str| format!("{}{end}", "k".repeat(100)).parse::<ProductKey>().unwrap();
        assert_eq!(short(&"edr".parse().unwrap()), "edr");
        assert!(short(&key("a")).len() <= 64);
        assert_ne!(short(&key("a")), short(&key("b")));
    }
}
