//! What can go wrong at the one write of a charge: a charge is made, changed and taken away once, whatever becomes of the answer.

use std::time::Duration;

use integration::msp::charges::itemised;
use integration::msp::{Customer, Effect, Fixture as _, Mishap, Msp, Run, Setup};
use jiff::SignedDuration;
use jiff::civil::date;
use reqwest::Method;
use serde_json::json;
use shared::sync::Settings;
use simulators::autotask::{Entity, Fault, Kind, RowWrite, When};

const STORAGE: (&str, &str, &str, &str) = ("acme", "storage", "2026-11-01", "2026-11-30");

/// What is written in a test: each begins where what stands differs from what should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Create,
    Change,
    Delete,
    Correct,
}

impl Act {
    const ALL: [Self; 4] = [Self::Create, Self::Change, Self::Delete, Self::Correct];

    /// The amount that is pushed, and what stands once it is written.
    fn wanted(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Create => ("10", &["Cloud storage: 10/12"]),
            Self::Change => ("20", &["Cloud storage: 20/24"]),
            Self::Delete => ("0", &[]),
            Self::Correct => ("20", &["Cloud storage: 10/12 billed", "Cloud storage: 10/12"]),
        }
    }

    /// What stands before it.
    fn before(self) -> &'static [&'static str] {
        match self {
            Self::Create => &[],
            Self::Change | Self::Delete => &["Cloud storage: 10/12"],
            Self::Correct => &["Cloud storage: 10/12 billed"],
        }
    }

    /// The kind of request that it takes.
    fn kind(self) -> Kind {
        match self {
            Self::Create | Self::Correct => Kind::Create,
            Self::Change => Kind::Update,
            Self::Delete => Kind::Delete,
        }
    }
}

fn settle() -> SignedDuration {
    Settings::default().settle
}

async fn meter(msp: &Msp, amount: &str) {
    let (company, meter, from, to) = STORAGE;
    msp.meter(&[(company, meter, from, to, amount)]).await;
}

/// An MSP in which `act` is the next write.
async fn before(act: Act) -> Msp {
    let setup = Setup::of([Customer::named("acme").line("edr", 40)]).patience(Duration::from_millis(300));
    let msp = setup.start().await;
    msp.map_charges(json!({"mode": "itemised", "markup_percent": "20"})).await;
    if act != Act::Create {
        meter(&msp, "10").await;
        msp.run("apply").await;
    }
    if act == Act::Correct {
        msp.psa.bill_charges(msp.contract("acme"), date(2027, 12, 31));
        msp.run("apply").await;
    }
    assert_eq!(msp.stands(), act.before());
    msp.psa.reset_counts();
    msp
}

async fn struck(msp: &Msp, act: Act, mishap: Mishap) -> Run {
    msp.psa.strike(1, mishap);
    meter(msp, act.wanted().0).await;
    msp.run("apply").await
}

/// Status and code of the one charge of a run.
async fn result(msp: &Msp, run: &Run) -> String {
    let rows = msp.charges_of(run).await;
    let [row] = &rows[..] else { panic!("{rows:#?}") };
    format!("{} {}", row["status"].as_str().unwrap_or_default(), row["code"].as_str().unwrap_or_default())
        .trim()
        .to_owned()
}

/// Rows of charges that were made, changed or removed over the API.
fn made(msp: &Msp, act: Act) -> usize {
    let of_it = |row: &&RowWrite| row.kind == act.kind();
    msp.psa.row_writes().iter().filter(of_it).count()
}

#[tokio::test]
async fn a_write_that_was_made_though_its_answer_was_lost_is_read_back_and_not_made_again() {
    for act in Act::ALL {
        for mishap in [
            Mishap::Reset(Effect::Made),
            Mishap::Hang(Effect::Made),
            Mishap::Failed(Effect::Made),
            Mishap::Gateway(502, Effect::Made),
            Mishap::Page(Effect::Made),
            Mishap::Empty(Effect::Made),
            Mishap::Half(Effect::Made),
        ] {
            let msp = before(act).await;
            let run = struck(&msp, act, mishap).await;
            assert_eq!(
                (result(&msp, &run).await.as_str(), run.status()),
                ("updated", "succeeded"),
                "{act:?} {mishap:?}"
            );
            assert_eq!((msp.charge_requests(), run.writes()), (1, 1), "{act:?} {mishap:?}");
            msp.clock.advance(settle());
            assert_eq!(result(&msp, &msp.run("apply").await).await, "unchanged", "{act:?} {mishap:?}");
            assert_eq!((msp.charge_requests(), made(&msp, act)), (1, 1), "{act:?} {mishap:?}");
            assert_eq!(msp.stands(), act.wanted().1, "{act:?} {mishap:?}");
        }
    }
}

