//! Pages of an answer, cut from packs of rows as the store keeps them: neither has to fit the other.
//!
//! A position is `pack|rows of it that were given`, with the empty pack for the beginning.

use async_trait::async_trait;
use shared::api::Problem;
use shared::store::{Rows, StoreError};

/// Packs of rows in the store.
#[async_trait]
pub(crate) trait Packs {
    /// A row.
    type Row: Send;

    /// Some packs after the one named.
    async fn read(&self, after: Option<&str>) -> Result<Rows<Vec<Self::Row>>, StoreError>;
}

/// Up to `limit` rows that are to be kept, from the position `from` on, and the position of the next one.
pub(crate) async fn page<P: Packs>(
    packs: &P,
    keep: impl Fn(&P::Row) -> bool,
    limit: usize,
    from: Option<&str>,
) -> Result<(Vec<P::Row>, Option<String>), Problem> {
    let (mut after, mut skip) = match from.and_then(|position| position.rsplit_once('|')) {
        Some((pack, given)) => ((!pack.is_empty()).then(|| pack.to_owned()), given.parse().unwrap_or(0)),
        None => (None, 0_usize),
    };
    let mut items = Vec::new();
    loop {
        let read = packs.read(after.as_deref()).await?;
        for (sk, pack) in read.items {
            for (index, row) in pack.into_iter().enumerate().skip(std::mem::take(&mut skip)) {
                if !keep(&row) {
                    continue;
                }
                if items.len() == limit {
                    return Ok((items, Some(format!("{}|{index}", after.unwrap_or_default()))));
                }
                items.push(row);
            }
            after = Some(sk);
        }
        if read.next.is_none() {
            return Ok((items, None));
        }
    }
}

/// Every row that is to be kept.
pub(crate) async fn all<P: Packs>(packs: &P, keep: impl Fn(&P::Row) -> bool) -> Result<Vec<P::Row>, Problem> {
    Ok(page(packs, keep, usize::MAX, None).await?.0)
}

/// The first row that is the one wanted.
pub(crate) async fn find<P: Packs>(packs: &P, is_it: impl Fn(&P::Row) -> bool) -> Result<Option<P::Row>, Problem> {
    let mut after: Option<String> = None;
    loop {
        let read = packs.read(after.as_deref()).await?;
        let next = read.next;
        if let Some(found) = read.items.into_iter().flat_map(|(_, pack)| pack).find(&is_it) {
            return Ok(Some(found));
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok(None),
        }
    }
}
