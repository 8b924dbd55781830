//! What a run of all lines notices besides them: usage that is out of date, and lines that are billed without any.
//!
//! Nothing here changes a line. That a product is not counted for a company does not mean that it is not used there, so the
//! units stay and a person is told, with what is at stake. Lines that no mapping names are `unfed`'s.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::assess::Desk;
use super::draft::Draft;
use super::lines::{MappedFeed, MappedLine};
use crate::domain::finding::{Noticed, Subject};
use crate::domain::lifecycle::named;
use crate::domain::line::LineKey;
use crate::domain::reason::{Code, Reason};
use crate::store::usage::UsageBook;

/// Mapped products of which no complete snapshot has come since `fresh_from`.
pub(super) fn stale(feeds: &[MappedFeed], book: &UsageBook, fresh_from: Timestamp) -> Vec<Noticed> {
    let products: BTreeSet<_> = feeds.iter().map(|feed| &feed.product).collect();
    let stale = products.into_iter().filter_map(|product| Some((product, book.stale_since(product, fresh_from)?)));
    stale
        .map(|(product, since)| {
            let explanation = format!(
                "No complete snapshot of {product} has come since the one of {since}. Falls wait for one; rises are written."
            );
            let reason = Reason::new(Code::UsageStale, explanation);
            Noticed {
                about: Some(since.to_string()),
                product: Some(product.clone()),
                ..Noticed::of(Subject::Product(product.clone()), reason)
            }
        })
        .collect()
}

/// Mapped lines that carry units in the PSA, and for which nothing was ever counted.
pub(super) fn without_usage(mapped: &[MappedLine], draft: &Draft, desk: &Desk<'_>) -> Vec<Noticed> {
    let told: BTreeSet<LineKey> =
        draft.rows.iter().map(|row| row.key()).chain(draft.looks.iter().map(|look| look.line.key.clone())).collect();
    let silent = mapped.iter().filter(|line| !told.contains(&line.key));
    silent.filter_map(|line| billed_without_usage(line, desk)).collect()
}

fn billed_without_usage(line: &MappedLine, desk: &Desk<'_>) -> Option<Noticed> {
    let (contract, feed) = (desk.contracts.get(&line.key.contract)?, line.feeds.first()?);
    let found = desk.observed.lines.get(&(line.key.contract.clone(), line.key.service.clone()))?;
    let units = found.timeline.at(desk.today.date).filter(|units| units.get() > 0)?;
    let explanation = format!(
        "{} bills {units} of service {}, and no usage of {} was ever counted for company {}.",
        named(contract),
        line.key.service,
        feed.product,
        feed.company.company,
    );
    Some(Noticed {
        about: Some(units.to_string()),
        account: Some(contract.account.clone()),
        company: Some(feed.company.company.clone()),
        product: Some(feed.product.clone()),
        before: Some(units),
        ..Noticed::of(Subject::Line(line.key.clone()), Reason::new(Code::LineWithoutUsage, explanation))
    })
}
