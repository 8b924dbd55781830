//! What is told of lines is what the PSA holds, whole or not at all.

use shared::domain::line::LineKey;
use shared::psa::{Asked, Observation};
use simulators::autotask::Fault;

use crate::bench::Bench;
use crate::office::{Office, line, pair, stated, window};
use crate::settings::{Reading, everywhere};
use crate::world::{END, TODAY, World};

contract!(
    reads:
    what_the_psa_holds_is_told_and_nothing_else_and_nothing_is_written,
    a_service_that_is_gone_hides_no_other_line,
    many_lines_are_told_in_a_request_for_each_hundred_rows,
    an_error_on_any_page_is_an_error_and_never_a_part,
    an_allowance_that_is_used_up_is_said_to_be,
);

/// Lines that are not there: on a contract without them, on none, of a service on no contract, of what is no number.
fn absent() -> Vec<LineKey> {
    let odd = LineKey { contract: "no-number".parse().expect("an id"), service: "701".parse().expect("an id") };
    vec![line(5_001, 703), line(999_999, 701), line(5_001, 705), odd]
}

/// The world's lines of contracts that have not ended, stated.
fn running(world: &World) -> Vec<(i64, i64, i64)> {
    let ended = |contract| world.contracts().any(|(_, of)| of.id == contract && of.end < TODAY);
    world.lines().filter(|(contract, ..)| !ended(*contract)).collect()
}

fn with_absent(lines: &[(i64, i64, i64)]) -> Asked {
    let mut asked = stated(lines.iter().copied());
    absent().into_iter().for_each(|line| asked.add(line, None));
    asked
}

fn assert_tells<P: Bench>(office: &Office<P>, world: &World, told: &Observation, asked: &Asked) {
    for (contract, service, _) in running(world) {
        let line = line(contract, service);
        let seen = told.lines.get(&pair(&line)).unwrap_or_else(|| panic!("{line} is not told of: {told:?}"));
        let start = world.contracts().find(|(_, of)| of.id == contract).expect("it").1.start;
        for day in [TODAY.max(start), END] {
            let shown = seen.timeline.at(day).map(|units| i64::from(units.get()));
            assert_eq!(shown, office.held(&line, day), "{line} on {day}");
        }
        assert_eq!(seen.otherwise, None, "{line}");
    }
    assert!(told.ambiguous.is_empty() && told.unreadable.is_empty(), "{told:?}");
    assert!(told.lines.keys().all(|(contract, _)| asked.contracts().contains(contract)), "{told:?}");
    let shown = |line: &LineKey| told.shows(line) && asked.lines().any(|of| of == line);
    assert!(!absent().iter().any(shown), "what is not there is absent: {told:?}");
}

async fn what_the_psa_holds_is_told_and_nothing_else_and_nothing_is_written<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::varied(), |office| async move {
        let world = World::varied();
        let lines = running(&world);
        let asked = with_absent(&lines);
        let psa = office.connector("sees");
        let first = psa.observe(&asked, window()).await.expect("an observation");
        assert_tells(&office, &world, &first, &asked);
        assert_eq!(psa.observe(&asked, window()).await.expect("again"), first);
        let another = office.connector("sees").observe(&asked, window()).await;
        assert_eq!(another.expect("by another worker"), first);
        // One by one, and nothing is told of a contract that is not asked about.
        for (contract, service, units) in &lines {
            let asked = stated([(*contract, *service, *units)]);
            let told = office.connector("sees").observe(&asked, window()).await.expect("an observation");
            let key = pair(&line(*contract, *service));
            assert_eq!(told.lines.get(&key), first.lines.get(&key));
            assert!(told.lines.keys().all(|(of, _)| *of == key.0), "{told:?}");
        }
        let nothing = psa.observe(&Asked::default(), window()).await.expect("nothing");
        assert_eq!(nothing, Observation::default());
        assert_eq!(office.psa.write_requests(), 0);
        assert_eq!(office.psa.side_effects(), Vec::<String>::new());
        lines.len() + 4
    })
    .await;
}

async fn a_service_that_is_gone_hides_no_other_line<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::varied(), |office| async move {
        let gone = line(5_002, 999_999);
        let mut asked = stated([(5_001, 701, 40), (5_002, 701, 11)]);
        asked.add(gone.clone(), None);
        let told = office.connector("sees").observe(&asked, window()).await.expect("an observation");
        assert!(told.lines.contains_key(&pair(&line(5_001, 701))), "{told:?}");
        assert!(told.lines.contains_key(&pair(&line(5_002, 701))), "{told:?}");
        assert!(!told.lines.contains_key(&pair(&gone)), "{told:?}");
        1
    })
    .await;
}

