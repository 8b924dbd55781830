//! Pulls of a usage source from the tick to the PSA: when they come, what they store, and what becomes of one that is cut short.

use std::collections::BTreeSet;
use std::sync::Arc;

use integration::msp::strikes::Passing;
use integration::msp::{Customer, Msp, Pulls, Setup, Strike, Strikes};
use integration::{BEGINNING, PARTNER, TestClock};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use shared::domain::ids::{ConnectionId, PartnerId};
use shared::faults::{Point, Side};
use shared::sources::Vendor;
use shared::store::Read;
use shared::store::connections::Connections;
use shared::store::mappings::{CompanyMapping, Expected, Mappings};
use shared::store::sources::{PullStatus, UsageSources};
use simulators::huntress::{Counts, Organization, Route, SAMPLE_KEY, SAMPLE_SECRET};
use simulators::vendor::{Change, Fault, Seed, When};
use simulators::{Huntress, Pax8, pax8};

const METRICS: [(&str, &str); 2] = [("billable_agents", "edr"), ("sat_learners", "sat")];
/// The organization that is a customer with lines in the PSA.
const ACME: i64 = 7;
/// Another one.
const BOLT: i64 = 9;

fn organization(id: i64, agents: u32, learners: u32) -> Organization {
    let counts = Counts { agents: agents + 1, billable_agents: agents, learners, ..Counts::default() };
    Organization::new(id, format!("Organization {id}")).with(counts)
}

async fn huntress(organizations: impl IntoIterator<Item = Organization>, clock: &TestClock) -> Huntress {
    Huntress::setup(organizations).clock(clock.simulated()).start().await.unwrap()
}

fn credentials() -> Value {
    json!({ "key": SAMPLE_KEY, "secret": SAMPLE_SECRET })
}

/// What an organization is called here.
fn company(id: i64) -> String {
    format!("huntress:{id}")
}

/// An MSP with one customer, of whom the newest count is billed.
async fn msp(strikes: &Arc<Strikes>) -> Msp {
    let acme = Customer::named(&company(ACME)).line("edr", 40).line("sat", 10);
    let latest = || json!({ "counting": "latest" });
    Setup::of([acme]).product("edr", latest()).product("sat", latest()).faults(strikes.clone()).start().await
}

fn ids(msp: &Msp) -> (PartnerId, ConnectionId) {
    (PARTNER.parse().unwrap(), msp.connection.parse().unwrap())
}

/// When the MSP's connection is synced next.
async fn next_sync(msp: &Msp) -> Timestamp {
    let (partner, connection) = ids(msp);
    let found = Connections::new(msp.parts.table.clone()).get(&partner, &connection, Read::Consistent).await;
    found.unwrap().unwrap().next_due_at.unwrap()
}

/// Every count of a product: company, quantity, whether its snapshot is complete.
async fn counts(msp: &Msp, product: &str) -> Vec<(String, u64, bool)> {
    let page = msp.done(Method::GET, &format!("/v1/usage?product={product}&limit=100"), None).await;
    let count = |count: &Value| {
        assert!(count["snapshot_id"].as_str().unwrap().starts_with("pull-huntress-"), "{count}");
        let company = count["company"].as_str().unwrap().to_owned();
        (company, count["quantity"].as_u64().unwrap(), count["complete"].as_bool().unwrap())
    };
    page["items"].as_array().unwrap().iter().map(count).collect()
}

#[tokio::test]
async fn a_tick_has_a_source_pulled_ninety_minutes_before_the_sync_that_bills_its_counts() {
    let msp = msp(&Strikes::none()).await;
    let huntress = huntress([organization(ACME, 42, 0), organization(8, 5, 3)], &msp.clock).await;
    let mut pulls = Pulls::of(&msp, Vendor::Huntress, &huntress.base());
    pulls.set_up(credentials(), &METRICS).await;

    // It is due from the moment it is set up, and asked for once.
    assert_eq!(msp.parts.fan_out.tick().await.unwrap().pulls, 1);
    assert_eq!(pulls.waiting(), 1);
    pulls.work_off().await;
    let last = pulls.last().await;
    assert_eq!((last.status, last.complete), (PullStatus::Succeeded, true));
    assert_eq!((last.tally.companies, last.tally.unread), (2, 0));
    // 8 is mapped to nothing: what costs a request is read of 7 alone, what the list tells of both.
    assert_eq!(counts(&msp, "edr").await, [("huntress:7".to_owned(), 42, true)]);
    assert_eq!(counts(&msp, "sat").await, [("huntress:7".to_owned(), 0, true), ("huntress:8".to_owned(), 3, true)]);
    assert_eq!(huntress.count(Route::Organization), 1);

    let sync = next_sync(&msp).await;
    let due = pulls.source().await.due_at;
    assert_eq!(sync.duration_since(due), SignedDuration::from_mins(90));
    for (instant, asked) in [(due - SignedDuration::from_secs(1), 0), (due, 1), (due, 0)] {
        msp.clock.set(&instant.to_string());
        assert_eq!(msp.parts.fan_out.tick().await.unwrap().pulls, asked, "{instant}");
    }
    huntress.change(Change::Count { id: ACME, counts: organization(ACME, 44, 9).counts }).unwrap();
    pulls.work_off().await;
    assert_eq!(pulls.source().await.due_at.duration_since(due), SignedDuration::from_hours(24));

    assert_eq!(huntress.count(Route::Organization), 2, "what the list told of 8 is no reason to ask for it");

    // The sync comes by itself and bills what was pulled.
    msp.clock.set(&sync.to_string());
    let ticked = msp.parts.fan_out.tick().await.unwrap();
    assert_eq!((ticked.pulls, ticked.started), (0, 1));
    msp.drain().await;
    assert_eq!((msp.units("huntress:7", "edr"), msp.units("huntress:7", "sat")), (44, 9));
}

