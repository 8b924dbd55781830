//! What every usage source does alike, against the simulated API of its vendor: reads all, knows when it did not, keeps the
//! vendor's limits, comes to an end, and lets no secret out. A new source is a [`known::Known`] and a line at the end of this.

mod known;
mod pulls;
mod reads;
mod world;

/// The contract, for one vendor's simulated API.
macro_rules! keeps_the_contract {
    ($name:ident $api:ty) => {
        mod $name {
            #[tokio::test]
            async fn every_customer_of_many_is_read_with_what_it_has() {
                crate::reads::reads_everybody::<$api>().await;
            }

            #[tokio::test]
            async fn only_wanted_customers_are_asked_one_by_one() {
                crate::reads::asks_the_wanted_alone::<$api>().await;
            }

            #[tokio::test]
            async fn no_window_has_more_requests_than_the_vendor_allows() {
                crate::reads::keeps_the_limit::<$api>().await;
            }

            #[tokio::test]
            async fn a_request_that_is_turned_away_is_sent_again_when_it_may_be() {
                crate::reads::waits_when_turned_away::<$api>().await;
            }

            #[tokio::test]
            async fn a_walk_that_is_interrupted_is_not_whole() {
                crate::reads::is_interrupted::<$api>().await;
            }

            #[tokio::test]
            async fn an_answer_that_can_not_be_read_is_not_whole() {
                crate::reads::reads_nonsense::<$api>().await;
            }

            #[tokio::test]
            async fn a_list_that_repeats_itself_comes_to_an_end() {
                crate::reads::comes_to_an_end::<$api>().await;
            }

            #[tokio::test]
            async fn whoever_is_deleted_amid_a_walk_hides_nobody_else() {
                crate::reads::is_changed_meanwhile::<$api>().await;
            }

            #[tokio::test]
            async fn credentials_that_are_refused_say_so() {
                crate::reads::is_refused::<$api>().await;
            }

            #[tokio::test]
            async fn an_interrupted_pull_lowers_nothing_and_a_whole_one_may() {
                crate::pulls::lowers_only_what_was_read_whole::<$api>().await;
            }

            #[tokio::test]
            async fn a_vendor_that_lists_nobody_lowers_nothing() {
                crate::pulls::takes_an_empty_list_for_a_fault::<$api>().await;
            }

            #[tokio::test]
            async fn no_secret_is_in_logs_errors_or_rows() {
                crate::pulls::keeps_its_secrets::<$api>().await;
            }
        }
    };
}

keeps_the_contract!(huntress simulators::huntress::Api);
keeps_the_contract!(jumpcloud simulators::jumpcloud::Api);
keeps_the_contract!(dropsuite simulators::dropsuite::Api);
keeps_the_contract!(microsoft simulators::microsoft::Api);
keeps_the_contract!(pax8 simulators::pax8::Api);
keeps_the_contract!(datto_rmm simulators::datto_rmm::Api);
