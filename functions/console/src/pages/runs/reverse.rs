//! Taking back what a run wrote. What that comes to is said first, on a page of its own.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde_json::json;

use super::{address, run, warning, writes_nothing};
use crate::client::told::results::Choices;
use crate::client::told::run::Started;
use crate::client::{Trouble, path};
use crate::door::{Fields, Posted, Visitor};
use crate::pages::connection;
use crate::view::changes::Way;
use crate::view::page::Page;
use crate::view::{changes, field, trouble, when};

pub(super) async fn confirm(visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Trouble> {
    page(&visitor, &id, &Fields::default(), None).await
}

pub(super) async fn reverse(Path(id): Path<String>, posted: Posted) -> Result<Response, Trouble> {
    let Posted { visitor, fields } = posted;
    let made =
        visitor.api().make::<Started>(&path(&["v1", "runs", &id, "reverse"]), &json!({}), fields.get("once")).await;
    match made {
        Ok(started) => Ok(Redirect::to(&address(&started.run_id)).into_response()),
        Err(trouble) if trouble.can_be_mended() => {
            Ok((trouble.status, page(&visitor, &id, &fields, Some(&trouble)).await?).into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

async fn page(visitor: &Visitor, id: &str, fields: &Fields, said: Option<&Trouble>) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let choices = path(&["v1", "runs", id, "choices"]);
    let (run, choices) = tokio::join!(run(&api, id), api.get::<Choices>(&choices));
    let (run, Choices { reversible, .. }) = (run?, choices?);
    let connection = connection(&api, &run.connection_id).await?;
    let may = visitor.may_change() && writes_nothing(&connection).is_none() && !reversible.is_none();
    Ok(Page::of(visitor, &connection, "/runs", "Take back what a run wrote").with(&html! {
        @if let Some(trouble) = said { (trouble::notice(trouble)) }
        (warning(&connection))
        @if reversible.is_none() {
            p.empty { "This run wrote no units or prices, so there is nothing to take back." }
        } @else {
            p { "The run of " (when::at(run.created_at, &connection.time_zone)) " on " strong { (connection.name) }
                " is taken back by a run of its own:" }
            (changes::of(&reversible, Way::TakenBack))
            ul.hint {
                li { "Each change is taken back from the first day on or after its own that is neither posted nor carries an adjustment: normally the day after it. The days before stay as they are billed." }
                li { "A line that was changed since is left alone and says so." }
                li { "The next sync holds the same change until you approve it. Charges are not taken back by this." }
            }
        }
        div.row {
            @if may {
                form method="post" action={ (address(id)) "/reverse" } {
                    (field::ours(visitor)) (field::once(fields))
                    button.danger type="submit" { "Take it back" }
                }
            }
            a.button.plain href=(address(id)) { "Back to the run" }
        }
    }))
}
