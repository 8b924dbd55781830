//! What tokens are: programs call the API with them. None is made here.

use maud::{Markup, html};
use shared::api::auth::Scope;

/// For whoever wants to call the API.
pub(super) fn about() -> Markup {
    html! {
        h2 { "Tokens for the API" }
        p { "All that these pages show and do, a program can do as well: it calls the HTTP API with a token. This sign-in is none, and no token is made or kept here." }
        (scopes())
        h3 { "Where Tallyline runs on one machine" }
        p { "Whoever runs it prints a token there, good for 12 hours or as " code { "--hours" } " says. " code { "--subject" } " names who uses it in the history." }
        pre tabindex="0" { code { "tallyline token --data DIR --partner PARTNER --scope tallyline/read --subject anna" } }
        p { "The whole API is described at " a href="/openapi.json" { "/openapi.json" } " there." }
        h3 { "Where it runs on AWS" }
        p { "Your identity provider issues tokens: those of an application of its own, with the scopes above and the claim " code { "partner_id" }
            ". The operator has named that provider when Tallyline was deployed." }
    }
}

fn scopes() -> Markup {
    let means = |scope| match scope {
        Scope::Read => "sees everything of the partner, and changes nothing",
        Scope::Write => "sees everything, and connects, maps, syncs, approves and decides",
        Scope::Usage => "only sends and reads usage: what a vendor's nightly job needs",
        Scope::Vendor => {
            "for the vendor's own backend: no partner of its own, each request names one. It allows nothing by itself"
        }
    };
    html! {
        p { "What a token may do stands in it, as its scopes:" }
        dl.facts { @for scope in Scope::ALL { dt { code { (scope.as_str()) } } dd { (means(scope)) } } }
    }
}
