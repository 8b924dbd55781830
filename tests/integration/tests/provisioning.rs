//! Services that are made for a partner: one that the catalogue lacks, and one that a contract lacks. Each is shown before,
//! made once a person has approved it, and never twice; whatever stands in the way ends as an explained line.

use integration::msp::{Customer, Effect, Fixture as _, Mishap, Msp, Run, Setup};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use shared::domain::intent::IntentState;
use shared::ledger::{LeaseHolder, Ledger, Making, Thing};
use shared::store::Read;
use simulators::autotask::{ApiUser, Entity, Fault, Kind, When};

/// How the service of `siem` is made.
fn siem() -> Value {
    json!({
        "name": "Managed SIEM", "vendor": "Hunter", "billing_code": "Managed security services", "period": "monthly",
        "unit_cost": "3.10", "unit_price": "5", "description": "By the gigabyte",
    })
}

fn acme() -> Setup {
    // m365 is in the catalogue, and on no contract.
    let customers = [
        Customer::named("acme").line("edr", 40),
        Customer::named("beta").line("edr", 5),
        Customer::named("hunter").vendor(),
    ];
    Setup::of(customers).product("m365", json!({}))
}

/// acme has 12 of siem, which the catalogue lacks.
async fn lacking(setup: Setup) -> Msp {
    let msp = setup.policy(json!({"provision_services": true})).start().await;
    map_siem(&msp, siem()).await;
    msp.push(&[("acme", "edr", 40), ("beta", "edr", 5), ("acme", "siem", 12)]).await;
    msp.psa.reset_counts();
    msp
}

async fn map_siem(msp: &Msp, provision: Value) {
    msp.map_product(&msp.connection, "siem", json!({ "provision": provision })).await;
}

async fn mapping(msp: &Msp) -> Value {
    msp.done(Method::GET, &format!("/v1/connections/{}/products/siem", msp.connection), None).await
}

/// Services of this name that the PSA has.
fn made(msp: &Msp) -> usize {
    msp.psa.services().iter().filter(|service| service.name == "Managed SIEM").count()
}

/// Requests that make something, taken or not: services, and services on contracts.
fn sent(msp: &Msp) -> (usize, usize) {
    (msp.psa.count(Entity::Services, Kind::Create), msp.psa.count(Entity::ContractServices, Kind::Create))
}

/// Services that were made and put on contracts, whoever learnt of it.
fn taken(msp: &Msp) -> (usize, usize) {
    let writes = msp.psa.row_writes();
    let of = |entity| writes.iter().filter(|write| write.entity == entity && write.kind == Kind::Create).count();
    (of(Entity::Services), of(Entity::ContractServices))
}

async fn makings(msp: &Msp) -> Vec<Making> {
    let partition = format!("{}#MADE", msp.tenancy().partition());
    let rows = msp.parts.table.all::<Making>(&partition, "", Read::Consistent).await.expect("the ledger");
    rows.into_iter().map(|(_, making)| making).collect()
}

/// Units that acme carries of siem.
fn siem_units(msp: &Msp) -> Option<i64> {
    let service = msp.psa.services().into_iter().find(|service| service.name == "Managed SIEM")?.id;
    msp.psa.units(msp.contract("acme"), service, msp.today())
}

fn explanation<'r>(run: &'r Run, product: &str) -> &'r str {
    run.line("acme", product)["explanation"].as_str().expect("an explanation")
}

#[tokio::test]
async fn what_would_be_made_is_shown_and_held_and_nothing_is_made_without_approval() {
    let msp = lacking(acme()).await;
    for mode in ["preview", "apply", "apply", "preview"] {
        let run = msp.run(mode).await;
        assert_eq!(run.result("acme", "siem"), "held service_to_be_made", "{mode}");
        assert_eq!(run.line("acme", "siem")["approvable"], true);
        assert_eq!(
            explanation(&run, "siem"),
            "Neither \"Managed Security\" nor the catalogue has it: the service \"Managed SIEM\" (vendor \"Hunter\", \
             billing code \"Managed security services\", billed monthly, unit cost 3.10, unit price 5.00, description \
             \"By the gigabyte\") would be made and put on the contract."
        );
        assert_eq!(run.numbers("acme", "siem"), (0, 12, -1));
        assert_eq!(run.result("acme", "edr"), "unchanged");
    }
    assert_eq!((sent(&msp), made(&msp)), ((0, 0), 0));
    assert!(makings(&msp).await.is_empty());
}

