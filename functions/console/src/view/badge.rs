//! Words for how something stands, in a colour that goes with them. The word alone says it all.

use maud::{Markup, html};
use shared::domain::line::LineStatus;
use shared::store::connections::Status;
use shared::store::runs::{Counts, RunState};

use crate::client::told::preflight::Verdict;

/// What a badge says of the thing beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Calm,
    Wait,
    Bad,
}

/// `word` in its tone.
pub(crate) fn badge(word: &str, tone: Tone) -> Markup {
    let class = match tone {
        Tone::Good => "badge good",
        Tone::Calm => "badge calm",
        Tone::Wait => "badge wait",
        Tone::Bad => "badge bad",
    };
    html! { span class=(class) { (word) } }
}

/// How a line ended.
pub(crate) fn line(status: LineStatus) -> Markup {
    let (word, tone) = of_line(status);
    badge(word, tone)
}

fn of_line(status: LineStatus) -> (&'static str, Tone) {
    match status {
        LineStatus::Updated => ("updated", Tone::Good),
        LineStatus::Unchanged => ("unchanged", Tone::Calm),
        LineStatus::Planned => ("planned", Tone::Wait),
        LineStatus::Held => ("held", Tone::Wait),
        LineStatus::Skipped => ("skipped", Tone::Calm),
        LineStatus::Failed => ("failed", Tone::Bad),
        LineStatus::Unknown => ("unknown", Tone::Bad),
    }
}

/// How a run stands.
pub(crate) fn run(state: RunState) -> Markup {
    let (word, tone) = match state {
        RunState::Queued => ("queued", Tone::Calm),
        RunState::Running => ("running", Tone::Wait),
        RunState::Succeeded => ("succeeded", Tone::Good),
        RunState::Partial => ("partial", Tone::Wait),
        RunState::Failed => ("failed", Tone::Bad),
    };
    badge(word, tone)
}

/// How a connection stands.
pub(crate) fn connection(status: Status, enabled: bool) -> Markup {
    match (status, enabled) {
        (Status::Revoked, _) => badge("revoked", Tone::Calm),
        (Status::CredentialsRejected, _) => badge("credentials rejected", Tone::Bad),
        (Status::Active, false) => badge("switched off", Tone::Wait),
        (Status::Active, true) => badge("on", Tone::Good),
    }
}

/// Lines by how they ended, those that there are.
pub(crate) fn counts(counts: &Counts) -> Markup {
    let each = [
        (counts.failed, LineStatus::Failed),
        (counts.unknown, LineStatus::Unknown),
        (counts.held, LineStatus::Held),
        (counts.planned, LineStatus::Planned),
        (counts.updated, LineStatus::Updated),
        (counts.skipped, LineStatus::Skipped),
        (counts.unchanged, LineStatus::Unchanged),
    ];
    html! {
        span.counts { @for (number, status) in each { @if number > 0 {
            @let (word, tone) = of_line(status);
            (badge(&format!("{number} {word}"), tone)) " "
        } } }
    }
}

/// What a check comes to.
pub(crate) fn verdict(verdict: Verdict) -> Markup {
    match verdict {
        Verdict::Ok => badge("all well", Tone::Good),
        Verdict::Warning => badge("to decide", Tone::Wait),
        Verdict::Failed => badge("stands in the way", Tone::Bad),
    }
}
