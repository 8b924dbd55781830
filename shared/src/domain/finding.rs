//! Findings: what a person must look at, and when one opens, stays, comes back or goes.
//!
//! A run notices; a finding remembers. The same thing noticed again is the same finding, a thing no longer noticed is gone,
//! and a person who has looked at one resolves it. What a line's row says to its findings is in [`Says`]; what becomes of
//! one finding is [`Next`]. Storing them is left to the store, and what resolving one does to its line to the ledger.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::charge::{Amounts, ChargeLine, ChargeResult};
use super::ids::{AccountId, CompanyId, ConnectionId, ContractId, ProductKey, RunId};
use super::line::{LineKey, LineResult, LineStatus};
use super::money::LineMoney;
use super::reason::{Code, Reason};
use super::units::Units;

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A line.
    Line(LineKey),
    /// A metered charge.
    Charge(ChargeLine),
    /// A contract.
    Contract(ContractId),
    /// A company of the partner's.
    Company(CompanyId),
    /// A product.
    Product(ProductKey),
    /// The connection as a whole.
    Connection,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Charge(charge) => write!(f, "charge {charge}"),
            Self::Contract(contract) => write!(f, "contract {contract}"),
            Self::Company(company) => write!(f, "company {company}"),
            Self::Product(product) => write!(f, "product {product}"),
            Self::Connection => f.write_str("the connection"),
        }
    }
}

impl Subject {
    /// The contract, or the one that the line or the charge is on.
    #[must_use]
    pub fn contract(&self) -> Option<&ContractId> {
        match self {
            Self::Line(line) => Some(&line.contract),
            Self::Charge(charge) => Some(&charge.contract),
            Self::Contract(contract) => Some(contract),
            Self::Company(_) | Self::Product(_) | Self::Connection => None,
        }
    }

    /// The line, where it is one.
    #[must_use]
    pub fn line(&self) -> Option<&LineKey> {
        match self {
            Self::Line(line) => Some(line),
            Self::Charge(_) | Self::Contract(_) | Self::Company(_) | Self::Product(_) | Self::Connection => None,
        }
    }

    /// The charge, where it is one.
    #[must_use]
    pub fn charge(&self) -> Option<&ChargeLine> {
        match self {
            Self::Charge(charge) => Some(charge),
            Self::Line(_) | Self::Contract(_) | Self::Company(_) | Self::Product(_) | Self::Connection => None,
        }
    }
}

/// Something that a run noticed. With the same subject and code it is the same finding, however often it is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noticed {
    /// What it is about.
    pub subject: Subject,
    /// Code, explanation and repair step.
    pub reason: Reason,
    /// What a person who resolves it has seen, as text (`40>12`, a contract's end). While it stays the same, a resolved
    /// finding stays resolved; where it is `None`, the next run that notices the thing opens the finding again.
    pub about: Option<String>,
    /// The PSA account, where one is known.
    pub account: Option<AccountId>,
    /// The company of the line's first feed.
    pub company: Option<CompanyId>,
    /// Its name.
    pub company_name: String,
    /// The product of the line's first feed.
    pub product: Option<ProductKey>,
    /// Units found in the PSA.
    pub before: Option<Units>,
    /// Units that the line should carry.
    pub target: Option<Units>,
    /// The day from which the change in question counts.
    pub effective_date: Option<Date>,
    /// What is at stake, where it is known: positive what is not billed yet, negative what is billed too much.
    #[serde(default)]
    pub money: Option<LineMoney>,
}

impl Noticed {
    /// That `subject` has to be looked at for `reason`. Who and what it concerns may be added.
    #[must_use]
    pub fn of(subject: Subject, reason: Reason) -> Self {
        Self {
            subject,
            reason,
            about: None,
            account: None,
            company: None,
            company_name: String::new(),
            product: None,
            before: None,
            target: None,
            effective_date: None,
            money: None,
        }
    }

    /// Names the finding among those of its connection: 16 hexadecimal digits from subject and code.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let charge = self.subject.charge().map(ChargeLine::to_string).unwrap_or_default();
        let (kind, name, service) = match &self.subject {
            Subject::Line(line) => ("line", line.contract.as_str(), line.service.as_str()),
            Subject::Charge(_) => ("charge", charge.as_str(), ""),
            Subject::Contract(contract) => ("contract", contract.as_str(), ""),
            Subject::Company(company) => ("company", company.as_str(), ""),
            Subject::Product(product) => ("product", product.as_str(), ""),
            Subject::Connection => ("connection", "", ""),
        };
        let mut hash = Sha256::new();
        for part in [kind, name, service, &self.reason.code] {
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whose it is and what is at stake, as it was known before, where this notice does not know. Prices are not read in every
    /// run, and what is at stake stays what it is while the numbers are the same.
    fn or_known_of(mut self, before: &Self) -> Self {
        if self.money.is_none() && (self.before, self.target) == (before.before, before.target) {
            self.money.clone_from(&before.money);
        }
        if self.company.is_none() {
            self.company.clone_from(&before.company);
            self.company_name.clone_from(&before.company_name);
        }
        self.account = self.account.or_else(|| before.account.clone());
        self.product = self.product.or_else(|| before.product.clone());
        self
    }
}

/// What a line's row in a run says to the findings of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// Something that a person must look at.
    Notice(Box<Noticed>),
    /// All is well.
    Clear,
    /// Nothing: the line was not looked at to the end. Its findings stay as they are.
    Silent,
}