#[tokio::test]
async fn an_approved_service_is_made_once_and_its_line_goes_on_as_any_other() {
    let msp = lacking(acme()).await;
    let held = msp.run("apply").await;
    let run = msp.approve(&held, None).await;
    assert_eq!(run.result("acme", "siem"), "updated", "{:#}", run.line("acme", "siem"));
    assert_eq!((run.numbers("acme", "siem"), run.writes()), ((0, 12, 0), 2));
    let service = msp.psa.services().into_iter().find(|service| service.name == "Managed SIEM").expect("it is made");
    let told = explanation(&run, "siem");
    assert!(told.contains(&format!("was made as {} and put on", service.id)), "{told}");
    assert!(told.ends_with("It carries 0 units; the next run sets 12."), "{told}");
    assert_eq!((service.unit_cost.to_string(), service.unit_price.to_string()), ("3.1".into(), "5.0".into()));
    assert_eq!((service.vendor_id, service.description.as_str()), (Some(msp.account("hunter")), "By the gigabyte"));
    let next = msp.run("apply").await;
    assert_eq!((next.result("acme", "siem").as_str(), siem_units(&msp)), ("updated", Some(12)));
    assert_eq!(next.line("acme", "siem")["service_id"], service.id.to_string());
    assert_eq!(mapping(&msp).await["service_id"], service.id.to_string(), "it is on record in the mapping");
    assert_eq!(msp.run("apply").await.result("acme", "siem"), "unchanged");
    assert_eq!((taken(&msp), sent(&msp)), ((1, 1), (1, 1)));
    assert!(makings(&msp).await.iter().all(|making| making.state == IntentState::Applied));
    let again = msp.call(Method::POST, &format!("/v1/runs/{}/approve", held.id), Some(json!({}))).await;
    msp.drain().await;
    assert_eq!((again.status, taken(&msp)), (202, (1, 1)), "approved twice, made once");
}

#[tokio::test]
async fn a_service_that_two_companies_lack_is_made_once_for_both() {
    let msp = lacking(acme()).await;
    msp.push(&[("acme", "edr", 40), ("beta", "edr", 5), ("acme", "siem", 12), ("beta", "siem", 3)]).await;
    let held = msp.run("apply").await;
    let run = msp.approve(&held, None).await;
    assert_eq!((run.result("acme", "siem").as_str(), run.result("beta", "siem").as_str()), ("updated", "updated"));
    assert_eq!((taken(&msp), made(&msp)), ((1, 2), 1));
    msp.run("apply").await;
    assert_eq!(msp.run("apply").await.results().values().filter(|result| *result == "unchanged").count(), 4);
}

#[tokio::test]
async fn a_service_of_the_catalogue_is_put_on_a_contract_that_lacks_it() {
    let msp = acme().policy(json!({"provision_services": true})).start().await;
    msp.push(&[("acme", "m365", 10)]).await;
    let held = msp.run("apply").await;
    assert_eq!(held.result("acme", "m365"), "held service_to_be_added");
    let told = explanation(&held, "m365");
    assert!(told.starts_with("\"Managed Security\" does not carry service \"m365\" (502)"), "{told}");
    assert_eq!(sent(&msp), (0, 0));
    let run = msp.approve(&held, Some(&[&msp.line_id("acme", "m365")])).await;
    assert_eq!((run.result("acme", "m365").as_str(), run.numbers("acme", "m365")), ("updated", (0, 10, 0)));
    assert_eq!(msp.run("apply").await.result("acme", "m365"), "updated");
    assert_eq!((msp.units("acme", "m365"), taken(&msp)), (10, (0, 1)));
}

