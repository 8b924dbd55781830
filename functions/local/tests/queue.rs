//! The queue on the real store engine: order, delays, dead letters, duplicates, restarts.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use local::embedded::Embedded;
use local::queue::{Drained, Handle, Message, Queue, drain, work_until};
use shared::clock::Clock;
use shared::events::RunRef;
use shared::queue::{
    AlertMessage, CompanyJob, MOST_DELIVERIES, MOST_DELIVERIES_OF_ALERTS, PullMessage, SendAlerts as _, SendJobs as _,
    SendPulls as _,
};
use shared::sources::Vendor;
use shared::store::Table;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

struct Hand(Mutex<Timestamp>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

impl Hand {
    fn advance(&self, seconds: i64) {
        *self.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }
}

struct Bench {
    queue: Queue,
    hand: Arc<Hand>,
    store: Embedded,
}

impl Bench {
    async fn new() -> Self {
        Self::of(Embedded::in_memory().await.unwrap())
    }

    async fn on(folder: &Path) -> Self {
        Self::of(Embedded::open(folder).await.unwrap())
    }

    fn of(store: Embedded) -> Self {
        let hand = Arc::new(Hand(Mutex::new("2026-11-21T12:00:00Z".parse().unwrap())));
        Self { queue: Queue::new(store.table(), hand.clone()), hand, store }
    }

    fn table(&self) -> Table {
        self.store.table()
    }

    async fn send(&self, jobs: &[CompanyJob]) {
        self.queue.send(jobs).await.unwrap();
    }

    async fn drain(&self, handler: &Arc<Recorder>) -> Drained {
        let handler: Arc<dyn Handle> = handler.clone();
        drain(&self.queue, &handler).await.unwrap()
    }
}

/// Writes down what it is given, as `connection/page`, and fails or panics where it is told to.
#[derive(Default)]
struct Recorder {
    seen: Mutex<Vec<String>>,
    failing: Mutex<BTreeSet<String>>,
    panicking: Mutex<BTreeSet<String>>,
    given_up: Mutex<Vec<String>>,
}

impl Recorder {
    fn failing_at(page: &str) -> Arc<Self> {
        let recorder = Arc::new(Self::default());
        recorder.failing.lock().unwrap().insert(page.to_owned());
        recorder
    }

    fn repair(&self) {
        self.failing.lock().unwrap().clear();
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

fn name(message: &Message) -> String {
    match message {
        Message::Sync(run) => format!("{}/sync {}", run.connection, run.run),
        Message::Job(job) => format!("{}/{}", job.connection, job.page),
        Message::Alert(alert) => format!("{}/{}", alert.partner, alert.key),
        Message::Pull(pull) => format!("{}/{} {}", pull.partner, pull.vendor.as_str(), pull.nonce),
        Message::Notice { .. } | Message::Dispatch { .. } => panic!("of another queue"),
    }
}

#[async_trait]
impl Handle for Recorder {
    async fn handle(&self, message: &Message) -> Result<(), String> {
        let name = name(message);
        self.seen.lock().unwrap().push(name.clone());
        let panics = self.panicking.lock().unwrap().contains(&name);
        assert!(!panics, "as told");
        if self.failing.lock().unwrap().contains(&name) { Err("as told".into()) } else { Ok(()) }
    }

    async fn give_up(&self, message: &Message) -> Result<(), String> {
        self.given_up.lock().unwrap().push(message.to_string());
        Ok(())
    }
}

fn job(connection: &str, page: &str) -> CompanyJob {
    CompanyJob {
        partner: "p".parse().unwrap(),
        connection: connection.parse().unwrap(),
        run: "run_1".parse().unwrap(),
        page: page.to_owned(),
    }
}

fn alert(partner: &str, key: &str, nonce: &str) -> AlertMessage {
    AlertMessage { partner: partner.parse().unwrap(), key: key.to_owned(), nonce: nonce.to_owned() }
}

fn sync(connection: &str, run: &str) -> Message {
    let run =
        RunRef { partner: "p".parse().unwrap(), connection: connection.parse().unwrap(), run: run.parse().unwrap() };
    Message::Sync(run)
}

#[tokio::test]
async fn messages_of_a_connection_come_in_the_order_in_which_they_were_sent() {
    let bench = Bench::new().await;
    let recorder = Arc::new(Recorder::default());
    // More than fit one transaction, in an order that is not that of their names.
    let pages: Vec<String> = (0..130).map(|number| format!("{:03}", (number * 37) % 130)).collect();
    let jobs: Vec<_> = pages.iter().map(|page| job("a", page)).collect();
    bench.send(&jobs).await;
    bench.send(&[job("a-", "x"), job("a", "last")]).await;
    assert_eq!(bench.drain(&recorder).await, Drained { done: 132, failed: 0 });
    let seen = recorder.seen();
    let of_a: Vec<_> = seen.iter().filter_map(|name| name.strip_prefix("a/")).collect();
    assert_eq!(of_a[..130], pages);
    assert_eq!(of_a[130], "last");
    assert!(seen.contains(&"a-/x".to_owned()));
    assert!(bench.queue.heads().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_message_waits_once_however_often_it_is_sent_and_may_come_again_later() {
    let bench = Bench::new().await;
    let recorder = Arc::new(Recorder::default());
    bench.send(&[job("a", "1"), job("a", "1"), job("a", "2")]).await;
    bench.send(&[job("a", "2"), job("a", "3"), job("b", "1")]).await;
    bench.queue.put([sync("a", "run_2"), sync("a", "run_2")]).await.unwrap();
    bench.drain(&recorder).await;
    assert_eq!(recorder.seen(), ["a/1", "a/2", "a/3", "b/1", "a/sync run_2"].map(str::to_owned));
    bench.send(&[job("a", "1")]).await;
    bench.drain(&recorder).await;
    assert_eq!(recorder.seen(), ["a/1"]);
}

#[tokio::test]
async fn a_message_that_fails_comes_again_after_a_growing_delay_and_holds_its_connection_back() {
    let bench = Bench::new().await;
    let recorder = Recorder::failing_at("a/1");
    bench.send(&[job("a", "1"), job("a", "2"), job("b", "1")]).await;
    assert_eq!(bench.drain(&recorder).await, Drained { done: 1, failed: 1 });
    assert_eq!(recorder.seen(), ["a/1", "b/1"]);
    for delay in [5, 10] {
        bench.hand.advance(delay - 1);
        assert_eq!(bench.drain(&recorder).await, Drained::default(), "before {delay} s");
        bench.hand.advance(1);
        assert_eq!(bench.drain(&recorder).await, Drained { done: 0, failed: 1 }, "after {delay} s");
    }
    recorder.repair();
    bench.hand.advance(20);
    recorder.seen();
    assert_eq!(bench.drain(&recorder).await, Drained { done: 2, failed: 0 });
    assert_eq!(recorder.seen(), ["a/1", "a/2"]);
}

#[tokio::test]
async fn a_message_that_keeps_failing_is_put_aside_and_makes_way() {
    let bench = Bench::new().await;
    let recorder = Recorder::failing_at("a/1");
    bench.send(&[job("a", "1"), job("a", "2")]).await;
    for _ in 0..MOST_DELIVERIES {
        bench.drain(&recorder).await;
        bench.hand.advance(900);
    }
    let seen = recorder.seen();
    assert_eq!(seen.iter().filter(|name| *name == "a/1").count(), 10);
    assert_eq!(seen.last().unwrap(), "a/2");
    let dead = bench.queue.dead_letters().await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].letter.message.clone(), dead[0].error.as_str()), (Message::Job(job("a", "1")), "as told"));
    assert_eq!(recorder.given_up.lock().unwrap().len(), 1, "what waits for it is ended, once");
    // Its place is free: the same may be sent again.
    recorder.repair();
    bench.send(&[job("a", "1")]).await;
    assert_eq!(bench.drain(&recorder).await, Drained { done: 1, failed: 0 });
}

#[tokio::test]
async fn a_partners_alerts_come_in_order_each_message_once_and_beside_the_jobs() {
    let bench = Bench::new().await;
    let alerts = Queue::of_alerts(bench.table(), bench.hand.clone());
    bench.send(&[job("a", "1")]).await;
    let sent = [("p", "b", "1"), ("p", "a", "1"), ("q", "a", "1"), ("p", "b", "1"), ("p", "b", "2")];
    alerts.send_alerts(&sent.map(|(partner, key, nonce)| alert(partner, key, nonce))).await.unwrap();
    let recorder = Arc::new(Recorder::default());
    assert_eq!(bench.drain(&recorder).await, Drained { done: 1, failed: 0 });
    assert_eq!(recorder.seen(), ["a/1"], "alerts are in no run's way");
    let handler: Arc<dyn Handle> = recorder.clone();
    assert_eq!(drain(&alerts, &handler).await.unwrap(), Drained { done: 4, failed: 0 });
    let of_p: Vec<String> = recorder.seen().into_iter().filter(|name| name.starts_with("p/")).collect();
    assert_eq!(of_p, ["p/b", "p/a", "p/b"]);
}

#[tokio::test]
async fn a_sources_pulls_come_in_order_each_message_once_and_one_that_fails_is_in_no_others_way() {
    let bench = Bench::new().await;
    let pulls = Queue::of_pulls(bench.table(), bench.hand.clone());
    bench.send(&[job("a", "1")]).await;
    let pull = |vendor: Vendor, nonce: &str| {
        let asked = PullMessage::asks(&"p".parse().unwrap(), vendor, Timestamp::UNIX_EPOCH);
        PullMessage { nonce: nonce.into(), ..asked }
    };
    let (first, second) = (pull(Vendor::Huntress, "1"), pull(Vendor::Huntress, "2"));
    pulls.send_pulls(&[first.clone(), second, pull(Vendor::Pax8, "1"), first]).await.unwrap();
    let recorder = Recorder::failing_at("p/huntress 1");
    let handler: Arc<dyn Handle> = recorder.clone();
    assert_eq!(drain(&pulls, &handler).await.unwrap(), Drained { done: 1, failed: 1 });
    assert_eq!(recorder.seen(), ["p/huntress 1", "p/pax8 1"]);
    recorder.repair();
    bench.hand.advance(5);
    assert_eq!(drain(&pulls, &handler).await.unwrap(), Drained { done: 2, failed: 0 });
    assert_eq!(recorder.seen(), ["p/huntress 1", "p/huntress 2"]);
    assert_eq!(bench.drain(&recorder).await.done, 1, "pulls are in no run's way");
}

#[tokio::test]
async fn an_alert_is_tried_for_two_days_before_it_makes_way() {
    let bench = Bench::new().await;
    let alerts = Queue::of_alerts(bench.table(), bench.hand.clone());
    alerts.send_alerts(&[alert("p", "first", "1"), alert("p", "second", "1")]).await.unwrap();
    let (recorder, began) = (Recorder::failing_at("p/first"), bench.hand.now());
    let handler: Arc<dyn Handle> = recorder.clone();
    while recorder.given_up.lock().unwrap().is_empty() {
        drain(&alerts, &handler).await.unwrap();
        bench.hand.advance(900);
    }
    let seen = recorder.seen();
    assert_eq!(seen.iter().filter(|name| *name == "p/first").count(), MOST_DELIVERIES_OF_ALERTS as usize);
    assert_eq!(seen.last().unwrap(), "p/second");
    assert!(bench.hand.now().duration_since(began) > SignedDuration::from_hours(48));
    assert_eq!(alerts.dead_letters().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_panic_fails_its_own_message_and_no_other() {
    let bench = Bench::new().await;
    let recorder = Arc::new(Recorder::default());
    recorder.panicking.lock().unwrap().insert("a/1".into());
    bench.send(&[job("a", "1"), job("b", "1")]).await;
    assert_eq!(bench.drain(&recorder).await, Drained { done: 1, failed: 1 });
    recorder.panicking.lock().unwrap().clear();
    bench.hand.advance(5);
    assert_eq!(bench.drain(&recorder).await, Drained { done: 1, failed: 0 });
}

#[tokio::test]
async fn what_waits_is_there_after_a_restart_and_a_delivery_that_ended_the_process_counts() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Arc::new(Recorder::default());
    let bench = Bench::on(folder.path()).await;
    bench.queue.put([sync("a", "run_1")]).await.unwrap();
    bench.send(&[job("a", "1"), job("a", "2")]).await;
    // Taken, and then the process is gone.
    let head = bench.queue.heads().await.unwrap().remove(0);
    assert_eq!(bench.queue.take(&head).await.unwrap().unwrap().attempts, 1);
    drop(bench);

    let bench = Bench::on(folder.path()).await;
    assert_eq!(bench.queue.heads().await.unwrap()[0].attempts, 1);
    bench.send(&[job("a", "3")]).await;
    assert_eq!(bench.drain(&recorder).await, Drained { done: 4, failed: 0 });
    assert_eq!(recorder.seen(), ["a/sync run_1", "a/1", "a/2", "a/3"]);
}

#[tokio::test]
async fn a_message_that_ends_the_process_each_time_is_put_aside_in_the_end() {
    let bench = Bench::new().await;
    let recorder = Arc::new(Recorder::default());
    bench.send(&[job("a", "1"), job("a", "2")]).await;
    for _ in 0..MOST_DELIVERIES {
        let head = bench.queue.heads().await.unwrap().remove(0);
        bench.queue.take(&head).await.unwrap();
    }
    assert_eq!(bench.drain(&recorder).await, Drained { done: 1, failed: 1 });
    assert_eq!(recorder.seen(), ["a/2"]);
    assert_eq!(bench.queue.dead_letters().await.unwrap().len(), 1);
    assert_eq!(recorder.given_up.lock().unwrap().len(), 1);
}

/// Holds every message until it is let go, and counts what is going on.
struct Gate {
    inside: Mutex<Vec<String>>,
    came: Mutex<Vec<String>>,
    most: Mutex<usize>,
    twice: Mutex<bool>,
    done: Mutex<usize>,
    entered: Semaphore,
    open: Semaphore,
}

impl Gate {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            inside: Mutex::default(),
            came: Mutex::default(),
            most: Mutex::default(),
            twice: Mutex::default(),
            done: Mutex::default(),
            entered: Semaphore::new(0),
            open: Semaphore::new(0),
        })
    }

    /// Waits until so many more have come in.
    async fn entered(&self, count: u32) {
        let come = tokio::time::timeout(Duration::from_secs(20), self.entered.acquire_many(count));
        come.await.expect("in time").unwrap().forget();
    }
}

