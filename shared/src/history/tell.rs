//! Rows as entries: what they name is fetched, all of it at once, and told in words.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::charge;
use super::entry::{Entry, Kind, State};
use super::place::Place;
use super::sieve::{kind_of, kinds_of, product_of};
use super::stream::{Found, Placed};
use crate::domain::charge::ChargeLine;
use crate::domain::difference::{Difference, Fields};
use crate::domain::ids::{CompanyId, ProductKey, RunId};
use crate::domain::intent::IntentState;
use crate::domain::line::LineKey;
use crate::domain::repricing::Repricing;
use crate::domain::units::Units;
use crate::ledger::{ChargeIntent, Intent, RESOLVED_BY_PERSON};
use crate::store::connections::Connection;
use crate::store::journal::{Act, ChargeIntentName, ConnectionChanged, IntentName, ResolvedFinding, What};
use crate::store::lines::Tenancy;
use crate::store::mappings::{CompanyMapping, Mapping, MappingVersion};
use crate::store::runs::{Mode, Run, RunState, Trigger};
use crate::store::{Key, StoreError, Table, schema};

/// Rows that one request reads by their keys.
const KEYS_A_REQUEST: usize = 100;

/// An entry, and all that it is about.
#[derive(Debug)]
pub(super) struct Told {
    pub entry: Entry,
    pub lines: Vec<LineKey>,
    pub charges: Vec<ChargeLine>,
    pub companies: Vec<CompanyId>,
    pub products: Vec<ProductKey>,
}

/// What rows name.
struct Looked<'a> {
    of: &'a Connection,
    versions: BTreeMap<(String, u32), MappingVersion<Fields>>,
    runs: BTreeMap<RunId, Run>,
    intents: BTreeMap<Key, Intent>,
    charges: BTreeMap<Key, ChargeIntent>,
}

/// The entries of `rows`, in their order, each with its place; and how many requests that cost.
pub(super) async fn all(
    table: &Table,
    of: &Connection,
    rows: Vec<Placed>,
) -> Result<(Vec<(Place, Told)>, u32), StoreError> {
    let (looked, requests) = Looked::up(table, of, &rows).await?;
    let mut told = Vec::with_capacity(rows.len());
    for Placed { place, found } in rows {
        let entries = match found {
            Found::Act(act) => looked.act(act),
            Found::Named(_, name) => {
                looked.intents.get(&looked.key_of(&name)).and_then(|i| looked.change(i)).into_iter().collect()
            }
            Found::Intent(intent) => looked.change(&intent).into_iter().collect(),
            Found::NamedCharge(_, name) => {
                looked.charges.get(&looked.key_of_charge(&name)).and_then(|i| looked.charge(i)).into_iter().collect()
            }
            Found::Charge(intent) => looked.charge(&intent).into_iter().collect(),
        };
        for (entry, index) in entries.into_iter().zip(place.index..) {
            told.push((Place { index, ..place.clone() }, entry));
        }
    }
    Ok((told, requests))
}

