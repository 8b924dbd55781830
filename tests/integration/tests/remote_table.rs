//! Everything that the far side can do to a write, in one table: how many requests arrive, what the line's row says, and what
//! there is an hour later, when a run has met the PSA again. A request arrives once or not at all, and the line ends right
//! or stays in sight.

use std::time::Duration;

use integration::msp::{Customer, Msp, Run, Setup};
use jiff::SignedDuration;
use simulators::autotask::{Fault, When};

/// What the far side does to the first write.
enum Remote {
    /// Takes no connection.
    Refuses,
    /// Does this to the request.
    Does(Fault),
}

use Remote::{Does, Refuses};

fn cases() -> Vec<(&'static str, Remote)> {
    let elsewhere = "http://127.0.0.1:9/elsewhere";
    let null = r#"{"itemId":null}"#;
    let html = "<html><body>Service temporarily";
    vec![
        ("connection refused", Refuses),
        ("reset, not made", Does(Fault::ResetBefore)),
        ("reset, made", Does(Fault::ResetAfter)),
        ("no answer in time, not made", Does(Fault::HangBefore)),
        ("no answer in time, made", Does(Fault::HangAfter)),
        ("301", Does(Fault::redirect(301, elsewhere))),
        ("307", Does(Fault::redirect(307, elsewhere))),
        ("408, not made", Does(Fault::answer(408, ""))),
        ("408, made", Does(Fault::answer(408, "").after())),
        ("429 with Retry-After", Does(Fault::too_many_requests(Some(30)))),
        ("500, not made", Does(Fault::error_before())),
        ("500, made", Does(Fault::error_after())),
        ("200 unparsable, not made", Does(Fault::answer(200, html))),
        ("200 unparsable, made", Does(Fault::answer(200, html).after())),
        ("200 with errors", Does(Fault::errors_with_200())),
        ("200 empty, not made", Does(Fault::answer(200, ""))),
        ("200 empty, made", Does(Fault::answer(200, "").after())),
        ("200 itemId null, not made", Does(Fault::answer(200, null))),
        ("200 itemId null, made", Does(Fault::answer(200, null).after())),
    ]
}

/// What became of one case.
struct Row {
    case: &'static str,
    requests: usize,
    first: String,
    later: String,
    effective: usize,
    units: i64,
}

/// Plans with the PSA well, and works with the first write struck.
async fn struck(msp: &Msp, remote: Remote) -> Run {
    let run = msp.ask("apply").await;
    msp.plan().await;
    let refuses = matches!(remote, Refuses);
    if let Does(fault) = remote {
        msp.psa.plan_fault(When::Write(1), fault);
    }
    // Reads go on over the connection that planning opened; each write opens one of its own.
    msp.psa.refuse_connections(refuses).await;
    msp.drain().await;
    msp.psa.refuse_connections(false).await;
    msp.see(&run).await
}

async fn lived(case: &'static str, remote: Remote) -> Row {
    let setup = Setup::of([Customer::named("acme").line("edr", 40)]);
    let msp = setup.patience(Duration::from_millis(200)).start().await;
    msp.push(&[("acme", "edr", 42)]).await;
    let first = struck(&msp, remote).await;
    let requests = msp.write_requests();
    // The intent was there: the case is about the write, and not about a read before it.
    assert_eq!(msp.intents("acme", "edr").await.len(), 1, "{case}");
    let first = first.result("acme", "edr");
    // Longer than a write may still be on its way, and than anybody keeps away from a PSA that is out of order.
    msp.clock.advance(SignedDuration::from_hours(1));
    let later = msp.run("apply").await.result("acme", "edr");
    Row { case, requests, first, later, effective: msp.changes().len(), units: msp.units("acme", "edr") }
}

#[tokio::test]
async fn whatever_the_far_side_does_to_a_write_it_gets_one_request_and_the_line_ends_right_or_in_sight() {
    let mut table = format!("{:<28}| requests | first run | an hour later | effective\n", "the far side");
    for (case, remote) in cases() {
        let row = lived(case, remote).await;
        let Row { requests, first, later, effective, units, .. } = &row;
        table += &format!("{:<28}| {requests} | {first} | {later} | {effective}\n", row.case);
        assert_eq!(*requests, usize::from(case != "connection refused"), "{case}");
        let right = *units == 42 && *effective == 1;
        let in_sight = ["unknown ", "failed "].iter().any(|status| later.starts_with(status));
        assert!(right && !in_sight || in_sight && *effective == 0, "{case}: {first}, {later}, {units} units");
        assert!(
            first == "updated" || ["unknown ", "failed "].iter().any(|status| first.starts_with(status)),
            "{case}: {first}"
        );
    }
    print!("{table}");
    insta::assert_snapshot!(table, @r"
    the far side                | requests | first run | an hour later | effective
    connection refused          | 0 | failed psa_unreachable | updated | 1
    reset, not made             | 1 | unknown write_unsettled | updated | 1
    reset, made                 | 1 | updated | unchanged | 1
    no answer in time, not made | 1 | unknown write_unsettled | updated | 1
    no answer in time, made     | 1 | updated | unchanged | 1
    301                         | 1 | failed psa_redirected | updated | 1
    307                         | 1 | failed psa_redirected | updated | 1
    408, not made               | 1 | unknown write_unsettled | updated | 1
    408, made                   | 1 | updated | unchanged | 1
    429 with Retry-After        | 1 | failed psa_rate_limited | updated | 1
    500, not made               | 1 | unknown write_unsettled | updated | 1
    500, made                   | 1 | updated | unchanged | 1
    200 unparsable, not made    | 1 | unknown write_unsettled | updated | 1
    200 unparsable, made        | 1 | updated | unchanged | 1
    200 with errors             | 1 | failed psa_error_unrecognised | updated | 1
    200 empty, not made         | 1 | unknown write_unsettled | updated | 1
    200 empty, made             | 1 | updated | unchanged | 1
    200 itemId null, not made   | 1 | unknown write_unsettled | unknown write_unexplained | 0
    200 itemId null, made       | 1 | updated | unchanged | 1
    ");
}
