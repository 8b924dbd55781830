//! The issuer: where it says that things are, its keys, and the exchange of a code for tokens.
//!
//! Its document and its keys are kept for a short time. A token under an unknown key has the keys read anew, because issuers
//! change them, but not more often than once a minute: whoever sends tokens with made-up keys has us ask no more than that.
//! The addresses in the document are called wherever they lie in the public internet: an issuer may keep its parts on other hosts
//! (Cognito and Google do), and says so in a document that came over TLS from its own.

use std::sync::Arc;

use axum::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::api::auth::Caller;
use shared::http::{Call, CheckedUrl};
use tokio::sync::Mutex;
use url::Url;
use url::form_urlencoded::byte_serialize;

use super::attempt::Attempt;
use super::refusal::Refusal;
use super::{CALLBACK, OidcSettings, tokens};
use crate::door::next;

/// How long the document and the keys are kept.
const KEPT: SignedDuration = SignedDuration::from_mins(10);
/// How often the keys are read because of a key that is unknown.
const AT_MOST_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What we ask of it.
pub(super) struct Issuer {
    settings: OidcSettings,
    document: Mutex<Option<Kept<Document>>>,
    keys: Mutex<Option<Kept<Vec<Jwk>>>>,
}

/// Something that was read.
struct Kept<T> {
    what: Arc<T>,
    at: Timestamp,
}

impl<T> Kept<T> {
    fn within(kept: Option<&Self>, age: SignedDuration, now: Timestamp) -> Option<Arc<T>> {
        kept.filter(|kept| now.duration_since(kept.at).abs() < age).map(|kept| kept.what.clone())
    }
}

/// Where things are (OpenID Connect Discovery, section 3), as far as we look.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

/// What a code is exchanged for.
#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    id_token: SecretString,
}

