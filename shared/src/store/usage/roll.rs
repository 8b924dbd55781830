//! Who is counted: the companies of a partner with their names and products, without their counts.
//!
//! Rows of counts hold much more than that, and a list of thousands of companies is to be read at once. So there is a roll of
//! them in a few rows, each for some companies by a digest of their ids, and each one text. A snapshot that says what is on it
//! changes nothing: a name is written when it is new, a product once a month.
//!
//! It is for people who look, and nothing is billed by it: a snapshot is taken in whether or not its companies could be put on
//! the roll, and the next one says them again.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::book::UsageReader;
use super::counts::Origin;
use super::header::{KEPT_DAYS, expires};
use super::month::Month;
use super::snapshot::Record;
use crate::domain::charge::ChargeRecord;
use crate::domain::ids::{CompanyId, PartnerId, ProductKey};
use crate::store::table::FIRST_PAUSE;
use crate::store::{Condition, Read, StoreError, Table, schema};

/// Rows of a roll: each holds 400 KB, a thousand companies of many products.
const ROWS: u8 = 64;
/// How often a row is tried that others are writing.
const ATTEMPTS: u32 = 8;

/// A company that is counted or charged for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedCompany {
    /// Its name as last given.
    #[serde(rename = "n")]
    pub name: String,
    /// The second since 1970 as of which it had that name.
    #[serde(rename = "t")]
    named_at: i64,
    /// What it has usage of, with the last month of it.
    #[serde(rename = "p", default)]
    pub products: BTreeMap<ProductKey, Month>,
}

type Companies = BTreeMap<CompanyId, CountedCompany>;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Row {
    version: u64,
    /// The companies as JSON: as attributes they would be parsed one by one.
    companies: String,
    expires: i64,
}

impl Row {
    fn companies(&self) -> Result<Companies, StoreError> {
        if self.companies.is_empty() {
            return Ok(Companies::new());
        }
        serde_json::from_str(&self.companies).map_err(|error| StoreError::Corrupt(error.to_string()))
    }
}

impl UsageReader {
    /// Every company that was counted or charged for within the time that usage is kept.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn companies(&self, partner: &PartnerId) -> Result<Companies, StoreError> {
        let rows: Vec<(String, Row)> = self.table.all(&schema::roll(partner), "", Read::Eventual).await?;
        let mut all = Companies::new();
        for (_, row) in rows {
            all.append(&mut row.companies()?);
        }
        Ok(all)
    }
}

/// Puts those whom a snapshot names on the roll. The same again changes nothing. What can't be written is logged and left out.
pub(super) async fn call(table: &Table, origin: &Origin, counts: &[Record], charges: &[ChargeRecord]) {
    let counted = counts.iter().map(|record| Named {
        company: &record.company,
        name: &record.company_name,
        product: Some(&record.product).filter(|_| record.quantity.get() > 0),
    });
    let charged = charges.iter().map(|charge| Named {
        company: &charge.company,
        name: &charge.company_name,
        product: Some(&charge.product),
    });
    let mut by_row: BTreeMap<u8, Vec<Named<'_>>> = BTreeMap::new();
    for named in counted.chain(charged) {
        by_row.entry(row_of(named.company)).or_default().push(named);
    }
    for (row, named) in by_row {
        let Err(error) = write(table, origin, row, &named).await else { continue };
        tracing::warn!(partner = %origin.partner, row, %error, "a row of the roll of companies stays as it was");
        // The other rows would keep whoever sent the snapshot waiting, and not be written either.
        if matches!(error, StoreError::Unavailable(_)) {
            return;
        }
    }
}

