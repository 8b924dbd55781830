//! What becomes of lines whose contract has ended: the successor is billed where it is clear, and otherwise nothing is.

use integration::msp::{Customer, Msp, Run, Setup};
use jiff::civil::Date;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::autotask::{ContractSpec, Entity, Kind};

/// The contract that follows the one of "acme".
const NEXT: i64 = 29_690_001;
/// One more.
const OTHER: i64 = 29_690_002;

/// A month before the contracts of these tests end, five days before, and after.
const LONG_BEFORE: &str = "2026-10-01T12:00:00Z";
const BEFORE: &str = "2026-11-05T12:00:00Z";
const AFTER: &str = "2026-11-21T12:00:00Z";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A customer whose contract runs to 10 November.
fn ending(company: &str) -> Customer {
    Customer::named(company).line("edr", 40).runs(day("2025-11-11"), day("2026-11-10"))
}

/// A contract that runs from 11 November.
fn next(id: i64) -> ContractSpec {
    ContractSpec::recurring(format!("Renewed {id}")).id(id).runs(day("2026-11-11"), day("2027-11-10"))
}

/// The customers, mapped before the contract ends, and synced with 40 units each after it has.
async fn after_the_end(customers: impl IntoIterator<Item = Customer>) -> Msp {
    let msp = Setup::of(customers).at(BEFORE).start().await;
    msp.clock.set(AFTER);
    msp
}

fn units(msp: &Msp, contract: i64) -> i64 {
    msp.psa.units(contract, msp.service("edr"), msp.today()).unwrap()
}

fn explanation(run: &Run) -> String {
    run.line("acme", "edr")["explanation"].as_str().unwrap().to_owned()
}

/// Code, contract and explanation of every open finding on a contract.
async fn findings(msp: &Msp) -> Vec<(String, String, String)> {
    let path = format!("/v1/connections/{}/findings", msp.connection);
    let found = msp.done(Method::GET, &path, None).await;
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    let items = found["items"].as_array().unwrap().iter().filter(|finding| finding["line_id"].is_null());
    items.map(|f| (text(f, "code"), text(f, "contract_id"), text(f, "explanation"))).collect()
}

#[tokio::test]
async fn an_ended_contract_is_followed_to_the_one_that_it_is_linked_with_whichever_carries_the_link() {
    for old_links in [true, false] {
        let acme = if old_links { ending("acme").contract(|old| old.renewed(NEXT)) } else { ending("acme") };
        let follows = if old_links { next(NEXT) } else { next(NEXT).renewed(29_680_001) };
        let msp = Setup::of([acme.beside(follows, &[("edr", 30)]).beside(next(OTHER), &[("edr", 1)])])
            .at(BEFORE)
            .start()
            .await;
        msp.push(&[("acme", "edr", 40)]).await;
        assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged");
        assert_eq!(findings(&msp).await, [], "it is renewed");
        msp.clock.set(AFTER);
        msp.push(&[("acme", "edr", 42)]).await;
        let preview = msp.run("preview").await;
        let run = msp.run("apply").await;
        let line = run.line("acme", "edr");
        assert_eq!((run.result("acme", "edr").as_str(), run.numbers("acme", "edr")), ("updated", (30, 42, 42)));
        assert_eq!((&line["contract_id"], &line["line_id"]), (&json!(NEXT.to_string()), &json!(format!("{NEXT}:501"))));
        assert_eq!(line["effective_date"], "2026-11-11");
        let told = format!(
            "\"Managed Security\" (29680001) ended on 2026-11-10; its successor \"Renewed {NEXT}\" ({NEXT}) is billed."
        );
        assert!(explanation(&run).starts_with(&told), "{}", explanation(&run));
        assert_eq!(explanation(&preview), explanation(&run));
        assert_eq!((units(&msp, NEXT), units(&msp, OTHER), msp.write_requests()), (42, 1, 1));
        assert_eq!(msp.psa.units(msp.contract("acme"), msp.service("edr"), day("2026-11-10")), Some(40));
        assert_eq!(findings(&msp).await, [("contract_renewed".into(), "29680001".into(), told.clone())]);

        let again = msp.run("apply").await;
        assert_eq!((again.result("acme", "edr").as_str(), msp.write_requests()), ("unchanged", 1));
        assert!(explanation(&again).starts_with(&told), "{}", explanation(&again));
    }
}

