//! How a source reads.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shared::psa::Kind;
use shared::sources::{Metric, Pulled, Wanted};
use simulators::vendor::{Change, Customer as _, Fault, MANY, When};

use crate::known::Known;
use crate::world::{World, wanted};

/// Enough for three of the largest pages of any vendor.
const PAGES_OF_ALL: usize = 1_230;
/// No vendor's walk over that many customers, each asked twice, takes more.
const MOST_REQUESTS: usize = 10_000;

fn metrics<V: Known>() -> Vec<&'static str> {
    let all: BTreeSet<&str> = [V::METRIC].into_iter().chain(V::OF_EACH).collect();
    all.into_iter().collect()
}

/// By customer, what was told of a metric.
fn told(pulled: &Pulled, metric: &str) -> BTreeMap<String, u32> {
    let rows = pulled.rows.iter().filter(|row| row.metric.as_str() == metric);
    rows.map(|row| (row.company.to_string(), row.quantity.get())).collect()
}

/// By customer, what is so of a metric.
fn held<V: Known>(world: &World<V>, metric: &str) -> BTreeMap<String, u32> {
    let has = |customer: &V::Customer| Some((customer.id().to_string(), V::has(customer, metric)?));
    world.vendor.customers().iter().filter_map(has).collect()
}

fn is_whole(pulled: &Pulled, metric: &str) -> bool {
    pulled.whole.contains(&Metric::from(metric))
}

pub async fn reads_everybody<V: Known>() {
    let world = World::<V>::of(MANY).await;
    let pulled = world.source().pull(&wanted(&metrics::<V>())).await;
    assert_eq!((pulled.stopped.as_ref(), pulled.unread.len(), pulled.customers.len()), (None, 0, MANY));
    for metric in metrics::<V>() {
        assert!(is_whole(&pulled, metric), "{metric} of {:?}", pulled.whole);
        // Where all was read, a zero may be told by saying nothing.
        let some =
            |counts: BTreeMap<String, u32>| counts.into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>();
        assert_eq!(some(told(&pulled, metric)), some(held(&world, metric)), "{metric}");
        assert!(!told(&pulled, metric).is_empty(), "{metric}");
    }
    assert!(pulled.total.is_none_or(|total| total == MANY as u64), "{:?}", pulled.total);
    let asked = world.vendor.requests();
    let took = asked.last().unwrap().at.duration_since(asked[0].at);
    println!(
        "{}: {MANY} customers, {} pages, {} requests, {took:#} of virtual time",
        V::NAME,
        pulled.pages,
        asked.len()
    );
}

pub async fn asks_the_wanted_alone<V: Known>() {
    let world = World::<V>::of(60).await;
    let picked: BTreeSet<_> = world.ids().into_iter().take(3).map(|id| id.parse().unwrap()).collect();
    let Some(of_each) = V::OF_EACH else {
        assert!(!world.source().asks_each(&[V::METRIC.into()].into()));
        return;
    };
    assert!(world.source().asks_each(&[of_each.into()].into()));
    let all = world.source().pull(&wanted(&[of_each])).await;
    let of_all = world.vendor.requests().len();
    world.vendor.reset_counts();
    let some = world.source().pull(&Wanted { companies: Some(picked.clone()), ..wanted(&[of_each]) }).await;
    let of_some = world.vendor.requests().len();
    assert_eq!((all.customers.len(), some.customers.len()), (60, 60), "the list tells all of them");
    assert!(of_some + 50 <= of_all, "{of_some} of {of_all} requests");
    assert!(is_whole(&some, of_each), "all that were wanted have told");
    let companies: BTreeSet<_> = some.rows.iter().map(|row| row.company.clone()).collect();
    assert!(companies.is_subset(&picked), "{companies:?}");
}

pub async fn keeps_the_limit<V: Known>() {
    let world = World::<V>::of(150).await;
    let pulled = world.source().pull(&wanted(&metrics::<V>())).await;
    assert_eq!(pulled.stopped, None);
    let asked = world.vendor.requests();
    assert!(asked.iter().all(|asked| asked.status != Some(429)), "none was turned away");
    if let Some(limit) = V::LIMITS.requests {
        let within = jiff::SignedDuration::from_secs(i64::from(V::LIMITS.window_s));
        let limited: Vec<_> = asked.iter().filter(|asked| asked.route.is_some_and(V::is_limited)).collect();
        let most = limited.iter().map(|from| {
            limited.iter().filter(|other| other.at >= from.at && other.at.duration_since(from.at) < within).count()
        });
        let most = most.max().unwrap_or_default();
        println!("{}: at most {most} of {limit} requests in a window", V::NAME);
        assert!(most <= limit as usize, "{most}");
    }
}

