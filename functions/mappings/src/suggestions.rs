//! `GET /v1/connections/{id}/suggestions`: which account each company that is not mapped is likely to be, and why.
//!
//! Reads what is known, asks the PSA for all its active accounts in as few pages as it allows, and lets
//! `domain::matching` choose. Nothing is mapped here.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use shared::api::auth::Reader;
use shared::api::paging::{Cut, List, Listing, Paging, cut};
use shared::api::sheet::{self, AtHand, Column, Sheet, Wants};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::ids::{AccountId, CompanyId, ConnectionId, ContractId, ProductKey, ServiceId};
use shared::domain::matching::{
    AccountToMatch, Candidate, CompanyToMatch, Evidence, KnownAccount, Match, Suggestion, suggest,
};
use shared::psa::open::Opened;
use shared::store::connections::Connection;
use shared::sync::{MappedElsewhere, Unmapped, Why};
use utoipa::ToSchema;

use crate::unmapped::Loose;
use crate::{Deps, accounts, billed_on};

/// A company that is not mapped, and the account that it is likely to be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Suggestion)]
pub(crate) struct SuggestionView {
    /// The company.
    #[schema(value_type = String)]
    company: CompanyId,
    /// Its name as last given.
    company_name: Option<String>,
    /// What it has usage of.
    #[schema(value_type = Vec<String>)]
    products: Vec<ProductKey>,
    /// The likeliest account. Null where no active account is like the company.
    #[schema(value_type = Option<String>)]
    account_id: Option<AccountId>,
    /// The account's name.
    account_name: Option<String>,
    /// What it is suggested for.
    r#match: Option<Match>,
    /// 0 to 1000; from 950 on more than a likeness of names.
    score: u32,
    /// Whether it may be taken without looking: nothing else is as likely, and nobody else has the account.
    sure: bool,
    /// Another connection of the partner that maps the company: its usage is billed there. Where that bills in another PSA,
    /// nothing is sure here.
    #[schema(value_type = Option<String>)]
    mapped_on: Option<ConnectionId>,
    /// What speaks for it and against it.
    evidence: Vec<Evidence>,
    /// The account's one active recurring contract, or the one of several that carries a service of the company's products.
    /// Null where nobody can say.
    #[schema(value_type = Option<String>)]
    contract_id: Option<ContractId>,
    /// The next best accounts, at most three.
    alternatives: Vec<Candidate>,
}

impl Sheet for SuggestionView {
    const COLUMNS: &'static [Column<Self>] = &[
        ("company", |found| found.company.to_string()),
        ("company_name", |found| sheet::cell(found.company_name.as_ref())),
        ("products", |found| listed(&found.products)),
        ("account_id", |found| sheet::cell(found.account_id.as_ref())),
        ("account_name", |found| sheet::cell(found.account_name.as_ref())),
        ("contract_id", |found| sheet::cell(found.contract_id.as_ref())),
        ("match", |found| sheet::word(&found.r#match)),
        ("score", |found| found.score.to_string()),
        ("sure", |found| found.sure.to_string()),
        ("mapped_on", |found| sheet::cell(found.mapped_on.as_ref())),
        ("evidence", |found| listed(found.evidence.iter().map(|evidence| &evidence.detail))),
        ("alternatives", |found| listed(found.alternatives.iter().map(other_account))),
    ];
}

fn other_account(candidate: &Candidate) -> String {
    format!("{} {}", candidate.account_id, candidate.account_name)
}

fn listed(items: impl IntoIterator<Item = impl ToString>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join("; ")
}

/// One page of suggestions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Suggestions {
    #[serde(flatten)]
    page: Listing<SuggestionView>,
    /// How many of all companies that are not mapped have an account that is sure, on whichever page they are.
    sure: usize,
}

/// What is known of a company that is not mapped.
#[derive(Default)]
struct Seen {
    name: Option<(Timestamp, String)>,
    products: BTreeSet<ProductKey>,
    accounts: BTreeSet<AccountId>,
}

