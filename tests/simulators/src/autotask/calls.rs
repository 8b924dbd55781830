//! What each call does, once the caller has been let in.
//!
//! Owns permissions and the shapes of success. Queries are `query`'s, writes `changes`'. Everything here is quick and synchronous, under the tenant's lock.

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::changes::{create_line, order, patch_contract, patch_line};
use super::entity::Entity;
use super::errors::{Refusal, Reply};
use super::filter::unexpected;
use super::query::{self, Page, Paging, Query};
use super::record::{Kind, RowWrite};
use super::routes::Call;
use super::schema;
use super::switches::{GetAfterPost, Naming};
use super::tenant::{State, Tenant};
use super::users::{ApiUser, Right};

/// A request, read as far as every call needs it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Scheme, host and port the client used, for the URLs in answers.
    pub(crate) base: String,
    /// Path and query string as sent.
    pub(crate) uri: String,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) impersonates: bool,
    /// The JSON body; none if empty, an error if it is no JSON.
    pub(crate) body: Option<Result<Value, Refusal>>,
}

/// Longer URLs are not found.
const URL_LIMIT: usize = 2_048;

impl Request {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The query JSON: the body of a POST, or `search` of a GET.
    pub(crate) fn search(&self) -> Result<Value, Refusal> {
        if self.method == "GET" {
            let text = self.parameter("search").ok_or(Refusal::NoFilter)?;
            return serde_json::from_str(text).map_err(|_| unexpected(&text.into()));
        }
        self.body.clone().unwrap_or(Err(Refusal::NoFilter))
    }

    fn object(&self) -> Result<Map<String, Value>, Refusal> {
        match self.body.clone().unwrap_or(Err(Refusal::Required("body")))? {
            Value::Object(object) => Ok(object),
            other => Err(unexpected(&other)),
        }
    }
}

/// Answers the calls that need no credentials.
pub(crate) fn open(tenant: &Tenant, state: &State, call: Call, request: &Request) -> Result<Reply, Refusal> {
    if call == Call::Version {
        return Ok(Reply::ok(&json!({ "apiVersions": ["V1.0", "V2.0"] })));
    }
    let user = request.parameter("user").and_then(|name| tenant.user(name)).ok_or(Refusal::UnknownZoneUser)?;
    tracing::debug!(user = user.username(), "zone asked for");
    Ok(Reply::ok(&json!({
        "zoneName": "Simulated",
        "url": format!("{}/ATServicesRest/", request.base),
        "webUrl": format!("{}/", request.base),
        "ci": state.world.ci,
    })))
}

