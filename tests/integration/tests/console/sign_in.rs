//! Signing in at an issuer, and by a link: who gets in, as whom, for how long, and who does not.

use std::net::Ipv4Addr;
use std::sync::Arc;

use async_trait::async_trait;
use integration::{BEGINNING, TestClock, logs};
use jiff::SignedDuration;
use local::app::{App, AppOptions, Place};
use local::tokens::Subject;
use reqwest::Method;
use secrecy::SecretString;
use shared::api::auth::Scope;
use shared::http::Outward;
use shared::psa::Psa;
use shared::secrets::{ReadSecret, SecretsError};
use simulators::autotask::seed::Provider;
use simulators::issuer::{Kind, SAMPLE_AUDIENCE, SAMPLE_CLIENT_ID, Setup, Token, Wrong};
use simulators::{Autotask, Issuer};
use tokio::net::TcpListener;
use web_console::{Oidc, OidcSettings, SignIn};

use crate::browser::{Browser, Seen};

const SESSION: &str = "__Host-tallyline";
const FOLLOWED: &str = "__Host-tallyline-sign-in";
const ALL: &str = "openid tallyline/read tallyline/write tallyline/usage";
/// Nothing that a form or a header takes as it is.
const SECRET: &str = "s/e:c+r=e%t &ö";

/// The service with a console that is signed in to at a simulated issuer.
struct Console {
    app: App,
    issuer: Issuer,
    clock: TestClock,
    base: String,
    _psa: Autotask,
}

