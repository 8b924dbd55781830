//! Reading a reseller: the list of log-ins, twice.

use std::collections::BTreeSet;

use async_trait::async_trait;
use reqwest::header::HeaderName;
use secrecy::SecretString;

use super::counts::Organizations;
use super::wire::Users;
use crate::http::Call;
use crate::sources::{Api, Metric, Pulled, Seen, Source, SourceError, Step, Twice, Walk, Wanted};

/// The rows of a page that are asked for.
const PAGE: &str = "100";

/// Of the reseller.
const RESELLER_TOKEN: HeaderName = HeaderName::from_static("x-reseller-token");
/// Of the reseller too, though organizations have tokens that go into the same header.
const ACCESS_TOKEN: HeaderName = HeaderName::from_static("x-access-token");

/// One reseller's organizations.
pub struct DropsuiteSource {
    pub(super) api: Api,
    pub(super) reseller_token: SecretString,
    pub(super) access_token: SecretString,
}

#[async_trait]
impl Source for DropsuiteSource {
    /// By the list that counts come from: `/api/status` is content with the reseller's token alone.
    async fn test(&self) -> Result<Seen, SourceError> {
        self.page("1", "1").await?;
        Ok(Seen { customers: None })
    }

    fn asks_each(&self, _: &BTreeSet<Metric>) -> bool {
        false
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

    /// Every organization: there is no total that would show that a row was skipped.
    async fn organizations(&self, pages: &mut u32) -> Result<Organizations, SourceError> {
        let mut list = Twice::of("Dropsuite's list of organizations");
        loop {
            let mut walk = list.walk();
            let organizations = self.listed(&mut walk, pages).await?;
            if list.agree(walk)? {
                return Ok(organizations);
            }
        }
    }

    /// The list as it is handed out: to the page that has no rows. A short one is not the last, for Dropsuite may hand out
    /// fewer rows than it is asked for.
    async fn listed(&self, walk: &mut Walk, pages: &mut u32) -> Result<Organizations, SourceError> {
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
