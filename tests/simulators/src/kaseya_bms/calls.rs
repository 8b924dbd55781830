//! What each endpoint does, once the caller has been let in.
//!
//! Owns the reading of bodies and the shapes of what a write answers. Lists are `catalog`'s, rules `lines`', `bulk`'s and
//! `tickets`'. Everything here is quick and synchronous, under the tenant's lock.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::bulk::BulkOrder;
use super::catalog::Reader;
use super::envelope::{Refusal, Success};
use super::lines::Order;
use super::logins::{Judge, Pair};
use super::members::Members;
use super::picklists;
use super::routes::{Found, Route};
use super::stamps::{self, Stamps};
use super::tenant::State;
use super::users::{BmsUser, Right};
use crate::clock::Clock;
use crate::wire::number;

/// A request, read as far as every call needs it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query string as sent.
    pub(crate) uri: String,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) body: Body,
}

/// A request's body.
#[derive(Clone)]
pub(crate) enum Body {
    None,
    Json(Value),
    Form(Vec<(String, String)>),
    /// JSON that cannot be read.
    Broken,
    /// Another content type than the endpoint takes.
    Foreign,
}

impl std::fmt::Debug for Body {
    /// Without what a form holds.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Json(_) => "Json",
            Self::Form(_) => "Form",
            Self::Broken => "Broken",
            Self::Foreign => "Foreign",
        })
    }
}

impl Request {
    fn json(&self) -> Result<&Value, Refusal> {
        match &self.body {
            Body::Json(value) => Ok(value),
            Body::Foreign => Err(Refusal::MediaType),
            _ => Err(Refusal::invalid("A JSON body is required.")),
        }
    }

    fn form(&self) -> Result<Members, Refusal> {
        match &self.body {
            Body::Form(fields) => Ok(Members::of_query(fields)),
            Body::None => Ok(Members::default()),
            _ => Err(Refusal::MediaType),
        }
    }

    /// Paging and filter, wherever the endpoint takes them from.
    fn asked(&self) -> Result<Members, Refusal> {
        if self.method == "GET" { Ok(Members::of_query(&self.parameters)) } else { Members::of_search(self.json()?) }
    }
}

/// Answers a log-in or a refresh.
pub(crate) fn open(state: &mut State, clock: &Clock, route: Route, request: &Request) -> Result<Success, Refusal> {
    let form = request.form()?;
    let State { users, world, limits, switches, logins, .. } = state;
    let judge = Judge { users, company_name: &world.company_name, limits, switches, now: clock.now() };
    let pair = if route == Route::RefreshToken { logins.refresh(&form, &judge) } else { logins.log_in(&form, &judge) };
    pair.map(|pair| Success::Result(tokens(&pair, Stamps::of(switches))))
}

