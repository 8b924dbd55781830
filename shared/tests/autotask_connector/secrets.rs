//! Canaries: no credential shows in an error, a `Debug` or a log, even where Autotask repeats it.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;
use shared::psa::autotask::{Autotask, Settings};
use shared::psa::notebook::NoNotebook;
use shared::psa::{CatalogQuery, Connector as _};
use url::Url;

use crate::responder::{Responder, status};
use crate::writes::change;
use crate::{endpoint, heard, user};

#[tokio::test]
async fn credentials_show_nowhere() {
    heard::listen();
    let echo = json!({"errors": ["api-user@example.com / CANARY-SECRET / canarycode is not welcome"]}).to_string();
    let psa = Responder::start(move |_| status(500, &echo)).await;
    let unused = "http://127.0.0.1:1";

    let mut shown = String::new();
    for base in [psa.base.as_str(), unused] {
        let factory = Autotask::at(&Url::parse(base).unwrap(), Settings::default()).unwrap();
        let connector = factory.open(&endpoint(base), user(), Arc::new(NoNotebook));
        let discovered = factory.discover(&user()).await;
        let read = connector.accounts(&CatalogQuery::default()).await;
        let rights = connector.rights().await;
        let written = connector.change_units(&change()).await;
        write!(shown, "{factory:?} {connector:?} {discovered:?} {read:?} {rights:?} {written:?}").unwrap();
        write!(shown, "{} {} {}", discovered.unwrap_err(), read.unwrap_err(), written.unwrap_err()).unwrap();
    }

    let logged = heard::text();
    assert!(shown.contains("*** / *** / *** is not welcome"), "{shown}");
    assert!(logged.contains("autotask answered") && logged.contains("autotask did not answer"), "{logged}");
    for (place, text) in [("shown", shown), ("logged", logged)] {
        let text = text.to_lowercase();
        for canary in ["canary-secret", "canarycode", "api-user"] {
            assert!(!text.contains(canary), "{canary} was {place}: {text}");
        }
    }
}

#[tokio::test]
async fn credentials_that_can_not_be_sent_are_refused_without_being_shown() {
    let mut user = user();
    user.secret = "two\nlines".into();
    let factory = Autotask::at(&Url::parse("http://127.0.0.1:1").unwrap(), Settings::default()).unwrap();
    let connector = factory.open(&endpoint("http://127.0.0.1:1"), user, Arc::new(NoNotebook));
    let error = connector.rights().await.unwrap_err();
    assert_eq!(error.code, "psa_credentials_malformed");
    assert!(!format!("{error:?}").contains("lines"));
    assert_eq!(connector.requests_made(), 0);
}
