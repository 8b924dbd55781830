//! A client that walks through a vendor's list of customers.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use simulators::Clock;
use simulators::clock::ClockHand;
use simulators::vendor::{Seed, Simulator, Vendor};
use url::Url;

/// How a vendor's list is walked through.
pub trait Walker: Sized {
    type Api: Vendor;
    /// The list of customers.
    const LIST: <Self::Api as Vendor>::Route;
    /// Whether a row is skipped when another one before it is deleted amid the walk.
    const SKIPS: bool;

    /// Brings along what a client needs to be let in.
    async fn enter(http: &Client, base: &str) -> Self;

    /// The page with so many rows, or as many as the vendor likes, that begins at `next`.
    fn page(&self, http: &Client, base: &str, rows: Option<&str>, next: Option<&str>) -> RequestBuilder;

    /// The ids of the customers of a page.
    fn ids(page: &Value) -> Vec<String>;

    /// Where the next page begins, after so many pages and rows.
    fn next(page: &Value, pages: usize, rows: usize) -> Option<String>;
}

/// A simulator and a client of it.
pub struct Visit<W: Walker> {
    pub sim: Simulator<W::Api>,
    pub hand: ClockHand,
    pub http: Client,
    walker: W,
}

/// What was seen of a list.
#[derive(Debug, Default)]
pub struct Walk {
    /// The rows of each page.
    pub pages: Vec<Vec<String>>,
    /// The status that ended it, where it was no success.
    pub refused: Option<u16>,
}

impl Walk {
    pub fn customers(&self) -> BTreeSet<&str> {
        self.pages.iter().flatten().map(String::as_str).collect()
    }
}

impl<W: Walker> Visit<W> {
    /// Of a vendor with so many made-up customers, without a limit of requests.
    pub async fn to(companies: usize) -> Self {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 20_000);
        let (clock, hand) = Clock::by_hand(now);
        let customers = Seed { companies, seed: 1, now }.build::<W::Api>();
        let sim = Simulator::setup(customers).clock(clock).start().await.unwrap();
        sim.limit(|limits| limits.requests = None);
        let http = Client::new();
        let walker = W::enter(&http, &sim.base()).await;
        Self { sim, hand, http, walker }
    }

    pub fn page(&self, rows: Option<usize>, next: Option<&str>) -> RequestBuilder {
        self.walker.page(&self.http, &self.sim.base(), rows.map(|rows| rows.to_string()).as_deref(), next)
    }

    /// From the first page to the last, a refusal, or the page of this number.
    pub async fn walk(&self, rows: Option<usize>, most_pages: usize) -> Walk {
        let (mut walk, mut next) = (Walk::default(), None::<String>);
        while walk.pages.len() < most_pages {
            let (status, page) = read(self.page(rows, next.as_deref())).await;
            if status != 200 {
                walk.refused = Some(status);
                break;
            }
            walk.pages.push(W::ids(&page));
            next = W::next(&page, walk.pages.len(), walk.pages.iter().map(Vec::len).sum());
            if next.is_none() {
                break;
            }
        }
        walk
    }
}

/// An address with those parameters that have a value.
pub fn address(base: &str, path: &str, parameters: &[(&str, Option<&str>)]) -> Url {
    let sent = parameters.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    Url::parse_with_params(&format!("{base}{path}"), sent).unwrap()
}

/// A request with a body that is a form.
pub fn form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.header("content-type", "application/x-www-form-urlencoded").body(body)
}

/// Sends a request; what is no JSON is read as null. Some vendors begin theirs with a byte order mark.
pub async fn read(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default())
}

/// The members of one name in a list.
pub fn texts(rows: &Value, member: &str) -> Vec<String> {
    let text = |row: &Value| row[member].as_str().map_or_else(|| row[member].to_string(), str::to_owned);
    rows.as_array().unwrap().iter().map(text).collect()
}
