//! What the fields of a ticket may be set to, as BMS lists it. Each list is read once by a connector.
//!
//! The ids of all but sources are each tenant's own. The names of the general tables are not published: those that are
//! tried stand here, and what is offered where none of them answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::Desk;
use crate::domain::ids::AccountId;
use crate::psa::error::PERMISSION_MISSING;
use crate::psa::kaseya_bms::client::{Ask, Client};
use crate::psa::kaseya_bms::errors;
use crate::psa::kaseya_bms::fields::Row;
use crate::psa::kaseya_bms::pages::Listing;
use crate::psa::kaseya_bms::template::Template;
use crate::psa::{Kind, PsaError};

/// Tables of sources, of types of tickets and of types of notes, each in the order in which its names are tried.
const SOURCE_TABLES: [&str; 2] = ["TicketSource", "TicketSources"];
const TYPE_TABLES: [&str; 2] = ["TicketType", "TicketTypes"];
const NOTE_TYPE_TABLES: [&str; 2] = ["TicketNoteType", "NoteType"];

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

/// The type of a note where BMS names none: the least that the specification allows, and alone of all types allows.
const PLAIN_NOTE: i64 = 0;

/// Tickets that are looked at for their types where BMS lists no types.
const LATEST: usize = 100;

/// One choice of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// BMS's id.
    pub(super) id: i64,
    /// Its name.
    pub(super) name: String,
    /// BMS takes it where nothing else is chosen.
    pub(super) is_default: bool,
}

/// A place of an account. A ticket names one of its own account's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    /// BMS's id.
    pub(super) id: i64,
    /// Its name.
    pub(super) name: String,
    /// The account's main one.
    pub(super) is_main: bool,
}

/// The lists of a tenant, but for statuses, which are needed by themselves as well.
pub(super) struct Lists {
    pub(super) priorities: Vec<Choice>,
    pub(super) types: Vec<Choice>,
    pub(super) sources: Vec<Choice>,
    pub(super) queues: Vec<Choice>,
    /// None where BMS does not show them to the user.
    pub(super) assignees: Vec<Choice>,
    pub(super) issue_types: Vec<Choice>,
    /// With the issue type that each is of.
    pub(super) sub_types: Vec<(i64, Choice)>,
}

impl Desk {
    pub(super) async fn statuses(&self, client: &Client) -> Result<&[Choice], PsaError> {
        Ok(self.statuses.get_or_try_init(|| choices(client, Ask::of(Template::Statuses))).await?)
    }

    pub(super) async fn lists(&self, client: &Arc<Client>) -> Result<&Lists, PsaError> {
        self.lists.get_or_try_init(|| lists(client)).await
    }

    /// The type of notes: BMS's usual one, or the first where it marks none.
    pub(super) async fn note_type(&self, client: &Client) -> Result<i64, PsaError> {
        let read = async || {
            let listed = table(client, &NOTE_TYPE_TABLES).await?;
            let usual = listed.iter().find(|choice| choice.is_default).or(listed.first());
            Ok(usual.map_or(PLAIN_NOTE, |choice| choice.id))
        };
        self.note_type.get_or_try_init(read).await.copied()
    }

    pub(super) async fn locations(&self, client: &Client, account: &AccountId) -> Result<Vec<Location>, PsaError> {
        // Held while they are read, so that nobody else reads them as well.
        let mut known = self.locations.lock().await;
        if let Some(locations) = known.get(account) {
            return Ok(locations.clone());
        }
        let locations = locations(client, account).await?;
        known.insert(account.clone(), locations.clone());
        Ok(locations)
    }
}

async fn lists(client: &Arc<Client>) -> Result<Lists, PsaError> {
    let issue_types = unless_hidden(choices(client, Ask::of(Template::IssueTypes)).await)?;
    let (sub_types, (priorities, queues, assignees), (types, sources)) = tokio::try_join!(
        sub_types(client, &issue_types),
        async {
            tokio::try_join!(
                choices(client, Ask::of(Template::Priorities)),
                choices(client, Ask::of(Template::Queues)),
                assignees(client),
            )
        },
        async { tokio::try_join!(types(client), sources(client)) },
    )?;
    Ok(Lists { priorities, types, sources, queues, assignees, issue_types, sub_types })
}

