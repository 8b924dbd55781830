//! The check of a host name that somebody typed, and the type that only this check makes.
//!
//! Names are compared label by label after they were brought into one form (lower case, ASCII, IDNA), so that neither
//! `evilkaseya.com` nor `kaseya.com.evil.example` passes for `kaseya.com`. An address pasted as `https://name/` is taken
//! for its name: what is left of it is checked like anything else. A dot at the end is refused, so that each host has one
//! spelling. Where a name leads is not asked here, and nothing is sent; that is `resolver`'s.

use std::fmt;
use std::sync::Arc;

use url::Host;

use super::error::{HostFault, HttpError};

/// The names below which the hosts of Kaseya BMS lie: `bms.kaseya.com` and its regions, Vorex, Pulseway PSA. From the
/// vendor's help ("BMS REST APIs") and Pulseway's. An operator adds others with [`AllowList::and`].
pub const KASEYA_BMS: [&str; 3] = ["kaseya.com", "vorexlogin.com", "pulseway.com"];

/// The longest name, in characters, without the dot of the root (RFC 1035).
const LONGEST_NAME: usize = 253;
/// The longest label, in characters (RFC 1035).
const LONGEST_LABEL: usize = 63;

/// Last labels that never lead to a vendor: RFC 6761, RFC 6762, RFC 8375, and what ICANN and practice reserve for
/// private networks.
const LOCAL: [&str; 16] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "home",
    "lan",
    "corp",
    "mail",
    "arpa",
    "onion",
    "alt",
    "test",
    "example",
    "invalid",
];

/// The vendor's domains: a host is allowed where it is one of them or lies below one. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AllowList(Allowed);

#[derive(Debug, Clone)]
enum Allowed {
    Below(Arc<[String]>),
    AnyPublic,
}

/// A host name that was checked: lower case, ASCII, at least two labels, allowed by a list. Made by
/// [`AllowList::check`] and nothing else; that is why it can't be deserialised.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CheckedHost(String);

impl AllowList {
    /// From domains such as `kaseya.com`. Each must be a public name of two labels or more.
    ///
    /// # Errors
    /// One of them is not.
    pub fn new<'a>(domains: impl IntoIterator<Item = &'a str>) -> Result<Self, HttpError> {
        let domains: Result<Vec<_>, _> = domains.into_iter().map(normalised).collect();
        Ok(Self(Allowed::Below(domains?.into())))
    }

    /// Every name of the public DNS: for hosts that get nothing but what they were to hear, such as those of webhooks.
    pub(super) fn any_public() -> Self {
        Self(Allowed::AnyPublic)
    }

    /// These domains and what an operator adds, separated by commas. All that lies below each is trusted with the
    /// credentials of the vendor's users, so a domain where anyone can have a name (`co.uk`, `github.io`) must not be
    /// among them.
    ///
    /// # Errors
    /// One of the added is not a public name of two labels or more.
    pub fn and(&self, added: &str) -> Result<Self, HttpError> {
        let added = added.split(',').map(str::trim).filter(|domain| !domain.is_empty());
        match &self.0 {
            Allowed::Below(domains) => Self::new(domains.iter().map(String::as_str).chain(added)),
            Allowed::AnyPublic => Ok(self.clone()),
        }
    }

    /// Checks what somebody typed. Asks no name server and sends nothing.
    ///
    /// # Errors
    /// [`HttpError::Host`]: it is not a host name, or none of the vendor's.
    pub fn check(&self, typed: &str) -> Result<CheckedHost, HttpError> {
        let host = CheckedHost(normalised(typed)?);
        if self.covers(&host) { Ok(host) } else { Err(HostFault::NotTheVendors.into()) }
    }

    /// Whether a host that was checked, maybe against another list, is allowed by this one.
    pub(super) fn covers(&self, host: &CheckedHost) -> bool {
        let Allowed::Below(domains) = &self.0 else { return true };
        domains.iter().any(|domain| {
            let rest = host.0.strip_suffix(domain.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

impl CheckedHost {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host below this one that `label` names, or this one where it begins with that label already: `api` makes
    /// `api.bms.kaseya.com` of `bms.kaseya.com`.
    ///
    /// # Errors
    /// It would be longer than a name can be.
    pub fn below(&self, label: &'static str) -> Result<Self, HttpError> {
        if self.0.split('.').next() == Some(label) {
            return Ok(self.clone());
        }
        Ok(Self(normalised(&format!("{label}.{}", self.0))?))
    }
}

impl fmt::Display for CheckedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The one spelling of a name of the public DNS.
fn normalised(typed: &str) -> Result<String, HostFault> {
    if typed.chars().any(char::is_control) {
        return Err(HostFault::ControlCharacter);
    }
    let bare = bare(typed.trim());
    if bare.is_empty() {
        return Err(HostFault::Empty);
    }
    if bare.len() > LONGEST_NAME {
        return Err(HostFault::TooLong);
    }
    if bare.starts_with('[') || bare.parse::<std::net::Ipv6Addr>().is_ok() {
        return Err(HostFault::IpAddress);
    }
    // The percent sign too: `Host::parse` would decode what follows it.
    if bare.chars().any(|c| c.is_whitespace() || r"/\?#@:%[]".contains(c)) {
        return Err(HostFault::MoreThanAName);
    }
    // Numbers in every spelling that an address can have come out as addresses here, those in full-width digits included.
    match Host::parse(bare).map_err(|_| HostFault::NotAName)? {
        Host::Ipv4(_) | Host::Ipv6(_) => Err(HostFault::IpAddress),
        Host::Domain(name) => public_name(name),
    }
}

/// Without the scheme and the slash of an address that was pasted.
fn bare(typed: &str) -> &str {
    match typed.split_at_checked("https://".len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https://") => rest.strip_suffix('/').unwrap_or(rest),
        _ => typed,
    }
}

fn public_name(name: String) -> Result<String, HostFault> {
    if name.ends_with('.') {
        return Err(HostFault::TrailingDot);
    }
    let labels: Vec<&str> = name.split('.').collect();
    if name.len() > LONGEST_NAME || labels.iter().any(|label| label.len() > LONGEST_LABEL) {
        return Err(HostFault::TooLong);
    }
    if labels.last().is_some_and(|last| LOCAL.contains(last)) {
        return Err(HostFault::LocalName);
    }
    if labels.len() < 2 || !labels.iter().all(|label| is_label(label)) {
        return Err(HostFault::NotAName);
    }
    Ok(name)
}

/// Letters, digits and hyphens within (RFC 1123).
fn is_label(label: &str) -> bool {
    let plain = label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    plain && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
}
