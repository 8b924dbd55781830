//! What a pull has read, as counts of our products: pure, and the place where silence is kept from becoming a number.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::domain::amount::Amount;
use crate::domain::ids::{AccountId, CompanyId, ProductKey};
use crate::domain::money::Currency;
use crate::domain::units::Units;
use crate::psa::Psa;
use crate::sources::{Customer, Metric, Pulled, Row, Vendor, Wanted};
use crate::store::sources::Named;
use crate::store::usage::Record;

/// The most characters of a customer's name that are kept.
const LONGEST_NAME: usize = 200;

/// One product's counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// By company; who is not there has none where `whole` says so, but for the following.
    pub(super) records: Vec<Record>,
    /// Whether the list of customers was read to its end.
    pub(super) whole: bool,
    /// Customers of whom no count could be read.
    pub(super) untold: BTreeSet<CompanyId>,
}

/// How rows become counts.
pub(super) struct Reading<'r> {
    /// Whose API was read.
    pub(super) vendor: Vendor,
    /// Which metrics are which products.
    pub(super) products: &'r BTreeMap<Metric, ProductKey>,
    /// What was to be read.
    pub(super) wanted: &'r Wanted,
    /// Metrics that are read of wanted customers alone.
    pub(super) of_each: &'r BTreeSet<Metric>,
    /// The PSA that every account of the partner is in, where there is but one.
    pub(super) psa: Option<Psa>,
    /// The day on which it was read, in UTC.
    pub(super) today: Date,
}

impl Reading<'_> {
    /// The counts of every product. `within` says whose are told: those of this step.
    pub(super) fn counts(&self, pulled: &Pulled, within: impl Fn(&CompanyId) -> bool) -> BTreeMap<ProductKey, Counted> {
        let mut rows: BTreeMap<(&CompanyId, &Metric), &Row> = BTreeMap::new();
        for row in &pulled.rows {
            rows.insert((&row.company, &row.metric), row);
        }
        let listed: Vec<&Customer> = pulled.customers.iter().filter(|customer| within(&customer.company)).collect();
        let count = |(product, metrics): (ProductKey, BTreeSet<&Metric>)| {
            let mut counted = Counted { whole: pulled.stopped.is_none(), ..Counted::default() };
            for customer in &listed {
                match self.count(customer, &product, &metrics, &rows, &pulled.whole) {
                    Count::Told(record) => counted.records.push(record),
                    Count::NoneOfIt => {}
                    Count::Untold(company) => drop(counted.untold.insert(company)),
                    // It is no company of ours: nobody can be billed for it.
                    Count::Nameless => counted.whole = false,
                }
            }
            (product, counted)
        };
        self.metrics_of_products().into_iter().map(count).collect()
    }

    fn metrics_of_products(&self) -> BTreeMap<ProductKey, BTreeSet<&Metric>> {
        let mut found: BTreeMap<ProductKey, BTreeSet<&Metric>> = BTreeMap::new();
        for (metric, product) in self.products {
            found.entry(product.clone()).or_default().insert(metric);
        }
        found
    }

    fn count(
        &self,
        customer: &Customer,
        product: &ProductKey,
        metrics: &BTreeSet<&Metric>,
        rows: &BTreeMap<(&CompanyId, &Metric), &Row>,
        whole: &BTreeSet<Metric>,
    ) -> Count {
        let Some(company) = self.vendor.company(&customer.company) else { return Count::Nameless };
        let mut told = Vec::new();
        for metric in metrics {
            match rows.get(&(&customer.company, *metric)) {
                Some(row) => told.push(*row),
                // The sum of some of a product's metrics would be too low.
                None if self.of_each.contains(*metric) && !self.wanted.has(&customer.company) => {
                    return Count::NoneOfIt;
                }
                None if !whole.contains(*metric) => return Count::Untold(company),
                None => {}
            }
        }
        if told.is_empty() {
            return Count::NoneOfIt;
        }
        let sum = told.iter().try_fold(Units::ZERO, |sum, row| sum.checked_add(owed(row, self.today)));
        let Some(quantity) = sum else { return Count::Untold(company) };
        let (unit_cost, currency) = cost(&told);
        Count::Told(Record {
            company,
            company_name: name(customer),
            product: product.clone(),
            quantity,
            unit_cost,
            currency,
            account_id: self.account(customer),
        })
    }

    /// An account's id says nothing to a PSA of another kind.
    fn account(&self, customer: &Customer) -> Option<AccountId> {
        let (psa, account) = customer.account.as_ref()?;
        (self.psa == Some(*psa)).then(|| account.clone())
    }
}

