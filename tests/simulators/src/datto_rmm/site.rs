//! A site and the devices in it, with the names that the API has for them.
//!
//! Owns what the list of sites shows and what the list of a site's devices does. The description promises neither the names of
//! categories nor what `numberOfDevices` leaves out: public clients know Server, Desktop and Laptop, the others are made up,
//! and deleted devices are taken to be no longer there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::guid::guid;
use crate::vendor::Customer;

/// Kinds of things that have uids.
const ACCOUNT: u8 = 0xd0;
const SITE: u8 = 0xd1;
const DEVICE: u8 = 0xd2;

/// One customer of the account, or one of its places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its number, of which its uid is made: by that it is found.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Whether its devices are helped when somebody asks and are not managed.
    #[serde(default)]
    pub on_demand: bool,
    /// The company in the Autotask that the account is connected with.
    #[serde(default)]
    pub autotask_company_id: Option<i64>,
    /// What is in it.
    #[serde(default)]
    pub devices: Devices,
}

/// How many devices of each sort a site has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "kinds of devices")]
pub struct Devices {
    pub servers: u32,
    pub desktops: u32,
    pub laptops: u32,
    pub printers: u32,
    pub esxi_hosts: u32,
    pub network_devices: u32,
    /// Desktops that are not looked after at present.
    pub suspended: u32,
    /// Desktops that are gone and still listed.
    pub deleted: u32,
}

/// What the API says of devices of one sort.
#[derive(Clone, Copy)]
struct Sort {
    category: &'static str,
    class: &'static str,
    suspended: bool,
    deleted: bool,
}

impl Sort {
    const fn of(category: &'static str, class: &'static str) -> Self {
        Self { category, class, suspended: false, deleted: false }
    }
}

const DESKTOP: Sort = Sort::of("Desktop", "device");

impl Devices {
    fn by_sort(&self) -> [(Sort, u32); 8] {
        [
            (Sort::of("Server", "device"), self.servers),
            (DESKTOP, self.desktops),
            (Sort::of("Laptop", "device"), self.laptops),
            (Sort::of("Printer", "printer"), self.printers),
            (Sort::of("ESXi Host", "esxihost"), self.esxi_hosts),
            (Sort::of("Network Device", "rmmnetworkdevice"), self.network_devices),
            (Sort { suspended: true, ..DESKTOP }, self.suspended),
            (Sort { deleted: true, ..DESKTOP }, self.deleted),
        ]
    }

    fn there(&self) -> u32 {
        self.by_sort().iter().filter(|(sort, _)| !sort.deleted).map(|(_, devices)| devices).sum()
    }
}

impl Customer for Site {
    type Id = String;
    type Counts = Devices;

    fn id(&self) -> String {
        self.uid()
    }

    fn count(&mut self, devices: Devices, _now: Timestamp) {
        self.devices = devices;
    }
}

impl Site {
    /// One without devices, connected with nothing.
    #[must_use]
    pub fn new(id: i64, name: impl Into<String>) -> Self {
        Self { id, name: name.into(), on_demand: false, autotask_company_id: None, devices: Devices::default() }
    }

    fn uid(&self) -> String {
        guid(SITE, self.id)
    }

    /// As the list of sites shows it.
    pub(crate) fn listed(&self) -> Value {
        let devices = self.devices.there();
        json!({
            "id": self.id,
            "uid": self.uid(),
            "accountUid": guid(ACCOUNT, 1),
            "name": self.name,
            "description": null,
            "notes": null,
            "onDemand": self.on_demand,
            "splashtopAutoInstall": false,
            "devicesStatus": {
                "numberOfDevices": devices,
                "numberOfOnlineDevices": devices,
                "numberOfOfflineDevices": 0,
            },
            "autotaskCompanyName": self.autotask_company_id.map(|_| self.name.as_str()),
            "autotaskCompanyId": self.autotask_company_id.map(|id| id.to_string()),
        })
    }

    /// Its devices, as their list shows them.
    pub(crate) fn listed_devices(&self) -> Vec<Value> {
        let sorts = self.devices.by_sort().into_iter();
        let each = sorts.flat_map(|(sort, devices)| (0..devices).map(move |_| sort));
        each.zip(1_i64..).map(|(sort, number)| self.listed_device(sort, number)).collect()
    }

    fn listed_device(&self, sort: Sort, number: i64) -> Value {
        let id = self.id * 100_000 + number;
        json!({
            "id": id,
            "uid": guid(DEVICE, id),
            "siteId": self.id,
            "siteUid": self.uid(),
            "siteName": self.name,
            "deviceType": { "category": sort.category, "type": sort.category },
            "deviceClass": sort.class,
            "hostname": format!("host-{id}"),
            "online": !sort.suspended && !sort.deleted,
            "suspended": sort.suspended,
            "deleted": sort.deleted,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_site_counts_its_devices_without_those_that_are_gone() {
        let devices = Devices { servers: 2, desktops: 3, printers: 1, suspended: 4, deleted: 5, ..Devices::default() };
        let site = Site { devices, autotask_company_id: Some(1_001), ..Site::new(7, "Acme") };
        let listed = site.listed();
        assert_eq!(listed["devicesStatus"]["numberOfDevices"], 10);
        assert_eq!((&listed["autotaskCompanyId"], &listed["autotaskCompanyName"]), (&json!("1001"), &json!("Acme")));
        assert_eq!(Site::new(7, "Acme").listed()["autotaskCompanyId"], Value::Null);
    }

    #[test]
    fn every_device_is_listed_with_what_it_is_and_a_uid_of_its_own() {
        let devices = Devices { servers: 1, laptops: 1, esxi_hosts: 1, suspended: 1, deleted: 1, ..Devices::default() };
        let listed = Site { devices, ..Site::new(7, "Acme") }.listed_devices();
        let told = |device: &Value| {
            let flag = |name: &str| device[name].as_bool().unwrap();
            (
                device["deviceType"]["category"].clone(),
                device["deviceClass"].clone(),
                flag("suspended"),
                flag("deleted"),
            )
        };
        let of = |category: &str, class: &str, suspended, deleted| (json!(category), json!(class), suspended, deleted);
        assert_eq!(
            listed.iter().map(told).collect::<Vec<_>>(),
            [
                of("Server", "device", false, false),
                of("Laptop", "device", false, false),
                of("ESXi Host", "esxihost", false, false),
                of("Desktop", "device", true, false),
                of("Desktop", "device", false, true),
            ]
        );
        assert_eq!(listed.iter().map(|device| device["uid"].to_string()).collect::<BTreeSet<_>>().len(), 5);
        assert!(listed.iter().all(|device| device["siteUid"] == Site::new(7, "Acme").uid()));
    }
}
