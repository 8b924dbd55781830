//! HTTP: which product is which service and how it is charged for, which company is which account and contract, what tickets
//! are filled with; what is likely, and what is left.
//!
//! What a mapping names is looked up in the PSA before it is stored, so that a slip shows up here and not at night. The
//! sync looks again: contracts end and services are retired. Every change is kept as a version of its own.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod accounts;
mod billed_on;
mod billing_codes;
mod charges;
mod companies;
mod contracts;
mod counts;
mod known;
mod openings;
mod overrides;
mod preflight;
mod products;
mod rules;
mod services;
mod sheet;
mod suggestions;
mod tickets;
mod unmapped;
mod wiring;

pub use sheet::header as csv_header;

use std::sync::Arc;

use axum::http::StatusCode;
use shared::api::auth::Caller;
use shared::api::paging::{List, Listing, Paging};
use shared::api::{Fault, Json, Precondition, Problem, Tag, owned};
use shared::clock::Clock;
use shared::domain::ids::{ConnectionId, PartnerId};
use shared::psa::open::Opener;
use shared::store::alerts::Alerts;
use shared::store::connections::Connections;
use shared::store::lines::Lines;
use shared::store::mappings::{Expected, Mapping, Mappings, Removed, Stored};
use shared::store::ticket_forms::TicketForms;
use shared::store::usage::UsageReader;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What the routes need.
#[derive(Clone)]
pub struct Deps {
    /// The mappings.
    pub mappings: Mappings,
    /// The usage that they are for.
    pub usage: UsageReader,
    /// What is known of the lines that they name.
    pub lines: Lines,
    /// Alerts that may wait for a mapping of tickets.
    pub alerts: Alerts,
    /// What the PSAs ask of tickets, as it was read last.
    pub ticket_forms: TicketForms,
    /// Whose connections there are.
    pub connections: Connections,
    /// Opens the PSA behind a connection.
    pub opener: Opener,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// The routes.
pub fn router(deps: Deps) -> OpenApiRouter {
    OpenApiRouter::default()
        .routes(routes!(products::put, products::get, products::delete))
        .routes(routes!(products::list))
        .routes(routes!(charges::put, charges::get, charges::delete))
        .routes(routes!(charges::list))
        .routes(routes!(tickets::put, tickets::get, tickets::delete))
        .routes(routes!(companies::put, companies::get, companies::delete))
        .routes(routes!(companies::list))
        .routes(routes!(known::list))
        .routes(routes!(suggestions::list))
        .routes(routes!(unmapped::list))
        .routes(routes!(preflight::list))
        .routes(routes!(counts::get))
        .routes(routes!(sheet::export::get, sheet::import::post))
        .with_state(deps)
}

impl Deps {
    /// One page of a connection's mappings; those of a revoked connection stay readable.
    async fn page<T: Mapping>(
        &self,
        caller: &Caller,
        connection: &ConnectionId,
        paging: &Paging,
    ) -> Result<Listing<T>, Problem> {
        owned::connection(&self.connections, caller, connection).await?;
        let list = List::named(&[T::PREFIX, connection.as_str()]);
        let after = list.position(paging.cursor.as_deref())?.and_then(|id| id.parse().ok());
        let page = self.mappings.list::<T>(&caller.partner, connection, after.as_ref(), paging.limit.get()).await?;
        Ok(list.page(page.items, page.next.as_deref()).with_unreadable(page.unreadable))
    }

    /// Stores a checked mapping where what stands is as `over` asks: 201 where there was none.
    async fn store<T: Mapping>(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        mapping: T,
        over: Precondition,
    ) -> Result<(StatusCode, Tag, Json<T>), Problem> {
        let answer = |status, mapping: T| Ok((status, Tag(mapping.version()), Json(mapping)));
        let expected = over.expected();
        match self.mappings.put(partner, connection, mapping, expected).await? {
            Stored::Created(mapping) => answer(StatusCode::CREATED, mapping),
            Stored::Changed(mapping) | Stored::Unchanged(mapping) => answer(StatusCode::OK, mapping),
            Stored::NotAsExpected => Err(not_as_expected(expected)),
            Stored::Contended => Err(contended()),
            Stored::ImportUnderWay => Err(import_under_way()),
        }
    }

    /// Removes a mapping of a connection that is not revoked.
    async fn remove<T: Mapping>(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        id: &T::Id,
        by: &str,
    ) -> Result<StatusCode, Problem> {
        self.opener.connection(partner, connection).await?;
        match self.mappings.remove::<T>(partner, connection, id, self.clock.now(), by).await? {
            Removed::Gone => Ok(StatusCode::NO_CONTENT),
            Removed::NotThere => Err(Problem::not_found("mapping")),
            Removed::Contended => Err(contended()),
            Removed::ImportUnderWay => Err(import_under_way()),
        }
    }
}

fn contended() -> Problem {
    Problem::conflict("mapping_contended", "Others are changing this mapping.")
        .fix("Read it and send your change again.")
}

fn not_as_expected(expected: Expected) -> Problem {
    let (code, detail) = match expected {
        Expected::Nothing => ("already_mapped", "It was mapped meanwhile: there is a mapping here already."),
        _ => ("changed_meanwhile", "This mapping was changed meanwhile: another version of it stands, or none."),
    };
    Problem::new(StatusCode::PRECONDITION_FAILED, code, detail).fix("Look at what stands now and send it again.")
}

fn import_under_way() -> Problem {
    Problem::conflict("import_under_way", "An import of this connection's mappings is under way.")
        .fix("Send your change again in a minute.")
}

/// An id in the path under which something is to be stored.
fn new_id<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, Problem>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| Problem::invalid(vec![Fault::new(format!("path:{name}"), error.to_string())]))
}
