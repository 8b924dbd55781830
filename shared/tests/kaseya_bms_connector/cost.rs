//! Unit costs: one bulk update, its job awaited, the lines read again.

use std::time::Duration;

use shared::domain::ids::{ContractId, ContractServiceId};
use shared::domain::money::Money;
use shared::psa::kaseya_bms::{CostChange, JobEnd};
use shared::psa::{Connector as _, WriteError};
use simulators::kaseya_bms::{
    AccountSpec, BmsUser, ContractSpec, Fault, Limits, LineSpec, Right, Route, Switches, When, WorldBuilder,
    failure_in_200, security_error,
};

use crate::{Stage, all, ids, one_line};

/// Lines of one service on two contracts, one of them excluded from bulk updates, and one that is not asked for.
fn three_lines() -> WorldBuilder {
    one_line()
        .account(AccountSpec::named("Other").id(2_002))
        .contract(ContractSpec::recurring("Managed care").id(30))
        .line(LineSpec::of(701).id(60_002).excluded_from_bulk_updates())
        .line(LineSpec::of(701).id(60_003))
}

pub fn change(lines: &[(i64, i64)]) -> CostChange {
    let pair = |(contract, line): &(i64, i64)| {
        let contract: ContractId = contract.to_string().parse().unwrap();
        let line: ContractServiceId = line.to_string().parse().unwrap();
        (contract, line)
    };
    CostChange {
        service: "701".parse().unwrap(),
        lines: lines.iter().map(pair).collect(),
        unit_cost: Some(Money::try_from("1.35".to_owned()).unwrap()),
        unit_price: None,
    }
}

#[tokio::test]
async fn a_cost_is_set_once_the_job_is_awaited_and_what_the_lines_show_counts() {
    for job_polls in [0, 1, 5] {
        let limits = Limits { job_polls, ..Limits::default() };
        let stage = Stage::with(three_lines(), Switches::default(), limits).await;
        let outcome = stage.open().set_unit_cost(&change(&[(29, 60_001), (30, 60_002)])).await.unwrap();
        assert_eq!((outcome.set, outcome.unset), (ids([60_001]), ids([60_002])));
        assert_eq!(outcome.excluded, ids([60_002]), "a line that is passed over is told apart");
        assert_eq!(outcome.job, if job_polls == 0 { JobEnd::None } else { JobEnd::Succeeded });
        assert_eq!(stage.simulator.count(Route::BulkUpdate), 1);

        let writes = stage.simulator.writes();
        assert_eq!(writes.len(), 1);
        assert_eq!((writes[0].line_id, writes[0].unit_cost.to_string().as_str()), (60_001, "1.35"));
        assert_eq!((writes[0].units, writes[0].unit_price.to_string().as_str()), (40, "10.00"));
        assert_eq!(writes[0].body["Values"], serde_json::json!({ "UnitCost": 1.35 }));
    }
}

#[tokio::test]
async fn a_job_that_fails_or_does_not_end_leaves_the_lines_unset_and_is_not_watched_for_ever() {
    for (jobs_fail, job_polls, job) in [(true, 1, JobEnd::Failed), (false, 1_000, JobEnd::Unknown)] {
        let limits = Limits { job_polls, ..Limits::default() };
        let stage = Stage::with(one_line(), Switches { jobs_fail, ..Switches::default() }, limits).await;
        let outcome = stage.open().set_unit_cost(&change(&[(29, 60_001)])).await.unwrap();
        assert_eq!((outcome.unset, outcome.job), (ids([60_001]), job));
        assert!(stage.simulator.count(Route::JobStatus) <= 20);
        let waited: Duration = stage.pauses.lengths.lock().unwrap().iter().sum();
        assert!(waited <= Duration::from_secs(90), "{waited:?}");
    }
}

#[tokio::test]
async fn an_update_whose_answer_was_lost_is_judged_by_its_lines_and_not_sent_again() {
    for (fault, set) in [
        (Fault::ResetAfter, true),
        (Fault::error_after(), true),
        (Fault::unparsable_after(), true),
        (Fault::ResetBefore, false),
        (Fault::answer(502, ""), false),
    ] {
        let stage = Stage::of(one_line()).await;
        stage.simulator.plan_fault(When::EveryRequest(Route::BulkUpdate), fault.clone());
        let outcome = stage.open().set_unit_cost(&change(&[(29, 60_001)])).await.unwrap();
        assert_eq!(outcome.set.len(), usize::from(set), "{fault:?}");
        assert_eq!(stage.simulator.count(Route::BulkUpdate), 1);
    }
}

#[tokio::test]
async fn a_refused_update_is_rejected_and_not_sent_again() {
    for fault in [failure_in_200(), security_error(), Fault::answer(400, ""), Fault::answer(429, "")] {
        let stage = Stage::of(one_line()).await;
        stage.simulator.plan_fault(When::EveryRequest(Route::BulkUpdate), fault.clone());
        let connector = stage.open();
        let error = connector.set_unit_cost(&change(&[(29, 60_001)])).await.unwrap_err();
        assert!(matches!(error, WriteError::Rejected(_)), "{fault:?} {error:?}");
        assert!(!error.error().refuses_log_in());
        assert_eq!(stage.simulator.count(Route::BulkUpdate), 1);
        stage.simulator.clear_faults();
        connector.set_unit_cost(&change(&[(29, 60_001)])).await.unwrap();
    }
}

#[tokio::test]
async fn a_write_that_meets_an_ended_token_is_not_repeated_and_the_next_call_has_a_new_one() {
    let stage = Stage::of(one_line()).await;
    let connector = stage.open();
    connector.accounts(&all()).await.unwrap();
    stage.simulator.expire_tokens();
    let error = connector.set_unit_cost(&change(&[(29, 60_001)])).await.unwrap_err();
    assert_eq!(error.error().code, "psa_token_ended");
    assert_eq!((stage.simulator.count(Route::BulkUpdate), stage.simulator.count(Route::RefreshToken)), (1, 0));
    assert_eq!(connector.set_unit_cost(&change(&[(29, 60_001)])).await.unwrap().set, ids([60_001]));
    assert!(stage.simulator.requests().iter().filter(|asked| asked.status == Some(401)).count() == 1);
}

#[tokio::test]
async fn what_did_not_leave_is_not_sent() {
    let stage = Stage::of(one_line()).await;
    let connector = stage.open();
    connector.accounts(&all()).await.unwrap();
    let mut foreign = change(&[(29, 60_001)]);
    foreign.service = "../701".parse().unwrap();
    let error = connector.set_unit_cost(&foreign).await.unwrap_err();
    assert!(matches!(error, WriteError::NotSent(_)), "{error:?}");
    stage.simulator.refuse_connections(true).await;
    let error = connector.set_unit_cost(&change(&[(29, 60_001)])).await.unwrap_err();
    assert!(matches!(error, WriteError::NotSent(_)), "{error:?}");
    assert_eq!(stage.simulator.count(Route::BulkUpdate), 0);
}

#[tokio::test]
async fn a_user_who_may_not_write_changes_nothing() {
    let users = vec![BmsUser::api_employee().without(Right::ModifyFinance)];
    let stage = Stage::with_users(one_line(), Switches::default(), Limits::default(), users).await;
    let error = stage.open().set_unit_cost(&change(&[(29, 60_001)])).await.unwrap_err();
    assert_eq!(error.error().code, "psa_permission_missing");
    assert!(stage.simulator.writes().is_empty());
}
