//! What every vendor does alike, each by its own list.

use jiff::SignedDuration;
use simulators::vendor::{Change, Customer, Fault, MANY, Vendor, When};

use crate::support::{Visit, Walker};

/// More pages than any list here has, so that a simulator that is broken ends a test and not a day.
const NO_END: usize = 500;

/// The tests of a vendor's list, by its [`Walker`].
macro_rules! keeps_the_contract {
    ($walker:ty) => {
        #[tokio::test]
        async fn nobody_who_asks_for_nothing_gets_more_than_a_small_page_and_those_lead_to_all_customers() {
            $crate::contract::reaches_everybody_by_the_default_page::<$walker>().await;
        }

        #[tokio::test]
        async fn the_largest_pages_lead_to_all_customers_too() {
            $crate::contract::reaches_everybody_by_the_largest_page::<$walker>().await;
        }

        #[tokio::test]
        async fn one_request_above_the_limit_is_turned_away_until_the_window_has_moved_on() {
            $crate::contract::turns_away_one_too_many::<$walker>().await;
        }

        #[tokio::test]
        async fn a_fault_on_the_third_page_strikes_that_page_alone() {
            $crate::contract::fails_on_the_third_page::<$walker>().await;
        }

        #[tokio::test]
        async fn a_list_that_repeats_itself_never_comes_to_an_end() {
            $crate::contract::repeats_itself::<$walker>().await;
        }

        #[tokio::test]
        async fn a_customer_can_be_deleted_after_the_second_page_was_shown() {
            $crate::contract::changes_amid_a_walk::<$walker>().await;
        }
    };
}

pub async fn reaches_everybody_by_the_default_page<W: Walker>() {
    let (walk, small) = (Visit::<W>::to(MANY).await.walk(None, NO_END).await, W::Api::LIMITS.default_page);
    assert_eq!((walk.refused, walk.pages[0].len(), walk.customers().len()), (None, small, MANY));
    assert!(walk.pages.iter().all(|page| page.len() <= small));
}

pub async fn reaches_everybody_by_the_largest_page<W: Walker>() {
    let (visit, largest) = (Visit::<W>::to(MANY).await, W::Api::LIMITS.largest_page);
    let walk = visit.walk(Some(largest), NO_END).await;
    assert_eq!((walk.refused, walk.pages[0].len(), walk.customers().len()), (None, largest, MANY));
    assert_eq!(visit.sim.count(W::LIST), walk.pages.len());
}

pub async fn turns_away_one_too_many<W: Walker>() {
    let visit = Visit::<W>::to(1).await;
    // Where a vendor publishes none, one can be set all the same.
    let limit = W::Api::LIMITS.requests.unwrap_or(3);
    visit.sim.limit(|limits| limits.requests = Some(limit));
    visit.sim.use_requests(usize::try_from(limit).unwrap() - 1);
    assert_eq!(visit.page(None, None).send().await.unwrap().status(), 200);
    let refused = visit.page(None, None).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers().get("retry-after")), (429, None));
    visit.sim.switch(|switches| switches.retry_after_s = Some(5));
    visit.hand.advance(SignedDuration::from_secs(i64::from(W::Api::LIMITS.window_s) - 1));
    let refused = visit.page(None, None).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"5".parse().unwrap()));
    visit.hand.advance(SignedDuration::from_secs(1));
    assert_eq!(visit.page(None, None).send().await.unwrap().status(), 200);
}

pub async fn fails_on_the_third_page<W: Walker>() {
    let visit = Visit::<W>::to(60).await;
    visit.sim.plan_fault(When::Request(W::LIST, 3), Fault::answer(503, ""));
    let walk = visit.walk(Some(10), NO_END).await;
    assert_eq!((walk.refused, walk.pages.len()), (Some(503), 2));
    let again = visit.walk(Some(10), NO_END).await;
    assert_eq!((again.refused, again.customers().len()), (None, 60));
    assert_eq!(visit.sim.requests().iter().filter(|asked| asked.status == Some(503)).count(), 1);
}

pub async fn repeats_itself<W: Walker>() {
    let visit = Visit::<W>::to(80).await;
    visit.sim.switch(|switches| switches.repeats_token = true);
    let walk = visit.walk(Some(10), 6).await;
    assert_eq!((walk.refused, walk.pages.len()), (None, 6));
    assert!(walk.pages[2..].iter().all(|page| *page == walk.pages[1]), "{:?}", walk.pages);
}

pub async fn changes_amid_a_walk<W: Walker>() {
    let visit = Visit::<W>::to(60).await;
    let first = visit.walk(Some(10), 1).await.pages.remove(0).remove(0);
    let gone = visit.sim.customers().into_iter().map(|customer| customer.id()).find(|id| id.to_string() == first);
    visit.sim.reset_counts();
    visit.sim.change_after_page(2, Change::Delete(gone.unwrap()));
    let walk = visit.walk(Some(10), NO_END).await;
    assert_eq!(visit.sim.customers().len(), 59);
    assert!(walk.customers().contains(first.as_str()), "it was shown before it was deleted");
    assert_eq!(walk.customers().len() < 60, W::SKIPS);
    assert_eq!(visit.walk(Some(10), NO_END).await.customers().len(), 59);
}
