//! Contracts by their ids and by their accounts: each in its state, the missing missing, many in few requests.

use std::collections::BTreeMap;

use jiff::civil::date;
use shared::domain::contract::Contract;

use crate::bench::Bench;
use crate::office::{account_ids, contract_ids, number};
use crate::settings::{Reading, everywhere};
use crate::world::{TODAY, World};

contract!(
    reads:
    contracts_are_found_by_id_whatever_their_state_and_missing_ones_are_missing,
    contracts_of_accounts_are_the_recurring_ones_that_end_late_enough,
    asking_for_many_contracts_takes_a_request_for_each_hundred_rows_at_most,
);

/// For each 100 contracts and each 100 accounts of the tenant one request, and so many more for what is around it.
const AROUND: usize = 6;

/// By id: account, name, whether it is recurring and active, and its days.
type Facts = BTreeMap<i64, (i64, String, bool, bool, String)>;

fn facts(found: &[Contract]) -> Facts {
    let facts = |of: &Contract| {
        let days = format!("{}..{}", of.start, of.end);
        (number(&of.id), (number(&of.account), of.name.clone(), of.recurring.is_some(), of.active, days))
    };
    let by_id: Facts = found.iter().map(facts).collect();
    assert_eq!(by_id.len(), found.len(), "no contract twice");
    by_id
}

fn held(world: &World, wanted: impl Fn(&crate::world::Account, &crate::world::Contract) -> bool) -> Facts {
    let all = world.contracts().filter(|(account, of)| wanted(account, of));
    all.map(|(account, of)| {
        (of.id, (account.id, of.name.clone(), of.recurring, of.active, format!("{}..{}", of.start, of.end)))
    })
    .collect()
}

async fn contracts_are_found_by_id_whatever_their_state_and_missing_ones_are_missing<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::varied(), |office| async move {
        let world = World::varied();
        let psa = office.connector("looks");
        let all: Vec<i64> = world.contracts().map(|(_, of)| of.id).collect();
        let mut sets: Vec<Vec<i64>> = all.iter().map(|id| vec![*id]).collect();
        sets.extend([vec![], vec![999_999], vec![5_001, 999_999, 5_004], all.clone(), [all, vec![999_999]].concat()]);
        for ids in &sets {
            let mut wanted = contract_ids(ids.iter().copied());
            wanted.insert("no-number".parse().expect("an id"));
            let found = psa.contracts_by_id(&wanted).await.unwrap_or_else(|error| panic!("{ids:?}: {error:?}"));
            assert_eq!(facts(&found), held(&world, |_, of| ids.contains(&of.id)), "{ids:?}");
        }
        sets.len()
    })
    .await;
}

async fn contracts_of_accounts_are_the_recurring_ones_that_end_late_enough<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::varied(), |office| async move {
        let world = World::varied();
        let psa = office.connector("looks");
        let all: Vec<i64> = world.accounts.iter().map(|of| of.id).collect();
        let mut sets: Vec<Vec<i64>> = all.iter().map(|id| vec![*id]).collect();
        sets.extend([vec![], vec![999_999], vec![2_004, 2_005, 999_999], all]);
        let days = [TODAY, date(2026, 1, 1), date(2027, 12, 31)];
        for ids in &sets {
            for from in days {
                let found = psa.contracts_of(&account_ids(ids.iter().copied()), from).await;
                let found = found.unwrap_or_else(|error| panic!("{ids:?}: {error:?}"));
                let wanted = held(&world, |account, of| ids.contains(&account.id) && of.recurring && from <= of.end);
                assert_eq!(facts(&found), wanted, "of {ids:?} from {from}");
            }
        }
        sets.len() * days.len()
    })
    .await;
}

async fn asking_for_many_contracts_takes_a_request_for_each_hundred_rows_at_most<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::large(1_200), |office| async move {
        // Which switch is turned shows above; here every third is enough.
        if !office.setting.plain && office.setting.number % 3 != 0 {
            return 0;
        }
        let world = World::large(1_200);
        let psa = office.connector("looks");
        let bound = world.contracts().count().div_ceil(100) + world.accounts.len().div_ceil(100) + AROUND;
        office.psa.forget();
        let all = contract_ids(world.contracts().map(|(_, of)| of.id));
        let found = psa.contracts_by_id(&all).await.expect("contracts");
        assert_eq!(facts(&found), held(&world, |_, _| true));
        assert!(office.psa.requests() <= bound, "{} requests for 1,200 contracts", office.psa.requests());
        if !office.setting.plain {
            return 1;
        }
        office.psa.forget();
        let accounts = account_ids(world.accounts.iter().map(|of| of.id));
        let found = psa.contracts_of(&accounts, TODAY).await.expect("contracts");
        assert_eq!(facts(&found), held(&world, |_, _| true));
        assert!(office.psa.requests() <= bound, "{} requests for the contracts of 120 accounts", office.psa.requests());
        2
    })
    .await;
}
