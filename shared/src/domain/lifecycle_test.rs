//! Which contract follows an ended one, rule by rule, and over contracts of every shape.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::contract::Contract;
use super::ids::ContractId;
use super::lifecycle::{Lifecycle, NotFollowed};
use super::period::PeriodType;

const TODAY: Date = date(2026, 11, 21);

/// An active monthly contract of account 9, called after its id.
fn contract(id: u32, start: &str, end: &str) -> Contract {
    Contract {
        id: id.to_string().parse().unwrap(),
        account: "9".parse().unwrap(),
        name: format!("Care {id}"),
        recurring: Some(PeriodType::Monthly),
        active: true,
        start: start.parse().unwrap(),
        end: end.parse().unwrap(),
        renewal: None,
    }
}

fn linked(id: u32, with: u32, start: &str, end: &str) -> Contract {
    Contract { renewal: Some(with.to_string().parse().unwrap()), ..contract(id, start, end) }
}

/// The old one, ended on 10 November.
fn old() -> Contract {
    contract(1, "2025-11-11", "2026-11-10")
}

fn by_id(contracts: impl IntoIterator<Item = Contract>) -> BTreeMap<ContractId, Contract> {
    contracts.into_iter().map(|contract| (contract.id.clone(), contract)).collect()
}

/// What follows contract 1: its id, or why not.
fn follow<const N: usize>(contracts: [Contract; N], carrying: &[u32]) -> Result<String, String> {
    let contracts = by_id(contracts);
    let carries = |id: &ContractId| carrying.iter().any(|one| one.to_string() == id.as_str());
    let lifecycle = Lifecycle { contracts: &contracts, today: TODAY };
    let old = &contracts[&"1".parse::<ContractId>().unwrap()];
    let found = lifecycle.successor(old, &"501".parse().unwrap(), carries);
    found.map(|next| next.contract.id.to_string()).map_err(|NotFollowed(why)| why)
}

#[test]
fn a_link_is_followed_whichever_of_the_two_carries_it() {
    let old_links = Contract { renewal: Some("2".parse().unwrap()), ..old() };
    assert_eq!(follow([old_links, contract(2, "2026-11-11", "2027-11-10")], &[]), Ok("2".into()));
    assert_eq!(follow([old(), linked(2, 1, "2026-11-11", "2027-11-10")], &[]), Ok("2".into()));
}

#[test]
fn a_link_to_the_contract_before_is_no_way_forward() {
    let old_renewed = Contract { renewal: Some("7".parse().unwrap()), ..old() };
    let before = contract(7, "2024-11-11", "2025-11-10");
    assert_eq!(follow([old_renewed.clone(), before.clone()], &[7]), Err(String::new()));
    assert_eq!(follow([old_renewed, before, linked(2, 1, "2026-11-11", "2027-11-10")], &[]), Ok("2".into()));
}

#[test]
fn a_link_to_a_contract_that_begins_or_ends_with_the_old_one_is_no_way_forward() {
    for (start, end) in [("2026-05-01", "2026-11-10"), ("2025-11-11", "2027-11-10"), ("2025-01-01", "2027-11-10")] {
        assert_eq!(follow([old(), linked(2, 1, start, end)], &[2]), Err(String::new()), "{start} to {end}");
    }
}

#[test]
fn a_link_goes_before_days_and_services() {
    let contracts = || [old(), linked(2, 1, "2026-11-11", "2027-11-10"), contract(3, "2026-11-11", "2027-11-10")];
    assert_eq!(follow(contracts(), &[3]), Ok("2".into()));
}

#[test]
fn without_a_link_the_only_one_that_begins_where_the_old_one_ends_follows_if_it_carries_the_service() {
    // One that ran all along does not count.
    let contracts = || [old(), contract(3, "2026-11-11", "2027-11-10"), contract(4, "2026-01-01", "2026-12-31")];
    assert_eq!(follow(contracts(), &[3, 4]), Ok("3".into()));
    assert_eq!(
        follow(contracts(), &[4]),
        Err(" \"Care 3\" (3) could follow it, but it does not carry service 501.".into())
    );
}

#[test]
fn without_a_link_any_other_recurring_contract_near_the_end_leaves_a_doubt_and_all_are_named() {
    let both = " More than one contract could follow it: \"Care 2\" (2), \"Care 3\" (3).";
    let near = || contract(2, "2026-11-11", "2027-11-10");
    for other in [
        near(),
        contract(2, "2026-12-01", "2027-11-30"),
        Contract { active: false, ..near() },
        Contract { recurring: Some(PeriodType::Yearly), ..near() },
        // It begins within days of the end, and has ended itself.
        contract(2, "2026-11-11", "2026-11-15"),
    ] {
        for carrying in [&[2, 3][..], &[3], &[2], &[]] {
            let found = follow([old(), other.clone(), contract(3, "2026-11-11", "2027-11-10")], carrying);
            assert_eq!(found, Err(both.into()), "{other:?} {carrying:?}");
        }
    }
    for other in [
        Contract { recurring: None, ..near() },
        Contract { account: "8".parse().unwrap(), ..near() },
        contract(2, "2026-12-12", "2027-11-30"),
    ] {
        let found = follow([old(), other.clone(), contract(3, "2026-11-11", "2027-11-10")], &[2, 3]);
        assert_eq!(found, Ok("3".into()), "{other:?}");
    }
}