#[tokio::test]
async fn units_that_a_line_begins_with_are_read_and_the_target_is_set_once() {
    let msp = lacking(acme()).await;
    msp.psa.switch(|switches| switches.new_line_units = 1);
    let held = msp.run("apply").await;
    let run = msp.approve(&held, None).await;
    assert_eq!(run.numbers("acme", "siem"), (0, 12, 1));
    msp.run("apply").await;
    assert_eq!(siem_units(&msp), Some(12));
}

#[tokio::test]
async fn by_default_nothing_is_made_and_the_line_says_that_it_could_be() {
    let msp = acme().start().await;
    map_siem(&msp, siem()).await;
    msp.push(&[("acme", "siem", 12), ("acme", "m365", 10)]).await;
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "siem"), "failed service_not_in_catalogue");
    assert_eq!(run.result("acme", "m365"), "failed service_not_on_contract");
    for product in ["siem", "m365"] {
        let fix = run.line("acme", product)["fix"].as_str().expect("a fix").to_owned();
        assert!(fix.contains("provision_services"), "{fix}");
    }
    let approve = msp.call(Method::POST, &format!("/v1/runs/{}/approve", run.id), Some(json!({}))).await;
    assert_eq!((approve.status, sent(&msp)), (409, (0, 0)));
}

#[tokio::test]
async fn a_service_that_is_there_by_name_is_used_and_put_on_record() {
    let msp = lacking(acme()).await;
    let service = msp.psa.add_service("Managed SIEM");
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "siem"), "held service_to_be_added");
    assert_eq!(mapping(&msp).await["service_id"], service.to_string());
    assert_eq!(mapping(&msp).await["updated_by"], "system");
    // Whoever sends the mapping again without an id means the same service.
    map_siem(&msp, siem()).await;
    assert_eq!(mapping(&msp).await["service_id"], service.to_string());
}

/// What can go wrong with a request that makes something, and whether it may have been made.
const MISHAPS: [(Mishap, bool); 11] = [
    (Mishap::Reset(Effect::Made), true),
    (Mishap::Reset(Effect::NotMade), false),
    (Mishap::Failed(Effect::Made), true),
    (Mishap::Failed(Effect::NotMade), false),
    (Mishap::Gateway(502, Effect::Made), true),
    (Mishap::Gateway(504, Effect::NotMade), false),
    (Mishap::Page(Effect::Made), true),
    (Mishap::Empty(Effect::NotMade), false),
    (Mishap::CalledMade(Effect::Made), true),
    (Mishap::Refused, false),
    (Mishap::Forbidden, false),
];

#[tokio::test]
async fn whatever_becomes_of_the_answer_a_service_is_made_once_and_its_line_explained() {
    each_mishap_of(1).await;
}

#[tokio::test]
async fn whatever_becomes_of_the_answer_a_service_is_put_on_a_contract_once_and_its_line_explained() {
    each_mishap_of(2).await;
}

async fn each_mishap_of(write: usize) {
    for (mishap, was_made) in MISHAPS {
        let case = format!("{mishap:?} of write {write}");
        let msp = lacking(acme()).await;
        let held = msp.run("apply").await;
        msp.psa.reset_counts();
        msp.psa.strike(write, mishap);
        let run = msp.approve(&held, None).await;
        let result = run.result("acme", "siem");
        assert_ne!(explanation(&run, "siem"), "", "{case}");
        if was_made {
            assert_eq!(result, "updated", "{case}: what shows is made");
        } else {
            assert!(result.starts_with("unknown") || result.starts_with("failed"), "{case}: {result}");
        }
        let before = sent(&msp);
        // Until it may be on its way no more, and without another approval, nothing is sent again.
        let waits = result.starts_with("unknown");
        for _ in 0..2 {
            let run = msp.run("apply").await;
            if waits {
                assert_eq!(sent(&msp), before, "{case}: {}", run.result("acme", "siem"));
            }
            msp.clock.advance(SignedDuration::from_mins(7));
        }
        for _ in 0..4 {
            let run = msp.run("apply").await;
            match run.result("acme", "siem").as_str() {
                "unchanged" => break,
                result if result.starts_with("held") => drop(msp.approve(&run, None).await),
                _ => {}
            }
        }
        assert_eq!((made(&msp), siem_units(&msp)), (1, Some(12)), "{case}");
        assert_eq!(taken(&msp), (1, 1), "{case}");
        assert!(makings(&msp).await.iter().all(|making| making.state.is_settled()), "{case}");
        assert_eq!(msp.run("apply").await.result("acme", "siem"), "unchanged", "{case}");
    }
}

