//! Which account goes to which company, case by case.

use std::collections::{BTreeMap, BTreeSet};

use super::{AccountToMatch, CompanyToMatch, EvidenceKind, KnownAccount, Match, Suggestion, suggest};
use crate::domain::ids::{AccountId, CompanyId};

fn accounts(names: &[&str]) -> Vec<AccountToMatch> {
    let account = |(name, number): (&&str, u32)| AccountToMatch {
        id: number.to_string().parse().unwrap(),
        name: (*name).to_owned(),
        number: None,
    };
    names.iter().zip(1..).map(account).collect()
}

fn company(id: &str, name: &str, known: &[KnownAccount]) -> CompanyToMatch {
    CompanyToMatch { company: id.parse().unwrap(), name: Some(name.to_owned()), known: known.to_vec() }
}

fn companies(names: &[&str]) -> Vec<CompanyToMatch> {
    names.iter().zip(1..).map(|(name, number)| company(&format!("c{number}"), name, &[])).collect()
}

fn id(account: &str) -> AccountId {
    account.parse().unwrap()
}

fn nobody() -> BTreeMap<AccountId, BTreeSet<CompanyId>> {
    BTreeMap::new()
}

/// The account of each, with a question mark where that is not sure.
fn told(found: &[Suggestion]) -> Vec<String> {
    let told = |found: &Suggestion| match &found.best {
        Some(best) => format!("{}{}", best.account_id, if found.sure { "" } else { "?" }),
        None => "-".to_owned(),
    };
    found.iter().map(told).collect()
}

fn kinds(found: &Suggestion) -> Vec<EvidenceKind> {
    found.best.iter().flat_map(|best| &best.evidence).map(|evidence| evidence.kind).collect()
}

#[test]
fn an_account_goes_to_the_company_that_is_likeliest_to_be_it() {
    let found = suggest(
        &companies(&["Weber Dach", "Weber Dachbau Services", "Weber Dach GmbH & Co. KG"]),
        &accounts(&["Weber Dach GmbH"]),
        &nobody(),
    );
    // Two are equally likely, so neither is sure; the third sees that it is not the only one.
    assert_eq!(told(&found), ["1?", "-", "1?"]);
    assert!(kinds(&found[0]).contains(&EvidenceKind::ClaimedByAnother), "{found:?}");

    let found = suggest(&companies(&["Elm Logistcs", "Elm Logistics"]), &accounts(&["ELM Logistics Ltd"]), &nobody());
    assert_eq!(told(&found), ["1?", "1"]);
    assert!(kinds(&found[0]).contains(&EvidenceKind::ClaimedByAnother), "{found:?}");
}

#[test]
fn of_two_that_differ_by_legal_form_the_one_that_is_spelt_alike_is_meant() {
    let found =
        suggest(&companies(&["Weber GmbH", "WEBER AG", "Weber"]), &accounts(&["Weber AG", "Weber GmbH"]), &nobody());
    assert_eq!(told(&found), ["2", "1", "1?"]);
}

#[test]
fn who_loses_an_account_takes_the_next_where_that_is_as_good_as_sure() {
    let names = ["Harbour Elm Logistics", "Harbour Elm Logistcs"];
    let found = suggest(&companies(&names), &accounts(&["Harbour Elm Logistics", "Elm Harbour Logistics"]), &nobody());
    assert_eq!(told(&found), ["1", "2"], "{found:?}");
}

#[test]
fn an_account_that_is_mapped_is_another_companys() {
    let mapped = BTreeMap::from([(id("1"), BTreeSet::from(["other".parse().unwrap()]))]);
    let found = suggest(&companies(&["Anker Werft"]), &accounts(&["Anker Werft"]), &mapped);
    assert_eq!((told(&found), kinds(&found[0]).last()), (vec!["1?".to_owned()], Some(&EvidenceKind::AlreadyMapped)));
    // Also where the usage says that it is this one's too: two companies on one account are a person's to decide.
    let stated = [company("c1", "Anker Werft", &[KnownAccount::Stated(id("1"))])];
    assert_eq!(told(&suggest(&stated, &accounts(&["Anker Werft"]), &mapped)), ["1?"]);
}

#[test]
fn two_ids_that_contradict_each_other_are_both_told() {
    let known = [KnownAccount::Stated(id("1")), KnownAccount::OnAnotherConnection(id("2"), "Second".to_owned())];
    let found = suggest(&[company("c1", "Anker", &known)], &accounts(&["Anker", "Boje"]), &nobody());
    assert_eq!((told(&found), found[0].alternatives[0].account_id.as_str()), (vec!["1?".to_owned()], "2"));
    assert!(kinds(&found[0]).contains(&EvidenceKind::Tie));
}

#[test]
fn an_id_of_no_active_account_says_nothing() {
    let known = [KnownAccount::Stated(id("99")), KnownAccount::Removed(id("98"))];
    let found = suggest(&[company("c1", "Anker", &known)], &accounts(&["Anker GmbH"]), &nobody());
    assert_eq!(found[0].best.as_ref().map(|best| (best.r#match, best.score)), Some((Match::Name, 960)));
}

#[test]
fn a_company_without_a_name_is_found_by_its_ids_alone() {
    let mut numbered = accounts(&["Anker", "Boje"]);
    numbered[1].number = Some(" C7 ".to_owned());
    let unnamed = CompanyToMatch { company: "c7".parse().unwrap(), name: None, known: Vec::new() };
    let found = suggest(&[unnamed], &numbered, &nobody());
    assert_eq!((told(&found), kinds(&found[0])), (vec!["2".to_owned()], vec![EvidenceKind::SameNumber]));
}

#[test]
fn nothing_is_suggested_where_only_everybodys_words_agree() {
    let of = ["Gamma Services Group", "Group Services", "IT"];
    let among = ["Omega Services Group", "Delta IT Services", "Sigma Group GmbH", "Zeta IT Group"];
    let found = suggest(&companies(&of), &accounts(&among), &nobody());
    assert!(found.iter().all(|found| !found.sure), "{found:?}");
    assert_eq!(told(&found)[0], "-");
    assert!(suggest(&[], &accounts(&among), &nobody()).is_empty());
    assert_eq!(told(&suggest(&companies(&["Anker", "..."]), &[], &nobody())), ["-", "-"]);
}

#[test]
fn at_most_three_more_are_told_best_first() {
    let among = ["Anker Bau", "Anker Dach", "Anker Holz", "Anker Glas", "Anker Stahl"];
    let found = suggest(&companies(&["Anker"]), &accounts(&among), &nobody());
    assert!(!found[0].sure && found[0].alternatives.len() == 3, "{found:?}");
    let scores: Vec<u32> = found[0].alternatives.iter().map(|candidate| candidate.score).collect();
    assert!(scores.is_sorted_by(|one, other| one >= other));
}
