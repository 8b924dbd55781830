//! Partner Center's collections.
//!
//! A continuation token says behind which customer the next page begins, so that one who leaves meanwhile hides nobody else;
//! what Microsoft's say is not known. It counts only beside `seekOperation=Next`. `totalCount` is that of the page, as in
//! Microsoft's examples of continued lists. The largest page is not confirmed: beyond it, pages come all the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Api;
use super::customer::Customer;
use crate::vendor::{Ask, Held, Refusal};

/// The header that a continuation token is sent in.
const CONTINUATION: &str = "MS-ContinuationToken";

/// The page of customers that is asked for.
pub(crate) fn customers(ask: &Ask<'_>, held: &Held<Api>) -> Result<Value, Refusal> {
    let size = ask.number("size")?.unwrap_or(held.limits.default_page).min(held.limits.largest_page);
    if size == 0 {
        return Err(Refusal::invalid("400: The size is not valid."));
    }
    let sent = ask.header(CONTINUATION);
    let after = match ask.sent("seekOperation") {
        None => None,
        Some("Next") => Some(place(sent).ok_or_else(|| Refusal::invalid("400: The token is not valid."))?),
        Some(_) => return Err(Refusal::invalid("400: The seek operation is not valid.")),
    };
    let is_behind = |customer: &&Customer| after.as_ref().is_none_or(|after| customer.id > *after);
    let mut rows: Vec<&Customer> = held.customers.iter().filter(is_behind).take(size.saturating_add(1)).collect();
    let is_last = rows.len() <= size;
    rows.truncate(size);
    let next = rows.last().filter(|_| !is_last).map(|customer| STANDARD.encode(&customer.id));
    let next = after.filter(|_| held.switches.repeats_token).map(|_| sent.to_owned()).or(next);
    let mut page = collection(rows.iter().map(|customer| customer.listed()).collect());
    let mut links = json!({ "self": link(&format!("/customers?size={size}"), None) });
    if let Some(token) = next {
        links["next"] = link(&format!("/customers?size={size}&seekOperation=Next"), Some(&token));
    }
    page["links"] = links;
    Ok(page)
}

/// The id that a token stands for.
fn place(token: &str) -> Option<String> {
    let place = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    (!place.is_empty()).then_some(place)
}

/// All of something.
pub(crate) fn collection(items: Vec<Value>) -> Value {
    json!({ "totalCount": items.len(), "items": items, "attributes": { "objectType": "Collection" } })
}

fn link(uri: &str, token: Option<&str>) -> Value {
    let headers: Vec<Value> = token.iter().map(|token| json!({ "key": CONTINUATION, "value": token })).collect();
    json!({ "uri": uri, "method": "GET", "headers": headers })
}
