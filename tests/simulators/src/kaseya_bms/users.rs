//! The people and programs that may log in to the simulated tenant.
//!
//! Owns credentials and rights. Passwords and secrets stay in `SecretString` and appear in no log, record or `Debug`.
//! An ordinary Employee must send a one-time code; an API Employee has none and is exempt.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret as _, SecretString};

/// What stands where a person would type the host name: one of the vendor's, because no other is taken. The simulator listens
/// on loopback whatever was typed.
pub const SAMPLE_HOSTNAME: &str = "bms.kaseya.com";
/// The user name of [`BmsUser::employee`].
pub const SAMPLE_USERNAME: &str = "tallyline.employee";
/// The user name of [`BmsUser::api_employee`].
pub const SAMPLE_API_USERNAME: &str = "tallyline.api";
/// The password of both sample users. It opens nothing but a simulator.
pub const SAMPLE_PASSWORD: &str = "simulated-password-1";
/// The TOTP secret of [`BmsUser::employee`], in base32.
pub const SAMPLE_TOTP_SECRET: &str = "JBSWY3DPEHPK3PXP";
/// The tenant's company name, unless the builder gave another.
pub const SAMPLE_COMPANY_NAME: &str = "Nordwind IT";

/// What a user may be without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// "Has API Access", without which no log-in over the API succeeds.
    ApiAccess,
    /// Reading accounts and their locations.
    ViewCrm,
    /// Reading contracts and invoices.
    ViewFinance,
    /// Writing services on contracts and their costs.
    ModifyFinance,
    /// Reading the service catalogue.
    ViewAdmin,
    /// Reading and writing tickets.
    ServiceDesk,
}

/// One user.
#[derive(Clone, Debug)]
pub struct BmsUser {
    username: String,
    password: SecretString,
    kind: UserKind,
    pub(crate) lacks: BTreeSet<Right>,
}

/// What sort of user it is.
#[derive(Clone, Debug)]
enum UserKind {
    ApiEmployee,
    Employee { totp: SecretString },
}

impl BmsUser {
    /// A user of type API Employee: no one-time code.
    #[must_use]
    pub fn api(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self::new(username.into(), password.into(), UserKind::ApiEmployee)
    }

    /// An ordinary Employee with the secret of an authenticator app (base32).
    #[must_use]
    pub fn with_totp(username: impl Into<String>, password: impl Into<String>, totp_secret: impl Into<String>) -> Self {
        Self::new(username.into(), password.into(), UserKind::Employee { totp: totp_secret.into().into() })
    }

    /// An API Employee with the sample credentials.
    #[must_use]
    pub fn api_employee() -> Self {
        Self::api(SAMPLE_API_USERNAME, SAMPLE_PASSWORD)
    }

    /// An ordinary Employee with the sample credentials.
    #[must_use]
    pub fn employee() -> Self {
        Self::with_totp(SAMPLE_USERNAME, SAMPLE_PASSWORD, SAMPLE_TOTP_SECRET)
    }

    /// Takes one right away.
    #[must_use]
    pub fn without(mut self, right: Right) -> Self {
        self.lacks.insert(right);
        self
    }

    /// The user name.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The password.
    #[must_use]
    pub fn password(&self) -> &str {
        self.password.expose_secret()
    }

    /// The secret of the authenticator app, in base32; none for an API Employee.
    #[must_use]
    pub fn totp_secret(&self) -> Option<&str> {
        match &self.kind {
            UserKind::ApiEmployee => None,
            UserKind::Employee { totp } => Some(totp.expose_secret()),
        }
    }

    pub(crate) fn may(&self, right: Right) -> bool {
        !self.lacks.contains(&right)
    }

    pub(crate) fn set_password(&mut self, password: String) {
        self.password = password.into();
    }

    fn new(username: String, password: String, kind: UserKind) -> Self {
        Self { username, password: password.into(), kind, lacks: BTreeSet::new() }
    }
}
