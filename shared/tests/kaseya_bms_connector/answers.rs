//! How answers are spelt, how they fail, and what a hostile host may send.

use shared::psa::{Connector as _, Kind, PsaError};
use simulators::kaseya_bms::{
    Casing, ContractSpec, Fault, Limits, LineSpec, OversizedPage, Route, StatusSpelling, Switches, TextFilter,
    TypeSpelling, When, failure_in_200,
};

use crate::{Stage, all, ids, one_line};

/// What every reading call of a sync shows of the one line.
async fn seen(stage: &Stage) -> Vec<String> {
    let connector = stage.open();
    let accounts = connector.accounts(&all()).await.unwrap().items;
    let services = connector.services(&all()).await.unwrap().items;
    let contracts = connector.contracts(&all()).await.unwrap().items;
    let by_id = connector.contracts_by_id(&ids([29])).await.unwrap();
    let of_account = connector.contracts_of(&ids([2_001]), crate::TODAY).await.unwrap();
    let lines = connector.lines_of_service(&"701".parse().unwrap()).await.unwrap();
    assert!(contracts == by_id && by_id == of_account);
    vec![format!("{accounts:?}"), format!("{services:?}"), format!("{contracts:?}"), format!("{lines:?}")]
}

#[tokio::test]
async fn every_spelling_reads_the_same() {
    let expected = seen(&Stage::of(one_line()).await).await;
    assert!(expected[2].contains("Monthly") && expected[2].contains("active: true"), "{expected:?}");
    for casing in [Casing::Camel, Casing::Pascal] {
        for contract_type in [TypeSpelling::Words, TypeSpelling::Singular, TypeSpelling::OneWord] {
            for contract_status in [StatusSpelling::Active, StatusSpelling::Activated, StatusSpelling::Capitals] {
                for text_filter in [TextFilter::Contains, TextFilter::Exact] {
                    for bare_account_summary in [false, true] {
                        let switches = Switches {
                            casing,
                            contract_type,
                            contract_status,
                            text_filter,
                            bare_account_summary,
                            ..Switches::default()
                        };
                        let stage = Stage::with(one_line(), switches.clone(), Limits::default()).await;
                        assert_eq!(seen(&stage).await, expected, "{switches:?}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_page_that_is_cut_short_is_not_taken_for_the_last() {
    let world = || {
        (0..40).fold(one_line(), |world, number| {
            let account = simulators::kaseya_bms::AccountSpec::named(format!("Company {number}")).id(3_000 + number);
            let contract = ContractSpec::recurring("Managed care").id(6_000 + number);
            world.account(account).contract(contract).line(LineSpec::of(701))
        })
    };
    for max_page_size in [1, 7, 40, 41, 100] {
        let limits = Limits { max_page_size, ..Limits::default() };
        let switches = Switches { oversized_page: OversizedPage::Clamp, ..Switches::default() };
        let stage = Stage::with(world(), switches, limits).await;
        let connector = stage.open();
        let accounts = (3_000..3_040).chain([2_001]);
        assert_eq!(connector.contracts_of(&ids(accounts), crate::TODAY).await.unwrap().len(), 41, "{max_page_size}");
        assert_eq!(connector.lines_of_service(&"701".parse().unwrap()).await.unwrap().len(), 41);
        let (mut query, mut found) = (all(), 0);
        loop {
            let page = connector.accounts(&query).await.unwrap();
            found += page.items.len();
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        assert_eq!(found, 41, "{max_page_size}");
    }
}

#[tokio::test]
async fn a_refusal_within_a_200_is_a_failure() {
    let stage = Stage::of(one_line()).await;
    stage.simulator.plan_fault(When::EveryRequest(Route::ServicesSearch), failure_in_200());
    let error = stage.open().services(&all()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str(), error.said), (Kind::Validation, "psa_request_refused", None));

    for fails_in_200 in [false, true] {
        let stage = Stage::with(one_line(), Switches { fails_in_200, ..Switches::default() }, Limits::default()).await;
        let lines = stage.open().lines_of_service(&"999".parse().unwrap()).await;
        assert!(lines.is_err(), "a service that is not there has no empty list of lines");
    }
}

#[tokio::test]
async fn each_failure_has_its_kind() {
    for (fault, kind, code) in [
        (Fault::answer(500, "<html>"), Kind::Unavailable, "psa_unavailable"),
        (Fault::answer(408, ""), Kind::Unavailable, "psa_timed_out"),
        (Fault::answer(404, "<html>"), Kind::Protocol, "psa_address_unknown"),
        (Fault::redirect(307, "http://127.0.0.1:1/"), Kind::Protocol, "psa_redirected"),
        (Fault::answer(400, r#"{"success":false}"#), Kind::Validation, "psa_request_refused"),
        (Fault::ResetAfter, Kind::Unavailable, "connection_lost"),
        (Fault::oversized(1_100_000), Kind::Protocol, "answer_too_large"),
    ] {
        let stage = Stage::of(one_line()).await;
        stage.simulator.plan_fault(When::EveryRequest(Route::AccountsSummary), fault.clone());
        let error = stage.open().accounts(&all()).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (kind, code), "{fault:?}");
        assert_eq!(stage.simulator.count(Route::AccountsSummary), 1, "no read is repeated: {fault:?}");
    }
}

#[tokio::test]
async fn a_hostile_answer_is_an_error_and_its_words_are_shown_to_nobody() {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for body in [
        "",
        "null",
        "[]",
        "\"canary\"",
        r#"{"success":"canary"}"#,
        r#"{"success":true,"result":"canary"}"#,
        r#"{"success":true,"result":{"id":1}}"#,
        r#"{"success":true,"result":["canary"]}"#,
        r#"{"success":true,"result":[{"accountName":"canary"}],"totalRecords":1}"#,
        r#"{"success":true,"result":[{"id":"canary"}]}"#,
        r#"{"success":true,"result":[{"id":1.5,"accountName":"canary"}]}"#,
        r#"{"success":false,"error":{"message":"canary","details":"canary","subErrors":["canary"]}}"#,
        "{\"success\":true,\"result\":[{\"id\":1,\"accountName\":\"canary\"",
        deep.as_str(),
    ] {
        let stage = Stage::of(one_line()).await;
        stage.simulator.plan_fault(When::EveryRequest(Route::AccountsSummary), Fault::answer(200, body));
        let error: PsaError = stage.open().accounts(&all()).await.unwrap_err();
        assert!(matches!(error.kind, Kind::Protocol | Kind::Validation), "{body} {error:?}");
        assert!(!format!("{error:?} {error}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn a_list_that_never_ends_is_not_read_for_ever() {
    let stage = Stage::of(one_line()).await;
    let rows: Vec<_> = (1..=100).map(|id| format!(r#"{{"id":{id},"isActive":true}}"#)).collect();
    for total in ["", r#","totalRecords":100000000"#, r#","totalRecords":-1"#, r#","totalRecords":3"#] {
        let body = format!(r#"{{"success":true,"result":[{}]{total}}}"#, rows.join(","));
        stage.simulator.clear_faults();
        stage.simulator.plan_fault(When::EveryRequest(Route::ContractsSummary), Fault::answer(200, body));
        stage.simulator.reset_counts();
        let many = ids(1..=20);
        assert_eq!(stage.open().contracts_of(&many, crate::TODAY).await.unwrap_err().code, "psa_answer_unreadable");
        assert_eq!(stage.simulator.count(Route::ContractsSummary), 2, "{total}");
    }
}
