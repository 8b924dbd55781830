//! The one list of sources: what each is called, what it takes, and how it is opened. A new one is a line in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{Filter, Metric, Source, SourceError, datto_rmm, dropsuite, huntress, jumpcloud, microsoft, pax8};
use crate::api::{Fault, parse_fields};
use crate::clock::Clock;
use crate::pause::Pause;
use crate::psa::credentials::{Exposed, InvalidSecret};

/// Where sources are called, and what is the same for all of them.
#[derive(Clone)]
pub struct Places {
    /// Addresses in place of the vendors' own: simulators on one machine.
    pub bases: BTreeMap<Vendor, Url>,
    /// Domains, separated by commas, below which hosts that users name may lie besides the vendors' own.
    pub allowed_hosts: String,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Waits for a request's turn.
    pub pause: Arc<dyn Pause>,
}

/// What a vendor's folder has to have. Cheap to clone.
pub trait Offered: Sized {
    /// What a partner gives to let us read.
    type Credentials: DeserializeOwned + Exposed;
    /// What it counts; `licenses:{offer}` where a part of the name is the partner's to fill in.
    const METRICS: &'static [&'static str];
    /// The choices that it knows.
    const FILTERS: &'static [Filter];
    /// Pairs of metrics that count some of the same, so that their sum is nobody's count; by the beginnings of their names.
    const OVERLAPS: &'static [(&'static str, &'static str)];

    /// Calls the vendor, or a simulator at `base`.
    ///
    /// # Errors
    /// As [`Registry::new`].
    fn from_places(places: &Places, base: Option<&Url>) -> Result<Self, SourceError>;

    /// The source behind these credentials. Sends nothing.
    ///
    /// # Errors
    /// As [`Registry::open`].
    fn opened(&self, credentials: &Self::Credentials) -> Result<Arc<dyn Source>, SourceError>;
}

macro_rules! sources {
    ($($(#[$doc:meta])* $name:ident $text:literal $module:ident::$factory:ident)*) => {
        /// Whose API a source reads.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema
        )]
        #[serde(rename_all = "snake_case")]
        #[schema(as = SourceVendor)]
        pub enum Vendor {
            $($(#[$doc])* $name),*
        }

        impl Vendor {
            /// Every vendor whose API Tallyline knows.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What it counts; `licenses:{offer}` where a part of the name is the partner's to fill in.
            #[must_use]
            pub fn metrics(self) -> &'static [&'static str] {
                match self { $(Self::$name => <$module::$factory as Offered>::METRICS),* }
            }

            fn overlaps(self) -> &'static [(&'static str, &'static str)] {
                match self { $(Self::$name => <$module::$factory as Offered>::OVERLAPS),* }
            }

            /// The choices that it knows.
            #[must_use]
            pub fn filters(self) -> &'static [Filter] {
                match self { $(Self::$name => <$module::$factory as Offered>::FILTERS),* }
            }
        }

        /// What a partner gives to let us read its usage. It shows nothing of itself and is no part of any answer.
        #[derive(Deserialize)]
        #[serde(tag = "source", rename_all = "snake_case")]
        pub enum SourceCredentials {
            $($(#[$doc])* $name(<$module::$factory as Offered>::Credentials)),*
        }

        impl SourceCredentials {
            /// Whose they are.
            #[must_use]
            pub fn vendor(&self) -> Vendor {
                match self { $(Self::$name(_) => Vendor::$name),* }
            }

            /// Reads what a partner sent as the credentials of `vendor`. `pointer` is where it stood.
            ///
            /// # Errors
            /// Every fault found. None of them repeats what was sent.
            pub fn parse(vendor: Vendor, pointer: &str, value: Value) -> Result<Self, Vec<Fault>> {
                match vendor { $(Vendor::$name => parse_fields(pointer, value).map(Self::$name)),* }
            }

            /// The fields that the credentials of `vendor` can't be without: those that are missed where there are none.
            #[must_use]
            pub fn required(vendor: Vendor) -> Vec<String> {
                let missed = Self::parse(vendor, "", serde_json::json!({})).err().unwrap_or_default();
                missed.into_iter().filter_map(|fault| fault.pointer.strip_prefix('/').map(str::to_owned)).collect()
            }

            fn exposed(&self) -> Value {
                match self { $(Self::$name(credentials) => credentials.exposed()),* }
            }
        }

        /// Opens sources. Holds what they share: the HTTP clients. Cheap to clone.
        #[derive(Clone)]
        pub struct Registry {
            $($module: $module::$factory),*
        }

        impl Registry {
            /// Sources that are called where `places` says.
            ///
            /// # Errors
            /// An HTTP client can't be made on this machine, or a domain in `places` is none.
            pub fn new(places: &Places) -> Result<Self, SourceError> {
                Ok(Self { $($module: Offered::from_places(places, places.bases.get(&Vendor::$name))?),* })
            }

            /// The source behind `credentials`. Sends nothing.
            ///
            /// # Errors
            /// They name a host that is malformed or none that is allowed.
            pub fn open(&self, credentials: &SourceCredentials) -> Result<Arc<dyn Source>, SourceError> {
                match credentials { $(SourceCredentials::$name(given) => self.$module.opened(given)),* }
            }
        }
    };
}

sources! {
    /// Huntress: endpoint agents, identities, learners and log sources.
    Huntress "huntress" huntress::Huntress
    /// JumpCloud for providers: users and devices.
    #[serde(rename = "jumpcloud")]
    JumpCloud "jumpcloud" jumpcloud::JumpCloud
    /// Dropsuite, also sold as NinjaOne SaaS Backup: seats.
    Dropsuite "dropsuite" dropsuite::Dropsuite
    /// Microsoft for CSP partners: licences that were bought and that are assigned.
    Microsoft "microsoft" microsoft::Microsoft
    /// Pax8: subscriptions of its marketplace.
    Pax8 "pax8" pax8::Pax8
    /// Datto RMM: devices.
    DattoRmm "datto_rmm" datto_rmm::DattoRmm
}

impl Vendor {
    /// The vendor of this name on the wire.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|vendor| vendor.as_str() == name).copied()
    }

    /// Whether it counts such a thing.
    #[must_use]
    pub fn counts(self, metric: &Metric) -> bool {
        self.metrics().iter().any(|offered| match offered.split_once('{') {
            None => *offered == metric.as_str(),
            Some((prefix, _)) => metric.as_str().strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()),
        })
    }

    /// Whether two metrics count some of the same: they can't be added.
    #[must_use]
    pub fn overlap(self, one: &Metric, other: &Metric) -> bool {
        let (one, other) = (one.as_str().to_ascii_lowercase(), other.as_str().to_ascii_lowercase());
        let begins = |metric: &str, named: &str| match metric.strip_prefix(named) {
            Some(rest) => rest.is_empty() || named.ends_with(':'),
            None => false,
        };
        let are = |(first, second): &(&str, &str)| {
            (begins(&one, first) && begins(&other, second)) || (begins(&one, second) && begins(&other, first))
        };
        one == other || self.overlaps().iter().any(are)
    }

    /// Those of `metrics` that it does not count.
    #[must_use]
    pub fn unknown<'m>(self, metrics: impl IntoIterator<Item = &'m Metric>) -> BTreeSet<&'m Metric> {
        metrics.into_iter().filter(|metric| !self.counts(metric)).collect()
    }
}

