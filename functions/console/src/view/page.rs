//! The page around everything: head, navigation, main part.

use maud::{DOCTYPE, Markup, html};

use crate::assets;
use crate::client::told::connection::Connection;
use crate::door::Visitor;

/// Where in the console a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Home,
    Connections,
    Usage,
    Sources,
    Settings,
}

/// Pages that are not of one connection.
const PLACES: [(Place, &str, &str); 5] = [
    (Place::Home, "/console", "Home"),
    (Place::Connections, "/console/connections", "Connections"),
    (Place::Usage, "/console/usage", "Usage"),
    (Place::Sources, "/console/sources", "Sources"),
    (Place::Settings, "/console/settings", "Settings"),
];

/// Pages of one connection: the end of the address, and what it is called.
const ROOMS: [(&str, &str); 7] = [
    ("", "Overview"),
    ("/products", "Products"),
    ("/companies", "Companies"),
    ("/preview", "Preview"),
    ("/runs", "Runs"),
    ("/findings", "Findings"),
    ("/tickets", "Tickets"),
];

/// A page of the console.
pub(crate) struct Page<'a> {
    pub(crate) visitor: &'a Visitor,
    pub(crate) place: Place,
    pub(crate) title: &'a str,
    /// The connection that it is of, and the end of its address among those of the connection.
    pub(crate) of: Option<(&'a Connection, &'a str)>,
}

impl<'a> Page<'a> {
    /// A page that is of no connection.
    pub(crate) fn new(visitor: &'a Visitor, place: Place, title: &'a str) -> Self {
        Self { visitor, place, title, of: None }
    }

    /// A page of `connection`; `room` is the end of its address.
    pub(crate) fn of(visitor: &'a Visitor, connection: &'a Connection, room: &'a str, title: &'a str) -> Self {
        Self { visitor, place: Place::Connections, title, of: Some((connection, room)) }
    }

    /// With what stands in its middle.
    pub(crate) fn with(&self, main: &Markup) -> Markup {
        let title = match self.of {
            Some((connection, _)) => format!("{} · {}", self.title, connection.name),
            None => self.title.to_owned(),
        };
        document(
            &title,
            &html! {
                a.skip href="#main" { "Skip to content" }
                header.top {
                    a.brand href=(crate::ROOT) { "Tallyline" }
                    nav aria-label="Console" {
                        ul { @for (place, address, name) in PLACES {
                            li { a href=(address) aria-current=[(place == self.place).then_some("true")] { (name) } }
                        } }
                    }
                    form.who method="post" action="/console/sign-out" {
                        input type="hidden" name="csrf" value=(self.visitor.csrf());
                        span { (self.visitor.name()) " · " (self.visitor.partner()) }
                        button.plain type="submit" { "Sign out" }
                    }
                }
                @if let Some((connection, here)) = self.of { (rooms(connection, here)) }
                main id="main" tabindex="-1" {
                    h1 { (self.title) }
                    (main)
                }
            },
        )
    }
}

fn rooms(connection: &Connection, here: &str) -> Markup {
    html! {
        nav.rooms aria-label={ "Connection " (connection.name) } {
            strong { (connection.name) }
            ul { @for (end, name) in ROOMS {
                li { a href={ "/console/connections/" (connection.id) (end) }
                    aria-current=[(end == here).then_some("page")] { (name) } }
            } }
        }
    }
}

/// A page for somebody who is not signed in, or that could not be made.
pub(crate) fn bare(title: &str, main: Markup) -> Markup {
    document(
        title,
        &html! {
            header.top { a.brand href=(crate::ROOT) { "Tallyline" } }
            main id="main" { h1 { (title) } (main) }
        },
    )
}

fn document(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // No style of its own, which our policy refuses, and nothing evaluated.
                meta name="htmx-config" content=r#"{"includeIndicatorStyles":false,"allowEval":false,"selfRequestsOnly":true,"historyCacheSize":0}"#;
                title { (title) " · Tallyline" }
                link rel="icon" type="image/svg+xml" href=(assets::address("icon.svg"));
                link rel="stylesheet" href=(assets::address("console.css"));
                script src=(assets::address("htmx.js")) defer {}
                script src=(assets::address("console.js")) defer {}
            }
            body { (body) }
        }
    }
}
