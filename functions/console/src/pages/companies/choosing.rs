//! Choosing an account by its name, and one of its contracts.

use maud::{Markup, html};

use super::form::Which;
use crate::client::told::List;
use crate::client::told::mapping::{Contract, Named};
use crate::client::{Client, Trouble, path, with_query};
use crate::view::field::{Ask, Form};
use crate::view::{rule, trouble};

/// What the PSA was asked for, because somebody asked for it.
#[derive(Default)]
pub(super) struct Choosing {
    find: String,
    accounts: Option<Result<List<Named>, Trouble>>,
    contracts: Option<Result<List<Contract>, Trouble>>,
}

impl Choosing {
    pub(super) async fn read(api: &Client, id: &str, which: &Which) -> Self {
        let of = |end| path(&["v1", "connections", id, "catalog", end]);
        let mut choosing = Self { find: which.find.clone(), ..Self::default() };
        if !which.find.trim().is_empty() {
            let query = [("search", Some(which.find.trim())), ("limit", Some("20"))];
            choosing.accounts = Some(api.get(&with_query(&of("accounts"), &query)).await);
        }
        if !which.account.is_empty() {
            let query = [("account_id", Some(which.account.as_str())), ("limit", Some("100"))];
            choosing.contracts = Some(api.get(&with_query(&of("contracts"), &query)).await);
        }
        choosing
    }

    /// The search for an account.
    pub(super) fn accounts(&self, here: &str) -> Markup {
        html! {
            h2 { "Choose the account" }
            form.row role="search" method="get" action=(here) hx-get=(here) hx-select="#accounts" hx-target="#accounts"
                hx-swap="outerHTML" hx-trigger="input changed delay:400ms from:#find, submit" hx-indicator="#accounts" {
                label for="find" { "Part of its name in the PSA" }
                span.inline { input type="search" id="find" name="find" value=(self.find) autocomplete="off"; }
                button.plain type="submit" { "Search the PSA" }
            }
            div.busy id="accounts" role="status" { @match &self.accounts {
                None => {},
                Some(Err(trouble)) => (trouble::notice(trouble)),
                Some(Ok(found)) if found.items.is_empty() => p { "No active account has this in its name." },
                Some(Ok(found)) => {
                    ul.bare { @for account in &found.items { li {
                        a href=(with_query(here, &[("account", Some(&account.id))])) { (account.name) } " " code.small { (account.id) }
                    } } }
                    @if found.next_cursor.is_some() { p.small { "There are more: type more of the name." } }
                },
            } }
        }
    }

    /// The field of the contract: one of the account's where they were asked for.
    pub(super) fn contract(&self, form: &Form<'_>, here: &str, account: &str) -> Markup {
        let ask = |hint| Ask { name: "contract_id", label: "Contract", hint, pointer: "/contract_id" };
        let typed = |hint| form.text(ask(hint));
        match &self.contracts {
            Some(Ok(found)) if found.items.is_empty() => html! {
                (typed("The account has no active recurring service contract: make one in the PSA."))
            },
            Some(Ok(found)) => {
                let words: Vec<(&str, String)> =
                    found.items.iter().map(|one| (one.id.as_str(), in_words(one))).collect();
                let mut choices: Vec<(&str, &str)> = words.iter().map(|(id, words)| (*id, words.as_str())).collect();
                if choices.len() > 1 {
                    choices.insert(0, ("", "Choose one …"));
                }
                form.choice(ask("The account's active recurring service contracts. Nothing is written to one that is not in date."), &choices)
            }
            Some(Err(trouble)) => html! { (trouble::notice(trouble)) (typed("")) },
            None => html! {
                (typed("The id of a recurring service contract of that account."))
                @if !account.is_empty() {
                    p { a href=(with_query(here, &[("account", Some(account))])) { "Choose among the account's contracts" } }
                }
            },
        }
    }
}

fn in_words(contract: &Contract) -> String {
    let period = contract.period.map(rule::word).unwrap_or_default().replace('_', "-");
    let in_date = if contract.in_date { "" } else { ", not in date today" };
    format!("{} · {period} · {} to {}{in_date} · {}", contract.name, contract.start, contract.end, contract.id)
}
