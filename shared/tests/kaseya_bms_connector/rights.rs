//! What a user may do, found by doing it.

use shared::psa::Connector as _;
use shared::psa::Right as Found;
use simulators::kaseya_bms::{BmsUser, Fault, Limits, Right, Route, Switches, When, World};

use crate::{Stage, one_line};

fn missing(rights: &[Found]) -> Vec<&str> {
    rights.iter().filter(|right| right.missing.is_some()).map(|right| right.name.as_str()).collect()
}

#[tokio::test]
async fn each_right_is_tried_once_and_nothing_is_written() {
    let stage = Stage::of(one_line()).await;
    let rights = stage.open().rights().await.unwrap();
    assert!(missing(&rights).is_empty());
    assert_eq!(
        stage.asked(),
        [
            "POST /v2/security/authenticate",
            "GET /v2/security/userinfo",
            "GET /v2/crm/accounts/summary",
            "GET /v2/finance/contracts/summary",
            "POST /v2/admin/finance/services/search",
            "POST /v2/admin/finance/services/701/relatedservices/search",
        ]
    );
    let empty = Stage::of(World::builder()).await;
    assert_eq!(empty.open().rights().await.unwrap().len(), 5, "without a service there is none to ask about");
}

#[tokio::test]
async fn a_missing_right_is_named_whatever_its_status_and_the_others_are_still_tried() {
    for permission_status in [401, 403] {
        for (right, names) in [
            (Right::ViewCrm, vec!["read accounts"]),
            (Right::ViewFinance, vec!["read contracts"]),
            (Right::ViewAdmin, vec!["read services"]),
        ] {
            let switches = Switches { permission_status, ..Switches::default() };
            let users = vec![BmsUser::api_employee().without(right)];
            let stage = Stage::with_users(one_line(), switches, Limits::default(), users).await;
            let rights = stage.open().rights().await.unwrap();
            assert_eq!(missing(&rights), names, "{permission_status}");
            let error = rights.iter().find_map(|right| right.missing.as_ref()).unwrap();
            assert_eq!(error.code, "psa_permission_missing");
            assert!(!error.refuses_log_in());
            assert_eq!(stage.simulator.login_attempts().len(), 1);
        }
    }
}

#[tokio::test]
async fn what_says_nothing_about_rights_is_an_error_of_the_whole() {
    for (fault, code) in
        [(Fault::answer(503, ""), "psa_unavailable"), (Fault::too_many_requests(Some(9)), "psa_rate_limited")]
    {
        let stage = Stage::of(one_line()).await;
        stage.simulator.plan_fault(When::EveryRequest(Route::ContractsSummary), fault);
        assert_eq!(stage.open().rights().await.unwrap_err().code, code);
        assert_eq!(stage.simulator.count(Route::ServicesSearch), 0);
    }
}
