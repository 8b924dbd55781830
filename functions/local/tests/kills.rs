//! The built program, killed twenty times in the middle of its work and started again on the same data: every line comes
//! to its units, and the PSA is never asked twice for one change.
//!
//! The kills are `SIGKILL`, at moments that a seed decides: after so many more requests to the simulated PSA, or so many
//! milliseconds. `TALLYLINE_KILLS_SEED` sets another one.

mod served;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use local::embedded::Embedded;
use serde_json::{Value, json};
use served::{Served, token};
use shared::domain::intent::IntentState;
use shared::ledger::Intent;
use shared::psa::Psa;
use shared::store::Read;
use shared::store::lines::Tenancy;
use simulators::autotask::seed::{Provider, Seeded, SeededCompany};
use simulators::autotask::{Autotask, Entity, Kind, SAMPLE_INTEGRATION_CODE, SAMPLE_SECRET, SAMPLE_USERNAME, Write};

const LINES: usize = 30;
const KILLS: u64 = 20;
/// What a request to the PSA takes, so that a sync of all lines lasts.
const DELAY: Duration = Duration::from_millis(8);
/// A write that was cut off is over in the simulator after [`DELAY`]; the program waits longer.
const SETTLE: [&str; 2] = ["--settle-seconds", "1"];

/// A number below `limit`, from the seed and the number of the kill.
fn chance(seed: u64, kill: u64, limit: u64) -> u64 {
    let mut mixed = seed.wrapping_add(kill.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    for factor in [0xBF58_476D_1CE4_E5B9_u64, 0x94D0_49BB_1331_11EB] {
        mixed = (mixed ^ (mixed >> 29)).wrapping_mul(factor);
    }
    (mixed >> 17) % limit
}

fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

struct Bench {
    psa: Autotask,
    seeded: Seeded,
    token: String,
    connection: String,
    pushed: u64,
}

impl Bench {
    /// Connects and maps every line over HTTP.
    async fn new(data: &Path) -> (Self, Served) {
        let (world, seeded) = Provider { companies: LINES, seed: 1, today: today() }.build().unwrap();
        let psa = Autotask::start(world).await.unwrap();
        let served = Served::start(data, &psa, &SETTLE);
        let token = token(data);
        let credentials = json!({ "username": SAMPLE_USERNAME, "secret": SAMPLE_SECRET, "integration_code": SAMPLE_INTEGRATION_CODE });
        let body = json!({ "psa": "autotask", "name": "N", "time_zone": "UTC", "credentials": credentials });
        let made = served.call(&token, "POST", "/v1/connections", &body).await;
        let connection = format!("/v1/connections/{}", made["id"].as_str().unwrap());
        let product = json!({ "service_id": seeded.services[0].id.to_string() });
        served.call(&token, "PUT", &format!("{connection}/products/edr"), &product).await;
        for company in &seeded.companies {
            let body = json!({ "account_id": company.id.to_string(), "contract_id": company.contract_id.to_string() });
            served.call(&token, "PUT", &format!("{connection}/companies/{}", company.id), &body).await;
        }
        psa.reset_counts();
        psa.set_delay(DELAY);
        (Self { psa, seeded, token, connection, pushed: 0 }, served)
    }

    /// Pushes one unit more for every company than the last time, and asks for a run.
    async fn start(&mut self, served: &Served) -> String {
        self.pushed += 1;
        let record = |company: &SeededCompany| json!({ "company": company.id.to_string(), "company_name": company.name, "product": "edr", "quantity": self.target(company) });
        let records: Vec<Value> = self.seeded.companies.iter().map(record).collect();
        let body = json!({ "as_of": Timestamp::now().to_string(), "complete": true, "records": records });
        served.call(&self.token, "PUT", &format!("/v1/usage/snapshots/s{}", self.pushed), &body).await;
        self.ask(served).await
    }

    async fn ask(&self, served: &Served) -> String {
        let path = format!("{}/runs", self.connection);
        let run = served.call(&self.token, "POST", &path, &json!({ "mode": "apply" })).await;
        format!("/v1/runs/{}", run["run_id"].as_str().unwrap())
    }

    fn target(&self, company: &SeededCompany) -> i64 {
        company.lines[0].units + i64::try_from(self.pushed).unwrap()
    }

    /// Waits for the moment of a kill: `requests` more at the PSA, for every other one the next write among them, and then
    /// some milliseconds, in which a write may be under way.
    async fn moment(&self, requests: u64, writing: bool, milliseconds: u64) {
        let until = self.psa.request_count() + usize::try_from(requests).unwrap();
        wait_for(|| self.psa.request_count() >= until).await;
        if writing {
            let before = self.write_requests();
            wait_for(|| self.write_requests() > before).await;
        }
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }

    fn write_requests(&self) -> usize {
        self.psa.count(Entity::ContractServiceAdjustments, Kind::Create)
    }

    /// Runs until one leaves nothing open: what was cut off is settled once it can't be on its way any more.
    async fn settle(&self, served: &Served) -> Value {
        for _ in 0..40 {
            let run = served.ended(&self.token, &self.ask(served).await).await;
            if run["lines"]["unchanged"] == LINES {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the lines do not come to rest")
    }
}

/// Waits two seconds at most: where nothing is under way, the kill comes all the same.
async fn wait_for(happened: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if happened() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_program_that_is_killed_again_and_again_writes_every_change_once() {
    let seed = std::env::var("TALLYLINE_KILLS_SEED").map_or(20_261_122, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (mut bench, mut served) = Bench::new(&data).await;
    let mut run: Option<String> = None;
    let mut under_way = 0;
    for kill in 0..KILLS {
        let ended = match &run {
            Some(run) => !served.call(&bench.token, "GET", run, &Value::Null).await["finished_at"].is_null(),
            None => true,
        };
        if ended {
            run = Some(bench.start(&served).await);
        }
        bench.moment(1 + chance(seed, kill, 60), kill % 2 == 0, chance(seed, kill + KILLS, 10)).await;
        served.kill();
        served = Served::start(&data, &bench.psa, &SETTLE);
        let path = run.clone().unwrap();
        let found = served.call(&bench.token, "GET", &path, &Value::Null).await;
        under_way += u64::from(found["finished_at"].is_null());
    }
    bench.psa.set_delay(Duration::ZERO);
    served.ended(&bench.token, &run.unwrap()).await;
    let last = bench.settle(&served).await;
    assert_eq!((&last["status"], &last["writes"]), (&json!("succeeded"), &json!(0)), "{last}");
    assert_eq!(served.terminate(), Some(0));

    let writes = bench.psa.writes();
    let cut = bench.write_requests() - writes.len();
    let runs = bench.pushed;
    println!(
        "seed {seed}: {KILLS} kills, {under_way} of a run under way; {runs} runs, {} writes, {cut} cut off before they were made",
        writes.len()
    );
    assert!(under_way >= KILLS / 2, "only {under_way} kills hit a run");
    let intents = intents(&data, &bench.seeded).await;
    for company in &bench.seeded.companies {
        let of_line: Vec<&Write> = writes.iter().filter(|write| write.contract_id == company.contract_id).collect();
        check(&bench, company, &of_line, &intents[&company.id]);
    }
}

/// The line carries what it should, and the ledger and the PSA tell the same story of how it came there.
fn check(bench: &Bench, company: &SeededCompany, writes: &[&Write], intents: &[Intent]) {
    let name = &company.name;
    let line = &company.lines[0];
    let day = writes.iter().map(|write| write.effective_date).max().map_or(today(), |last| last.max(today()));
    assert_eq!(bench.psa.units(company.contract_id, line.service_id, day), Some(bench.target(company)), "{name}");
    let applied: Vec<&Intent> = intents.iter().filter(|intent| intent.state == IntentState::Applied).collect();
    assert!(intents.iter().all(|intent| intent.state.is_settled()), "{name}: {intents:#?}");
    let made: Vec<(Date, i64)> = writes.iter().map(|write| (write.effective_date, write.unit_change)).collect();
    let told: Vec<(Date, i64)> =
        applied.iter().map(|intent| (intent.meaning.effective, intent.meaning.delta().get())).collect();
    assert_eq!(made, told, "{name}: what the PSA made is not what the ledger calls applied");
    let reached: Vec<i64> = applied.iter().map(|intent| intent.meaning.target.into()).collect();
    assert!(reached.is_sorted_by(|one, next| one < next), "{name}: a target was reached twice: {reached:?}");
    let sum: i64 = writes.iter().map(|write| write.unit_change).sum();
    assert_eq!(line.units + sum, bench.target(company), "{name}");
    assert!(writes.iter().all(|write| !write.created_line && !write.into_posted), "{name}: {writes:?}");
}

/// Every intent in the data folder, by company, in order of their revisions.
async fn intents(data: &Path, seeded: &Seeded) -> BTreeMap<i64, Vec<Intent>> {
    let store = Embedded::open(data).await.unwrap();
    let of = Tenancy { partner: "p".parse().unwrap(), psa: Psa::Autotask, tenant: "123456".parse().unwrap() };
    let mut found = BTreeMap::new();
    for company in &seeded.companies {
        let line = &company.lines[0];
        let partition = format!("{}#LEDGER#{}#{}", of.partition(), company.contract_id, line.service_id);
        let rows = store.table().all::<Intent>(&partition, "INTENT#", Read::Consistent).await.unwrap();
        found.insert(company.id, rows.into_iter().map(|(_, intent)| intent).collect());
    }
    found
}
