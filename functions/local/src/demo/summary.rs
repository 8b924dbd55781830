//! The end of the demo, for people: what it came to in units, what the syncs cost, and where to look next.

use shared::domain::line::{LineResult, LineStatus};

use super::story::{Part, Played, changes};
use super::terminal::{Look, Terminal};

/// Statuses of lines that somebody has to look at: each is a finding.
const WAITING: [LineStatus; 3] = [LineStatus::Held, LineStatus::Failed, LineStatus::Unknown];

/// What the results of one connection come to.
pub(super) fn of_part(terminal: &Terminal, part: &Part) {
    let mut more = Tally::default();
    let mut fewer = Tally::default();
    for line in part.lines.iter().filter(|line| line.status == LineStatus::Updated) {
        let units = |units: Option<shared::domain::units::Units>| units.map_or(0, |units| i64::from(units.get()));
        match units(line.after) - units(line.before) {
            change if change < 0 => fewer.add(-change),
            change => more.add(change),
        }
    }
    terminal.paragraph(
        "  ",
        &format!(
            "{}: {} units more are billed from now on ({} lines), and {} fewer ({} lines).",
            part.name, more.units, more.lines, fewer.units, fewer.lines
        ),
    );
    for text in &part.about {
        terminal.paragraph("  ", text);
    }
}

#[derive(Default)]
struct Tally {
    lines: u32,
    units: i64,
}

impl Tally {
    fn add(&mut self, units: i64) {
        self.lines += 1;
        self.units += units;
    }
}

/// What both syncs of each connection cost.
pub(super) fn print(terminal: &Terminal, played: &Played) {
    terminal.say("");
    terminal.say(&terminal.paint("                             PSA requests   changes sent", Look::Strong));
    for Part { name, first, second, .. } in &played.parts {
        for (of, which, run) in [(*name, "first sync", first), ("", "second sync", second)] {
            terminal.say(&format!("  {of:12} {which:12} {:>13} {:>14}", run.psa_requests, run.writes));
        }
    }
    for part in &played.parts {
        let look = if part.is_fine() { Look::Good } else { Look::Bad };
        let verdict = format!(
            "  {} counted {} in all; the second sync sent {}.",
            part.name,
            changes(u32::try_from(part.written).unwrap_or(u32::MAX)),
            changes(part.second.writes),
        );
        terminal.say(&terminal.paint(&verdict, look));
    }
}

/// What to do next where the service ends here.
pub(super) fn how_to_go_on(terminal: &Terminal, played: &Played) {
    let waiting: usize = played.parts.iter().map(|part| waiting(&part.lines)).sum();
    terminal.say("");
    terminal.paragraph(
        "  ",
        &format!(
            "Next: {waiting} lines wait for a person or a repair. Each is a finding, with what to do about it. Without --exit \
             the service goes on and shows them. README.md has how to connect a real PSA."
        ),
    );
}

fn waiting(lines: &[LineResult]) -> usize {
    lines.iter().filter(|line| WAITING.contains(&line.status)).count()
}

/// Where the service is, and how to ask it.
pub(super) fn how_to_look_further(terminal: &Terminal, base: &str, link: &str, played: &Played) {
    let token = &played.token;
    let asking = "curl -s -H \"Authorization: Bearer $TOKEN\"";
    terminal.say(&format!("\n  The console, for one sign-in within a quarter of an hour: {base}{link}"));
    terminal.say(&format!(
        "\n  The service goes on at {base} until Ctrl-C. To look around:\n\nexport TOKEN={token}\nBASE={base}"
    ));
    for Part { name, connection, first, lines, .. } in &played.parts {
        let (run, waiting) = (&first.id, waiting(lines));
        terminal.say(&format!(
            "\n# {name}: what waits for you, {waiting} lines among it, then every line as a file, then the connection\n\
             {asking} \"$BASE/v1/connections/{connection}/findings?status=open\"\n\
             {asking} -H 'Accept: text/csv' $BASE/v1/runs/{run}/lines\n\
             {asking} $BASE/v1/connections/{connection}"
        ));
    }
    terminal.say(&format!("\n# the whole HTTP contract\ncurl -s {base}/openapi.json\n"));
}