#[tokio::test]
async fn without_a_link_the_only_one_that_begins_where_it_ended_is_followed_if_it_carries_the_service() {
    let before = ContractSpec::recurring("Backup").id(OTHER).runs(day("2026-01-01"), day("2027-12-31"));
    let acme = ending("acme").beside(next(NEXT), &[("edr", 40)]).beside(before, &[("sat", 40)]);
    let msp = after_the_end([acme]).await;
    // Who switches an ended contract off says nothing about the one that follows.
    msp.psa.set_contract_status(msp.contract("acme"), 0).unwrap();
    msp.push(&[("acme", "edr", 42)]).await;
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr").as_str(), units(&msp, NEXT), msp.write_requests()), ("updated", 42, 1));
}

#[tokio::test]
async fn two_contracts_that_could_follow_are_both_named_and_neither_is_written() {
    let later = || next(OTHER).runs(day("2026-12-01"), day("2027-11-30"));
    // One that lacks the service, or that has not begun, may be the one that is meant.
    for (other, line) in [(next(OTHER), ("edr", 40)), (next(OTHER), ("sat", 40)), (later(), ("edr", 40))] {
        let msp = after_the_end([ending("acme").beside(next(NEXT), &[("edr", 40)]).beside(other, &[line])]).await;
        msp.push(&[("acme", "edr", 42)]).await;
        let run = msp.run("apply").await;
        assert_eq!((run.result("acme", "edr").as_str(), msp.write_requests()), ("failed contract_ended", 0));
        assert_eq!(
            explanation(&run),
            format!(
                "\"Managed Security\" ended on 2026-11-10. More than one contract could follow it: \"Renewed {NEXT}\" \
                 ({NEXT}), \"Renewed {OTHER}\" ({OTHER})."
            )
        );
        assert_eq!(run.line("acme", "edr")["contract_id"], "29680001");
    }
}

#[tokio::test]
async fn the_first_change_of_a_successor_never_reaches_into_days_that_the_old_contract_billed() {
    let old = Customer::named("acme").line("edr", 42).runs(day("2025-12-01"), day("2026-11-30"));
    let overlapping = ContractSpec::recurring("New").id(NEXT).runs(day("2026-11-15"), day("2027-11-14"));
    let msp = Setup::of([old.beside(overlapping, &[("edr", 35)])]).at(AFTER).start().await;
    msp.clock.set("2026-12-01T12:00:00Z");
    msp.push(&[("acme", "edr", 42)]).await;
    let preview = msp.run("preview").await;
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr").as_str(), run.numbers("acme", "edr")), ("updated", (35, 42, 42)));
    assert_eq!(run.line("acme", "edr")["effective_date"], "2026-12-01");
    assert!(explanation(&run).contains("moved on to 2026-12-01, up to which"), "{}", explanation(&run));
    assert_eq!(explanation(&preview), explanation(&run));
    let on = |date: &str| msp.psa.units(NEXT, msp.service("edr"), day(date));
    assert_eq!((on("2026-11-15"), on("2026-11-30"), on("2026-12-01")), (Some(35), Some(35), Some(42)));
    // Nor does the next one.
    msp.clock.set("2026-12-05T12:00:00Z");
    msp.push(&[("acme", "edr", 44)]).await;
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
    assert_eq!((on("2026-11-30"), on("2026-12-05")), (Some(35), Some(44)));
}

/// The findings of this status on lines that no feed reaches.
async fn unfed(msp: &Msp, status: &str) -> Vec<Value> {
    let path = format!("/v1/connections/{}/findings?status={status}", msp.connection);
    let found = msp.done(Method::GET, &path, None).await;
    let items = found["items"].as_array().unwrap().iter();
    items.filter(|finding| finding["code"] == "line_without_feed").cloned().collect()
}

