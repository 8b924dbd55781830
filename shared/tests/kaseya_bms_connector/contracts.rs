//! Contracts: joined from three calls, by whatever way costs least, and what is left out of them.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use shared::domain::contract::Contract;
use shared::domain::period::PeriodType;
use shared::psa::kaseya_bms::KaseyaBmsConnector;
use shared::psa::{CatalogQuery, Connector as _};
use simulators::kaseya_bms::{
    AccountSpec, ContractKind, ContractSpec, Fault, Limits, Route, Switches, TextFilter, When, World, WorldBuilder,
};

use crate::{Stage, TODAY, all, ids};

/// Contracts of every sort on two accounts of one name, and one on a third.
fn sorts() -> WorldBuilder {
    World::builder()
        .account(AccountSpec::named("Twin & Co #1").id(2_001))
        .contract(ContractSpec::recurring("Managed care").id(11))
        .contract(ContractSpec::recurring("Ended").id(12).runs(date(2025, 1, 1), date(2026, 6, 30)))
        .contract(ContractSpec::recurring("Deactivated").id(13).inactive())
        .contract(ContractSpec::of_kind(ContractKind::FixedPrice, "Office move").id(14))
        .account(AccountSpec::named("Twin & Co #1").id(2_002).inactive())
        .contract(ContractSpec::recurring("Managed care").id(21).bills("Quarterly"))
        .account(AccountSpec::named("Other").id(2_003))
        .contract(ContractSpec::recurring("Managed care").id(31).bills("Weekly"))
        .contract(
            ContractSpec::recurring("Managed care, next")
                .id(32)
                .bills("Annually")
                .runs(date(2027, 1, 1), date(2027, 12, 31)),
        )
}

/// Account, whether it is active, and how it bills, by contract.
fn shown(contracts: Vec<Contract>) -> BTreeMap<String, (String, bool, Option<PeriodType>)> {
    let row = |contract: Contract| (contract.id.into(), (contract.account.into(), contract.active, contract.recurring));
    contracts.into_iter().map(row).collect()
}

async fn of(connector: &KaseyaBmsConnector, accounts: impl IntoIterator<Item = i64>, from: Date) -> Vec<Contract> {
    connector.contracts_of(&ids(accounts), from).await.unwrap()
}

/// So many accounts more that all are walked.
fn many() -> impl Iterator<Item = i64> {
    2_001..2_100
}

#[tokio::test]
async fn few_and_many_accounts_show_the_same_contracts() {
    for text_filter in [TextFilter::Contains, TextFilter::Exact] {
        let stage = Stage::with(sorts(), Switches { text_filter, ..Switches::default() }, Limits::default()).await;
        let connector = stage.open();
        let few = shown(of(&connector, 2_001..=2_003, TODAY).await);
        let account = |number: i64| number.to_string();
        assert_eq!(few.keys().collect::<Vec<_>>(), ["11", "13", "21", "32"]);
        assert_eq!(few["11"], (account(2_001), true, Some(PeriodType::Monthly)));
        assert_eq!(few["13"], (account(2_001), false, Some(PeriodType::Monthly)));
        assert_eq!(few["21"], (account(2_002), true, Some(PeriodType::Quarterly)));
        assert_eq!(few["32"], (account(2_003), true, Some(PeriodType::Yearly)));
        assert_eq!(shown(of(&connector, many(), TODAY).await), few);

        let earlier = of(&connector, 2_001..=2_003, date(2026, 6, 30)).await;
        assert_eq!(earlier.len(), 5, "one that ended later than the day asked for");
        assert_eq!(shown(of(&connector, many(), date(2026, 6, 30)).await), shown(earlier));
    }
}

#[tokio::test]
async fn contracts_named_are_shown_whatever_they_are_and_whatever_it_takes() {
    for text_filter in [TextFilter::Contains, TextFilter::Exact] {
        let stage = Stage::with(sorts(), Switches { text_filter, ..Switches::default() }, Limits::default()).await;
        let connector = stage.open();
        let few = shown(connector.contracts_by_id(&ids([12, 14, 21, 31, 99])).await.unwrap());
        assert_eq!(
            few["12"],
            ("2001".into(), true, Some(PeriodType::Monthly)),
            "it is explained as ended, not as inactive"
        );
        assert_eq!(few["14"], ("2001".into(), true, None));
        assert_eq!(few["31"].2, None, "a billing cycle that no period matches");
        assert_eq!(few.len(), 4);
        let many = shown(connector.contracts_by_id(&ids([11, 12, 13, 14, 21, 31, 32, 99])).await.unwrap());
        assert_eq!(many.len(), 7);
        assert!(few.iter().all(|(id, contract)| many[id] == *contract));
    }
}