/// Answers a call of a user who has been let in.
pub(crate) fn answer(
    tenant: &Tenant,
    state: &mut State,
    user: &ApiUser,
    call: Call,
    request: &Request,
) -> Result<Reply, Refusal> {
    if request.uri.len() > URL_LIMIT {
        return Err(Refusal::NoSuchResource(request.uri.chars().take(80).collect()));
    }
    state.world.number(state.switches.picklists);
    match call {
        Call::Version | Call::Zone => open(tenant, state, call, request),
        Call::Threshold => {
            let used = state.window.count(state.limits.window(), tenant.clock.now());
            Ok(Reply::ok(&json!({
                "externalRequestThreshold": state.limits.requests,
                "requestThresholdTimeframe": state.limits.window_minutes,
                "currentTimeframeRequestCount": used,
            })))
        }
        Call::Query(entity) => {
            permit(user, entity, Right::Query, request)?;
            let query = Query::read(&request.search()?)?;
            page(state, user, entity, &query, Paging::default(), request)
        }
        Call::NextPage(entity) => {
            permit(user, entity, Right::Query, request)?;
            next_page(state, user, entity, request)
        }
        Call::Count(entity) => {
            permit(user, entity, Right::Query, request)?;
            let query = Query::read(&request.search()?)?;
            Ok(Reply::ok(&json!({ "queryCount": query::count(&state.world, user, entity, &query)? })))
        }
        Call::Get(entity, id) => {
            permit(user, entity, Right::Query, request)?;
            let item = query::one(&state.world, user, state.switches.date_form, entity, id)?;
            Ok(Reply::ok(&json!({ "item": item })))
        }
        Call::Children(entity, contract, child) => {
            permit(user, entity, Right::Query, request)?;
            let mut query = Query::of_contract(contract);
            if let Some(child) = child {
                query = query.with_id(child);
            }
            page(state, user, entity, &query, Paging::default(), request)
        }
        Call::Info(entity) => Ok(Reply::ok(&info(user, entity))),
        Call::Fields(entity) => {
            let fields = schema::fields(entity, state.switches.picklists);
            fields.map(|fields| Reply::ok(&fields)).ok_or_else(|| missing(request))
        }
        Call::UserFields(entity) => match entity {
            Entity::Companies | Entity::Contracts | Entity::Services => Ok(Reply::ok(&json!({ "fields": [] }))),
            _ => Err(missing(request)),
        },
        Call::Adjust(contract) => {
            permit(user, Entity::ContractServiceAdjustments, Right::Create, request)?;
            let order = order(&request.object()?, contract, user)?;
            let State { world, switches, .. } = state;
            world.adjust(&order, user.username(), tenant.clock.now(), switches)?;
            // Success names no id; a client that asks for one posts twice.
            Ok(Reply::ok(&json!({ "itemId": null })))
        }
        _ => write(tenant, state, user, call, request),
    }
}

/// Adds, changes or removes a row, and notes it.
fn write(tenant: &Tenant, state: &mut State, user: &ApiUser, call: Call, request: &Request) -> Result<Reply, Refusal> {
    let (entity, kind) = match call {
        Call::CreateLine(_) | Call::PatchLine(_) => (Entity::ContractServices, call.kind()),
        Call::CreateCharge(_) | Call::PatchCharge(_) | Call::DeleteCharge(..) => (Entity::ContractCharges, call.kind()),
        Call::CreateService | Call::PatchService => (Entity::Services, call.kind()),
        Call::CreateTicket | Call::PatchTicket => (Entity::Tickets, call.kind()),
        Call::CreateTicketNote(_) => (Entity::TicketNotes, call.kind()),
        _ => (Entity::Contracts, call.kind()),
    };
    let right = match kind {
        Kind::Create => Right::Create,
        Kind::Delete => Right::Delete,
        _ => Right::Update,
    };
    permit(user, entity, right, request)?;
    let State { world, switches, .. } = state;
    let id = match call {
        Call::CreateLine(contract) => create_line(state, user, contract, &request.object()?)?,
        Call::PatchLine(contract) => patch_line(state, user, contract, &request.object()?, tenant.clock.today())?,
        Call::CreateCharge(contract) => world.create_charge(contract, &request.object()?, user, switches)?,
        Call::PatchCharge(contract) => world.patch_charge(contract, &request.object()?, user, switches)?,
        Call::DeleteCharge(contract, charge) => world.delete_charge(contract, charge)?,
        Call::CreateService => world.create_service(&request.object()?, user)?,
        Call::PatchService => world.patch_service(&request.object()?, user)?,
        Call::CreateTicket => world.create_ticket(&request.object()?, tenant.clock.now())?,
        Call::PatchTicket => world.patch_ticket(&request.object()?, switches)?,
        Call::CreateTicketNote(ticket) => world.create_ticket_note(ticket, &request.object()?)?,
        _ => patch_contract(state, &request.object()?)?,
    };
    let (at, by) = (tenant.clock.now(), user.username().to_owned());
    state.world.row_writes.push(RowWrite { at, by, entity, kind, id });
    let named = (state.switches.written_ids == Naming::Named).then_some(id);
    Ok(Reply::ok(&json!({ "itemId": named })))
}

