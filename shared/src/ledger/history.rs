//! What the ledger tells of a line's past: which change a run made there. Results say what a run reported; only an intent
//! says what it wrote.

use super::{Intent, Ledger};
use crate::domain::ids::RunId;
use crate::domain::intent::IntentState;
use crate::domain::line::LineKey;
use crate::store::lines::Tenancy;
use crate::store::{Page, Read, StoreError, schema};

/// Rows read at once: a run that is looked up is seldom an old one.
const ROWS_AT_ONCE: i32 = 25;

impl Ledger {
    /// The intent with which `run` changed `line`: the newest that was applied, or else the newest of that run.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn intent_of(&self, of: &Tenancy, line: &LineKey, run: &RunId) -> Result<Option<Intent>, StoreError> {
        let partition = schema::ledger(&of.partner, of.psa, &of.tenant, line);
        let mut newest = None;
        let mut after: Option<String> = None;
        loop {
            let page = Page { prefix: "INTENT#", after: after.as_deref(), limit: Some(ROWS_AT_ONCE), backwards: true };
            let rows = self.table.page::<Intent>(&partition, &page, Read::Consistent).await?;
            for (_, intent) in rows.items.into_iter().filter(|(_, intent)| intent.run == *run) {
                if intent.state == IntentState::Applied {
                    return Ok(Some(intent));
                }
                newest.get_or_insert(intent);
            }
            match rows.next {
                Some(next) => after = Some(next),
                None => return Ok(newest),
            }
        }
    }
}
