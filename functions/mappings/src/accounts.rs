//! The PSA's active accounts, page by page: no connector looks one up by its id.

use shared::api::Problem;
use shared::domain::ids::AccountId;
use shared::psa::open::Opened;
use shared::psa::{Account, CatalogQuery};

/// Accounts a page: the most that a PSA gives. One whose pages are shorter gives as many as it can.
const ACCOUNTS: u16 = 500;
/// Pages of accounts that are read: 100,000 accounts, or 20,000 where a page holds 100.
const PAGES: u32 = 200;

/// All of them.
///
/// # Errors
/// Too little is left of the hour's requests; or what the PSA said.
pub(crate) async fn all(psa: &Opened) -> Result<Vec<Account>, Problem> {
    let mut all = Vec::new();
    walk(psa, |account| {
        all.push(account);
        true
    })
    .await?;
    Ok(all)
}

/// Whether one has the id `id`.
///
/// # Errors
/// Too little is left of the hour's requests; or what the PSA said.
pub(crate) async fn exists(psa: &Opened, id: &AccountId) -> Result<bool, Problem> {
    let mut found = false;
    walk(psa, |account| {
        found |= account.id == *id;
        !found
    })
    .await?;
    Ok(found)
}

/// Shows them to `see`, as long as that asks for more.
async fn walk(psa: &Opened, mut see: impl FnMut(Account) -> bool) -> Result<(), Problem> {
    let allowance = psa.connector.allowance().await?;
    if allowance.room(psa.connection.policy.budget_percent) < PAGES {
        return Err(Problem::conflict("budget_exhausted", "Too little is left of the PSA's requests of this hour.")
            .fix("Try again within the hour: syncs come first."));
    }
    let mut query = CatalogQuery { limit: ACCOUNTS, ..CatalogQuery::default() };
    for _ in 0..PAGES {
        let page = psa.connector.accounts(&query).await?;
        let more = page.items.into_iter().filter(|account| account.active).all(&mut see);
        query.after = page.next.filter(|_| more);
        if query.after.is_none() {
            break;
        }
    }
    Ok(())
}
