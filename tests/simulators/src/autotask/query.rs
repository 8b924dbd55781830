//! Queries: the body, paging, and the rows a user sees.
//!
//! Owns `query`, `query/next`, `query/count` and reading one row by id. Filters are `filter`'s; permissions and verbs are
//! `routes`'.
//! A page's cursor is the id of its last row, inside the `paging` parameter of `nextPageUrl`.

use serde_json::{Value, json};

use super::charges::Charge;
use super::entity::Entity;
use super::errors::Refusal;
use super::filter::{Filter, key, unexpected};
use super::rows::{Seen, View, matching};
use super::staff::{Resource, Role};
use super::switches::DateForm;
use super::ticket_notes::TicketNote;
use super::tickets::Ticket;
use super::units::UnitRow;
use super::users::ApiUser;
use super::world::{BillingCode, BillingItem, Company, Contract, ContractService, Currency, Service, World};

const PAGE_LIMIT: i64 = 500;

/// The body of a query (or its `search` parameter).
#[derive(Clone, Debug)]
pub(crate) struct Query {
    filter: Vec<Value>,
    page_size: usize,
    include: Vec<String>,
}

/// Where a page stands in the whole answer: the cursors of the pages before it, and its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paging {
    previous: Vec<i64>,
    after: Option<i64>,
}

/// One page of an answer, before it gets its URLs.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) items: Vec<Value>,
    pub(crate) page_size: usize,
    pub(crate) next: Option<Paging>,
    pub(crate) previous: Option<Paging>,
}

impl Query {
    /// Reads a query's JSON. Keys may be in any case.
    pub(crate) fn read(body: &Value) -> Result<Self, Refusal> {
        let object = body.as_object().ok_or_else(|| unexpected(body))?;
        let filter = match key(object, "filter") {
            Some(Value::Array(items)) if !items.is_empty() => items.clone(),
            Some(Value::Object(single)) => vec![Value::Object(single.clone())],
            _ => return Err(Refusal::NoFilter),
        };
        let page_size = match key(object, "MaxRecords") {
            None | Some(Value::Null) => PAGE_LIMIT,
            Some(value) => value.as_i64().ok_or_else(|| unexpected(value))?,
        };
        let page_size = usize::try_from(page_size)
            .ok()
            .filter(|_| (1..=PAGE_LIMIT).contains(&page_size))
            .ok_or(Refusal::MaxRecords)?;
        let include = key(object, "IncludeFields")
            .and_then(Value::as_array)
            .map_or_else(Vec::new, |names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        Ok(Self { filter, page_size, include })
    }

    /// Everything on a contract, for the child lists under `/Contracts/{id}/…`.
    pub(crate) fn of_contract(contract_id: i64) -> Self {
        Self {
            filter: vec![json!({"op": "eq", "field": "contractID", "value": contract_id})],
            page_size: 500,
            include: Vec::new(),
        }
    }
}

impl Query {
    /// The same, for one row.
    pub(crate) fn with_id(mut self, id: i64) -> Self {
        self.filter.push(json!({"op": "eq", "field": "id", "value": id}));
        self
    }
}

impl Paging {
    /// Reads the `paging` parameter of a next-page URL.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let ids = |name: &str| -> Vec<i64> {
            value.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_i64).collect()
        };
        Some(Self { previous: ids("previousIds"), after: ids("nextIds").first().copied() })
    }

    /// The parameter's text.
    pub(crate) fn text(&self, page_size: usize) -> String {
        let next: Vec<i64> = self.after.into_iter().collect();
        json!({ "pageSize": page_size, "previousIds": self.previous, "nextIds": next }).to_string()
    }
}

/// Something that can be done with the rows of an entity, whatever their type.
trait Ask {
    type Answer;
    fn ask<R: Seen>(self, world: &World, view: &View<'_>) -> Result<Self::Answer, Refusal>;
}

struct Rows<'q>(&'q Query, Paging);
struct Count<'q>(&'q Query);
struct One(i64);

