//! Everything that the far side can do to a write, in one table: how many requests arrive, what the line's row says, and what
//! there is an hour later, when a run has met the PSA again. A request arrives once or not at all, and the line ends right
//! or stays in sight.

use std::time::Duration;

use integration::msp::Effect::{Made, NotMade};
use integration::msp::{Customer, Fixture, Mishap, Msp, On, Run};
use jiff::SignedDuration;

/// What the far side does to the first write. `None`: it takes no connection.
fn cases() -> Vec<(&'static str, Option<Mishap>)> {
    vec![
        ("connection refused", None),
        ("reset, not made", Some(Mishap::Reset(NotMade))),
        ("reset, made", Some(Mishap::Reset(Made))),
        ("no answer in time, not made", Some(Mishap::Hang(NotMade))),
        ("no answer in time, made", Some(Mishap::Hang(Made))),
        ("301", Some(Mishap::Redirected(301))),
        ("307", Some(Mishap::Redirected(307))),
        ("408, not made", Some(Mishap::Gateway(408, NotMade))),
        ("408, made", Some(Mishap::Gateway(408, Made))),
        ("429 with Retry-After", Some(Mishap::Throttled(30))),
        ("500, not made", Some(Mishap::Failed(NotMade))),
        ("500, made", Some(Mishap::Failed(Made))),
        ("200 unparsable, not made", Some(Mishap::Page(NotMade))),
        ("200 unparsable, made", Some(Mishap::Page(Made))),
        ("refused", Some(Mishap::Refused)),
        ("200 empty, not made", Some(Mishap::Empty(NotMade))),
        ("200 empty, made", Some(Mishap::Empty(Made))),
        ("200 and no id, not made", Some(Mishap::CalledMade(NotMade))),
        ("200 and no id, made", Some(Mishap::CalledMade(Made))),
    ]
}

/// What became of one case.
struct Row {
    case: &'static str,
    requests: usize,
    first: String,
    later: String,
    written: Vec<i64>,
    units: i64,
}

/// Plans with the PSA well, and works with the first write struck.
async fn struck<P: Fixture>(msp: &Msp<P>, mishap: Option<Mishap>) -> Run {
    let run = msp.ask("apply").await;
    msp.plan().await;
    if let Some(mishap) = mishap {
        msp.psa.strike(1, mishap);
    }
    // Reads go on over the connection that planning opened; each write opens one of its own.
    msp.psa.refuse(mishap.is_none()).await;
    msp.drain().await;
    msp.psa.refuse(false).await;
    msp.see(&run).await
}

async fn lived<P: Fixture>(on: On<P>, case: &'static str, mishap: Option<Mishap>) -> Row {
    let setup = on.of([Customer::named("acme").line("edr", 40)]);
    let msp = setup.patience(Duration::from_millis(200)).start().await;
    msp.push(&[("acme", "edr", 42)]).await;
    let first = struck(&msp, mishap).await;
    let requests = msp.write_requests();
    // The intent was there: the case is about the write, and not about a read before it.
    assert!(!msp.intents("acme", "edr").await.is_empty(), "{case}");
    let first = first.result("acme", "edr");
    // Longer than a write may still be on its way, and than anybody keeps away from a PSA that is out of order.
    msp.clock.advance(SignedDuration::from_hours(1));
    let later = msp.run("apply").await.result("acme", "edr");
    Row { case, requests, first, later, written: msp.written("acme", "edr"), units: msp.units("acme", "edr") }
}

/// The table of a PSA. Whatever happened, the first write was sent once, and only a second one that it takes to know how
/// the PSA reads units may have followed it.
async fn table<P: Fixture>(on: On<P>) -> String {
    let mut table = format!("{:<28}| requests | first run | an hour later | units after each write\n", "the far side");
    for (case, mishap) in cases() {
        let row = lived(on, case, mishap).await;
        let Row { requests, first, later, written, units, .. } = &row;
        table += &format!("{:<28}| {requests} | {first} | {later} | {written:?}\n", row.case);
        let sent = if mishap.is_none() { 0..=0 } else { 1..=on.first_writes() };
        assert!(sent.contains(requests), "{case}: {requests} requests");
        let right = *units == 42 && *written == on.first_change(40, 42);
        let in_sight = ["unknown ", "failed "].iter().any(|status| later.starts_with(status));
        // What a first change did, nobody can tell without its answer where rows look as if a person had been at them.
        let left_to_a_person = in_sight && written.len() <= usize::from(on.first_writes() > 1);
        assert!(right && !in_sight || left_to_a_person, "{case}: {first}, {later}, {units} units");
        assert!(
            first == "updated" || ["unknown ", "failed "].iter().any(|status| first.starts_with(status)),
            "{case}: {first}"
        );
    }
    print!("{table}");
    table
}

