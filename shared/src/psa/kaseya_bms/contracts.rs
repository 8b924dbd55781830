//! Contracts: no one call of V2 shows a contract with its account, its type and its days, so they are joined.
//!
//! `contracts/summary` has type, days and the account's name; `contracts/lookup` is by account and has ids; `accounts/summary`
//! has names with ids. For a few contracts or accounts each is asked about by itself; for more, all summaries and all accounts are
//! walked once and joined by name, and two accounts of one name are told apart by asking each for its contracts. The type's
//! filter is not used: a spelling that is not BMS's would show no contract at all.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::client::{Ask, Client};
use super::errors;
use super::fields::{Row, id};
use super::pages::{self, Listing};
use super::template::Template;
use super::wire::Summary;
use crate::domain::contract::Contract;
use crate::domain::ids::{AccountId, ContractId};
use crate::psa::{CatalogPage, CatalogQuery, PsaError};

/// So many accounts or contracts are asked about one by one. That takes three or four requests for each.
const FEW: usize = 5;

type Summaries = BTreeMap<i64, Summary>;

/// Active recurring services contracts that have not ended: an account's, or a page of all.
pub(super) async fn contracts(client: &Client, asked: &CatalogQuery) -> Result<CatalogPage<Contract>, PsaError> {
    let text = pages::searched(asked).map(str::to_lowercase);
    // It ends wherever the partner is.
    let ending_from = today(client).saturating_sub(1.day());
    let offered = |contract: &Contract| {
        let named = text.as_ref().is_none_or(|text| contract.name.to_lowercase().contains(text));
        named && contract.active && contract.recurring.is_some() && ending_from <= contract.end
    };
    if let Some(account) = &asked.account {
        let all = of_account(client, account).await?.into_iter().filter(offered);
        let by_number = all.filter_map(|contract| Some((contract.id.as_str().parse().ok()?, contract)));
        return pages::cut(by_number.collect(), asked);
    }
    let listing = Listing::of(Template::ContractsSummary);
    let page = match pages::searched(asked) {
        Some(text) => pages::cut(listing.search(client, "Filter.ContractName", "contractname", text).await?, asked)?,
        None => listing.page_for(client, asked).await?,
    };
    let mut summaries = summaries(&page.items)?;
    summaries.retain(|_, summary| summary.recurring && ending_from <= summary.end);
    let mut items = joined(client, &summaries).await?;
    items.retain(offered);
    Ok(CatalogPage { items, next: page.next })
}

/// The contracts named, of whatever kind and state.
pub(super) async fn contracts_by_id(client: &Client, ids: &BTreeSet<ContractId>) -> Result<Vec<Contract>, PsaError> {
    let wanted: BTreeSet<i64> = ids.iter().filter_map(|id| id.as_str().parse().ok()).collect();
    let mut found = Summaries::new();
    let mut flags = BTreeMap::new();
    if wanted.len() <= FEW {
        let lookup = wanted.iter().fold(Ask::of(Template::ContractsLookup), |ask, id| ask.query("Ids", id));
        let rows = if wanted.is_empty() { vec![] } else { look_up(client, &lookup).await? };
        flags = flags_of(&rows)?;
        for row in rows.iter().filter(|row| row.whole("id").is_some_and(|id| wanted.contains(&id))) {
            // One name may be many contracts', and one answer may hold several of those that are wanted.
            let missing = row.whole("id").is_some_and(|id| !found.contains_key(&id));
            if let (true, Some(name)) = (missing, row.text("name")) {
                let listing = Listing::of(Template::ContractsSummary).only("Filter.ContractName", name);
                found.extend(walked(client, &listing, &wanted).await?);
            }
        }
    }
    if found.len() < wanted.len() {
        found = walked(client, &Listing::of(Template::ContractsSummary), &wanted).await?;
    }
    let mut contracts = joined(client, &found).await?;
    flag(&mut contracts, &flags);
    Ok(contracts)
}

/// The recurring services contracts of the accounts named that end on or after a day.
pub(super) async fn contracts_of(
    client: &Client,
    accounts: &BTreeSet<AccountId>,
    ending_from: Date,
) -> Result<Vec<Contract>, PsaError> {
    let mut found = vec![];
    if accounts.len() <= FEW {
        for account in accounts {
            found.extend(of_account(client, account).await?);
        }
    } else {
        let all = Listing::of(Template::ContractsSummary).walk(client).await?;
        let mut summaries = summaries(all.values())?;
        summaries.retain(|_, summary| summary.recurring && ending_from <= summary.end);
        found = joined(client, &summaries).await?;
        found.retain(|contract| accounts.contains(&contract.account));
    }
    found.retain(|contract| contract.recurring.is_some() && ending_from <= contract.end);
    Ok(found)
}

