//! CSV files that a spreadsheet opens without running anything: results, and reconciliations.

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use shared::api::Problem;
use shared::domain::line::LineResult;
use shared::domain::money::{LineMoney, Money};

use crate::reconciliation::Entry;

/// A kind of row, and its columns.
pub(crate) trait Sheet {
    /// The names of its columns.
    const COLUMNS: &'static [&'static str];

    /// One cell a column.
    fn cells(&self) -> Vec<String>;
}

/// Whether the caller asks for a CSV file.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|kind| kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv"))
}

/// `rows` as a file of this name, with a header.
pub(crate) fn answer<T: Sheet>(name: &str, rows: &[T]) -> Result<Response, Problem> {
    let name = format!("attachment; filename=\"{name}.csv\"");
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, name.as_str())];
    Ok((headers, written(rows).map_err(Problem::internal)?).into_response())
}

fn written<T: Sheet>(rows: &[T]) -> Result<Vec<u8>, csv::Error> {
    let mut sheet = csv::Writer::from_writer(Vec::new());
    sheet.write_record(T::COLUMNS)?;
    for row in rows {
        sheet.write_record(row.cells().iter().map(|cell| as_text(cell)))?;
    }
    sheet.into_inner().map_err(|error| error.into_error().into())
}

impl Sheet for LineResult {
    const COLUMNS: &'static [&'static str] = &[
        "line_id",
        "company",
        "company_name",
        "product",
        "account_id",
        "contract_id",
        "service_id",
        "before",
        "target",
        "after",
        "effective_date",
        "status",
        "code",
        "explanation",
        "fix",
        "feeds",
        "difference",
        "prorated",
        "currency",
        "unit_price",
        "unit_cost",
        "monthly_price",
        "monthly_cost",
        "last_confirmed",
        "last_confirmed_from",
        "counted",
        "rule",
    ];

    fn cells(&self) -> Vec<String> {
        let feeds = self.feeds.iter().map(|feed| format!("{}/{}={}", feed.company, feed.product, feed.quantity));
        let mut cells = vec![
            self.line_id.clone(),
            self.company.to_string(),
            self.company_name.clone(),
            self.product.to_string(),
            self.account_id.to_string(),
            self.contract_id.to_string(),
            self.service_id.to_string(),
            cell(self.before),
            cell(self.target),
            cell(self.after),
            cell(self.effective_date),
            word(&self.status),
            self.code.clone(),
            self.explanation.clone(),
            self.fix.clone(),
            feeds.collect::<Vec<_>>().join("; "),
            cell(self.difference().map(|difference| difference.get())),
            self.prorated.to_string(),
        ];
        cells.extend(amounts(self.money.as_ref()));
        cells.extend([cell(self.last_confirmed), cell(self.last_confirmed_from)]);
        cells.extend([cell(self.counted()), cell(self.rule.as_ref())]);
        cells
    }
}

impl Sheet for Entry {
    const COLUMNS: &'static [&'static str] = &[
        "kind",
        "status",
        "code",
        "line_id",
        "company",
        "company_name",
        "product",
        "account_id",
        "contract_id",
        "service_id",
        "counted",
        "target",
        "before",
        "last_confirmed",
        "last_confirmed_from",
        "difference",
        "drift",
        "effective_date",
        "currency",
        "unit_price",
        "unit_cost",
        "monthly_price",
        "monthly_cost",
        "explanation",
        "fix",
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![
            word(&self.kind),
            self.status.as_ref().map(word).unwrap_or_default(),
            self.code.clone(),
            cell(self.line_id.as_ref()),
            cell(self.company.as_ref()),
            cell(self.company_name.as_ref()),
            cell(self.product.as_ref()),
            cell(self.account_id.as_ref()),
            cell(self.contract_id.as_ref()),
            cell(self.service_id.as_ref()),
            cell(self.counted),
            cell(self.target),
            cell(self.before),
            cell(self.last_confirmed),
            cell(self.last_confirmed_from),
            cell(self.difference),
            self.drift.to_string(),
            cell(self.effective_date),
        ];
        cells.extend(amounts(self.money.as_ref()));
        cells.extend([self.explanation.clone(), self.fix.clone()]);
        cells
    }
}

/// Empty where there is nothing.
pub(crate) fn cell(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A value that is one word in JSON.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Currency, unit price, unit cost, and what they come to a month.
fn amounts(money: Option<&LineMoney>) -> [String; 5] {
    let money = money.cloned().unwrap_or_default();
    let amount = |amount: Option<Money>| cell(amount);
    [
        money.currency.map(String::from).unwrap_or_default(),
        amount(money.unit_price),
        amount(money.unit_cost),
        amount(money.monthly_price),
        amount(money.monthly_cost),
    ]
}

/// Names come from vendors and customers: a cell that a spreadsheet would take for a formula begins with an apostrophe.
/// A number may be negative.
pub(crate) fn as_text(cell: &str) -> String {
    let digits = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_negative = cell.strip_prefix('-').is_some_and(digits);
    if !is_negative && cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_a_formula_stays_text() {
        assert_eq!(as_text("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(as_text("@cmd"), "'@cmd");
        assert_eq!(as_text("Acme, Inc."), "Acme, Inc.");
        assert_eq!((as_text("-12.50"), as_text("-1+2")), ("-12.50".into(), "'-1+2".into()));
    }
}