impl Says {
    /// What `row` says.
    #[must_use]
    pub fn of(row: &LineResult) -> Self {
        match (row.status, Code::named(&row.code)) {
            (LineStatus::Failed, Some(Code::GivenUp)) => Self::Silent,
            (LineStatus::Held, _) => Self::noticed(row, Some(numbers(row))),
            (LineStatus::Failed | LineStatus::Unknown, _) => Self::noticed(row, None),
            (LineStatus::Skipped, Some(Code::ContractNotStarted | Code::UsageMissing)) => {
                Self::noticed(row, Some(row.explanation.clone()))
            }
            (LineStatus::Skipped, Some(Code::UsageNotInPeriod | Code::NoPeriodAhead)) => Self::Clear,
            (LineStatus::Skipped, _) => Self::Silent,
            // A job that was called off shows why, and no numbers.
            (LineStatus::Planned, _) if row.before.is_none() => Self::Silent,
            (LineStatus::Updated | LineStatus::Unchanged | LineStatus::Planned, code) => {
                Self::of_what_was_left(row, code)
            }
        }
    }

    /// Units are right, or are made right, and something beside them may have been left as it was: a held price, say.
    fn of_what_was_left(row: &LineResult, code: Option<Code>) -> Self {
        match code.map(Code::status) {
            Some(LineStatus::Held) => Self::noticed(row, Some(numbers(row))),
            Some(LineStatus::Failed) => Self::noticed(row, None),
            _ => Self::Clear,
        }
    }

    fn noticed(row: &LineResult, about: Option<String>) -> Self {
        let reason = Reason { code: row.code.clone(), explanation: row.explanation.clone(), fix: row.fix.clone() };
        Self::Notice(Box::new(Noticed {
            subject: Subject::Line(row.key()),
            reason,
            about,
            account: Some(row.account_id.clone()),
            company: Some(row.company.clone()),
            company_name: row.company_name.clone(),
            product: Some(row.product.clone()),
            before: row.before,
            target: row.target,
            // Under some policies the day of a held change moves with every run; that alone is nothing new.
            effective_date: row.effective_date.filter(|_| row.status != LineStatus::Held),
            money: row.money.clone(),
        }))
    }

    /// What the row of a charge says to the findings of `charge`.
    #[must_use]
    pub fn of_charge(charge: &ChargeLine, row: &ChargeResult) -> Self {
        let noticed = |about: Option<String>| {
            let reason = Reason { code: row.code.clone(), explanation: row.explanation.clone(), fix: row.fix.clone() };
            Self::Notice(Box::new(Noticed {
                about,
                account: Some(row.account_id.clone()),
                company: Some(row.company.clone()),
                company_name: row.company_name.clone(),
                product: Some(row.product.clone()),
                ..Noticed::of(Subject::Charge(charge.clone()), reason)
            }))
        };
        match (row.status, Code::named(&row.code)) {
            (LineStatus::Failed, Some(Code::GivenUp)) | (LineStatus::Skipped, _) => Self::Silent,
            (LineStatus::Held, _) => noticed(Some(amounts(row))),
            (LineStatus::Failed | LineStatus::Unknown, _) => noticed(None),
            // A job that was called off shows why, and no numbers.
            (LineStatus::Planned, _) if row.before.is_none() => Self::Silent,
            (LineStatus::Updated | LineStatus::Unchanged | LineStatus::Planned, _) => Self::Clear,
        }
    }

    /// Whether this ends a finding of the same line under `code`. A line has one row in a run, so whatever else was found
    /// on it is over; but a PSA's error says nothing of what the plan found before the PSA was asked.
    #[must_use]
    pub fn ends(&self, code: &str) -> bool {
        match self {
            Self::Silent => false,
            Self::Clear => true,
            Self::Notice(noticed) => {
                let now = noticed.reason.code.as_str();
                now != code && (Code::named(now).is_some() || Code::named(code).is_none())
            }
        }
    }
}

/// `40>12`; `-` for a number that is not known.
fn numbers(row: &LineResult) -> String {
    let number = |units: Option<Units>| units.map_or_else(|| "-".to_owned(), |units| units.to_string());
    // Without a target nothing is asked of anybody that what the PSA shows would change.
    format!("{}>{}", number(row.before.filter(|_| row.target.is_some())), number(row.target))
}

/// As [`numbers`], of a charge.
fn amounts(row: &ChargeResult) -> String {
    let told = |amounts: Option<Amounts>| amounts.map_or_else(|| "-".to_owned(), |amounts| amounts.to_string());
    format!("{}>{}", told(row.before.filter(|_| row.target.is_some())), told(row.target))
}

/// How far a finding has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// A person must look at it.
    Open,
    /// A person has looked at it; it is still noticed, or no run has gone over it since.
    Resolved,
    /// Over.
    Closed,
}

