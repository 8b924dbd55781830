//! Taking every account that is sure, at once, once they were looked at.
//!
//! They are asked for as a file and sent as a file: that checks all of them with few requests to the PSA. What is taken is what
//! was shown: they are asked for once more, and have to be the same by their digest. A file counts as a whole, so whoever is
//! refused is taken out of it and told, and the others are sent again.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use sha2::{Digest as _, Sha256};

use super::address;
use super::suggestions::here;
use super::sure_file::{FIRST_ROW, Found, Sure, faults, found_in, sheet};
use crate::client::told::connection::Connection;
use crate::client::told::mapping::Imported;
use crate::client::{Client, Trouble, path, with_query};
use crate::door::{Posted, Visitor};
use crate::pages::connection;
use crate::view::page::Page;
use crate::view::{counted, empty, field, table};

/// How often the rest is sent: a refusal names a hundred at most.
const TRIES: usize = 20;

/// So many are shown and taken at a time: a page has to hold them, and a file of mappings takes 10,000 rows.
const AT_ONCE: usize = 5_000;

/// Who is sure, as it is shown and taken.
struct Offered {
    clear: Vec<Sure>,
    unclear: Vec<Sure>,
    /// Whether there are more than these.
    more: bool,
}

/// What came of it.
#[derive(Default)]
struct Taken {
    mapped: Vec<Sure>,
    refused: Vec<(Sure, String)>,
    unclear: Vec<Sure>,
    more: bool,
}

pub(super) async fn show_sure(visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let connection = connection(&api, &id).await?;
    let offered = Offered::read(&api, &id).await?;
    Ok(page(&visitor, &connection, &offered.shown(&visitor, &connection)))
}

pub(super) async fn accept_sure(Path(id): Path<String>, posted: Posted) -> Result<Response, Trouble> {
    let Posted { visitor, fields } = posted;
    let api = visitor.api();
    let connection = connection(&api, &id).await?;
    let offered = Offered::read(&api, &id).await?;
    if fields.get("seen") != offered.digest() {
        let said = html! {
            div.trouble role="alert" {
                p { strong { "What is sure has changed since you looked." } " Nothing was mapped: look at it again." }
                p { "You saw " (fields.some("count").unwrap_or("none")) "; now it would be " (offered.clear.len()) "." }
            }
            (offered.shown(&visitor, &connection))
        };
        return Ok((StatusCode::CONFLICT, page(&visitor, &connection, &said)).into_response());
    }
    let taken = Taken::of(&api, &id, offered).await?;
    Ok(page(&visitor, &connection, &taken.shown(&connection)).into_response())
}

fn page(visitor: &Visitor, connection: &Connection, said: &Markup) -> Markup {
    Page::of(visitor, connection, "/companies", "Accounts that are sure").with(said)
}

impl Offered {
    async fn read(api: &Client, id: &str) -> Result<Self, Trouble> {
        let file = api.csv(&path(&["v1", "connections", id, "suggestions"])).await?;
        let Found { sure, cut_short } = found_in(&file)?;
        let (mut clear, unclear): (Vec<Sure>, Vec<Sure>) = sure.into_iter().partition(|one| !one.contract.is_empty());
        let more = cut_short || clear.len() > AT_ONCE;
        clear.truncate(AT_ONCE);
        Ok(Self { clear, unclear, more })
    }

    /// Of everything that taking them does.
    fn digest(&self) -> String {
        let mut all = Sha256::new();
        for Sure { company, account, contract, .. } in &self.clear {
            for text in [company, account, contract] {
                all.update(text.len().to_le_bytes());
                all.update(text);
            }
        }
        hex::encode(all.finalize())
    }

