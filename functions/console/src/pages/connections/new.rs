//! A new connection: which PSA, then its credentials, a name and a time zone. The API tries it before it stores anything.

use axum::extract::Query;
use axum::http::Method;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;
use shared::psa::Psa;

use super::{credentials, done};
use crate::client::told::connection::Connection;
use crate::client::{Client, Trouble, path};
use crate::door::{Fields, Posted, Visitor};
use crate::view::field::{self, Ask, Form};
use crate::view::page::{Page, Place};
use crate::view::{only_looks, psa, zone};

const NAME: Ask<'static> = Ask {
    name: "name",
    label: "Name",
    hint: "What you call this connection. It stands on every page of it.",
    pointer: "/name",
};
const ZONE: Ask<'static> = Ask {
    name: "time_zone",
    label: "Time zone",
    hint: "Yours: days, months and the hour of the nightly sync are reckoned in it.",
    pointer: "/time_zone",
};
const OFF: Ask<'static> = Ask {
    name: "off",
    label: "Leave it switched off for now",
    hint: "Nothing is sent to the PSA until you switch it on. Everything can be mapped and previewed before.",
    pointer: "/enabled",
};

#[derive(Debug, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    psa: String,
}

pub(super) async fn page(visitor: Visitor, Query(which): Query<Which>) -> Markup {
    if !visitor.may_change() {
        return around(&visitor, &only_looks());
    }
    let Some(psa) = Psa::named(&which.psa) else { return around(&visitor, &choice()) };
    let fields = Fields::default().with("time_zone", zone::FIRST).with("off", "on");
    form(&visitor, psa, &fields, None)
}

pub(super) async fn connect(Posted { visitor, fields }: Posted) -> Result<Response, Trouble> {
    let Some(psa) = Psa::named(fields.get("psa")) else { return Err(Trouble::not_found("PSA")) };
    let body = json!({
        "psa": psa,
        "name": fields.get("name"),
        "time_zone": fields.get("time_zone"),
        "credentials": credentials::given(psa, &fields),
    });
    let api = visitor.api();
    match api.make::<Connection>("/v1/connections", &body, fields.get("once")).await {
        Ok(made) => Ok(done(&made.id, left(&api, &made, fields.is_on("off")).await)),
        Err(trouble) if trouble.can_be_mended() => {
            // Under the key of a try whose end is not known, no other credentials are tried: the next one has its own.
            let other = trouble.code == "idempotency_key_reused";
            let fields = if other { fields.with("once", "") } else { fields };
            Ok((trouble.status, form(&visitor, psa, &fields, Some(&trouble))).into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

/// Leaves a connection that was made on or off, and answers the word for it.
async fn left(api: &Client, made: &Connection, off: bool) -> &'static str {
    let switched = match off {
        true => api.tell(Method::PATCH, &path(&["v1", "connections", &made.id]), &json!({ "enabled": false })).await,
        false => Ok(()),
    };
    match (off, switched) {
        (true, Ok(())) => "connected-off",
        (true, Err(_)) => "connected-not-off",
        (false, _) => "connected",
    }
}

fn around(visitor: &Visitor, main: &Markup) -> Markup {
    Page::new(visitor, Place::Connections, "Connect a PSA").with(main)
}

fn choice() -> Markup {
    let about = |psa| match psa {
        Psa::Autotask => "You need an API user: its user name, its secret, and a tracking identifier.",
        Psa::KaseyaBms => {
            "Also sold as Vorex and as Pulseway PSA. You need the host name, the company name, and best an API Employee."
        }
    };
    html! {
        p { "Which PSA do you bill from?" }
        div.cards { @for psa in Psa::ALL { div.card {
            h2 { a href={ "/console/connections/new?psa=" (psa.as_str()) } { (psa::name(*psa)) } }
            p { (about(*psa)) }
        } } }
    }
}

fn form(visitor: &Visitor, psa: Psa, fields: &Fields, trouble: Option<&Trouble>) -> Markup {
    let form = Form::new(fields, trouble);
    let chosen = fields.get("time_zone");
    around(
        visitor,
        &html! {
            p { strong { (psa::name(psa)) } " · " a href="/console/connections/new" { "Choose another PSA" } }
            (form.trouble())
            form.stacked method="post" action="/console/connections/new" {
                (field::ours(visitor))
                (field::once(fields))
                input type="hidden" name="psa" value=(psa.as_str());
                (credentials::asked(psa, &form))
                fieldset {
                    legend { "Here" }
                    (form.text(NAME))
                    (form.grouped(ZONE, &zone::by_region(chosen)))
                    (form.tick(OFF))
                }
                (credentials::tried(psa))
                @if trouble.is_some_and(|trouble| trouble.code == "idempotency_key_reused") {
                    p.warning { "How an earlier try ended is not known: look first whether " a href="/console/connections" { "the connection is there" } ". Then send this again." }
                }
                @if trouble.is_some() { p { "Passwords and secrets are not shown again: type them once more." } }
                button type="submit" { "Try it and connect" }
                p.small { "It takes a few seconds: each right is tried by itself." }
            }
        },
    )
}
