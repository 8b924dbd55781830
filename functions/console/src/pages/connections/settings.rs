//! A connection's name, time zone, schedule and invoice day.

use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::{address, done};
use crate::client::told::connection::Connection;
use crate::client::{Trouble, path};
use crate::door::{Fields, Posted, Visitor};
use crate::pages::connection;
use crate::view::field::{self, Ask, Form};
use crate::view::page::Page;
use crate::view::{only_looks, schedule, zone};

const WEEKDAYS: [(&str, &str); 7] = [
    ("monday", "Monday"),
    ("tuesday", "Tuesday"),
    ("wednesday", "Wednesday"),
    ("thursday", "Thursday"),
    ("friday", "Friday"),
    ("saturday", "Saturday"),
    ("sunday", "Sunday"),
];

/// The fields of an instant that comes again: of the syncs, and of the invoices.
struct Recurring {
    frequency: Ask<'static>,
    hour: Ask<'static>,
    weekday: Ask<'static>,
    day: Ask<'static>,
}

const SYNCS: Recurring = Recurring {
    frequency: Ask { name: "frequency", label: "How often", hint: "", pointer: "/schedule" },
    hour: Ask { name: "hour", label: "At", hint: "In the connection's time zone.", pointer: "/schedule/hour" },
    weekday: Ask { name: "weekday", label: "On", hint: "Where it is synced every week.", pointer: "/schedule/weekday" },
    day: Ask {
        name: "day",
        label: "On day",
        hint: "Where it is synced every month; in a shorter month its last day.",
        pointer: "/schedule/day",
    },
};

const INVOICES: Recurring = Recurring {
    frequency: Ask {
        name: "invoice.frequency",
        label: "How often",
        hint: "When you make invoices in the PSA. Only to check that a sync comes close before: nothing of an invoice is read or written.",
        pointer: "/invoice",
    },
    hour: Ask { name: "invoice.hour", label: "From", hint: "", pointer: "/invoice/hour" },
    weekday: Ask {
        name: "invoice.weekday",
        label: "On",
        hint: "Where they are made every week.",
        pointer: "/invoice/weekday",
    },
    day: Ask {
        name: "invoice.day",
        label: "On day",
        hint: "Where they are made every month.",
        pointer: "/invoice/day",
    },
};

pub(super) async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Trouble> {
    let connection = connection(&visitor.api(), &id).await?;
    let fields = stored(&connection)?;
    Ok(form(&visitor, &connection, (&fields, &fields), None))
}

pub(super) async fn save(Path(id): Path<String>, Posted { visitor, fields }: Posted) -> Result<Response, Trouble> {
    let api = visitor.api();
    let connection = connection(&api, &id).await?;
    match api.tell(Method::PATCH, &path(&["v1", "connections", &id]), &changed(&fields)).await {
        Ok(()) => Ok(done(&connection.id, "settings")),
        Err(trouble) if trouble.can_be_mended() => {
            Ok((trouble.status, form(&visitor, &connection, (&fields, &fields.before()), Some(&trouble)))
                .into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

/// The fields as the connection has them.
fn stored(connection: &Connection) -> Result<Fields, Trouble> {
    let fields = Fields::default().with("name", &connection.name).with("time_zone", &connection.time_zone);
    let schedule = serde_json::to_value(connection.schedule).map_err(Trouble::ours)?;
    let invoice = serde_json::to_value(connection.invoice).map_err(Trouble::ours)?;
    Ok(SYNCS.stored(INVOICES.stored(fields, &invoice), &schedule))
}

fn typed(fields: &Fields) -> [(&'static str, Value); 4] {
    [
        ("name", fields.get("name").into()),
        ("time_zone", fields.get("time_zone").into()),
        ("schedule", SYNCS.typed(fields)),
        ("invoice", INVOICES.typed(fields)),
    ]
}

/// What is different now from when the page was made.
fn changed(fields: &Fields) -> Value {
    let before = typed(&fields.before());
    let now = typed(fields).into_iter().zip(before);
    now.filter(|(now, before)| now != before)
        .map(|((name, value), _)| (name.to_owned(), value))
        .collect::<Map<_, _>>()
        .into()
}

impl Recurring {
    fn stored(&self, fields: Fields, told: &Value) -> Fields {
        let parts = [(self.frequency, "frequency"), (self.hour, "hour"), (self.weekday, "weekday"), (self.day, "day")];
        parts.into_iter().fold(fields, |fields, (ask, part)| match &told[part] {
            Value::String(text) => fields.with(ask.name, text),
            Value::Number(number) => fields.with(ask.name, number),
            _ => fields,
        })
    }

    /// What was chosen, with the day that goes with how often; null where it is never.
    fn typed(&self, fields: &Fields) -> Value {
        let number = |ask: Ask<'_>| {
            let text = fields.get(ask.name);
            text.parse::<i64>().map_or_else(|_| text.into(), Value::from)
        };
        let (frequency, hour) = (fields.get(self.frequency.name), number(self.hour));
        match frequency {
            "" => Value::Null,
            "weekly" => json!({ "frequency": frequency, "hour": hour, "weekday": fields.get(self.weekday.name) }),
            "monthly" => json!({ "frequency": frequency, "hour": hour, "day": number(self.day) }),
            _ => json!({ "frequency": frequency, "hour": hour }),
        }
    }

    fn asked(&self, form: &Form<'_>, often: &[(&str, &str)]) -> Markup {
        let hours: Vec<_> = (0..24).map(|hour| (hour.to_string(), schedule::clock(hour))).collect();
        let days: Vec<_> = (1..=31).map(|day| day.to_string()).collect();
        let hours: Vec<_> = hours.iter().map(|(hour, shown)| (hour.as_str(), shown.as_str())).collect();
        let days: Vec<_> = days.iter().map(|day| (day.as_str(), day.as_str())).collect();
        html! {
            (form.choice(self.frequency, often))
            (form.choice(self.hour, &hours))
            (form.choice(self.weekday, &WEEKDAYS))
            (form.choice(self.day, &days))
        }
    }
}

fn form(
    visitor: &Visitor,
    connection: &Connection,
    (fields, before): (&Fields, &Fields),
    trouble: Option<&Trouble>,
) -> Markup {
    let page = Page::of(visitor, connection, "", "Name and schedule");
    if !visitor.may_change() {
        return page.with(&only_looks());
    }
    let form = Form::new(fields, trouble);
    let name = Ask { name: "name", label: "Name", hint: "", pointer: "/name" };
    let zone = Ask {
        name: "time_zone",
        label: "Time zone",
        hint: "Days, months and hours of the connection are reckoned in it, effective dates as well.",
        pointer: "/time_zone",
    };
    page.with(&html! {
        (form.trouble())
        form.stacked method="post" action=(address(&connection.id, "/settings")) {
            (field::ours(visitor))
            (field::before(before))
            (form.text(name))
            (form.grouped(zone, &zone::by_region(fields.get("time_zone"))))
            fieldset {
                legend { "Syncs" }
                (SYNCS.asked(&form, &[("daily", "Every day"), ("weekly", "Every week"), ("monthly", "Every month")]))
            }
            fieldset {
                legend { "Your invoices" }
                (INVOICES.asked(&form, &[("", "Not stated"), ("weekly", "Every week"), ("monthly", "Every month")]))
            }
            div.row {
                button type="submit" { "Save" }
                a.button.plain href=(address(&connection.id, "")) { "Leave it as it is" }
            }
        }
    })
}
