//! Which tenant a user belongs to, and users who are turned away.

use shared::psa::Kind;

use crate::bench::Bench;
use crate::office::user;
use crate::settings::{Reading, everywhere, everywhere_anew};
use crate::world::World;

contract!(
    reads: two_users_of_one_tenant_get_the_same_tenant, refused_credentials_are_an_error_of_kind_auth_and_are_tried_once);

async fn two_users_of_one_tenant_get_the_same_tenant<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::varied(), |office| async move {
        assert!(!office.endpoint.tenant.as_str().is_empty() && office.endpoint.base_url.starts_with("http"));
        let second = office.registry.discover(&user::<P>(P::second_user())).await.expect("the second user");
        assert_eq!(second, office.endpoint);
        assert!(office.registry.discover(&user::<P>(P::credentials())).await.expect("again") == office.endpoint);
        let second = office.connector_of(P::second_user(), "second");
        second.rights().await.expect("the second user may read");
        assert_eq!(office.psa.write_requests(), 0);
        1
    })
    .await;
}

async fn refused_credentials_are_an_error_of_kind_auth_and_are_tried_once<P: Bench>(of: Reading) {
    everywhere_anew::<P, _>(of, World::varied(), |office| async move {
        let refused = P::refused_users(&office.setting.switches);
        for (who, credentials) in &refused {
            office.psa.forget();
            let error = match office.registry.discover(&user::<P>(credentials.clone())).await {
                Err(error) => error,
                Ok(_) => match office.connector_of(credentials.clone(), "refused").rights().await {
                    Err(error) => error,
                    Ok(rights) => panic!("{who} gets in: {rights:?}"),
                },
            };
            assert_eq!(error.kind, Kind::Auth, "{who}: {error:?}");
            assert!(error.refuses_log_in(), "{who}: {error:?}");
            assert!(office.psa.log_ins() <= 1, "{who} was tried {} times", office.psa.log_ins());
        }
        refused.len()
    })
    .await;
}
