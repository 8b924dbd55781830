//! Whole addresses that users name: any public host, and nothing but https to its port 443.
//!
//! There is no list of vendors here, so all rests on two checks: what was typed is a plain https address of a name of the
//! public DNS, and where that name leads is filtered in the look-up of each connection (`resolver`). An address that is
//! stored is checked again before it is called. What is sent to a webhook holds no credentials of anybody; the issuer of
//! tokens, whose addresses are told by its own document, gets those that it gave out itself.

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use url::Url;

use super::call::Call;
use super::client::{Client, Settings};
use super::error::{HostFault, HttpError};
use super::host::{AllowList, CheckedHost};

/// The longest address, in bytes.
const LONGEST_URL: usize = 2048;
/// What an address begins with.
const SCHEME: &str = "https://";
/// Until the status is there, and until the body is read.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// The most of an answer's body that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// What is wrong with an address that somebody typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UrlFault {
    /// Longer than 2,048 bytes.
    TooLong,
    /// Holds a space, a control character or a backslash.
    Character,
    /// Does not begin with `https://`.
    NotHttps,
    /// Names a user, or a password.
    User,
    /// Names a port other than 443.
    Port,
    /// Has a fragment, which is never sent.
    Fragment,
    /// Is no address for another reason.
    Malformed,
    /// The host.
    Host(HostFault),
}

impl UrlFault {
    /// What it must be, in words that follow the name of the field.
    #[must_use]
    pub fn detail(self) -> &'static str {
        match self {
            Self::TooLong => "must have 2048 characters at most",
            Self::Character => "must hold no space, control character or backslash",
            Self::NotHttps => "must begin with https://",
            Self::User => "must name no user and no password",
            Self::Port => "must name no port other than 443",
            Self::Fragment => "must have no fragment",
            Self::Malformed => "must be an address such as https://hooks.example.com/tallyline",
            Self::Host(HostFault::IpAddress) => "must name a host and not an IP address",
            Self::Host(HostFault::LocalName) => "must name a public host",
            Self::Host(_) => "must have the complete name of a public host",
        }
    }
}

impl From<UrlFault> for HttpError {
    /// A stored address that is not allowed any more.
    fn from(fault: UrlFault) -> Self {
        Self::Host(match fault {
            UrlFault::Host(fault) => fault,
            _ => HostFault::MoreThanAName,
        })
    }
}

/// An address that was checked. Made by [`Outward::check`] and nothing else. Its `Debug` shows the host alone: partners put
/// secrets into paths.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckedUrl {
    url: Url,
    excepted: bool,
}

impl CheckedUrl {
    /// The address in its one spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }
}

impl fmt::Debug for CheckedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedUrl").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// Calls addresses that were checked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outward {
    guarded: Client,
    /// A receiver on one machine, and a client that calls it.
    excepted: Option<(Url, Client)>,
}

impl Outward {
    /// Calls public hosts over https.
    ///
    /// # Errors
    /// [`HttpError::ClientFailed`]: this machine has no root certificates, for one.
    pub fn new() -> Result<Self, HttpError> {
        Self::with(Self::settings())
    }

    /// As [`Outward::new`], with other limits.
    ///
    /// # Errors
    /// As [`Outward::new`].
    pub fn with(settings: Settings) -> Result<Self, HttpError> {
        Ok(Self { guarded: Client::new(AllowList::any_public(), settings)?, excepted: None })
    }

    /// Allows the addresses below `base`, too, whatever their scheme, host and port: for a receiver on one machine. The
    /// deployed functions have no way to reach this, and no user names a base.
    ///
    /// # Errors
    /// As [`Outward::new`].
    pub fn except(self, base: &Url, settings: Settings) -> Result<Self, HttpError> {
        let client = Client::at(base, AllowList::any_public(), settings)?;
        Ok(Self { excepted: Some((base.clone(), client)), ..self })
    }

    /// The limits that calls have.
    #[must_use]
    pub fn settings() -> Settings {
        Settings { connect_timeout: TIME_LIMIT, request_timeout: TIME_LIMIT, longest_answer: LONGEST_ANSWER }
    }

    /// Checks what somebody typed. Asks no name server and sends nothing.
    ///
    /// # Errors
    /// It is not an https address of a public name.
    pub fn check(&self, typed: &str) -> Result<CheckedUrl, UrlFault> {
        if let Some(url) = self.excepted(typed) {
            return Ok(CheckedUrl { url, excepted: true });
        }
        Ok(CheckedUrl { url: checked(typed)?, excepted: false })
    }

    /// A POST to an address, on a connection of its own.
    pub fn post(&self, to: &CheckedUrl) -> Call {
        self.call(Method::POST, to)
    }

    /// A GET of an address, on a connection of its own.
    pub fn get(&self, to: &CheckedUrl) -> Call {
        self.call(Method::GET, to)
    }

    fn call(&self, method: Method, to: &CheckedUrl) -> Call {
        let client = match &self.excepted {
            Some((_, client)) if to.excepted => client,
            _ => &self.guarded,
        };
        client.write_to(method, to.url.clone())
    }

    #[cfg(test)]
    pub(super) fn of(guarded: Client) -> Self {
        Self { guarded, excepted: None }
    }

    fn excepted(&self, typed: &str) -> Option<Url> {
        let (base, _) = self.excepted.as_ref()?;
        let url = Url::parse(typed).ok()?;
        (url.origin() == base.origin() && url.path().starts_with(base.path())).then_some(url)
    }
}

/// The address, if what is between `https://` and the path is nothing but a host's name, and reads as that name.
fn checked(typed: &str) -> Result<Url, UrlFault> {
    if typed.len() > LONGEST_URL {
        return Err(UrlFault::TooLong);
    }
    // `Url::parse` would quietly drop or turn these.
    if typed.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(UrlFault::Character);
    }
    let scheme = typed.get(..SCHEME.len()).filter(|scheme| scheme.eq_ignore_ascii_case(SCHEME));
    let rest = scheme.and_then(|_| typed.get(SCHEME.len()..)).ok_or(UrlFault::NotHttps)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(UrlFault::User);
    }
    let name = authority.strip_suffix(":443").unwrap_or(authority);
    let has_port = name.rsplit_once(':').is_some_and(|(name, port)| {
        !name.is_empty() && !name.contains(':') && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    if has_port {
        return Err(UrlFault::Port);
    }
    let host: CheckedHost = AllowList::any_public().check(name).map_err(|error| match error {
        HttpError::Host(fault) => UrlFault::Host(fault),
        _ => UrlFault::Malformed,
    })?;
    let url = Url::parse(typed).map_err(|_| UrlFault::Malformed)?;
    if url.fragment().is_some() {
        return Err(UrlFault::Fragment);
    }
    // What was checked is what is called, however the address is read.
    let plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    if !plain || url.port().is_some() || url.host_str() != Some(host.as_str()) {
        return Err(UrlFault::Malformed);
    }
    Ok(url)
}
