//! Zone discovery: which of Autotask's zones a user's tenant lives in, and which database it is.
//!
//! The address that comes back is where the partner's secret is sent from then on, so it is believed only where it lies
//! below `autotask.net`; and it is checked again each time a stored endpoint is opened.

use serde::Deserialize;
use url::Url;

use super::Trust;
use super::client::Http;
use super::errors::{self, Mask};
use super::wire::{self, Loose};
use crate::psa::credentials::AutotaskCredentials;
use crate::psa::{Endpoint, Kind, PsaError};

/// The answer of `zoneInformation` (`ZoneInformationResultModel` of Autotask's Swagger), as far as it is used.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Zone {
    url: Loose,
    ci: Loose,
}

pub(super) async fn discover(
    http: &Http,
    discovery_base: &str,
    trust: Trust,
    user: &AutotaskCredentials,
) -> Result<Endpoint, PsaError> {
    let mut address = Url::parse(&format!("{discovery_base}/atservicesrest/v1.0/zoneInformation"))
        .map_err(|_| untrusted("The address that zones are asked for is malformed."))?;
    address.query_pairs_mut().append_pair("user", &user.username);

    let answer = http.get_without_credentials(address).await.map_err(errors::Transport::into_error)?;
    if !answer.succeeded() {
        return Err(errors::of_answer(&answer, &Mask::new(user)));
    }
    let zone: Zone =
        wire::parse(&answer.body).ok_or_else(|| errors::unreadable("zoneInformation", "is not an object"))?;
    let url = zone.url.text().ok_or_else(|| errors::unreadable("zoneInformation", "has no url"))?;
    let tenant = zone.ci.whole().ok_or_else(|| errors::unreadable("zoneInformation", "has no ci"))?;
    Ok(Endpoint { tenant: wire::id("zoneInformation", tenant)?, base_url: trusted_base(&url, trust)? })
}

/// `url` without its trailing slash, if secrets may be sent there.
pub(super) fn trusted_base(url: &str, trust: Trust) -> Result<String, PsaError> {
    let parsed = Url::parse(url).map_err(|_| untrusted("Autotask's zone has an address that can't be read."))?;
    let plain = parsed.query().is_none() && parsed.fragment().is_none();
    let bare = parsed.username().is_empty() && parsed.password().is_none();
    let own = parsed.scheme() == "https"
        && parsed.port().is_none()
        && parsed.host_str().is_some_and(|host| host.ends_with(".autotask.net"));
    let allowed = match trust {
        Trust::AutotaskOnly => own,
        Trust::Anywhere => matches!(parsed.scheme(), "http" | "https"),
    };
    if plain && bare && allowed {
        return Ok(parsed.as_str().trim_end_matches('/').to_owned());
    }
    Err(untrusted("The zone's address is not an https address of autotask.net, so nothing was sent there."))
}

fn untrusted(explanation: &str) -> PsaError {
    PsaError::new(
        Kind::Protocol,
        "psa_zone_untrusted",
        explanation,
        "Connect the PSA again, so that its zone is looked up anew. If it happens again, tell the operator.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_to_hosts_of_autotask_over_https_and_nowhere_else() {
        let trusted = |url| trusted_base(url, Trust::AutotaskOnly);
        assert_eq!(
            trusted("https://webservices3.autotask.net/ATServicesRest/").unwrap(),
            "https://webservices3.autotask.net/ATServicesRest"
        );
        for bad in [
            "",
            "webservices3.autotask.net",
            "http://webservices3.autotask.net/ATServicesRest/",
            "https://autotask.net.example.com/",
            "https://evilautotask.net/",
            "https://autotask.net@example.com/",
            "https://user:pass@webservices3.autotask.net/",
            "https://webservices3.autotask.net:8443/",
            "https://webservices3.autotask.net/?to=x",
            "https://webservices3.autotask.net/#x",
            "https://127.0.0.1/.autotask.net",
            "file:///webservices3.autotask.net",
        ] {
            assert_eq!(trusted(bad).unwrap_err().code, "psa_zone_untrusted", "{bad}");
        }
    }

    #[test]
    fn a_simulator_may_live_anywhere_but_must_be_http() {
        let anywhere = |url| trusted_base(url, Trust::Anywhere);
        assert_eq!(anywhere("http://127.0.0.1:9100/atservicesrest/").unwrap(), "http://127.0.0.1:9100/atservicesrest");
        assert!(anywhere("file:///etc/passwd").is_err());
    }
}