#[test]
fn a_lone_contract_near_the_end_that_can_not_be_written_is_explained() {
    let inactive = Contract { active: false, ..contract(3, "2026-11-11", "2027-11-10") };
    assert_eq!(follow([old(), inactive], &[3]), Err(" \"Care 3\" (3) could follow it, but it is inactive.".into()));
}

#[test]
fn a_successor_may_be_changed_from_the_day_after_the_last_contract_before_it() {
    let not_before = |contracts: Vec<Contract>| {
        let contracts = by_id(contracts);
        let lifecycle = Lifecycle { contracts: &contracts, today: TODAY };
        let old = &contracts[&"1".parse::<ContractId>().unwrap()];
        lifecycle.successor(old, &"501".parse().unwrap(), |_| true).unwrap().not_before
    };
    let overlaps = contract(2, "2026-10-15", "2027-10-14");
    assert_eq!(not_before(vec![old(), overlaps]), date(2026, 11, 11));
    let old = contract(1, "2024-01-01", "2024-12-31");
    let chain = vec![old, linked(2, 1, "2025-01-01", "2026-11-15"), linked(3, 2, "2026-11-01", "2027-10-31")];
    assert_eq!(not_before(chain), date(2026, 11, 16));
}

#[test]
fn near_is_31_days_either_way() {
    for (end, start, follows) in [
        ("2026-10-10", "2026-11-10", true),
        ("2026-10-10", "2026-11-11", false),
        ("2026-11-10", "2026-10-10", true),
        ("2026-11-10", "2026-10-09", false),
    ] {
        let old = contract(1, "2025-01-01", end);
        let found = follow([old, contract(2, start, "2027-12-31")], &[2]);
        assert_eq!(found.is_ok(), follows, "{end} {start}: {found:?}");
    }
}

#[test]
fn a_successor_that_has_not_begun_is_named_with_its_day() {
    let coming = " \"Care 2\" (2) could follow it, but begins on 2026-12-01.";
    assert_eq!(follow([old(), contract(2, "2026-12-01", "2027-11-30")], &[]), Err(coming.into()));
    assert_eq!(follow([old(), linked(2, 1, "2026-12-01", "2027-11-30")], &[]), Err(coming.into()));
    // It bills nothing yet: of two that the PSA links, it leaves no doubt about the one that does.
    let running = linked(3, 1, "2026-11-11", "2027-11-10");
    assert_eq!(follow([old(), linked(2, 1, "2026-12-01", "2027-11-30"), running], &[]), Ok("3".into()));
}

#[test]
fn what_can_not_be_written_is_not_followed_even_where_it_is_linked() {
    let next = || linked(2, 1, "2026-11-11", "2027-11-10");
    for (unfit, why) in [
        (Contract { active: false, ..next() }, "it is inactive"),
        (Contract { account: "8".parse().unwrap(), ..next() }, "it bills account 8"),
        (Contract { recurring: None, ..next() }, "it is not a recurring service contract"),
        (Contract { recurring: Some(PeriodType::Yearly), ..next() }, "it bills by other periods"),
    ] {
        // The PSA says what renews it: another one that would fit by its days is not taken instead.
        let found = follow([old(), unfit, contract(3, "2026-11-11", "2027-11-10")], &[2, 3]);
        assert_eq!(found, Err(format!(" \"Care 2\" (2) could follow it, but {why}.")));
    }
}

#[test]
fn a_link_to_a_contract_that_is_not_shown_is_explained_and_nothing_is_taken_instead() {
    let old = Contract { renewal: Some("4711".parse().unwrap()), ..old() };
    assert_eq!(
        follow([old, contract(3, "2026-11-11", "2027-11-10")], &[3]),
        Err(" The PSA links it with contract 4711, which we are not shown.".into())
    );
}

#[test]
fn what_renews_another_contract_does_not_follow_this_one_by_its_days() {
    let other = contract(5, "2025-11-11", "2026-11-09");
    let found = follow([old(), other, linked(2, 5, "2026-11-11", "2027-11-10")], &[2]);
    assert_eq!(found, Err(" \"Care 2\" (2) could follow it, but the PSA links it with another.".into()));
}