/// Answers a call of a user who has been let in.
pub(crate) fn answer(
    state: &mut State,
    clock: &Clock,
    user: &BmsUser,
    found: &Found,
    request: &Request,
) -> Result<Success, Refusal> {
    // A placeholder of digits too many for an id is no id.
    let id = || found.placeholder.parse().map_err(|_| Refusal::NoSuchPath);
    let (at, today) = (clock.now(), clock.today());
    match found.route {
        Route::Authenticate | Route::RefreshToken => open(state, clock, found.route, request),
        Route::UserInfo => Ok(Success::Result(user_info(state, user, clock))),
        Route::Statuses => Ok(Success::Result(picklists::statuses())),
        Route::Priorities => Ok(Success::Result(picklists::priorities())),
        Route::Queues => Ok(Success::Result(picklists::plain(&picklists::QUEUES))),
        Route::IssueTypes => Ok(Success::Result(picklists::plain(&picklists::ISSUE_TYPES))),
        Route::IssueSubTypes => Ok(Success::Result(picklists::sub_issue_types(id()?))),
        Route::LookupTable | Route::TenantLookupTable => Ok(Success::Result(picklists::table(&found.placeholder))),
        Route::PostServices => {
            let orders = orders(request.json()?)?;
            let State { world, switches, .. } = state;
            let lines = world.post_services(id()?, &orders, user.username(), at, switches)?;
            Ok(Success::Result(posted(state, &lines, &orders, at)))
        }
        Route::BulkUpdate => {
            let order = bulk_order(request.json()?)?;
            let State { world, switches, limits, .. } = state;
            world.queue(id()?, order, user.username(), at, limits.job_polls, switches)?;
            Ok(Success::Result("The update has been queued.".into()))
        }
        Route::BackgroundJob => Ok(Success::Result(json!({ "JobId": state.world.background_job(id()?) }))),
        Route::JobStatus => {
            let State { world, switches, .. } = state;
            let seen = world.poll(id()?, at, switches);
            let seen = seen.ok_or_else(|| Refusal::NoSuch("Job", found.placeholder.clone()))?;
            Ok(Success::Result(json!({ "Name": seen.name(), "Reason": null, "Data": null })))
        }
        Route::PostTicket => {
            let ticket = state.world.open_ticket(request.json()?, user.username(), at)?;
            Ok(Success::Result(state.world.show_ticket(&ticket, &state.switches)))
        }
        Route::PatchTicket => {
            let State { world, switches, .. } = state;
            let ticket = world.patch_ticket(id()?, request.json()?, at, switches)?;
            Ok(Success::Result(world.show_ticket(&ticket, switches)))
        }
        Route::Ticket => {
            let ticket = state.world.ticket(id()?)?;
            Ok(Success::Result(state.world.show_ticket(ticket, &state.switches)))
        }
        Route::PostTicketNote => {
            let note = state.world.add_note(id()?, request.json()?, user.username(), at)?;
            Ok(Success::Result(note.shown(&state.switches)))
        }
        route => {
            let asked = request.asked()?;
            let State { world, switches, limits, .. } = &*state;
            let reader = Reader { world, switches, limits, today, asked: &asked };
            match route {
                Route::AccountsLookup => reader.accounts_lookup(),
                Route::AccountsSummary => reader.accounts_summary(),
                Route::AccountSummary => reader.account_summary(id()?),
                Route::LocationsLookup => reader.locations(id()?),
                Route::ContractsLookup => reader.contracts_lookup(),
                Route::ContractsSummary => reader.contracts_summary(),
                Route::ServicesSearch => reader.services(),
                Route::ServicesLookup => reader.services_lookup(),
                Route::Service => reader.service(id()?),
                Route::RelatedServices => reader.related(id()?),
                Route::InvoiceDetails => reader.invoice_details(),
                Route::SearchTickets => {
                    let found = world.find_tickets(&asked, switches.text_filter)?;
                    let (page, total) = reader.page(found.into_iter())?;
                    Ok(Success::Page(page.iter().map(|ticket| world.list_ticket(ticket, switches)).collect(), total))
                }
                // Both without a total, as the specification has them.
                Route::TicketNotes => {
                    let (page, _) = reader.page(world.notes_of(id()?)?)?;
                    Ok(Success::Result(page.iter().map(|note| note.shown(switches)).collect()))
                }
                Route::Assignees => {
                    let (page, _) = reader.page(picklists::ASSIGNEES.iter())?;
                    Ok(Success::Result(page.into_iter().map(picklists::assignee).collect()))
                }
                _ => Err(Refusal::NoSuchPath),
            }
        }
    }
}

/// The items of the array that is posted to a contract.
fn orders(body: &Value) -> Result<Vec<Order>, Refusal> {
    let items = body.as_array().ok_or_else(|| Refusal::invalid("The body must be an array."))?;
    let read = |item: &Value| {
        let object = item.as_object().ok_or_else(|| Refusal::invalid("Each item must be an object."))?;
        let sent = Members::of_object(object);
        let required = |name: &str| Refusal::invalid(format!("The {name} field is required."));
        Ok(Order {
            service_id: sent.strict_int("ServiceId")?.ok_or_else(|| required("ServiceId"))?,
            name: sent.text("ServiceName"),
            description: sent.text("ServiceDescription"),
            units: sent.strict_int("Units")?.ok_or_else(|| required("Units"))?,
            unit_cost: sent.amount("UnitCost")?,
            unit_price: sent.amount("UnitPrice")?,
            effective: sent.date("EffectiveDate")?.ok_or_else(|| required("EffectiveDate"))?,
            sort_order: sent.strict_int("SortOrder")?.unwrap_or_default(),
            body: item.clone(),
        })
    };
    items.iter().map(read).collect()
}

