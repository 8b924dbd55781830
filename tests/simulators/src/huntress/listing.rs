//! Pages of organizations: their size, their order, and the tokens that lead from one to the next.
//!
//! A token says behind which row the next page begins, not how many rows were shown, so that one that is deleted meanwhile
//! hides no other. Huntress's own example of a token is a row's date in base64, which is the same; no more is known of them.
//! Clients have to take them as they are, in the order that they were made for: in another one they are refused.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::account::Account;
use super::limits::Limits;
use super::organization::Organization;
use super::refusal::Refusal;
use super::switches::Switches;

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

/// The page that `parameters` ask for.
pub(crate) fn page(
    account: &Account,
    parameters: &[(String, String)],
    limits: &Limits,
    switches: &Switches,
) -> Result<Value, Refusal> {
    let Wanted { limit, order, token, after } = Wanted::read(parameters, limits)?;
    let is_behind = |place: &Place| after.as_ref().is_none_or(|after| order.of(after, place) == Ordering::Less);
    let rows = account.organizations().map(|row| (order.place(row), row));
    let mut rows: Vec<_> = rows.filter(|(place, _)| is_behind(place)).collect();
    rows.sort_by(|(one, _), (other, _)| order.of(one, other));
    let is_last = rows.len() <= limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| !is_last).map(|(place, _)| order.token(place));
    let next = token.filter(|_| switches.repeats_token).map(str::to_owned).or(next);
    let shown: Vec<Value> = rows.iter().map(|(_, row)| row.listed(account.id)).collect();
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
    fn read(parameters: &'q [(String, String)], limits: &Limits) -> Result<Self, Refusal> {
        let sent = |name: &str| parameters.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.as_str());
        let limit = match sent("limit") {
            None => limits.default_page,
            Some(text) => {
                let limit = text.parse::<usize>().ok().filter(|limit| (1..=limits.largest_page).contains(limit));
                limit.ok_or(Refusal::Invalid("limit does not have a valid value"))?
            }
        };
        let field = sent("sort_field").map_or(Some(Field::Id), Field::named);
        let field = field.ok_or(Refusal::Invalid("sort_field does not have a valid value"))?;
        let falls = match sent("sort_direction") {
            None | Some("desc") => true,
            Some("asc") => false,
            Some(_) => return Err(Refusal::Invalid("sort_direction does not have a valid value")),
        };
        let order = Order { field, falls };
        let token = sent("page_token").filter(|token| !token.is_empty());
        let after = match token {
            None => None,
            Some(token) => Some(order.read(token).ok_or(Refusal::Invalid("page_token is invalid"))?),
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::huntress::Change;

    /// Ids rise and names fall.
    fn account() -> Account {
        Account::of("Nordwind IT", (1..=25).map(|id| Organization::new(id, format!("Customer {}", 100 - id))))
    }

    fn asked(account: &Account, query: &[(&str, &str)], switches: &Switches) -> Result<Value, Refusal> {
        let query: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        page(account, &query, &Limits::default(), switches)
    }

    fn ids(page: &Value) -> Vec<i64> {
        page["organizations"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
    }

    fn token(page: &Value) -> String {
        page["pagination"]["next_page_token"].as_str().unwrap().to_owned()
    }

    #[test]
    fn nobody_who_asks_for_nothing_gets_more_than_the_ten_newest() {
        let first = asked(&account(), &[], &Switches::default()).unwrap();
        assert_eq!(ids(&first), (16..=25).rev().collect::<Vec<_>>());
        assert!(first["pagination"]["next_page_url"].as_str().unwrap().ends_with("&limit=10"));
    }

    #[test]
    fn tokens_lead_to_the_end_in_every_order() {
        let account = account();
        for field in Field::ALL {
            for direction in ["asc", "desc"] {
                let order = [("limit", "10"), ("sort_field", field.name()), ("sort_direction", direction)];
                let mut found = Vec::new();
                let mut page = asked(&account, &order, &Switches::default()).unwrap();
                found.extend(ids(&page));
                for _ in 0..2 {
                    let token = token(&page);
                    let query = [&order[..], &[("page_token", token.as_str())]].concat();
                    page = asked(&account, &query, &Switches::default()).unwrap();
                    found.extend(ids(&page));
                }
                assert_eq!(page["pagination"], json!({}), "{} {direction}", field.name());
                found.sort_unstable();
                assert_eq!(found, (1..=25).collect::<Vec<_>>(), "{} {direction}", field.name());
            }
        }
    }

    #[test]
    fn a_row_that_is_deleted_between_two_pages_hides_no_other() {
        let mut account = account();
        let rising = ("sort_direction", "asc");
        let first = asked(&account, &[rising], &Switches::default()).unwrap();
        account.apply(Change::Delete(3), Timestamp::UNIX_EPOCH).unwrap();
        account.apply(Change::Delete(10), Timestamp::UNIX_EPOCH).unwrap();
        let second = asked(&account, &[rising, ("page_token", token(&first).as_str())], &Switches::default()).unwrap();
        assert_eq!(ids(&second), (11..=20).collect::<Vec<_>>());
    }

    #[test]
    fn what_no_request_can_mean_is_refused() {
        let account = account();
        let token = token(&asked(&account, &[], &Switches::default()).unwrap());
        let in_another_order: &[_] = &[("page_token", token.as_str()), ("sort_direction", "asc")];
        let refused: [&[(&str, &str)]; 7] = [
            &[("limit", "0")],
            &[("limit", "501")],
            &[("limit", "many")],
            &[("sort_field", "agents_count")],
            &[("sort_direction", "up")],
            &[("page_token", "2")],
            in_another_order,
        ];
        for query in refused {
            let answer = asked(&account, query, &Switches::default());
            assert!(matches!(answer, Err(Refusal::Invalid(_))), "{query:?}");
        }
        assert!(asked(&account, &[("limit", "500")], &Switches::default()).is_ok());
    }

    #[test]
    fn a_token_that_repeats_itself_never_comes_to_an_end() {
        let (account, switches) = (account(), Switches { repeats_token: true, ..Switches::default() });
        let first = token(&asked(&account, &[], &switches).unwrap());
        for _ in 0..5 {
            assert_eq!(token(&asked(&account, &[("page_token", first.as_str())], &switches).unwrap()), first);
        }
    }
}