#[tokio::test]
async fn a_write_that_was_not_made_and_has_no_clear_answer_waits_and_is_then_made_once() {
    for act in Act::ALL {
        for mishap in [
            Mishap::Reset(Effect::NotMade),
            Mishap::Hang(Effect::NotMade),
            Mishap::Failed(Effect::NotMade),
            Mishap::Gateway(503, Effect::NotMade),
            Mishap::Page(Effect::NotMade),
            Mishap::Empty(Effect::NotMade),
            Mishap::Half(Effect::NotMade),
        ] {
            let msp = before(act).await;
            let run = struck(&msp, act, mishap).await;
            assert_eq!(
                (result(&msp, &run).await.as_str(), run.status()),
                ("unknown write_unsettled", "partial"),
                "{act:?} {mishap:?}"
            );
            // It may still be on its way: nothing is sent, however often somebody asks, and whatever is wanted by then.
            meter(&msp, "30").await;
            for _ in 0..2 {
                assert_eq!(
                    result(&msp, &msp.run("apply").await).await,
                    "unknown write_unsettled",
                    "{act:?} {mishap:?}"
                );
                assert_eq!(msp.charge_requests(), 1, "{act:?} {mishap:?}");
            }
            meter(&msp, act.wanted().0).await;
            msp.clock.advance(settle());
            // The write is settled first, and made by the run after that.
            let settled = msp.run("apply").await;
            assert!(
                ["skipped write_settled_first", "updated"].contains(&result(&msp, &settled).await.as_str()),
                "{act:?} {mishap:?}"
            );
            msp.run("apply").await;
            assert_eq!(result(&msp, &msp.run("apply").await).await, "unchanged", "{act:?} {mishap:?}");
            assert_eq!((msp.charge_requests(), made(&msp, act)), (2, 1), "{act:?} {mishap:?}");
            assert_eq!(msp.stands(), act.wanted().1, "{act:?} {mishap:?}");
        }
    }
}

#[tokio::test]
async fn a_write_that_the_psa_calls_made_and_does_not_show_is_never_sent_again() {
    for act in Act::ALL {
        let msp = before(act).await;
        let run = struck(&msp, act, Mishap::CalledMade(Effect::NotMade)).await;
        assert_eq!(result(&msp, &run).await, "unknown write_unsettled", "{act:?}");
        for _ in 0..3 {
            msp.clock.advance(settle());
            assert_eq!(result(&msp, &msp.run("apply").await).await, "unknown write_unexplained", "{act:?}");
        }
        assert_eq!((msp.charge_requests(), made(&msp, act)), (1, 0), "{act:?}");
        assert_eq!(msp.stands(), act.before(), "{act:?}");
        // A person who has looked frees it, and the next run goes on from what stands.
        let path = format!("/v1/connections/{}/findings", msp.connection);
        let finding = msp.done(Method::GET, &path, None).await["items"][0]["id"].as_str().unwrap().to_owned();
        msp.done(Method::POST, &format!("/v1/findings/{finding}/resolve"), Some(json!({}))).await;
        assert_eq!(result(&msp, &msp.run("apply").await).await, "updated", "{act:?}");
        assert_eq!(msp.stands(), act.wanted().1, "{act:?}");
    }
}

#[tokio::test]
async fn a_write_that_was_clearly_refused_fails_and_the_next_run_makes_it() {
    for act in Act::ALL {
        for (mishap, code) in [(Mishap::Throttled(30), "psa_rate_limited"), (Mishap::Redirected(307), "psa_redirected")]
        {
            let msp = before(act).await;
            let run = struck(&msp, act, mishap).await;
            assert_eq!(result(&msp, &run).await, format!("failed {code}"), "{act:?} {mishap:?}");
            assert_eq!(
                (msp.stands(), msp.charge_requests()),
                (act.before().iter().map(|it| (*it).to_owned()).collect(), 1)
            );
            msp.clock.advance(SignedDuration::from_secs(30));
            assert_eq!(result(&msp, &msp.run("apply").await).await, "updated", "{act:?} {mishap:?}");
            assert_eq!(
                (msp.stands(), made(&msp, act)),
                (act.wanted().1.iter().map(|it| (*it).to_owned()).collect(), 1)
            );
        }
    }
}

