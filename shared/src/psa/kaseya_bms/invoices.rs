//! What was billed last for the items of contracts: advice for people who state a line's opening units.
//!
//! `POST /v2/finance/invoices/details` is the one list of V2 that shows a quantity, so its last one is the best guess at the
//! units that a line has. A guess it stays: items are told apart by name alone, an invoice may hold corrections, and what
//! changed since is not on it. Hence few requests, and nothing may hang on them. Whose guess it is, is the caller's.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::client::Client;
use super::fields::Row;
use super::pages::Listing;
use super::template::Template;
use crate::domain::ids::ContractId;
use crate::psa::{CatalogQuery, PsaError};

/// Requests of one look-up, of 100 rows each. What they do not reach has no suggestion.
const MOST_REQUESTS: usize = 10;
/// How many days back invoices are looked for: the last month's first, and the month before only if something is missing.
/// The syntax of sorting is not known, so that is how the newest come first.
const DAYS_BACK: [i32; 2] = [31, 62];

/// What was billed for an item of a contract, all its rows of one invoice together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Billed {
    /// The `ValueDate` of the rows. The invoice's own date is not among them.
    pub on: Date,
    /// Their quantities, summed. Never negative; it may be a fraction.
    pub units: Decimal,
}

/// What was billed last, by contract and the item's name as the invoice has it, of the last two months.
type LastBilled = BTreeMap<(ContractId, String), Billed>;

/// What was billed last for each item of the contracts named. An error says only that there is no advice; what is missing
/// was not billed lately, or lies beyond the pages that are read.
pub(super) async fn last_billed(client: &Client, contracts: &BTreeSet<ContractId>) -> Result<LastBilled, PsaError> {
    let mut items = BTreeMap::new();
    let mut left = if contracts.is_empty() { 0 } else { MOST_REQUESTS };
    let today = client.clock.now().to_zoned(TimeZone::UTC).date();
    let mut to = None;
    for days in DAYS_BACK {
        // No end for the newest: an invoice may be dated ahead. The older ones end where the newer begin; a row that is in
        // both counts once.
        let from = today.saturating_sub(days.days());
        let all = Listing::of(Template::InvoiceDetails).only("Filter.InvoiceDateFrom", instant(from));
        let listing = to.iter().fold(all, |all, to| all.only("Filter.InvoiceDateTo", instant(*to)));
        collect(client, &listing, &mut items, &mut left).await?;
        let seen: BTreeSet<_> = items.values().map(|item| &item.contract).collect();
        if left == 0 || contracts.iter().all(|contract| seen.contains(contract)) {
            break;
        }
        to = Some(from);
    }
    Ok(newest(items.into_values().filter(|item| contracts.contains(&item.contract))))
}

/// A row of an invoice that is about a contract.
#[derive(Debug, Clone)]
struct Item {
    contract: ContractId,
    name: String,
    /// Numbers rise, so of two invoices of one day the higher is the later.
    invoice: Option<i64>,
    on: Date,
    quantity: Decimal,
}

impl Item {
    /// None for a row that is about no contract, or tells no quantity or day.
    fn of(row: &Row) -> Option<Self> {
        Some(Self {
            contract: row.reference("contractid", Template::InvoiceDetails).ok()?,
            name: row.text("name")?,
            invoice: row.whole("invoiceid"),
            on: row.day("valuedate")?,
            quantity: row.decimal("qty")?,
        })
    }
}

/// Reads a list into `items`, by the rows' ids, as long as there are requests `left`.
async fn collect(
    client: &Client,
    listing: &Listing,
    items: &mut BTreeMap<i64, Item>,
    left: &mut usize,
) -> Result<(), PsaError> {
    let mut seen = BTreeSet::new();
    let mut asked = CatalogQuery { limit: 100, ..CatalogQuery::default() };
    while *left > 0 {
        *left -= 1;
        let page = listing.page_for(client, &asked).await?;
        let before = seen.len();
        for row in &page.items {
            let id = row.id(Template::InvoiceDetails)?;
            seen.insert(id);
            items.extend(Item::of(row).map(|item| (id, item)));
        }
        asked.after = page.next;
        // The same rows again: the list does not page.
        if asked.after.is_none() || seen.len() == before {
            break;
        }
    }
    Ok(())
}

/// The newest invoice of each item. One whose rows come to less than nothing is a correction and tells no line's units.
fn newest(items: impl Iterator<Item = Item>) -> LastBilled {
    let mut invoices = BTreeMap::<_, Decimal>::new();
    for item in items {
        let sum = invoices.entry((item.contract, item.name, item.on, item.invoice)).or_default();
        *sum = sum.saturating_add(item.quantity);
    }
    invoices.retain(|_, sum| !sum.is_sign_negative());
    // In the order of day and invoice, so that of each item the last one stays.
    invoices.into_iter().map(|((contract, name, on, _), units)| ((contract, name), Billed { on, units })).collect()
}

/// A day as BMS's parameters take it.
fn instant(day: Date) -> String {
    format!("{day}T00:00:00")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::{Value, json};

    use super::*;
    use crate::psa::kaseya_bms::fields::lower_cased;

    fn item(with: &Value) -> Option<Item> {
        let mut row = json!({"Id": 1, "InvoiceId": 9_001, "Name": "EDR", "Qty": 40.0, "UnitPrice": 4.5, "TotalPrice": 180.0,
            "ValueDate": "2026-11-01T00:00:00", "ContractId": 29, "ContractName": "Care"});
        row.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        Item::of(&Row::of(lower_cased(row)).unwrap())
    }

    fn last(rows: &[Value]) -> Option<(Date, String)> {
        let found = newest(rows.iter().filter_map(item));
        found.get(&("29".parse().unwrap(), "EDR".to_owned())).map(|billed| (billed.on, billed.units.to_string()))
    }

    #[test]
    fn rows_of_one_name_are_summed_within_an_invoice_and_not_over_two() {
        let again = json!({"InvoiceId": 9_002, "Qty": 41});
        assert_eq!(last(&[json!({}), json!({"Qty": 2.5})]), Some((date(2026, 11, 1), "42.5".to_owned())));
        assert_eq!(last(&[again.clone(), json!({})]), Some((date(2026, 11, 1), "41".to_owned())));
        let later = json!({"InvoiceId": 8_000, "Qty": 7, "ValueDate": "2026-11-02T00:00:00"});
        assert_eq!(last(&[later, again, json!({})]), Some((date(2026, 11, 2), "7".to_owned())));
    }

    #[test]
    fn a_correction_below_nothing_is_passed_over_and_one_within_an_invoice_counts() {
        let credit = json!({"InvoiceId": 9_002, "Qty": -3});
        assert_eq!(last(&[json!({"Qty": 40}), credit]), Some((date(2026, 11, 1), "40".to_owned())));
        assert_eq!(last(&[json!({"Qty": 40}), json!({"Qty": -3})]), Some((date(2026, 11, 1), "37".to_owned())));
        assert_eq!(last(&[json!({"Qty": -3})]), None);
    }

    #[test]
    fn a_row_without_a_contract_a_name_a_day_or_a_quantity_is_no_advice() {
        for with in [
            json!({"ContractId": null}),
            json!({"Name": " "}),
            json!({"ValueDate": null}),
            json!({"ValueDate": "0001-01-01T00:00:00"}),
            json!({"Qty": null}),
        ] {
            assert!(item(&with).is_none(), "{with}");
        }
        assert!(item(&json!({"InvoiceId": null})).is_some());
    }
}
