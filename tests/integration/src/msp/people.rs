//! What a person does about a line whose units the PSA does not show, and of which Tallyline has lost track.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Fixture, Msp};

impl<P: Fixture> Msp<P> {
    /// A person sees in the PSA's web pages what a line carries today, states it in the company's mapping, and resolves what
    /// was found about the line.
    ///
    /// # Panics
    /// When something is refused.
    pub async fn look_up(&self, company: &str, product: &str) {
        let path = format!("/v1/connections/{}/companies/{company}", self.connection);
        let mapping = self.done(Method::GET, &path, None).await;
        let mut overrides = mapping["overrides"].clone();
        // The same number is only stated anew after it was taken out.
        for stated in [Value::Null, self.units(company, product).into()] {
            overrides[product]["opening_units"] = stated;
            let body = json!({
                "account_id": mapping["account_id"],
                "contract_id": mapping["contract_id"],
                "overrides": overrides,
                "when_absent": mapping["when_absent"],
            });
            self.done(Method::PUT, &path, Some(body)).await;
        }
        let path = format!("/v1/connections/{}/findings?status=open&limit=100", self.connection);
        let findings = self.done(Method::GET, &path, None).await;
        let line = self.line_id(company, product);
        for finding in findings["items"].as_array().expect("items").iter().filter(|found| found["line_id"] == line) {
            let path = format!("/v1/findings/{}/resolve", finding["id"].as_str().expect("an id"));
            self.done(Method::POST, &path, Some(json!({"note": "looked up"}))).await;
        }
    }
}
