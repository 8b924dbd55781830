//! Tickets as BMS holds them: found by our reference, or by their id.
//!
//! A reference that is not found is taken for one of which there is no ticket, and one is made. So nothing is said to be
//! missing before it is certain that the search looks into details at all: that, whether it compares whole texts, and
//! whether lists show details is not confirmed.

use std::collections::{BTreeMap, BTreeSet};

use super::form::is_end;
use super::text::references;
use super::{Desk, refused};
use crate::domain::ids::{AccountId, TicketId};
use crate::psa::kaseya_bms::client::{Ask, Client};
use crate::psa::kaseya_bms::errors;
use crate::psa::kaseya_bms::fields::Row;
use crate::psa::kaseya_bms::pages::Listing;
use crate::psa::kaseya_bms::template::Template;
use crate::psa::tickets::BEFORE_REFERENCE;
use crate::psa::{Kind, PsaError, PsaTicket};

/// Rows that a search for one reference in all accounts gives at most.
const FEW: usize = 10;
/// Tickets that are read by themselves for their details where a list does not show them.
const MOST_ALONE: usize = 100;

pub(super) async fn by_reference(
    desk: &Desk,
    client: &Client,
    account: &AccountId,
    wanted: &BTreeSet<String>,
) -> Result<Vec<PsaTicket>, PsaError> {
    let (Some(first), Ok(number)) = (wanted.first(), account.as_str().parse::<i64>()) else { return Ok(vec![]) };
    // The specification has the ids of accounts as a text.
    let of_account = Listing::of(Template::SearchTickets).only("Filter.AccountIds", number.to_string());
    let mut search = Search { client, wanted, found: BTreeMap::new(), alone: 0 };
    let text = if wanted.len() == 1 { first } else { BEFORE_REFERENCE };
    search.look_at(of_account.clone().only("Filter.Details", text).walk(client).await?.into_values()).await?;
    // Someone may have moved it.
    for reference in search.missing() {
        let everywhere = Listing::of(Template::SearchTickets).only("Filter.Details", reference);
        search.look_at(everywhere.first(client, FEW).await?).await?;
    }
    if !search.missing().is_empty() && !search.looks_into_details(desk).await? {
        search.look_at(of_account.walk(client).await?.into_values()).await?;
    }
    Ok(search.found.into_values().collect())
}

pub(super) async fn by_id(client: &Client, id: &TicketId) -> Result<Option<PsaTicket>, PsaError> {
    let Ok(number) = id.as_str().parse::<i64>() else { return Ok(None) };
    match read(client, number).await {
        Ok(row) => {
            let reference = references(&row.text("details").unwrap_or_default()).pop_last();
            ticket(&row, Template::Ticket, reference).map(Some)
        }
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Tickets that are looked for.
struct Search<'a> {
    client: &'a Client,
    wanted: &'a BTreeSet<String>,
    /// By id and reference: two tickets may bear the same one.
    found: BTreeMap<(i64, String), PsaTicket>,
    /// Tickets that were read by themselves.
    alone: usize,
}

impl Search<'_> {
    /// Those of which no ticket was found.
    fn missing(&self) -> Vec<String> {
        let found = |reference: &String| self.found.keys().any(|(_, known)| known == reference);
        self.wanted.iter().filter(|reference| !found(reference)).cloned().collect()
    }

    async fn look_at(&mut self, rows: impl IntoIterator<Item = Row>) -> Result<(), PsaError> {
        for row in rows {
            let id = row.id(Template::SearchTickets)?;
            if self.found.keys().any(|(known, _)| *known == id) {
                continue;
            }
            let stand = references(&self.details(&row).await?);
            for reference in stand.intersection(self.wanted) {
                let ticket = ticket(&row, Template::SearchTickets, Some(reference.clone()))?;
                self.found.insert((id, reference.clone()), ticket);
            }
        }
        Ok(())
    }

    /// The details of a ticket of a list, which may not show them.
    async fn details(&mut self, row: &Row) -> Result<String, PsaError> {
        if let Some(details) = row.text("details") {
            return Ok(details);
        }
        self.alone += 1;
        if self.alone > MOST_ALONE {
            return Err(errors::unreadable(Template::SearchTickets, "came without the details of tickets"));
        }
        match read(self.client, row.id(Template::SearchTickets)?).await {
            Ok(row) => Ok(row.text("details").unwrap_or_default()),
            // It has gone meanwhile.
            Err(error) if error.kind == Kind::NotFound => Ok(String::new()),
            Err(error) => Err(error),
        }
    }

    /// Whether a search by a part of their details finds tickets. That can be seen as soon as there is any ticket of ours.
    async fn looks_into_details(&mut self, desk: &Desk) -> Result<bool, PsaError> {
        if desk.looks_into_details.initialized() {
            return Ok(true);
        }
        let ours = Listing::of(Template::SearchTickets).only("Filter.Details", BEFORE_REFERENCE);
        for row in ours.first(self.client, 1).await? {
            if !references(&self.details(&row).await?).is_empty() {
                return Ok(desk.looks_into_details.set(()).is_ok());
            }
        }
        Ok(false)
    }
}

