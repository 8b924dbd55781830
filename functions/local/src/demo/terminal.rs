//! Where the demo's words go: how wide it is, whether it takes colours, and whether it wants words at all.

use std::borrow::Cow;
use std::io::Write as _;
use std::time::Duration;

use console::{Alignment, Term, measure_text_width, pad_str};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Width where nobody says how wide it is.
const USUAL_WIDTH: usize = 150;
/// Narrower than this a table makes no sense.
const LEAST_WIDTH: usize = 80;

/// Stdout, as a person or a program reads it.
pub(super) struct Terminal {
    /// Nothing but the result is wanted.
    quiet: bool,
    colours: bool,
    /// Columns.
    pub width: usize,
}

/// What a text is to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Strong,
    Faint,
    Good,
    Waiting,
    Bad,
}

impl Terminal {
    pub(super) fn new(quiet: bool) -> Self {
        let stdout = Term::stdout();
        let seen = stdout.size_checked().map(|(_, columns)| usize::from(columns)).filter(|_| stdout.is_term());
        let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        Self { quiet, colours: console::colors_enabled(), width: seen.or(told).unwrap_or(USUAL_WIDTH).max(LEAST_WIDTH) }
    }

    #[cfg(test)]
    pub(super) fn plain(width: usize) -> Self {
        Self { quiet: false, colours: false, width }
    }

    /// What the steps or lines that follow are about.
    pub(super) fn heading(&self, text: &str) {
        self.say("");
        self.say(&self.paint(text, Look::Strong));
    }

    /// A step of the story.
    pub(super) fn step(&self, text: &str) {
        for (row, number) in wrapped(text, self.width.saturating_sub(4)).iter().zip(0..) {
            let mark = if number == 0 { self.paint("✓", Look::Good) } else { " ".into() };
            self.say(&format!("  {mark} {row}"));
        }
    }

    /// Something worth knowing about the step before.
    pub(super) fn note(&self, text: &str) {
        for row in wrapped(text, self.width.saturating_sub(4)) {
            self.say(&format!("    {}", self.paint(&row, Look::Faint)));
        }
    }

    /// Sentences, each row of them after `indent`.
    pub(super) fn paragraph(&self, indent: &str, text: &str) {
        for row in wrapped(text, self.width.saturating_sub(indent.len())) {
            self.say(&format!("{indent}{row}"));
        }
    }

    /// A line of text.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            // A reader that has seen enough, such as `head`, is no reason to stop.
            writeln!(std::io::stdout(), "{text}").ok();
        }
    }

    /// Text in a look, where colours are shown.
    pub(super) fn paint<'a>(&self, text: &'a str, look: Look) -> Cow<'a, str> {
        let code = match look {
            _ if !self.colours => return text.into(),
            Look::Strong => "1",
            Look::Faint => "2",
            Look::Good => "32",
            Look::Waiting => "33",
            Look::Bad => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m").into()
    }

    /// A bar for `steps` steps; hidden where nobody sees it.
    pub(super) fn bar(&self, name: &'static str, steps: u64) -> ProgressBar {
        // On stderr, and by itself silent where that is no terminal.
        let target = if self.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(steps), target).with_message(name);
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} {wide_bar} {pos}/{len}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }
}

/// `text` in `width` columns: filled with spaces, or cut and marked with `…`.
pub(super) fn fitted(text: &str, width: usize) -> String {
    pad_str(text, width, Alignment::Left, Some("…")).into_owned()
}

/// `text` in rows of at most `width` columns, broken at spaces. A longer word has a row of its own.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match rows.last_mut().filter(|row| measure_text_width(row) + 1 + measure_text_width(word) <= width) {
            Some(row) => {
                row.push(' ');
                row.push_str(word);
            }
            None => rows.push(word.to_owned()),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_at_spaces_and_no_row_is_wider_than_it_may_be() {
        assert_eq!(wrapped("Küche und Bäder GmbH", 10), ["Küche und", "Bäder GmbH"]);
        assert_eq!(wrapped("http://127.0.0.1:9100 is it", 10), ["http://127.0.0.1:9100", "is it"]);
        assert!(wrapped("", 10).is_empty());
    }

    #[test]
    fn a_text_fills_its_columns_exactly_whatever_its_letters() {
        assert_eq!(fitted("Häusler", 9), "Häusler  ");
        assert_eq!(fitted("Křížek Architects LLP", 10), "Křížek Ar…");
        for width in 1..12 {
            assert_eq!(fitted("Öztürk Foods, Inc.", width).chars().count(), width);
        }
    }
}
