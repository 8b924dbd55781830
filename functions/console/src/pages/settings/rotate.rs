//! The secret of a webhook: replaced, and shown this once.

use axum::extract::{Path, State};
use axum::http::Method;
use jiff::SignedDuration;
use maud::{Markup, html};

use super::{address, of_api, webhook};
use crate::Deps;
use crate::client::Trouble;
use crate::client::told::webhook::Webhook;
use crate::door::{Fields, Posted, Visitor};
use crate::view::page::{Page, Place};
use crate::view::{field, only_looks};

/// For how long a form that was sent is known: longer than a session lasts.
const ONCE_FOR: SignedDuration = SignedDuration::from_hours(24);

pub(super) async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Trouble> {
    let webhook = webhook(&visitor.api(), &id).await?;
    let page = Page::new(&visitor, Place::Settings, "Replace a webhook's secret");
    if !visitor.may_change() {
        return Ok(page.with(&only_looks()));
    }
    Ok(page.with(&html! {
        p { "A new secret for " strong { (webhook.id) } " is made and shown once. For 24 hours every request carries a signature of each, so that your receiver can "
            "be changed without missing one." }
        p { "Where you have replaced it within the last 24 hours, the oldest secret ends at once." }
        form method="post" action=(address(&webhook.id, &["secret"])) {
            (field::ours(&visitor))
            (field::once(&Fields::default()))
            div.row {
                button type="submit" { "Replace it and show the new one" }
                a.button.plain href=(address(&webhook.id, &[])) { "Leave it" }
            }
        }
    }))
}

pub(super) async fn rotate(
    State(deps): State<Deps>,
    Path(id): Path<String>,
    Posted { visitor, fields }: Posted,
) -> Result<Markup, Trouble> {
    // To load the answer anew would send the form again, and the secret that receivers still go by would end.
    let until = deps.clock.now().saturating_add(ONCE_FOR).map_err(Trouble::ours)?;
    let key = ["rotate-secret", visitor.partner(), &id, fields.get("once")].join("\n");
    if !deps.sessions.use_up(&key, until).await? {
        return Err(Trouble::of_form("This form was sent before, and replaces nothing a second time."));
    }
    let made: Webhook = visitor.api().send(Method::POST, &of_api(&id, &["rotate-secret"]), &()).await?;
    let secret = made.secret.as_deref().ok_or_else(|| Trouble::ours("a new secret was not told"))?;
    Ok(shown(&visitor, &made, "The new secret", secret))
}

/// The answer to the form itself, and not a page that the form leads to: no address ever shows a secret.
pub(super) fn shown(visitor: &Visitor, webhook: &Webhook, title: &str, secret: &str) -> Markup {
    Page::new(visitor, Place::Settings, title).with(&html! {
        div.warning { p { strong { "Copy it now: it is shown this once." } " Nobody can read it again, only replace it." } }
        dl.facts {
            dt { "Webhook" } dd { (webhook.id) }
            dt { "Secret" } dd { code { (secret) } }
        }
        p { "Your receiver checks the header " code { "webhook-signature" } " with it, as Standard Webhooks says: HMAC-SHA256 over "
            code { "{webhook-id}.{webhook-timestamp}.{body}" } "; the key is what follows " code { "whsec_" } ", from base64." }
        p { a.button href=(address(&webhook.id, &[])) { "I have it" } }
    })
}