fn permit(user: &ApiUser, entity: Entity, right: Right, request: &Request) -> Result<(), Refusal> {
    let verb = match right {
        Right::Query => "query",
        Right::Create => "create",
        Right::Update => "update",
        Right::Delete => "delete",
    };
    // The impersonation header makes a query fail like a missing right.
    let impersonated = right == Right::Query && request.impersonates;
    if user.may(entity, right) && !impersonated { Ok(()) } else { Err(Refusal::NotPermitted(verb)) }
}

fn missing(request: &Request) -> Refusal {
    Refusal::NoSuchResource(request.uri.clone())
}

fn page(
    state: &State,
    user: &ApiUser,
    entity: Entity,
    query: &Query,
    paging: Paging,
    request: &Request,
) -> Result<Reply, Refusal> {
    let page = query::page(&state.world, user, state.switches.date_form, entity, query, paging)?;
    let url = |paging: &Option<Paging>| paging.as_ref().map(|paging| page_url(request, entity, &page, paging));
    Ok(Reply::ok(&json!({
        "items": page.items,
        "pageDetails": {
            "count": page.items.len(),
            "requestCount": page.page_size,
            "prevPageUrl": url(&page.previous),
            "nextPageUrl": url(&page.next),
        },
    })))
}

fn page_url(request: &Request, entity: Entity, page: &Page, paging: &Paging) -> String {
    let mut parameters = form_urlencoded::Serializer::new(String::new());
    parameters.append_pair("paging", &paging.text(page.page_size));
    if request.method == "GET"
        && let Some(search) = request.parameter("search")
    {
        parameters.append_pair("search", search);
    }
    format!("{}/ATServicesRest/v1.0/{entity}/query/next?{}", request.base, parameters.finish())
}

fn next_page(state: &State, user: &ApiUser, entity: Entity, request: &Request) -> Result<Reply, Refusal> {
    // A page that began with POST has no `search` in its URL and must be POSTed with the query's own body.
    if request.method == "GET" && request.parameter("search").is_none() {
        return match state.switches.get_after_post_query {
            GetAfterPost::MethodNotAllowed => Err(Refusal::MethodNotAllowed("GET".to_owned())),
            GetAfterPost::EmptyPage => Ok(Reply::ok(&json!({
                "items": [],
                "pageDetails": { "count": 0, "requestCount": 500, "prevPageUrl": null, "nextPageUrl": null },
            }))),
        };
    }
    let paging = request.parameter("paging").and_then(Paging::read).ok_or_else(|| missing(request))?;
    let query = Query::read(&request.search()?)?;
    page(state, user, entity, &query, paging, request)
}

fn info(user: &ApiUser, entity: Entity) -> Value {
    let query = entity.has_rows();
    let create = matches!(
        entity,
        Entity::Companies
            | Entity::Contracts
            | Entity::ContractCharges
            | Entity::ContractServices
            | Entity::ContractServiceAdjustments
            | Entity::Services
            | Entity::TicketNotes
            | Entity::Tickets
    );
    let update = create && entity != Entity::ContractServiceAdjustments;
    let delete = entity == Entity::ContractCharges;
    let access = |offered: bool, right| {
        if offered { user.access(entity, right) } else { 0 }
    };
    json!({ "info": {
        "name": entity.singular(),
        "canCreate": create && user.may(entity, Right::Create),
        "canDelete": delete && user.may(entity, Right::Delete),
        "canQuery": query && user.may(entity, Right::Query),
        "canUpdate": update && user.may(entity, Right::Update),
        "userAccessForCreate": access(create, Right::Create),
        "userAccessForDelete": access(delete, Right::Delete),
        "userAccessForQuery": access(query, Right::Query),
        "userAccessForUpdate": access(update, Right::Update),
        "hasUserDefinedFields": matches!(entity, Entity::Companies | Entity::Contracts | Entity::Services),
        "supportsWebhookCallouts": entity == Entity::Companies,
    }})
}
