//! Taking every account that is sure, at once.
//!
//! They are asked for as a file and sent as a file: that checks all of them with few requests to the PSA. A file counts as a
//! whole, so whoever is refused is taken out of it and told, and the others are sent again.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use maud::{Markup, html};
use shared::api::Fault;

use super::address;
use super::suggestions::here;
use crate::client::told::connection::Connection;
use crate::client::told::mapping::Imported;
use crate::client::{Client, Trouble, path};
use crate::door::Posted;
use crate::pages::connection;
use crate::view::page::Page;
use crate::view::{counted, table};

/// How often the rest is sent: a refusal names a hundred at most.
const TRIES: usize = 20;

/// A company with the account that it surely is.
#[derive(Debug, Clone)]
struct Sure {
    company: String,
    name: String,
    account: String,
    contract: String,
}

/// What came of it.
#[derive(Default)]
struct Taken {
    mapped: Vec<Sure>,
    refused: Vec<(Sure, String)>,
    unclear: Vec<Sure>,
}

pub(super) async fn accept_sure(Path(id): Path<String>, posted: Posted) -> Result<Markup, Trouble> {
    let visitor = posted.visitor;
    let api = visitor.api();
    let connection = connection(&api, &id).await?;
    let taken = Taken::of(&api, &id).await?;
    let page = Page::of(&visitor, &connection, "/companies", "Accounts that were sure");
    Ok(page.with(&taken.shown(&connection)))
}

impl Taken {
    async fn of(api: &Client, id: &str) -> Result<Self, Trouble> {
        let file = api.csv(&path(&["v1", "connections", id, "suggestions"])).await?;
        let (clear, unclear) = sure_in(&file)?.into_iter().partition(|one: &Sure| !one.contract.is_empty());
        let mut taken = Self { unclear, ..Self::default() };
        let mut rest: Vec<Sure> = clear;
        for _ in 0..TRIES {
            if rest.is_empty() {
                return Ok(taken);
            }
            match api.upload::<Imported>(&path(&["v1", "connections", id, "mappings.csv"]), sheet(&rest)?).await {
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
            @if !self.unclear.is_empty() {
                h2 { "A contract has to be chosen" }
                ul { @for one in &self.unclear { li {
                    a href={ (address(&connection.id, &one.company)) "?account=" (one.account) } { (one.name) }
                } } }
            }
            p.row {
                a.button href={ "/console/connections/" (connection.id) "/preview" } { "Preview" }
                a.button.plain href=(companies("")) { "Companies" }
                a.button.plain href=(here(&connection.id)) { "Look for the others again" }
            }
        }
    }
}

/// The first row below the header, as spreadsheets count.
const FIRST_ROW: usize = 2;

/// What was refused, by row.
fn faults(trouble: &Trouble) -> BTreeMap<usize, String> {
    let of = |fault: &Fault| {
        let row = fault.pointer.strip_prefix("/rows/")?.split('/').next()?.parse().ok()?;
        let detail = fault.detail.split_once(": ").map_or(fault.detail.as_str(), |(_, detail)| detail);
        Some((row, detail.to_owned()))
    };
    trouble.errors.iter().filter_map(of).collect()
}

fn sure_in(file: &Bytes) -> Result<Vec<Sure>, Trouble> {
    let mut reader = csv::Reader::from_reader(file.as_ref());
    let header = reader.headers().map_err(Trouble::ours)?.clone();
    let place = |name: &str| header.iter().position(|column| column == name);
    let (company, name, account, contract, sure) =
        (place("company"), place("company_name"), place("account_id"), place("contract_id"), place("sure"));
    let mut found = Vec::new();
    for row in reader.records() {
        let row = row.map_err(Trouble::ours)?;
        let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).unwrap_or_default().to_owned();
        if cell(sure) == "true" {
            let (company, name) = (cell(company), cell(name));
            let name = if name.is_empty() { company.clone() } else { name };
            found.push(Sure { company, name, account: cell(account), contract: cell(contract) });
        }
    }
    Ok(found)
}

/// A file that maps them.
fn sheet(all: &[Sure]) -> Result<Bytes, Trouble> {
    const COLUMNS: [&str; 22] = [
        "type",
        "company",
        "product",
        "account_id",
        "contract_id",
        "service_id",
        "when_absent",
        "excluded",
        "opening_units",
        "counting",
        "exclude",
        "minimum",
        "commitment_units",
        "commitment_until",
        "maximum",
        "rounding",
        "unit_cost",
        "fixed",
        "markup_percent",
        "unit_price",
        "decimals",
        "currency",
    ];
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(Trouble::ours)?;
    for one in all {
        let row = COLUMNS.map(|column| match column {
            "type" => "company",
            "company" => &one.company,
            "account_id" => &one.account,
            "contract_id" => &one.contract,
            _ => "",
        });
        writer.write_record(row).map_err(Trouble::ours)?;
    }
    writer.into_inner().map(Bytes::from).map_err(Trouble::ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sure_is_read_from_one_file_and_put_into_another() {
        let file = "company,company_name,products,account_id,account_name,contract_id,match,score,sure,evidence,alternatives\n\
                    a,\"Acme, Ltd\",edr,7,Acme,70,name,960,true,,\nb,,edr,8,Beta,,name,960,true,,\nc,,edr,9,C,90,similar,500,false,,\n";
        let found = sure_in(&Bytes::from(file)).unwrap();
        let told: Vec<_> = found.iter().map(|one| [&*one.company, &*one.name, &*one.account, &*one.contract]).collect();
        assert_eq!(told, [["a", "Acme, Ltd", "7", "70"], ["b", "b", "8", ""]]);
        let sheet = sheet(&found).unwrap();
        let rows: Vec<&str> = std::str::from_utf8(&sheet).unwrap().lines().skip(1).collect();
        assert!(rows[0].starts_with("company,a,,7,70,,"), "{rows:?}");
    }

    #[test]
    fn a_refusal_is_told_by_its_row_without_the_words_that_name_it() {
        let trouble = Trouble {
            errors: vec![
                Fault::new("/rows/3/contract_id", "row 3, column contract_id: is over"),
                Fault::new("/x", "odd"),
            ],
            ..Trouble::of_form("no")
        };
        assert_eq!(faults(&trouble), BTreeMap::from([(3, "is over".to_owned())]));
    }
}