#[tokio::test]
async fn a_source_that_can_not_be_put_off_stops_no_other_and_is_found_again() {
    let point = Point { effect: "store.amend SOURCE".to_owned(), side: Side::Before };
    let strikes = Strikes::at(&[Passing { phase: 1, point, time: 1 }], Strike::Fail);
    let msp = msp(&strikes).await;
    let huntress = huntress([organization(ACME, 42, 0)], &msp.clock).await;
    let pulls = Pulls::of(&msp, Vendor::Huntress, &huntress.base());
    pulls.set_up(credentials(), &METRICS).await;
    let mut other = pulls.source().await;
    other.partner = "another".parse().unwrap();
    assert!(UsageSources::new(msp.parts.table.clone()).create(&other).await.unwrap());
    strikes.arm(true);
    for asked in [1, 1, 0] {
        assert_eq!(msp.parts.fan_out.tick().await.unwrap().pulls, asked);
    }
    assert!(strikes.missed().is_empty());
}

#[tokio::test]
async fn a_source_whose_message_is_not_taken_stays_due() {
    let msp = msp(&Strikes::none()).await;
    let huntress = huntress([organization(ACME, 42, 0)], &msp.clock).await;
    let pulls = Pulls::of(&msp, Vendor::Huntress, &huntress.base());
    pulls.set_up(credentials(), &METRICS).await;
    for (is_broken, asked) in [(true, 0), (false, 1)] {
        msp.parts.wire.breaks(is_broken);
        assert_eq!(msp.parts.fan_out.tick().await.unwrap().pulls, asked);
    }
}

#[tokio::test]
async fn a_thousand_mapped_organizations_are_read_in_steps_and_their_counts_may_fall() {
    const ORGANIZATIONS: i64 = 1_000;
    let msp = msp(&Strikes::none()).await;
    map_like_acme(&msp, 1_001..1_000 + ORGANIZATIONS).await;
    let others = (1_001..1_000 + ORGANIZATIONS).map(|id| organization(id, 0, 0));
    let huntress = huntress(others.chain([organization(ACME, 38, 10)]), &msp.clock).await;
    let mut pulls = Pulls::of(&msp, Vendor::Huntress, &huntress.base());
    pulls.set_up(credentials(), &METRICS).await;
    let began = msp.clock.time();
    msp.parts.fan_out.tick().await.unwrap();

    assert_eq!(pulls.work_off().await, 3, "400 in a step");
    let last = pulls.last().await;
    assert_eq!((last.status, last.complete, last.tally.fault), (PullStatus::Succeeded, true, None));
    assert_eq!(last.tally.companies, ORGANIZATIONS.unsigned_abs(), "each is counted in one step");
    assert_eq!(last.as_of, began, "all are true for one instant");
    let asked = huntress.requests();
    let (told, refused): (Vec<_>, Vec<_>) = asked.iter().partition(|request| request.status == Some(200));
    assert_eq!(told.iter().filter(|request| request.route == Some(Route::Organization)).count(), 1_000);
    // A step knows nothing of the requests of the one before, and waits once it is told.
    assert!(refused.len() <= 2, "{refused:?}");
    assert!(msp.clock.time().duration_since(began) > SignedDuration::from_mins(14), "sixty a minute");
    // All share one line, and each has told: 38 is the sum, and not a part of it.
    msp.run("apply").await;
    assert_eq!(msp.units("huntress:7", "edr"), 38);
}

