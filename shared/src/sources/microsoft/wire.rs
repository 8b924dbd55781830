//! Partner Center's and Graph's answers, as Microsoft documents them; what is not read here is left out. Unknown statuses and
//! kinds of a thing are tolerated.

use jiff::civil::Date;
use serde::Deserialize;

use super::VENDOR;
use crate::sources::{Filters, SourceError};

/// The header that carries a continuation token, in answers and in requests.
pub(super) const CONTINUATION: &str = "ms-continuationtoken";

/// A page of a Partner Center collection.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Collection<T> {
    #[serde(default)]
    pub(super) total_count: Option<u64>,
    pub(super) items: Vec<T>,
    #[serde(default)]
    links: Option<Links>,
}

#[derive(Debug, Deserialize)]
struct Links {
    #[serde(default)]
    next: Option<Link>,
}

/// Its address is not read: the next page is asked for where the first one was, so that no answer can send us elsewhere.
#[derive(Debug, Deserialize)]
struct Link {
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Debug, Deserialize)]
struct Header {
    key: String,
    value: String,
}

impl<T> Collection<T> {
    /// What the next page is asked for with; `None` on the last.
    ///
    /// # Errors
    /// There is a next page and no way to ask for it.
    pub(super) fn continuation(&self) -> Result<Option<String>, SourceError> {
        let Some(next) = self.links.as_ref().and_then(|links| links.next.as_ref()) else { return Ok(None) };
        let token = next.headers.iter().find(|header| header.key.eq_ignore_ascii_case(CONTINUATION));
        let token = token.map(|header| header.value.clone()).filter(|token| !token.is_empty());
        token.map(Some).ok_or_else(|| SourceError::unreadable(VENDOR, "it has a next page and no token for it"))
    }
}

/// A customer of the partner's. Its id is that of its tenant.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Customer {
    pub(super) id: String,
    #[serde(default)]
    company_profile: Option<CompanyProfile>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CompanyProfile {
    #[serde(default)]
    company_name: Option<String>,
}

impl Customer {
    /// For people; the id where it has no name.
    pub(super) fn name(&self) -> &str {
        self.company_profile.as_ref().and_then(|profile| profile.company_name.as_deref()).unwrap_or(&self.id)
    }
}

/// A subscription of a customer's.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    pub(super) id: String,
    /// Of legacy commerce a GUID, of new commerce `product:sku:availability`.
    #[serde(default)]
    offer_id: Option<String>,
    #[serde(default)]
    pub(super) quantity: Option<i64>,
    #[serde(default)]
    unit_type: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    is_trial: bool,
    #[serde(default)]
    commitment_end_date: Option<String>,
}

/// What a subscription's status says.
enum Standing {
    Running,
    Suspended,
    /// Or not begun.
    Ended,
}

impl Subscription {
    /// Whether `name` names what was bought: an offer, or `product/sku` of any availability.
    pub(super) fn is_of(&self, name: &str) -> bool {
        let Some(offer) = self.offer_id.as_deref() else { return false };
        let mut parts = offer.split(':');
        let catalog = parts.next().zip(parts.next());
        let is_sku = catalog.zip(name.split_once('/')).is_some_and(|((product, sku), (named, its_sku))| {
            product.eq_ignore_ascii_case(named) && sku.eq_ignore_ascii_case(its_sku)
        });
        is_sku || offer.eq_ignore_ascii_case(name)
    }

    /// Whether it says what its quantity is a number of, and of licences which.
    pub(super) fn says_what(&self) -> bool {
        self.unit_type.is_some() && (self.offer_id.is_some() || !self.is_licensed())
    }

    /// Whether its quantity is a number of licences: of Azure and benefits it is not.
    pub(super) fn is_licensed(&self) -> bool {
        self.unit_type.as_deref().is_some_and(|unit| unit.eq_ignore_ascii_case("licenses"))
    }

    /// Whether its licences count, trials and suspended ones by the partner's choice. A status that nobody knows is no reason
    /// to lower a count.
    pub(super) fn counts(&self, filters: &Filters) -> bool {
        let runs = match self.standing() {
            Standing::Running => true,
            Standing::Suspended => filters.suspended.unwrap_or_default(),
            Standing::Ended => false,
        };
        runs && (!self.is_trial || filters.trials.unwrap_or_default())
    }

    /// The last day for which it is owed, whether it counts or not. A trial binds nobody, and legacy commerce ends a
    /// subscription by suspending it; in new commerce its term goes on (unconfirmed).
    pub(super) fn owed_until(&self) -> Option<Date> {
        let is_bound = match self.standing() {
            Standing::Running => true,
            Standing::Suspended => self.is_new_commerce(),
            Standing::Ended => false,
        };
        self.last_day().filter(|_| is_bound && !self.is_trial)
    }

    fn standing(&self) -> Standing {
        match self.status.as_deref().unwrap_or_default().to_ascii_lowercase().as_str() {
            "none" | "pending" | "expired" | "disabled" | "deleted" => Standing::Ended,
            "suspended" => Standing::Suspended,
            _ => Standing::Running,
        }
    }

    /// The last day of its term. Ends are inclusive in new commerce and exclusive in the legacy one.
    fn last_day(&self) -> Option<Date> {
        let end: Date = self.commitment_end_date.as_deref()?.get(..10)?.parse().ok()?;
        if self.is_new_commerce() { Some(end) } else { end.yesterday().ok() }
    }

    fn is_new_commerce(&self) -> bool {
        self.offer_id.as_deref().is_some_and(|offer| offer.contains(':'))
    }
}

