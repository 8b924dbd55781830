//! Whether a user can do what a sync does.

use crate::bench::Bench;
use crate::settings::{Reading, everywhere};
use crate::world::World;

contract!(
    reads: a_full_user_holds_every_right_and_a_missing_one_is_named_without_writing);

async fn a_full_user_holds_every_right_and_a_missing_one_is_named_without_writing<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::varied(), |office| async move {
        let rights = office.connector("full").rights().await.expect("rights");
        assert!(!rights.is_empty() && rights.iter().all(|right| right.missing.is_none()), "{rights:?}");
        let lacking = P::users_without();
        for (name, credentials) in &lacking {
            let rights = office.connector_of(credentials.clone(), "lacking").rights().await;
            let rights = rights.unwrap_or_else(|error| panic!("a user who may not {name}: {error:?}"));
            let missing: Vec<&str> =
                rights.iter().filter(|right| right.missing.is_some()).map(|right| right.name.as_str()).collect();
            assert!(missing.contains(name), "who may not {name} is said to lack {missing:?}");
        }
        assert_eq!(office.psa.write_requests(), 0);
        assert_eq!(office.psa.side_effects(), Vec::<String>::new());
        1 + lacking.len()
    })
    .await;
}
