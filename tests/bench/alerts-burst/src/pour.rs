//! Sending a flood in: several clients side by side, each with companies of its own, so that what a company says keeps its order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use integration::msp::alerts::encoded;
use integration::msp::alerts::flood::{Flood, Sent};
use reqwest::Method;
use tokio::task::JoinSet;

use crate::Failure;
use crate::client::Client;
use crate::stage::Stage;
use crate::world::World;

/// How often the counter is looked at by whoever waits for it.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Counts what was sent. Clones share it.
#[derive(Clone, Default)]
pub struct Counter(Arc<AtomicUsize>);

impl Counter {
    /// Waits until so much was sent.
    pub async fn reaches(&self, number: usize) {
        while self.0.load(Ordering::Relaxed) < number {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// Sends all of it, and answers how long each request took.
pub async fn pour<P: Stage>(
    world: &World<P>,
    flood: &Flood,
    clients: usize,
    sent: &Counter,
) -> Result<Vec<Duration>, Failure> {
    let mut sending = JoinSet::new();
    for number in 0..clients {
        let own = Flood {
            companies: flood.companies.iter().skip(number).step_by(clients).cloned().collect(),
            ..Flood::default()
        };
        sending.spawn(send_all(world.client.clone(), own.in_turns(), sent.clone()));
    }
    let mut took = Vec::new();
    while let Some(ended) = sending.join_next().await {
        took.extend(ended??);
    }
    Ok(took)
}

async fn send_all(client: Client, all: Vec<Sent>, sent: Counter) -> Result<Vec<Duration>, Failure> {
    let mut took = Vec::with_capacity(all.len());
    for one in all {
        let began = Instant::now();
        match one {
            Sent::Report(body) => client.send(Method::POST, "/v1/alerts", Some(&body)).await?,
            Sent::End(key) => client.send(Method::POST, &format!("/v1/alerts/{}/resolve", encoded(&key)), None).await?,
        };
        took.push(began.elapsed());
        sent.0.fetch_add(1, Ordering::Relaxed);
    }
    Ok(took)
}
