//! The connector against the simulated Autotask: its rules, its faults, and what nobody has confirmed about it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, date};
use shared::domain::ids::ContractId;
use shared::domain::line::LineKey;
use shared::psa::autotask::{Autotask, AutotaskConnector, Settings};
use shared::psa::credentials::AutotaskCredentials;
use shared::psa::notebook::NoNotebook;
use shared::psa::{Asked, CatalogQuery, Connector as _, Kind, Observation, UnitsChange, Window, WriteError};
use simulators::autotask::seed::Provider;
use simulators::autotask::{
    ApiUser, Autotask as Simulator, ContractSpec, DateForm, Entity, Excess, Fault, LineSpec, PostedPeriod, Right,
    SplitEnd, When, World,
};
use url::Url;

use crate::heard;

const TODAY: Date = date(2026, 11, 20);
const CONTRACT: i64 = 29;
const SERVICE: i64 = 501;

/// One company with one contract of 2026 that carries one service, with 40 units.
fn one_line() -> World {
    World::builder()
        .company("Müller GmbH")
        .contract(ContractSpec::recurring("Managed care").id(CONTRACT))
        .line(LineSpec::of("EDR").id(7_001).units(40))
        .build()
        .unwrap()
}

pub async fn connect_as(simulator: &Simulator, user: &ApiUser, settings: Settings) -> AutotaskConnector {
    heard::listen();
    let credentials = AutotaskCredentials {
        username: user.username().to_owned(),
        secret: user.secret().into(),
        integration_code: user.integration_code().into(),
    };
    let autotask = Autotask::at(&Url::parse(&simulator.base()).unwrap(), settings).unwrap();
    let endpoint = autotask.discover(&credentials).await.unwrap();
    autotask.open(&endpoint, credentials, Arc::new(NoNotebook))
}

/// Waits only so long for an answer, but as long as it takes for the zone.
pub async fn connect_with(simulator: &Simulator, request_timeout: Duration) -> AutotaskConnector {
    let user = &simulator.users()[0];
    let credentials = AutotaskCredentials {
        username: user.username().to_owned(),
        secret: user.secret().into(),
        integration_code: user.integration_code().into(),
    };
    let base = Url::parse(&simulator.base()).unwrap();
    let endpoint = Autotask::at(&base, Settings::default()).unwrap().discover(&credentials).await.unwrap();
    let autotask = Autotask::at(&base, Settings { request_timeout, ..Settings::default() }).unwrap();
    autotask.open(&endpoint, credentials, Arc::new(NoNotebook))
}

pub async fn connect(simulator: &Simulator) -> AutotaskConnector {
    connect_as(simulator, &simulator.users()[0], Settings::default()).await
}

fn contracts(numbers: impl IntoIterator<Item = i64>) -> BTreeSet<ContractId> {
    numbers.into_iter().map(|number| number.to_string().parse().unwrap()).collect()
}

/// A line of each contract.
fn lines(contracts: &BTreeSet<ContractId>) -> Asked {
    let line = |contract: &ContractId| LineKey { contract: contract.clone(), service: "7".parse().unwrap() };
    contracts.iter().map(|contract| (line(contract), None)).collect()
}

async fn observe(connector: &AutotaskConnector) -> Observation {
    let window = Window { from: date(2026, 10, 1), to: None };
    connector.observe(&lines(&contracts([CONTRACT])), window).await.unwrap()
}

fn change(from: i64, to: i64, effective: Date) -> UnitsChange {
    let (before, target) = (from.try_into().unwrap(), to.try_into().unwrap());
    UnitsChange {
        contract: CONTRACT.to_string().parse().unwrap(),
        service: SERVICE.to_string().parse().unwrap(),
        contract_service: "7001".parse().unwrap(),
        effective,
        before,
        target,
        delta: shared::domain::units::Units::delta_to(before, target),
        prices: None,
    }
}