struct Fixed(&'static str);

#[async_trait]
impl ReadSecret for Fixed {
    async fn read(&self) -> Result<SecretString, SecretsError> {
        Ok(SecretString::from(self.0))
    }
}

impl Console {
    async fn start() -> Self {
        Self::with(|issuer| issuer, None, SAMPLE_AUDIENCE).await
    }

    async fn with(setup: impl FnOnce(Setup) -> Setup, secret: Option<&'static str>, audience: &str) -> Self {
        logs::keep();
        let clock = TestClock::at(BEGINNING);
        let issuer = setup(Issuer::setup().clock(clock.simulated())).start().await.unwrap();
        let today = clock.time().to_zoned(jiff::tz::TimeZone::UTC).date();
        let (world, _) = Provider { companies: 2, seed: 1, today }.build().unwrap();
        let psa = Autotask::setup(world).clock(clock.simulated()).start().await.unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        issuer.register(&base);
        issuer.account("ann", Some("nordwind"), ALL);
        let door = Oidc::new(OidcSettings {
            issuer: issuer.name(),
            audience: audience.to_owned(),
            client_id: SAMPLE_CLIENT_ID.to_owned(),
            client_secret: secret.map(|secret| Arc::new(Fixed(secret)) as Arc<dyn ReadSecret>),
            scopes: "tallyline/read tallyline/write tallyline/usage".to_owned(),
            address: format!("{base}/"),
            http: Outward::new().unwrap().except(&issuer.base(), Outward::settings()).unwrap(),
        });
        let options = AppOptions::at(Place::Memory).psa(Psa::Autotask, psa.base().parse().unwrap());
        let options = options.clock(Arc::new(clock.clone())).sign_in(SignIn::Oidc(Arc::new(door)));
        let app = App::open(options).await.unwrap();
        let router = app.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { app, issuer, clock, base, _psa: psa }
    }

    fn browser(&self) -> Browser {
        Browser::at(&self.base)
    }

    /// Connects the simulated PSA for a partner, under a name to be seen.
    async fn connect(&self, partner: &str, name: &str) {
        let hour = SignedDuration::from_hours(1);
        let token = self.app.tokens().mint(Some(&partner.parse().unwrap()), &[Scope::Write], hour).unwrap();
        let mut body = integration::connection_body();
        body["name"] = name.into();
        let request = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = request.post(format!("{}/v1/connections", self.base)).bearer_auth(token).json(&body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    }

    /// Goes to the issuer, and says where that sends the browser back to.
    async fn sent_back(&self, browser: &mut Browser) -> String {
        let to_issuer = browser.get("/console/sign-in/begin").await;
        assert_eq!(to_issuer.status, 303, "{}", to_issuer.text);
        let back = browser.get(to_issuer.location()).await;
        assert_eq!(back.status, 303, "{}", back.text);
        back.location().to_owned()
    }

    /// Somebody who has signed in.
    async fn signed_in(&self) -> Browser {
        let mut browser = self.browser();
        let home = browser.visit("/console/sign-in/begin").await;
        assert_eq!(home.status, 200, "{}", home.text);
        assert!(browser.cookies.contains_key(SESSION));
        browser
    }
}

/// Nobody is in: no session, the page says why and how to go on, and nothing of a token is on it.
async fn is_outside(browser: &mut Browser, refused: &Seen, status: u16, words: &str) {
    assert_eq!(refused.status, status, "{}", refused.text);
    assert!(refused.text.contains(words), "{words}: {}", refused.text);
    assert!(refused.text.contains("href=\"/console/sign-in\""), "no way out: {}", refused.text);
    for inside in ["eyJ", "127.0.0.1", "Bearer", "panicked"] {
        assert!(!refused.text.contains(inside), "{inside}: {}", refused.text);
    }
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    assert_eq!(browser.get("/console").await.location(), "/console/sign-in");
}

#[tokio::test]
async fn whoever_signs_in_sees_the_page_that_was_wanted_as_the_partner_that_the_token_names() {
    for (kind, secret) in [(Kind::Rsa, None), (Kind::Ec, Some(SECRET))] {
        let setup = |issuer: Setup| match secret {
            Some(secret) => issuer.keys(kind).secret(secret),
            None => issuer.keys(kind),
        };
        let console = Console::with(setup, secret, SAMPLE_AUDIENCE).await;
        let mut browser = console.browser();
        let turned_away = browser.get("/console?shown=all&from=2026-11-01").await;
        assert_eq!(turned_away.status, 303);
        let door = browser.get(turned_away.location()).await;
        let begin = door.after("class=\"button\" href=\"").to_owned();
        assert_eq!(begin, "/console/sign-in/begin?next=%2Fconsole%3Fshown%3Dall%26from%3D2026-11-01");

        let to_issuer = browser.get(&begin).await;
        let [cookie] = to_issuer.set_cookies()[..] else { panic!("{:?}", to_issuer.headers) };
        assert!(cookie.starts_with("__Host-tallyline-sign-in=state="), "{cookie}");
        assert!(cookie.ends_with("; Path=/; Max-Age=900; Secure; HttpOnly; SameSite=Lax"), "{cookie}");
        let asked: url::Url = to_issuer.location().parse().unwrap();
        let asked: std::collections::BTreeMap<_, _> = asked.query_pairs().into_owned().collect();
        assert_eq!(asked["scope"], ALL);
        assert_eq!(asked["redirect_uri"], format!("{}/console/sign-in/callback", console.base));
        assert_eq!((asked["code_challenge_method"].as_str(), asked["audience"].as_str()), ("S256", SAMPLE_AUDIENCE));
        assert!(!cookie.contains(&asked["code_challenge"]), "the challenge is not the verifier");

        let back = browser.get(to_issuer.location()).await.location().to_owned();
        let entered = browser.get(&back).await;
        assert_eq!((entered.status, entered.location()), (303, "/console?shown=all&from=2026-11-01"));
        let set = entered.set_cookies();
        let session = set.iter().find(|cookie| cookie.starts_with("__Host-tallyline=")).unwrap();
        assert!(session.ends_with("; Path=/; Max-Age=36000; Secure; HttpOnly; SameSite=Lax"), "{session}");
        assert!(!browser.cookies.contains_key(FOLLOWED), "the sign-in is over");
        assert_eq!(entered.header("cache-control"), "no-store");

        let home = browser.visit(entered.location()).await;
        assert_eq!(home.status, 200);
        assert!(home.text.contains("ann · nordwind"), "{}", home.text);
        let logged = logs::text();
        assert!(logged.contains("signed in") && !logged.contains("eyJ"), "a token was logged");
    }
}

#[tokio::test]
async fn no_token_with_any_fault_lets_anybody_in() {
    let console = Console::start().await;
    let mut refused = 0;
    for token in [Token::Id, Token::Access] {
        for wrong in Wrong::ALL {
            // The API's token is bound to no sign-in and to no client.
            if token == Token::Access && matches!(wrong, Wrong::Nonce | Wrong::AuthorizedParty) {
                continue;
            }
            console.issuer.give_wrong(Some((token, wrong)));
            let mut browser = console.browser();
            let seen = browser.visit("/console/sign-in/begin").await;
            println!("{token:?} {wrong:?}");
            is_outside(&mut browser, &seen, 403, "can't be trusted").await;
            refused += 1;
        }
    }
    assert_eq!(refused, 22);
    console.issuer.give_wrong(None);
    console.signed_in().await;
}

#[tokio::test]
async fn an_answer_that_this_browser_did_not_wait_for_signs_nobody_in() {
    let console = Console::start().await;
    let (mut mallory, mut victim) = (console.browser(), console.browser());
    // Mallory has the victim open Mallory's own answer, so that the victim would work in Mallory's account.
    let planted = console.sent_back(&mut mallory).await;
    let seen = victim.get(&planted).await;
    is_outside(&mut victim, &seen, 400, "took too long").await;
    // Also where the victim is at the door at that moment.
    console.sent_back(&mut victim).await;
    let seen = victim.get(&planted).await;
    is_outside(&mut victim, &seen, 400, "took too long").await;
    // A code of another sign-in under the victim's own state: the verifier is another one.
    let own = console.sent_back(&mut victim).await;
    let code = |address: &str| {
        url::Url::parse(address).unwrap().query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
    };
    let injected = own.replace(&code(&own), &code(&planted));
    let seen = victim.get(&injected).await;
    is_outside(&mut victim, &seen, 503, "did not answer as it should").await;
    // An answer of another issuer.
    let own = console.sent_back(&mut victim).await;
    let seen = victim.get(&format!("{own}&iss=https%3A%2F%2Fevil.example")).await;
    is_outside(&mut victim, &seen, 403, "can't be trusted").await;
    // An answer opens once.
    let own = console.sent_back(&mut mallory).await;
    let kept = mallory.cookies.clone();
    assert_eq!(mallory.get(&own).await.location(), "/console");
    mallory.cookies = kept;
    assert_eq!(mallory.get(&own).await.status, 503);
}

#[tokio::test]
async fn an_account_gets_in_only_for_one_partner_and_with_something_to_see() {
    let console = Console::start().await;
    for (partner, scope, words) in [
        (None, ALL, "belongs to no partner"),
        (Some("nord#wind"), ALL, "can't be trusted"),
        (None, "tallyline/vendor tallyline/read", "account of the vendor"),
        (Some("nordwind"), "tallyline/vendor tallyline/read", "account of the vendor"),
        (Some("nordwind"), "openid", "may see nothing"),
        (Some("nordwind"), "tallyline/usage", "may see nothing"),
    ] {
        console.issuer.account("ann", partner, scope);
        let mut browser = console.browser();
        let seen = browser.visit("/console/sign-in/begin").await;
        is_outside(&mut browser, &seen, 403, words).await;
    }
    console.issuer.deny(true);
    let mut browser = console.browser();
    let seen = browser.visit("/console/sign-in/begin").await;
    is_outside(&mut browser, &seen, 403, "was called off").await;
    console.issuer.deny(false);
    console.issuer.account("bob", Some("nordwind"), "tallyline/read");
    let home = console.signed_in().await.get("/console").await;
    assert!(home.text.contains("bob · nordwind"), "{}", home.text);
}

/// As Cognito's access tokens are.
#[tokio::test]
async fn a_token_without_an_audience_is_for_the_client_that_it_names() {
    let console = Console::with(|issuer| issuer, None, SAMPLE_CLIENT_ID).await;
    let mut browser = console.browser();
    let seen = browser.visit("/console/sign-in/begin").await;
    is_outside(&mut browser, &seen, 403, "can't be trusted").await;
    console.issuer.name_client_in_place_of_audience(SAMPLE_CLIENT_ID);
    console.signed_in().await;
    console.issuer.name_client_in_place_of_audience("another-app");
    let seen = browser.visit("/console/sign-in/begin").await;
    is_outside(&mut browser, &seen, 403, "can't be trusted").await;
}

#[tokio::test]
async fn a_session_of_one_partner_never_shows_another() {
    let console = Console::start().await;
    console.connect("nordwind", "PSA of Nordwind").await;
    console.connect("sued", "PSA of Sued").await;
    let mut ann = console.signed_in().await;
    console.issuer.account("bob", Some("sued"), ALL);
    let mut bob = console.signed_in().await;
    for (browser, own, other) in
        [(&mut ann, "PSA of Nordwind", "PSA of Sued"), (&mut bob, "PSA of Sued", "PSA of Nordwind")]
    {
        let home =
            browser.send(reqwest::Method::GET, "/console", |request| request.header("Tallyline-Partner", "sued")).await;
        assert!(home.text.contains(own) && !home.text.contains(other), "{}", home.text);
    }
    // Whoever signs in anew in the same browser leaves the earlier session behind, and it is over.
    let before = ann.cookies[SESSION].clone();
    let home = ann.visit("/console/sign-in/begin").await;
    assert!(home.text.contains("bob · sued") && !home.text.contains("PSA of Nordwind"), "{}", home.text);
    ann.cookies.insert(SESSION.to_owned(), before);
    assert_eq!(ann.get("/console").await.location(), "/console/sign-in");
}

#[tokio::test]
async fn signing_out_ends_the_session_here_and_at_the_issuer() {
    let console = Console::start().await;
    let mut browser = console.signed_in().await;
    let home = browser.get("/console").await;
    let token = home.after("name=\"csrf\" value=\"").to_owned();
    let session = browser.cookies.clone();
    // A form of another site.
    assert_eq!(browser.post("/console/sign-out", &[("csrf", "")]).await.status, 400);
    let mut other = console.signed_in().await;
    assert_eq!(other.post("/console/sign-out", &[("csrf", &token)]).await.status, 400);
    assert_eq!(browser.get("/console").await.status, 200);
    // Somebody who is signed in is not signed out by an address.
    assert_eq!(browser.get("/console/signed-out").await.location(), "/console");

    let out = browser.post("/console/sign-out", &[("csrf", &token)]).await;
    assert_eq!((out.status, out.location()), (303, "/console/signed-out"));
    assert!(browser.cookies.is_empty());
    let gone = browser.get("/console/signed-out").await;
    let further = gone.header("refresh").strip_prefix("0; url=").unwrap().to_owned();
    assert!(further.starts_with(&format!("{}/sign-out?client_id=console&", console.issuer.name())), "{further}");
    let back = browser.visit(&further).await;
    assert!(back.text.contains("/console/sign-in/begin"), "{}", back.text);

    browser.cookies = session;
    assert_eq!(browser.get("/console").await.location(), "/console/sign-in");
}

#[tokio::test]
async fn a_session_is_over_after_a_working_day() {
    let console = Console::start().await;
    let mut browser = console.signed_in().await;
    console.clock.advance(SignedDuration::new(10 * 60 * 60 - 1, 0));
    assert_eq!(browser.get("/console").await.status, 200);
    console.clock.advance(SignedDuration::from_secs(1));
    let over = browser.get("/console?product=edr").await;
    assert_eq!((over.status, over.location()), (303, "/console/sign-in?next=%2Fconsole%3Fproduct%3Dedr"));
    // A part of a page has the whole page go there.
    let part = browser.send(reqwest::Method::GET, "/console", |request| request.header("hx-request", "true")).await;
    assert_eq!((part.header("hx-redirect"), part.text.as_str()), ("/console/sign-in", ""));
    // And nothing is done.
    assert_eq!(browser.post("/console/sign-out", &[]).await.location(), "/console/sign-in");
}

#[tokio::test]
async fn nobody_is_led_to_another_site() {
    let console = Console::start().await;
    for elsewhere in
        ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example%2Fconsole", "%2Fconsole%40evil.example", "%2Fv1%2Fruns"]
    {
        let mut browser = console.browser();
        let door = browser.get(&format!("/console/sign-in?next={elsewhere}")).await;
        assert!(!door.text.contains("evil"), "{}", door.text);
        let to_issuer = browser.get(&format!("/console/sign-in/begin?next={elsewhere}")).await;
        let back = browser.get(to_issuer.location()).await;
        assert_eq!(browser.get(back.location()).await.location(), "/console");
    }
}

#[tokio::test]
async fn keys_that_the_issuer_changes_are_found_and_made_up_ones_are_asked_for_once_a_minute() {
    let console = Console::start().await;
    let keys_read = || console.issuer.asked().iter().filter(|path| *path == "/keys").count();
    console.signed_in().await;
    console.signed_in().await;
    assert_eq!(keys_read(), 1);
    console.issuer.change_key().unwrap();
    let mut browser = console.browser();
    let seen = browser.visit("/console/sign-in/begin").await;
    is_outside(&mut browser, &seen, 403, "can't be trusted").await;
    assert_eq!(keys_read(), 1, "they were read within the last minute");
    console.clock.advance(SignedDuration::from_secs(60));
    console.signed_in().await;
    assert_eq!(keys_read(), 2);
    console.clock.advance(SignedDuration::from_mins(10));
    console.signed_in().await;
    assert_eq!(keys_read(), 3);
    let documents = console.issuer.asked().iter().filter(|path| path.ends_with("openid-configuration")).count();
    assert_eq!(documents, 2);
}

#[tokio::test]
async fn an_issuer_that_is_away_is_said_to_be_away() {
    let console = Console::start().await;
    let mut browser = console.browser();
    console.issuer.refuse(true).await;
    let seen = browser.get("/console/sign-in/begin").await;
    is_outside(&mut browser, &seen, 503, "did not answer as it should").await;
    assert_eq!(browser.get("/console/signed-out").await.status, 200);
    console.issuer.refuse(false).await;
    console.signed_in().await;
}

#[tokio::test]
async fn a_link_opens_once_and_only_where_links_are_the_way_in() {
    let options = AppOptions::at(Place::Memory).clock(Arc::new(TestClock::at(BEGINNING)));
    let app = App::open(options).await.unwrap();
    let link = app.tokens().link(&Subject::default(), &"nordwind".parse().unwrap(), &[Scope::Read]).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = app.router();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let (mut first, mut second) = (Browser::at(&base), Browser::at(&base));
    // To be looked at opens nothing: a mail filter does that before anybody reads the mail.
    for _ in 0..2 {
        let shown = second.get(&link).await;
        assert_eq!((shown.status, shown.set_cookies().len()), (200, 0));
        assert!(shown.text.contains("<strong>nordwind</strong>, as <strong>local</strong>"), "{}", shown.text);
    }
    let elsewhere = second.send(Method::POST, &link, |request| request.header("sec-fetch-site", "cross-site")).await;
    assert_eq!((elsewhere.status, elsewhere.set_cookies().len()), (400, 0));
    let opened = first.post(&link, &[]).await;
    let [cookie] = opened.set_cookies()[..] else { panic!("{:?}", opened.headers) };
    assert!(cookie.starts_with("__Host-tallyline="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=36000; Secure; HttpOnly; SameSite=Lax"), "{cookie}");
    assert!(first.get("/console").await.text.contains("local · nordwind"));
    let used = second.post(&link, &[]).await;
    assert_eq!((used.status, used.set_cookies().len()), (410, 0));
    assert!(used.text.contains("opens once"), "{}", used.text);
    for told in [used, second.get("/console/sign-in").await] {
        assert!(told.text.contains("start the demo again") && !told.text.contains("cargo run"), "{}", told.text);
    }
    for address in ["/console/sign-in/begin", "/console/sign-in/callback?code=a&state=b", "/console/signed-out"] {
        assert_eq!(second.get(address).await.status, 404, "{address}");
    }
    let console = Console::start().await;
    assert_eq!(console.browser().get(&link).await.status, 404);
    assert_eq!(console.browser().post(&link, &[]).await.status, 404);
}

#[tokio::test]
async fn on_the_machine_itself_a_session_needs_no_tls_and_a_new_one_ends_the_one_before() {
    let app = App::open(AppOptions::at(Place::Memory).clock(Arc::new(TestClock::at(BEGINNING)))).await.unwrap();
    let links = || app.tokens().link(&Subject::default(), &"nordwind".parse().unwrap(), &[Scope::Read]).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = app.router();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let mut browser = Browser::at(&base);
    let opened = browser.send(Method::POST, &links(), |request| request.header("origin", &base)).await;
    let [cookie] = opened.set_cookies()[..] else { panic!("{:?}", opened.headers) };
    assert!(cookie.starts_with("tallyline="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=36000; HttpOnly; SameSite=Lax"), "{cookie}");
    assert_eq!(browser.get("/console").await.status, 200);
    let before = browser.cookies.clone();
    assert_eq!(browser.post(&links(), &[]).await.status, 303);
    assert_eq!(browser.get("/console").await.status, 200);
    browser.cookies = before;
    assert_eq!(browser.get("/console").await.status, 303, "the session before is over");
}

#[tokio::test]
async fn every_answer_keeps_other_sites_out_and_names_its_request() {
    let console = Console::start().await;
    let mut browser = console.browser();
    for address in ["/console", "/console/sign-in", "/console/nothing/here", "/console/sign-in/callback", "/"] {
        let seen = browser.get(address).await;
        assert!(seen.header("content-security-policy").starts_with("default-src 'none'"), "{address}");
        assert_eq!((seen.header("x-frame-options"), seen.header("cache-control")), ("DENY", "no-store"), "{address}");
        assert!(seen.header("x-request-id").starts_with("req_"), "{address}");
    }
    let nothing = browser.get("/console/nothing/here").await;
    assert_eq!((nothing.status, nothing.header("content-type")), (404, "text/html; charset=utf-8"));
}
