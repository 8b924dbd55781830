//! An account that may be a company's, and what speaks for it and against it.

use serde::Serialize;

use super::likeness::Likeness;
use crate::domain::ids::AccountId;

/// What an account is suggested for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// Its id is on record for the company.
    AccountId,
    /// Its number is the company's id.
    AccountNumber,
    /// The names are one but for legal form, case, spaces, punctuation and diacritics.
    Name,
    /// The names are alike.
    Similar,
}

/// Something that speaks for an account, or against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Evidence {
    /// What kind of thing.
    pub kind: EvidenceKind,
    /// In words.
    pub detail: String,
}

/// Kinds of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// The usage names the account.
    StatedByUsage,
    /// Another connection to the same PSA tenant maps the company to it.
    MappedOnAnotherConnection,
    /// The company was mapped to it here before.
    MappedBefore,
    /// The account's number is the company's id.
    SameNumber,
    /// The names are one.
    SameName,
    /// Words of both names.
    SharedWords,
    /// One name is made of the other's first letters.
    Initials,
    /// Telling words of one name alone.
    OtherWords,
    /// Both names have numbers, and others.
    OtherNumbers,
    /// The ids agree and the names have nothing in common.
    NamesDiffer,
    /// Another company is mapped to the account.
    AlreadyMapped,
    /// Another company is more like the account, or as like.
    ClaimedByAnother,
    /// Another account is as likely.
    Tie,
}

/// An account, and why it may be the company's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Candidate {
    /// The PSA's id.
    #[schema(value_type = String)]
    pub account_id: AccountId,
    /// Its name.
    pub account_name: String,
    /// What it is suggested for.
    pub r#match: Match,
    /// 0 to 1000; from 950 on more than a likeness of names.
    pub score: u32,
    /// What speaks for it and against it.
    pub evidence: Vec<Evidence>,
}

/// What a likeness comes from, in words; what speaks for it first.
pub(super) fn told(alike: &Likeness) -> Vec<Evidence> {
    let list = |words: &[String]| words.join(", ");
    let mut told = Vec::new();
    let mut add = |kind, detail| told.push(Evidence { kind, detail });
    let shared: Vec<String> = alike
        .shared
        .iter()
        .map(|(one, other)| if one == other { one.clone() } else { format!("{one} = {other}") })
        .collect();
    if !shared.is_empty() {
        add(EvidenceKind::SharedWords, format!("In both names: {}.", list(&shared)));
    }
    if alike.initials {
        add(EvidenceKind::Initials, "One name is made of the other's first letters.".to_owned());
    }
    if !alike.only_one.is_empty() {
        add(EvidenceKind::OtherWords, format!("Only in the company's name: {}.", list(&alike.only_one)));
    }
    if !alike.only_other.is_empty() {
        add(EvidenceKind::OtherWords, format!("Only in the account's name: {}.", list(&alike.only_other)));
    }
    if alike.other_numbers {
        add(EvidenceKind::OtherNumbers, "The names have different numbers.".to_owned());
    }
    told
}
