//! What the fields of a ticket may be set to. A later step makes tickets of them.
//!
//! The ids of all but sources are each tenant's own. The names of the general tables are not published: those that are
//! tried stand here, and the sources known from BMS's first API are offered where none of them answers.

use super::client::{Ask, Client};
use super::fields::Row;
use super::template::Template;
use crate::domain::ids::AccountId;
use crate::psa::{Kind, PsaError};

/// Tables of sources, in the order in which they are tried.
const SOURCE_TABLES: [&str; 2] = ["TicketSource", "TicketSources"];

/// Sources by the numbers of BMS's first API, as a public client of it lists them.
const KNOWN_SOURCES: [(i64, &str); 10] = [
    (0, "Portal"),
    (1, "Phone"),
    (2, "In Person"),
    (3, "On Site"),
    (4, "Email"),
    (5, "Monitoring System"),
    (6, "Voice Mail"),
    (7, "Verbal"),
    (8, "Other"),
    (9, "Recurring"),
];

/// One choice of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// BMS's id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// BMS takes it where nothing else is chosen.
    pub is_default: bool,
}

/// A place of an account. A ticket names one of its own account's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// BMS's id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The account's main one.
    pub is_main: bool,
}

/// Where tickets may be said to come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceList {
    /// The choices.
    pub choices: Vec<Choice>,
    /// `false`: BMS named none, and these are the numbers of its first API.
    pub named_by_bms: bool,
}

pub(super) async fn locations(client: &Client, account: &AccountId) -> Result<Vec<Location>, PsaError> {
    let Ok(number) = account.as_str().parse::<i64>() else { return Ok(vec![]) };
    let rows = rows(client, &Ask::about(Template::Locations, number)).await?;
    let location = |row: &Row| {
        let is_main = row.flag("ismain").unwrap_or(false);
        Ok(Location { id: row.id(Template::Locations)?, name: row.text("name").unwrap_or_default(), is_main })
    };
    rows.iter().map(location).collect()
}

/// The active choices of a list: statuses, priorities, queues, issue types.
pub(super) async fn choices(client: &Client, template: Template) -> Result<Vec<Choice>, PsaError> {
    of_rows(&rows(client, &Ask::of(template)).await?, template)
}

pub(super) async fn sources(client: &Client) -> Result<SourceList, PsaError> {
    for table in SOURCE_TABLES {
        for template in [Template::LookupTable, Template::TenantLookupTable] {
            let choices = match rows(client, &Ask::about(template, table)).await {
                Ok(rows) => of_rows(&rows, template)?,
                // A table that is not there.
                Err(error) if matches!(error.kind, Kind::Validation | Kind::Protocol | Kind::NotFound) => continue,
                Err(error) => return Err(error),
            };
            if !choices.is_empty() {
                return Ok(SourceList { choices, named_by_bms: true });
            }
        }
    }
    let known = |(id, name): (i64, &str)| Choice { id, name: name.to_owned(), is_default: false };
    Ok(SourceList { choices: KNOWN_SOURCES.into_iter().map(known).collect(), named_by_bms: false })
}

async fn rows(client: &Client, ask: &Ask) -> Result<Vec<Row>, PsaError> {
    client.read(ask).await?.rows(ask.template)
}

fn of_rows(rows: &[Row], template: Template) -> Result<Vec<Choice>, PsaError> {
    let active = rows.iter().filter(|row| row.flag("isactive") != Some(false));
    let choice = |row: &Row| {
        let is_default = row.flag("isdefault").unwrap_or(false);
        Ok(Choice { id: row.id(template)?, name: row.text("name").unwrap_or_default(), is_default })
    };
    active.map(choice).collect()
}
