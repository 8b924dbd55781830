//! Made-up company names: families, trades and legal forms from several countries, accents and ampersands included.
//!
//! Owns the lists and the way they are combined, because matching a vendor's spelling with the PSA's is where names hurt.

const FAMILIES: [&str; 48] = [
    "Müller",
    "Harbour & Sons",
    "Ødegaard",
    "Castellano",
    "Brightwater",
    "Schönfeld",
    "O'Leary",
    "Van Dijk",
    "Kowalski",
    "Lumière",
    "Ashdown",
    "Grünwald",
    "Iñárritu",
    "Fairbanks",
    "Jäger",
    "Thornbury",
    "Bianchi",
    "Núñez",
    "Whitlock",
    "Söderberg",
    "Kaminski",
    "Dufour",
    "Redgrave",
    "Weiß",
    "Pemberton",
    "Zhang",
    "Hawthorne",
    "Böhm",
    "Åkesson",
    "Delacroix",
    "Rosewood",
    "Lindqvist",
    "Marchetti",
    "Oakfield",
    "Křížek",
    "Silverman",
    "Stöckl",
    "Penhaligon",
    "Ferreira",
    "Northgate",
    "Häusler",
    "Winslow",
    "Garcia-Ruiz",
    "Blackthorn",
    "Öztürk",
    "Summerfield",
    "Beaumont",
    "Quick",
];

const TRADES: [&str; 26] = [
    "Steuerberatung GmbH",
    "Dental Group Ltd",
    "Logistics Inc.",
    "Architects LLP",
    "Bäckerei e.K.",
    "Accounting LLC",
    "Maschinenbau GmbH & Co. KG",
    "Law",
    "Veterinary Clinic",
    "Bouw B.V.",
    "Consulting AG",
    "Motors Pty Ltd",
    "Hotel & Spa",
    "Pharma S.A.",
    "Immobilien GmbH",
    "Engineering Ltd.",
    "Foods, Inc.",
    "Optik",
    "Insurance Brokers",
    "Elektrotechnik AG",
    "Media S.r.l.",
    "Surgery",
    "Travel Ltd",
    "Winery",
    "Sanitär GmbH",
    "School Trust",
];

const TOWNS: [&str; 6] = ["Leeds", "Köln", "Boston", "Zürich", "Perth", "Utrecht"];

/// Names that differ for every index: each family meets each trade once, then once more in each town.
pub(crate) fn company_name(index: usize) -> String {
    // 48 families and 26 trades: stepping the trade by 49 (which shares no factor with 26) meets all pairs.
    let family = FAMILIES.get(index % FAMILIES.len()).copied().unwrap_or_default();
    let round = index / FAMILIES.len();
    let trade = TRADES.get((index + round) % TRADES.len()).copied().unwrap_or_default();
    match index / (FAMILIES.len() * TRADES.len()) {
        0 => format!("{family} {trade}"),
        again => match TOWNS.get(again - 1) {
            Some(town) => format!("{family} {trade}, {town}"),
            None => format!("{family} {trade}, branch {again}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn company_names_never_repeat() {
        let names: HashSet<String> = (0..10_000).map(company_name).collect();
        assert_eq!(names.len(), 10_000);
    }
}
