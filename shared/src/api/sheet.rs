//! Lists as CSV files that a spreadsheet opens without running anything, and the one place that bounds how much of one goes
//! into an answer.
//!
//! A function's answer may have 6 MB, and its text goes out as a JSON string within it: bytes are counted as they are after
//! that escaping. A file that has no room for all of its rows says so in its last row and in the header `Link`, with the
//! cursor to go on after. What the rows are and where they come from, the routes know.

use async_trait::async_trait;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::paging::{List, cut};
use super::problem::Problem;

/// How long a file in an answer may be, escaped as a JSON string. Lambda's limit is 6,291,556 bytes for the whole answer
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>); headers and the last row want some room.
pub const ANSWER_BYTES: usize = 5_500_000;

/// Rows read at once; where so many don't fit, a tenth of them, down to one.
const AT_ONCE: usize = 500;

/// What the first cell of a file's last row says where there are more.
pub const CUT_SHORT: &str = "cut_short";

/// A column: its name, and what a row has in it.
pub type Column<T> = (&'static str, fn(&T) -> String);

/// A kind of row, and its columns.
pub trait Sheet: Sized + 'static {
    /// In the order in which they are written.
    const COLUMNS: &'static [Column<Self>];

    /// One cell a column.
    #[must_use]
    fn record(&self) -> Vec<String> {
        Self::COLUMNS.iter().map(|(_, cell)| cell(self)).collect()
    }

    /// The names of the columns.
    #[must_use]
    fn header() -> Vec<&'static str> {
        Self::COLUMNS.iter().map(|(name, _)| *name).collect()
    }
}

/// Some rows, and the position at which the next ones begin.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The cells of each.
    pub records: Vec<Vec<String>>,
    /// `None` at the end.
    pub next: Option<String>,
}

/// The rows of a file, wherever they are.
#[async_trait]
pub trait Records: Sync {
    /// The names of the columns.
    fn header(&self) -> Vec<&'static str>;

    /// About `limit` rows from a position on, at least one where there is one.
    async fn read(&self, from: Option<&str>, limit: usize) -> Result<Chunk, Problem>;
}

/// Rows that are all at hand, in a fixed order, in groups that stay together. Each has a place; see [`cut`].
#[derive(Debug)]
pub struct AtHand {
    /// The names of the columns.
    pub header: Vec<&'static str>,
    /// Place, and the rows of it.
    pub rows: Vec<(String, Vec<Vec<String>>)>,
}

impl AtHand {
    /// `items`, each at its place.
    pub fn of<T: Sheet>(items: &[T], place: impl Fn(&T) -> String) -> Self {
        Self { header: T::header(), rows: items.iter().map(|item| (place(item), vec![item.record()])).collect() }
    }
}

#[async_trait]
impl Records for AtHand {
    fn header(&self) -> Vec<&'static str> {
        self.header.clone()
    }

    async fn read(&self, from: Option<&str>, limit: usize) -> Result<Chunk, Problem> {
        let page = cut(self.rows.iter().collect(), from, |(place, _)| place.clone(), limit);
        Ok(Chunk { records: page.items.into_iter().flat_map(|(_, rows)| rows.clone()).collect(), next: page.next })
    }
}

/// How the caller wants a list: as JSON by page, or as a file.
#[derive(Debug, Clone)]
pub struct Wants {
    csv: bool,
    /// The query string without its cursor.
    query: String,
}

impl Wants {
    /// Whether it is a CSV file.
    #[must_use]
    pub fn csv(&self) -> bool {
        self.csv
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Wants {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let kept = parts.uri.query().unwrap_or_default().split('&').filter(|part| !part.starts_with("cursor="));
        let query = kept.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&");
        Ok(Self { csv: is_wanted(&parts.headers), query })
    }
}

/// Whether the caller asks for a CSV file.
#[must_use]
pub fn is_wanted(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|kind| kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv"))
}

/// A file of this name with as many of `records` from the position `from` on as an answer has room for.
///
/// # Errors
/// What reading them comes to.
pub async fn answer(
    name: &str,
    list: &List,
    records: &dyn Records,
    (wants, from): (&Wants, Option<String>),
) -> Result<Response, Problem> {
    let header = records.header();
    let named: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    let mut file = written(&[named])?;
    let mut bytes = json_bytes(&file);
    let (mut rows, mut limit, mut from) = (0, AT_ONCE, from);
    let cursor = loop {
        let chunk = records.read(from.as_deref(), limit).await?;
        let text = written(&chunk.records)?;
        let more = json_bytes(&text);
        if bytes + more > ANSWER_BYTES && (limit > 1 || rows > 0) {
            if limit > 1 {
                limit = (limit / 10).max(1);
                continue;
            }
            break from.map(|position| list.cursor(&position));
        }
        (bytes, rows) = (bytes + more, rows + chunk.records.len());
        file.extend(text);
        match chunk.next {
            Some(next) => from = Some(next),
            None => break None,
        }
    };
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, disposition.as_str())];
    let Some(cursor) = cursor else { return Ok((headers, file).into_response()) };
    file.extend(written(&[cut_short(&header, rows, &cursor)])?);
    let mut response = (headers, file).into_response();
    let and = if wants.query.is_empty() { "" } else { "&" };
    let link = format!("<?{}{and}cursor={cursor}>; rel=\"next\"", wants.query);
    if let Ok(link) = HeaderValue::from_str(&link) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// The last row of a file that has no room for more.
fn cut_short(header: &[&str], rows: usize, cursor: &str) -> Vec<String> {
    let told = header.iter().position(|name| *name == "explanation").unwrap_or(1);
    let said = format!("The file ends here after {rows} rows, and there are more: ask again with cursor={cursor}");
    let cell = |(at, _)| match at {
        0 => CUT_SHORT.to_owned(),
        at if at == told => said.clone(),
        _ => String::new(),
    };
    header.iter().enumerate().map(cell).collect()
}

