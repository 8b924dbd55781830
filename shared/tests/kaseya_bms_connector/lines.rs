//! Lines: shown from the side of the service, and without units.

use jiff::civil::date;
use shared::psa::kaseya_bms::KaseyaBmsConnector;
use shared::psa::{CatalogQuery, Connector as _};
use simulators::kaseya_bms::{
    AccountSpec, ContractSpec, Limits, LineSpec, Route, ServiceSpec, Switches, TextFilter, World, WorldBuilder,
};

use crate::{Stage, all, one_line};

/// Sixty services, of which one contract carries the first, the thirtieth (twice) and the last.
fn spread() -> WorldBuilder {
    let catalogue = (0..60_i64).fold(World::builder(), |world, number| {
        world.service(ServiceSpec::named(format!("Service {number}")).id(701 + number))
    });
    catalogue
        .account(AccountSpec::named("Müller GmbH"))
        .contract(ContractSpec::recurring("Managed care").id(29))
        .line(LineSpec::of(701).id(60_001))
        .line(LineSpec::of(730).id(60_002))
        .line(LineSpec::of(730).id(60_003))
        .line(LineSpec::of(760).id(60_004))
        .contract(ContractSpec::recurring("Managed care plus").id(30))
        .line(LineSpec::of(702).id(60_005))
}

fn of_contract(contract: &str) -> CatalogQuery {
    CatalogQuery { contract: Some(contract.parse().unwrap()), ..all() }
}

async fn walk(connector: &KaseyaBmsConnector, mut query: CatalogQuery) -> (Vec<(String, String)>, usize) {
    let (mut found, mut pages) = (vec![], 0);
    loop {
        let page = connector.lines(&query).await.unwrap();
        assert!(page.items.iter().all(|line| Some(&line.contract) == query.contract.as_ref()));
        found.extend(page.items.into_iter().map(|line| (line.service.into(), line.contract_service.into())));
        pages += 1;
        query.after = page.next;
        if query.after.is_none() {
            return (found, pages);
        }
    }
}

#[tokio::test]
async fn a_contracts_lines_are_found_service_by_service() {
    for text_filter in [TextFilter::Contains, TextFilter::Exact] {
        let stage = Stage::with(spread(), Switches { text_filter, ..Switches::default() }, Limits::default()).await;
        let connector = stage.open();
        let (found, pages) = walk(&connector, of_contract("29")).await;
        let expected = [("701", "60001"), ("730", "60002"), ("730", "60003"), ("760", "60004")];
        assert_eq!(found, expected.map(|(service, line)| (service.to_owned(), line.to_owned())));
        assert_eq!(pages, 3);
        // The cost that is documented: a request for each service, two more a page.
        let asked = connector.requests_by_template();
        assert_eq!(asked.values().sum::<u32>(), 1 + 60 + 3 * 2, "{asked:?}");
        assert_eq!(stage.simulator.count(Route::RelatedServices), 60);
    }
}

#[tokio::test]
async fn a_contract_that_is_not_there_has_no_lines_and_none_named_is_an_error() {
    let stage = Stage::of(one_line()).await;
    let connector = stage.open();
    assert!(connector.lines(&of_contract("30")).await.unwrap().items.is_empty());
    assert!(connector.lines(&of_contract("no number")).await.unwrap().items.is_empty());
    assert_eq!(connector.lines(&all()).await.unwrap_err().code, "contract_id_missing");
}

#[tokio::test]
async fn a_line_shows_its_contract_its_account_and_its_amounts_exactly() {
    let stage = Stage::of(
        one_line().line(LineSpec::of(701).id(60_002).cost("0.1234").price("1234567.89").from(date(2026, 7, 31))),
    )
    .await;
    let lines = stage.open().lines_of_service(&"701".parse().unwrap()).await.unwrap();
    assert_eq!(lines.len(), 2);
    let line = &lines[1];
    assert_eq!((line.line.as_str(), line.contract.as_str(), line.account.as_str()), ("60002", "29", "2001"));
    assert_eq!((line.effective, line.excluded), (Some(date(2026, 7, 31)), false));
    assert_eq!(line.unit_cost.map(|cost| cost.to_string()).as_deref(), Some("0.1234"));
    assert_eq!(line.unit_price.map(|price| price.to_string()).as_deref(), Some("1234567.89"));
}