#[async_trait]
impl Handle for Gate {
    async fn handle(&self, message: &Message) -> Result<(), String> {
        let connection = message.lane().into_owned();
        {
            let mut inside = self.inside.lock().unwrap();
            *self.twice.lock().unwrap() |= inside.contains(&connection);
            inside.push(connection.clone());
            self.came.lock().unwrap().push(connection.clone());
            let mut most = self.most.lock().unwrap();
            *most = inside.len().max(*most);
        }
        self.entered.add_permits(1);
        self.open.acquire().await.unwrap().forget();
        self.inside.lock().unwrap().retain(|other| *other != connection);
        *self.done.lock().unwrap() += 1;
        Ok(())
    }

    async fn give_up(&self, _: &Message) -> Result<(), String> {
        Ok(())
    }
}

/// Works in the background until the sender is used or dropped.
fn start(bench: &Bench, gate: &Arc<Gate>) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let handler: Arc<dyn Handle> = gate.clone();
    let stopped = async {
        stopped.await.ok();
    };
    (stop, tokio::spawn(work_until(bench.queue.clone(), handler, stopped)))
}

async fn ended(working: JoinHandle<()>) {
    tokio::time::timeout(Duration::from_secs(20), working).await.expect("in time").unwrap();
}

#[tokio::test]
async fn four_connections_are_worked_on_side_by_side_in_turn_and_one_never_twice() {
    let bench = Bench::new().await;
    let gate = Gate::new();
    let jobs: Vec<_> = (0..6).flat_map(|c| (0..3).map(move |page| job(&format!("c{c}"), &page.to_string()))).collect();
    bench.send(&jobs).await;
    let (stop, working) = start(&bench, &gate);
    gate.entered(4).await;
    assert_eq!(gate.inside.lock().unwrap().len(), 4);
    // One goes, one comes.
    for _ in 4..jobs.len() {
        gate.open.add_permits(1);
        gate.entered(1).await;
    }
    stop.send(()).unwrap();
    gate.open.add_permits(4);
    ended(working).await;
    assert_eq!((*gate.done.lock().unwrap(), *gate.most.lock().unwrap(), *gate.twice.lock().unwrap()), (18, 4, false));
    assert!(bench.queue.heads().await.unwrap().is_empty());
    // The fifth and sixth come before the first comes again.
    let first: BTreeSet<String> = gate.came.lock().unwrap()[..6].iter().cloned().collect();
    assert_eq!(first.len(), 6, "{first:?}");
}

#[tokio::test]
async fn a_stop_lets_what_is_going_on_end_and_begins_nothing_new() {
    let bench = Bench::new().await;
    let gate = Gate::new();
    bench.send(&[job("a", "1"), job("a", "2")]).await;
    let (stop, working) = start(&bench, &gate);
    gate.entered(1).await;
    stop.send(()).unwrap();
    // The stop is seen before the end of what is going on.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    gate.open.add_permits(1);
    ended(working).await;
    assert_eq!(*gate.done.lock().unwrap(), 1);
    let left = bench.queue.heads().await.unwrap();
    assert_eq!(left.iter().map(|head| name(&head.message)).collect::<Vec<_>>(), ["a/2"]);
}