#[tokio::test]
async fn what_the_psa_called_made_and_never_shows_is_not_made_again() {
    let msp = lacking(acme()).await;
    let held = msp.run("apply").await;
    msp.psa.reset_counts();
    msp.psa.strike(1, Mishap::CalledMade(Effect::NotMade));
    assert_eq!(msp.approve(&held, None).await.result("acme", "siem"), "unknown write_unsettled");
    for _ in 0..3 {
        msp.clock.advance(SignedDuration::from_mins(30));
        assert_eq!(msp.run("apply").await.result("acme", "siem"), "unknown service_unexplained");
    }
    assert_eq!(sent(&msp), (1, 0));
    // A person makes it by hand: from there it goes on.
    msp.psa.add_service("Managed SIEM");
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "siem"), "held service_to_be_added");
    msp.approve(&run, None).await;
    msp.run("apply").await;
    assert_eq!((siem_units(&msp), made(&msp), sent(&msp)), (Some(12), 1, (1, 1)));
}

#[tokio::test]
async fn a_request_that_arrives_late_is_found_and_not_sent_again() {
    let msp = lacking(acme()).await;
    let held = msp.run("apply").await;
    msp.psa.reset_counts();
    msp.psa.strike(1, Mishap::Reset(Effect::NotMade));
    assert_eq!(msp.approve(&held, None).await.result("acme", "siem"), "unknown write_unsettled");
    // Approved again in the meantime, and still it waits.
    msp.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(msp.approve(&held, None).await.result("acme", "siem"), "unknown write_unsettled");
    assert_eq!(sent(&msp), (1, 0));
    msp.psa.add_service("Managed SIEM");
    msp.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(msp.run("apply").await.result("acme", "siem"), "held service_to_be_added");
    assert_eq!((made(&msp), sent(&msp)), (1, (1, 0)));
    assert_eq!(makings(&msp).await[0].state, IntentState::Applied);
}

#[tokio::test]
async fn a_missing_vendor_or_billing_code_ends_as_an_explained_line() {
    for (field, value, code) in [
        ("vendor", "hunter", "psa_vendor_not_found"),
        ("vendor", "Acme", "psa_vendor_not_found"),
        ("billing_code", "Metered usage", "psa_billing_code_not_found"),
    ] {
        let msp = lacking(acme()).await;
        let mut provision = siem();
        provision[field] = value.into();
        map_siem(&msp, provision).await;
        for mode in ["preview", "apply"] {
            let run = msp.run(mode).await;
            assert_eq!(run.result("acme", "siem"), format!("failed {code}"));
            assert!(explanation(&run, "siem").contains(value), "{}", explanation(&run, "siem"));
            assert_eq!(run.result("acme", "edr"), "unchanged");
        }
        assert_eq!(sent(&msp), (0, 0));
    }
}

#[tokio::test]
async fn a_cost_that_the_api_user_may_not_write_is_told_and_is_no_success() {
    let msp = lacking(acme().psa(|psa| psa.user(ApiUser::full().cost_blind()))).await;
    let held = msp.run("apply").await;
    let run = msp.approve(&held, None).await;
    assert_eq!(run.result("acme", "siem"), "failed prices_not_taken");
    let told = explanation(&run, "siem");
    assert!(told.contains("was made as") && told.contains("does not show the unit cost"), "{told}");
    assert_eq!((made(&msp), taken(&msp)), (1, (1, 1)));
}

