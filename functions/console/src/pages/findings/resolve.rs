//! A person resolves a finding: what that does is said first, and what was looked at is what is resolved.

use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde_json::{Map, Value};
use shared::domain::finding::FindingState;

use super::{consequence, resolve_address, run, subject, units};
use crate::client::told::connection::Connection;
use crate::client::told::finding::Finding;
use crate::client::{Client, Trouble, path};
use crate::door::{Fields, Posted, Visitor};
use crate::pages::connection;
use crate::view::field::{self, Ask, Form};
use crate::view::page::Page;
use crate::view::{mend, money, only_looks, when};

const NOTE: Ask<'static> = Ask {
    name: "note",
    label: "Note",
    hint: "For the record, up to 500 characters: whoever looks later sees it with your name.",
    pointer: "/note",
};

pub(super) async fn page(visitor: Visitor, Path((id, finding)): Path<(String, String)>) -> Result<Markup, Trouble> {
    let (connection, finding) = both(&visitor.api(), &id, &finding).await?;
    Ok(confirm(&visitor, &connection, &finding, &Fields::default(), None))
}

pub(super) async fn resolve(
    Path((id, finding)): Path<(String, String)>,
    Posted { visitor, fields }: Posted,
) -> Result<Response, Trouble> {
    let api = visitor.api();
    let said = ["note", "seen_at"].into_iter().filter_map(|name| Some((name.to_owned(), fields.some(name)?.into())));
    let said: Value = said.collect::<Map<_, _>>().into();
    match api.tell(Method::POST, &path(&["v1", "findings", &finding, "resolve"]), &said).await {
        Ok(()) => {
            let list = path(&["console", "connections", &id, "findings"]);
            Ok(Redirect::to(&format!("{list}?done=resolved")).into_response())
        }
        // The page shows what the finding says now, which may not be what was looked at.
        Err(trouble) if trouble.can_be_mended() => {
            let (connection, finding) = both(&api, &id, &finding).await?;
            Ok((trouble.status, confirm(&visitor, &connection, &finding, &fields, Some(&trouble))).into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

async fn both(api: &Client, id: &str, finding: &str) -> Result<(Connection, Finding), Trouble> {
    let found = path(&["v1", "findings", finding]);
    let (connection, finding) = tokio::join!(connection(api, id), api.get::<Finding>(&found));
    Ok((connection?, finding?))
}

fn confirm(
    visitor: &Visitor,
    connection: &Connection,
    finding: &Finding,
    fields: &Fields,
    trouble: Option<&Trouble>,
) -> Markup {
    let form = Form::new(fields, trouble);
    let zone = &connection.time_zone;
    let list = path(&["console", "connections", &connection.id, "findings"]);
    Page::of(visitor, connection, "/findings", "Resolve a finding").with(&html! {
        (form.trouble())
        h2 { "What was found" }
        p { strong { (finding.explanation) } " " code.small { (finding.code) } }
        p { (mend::words(&finding.fix)) }
        dl.facts {
            dt { "About" } dd { (subject(&connection.id, finding)) }
            dt { "Units now → wanted" } dd { (units(finding)) }
            dt { "A month" } dd { (money::monthly(finding.money.as_ref())) }
            dt { "Noticed" } dd { (when::at(finding.opened_at, zone)) " " (run(finding)) }
        }
        @if finding.status != FindingState::Open { (over(finding, zone, &list)) }
        @else if !visitor.may_change() { (only_looks()) }
        @else {
            h2 { "What resolving it does" }
            (consequence::of(finding))
            form.stacked method="post" action=(resolve_address(&connection.id, finding)) {
                (field::ours(visitor))
                input type="hidden" name="seen_at" value=(finding.seen_at);
                (form.long_text(NOTE))
                div.row {
                    button type="submit" { "Resolve" }
                    a.button.plain href=(list) { "Leave it open" }
                }
            }
        }
    })
}

fn over(finding: &Finding, zone: &str, list: &str) -> Markup {
    html! {
        p.notice {
            @match (finding.resolved_at, finding.closed_at) {
                (Some(at), _) => { "It is resolved since " (when::at(at, zone)) @if let Some(by) = &finding.resolved_by { ", by " (by) } "." },
                (None, Some(at)) => { "It was over by itself at " (when::at(at, zone)) "." },
                (None, None) => "It is not open any more.",
            }
            @if let Some(note) = &finding.note { " “" (note) "”" }
        }
        p { a href=(list) { "Back to the findings" } }
    }
}
