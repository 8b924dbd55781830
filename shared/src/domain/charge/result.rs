//! A charge's row in a run's results.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::decide::ChargeApproval;
use super::standing::Amounts;
use crate::domain::ids::{AccountId, CompanyId, ContractId, Meter, ProductKey};
use crate::domain::line::LineStatus;
use crate::domain::money::Currency;
use crate::domain::reason::Code;

/// What became of a charge in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChargeResult {
    /// Names the charge: `contract#product#first day of the billing period#meter`; a bundle ends after the last `#`.
    pub charge_id: String,
    /// The company of its first record.
    #[schema(value_type = String)]
    pub company: CompanyId,
    /// Its name.
    pub company_name: String,
    /// The product.
    #[schema(value_type = String)]
    pub product: ProductKey,
    /// What is charged for; null of a bundle.
    #[schema(value_type = Option<String>)]
    pub meter: Option<Meter>,
    /// What the invoice calls it, or is to call it.
    pub name: String,
    /// The PSA account.
    #[schema(value_type = String)]
    pub account_id: AccountId,
    /// The contract.
    #[schema(value_type = String)]
    pub contract_id: ContractId,
    /// First day of the billing period.
    #[schema(value_type = String, format = Date)]
    pub period_start: Date,
    /// Its last day.
    #[schema(value_type = String, format = Date)]
    pub period_end: Date,
    /// The currency of all amounts, where it is known.
    #[schema(value_type = Option<String>)]
    pub currency: Option<Currency>,
    /// What stands in the PSA, with what is billed; null where it is not known.
    #[schema(value_type = Option<ChargeAmounts>)]
    pub before: Option<Amounts>,
    /// What should stand there.
    #[schema(value_type = Option<ChargeAmounts>)]
    pub target: Option<Amounts>,
    /// What was read back after a write.
    #[schema(value_type = Option<ChargeAmounts>)]
    pub after: Option<Amounts>,
    /// Usage records that it is made of.
    pub records: u32,
    /// Our name of what is written in the PSA, where something is.
    pub reference: Option<String>,
    /// What became of it.
    pub status: LineStatus,
    /// Stable name of the reason; empty where all is well.
    pub code: String,
    /// What happened, in words.
    pub explanation: String,
    /// What to do about it; empty where nothing has to be done.
    pub fix: String,
}

/// Cost and price of a charge.
#[derive(Debug, Clone, Copy, utoipa::ToSchema)]
#[allow(dead_code, reason = "describes Amounts in the contract of the API")]
pub struct ChargeAmounts {
    /// What it costs the partner.
    #[schema(example = "8.40")]
    cost: &'static str,
    /// What the customer pays.
    #[schema(example = "10.08")]
    price: &'static str,
}

impl ChargeResult {
    /// What approving it would agree to; `None` where it waits for no approval.
    #[must_use]
    pub fn approval(&self) -> Option<ChargeApproval> {
        let waits = match self.status {
            LineStatus::Planned => true,
            LineStatus::Held => Code::named(&self.code).is_some_and(Code::approvable),
            _ => false,
        };
        let approval = ChargeApproval { before: self.before?, target: self.target?, name: self.name.clone() };
        waits.then_some(approval)
    }
}
