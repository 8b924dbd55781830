//! Choosing an account, and one of its contracts.

use maud::{Markup, html};

use super::form::Which;
use crate::client::told::List;
use crate::client::told::mapping::Contract;
use crate::client::{Client, Trouble, path, with_query};
use crate::pages::accounts::Accounts;
use crate::view::field::{Ask, Form};
use crate::view::{rule, trouble};

/// What the PSA was asked for, because somebody asked for it.
#[derive(Default)]
pub(super) struct Choosing {
    pub(super) accounts: Accounts,
    contracts: Option<Result<List<Contract>, Trouble>>,
}

impl Choosing {
    pub(super) async fn read(api: &Client, id: &str, which: &Which) -> Self {
        let mut choosing = Self { accounts: Accounts::read(api, id, &which.find).await, contracts: None };
        if !which.account.is_empty() {
            let query = [("account_id", Some(which.account.as_str())), ("limit", Some("100"))];
            choosing.contracts =
                Some(api.get(&with_query(&path(&["v1", "connections", id, "catalog", "contracts"]), &query)).await);
        }
        choosing
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
                let choices: Vec<(&str, &str)> = words.iter().map(|(id, words)| (*id, words.as_str())).collect();
                form.offered(ask("The account's active recurring service contracts. Nothing is written to one that is not in date."), &choices)
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