/// Suggest accounts for companies that are not mapped.
///
/// Companies with usage of this month or the last that this connection does not map, each with the account that it is
/// likely to be: by exact ids first, then by equal names, then by similar ones. Nothing is applied: map a company with
/// `PUT …/companies/{company}`. With `Accept: text/csv` all of it comes as one file, bounded as every other; `limit` is not
/// looked at for it.
#[utoipa::path(
    get, path = "/v1/connections/{id}/suggestions", tag = "mappings", operation_id = "list_suggestions",
    params(("id" = String, Path), Paging),
    responses((status = 200, description = "By company", content((Suggestions = "application/json"), (String = "text/csv"))), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
    Query(paging): Query<Paging>,
    wants: Wants,
) -> Result<Response, Problem> {
    let list = List::named(&["suggestions", connection.as_str()]);
    let after = list.position(paging.cursor.as_deref())?;
    let psa = deps.opener.open(&caller.partner, &connection).await?;
    let loose = Loose::read(&deps, &caller.partner, &connection).await?;
    let seen = seen(&loose.feeds);
    let (page, sure) = match seen.is_empty() {
        true => (Cut { items: Vec::new(), next: None }, 0),
        false => {
            // A file is read to its end, and has to know all of it.
            let limit = if wants.csv() { usize::MAX } else { paging.limit.get().into() };
            suggested(&deps, &psa, (&loose, &seen), (after.as_deref(), limit)).await?
        }
    };
    if wants.csv() {
        let records = AtHand::of(&page.items, |found| found.company.to_string());
        return sheet::answer(&format!("suggestions-{connection}"), &list, &records, (&wants, after)).await;
    }
    let page = list.page(page.items, page.next.as_deref());
    Ok(Json(Suggestions { page, sure }).into_response())
}

/// A page of suggestions, and how many of all are sure.
async fn suggested(
    deps: &Deps,
    psa: &Opened,
    (loose, seen): (&Loose, &BTreeMap<CompanyId, Seen>),
    (after, limit): (Option<&str>, usize),
) -> Result<(Cut<SuggestionView>, usize), Problem> {
    let known = known(deps, &psa.connection, seen).await?;
    let accounts = accounts::all(psa).await?;
    let accounts = accounts.into_iter().map(|account| AccountToMatch {
        id: account.id,
        name: account.name,
        number: account.number,
    });
    let accounts: Vec<AccountToMatch> = accounts.collect();
    let mut mapped: BTreeMap<AccountId, BTreeSet<CompanyId>> = BTreeMap::new();
    for mapping in &loose.companies {
        mapped.entry(mapping.account_id.clone()).or_default().insert(mapping.company.clone());
    }
    // All of them at once, whichever page is asked for: an account goes to the company that is likeliest to be it.
    let mut suggestions = suggest(&known, &accounts, &mapped);
    let Connection { partner, id, psa: kind, endpoint, .. } = &psa.connection;
    let elsewhere = MappedElsewhere::read((&deps.connections, &deps.mappings), partner, id).await?;
    for found in &mut suggestions {
        let of_another_psa = |other: &Connection| other.psa != *kind || other.endpoint.tenant != endpoint.tenant;
        found.sure &= !elsewhere.connection_of(&found.company).is_some_and(of_another_psa);
    }
    let sure = suggestions.iter().filter(|found| found.sure).count();
    let page = cut(suggestions, after, |found| found.company.to_string(), limit);
    let billed_as = loose.products.iter().map(|mapping| (&mapping.product, mapping.service_id.as_ref()));
    let services = billed_as.filter_map(|(product, service)| Some((product, service?))).collect();
    let zone = TimeZone::get(&psa.connection.time_zone).map_err(Problem::internal)?;
    let today = deps.clock.now().to_zoned(zone).date();
    let wanted: Vec<_> = page.items.iter().filter_map(|found| wanted(found, seen, &services)).collect();
    let mut contracts = billed_on::contracts(psa.connector.as_ref(), &wanted, today).await?.into_iter();
    let view = |found: Suggestion| {
        let contract = if found.best.is_some() { contracts.next().flatten() } else { None };
        let products = seen.get(&found.company).map(|seen| seen.products.iter().cloned().collect());
        let mapped_on = elsewhere.connection_of(&found.company).map(|connection| connection.id.clone());
        SuggestionView { mapped_on, ..SuggestionView::new(found, products.unwrap_or_default(), contract) }
    };
    Ok((Cut { items: page.items.into_iter().map(view).collect(), next: page.next }, sure))
}