#[tokio::test]
async fn what_was_made_and_taken_away_is_explained_and_not_made_again() {
    let msp = lacking(acme()).await;
    let held = msp.run("apply").await;
    msp.approve(&held, None).await;
    let service = msp.psa.services().into_iter().find(|service| service.name == "Managed SIEM").expect("made").id;
    msp.psa.remove_line(msp.contract("acme"), service).expect("a line");
    for _ in 0..2 {
        assert_eq!(msp.run("apply").await.result("acme", "siem"), "failed service_gone");
    }
    // Approved again by the old run, too.
    let again = msp.approve(&held, None).await;
    assert_eq!(again.result("acme", "siem"), "failed service_gone", "{:#?}", again.lines);
    msp.psa.set_service(service, None).expect("a service");
    let again = msp.approve(&held, None).await;
    assert_eq!(again.result("acme", "siem"), "failed service_gone", "{:#?}", again.lines);
    assert_eq!((taken(&msp), sent(&msp)), ((1, 1), (1, 1)));
    // A line that was there by hand and that was written to is not put back either.
    msp.psa.remove_line(msp.contract("acme"), msp.service("edr")).expect("a line");
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "failed service_gone");
}

#[tokio::test]
async fn what_is_made_is_what_was_approved_or_it_is_held_again() {
    let changes = [
        ("unit_price", "5.01"),
        ("unit_cost", "3.11"),
        ("vendor", ""),
        ("name", "Managed SIEM 2"),
        ("period", "yearly"),
    ];
    for (field, value) in changes {
        let msp = lacking(acme()).await;
        let held = msp.run("apply").await;
        let mut provision = siem();
        provision[field] = if value.is_empty() { Value::Null } else { value.into() };
        map_siem(&msp, provision).await;
        let run = msp.approve(&held, None).await;
        assert_eq!(run.result("acme", "siem"), "held service_to_be_made", "{field}");
        assert_eq!(sent(&msp), (0, 0), "{field}");
        assert_eq!(msp.approve(&run, None).await.result("acme", "siem"), "updated", "{field}");
    }
}

#[tokio::test]
async fn a_service_that_somebody_makes_in_between_is_not_the_one_that_was_approved() {
    let msp = lacking(acme()).await;
    let held = msp.run("apply").await;
    msp.psa.add_service("Managed SIEM");
    assert_eq!(msp.approve(&held, None).await.result("acme", "siem"), "skipped job_too_old");
    assert_eq!(sent(&msp), (0, 0));
    assert_eq!(msp.run("apply").await.result("acme", "siem"), "held service_to_be_added");
}

#[tokio::test]
async fn a_service_that_was_made_in_other_words_is_not_the_one_that_was_approved() {
    for second in ["acme", "beta"] {
        let msp = lacking(acme()).await;
        let mut dearer = siem();
        dearer["unit_price"] = "7".into();
        msp.map_product(&msp.connection, "siem2", json!({ "provision": dearer })).await;
        msp.push(&[("acme", "edr", 40), ("beta", "edr", 5), ("acme", "siem", 12), (second, "siem2", 3)]).await;
        let held = msp.run("apply").await;
        assert_eq!(held.result(second, "siem2"), "held service_to_be_made", "{second}");
        let run = msp.approve(&held, None).await;
        let results = [run.result("acme", "siem"), run.result(second, "siem2")];
        assert!(results.contains(&"updated".to_owned()), "{second}: {results:?}");
        assert!(results.contains(&"skipped job_too_old".to_owned()), "{second}: {results:?}");
        assert_eq!(taken(&msp), (1, 1), "{second}: it is put on no contract unseen");
    }
}

#[tokio::test]
async fn a_mapping_that_names_another_service_since_has_nothing_made() {
    let msp = lacking(acme()).await;
    let held = msp.run("apply").await;
    let other = msp.psa.add_service("Managed SOC").to_string();
    let named = json!({"provision": siem(), "service_id": other});
    msp.map_product(&msp.connection, "siem", named).await;
    let run = msp.approve(&held, None).await;
    assert_eq!(run.result("acme", "siem"), "skipped job_too_old", "{:#?}", run.lines);
    assert!(explanation(&run, "siem").contains(&other), "{}", explanation(&run, "siem"));
    assert_eq!(sent(&msp), (0, 0));
    // The service that it names is held in its place.
    let next = msp.run("apply").await;
    assert_eq!(next.result("acme", "siem"), "held service_to_be_added");
    assert!(explanation(&next, "siem").contains("Managed SOC"), "{}", explanation(&next, "siem"));
}