async fn read(client: &Client, id: i64) -> Result<Row, PsaError> {
    let ask = Ask::about(Template::Ticket, id).explained_by(refused::of_one);
    client.read(&ask).await?.row(Template::Ticket)
}

fn ticket(row: &Row, template: Template, reference: Option<String>) -> Result<PsaTicket, PsaError> {
    let id: TicketId = row.reference("id", template)?;
    Ok(PsaTicket {
        number: row.text("ticketnumber").unwrap_or_else(|| id.to_string()),
        id,
        account: row.reference("accountid", template)?,
        reference,
        completed: is_completed(row),
    })
}

/// By its status, or by its date: whether a ticket that was opened again keeps the date is not confirmed, but BMS says when
/// that was.
fn is_completed(row: &Row) -> bool {
    let date = |name| row.instant(name).filter(|_| row.day(name).is_some());
    let reopened = date("reopeneddate");
    let dated = date("completeddate").is_some_and(|at| reopened.is_none_or(|reopened| reopened < at));
    dated || row.text("statusname").is_some_and(|name| is_end(&name))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::psa::kaseya_bms::fields::lower_cased;

    fn of(row: &Value) -> PsaTicket {
        let mut all =
            json!({"Id": 5, "AccountId": 7, "TicketNumber": "T-5", "StatusName": "New", "CompletedDate": null});
        all.as_object_mut().unwrap().extend(row.as_object().unwrap().clone());
        ticket(&Row::of(lower_cased(all)).unwrap(), Template::Ticket, None).unwrap()
    }

    #[test]
    fn a_ticket_is_completed_by_its_status_or_by_a_date_since_which_nobody_has_opened_it() {
        for (row, completed) in [
            (json!({}), false),
            (json!({"StatusName": "Completed"}), true),
            (json!({"StatusName": "Closed", "ReOpenedDate": "2026-11-20T12:00:00"}), true),
            (json!({"StatusName": null, "CompletedDate": "2026-11-20T12:00:00"}), true),
            (json!({"CompletedDate": "0001-01-01T00:00:00"}), false),
            (json!({"CompletedDate": "2026-11-20T12:00:00", "ReOpenedDate": "2026-11-20T12:00:00"}), false),
            (json!({"CompletedDate": "2026-11-20T12:00:01", "ReOpenedDate": "2026-11-20T12:00:00"}), true),
            (json!({"CompletedDate": "2026-11-20T12:00:00", "ReOpenedDate": "0001-01-01T00:00:00"}), true),
        ] {
            assert_eq!(of(&row).completed, completed, "{row}");
        }
    }

    #[test]
    fn a_ticket_without_a_number_is_called_by_its_id() {
        assert_eq!((of(&json!({})).number, of(&json!({"TicketNumber": ""})).number), ("T-5".into(), "5".into()));
    }
}
