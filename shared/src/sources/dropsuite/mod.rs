//! Dropsuite, which is NinjaOne's SaaS Backup: seats by organization and plan. What is known of its API, and what is not
//! confirmed, is in the README beside this.

mod counts;
mod wire;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use reqwest::header::HeaderName;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::{Api, Limit, Pace, Pulled, Seen, Source, SourceError, Step, Walk, Wanted};
use crate::clock::Clock;
use crate::http::{AllowList, Call, CheckedHost, Client, HttpError, Settings};
use crate::pause::Pause;
use crate::psa::Kind;
use counts::Organizations;
use wire::Users;

/// What it is called, for people.
const VENDOR: &str = "Dropsuite";
/// The names below which its hosts lie: those that public clients call. An operator adds those of other regions.
const DOMAINS: [&str; 2] = ["dropsuite.us", "dropsuite.uk"];
/// Ours, as other clients keep it: Dropsuite publishes none.
const LIMIT: Limit = Limit { requests: 5, within: SignedDuration::from_secs(1) };
/// The rows of a page that are asked for.
const PAGE: &str = "100";

/// Of the reseller.
const RESELLER_TOKEN: HeaderName = HeaderName::from_static("x-reseller-token");
/// Of the reseller too, though organizations have tokens that go into the same header.
const ACCESS_TOKEN: HeaderName = HeaderName::from_static("x-access-token");

/// What the partner portal shows as "API Information".
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropsuiteCredentials {
    /// The API's host: `dropsuite.us`.
    pub host: String,
    /// The "Reseller Token".
    pub reseller_token: SecretString,
    /// The "Authentication Token". The "Secret Token" beside it is of no use here.
    pub access_token: SecretString,
}

impl fmt::Debug for DropsuiteCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DropsuiteCredentials")
    }
}

/// Opens sources. Cheap to clone.
#[derive(Clone)]
pub struct Dropsuite {
    http: Client,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
}

impl Dropsuite {
    /// Calls Dropsuite's hosts and those below `allowed_hosts`, domains separated by commas; or a simulator at `base`.
    ///
    /// # Errors
    /// No client can be made on this machine, or a domain in `allowed_hosts` is none.
    pub fn new(
        base: Option<&Url>,
        allowed_hosts: &str,
        clock: Arc<dyn Clock>,
        pause: Arc<dyn Pause>,
    ) -> Result<Self, SourceError> {
        let http = client(base, allowed_hosts).map_err(|error| SourceError::of_http(&error))?;
        Ok(Self { http, clock, pause })
    }

    /// The source of one reseller.
    ///
    /// # Errors
    /// The host is malformed or none that is allowed.
    pub fn open(&self, credentials: &DropsuiteCredentials) -> Result<DropsuiteSource, SourceError> {
        let DropsuiteCredentials { host, reseller_token, access_token } = credentials.clone();
        let host = self.host(&host).map_err(|error| SourceError::of_http(&error))?;
        let pace = Pace::new(LIMIT, self.clock.clone(), self.pause.clone());
        let api = Api::new(VENDOR, self.http.clone(), host, pace);
        Ok(DropsuiteSource { api, reseller_token, access_token })
    }

    /// The portal shows the host with the API's path, so that it is typed with it.
    fn host(&self, typed: &str) -> Result<CheckedHost, HttpError> {
        let typed = typed.trim().trim_end_matches('/');
        self.http.check(typed.strip_suffix("/api").unwrap_or(typed))
    }
}

fn client(base: Option<&Url>, allowed_hosts: &str) -> Result<Client, HttpError> {
    let allowed = AllowList::new(DOMAINS)?.and(allowed_hosts)?;
    // What is read of an answer, a megabyte, holds 100 rows several times.
    match base {
        Some(base) => Client::at(base, allowed, Settings::default()),
        None => Client::new(allowed, Settings::default()),
    }
}

/// One reseller's organizations.
pub struct DropsuiteSource {
    api: Api,
    reseller_token: SecretString,
    access_token: SecretString,
}