#[tokio::test]
async fn a_charge_that_arrives_late_is_found_and_not_made_again() {
    let msp = before(Act::Create).await;
    struck(&msp, Act::Create, Mishap::Hang(Effect::NotMade)).await;
    let reference = msp
        .psa
        .requests()
        .iter()
        .rev()
        .find_map(|asked| asked.body["internalPurchaseOrderNumber"].as_str().map(str::to_owned))
        .unwrap();
    let late = |msp: &Msp| {
        let contract = msp.contract("acme");
        msp.psa.late_charge(contract, ("Cloud storage", &reference), date(2026, 11, 30), ("10", "12")).unwrap();
    };
    // The PSA was still at work on it when we stopped waiting, and long after that.
    msp.clock.advance(settle());
    let settled = msp.run("apply").await;
    assert_eq!(result(&msp, &settled).await, "skipped write_settled_first");
    late(&msp);
    let run = msp.run("apply").await;
    assert_eq!(result(&msp, &run).await, "unchanged", "{:#?}", msp.charges_of(&run).await);
    assert_eq!(msp.stands(), ["Cloud storage: 10/12"]);
    // Twice under one name of ours: a person has to look, and nothing is written.
    late(&msp);
    meter(&msp, "20").await;
    let run = msp.run("apply").await;
    assert_eq!((result(&msp, &run).await.as_str(), made(&msp, Act::Change)), ("failed charge_twice", 0));
}

#[tokio::test]
async fn nothing_more_is_sent_to_an_account_after_a_write_without_an_answer() {
    let setup = Setup::of([Customer::named("acme").line("edr", 40)]).patience(Duration::from_millis(300));
    let msp = setup.start().await;
    msp.map_charges(json!({"mode": "itemised"})).await;
    msp.psa.strike(1, Mishap::Hang(Effect::NotMade));
    msp.meter(&[
        ("acme", "a", "2026-11-01", "2026-11-30", "1"),
        ("acme", "b", "2026-11-01", "2026-11-30", "2"),
        ("acme", "c", "2026-11-01", "2026-11-30", "3"),
    ])
    .await;
    let run = msp.run("apply").await;
    assert_eq!(
        msp.charged(&run).await,
        ["a: unknown write_unsettled 0.00>1.00>-", "b: skipped stopped 0.00>2.00>-", "c: skipped stopped 0.00>3.00>-"]
    );
    assert_eq!((msp.charge_requests(), run.writes()), (1, 1));
    let next = msp.run("apply").await;
    assert_eq!(
        msp.charged(&next).await,
        ["a: unknown write_unsettled 0.00>1.00>-", "b: updated 0.00>2.00>2.00", "c: updated 0.00>3.00>3.00"]
    );
}

#[tokio::test]
async fn a_psa_that_does_not_answer_leaves_charges_as_they_are_and_the_lines_of_the_run_go_on() {
    let msp = itemised().await;
    meter(&msp, "10").await;
    msp.push(&[("acme", "edr", 42)]).await;
    let fault = Fault::answer(500, "");
    msp.psa.plan_fault(When::EveryRequest(Entity::ContractCharges), fault);
    let run = msp.run("apply").await;
    assert_eq!(
        (run.result("acme", "edr").as_str(), msp.units("acme", "edr"), run.status()),
        ("updated", 42, "partial")
    );
    let rows = msp.charges_of(&run).await;
    assert_eq!((rows.len(), rows[0]["status"].as_str()), (1, Some("failed")), "{rows:#?}");
    assert_eq!(msp.stands(), [""; 0]);
    msp.psa.clear_faults();
    assert_eq!(result(&msp, &msp.run("apply").await).await, "updated");
}

#[tokio::test]
async fn two_workers_with_one_job_make_a_charge_once_and_a_job_that_comes_again_changes_nothing() {
    let msp = itemised().await;
    meter(&msp, "10").await;
    let run = msp.ask("apply").await;
    msp.plan().await;
    let jobs: Vec<_> = msp.jobs().into();
    let [job] = &jobs[..] else { panic!("{jobs:?}") };
    let (first, second) = (msp.parts.another_worker(false), msp.parts.another_worker(false));
    let _ = tokio::join!(first.work(job), second.work(job));
    msp.work(job).await.unwrap();
    assert_eq!((msp.charge_requests(), msp.stands()), (1, vec!["Cloud storage: 10/12".to_owned()]));
    let seen = msp.see(&run).await;
    assert_eq!((seen.status(), seen.writes(), result(&msp, &seen).await.as_str()), ("succeeded", 1, "updated"));
}