#[tokio::test]
async fn units_that_stay_on_a_line_when_its_company_is_unmapped_moved_or_excluded_are_told_of_until_it_is_mapped_again()
{
    for way in ["unmapped", "moved", "excluded", "nothing is mapped"] {
        let acme = Customer::named("acme").line("edr", 40).beside(
            ContractSpec::recurring("Other").id(OTHER).runs(day("2026-01-01"), day("2027-12-31")),
            &[("edr", 42)],
        );
        let beta = Customer::named("beta").line("edr", 7);
        let customers = if way == "nothing is mapped" { vec![acme] } else { vec![acme, beta] };
        let msp = Setup::of(customers).at(AFTER).start().await;
        msp.push(&[("acme", "edr", 42), ("beta", "edr", 7)]).await;
        assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated", "{way}");
        assert_eq!(unfed(&msp, "open").await, [] as [Value; 0], "{way}");
        let contract = json!({"contract_id": OTHER.to_string()});
        match way {
            "moved" => msp.map_company(&msp.connection, "acme", contract).await,
            "excluded" => {
                let excluded = json!({"overrides": {"edr": {"excluded": true}}});
                msp.map_company(&msp.connection, "acme", excluded).await;
            }
            _ => {
                let path = format!("/v1/connections/{}/companies/acme", msp.connection);
                msp.done(Method::DELETE, &path, None).await;
            }
        }
        msp.psa.reset_counts();
        msp.run("preview").await;
        assert_eq!(unfed(&msp, "open").await, [] as [Value; 0], "{way}");
        let mut told = Vec::new();
        for _ in 0..2 {
            msp.clock.advance(jiff::SignedDuration::from_secs(1));
            msp.run("apply").await;
            told.push(unfed(&msp, "open").await);
        }
        assert_eq!((told[0].len(), &told[0]), (1, &told[1]), "{way}");
        let finding = &told[0][0];
        assert_eq!(
            (&finding["line_id"], &finding["before"]),
            (&json!(msp.line_id("acme", "edr")), &json!(42)),
            "{way}"
        );
        assert_eq!(finding["account_id"], msp.account("acme").to_string(), "{way}");
        assert_eq!(
            (msp.units("acme", "edr"), msp.psa.count(Entity::ContractServiceAdjustments, Kind::Create)),
            (42, 0)
        );

        let path = format!("/v1/findings/{}/resolve", finding["id"].as_str().unwrap());
        msp.done(Method::POST, &path, Some(json!({"note": "taken off"}))).await;
        msp.clock.advance(jiff::SignedDuration::from_secs(1));
        msp.run("apply").await;
        assert_eq!((unfed(&msp, "open").await.len(), unfed(&msp, "resolved").await.len()), (0, 1), "{way}");

        msp.map_company(&msp.connection, "acme", json!({})).await;
        msp.clock.advance(jiff::SignedDuration::from_secs(1));
        assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged", "{way}");
        // Moved back, it leaves its units on the other contract in turn.
        let left = usize::from(way == "moved");
        assert_eq!((unfed(&msp, "open").await.len(), unfed(&msp, "resolved").await.len()), (left, 0), "{way}");
        assert_eq!(unfed(&msp, "closed").await.len(), 1, "{way}");
    }
}

#[tokio::test]
async fn a_contract_that_has_ended_or_is_gone_leaves_no_units_behind() {
    let msp = after_the_end([ending("acme"), Customer::named("beta").line("edr", 7)]).await;
    msp.clock.set(BEFORE);
    msp.push(&[("acme", "edr", 40), ("beta", "edr", 7)]).await;
    msp.run("apply").await;
    msp.done(Method::DELETE, &format!("/v1/connections/{}/companies/acme", msp.connection), None).await;
    msp.run("apply").await;
    assert_eq!(unfed(&msp, "open").await.len(), 1);
    msp.clock.set(AFTER);
    msp.run("apply").await;
    assert_eq!((unfed(&msp, "open").await.len(), unfed(&msp, "closed").await.len()), (0, 1));
}

