//! Choosing a service of the PSA's catalogue by its name.

use maud::{Markup, html};

use crate::client::told::List;
use crate::client::told::mapping::Named;
use crate::client::{Client, Trouble, path, with_query};
use crate::view::trouble;

/// The search, and what was found where somebody searched.
pub(super) struct Services {
    find: String,
    found: Option<Result<List<Named>, Trouble>>,
}

impl Services {
    pub(super) async fn read(api: &Client, id: &str, find: &str) -> Self {
        let mut services = Self { find: find.to_owned(), found: None };
        if !find.trim().is_empty() {
            let query = [("search", Some(find.trim())), ("limit", Some("20"))];
            let path = with_query(&path(&["v1", "connections", id, "catalog", "services"]), &query);
            services.found = Some(api.get(&path).await);
        }
        services
    }

    pub(super) fn shown(&self, here: &str) -> Markup {
        html! {
            h2 { "Choose the service" }
            form.row role="search" method="get" action=(here) hx-get=(here) hx-select="#services" hx-target="#services"
                hx-swap="outerHTML" hx-trigger="input changed delay:400ms from:#find, submit" hx-indicator="#services" {
                label for="find" { "Part of its name in the catalogue" }
                span.inline { input type="search" id="find" name="find" value=(self.find) autocomplete="off"; }
                button.plain type="submit" { "Search the PSA" }
            }
            div.busy id="services" role="status" { @match &self.found {
                None => {},
                Some(Err(trouble)) => (trouble::notice(trouble)),
                Some(Ok(found)) if found.items.is_empty() => p { "No active service has this in its name." },
                Some(Ok(found)) => {
                    ul.plain { @for service in &found.items { li {
                        a href=(with_query(here, &[("service", Some(&service.id))])) { (service.name) } " " code.small { (service.id) }
                    } } }
                    @if found.next_cursor.is_some() { p.small { "There are more: type more of the name." } }
                },
            } }
        }
    }
}
