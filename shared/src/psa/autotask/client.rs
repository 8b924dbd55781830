//! HTTP to Autotask: headers, limits, time-outs, and nothing repeated.
//!
//! The three credentials travel as headers that are marked sensitive, so that no log shows them. Redirects are not
//! followed: they would carry the secret elsewhere. Autotask allows three requests at once for each tracking identifier
//! and entity; we use two, and one for writes. What an answer means is left to `errors` and to the calls.

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, redirect, retry};
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;
use url::Url;

use super::Settings;
use super::errors::{self, Mask, Said, Transport};
use super::wire;
use crate::psa::credentials::AutotaskCredentials;
use crate::psa::{Kind, PsaError};

/// The most of an answer that is read, in bytes. 500 rows of the widest entity stay far below it.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// How long an idle connection is kept. Well below what servers keep, so that we rarely meet one that has just closed.
const IDLE: std::time::Duration = std::time::Duration::from_secs(15);

/// The two HTTP clients that all connectors of a process share.
#[derive(Clone)]
pub(super) struct Http {
    reads: reqwest::Client,
    /// Never uses a connection twice. On a kept connection that the server is closing, nobody can tell whether a write
    /// was taken; on a fresh one a failure to connect is surely "not sent".
    writes: reqwest::Client,
    settings: Settings,
}

impl Http {
    /// `proxied`: whether the proxies that the environment names are used. Calls to this machine must not leave it.
    pub(super) fn new(settings: Settings, proxied: bool) -> Result<Self, PsaError> {
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("Tallyline/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(settings.connect_timeout)
                .timeout(settings.request_timeout)
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                .referer(false)
                .http1_only()
                .pool_idle_timeout(IDLE);
            if proxied { builder } else { builder.no_proxy() }
        };
        let failed = |_| {
            PsaError::new(
                Kind::Unavailable,
                "http_client_failed",
                "This machine can't make secure connections.",
                "Install the system's root certificates.",
            )
        };
        Ok(Self {
            reads: builder().build().map_err(failed)?,
            writes: builder().pool_max_idle_per_host(0).build().map_err(failed)?,
            settings,
        })
    }

    /// A read that carries no credentials: zone discovery.
    pub(super) async fn get_without_credentials(&self, address: Url) -> Result<Answer, Transport> {
        self.exchange(self.reads.get(address)).await
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Answer, Transport> {
        let mut response = request.send().await.map_err(|error| self.failure(&error))?;
        let status = response.status().as_u16();
        let retry_after_s =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(&error))? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(Transport::Lost(errors::unreadable("it", "is longer than 16 MiB")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, retry_after_s, body })
    }

    /// Takes the failure's kind and none of its words: they may hold the address, and with it the user's name.
    fn failure(&self, error: &reqwest::Error) -> Transport {
        let explained = |code, explanation: String| {
            let fix = "Nothing: the next run tries again. If it stays, look at Autotask's status page.";
            PsaError::new(Kind::Unavailable, code, explanation, fix)
        };
        if error.is_connect() || error.is_builder() {
            Transport::NotSent(explained("psa_unreachable", "No connection to Autotask could be made.".to_owned()))
        } else if error.is_timeout() {
            let seconds = self.settings.request_timeout.as_secs();
            Transport::Lost(explained("psa_timed_out", format!("Autotask did not answer within {seconds} seconds.")))
        } else {
            let explanation = "The connection to Autotask broke off before the whole answer was read.";
            Transport::Lost(explained("psa_connection_lost", explanation.to_owned()))
        }
    }
}

/// Reads of one entity that are under way at once. A write takes the turns of all of them.
const AT_ONCE: u32 = 2;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// Seconds that the server asks to wait, where it says so in seconds.
    pub(super) retry_after_s: Option<u64>,
    /// The whole body.
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A status of 2xx. Whether the body holds errors nevertheless is another question.
    pub(super) fn succeeded(&self) -> bool {
        (200..=299).contains(&self.status)
    }
}

/// What requests are about. Autotask counts the requests under way for each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entity {
    BillingCodes,
    Companies,
    ContractCharges,
    Contracts,
    ContractServices,
    ContractServiceUnits,
    ContractServiceAdjustments,
    Currencies,
    Resources,
    Roles,
    Services,
    ThresholdInformation,
    TicketNotes,
    Tickets,
}

impl Entity {
    const ALL: [Self; 14] = [
        Self::BillingCodes,
        Self::Companies,
        Self::ContractCharges,
        Self::Contracts,
        Self::ContractServices,
        Self::ContractServiceUnits,
        Self::ContractServiceAdjustments,
        Self::Currencies,
        Self::Resources,
        Self::Roles,
        Self::Services,
        Self::ThresholdInformation,
        Self::TicketNotes,
        Self::Tickets,
    ];

    /// Its name in addresses, and to people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::BillingCodes => "BillingCodes",
            Self::Companies => "Companies",
            Self::ContractCharges => "ContractCharges",
            Self::Contracts => "Contracts",
            Self::ContractServices => "ContractServices",
            Self::ContractServiceUnits => "ContractServiceUnits",
            Self::ContractServiceAdjustments => "ContractServiceAdjustments",
            Self::Currencies => "Currencies",
            Self::Resources => "Resources",
            Self::Roles => "Roles",
            Self::Services => "Services",
            Self::ThresholdInformation => "ThresholdInformation",
            Self::TicketNotes => "TicketNotes",
            Self::Tickets => "Tickets",
        }
    }
}