#[test]
fn a_chain_of_ended_contracts_is_followed_to_the_one_that_runs() {
    let old = || contract(1, "2024-01-01", "2024-12-31");
    let mid = || linked(2, 1, "2025-01-01", "2025-12-31");
    let found = follow([old(), mid(), linked(3, 2, "2026-01-01", "2026-12-31")], &[]);
    assert_eq!(found, Ok("3".into()));
    assert_eq!(
        follow([old(), mid(), linked(3, 2, "2026-12-01", "2027-12-31")], &[]),
        Err(" \"Care 2\" (2) followed it and ended on 2025-12-31. \"Care 3\" (3) could follow it, but begins on 2026-12-01."
            .into())
    );
    assert_eq!(follow([old(), mid()], &[]), Err(" \"Care 2\" (2) followed it and ended on 2025-12-31.".into()));
}

#[test]
fn a_chain_of_five_is_followed_and_one_of_six_is_not() {
    let year = |number: u32, last: u32| {
        let start = date(2026 - i16::try_from(last - number).unwrap(), 1, 1);
        let end = start.saturating_add(1.year()).yesterday().unwrap();
        linked(number, number.saturating_sub(1), &start.to_string(), &end.to_string())
    };
    assert_eq!(follow([1, 2, 3, 4, 5, 6].map(|n| year(n, 6)), &[]), Ok("6".into()));
    let found = follow([1, 2, 3, 4, 5, 6, 7].map(|n| year(n, 7)), &[]).unwrap_err();
    assert!(found.ends_with(" So many contracts in a row are not followed."), "{found}");
}

#[test]
fn the_end_of_a_contract_is_announced_for_its_last_30_days_unless_it_is_renewed() {
    let ends = |end: &str, others: Vec<Contract>| {
        let contracts = by_id(others.into_iter().chain([contract(1, "2026-01-01", end)]));
        let lifecycle = Lifecycle { contracts: &contracts, today: TODAY };
        lifecycle.expires_in(&contracts[&"1".parse::<ContractId>().unwrap()])
    };
    assert_eq!(ends("2026-12-21", vec![]), Some(30));
    assert_eq!(ends("2026-12-22", vec![]), None);
    assert_eq!(ends("2026-11-21", vec![]), Some(0), "its last day");
    assert_eq!(ends("2026-11-20", vec![]), None, "it has ended");
    let renewal = linked(2, 1, "2026-12-22", "2027-12-21");
    assert_eq!(ends("2026-12-21", vec![renewal.clone()]), None);
    assert_eq!(ends("2026-12-21", vec![Contract { active: false, ..renewal }]), Some(30));
    assert_eq!(ends("2026-12-21", vec![contract(2, "2026-12-22", "2027-12-21")]), Some(30), "nothing links them");
}

prop_compose! {
    fn any_contract()(
        id in 2..12u32,
        account in 8..10u32,
        start in -900..200i32,
        days in 0..500i32,
        active in prop::bool::weighted(0.8),
        kind in 0..6usize,
        link in prop::option::of(1..12u32),
    ) -> Contract {
        let start = TODAY.saturating_add(start.days());
        let recurring = [Some(PeriodType::Yearly), None].get(kind).copied().unwrap_or(Some(PeriodType::Monthly));
        Contract {
            id: id.to_string().parse().unwrap(),
            account: account.to_string().parse().unwrap(),
            name: format!("Care {id}"),
            recurring,
            active,
            start,
            end: start.saturating_add(days.days()),
            renewal: link.filter(|link| *link != id).map(|link| link.to_string().parse().unwrap()),
        }
    }
}

proptest! {
    #[test]
    fn a_successor_is_of_the_same_account_and_writable_today_and_nothing_else_is(
        others in prop::collection::vec(any_contract(), 0..8),
        ended in 1..600i32,
        link in prop::option::of(2..12u32),
        carrying in prop::collection::btree_set(2..12u32, 0..12),
    ) {
        let end = TODAY.saturating_sub(ended.days());
        let start = end.saturating_sub(365.days());
        let renewal = link.map(|link| link.to_string().parse().unwrap());
        let old = Contract { start, end, renewal, ..old() };
        let contracts = by_id(others.into_iter().chain([old.clone()]));
        let lifecycle = Lifecycle { contracts: &contracts, today: TODAY };
        let carries = |id: &ContractId| carrying.iter().any(|one| one.to_string() == id.as_str());
        if let Ok(found) = lifecycle.successor(&old, &"501".parse().unwrap(), carries) {
            let next = found.contract;
            prop_assert!(found.not_before > old.end && found.not_before <= TODAY, "{:?}", found);
            prop_assert_eq!(&next.account, &old.account);
            prop_assert!(next.writable_on(TODAY).is_ok(), "{:?}", next);
            prop_assert_eq!(next.recurring, old.recurring);
            prop_assert!(next.start > old.start && next.end > old.end);
            let linked = contracts.values().any(|at| at.renewal == Some(next.id.clone())) || next.renewal.is_some();
            prop_assert!(linked || carries(&next.id), "{:?}", next);
        }
    }
}
