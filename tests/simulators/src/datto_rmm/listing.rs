//! Pages of a list: their size, and the addresses that lead from one to the next.
//!
//! Pages are counted from 0, as a public user of the API found. A page that is larger than the largest is no error there, and
//! is cut down to that.

use serde_json::{Value, json};

use super::Api;
use crate::vendor::{Ask, Held, Refusal};

/// The host of one of the platforms: addresses in answers name the real one.
const HOST: &str = "https://concord-api.centrastage.net";

/// The page of `rows` that is asked for, as the member `name` beside what is said of the page.
pub(crate) fn page<T>(
    name: &str,
    rows: &[T],
    shown: impl Fn(&T) -> Value,
    ask: &Ask<'_>,
    held: &Held<Api>,
) -> Result<Value, Refusal> {
    let size = ask.number("max")?.unwrap_or(held.limits.default_page).min(held.limits.largest_page);
    if size == 0 {
        return Err(Refusal::invalid("max does not have a valid value"));
    }
    let asked = ask.number("page")?.unwrap_or_default();
    let number = if held.switches.repeats_token { 0 } else { asked };
    let (start, end) = (number.saturating_mul(size), number.saturating_add(1).saturating_mul(size));
    let shown: Vec<Value> = rows.iter().skip(start).take(size).map(shown).collect();
    let path = ask.path().join("/");
    let address = |number: usize| format!("{HOST}/{path}?max={size}&page={number}");
    Ok(json!({
        "pageDetails": {
            "count": shown.len(),
            "totalCount": rows.len(),
            "prevPageUrl": number.checked_sub(1).map(address),
            "nextPageUrl": (end < rows.len()).then(|| address(number + 1)),
        },
        name: shown,
    }))
}
