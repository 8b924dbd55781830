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
        Way::Made => (("gains", "gain"), ("loses", "lose")),
        Way::TakenBack => (
            ("gives back what it gained,", "give back what they gained,"),
            ("gets back what it lost,", "get back what they lost,"),
        ),
    };
    html! {
        ul.changes {
            (side(changes.rises, gain))
            (side(changes.falls, lose))
            @if changes.repriced > 0 { li {
                strong { (counted(changes.repriced, "line", "lines")) }
                @match way { Way::Made => ": prices change, and no units.", Way::TakenBack => ": prices of before come back." }
            } }
            @if changes.charges > 0 { li {
                strong { (counted(changes.charges, "charge", "charges")) } " to be made or changed: " (sums::of_charges(&changes.charge_money)) "."
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

fn side(together: Together, (one, many): (&str, &str)) -> Markup {
    html! { @if together.lines > 0 { li {
        strong { (counted(together.lines, "line", "lines")) } " " (if together.lines == 1 { one } else { many }) " "
        strong { (counted(together.units, "unit", "units")) } " in all."
    } } }
}