fn bulk_order(body: &Value) -> Result<BulkOrder, Refusal> {
    let object = body.as_object().ok_or_else(|| Refusal::invalid("The body must be an object."))?;
    let sent = Members::of_object(object);
    let missing = || Refusal::invalid("SelectedClientContractServices and Values are required.");
    let values = Members::of_object(sent.value("Values").and_then(Value::as_object).ok_or_else(missing)?);
    let items = sent.value("SelectedClientContractServices").and_then(Value::as_array).ok_or_else(missing)?;
    let pair = |item: &Value| {
        let item = Members::of_object(item.as_object().ok_or_else(missing)?);
        let contract = item.strict_int("ClientContractId")?.ok_or_else(missing)?;
        Ok((contract, item.strict_int("ClientContractServiceId")?.ok_or_else(missing)?))
    };
    Ok(BulkOrder {
        selected: items.iter().map(pair).collect::<Result<_, Refusal>>()?,
        name: values.text("ServiceName"),
        description: values.text("ServiceDescription"),
        unit_price: values.amount("UnitPrice")?,
        unit_cost: values.amount("UnitCost")?,
        effective: values.date("EffectiveDate")?,
        body: body.clone(),
    })
}

/// What posting services answers: one object although many may have been sent, so it speaks of the first. `Units` are those
/// that were sent, and of the type that the specification gives the answer, which is not the one it gives the body.
fn posted(state: &State, lines: &[i64], orders: &[Order], at: jiff::Timestamp) -> Value {
    let first = lines.first().and_then(|id| state.world.lines.get(*id)).zip(orders.first());
    let Some((line, order)) = first else {
        return Value::Null;
    };
    let contract = state.world.contracts.get(&line.contract_id).map(|contract| contract.name.as_str());
    let service = state.world.services.get(&line.service_id);
    let stamp = Stamps::of(&state.switches).instant(at);
    let units = Decimal::from(order.units);
    json!({
        "Id": line.id,
        "CreatedBy": 1,
        "CreatedOn": stamp,
        "ModifiedBy": 1,
        "ModifiedOn": stamp,
        "ServiceId": line.service_id,
        "ServiceName": line.name,
        "Description": line.description,
        "ContractId": line.contract_id,
        "ContractName": contract,
        "TotalCost": number(line.unit_cost * units),
        "TotalPrice": number(line.unit_price * units),
        "Units": number(units),
        "UnitCost": number(line.unit_cost),
        "UnitPrice": number(line.unit_price),
        "Margin": number(line.unit_price - line.unit_cost),
        "OriginalUnitPrice": service.map(|service| number(service.unit_price)),
        "OriginalUnitCost": service.map(|service| number(service.unit_cost)),
        "EffectiveDate": stamps::day(line.effective),
        "SortOrder": line.sort_order,
    })
}

fn tokens(pair: &Pair, stamps: Stamps) -> Value {
    json!({
        "AccessToken": pair.access,
        "RefreshToken": pair.refresh,
        "AccessTokenExpireOn": stamps.instant(pair.access_until),
        "RefreshTokenExpireOn": stamps.instant(pair.refresh_until),
    })
}

/// Who is asking. The numbers of the rights are made up: nobody published them.
fn user_info(state: &State, user: &BmsUser, clock: &Clock) -> Value {
    let rights = [(10, Right::ViewCrm), (20, Right::ViewFinance), (30, Right::ViewAdmin), (40, Right::ServiceDesk)];
    let rights: Vec<_> = rights
        .into_iter()
        .map(|(listing, right)| {
            let modify = if right == Right::ViewFinance { Right::ModifyFinance } else { right };
            json!({
                "CanView": user.may(right), "CanModify": user.may(modify), "CanDelete": false,
                "MainMenuId": listing, "MenuCategoryId": listing, "ListingIDEnum": listing,
            })
        })
        .collect();
    json!({
        "UserId": 1,
        "FullName": user.username(),
        "EmailAddress": null,
        "TimeStamp": Stamps::of(&state.switches).instant(clock.now()),
        "TimeZoneName": "UTC",
        "TenantId": 4_711,
        "BusinessName": state.world.company_name,
        "UserAccessRights": rights,
        "SpecialFeatures": [],
        "CurrencyCode": state.world.currency,
        "CultureCode": "en-US",
        "IsUserSystemAdmin": user.lacks.is_empty(),
        "ProductName": "Simulated BMS",
    })
}
