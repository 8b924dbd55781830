//! What was billed last, as advice for opening units.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use shared::psa::Kind;
use shared::psa::kaseya_bms::KaseyaBmsConnector;
use simulators::kaseya_bms::{
    AccountSpec, Casing, ContractSpec, Limits, LineSpec, OversizedPage, Route, ServiceSpec, Switches, When, World,
    WorldBuilder,
};

use crate::{Stage, TODAY, ids, one_line};

/// The second contract of the same company carries the same service and another one twice.
fn two_contracts() -> WorldBuilder {
    one_line()
        .service(ServiceSpec::named("Backup").id(702))
        .contract(ContractSpec::recurring("Backup").id(30))
        .line(LineSpec::of(701).units(7))
        .line(LineSpec::of(702).units(5))
        .line(LineSpec::of(702).units(6))
}

/// Contract, item, day and units, in words.
async fn billed(connector: &KaseyaBmsConnector, contracts: &[i64]) -> Vec<String> {
    let found: BTreeMap<_, _> = connector.last_billed(&ids(contracts.iter().copied())).await.unwrap();
    found
        .iter()
        .map(|((contract, name), billed)| format!("{contract} {name} {} {}", billed.on, billed.units.normalize()))
        .collect()
}

#[tokio::test]
async fn each_contracts_items_are_told_with_their_day_and_lines_of_one_name_are_summed() {
    for casing in [Casing::Camel, Casing::Pascal] {
        let stage = Stage::with(two_contracts(), Switches { casing, ..Switches::default() }, Limits::default()).await;
        assert_eq!(stage.simulator.invoice(29, date(2026, 11, 1)), 1);
        assert_eq!(stage.simulator.invoice(30, date(2026, 11, 5)), 3);
        let connector = stage.open();
        let all = ["29 EDR 2026-11-01 40", "30 Backup 2026-11-05 11", "30 EDR 2026-11-05 7"];
        assert_eq!(billed(&connector, &[29, 30]).await, all);
        assert_eq!(billed(&connector, &[30]).await, all[1..]);
        // One request each: nothing was missing.
        assert_eq!(stage.simulator.count(Route::InvoiceDetails), 2);
    }
}

#[tokio::test]
async fn the_newest_invoice_counts_and_a_later_edit_is_not_on_it() {
    let stage = Stage::of(one_line()).await;
    for (day, units) in [(date(2026, 10, 25), 41), (date(2026, 11, 1), 42), (date(2026, 11, 10), 43)] {
        stage.simulator.edit_units(29, 701, day, units).unwrap();
    }
    for day in [date(2026, 11, 1), date(2026, 10, 25)] {
        stage.simulator.invoice(29, day);
    }
    assert_eq!(billed(&stage.open(), &[29]).await, ["29 EDR 2026-11-01 42"]);
}

#[tokio::test]
async fn the_month_before_is_asked_for_only_if_something_is_missing_and_none_before_it() {
    for (days_ago, found, requests) in [(31, true, 1), (32, true, 2), (62, true, 2), (63, false, 2)] {
        let stage = Stage::of(one_line()).await;
        let day: Date = TODAY.saturating_sub(days_ago.days());
        stage.simulator.invoice(29, day);
        let expected: Vec<_> = found.then(|| format!("29 EDR {day} 40")).into_iter().collect();
        assert_eq!(billed(&stage.open(), &[29]).await, expected, "{days_ago}");
        assert_eq!(stage.simulator.count(Route::InvoiceDetails), requests, "{days_ago}");
    }
}

#[tokio::test]
async fn a_row_on_the_day_where_one_month_ends_and_the_other_begins_counts_once() {
    let stage = Stage::of(two_contracts()).await;
    let (edge, before): (Date, Date) = (TODAY.saturating_sub(31.days()), TODAY.saturating_sub(40.days()));
    stage.simulator.invoice(29, edge);
    stage.simulator.invoice(30, before);
    let found = billed(&stage.open(), &[29, 30]).await;
    assert_eq!(found[0], format!("29 EDR {edge} 40"));
    assert_eq!((found.len(), stage.simulator.count(Route::InvoiceDetails)), (3, 2));
}

#[tokio::test]
async fn nothing_is_asked_where_no_contract_is_named() {
    let stage = Stage::of(one_line()).await;
    assert!(billed(&stage.open(), &[]).await.is_empty());
    assert_eq!(stage.simulator.request_count(), 0);
}

/// A contract of its own for each of `count` companies, and an item on each one's invoice of this month.
async fn crowd(count: i64, limits: Limits) -> Stage {
    let world = (0..count).fold(World::builder().service(ServiceSpec::named("EDR").id(701)), |world, number| {
        let contract = ContractSpec::recurring("Care").id(5_001 + number);
        world
            .account(AccountSpec::named(format!("Company {number}")))
            .contract(contract)
            .line(LineSpec::of(701).units(1 + number))
            .invoiced(date(2026, 11, 1))
    });
    let switches = Switches { oversized_page: OversizedPage::Clamp, ..Switches::default() };
    Stage::with(world, switches, limits).await
}

#[tokio::test]
async fn pages_are_followed_however_long_bms_makes_them() {
    for max_page_size in [100, 37, 20] {
        let stage = crowd(150, Limits { max_page_size, ..Limits::default() }).await;
        assert_eq!(billed(&stage.open(), &[5_001, 5_150]).await, ["5001 EDR 2026-11-01 1", "5150 EDR 2026-11-01 150"]);
    }
}

#[tokio::test]
async fn no_more_than_ten_requests_are_made_and_what_they_do_not_reach_has_no_advice() {
    let stage = crowd(150, Limits { max_page_size: 14, ..Limits::default() }).await;
    assert_eq!(billed(&stage.open(), &[5_001, 5_150]).await, ["5001 EDR 2026-11-01 1"]);
    assert_eq!(stage.simulator.count(Route::InvoiceDetails), 10);
}

#[tokio::test]
async fn a_refusal_or_a_fault_is_an_error_like_any_reads() {
    let stage = Stage::of(one_line()).await;
    let refused = simulators::kaseya_bms::failure_in_200();
    stage.simulator.plan_fault(When::EveryRequest(Route::InvoiceDetails), refused);
    let connector = stage.open();
    let error = connector.last_billed(&ids([29])).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (Kind::Validation, "psa_request_refused"));
    assert_eq!(stage.simulator.count(Route::InvoiceDetails), 1);
    // The rest of the connector goes on.
    assert_eq!(connector.lines_of_service(&"701".parse().unwrap()).await.unwrap().len(), 1);
}
