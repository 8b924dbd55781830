//! What an app is opened with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::SignedDuration;
use shared::clock::{Clock, SystemClock};
use shared::http::Outward;
use shared::psa::Psa;
use shared::psa::registry::Places;
use shared::sources::Vendor;
use shared::sync::Settings;
use url::Url;
use web_console::SignIn;

/// Where state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In this folder, which is made where there is none.
    Folder(PathBuf),
    /// In memory, with the keys in a temporary folder: all is gone when the app is dropped.
    Memory,
}

/// What an app is opened with.
#[derive(Clone)]
pub struct AppOptions {
    /// Where state is kept.
    pub place: Place,
    /// Where PSAs are called.
    pub places: Places,
    /// Addresses of usage sources in place of the vendors' own.
    pub source_bases: BTreeMap<Vendor, Url>,
    /// The engine's delays and sizes.
    pub settings: Settings,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// A receiver below which webhooks may lie besides public hosts, and how long it may take.
    pub receiver: Option<(Url, shared::http::Settings)>,
    /// How people sign in to the console; by links where nothing is said.
    pub sign_in: Option<SignIn>,
}

impl AppOptions {
    /// The real PSAs and vendors, the machine's clock, the usual delays.
    #[must_use]
    pub fn at(place: Place) -> Self {
        let (places, source_bases, settings) = (Places::default(), BTreeMap::new(), Settings::default());
        Self { place, places, source_bases, settings, clock: Arc::new(SystemClock), receiver: None, sign_in: None }
    }

    /// Calls a simulated PSA at `base` instead of the real one.
    #[must_use]
    pub fn psa(mut self, psa: Psa, base: Url) -> Self {
        self.places.bases.insert(psa, base);
        self
    }

    /// Calls a simulated vendor at `base` instead of the real one.
    #[must_use]
    pub fn source(mut self, vendor: Vendor, base: Url) -> Self {
        self.source_bases.insert(vendor, base);
        self
    }

    /// Lets users name hosts below these domains, separated by commas, besides the vendors' own.
    #[must_use]
    pub fn allowed_hosts(mut self, domains: String) -> Self {
        self.places.allowed_hosts = domains;
        self
    }

    /// Lets webhooks lie below `base`, too: a receiver on this machine.
    #[must_use]
    pub fn webhooks_at(self, base: Url) -> Self {
        Self { receiver: Some((base, Outward::settings())), ..self }
    }

    /// Has people sign in to the console in another way than by links.
    #[must_use]
    pub fn sign_in(self, sign_in: SignIn) -> Self {
        Self { sign_in: Some(sign_in), ..self }
    }

    /// Tells the time by `clock`.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Waits `settle` before an unanswered write may be called not applied.
    #[must_use]
    pub fn settle(mut self, settle: SignedDuration) -> Self {
        self.settings.settle = settle;
        self
    }
}
