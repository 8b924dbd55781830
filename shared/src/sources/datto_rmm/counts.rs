//! Which of Datto RMM's numbers is which metric, and which device counts as what.

use std::collections::{BTreeMap, BTreeSet};

use super::VENDOR;
use super::wire::{Device, Site};
use crate::domain::units::Units;
use crate::sources::{Metric, SourceError};

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

/// Every metric.
pub(super) const ALL: &[&str] =
    &[DEVICES, ON_DEMAND_DEVICES, SERVERS, DESKTOPS, LAPTOPS, WORKSTATIONS, PRINTERS, ESXI_HOSTS, NETWORK_DEVICES];
/// All devices are those of each type; workstations are desktops and laptops.
pub(super) const OVERLAPS: &[(&str, &str)] = &[
    (WORKSTATIONS, DESKTOPS),
    (WORKSTATIONS, LAPTOPS),
    (DEVICES, SERVERS),
    (DEVICES, DESKTOPS),
    (DEVICES, LAPTOPS),
    (DEVICES, WORKSTATIONS),
    (DEVICES, PRINTERS),
    (DEVICES, ESXI_HOSTS),
    (DEVICES, NETWORK_DEVICES),
];

/// What the list of sites tells.
const LISTED: [&str; 2] = [DEVICES, ON_DEMAND_DEVICES];
/// What is counted device by device.
const COUNTED: [&str; 7] = [SERVERS, DESKTOPS, LAPTOPS, WORKSTATIONS, PRINTERS, ESXI_HOSTS, NETWORK_DEVICES];

/// A metric's number, where Datto RMM tells it.
pub(super) type Count = (&'static str, Option<Units>);

/// Those of `wanted` that the list of sites tells, and those for which a site's devices are counted.
pub(super) fn split(wanted: &BTreeSet<Metric>) -> (Vec<&str>, Vec<&str>) {
    let of = |names: &[&str]| wanted.iter().map(Metric::as_str).filter(|metric| names.contains(metric)).collect();
    (of(&LISTED), of(&COUNTED))
}

/// What the list tells of a site.
pub(super) fn of_site(site: &Site) -> Result<Count, SourceError> {
    let metric = if site.is_on_demand() { ON_DEMAND_DEVICES } else { DEVICES };
    Ok((metric, site.devices().map(units).transpose()?))
}

/// How many devices of each sort there are among all those of a managed site; `suspended` says whether such ones count.
/// No number is told where one device does not say what it is: it may be any of them.
pub(super) fn of_devices(devices: &[Device], suspended: bool) -> Result<Vec<Count>, SourceError> {
    let mut counted: BTreeMap<&str, i64> = COUNTED.into_iter().map(|metric| (metric, 0)).collect();
    for device in devices.iter().filter(|device| device.counts(suspended)) {
        let Some(metrics) = metrics(device) else {
            return Ok(COUNTED.map(|metric| (metric, None)).into());
        };
        for metric in metrics {
            *counted.entry(metric).or_default() += 1;
        }
    }
    counted.into_iter().map(|(metric, count)| Ok((metric, Some(units(count)?)))).collect()
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

fn units(count: i64) -> Result<Units, SourceError> {
    Units::try_from(count).map_err(|_| SourceError::unreadable(VENDOR, "a count is no number of devices"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(count: i64) -> Option<Units> {
        count.try_into().ok()
    }

    fn site(rest: &str) -> Result<Count, SourceError> {
        of_site(&serde_json::from_str(&format!(r#"{{"uid": "0f8fad5b", "name": "Acme Inc" {rest}}}"#)).unwrap())
    }

    fn devices(rows: &[&str], suspended: bool) -> BTreeMap<&'static str, Option<u32>> {
        let json: Vec<_> = rows.iter().map(|row| format!(r#"{{"uid": "a" {row}}}"#)).collect();
        let devices: Vec<Device> = serde_json::from_str(&format!("[{}]", json.join(","))).unwrap();
        let counts = of_devices(&devices, suspended).unwrap();
        counts.into_iter().map(|(metric, count)| (metric, count.map(Units::get))).collect()
    }

    #[test]
    fn a_sites_devices_are_managed_or_on_demand_and_none_is_a_number_of_them() {
        let managed = r#", "onDemand": false, "devicesStatus": {"numberOfDevices": 37, "numberOfOnlineDevices": 30}"#;
        assert_eq!(site(managed), Ok((DEVICES, units(37))));
        let on_demand = r#", "onDemand": true, "devicesStatus": {"numberOfDevices": 0}"#;
        assert_eq!(site(on_demand), Ok((ON_DEMAND_DEVICES, units(0))));
    }

    #[test]
    fn a_number_that_is_not_there_is_not_zero() {
        for silent in ["", r#", "devicesStatus": null"#, r#", "devicesStatus": {}"#] {
            assert_eq!(site(silent), Ok((DEVICES, None)), "{silent}");
        }
    }

    #[test]
    fn a_count_that_can_be_none_is_a_fault() {
        let error = site(r#", "devicesStatus": {"numberOfDevices": -1}"#).unwrap_err();
        assert_eq!(error.code, "source_unexpected_answer");
    }

    #[test]
    fn a_device_counts_as_what_it_is_while_it_is_looked_after() {
        let rows = [
            r#", "deviceClass": "device", "deviceType": {"category": "Server", "type": "Main System Chassis"}"#,
            r#", "deviceClass": "device", "deviceType": {"category": "Laptop"}, "suspended": false"#,
            r#", "deviceClass": "device", "deviceType": {"category": "desktop"}"#,
            r#", "deviceClass": "device", "deviceType": {"category": "Server"}, "deleted": true"#,
            r#", "deviceClass": "device", "deviceType": {"category": "Server"}, "suspended": true"#,
            r#", "deviceClass": "device", "deviceType": {"category": "of tomorrow"}"#,
            r#", "deviceClass": "printer", "deviceType": null"#,
            r#", "deviceClass": "rmmnetworkdevice""#,
        ];
        let counts = |servers| {
            [
                ("desktops", Some(1)),
                ("esxi_hosts", Some(0)),
                ("laptops", Some(1)),
                ("network_devices", Some(1)),
                ("printers", Some(1)),
                ("servers", Some(servers)),
                ("workstations", Some(2)),
            ]
        };
        assert_eq!(devices(&rows, false), counts(1).into());
        assert_eq!(devices(&rows, true), counts(2).into(), "what was deleted is gone all the same");
    }

    #[test]
    fn a_device_that_does_not_say_what_it_is_leaves_its_site_uncounted() {
        for silent in ["", r#", "deviceClass": "device""#, r#", "deviceType": {"category": ""}"#] {
            let told = devices(&[r#", "deviceType": {"category": "Server"}"#, silent], false);
            assert_eq!(told, COUNTED.map(|metric| (metric, None)).into(), "{silent}");
        }
        let gone = devices(&[r#", "deleted": true"#], false);
        assert_eq!(gone[SERVERS], Some(0), "nobody asks what a deleted one was");
    }

    #[test]
    fn what_is_wanted_is_asked_where_it_costs_least() {
        let wanted = [DEVICES, SERVERS, "of another vendor"].map(Metric::from).into();
        assert_eq!(split(&wanted), (vec![DEVICES], vec![SERVERS]));
        assert!(LISTED.iter().chain(&COUNTED).eq(ALL));
    }
}
