//! What the benchmark needs of a simulated PSA besides its service desk: to be on the machine's clock, and to say for whom it
//! was asked.

use std::collections::BTreeMap;
use std::time::Duration;

use integration::msp::ServiceDesk;
use jiff::Timestamp;
use simulators::autotask::Entity;
use simulators::kaseya_bms::Route;
use simulators::{Autotask, Clock, KaseyaBms, autotask, kaseya_bms};

/// For whom a PSA is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asker {
    /// The desk: tickets, notes, and what they are looked up by.
    Desk,
    /// Syncs.
    Sync,
    /// Whoever comes first: log-ins.
    Either,
}

/// A request to the PSA.
#[derive(Debug, Clone)]
pub struct Request {
    /// When it came.
    pub at: Timestamp,
    /// For whom.
    pub asker: Asker,
    /// What it asked for.
    pub what: String,
    /// The status that was answered.
    pub status: u16,
}

/// A simulated PSA.
pub trait Stage: ServiceDesk {
    /// The same on the machine's clock.
    fn on_time(setup: Self::Setup) -> Self::Setup;

    /// Takes so long for each request.
    fn takes(&self, delay: Duration);

    /// What it was asked since it was told to forget.
    fn asked(&self) -> Vec<Request>;
}

impl Stage for Autotask {
    fn on_time(setup: autotask::Setup) -> autotask::Setup {
        setup.clock(Clock::system())
    }

    fn takes(&self, delay: Duration) {
        self.set_delay(delay);
    }

    fn asked(&self) -> Vec<Request> {
        let request = |asked: autotask::Asked| {
            let asker = match asked.entity {
                Some(Entity::Tickets | Entity::TicketNotes) => Asker::Desk,
                Some(Entity::ZoneInformation | Entity::VersionInformation) | None => Asker::Either,
                Some(_) => Asker::Sync,
            };
            let what = format!("{} {}", asked.method, asked.path);
            Request { at: asked.at, asker, what, status: asked.status.unwrap_or_default() }
        };
        self.requests().into_iter().map(request).collect()
    }
}

impl Stage for KaseyaBms {
    fn on_time(setup: kaseya_bms::Setup) -> kaseya_bms::Setup {
        setup.clock(Clock::system())
    }

    fn takes(&self, delay: Duration) {
        self.set_delay(delay);
    }

    fn asked(&self) -> Vec<Request> {
        let request = |asked: kaseya_bms::Asked| {
            let asker = match asked.route {
                Some(
                    Route::PostTicket
                    | Route::SearchTickets
                    | Route::Ticket
                    | Route::PatchTicket
                    | Route::TicketNotes
                    | Route::PostTicketNote
                    | Route::LocationsLookup
                    | Route::Statuses
                    | Route::LookupTable
                    | Route::TenantLookupTable,
                ) => Asker::Desk,
                Some(Route::Authenticate | Route::RefreshToken | Route::UserInfo) | None => Asker::Either,
                Some(_) => Asker::Sync,
            };
            let what = asked.route.map_or(asked.uri, Route::template);
            Request { at: asked.at, asker, what, status: asked.status.unwrap_or_default() }
        };
        self.requests().into_iter().map(request).collect()
    }
}

/// How often what of each kind was asked, for one of the askers.
pub fn by_kind(asked: &[Request], asker: Asker) -> BTreeMap<&str, usize> {
    let mut kinds = BTreeMap::new();
    for request in asked.iter().filter(|request| request.asker == asker) {
        *kinds.entry(request.what.as_str()).or_default() += 1;
    }
    kinds
}

/// How many requests of the desk came between two that follow each other of the sync from `from` to `to`, for each such pair.
pub fn between_two_of_a_run(asked: &[Request], from: Timestamp, to: Timestamp) -> Vec<usize> {
    let during = asked.iter().filter(|request| (from..=to).contains(&request.at));
    let (mut gaps, mut gap) = (Vec::new(), None);
    for request in during {
        match (request.asker, &mut gap) {
            (Asker::Sync, _) => {
                gaps.extend(gap.replace(0));
            }
            (Asker::Desk, Some(gap)) => *gap += 1,
            (Asker::Desk | Asker::Either, _) => {}
        }
    }
    gaps.sort_unstable();
    gaps
}