/// The companies that are not mapped, with what their usage says of them.
fn seen(feeds: &[Unmapped]) -> BTreeMap<CompanyId, Seen> {
    let mut companies: BTreeMap<CompanyId, Seen> = BTreeMap::new();
    for feed in feeds.iter().filter(|feed| feed.why == Why::CompanyNotMapped) {
        let seen = companies.entry(feed.company.clone()).or_default();
        seen.products.insert(feed.product.clone());
        seen.accounts.extend(feed.account_id.clone());
        if let Some(name) = &feed.company_name
            && seen.name.as_ref().is_none_or(|(as_of, _)| *as_of < feed.as_of)
        {
            seen.name = Some((feed.as_of, name.clone()));
        }
    }
    companies
}

/// The companies with what is on record of their accounts: in their usage, on the partner's other connections to the same
/// PSA tenant, and here until it was removed.
async fn known(
    deps: &Deps,
    connection: &Connection,
    seen: &BTreeMap<CompanyId, Seen>,
) -> Result<Vec<CompanyToMatch>, Problem> {
    let mut known: BTreeMap<&CompanyId, Vec<KnownAccount>> = BTreeMap::new();
    for (company, seen) in seen {
        known.entry(company).or_default().extend(seen.accounts.iter().cloned().map(KnownAccount::Stated));
    }
    for other in others(deps, connection).await? {
        for mapping in deps.mappings.companies_as_they_stand(&other.partner, &other.id).await? {
            if let Some(known) = known.get_mut(&mapping.company) {
                known.push(KnownAccount::OnAnotherConnection(mapping.account_id, other.name.clone()));
            }
        }
    }
    for mapping in deps.mappings.removed_companies(&connection.partner, &connection.id).await? {
        if let Some(known) = known.get_mut(&mapping.company) {
            known.push(KnownAccount::Removed(mapping.account_id));
        }
    }
    let company = |(company, known): (&CompanyId, Vec<KnownAccount>)| CompanyToMatch {
        company: company.clone(),
        name: seen.get(company).and_then(|seen| seen.name.clone()).map(|(_, name)| name),
        known,
    };
    Ok(known.into_iter().map(company).collect())
}

/// The partner's other connections to the same PSA tenant. What was mapped on one that is revoked is still known.
async fn others(deps: &Deps, connection: &Connection) -> Result<Vec<Connection>, Problem> {
    let same = |other: &Connection| {
        other.id != connection.id && other.psa == connection.psa && other.endpoint.tenant == connection.endpoint.tenant
    };
    Ok(deps.connections.all(&connection.partner).await?.into_iter().filter(same).collect())
}

/// The account that is suggested, and the services that the company's usage would be billed as.
fn wanted(
    found: &Suggestion,
    seen: &BTreeMap<CompanyId, Seen>,
    services: &BTreeMap<&ProductKey, &ServiceId>,
) -> Option<(AccountId, BTreeSet<ServiceId>)> {
    let account = found.best.as_ref()?.account_id.clone();
    let products = seen.get(&found.company).into_iter().flat_map(|seen| &seen.products);
    Some((account, products.filter_map(|product| services.get(product).copied().cloned()).collect()))
}

impl SuggestionView {
    fn new(found: Suggestion, products: Vec<ProductKey>, contract_id: Option<ContractId>) -> Self {
        let Suggestion { company, company_name, best, sure, alternatives } = found;
        let (account, evidence) = match best {
            Some(Candidate { account_id, account_name, r#match, score, evidence }) => {
                (Some((account_id, account_name, r#match, score)), evidence)
            }
            None => (None, Vec::new()),
        };
        let score = account.as_ref().map_or(0, |(.., score)| *score);
        let r#match = account.as_ref().map(|(_, _, found, _)| *found);
        let (account_id, account_name) = account.map(|(id, name, ..)| (id, name)).unzip();
        Self {
            company,
            company_name,
            products,
            account_id,
            account_name,
            r#match,
            score,
            sure,
            mapped_on: None,
            evidence,
            contract_id,
            alternatives,
        }
    }
}
