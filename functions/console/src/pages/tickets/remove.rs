//! Removing the mapping of tickets, once it was said what that does.

use axum::extract::Path;
use axum::response::Redirect;
use maud::{Markup, html};

use super::{here, in_api};
use crate::client::Trouble;
use crate::door::{Posted, Visitor};
use crate::pages::connection;
use crate::view::field;
use crate::view::page::Page;

pub(super) async fn ask(visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Trouble> {
    let connection = connection(&visitor.api(), &id).await?;
    let here = here(&id);
    Ok(Page::of(&visitor, &connection, "/tickets", "Remove the mapping of tickets").with(&html! {
        div.warning {
            p { "No ticket is opened over this connection any more: its alerts wait until there is a mapping again, or go to another \
                connection that has one and maps their company." }
            p { "Tickets that were opened stay as they are. Billing goes on." }
        }
        form.row method="post" action={ (here) "/remove" } {
            (field::ours(&visitor))
            button.danger type="submit" { "Remove the mapping" }
            a.button.plain href=(here) { "Keep it" }
        }
    }))
}

pub(super) async fn go(Path(id): Path<String>, posted: Posted) -> Result<Redirect, Trouble> {
    posted.visitor.api().delete(&in_api(&id)).await?;
    Ok(Redirect::to(&format!("{}?done=removed", here(&id))))
}
