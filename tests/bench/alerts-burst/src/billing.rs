//! A sync of one product of every company: how long it takes, and whether it wrote what it should.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::Failure;
use crate::stage::Stage;
use crate::world::{PRODUCTS, UNITS, World};

/// How often a run is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// A run that goes on longer has gone wrong.
const MOST: Duration = Duration::from_secs(900);
/// Changes of a product's lines.
const MORE: i64 = 3;

/// A sync that has ended.
#[derive(Debug, Clone)]
pub struct Billing {
    /// When it was asked for.
    pub from: Timestamp,
    /// When its end was seen.
    pub to: Timestamp,
    /// How long that is.
    pub took: Duration,
    /// Requests to the PSA, as the run counts them.
    pub requests: u64,
    /// What must not be.
    pub wrong: Vec<String>,
}

impl Billing {
    /// Every company uses a few units more of one product: pushes that and syncs. Each product has its turn once, as Autotask
    /// takes one change of a line a day.
    pub async fn of<P: Stage>(world: &World<P>, product: usize) -> Result<Self, Failure> {
        push(world, product).await?;
        let written = world.psa.written().len();
        let (from, began) = (Timestamp::now(), Instant::now());
        let path = format!("{}/runs", world.connection);
        let started = world.client.send(Method::POST, &path, Some(&json!({"mode": "apply"}))).await?;
        let path = format!("/v1/runs/{}", started["run_id"].as_str().unwrap_or_default());
        let run = loop {
            let run = world.client.send(Method::GET, &path, None).await?;
            if !run["finished_at"].is_null() {
                break run;
            }
            if began.elapsed() > MOST {
                return Err(format!("a sync does not end: {run}").into());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        };
        let (to, took) = (Timestamp::now(), began.elapsed());
        let requests = run["psa_requests"].as_u64().unwrap_or_default();
        Ok(Self { from, to, took, requests, wrong: wrong(world, product, &run, written) })
    }
}

/// Units of each product: those that were raised before stay raised.
async fn push<P: Stage>(world: &World<P>, product: usize) -> Result<(), Failure> {
    let records: Vec<Value> = world
        .companies()
        .iter()
        .flat_map(|company| {
            PRODUCTS.iter().enumerate().map(move |(place, name)| {
                let quantity = if place <= product { UNITS + MORE } else { UNITS };
                json!({"company": company, "company_name": company, "product": name, "quantity": quantity})
            })
        })
        .collect();
    let body = json!({"as_of": Timestamp::now().to_string(), "complete": true, "records": records});
    world.client.send(Method::PUT, &format!("/v1/usage/snapshots/burst-{product}"), Some(&body)).await?;
    Ok(())
}

/// One write a company, of that product, to those units.
fn wrong<P: Stage>(world: &World<P>, product: usize, run: &Value, before: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    if run["status"] != "succeeded" {
        wrong.push(format!("sync {product} ended as {}: {}", run["status"], run["explanation"]));
    }
    let mut lines: BTreeMap<(i64, i64), Vec<i64>> = BTreeMap::new();
    for write in world.psa.written().into_iter().skip(before) {
        lines.entry((write.contract, write.service)).or_default().push(write.units);
    }
    let services: Vec<i64> = lines.keys().map(|(_, service)| *service).collect();
    let is_one_product = services.windows(2).all(|two| two[0] == two[1]);
    if lines.len() != world.companies().len() || !is_one_product || lines.values().any(|of| *of != [UNITS + MORE]) {
        wrong.push(format!("sync {product} wrote {} lines: {lines:?}", lines.len()));
    }
    wrong
}