#[tokio::test]
async fn a_successors_line_is_told_of_when_it_is_followed_no_longer() {
    let msp = after_the_end([ending("acme").beside(next(NEXT), &[("edr", 40)])]).await;
    msp.push(&[("acme", "edr", 42)]).await;
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
    msp.clock.advance(jiff::SignedDuration::from_secs(1));
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged");
    assert_eq!(unfed(&msp, "open").await, [] as [Value; 0]);
    msp.psa.end_contract(29_680_001, day("2027-11-10")).unwrap();
    msp.clock.advance(jiff::SignedDuration::from_secs(1));
    msp.run("apply").await;
    let told = unfed(&msp, "open").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["line_id"], &told[0]["before"]), (&json!(format!("{NEXT}:501")), &json!(42)));
    assert_eq!(units(&msp, NEXT), 42);
}

#[tokio::test]
async fn a_successor_that_has_not_begun_is_named_and_followed_once_it_has() {
    let later =
        ContractSpec::recurring("Later").id(NEXT).runs(day("2026-12-01"), day("2027-11-30")).renewed(29_680_001);
    let msp = after_the_end([ending("acme").beside(later, &[("edr", 40)])]).await;
    msp.push(&[("acme", "edr", 42)]).await;
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr").as_str(), msp.write_requests()), ("failed contract_ended", 0));
    let told = format!(
        "\"Managed Security\" ended on 2026-11-10. \"Later\" ({NEXT}) could follow it, but begins on 2026-12-01."
    );
    assert_eq!(explanation(&run), told);
    msp.clock.set("2026-12-01T12:00:00Z");
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr").as_str(), units(&msp, NEXT), msp.write_requests()), ("updated", 42, 1));
}

#[tokio::test]
async fn a_successor_without_the_service_fails_the_line_and_says_how_it_was_come_by() {
    let msp = after_the_end([ending("acme").beside(next(NEXT).renewed(29_680_001), &[("sat", 1)])]).await;
    msp.push(&[("acme", "edr", 42)]).await;
    let run = msp.run("apply").await;
    assert_eq!((run.result("acme", "edr").as_str(), msp.write_requests()), ("failed service_not_on_contract", 0));
    assert_eq!(
        explanation(&run),
        format!(
            "\"Managed Security\" (29680001) ended on 2026-11-10; its successor \"Renewed {NEXT}\" ({NEXT}) is billed. \
             \"Renewed {NEXT}\" does not carry service 501."
        )
    );
    assert!(msp.psa.auto_created().is_empty());
}

/// "acme" is mapped to the contract that has ended, "beta" to the one that follows.
async fn shared() -> Msp {
    let acme = ending("acme").beside(next(NEXT).renewed(29_680_001), &[("edr", 40)]);
    let beta = Customer::named("beta").joined_to("acme").mapped_with(json!({"contract_id": NEXT.to_string()}));
    let msp = after_the_end([acme, beta, Customer::named("gamma").line("edr", 7)]).await;
    msp.push(&[("acme", "edr", 30), ("beta", "edr", 15), ("gamma", "edr", 7)]).await;
    msp
}

async fn run_of(msp: &Msp, company: &str) -> Run {
    let path = format!("/v1/connections/{}/runs", msp.connection);
    let started = msp.done(Method::POST, &path, Some(json!({"mode": "apply", "companies": [company]}))).await;
    msp.drain().await;
    msp.see(started["run_id"].as_str().unwrap()).await
}

#[tokio::test]
async fn mappings_to_the_old_and_to_the_new_contract_are_summed_on_the_new_one() {
    let msp = shared().await;
    let run = msp.run("apply").await;
    assert_eq!(json!(run.results()), json!({"acme/edr": "updated", "gamma/edr": "unchanged"}));
    assert_eq!((run.numbers("acme", "edr"), units(&msp, NEXT), msp.write_requests()), ((40, 45, 45), 45, 1));
    let feeds = run.line("acme", "edr")["feeds"].as_array().unwrap();
    assert_eq!(feeds.iter().map(|feed| feed["company"].as_str().unwrap()).collect::<Vec<_>>(), ["acme", "beta"]);
}

