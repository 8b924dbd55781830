//! What rows say to findings, and what becomes of a finding.

use super::*;

fn row(status: LineStatus, code: &str) -> LineResult {
    LineResult {
        line_id: "1:2".into(),
        company: "acme".parse().unwrap(),
        company_name: "Acme".into(),
        product: "edr".parse().unwrap(),
        account_id: "9".parse().unwrap(),
        contract_id: "1".parse().unwrap(),
        service_id: "2".parse().unwrap(),
        before: Some(40.try_into().unwrap()),
        target: Some(12.try_into().unwrap()),
        after: None,
        rule: None,
        effective_date: None,
        status,
        code: code.into(),
        explanation: "It is so.".into(),
        fix: String::new(),
        feeds: Vec::new(),
        prorated: false,
        money: None,
        prices: None,
        last_confirmed: None,
        last_confirmed_from: None,
    }
}

fn brief(says: &Says) -> String {
    match says {
        Says::Notice(noticed) => format!("notice {:?}", noticed.about.as_deref().unwrap_or("-")),
        Says::Clear => "clear".into(),
        Says::Silent => "silent".into(),
    }
}

fn noticed(code: &str, about: Option<&str>) -> Noticed {
    let Says::Notice(noticed) = Says::of(&row(LineStatus::Held, code)) else { panic!("{code}") };
    Noticed { about: about.map(str::to_owned), ..*noticed }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn run(number: u32) -> RunId {
    format!("run_{number}").parse().unwrap()
}

fn after(found: Option<&Finding>, noticed: Noticed, number: u32) -> Next {
    let word = Word::Noticed(Box::new(noticed));
    Next::after(found, &word, &"conn".parse().unwrap(), &run(number), at(number.into()))
}

fn gone(found: &Finding, number: u32) -> Finding {
    match Next::after(Some(found), &Word::Gone, &found.connection, &run(number), at(number.into())) {
        Next::Closes(closed) => *closed,
        other => panic!("{other:?}"),
    }
}

fn opened(noticed: Noticed, number: u32) -> Finding {
    match after(None, noticed, number) {
        Next::Is(finding) => *finding,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_speaks_of_its_line_only_where_the_line_was_looked_at() {
    use LineStatus::{Failed, Held, Planned, Skipped, Unchanged, Unknown, Updated};
    for (status, code, expected) in [
        (Updated, "", "clear"),
        (Unchanged, "", "clear"),
        (Planned, "shadow", "clear"),
        (Updated, "price_guard", "notice \"40>12\""),
        (Updated, "prices_not_taken", "notice \"-\""),
        (Held, "fall_guard", "notice \"40>12\""),
        (Held, "a_code_of_a_later_version", "notice \"40>12\""),
        (Failed, "contract_ended", "notice \"-\""),
        (Failed, "psa_unavailable", "notice \"-\""),
        (Unknown, "write_unexplained", "notice \"-\""),
        (Skipped, "contract_not_started", "notice \"It is so.\""),
        (Skipped, "usage_missing", "notice \"It is so.\""),
        (Skipped, "usage_not_in_period", "clear"),
        (Skipped, "no_period_ahead", "clear"),
        (Skipped, "stopped", "silent"),
        (Skipped, "superseded", "silent"),
        (Skipped, "job_too_old", "silent"),
        (Skipped, "budget_exhausted", "silent"),
        (Skipped, "connection_off", "silent"),
        (Skipped, "a_code_of_a_later_version", "silent"),
        (Failed, "given_up", "silent"),
    ] {
        assert_eq!(brief(&Says::of(&row(status, code))), expected, "{status:?} {code}");
    }
    let called_off = LineResult { before: None, ..row(Planned, "shadow") };
    assert_eq!(Says::of(&called_off), Says::Silent);
}

#[test]
fn a_held_row_without_numbers_is_still_about_the_same_thing_the_next_time() {
    let absent = LineResult { before: None, target: None, ..row(LineStatus::Held, "company_absent") };
    assert_eq!(brief(&Says::of(&absent)), "notice \"->-\"");
    let shown = LineResult { before: row(LineStatus::Held, "").target, ..absent };
    assert!(shown.before.is_some());
    assert_eq!(brief(&Says::of(&shown)), "notice \"->-\"", "what the PSA shows asks nothing new of anybody");
}

#[test]
fn what_a_row_says_ends_every_other_finding_of_its_line() {
    let says = |status, code: &str| Says::of(&row(status, code));
    let held = says(LineStatus::Held, "drift");
    assert!(!held.ends("drift") && held.ends("fall_guard") && held.ends("psa_unavailable"));
    let clear = says(LineStatus::Unchanged, "");
    assert!(clear.ends("drift") && clear.ends("psa_unavailable"));
    assert!(!says(LineStatus::Skipped, "stopped").ends("drift"));
}

#[test]
fn a_psas_error_ends_another_error_and_nothing_that_the_plan_found() {
    let refused = Says::of(&row(LineStatus::Failed, "psa_permission_missing"));
    assert!(!refused.ends("fall_guard") && !refused.ends("psa_permission_missing") && refused.ends("psa_unavailable"));
}

#[test]
fn a_fingerprint_is_of_the_subject_and_the_code_and_of_nothing_else() {
    let base = noticed("drift", None);
    assert_eq!(base.fingerprint().len(), 16);
    let same = Noticed { about: Some("x".into()), before: None, company_name: "Other".into(), ..base.clone() };
    assert_eq!(base.fingerprint(), same.fingerprint());
    let line = |contract: &str, service: &str| {
        Subject::Line(LineKey { contract: contract.parse().unwrap(), service: service.parse().unwrap() })
    };
    let others = [
        noticed("fall_guard", None),
        Noticed { subject: line("12", "2"), ..base.clone() },
        Noticed { subject: line("1", "12"), ..base.clone() },
        Noticed { subject: Subject::Contract("1".parse().unwrap()), ..base.clone() },
    ];
    let all: std::collections::BTreeSet<String> = others.iter().chain([&base]).map(Noticed::fingerprint).collect();
    assert_eq!(all.len(), 5);
}

#[test]
fn the_same_thing_noticed_again_is_the_same_finding_and_writes_nothing() {
    let first = opened(noticed("fall_guard", Some("40>12")), 1);
    assert_eq!((first.state, first.version, first.id.starts_with("conn.")), (FindingState::Open, 1, true));
    assert_eq!(after(Some(&first), first.noticed.clone(), 2), Next::Stays);
}

#[test]
fn an_open_finding_takes_new_numbers_on_and_keeps_its_beginning() {
    let first = opened(noticed("fall_guard", Some("40>12")), 1);
    let Next::Is(next) = after(Some(&first), noticed("fall_guard", Some("40>11")), 2) else { panic!() };
    assert_eq!((next.opened_at, next.seen_at, next.run.clone(), next.version), (at(1), at(2), run(2), 2));
    assert_eq!(next.noticed.about.as_deref(), Some("40>11"));
}

#[test]
fn whose_a_finding_is_is_not_forgotten() {
    let first = opened(noticed("write_unsettled", None), 1);
    let less =
        Noticed { account: None, company: None, company_name: String::new(), product: None, ..first.noticed.clone() };
    assert_eq!(after(Some(&first), less, 2), Next::Stays);
}

#[test]
fn a_resolved_finding_stays_resolved_while_it_is_about_the_same() {
    let resolved = opened(noticed("fall_guard", Some("40>12")), 1).resolved("ann", Some("left"), at(2));
    assert_eq!((resolved.state, resolved.resolved_by.as_deref()), (FindingState::Resolved, Some("ann")));
    assert_eq!(after(Some(&resolved), noticed("fall_guard", Some("40>12")), 3), Next::Stays);
    let Next::BeginsAnew { closed, opened } = after(Some(&resolved), noticed("fall_guard", Some("40>11")), 3) else {
        panic!()
    };
    assert_eq!(
        (closed.state, closed.ending, closed.closed_at),
        (FindingState::Closed, Some(Ending::Resolved), Some(at(3)))
    );
    assert_eq!((opened.state, opened.opened_at, opened.resolved_by), (FindingState::Open, at(3), None));
    assert!(opened.version > resolved.version && opened.id == resolved.id);
}

#[test]
fn what_was_to_be_put_right_opens_again_with_the_next_run_that_finds_it() {
    let resolved = opened(noticed("contract_ended", None), 1).resolved("ann", None, at(2));
    assert_eq!(after(Some(&resolved), noticed("contract_ended", None), 1), Next::Stays, "a job of the same run, again");
    assert!(matches!(after(Some(&resolved), noticed("contract_ended", None), 2), Next::BeginsAnew { .. }));
}

#[test]
fn a_finding_that_is_gone_says_whether_a_person_had_looked_at_it() {
    let open = opened(noticed("drift", Some("40>12")), 1);
    assert_eq!(gone(&open, 2).ending, Some(Ending::Gone));
    let closed = gone(&open.resolved("ann", None, at(2)), 3);
    assert_eq!((closed.ending, closed.resolved_by.as_deref()), (Some(Ending::Resolved), Some("ann")));
    let nothing = Next::after(None, &Word::Gone, &open.connection, &run(4), at(4));
    assert_eq!(nothing, Next::Stays);
}

#[test]
fn who_resolves_a_finding_when_and_with_which_words_is_kept_and_each_step_raises_its_version() {
    let found = opened(noticed("drift", None), 1);
    let resolved = found.resolved("ann", Some("asked the customer"), at(7));
    assert_eq!((resolved.resolved_by.as_deref(), resolved.resolved_at), (Some("ann"), Some(at(7))));
    assert_eq!((resolved.note.as_deref(), resolved.version), (Some("asked the customer"), found.version + 1));
    let closed = gone(&resolved, 2);
    assert_eq!((closed.closed_at, closed.version), (Some(at(2)), found.version + 2));
    assert_eq!(closed.note, resolved.note);
}

#[test]
fn a_finding_of_a_contract_is_of_no_line() {
    let contract = Subject::Contract("1".parse().unwrap());
    let line = Subject::Line(LineKey { contract: "1".parse().unwrap(), service: "2".parse().unwrap() });
    assert_eq!((contract.line(), line.line().map(ToString::to_string)), (None, Some("1:2".into())));
}
