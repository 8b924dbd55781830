//! A history as one CSV file that a spreadsheet opens without running anything. It is bounded, and says where it ends.

use shared::api::Problem;
use shared::api::paging::List;
use shared::api::sheet::ANSWER_BYTES;
use shared::domain::difference::Fields;
use shared::history::{Entry, Place, Reading};

use crate::sheet::{as_text, cell, record_bytes, word};

/// The most entries in a file.
const MOST_ENTRIES: usize = 5_000;
/// As the answer carries them; a page more has to fit behind them.
const MOST_BYTES: usize = ANSWER_BYTES - 1_500_000;
/// The most pages that are read for a file: each is a handful of requests, and the caller waits for all of them.
const MOST_PAGES: usize = 100;
/// Entries read at once.
const AT_ONCE: usize = 100;

const COLUMNS: [&str; 24] = [
    "at",
    "actor",
    "kind",
    "company",
    "product",
    "line_id",
    "contract_id",
    "service_id",
    "run_id",
    "of_run_id",
    "effective_date",
    "state",
    "summary",
    "before",
    "after",
    "next_cursor",
    "charge_id",
    "name",
    "reference",
    "account_id",
    "period_start",
    "period_end",
    "currency",
    "code",
];

/// The entries after `after`, one row each, with a header. A file that is cut short ends with a row of kind `cut_short`.
///
/// # Errors
/// The store is unavailable, or writing to memory failed.
pub(crate) async fn of(reading: &Reading<'_>, list: &List, after: Option<Place>) -> Result<Vec<u8>, Problem> {
    let mut sheet = csv::Writer::from_writer(Vec::new());
    sheet.write_record(COLUMNS).map_err(Problem::internal)?;
    let (mut written, mut bytes, mut place) = (0, 0, after);
    for _ in 0..MOST_PAGES {
        let page = reading.page(place.as_ref(), AT_ONCE).await?;
        for entry in &page.entries {
            let cells = cells(entry);
            bytes += record_bytes(&cells)?;
            sheet.write_record(cells.iter().map(|cell| as_text(cell))).map_err(Problem::internal)?;
        }
        written += page.entries.len();
        place = page.next;
        if place.is_none() || written >= MOST_ENTRIES || bytes >= MOST_BYTES {
            break;
        }
    }
    if let Some(place) = place {
        let next = list.page(Vec::<()>::new(), Some(&place.to_string())).next_cursor.unwrap_or_default();
        let said =
            format!("The file ends here after {written} entries, and there are more: ask with the cursor beside.");
        let mut cells: [String; 24] = Default::default();
        (cells[2], cells[12], cells[15]) = ("cut_short".to_owned(), said, next);
        sheet.write_record(cells.iter().map(|cell| as_text(cell))).map_err(Problem::internal)?;
    }
    sheet.into_inner().map_err(|error| Problem::internal(error.into_error()))
}

fn cells(entry: &Entry) -> [String; 24] {
    let json = |fields: &Option<Fields>| {
        fields.as_ref().map(|fields| serde_json::Value::from(fields.clone()).to_string()).unwrap_or_default()
    };
    [
        entry.at.to_string(),
        entry.actor.clone(),
        word(&entry.kind),
        cell(entry.company.as_ref()),
        cell(entry.product.as_ref()),
        cell(entry.line_id.as_ref()),
        cell(entry.contract_id.as_ref()),
        cell(entry.service_id.as_ref()),
        cell(entry.run_id.as_ref()),
        cell(entry.of_run_id.as_ref()),
        cell(entry.effective_date.as_ref()),
        entry.state.as_ref().map(word).unwrap_or_default(),
        entry.summary.clone(),
        json(&entry.before),
        json(&entry.after),
        String::new(),
        cell(entry.charge_id.as_ref()),
        cell(entry.name.as_ref()),
        cell(entry.reference.as_ref()),
        cell(entry.account_id.as_ref()),
        cell(entry.period_start.as_ref()),
        cell(entry.period_end.as_ref()),
        cell(entry.currency.clone().map(String::from)),
        cell(entry.code.as_ref()),
    ]
}
