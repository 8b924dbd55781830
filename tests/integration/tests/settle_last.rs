//! The last that is done under a lease gives it back: with the outcomes, in one transaction, and never somebody else's.

use integration::msp::{Customer, Msp, Setup};
use jiff::SignedDuration;
use shared::domain::ids::AccountId;
use shared::domain::intent::{IntentState, Meaning};
use shared::domain::line::{LineHistory, LineKey};
use shared::ledger::{Intent, Lease, Outcome, SettledLast};
use shared::store::lines::Lines;

async fn msp() -> Msp {
    Setup::of([Customer::named("acme").line("edr", 40)]).start().await
}

fn account() -> AccountId {
    "1001".parse().unwrap()
}

async fn leased(msp: &Msp) -> Option<Lease> {
    msp.parts.worker_parts.ledger.lease(&msp.tenancy(), &account(), msp.clock.time()).await.unwrap()
}

/// `count` lines of the account with a change each that was sent.
async fn sent(msp: &Msp, lease: &Lease, count: usize) -> Vec<Intent> {
    let of = msp.tenancy();
    let planned: Vec<_> = (0..count)
        .map(|number| {
            let line = LineKey { contract: "29680001".parse().unwrap(), service: format!("{number}").parse().unwrap() };
            let meaning = Meaning {
                partner: of.partner.clone(),
                tenant: of.tenant.clone(),
                line,
                contract_service: "7".parse().unwrap(),
                effective: msp.today(),
                before: 40.try_into().unwrap(),
                target: 42.try_into().unwrap(),
                revision: 0,
                feeds: 1,
                feeds_before: None,
                reverses: None,
                prices: None,
                company: None,
                product: None,
            };
            (meaning, LineHistory::default())
        })
        .collect();
    let (connection, run) = (msp.connection.parse().unwrap(), "run_1".parse().unwrap());
    let (ledger, now) = (&msp.parts.worker_parts.ledger, msp.clock.time());
    let intents = ledger.intend(&of, lease, (&connection, &run), &planned, now).await.unwrap().unwrap();
    for intent in &intents {
        assert!(ledger.sent(&of, lease, intent, now).await.unwrap());
    }
    intents
}

async fn settle_last(msp: &Msp, lease: &Lease, intents: &[Intent]) -> SettledLast {
    let history = LineHistory::default();
    let settled: Vec<_> = intents.iter().map(|intent| ((intent, Outcome::Applied), &history)).collect();
    let ledger = &msp.parts.worker_parts.ledger;
    ledger.settle_last(&msp.tenancy(), lease, &settled, msp.clock.time()).await.unwrap()
}

/// How many of the lines have moved on with their change.
async fn moved_on(msp: &Msp, intents: &[Intent]) -> usize {
    let keys: Vec<_> = intents.iter().map(|intent| intent.meaning.line.clone()).collect();
    let mut found = 0;
    for some in keys.chunks(100) {
        let histories = Lines::new(msp.parts.table.clone()).named(&msp.tenancy(), some).await.unwrap();
        found += histories.values().filter(|history| history.revision == 1 && history.open.is_none()).count();
    }
    found
}

#[tokio::test]
async fn the_outcomes_and_the_end_of_the_lease_are_one_write_up_to_49_lines() {
    for (lines, requests) in [(1, 1), (49, 1), (50, 2), (98, 2), (99, 3)] {
        let msp = msp().await;
        let lease = leased(&msp).await.unwrap();
        let intents = sent(&msp, &lease, lines).await;
        assert!(leased(&msp).await.is_none(), "it is held");
        let _ = msp.parts.requests.take();
        assert_eq!(settle_last(&msp, &lease, &intents).await, SettledLast::AndReleased, "{lines} lines");
        let asked = msp.parts.requests.take();
        assert_eq!(asked.len(), requests, "{lines} lines: {asked:?}");
        assert_eq!(asked.last().unwrap(), "TransactWriteItems INTENT+LEASE+LINE");
        assert_eq!(moved_on(&msp, &intents).await, lines);
        let next = leased(&msp).await.expect("it is free");
        assert!(next.fence > lease.fence);
    }
}

#[tokio::test]
async fn an_outcome_is_stored_though_the_lease_was_taken_over_and_the_newer_lease_stays() {
    let msp = msp().await;
    let late = leased(&msp).await.unwrap();
    let intents = sent(&msp, &late, 2).await;
    msp.clock.advance(SignedDuration::from_mins(17));
    let newer = leased(&msp).await.expect("its term is over");
    assert_eq!(settle_last(&msp, &late, &intents).await, SettledLast::Alone);
    assert_eq!(moved_on(&msp, &intents).await, 2);
    assert!(leased(&msp).await.is_none(), "the newer worker still has it");
    msp.parts.worker_parts.ledger.release(&newer).await.unwrap();
    assert!(leased(&msp).await.is_some());
}

#[tokio::test]
async fn nothing_is_stored_and_no_lease_ends_where_the_newer_worker_has_settled() {
    let msp = msp().await;
    let late = leased(&msp).await.unwrap();
    let intents = sent(&msp, &late, 1).await;
    msp.clock.advance(SignedDuration::from_mins(17));
    let newer = leased(&msp).await.expect("its term is over");
    let history = LineHistory::default();
    let rejected = Outcome::Rejected("not_applied".into());
    let ledger = &msp.parts.worker_parts.ledger;
    let now = msp.clock.time();
    assert!(ledger.settle(&msp.tenancy(), &newer, &[((&intents[0], rejected), &history)], now).await.unwrap());
    assert_eq!(settle_last(&msp, &late, &intents).await, SettledLast::Not);
    assert!(leased(&msp).await.is_none(), "the newer worker still has it");
    let key = intents[0].meaning.line.clone();
    let newest = ledger.newest(&msp.tenancy(), &key).await.unwrap().unwrap();
    assert_eq!(newest.state, IntentState::Rejected);
}