impl<'a> Looked<'a> {
    async fn up(table: &Table, of: &'a Connection, rows: &[Placed]) -> Result<(Self, u32), StoreError> {
        let (intents, charges) = (BTreeMap::new(), BTreeMap::new());
        let mut looked = Self { of, versions: BTreeMap::new(), runs: BTreeMap::new(), intents, charges };
        let (mut versions, mut runs) = (BTreeMap::new(), BTreeSet::new());
        let (mut intents, mut charges) = (BTreeSet::new(), BTreeSet::new());
        for Placed { found, .. } in rows {
            match found {
                Found::Act(Act { what: What::Mapping { mapping, version }, .. }) => {
                    // The one before tells what changed.
                    for version in [*version, version.saturating_sub(1)].into_iter().filter(|version| *version > 0) {
                        let row = Key { pk: String::new(), sk: mapping.clone() };
                        let key = schema::mapping_version(&of.partner, &of.id, &row, version);
                        versions.insert((mapping.clone(), version), key);
                    }
                }
                Found::Act(Act { what: What::Run { run, .. }, .. }) => {
                    runs.insert(run.clone());
                }
                Found::Act(_) => {}
                Found::Named(run, name) => {
                    runs.insert(run.clone());
                    intents.insert(looked.key_of(name));
                }
                Found::Intent(intent) => {
                    runs.insert(intent.run.clone());
                }
                Found::NamedCharge(run, name) => {
                    runs.insert(run.clone());
                    charges.insert(looked.key_of_charge(name));
                }
                Found::Charge(intent) => {
                    runs.insert(intent.run.clone());
                }
            }
        }
        let runs: Vec<(RunId, Key)> =
            runs.into_iter().map(|run| (run.clone(), schema::run(&of.partner, &run))).collect();
        let of_runs = runs.iter().map(|(_, key)| key);
        let keys: Vec<Key> = versions.values().chain(of_runs).chain(&intents).chain(&charges).cloned().collect();
        let mut found = table.get_several(&keys).await?;
        for (version, key) in versions {
            looked.versions.extend(found.take(&key)?.map(|row| (version, row)));
        }
        for (run, key) in runs {
            looked.runs.extend(found.take(&key)?.map(|row| (run, row)));
        }
        for key in intents {
            looked.intents.extend(found.take(&key)?.map(|row| (key, row)));
        }
        for key in charges {
            looked.charges.extend(found.take(&key)?.map(|row| (key, row)));
        }
        let requests = u32::try_from(keys.len().div_ceil(KEYS_A_REQUEST)).unwrap_or(u32::MAX);
        Ok((looked, requests))
    }

    fn key_of(&self, IntentName { line, revision, key }: &IntentName) -> Key {
        let Tenancy { partner, psa, tenant } = Tenancy::of(self.of);
        schema::intent(&partner, psa, &tenant, line, *revision, key)
    }

    fn key_of_charge(&self, ChargeIntentName { line, revision, key }: &ChargeIntentName) -> Key {
        let Tenancy { partner, psa, tenant } = Tenancy::of(self.of);
        schema::charge_intent_named((&partner, psa, &tenant), line, *revision, key)
    }

    fn actor(&self, run: &RunId) -> &str {
        self.runs.get(run).map_or("unknown", |run| run.actor.as_str())
    }

    /// A write of a charge, if it was sent.
    fn charge(&self, intent: &ChargeIntent) -> Option<Told> {
        charge::change(intent, self.actor(&intent.run))
    }

    /// The entries of something that was done, the newest first.
    fn act(&self, Act { at, what }: Act) -> Vec<Told> {
        match what {
            What::Connection(changed) => vec![connection(at, changed)],
            What::Mapping { mapping, version } => self.mapping(at, &mapping, version).into_iter().collect(),
            What::Run { run, .. } => self.runs.get(&run).map(run_and_people).unwrap_or_default(),
            What::Resolved(resolved) => vec![finding(at, *resolved)],
        }
    }

    fn mapping(&self, at: Timestamp, row: &str, version: u32) -> Option<Told> {
        let now = self.versions.get(&(row.to_owned(), version))?;
        let earlier = version.checked_sub(1).and_then(|version| self.versions.get(&(row.to_owned(), version)));
        let content = |version: Option<&MappingVersion<Fields>>| {
            version.filter(|version| !version.removed).map(|version| said(&version.mapping))
        };
        let (before, after) = (content(earlier), content(Some(now)));
        let difference = Difference::between(&before.clone().unwrap_or_default(), &after.clone().unwrap_or_default());
        let fields = difference.names().join(", ");
        let actor = now.mapping.get("updated_by").and_then(Value::as_str).unwrap_or_default();
        let company = row.strip_prefix(CompanyMapping::PREFIX);
        let product = product_of(row);
        let [mapped, changed, unmapped] = kinds_of(row);
        let (what, were) = match (company, product) {
            (Some(company), _) => (format!("company {company}"), "was"),
            (None, None) => ("tickets".to_owned(), "were"),
            (None, Some(product)) if mapped == Kind::ChargesMapped => (format!("charges of product {product}"), "were"),
            (None, Some(product)) => (format!("product {product}"), "was"),
        };
        let (kind, summary) = match (before, after) {
            (_, None) => (unmapped, format!("The mapping of {what} was removed.")),
            (None, Some(_)) => (mapped, format!("The {what} {were} mapped.")),
            (Some(_), Some(_)) => (changed, format!("The mapping of {what} was changed: {fields}.")),
        };
        let company: Option<CompanyId> = company.and_then(|company| company.parse().ok());
        let product: Option<ProductKey> = product.and_then(|product| product.parse().ok());
        let products = product.iter().cloned().chain(overridden(&difference)).collect();
        let entry = Entry::new(kind, at, actor, summary).changing(difference.before, difference.after);
        let companies = company.iter().cloned().collect();
        let (lines, charges) = (Vec::new(), Vec::new());
        Some(Told { entry: Entry { company, product, ..entry }, lines, charges, companies, products })
    }

