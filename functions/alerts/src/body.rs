//! What an alert says, checked whole. Text is cleaned and cut, and only refused where nothing is left of it.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use shared::api::{Fault, Faults, Problem};
use shared::domain::alert::{AlertKey, Incident, Report, cut, lines, one_line};
use shared::psa::tickets::{LONGEST_TICKET_TEXT, LONGEST_TICKET_TITLE};
use utoipa::ToSchema;

/// How far an alert may be ahead of our clock: senders' clocks are not exact.
const AHEAD_HOURS: i64 = 1;
/// How long ago an alert may have happened: rows are kept for so long.
const OLDEST_DAYS: i64 = 400;

/// Something that happened at a company.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAlert)]
pub(crate) struct Body {
    /// Your name for what goes wrong: the same one again is a repeat, and has the same ticket. Begin it with the company.
    #[schema(example = "acme:edr:PC-1:malware", min_length = 1, max_length = 200)]
    dedupe_key: String,
    /// Your id of the customer.
    #[schema(example = "acme", max_length = 128)]
    company: String,
    /// What kind of alert it is; ticket mappings may tell kinds apart.
    #[schema(example = "malware", min_length = 1, max_length = 64)]
    kind: String,
    /// How bad it is; ticket mappings may tell severities apart.
    #[schema(example = "high", min_length = 1, max_length = 64)]
    severity: String,
    /// The ticket's title; cut to 250 characters.
    #[schema(example = "Malware found on PC-1", min_length = 1)]
    title: String,
    /// What there is to say; cut to what a ticket takes. Markup is text like any other.
    #[serde(default)]
    details: String,
    /// When it happened; now where it is left out. A repeat from before the alert was resolved changes nothing.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    occurred_at: Option<String>,
}

impl Body {
    /// Finds every fault at once. `id` names the request.
    pub fn checked(self, id: String, now: Timestamp) -> Result<(AlertKey, Report), Problem> {
        let mut faults = Faults::none();
        let key = faults.take(AlertKey::sent(&self.dedupe_key).map_err(|why| fault("/dedupe_key", &why)));
        let company = faults.take(self.company.parse().map_err(|why| fault("/company", &why)));
        let kind = faults.take(self.kind.parse().map_err(|why| fault("/kind", &why)));
        let severity = faults.take(self.severity.parse().map_err(|why| fault("/severity", &why)));
        let title = faults.take(titled(&self.title));
        let at = faults.take(self.occurred_at.map_or(Ok(now), |text| instant(&text, now)));
        let (Some(key), Some(company), Some(kind), Some(severity), Some(title), Some(at)) =
            (key, company, kind, severity, title, at)
        else {
            return Err(faults.refused());
        };
        let details = cut(&lines(&self.details), LONGEST_TICKET_TEXT);
        Ok((key, Report { id, incident: Incident { company, kind, severity, title, details }, at }))
    }
}

fn fault(pointer: &str, why: &impl std::fmt::Display) -> Fault {
    Fault::new(pointer, why.to_string())
}

fn titled(text: &str) -> Result<String, Fault> {
    let title = cut(&one_line(text), LONGEST_TICKET_TITLE);
    if title.is_empty() { Err(Fault::new("/title", "must not be empty")) } else { Ok(title) }
}

fn instant(text: &str, now: Timestamp) -> Result<Timestamp, Fault> {
    let fault = |detail: &str| Fault::new("/occurred_at", detail);
    let instant: Timestamp = text.parse().map_err(|_| fault("must be an instant such as 2026-11-20T23:59:00Z"))?;
    if instant.duration_since(now) > SignedDuration::from_hours(AHEAD_HOURS) {
        return Err(fault("must not be more than an hour ahead"));
    }
    if now.duration_since(instant) > SignedDuration::from_hours(OLDEST_DAYS * 24) {
        return Err(fault("must not be more than 400 days ago"));
    }
    Ok(instant)
}
