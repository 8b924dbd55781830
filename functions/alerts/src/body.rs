//! What an alert says, checked whole. Text is cleaned and cut, and only refused where nothing is left of it.

use std::fmt::Display;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shared::api::{Fault, Faults, Problem, parse, present};
use shared::domain::alert::{AlertKey, Incident, Report, cut, lines, one_line};
use shared::psa::tickets::{LONGEST_TICKET_TEXT, LONGEST_TICKET_TITLE};
use utoipa::ToSchema;

use crate::occurred::occurred_at;

/// Something that happened at a company.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAlert)]
pub(crate) struct Body {
    /// Your name for what goes wrong: the same one again is a repeat, and has the same ticket. Begin it with the company.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = true, example = "acme:edr:PC-1:malware", min_length = 1, max_length = 200)]
    dedupe_key: Option<Value>,
    /// Your id of the customer.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = true, example = "acme", max_length = 128)]
    company: Option<Value>,
    /// What kind of alert it is; ticket mappings may tell kinds apart.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = true, example = "malware", min_length = 1, max_length = 64)]
    kind: Option<Value>,
    /// How bad it is; ticket mappings may tell severities apart.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = true, example = "high", min_length = 1, max_length = 64)]
    severity: Option<Value>,
    /// The ticket's title; cut to 250 characters.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = true, example = "Malware found on PC-1", min_length = 1)]
    title: Option<Value>,
    /// What there is to say; cut to what a ticket takes. Markup is text like any other.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    details: Option<Value>,
    /// When it happened; now where it is left out. A repeat from before the alert was resolved changes nothing.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    occurred_at: Option<Value>,
}

impl Body {
    /// Finds every fault at once. `id` names the request.
    pub fn checked(self, id: String, now: Timestamp) -> Result<(AlertKey, Report), Problem> {
        let mut faults = Faults::none();
        let key = faults.require("/dedupe_key", self.dedupe_key, |said| text("/dedupe_key", said, AlertKey::sent));
        let company = faults.require("/company", self.company, |said| text("/company", said, str::parse));
        let kind = faults.require("/kind", self.kind, |said| text("/kind", said, str::parse));
        let severity = faults.require("/severity", self.severity, |said| text("/severity", said, str::parse));
        let title = faults.require("/title", self.title, |said| text("/title", said, titled));
        let details: Option<String> =
            faults.take(self.details.map_or(Ok(String::new()), |said| parse("/details", said)));
        let at = faults.take(occurred_at(self.occurred_at, now));
        let (Some(key), Some(company), Some(kind), Some(severity), Some(title), Some(details), Some(at)) =
            (key, company, kind, severity, title, details, at)
        else {
            return Err(faults.refused());
        };
        let details = cut(&lines(&details), LONGEST_TICKET_TEXT);
        let incident = Incident { company, kind, severity, title, details };
        Ok((key, Report { id, incident, at: at.unwrap_or(now) }))
    }
}

/// What `read` makes of the text at `pointer`.
fn text<T, E: Display>(pointer: &str, said: Value, read: impl FnOnce(&str) -> Result<T, E>) -> Result<T, Fault> {
    let text: String = parse(pointer, said)?;
    read(&text).map_err(|why| Fault::new(pointer, why.to_string()))
}

fn titled(text: &str) -> Result<String, &'static str> {
    let title = cut(&one_line(text), LONGEST_TICKET_TITLE);
    if title.is_empty() { Err("must not be empty") } else { Ok(title) }
}
