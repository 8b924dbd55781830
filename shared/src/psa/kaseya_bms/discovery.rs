//! Which tenant a user belongs to.
//!
//! The number of a tenant is its own only within a region, so the region's host is part of its name. Kaseya's help gives two
//! names for the host of Vorex; they count as one, or two connections could write one line unseen.

use super::client::{Ask, Client};
use super::errors;
use super::template::Template;
use crate::psa::{Endpoint, PsaError};

pub(super) async fn discover(client: &Client) -> Result<Endpoint, PsaError> {
    let template = Template::UserInfo;
    let user = client.read(&Ask::of(template)).await?.row(template)?;
    let number = user.whole("tenantid").filter(|number| *number > 0);
    let number = number.ok_or_else(|| errors::unreadable(template, "came without a tenant"))?;
    let host = client.host()?;
    let tenant = format!("{}:{number}", region(host.as_str()));
    let tenant = tenant.parse().map_err(|_| errors::unreadable(template, "came with a tenant that can't be used"))?;
    Ok(Endpoint { tenant, base_url: format!("https://{host}") })
}

fn region(host: &str) -> &str {
    if host == "api.vorexlogin.kaseya.com" { "api.vorexlogin.com" } else { host }
}
