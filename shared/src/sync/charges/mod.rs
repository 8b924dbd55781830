//! Metered charges in a sync: from the records of usage and the mappings to charges that stand in the PSA.
//!
//! `wanted` says what should stand, by records alone; `draft` is the planner's half: it reads the PSA in bulk, decides at once
//! what needs no write and hands the rest to jobs of accounts; `work` is the job's half, under the account's lease. What
//! becomes of one charge is decided in `domain::charge`, what was written is kept by `ledger`, and what an unseen write came
//! to is said by `judge`. Records that nothing bills are told by `unmapped`.

mod deciding;
mod draft;
mod earlier;
mod job;
mod judge;
mod row;
mod shown;
mod unmapped;
mod wanted;
mod work;
mod write;

pub(super) use draft::{ChargesDraft, draft};
pub(super) use earlier::stopped_rows;
pub(super) use job::ChargesJob;
pub use unmapped::UnmappedCharges;
pub(super) use unmapped::notices;
pub(super) use work::ChargesShift;
