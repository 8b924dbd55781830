//! Changes in words and numbers, for a person who is about to have them made or taken back.

use maud::{Markup, html};

use super::{counted, sums};
use crate::client::told::results::{Changes, Together};

/// Whether changes are to be made, or to be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Made,
    TakenBack,
}

/// What they are, one sentence each, and what they come to.
pub(crate) fn of(changes: &Changes, way: Way) -> Markup {
    let (gain, lose) = match way {
        Way::Made => ("gain", "lose"),
        Way::TakenBack => ("give back what they gained,", "get back what they lost,"),
    };
    html! {
        ul.changes {
            (side(changes.rises, gain))
            (side(changes.falls, lose))
            @if changes.repriced > 0 { li {
                strong { (counted(changes.repriced, "line", "lines")) }
                @match way { Way::Made => " change their prices and no units.", Way::TakenBack => " get back their prices of before." }
            } }
            @if changes.charges > 0 { li {
                strong { (counted(changes.charges, "charge", "charges")) } " are made or changed: " (sums::of_charges(&changes.charge_money)) "."
            } }
        }
        @if !changes.money.is_empty() {
            h2 { @match way { Way::Made => "What it comes to, a month", Way::TakenBack => "What is taken back, a month" } }
            (sums::by_currency("Money a month by currency", &changes.money))
            p.hint { "At the prices that the PSA shows. What is invoiced for the current period, the PSA decides." }
        }
        @if changes.lines_without_money > 0 {
            p.warning { (counted(changes.lines_without_money, "line", "lines")) " of these can't be told in money: the PSA shows no price." }
        }
    }
}

fn side(together: Together, verb: &str) -> Markup {
    html! { @if together.lines > 0 { li {
        strong { (counted(together.lines, "line", "lines")) } " " (verb) " "
        strong { (counted(together.units, "unit", "units")) } " in all."
    } } }
}
