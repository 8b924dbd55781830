//! The rows behind each entity, and what a user sees of them.
//!
//! Owns where rows come from (tables, and the index by line for units), which vanish for a restricted user, and how one
//! prints. Which of them are asked for is `query`'s.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use super::charges::Charge;
use super::entity::Entity;
use super::filter::Filter;
use super::schema::{Field, Row};
use super::staff::{Resource, Role};
use super::switches::DateForm;
use super::ticket_notes::TicketNote;
use super::tickets::Ticket;
use super::units::UnitRow;
use super::users::ApiUser;
use super::world::{BillingCode, BillingItem, Company, Contract, ContractService, Currency, Service, World};

/// What a user's rights hide from the answer.
pub(super) struct View<'a> {
    pub(super) user: &'a ApiUser,
    form: DateForm,
    hidden_contracts: HashSet<i64>,
}

impl<'a> View<'a> {
    pub(super) fn new(world: &World, user: &'a ApiUser, form: DateForm) -> Self {
        let hidden_contracts = if user.hidden_companies.is_empty() {
            HashSet::new()
        } else {
            world
                .contracts
                .values()
                .filter(|contract| user.hidden_companies.contains(&contract.company_id))
                .map(|contract| contract.id)
                .collect()
        };
        Self { user, form, hidden_contracts }
    }

    fn hides(&self, contract_id: i64) -> bool {
        self.hidden_contracts.contains(&contract_id)
    }

    pub(super) fn print<R: Row>(&self, row: &R, include: &[usize]) -> Value {
        let mut object = Map::new();
        let mut put = |field: &Field<R>| {
            let hidden = field.is_cost && !self.user.reads_costs;
            let value = if hidden { Value::Null } else { (field.get)(row).json(self.form) };
            object.insert(field.name.to_owned(), value);
        };
        if include.is_empty() {
            R::FIELDS.iter().for_each(&mut put);
            object.insert("userDefinedFields".to_owned(), json!([]));
        } else {
            include.iter().filter_map(|&place| R::FIELDS.get(place)).for_each(&mut put);
        }
        Value::Object(object)
    }
}

/// The rows a filter finds among those a user can be shown, above an id, in id order.
pub(super) fn matching<'w, R: Seen>(
    world: &'w World,
    view: &View<'_>,
    filter: &Filter,
    after: Option<i64>,
) -> impl Iterator<Item = &'w R> {
    let after = after.max(filter.above());
    let nothing = view.user.hidden_entities.contains(&R::ENTITY);
    let rows = if nothing { Box::new(std::iter::empty()) } else { R::rows(world, filter, after) };
    rows.filter(move |row| !row.hidden(view) && filter.passes(*row, view.user.reads_costs))
}

pub(super) type Candidates<'w, R> = Box<dyn Iterator<Item = &'w R> + 'w>;

/// Rows of the tenant that an API user can be shown.
pub(super) trait Seen: Row {
    const ENTITY: Entity;

    /// Rows above an id, in id order, among which all matches are. An index may leave out what cannot match.
    fn rows<'w>(world: &'w World, filter: &Filter, after: Option<i64>) -> Candidates<'w, Self>;

    fn hidden(&self, view: &View<'_>) -> bool;
}

fn above<R>(table: &BTreeMap<i64, R>, after: Option<i64>) -> Candidates<'_, R> {
    match after {
        Some(id) => Box::new(table.range(id.saturating_add(1)..).map(|(_, row)| row)),
        None => Box::new(table.values()),
    }
}

macro_rules! seen {
    ($row:ty, $entity:ident, $table:ident, |$it:ident, $view:ident| $hidden:expr) => {
        impl Seen for $row {
            const ENTITY: Entity = Entity::$entity;

            fn rows<'w>(world: &'w World, _: &Filter, after: Option<i64>) -> Candidates<'w, Self> {
                above(&world.$table, after)
            }

            fn hidden(&self, $view: &View<'_>) -> bool {
                let $it = self;
                $hidden
            }
        }
    };
}

seen!(BillingCode, BillingCodes, billing_codes, |_code, _view| false);
seen!(Currency, Currencies, currencies, |_currency, _view| false);
seen!(Resource, Resources, resources, |_resource, _view| false);
seen!(Role, Roles, roles, |_role, _view| false);
seen!(Service, Services, services, |_service, _view| false);
seen!(Company, Companies, companies, |company, view| view.user.hidden_companies.contains(&company.id));
seen!(Contract, Contracts, contracts, |contract, view| view.hides(contract.id));
seen!(ContractService, ContractServices, contract_services, |line, view| view.hides(line.contract_id));
seen!(Charge, ContractCharges, charges, |charge, view| view.hides(charge.contract_id));
seen!(TicketNote, TicketNotes, ticket_notes, |_note, _view| false);
seen!(BillingItem, BillingItems, billing_items, |item, view| view.hides(item.contract_id));

impl Seen for Ticket {
    const ENTITY: Entity = Entity::Tickets;

    fn rows<'w>(world: &'w World, _: &Filter, after: Option<i64>) -> Candidates<'w, Self> {
        if world.tickets_hidden { Box::new(std::iter::empty()) } else { above(&world.tickets, after) }
    }

    fn hidden(&self, view: &View<'_>) -> bool {
        view.user.hidden_companies.contains(&self.company_id)
    }
}

impl Seen for UnitRow {
    const ENTITY: Entity = Entity::ContractServiceUnits;

    fn rows<'w>(world: &'w World, filter: &Filter, after: Option<i64>) -> Candidates<'w, Self> {
        let ids = |name| Self::place(name).and_then(|place| filter.required(place));
        let lines = ids("contractServiceID").or_else(|| {
            let contracts = ids("contractID")?;
            Some(contracts.iter().filter_map(|id| world.lines_of.get(id)).flatten().copied().collect())
        });
        let after = after.unwrap_or(i64::MIN);
        match lines {
            Some(lines) => Box::new(world.units.of_lines(lines).into_iter().filter(move |row| row.id > after)),
            None => {
                let all = world.units.all();
                Box::new(all.get(all.partition_point(|row| row.id <= after)..).unwrap_or_default().iter())
            }
        }
    }

    fn hidden(&self, view: &View<'_>) -> bool {
        view.hides(self.contract_id)
    }
}
