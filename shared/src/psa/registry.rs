//! The one list of PSAs: how each is found and opened. A new one is a line in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::notebook::Notebook;
use super::{Connector, Credentials, Endpoint, Psa, PsaError, autotask, kaseya_bms};
use crate::clock::Clock;

/// Where PSAs are called, and what is the same for all of them.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Addresses in place of the vendors' own: simulators on one machine.
    pub bases: BTreeMap<Psa, Url>,
    /// Domains, separated by commas, below which hosts that users name may lie besides the vendors' own.
    pub allowed_hosts: String,
    /// Other limits than each connector's own for how long a call may take.
    pub timeouts: Option<Timeouts>,
}

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// Until the whole answer is read.
    pub request: Duration,
}

macro_rules! psas {
    ($($name:ident $field:ident $factory:path)*) => {
        /// Opens connectors. Holds what they share: the HTTP clients and log-ins. Cheap to clone.
        #[derive(Clone)]
        pub struct Registry {
            $($field: $factory),*
        }

        impl Registry {
            /// Connectors that call PSAs where `places` says.
            ///
            /// # Errors
            /// An HTTP client can't be made on this machine, or a domain in `places` is none.
            pub fn new(places: &Places, clock: &Arc<dyn Clock>) -> Result<Self, PsaError> {
                Ok(Self { $($field: <$factory>::from_places(places, places.bases.get(&Psa::$name), clock)?),* })
            }

            /// Finds where the tenant behind `credentials` lives.
            ///
            /// # Errors
            /// The PSA does not know the user, or does not answer.
            pub async fn discover(&self, credentials: &Credentials) -> Result<Endpoint, PsaError> {
                match credentials {
                    $(Credentials::$name(user) => self.$field.discover(user).await),*
                }
            }

            /// A connector for one run, which keeps what it must remember of the tenant in `notebook`.
            #[must_use]
            pub fn open(
                &self,
                endpoint: &Endpoint,
                credentials: Credentials,
                notebook: Arc<dyn Notebook>,
            ) -> Arc<dyn Connector> {
                match credentials {
                    $(Credentials::$name(user) => Arc::new(self.$field.open(endpoint, user, notebook))),*
                }
            }
        }
    };
}

psas! {
    Autotask autotask autotask::Autotask
    KaseyaBms kaseya_bms kaseya_bms::KaseyaBms
}
