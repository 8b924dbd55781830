//! The results as a table: what needs a person first, then what was written, then how much was right already.

use std::collections::BTreeSet;

use shared::domain::line::{LineResult, LineStatus};
use shared::domain::units::Units;

use super::terminal::{Look, Terminal, fitted};

/// Statuses in the order in which they are shown, with the heading of each.
const GROUPS: [(LineStatus, &str, &str, Look); 6] = [
    (LineStatus::Unknown, "unknown", "Sent, and not known what became of it", Look::Bad),
    (LineStatus::Failed, "failed", "Can't be written until something is repaired", Look::Bad),
    (LineStatus::Held, "held", "Held: a person decides", Look::Waiting),
    (LineStatus::Updated, "updated", "Written and read back", Look::Good),
    (LineStatus::Planned, "planned", "Would be written", Look::Good),
    (LineStatus::Skipped, "skipped", "Skipped: nothing to do for now", Look::Waiting),
];

const PRODUCT: usize = 7;
const NUMBER: usize = 6;
const STATUS: usize = 8;
/// Two spaces at the left and one between columns.
const GAPS: usize = 2 + 6;

/// Prints the `lines` of the connection to a PSA of this name.
pub(super) fn print(terminal: &Terminal, name: &str, lines: &[LineResult]) {
    terminal.heading(&format!("{name}: what the sync came to"));
    for line in drawn(terminal, lines) {
        terminal.say(&line);
    }
}

fn drawn(terminal: &Terminal, lines: &[LineResult]) -> Vec<String> {
    let columns = Columns::of(terminal, lines);
    let mut drawn = vec![terminal.paint(&columns.heading(), Look::Strong).into_owned()];
    for (status, word, title, look) in GROUPS {
        let mut group: Vec<&LineResult> = lines.iter().filter(|line| line.status == status).collect();
        if group.is_empty() {
            continue;
        }
        group.sort_by_key(|line| (&line.fix, &line.company_name, &line.product));
        drawn.push(String::new());
        drawn.push(terminal.paint(&format!("  {title} ({})", group.len()), look).into_owned());
        for alike in group.chunk_by(|one, other| one.fix == other.fix) {
            drawn.extend(alike.iter().map(|line| columns.row(terminal, line, word, look)));
            // One repair step for all that need it.
            if let Some(fix) = alike.first().map(|line| &line.fix).filter(|fix| !fix.is_empty()) {
                let text = fitted(&format!("    → {fix}"), terminal.width);
                drawn.push(terminal.paint(text.trim_end(), Look::Faint).into_owned());
            }
        }
    }
    let unchanged = lines.iter().filter(|line| line.status == LineStatus::Unchanged).count();
    drawn.push(String::new());
    drawn.push(format!("  {unchanged} more lines were right already and cost no further request."));
    drawn
}

/// How wide the two columns are that share what the others leave.
struct Columns {
    company: usize,
    why: usize,
}

impl Columns {
    fn of(terminal: &Terminal, lines: &[LineResult]) -> Self {
        let shared = terminal.width.saturating_sub(GAPS + PRODUCT + 3 * NUMBER + STATUS);
        let longest = lines.iter().map(|line| line.company_name.chars().count()).max().unwrap_or(0);
        let company = longest.clamp(12, (shared / 3).max(12));
        Self { company, why: shared.saturating_sub(company).max(10) }
    }

    fn heading(&self) -> String {
        let Self { company, why } = self;
        let row = format!(
            "  {:company$} {:PRODUCT$} {:>NUMBER$} {:>NUMBER$} {:>NUMBER$} {:STATUS$} {:why$}",
            "company", "product", "before", "target", "after", "status", "why",
        );
        row.trim_end().to_owned()
    }

    fn row(&self, terminal: &Terminal, line: &LineResult, word: &str, look: Look) -> String {
        let units = |units: Option<Units>| units.map_or_else(|| "–".to_owned(), |units| units.to_string());
        let left = format!(
            "  {} {} {:>NUMBER$} {:>NUMBER$} {:>NUMBER$} ",
            whose(line, self.company),
            fitted(line.product.as_str(), PRODUCT),
            units(line.before),
            units(line.target),
            units(line.after),
        );
        let why = fitted(&line.explanation, self.why);
        format!("{left}{} {}", terminal.paint(&fitted(word, STATUS), look), why.trim_end())
    }
}

/// The company, and how many more share the line, in `width` columns.
fn whose(line: &LineResult, width: usize) -> String {
    let name = if line.company_name.is_empty() { line.company.as_str() } else { &line.company_name };
    let others: BTreeSet<_> =
        line.feeds.iter().map(|feed| &feed.company).filter(|company| **company != line.company).collect();
    if others.is_empty() {
        return fitted(name, width);
    }
    let more = format!(" (+{})", others.len());
    let name = fitted(name, width.saturating_sub(more.len()));
    fitted(&format!("{}{more}", name.trim_end()), width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(company: &str, status: LineStatus, numbers: [i64; 3], explanation: &str, fix: &str) -> LineResult {
        let units = |number: i64| Units::try_from(number).ok();
        LineResult {
            line_id: "1:2".into(),
            company: "1".parse().unwrap(),
            company_name: company.into(),
            product: "edr".parse().unwrap(),
            account_id: "1".parse().unwrap(),
            contract_id: "1".parse().unwrap(),
            service_id: "2".parse().unwrap(),
            before: units(numbers[0]),
            target: units(numbers[1]),
            after: units(numbers[2]),
            rule: None,
            effective_date: None,
            status,
            code: String::new(),
            explanation: explanation.into(),
            fix: fix.into(),
            feeds: Vec::new(),
            prorated: false,
            money: None,
            prices: None,
            last_confirmed: None,
            last_confirmed_from: None,
        }
    }

    #[test]
    fn groups_come_in_order_and_no_row_is_wider_than_the_terminal() {
        let lines = [
            line(
                "Öztürk Foods, Inc.",
                LineStatus::Held,
                [72, 31, -1],
                "From 72 to 31 is a fall of more than 30 % and 5 units.",
                "Check the count.",
            ),
            line(
                "Zhang Law",
                LineStatus::Updated,
                [40, 42, 42],
                "newest count 42 of 2026-11-21; +2 from 2026-11-01",
                "",
            ),
            line("Böhm Optik", LineStatus::Updated, [7, 6, 6], "newest count 6 of 2026-11-21; -1 from 2026-11-01", ""),
            line("Weiß Media S.r.l.", LineStatus::Unchanged, [5, 5, 5], "newest count 5 of 2026-11-21", ""),
        ];
        let drawn = drawn(&Terminal::plain(80), &lines);
        assert!(drawn.iter().all(|line| line.chars().count() <= 80), "{drawn:#?}");
        let place = |text: &str| drawn.iter().position(|line| line.contains(text)).unwrap();
        assert!(place("Written and read back (2)") < place("Böhm Optik"));
        assert!(place("Böhm Optik") < place("Zhang Law"));
        assert!(place("Held: a person decides (1)") < place("Öztürk"));
        assert!(place("Öztürk") < place("Written and read back (2)"));
        assert!(drawn[place("Öztürk")].contains("    72     31      – held"), "{drawn:#?}");
        assert_eq!(drawn.last().unwrap(), "  1 more lines were right already and cost no further request.");
    }
}
