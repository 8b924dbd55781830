//! What came of a run, as the API tells it.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use super::{Fixture, Msp};

/// A run and all of its lines.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// As `GET /v1/runs/{run}` shows it.
    pub view: Value,
    /// As `GET /v1/runs/{run}/lines` lists them.
    pub lines: Vec<Value>,
}

impl Run {
    pub(super) async fn read<P: Fixture>(msp: &Msp<P>, id: &str) -> Self {
        let view = msp.done(Method::GET, &format!("/v1/runs/{id}"), None).await;
        let mut lines = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = msp.done(Method::GET, &format!("/v1/runs/{id}/lines?limit=100{cursor}"), None).await;
            lines.extend(page["items"].as_array().expect("items").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Self { id: id.to_owned(), view, lines },
            }
        }
    }

    /// The run's status.
    #[must_use]
    pub fn status(&self) -> &str {
        self.view["status"].as_str().unwrap_or_default()
    }

    /// The line of a company's product.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn line(&self, company: &str, product: &str) -> &Value {
        let found = self.lines.iter().find(|line| line["company"] == company && line["product"] == product);
        found.unwrap_or_else(|| panic!("no line of {company} and {product} in {:#?}", self.lines))
    }

    /// `status`, or `status code`, of the line of a company's product.
    #[must_use]
    pub fn result(&self, company: &str, product: &str) -> String {
        brief(self.line(company, product))
    }

    /// Before, target and after of a line; -1 for none.
    #[must_use]
    pub fn numbers(&self, company: &str, product: &str) -> (i64, i64, i64) {
        let line = self.line(company, product);
        let number = |field: &str| line[field].as_i64().unwrap_or(-1);
        (number("before"), number("target"), number("after"))
    }

    /// Every line's result by `company/product`.
    #[must_use]
    pub fn results(&self) -> BTreeMap<String, String> {
        let name = |line: &Value| {
            format!("{}/{}", line["company"].as_str().unwrap_or(""), line["product"].as_str().unwrap_or(""))
        };
        self.lines.iter().map(|line| (name(line), brief(line))).collect()
    }

    /// Changes sent, as the run counts them.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.view["writes"].as_u64().unwrap_or_default()
    }
}

fn brief(line: &Value) -> String {
    let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
    format!("{} {}", text("status"), text("code")).trim().to_owned()
}