/// `GET /v1.0/subscribedSkus` of a customer's tenant. Graph documents no pages of it.
#[derive(Debug, Deserialize)]
pub(super) struct SubscribedSkus {
    pub(super) value: Vec<Sku>,
    #[serde(default, rename = "@odata.nextLink")]
    pub(super) next: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sku {
    pub(super) sku_id: String,
    pub(super) sku_part_number: String,
    /// Assigned to people or to the company.
    #[serde(default)]
    pub(super) consumed_units: Option<i64>,
    #[serde(default)]
    prepaid_units: Option<PrepaidUnits>,
}

#[derive(Debug, Deserialize)]
struct PrepaidUnits {
    #[serde(default)]
    enabled: Option<i64>,
}

impl Sku {
    /// Those that can be assigned.
    pub(super) fn enabled(&self) -> Option<i64> {
        self.prepaid_units.as_ref()?.enabled
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn page(links: &str) -> Collection<Customer> {
        let json = format!(
            r#"{{"totalCount": 1, "items": [{{"id": "a", "companyProfile": {{"tenantId": "a", "companyName": "Acme"}},
                "relationshipToPartner": "reseller"}}]{links}, "attributes": {{"objectType": "Collection"}}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn next(headers: &str) -> String {
        format!(
            r#", "links": {{"self": {{"uri": "/customers?size=500", "method": "GET", "headers": []}},
                "next": {{"uri": "https://elsewhere.example/customers?seekOperation=Next", "method": "GET", "headers": [{headers}]}}}}"#
        )
    }

    #[test]
    fn a_page_tells_its_successor_by_the_token_alone() {
        let more = page(&next(r#"{"key": "MS-ContinuationToken", "value": "AQAAAA=="}"#));
        assert_eq!(more.continuation(), Ok(Some("AQAAAA==".to_owned())));
        assert_eq!(
            page(r#", "links": {"self": {"uri": "/customers", "method": "GET", "headers": []}}"#).continuation(),
            Ok(None)
        );
        assert_eq!(page("").continuation(), Ok(None));
        assert_eq!(page(&next("")).continuation().unwrap_err().code, "source_unexpected_answer");
    }

    #[test]
    fn a_customer_without_a_name_is_called_by_its_id() {
        assert_eq!(page("").items[0].name(), "Acme");
        assert_eq!(serde_json::from_str::<Customer>(r#"{"id": "b", "companyProfile": {}}"#).unwrap().name(), "b");
    }

    fn subscription(offer: &str, more: &str) -> Subscription {
        serde_json::from_str(&format!(r#"{{"id": "s", "offerId": "{offer}", "unitType": "Licenses"{more}}}"#)).unwrap()
    }

    const NEW: &str = "CFQ7TTC0LFLX:0001:CFQ7TTC0K9GJ";
    const LEGACY: &str = "0CCA44D6-68E9-4762-94EE-31ECE98783B9";

    #[test]
    fn what_was_bought_is_named_by_its_offer_or_by_its_product_and_sku() {
        let bought = subscription(NEW, "");
        for name in [NEW, "CFQ7TTC0LFLX/0001", "cfq7ttc0lflx/0001"] {
            assert!(bought.is_of(name), "{name}");
        }
        for name in ["CFQ7TTC0LFLX", "CFQ7TTC0LFLX/0002", "CFQ7TTC0LFLX:0001", LEGACY, "/"] {
            assert!(!bought.is_of(name), "{name}");
        }
        assert!(subscription(LEGACY, "").is_of(&LEGACY.to_lowercase()));
    }

    #[test]
    fn the_end_of_a_term_is_its_last_day_in_new_commerce_and_the_day_after_it_in_legacy() {
        let end = r#", "commitmentEndDate": "2027-01-09T00:00:00Z""#;
        assert_eq!(subscription(NEW, end).owed_until(), Some(date(2027, 1, 9)));
        assert_eq!(subscription(LEGACY, end).owed_until(), Some(date(2027, 1, 8)));
        assert_eq!(subscription(NEW, "").owed_until(), None);
    }

    #[test]
    fn what_is_suspended_is_owed_in_new_commerce_and_ended_in_legacy_and_a_trial_binds_nobody() {
        let owed = |offer, rest: &str| {
            let rest = format!(r#", "commitmentEndDate": "2027-01-09T00:00:00Z"{rest}"#);
            subscription(offer, &rest).owed_until().is_some()
        };
        assert!(owed(NEW, r#", "status": "suspended""#) && !owed(LEGACY, r#", "status": "suspended""#));
        assert!(!owed(NEW, r#", "status": "deleted""#) && !owed(NEW, r#", "isTrial": true"#));
    }

    #[test]
    fn what_has_ended_does_not_count_and_what_nobody_knows_does() {
        let all = Filters { trials: Some(true), suspended: Some(true), nfr_company: None };
        let counts = |status: &str| subscription(NEW, &format!(r#", "status": "{status}""#)).counts(&all);
        assert_eq!(["active", "Active", "of tomorrow", "suspended"].map(counts), [true; 4]);
        assert_eq!(["deleted", "expired", "pending", "disabled", "none"].map(counts), [false; 5]);
    }

    #[test]
    fn trials_and_what_is_suspended_count_where_the_partner_chose_so() {
        let trial = subscription(NEW, r#", "status": "active", "isTrial": true"#);
        let suspended = subscription(NEW, r#", "status": "suspended""#);
        for choice in [None, Some(false), Some(true)] {
            let chosen = choice == Some(true);
            assert_eq!(trial.counts(&Filters { trials: choice, ..Filters::default() }), chosen);
            assert_eq!(suspended.counts(&Filters { suspended: choice, ..Filters::default() }), chosen);
            assert!(!trial.counts(&Filters { suspended: choice, ..Filters::default() }));
        }
    }
}