enum Count {
    Told(Record),
    /// There is none, or nobody asked.
    NoneOfIt,
    /// The vendor did not say, or no number of units.
    Untold(CompanyId),
    /// Its id is longer than a company's.
    Nameless,
}

/// The vendor's customer as people are told of it.
pub(super) fn named(vendor: Vendor, customer: &Customer) -> Option<Named> {
    Some(Named { company: vendor.company(&customer.company)?, company_name: name(customer) })
}

/// What was committed to is owed until its last day, whatever is counted.
fn owed(row: &Row, today: Date) -> Units {
    match row.committed {
        Some((floor, until)) if until >= today => row.quantity.max(floor),
        _ => row.quantity,
    }
}

/// What one costs, where all of it costs the same.
fn cost(rows: &[&Row]) -> (Option<Amount>, Option<Currency>) {
    let mut costs =
        rows.iter().filter(|row| row.quantity > Units::ZERO).map(|row| (row.unit_cost, row.currency.clone()));
    let first = costs.next().unwrap_or_default();
    if costs.all(|cost| cost == first) { first } else { (None, None) }
}

fn name(customer: &Customer) -> String {
    let name: String = customer.name.trim().chars().filter(|letter| !letter.is_control()).take(LONGEST_NAME).collect();
    if name.is_empty() { customer.company.to_string() } else { name }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::sources::SourceError;

    fn customer(id: &str) -> Customer {
        Customer { company: id.parse().unwrap(), name: format!("Customer {id}"), account: None }
    }

    fn row(company: &str, metric: &str, quantity: i64) -> Row {
        Row::of(company.parse().unwrap(), metric, quantity.try_into().unwrap())
    }

    fn metrics(names: &[&str]) -> BTreeSet<Metric> {
        names.iter().copied().map(Metric::from).collect()
    }

    fn pulled(rows: Vec<Row>, whole: &[&str]) -> Pulled {
        let customers = ["1", "2", "3"].map(customer).into();
        Pulled { customers, rows, whole: metrics(whole), ..Pulled::default() }
    }

    /// Product `p` is fed by the metrics `a` and `b`, of which `b` is asked of each customer; only 1 and 2 are wanted.
    fn counted(pulled: &Pulled) -> Counted {
        let products =
            [("a", "p"), ("b", "p")].map(|(metric, product)| (metric.into(), product.parse().unwrap())).into();
        let companies = Some(["1", "2"].map(|id| id.parse().unwrap()).into());
        let wanted = Wanted { metrics: metrics(&["a", "b"]), companies, ..Wanted::default() };
        let of_each = metrics(&["b"]);
        let (vendor, today) = (Vendor::Huntress, date(2026, 11, 23));
        let reading = Reading { vendor, products: &products, wanted: &wanted, of_each: &of_each, psa: None, today };
        reading.counts(pulled, |_| true).remove(&"p".parse().unwrap()).unwrap()
    }

    fn told_of(counted: &Counted) -> Vec<(String, u32)> {
        let told = |record: &Record| {
            let customer = Vendor::Huntress.customer(&record.company).unwrap();
            (customer.to_string(), record.quantity.get())
        };
        counted.records.iter().map(told).collect()
    }

    fn told(pulled: &Pulled) -> (Vec<(String, u32)>, bool) {
        let counted = counted(pulled);
        (told_of(&counted), counted.whole && counted.untold.is_empty())
    }

    #[test]
    fn the_metrics_of_a_product_are_added_and_none_is_told_apart_from_unasked() {
        let rows = vec![row("1", "a", 3), row("1", "b", 4), row("2", "a", 5), row("3", "a", 6)];
        // 2 was asked for b and has none; 3 was not asked.
        assert_eq!(told(&pulled(rows, &["a", "b"])), (vec![("1".into(), 7), ("2".into(), 5)], true));
    }

    #[test]
    fn whoever_was_not_told_of_is_not_said_to_have_none() {
        let rows = vec![row("1", "a", 3), row("1", "b", 4), row("2", "a", 5)];
        let counted = counted(&pulled(rows, &["a"]));
        assert_eq!((told_of(&counted), counted.whole), (vec![("1".into(), 7)], true));
        assert_eq!(counted.untold, ["huntress:2".parse().unwrap()].into(), "3 was not asked");
    }

    #[test]
    fn a_zero_is_a_count_and_a_missing_row_is_none() {
        let rows = vec![row("1", "a", 0), row("1", "b", 0)];
        assert_eq!(told(&pulled(rows, &["a", "b"])), (vec![("1".into(), 0)], true));
    }

    #[test]
    fn nothing_is_whole_that_was_not_read_to_its_end() {
        let stopped = Some(SourceError::unreachable("The vendor"));
        assert!(!told(&Pulled { stopped, ..pulled(Vec::new(), &["a", "b"]) }).1);
    }

    #[test]
    fn what_was_committed_to_is_owed_to_its_last_day() {
        let committed = |until| Some((Units::try_from(10_i64).unwrap(), until));
        for (until, owed) in [(date(2026, 11, 23), 14), (date(2026, 11, 22), 7)] {
            let first = Row { committed: committed(until), ..row("1", "a", 3) };
            assert_eq!(told(&pulled(vec![first, row("1", "b", 4)], &["a", "b"])).0, [("1".to_owned(), owed)]);
        }
    }

    #[test]
    fn a_cost_is_told_where_all_cost_the_same() {
        let priced =
            |quantity: i64, cost: &str| Row { unit_cost: Some(cost.parse().unwrap()), ..row("1", "a", quantity) };
        let cost_of = |rows: &[Row]| cost(&rows.iter().collect::<Vec<_>>()).0.map(|cost| cost.to_string());
        assert_eq!(cost_of(&[priced(1, "2.50"), priced(7, "2.50"), priced(0, "9")]).as_deref(), Some("2.50"));
        assert_eq!(cost_of(&[priced(1, "2.50"), priced(1, "2.40")]), None);
        assert_eq!(cost_of(&[priced(1, "2.50"), row("1", "b", 1)]), None);
    }

    #[test]
    fn an_account_is_of_a_psa_of_its_kind() {
        let products = BTreeMap::from([("a".into(), "p".parse().unwrap())]);
        let (wanted, of_each) = (Wanted::default(), BTreeSet::new());
        let known = Customer { account: Some((Psa::Autotask, "29".parse().unwrap())), ..customer("1") };
        let pulled = Pulled { customers: vec![known], ..pulled(vec![row("1", "a", 3)], &["a"]) };
        for (psa, account) in [(Some(Psa::Autotask), Some("29")), (Some(Psa::KaseyaBms), None), (None, None)] {
            let (vendor, today) = (Vendor::DattoRmm, date(2026, 11, 23));
            let reading = Reading { vendor, products: &products, wanted: &wanted, of_each: &of_each, psa, today };
            let counted = reading.counts(&pulled, |_| true);
            let record = &counted[&"p".parse().unwrap()].records[0];
            assert_eq!(record.account_id.as_ref().map(AccountId::as_str), account);
        }
    }
}
