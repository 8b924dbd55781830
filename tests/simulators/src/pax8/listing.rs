//! Pages of a list: their size, their order, and what is said of them.
//!
//! Pages are counted from 0, and rows that come in or go away move all that are behind them. What is answered to parameters
//! outside of what the description allows is not known; here it is refused.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::Api;
use super::company::Company;
use super::subscription::Subscription;
use crate::vendor::{Ask, Held, Refusal};

/// A subscription and whose it is.
type Bought<'h> = (&'h Company, &'h Subscription);

/// The page of companies that is asked for. Their names rise, as in the documented example, unless they are to fall; orders by
/// address are left out.
pub(crate) fn companies(ask: &Ask<'_>, held: &Held<Api>) -> Result<Value, Refusal> {
    let status = ask.sent("status");
    let is_wanted = |company: &&Company| status.is_none_or(|status| json!(company.status) == status);
    let mut rows: Vec<&Company> = held.customers.iter().filter(is_wanted).collect();
    match ask.sent("sort") {
        None | Some("name" | "name,asc") => rows.sort_by_key(|company| &company.name),
        Some("name,desc") => rows.sort_by_key(|company| Reverse(&company.name)),
        Some(_) => return Err(Refusal::invalid("sort is none of those that are known")),
    }
    page(&rows, |company| company.listed(), ask, held)
}

/// The page of subscriptions that is asked for, of all companies together. The newest comes first, as in the documented
/// example, unless another order is asked for.
pub(crate) fn subscriptions(ask: &Ask<'_>, held: &Held<Api>) -> Result<Value, Refusal> {
    let is = |name: &str, value: &str| ask.sent(name).is_none_or(|wanted| wanted == value);
    let all =
        held.customers.iter().flat_map(|company| company.subscriptions.iter().map(move |bought| (company, bought)));
    let is_wanted = |(company, bought): &Bought<'_>| {
        is("companyId", &company.id) && is("productId", &bought.product.id) && is("status", &bought.status)
    };
    let mut rows: Vec<Bought<'_>> = all.filter(is_wanted).collect();
    let (field, direction) = ask.sent("sort").unwrap_or("createdDate,desc").split_once(',').unwrap_or_default();
    match field {
        "createdDate" | "startDate" | "billingStart" => rows.sort_by_key(|(_, bought)| bought.start),
        "endDate" => rows.sort_by_key(|(_, bought)| bought.end),
        "quantity" => rows.sort_by_key(|(_, bought)| bought.quantity),
        "price" => rows.sort_by_key(|(_, bought)| bought.price),
        _ => return Err(Refusal::invalid("sort is none of those that are known")),
    }
    match direction {
        "asc" => {}
        "desc" => rows.reverse(),
        _ => return Err(Refusal::invalid("sort is none of those that are known")),
    }
    page(&rows, |(company, bought)| bought.listed(&company.id), ask, held)
}

fn page<T>(rows: &[T], listed: impl Fn(&T) -> Value, ask: &Ask<'_>, held: &Held<Api>) -> Result<Value, Refusal> {
    let size = ask.number("size")?.unwrap_or(held.limits.default_page);
    if !(1..=held.limits.largest_page).contains(&size) {
        return Err(Refusal::invalid("size does not have a valid value"));
    }
    let asked = ask.number("page")?.unwrap_or_default();
    let number = if held.switches.repeats_token { 0 } else { asked };
    let content: Vec<Value> = rows.iter().skip(number.saturating_mul(size)).take(size).map(listed).collect();
    let pages = rows.len().div_ceil(size);
    let page = json!({ "size": size, "totalElements": rows.len(), "totalPages": pages, "number": number });
    Ok(json!({ "content": content, "page": page }))
}
