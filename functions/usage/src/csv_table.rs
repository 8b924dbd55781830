//! Records as a CSV table: a header names the columns, in any order; every row is checked before one is stored.
//!
//! A fault names the row as a spreadsheet numbers it (the header is row 1) and the column by its name.

use csv::{ReaderBuilder, StringRecord, Trim};
use jiff::Timestamp;
use serde_json::Map;
use shared::api::{Fault, Problem};
use shared::domain::money::Currency;
use shared::domain::units::{InvalidUnits, Units};
use shared::store::usage::{MAX_RECORDS, Record};

use crate::charge_fields::charge;
use crate::check::{Check, Records, few_enough};
use crate::fields::{CompanyName, Fields, KINDS, Pushed};

/// The columns; those from `unit_cost` on may be left out, and `quantity` where `kind` says what a row is.
const COLUMNS: [&str; 14] = [
    "company",
    "company_name",
    "product",
    "quantity",
    "unit_cost",
    "account_id",
    "currency",
    "kind",
    "meter",
    "description",
    "period_from",
    "period_to",
    "amount",
    "unit_price",
];
const NEEDED: usize = 4;
const QUANTITY: usize = 3;
const KIND: usize = 7;

/// The records of a table, or every fault in it, with `faults` already found beside it.
pub(crate) fn records(text: &str, faults: Vec<Fault>, now: Timestamp) -> Result<Records, Problem> {
    // Spreadsheets put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // Excel writes semicolons where the comma is the decimal point's. No column has either in its name.
    let separator = if text.lines().next().unwrap_or_default().contains(';') { b';' } else { b',' };
    let reader = ReaderBuilder::new().delimiter(separator).trim(Trim::All).flexible(true).from_reader(text.as_bytes());
    let mut reader = reader;
    let mut check = Check::default();
    faults.into_iter().for_each(|fault| check.fault(fault));
    let columns = match reader.headers() {
        Ok(header) => Columns::named_by(header, &mut check),
        Err(_) => return Err(unreadable(1)),
    };
    let Some(columns) = columns else { return check.finish() };
    let mut number = 0;
    for row in reader.records() {
        let row = row.map_err(|error| unreadable(error.position().map_or(0, csv::Position::line)))?;
        // Spreadsheets leave rows of commas behind.
        if row.iter().all(str::is_empty) {
            continue;
        }
        number += 1;
        if number <= MAX_RECORDS {
            columns.check(line_of(&row, text), &row, &mut check, now);
        }
    }
    few_enough(number, "/rows")?;
    check.finish()
}

fn unreadable(line: u64) -> Problem {
    Problem::invalid(vec![Fault::new(format!("/rows/{line}"), format!("row {line}: can't be read as CSV"))])
}

