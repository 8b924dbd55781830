//! Notes on tickets, for the partner's own people alone.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::charges::{fits, number};
use super::super::client::{Client, Entity};
use super::super::query::{self, Operator, Query};
use super::super::settle::settle;
use super::super::wire::{Fields, Row as _, TicketNoteRow};
use super::write::signed;
use super::{Desk, refused};
use crate::domain::ids::TicketId;
use crate::psa::tickets::{BEFORE_REFERENCE, LONGEST_TICKET_TITLE};
use crate::psa::{NewNote, PsaError, WriteError};

/// The longest text of a note, in characters.
const LONGEST_NOTE: usize = 32_000;

/// Who may read a note where the tenant's own words do not tell: everybody is 1, the partner's own people 2 (unconfirmed).
const INTERNAL: i64 = 2;

/// What kind of note ours is. Both numbers are the tenant's.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoteKind {
    kind: i64,
    publish: i64,
}

/// A request for each 500 notes of the ticket.
pub(super) async fn find(
    client: &Client,
    id: &TicketId,
    wanted: &BTreeSet<String>,
) -> Result<BTreeSet<String>, PsaError> {
    if wanted.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ticket = number(id.as_str())?;
    let query = Query::of(Entity::TicketNotes).and("ticketID", Operator::Eq, ticket);
    let mut found = BTreeSet::new();
    for row in query::walk::<TicketNoteRow>(client, &query).await? {
        if row.ticket.whole() != Some(ticket) {
            return Err(row.fault("is on a ticket that was not asked for"));
        }
        let text = row.text.text().unwrap_or_default();
        found.extend(references(&text).filter(|reference| wanted.contains(*reference)).map(str::to_owned));
    }
    Ok(found)
}

/// The references that stand at the ends of lines: people may have written below ours, and raw line breaks in Autotask's
/// answers are read as blanks, so that anything may stand before it.
fn references(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r']).filter_map(|line| {
        let reference = line.rsplit_once(BEFORE_REFERENCE)?.1.trim();
        (!reference.is_empty() && !reference.contains(char::is_whitespace)).then_some(reference)
    })
}

/// One request, and one more before the first of them: notes' kinds are the tenant's own.
pub(super) async fn add(desk: &Desk, client: &Client, id: &TicketId, note: &NewNote) -> Result<(), WriteError> {
    let asked = async {
        let text = signed(&note.text, &note.reference);
        fits("title of a note", &note.title, 1, LONGEST_TICKET_TITLE)?;
        fits("text of a note", &text, 1, LONGEST_NOTE)?;
        let ticket = number(id.as_str())?;
        let NoteKind { kind, publish } = desk.note_kind(client).await?;
        let body = json!({
            "ticketID": ticket,
            "title": note.title,
            "description": text,
            "noteType": kind,
            "publish": publish,
        });
        Ok((format!("Tickets/{ticket}/Notes"), body))
    };
    let (path, body) = asked.await.map_err(WriteError::NotSent)?;
    let added = settle(client.create(Entity::TicketNotes, &path, &body).await, client.mask());
    added.map(drop).map_err(refused::explained)
}

impl Desk {
    async fn note_kind(&self, client: &Client) -> Result<NoteKind, PsaError> {
        let asked = || async {
            let described: Fields = client.get(Entity::TicketNotes, "/entityInformation/fields").await?;
            let active = |field: &str| {
                let picks = described.picklist(field).iter().filter(|pick| pick.is_active.flag() != Some(false));
                picks.cloned().collect::<Vec<_>>()
            };
            let kinds = active("noteType");
            let usual = kinds.iter().find(|pick| pick.is_default_value.flag() == Some(true)).or(kinds.first());
            let kind = usual.and_then(|pick| pick.value.whole()).ok_or_else(refused::no_note_kind)?;
            let is_internal = |label: String| label.to_lowercase().contains("internal");
            let publish = active("publish").into_iter().find(|pick| pick.label.text().is_some_and(is_internal));
            Ok(NoteKind { kind, publish: publish.and_then(|pick| pick.value.whole()).unwrap_or(INTERNAL) })
        };
        self.note_kind.get_or_try_init(asked).await.copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_ends_a_line_wherever_that_stands() {
        let of = |text: &str| references(text).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(of("Again\n\nTallyline reference TL-1-2"), ["TL-1-2"]);
        assert_eq!(of("Again\r\n Tallyline reference TL-1-2 \r\nThanks, Bob"), ["TL-1-2"]);
        assert_eq!(of("Again  Tallyline reference TL-1-2"), ["TL-1-2"]);
        assert_eq!(of("Tallyline reference TL-1-21"), ["TL-1-21"]);
        assert_eq!(of("See Tallyline reference TL-1-2 for more"), Vec::<String>::new());
    }
}