#[tokio::test]
async fn an_ended_contract_is_ended_however_its_status_is_told() {
    for ended_contracts_say_active in [false, true] {
        let switches = Switches { ended_contracts_say_active, ..Switches::default() };
        let stage = Stage::with(sorts(), switches, Limits::default()).await;
        let found = stage.open().contracts_by_id(&ids([12])).await.unwrap();
        assert!(found[0].writable_on(TODAY).unwrap_err().explanation.contains("ended"), "{found:?}");
    }
}

#[tokio::test]
async fn one_contract_and_one_account_cost_a_few_requests_however_many_there_are() {
    let world = (0..450_i64).fold(World::builder(), |world, number| {
        let account = AccountSpec::named(format!("Company {number:03}")).id(2_001 + number);
        world.account(account).contract(ContractSpec::recurring(format!("Care {number:03}")).id(5_001 + number))
    });
    let stage = Stage::of(world).await;
    let cost = async |call: &dyn AsyncCall| {
        let connector = stage.open();
        let found = call.call(&connector).await;
        (found, connector.requests_made())
    };
    stage.open().rights().await.unwrap();
    assert_eq!(cost(&ById(1)).await, (1, 3));
    assert_eq!(cost(&OfAccounts(1)).await, (1, 3));
    // Five pages of contracts, five of accounts.
    assert_eq!(cost(&ById(450)).await, (450, 10));
    assert_eq!(cost(&OfAccounts(450)).await, (450, 10));
}

#[async_trait::async_trait]
trait AsyncCall: Sync {
    async fn call(&self, connector: &KaseyaBmsConnector) -> usize;
}

struct ById(i64);
struct OfAccounts(i64);

#[async_trait::async_trait]
impl AsyncCall for ById {
    async fn call(&self, connector: &KaseyaBmsConnector) -> usize {
        connector.contracts_by_id(&ids(5_001..5_001 + self.0)).await.unwrap().len()
    }
}

#[async_trait::async_trait]
impl AsyncCall for OfAccounts {
    async fn call(&self, connector: &KaseyaBmsConnector) -> usize {
        connector.contracts_of(&ids(2_001..2_001 + self.0), TODAY).await.unwrap().len()
    }
}

#[tokio::test]
async fn the_catalogue_offers_active_recurring_contracts_alone() {
    let stage = Stage::of(sorts()).await;
    let connector = stage.open();
    let names =
        |contracts: Vec<Contract>| contracts.into_iter().map(|contract| contract.id.into()).collect::<Vec<String>>();
    let listed = connector.contracts(&all()).await.unwrap();
    assert_eq!((names(listed.items), listed.next), (vec!["11".into(), "21".into(), "32".into()], None));
    let of_account = CatalogQuery { account: Some("2001".parse().unwrap()), ..all() };
    assert_eq!(names(connector.contracts(&of_account).await.unwrap().items), ["11"]);
    let searched = CatalogQuery { search: Some("CARE, n".into()), ..all() };
    assert_eq!(names(connector.contracts(&searched).await.unwrap().items), ["32"]);
    let nobody = CatalogQuery { account: Some("no number".parse().unwrap()), ..all() };
    assert!(connector.contracts(&nobody).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_contract_whose_account_is_hidden_is_left_out() {
    let stage = Stage::of(sorts()).await;
    let body = r#"{"success":true,"result":[{"id":2003,"accountName":"Other"}],"totalRecords":1}"#;
    stage.simulator.plan_fault(When::EveryRequest(Route::AccountsSummary), Fault::answer(200, body));
    let found = stage.open().contracts_by_id(&ids([11, 32])).await.unwrap();
    assert_eq!(shown(found).into_keys().collect::<Vec<_>>(), ["32"]);
}

#[tokio::test]
async fn nothing_asked_for_costs_nothing() {
    let stage = Stage::of(sorts()).await;
    let connector = stage.open();
    assert!(connector.contracts_by_id(&ids([])).await.unwrap().is_empty());
    assert!(connector.contracts_of(&ids([]), TODAY).await.unwrap().is_empty());
    assert_eq!(connector.requests_made(), 0);
}

#[tokio::test]
async fn a_look_up_that_passes_over_the_account_puts_no_contract_on_the_wrong_one() {
    let stage = Stage::of(sorts()).await;
    let row = |id: i64| format!(r#"{{"id":{id},"name":"Managed care","isActive":true}}"#);
    let rows: Vec<_> = [11, 13, 21, 31, 32].map(row).to_vec();
    let body = format!(r#"{{"success":true,"result":[{}]}}"#, rows.join(","));
    stage.simulator.plan_fault(When::EveryRequest(Route::ContractsLookup), Fault::answer(200, body));
    let connector = stage.open();
    assert_eq!(shown(of(&connector, [2_003], TODAY).await).into_keys().collect::<Vec<_>>(), ["32"]);
    let found = connector.contracts_by_id(&ids([11, 21, 32])).await.unwrap();
    assert_eq!(shown(found).into_keys().collect::<Vec<_>>(), ["32"], "both namesakes claim the other two");
}