/// Rows as they stand in a file.
fn written(records: &[Vec<String>]) -> Result<Vec<u8>, Problem> {
    let mut sheet = csv::Writer::from_writer(Vec::new());
    for record in records {
        sheet.write_record(record.iter().map(|cell| as_text(cell))).map_err(Problem::internal)?;
    }
    sheet.into_inner().map_err(|error| Problem::internal(error.into_error()))
}

/// What a row takes of [`ANSWER_BYTES`].
///
/// # Errors
/// Writing to memory failed.
pub fn record_bytes(record: &[String]) -> Result<usize, Problem> {
    Ok(json_bytes(&written(&[record.to_vec()])?))
}

/// How long a text is within a JSON string.
fn json_bytes(text: &[u8]) -> usize {
    let escaped = |byte: &u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 2,
        0..=31 => 6,
        _ => 1,
    };
    text.iter().map(escaped).sum()
}

/// Empty where there is nothing.
pub fn cell(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A value that is one word in JSON.
pub fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What a spreadsheet would take for a formula, or for the apostrophe that says it is none.
const MARKED: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\''];

/// Names come from vendors and customers: a cell that a spreadsheet would make something else of begins with an apostrophe.
/// A number may be negative.
#[must_use]
pub fn as_text(cell: &str) -> String {
    let digits = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_negative = cell.strip_prefix('-').is_some_and(digits);
    if !is_negative && cell.starts_with(MARKED) { format!("'{cell}") } else { cell.to_owned() }
}

/// The text of a cell: [`as_text`] backwards. A cell that a person wrote without the apostrophe is taken as it is.
#[must_use]
pub fn text(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| text.starts_with(MARKED)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[test]
    fn a_name_that_looks_like_a_formula_stays_text() {
        assert_eq!(as_text("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(as_text("@cmd"), "'@cmd");
        assert_eq!(as_text("Acme, Inc."), "Acme, Inc.");
        assert_eq!((as_text("-12.50"), as_text("-1+2")), ("-12.50".into(), "'-1+2".into()));
        assert_eq!((as_text("'"), as_text("'=1"), as_text("'acme")), ("''".into(), "''=1".into(), "''acme".into()));
        for plain in ["=1", "'=1", "'acme", "'", "''", "@cmd", "+49", "-12.50", "-1+2", "Acme, Inc.", ""] {
            assert_eq!(text(&as_text(plain)), plain);
        }
        assert_eq!((text("-5"), text("'acme")), ("-5", "'acme"), "a person wrote it");
    }

    #[test]
    fn bytes_are_counted_as_the_proxy_escapes_them() {
        for text in ["plain", "a \"quoted\" one\n", "tab\tback\\slash", "\u{1}", "Zürich, 日本"] {
            let as_json = serde_json::to_string(text).unwrap();
            assert_eq!(json_bytes(text.as_bytes()), as_json.len() - 2, "{text:?}");
        }
    }

    fn wants(query: &str) -> Wants {
        Wants { csv: true, query: query.into() }
    }

    /// The file, and the cursor of its link.
    async fn file(rows: &AtHand, list: &List, from: Option<String>) -> (String, Option<String>) {
        let answer = answer("rows", list, rows, (&wants("status=held"), from)).await.unwrap();
        let link = answer.headers().get(header::LINK).map(|link| link.to_str().unwrap().to_owned());
        let cursor = link.map(|link| {
            let rest = link.strip_prefix("<?status=held&cursor=").unwrap();
            rest.strip_suffix(">; rel=\"next\"").unwrap().to_owned()
        });
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (String::from_utf8(body.to_vec()).unwrap(), cursor)
    }

    #[tokio::test]
    async fn a_file_beyond_the_limit_comes_in_pages_that_hold_each_row_once() {
        // Each row is twice as long in the answer as in the file.
        let quotes = "\"".repeat(1_500);
        let row = |n: usize| (format!("{n:05}"), vec![vec![format!("{n:05}"), quotes.clone()]]);
        let rows = AtHand { header: vec!["n", "explanation"], rows: (0..2_000).map(row).collect() };
        let list = List::named(&["rows"]);
        let (mut from, mut seen, mut files) = (None, Vec::new(), 0);
        loop {
            let (text, cursor) = file(&rows, &list, from).await;
            files += 1;
            assert!(serde_json::to_string(&text).unwrap().len() < 6_000_000, "{}", text.len());
            let mut lines: Vec<&str> = text.lines().skip(1).collect();
            if let Some(cursor) = &cursor {
                let last = lines.pop().unwrap();
                assert!(last.starts_with("cut_short,\"The file ends here after"), "{last}");
                assert!(last.ends_with(&format!("cursor={cursor}\"")), "{last}");
            }
            seen.extend(lines.into_iter().map(|line| line.split(',').next().unwrap().to_owned()));
            match cursor {
                Some(cursor) => from = list.position(Some(&cursor)).unwrap(),
                None => break,
            }
        }
        assert_eq!((files, seen.len()), (3, 2_000));
        assert!(seen.iter().enumerate().all(|(n, place)| *place == format!("{n:05}")));
    }

    #[tokio::test]
    async fn a_file_that_fits_has_no_more_than_its_rows() {
        let rows = AtHand { header: vec!["n"], rows: vec![("1".into(), vec![vec!["1".into()], vec!["2".into()]])] };
        assert_eq!(file(&rows, &List::named(&["rows"]), None).await, ("n\n1\n2\n".to_owned(), None));
    }
}
