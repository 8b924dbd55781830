//! An entry of the history: who did what, when, to what, and what it was before and after.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::charge::ChargeLine;
use crate::domain::difference::Fields;
use crate::domain::ids::{AccountId, CompanyId, ContractId, ProductKey, RunId, ServiceId};
use crate::domain::line::LineKey;
use crate::domain::money::Currency;

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
    /// Tickets were mapped.
    TicketsMapped,
    /// Their mapping was changed.
    TicketsRemapped,
    /// Their mapping was removed.
    TicketsUnmapped,
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
    /// A charge was made, or one that corrects what is billed.
    ChargeMade,
    /// A charge that is not billed was changed.
    ChargeChanged,
    /// A charge that is not billed was taken away.
    ChargeRemoved,
}

impl Kind {
    /// Whether it is of writes of charges.
    pub(super) fn is_of_charges(self) -> bool {
        matches!(self, Self::ChargeMade | Self::ChargeChanged | Self::ChargeRemoved)
    }
}

/// How sure it is that a change of a line or a charge was made.
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
    /// It was sent, and the PSA refused it, or did not show it when it could be on its way no more. Of charges only.
    Rejected,
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
    /// The company; of a line the one of its first feed, of a charge that of its first record.
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
    /// The charge, as results name it: `contract#product#first day of the billing period#meter`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_id: Option<String>,
    /// What the invoice calls the charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Our name of what is written in the PSA: the charge itself, or one that corrects it once it is billed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The PSA account of a charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub account_id: Option<AccountId>,
    /// First day of a charge's billing period.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub period_start: Option<Date>,
    /// Its last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub period_end: Option<Date>,
    /// The currency of a charge's amounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub currency: Option<Currency>,
    /// The contract of the line or the charge.
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
    /// What became of a change of a line or a charge, as far as it is known now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Of a write of a charge, why it was not made, or why it is not known what became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
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
            charge_id: None,
            name: None,
            reference: None,
            account_id: None,
            period_start: None,
            period_end: None,
            currency: None,
            contract_id: None,
            service_id: None,
            run_id: None,
            of_run_id: None,
            effective_date: None,
            state: None,
            code: None,
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

    /// Of a charge.
    pub(super) fn of_charge(mut self, charge: &ChargeLine) -> Self {
        self.charge_id = Some(charge.to_string());
        self.contract_id = Some(charge.contract.clone());
        self.product = Some(charge.key.product.clone());
        self.period_start = Some(charge.key.period_start);
        self
    }

    /// With what changed; nothing is left out where nothing was there.
    pub(super) fn changing(mut self, before: Fields, after: Fields) -> Self {
        self.before = Some(before).filter(|fields| !fields.is_empty());
        self.after = Some(after).filter(|fields| !fields.is_empty());
        self
    }
}