    /// A change of a line, if it may have been made.
    fn change(&self, intent: &Intent) -> Option<Told> {
        let meaning = &intent.meaning;
        let state = match (intent.state, intent.code.as_deref()) {
            (IntentState::Applied, _) => State::Applied,
            (IntentState::Sent | IntentState::Unknown, _) => State::Unknown,
            // One that was never sent was surely not made, whoever gave it up.
            (IntentState::Rejected, Some(RESOLVED_BY_PERSON)) if intent.sent_at.is_some() => State::GivenUp,
            (IntentState::Rejected | IntentState::Intended, _) => return None,
        };
        let (before, target, from) = (meaning.before, meaning.target, meaning.effective);
        let taking_back = if meaning.reverses.is_some() { ", taking back a change" } else { "" };
        let summary = match (state, intent.landed) {
            (State::Applied, None) => format!("{} from {from}{taking_back}.", begun(before, target, meaning.prices)),
            (State::Applied, Some(units)) => format!(
                "From {before} to {units} units from {from}: the PSA took the change to {target} for another one."
            ),
            (State::Unknown, _) => format!(
                "A change {} from {from} was sent{taking_back}; what became of it is not known yet.",
                change(before, target, meaning.prices)
            ),
            // One of units that was not made is none: the match above leaves it out.
            (State::Rejected, _) => return None,
            (State::GivenUp, _) => format!(
                "A change {} from {from} was sent{taking_back}; nobody could tell what became of it, and it was given up.",
                change(before, target, meaning.prices)
            ),
        };
        let at = intent.decided_at()?;
        let actor = self.actor(&intent.run);
        let sides = sides(before, intent.landed.unwrap_or(target), meaning.prices);
        let entry = Entry::new(Kind::UnitsChanged, at, actor, summary).of_line(&meaning.line);
        let entry = Entry {
            company: meaning.company.clone(),
            product: meaning.product.clone(),
            run_id: Some(intent.run.clone()),
            effective_date: Some(from),
            state: Some(state),
            ..entry.changing(sides.0, sides.1)
        };
        Some(Told {
            lines: vec![meaning.line.clone()],
            charges: Vec::new(),
            companies: meaning.company.iter().cloned().collect(),
            products: meaning.product.iter().cloned().collect(),
            entry,
        })
    }
}

/// A change of a line in words, as in "a change …".
fn change(before: Units, target: Units, prices: Option<Repricing>) -> String {
    match prices {
        Some(prices) if before == target => format!("of {}", prices.in_words()),
        Some(prices) => format!("from {before} to {target} units with {}", prices.in_words()),
        None => format!("from {before} to {target} units"),
    }
}

/// The same at the beginning of a sentence.
fn begun(before: Units, target: Units, prices: Option<Repricing>) -> String {
    match prices {
        Some(prices) if before == target => format!("A change of {}", prices.in_words()),
        Some(prices) => format!("From {before} to {target} units with {}", prices.in_words()),
        None => format!("From {before} to {target} units"),
    }
}

