//! The ledger's rows: amounts that never change whatever becomes of an intent, and a contradiction that is not passed over.

use integration::msp::{Customer, Msp, Setup};
use shared::domain::intent::{IntentState, Meaning};
use shared::ledger::{IntendError, Intent, Lease, Outcome};
use shared::queue::CompanyJob;
use shared::store::{Condition, schema};
use shared::sync::{Done, SyncError};

async fn msp() -> Msp {
    Setup::of([Customer::named("acme").line("edr", 40)]).start().await
}

/// A run whose one job waits.
async fn planned(msp: &Msp) -> (String, CompanyJob) {
    msp.push(&[("acme", "edr", 42)]).await;
    let run = msp.ask("apply").await;
    msp.plan().await;
    (run, msp.jobs().pop_front().unwrap())
}

async fn only(msp: &Msp) -> Intent {
    let mut intents = msp.intents("acme", "edr").await;
    assert_eq!(intents.len(), 1);
    intents.remove(0)
}

/// Stores `intent` as another program would: past the ledger.
async fn plant(msp: &Msp, intent: &Intent) {
    let (of, meaning) = (msp.tenancy(), &intent.meaning);
    let key = schema::intent(&of.partner, of.psa, &of.tenant, &meaning.line, meaning.revision, &intent.key);
    assert!(msp.parts.table.put(&key, intent, &Condition::absent()).await.unwrap());
}

/// What the engine makes of the change, with another service on the contract in its request.
async fn with_another_payload() -> Intent {
    let msp = msp().await;
    let (_, job) = planned(&msp).await;
    msp.work(&job).await.unwrap();
    let made = only(&msp).await;
    let meaning = Meaning { contract_service: "999999".parse().unwrap(), ..made.meaning.clone() };
    assert_eq!(meaning.key(), made.key);
    let payload = meaning.payload();
    assert_ne!(payload, made.payload);
    Intent { meaning, payload, state: IntentState::Intended, sent_at: None, settled_at: None, ..made }
}

#[tokio::test]
async fn a_key_with_another_payload_is_an_error_that_says_so_and_nothing_is_sent() {
    let planted = with_another_payload().await;
    let msp = msp().await;
    let (run, job) = planned(&msp).await;
    plant(&msp, &planted).await;
    for _ in 0..2 {
        let error = msp.work(&job).await.unwrap_err();
        assert!(matches!(error, SyncError::Ledger(IntendError::Contradiction { .. })), "{error:?}");
        let line = msp.line_id("acme", "edr");
        assert_eq!(
            error.to_string(),
            format!("the ledger holds another request for line {line} under the key {}", planted.key)
        );
    }
    // It fails at every delivery; then the job is given up, its run ends, and the line says why.
    msp.parts.worker.give_up(&job).await.unwrap();
    let ended = msp.see(&run).await;
    assert_eq!((ended.status(), ended.result("acme", "edr").as_str()), ("partial", "failed given_up"));
    assert_eq!(
        ended.line("acme", "edr")["explanation"],
        "The account's job failed at every try. The ledger holds a change of this line from 40 to 42 from 2026-11-01, \
         which the line's own row does not know."
    );
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (0, 40));
    assert_eq!(only(&msp).await, planted, "the row that was there");
}

#[tokio::test]
async fn a_key_with_the_same_payload_is_no_contradiction() {
    let msp = msp().await;
    let (_, job) = planned(&msp).await;
    let lease = lease(&msp).await;
    intend(&msp, &job, &lease).await.unwrap();
    assert!(again(&msp, &job, &lease).await.unwrap().is_none(), "the line has an open intent");
}

async fn lease(msp: &Msp) -> Lease {
    let account = msp.account("acme").to_string().parse().unwrap();
    let ledger = &msp.parts.worker_parts.ledger;
    ledger.lease(&msp.tenancy(), &account, msp.clock.time()).await.unwrap().expect("the lease is free")
}

async fn again(msp: &Msp, job: &CompanyJob, lease: &Lease) -> Result<Option<Vec<Intent>>, IntendError> {
    let history = msp.history("acme", "edr").await;
    let meaning = Meaning { revision: history.revision, ..with_another_payload().await.meaning };
    let by = (&job.connection, &job.run);
    let now = msp.clock.time();
    msp.parts.worker_parts.ledger.intend(&msp.tenancy(), lease, by, &[(meaning, history)], now).await
}

async fn intend(msp: &Msp, job: &CompanyJob, lease: &Lease) -> Option<Intent> {
    again(msp, job, lease).await.unwrap().map(|mut intents| intents.remove(0))
}

/// The parts of a row that say what is to be written.
fn amounts(intent: &Intent) -> (String, Meaning, String, String) {
    (intent.key.to_string(), intent.meaning.clone(), intent.payload.clone(), intent.run.to_string())
}

#[tokio::test]
async fn the_amounts_of_a_row_are_never_changed_whatever_becomes_of_it() {
    let ends = [
        vec![Outcome::Applied],
        vec![Outcome::Rejected("refused".into())],
        vec![Outcome::DayTaken("taken".into())],
        vec![Outcome::Unknown("lost".into()), Outcome::Unknown("still".into()), Outcome::Applied],
        vec![Outcome::Unknown("lost".into()), Outcome::Rejected("not_applied".into())],
        vec![Outcome::NeverSent("stopped".into())],
    ];
    for outcomes in ends {
        let msp = msp().await;
        let (_, job) = planned(&msp).await;
        let (ledger, of, now) = (&msp.parts.worker_parts.ledger, msp.tenancy(), msp.clock.time());
        let lease = lease(&msp).await;
        let intent = intend(&msp, &job, &lease).await.unwrap();
        let intended = amounts(&intent);
        assert_eq!(amounts(&only(&msp).await), intended);
        if !matches!(outcomes[0], Outcome::NeverSent(_)) {
            assert!(ledger.sent(&of, &lease, &intent, now).await.unwrap());
            assert_eq!(amounts(&only(&msp).await), intended);
        }
        // Whoever settles names the intent by its key: other amounts in its hands change nothing.
        let target = 4_000.try_into().unwrap();
        let forged = Intent { meaning: Meaning { target, ..intent.meaning.clone() }, ..intent.clone() };
        for outcome in outcomes {
            let history = msp.history("acme", "edr").await;
            assert!(ledger.settle(&of, &lease, &[((&forged, outcome.clone()), &history)], now).await.unwrap());
            assert_eq!(amounts(&only(&msp).await), intended, "{outcome:?}");
        }
        assert!(only(&msp).await.state.is_settled());
        assert!(!ledger.sent(&of, &lease, &forged, now).await.unwrap());
        assert_eq!(amounts(&only(&msp).await), intended);
    }
}

#[tokio::test]
async fn a_whole_run_leaves_the_amounts_as_they_were_intended() {
    let msp = msp().await;
    let (_, job) = planned(&msp).await;
    assert_eq!(msp.work(&job).await.unwrap(), Done::Now);
    let intent = only(&msp).await;
    assert_eq!(
        (intent.state, intent.key.clone(), intent.payload.clone()),
        (IntentState::Applied, intent.meaning.key(), intent.meaning.payload(),)
    );
}
