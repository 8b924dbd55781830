//! Which of Datto RMM's numbers is which metric, and which device counts as what.

use std::collections::{BTreeMap, BTreeSet};

use super::VENDOR;
use super::wire::{Device, Site};
use crate::domain::ids::CompanyId;
use crate::domain::units::Units;
use crate::sources::{Metric, Row, SourceError};

/// Devices of a managed site.
const DEVICES: &str = "devices";
/// Devices of an on-demand site: they have licences of their own.
const ON_DEMAND_DEVICES: &str = "on_demand_devices";
const SERVERS: &str = "servers";
const DESKTOPS: &str = "desktops";
const LAPTOPS: &str = "laptops";
/// Desktops and laptops.
const WORKSTATIONS: &str = "workstations";
const PRINTERS: &str = "printers";
const ESXI_HOSTS: &str = "esxi_hosts";
const NETWORK_DEVICES: &str = "network_devices";

/// What the list of sites tells.
const LISTED: [&str; 2] = [DEVICES, ON_DEMAND_DEVICES];
/// What is counted device by device.
const COUNTED: [&str; 7] = [SERVERS, DESKTOPS, LAPTOPS, WORKSTATIONS, PRINTERS, ESXI_HOSTS, NETWORK_DEVICES];

/// What is known of one customer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) rows: Vec<Row>,
    /// Whether that is all. Where it is not, what has no row is not known.
    pub(super) is_all: bool,
}

/// Every metric.
pub(super) fn all() -> BTreeSet<Metric> {
    LISTED.into_iter().chain(COUNTED).map(Metric::from).collect()
}

/// Those of `wanted` that the list of sites tells, and those for which a site's devices are counted.
pub(super) fn split(wanted: &BTreeSet<Metric>) -> (BTreeSet<Metric>, BTreeSet<Metric>) {
    let of = |names: &[&str]| wanted.iter().filter(|metric| names.contains(&metric.as_str())).cloned().collect();
    (of(&LISTED), of(&COUNTED))
}

/// What the list tells of a site.
pub(super) fn of_site(company: &CompanyId, site: &Site) -> Result<Told, SourceError> {
    let Some(devices) = site.devices() else { return Ok(Told { rows: Vec::new(), is_all: false }) };
    let metric = if site.is_on_demand() { ON_DEMAND_DEVICES } else { DEVICES };
    Ok(Told { rows: vec![row(company, metric, devices)?], is_all: true })
}

/// How many devices of each sort there are among all those of a managed site. Nothing is told where one device does not say
/// what it is: it may be any of them.
pub(super) fn of_devices(company: &CompanyId, devices: &[Device]) -> Result<Told, SourceError> {
    let mut counted: BTreeMap<&str, i64> = COUNTED.into_iter().map(|metric| (metric, 0)).collect();
    for device in devices.iter().filter(|device| device.is_in_service()) {
        let Some(metrics) = metrics(device) else { return Ok(Told { rows: Vec::new(), is_all: false }) };
        for metric in metrics {
            *counted.entry(metric).or_default() += 1;
        }
    }
    let rows: Result<_, _> = counted.into_iter().map(|(metric, count)| row(company, metric, count)).collect();
    Ok(Told { rows: rows?, is_all: true })
}

/// What a device counts as: nothing where it is of a sort that nobody asks for, `None` where it does not say.
fn metrics(device: &Device) -> Option<&'static [&'static str]> {
    match device.device_class.as_deref() {
        Some("printer") => return Some(&[PRINTERS]),
        Some("esxihost") => return Some(&[ESXI_HOSTS]),
        Some("rmmnetworkdevice") => return Some(&[NETWORK_DEVICES]),
        _ => {}
    }
    let metrics: &[&str] = match device.category()?.to_ascii_lowercase().as_str() {
        "server" => &[SERVERS],
        "desktop" => &[DESKTOPS, WORKSTATIONS],
        "laptop" => &[LAPTOPS, WORKSTATIONS],
        _ => &[],
    };
    Some(metrics)
}

