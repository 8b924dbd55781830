//! All connections of the partner.

use maud::{Markup, html};

use crate::client::Trouble;
use crate::door::Visitor;
use crate::pages::connections_of;
use crate::view::page::{Page, Place};
use crate::view::{badge, empty, psa, table, when};

pub(super) async fn list(visitor: Visitor) -> Result<Markup, Trouble> {
    let connections = connections_of(&visitor.api()).await?;
    let page = Page::new(&visitor, Place::Connections, "Connections");
    let connect = ("/console/connections/new", "Connect a PSA");
    if connections.is_empty() {
        return Ok(page.with(&empty("No PSA is connected yet.", Some(connect))));
    }
    let rows = html! { @for connection in &connections { tr {
        td { a href={ "/console/connections/" (connection.id) } { (connection.name) } }
        td { (psa::name(connection.psa)) }
        td { (badge::connection(connection.status, connection.enabled)) }
        td { (when::maybe(connection.next_due_at, &connection.time_zone, "–")) }
    } } };
    Ok(page.with(&html! {
        @if visitor.may_change() { p { a.button href=(connect.0) { (connect.1) } } }
        (table::table("Connections", &["Name", "PSA", "Status", "Next sync"], &rows))
    }))
}
