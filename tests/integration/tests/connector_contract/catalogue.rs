//! Lists for people who map: whole whatever the page size, without repetition, searched without regard to case.

use std::collections::BTreeSet;

use shared::psa::{CatalogQuery, Connector, PsaError};

use crate::bench::Bench;
use crate::office::{contract_ids, number, once, pages};
use crate::settings::{Reading, everywhere};
use crate::world::World;

contract!(
    reads:
    every_list_is_whole_at_every_page_size_and_names_no_row_twice,
    a_list_longer_than_a_page_of_the_psa_is_whole,
    a_search_finds_every_name_that_holds_the_text_in_either_case,
    a_cursor_that_no_list_gave_is_refused_as_such,
    only_active_recurring_contracts_are_offered_and_the_accounts_own,
);

#[derive(Clone, Copy, Debug)]
enum List {
    Accounts,
    Services,
    Contracts,
    LinesOf(i64),
}

async fn read(psa: &dyn Connector, list: List, query: &CatalogQuery) -> Result<Vec<(i64, String)>, PsaError> {
    let limit = query.limit;
    let at = |after| CatalogQuery { after, ..query.clone() };
    match list {
        List::Accounts => {
            let all = pages(limit, async |after| psa.accounts(&at(after)).await).await?;
            Ok(all.into_iter().filter(|row| row.active).map(|row| (number(&row.id), row.name)).collect())
        }
        List::Services => {
            let all = pages(limit, async |after| psa.services(&at(after)).await).await?;
            assert!(all.iter().all(|row| row.active), "{all:?}");
            Ok(all.into_iter().map(|row| (number(&row.id), row.name)).collect())
        }
        List::Contracts => {
            let all = pages(limit, async |after| psa.contracts(&at(after)).await).await?;
            assert!(all.iter().all(|row| row.active && row.recurring.is_some()), "{all:?}");
            Ok(all.into_iter().map(|row| (number(&row.id), row.name)).collect())
        }
        List::LinesOf(contract) => {
            let of = contract_ids([contract]).pop_first();
            let query = CatalogQuery { contract: of.clone(), ..query.clone() };
            let at = |after| CatalogQuery { after, ..query.clone() };
            let all = pages(limit, async |after| psa.lines(&at(after)).await).await?;
            assert!(all.iter().all(|row| Some(&row.contract) == of.as_ref()), "{all:?}");
            once(&all.iter().map(|row| row.contract_service.clone()).collect::<Vec<_>>());
            Ok(all.into_iter().map(|row| (number(&row.service), String::new())).collect())
        }
    }
}

/// What a list holds: contracts that ended may be in it.
fn expected(world: &World, list: List) -> (BTreeSet<i64>, BTreeSet<i64>) {
    let today = crate::world::TODAY;
    let open = |of: &crate::world::Contract| of.active && of.recurring;
    let both = |ids: BTreeSet<i64>| (ids.clone(), ids);
    match list {
        List::Accounts => both(world.accounts.iter().filter(|of| of.active).map(|of| of.id).collect()),
        List::Services => both(world.services.iter().filter(|of| of.active).map(|of| of.id).collect()),
        List::Contracts => {
            let ids = |ended: bool| {
                let all = world.contracts().filter(|(_, of)| open(of) && (ended || today <= of.end));
                all.map(|(_, of)| of.id).collect()
            };
            (ids(false), ids(true))
        }
        List::LinesOf(id) => {
            let of = world.contracts().find(|(_, of)| of.id == id);
            both(of.into_iter().flat_map(|(_, of)| of.lines.iter().map(|(service, _)| *service)).collect())
        }
    }
}

async fn assert_whole(psa: &dyn Connector, world: &World, list: List, limit: u16) {
    let query = CatalogQuery { limit, ..CatalogQuery::default() };
    let rows = read(psa, list, &query).await.unwrap_or_else(|error| panic!("{list:?} by {limit}: {error:?}"));
    let mut ids = once(&rows.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    if let List::Accounts = list {
        // A PSA may keep the partner itself among its accounts.
        ids.retain(|id| world.accounts.iter().any(|of| of.id == *id));
    }
    let (least, most) = expected(world, list);
    assert!(least.is_subset(&ids) && ids.is_subset(&most), "{list:?} by {limit}: {ids:?} where there are {least:?}");
}

async fn every_list_is_whole_at_every_page_size_and_names_no_row_twice<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::varied(), |office| async move {
        let world = World::varied();
        let psa = office.connector("maps");
        let lists = [List::Accounts, List::Services, List::Contracts, List::LinesOf(5_001), List::LinesOf(5_003)];
        let sizes = [1, 3, 100, 500];
        for list in lists {
            for limit in sizes {
                assert_whole(psa.as_ref(), &world, list, limit).await;
            }
        }
        assert_eq!(office.psa.write_requests(), 0);
        lists.len() * sizes.len()
    })
    .await;
}

