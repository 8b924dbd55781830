//! How far a run is: it looks again every two seconds while the run goes on, and stops when it has ended.

use maud::{Markup, html};

use crate::client::path;
use crate::client::told::run::Run;

/// How far `run` is; `here` is the page that shows it, for whoever has to load it anew by hand.
pub(crate) fn of(run: &Run, here: &str) -> Markup {
    html! {
        (fragment(run))
        noscript { p { a.button.plain href=(here) { "Refresh" } } }
    }
}

/// The part that is loaded again.
pub(crate) fn fragment(run: &Run) -> Markup {
    let done = run.jobs.saturating_sub(run.jobs_left).max(0);
    html! {
        div.card.progress id="progress" role="status" hx-get=(path(&["console", "runs", &run.id, "progress"]))
            hx-trigger="every 2s" hx-swap="outerHTML" {
            @if run.jobs > 0 {
                p { (done) " of " (run.jobs) " accounts with a change are done." }
                progress max=(run.jobs) value=(done) aria-label="Accounts that are done" {}
            } @else {
                p { "The PSA is read and changes are worked out." }
                progress aria-label="Reading and planning" {}
            }
            p { (super::badge::counts(&run.lines)) }
        }
    }
}