#[tokio::test]
async fn after_a_log_in_that_was_refused_while_making_no_other_job_tries_one() {
    let msp = lacking(acme()).await;
    msp.push(&[("acme", "edr", 40), ("beta", "edr", 5), ("acme", "siem", 12), ("beta", "siem", 3)]).await;
    let held = msp.run("apply").await;
    let started = msp.done(Method::POST, &format!("/v1/runs/{}/approve", held.id), Some(json!({}))).await;
    msp.plan().await;
    msp.psa.reset_counts();
    msp.psa.plan_fault(When::EveryRequest(Entity::Services), Fault::answer(401, ""));
    for job in msp.jobs() {
        msp.work(&job).await.expect("it is done");
    }
    let run = msp.see(started["run_id"].as_str().expect("an id")).await;
    let mut results = [run.result("acme", "siem"), run.result("beta", "siem")];
    results.sort();
    assert_eq!(results, ["failed psa_credentials_rejected", "skipped stopped"]);
    assert_eq!(msp.psa.request_count(), 1);
    let connection = msp.done(Method::GET, &format!("/v1/connections/{}", msp.connection), None).await;
    assert_eq!(connection["status"], "credentials_rejected");
}

#[tokio::test]
async fn a_service_that_is_on_the_contract_without_units_is_not_held_run_after_run() {
    let msp = acme().policy(json!({"provision_services": true})).start().await;
    msp.push(&[("acme", "m365", 10)]).await;
    let held = msp.run("apply").await;
    assert_eq!(held.result("acme", "m365"), "held service_to_be_added");
    msp.psa.put_without_units(msp.contract("acme"), msp.service("m365")).expect("a line");
    let run = msp.approve(&held, None).await;
    assert_eq!(run.result("acme", "m365"), "failed no_units_on_date");
    assert!(!explanation(&run, "m365").contains("the next run"), "{}", explanation(&run, "m365"));
    let next = msp.run("apply").await;
    assert_eq!(next.result("acme", "m365"), "failed no_units_on_date");
    assert_eq!(sent(&msp), (0, 0));
}

#[tokio::test]
async fn names_that_are_not_of_one_active_service_are_explained() {
    let msp = lacking(acme()).await;
    let first = msp.psa.add_service("Managed SIEM");
    msp.psa.set_service(first, Some(false)).expect("a service");
    assert_eq!(msp.run("apply").await.result("acme", "siem"), "failed service_inactive");
    msp.psa.set_service(first, Some(true)).expect("a service");
    msp.psa.add_service("Managed SIEM");
    assert_eq!(msp.run("apply").await.result("acme", "siem"), "failed service_name_ambiguous");
    let path = format!("/v1/connections/{}/products/siem", msp.connection);
    let put = msp.call(Method::PUT, &path, Some(json!({"provision": siem()}))).await;
    assert_eq!((put.status, &put.json["code"]), (422, &json!("service_name_ambiguous")));
    assert_eq!(sent(&msp), (0, 0));
}

#[tokio::test]
async fn a_connection_that_is_switched_off_or_in_shadow_has_nothing_made() {
    for change in [
        json!({"enabled": false}),
        json!({"policy": {"shadow": true}}),
        json!({"policy": {"provision_services": false}}),
    ] {
        let msp = lacking(acme()).await;
        let held = msp.run("apply").await;
        let run = msp.done(Method::POST, &format!("/v1/runs/{}/approve", held.id), Some(json!({}))).await;
        msp.plan().await;
        msp.patch(change.clone()).await;
        msp.drain().await;
        for job in msp.jobs() {
            msp.work(&job).await.expect("it is done");
        }
        let run = msp.see(run["run_id"].as_str().expect("an id")).await;
        assert_ne!(run.line("acme", "siem")["status"], "updated", "{change}");
        assert_ne!(explanation(&run, "siem"), "", "{change}");
        assert_eq!((sent(&msp), run.writes()), ((0, 0), 0), "{change}");
    }
    let msp = lacking(acme()).await;
    msp.policy(json!({"shadow": true})).await;
    assert_eq!(msp.run("apply").await.result("acme", "siem"), "held service_to_be_made");
    assert_eq!(sent(&msp), (0, 0));
}