/// Writes a row where something of it is news; and again on top of what others wrote in between.
async fn write(table: &Table, origin: &Origin, number: u8, named: &[Named<'_>]) -> Result<(), StoreError> {
    let key = schema::row_of_roll(&origin.partner, number);
    // What was read too early is refused when it is written: only then does it have to be the newest.
    let (mut read, mut pause) = (Read::Eventual, FIRST_PAUSE);
    for _ in 0..ATTEMPTS {
        let found: Option<Row> = table.get(&key, read).await?;
        let before = found.as_ref().map(|row| row.version);
        let mut companies = found.as_ref().map(Row::companies).transpose()?.unwrap_or_default();
        // Before they are called: whoever is forgotten and named again is news.
        forget(&mut companies, origin.received_at);
        let mut news = false;
        for named in named {
            news |= named.put_on(&mut companies, origin.as_of);
        }
        if !news {
            return Ok(());
        }
        let text = serde_json::to_string(&companies).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let version = before.unwrap_or_default() + 1;
        let row = Row { version, companies: text, expires: expires(origin.received_at) };
        let as_found = match before {
            Some(version) => Condition::new("#version = :before").bind(":before", version)?,
            None => Condition::absent(),
        };
        if table.put(&key, &row, &as_found).await? {
            return Ok(());
        }
        tokio::time::sleep(pause).await;
        (read, pause) = (Read::Consistent, pause * 2);
    }
    tracing::warn!(partner = %origin.partner, row = number, "others are writing this row of the roll of companies");
    Ok(())
}

/// Takes those off who have had no usage, or had none when they were last given a name, for as long as usage is kept.
fn forget(companies: &mut Companies, now: Timestamp) {
    let since = now.checked_sub(SignedDuration::from_hours(KEPT_DAYS * 24)).unwrap_or(now);
    let month = Month::of(since);
    companies.retain(|_, company| {
        company.products.retain(|_, last| *last >= month);
        !company.products.is_empty() || company.named_at >= since.as_second()
    });
}

fn row_of(company: &CompanyId) -> u8 {
    Sha256::digest(company.as_str()).first().map_or(0, |byte| byte % ROWS)
}

/// What a record says of its company.
struct Named<'a> {
    company: &'a CompanyId,
    name: &'a str,
    product: Option<&'a ProductKey>,
}

impl Named<'_> {
    /// Whether that was news.
    fn put_on(&self, companies: &mut Companies, as_of: Timestamp) -> bool {
        let mut news = !companies.contains_key(self.company);
        let company = companies.entry(self.company.clone()).or_default();
        if company.name != self.name && company.named_at <= as_of.as_second() {
            (company.name, company.named_at) = (self.name.to_owned(), as_of.as_second());
            news = true;
        }
        if let Some(product) = self.product {
            let month = Month::of(as_of);
            let last = company.products.get(product);
            if last.is_none_or(|last| *last < month) {
                company.products.insert(product.clone(), month);
                news = true;
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(companies: &mut Companies, name: &str, product: Option<&str>, as_of: &str) -> bool {
        let (company, product) = ("acme".parse().unwrap(), product.map(|product| product.parse().unwrap()));
        let named = Named { company: &company, name, product: product.as_ref() };
        named.put_on(companies, as_of.parse().unwrap())
    }

    #[test]
    fn what_is_on_the_roll_is_no_news_and_an_older_name_is_none_either() {
        let mut roll = Companies::new();
        assert!(say(&mut roll, "Acme", Some("edr"), "2026-11-02T00:00:00Z"));
        assert!(!say(&mut roll, "Acme", Some("edr"), "2026-11-20T00:00:00Z"));
        assert!(say(&mut roll, "Acme", Some("sat"), "2026-11-20T00:00:00Z"));
        assert!(say(&mut roll, "Acme", Some("edr"), "2026-12-01T00:00:00Z"));
        assert!(say(&mut roll, "Acme GmbH", None, "2026-12-01T00:00:00Z"));
        assert!(!say(&mut roll, "Acme Old", Some("edr"), "2026-10-01T00:00:00Z"));
        assert_eq!(roll.values().next().unwrap().name, "Acme GmbH");
    }

    #[test]
    fn whoever_has_had_no_usage_for_long_is_forgotten() {
        let mut roll = Companies::new();
        say(&mut roll, "Acme", Some("edr"), "2026-11-02T00:00:00Z");
        forget(&mut roll, "2027-12-01T00:00:00Z".parse().unwrap());
        assert_eq!(roll.len(), 1);
        forget(&mut roll, "2028-03-01T00:00:00Z".parse().unwrap());
        assert!(roll.is_empty());
    }

    #[test]
    fn whoever_never_had_any_usage_is_forgotten_and_is_news_again_when_named() {
        let mut roll = Companies::new();
        say(&mut roll, "Acme", None, "2026-11-02T00:00:00Z");
        forget(&mut roll, "2027-12-01T00:00:00Z".parse().unwrap());
        assert!(!say(&mut roll, "Acme", None, "2027-12-01T00:00:00Z"), "its name is known");
        forget(&mut roll, "2028-03-01T00:00:00Z".parse().unwrap());
        assert!(roll.is_empty());
        assert!(say(&mut roll, "Acme", None, "2028-03-01T00:00:00Z"));
        forget(&mut roll, "2028-03-02T00:00:00Z".parse().unwrap());
        assert_eq!(roll.len(), 1);
    }
}
