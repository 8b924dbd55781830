//! An MSP with something that is planned, held and failed, somebody who is signed in to its pages, and what they send.

use integration::PARTNER;
use integration::msp::{Customer, Msp, Setup};
use jiff::SignedDuration;
use jiff::civil::date;
use shared::api::auth::Scope;

use super::browser::{Browser, Seen};

/// `acme/edr` rises by 2, `acme/itdr` falls by 1, `bolt/edr` would fall by too much, the contract of `over` has ended.
pub async fn msp() -> Msp {
    let customers = [
        Customer::named("acme").line("edr", 40).line("itdr", 8),
        Customer::named("bolt").line("edr", 100),
        Customer::named("over").line("edr", 5).runs(date(2026, 1, 1), date(2026, 11, 21)),
    ];
    let msp = Setup::of(customers).start().await;
    // What is mapped is checked when it is mapped: the contract ends after that.
    msp.clock.advance(SignedDuration::from_hours(24));
    msp.push(&[("acme", "edr", 42), ("acme", "itdr", 7), ("bolt", "edr", 10), ("over", "edr", 6)]).await;
    msp
}

/// Somebody of `partner` who is signed in.
pub async fn browser_of(msp: &Msp, partner: &str, scopes: &[Scope]) -> Browser {
    let mut browser = Browser::at(msp.parts.base());
    let seen = browser.post(&msp.parts.link(partner, scopes), &[]).await;
    assert_eq!((seen.status, seen.location()), (303, "/console"), "{}", seen.text);
    browser
}

/// Somebody who may change things.
pub async fn browser(msp: &Msp) -> Browser {
    browser_of(msp, PARTNER, &[Scope::Read, Scope::Write]).await
}

/// Sends the form on `page` whose address is `action`, with everything hidden in it.
pub async fn submit(browser: &mut Browser, page: &Seen, action: &str) -> Seen {
    let fields = hidden(page, action);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(action, &fields).await
}

/// The hidden fields of the form with that address.
pub fn hidden(page: &Seen, action: &str) -> Vec<(String, String)> {
    let opening = format!("method=\"post\" action=\"{action}\"");
    let (_, form) = page.text.split_once(&opening).unwrap_or_else(|| panic!("no form {action} in {}", page.text));
    let (form, _) = form.split_once("</form>").unwrap();
    let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
    let field = |input: &str| {
        let (name, rest) = input.split_once("\" value=\"")?;
        Some((name.to_owned(), rest.split_once('"')?.0.to_owned()))
    };
    inputs.filter_map(field).collect()
}

/// What the page says, without its tags.
pub fn words(page: &Seen) -> String {
    let mut words = String::new();
    for part in page.text.split('<') {
        words.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        words.push(' ');
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
