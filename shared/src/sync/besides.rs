//! What a run of all lines notices besides them, gathered: usage that no mapping takes, lines that nothing feeds or counts,
//! sources that have gone silent. What each of these is, `gaps`, `unfed` and `unmapped` say; here it is read and put together.

use std::collections::{BTreeMap, BTreeSet};

use super::assess::Desk;
use super::contracts::Contracts;
use super::draft::Draft;
use super::elsewhere::MappedElsewhere;
use super::findings::stranded;
use super::lines::{MappedFeed, MappedLine};
use super::parts::PlannerParts as Parts;
use super::pricing::list_prices;
use super::unfed::Unfed;
use super::unmapped::{Why, recent_months, unmapped};
use super::{SyncError, gaps};
use crate::clock::Clock;
use crate::domain::line::{LineHistory, LineKey};
use crate::psa::Connector;
use crate::store::connections::Connection;
use crate::store::mappings::Everything;
use crate::store::usage::UsageBook;

/// What a run of all lines has in hand before it looks at any.
pub(super) struct Besides<'a> {
    pub parts: &'a Parts,
    pub psa: &'a dyn Connector,
    pub connection: &'a Connection,
    pub mappings: &'a Everything,
    pub histories: &'a BTreeMap<LineKey, LineHistory>,
}

impl Besides<'_> {
    /// The draft of a run that has no line to look at.
    pub async fn lines(&self) -> Result<Draft, SyncError> {
        let mut draft = Draft { whole: true, ..Draft::default() };
        self.stranded(&mut draft).await?;
        let book = self.parts.usage.load(&self.connection.partner, recent_months(self.parts.clock.now())).await?;
        self.unmapped(&mut draft, &book, false).await?;
        Ok(draft)
    }

    /// What is to be told of `mapped` lines and their `feeds` that no row of the draft tells, and of lines without any.
    pub async fn of_lines(
        &self,
        draft: &mut Draft,
        (feeds, mapped): (&[MappedFeed], &[MappedLine]),
        (unfed, contracts): (&Unfed, &Contracts),
        desk: &Desk<'_>,
    ) -> Result<(), SyncError> {
        draft.whole = true;
        draft.notice(unfed.notices(mapped, contracts, desk.today.date));
        draft.notice(gaps::stale(feeds, desk.book, desk.fresh_from));
        draft.notice(gaps::without_usage(mapped, draft, desk));
        self.stranded(draft).await
    }

    async fn stranded(&self, draft: &mut Draft) -> Result<(), SyncError> {
        let kept = (&self.parts.lines, &self.parts.ledger);
        let noticed = stranded(kept, self.connection, draft, self.histories).await?;
        draft.notice(noticed);
        Ok(())
    }

    /// Usage of the last months that no mapping takes, with what is at stake by list prices where there is room for them. It
    /// costs a request to the PSA where there is some of a mapped product.
    pub async fn unmapped(&self, draft: &mut Draft, book: &UsageBook, priced: bool) -> Result<(), SyncError> {
        let Everything { products, companies, .. } = self.mappings;
        let since = *recent_months(self.parts.clock.now()).start();
        let loose = unmapped(book, since, products, companies);
        if loose.is_empty() {
            return Ok(());
        }
        let kept = (&self.parts.connections, &self.parts.mappings);
        let elsewhere = MappedElsewhere::read(kept, &self.connection.partner, &self.connection.id).await?;
        let counted: BTreeSet<_> =
            loose.iter().filter(|feed| feed.why == Why::CompanyNotMapped).map(|feed| &feed.product).collect();
        let mapped = products.iter().filter(|mapping| counted.contains(&mapping.product));
        let services = mapped.filter(|_| priced).filter_map(|mapping| mapping.service_id.clone()).collect();
        let services = list_prices(self.psa, services).await;
        draft.gaps.extend(gaps::unmapped(&loose, &elsewhere, products, &services));
        Ok(())
    }
}
