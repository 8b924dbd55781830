//! How an intent's row goes forward, whatever it is an intent to write: stored as sent, then settled. Never back.

use jiff::Timestamp;
use serde::de::IgnoredAny;

use super::{Lease, Ledger};
use crate::clock::fresh_id;
use crate::domain::intent::IntentState;
use crate::domain::units::Units;
use crate::store::{Condition, Key, StoreError, Write};

/// Holds of a row that no later lease on the same account has moved. The account of a contract may change while a write of
/// it is open: what was moved under another account's lease has a fence that can't be compared.
pub(super) const NOT_LATE: &str = "(#fence <= :fence OR (attribute_exists(#leased) AND #leased <> :leased))";

impl Ledger {
    /// Stores that the request of the intent at `row` is about to leave: under `fence`, and as long as the field named still
    /// says what it did. `false`: another worker has it.
    pub(super) async fn mark_sent(
        &self,
        row: &Key,
        fence: u64,
        (field, value): (&str, &str),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // The client may repeat this request when the first answer is lost: it must know its own write again.
        let call = fresh_id("sent");
        let sent = Condition::new("SET #state = :sent, #sent_at = :now, #sent_by = :call")
            .bind(":sent", IntentState::Sent)?
            .bind(":now", now.as_second())?
            .bind(":call", call)?;
        let intended = Condition::new(format!(
            "#fence = :fence AND #{field} = :value AND (#state = :intended OR (#state = :sent AND #sent_by = :call))"
        ))
        .bind(":intended", IntentState::Intended)?
        .bind(":fence", fence)?
        .bind(":value", value)?;
        Ok(self.table.update::<IgnoredAny>(row, &sent, &intended).await?.is_some())
    }

    /// Settles the intent at `row`, or says that nobody knows yet. `never_sent`: only while it is not stored as sent, so that a
    /// late worker that has just sent it wins. `landed`: the units that it led to instead of its target.
    pub(super) fn close_row(
        &self,
        row: &Key,
        lease: &Lease,
        (next, code): (IntentState, Option<&str>),
        never_sent: bool,
        landed: Option<Units>,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        // An outcome that is still unknown may be looked at again; that is no step back.
        let from = if never_sent { [IntentState::Intended; 2] } else { [IntentState::Sent, IntentState::Unknown] };
        let set = "SET #state = :next, #code = :code, #fence = :fence, #leased = :leased, #settled_at = :settled";
        let update = match landed {
            Some(units) => Condition::new(format!("{set}, #landed = :landed")).bind(":landed", units)?,
            None => Condition::new(set),
        };
        let update = update
            .bind(":leased", lease.name())?
            .bind(":next", next)?
            .bind(":code", code)?
            .bind(":fence", lease.fence)?
            .bind(":settled", next.is_settled().then(|| now.as_second()))?;
        let legal = Condition::new(format!("{NOT_LATE} AND (#state = :one OR #state = :other)"))
            .bind(":one", from[0])?
            .bind(":other", from[1])?;
        self.table.write_update(row, &update, &legal)
    }
}