async fn many_lines_are_told_in_a_request_for_each_hundred_rows<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::large(250), |office| async move {
        let world = World::large(250);
        let lines: Vec<_> = world.lines().collect();
        // What was stated of each is noted once; that takes the store longer than everything else.
        let few: Vec<_> = lines.iter().copied().step_by(10).collect();
        let psa = office.connector("sees");
        let mut asked = stated(few.iter().copied());
        lines.iter().for_each(|(contract, service, _)| asked.add(line(*contract, *service), None));
        office.psa.forget();
        let told = psa.observe(&asked, window()).await.expect("an observation");
        // Months of 250 lines, or two services on 125 contracts each; and at most six for advice.
        let rows = if P::SHOWS_UNITS { 250 * 8 } else { 250 };
        let bound = usize::div_ceil(rows, 100) + 12;
        assert!(office.psa.requests() <= bound, "{} requests for 250 lines", office.psa.requests());
        for (contract, service, _) in &lines {
            let line = line(*contract, *service);
            assert!(told.shows(&line), "{line}");
            office.assert_honest(&told, &line, &[TODAY, END], "in bulk");
        }
        let wanted = if P::SHOWS_UNITS { &lines } else { &few };
        let known =
            |(contract, service, _): &(i64, i64, i64)| told.lines.contains_key(&pair(&line(*contract, *service)));
        assert!(wanted.iter().all(known), "what was stated, or is shown, is known");
        assert_eq!(office.psa.write_requests(), 0);
        lines.len()
    })
    .await;
}

async fn an_error_on_any_page_is_an_error_and_never_a_part<P: Bench>(of: Reading) {
    let world = World::of_one_service(101);
    everywhere::<P, _>(of, world.clone(), move |office| {
        // Two pages: of all lines' units where they are shown, else of all lines of the service, whoever asks for two.
        let asked = stated(world.lines().take(if P::SHOWS_UNITS { 101 } else { 2 }));
        async move {
            let psa = office.connector("sees");
            let whole = psa.observe(&asked, window()).await.expect("an observation");
            let json = |status, body: &str| Fault::answer(status, body).header("content-type", "application/json");
            let faults = [
                ("a reset", Fault::ResetBefore),
                ("a 500", json(500, r#"{"errors":["An error occurred."]}"#)),
                ("a 502", Fault::answer(502, "<html>bad gateway</html>")),
                ("a page for people", Fault::answer(200, "<html><body>Service temporarily")),
                ("nothing", Fault::answer(200, "")),
                ("no rows and no envelope", json(200, "{}")),
                ("half an answer", json(200, r#"{"success":true,"result":[{"id":1"#)),
                ("a 429", Fault::too_many_requests(Some(30))),
                ("a redirect", Fault::redirect(302, "http://127.0.0.1:9/elsewhere")),
                ("a refusal in 200", P::refusal_in_200()),
                ("an ended log-in", P::log_in_ended()),
            ];
            let mut tried = 0;
            for (name, fault) in &faults {
                for page in if office.setting.plain { 1..=2 } else { 2..=2 } {
                    office.psa.forget();
                    office.psa.strike_observation(page, fault.clone());
                    match psa.observe(&asked, window()).await {
                        Err(_) => {}
                        // What may be of this service alone is said of all its lines.
                        Ok(told) if asked.lines().all(|line| told.unreadable.contains_key(&pair(line))) => {}
                        // A second way to the same rows was tried.
                        Ok(told) => assert!(told == whole, "{name} at request {page}: {told:?}"),
                    }
                    office.psa.heal();
                    tried += 1;
                }
            }
            assert_eq!(psa.observe(&asked, window()).await.expect("as before"), whole);
            assert_eq!(office.psa.write_requests(), 0);
            tried
        }
    })
    .await;
}

async fn an_allowance_that_is_used_up_is_said_to_be<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::varied(), |office| async move {
        let asked = stated([(5_001, 701, 40)]);
        let psa = office.connector("sees");
        let told = psa.observe(&asked, window()).await.expect("an observation");
        let wanted = crate::office::change(&told, &line(5_001, 701), TODAY, 43);
        office.psa.exhaust();
        let error = psa.observe(&asked, window()).await.expect_err("nothing is left");
        assert_eq!(error.kind, shared::psa::Kind::RateLimited, "{error:?}");
        // BMS learns from a line that it has read.
        let refused = psa.change_units(&wanted).await.expect_err("nothing is left");
        assert!(!matches!(refused, shared::psa::WriteError::Unknown(_)), "{refused:?}");
        assert_eq!(office.held(&line(5_001, 701), TODAY), Some(40));
        2
    })
    .await;
}
