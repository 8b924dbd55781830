//! Where the demo's words go: how wide it is, whether it takes colours, and whether it wants words at all.

use std::borrow::Cow;
use std::io::Write as _;
use std::time::Duration;

use console::{Alignment, Term, pad_str};
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

    /// A step of the story.
    pub(super) fn step(&self, text: &str) {
        self.say(&format!("  {} {text}", self.paint("✓", Look::Good)));
    }

    /// Something worth knowing about the step before.
    pub(super) fn note(&self, text: &str) {
        self.say(&format!("    {}", self.paint(text, Look::Faint)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_fills_its_columns_exactly_whatever_its_letters() {
        assert_eq!(fitted("Häusler", 9), "Häusler  ");
        assert_eq!(fitted("Křížek Architects LLP", 10), "Křížek Ar…");
        for width in 1..12 {
            assert_eq!(fitted("Öztürk Foods, Inc.", width).chars().count(), width);
        }
    }
}
