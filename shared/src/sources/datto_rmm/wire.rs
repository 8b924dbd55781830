//! Datto RMM's answers, as its OpenAPI has them; what is not read here is left out. Unknown kinds of a thing are tolerated.

use serde::Deserialize;
use url::form_urlencoded;

use super::VENDOR;
use crate::domain::ids::AccountId;
use crate::sources::SourceError;

/// A page of `GET /v2/account/sites` or of `GET /v2/site/{siteUid}/devices`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<R> {
    /// Without it nobody could tell whether the page is the last.
    pub(super) page_details: PageDetails,
    #[serde(rename = "sites", alias = "devices")]
    pub(super) rows: Vec<R>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageDetails {
    pub(super) total_count: Option<u64>,
    next_page_url: Option<String>,
}

/// What a list has rows of.
pub(super) trait Listed {
    /// Its id among all of its kind.
    fn uid(&self) -> &str;
}

/// A customer, or one of its places.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Site {
    uid: String,
    pub(super) name: String,
    on_demand: Option<bool>,
    devices_status: Option<DevicesStatus>,
    autotask_company_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DevicesStatus {
    number_of_devices: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Device {
    uid: String,
    pub(super) site_uid: Option<String>,
    device_type: Option<DeviceType>,
    pub(super) device_class: Option<String>,
    suspended: Option<bool>,
    deleted: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct DeviceType {
    category: Option<String>,
}

impl PageDetails {
    /// The number of the next page; `None` on the last. Of the address that is given for it nothing else is used: it might
    /// lead to another host.
    pub(super) fn next(&self) -> Result<Option<String>, SourceError> {
        let Some(address) = self.next_page_url.as_deref().filter(|address| !address.is_empty()) else {
            return Ok(None);
        };
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let page = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "page");
        match page {
            Some((_, page)) if page.parse::<u32>().is_ok() => Ok(Some(page.into_owned())),
            _ => Err(SourceError::unreadable(VENDOR, "its next page has no number")),
        }
    }
}

impl Listed for Site {
    fn uid(&self) -> &str {
        &self.uid
    }
}

impl Listed for Device {
    fn uid(&self) -> &str {
        &self.uid
    }
}

impl Site {
    /// Whether its devices are helped when somebody asks and are not managed.
    pub(super) fn is_on_demand(&self) -> bool {
        self.on_demand.unwrap_or_default()
    }

    pub(super) fn devices(&self) -> Option<i64> {
        self.devices_status.as_ref()?.number_of_devices
    }

    /// Its account in the Autotask that Datto RMM is connected with.
    pub(super) fn account_id(&self) -> Option<AccountId> {
        self.autotask_company_id.as_deref()?.parse().ok()
    }
}

impl Device {
    /// Whether it is there, and looked after or counted all the same.
    pub(super) fn counts(&self, suspended: bool) -> bool {
        !self.deleted.unwrap_or_default() && (suspended || !self.suspended.unwrap_or_default())
    }

    /// What sort of computer it is.
    pub(super) fn category(&self) -> Option<&str> {
        self.device_type.as_ref()?.category.as_deref().filter(|category| !category.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(details: &str) -> Page<Site> {
        serde_json::from_str(&format!(r#"{{"pageDetails": {details}, "sites": []}}"#)).unwrap()
    }

    #[test]
    fn a_page_of_sites_is_read_as_it_is_documented() {
        let page: Page<Site> = serde_json::from_str(include_str!("samples/account_sites.json")).unwrap();
        assert_eq!((page.page_details.total_count, page.page_details.next()), (Some(2), Ok(None)));
        let told: Vec<_> =
            page.rows.iter().map(|site| (site.name.as_str(), site.devices(), site.is_on_demand())).collect();
        assert_eq!(told, [("Hafenkontor Nord", Some(37), false), ("Gut Sonnenberg", Some(0), true)]);
        assert_eq!(page.rows[0].uid(), "6d1f9a0e-3c57-4b28-9f4e-8a2b7c15d360");
        let accounts: Vec<_> = page.rows.iter().map(|site| site.account_id().map(String::from)).collect();
        assert_eq!(accounts, [Some("29683710".to_owned()), None]);
    }

    #[test]
    fn a_page_of_devices_is_read_as_it_is_documented() {
        let page: Page<Device> = serde_json::from_str(include_str!("samples/site_devices.json")).unwrap();
        let told: Vec<_> =
            page.rows.iter().map(|device| (device.category(), device.counts(false), device.counts(true))).collect();
        assert_eq!(told, [(Some("Server"), true, true), (Some("Laptop"), false, true)]);
    }

    #[test]
    fn of_the_next_pages_address_the_number_is_read_and_nothing_else() {
        let next = |details: &str| page(details).page_details.next();
        let address = r#"{"nextPageUrl": "https://elsewhere.example/api/v2/account/sites?max=250&page=2"}"#;
        assert_eq!(next(address), Ok(Some("2".to_owned())));
        for last in [r#"{"nextPageUrl": null}"#, r#"{"nextPageUrl": ""}"#, "{}"] {
            assert_eq!(next(last), Ok(None), "{last}");
        }
        for address in ["https://elsewhere.example/", "?page=", "?page=-1", "?page=two", "?max=250"] {
            let error = next(&format!(r#"{{"nextPageUrl": "{address}"}}"#)).unwrap_err();
            assert_eq!(error.code, "source_unexpected_answer", "{address}");
        }
    }

    #[test]
    fn a_page_that_does_not_say_whether_it_is_the_last_is_none() {
        assert!(serde_json::from_str::<Page<Site>>(r#"{"sites": []}"#).is_err());
    }

    #[test]
    fn a_site_names_its_account_where_it_is_connected_with_one() {
        let account = |id: &str| {
            let json = format!(r#"{{"uid": "a", "name": "Acme", "autotaskCompanyId": {id}}}"#);
            serde_json::from_str::<Site>(&json).unwrap().account_id().map(String::from)
        };
        assert_eq!(account(r#""29683502""#), Some("29683502".to_owned()));
        assert_eq!((account("null"), account(r#""""#)), (None, None));
    }
}
