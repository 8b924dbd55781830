//! From a text to rows of cells, as spreadsheets write them: with a byte order mark or without, with commas or semicolons,
//! lines ending either way, columns in any order.

use axum::http::StatusCode;
use csv::{ReaderBuilder, StringRecord, Trim};
use shared::api::sheet::{CUT_SHORT, text};
use shared::api::{Fault, Problem};

use super::columns::Column;
use super::faults::SheetFaults;

/// The most rows of one file. Each is up to two rows of the store, whose partition takes a thousand small writes a second.
pub(super) const MAX_ROWS: usize = 10_000;

/// A row's cells.
#[derive(Debug)]
pub(super) struct Row {
    /// As a spreadsheet numbers it: the header is row 1.
    pub number: u64,
    cells: [String; Column::ALL.len()],
}

impl Row {
    /// A cell's text; empty where there is nothing in it.
    pub fn text(&self, column: Column) -> &str {
        self.cells.get(column.place()).map_or("", String::as_str)
    }
}

/// The rows of a file. Those that can't be read are faults.
///
/// # Errors
/// 422 where the header does not name each column once and no other, where it is no table, or where it has too many rows.
pub(super) fn rows(file: &str, faults: &mut SheetFaults) -> Result<Vec<Row>, Problem> {
    let file = file.strip_prefix('\u{feff}').unwrap_or(file);
    let mut reader =
        ReaderBuilder::new().delimiter(separator(file)).trim(Trim::All).flexible(true).from_reader(file.as_bytes());
    let header = reader.headers().map_err(|_| unreadable(1))?.clone();
    let places = places(&header)?;
    let (mut rows, mut number) = (Vec::new(), 0_usize);
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(error.position().map_or(0, csv::Position::line)))?;
        // Spreadsheets leave rows of separators behind.
        if record.iter().all(str::is_empty) {
            continue;
        }
        // An export that was cut short says so in its last row.
        if record.get(places[Column::Type.place()]) == Some(CUT_SHORT) {
            continue;
        }
        number += 1;
        let line = line_of(&record, file);
        if number > MAX_ROWS {
            continue;
        }
        if record.len() == header.len() {
            let of = |place: &usize| text(record.get(*place).unwrap_or_default()).to_owned();
            rows.push(Row { number: line, cells: places.each_ref().map(of) });
        } else {
            faults.row(line, format!("has {} cells where the header has {}", record.len(), header.len()));
        }
    }
    if number > MAX_ROWS {
        let detail = format!("A file may have {MAX_ROWS} rows; this one has {number}.");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "too_many_rows", detail)
            .fix("Send several files: what a file does not name stays as it is."));
    }
    Ok(rows)
}

/// Excel writes semicolons where the comma is the decimal point's. No column has either in its name.
fn separator(file: &str) -> u8 {
    let header = file.trim_start().lines().next().unwrap_or_default();
    if header.contains(';') { b';' } else { b',' }
}

/// Where each column stands.
///
/// # Errors
/// 422 with one fault, however much of the header is wrong: what it must be, and what it is not.
fn places(header: &StringRecord) -> Result<[usize; Column::ALL.len()], Problem> {
    let at = |column: Column| header.iter().enumerate().filter(move |(_, name)| *name == column.name());
    let named = |times: fn(usize) -> bool| {
        let names = Column::ALL.into_iter().filter(|column| times(at(*column).count())).map(Column::name);
        names.collect::<Vec<_>>().join(", ")
    };
    let strangers = header.iter().enumerate().filter(|(_, name)| Column::named(name).is_none());
    let strangers = strangers.map(|(place, name)| shown(place, name)).take(MOST_NAMED).collect::<Vec<_>>().join(", ");
    let wrong: Vec<String> =
        [("lacks", named(|count| count == 0)), ("has twice", named(|count| count > 1)), ("has besides", strangers)]
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("it {what}: {names}"))
            .collect();
    if wrong.is_empty() {
        return Ok(Column::ALL.map(|column| at(column).map(|(place, _)| place).next().unwrap_or_default()));
    }
    let separated = if header.len() == 1 { "; one column alone was found, so another separator was used" } else { "" };
    let detail = format!(
        "row 1: the header must name these columns, in any order, with commas or semicolons between them: {}; {}{separated}",
        Column::ALL.map(Column::name).join(","),
        wrong.join("; ")
    );
    Err(Problem::invalid(vec![Fault::new("/rows/1", detail)]))
}

/// Names of a header that are repeated in an answer.
const MOST_NAMED: usize = 20;

/// What a stranger wrote is not repeated at any length.
fn shown(place: usize, name: &str) -> String {
    let shown: String = name.chars().filter(|c| c.is_ascii_graphic()).take(40).collect();
    if shown.is_empty() { format!("number {}", place + 1) } else { shown }
}

fn unreadable(line: u64) -> Problem {
    Problem::invalid(vec![Fault::new(format!("/rows/{line}"), format!("row {line}: can't be read as CSV"))])
}

/// The line that a row begins on. The reader's own position is before the empty lines that it skipped.
fn line_of(row: &StringRecord, file: &str) -> u64 {
    let Some(position) = row.position() else { return 0 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = file.get(start..).unwrap_or_default();
    let skipped = rest.bytes().take_while(|byte| b"\r\n".contains(byte)).filter(|byte| *byte == b'\n');
    skipped.fold(position.line(), |line, _| line + 1)
}
