//! An entry of the history: who did what, when, to what, and what it was before and after.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::difference::Fields;
use crate::domain::ids::{CompanyId, ContractId, ProductKey, RunId, ServiceId};
use crate::domain::line::LineKey;

/// What an entry is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HistoryKind)]
pub enum Kind {
    /// The connection was made.
    ConnectionCreated,
    /// Its settings were changed.
    ConnectionChanged,
    /// Its credentials were replaced.
    CredentialsReplaced,
    /// The PSA turned the credentials away.
    CredentialsRejected,
    /// The PSA takes the credentials again.
    CredentialsAccepted,
    /// The connection was ended.
    ConnectionRevoked,
    /// A product was mapped.
    ProductMapped,
    /// Its mapping was changed.
    ProductChanged,
    /// Its mapping was removed.
    ProductUnmapped,
    /// The charges of a product were mapped.
    ChargesMapped,
    /// Their mapping was changed.
    ChargesRemapped,
    /// Their mapping was removed.
    ChargesUnmapped,
    /// A company was mapped.
    CompanyMapped,
    /// Its mapping was changed.
    CompanyChanged,
    /// Its mapping was removed.
    CompanyUnmapped,
    /// A run was asked for.
    Run,
    /// A change was approved.
    Approval,
    /// What a run had changed was to be taken back.
    Reversal,
    /// A finding was resolved.
    FindingResolved,
    /// A change of a line was written.
    UnitsChanged,
}

/// How sure it is that a change of a line was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ChangeState)]
pub enum State {
    /// The PSA shows it.
    Applied,
    /// It was sent, and what became of it is not known yet.
    Unknown,
    /// It was sent, nobody could tell what became of it, and a person gave it up.
    GivenUp,
}

/// Something that happened on a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = HistoryEntry)]
pub struct Entry {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who: a token's subject; `schedule` or `invoke` for runs that nobody asked for over HTTP; `system`.
    pub actor: String,
    /// What it is of.
    pub kind: Kind,
    /// The company; of a line the one of its first feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub company: Option<CompanyId>,
    /// The product; of a line the one of its first feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub product: Option<ProductKey>,
    /// The line, `contract:service`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_id: Option<String>,
    /// The line's contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub contract_id: Option<ContractId>,
    /// The line's service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub service_id: Option<ServiceId>,
    /// The run: the one that wrote a change, that was approved or asked for, or that noticed a finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub run_id: Option<RunId>,
    /// Of an approval, the run in which the change was held or planned; of a reversal, the run that is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub of_run_id: Option<RunId>,
    /// The day from which a change of a line counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub effective_date: Option<Date>,
    /// What became of a change of a line, as far as it is known now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// The same in a sentence.
    pub summary: String,
    /// The fields that changed, as they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub before: Option<Fields>,
    /// The same as they were from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub after: Option<Fields>,
}

impl Entry {
    /// One of `kind`, with nothing said about it.
    pub(super) fn new(kind: Kind, at: Timestamp, actor: &str, summary: String) -> Self {
        Self {
            at,
            actor: actor.to_owned(),
            kind,
            company: None,
            product: None,
            line_id: None,
            contract_id: None,
            service_id: None,
            run_id: None,
            of_run_id: None,
            effective_date: None,
            state: None,
            summary,
            before: None,
            after: None,
        }
    }

    /// Of a line.
    pub(super) fn of_line(mut self, line: &LineKey) -> Self {
        self.line_id = Some(line.to_string());
        self.contract_id = Some(line.contract.clone());
        self.service_id = Some(line.service.clone());
        self
    }

    /// With what changed; nothing is left out where nothing was there.
    pub(super) fn changing(mut self, before: Fields, after: Fields) -> Self {
        self.before = Some(before).filter(|fields| !fields.is_empty());
        self.after = Some(after).filter(|fields| !fields.is_empty());
        self
    }
}
