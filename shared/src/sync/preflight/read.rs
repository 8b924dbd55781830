//! What a look at mapped feeds reads: of the PSA as much as planning a run of them would, and what is known of their lines
//! and their usage. Nothing is written, and nothing is judged here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::Preflights;
use crate::clock::Clock;
use crate::domain::ids::{AccountId, ConnectionId};
use crate::domain::line::{LineHistory, LineKey};
use crate::domain::money::{Currency, UnitPrices};
use crate::psa::{Observation, PsaError};
use crate::store::connections::Connection;
use crate::store::lines::Tenancy;
use crate::store::usage::UsageBook;
use crate::sync::assess::{bulk_window, months};
use crate::sync::contracts::Contracts;
use crate::sync::lines::{MappedFeed, MappedLine, Wanted};
use crate::sync::{SyncError, Today, live_writers, open};

/// Everything that was read.
pub(super) struct Seen {
    pub today: Date,
    pub contracts: Contracts,
    pub observed: Observation,
    pub histories: BTreeMap<LineKey, LineHistory>,
    pub live: BTreeSet<ConnectionId>,
    pub prices: Result<BTreeMap<LineKey, UnitPrices>, PsaError>,
    pub mapped: BTreeMap<LineKey, MappedLine>,
    pub book: UsageBook,
    /// A complete snapshot that is older than this is stale.
    pub fresh_from: Timestamp,
    pub usual_currency: Option<Currency>,
}

impl Preflights {
    /// Reads what there is to see of `feeds`, some of `all`. The inner error is the PSA's.
    pub(super) async fn look(
        &self,
        connection: &Connection,
        (feeds, all): (Vec<MappedFeed>, Vec<MappedFeed>),
        clock: &dyn Clock,
    ) -> Result<Result<Seen, PsaError>, SyncError> {
        let psa = match open(&self.opener, connection).await? {
            Ok(psa) => psa,
            Err(error) => return Ok(Err(error)),
        };
        let today = Today::of(connection, clock);
        let keys: BTreeSet<LineKey> = feeds.iter().map(|feed| feed.named.clone()).collect();
        let keys: Vec<LineKey> = keys.into_iter().collect();
        let histories = self.lines.named(&Tenancy::of(connection), &keys).await?;
        let live = live_writers(&self.connections, connection, histories.values()).await?;
        let read = async {
            let (contracts, feeds) = Contracts::read(psa.as_ref(), feeds, all, &BTreeSet::new(), today.date).await?;
            let writable = contracts.writable();
            let window = bulk_window(today.date, &connection.policy, writable.values().copied(), histories.values());
            let asked = contracts.asked(&feeds, &BTreeSet::new()).in_passing();
            let observed = psa.observe(&asked, window).await?;
            let made = feeds.iter().filter(|feed| !feed.named.service.is_unmade());
            let accounts: BTreeMap<LineKey, AccountId> =
                made.map(|feed| (feed.named.clone(), feed.company.account_id.clone())).collect();
            let prices = psa.prices(&accounts, &observed).await;
            let succession = contracts.succession(&feeds, &observed, &histories);
            let mapped = MappedLine::all(feeds, &succession, &Wanted::everything());
            Ok::<_, PsaError>((contracts, observed, prices, mapped))
        };
        let (contracts, observed, prices, mapped) = match read.await {
            Ok(read) => read,
            Err(error) => return Ok(Err(error)),
        };
        let book = self.usage.load(&connection.partner, months(&today, clock.now(), &mapped, &contracts.by_id)).await?;
        let mapped = mapped.into_iter().map(|line| (line.key.clone(), line)).collect();
        let usual_currency = usual(prices.as_ref().ok());
        let fresh_from = connection.policy.stale_after_hours.fresh_from(clock.now());
        Ok(Ok(Seen {
            fresh_from,
            today: today.date,
            contracts,
            observed,
            histories,
            live,
            prices,
            mapped,
            book,
            usual_currency,
        }))
    }
}

/// The currency that most lines are invoiced in.
fn usual(prices: Option<&BTreeMap<LineKey, UnitPrices>>) -> Option<Currency> {
    let mut counts: BTreeMap<&Currency, usize> = BTreeMap::new();
    for currency in prices?.values().filter_map(|prices| prices.currency.as_ref()) {
        *counts.entry(currency).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(currency, _)| currency.clone())
}