/// Maps more companies to where [`ACME`] is billed.
async fn map_like_acme(msp: &Msp, companies: impl IntoIterator<Item = i64>) {
    let (partner, connection) = ids(msp);
    let mappings = Mappings::new(msp.parts.table.clone());
    let acme = company(ACME).parse().unwrap();
    let like: CompanyMapping = mappings.get(&partner, &connection, &acme).await.unwrap().unwrap();
    for id in companies {
        let company = company(id).parse().unwrap();
        mappings
            .put(&partner, &connection, CompanyMapping { company, ..like.clone() }, Expected::Anything)
            .await
            .unwrap();
    }
}

/// Pulls once for every one of `phases`, under strikes, and answers what is wrong after each.
async fn pulled_under(strikes: &Arc<Strikes>, phases: usize) -> Vec<String> {
    let msp = msp(strikes).await;
    let huntress = huntress([organization(ACME, 42, 10), organization(8, 5, 3)], &msp.clock).await;
    let mut pulls = Pulls::of(&msp, Vendor::Huntress, &huntress.base()).struck(strikes);
    pulls.set_up(credentials(), &METRICS).await;
    // The first one finds an empty store.
    pulls.ask(msp.clock.time());
    pulls.work_off().await;
    let mut wrong = Vec::new();
    for phase in 1..=phases {
        let agents = 50 - u32::try_from(phase).unwrap() % 20;
        huntress.change(Change::Count { id: ACME, counts: organization(ACME, agents, 10).counts }).unwrap();
        msp.clock.advance(SignedDuration::from_hours(1));
        let asked = msp.clock.time();
        pulls.ask(asked);
        strikes.arm(true);
        pulls.work_off().await;
        strikes.arm(false);
        let (source, newest) = (pulls.source().await, counts(&msp, "edr").await.pop().unwrap());
        let last = source.last.unwrap();
        if source.going.is_some() || (last.pull, last.status, last.complete) != (asked, PullStatus::Succeeded, true) {
            wrong.push(format!("phase {phase}: {last:?}, and {:?} is left", source.going));
        }
        if newest != ("huntress:7".to_owned(), u64::from(agents), true) {
            wrong.push(format!("phase {phase}: {newest:?} where there are {agents}"));
        }
    }
    wrong
}

#[tokio::test]
async fn a_pull_that_is_cut_short_anywhere_begins_anew_and_ends_well() {
    let recorded = Strikes::none();
    assert_eq!(pulled_under(&recorded, 1).await, [""; 0]);
    let points = recorded.passed();
    let names: BTreeSet<String> = points.iter().map(|passing| passing.point.to_string()).collect();
    for needed in ["store.put SOURCE before", "store.put SOURCE after"] {
        assert!(names.contains(needed), "{needed} is not among {names:?}");
    }
    assert!(points.len() > 10, "what it stores is among them: {names:?}");
    let phased = |(place, passing): (usize, &Passing)| Passing { phase: place + 1, ..passing.clone() };
    let chosen: Vec<Passing> = points.iter().enumerate().map(phased).collect();
    for way in [Strike::Kill, Strike::Fail] {
        let strikes = Strikes::at(&chosen, way);
        assert_eq!(pulled_under(&strikes, chosen.len()).await, [""; 0], "{way:?}");
        assert!(strikes.missed().is_empty(), "{way:?}: {:?}", strikes.missed());
    }
    println!("{} points ({} distinct), each killed and failed", points.len(), names.len());
}

#[tokio::test]
async fn a_message_that_comes_twice_is_one_pull() {
    let msp = msp(&Strikes::none()).await;
    let huntress = huntress([organization(ACME, 42, 10)], &msp.clock).await;
    let mut pulls = Pulls::of(&msp, Vendor::Huntress, &huntress.base());
    pulls.set_up(credentials(), &METRICS).await;
    msp.parts.fan_out.tick().await.unwrap();
    pulls.repeat();
    assert_eq!(pulls.work_off().await, 2);
    assert_eq!(huntress.count(Route::Organization), 1);
}

/// Two customers whose absence is taken for zero, and a vendor that has both.
async fn two_that_may_be_absent() -> (Msp, Huntress) {
    let gone_is_zero = || json!({ "when_absent": "zero" });
    let customers = [ACME, BOLT].map(|id| Customer::named(&company(id)).line("edr", 10).mapped_with(gone_is_zero()));
    let msp = Setup::of(customers).product("edr", json!({ "counting": "latest" })).start().await;
    let vendor = huntress([organization(ACME, 10, 0), organization(BOLT, 10, 0)], &msp.clock).await;
    (msp, vendor)
}