impl Ask for Rows<'_> {
    type Answer = Page;

    fn ask<R: Seen>(self, world: &World, view: &View<'_>) -> Result<Page, Refusal> {
        let Self(query, paging) = self;
        let filter = Filter::read::<R>(&query.filter)?;
        let include = query
            .include
            .iter()
            .map(|name| {
                R::place(name).ok_or_else(|| Refusal::UnknownField { field: name.clone(), entity: R::SINGULAR })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut rows: Vec<&R> = matching::<R>(world, view, &filter, paging.after).take(query.page_size + 1).collect();
        let more = rows.len() > query.page_size;
        rows.truncate(query.page_size);
        let mut trail = paging.previous.clone();
        let previous = paging.after.map(|_| {
            let mut before = paging.previous.clone();
            let after = before.pop().filter(|&id| id != START);
            Paging { previous: before, after }
        });
        trail.push(paging.after.unwrap_or(START));
        let next = rows.last().filter(|_| more).map(|last| Paging { previous: trail, after: Some(last.id()) });
        Ok(Page {
            items: rows.into_iter().map(|row| view.print(row, &include)).collect(),
            page_size: query.page_size,
            next,
            previous,
        })
    }
}

/// Stands for "from the beginning" in a trail of cursors.
const START: i64 = -1;

impl Ask for Count<'_> {
    type Answer = usize;

    fn ask<R: Seen>(self, world: &World, view: &View<'_>) -> Result<usize, Refusal> {
        let filter = Filter::read::<R>(&self.0.filter)?;
        Ok(matching::<R>(world, view, &filter, None).count())
    }
}

impl Ask for One {
    type Answer = Value;

    fn ask<R: Seen>(self, world: &World, view: &View<'_>) -> Result<Value, Refusal> {
        let wanted = json!({"op": "eq", "field": "id", "value": self.0});
        let filter = Filter::read::<R>(&[wanted])?;
        let row = matching::<R>(world, view, &filter, Some(self.0.saturating_sub(1))).next();
        Ok(row.map_or(Value::Null, |row| view.print(row, &[])))
    }
}

/// One page of an entity's rows.
pub(crate) fn page(
    world: &World,
    user: &ApiUser,
    form: DateForm,
    entity: Entity,
    query: &Query,
    paging: Paging,
) -> Result<Page, Refusal> {
    dispatch(world, user, form, entity, Rows(query, paging))
}

/// How many rows a query has in all.
pub(crate) fn count(world: &World, user: &ApiUser, entity: Entity, query: &Query) -> Result<usize, Refusal> {
    dispatch(world, user, DateForm::MidnightUtc, entity, Count(query))
}

/// One row, or null.
pub(crate) fn one(world: &World, user: &ApiUser, form: DateForm, entity: Entity, id: i64) -> Result<Value, Refusal> {
    dispatch(world, user, form, entity, One(id))
}

fn dispatch<A: Ask>(
    world: &World,
    user: &ApiUser,
    form: DateForm,
    entity: Entity,
    question: A,
) -> Result<A::Answer, Refusal> {
    let view = View::new(world, user, form);
    match entity {
        Entity::BillingCodes => question.ask::<BillingCode>(world, &view),
        Entity::BillingItems => question.ask::<BillingItem>(world, &view),
        Entity::Companies => question.ask::<Company>(world, &view),
        Entity::ContractCharges => question.ask::<Charge>(world, &view),
        Entity::ContractServiceUnits => question.ask::<UnitRow>(world, &view),
        Entity::ContractServices => question.ask::<ContractService>(world, &view),
        Entity::Contracts => question.ask::<Contract>(world, &view),
        Entity::Currencies => question.ask::<Currency>(world, &view),
        Entity::Resources => question.ask::<Resource>(world, &view),
        Entity::Roles => question.ask::<Role>(world, &view),
        Entity::Services => question.ask::<Service>(world, &view),
        Entity::TicketNotes => question.ask::<TicketNote>(world, &view),
        Entity::Tickets => question.ask::<Ticket>(world, &view),
        Entity::ContractServiceAdjustments
        | Entity::ThresholdInformation
        | Entity::VersionInformation
        | Entity::ZoneInformation => Err(Refusal::NoSuchResource(entity.path().to_owned())),
    }
}
