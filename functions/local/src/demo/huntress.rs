//! Counts in the shape of Huntress' list of organisations (`GET /v1/organizations`), and what of it is pushed.
//!
//! Shape from Huntress' published API description: pages of `organizations` with a `pagination` object. `agents_count` is
//! billed as `edr`, `billable_identity_count` as `itdr`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::customers::Customer;

/// Organisations a page; the API allows 1 to 500.
const PAGE: usize = 50;

/// One page of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Page {
    organizations: Vec<Organization>,
    pagination: Pagination,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Organization {
    id: i64,
    name: String,
    agents_count: u32,
    billable_identity_count: u32,
    sat_learner_count: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Pagination {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// The list of `customers` as it would be answered, page by page.
pub(super) fn pages<'a>(customers: impl IntoIterator<Item = &'a Customer>) -> Vec<Page> {
    let organizations: Vec<Organization> = customers.into_iter().map(Organization::of).collect();
    let count = organizations.len().div_ceil(PAGE);
    let pages = organizations.chunks(PAGE).zip(1..).map(|(organizations, number)| Page {
        organizations: organizations.to_vec(),
        pagination: Pagination { next_page_token: (number < count).then(|| format!("page-{}", number + 1)) },
    });
    pages.collect()
}

impl Organization {
    fn of(customer: &Customer) -> Self {
        let [agents_count, billable_identity_count, sat_learner_count] = customer.counts;
        Self {
            id: customer.organization,
            name: customer.name.clone(),
            agents_count,
            billable_identity_count,
            sat_learner_count,
        }
    }
}

/// The records of a snapshot: one for each organisation and product.
pub(super) fn records(pages: &[Page]) -> Vec<Value> {
    let organizations = pages.iter().flat_map(|page| &page.organizations);
    let record = |of: &Organization, product: &str, quantity: u32| json!({ "company": of.id.to_string(), "company_name": of.name, "product": product, "quantity": quantity });
    organizations
        .flat_map(|of| [record(of, "edr", of.agents_count), record(of, "itdr", of.billable_identity_count)])
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::stages::autotask::made_up;
    use super::*;

    #[test]
    fn the_list_reads_like_the_vendors_and_gives_two_records_an_organisation() {
        let (customers, _) = made_up(0..60, date(2026, 11, 21)).unwrap();
        let pages = pages(&customers);
        assert_eq!(pages.iter().map(|page| page.organizations.len()).collect::<Vec<_>>(), [50, 10]);
        let first = serde_json::to_value(&pages[0]).unwrap();
        assert_eq!(first["pagination"]["next_page_token"], "page-2");
        assert!(serde_json::to_value(&pages[1]).unwrap()["pagination"].get("next_page_token").is_none());
        assert_eq!(first["organizations"][0]["agents_count"], customers[0].counts[0]);
        let records = records(&pages);
        assert_eq!(records.len(), 120);
        assert_eq!(records[1]["product"], "itdr");
        assert_eq!(records[1]["quantity"], customers[0].counts[1]);
    }
}