/// Why a finding was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It was not noticed any more.
    Gone,
    /// A person had resolved it.
    Resolved,
}

/// A finding, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `{connection}.{fingerprint}`. A thing that comes back has the same id again.
    pub id: String,
    /// The connection whose runs noticed it.
    pub connection: ConnectionId,
    /// What was noticed.
    pub noticed: Noticed,
    /// How far it has come.
    pub state: FindingState,
    /// When it was noticed first.
    pub opened_at: Timestamp,
    /// When it last changed: a run that notices it with the same words and numbers writes nothing.
    pub seen_at: Timestamp,
    /// The run that noticed it so; of an alert, its episode.
    pub run: RunId,
    /// Raised by every write.
    pub version: u32,
    /// When a person resolved it.
    #[serde(default)]
    pub resolved_at: Option<Timestamp>,
    /// Who.
    #[serde(default)]
    pub resolved_by: Option<String>,
    /// What that person said.
    #[serde(default)]
    pub note: Option<String>,
    /// When it was over.
    #[serde(default)]
    pub closed_at: Option<Timestamp>,
    /// Why.
    #[serde(default)]
    pub ending: Option<Ending>,
}

/// What a run has to say to one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// It was noticed.
    Noticed(Box<Noticed>),
    /// It is not there any more.
    Gone,
}

/// What becomes of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    Stays,
    /// It is open from now on, or its words or numbers are others.
    Is(Box<Finding>),
    /// It is closed.
    Closes(Box<Finding>),
    /// The one that was resolved is closed, and another takes its place.
    BeginsAnew {
        /// As it was, closed.
        closed: Box<Finding>,
        /// What is open from now on.
        opened: Box<Finding>,
    },
}

impl Next {
    /// What becomes of the finding that stands (`found`), if one does, after a run's `word` on it.
    #[must_use]
    pub fn after(found: Option<&Finding>, word: &Word, connection: &ConnectionId, run: &RunId, at: Timestamp) -> Self {
        match (found, word) {
            (None, Word::Gone) => Self::Stays,
            (None, Word::Noticed(noticed)) => {
                Self::Is(Box::new(Finding::open((**noticed).clone(), connection, run, at)))
            }
            (Some(found), Word::Gone) => Self::Closes(Box::new(found.clone().closed(at))),
            (Some(found), Word::Noticed(noticed)) => found.again((**noticed).clone(), run, at),
        }
    }
}

impl Finding {
    fn open(noticed: Noticed, connection: &ConnectionId, run: &RunId, at: Timestamp) -> Self {
        Self {
            id: format!("{connection}.{}", noticed.fingerprint()),
            connection: connection.clone(),
            noticed,
            state: FindingState::Open,
            opened_at: at,
            seen_at: at,
            run: run.clone(),
            version: 1,
            resolved_at: None,
            resolved_by: None,
            note: None,
            closed_at: None,
            ending: None,
        }
    }

    fn again(&self, noticed: Noticed, run: &RunId, at: Timestamp) -> Next {
        let noticed = noticed.or_known_of(&self.noticed);
        let version = self.version.saturating_add(1);
        if self.state == FindingState::Open {
            let same = noticed == self.noticed;
            let changed = || Self { noticed, seen_at: at, run: run.clone(), version, ..self.clone() };
            return if same { Next::Stays } else { Next::Is(Box::new(changed())) };
        }
        // A job may be done twice: what a person resolved in between was noticed by the same run.
        if (noticed.about.is_some() && noticed.about == self.noticed.about) || *run == self.run {
            return Next::Stays;
        }
        let opened = Self { version, ..Self::open(noticed, &self.connection, run, at) };
        Next::BeginsAnew { closed: Box::new(self.clone().closed(at)), opened: Box::new(opened) }
    }

    fn closed(self, at: Timestamp) -> Self {
        let ending = if self.state == FindingState::Resolved { Ending::Resolved } else { Ending::Gone };
        let version = self.version.saturating_add(1);
        Self { state: FindingState::Closed, closed_at: Some(at), ending: Some(ending), version, ..self }
    }

    /// What a new partner has hundreds of in one night: the digest counts them, and nobody is told of each.
    #[must_use]
    pub fn comes_in_crowds(&self) -> bool {
        matches!(
            Code::named(&self.noticed.reason.code),
            Some(
                Code::CompanyNotMapped
                    | Code::ProductNotMapped
                    | Code::ChargesNotMapped
                    | Code::LineWithoutUsage
                    | Code::AlertCompanyNotMapped
            )
        )
    }

    /// The finding after a person has resolved it.
    #[must_use]
    pub fn resolved(&self, by: &str, note: Option<&str>, at: Timestamp) -> Self {
        Self {
            state: FindingState::Resolved,
            resolved_at: Some(at),
            resolved_by: Some(by.to_owned()),
            note: note.map(str::to_owned),
            version: self.version.saturating_add(1),
            ..self.clone()
        }
    }
}

#[cfg(test)]
#[path = "finding_test.rs"]
mod tests;