#[tokio::test]
async fn a_change_shows_in_the_next_observation_however_autotask_prints_and_splits() {
    for date_form in [DateForm::MidnightUtc, DateForm::MidnightUtcFraction, DateForm::AfternoonUtc, DateForm::NoZone] {
        for split_end in [SplitEnd::DayBefore, SplitEnd::SameDay] {
            let simulator = Simulator::start(one_line()).await.unwrap();
            simulator.switch(|switches| {
                switches.date_form = date_form;
                switches.split_end = split_end;
            });
            let connector = connect(&simulator).await;
            connector.change_units(&change(40, 42, date(2026, 11, 10))).await.unwrap();

            let seen = observe(&connector).await;
            let line = &seen.lines[&(change(0, 0, TODAY).contract, change(0, 0, TODAY).service)];
            let units = |day| line.timeline.at(day).unwrap().get();
            assert_eq!(line.contract_service.as_str(), "7001");
            assert_eq!(
                [
                    units(date(2026, 10, 1)),
                    units(date(2026, 11, 9)),
                    units(date(2026, 11, 10)),
                    units(date(2026, 12, 31))
                ],
                [40, 40, 42, 42],
                "{date_form:?} {split_end:?}"
            );
            assert_eq!((simulator.writes().len(), simulator.auto_created().len()), (1, 0));
        }
    }
}