#[tokio::test]
async fn a_run_of_one_company_counts_every_feed_of_the_line_that_it_reaches() {
    for company in ["acme", "beta"] {
        let msp = shared().await;
        let run = run_of(&msp, company).await;
        assert_eq!(json!(run.results()), json!({"acme/edr": "updated"}), "{company}");
        assert_eq!((run.numbers("acme", "edr"), msp.write_requests()), ((40, 45, 45), 1), "{company}");
    }
}

#[tokio::test]
async fn a_change_on_a_successor_is_approved_by_the_successors_line() {
    for joined in [true, false] {
        let msp = if joined {
            shared().await
        } else {
            let msp = after_the_end([ending("acme").beside(next(NEXT).renewed(29_680_001), &[("edr", 40)])]).await;
            msp.push(&[("acme", "edr", 45)]).await;
            msp
        };
        msp.policy(json!({"approval": "always"})).await;
        let held = msp.run("apply").await;
        assert_eq!(held.result("acme", "edr"), "held approval_needed");
        let line = format!("{NEXT}:501");
        let approved = msp.approve(&held, Some(&[&line])).await;
        assert_eq!(json!(approved.results()), json!({"acme/edr": "updated"}));
        assert_eq!((units(&msp, NEXT), msp.write_requests()), (45, 1));
    }
}

#[tokio::test]
async fn a_mapping_with_the_wrong_account_fails_alone() {
    let msp = shared().await;
    // The PSA moved on since: what is mapped is checked when it is mapped.
    let gamma = msp.account("gamma").to_string();
    msp.remap("acme", |mapping| mapping.account_id = gamma.parse().unwrap()).await;
    let run = msp.run("apply").await;
    assert_eq!(
        json!(run.results()),
        json!({"acme/edr": "failed contract_of_another_account", "beta/edr": "held fall_guard", "gamma/edr": "unchanged"})
    );
}

#[tokio::test]
async fn more_is_asked_of_the_psa_only_where_a_contract_has_ended_or_ends_soon() {
    let names: Vec<String> = (0..30).map(|number| format!("c{number:02}")).collect();
    let customers = names
        .iter()
        .zip(0..)
        .map(|(name, number)| ending(name).beside(next(NEXT + number).renewed(29_680_001 + number), &[("edr", 40)]));
    let msp = Setup::of(customers).at(LONG_BEFORE).start().await;
    let mut requests = Vec::new();
    for time in [LONG_BEFORE, BEFORE, AFTER] {
        msp.clock.set(time);
        let counts: Vec<_> = names.iter().map(|name| (name.as_str(), "edr", 40)).collect();
        msp.push(&counts).await;
        msp.psa.reset_counts();
        let run = msp.run("apply").await;
        assert_eq!(run.view["lines"]["unchanged"], 30, "{time}: {:?}", run.results());
        println!("an unchanged sync of 30 companies at {time}: {} PSA requests", msp.psa.request_count());
        requests.push((msp.psa.request_count(), msp.psa.count(Entity::Contracts, Kind::Query)));
    }
    assert_eq!(requests, [(3, 1), (4, 2), (4, 2)]);
}

#[tokio::test]
async fn the_end_of_a_contract_is_announced_30_days_before_and_no_more_once_it_is_over() {
    let msp = Setup::of([ending("acme")]).at(LONG_BEFORE).start().await;
    let mut found = Vec::new();
    for time in [LONG_BEFORE, "2026-10-11T12:00:00Z", "2026-11-10T12:00:00Z", AFTER] {
        msp.clock.set(time);
        msp.push(&[("acme", "edr", 40)]).await;
        msp.run("apply").await;
        found.push(findings(&msp).await);
    }
    let ends = |when: &str| {
        let told = format!(
            "\"Managed Security\" (29680001) ends on 2026-11-10, {when}, and the PSA links no contract that follows it."
        );
        vec![("contract_expiring".to_owned(), "29680001".to_owned(), told)]
    };
    assert_eq!(found, [vec![], ends("in 30 days"), ends("today"), vec![]]);
}
