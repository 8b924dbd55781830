//! The ledger's rows of a line, for tests that ask what was stored.

use shared::domain::line::{LineHistory, LineKey};
use shared::ledger::Intent;
use shared::store::Read;
use shared::store::lines::{Lines, Tenancy};

use super::{Fixture, Msp};

impl<P: Fixture> Msp<P> {
    /// The tenant of the simulated PSA.
    ///
    /// # Panics
    /// Before it is connected.
    #[must_use]
    pub fn tenancy(&self) -> Tenancy {
        self.tenancy.clone().expect("it is connected")
    }

    /// A line's key.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn key(&self, company: &str, product: &str) -> LineKey {
        LineKey {
            contract: self.contract(company).to_string().parse().expect("an id"),
            service: self.service(product).to_string().parse().expect("an id"),
        }
    }

    /// Every intent of a line, the oldest first.
    ///
    /// # Panics
    /// When the store does not answer.
    pub async fn intents(&self, company: &str, product: &str) -> Vec<Intent> {
        let key = self.key(company, product);
        let partition = format!("{}#LEDGER#{}#{}", self.tenancy().partition(), key.contract, key.service);
        let rows = self.parts.table.all::<Intent>(&partition, "INTENT#", Read::Consistent).await.expect("the ledger");
        rows.into_iter().map(|(_, intent)| intent).collect()
    }

    /// The states of a line's intents, the oldest first: `applied rejected`.
    pub async fn states(&self, company: &str, product: &str) -> String {
        let name = |intent: &Intent| serde_json::json!(intent.state).as_str().unwrap_or_default().to_owned();
        self.intents(company, product).await.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    /// What is known of a line.
    ///
    /// # Panics
    /// When the store does not answer.
    pub async fn history(&self, company: &str, product: &str) -> LineHistory {
        let key = self.key(company, product);
        let found = Lines::new(self.parts.table.clone()).named(&self.tenancy(), std::slice::from_ref(&key)).await;
        found.expect("the ledger").remove(&key).unwrap_or_default()
    }
}