/// All contracts of one account: by its ids, its name, and the summaries of that name.
async fn of_account(client: &Client, account: &AccountId) -> Result<Vec<Contract>, PsaError> {
    let Ok(number) = account.as_str().parse::<i64>() else { return Ok(vec![]) };
    let rows = look_up(client, &Ask::of(Template::ContractsLookup).query("AccountId", number)).await?;
    let flags = flags_of(&rows)?;
    let wanted: BTreeSet<i64> = flags.keys().copied().collect();
    if wanted.is_empty() {
        return Ok(vec![]);
    }
    let shown = client.read(&Ask::about(Template::AccountSummary, number)).await?.row(Template::AccountSummary)?;
    let name = shown.text("accountname").filter(|_| shown.whole("id") == Some(number));
    let name =
        name.ok_or_else(|| errors::unreadable(Template::AccountSummary, "is not the account that was asked for"))?;
    let listing = Listing::of(Template::ContractsSummary);
    let mut found = walked(client, &listing.clone().only("Filter.AccountName", name.as_str()), &wanted).await?;
    // The filter may compare otherwise than we think.
    if found.len() < wanted.len() {
        found = walked(client, &listing, &wanted).await?;
    }
    // Had the look-up passed over the account, it would have shown every contract of the partner.
    found.retain(|_, summary| summary.account_name == name);
    let today = today(client);
    let contract = |summary: &Summary| summary.contract(account, flags.get(&summary.id).copied().flatten(), today);
    found.values().filter_map(|summary| contract(summary).transpose()).collect()
}

/// Summaries with their accounts. One whose account is not shown to this user is left out: whose it is can't be said.
async fn joined(client: &Client, summaries: &Summaries) -> Result<Vec<Contract>, PsaError> {
    let names: BTreeSet<&str> = summaries.values().map(|summary| summary.account_name.as_str()).collect();
    let accounts = accounts_named(client, &names).await?;
    let mut owners = BTreeMap::<i64, Vec<i64>>::new();
    for name in names {
        let namesakes = accounts.get(name).map(Vec::as_slice).unwrap_or_default();
        for account in namesakes.iter().filter(|_| namesakes.len() > 1) {
            let rows = look_up(client, &Ask::of(Template::ContractsLookup).query("AccountId", account)).await?;
            for contract in flags_of(&rows)?.into_keys() {
                owners.entry(contract).or_default().push(*account);
            }
        }
    }
    let today = today(client);
    let mut contracts = Vec::with_capacity(summaries.len());
    for summary in summaries.values() {
        let namesakes = accounts.get(summary.account_name.as_str());
        let owner = namesakes.filter(|namesakes| namesakes.len() == 1).or_else(|| owners.get(&summary.id));
        // Two that claim it are as good as none.
        let account = match owner.map(Vec::as_slice) {
            Some([account]) => Some(*account),
            _ => None,
        };
        match account {
            Some(account) => {
                contracts.extend(summary.contract(&id(account, Template::AccountsSummary)?, None, today)?);
            }
            None => tracing::warn!(contract = summary.id, "a contract whose account is not shown is left out"),
        }
    }
    Ok(contracts)
}

/// The ids of accounts by their exact names.
async fn accounts_named(client: &Client, names: &BTreeSet<&str>) -> Result<BTreeMap<String, Vec<i64>>, PsaError> {
    let listing = Listing::of(Template::AccountsSummary);
    let mut rows = BTreeMap::new();
    if names.len() <= FEW {
        for name in names.iter().filter(|name| !name.is_empty()) {
            rows.extend(listing.clone().only("Filter.AccountName", *name).walk(client).await?);
        }
    } else {
        rows = listing.walk(client).await?;
    }
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for (id, row) in rows {
        if let Some(name) = row.text("accountname").filter(|name| names.contains(name.as_str())) {
            found.entry(name).or_default().push(id);
        }
    }
    Ok(found)
}

/// The summaries of a list that are wanted.
async fn walked(client: &Client, listing: &Listing, wanted: &BTreeSet<i64>) -> Result<Summaries, PsaError> {
    let mut rows = listing.walk(client).await?;
    rows.retain(|id, _| wanted.contains(id));
    summaries(rows.values())
}

fn summaries<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Result<Summaries, PsaError> {
    rows.into_iter().map(|row| Summary::of(row).map(|summary| (summary.id, summary))).collect()
}

/// Rows of `GET /v2/finance/contracts/lookup`, which does not page.
pub(super) async fn look_up(client: &Client, ask: &Ask) -> Result<Vec<Row>, PsaError> {
    client.read(ask).await?.rows(Template::ContractsLookup)
}

/// Whether contracts are active, as the look-up flags them.
fn flags_of(rows: &[Row]) -> Result<BTreeMap<i64, Option<bool>>, PsaError> {
    rows.iter().map(|row| Ok((row.id(Template::ContractsLookup)?, row.flag("isactive")))).collect()
}

/// What is flagged as inactive is inactive, whatever its status says.
fn flag(contracts: &mut [Contract], flags: &BTreeMap<i64, Option<bool>>) {
    for contract in contracts {
        let flagged = contract.id.as_str().parse().ok().and_then(|id: i64| flags.get(&id).copied().flatten());
        contract.active &= flagged != Some(false);
    }
}

/// The day in UTC.
fn today(client: &Client) -> Date {
    client.clock.now().to_zoned(TimeZone::UTC).date()
}
