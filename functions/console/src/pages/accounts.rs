//! Looking for an account of the PSA by its name: a part that several pages have. The PSA is asked when somebody searches.

use maud::{Markup, html};

use crate::client::told::List;
use crate::client::told::mapping::Named;
use crate::client::{Client, Trouble, path, with_query};
use crate::view::trouble;

/// The search, and what was found where somebody searched.
#[derive(Default)]
pub(super) struct Accounts {
    find: String,
    found: Option<Result<List<Named>, Trouble>>,
}

impl Accounts {
    pub(super) async fn read(api: &Client, id: &str, find: &str) -> Self {
        let mut accounts = Self { find: find.to_owned(), found: None };
        if !find.trim().is_empty() {
            let query = [("search", Some(find.trim())), ("limit", Some("20"))];
            let path = with_query(&path(&["v1", "connections", id, "catalog", "accounts"]), &query);
            accounts.found = Some(api.get(&path).await);
        }
        accounts
    }

    /// Whether somebody searched.
    pub(super) fn was_asked(&self) -> bool {
        self.found.is_some()
    }

    /// Its form and what was found. Each leads to the page at `here` with `account` in its query, beside what is to be `kept`.
    pub(super) fn shown(&self, here: &str, kept: &[(&str, &str)]) -> Markup {
        let chosen = |id: &str| {
            let kept = kept.iter().map(|(name, value)| (*name, Some(*value)));
            with_query(here, &kept.chain([("account", Some(id))]).collect::<Vec<_>>())
        };
        html! {
            form.row role="search" method="get" action=(here) hx-get=(here) hx-select="#accounts" hx-target="#accounts"
                hx-swap="outerHTML" hx-trigger="input changed delay:400ms from:#find, submit" hx-indicator="#accounts" {
                @for (name, value) in kept { input type="hidden" name=(name) value=(value); }
                label for="find" { "Part of its name in the PSA" }
                span.inline { input type="search" id="find" name="find" value=(self.find) autocomplete="off"; }
                button.plain type="submit" { "Search the PSA" }
            }
            div.busy id="accounts" role="status" { @match &self.found {
                None => {},
                Some(Err(trouble)) => (trouble::notice(trouble)),
                Some(Ok(found)) if found.items.is_empty() => p { "No active account has this in its name." },
                Some(Ok(found)) => {
                    ul.plain { @for account in &found.items { li {
                        a href=(chosen(&account.id)) { (account.name) } " " code.small { (account.id) }
                    } } }
                    @if found.next_cursor.is_some() { p.small { "There are more: type more of the name." } }
                },
            } }
        }
    }
}