/// Units and prices of a line before a change and after it.
fn sides(before: Units, after: Units, prices: Option<Repricing>) -> (Fields, Fields) {
    let units = |units: Units| Fields::from_iter([("units".to_owned(), json!(units))]);
    let mut sides = (units(before), units(after));
    let steps = prices.map(|prices| [("unit_cost", prices.cost), ("unit_price", prices.price)]);
    for (name, step) in steps.into_iter().flatten() {
        let Some(step) = step else { continue };
        sides.0.insert(name.to_owned(), json!(step.before));
        sides.1.insert(name.to_owned(), json!(step.target));
    }
    sides
}

/// What a person said in a mapping; what the server notes beside it is left out.
fn said(mapping: &Fields) -> Fields {
    const NOTED: [&str; 6] = ["company", "product", "openings", "version", "updated_at", "updated_by"];
    // That of tickets stands apart from what is noted.
    let mapping = mapping.get("mapping").and_then(Value::as_object).unwrap_or(mapping);
    mapping.iter().filter(|(name, _)| !NOTED.contains(&name.as_str())).map(|(n, v)| (n.clone(), v.clone())).collect()
}

/// Products for which something of their own changed.
fn overridden(difference: &Difference) -> Vec<ProductKey> {
    let of = |side: &Fields| {
        let own = side.get("overrides").and_then(Value::as_object);
        own.map(|own| own.keys().filter_map(|product| product.parse().ok()).collect::<Vec<_>>()).unwrap_or_default()
    };
    of(&difference.before).into_iter().chain(of(&difference.after)).collect()
}

fn connection(at: Timestamp, changed: ConnectionChanged) -> Told {
    let ConnectionChanged { act, actor, before, after, .. } = changed;
    let kind = kind_of(act);
    let difference = Difference { before, after };
    let summary = match kind {
        Kind::ConnectionCreated => "The connection was made.".to_owned(),
        Kind::CredentialsReplaced => "The credentials were replaced.".to_owned(),
        Kind::CredentialsRejected => "The PSA turned the credentials away.".to_owned(),
        Kind::CredentialsAccepted => "The PSA takes the credentials again.".to_owned(),
        Kind::ConnectionRevoked => "The connection was revoked, and its credentials were removed.".to_owned(),
        _ => format!("The connection was changed: {}.", difference.names().join(", ")),
    };
    let entry = Entry::new(kind, at, &actor, summary).changing(difference.before, difference.after);
    Told { entry, lines: Vec::new(), charges: Vec::new(), companies: Vec::new(), products: Vec::new() }
}

fn finding(at: Timestamp, resolved: ResolvedFinding) -> Told {
    let ResolvedFinding { actor, note, code, subject, company, product, run, .. } = resolved;
    let summary = format!("The finding {code} on {subject} was resolved.");
    let mut after = Fields::from_iter([("status".to_owned(), json!("resolved"))]);
    after.extend(note.map(|note| ("note".to_owned(), note.into())));
    let before = Fields::from_iter([("status".to_owned(), json!("open"))]);
    let entry = Entry::new(Kind::FindingResolved, at, &actor, summary).changing(before, after);
    let entry = match (subject.line(), subject.charge()) {
        (Some(line), _) => entry.of_line(line),
        (None, Some(charge)) => entry.of_charge(charge),
        (None, None) => Entry { contract_id: subject.contract().cloned(), ..entry },
    };
    let product = product.or(entry.product.clone());
    Told {
        lines: subject.line().into_iter().cloned().collect(),
        charges: subject.charge().into_iter().cloned().collect(),
        companies: company.iter().cloned().collect(),
        products: product.iter().cloned().collect(),
        entry: Entry { company, product, run_id: Some(run), ..entry },
    }
}