async fn a_list_longer_than_a_page_of_the_psa_is_whole<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::of_one_service(130), |office| async move {
        let world = World::of_one_service(130);
        let psa = office.connector("maps");
        for list in [List::Accounts, List::Contracts] {
            // More than one PSA gives at once, and as much as another does.
            for limit in [100, 500] {
                assert_whole(psa.as_ref(), &world, list, limit).await;
            }
        }
        4
    })
    .await;
}

async fn a_search_finds_every_name_that_holds_the_text_in_either_case<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::varied(), |office| async move {
        let psa = office.connector("maps");
        let searches = [
            (List::Accounts, "NORD"),
            (List::Accounts, "twin"),
            (List::Accounts, "üLLER"),
            (List::Accounts, "no such"),
            (List::Services, "bAcKuP"),
            (List::Services, "überw"),
            (List::Contracts, "care"),
            (List::Contracts, "CARE 1"),
        ];
        for (list, text) in searches {
            for limit in [1, 100] {
                let query = CatalogQuery { search: Some(text.to_owned()), limit, ..CatalogQuery::default() };
                let rows = read(psa.as_ref(), list, &query).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
                let found = once(&rows.iter().map(|(id, _)| *id).collect::<Vec<_>>());
                let whole = read(psa.as_ref(), list, &CatalogQuery { limit: 100, ..CatalogQuery::default() }).await;
                let holds = |name: &str| name.to_lowercase().contains(&text.to_lowercase());
                let named = whole.expect("the list").into_iter().filter(|(_, name)| holds(name));
                let named: BTreeSet<i64> = named.map(|(id, _)| id).collect();
                assert_eq!(found, named, "{list:?} that hold {text:?}, {limit} a page");
            }
        }
        searches.len() * 2
    })
    .await;
}

async fn a_cursor_that_no_list_gave_is_refused_as_such<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::varied(), |office| async move {
        let psa = office.connector("maps");
        let cursors = ["", "no cursor", "p0.0", "i1e3", "99999999999999999999999"];
        let mut tried = 0;
        for list in [List::Accounts, List::Services, List::Contracts, List::LinesOf(5_001)] {
            for cursor in cursors {
                for search in [None, Some("care".to_owned())] {
                    let query = CatalogQuery {
                        after: Some(cursor.to_owned()),
                        contract: contract_ids([5_001]).pop_first(),
                        limit: 100,
                        search,
                        ..CatalogQuery::default()
                    };
                    let refused = match list {
                        List::Accounts => psa.accounts(&query).await.err(),
                        List::Services => psa.services(&query).await.err(),
                        List::Contracts => psa.contracts(&query).await.err(),
                        List::LinesOf(_) => psa.lines(&query).await.err(),
                    };
                    let refused = refused.unwrap_or_else(|| panic!("{list:?} from {cursor:?}"));
                    assert_eq!(refused.code, "cursor_invalid", "{list:?} from {cursor:?}: {refused:?}");
                    tried += 1;
                }
            }
        }
        let unnamed = psa.lines(&CatalogQuery { limit: 100, ..CatalogQuery::default() }).await;
        assert_eq!(unnamed.expect_err("no contract").code, "contract_id_missing");
        tried + 1
    })
    .await;
}

async fn only_active_recurring_contracts_are_offered_and_the_accounts_own<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::varied(), |office| async move {
        let world = World::varied();
        let psa = office.connector("maps");
        for account in &world.accounts {
            let id = crate::office::account_ids([account.id]).pop_first();
            let (least, most) = expected(&world, List::Contracts);
            let own: BTreeSet<i64> = account.contracts.iter().map(|of| of.id).collect();
            for limit in [1, 100] {
                let query = CatalogQuery { account: id.clone(), limit, ..CatalogQuery::default() };
                let rows = read(psa.as_ref(), List::Contracts, &query).await.expect("contracts");
                let found = once(&rows.iter().map(|(id, _)| *id).collect::<Vec<_>>());
                let (least, most): (BTreeSet<i64>, BTreeSet<i64>) = (&least & &own, &most & &own);
                assert!(least.is_subset(&found) && found.is_subset(&most), "{}: {found:?}", account.name);
            }
        }
        world.accounts.len() * 2
    })
    .await;
}