#[tokio::test]
async fn every_fault_says_what_may_have_become_of_the_write_and_none_is_repeated() {
    let (rejected, unknown) = ("rejected", "unknown");
    let cases = [
        (Fault::ResetBefore, unknown, 0),
        (Fault::ResetAfter, unknown, 1),
        (Fault::HangBefore, unknown, 0),
        (Fault::HangAfter, unknown, 1),
        (Fault::error_before(), unknown, 0),
        (Fault::error_after(), unknown, 1),
        (Fault::unparsable_after(), unknown, 1),
        (Fault::answer(408, ""), unknown, 0),
        (Fault::answer(502, "<html>"), unknown, 0),
        (Fault::answer(503, "").after(), unknown, 1),
        (Fault::answer(504, "").after(), unknown, 1),
        (Fault::errors_with_200(), rejected, 0),
        (Fault::answer(401, ""), rejected, 0),
        (Fault::answer(403, ""), rejected, 0),
        (Fault::answer(404, ""), rejected, 0),
        (Fault::answer(405, ""), rejected, 0),
        (Fault::too_many_requests(Some(60)), rejected, 0),
        (Fault::redirect(307, "http://127.0.0.1:1/"), rejected, 0),
    ];
    for (fault, expected, applied) in cases {
        let simulator = Simulator::start(one_line()).await.unwrap();
        // A fault that hangs is waited for; the others must not be taken for a slow answer.
        let hangs = matches!(fault, Fault::HangBefore | Fault::HangAfter);
        let request_timeout = Duration::from_millis(if hangs { 40 } else { 10_000 });
        let settings = Settings { request_timeout, ..Settings::default() };
        simulator.plan_fault(When::Write(1), fault.clone());
        let connector = connect_as(&simulator, &simulator.users()[0], settings).await;
        let result = connector.change_units(&change(40, 42, date(2026, 11, 10))).await;
        let found = match result {
            Ok(()) => "applied",
            Err(WriteError::NotSent(_)) => "not sent",
            Err(WriteError::Rejected(_)) => rejected,
            Err(WriteError::Unknown(_)) => unknown,
        };
        assert_eq!((found, simulator.writes().len()), (expected, applied), "{fault:?}");
        let sent = simulator.count(Entity::ContractServiceAdjustments, simulators::autotask::Kind::Create);
        assert_eq!(sent, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn autotasks_rules_are_explained_refusals() {
    let simulator = Simulator::start(one_line()).await.unwrap();
    simulator.switch(|switches| switches.posted_period = PostedPeriod::Reject);
    simulator.post_through(CONTRACT, date(2026, 10, 31));
    let connector = connect(&simulator).await;
    connector.change_units(&change(40, 42, date(2026, 11, 10))).await.unwrap();
    for (effective, code) in [
        (date(2026, 11, 10), "effective_date_already_adjusted"),
        (date(2027, 1, 1), "effective_date_outside_contract"),
        (date(2026, 10, 5), "period_already_posted"),
    ] {
        let Err(WriteError::Rejected(error)) = connector.change_units(&change(42, 43, effective)).await else {
            panic!("{effective}")
        };
        assert_eq!((error.kind, error.code.as_str()), (Kind::Validation, code));
        assert!(error.said.is_some());
    }
    assert_eq!(simulator.writes().len(), 1);
}

#[tokio::test]
async fn a_contract_service_that_is_gone_makes_no_new_line() {
    let simulator = Simulator::start(one_line()).await.unwrap();
    let stale = UnitsChange { contract_service: "7999".parse().unwrap(), ..change(40, 42, date(2026, 11, 10)) };
    assert!(matches!(connect(&simulator).await.change_units(&stale).await, Err(WriteError::Rejected(_))));
    assert_eq!((simulator.writes().len(), simulator.auto_created().len()), (0, 0));
}

#[tokio::test]
async fn an_unchanged_night_of_a_thousand_contracts_costs_about_ten_requests() {
    let provider = Provider { companies: 1_000, seed: 1, today: TODAY };
    let (world, seeded) = provider.build().unwrap();
    let simulator = Simulator::start(world).await.unwrap();
    let connector = connect(&simulator).await;
    simulator.reset_counts();

    let ids = contracts(seeded.companies.iter().map(|company| company.contract_id));
    connector.allowance().await.unwrap();
    let found = connector.contracts_by_id(&ids).await.unwrap();
    let seen = connector.observe(&lines(&ids), Window { from: TODAY, to: Some(TODAY) }).await.unwrap();

    assert_eq!((found.len(), seen.lines.len(), seen.ambiguous.len()), (1_000, 3_000, 0));
    for company in &seeded.companies {
        for line in &company.lines {
            let key = (company.contract_id.to_string().parse().unwrap(), line.service_id.to_string().parse().unwrap());
            let units = seen.lines[&key].timeline.at(TODAY).unwrap();
            assert_eq!(i64::from(units), line.units, "{}", company.name);
        }
    }
    let count = |entity| simulator.count(entity, simulators::autotask::Kind::Query);
    assert_eq!((count(Entity::Contracts), count(Entity::ContractServiceUnits)), (2, 6));
    assert_eq!((simulator.request_count(), connector.requests_made()), (9, 9));
    assert!(simulator.max_in_flight(Entity::ContractServiceUnits) <= 2);
}

#[tokio::test]
async fn a_listing_of_twelve_hundred_companies_is_whole() {
    let (world, _) = Provider { companies: 1_200, seed: 1, today: TODAY }.build().unwrap();
    let simulator = Simulator::start(world).await.unwrap();
    let connector = connect(&simulator).await;
    let (mut names, mut pages, mut after) = (BTreeSet::new(), 0, None);
    loop {
        let page = connector.accounts(&CatalogQuery { after, limit: 100, ..CatalogQuery::default() }).await.unwrap();
        names.extend(page.items.into_iter().map(|account| account.name));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    // The partner's own company is one of them.
    assert_eq!((names.len(), pages), (1_201, 13));
}

#[tokio::test]
async fn the_catalogue_offers_what_can_be_mapped() {
    let world = World::builder()
        .company("Müller GmbH")
        .contract(ContractSpec::recurring("Managed care").id(CONTRACT))
        .line(LineSpec::of("EDR").id(7_001).units(40))
        .contract(ContractSpec::fixed_price("Care move").id(30))
        .contract(ContractSpec::recurring("Old care").id(31).inactive())
        .build()
        .unwrap();
    let simulator = Simulator::start(world).await.unwrap();
    let connector = connect(&simulator).await;
    let asked = |search: &str| CatalogQuery { search: Some(search.to_owned()), limit: 100, ..CatalogQuery::default() };

    let offered = connector.contracts(&asked("care")).await.unwrap().items;
    assert_eq!(offered.iter().map(|contract| contract.name.as_str()).collect::<Vec<_>>(), ["Managed care"]);
    let account = offered[0].account.clone();
    assert_eq!(connector.accounts(&asked("müll")).await.unwrap().items[0].id, account);
    assert_eq!(connector.services(&asked("edr")).await.unwrap().items.len(), 1);
    let lines = CatalogQuery { contract: Some(offered[0].id.clone()), limit: 100, ..CatalogQuery::default() };
    assert_eq!(connector.lines(&lines).await.unwrap().items[0].contract_service.as_str(), "7001");

    let all = connector.contracts_by_id(&contracts([CONTRACT, 30, 31, 32])).await.unwrap();
    let states: Vec<_> = all.iter().map(|contract| (contract.recurring.is_some(), contract.active)).collect();
    assert_eq!(states, [(true, true), (false, true), (true, false)]);
}

#[tokio::test]
async fn what_may_follow_a_contract_is_recurring_of_its_account_and_ends_later() {
    let runs = |id: i64, from: &str, to: &str| {
        ContractSpec::recurring("Care").id(id).runs(from.parse().unwrap(), to.parse().unwrap())
    };
    let world = World::builder()
        .company("Müller GmbH")
        .contract(runs(29, "2024-01-01", "2024-12-31"))
        .contract(runs(30, "2025-01-01", "2025-12-31").renewed(31))
        .contract(runs(31, "2026-01-01", "2026-12-31").inactive())
        .contract(ContractSpec::fixed_price("Care move").id(32))
        .company("Schmidt AG")
        .contract(runs(33, "2026-01-01", "2026-12-31"))
        .build()
        .unwrap();
    let simulator = Simulator::start(world).await.unwrap();
    let accounts = BTreeSet::from(["1001".parse().unwrap()]);
    let found = connect(&simulator).await.contracts_of(&accounts, date(2025, 12, 31)).await.unwrap();
    let links: Vec<_> = found.iter().map(|found| (found.id.as_str(), found.renewal.as_ref(), found.active)).collect();
    assert_eq!(links, [("30", Some(&"31".parse().unwrap()), true), ("31", None, false)]);
}

#[tokio::test]
async fn rows_hidden_from_a_restricted_user_are_absent_and_no_error() {
    let simulator =
        Simulator::setup(one_line()).user(ApiUser::full().blind_to_companies([1_001])).start().await.unwrap();
    let connector = connect(&simulator).await;
    assert!(connector.contracts_by_id(&contracts([CONTRACT])).await.unwrap().is_empty());
    assert!(observe(&connector).await.lines.is_empty());
}

#[tokio::test]
async fn what_a_user_may_not_do_is_found_out_without_writing() {
    let full = ApiUser::full();
    for (user, missing) in [
        (full.clone(), None),
        (full.clone().without(Entity::Companies, Right::Query), Some("read companies")),
        (full.clone().without(Entity::ContractServiceUnits, Right::Query), Some("read the units of contract services")),
        (
            full.clone().without(Entity::ContractServiceAdjustments, Right::Create),
            Some("change the units of contract services"),
        ),
    ] {
        for status in [500, 403] {
            let simulator = Simulator::setup(one_line()).user(user.clone()).start().await.unwrap();
            simulator.switch(|switches| switches.permission_status = status);
            let rights = connect(&simulator).await.rights().await.unwrap();
            let found: Vec<_> = rights.iter().filter(|right| right.missing.is_some()).collect();
            assert_eq!(found.iter().map(|right| right.name.as_str()).collect::<Vec<_>>(), Vec::from_iter(missing));
            assert!(found.iter().all(|right| right.missing.as_ref().unwrap().code == "psa_permission_missing"));
            assert!(simulator.writes().is_empty());
        }
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_apart() {
    let simulator = Simulator::start(one_line()).await.unwrap();
    let user = &simulator.users()[0];
    for (wrong, code) in [
        (ApiUser::new(user.username(), "wrong", user.integration_code()), "psa_credentials_rejected"),
        (ApiUser::new(user.username(), user.secret(), "WRONG"), "psa_integration_code_rejected"),
    ] {
        simulator.reset_counts();
        let connector = connect_as(&simulator, &wrong, Settings::default()).await;
        let error = connector.rights().await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (Kind::Auth, code));
        assert_eq!(connector.requests_made(), 1);
    }
    let nobody = AutotaskCredentials {
        username: "nobody@example.com".to_owned(),
        secret: "x".into(),
        integration_code: "y".into(),
    };
    let autotask = Autotask::at(&Url::parse(&simulator.base()).unwrap(), Settings::default()).unwrap();
    assert_eq!(autotask.discover(&nobody).await.unwrap_err().code, "psa_user_unknown");
}

#[tokio::test]
async fn a_used_up_hour_is_a_limit_and_not_a_fault() {
    for over_threshold in [Excess::TooManyRequests { retry_after_s: Some(60) }, Excess::ServerError] {
        let simulator = Simulator::start(one_line()).await.unwrap();
        let connector = connect(&simulator).await;
        simulator.switch(|switches| switches.over_threshold = over_threshold);
        simulator.use_threshold(20_000);
        assert_eq!(connector.allowance().await.unwrap_err().kind, Kind::RateLimited);
        let Err(WriteError::Rejected(error)) = connector.change_units(&change(40, 42, TODAY)).await else {
            panic!("{over_threshold:?}")
        };
        assert_eq!(error.kind, Kind::RateLimited);
        assert!(simulator.writes().is_empty());
    }
}