fn row(company: &CompanyId, metric: &str, count: i64) -> Result<Row, SourceError> {
    let quantity = Units::try_from(count);
    let quantity = quantity.map_err(|_| SourceError::unreadable(VENDOR, "a count is no number of devices"))?;
    Ok(Row::of(company.clone(), metric, quantity))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn company() -> CompanyId {
        "0f8fad5b".parse().unwrap()
    }

    fn counts(told: &Told) -> BTreeMap<&str, u32> {
        told.rows.iter().map(|row| (row.metric.as_str(), row.quantity.get())).collect()
    }

    fn site(rest: &str) -> Result<Told, SourceError> {
        let json = format!(r#"{{"uid": "0f8fad5b", "name": "Acme Inc" {rest}}}"#);
        of_site(&company(), &serde_json::from_str(&json).unwrap())
    }

    fn devices(rows: &[&str]) -> Told {
        let json: Vec<_> = rows.iter().map(|row| format!(r#"{{"uid": "a" {row}}}"#)).collect();
        let devices: Vec<Device> = serde_json::from_str(&format!("[{}]", json.join(","))).unwrap();
        of_devices(&company(), &devices).unwrap()
    }

    #[test]
    fn a_sites_devices_are_managed_or_on_demand_and_none_is_a_number_of_them() {
        let managed = r#", "onDemand": false, "devicesStatus": {"numberOfDevices": 37, "numberOfOnlineDevices": 30}"#;
        let managed = site(managed).unwrap();
        assert_eq!((counts(&managed), managed.is_all), ([("devices", 37)].into(), true));
        let on_demand = site(r#", "onDemand": true, "devicesStatus": {"numberOfDevices": 0}"#).unwrap();
        assert_eq!((counts(&on_demand), on_demand.is_all), ([("on_demand_devices", 0)].into(), true));
    }

    #[test]
    fn a_number_that_is_not_there_is_not_zero() {
        for silent in ["", r#", "devicesStatus": null"#, r#", "devicesStatus": {}"#] {
            assert_eq!(site(silent), Ok(Told { rows: Vec::new(), is_all: false }), "{silent}");
        }
    }

    #[test]
    fn a_count_that_can_be_none_is_a_fault_of_the_whole() {
        let error = site(r#", "devicesStatus": {"numberOfDevices": -1}"#).unwrap_err();
        assert_eq!(error.code, "source_unexpected_answer");
    }

    #[test]
    fn a_device_counts_as_what_it_is_while_it_is_looked_after() {
        let told = devices(&[
            r#", "deviceClass": "device", "deviceType": {"category": "Server", "type": "Main System Chassis"}"#,
            r#", "deviceClass": "device", "deviceType": {"category": "Laptop"}, "suspended": false"#,
            r#", "deviceClass": "device", "deviceType": {"category": "desktop"}"#,
            r#", "deviceClass": "device", "deviceType": {"category": "Server"}, "deleted": true"#,
            r#", "deviceClass": "device", "deviceType": {"category": "Server"}, "suspended": true"#,
            r#", "deviceClass": "device", "deviceType": {"category": "of tomorrow"}"#,
            r#", "deviceClass": "printer", "deviceType": null"#,
            r#", "deviceClass": "rmmnetworkdevice""#,
        ]);
        let expected = [
            ("desktops", 1),
            ("esxi_hosts", 0),
            ("laptops", 1),
            ("network_devices", 1),
            ("printers", 1),
            ("servers", 1),
            ("workstations", 2),
        ];
        assert_eq!((counts(&told), told.is_all), (expected.into(), true));
    }

    #[test]
    fn a_device_that_does_not_say_what_it_is_leaves_its_site_uncounted() {
        for silent in ["", r#", "deviceClass": "device""#, r#", "deviceType": {"category": ""}"#] {
            let told = devices(&[r#", "deviceType": {"category": "Server"}"#, silent]);
            assert_eq!(told, Told { rows: Vec::new(), is_all: false }, "{silent}");
        }
        assert!(devices(&[r#", "deleted": true"#]).is_all, "nobody asks what a deleted one was");
    }

    #[test]
    fn what_is_wanted_is_asked_where_it_costs_least() {
        let wanted = [DEVICES, SERVERS, "of another vendor"].map(Metric::from).into();
        assert_eq!(split(&wanted), ([DEVICES.into()].into(), [SERVERS.into()].into()));
        assert_eq!(all().len(), 9);
    }
}