/// The keys are looked at one by one: one of a kind that nobody here knows is no reason to take none.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl Issuer {
    pub(super) fn new(settings: OidcSettings) -> Self {
        Self { settings, document: Mutex::default(), keys: Mutex::default() }
    }

    /// As its tokens name it.
    pub(super) fn name(&self) -> &str {
        &self.settings.issuer
    }

    /// Whom its tokens are for, and to whom it gives them.
    pub(super) fn settings(&self) -> &OidcSettings {
        &self.settings
    }

    /// Where a browser goes to sign in.
    pub(super) async fn sign_in_address(&self, attempt: &Attempt, now: Timestamp) -> Result<String, Refusal> {
        let document = self.document(now).await?;
        let mut address = self.page(&document.authorization_endpoint)?;
        let OidcSettings { client_id, scopes, audience, .. } = &self.settings;
        address.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", &self.settings.address_of(CALLBACK)),
            ("scope", format!("openid {scopes}").trim_end()),
            ("state", attempt.state()),
            ("nonce", attempt.nonce()),
            ("code_challenge", &attempt.challenge()),
            ("code_challenge_method", "S256"),
            // Auth0's name for the API that the access token is for; others pass over what they don't know.
            ("audience", audience),
        ]);
        Ok(address.into())
    }

    /// Where a browser goes to sign out, where there is such a place and it is known at the moment.
    pub(super) async fn sign_out_address(&self, now: Timestamp) -> Option<String> {
        let document = self.document(now).await.ok()?;
        let mut address = self.page(document.end_session_endpoint.as_deref()?).ok()?;
        let back = self.settings.address_of(next::DOOR);
        address.query_pairs_mut().extend_pairs([
            ("client_id", self.settings.client_id.as_str()),
            ("post_logout_redirect_uri", &back),
            // Cognito's name for the same.
            ("logout_uri", &back),
        ]);
        Some(address.into())
    }

    /// Who it is that came back with `code`.
    pub(super) async fn caller(&self, code: &str, attempt: &Attempt, now: Timestamp) -> Result<Caller, Refusal> {
        let granted = self.exchanged(code, attempt, now).await?;
        tokens::identify(self, granted.id_token.expose_secret(), attempt.nonce(), now).await?;
        tokens::caller(self, granted.access_token.expose_secret(), now).await
    }

    /// The key that a token names; the only one there is, where it names none.
    pub(super) async fn key(&self, named: Option<&str>, now: Timestamp) -> Result<Jwk, Refusal> {
        let mut kept = self.keys.lock().await;
        for age in [KEPT, AT_MOST_EVERY] {
            let keys = match Kept::within(kept.as_ref(), age, now) {
                Some(keys) => keys,
                None => kept.insert(Kept { what: Arc::new(self.read_keys(now).await?), at: now }).what.clone(),
            };
            match (named, keys.as_slice()) {
                (Some(named), keys) => {
                    let found = keys.iter().find(|key| key.common.key_id.as_deref() == Some(named));
                    if let Some(found) = found {
                        return Ok(found.clone());
                    }
                }
                (None, [only]) => return Ok(only.clone()),
                (None, _) => break,
            }
        }
        Err(Refusal::Untrusted("signed with a key that the issuer does not have"))
    }

    async fn read_keys(&self, now: Timestamp) -> Result<Vec<Jwk>, Refusal> {
        let document = self.document(now).await?;
        let found: KeySet = self.read("the keys", self.settings.http.get(&self.checked(&document.jwks_uri)?)).await?;
        let keys = found.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Ok(keys.filter(|key| key.common.public_key_use != Some(PublicKeyUse::Encryption)).collect())
    }

    async fn document(&self, now: Timestamp) -> Result<Arc<Document>, Refusal> {
        let mut kept = self.document.lock().await;
        if let Some(document) = Kept::within(kept.as_ref(), KEPT, now) {
            return Ok(document);
        }
        let address = format!("{}/.well-known/openid-configuration", self.name().trim_end_matches('/'));
        let found: Document = self.read("its document", self.settings.http.get(&self.checked(&address)?)).await?;
        if found.issuer != self.name() {
            return Err(failed("its document", "it names another issuer"));
        }
        Ok(kept.insert(Kept { what: Arc::new(found), at: now }).what.clone())
    }

    /// Exchanges a code, once: the issuer takes it no second time.
    async fn exchanged(&self, code: &str, attempt: &Attempt, now: Timestamp) -> Result<Granted, Refusal> {
        let document = self.document(now).await?;
        let mut call = self.settings.http.post(&self.checked(&document.token_endpoint)?);
        let callback = self.settings.address_of(CALLBACK);
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &callback),
            ("code_verifier", attempt.verifier()),
        ];
        let secret = match &self.settings.client_secret {
            Some(secret) => Some(secret.read().await.map_err(|error| failed("the client's secret", error))?),
            None => None,
        };
        match &secret {
            Some(secret) if document.takes_basic() => {
                call = call.credential(header::AUTHORIZATION, &basic(&self.settings.client_id, secret));
            }
            secret => {
                fields.push(("client_id", &self.settings.client_id));
                fields.extend(secret.as_ref().map(|secret| ("client_secret", secret.expose_secret())));
            }
        }
        self.read("tokens", call.form(&fields)).await
    }

    async fn read<T: DeserializeOwned>(&self, what: &'static str, call: Call) -> Result<T, Refusal> {
        let answer = call.send().await.map_err(|error| failed(what, error))?;
        if !answer.succeeded() {
            return Err(failed(what, format_args!("status {}{}", answer.status, told(&answer.body))));
        }
        answer.parse().ok_or_else(|| failed(what, "it is not of the shape that it should be"))
    }

    /// An address that we call.
    fn checked(&self, address: &str) -> Result<CheckedUrl, Refusal> {
        self.settings.http.check(address).map_err(|fault| failed("an address", fault.detail()))
    }

    /// An address that browsers are sent to: no less public than one that we call.
    fn page(&self, address: &str) -> Result<Url, Refusal> {
        self.checked(address)?.as_str().parse().map_err(|error| failed("an address", error))
    }
}

impl Document {
    /// Whether the client's secret goes into a header, which is what holds where nothing is said.
    fn takes_basic(&self) -> bool {
        let methods = &self.token_endpoint_auth_methods_supported;
        methods.is_empty() || methods.iter().any(|method| method == "client_secret_basic")
    }
}

/// RFC 6749, section 2.3.1: both are encoded as in a form first.
fn basic(id: &str, secret: &SecretString) -> SecretString {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(id), encoded(secret.expose_secret()));
    format!("Basic {}", STANDARD.encode(pair)).into()
}

/// The issuer's code for a refusal (RFC 6749, section 5.2), where it is one of those that the RFC knows.
fn told(body: &[u8]) -> &'static str {
    #[derive(Deserialize)]
    struct Said {
        error: String,
    }
    const KNOWN: [&str; 5] =
        [", invalid_client", ", invalid_grant", ", invalid_request", ", unauthorized_client", ", invalid_scope"];
    let said = serde_json::from_slice::<Said>(body).ok();
    let is_it = |known: &&str| said.as_ref().is_some_and(|said| known.ends_with(&format!(" {}", said.error)));
    KNOWN.into_iter().find(is_it).unwrap_or_default()
}

fn failed(what: &str, cause: impl std::fmt::Display) -> Refusal {
    tracing::error!(what, %cause, "the issuer could not be used");
    Refusal::Unavailable
}