#[tokio::test]
async fn a_customer_that_can_not_be_read_keeps_its_count_and_no_other_from_falling() {
    let (msp, huntress) = two_that_may_be_absent().await;
    let mut pulls = Pulls::of(&msp, Vendor::Huntress, &huntress.base());
    pulls.set_up(credentials(), &[("billable_agents", "edr")]).await;
    pulls.ask(msp.clock.time());
    pulls.work_off().await;

    msp.clock.advance(SignedDuration::from_hours(1));
    for id in [ACME, BOLT] {
        huntress.change(Change::Count { id, counts: organization(id, 9, 0).counts }).unwrap();
    }
    huntress.reset_counts();
    huntress.plan_fault(When::Request(Route::Organization, 2), Fault::answer(404, ""));
    pulls.ask(msp.clock.time());
    pulls.work_off().await;
    let last = pulls.last().await;
    assert_eq!((last.status, last.complete, last.tally.unread), (PullStatus::Partial, false, 1));
    msp.run("apply").await;
    assert_eq!((msp.units(&company(ACME), "edr"), msp.units(&company(BOLT), "edr")), (9, 10));

    // Whoever is gone from the whole list is absent for all that.
    msp.clock.advance(SignedDuration::from_hours(1));
    huntress.change(Change::Delete(BOLT)).unwrap();
    pulls.ask(msp.clock.time());
    pulls.work_off().await;
    let run = msp.run("preview").await;
    assert_eq!(run.line(&company(BOLT), "edr")["target"], 0, "{}", run.line(&company(BOLT), "edr"));
}

#[tokio::test]
async fn a_customer_of_two_vendors_is_billed_what_each_of_them_counts() {
    let bought = Seed { companies: 1, seed: 7, now: BEGINNING.parse().unwrap() }.build::<pax8::Api>().remove(0);
    let (theirs, quantity) = (format!("pax8:{}", bought.id), bought.subscriptions[0].quantity);
    let acme = Customer::named(&company(ACME)).line("edr", 10).line("proof", 1);
    let latest = || json!({ "counting": "latest" });
    let customers = [acme, Customer::named(&theirs).joined_to(&company(ACME))];
    let msp = Setup::of(customers).product("edr", latest()).product("proof", latest()).start().await;
    let huntress = huntress([organization(ACME, 12, 0)], &msp.clock).await;
    let pax8 = Pax8::setup([bought]).clock(msp.clock.simulated()).start().await.unwrap();
    let mut agents = Pulls::of(&msp, Vendor::Huntress, &huntress.base());
    agents.set_up(credentials(), &[("billable_agents", "edr")]).await;
    agents.ask(msp.clock.time());
    agents.work_off().await;
    let mut seats = Pulls::of(&msp, Vendor::Pax8, &pax8.base());
    let opened = json!({ "client_id": pax8::SAMPLE_CLIENT_ID, "client_secret": pax8::SAMPLE_CLIENT_SECRET });
    seats.set_up(opened, &[("quantity:CFQ7TTC0LDPB:0001", "proof")]).await;
    seats.ask(msp.clock.time());
    seats.work_off().await;

    msp.policy(json!({ "guards": { "rise_percent": 100_000 } })).await;
    let run = msp.run("apply").await;
    assert_eq!(
        (msp.units(&company(ACME), "edr"), msp.units(&company(ACME), "proof")),
        (12, quantity.into()),
        "{:?}",
        run.results()
    );
}

#[tokio::test]
async fn a_customer_that_is_mapped_after_a_pull_has_no_zero_before_the_next() {
    let (msp, huntress) = two_that_may_be_absent().await;
    let mut pulls = Pulls::of(&msp, Vendor::Huntress, &huntress.base());
    pulls.set_up(credentials(), &[("billable_agents", "edr")]).await;
    let (partner, connection) = ids(&msp);
    let mappings = Mappings::new(msp.parts.table.clone());
    let bolt = company(BOLT).parse().unwrap();
    let mapped: CompanyMapping = mappings.get(&partner, &connection, &bolt).await.unwrap().unwrap();
    mappings.remove::<CompanyMapping>(&partner, &connection, &bolt, msp.clock.time(), "test").await.unwrap();
    pulls.ask(msp.clock.time());
    pulls.work_off().await;
    let last = pulls.last().await;
    let unasked: Vec<String> = last.tally.unasked_first.iter().map(|named| named.company.to_string()).collect();
    assert_eq!((last.complete, last.tally.unasked, unasked), (true, 1, vec![company(BOLT)]));

    mappings.put(&partner, &connection, mapped, Expected::Anything).await.unwrap();
    let run = msp.run("apply").await;
    assert_eq!(run.results().get("huntress:9/edr"), None, "nothing is known of it");
    assert_eq!(msp.units(&company(BOLT), "edr"), 10);
}
