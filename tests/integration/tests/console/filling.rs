//! Forms as somebody fills them in: what stands in a page's form, with some fields changed.

use std::collections::BTreeMap;

use integration::PARTNER;
use integration::msp::{Fixture, Msp};
use shared::api::auth::Scope;

use crate::browser::{Browser, Seen};

/// Somebody of `partner` who is signed in.
pub async fn person<P: Fixture>(msp: &Msp<P>, partner: &str, scopes: &[Scope]) -> Browser {
    let mut browser = Browser::at(msp.parts.base());
    let seen = browser.post(&msp.parts.link(partner, scopes), &[]).await;
    assert_eq!(seen.status, 303, "{}", seen.text);
    browser
}

/// Somebody who may change everything of [`PARTNER`].
pub async fn anna<P: Fixture>(msp: &Msp<P>) -> Browser {
    person(msp, PARTNER, &[Scope::Read, Scope::Write]).await
}

/// The fields of the form that is sent to `action`, as a browser would send them back.
pub fn filled(seen: &Seen, action: &str) -> BTreeMap<String, String> {
    let begins = format!("<form class=\"stacked\" method=\"post\" action=\"{action}\"");
    let plain = format!("<form method=\"post\" action=\"{action}\"");
    let row = format!("<form class=\"row\" method=\"post\" action=\"{action}\"");
    let found = [begins, plain, row].into_iter().find_map(|start| seen.text.split_once(&start).map(|(_, rest)| rest));
    let form =
        found.unwrap_or_else(|| panic!("no form for {action} in {}", seen.text)).split("</form>").next().unwrap();
    let mut fields = BTreeMap::new();
    for tag in form.split('<').filter(|tag| tag.starts_with("input ")) {
        let is_box = attribute(tag, "type").as_deref() == Some("checkbox");
        if let Some(name) = attribute(tag, "name").filter(|_| !is_box || tag.contains(" checked")) {
            fields.insert(name, attribute(tag, "value").unwrap_or_default());
        }
    }
    for select in form.split("<select ").skip(1) {
        let select = select.split("</select>").next().unwrap();
        let options: Vec<&str> = select.split("<option ").skip(1).collect();
        let chosen =
            options.iter().find(|option| option.split('>').next().unwrap().contains(" selected")).or(options.first());
        let value = chosen.and_then(|option| attribute(option, "value"));
        fields.insert(attribute(select, "name").unwrap(), value.unwrap_or_default());
    }
    fields
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = format!(" {tag}").split_once(&format!(" {name}=\"")).map(|(a, b)| (a.to_owned(), b.to_owned()))?;
    let value = rest.split('"').next()?;
    Some(value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

/// Sends the form of a page to `action`, with `changes` in it.
pub async fn send(browser: &mut Browser, page: &Seen, action: &str, changes: &[(&str, &str)]) -> Seen {
    let mut fields = filled(page, action);
    fields.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(action, &fields).await
}
