//! Time zones, to choose from: by the part of the world, UTC first.

use std::collections::BTreeMap;

/// What is offered first, and stands where nobody has chosen: the server's own zone says nothing of a partner's.
pub(crate) const FIRST: &str = "UTC";

/// Every zone by the part of the world that its name begins with. `chosen` is among them whatever it is.
pub(crate) fn by_region(chosen: &str) -> Vec<(String, Vec<String>)> {
    let known = jiff::tz::db().available().map(|zone| zone.to_string());
    let mut regions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for zone in known.chain([chosen.to_owned()]) {
        // Names without a place are old spellings of others, and those below Etc count the wrong way round.
        let Some((region, _)) = zone.split_once('/').filter(|(region, _)| *region != "Etc") else { continue };
        let zones = regions.entry(region.to_owned()).or_default();
        if !zones.contains(&zone) {
            zones.push(zone);
        }
    }
    let mut first = vec![FIRST.to_owned()];
    if !chosen.is_empty() && chosen != FIRST && (!chosen.contains('/') || chosen.starts_with("Etc/")) {
        first.push(chosen.to_owned());
    }
    regions.values_mut().for_each(|zones| zones.sort());
    std::iter::once(("Everywhere".to_owned(), first)).chain(regions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_comes_first_and_what_was_chosen_is_always_there() {
        let zones = by_region("Etc/GMT+5");
        assert_eq!(zones[0], ("Everywhere".to_owned(), vec!["UTC".to_owned(), "Etc/GMT+5".to_owned()]));
        let europe = zones.iter().find(|(region, _)| region == "Europe").unwrap();
        assert_eq!(europe.1.iter().filter(|zone| *zone == "Europe/Berlin").count(), 1);
        assert!(by_region("").iter().all(|(region, _)| region != "Etc"));
    }
}
