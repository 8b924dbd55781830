//! What resolving a finding does, by its code: said before it is done.

use maud::{Markup, html};
use shared::domain::line::LineStatus;
use shared::domain::reason::Code;

use crate::client::told::finding::Finding;

/// What follows when `finding` is resolved.
pub(super) fn of(finding: &Finding) -> Markup {
    let now = finding.before.map(|units| format!("{units} units"));
    let wanted = finding.target.map(|units| format!("{units} units"));
    let now = now.as_deref().unwrap_or("the units that the PSA shows");
    let wanted = wanted.as_deref().unwrap_or("its target");
    let code = Code::named(&finding.code);
    html! { @match code {
        Some(Code::WriteUnsettled | Code::WriteUnexplained) => {
            p { strong { "The write whose outcome nobody knows is given up." } " It is kept as rejected, never as applied, and the next sync goes on from what the PSA shows then." }
            p { "So put it right in the PSA first. While that write may still be on its way, up to six minutes, resolving is refused." }
        },
        Some(Code::Drift) => {
            p { strong { "What somebody set in the PSA (" (now) ") is accepted as the starting point, and the next sync brings the line to " (wanted) "." }
                " That change waits for approval where it is beyond the guards, as any change does." }
            p { "To keep what they set, don't resolve this: give the company a rule of its own for the product, or correct the usage." }
        },
        Some(Code::PriceDrift | Code::PricesNotTaken) => {
            p { strong { "The next sync compares the line's prices anew and sends them again" } ", guarded as any change of prices." }
        },
        Some(Code::ChargeDrift | Code::ChargeNotTaken | Code::ChargeTwice) => {
            p { strong { "The next sync brings the charge to what its records say" } ", from what the PSA shows then. What is gone from the PSA is made again." }
        },
        Some(code) if code.approvable() => {
            p { strong { "Nothing is changed: the line stays at " (now) "." } " Resolving says that you have seen it and leave it. It stays resolved while the same change ("
                (wanted) ") is held, and opens again when the numbers change." }
            p { "To have the change made, approve it in the sync that holds it instead." }
        },
        Some(code) if code.status() == LineStatus::Held || code.status() == LineStatus::Unchanged => {
            p { strong { "Nothing is changed in the PSA." } " Resolving says that you have seen it, and mean it so. It stays resolved while it is noticed just so, and opens again when that changes." }
        },
        _ => {
            p { strong { "Nothing is changed in the PSA." } " Resolving says that you have put it right: where it is not, the next sync opens the finding again." }
        },
    } }
}