/// The line that a row begins on. The reader's own position is before the empty lines that it skipped.
fn line_of(row: &StringRecord, text: &str) -> u64 {
    let Some(position) = row.position() else { return 0 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.get(start..).unwrap_or_default();
    let skipped = rest.bytes().take_while(|byte| b"\r\n".contains(byte)).filter(|byte| *byte == b'\n');
    skipped.fold(position.line(), |line, _| line + 1)
}

/// Where each column stands.
struct Columns {
    places: [Option<usize>; COLUMNS.len()],
    width: usize,
}

impl Columns {
    /// `None`: the header is not one that rows can be read by.
    fn named_by(header: &StringRecord, check: &mut Check) -> Option<Self> {
        let mut places = [None; COLUMNS.len()];
        let mut sound = true;
        for (place, name) in header.iter().enumerate() {
            match COLUMNS.iter().position(|column| *column == name) {
                Some(column) if places[column].is_none() => places[column] = Some(place),
                Some(column) => {
                    check.fault(fault(1, COLUMNS[column], "is there twice"));
                    sound = false;
                }
                None => {
                    let detail = format!("row 1: column number {} is none of {}", place + 1, COLUMNS.join(", "));
                    check.fault(Fault::new(format!("/rows/1/{place}"), detail));
                    sound = false;
                }
            }
        }
        for (column, place) in places.iter().enumerate().take(NEEDED) {
            if place.is_none() && (column != QUANTITY || places[KIND].is_none()) {
                check.fault(fault(1, COLUMNS[column], "is missing"));
                sound = false;
            }
        }
        sound.then_some(Self { places, width: header.len() })
    }

    fn check(&self, line: u64, row: &StringRecord, check: &mut Check, now: Timestamp) {
        if row.len() != self.width {
            let detail = format!("row {line}: has {} columns where the header has {}", row.len(), self.width);
            return check.fault(Fault::new(format!("/rows/{line}"), detail));
        }
        match self.text(row, KIND) {
            "" | "count" => self.check_count(line, row, check),
            "charge" => self.check_charge(line, row, check, now),
            _ => check.fault(fault(line, COLUMNS[KIND], KINDS)),
        }
    }

    /// A charge is checked as it would be in JSON, where each column that is filled is a field.
    fn check_charge(&self, line: u64, row: &StringRecord, check: &mut Check, now: Timestamp) {
        let (mut fields, mut period) = (Map::new(), Map::new());
        for (column, name) in COLUMNS.iter().enumerate().filter(|(column, _)| *column != KIND) {
            let text = self.text(row, column);
            match name.strip_prefix("period_") {
                _ if text.is_empty() => {}
                Some(end) => drop(period.insert(end.to_owned(), text.into())),
                None => drop(fields.insert((*name).to_owned(), text.into())),
            }
        }
        fields.insert("period".to_owned(), period.into());
        let pointer = format!("/rows/{line}");
        match Fields::of(&pointer, fields.into()).and_then(|fields| charge(fields, now)) {
            Ok(record) => check.record(pointer, format!("row {line}"), Pushed::Charge(record)),
            Err(faults) => {
                for Fault { pointer: at, detail } in faults {
                    let column = at.trim_start_matches(&pointer).trim_start_matches('/').replace('/', "_");
                    check.fault(fault(line, &column, &detail));
                }
            }
        }
    }

    fn check_count(&self, line: u64, row: &StringRecord, check: &mut Check) {
        let mut sound = true;
        let mut take = |column: usize, detail: Option<String>| {
            if let Some(detail) = detail {
                sound = false;
                check.fault(fault(line, COLUMNS[column], &detail));
            }
        };
        let company = self.text(row, 0).parse();
        take(0, detail_of(&company));
        let name = CompanyName::try_from(self.text(row, 1).to_owned());
        take(1, detail_of(&name));
        let product = self.text(row, 2).parse();
        take(2, detail_of(&product));
        let quantity = units(self.text(row, 3));
        take(3, detail_of(&quantity));
        let cost = Some(self.text(row, 4)).filter(|text| !text.is_empty()).map(str::parse).transpose();
        take(4, detail_of(&cost));
        let account = Some(self.text(row, 5)).filter(|text| !text.is_empty()).map(str::parse).transpose();
        take(5, detail_of(&account));
        let currency: Result<Option<Currency>, _> =
            Some(self.text(row, 6)).filter(|text| !text.is_empty()).map(str::parse).transpose();
        take(6, detail_of(&currency));
        if let (Ok(Some(_)), Ok(None)) = (&currency, &cost) {
            take(6, Some("is only for a row with unit_cost".to_owned()));
        }
        for column in KIND + 1..COLUMNS.len() {
            take(column, Some("is only for a charge".to_owned()).filter(|_| !self.text(row, column).is_empty()));
        }
        if let (true, Ok(company), Ok(name), Ok(product), Ok(quantity), Ok(unit_cost), Ok(account_id), Ok(currency)) =
            (sound, company, name, product, quantity, cost, account, currency)
        {
            let company_name = name.into();
            let record = Record { company, company_name, product, quantity, unit_cost, currency, account_id };
            check.record(format!("/rows/{line}"), format!("row {line}"), Pushed::Count(record));
        }
    }

    fn text<'a>(&self, row: &'a StringRecord, column: usize) -> &'a str {
        self.places[column].and_then(|place| row.get(place)).unwrap_or_default()
    }
}

fn units(text: &str) -> Result<Units, InvalidUnits> {
    // "+5" is a number for Rust and a slip of the sender for us.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidUnits);
    }
    text.parse::<i64>().map_err(|_| InvalidUnits)?.try_into()
}

fn detail_of<T, E: std::fmt::Display>(checked: &Result<T, E>) -> Option<String> {
    checked.as_ref().err().map(E::to_string)
}

fn fault(line: u64, column: &str, detail: &str) -> Fault {
    Fault::new(format!("/rows/{line}/{column}"), format!("row {line}, column {column}: {detail}"))
}
