//! Results as a CSV file that a spreadsheet opens without running anything.

use shared::domain::line::LineResult;

const COLUMNS: [&str; 16] = [
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
];

/// One row a line, with a header.
///
/// # Errors
/// Writing to memory failed.
pub(crate) fn of(lines: &[LineResult]) -> Result<Vec<u8>, csv::Error> {
    let mut sheet = csv::Writer::from_writer(Vec::new());
    sheet.write_record(COLUMNS)?;
    for line in lines {
        sheet.write_record(cells(line).iter().map(|cell| as_text(cell)))?;
    }
    sheet.into_inner().map_err(|error| error.into_error().into())
}

fn cells(line: &LineResult) -> [String; 16] {
    let number = |units: Option<shared::domain::units::Units>| units.map(|units| units.to_string()).unwrap_or_default();
    let status = serde_json::to_value(line.status).ok();
    let feeds = line.feeds.iter().map(|feed| format!("{}/{}={}", feed.company, feed.product, feed.quantity));
    [
        line.line_id.clone(),
        line.company.to_string(),
        line.company_name.clone(),
        line.product.to_string(),
        line.account_id.to_string(),
        line.contract_id.to_string(),
        line.service_id.to_string(),
        number(line.before),
        number(line.target),
        number(line.after),
        line.effective_date.map(|date| date.to_string()).unwrap_or_default(),
        status.as_ref().and_then(|value| value.as_str()).unwrap_or_default().to_owned(),
        line.code.clone(),
        line.explanation.clone(),
        line.fix.clone(),
        feeds.collect::<Vec<_>>().join("; "),
    ]
}

/// Names come from vendors and customers: a cell that a spreadsheet would take for a formula begins with an apostrophe.
pub(crate) fn as_text(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_a_formula_stays_text() {
        assert_eq!(as_text("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(as_text("@cmd"), "'@cmd");
        assert_eq!(as_text("Acme, Inc."), "Acme, Inc.");
    }
}