pub async fn waits_when_turned_away<V: Known>() {
    for retry_after_s in [None, Some(7)] {
        let world = World::<V>::of(5).await;
        world.vendor.plan_fault(When::Request(V::LIST, 1), Fault::too_many_requests(retry_after_s));
        let before = world.clock.time();
        let pulled = world.pull().await;
        assert_eq!((pulled.stopped, pulled.customers.len()), (None, 5));
        let waited = world.clock.time().duration_since(before).as_secs();
        assert!(waited >= retry_after_s.map_or(1, i64::from), "{waited} s");
    }
}

pub async fn is_interrupted<V: Known>() {
    let world = World::<V>::of(PAGES_OF_ALL).await;
    for request in 3..=6 {
        world.vendor.plan_fault(When::Request(V::LIST, request), Fault::answer(503, ""));
    }
    let pulled = world.pull().await;
    let stopped = pulled.stopped.expect("it says so");
    assert_eq!((stopped.kind, stopped.code.as_str()), (Kind::Unavailable, "source_unavailable"));
    assert_eq!(pulled.whole, BTreeSet::new());
    let held = held(&world, V::METRIC);
    for (customer, count) in told_so_far(&pulled.rows) {
        assert_eq!(held.get(&customer), Some(&count), "what was read is so");
    }
}

fn told_so_far(rows: &[shared::sources::Row]) -> Vec<(String, u32)> {
    rows.iter().map(|row| (row.company.to_string(), row.quantity.get())).collect()
}

pub async fn reads_nonsense<V: Known>() {
    for answer in [Fault::unparsable_after(), Fault::answer(200, "{}"), Fault::oversized(9_000_000)] {
        let world = World::<V>::of(60).await;
        world.vendor.plan_fault(When::Request(V::LIST, 1), answer.clone());
        let pulled = world.pull().await;
        let stopped = pulled.stopped.unwrap_or_else(|| panic!("{answer:.40?} was taken for an answer"));
        assert_eq!((stopped.kind, pulled.whole), (Kind::Protocol, BTreeSet::new()), "{answer:.40?}");
    }
}

pub async fn comes_to_an_end<V: Known>() {
    let world = World::<V>::of(PAGES_OF_ALL).await;
    world.vendor.switch(|switches| switches.repeats_token = true);
    let pulled = world.pull().await;
    let stopped = pulled.stopped.expect("it says so");
    assert_eq!((stopped.kind, pulled.whole), (Kind::Protocol, BTreeSet::new()), "{stopped}");
    let requests = world.vendor.requests().len();
    println!("{}: {requests} requests, then {}", V::NAME, stopped.code);
    assert!(requests < 20, "{requests}");
}

/// Whatever a list does when a row goes: whoever is still there is in it, or it is not whole.
pub async fn is_changed_meanwhile<V: Known>() {
    let world = World::<V>::of(PAGES_OF_ALL).await;
    let first = world.vendor.customers().into_iter().next().unwrap();
    world.vendor.change_after_page(1, Change::Delete(first.id()));
    let pulled = world.pull().await;
    let read: BTreeSet<String> = pulled.customers.iter().map(|customer| customer.company.to_string()).collect();
    let missing: Vec<_> = world.ids().difference(&read).cloned().collect();
    println!(
        "{}: {} missing, stopped by {:?}",
        V::NAME,
        missing.len(),
        pulled.stopped.as_ref().map(|error| &error.code)
    );
    assert!(missing.is_empty() || pulled.whole.is_empty(), "{missing:?} are missing of what is called whole");
    assert_eq!(world.pull().await.stopped, None, "the next one is well");
    assert!(world.vendor.requests().len() < MOST_REQUESTS);
}

pub async fn is_refused<V: Known>() {
    let world = World::<V>::of(5).await;
    assert!(world.source().test().await.is_ok());
    for (name, _) in V::SAMPLE {
        // Which host, tenant or provider is meant is no secret, and a wrong one is another failure.
        if ["host", "tenant_id", "provider_id"].contains(name) {
            continue;
        }
        let mut credentials = V::credentials();
        credentials[*name] = Value::from("wrong-canary");
        let source = world.opened(credentials);
        let error = source.test().await.expect_err(name);
        assert_eq!(error.kind, Kind::Auth, "{name}: {error}");
        assert!(!format!("{error:?}").contains("wrong-canary"), "{error:?}");
        let pulled = source.pull(&wanted(&[V::METRIC])).await;
        assert_eq!((pulled.stopped.map(|error| error.kind), pulled.whole.len()), (Some(Kind::Auth), 0), "{name}");
    }
}