/// One request: what it is about, and where it goes below the version's address.
struct Sent<'a> {
    method: Method,
    entity: Entity,
    path: &'a str,
    body: Option<&'a Value>,
}

/// Where requests go, and as whom.
struct Access {
    base: String,
    headers: HeaderMap,
}

/// One user's way to one tenant.
pub(super) struct Client {
    http: Http,
    access: Result<Access, PsaError>,
    mask: Mask,
    lanes: [Semaphore; Entity::ALL.len()],
    requests: AtomicU32,
}

impl Client {
    /// A client for `base`. Where that may not be called, or the credentials can't be sent, each call says so.
    pub(super) fn new(http: Http, base: Result<String, PsaError>, user: &AutotaskCredentials) -> Self {
        Self {
            http,
            access: base.and_then(|base| Ok(Access { base, headers: headers(user)? })),
            mask: Mask::new(user),
            lanes: Entity::ALL.map(|_| Semaphore::new(AT_ONCE as usize)),
            requests: AtomicU32::new(0),
        }
    }

    /// Requests sent so far, those without an answer included.
    pub(super) fn requests_made(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }

    /// What is taken out of texts before they are shown.
    pub(super) fn mask(&self) -> &Mask {
        &self.mask
    }

    /// Reads with GET.
    pub(super) async fn get<T: DeserializeOwned>(&self, entity: Entity, path: &str) -> Result<T, PsaError> {
        let path = format!("{}{path}", entity.name());
        self.read(entity, self.exchange(Sent { method: Method::GET, entity, path: &path, body: None }).await)
    }

    /// Reads with a query. It is always POSTed: an address of more than about 2,000 characters is refused.
    pub(super) async fn query<T: DeserializeOwned>(&self, entity: Entity, query: &Value) -> Result<T, PsaError> {
        let path = format!("{}/query", entity.name());
        let sent = Sent { method: Method::POST, entity, path: &path, body: Some(query) };
        self.read(entity, self.exchange(sent).await)
    }

    /// Adds a row at `path`, once.
    pub(super) async fn create(&self, entity: Entity, path: &str, body: &Value) -> Result<Answer, Transport> {
        self.write(Sent { method: Method::POST, entity, path, body: Some(body) }).await
    }

    /// Changes a row at `path`, once. Its id stands in the body: Autotask takes no changes at a row's own address.
    pub(super) async fn change(&self, entity: Entity, path: &str, body: &Value) -> Result<Answer, Transport> {
        self.write(Sent { method: Method::PATCH, entity, path, body: Some(body) }).await
    }

    /// Removes the row at `path`, once.
    pub(super) async fn delete(&self, entity: Entity, path: &str) -> Result<Answer, Transport> {
        self.write(Sent { method: Method::DELETE, entity, path, body: None }).await
    }

    async fn exchange(&self, sent: Sent<'_>) -> Result<Answer, Transport> {
        self.send(&self.http.reads, 1, sent).await
    }

    async fn write(&self, sent: Sent<'_>) -> Result<Answer, Transport> {
        self.send(&self.http.writes, AT_ONCE, sent).await
    }

    async fn send(&self, http: &reqwest::Client, turns: u32, sent: Sent<'_>) -> Result<Answer, Transport> {
        let Sent { method, entity, path, body } = sent;
        let access = self.access.as_ref().map_err(|error| Transport::NotSent(error.clone()))?;
        let mut request = http.request(method, format!("{}/v1.0/{path}", access.base)).headers(access.headers.clone());
        if let Some(body) = body {
            request = request.json(body);
        }
        // An error would mean a closed semaphore, and these are never closed.
        let _turn = self.lanes[entity as usize].acquire_many(turns).await;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let answer = self.http.exchange(request).await;
        match &answer {
            Ok(answer) => tracing::debug!(entity = entity.name(), path, status = answer.status, "autotask answered"),
            Err(failure) => tracing::debug!(entity = entity.name(), path, ?failure, "autotask did not answer"),
        }
        answer
    }

    fn read<T: DeserializeOwned>(&self, entity: Entity, answer: Result<Answer, Transport>) -> Result<T, PsaError> {
        let answer = answer.map_err(Transport::into_error)?;
        if !answer.succeeded() || !Said::of(&answer.body).errors.is_empty() {
            return Err(errors::of_answer(&answer, &self.mask));
        }
        wire::parse(&answer.body).ok_or_else(|| errors::unreadable(entity.name(), "is not the JSON that is documented"))
    }
}

fn headers(user: &AutotaskCredentials) -> Result<HeaderMap, PsaError> {
    let sensitive = |text: &str| {
        let mut value = HeaderValue::from_str(text).map_err(|_| {
            PsaError::new(
                Kind::Auth,
                "psa_credentials_malformed",
                "The user name, the secret or the tracking identifier holds a character that Autotask does not use.",
                "Copy each of them again, without line breaks, and send the credentials again.",
            )
        })?;
        value.set_sensitive(true);
        Ok::<_, PsaError>(value)
    };
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("username", sensitive(&user.username)?);
    headers.insert("secret", sensitive(user.secret.expose_secret())?);
    headers.insert("apiintegrationcode", sensitive(user.integration_code.expose_secret())?);
    Ok(headers)
}