#[tokio::test]
async fn two_workers_and_repeated_messages_make_each_thing_once() {
    let msp = lacking(acme()).await;
    msp.push(&[("acme", "edr", 40), ("beta", "edr", 5), ("acme", "siem", 12), ("beta", "siem", 3)]).await;
    let held = msp.run("apply").await;
    let started = msp.done(Method::POST, &format!("/v1/runs/{}/approve", held.id), Some(json!({}))).await;
    msp.plan().await;
    let jobs = msp.jobs();
    assert_eq!(jobs.len(), 2);
    let (_, other) = msp.parts.process("another");
    for _ in 0..3 {
        let mine = async {
            for job in &jobs {
                let _ = msp.work(job).await;
            }
        };
        let theirs = async {
            for job in jobs.iter().rev() {
                let _ = other.work(job).await;
            }
        };
        tokio::join!(mine, theirs);
    }
    for job in &jobs {
        msp.work(job).await.expect("it is done");
    }
    assert_eq!((taken(&msp), sent(&msp)), ((1, 2), (1, 2)));
    let run = msp.see(started["run_id"].as_str().expect("an id")).await;
    assert_eq!((run.result("acme", "siem").as_str(), run.result("beta", "siem").as_str()), ("updated", "updated"));
    assert_eq!(run.writes(), 3);
}

#[tokio::test]
async fn what_making_takes_is_part_of_the_hours_requests() {
    let msp = lacking(acme()).await;
    let held = msp.run("apply").await;
    let view = msp.done(Method::POST, &format!("/v1/runs/{}/approve", held.id), Some(json!({}))).await;
    // So much is left that the planner may begin, and no job.
    msp.psa.use_threshold(7_960);
    msp.drain().await;
    let run = msp.see(view["run_id"].as_str().expect("an id")).await;
    assert_eq!((run.result("acme", "siem").as_str(), sent(&msp)), ("skipped budget_exhausted", (0, 0)));
}

#[tokio::test]
async fn a_psa_where_nothing_can_be_made_says_so() {
    use simulators::kaseya_bms::KaseyaBms;
    let customers = [Customer::<KaseyaBms>::named("acme").line("edr", 40)];
    let msp =
        Setup::with(customers).product("m365", json!({})).policy(json!({"provision_services": true})).start().await;
    let path = format!("/v1/connections/{}/products/siem", msp.connection);
    let put = msp.call(Method::PUT, &path, Some(json!({"provision": siem()}))).await;
    assert_eq!(put.json["code"], "psa_has_no_provisioning", "{}", put.text);
    msp.push(&[("acme", "edr", 40), ("acme", "m365", 3)]).await;
    assert_eq!(msp.run("apply").await.result("acme", "m365"), "failed psa_has_no_provisioning");
}

#[tokio::test]
async fn a_mapping_needs_a_service_or_says_how_it_is_made() {
    let msp = acme().start().await;
    let path = format!("/v1/connections/{}/products/siem", msp.connection);
    let put = |body: Value| msp.call(Method::PUT, &path, Some(body));
    assert_eq!(put(json!({})).await.json["errors"][0]["pointer"], "/service_id");
    let mut faulty = siem();
    faulty["name"] = json!(" padded");
    assert_eq!(put(json!({"provision": faulty})).await.json["errors"][0]["pointer"], "/provision/name");
    let made = put(json!({"provision": siem()})).await;
    assert_eq!((made.status, &made.json["service_id"]), (201, &Value::Null));
    assert_eq!(made.json["provision"]["unit_cost"], "3.10");
    // A file of mappings says nothing of how services are made, and takes nothing of it away.
    let sheet = format!("/v1/connections/{}/mappings.csv", msp.connection);
    let file = msp.call(Method::GET, &sheet, None).await.text;
    let request = msp.parts.request(Method::POST, &sheet).header("content-type", "text/csv").body(file);
    let token = msp.parts.token(integration::PARTNER, &[shared::api::auth::Scope::Write]);
    let sent = integration::Answer::to(request.bearer_auth(token)).await;
    assert_eq!((sent.status, &sent.json["changed"]), (200, &json!(0)), "{}", sent.text);
    assert_eq!(mapping(&msp).await["provision"], made.json["provision"]);
}