    fn shown(&self, visitor: &Visitor, connection: &Connection) -> Markup {
        let suggestions = here(&connection.id);
        let count = self.clear.len();
        if count == 0 {
            return html! {
                (empty("No company has an account and a contract that are sure.", Some((&suggestions, "Likely accounts"))))
                (to_choose(&self.unclear, connection))
            };
        }
        html! {
            p { "These " strong { (counted(count as u64, "company", "companies")) } " are mapped as they stand here, and billed from the next \
                sync on." @if self.more { " There are more than these: they follow when these are taken." } }
            @if visitor.may_change() {
                form.row method="post" action={ (suggestions) "/accept-sure" } {
                    (field::ours(visitor))
                    input type="hidden" name="seen" value=(self.digest());
                    input type="hidden" name="count" value=(count);
                    button type="submit" { "Map " (counted(count as u64, "company", "companies")) }
                    a.button.plain href=(suggestions) { "Map none of them" }
                }
            }
            (table::table("Companies with the account that they surely are", &["Company", "Account", "Contract"], &html! { @for one in &self.clear { tr {
                td { a href=(address(&connection.id, &one.company)) { (one.name) } br; code.small { (one.company) } }
                td { (one.account_name) br; code.small { (one.account) } }
                td { code { (one.contract) } }
            } } }))
            (to_choose(&self.unclear, connection))
        }
    }
}

fn to_choose(unclear: &[Sure], connection: &Connection) -> Markup {
    html! { @if !unclear.is_empty() {
        h2 { "A contract has to be chosen" }
        ul { @for one in unclear { li {
            a href={ (address(&connection.id, &one.company)) "?account=" (one.account) } { (one.name) }
        } } }
    } }
}

impl Taken {
    async fn of(api: &Client, id: &str, offered: Offered) -> Result<Self, Trouble> {
        let Offered { clear: mut rest, unclear, more } = offered;
        let mut taken = Self { unclear, more, ..Self::default() };
        // Whoever was mapped since they were asked for is refused too, and told.
        let only_new = with_query(&path(&["v1", "connections", id, "mappings.csv"]), &[("only_new", Some("true"))]);
        for _ in 0..TRIES {
            if rest.is_empty() {
                return Ok(taken);
            }
            match api.upload::<Imported>(&only_new, sheet(&rest)?).await {
                Ok(_) => {
                    taken.mapped = rest;
                    return Ok(taken);
                }
                Err(trouble) => {
                    let faults = faults(&trouble);
                    if trouble.status != StatusCode::UNPROCESSABLE_ENTITY || faults.is_empty() {
                        return Err(trouble);
                    }
                    let (refused, left) =
                        rest.into_iter().zip(FIRST_ROW..).partition::<Vec<_>, _>(|(_, row)| faults.contains_key(row));
                    let told = refused.into_iter().filter_map(|(one, row)| Some((one, faults.get(&row)?.clone())));
                    taken.refused.extend(told);
                    rest = left.into_iter().map(|(one, _)| one).collect();
                }
            }
        }
        let late = "The PSA refused too many others before it: accept it by itself.";
        taken.refused.extend(rest.into_iter().map(|one| (one, late.to_owned())));
        Ok(taken)
    }

    fn shown(&self, connection: &Connection) -> Markup {
        let left = [("Refused", &self.refused)];
        let companies = |more: &str| format!("/console/connections/{}/companies{more}", connection.id);
        html! {
            div.notice role="status" {
                p { strong { (counted(self.mapped.len() as u64, "company was", "companies were")) " mapped" }
                    @if !self.refused.is_empty() { ", " (self.refused.len()) " refused" }
                    @if !self.unclear.is_empty() { ", " (self.unclear.len()) " left because nobody can say on which contract" }
                    "." }
                @if self.more { p { "There are more than these: look for the others again." } }
                @if !self.mapped.is_empty() { p { "They are billed from the next sync on. Look at a preview first if you like." } }
            }
            @for (caption, refused) in left { @if !refused.is_empty() {
                h2 { (caption) }
                (table::table(caption, &["Company", "Account", "Why"], &html! { @for (one, why) in refused { tr {
                    td { a href=(address(&connection.id, &one.company)) { (one.name) } }
                    td { code { (one.account) } }
                    td { (why) }
                } } }))
            } }
            (to_choose(&self.unclear, connection))
            p.row {
                a.button href={ "/console/connections/" (connection.id) "/preview" } { "Preview" }
                a.button.plain href=(companies("")) { "Companies" }
                a.button.plain href=(here(&connection.id)) { "Look for the others again" }
            }
        }
    }
}