async fn locations(client: &Client, account: &AccountId) -> Result<Vec<Location>, PsaError> {
    let Ok(number) = account.as_str().parse::<i64>() else { return Ok(vec![]) };
    let rows = rows(client, &Ask::about(Template::Locations, number)).await?;
    let location = |row: &Row| {
        let is_main = row.flag("ismain").unwrap_or(false);
        Ok(Location { id: row.id(Template::Locations)?, name: row.text("name").unwrap_or_default(), is_main })
    };
    rows.iter().map(location).collect()
}

/// A request for each issue type: BMS lists the sub-types of one alone.
async fn sub_types(client: &Arc<Client>, issue_types: &[Choice]) -> Result<Vec<(i64, Choice)>, PsaError> {
    let mut reads = JoinSet::new();
    for of in issue_types.iter().map(|issue_type| issue_type.id) {
        let client = Arc::clone(client);
        reads.spawn(async move { (of, choices(&client, Ask::about(Template::IssueSubTypes, of)).await) });
    }
    let mut found = BTreeMap::new();
    while let Some(read) = reads.join_next().await {
        let (of, listed) = read.map_err(|_| errors::interrupted())?;
        found.insert(of, unless_hidden(listed)?);
    }
    Ok(found.into_iter().flat_map(|(of, listed)| listed.into_iter().map(move |choice| (of, choice))).collect())
}

async fn assignees(client: &Client) -> Result<Vec<Choice>, PsaError> {
    let rows = Listing::of(Template::Assignees).walk(client).await.map(BTreeMap::into_values);
    unless_hidden(rows.and_then(|rows| of_rows(rows, Template::Assignees)))
}

/// Where no table of them answers, the types of the tickets that BMS shows first.
async fn types(client: &Client) -> Result<Vec<Choice>, PsaError> {
    let listed = table(client, &TYPE_TABLES).await?;
    if !listed.is_empty() {
        return Ok(listed);
    }
    let tickets = unless_hidden(Listing::of(Template::SearchTickets).first(client, LATEST).await)?;
    let named = tickets.iter().filter_map(|row| Some((row.whole("typeid")?, row.text("typename")?)));
    let named: BTreeMap<_, _> = named.collect();
    Ok(named.into_iter().map(|(id, name)| Choice { id, name, is_default: false }).collect())
}

async fn sources(client: &Client) -> Result<Vec<Choice>, PsaError> {
    let listed = table(client, &SOURCE_TABLES).await?;
    if !listed.is_empty() {
        return Ok(listed);
    }
    let known = |(id, name): (i64, &str)| Choice { id, name: name.to_owned(), is_default: false };
    Ok(KNOWN_SOURCES.into_iter().map(known).collect())
}

/// The first of some general tables in which there is anything.
async fn table(client: &Client, names: &[&str]) -> Result<Vec<Choice>, PsaError> {
    for name in names {
        for template in [Template::LookupTable, Template::TenantLookupTable] {
            let listed = unless_hidden(choices(client, Ask::about(template, name)).await)?;
            if !listed.is_empty() {
                return Ok(listed);
            }
        }
    }
    Ok(vec![])
}

/// The active choices of a list.
async fn choices(client: &Client, ask: Ask) -> Result<Vec<Choice>, PsaError> {
    of_rows(rows(client, &ask).await?, ask.template)
}

async fn rows(client: &Client, ask: &Ask) -> Result<Vec<Row>, PsaError> {
    client.read(ask).await?.rows(ask.template)
}

fn of_rows(rows: impl IntoIterator<Item = Row>, template: Template) -> Result<Vec<Choice>, PsaError> {
    let active = rows.into_iter().filter(|row| row.flag("isactive") != Some(false));
    let choice = |row: Row| {
        let is_default = row.flag("isdefault").unwrap_or(false);
        Ok(Choice { id: row.id(template)?, name: row.text("name").unwrap_or_default(), is_default })
    };
    active.map(choice).collect()
}

/// A list that is not there, or not for this user, is empty: a ticket does without it.
fn unless_hidden<T: Default>(listed: Result<T, PsaError>) -> Result<T, PsaError> {
    match listed {
        Err(error) if matches!(error.kind, Kind::Validation | Kind::Protocol | Kind::NotFound) => Ok(T::default()),
        Err(error) if error.code == PERMISSION_MISSING => Ok(T::default()),
        listed => listed,
    }
}