#[tokio::test]
async fn a_try_is_sent_once_by_whoever_holds_it_and_never_behind_one_that_may_have_been_made() {
    let msp = acme().start().await;
    let of = msp.tenancy();
    let holder = |name: &str| LeaseHolder { instance: name.into(), sole: false, term: SignedDuration::from_mins(16) };
    let (one, other) =
        (Ledger::new(msp.parts.table.clone(), holder("one")), Ledger::new(msp.parts.table.clone(), holder("other")));
    let thing = Thing::Service("Managed SIEM".into());
    let (connection, run, account) = ("c".parse().unwrap(), "r".parse().unwrap(), "1001".parse().unwrap());
    let (by, said) = ((&connection, &run, &account), (&thing, "words"));
    let start = msp.clock.time();
    let lease = one.lease_catalogue(&of, start).await.unwrap().expect("a lease");
    assert!(other.lease_catalogue(&of, start).await.unwrap().is_none(), "one at a time");
    let begun = one.intend_making(&of, &lease, by, said, None, start).await.unwrap().expect("a try");
    assert!(one.intend_making(&of, &lease, by, said, None, start).await.unwrap().is_none(), "it is there already");
    // The worker stands still, and another takes over what was never sent.
    let later = start + SignedDuration::from_mins(17);
    let taken_over = other.lease_catalogue(&of, later).await.unwrap().expect("a lease");
    let newest = other.newest_making(&of, &thing).await.unwrap();
    assert_eq!(newest.as_ref(), Some(&begun));
    let mine = other.intend_making(&of, &taken_over, by, said, newest.as_ref(), later).await.unwrap().expect("a try");
    assert!(!one.making_sent(&of, &begun, later).await.unwrap(), "the late one does not send");
    assert!(other.making_sent(&of, &mine, later).await.unwrap());
    assert!(!other.making_sent(&of, &mine, later).await.unwrap(), "nor is it sent twice");
    for (state, may) in [
        (IntentState::Sent, false),
        (IntentState::Unknown, false),
        (IntentState::Applied, false),
        (IntentState::Rejected, false),
    ] {
        if state != IntentState::Sent {
            let settled = other.settle_making(&of, &mine, (state, None, Some("7")), later).await.unwrap();
            assert_eq!(settled, state != IntentState::Rejected, "what is made stays made");
        }
        let newest = other.newest_making(&of, &thing).await.unwrap();
        let next = other.intend_making(&of, &taken_over, by, said, newest.as_ref(), later).await.unwrap();
        assert_eq!(next.is_some(), may, "{state:?}");
    }
}

#[tokio::test]
async fn a_reversal_takes_nothing_away_that_was_made() {
    let msp = lacking(acme()).await;
    let held = msp.run("apply").await;
    let made_in = msp.approve(&held, None).await;
    let path = format!("/v1/runs/{}/reverse", made_in.id);
    let started = msp.call(Method::POST, &path, Some(json!({}))).await;
    msp.drain().await;
    if started.status == 202 {
        let run = msp.see(started.json["run_id"].as_str().expect("an id")).await;
        assert_eq!(run.result("acme", "siem"), "skipped nothing_to_reverse");
    }
    assert_eq!((made(&msp), taken(&msp)), (1, (1, 1)));
    msp.run("apply").await;
    assert_eq!(siem_units(&msp), Some(12));
}