/// A run, and what a person had it do.
fn run_and_people(run: &Run) -> Vec<Told> {
    let mut told = vec![of_run(run)];
    told.extend(run.approved.iter().filter_map(|approved| {
        let line = line_of(&approved.line_id)?;
        let (before, target) = (approved.approval.before, approved.approval.target);
        let prices = approved.approval.prices;
        let summary = format!("The change {} was approved.", change(before, target, prices));
        let entry = Entry::new(Kind::Approval, run.created_at, &run.actor, summary).of_line(&line);
        let sides = sides(before, target, prices);
        let entry = entry.changing(sides.0, sides.1);
        let (company, product) = (approved.company.clone(), approved.product.clone());
        Some(Told {
            lines: vec![line],
            charges: Vec::new(),
            companies: company.iter().cloned().collect(),
            products: product.iter().cloned().collect(),
            entry: Entry { company, product, run_id: Some(run.id.clone()), of_run_id: run.approves.clone(), ..entry },
        })
    }));
    told.extend(run.approved_charges.iter().filter_map(|approved| charge::approval(run, approved)));
    told.extend(run.reverses.as_ref().map(|reverses| {
        let summary = match reverses.lines.len() {
            0 => format!("What run {} changed was to be taken back.", reverses.run),
            lines => format!("What run {} changed on {lines} lines was to be taken back.", reverses.run),
        };
        let mut after = Fields::new();
        if !reverses.lines.is_empty() {
            after.insert("lines".to_owned(), json!(reverses.lines));
        }
        let entry = Entry::new(Kind::Reversal, run.created_at, &run.actor, summary).changing(Fields::new(), after);
        let entry = Entry { run_id: Some(run.id.clone()), of_run_id: Some(reverses.run.clone()), ..entry };
        let lines = reverses.lines.iter().filter_map(|line| line_of(line)).collect();
        Told { entry, lines, charges: Vec::new(), companies: Vec::new(), products: Vec::new() }
    }));
    told
}

fn of_run(run: &Run) -> Told {
    let (lines, charges) = (run.counts.named(), run.charges.counts.named());
    let trigger = match run.trigger {
        Trigger::Schedule => "by schedule",
        Trigger::Manual => "by hand",
        Trigger::Invoke => "by invocation",
    };
    let what = match run.mode {
        Mode::Apply => "A sync",
        Mode::Preview => "A preview",
    };
    let came_to = match run.state {
        RunState::Queued => "waits".to_owned(),
        RunState::Running => "is under way".to_owned(),
        RunState::Succeeded | RunState::Partial | RunState::Failed => {
            let status = json!(run.state);
            let listed = |counts: &BTreeMap<&str, u32>| {
                counts.iter().map(|(status, count)| format!("{count} {status}")).collect::<Vec<_>>().join(", ")
            };
            let counts = if lines.is_empty() { "no line".to_owned() } else { listed(&lines) };
            let of_charges =
                if charges.is_empty() { String::new() } else { format!("; charges: {}", listed(&charges)) };
            format!("ended as {}: {counts}{of_charges}", status.as_str().unwrap_or_default())
        }
    };
    let mut after = Fields::from_iter([
        ("mode".to_owned(), json!(run.mode)),
        ("trigger".to_owned(), json!(run.trigger)),
        ("status".to_owned(), json!(run.state)),
        ("lines".to_owned(), json!(lines)),
    ]);
    if !charges.is_empty() {
        after.insert("charges".to_owned(), json!(charges));
    }
    if !run.companies.is_empty() {
        after.insert("companies".to_owned(), json!(run.companies));
    }
    if let Some(ended) = run.finished_at {
        after.insert("finished_at".to_owned(), json!(ended));
    }
    if let Some(reason) = &run.reason {
        after.insert("code".to_owned(), json!(reason.code));
    }
    let summary = format!("{what} {trigger} {came_to}.");
    let entry = Entry::new(Kind::Run, run.created_at, &run.actor, summary).changing(Fields::new(), after);
    let entry = Entry { run_id: Some(run.id.clone()), ..entry };
    Told { entry, lines: Vec::new(), charges: Vec::new(), companies: run.companies.clone(), products: Vec::new() }
}

/// The line that an id of results names.
fn line_of(id: &str) -> Option<LineKey> {
    let (contract, service) = id.split_once(':')?;
    Some(LineKey { contract: contract.parse().ok()?, service: service.parse().ok()? })
}