#[async_trait]
impl Source for DropsuiteSource {
    /// By the list that counts come from: `/api/status` is content with the reseller's token alone.
    async fn test(&self) -> Result<Seen, SourceError> {
        self.page("1", "1").await?;
        Ok(Seen { customers: None })
    }

    async fn pull(&self, wanted: &Wanted) -> Pulled {
        let mut pulled = Pulled::default();
        match self.organizations(&mut pulled.pages).await {
            Ok(organizations) => organizations.tell(&wanted.metrics, &mut pulled),
            Err(error) => pulled.stopped = Some(error),
        }
        pulled
    }
}

impl DropsuiteSource {
    fn signed(&self, call: Call) -> Call {
        call.credential(RESELLER_TOKEN, &self.reseller_token).credential(ACCESS_TOKEN, &self.access_token)
    }

    async fn page(&self, page: &str, rows: &str) -> Result<Users, SourceError> {
        self.api.get("/api/users", |call| self.signed(call).query("page", page).query("per_page", rows)).await
    }

    /// Every organization, read twice. A row is skipped when one on a page before is deleted meanwhile, and there is no total
    /// that would show it; the second time the deleted one is missing and the skipped one is there.
    async fn organizations(&self, pages: &mut u32) -> Result<Organizations, SourceError> {
        let first = self.listed(pages).await?;
        let again = self.listed(pages).await?;
        if again.has_rows_of(&first) { Ok(again) } else { Err(moved()) }
    }

    /// The list as it is handed out: to the page that has no rows. A short one is not the last, for Dropsuite may hand out
    /// fewer rows than it is asked for.
    async fn listed(&self, pages: &mut u32) -> Result<Organizations, SourceError> {
        let mut walk = Walk::of("Dropsuite's list of organizations");
        let (mut organizations, mut number) = (Organizations::default(), 1_u32);
        loop {
            let rows = self.page(&number.to_string(), PAGE).await?.rows();
            *pages += 1;
            for row in &rows {
                organizations.take(row)?;
            }
            let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
            number += 1;
            let next = (!ids.is_empty()).then(|| number.to_string());
            if walk.page(ids.iter().map(String::as_str), None, next)? == Step::End {
                return Ok(organizations);
            }
        }
    }
}

fn moved() -> SourceError {
    SourceError::new(
        Kind::Protocol,
        "source_list_moved",
        "Dropsuite's list of organizations was changed while it was read.",
        "Nothing is lowered by it: it is read again at its next time.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::pause::RealPause;

    fn credentials(host: &str) -> DropsuiteCredentials {
        DropsuiteCredentials { host: host.to_owned(), reseller_token: "canary".into(), access_token: "kiwi".into() }
    }

    fn opened(allowed_hosts: &str, host: &str) -> Result<(), String> {
        let vendor = Dropsuite::new(None, allowed_hosts, Arc::new(SystemClock), Arc::new(RealPause)).unwrap();
        vendor.open(&credentials(host)).map(|_| ()).map_err(|error| error.code)
    }

    #[test]
    fn only_hosts_of_the_vendor_and_of_the_operators_choice_hear_the_tokens() {
        for host in ["dropsuite.us", "https://dropsuite.us/api/", " dropsuite.uk/api ", "emea.dropsuite.uk"] {
            assert_eq!(opened("", host), Ok(()), "{host}");
        }
        for host in ["dropsuite.us.evil.example", "evildropsuite.us", "backup.vendor.com", "127.0.0.1"] {
            assert_eq!(opened("", host), Err("source_host_not_allowed".to_owned()), "{host}");
        }
        assert_eq!(opened("vendor.com, dropsuite.ca", "backup.vendor.com"), Ok(()));
        assert_eq!(opened("", "dropsuite.us/api/users"), Err("source_host_malformed".to_owned()));
    }

    #[test]
    fn credentials_show_nothing_of_themselves() {
        assert_eq!(format!("{:?}", credentials("dropsuite.us")), "DropsuiteCredentials");
    }
}
