//! Mappings as a CSV file, as a partner sends and fetches it.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use shared::api::auth::Scope;

use super::{Fixture, Msp};
use crate::{Answer, PARTNER};

/// The header of the file.
pub const HEADER: &str = "type,company,product,account_id,contract_id,service_id,when_absent,excluded,opening_units,\
                          counting,exclude,minimum,commitment_units,commitment_until,maximum,rounding,unit_cost,fixed,\
                          markup_percent,unit_price,decimals,currency";

/// A row: cells by the names of their columns, all others empty.
#[must_use]
pub fn row(cells: &[(&str, &str)]) -> String {
    let cell = |name: &str| cells.iter().find(|(column, _)| *column == name).map_or("", |(_, text)| text);
    HEADER.split(',').map(cell).collect::<Vec<_>>().join(",")
}

/// A file of rows.
#[must_use]
pub fn file(rows: &[String]) -> String {
    std::iter::once(HEADER).chain(rows.iter().map(String::as_str)).map(|row| format!("{row}\n")).collect()
}

impl<P: Fixture> Msp<P> {
    /// All mappings as a file.
    ///
    /// # Panics
    /// When there is none.
    pub async fn export(&self) -> String {
        let answer = self.call(Method::GET, &self.sheet(""), None).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/csv; charset=utf-8"), "{}", answer.text);
        answer.text
    }

    /// Imports a file.
    pub async fn import(&self, file: impl Into<reqwest::Body>) -> Answer {
        Answer::to(self.importing("", file)).await
    }

    /// Imports a file that must be taken, and answers with how many mappings it made, changed and left alone.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn imported(&self, file: impl Into<reqwest::Body>) -> [u64; 3] {
        counts(&self.import(file).await)
    }

    /// The request that imports a file, with a query.
    pub fn importing(&self, query: &str, file: impl Into<reqwest::Body>) -> RequestBuilder {
        let token = self.parts.token(PARTNER, &[Scope::Write]);
        let request = self.parts.request(Method::POST, &self.sheet(query)).bearer_auth(token);
        request.header("content-type", "text/csv; charset=utf-8").body(file)
    }

    fn sheet(&self, query: &str) -> String {
        format!("/v1/connections/{}/mappings.csv{query}", self.connection)
    }
}

/// Mappings made, changed and left alone.
///
/// # Panics
/// When the import was refused.
#[must_use]
pub fn counts(answer: &Answer) -> [u64; 3] {
    assert_eq!(answer.status, 200, "{}", answer.text);
    ["created", "changed", "unchanged"].map(|name| answer.json[name].as_u64().expect("a number"))
}

/// Where a file is wrong, and why.
///
/// # Panics
/// When it was not refused for its rows.
#[must_use]
pub fn faults(answer: &Answer) -> Vec<(String, String)> {
    let problem = answer.problem();
    assert_eq!((answer.status, &problem["code"]), (422, &Value::from("invalid_request")), "{problem}");
    let text = |fault: &Value, member: &str| fault[member].as_str().expect("a text").to_owned();
    let faults = problem["errors"].as_array().expect("faults").iter();
    faults.map(|fault| (text(fault, "pointer"), text(fault, "detail"))).collect()
}