#[tokio::test]
async fn whatever_the_far_side_does_to_a_write_it_gets_one_request_and_the_line_ends_right_or_in_sight() {
    let table = table(On::autotask()).await;
    insta::assert_snapshot!(table, @r"
    the far side                | requests | first run | an hour later | units after each write
    connection refused          | 0 | failed psa_unreachable | updated | [42]
    reset, not made             | 1 | unknown write_unsettled | updated | [42]
    reset, made                 | 1 | updated | unchanged | [42]
    no answer in time, not made | 1 | unknown write_unsettled | updated | [42]
    no answer in time, made     | 1 | updated | unchanged | [42]
    301                         | 1 | failed psa_redirected | updated | [42]
    307                         | 1 | failed psa_redirected | updated | [42]
    408, not made               | 1 | unknown write_unsettled | updated | [42]
    408, made                   | 1 | updated | unchanged | [42]
    429 with Retry-After        | 1 | failed psa_rate_limited | updated | [42]
    500, not made               | 1 | unknown write_unsettled | updated | [42]
    500, made                   | 1 | updated | unchanged | [42]
    200 unparsable, not made    | 1 | unknown write_unsettled | updated | [42]
    200 unparsable, made        | 1 | updated | unchanged | [42]
    refused                     | 1 | failed psa_error_unrecognised | updated | [42]
    200 empty, not made         | 1 | unknown write_unsettled | updated | [42]
    200 empty, made             | 1 | updated | unchanged | [42]
    200 and no id, not made     | 1 | unknown write_unsettled | unknown write_unexplained | []
    200 and no id, made         | 1 | updated | unchanged | [42]
    ");
}

#[tokio::test]
async fn the_same_of_a_kaseya_bms_that_adds() {
    let table = table(On::adding()).await;
    insta::assert_snapshot!(table, @r"
    the far side                | requests | first run | an hour later | units after each write
    connection refused          | 0 | failed host_unreachable | updated | [42]
    reset, not made             | 1 | unknown write_unsettled | updated | [42]
    reset, made                 | 1 | updated | unchanged | [42]
    no answer in time, not made | 1 | unknown write_unsettled | updated | [42]
    no answer in time, made     | 1 | updated | unchanged | [42]
    301                         | 1 | unknown write_unsettled | updated | [42]
    307                         | 1 | unknown write_unsettled | updated | [42]
    408, not made               | 1 | unknown write_unsettled | updated | [42]
    408, made                   | 1 | updated | unchanged | [42]
    429 with Retry-After        | 1 | failed psa_rate_limited | updated | [42]
    500, not made               | 1 | unknown write_unsettled | updated | [42]
    500, made                   | 1 | updated | unchanged | [42]
    200 unparsable, not made    | 1 | unknown write_unsettled | updated | [42]
    200 unparsable, made        | 1 | updated | unchanged | [42]
    refused                     | 1 | failed psa_request_refused | updated | [42]
    200 empty, not made         | 1 | unknown write_unsettled | updated | [42]
    200 empty, made             | 1 | updated | unchanged | [42]
    200 and no id, not made     | 1 | unknown write_unsettled | unknown write_unexplained | []
    200 and no id, made         | 1 | updated | unchanged | [42]
    ");
}

#[tokio::test]
async fn the_same_of_a_kaseya_bms_that_replaces() {
    let table = table(On::replacing()).await;
    insta::assert_snapshot!(table, @r"
    the far side                | requests | first run | an hour later | units after each write
    connection refused          | 0 | failed host_unreachable | updated | [2, 42]
    reset, not made             | 1 | unknown write_unsettled | updated | [2, 42]
    reset, made                 | 1 | unknown write_unsettled | unknown write_unexplained | [2]
    no answer in time, not made | 1 | unknown write_unsettled | updated | [2, 42]
    no answer in time, made     | 1 | unknown write_unsettled | unknown write_unexplained | [2]
    301                         | 1 | unknown write_unsettled | updated | [2, 42]
    307                         | 1 | unknown write_unsettled | updated | [2, 42]
    408, not made               | 1 | unknown write_unsettled | updated | [2, 42]
    408, made                   | 1 | unknown write_unsettled | unknown write_unexplained | [2]
    429 with Retry-After        | 1 | failed psa_rate_limited | updated | [2, 42]
    500, not made               | 1 | unknown write_unsettled | updated | [2, 42]
    500, made                   | 1 | unknown write_unsettled | unknown write_unexplained | [2]
    200 unparsable, not made    | 1 | unknown write_unsettled | updated | [2, 42]
    200 unparsable, made        | 1 | unknown write_unsettled | unknown write_unexplained | [2]
    refused                     | 1 | failed psa_request_refused | updated | [2, 42]
    200 empty, not made         | 1 | unknown write_unsettled | updated | [2, 42]
    200 empty, made             | 1 | unknown write_unsettled | unknown write_unexplained | [2]
    200 and no id, not made     | 1 | unknown write_unsettled | unknown write_unexplained | []
    200 and no id, made         | 1 | unknown write_unsettled | unknown write_unexplained | [2]
    ");
}
