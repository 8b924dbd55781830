//! Faults as a client of a vendor meets them, at one of them.

use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use simulators::Huntress;
use simulators::huntress::{Organization, Route, SAMPLE_KEY, SAMPLE_SECRET};
use simulators::vendor::{Change, Fault, When};
use tokio::time::timeout;

const THE_LIST: When<Route> = When::Request(Route::Organizations, 1);

/// Of two organizations, one of which goes as soon as a page was shown.
async fn started(fault: Fault) -> Huntress {
    let sim = Huntress::start((1..=2).map(|id| Organization::new(id, format!("Customer {id}")))).await.unwrap();
    sim.change_after_page(1, Change::Delete(1));
    sim.plan_fault(THE_LIST, fault);
    sim
}

/// By a client of its own, so that giving up closes the connection.
fn list(sim: &Huntress) -> RequestBuilder {
    Client::new().get(format!("{}/v1/organizations", sim.base())).basic_auth(SAMPLE_KEY, Some(SAMPLE_SECRET))
}

#[tokio::test]
async fn a_page_that_is_lost_was_shown_only_if_the_fault_comes_after_it() {
    for (fault, left) in [(Fault::ResetBefore, 2), (Fault::ResetAfter, 1)] {
        let sim = started(fault).await;
        assert!(list(&sim).send().await.is_err());
        assert_eq!((sim.customers().len(), sim.requests()[0].status), (left, None));
        assert_eq!(list(&sim).send().await.unwrap().status(), 200, "a numbered fault strikes once");
    }
}

#[tokio::test]
async fn a_page_that_hangs_never_comes_and_others_do() {
    let sim = started(Fault::HangBefore).await;
    assert!(timeout(Duration::from_millis(40), list(&sim).send()).await.is_err());
    assert_eq!(sim.customers().len(), 2);
    assert_eq!(list(&sim).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn another_answer_comes_in_place_of_the_page_or_the_page_comes_late() {
    let cases = [
        (Fault::too_many_requests(Some(7)), 429, 2),
        (Fault::answer(500, ""), 500, 2),
        (Fault::unparsable_after(), 200, 1),
        (Fault::Delay { ms: 1 }, 200, 1),
    ];
    for (fault, status, left) in cases {
        let sim = started(fault.clone()).await;
        let answer = list(&sim).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), sim.customers().len()), (status, left), "{fault:?}");
        assert_eq!(sim.requests()[0].status, Some(status));
    }
}

#[tokio::test]
async fn a_closed_port_refuses_and_a_forgotten_fault_strikes_nobody() {
    let sim = started(Fault::answer(500, "")).await;
    sim.clear_faults();
    sim.refuse_connections(true).await;
    assert!(list(&sim).send().await.unwrap_err().is_connect());
    sim.refuse_connections(false).await;
    assert_eq!(list(&sim).send().await.unwrap().status(), 200);
}