impl SourceCredentials {
    /// The text that a secret store keeps.
    #[must_use]
    pub fn to_secret(&self) -> SecretString {
        let mut stored = self.exposed();
        stored["source"] = self.vendor().as_str().into();
        stored.to_string().into()
    }

    /// Reads back what [`SourceCredentials::to_secret`] made.
    ///
    /// # Errors
    /// The text is something else. The error names no part of it.
    pub fn from_secret(secret: &SecretString) -> Result<Self, InvalidSecret> {
        serde_json::from_str(secret.expose_secret()).map_err(|_| InvalidSecret)
    }
}

impl std::fmt::Debug for SourceCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SourceCredentials({})", self.vendor().as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What each vendor takes, made up.
    fn sample(vendor: Vendor) -> Value {
        match vendor {
            Vendor::Huntress => json!({ "key": "k", "secret": "canary" }),
            Vendor::JumpCloud => json!({ "api_key": "canary", "provider_id": "p", "region": "eu" }),
            Vendor::Dropsuite => json!({ "host": "dropsuite.us", "reseller_token": "canary", "access_token": "a" }),
            Vendor::Microsoft => {
                json!({ "tenant_id": "t", "client_id": "c", "client_secret": "canary", "refresh_token": "r" })
            }
            Vendor::Pax8 => json!({ "client_id": "c", "client_secret": "canary" }),
            Vendor::DattoRmm => json!({ "host": "x.centrastage.net", "api_key": "k", "api_secret": "canary" }),
        }
    }

    #[test]
    fn what_is_stored_of_credentials_is_read_back_and_shows_nothing() {
        for vendor in Vendor::ALL.iter().copied() {
            let given = SourceCredentials::parse(vendor, "/credentials", sample(vendor)).unwrap();
            let secret = given.to_secret();
            let read = SourceCredentials::from_secret(&secret).unwrap();
            assert_eq!(read.to_secret().expose_secret(), secret.expose_secret(), "{vendor:?}");
            assert!(secret.expose_secret().contains("canary"));
            assert_eq!(format!("{read:?}"), format!("SourceCredentials({})", vendor.as_str()));
            assert_eq!(serde_json::to_value(vendor).unwrap(), vendor.as_str());
            assert_eq!(Vendor::named(vendor.as_str()), Some(vendor));
        }
    }

    #[test]
    fn metrics_that_count_the_same_are_not_to_be_added() {
        let overlap = |vendor: Vendor, one: &str, other: &str| {
            let both = [vendor.overlap(&one.into(), &other.into()), vendor.overlap(&other.into(), &one.into())];
            assert_eq!(both[0], both[1], "{one} {other}");
            both[0]
        };
        assert!(overlap(Vendor::Huntress, "agents", "billable_agents"));
        assert!(!overlap(Vendor::Huntress, "agents", "sat_learners"));
        assert!(overlap(Vendor::Dropsuite, "seats_used", "seats_used:7"));
        assert!(!overlap(Vendor::Dropsuite, "seats_used:7", "seats_used:8"));
        assert!(overlap(Vendor::Microsoft, "licenses:a/1", "LICENSES:A/1"));
        assert!(overlap(Vendor::Microsoft, "licenses:a/1", "assigned:b"));
        assert!(!overlap(Vendor::Microsoft, "licenses:a/1", "licenses:a/2"));
        assert!(overlap(Vendor::DattoRmm, "workstations", "laptops"));
    }

    #[test]
    fn a_metric_is_one_of_the_vendors_by_its_whole_name_or_its_beginning() {
        let counts = |vendor: Vendor, metric: &str| vendor.counts(&metric.into());
        assert!(counts(Vendor::Huntress, "billable_agents"));
        assert!(!counts(Vendor::Huntress, "billable_agent"));
        assert!(counts(Vendor::Microsoft, "licenses:CFQ7TTC0LFLX/0001"));
        assert!(!counts(Vendor::Microsoft, "licenses:"));
        assert!(!counts(Vendor::JumpCloud, "billable_agents"));
    }
}
