//! Accounts and services, for people who map.

use shared::psa::{CatalogQuery, Connector as _};
use simulators::kaseya_bms::{AccountSpec, Limits, Route, ServiceSpec, Switches, TextFilter, World, WorldBuilder};

use crate::{Stage, all, one_line};

fn many() -> WorldBuilder {
    (0..30_i64).fold(World::builder(), |world, number| {
        let account = AccountSpec::named(format!("Company {number:02}")).id(2_001 + number);
        let service = ServiceSpec::named(format!("Service {number:02}")).id(701 + number);
        if number % 3 == 0 {
            world.account(account.inactive()).service(service.inactive())
        } else {
            world.account(account).service(service)
        }
    })
}

/// All pages of a list: names, and how many pages there were.
macro_rules! walk {
    ($connector:expr, $list:ident, $query:expr) => {{
        let (mut query, mut names, mut pages): (CatalogQuery, Vec<String>, usize) = ($query, vec![], 0);
        loop {
            let page = $connector.$list(&query).await.unwrap();
            assert!(page.items.len() <= usize::from(query.limit));
            names.extend(page.items.into_iter().map(|item| item.name));
            pages += 1;
            query.after = page.next;
            if query.after.is_none() {
                break (names, pages);
            }
        }
    }};
}

#[tokio::test]
async fn only_what_is_active_is_listed_page_by_page() {
    let stage = Stage::of(many()).await;
    let connector = stage.open();
    let query = CatalogQuery { limit: 7, ..CatalogQuery::default() };
    let (accounts, pages) = walk!(connector, accounts, query.clone());
    assert_eq!((accounts.len(), accounts[0].as_str(), pages), (20, "Company 01", 3));
    let (services, pages) = walk!(connector, services, query);
    assert_eq!((services.len(), services[19].as_str(), pages), (20, "Service 29", 5));
}

#[tokio::test]
async fn a_search_finds_a_part_of_a_name_however_bms_compares() {
    for text_filter in [TextFilter::Contains, TextFilter::Exact] {
        let stage = Stage::with(many(), Switches { text_filter, ..Switches::default() }, Limits::default()).await;
        let connector = stage.open();
        let query = CatalogQuery { search: Some(" ANY 1".into()), limit: 3, ..CatalogQuery::default() };
        let (found, _) = walk!(connector, accounts, query.clone());
        assert_eq!(
            found,
            ["Company 10", "Company 11", "Company 13", "Company 14", "Company 16", "Company 17", "Company 19"]
        );
        let query = CatalogQuery { search: Some("ice 2".into()), ..query };
        assert_eq!(walk!(connector, services, query.clone()).0.len(), 7);
        let query = CatalogQuery { search: Some("none such".into()), ..query };
        assert!(walk!(connector, services, query).0.is_empty());
    }
}

#[tokio::test]
async fn an_account_shows_its_code() {
    let stage = Stage::of(one_line()).await;
    let page = stage.open().accounts(&all()).await.unwrap();
    let account = &page.items[0];
    assert_eq!((account.id.as_str(), account.name.as_str()), ("2001", "Müller GmbH"));
    assert_eq!((account.number.as_deref(), account.active, page.next), (Some("C-1"), true, None));
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused_without_a_request() {
    let stage = Stage::of(one_line()).await;
    let connector = stage.open();
    for cursor in ["", "p", "p0.0", "p2", "i5", "p-1.0", "p99999.0", "ä"] {
        let query = CatalogQuery { after: Some(cursor.into()), ..all() };
        assert_eq!(connector.accounts(&query).await.unwrap_err().code, "cursor_invalid", "{cursor}");
    }
    assert_eq!(stage.simulator.count(Route::AccountsSummary), 0);
    let query = CatalogQuery { search: Some("m".into()), after: Some("p2.7".into()), ..all() };
    assert_eq!(connector.accounts(&query).await.unwrap_err().code, "cursor_invalid");
}
