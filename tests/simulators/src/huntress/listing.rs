//! Pages of organizations: their size, their order, and the tokens that lead from one to the next.
//!
//! A token says behind which row the next page begins, not how many rows were shown, so that one that is deleted meanwhile
//! hides no other. Huntress's own example of a token is a row's date in base64, which is the same; no more is known of them.
//! Clients have to take them as they are, in the order that they were made for: in another one they are refused.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Api;
use super::organization::Organization;
use crate::vendor::{Ask, Held, Limits, Refusal};

/// What rows are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Id,
    CreatedAt,
    UpdatedAt,
    Name,
    Key,
}

/// The order of a list. By its newest row first unless something else is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    field: Field,
    falls: bool,
}

/// A row's place in an order: what it is ordered by, and its id where that is the same for two.
type Place = (String, i64);

/// A page that was asked for.
struct Wanted<'q> {
    limit: usize,
    order: Order,
    token: Option<&'q str>,
    after: Option<Place>,
}

/// The page that is asked for.
pub(super) fn page(ask: &Ask<'_>, held: &Held<Api>) -> Result<Value, Refusal> {
    let Wanted { limit, order, token, after } = Wanted::read(ask, &held.limits)?;
    let is_behind = |place: &Place| after.as_ref().is_none_or(|after| order.of(after, place) == Ordering::Less);
    let rows = held.customers.iter().map(|row| (order.place(row), row));
    let mut rows: Vec<_> = rows.filter(|(place, _)| is_behind(place)).collect();
    rows.sort_by(|(one, _), (other, _)| order.of(one, other));
    let is_last = rows.len() <= limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| !is_last).map(|(place, _)| order.token(place));
    let next = token.filter(|_| held.switches.repeats_token).map(str::to_owned).or(next);
    let shown: Vec<Value> = rows.iter().map(|(_, row)| row.listed()).collect();
    Ok(json!({ "organizations": shown, "pagination": pagination(next.as_deref(), limit) }))
}

/// Nothing on the last page. The address is that of the real host.
fn pagination(next: Option<&str>, limit: usize) -> Value {
    match next {
        None => json!({}),
        Some(token) => json!({
            "next_page_token": token,
            "next_page_url": format!("https://api.huntress.io/v1/organizations?page_token={token}&limit={limit}"),
        }),
    }
}

impl<'q> Wanted<'q> {
    fn read(ask: &'q Ask<'_>, limits: &Limits) -> Result<Self, Refusal> {
        let limit = ask.number("limit")?.unwrap_or(limits.default_page);
        if !(1..=limits.largest_page).contains(&limit) {
            return Err(Refusal::invalid("limit does not have a valid value"));
        }
        let field = ask.sent("sort_field").map_or(Some(Field::Id), Field::named);
        let field = field.ok_or_else(|| Refusal::invalid("sort_field does not have a valid value"))?;
        let falls = match ask.sent("sort_direction") {
            None | Some("desc") => true,
            Some("asc") => false,
            Some(_) => return Err(Refusal::invalid("sort_direction does not have a valid value")),
        };
        let order = Order { field, falls };
        let token = ask.sent("page_token").filter(|token| !token.is_empty());
        let after = match token {
            None => None,
            Some(token) => Some(order.read(token).ok_or_else(|| Refusal::invalid("page_token is invalid"))?),
        };
        Ok(Self { limit, order, token, after })
    }
}

impl Field {
    const ALL: [Self; 5] = [Self::Id, Self::CreatedAt, Self::UpdatedAt, Self::Name, Self::Key];

    fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::Name => "name",
            Self::Key => "key",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

impl Order {
    fn place(self, row: &Organization) -> Place {
        let by = match self.field {
            Field::Id => String::new(),
            Field::CreatedAt => row.created_at.to_string(),
            Field::UpdatedAt => row.updated_at.to_string(),
            Field::Name => row.name.clone(),
            Field::Key => row.key(),
        };
        (by, row.id)
    }

    fn of(self, one: &Place, other: &Place) -> Ordering {
        if self.falls { other.cmp(one) } else { one.cmp(other) }
    }

    /// The beginning of every token for this order.
    fn mark(self) -> String {
        format!("{} {} ", self.field.name(), if self.falls { "desc" } else { "asc" })
    }

    fn token(self, (by, id): &Place) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}{id} {by}", self.mark()))
    }

    /// The place that a token of this order stands for.
    fn read(self, token: &str) -> Option<Place> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let (id, by) = text.strip_prefix(&self.mark())?.split_once(' ')?;
        Some((by.to_owned(), id.parse().ok()?))
    }
}
