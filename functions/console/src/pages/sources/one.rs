//! A source: what it counts, how far its pull is, and how the last one ended.

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use maud::{Markup, html};

use super::{address, how, named, of_api, zone};
use crate::client::told::source::{Asked, LastPull, Source};
use crate::client::{Trouble, with_query};
use crate::door::{Fields, Posted, Visitor};
use crate::view::page::{Page, Place};
use crate::view::{counted, field, vendor, when};

pub(super) async fn one(
    visitor: Visitor,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let (api, of) = (visitor.api(), named(&name)?);
    let path = of_api(of);
    let (source, zone) = tokio::join!(api.find::<Source>(&path), zone(&api));
    let (source, zone) = (source?, zone?);
    let Some(source) = source else { return Ok(Redirect::to(&address(of, "/setting")).into_response()) };
    let asked = query.some("pull").and_then(|pull| pull.parse().ok());
    let page = Page::new(&visitor, Place::Sources, vendor::name(of)).with(&html! {
        @if let Some(done) = done(query.get("done")) { p.notice { (done) } }
        @if is_going(&source, asked) {
            (going(&source, asked, &zone))
            noscript { p { a.button.plain href=(with_query(&address(of, ""), &[("pull", query.some("pull"))])) { "Refresh" } } }
        } @else if visitor.may_change() {
            div.row { form method="post" action=(address(of, "/pull")) { (field::ours(&visitor)) button type="submit" { "Pull now" } } }
        }
        (last(source.last_pull.as_ref(), &zone))
        h2 { "Setting" }
        dl.facts {
            dt { "Counts" } dd { @for (index, (metric, product)) in source.products.iter().enumerate() {
                @if index > 0 { br; } code { (metric) } " is the product " strong { (product) }
            } }
            @for (name, value) in chosen(&source) { dt { (name) } dd { (value) } }
            dt { "Pulled" } dd { @if source.schedule.is_some() { "by a schedule of its own, in " (source.time_zone) } @else { "every day, 90 minutes before the first of your syncs" } }
            dt { "Next pull" } dd { (when::at(source.next_due_at, &zone)) }
        }
        @if visitor.may_change() { div.row {
            a.button.plain href=(address(of, "/setting")) { "Change" }
            a.button.danger href=(address(of, "/remove")) { "Remove" }
        } }
    });
    Ok(page.into_response())
}

pub(super) async fn pull(Path(name): Path<String>, posted: Posted) -> Result<Response, Trouble> {
    let of = named(&name)?;
    let path = format!("{}/pull", of_api(of));
    let asked: Asked = posted.visitor.api().send(axum::http::Method::POST, &path, &serde_json::json!({})).await?;
    let pull = asked.pull.to_string();
    Ok(Redirect::to(&with_query(&address(of, ""), &[("pull", Some(&pull))])).into_response())
}

/// How far its pull is; once that has ended the whole page is loaded anew.
pub(super) async fn progress(
    visitor: Visitor,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let asked = query.some("pull").and_then(|pull| pull.parse().ok());
    let api = visitor.api();
    let path = of_api(named(&name)?);
    let (source, zone) = tokio::join!(api.get::<Source>(&path), zone(&api));
    let (source, zone) = (source?, zone?);
    let fragment = going(&source, asked, &zone);
    Ok(match is_going(&source, asked) {
        true => fragment.into_response(),
        false => ([("hx-refresh", "true")], fragment).into_response(),
    })
}

/// One that was `asked` for and that nobody has taken up yet goes on as well.
fn is_going(source: &Source, asked: Option<Timestamp>) -> bool {
    let is_over = |asked: Timestamp| source.last_pull.as_ref().is_some_and(|last| last.pull >= asked);
    source.going.is_some() || asked.is_some_and(|asked| !is_over(asked))
}

fn going(source: &Source, asked: Option<Timestamp>, zone: &str) -> Markup {
    let asked = asked.map(|asked| asked.to_string());
    let progress = with_query(&address(source.source, "/progress"), &[("pull", asked.as_deref())]);
    html! {
        div.card.progress id="progress" role="status" hx-get=(progress) hx-trigger="every 2s" hx-swap="outerHTML" {
            @match &source.going {
                Some(going) => p { "A pull is going on since " (when::at(going.since, zone)) ", at step " (going.step) "." },
                None => p { "A pull was asked for and begins shortly." },
            }
            progress aria-label="Pulling" {}
        }
    }
}

fn last(last: Option<&LastPull>, zone: &str) -> Markup {
    html! {
        h2 { "Last pull" }
        @match last {
            None => p { "None yet. A source that is new is pulled within a quarter of an hour." },
            Some(last) => {
                @if let Some(explanation) = &last.explanation {
                    div.warning { p { strong { (explanation) } } @if let Some(fix) = &last.fix { p { (fix) } } }
                }
                dl.facts {
                    dt { "Ended" } dd { (how(last.status)) " " (when::at(last.at, zone)) ", true for " (when::at(last.as_of, zone)) }
                    dt { "Complete" } dd { @if last.complete { "yes: counts can fall by it, and who is missing in it is absent" } @else { "no: it raises counts and lowers nothing of what is not complete" } }
                    dt { "Customers" } dd { (last.companies) " listed" @if let Some(total) = last.total { " of " (total) " by the vendor's own count" } @if last.unread > 0 { ", " (last.unread) " could not be read" } }
                    dt { "Counts" } dd { (last.counts) " stored from " (counted(last.pages, "answer", "answers")) " of the vendor" }
                    @if !last.nothing_of.is_empty() {
                        dt { "Nobody has" } dd { (last.nothing_of.join(", ")) ": the vendor does not know the metric by this name, or no customer has it. What was counted before stays." }
                    }
                }
                @if last.not_asked.companies > 0 {
                    div.warning {
                        p { strong { (last.not_asked.companies) " customers were not asked about" } ": they are neither mapped nor were ever counted. Map those that are billed; the next pull counts them." }
                        details { summary { "The first of them" } ul { @for company in &last.not_asked.first { li { (company.company_name) " " code { (company.company) } } } } }
                    }
                }
            },
        }
    }
}

fn chosen(source: &Source) -> Vec<(&'static str, String)> {
    let counts = |counts: bool| if counts { "counts" } else { "does not count" }.to_owned();
    let filters = &source.filters;
    [
        filters.trials.map(|trials| ("On trial", counts(trials))),
        filters.suspended.map(|suspended| ("Suspended", counts(suspended))),
        filters.nfr_company.as_ref().map(|company| ("Your own organization", company.to_string())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn done(word: &str) -> Option<&'static str> {
    match word {
        "set" => Some("It is set. The vendor let us read, and it is pulled within a quarter of an hour."),
        _ => None,
    }
}
